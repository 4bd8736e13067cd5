//! What is asked over HTTP: comments in, the front door, the desk, and how it goes.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use modstream_desk::Site;
use modstream_gateway::{Done, Route};
use modstream_links::Keys;
use modstream_platform::sqlite::{SqliteSecrets, SqliteStream, SqliteTable};
use modstream_platform::{Clock as _, SystemClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::bodies::Bodies;
use super::data::DataFolder;
use super::front_door::Door;
use super::messages::{Answer, refusal, written};
use super::metrics::{self, Metrics};
use crate::decisions::serve::{PAGE_TIMEOUT, host, plain, read, write};

/// How long a request may take to arrive: its head, a form.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections there are at once. Where there are so many, none is kept for a next request.
const MAX_CONNECTIONS: usize = 512;
/// How much of a connection is in memory before it is looked at; a request's head is no longer.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long connections have to end when the process does.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the system has to recover when it can't take a connection, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What answers requests.
pub(super) struct Server {
    pub(super) data: DataFolder,
    pub(super) site: Site<SqliteTable, SqliteStream, SystemClock>,
    pub(super) keys: Keys<SqliteSecrets, SystemClock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) hosts: Hosts,
    /// Whether the functions are at work.
    pub(super) works: Arc<AtomicBool>,
    pub(super) bodies: Bodies,
    pub(super) door: Door,
}

/// The hosts under which the desk is opened. A page elsewhere may make its own name point here, and would have the desk's
/// cookies then; it can't make a number point here.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    /// The host of the address that moderators open.
    pub(super) named: String,
    pub(super) port: u16,
}

impl Hosts {
    fn are_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            // An IPv6 address has colons of its own, within brackets.
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        let is_number = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        host.eq_ignore_ascii_case(&self.named)
            || (port == Some(self.port) && (is_number || name.eq_ignore_ascii_case("localhost")))
    }
}

