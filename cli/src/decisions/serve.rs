//! The desk over HTTP, on this machine.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use hyper::service::service_fn;
use hyper::{Response as HttpResponse, StatusCode};
use hyper_util::rt::TokioIo;
use modstream_desk::{MAX_BODY_BYTES, Request, Site};
use modstream_links::Signer;
use modstream_platform::table::Table;
use modstream_platform::{Clock, Stream};
use tokio::net::TcpListener;

/// The longest that a page takes.
pub(crate) const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// Answers requests until the future is dropped. It must run within a `LocalSet`.
pub(crate) async fn serve<B, S, C>(
    listener: TcpListener,
    site: Site<B, S, C>,
    signer: Signer,
    clock: C,
) -> anyhow::Result<Infallible>
where
    B: Table + 'static,
    S: Stream + 'static,
    C: Clock + Clone + 'static,
{
    let address = listener.local_addr()?;
    let (site, signer) = (Rc::new(site), Rc::new(signer));
    loop {
        let (connection, _) = listener.accept().await?;
        let (site, signer, clock) = (Rc::clone(&site), Rc::clone(&signer), clock.clone());
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| {
                let (site, signer, clock) = (Rc::clone(&site), Rc::clone(&signer), clock.clone());
                async move {
                    let ours = [address.to_string(), format!("localhost:{}", address.port())];
                    if !host(&request).is_some_and(|host| ours.contains(&host)) {
                        return Ok::<_, Infallible>(plain(
                            StatusCode::MISDIRECTED_REQUEST,
                            "open http://127.0.0.1 instead\n",
                        ));
                    }
                    let deadline = clock.now() + PAGE_TIMEOUT;
                    let request = read(request).await;
                    Ok(write(site.answer(&request, &signer, deadline).await))
                }
            });
            // A connection that ends badly is the browser's to notice.
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

/// The host that a request is for. A page elsewhere may have made its own name point here: whoever serves pages looks at it.
pub(crate) fn host(request: &hyper::Request<Incoming>) -> Option<String> {
    let mut hosts = request.headers().get_all(HOST).iter();
    // Of two, nobody knows which one others go by.
    hosts.next().filter(|_| hosts.next().is_none()).map(text)
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Reads a request for a page.
pub(crate) async fn read(request: hyper::Request<Incoming>) -> Request {
    let (head, body) = request.into_parts();
    let cookies = head.headers.get_all(COOKIE).iter().map(text).collect::<Vec<_>>();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        // One byte more than the site takes: it says what to do.
        Err(_) => vec![0; MAX_BODY_BYTES + 1],
    };
    Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        cookies: cookies.iter().flat_map(|all| all.split(';')).map(|one| one.trim().to_owned()).collect(),
        body,
        caller: None,
    }
}

/// An answer of one text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> HttpResponse<Full<Bytes>> {
    let mut response = HttpResponse::new(Full::from(text.into()));
    *response.status_mut() = status;
    response
}

/// Writes a page.
pub(crate) fn write(response: modstream_desk::Response) -> HttpResponse<Full<Bytes>> {
    let mut answer = HttpResponse::new(Full::from(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), value));
    let cookies = response.cookies.into_iter().map(|value| (SET_COOKIE, value));
    for (name, value) in headers.chain(cookies) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}
