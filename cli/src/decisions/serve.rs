//! The desk over HTTP, on this machine.

use std::convert::Infallible;
use std::net::SocketAddr;
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
const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

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
                    let Some(request) = read(request, address).await else {
                        return Ok::<_, Infallible>(plain(
                            StatusCode::MISDIRECTED_REQUEST,
                            "open http://127.0.0.1 instead\n",
                        ));
                    };
                    let deadline = clock.now() + PAGE_TIMEOUT;
                    Ok(write(site.answer(&request, &signer, deadline).await))
                }
            });
            // A connection that ends badly is the browser's to notice.
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

/// Reads a request. It is none where the request is for another host: a page elsewhere may have made its name point
/// here.
async fn read(request: hyper::Request<Incoming>, address: SocketAddr) -> Option<Request> {
    let (head, body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let host = head.headers.get(HOST).map(text)?;
    let ours = [address.to_string(), format!("localhost:{}", address.port())];
    if !ours.contains(&host) {
        return None;
    }
    let cookies = head.headers.get_all(COOKIE).iter().map(text).collect::<Vec<_>>();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        // One byte more than the site takes: it says what to do.
        Err(_) => vec![0; MAX_BODY_BYTES + 1],
    };
    Some(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        cookies: cookies.iter().flat_map(|all| all.split(';')).map(|one| one.trim().to_owned()).collect(),
        body,
        caller: None,
    })
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse<Full<Bytes>> {
    let mut response = HttpResponse::new(Full::from(text));
    *response.status_mut() = status;
    response
}

fn write(response: modstream_desk::Response) -> HttpResponse<Full<Bytes>> {
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