impl Server {
    /// Answers requests until it is asked to stop, and then those that are under way. It must run within a `LocalSet`.
    pub(super) async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let server = Rc::new(self);
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let (crowd, crowded) = watch::channel(false);
        let mut open = JoinSet::new();
        loop {
            crowd.send_if_modified(|is_so| {
                let was_so = std::mem::replace(is_so, connections.available_permits() == 0);
                was_so != *is_so
            });
            let permit = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                permit = Arc::clone(&connections).acquire_owned() => permit,
            };
            let Ok(permit) = permit else { break };
            let accepted = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((connection, _)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let (server, crowded, stop) = (Rc::clone(&server), crowded.clone(), stop.clone());
            open.spawn_local(async move {
                server.connection(connection, crowded, stop).await;
                drop(permit);
            });
            while open.try_join_next().is_some() {}
        }
        drop(listener);
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, async { while open.join_next().await.is_some() {} }).await;
    }

    async fn connection(
        self: Rc<Self>,
        connection: TcpStream,
        mut crowded: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        // An answer is small, and waited for.
        let _ = connection.set_nodelay(true);
        let (is_known, is_crowded) = (Rc::new(Cell::new(false)), crowded.clone());
        let service = service_fn({
            let is_known = Rc::clone(&is_known);
            move |request| {
                is_known.set(true);
                let (server, is_crowded) = (Rc::clone(&self), is_crowded.clone());
                async move {
                    let mut answer = server.answer(request).await;
                    if *is_crowded.borrow() {
                        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(answer)
                }
            }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(ARRIVAL_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
        // Who has sent all that they will may close their side, and waits for the answer.
        builder.half_close(true);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(connection), service));
        // A connection that ends badly is its client's to notice.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            // One that is new has its request on the way; it is closed with its answer.
            _ = crowded.wait_for(|crowded| *crowded && is_known.get()) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (path, method) = (request.uri().path(), request.method());
        let is_get = method == Method::GET || method == Method::HEAD;
        if let Some(route) = Route::of(path) {
            let answer = self.front_door(route, request).await;
            self.metrics.answered(route.path(), answer.status().as_u16());
            return answer;
        }
        let (name, answer) = match path {
            "/healthz" | "/readyz" | "/metrics" if !is_get => ("other", not_allowed("GET, HEAD")),
            "/healthz" => ("/healthz", plain(StatusCode::OK, "ok\n")),
            "/readyz" => ("/readyz", self.ready()),
            "/metrics" => ("/metrics", self.metrics()),
            _ => ("desk", self.page(request).await),
        };
        self.metrics.answered(name, answer.status().as_u16());
        answer
    }

    fn ready(&self) -> Answer {
        let trouble = self.data.database.trouble().map(|trouble| trouble.message);
        match trouble.or_else(|| (!self.works.load(Ordering::Acquire)).then(|| "the functions are not at work".into()))
        {
            None => plain(StatusCode::OK, "ready\n"),
            Some(trouble) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
        }
    }

    fn metrics(&self) -> Answer {
        match self.metrics.text(&self.data) {
            Ok(text) => with(plain(StatusCode::OK, text), CONTENT_TYPE, metrics::CONTENT_TYPE),
            Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        }
    }

    async fn page(&self, request: Request<Incoming>) -> Answer {
        if !host(&request).is_some_and(|host| self.hosts.are_ours(&host)) {
            let text = format!(
                "open http://{} instead, or say --url with the address that moderators open\n",
                self.hosts.named
            );
            return plain(StatusCode::MISDIRECTED_REQUEST, text);
        }
        let deadline = SystemClock.now() + PAGE_TIMEOUT;
        let Ok(signer) = self.keys.signer(deadline).await else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "the key that signs links can't be read: try again\n");
        };
        let Ok(request) = tokio::time::timeout(ARRIVAL_TIMEOUT, read(request)).await else {
            return plain(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time\n");
        };
        write(self.site.answer(&request, &signer, deadline).await)
    }

    /// Lets a request of the front door in, or refuses it in its caller's form, and answers it.
    async fn front_door(&self, route: Route, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let mut asked = self.door.asked(&head);
        if let Err(refusal) = self.door.admit(route, head.method.as_str(), &asked).await {
            return written(route.refuse(&refusal));
        }
        // Its place in memory is kept until the request is answered.
        let mut arrived = match self.bodies.receive(body, route.max_body_bytes()).await {
            Ok(arrived) => arrived,
            Err(error) => return written(route.refuse(&refusal(error))),
        };
        asked.body = std::mem::take(&mut arrived.bytes);
        let Done { response, tally, failed } = self.door.answer(route, asked).await;
        self.metrics.taken(tally.new, tally.repeated);
        tally.refused.iter().for_each(|(reason, number)| self.metrics.refused(reason, *number));
        if failed.is_some() {
            self.metrics.failed(if route == Route::Comments { "intake" } else { "front_door" });
        }
        written(response)
    }
}

fn not_allowed(methods: &'static str) -> Answer {
    with(plain(StatusCode::METHOD_NOT_ALLOWED, format!("{methods} only\n")), ALLOW, methods)
}

fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
    answer
}

/// The host of a web address, as a browser sends it.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// The address at which the desk is opened where nobody says another.
pub(super) fn url_of(address: SocketAddr) -> String {
    // Nobody opens "any address".
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => format!("http://[::1]:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desk_is_opened_by_its_name_or_by_number_and_by_no_other_name() {
        let hosts = Hosts { named: "mod.example.org".to_owned(), port: 8080 };
        for ours in [
            "mod.example.org",
            "MOD.example.org",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost:8080",
            "LocalHost:8080",
            "10.0.0.7:8080",
        ] {
            assert!(hosts.are_ours(ours), "{ours}");
        }
        for other in
            ["evil.example", "evil.example:8080", "127.0.0.1", "127.0.0.1:80", "localhost", "mod.example.org:1", ""]
        {
            assert!(!hosts.are_ours(other), "{other}");
        }
        assert!(Hosts { named: "x".to_owned(), port: 80 }.are_ours("127.0.0.1"));
        assert_eq!(host_of("https://mod.example.org/desk/"), "mod.example.org");
    }

    #[test]
    fn any_address_is_opened_as_this_machines_own() {
        let url = |text: &str| url_of(text.parse().expect("an address"));
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url("[::]:8080"), "http://[::1]:8080");
        assert_eq!(url("10.0.0.7:1"), "http://10.0.0.7:1");
    }
}
