//! Requests to servers of others: each has an end, in time and in memory.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use url::Url;

use super::dial::{DialError, Dialer};

/// The most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 8 << 20;
/// How long a request may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that a server may ask to be left alone.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// How much of an answer an error quotes.
const QUOTED_CHARS: usize = 200;

/// Who asks, as operators of forums want to know.
pub(super) const AGENT: &str = concat!("modstream/", env!("CARGO_PKG_VERSION"), " (ingest)");

/// An answer of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// How long the server asks to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// Where it says that it is, which is not followed.
    location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("{host} breaks off: {error}")]
    BrokenOff { host: String, error: String },
    #[error("{host} took more than {} s to answer", TIMEOUT.as_secs())]
    TooSlow { host: String },
}

/// What an answer means that is none of 2xx.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} answers {status}{said}")]
pub(super) struct Refusal {
    host: String,
    pub(super) status: u16,
    said: String,
    pub(super) retry_after: Option<Duration>,
}

impl Refusal {
    /// Whether it would be the same again, so that a person must act.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self.status, 408 | 425 | 429 | 500..=599)
    }

    pub(super) fn of(url: &Url, answer: &Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body);
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED_CHARS).collect();
        let said = match (&answer.location, answer.status) {
            (Some(location), 300..=399) => {
                format!(": it is at {location}, which is not followed; name that address where it is right")
            }
            _ if text.is_empty() => String::new(),
            _ => format!(": {text}"),
        };
        Refusal { host: host_of(url), status: answer.status, said, retry_after: answer.retry_after }
    }
}

/// What a request carries.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked<'a> {
    /// A secret that says who asks.
    pub(super) token: Option<&'a str>,
    /// A body, with its type.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
}

/// Asks, and reads the whole answer.
pub(super) async fn ask(dialer: &Dialer, url: &Url, asked: Asked<'_>) -> Result<Answer, AskError> {
    let whole = async {
        let answer = open(dialer, url, asked).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let broken = |error: String| AskError::BrokenOff { host: host_of(url), error };
        Ok(answer_of(&head, body.map_err(|error| broken(error.to_string()))?.to_bytes().to_vec()))
    };
    tokio::time::timeout(TIMEOUT, whole).await.unwrap_or_else(|_| Err(AskError::TooSlow { host: host_of(url) }))
}

/// An answer of this head and body.
pub(super) fn answer_of(head: &Parts, body: Vec<u8>) -> Answer {
    let location = head.headers.get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
    Answer { status: head.status.as_u16(), retry_after: retry_after(&head.headers), location, body }
}

/// Asks, and returns when the answer begins.
pub(super) async fn open(dialer: &Dialer, url: &Url, asked: Asked<'_>) -> Result<Response<Incoming>, AskError> {
    let broken = |error: hyper::Error| AskError::BrokenOff { host: host_of(url), error: error.to_string() };
    let connection = dialer.connect(url).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.map_err(broken)?;
    // It ends with the answer's body, or its reader.
    tokio::spawn(connection);
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::new(Full::new(Bytes::new()));
    let invalid = || DialError::NoHost(url.as_str().to_owned());
    *request.uri_mut() = target.parse().map_err(|_| invalid())?;
    let headers = request.headers_mut();
    headers.insert(HOST, authority(url).parse().map_err(|_| invalid())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Some(token) = asked.token {
        let mut value: HeaderValue = format!("Bearer {token}").parse().map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some((content_type, body)) = asked.body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *request.method_mut() = Method::POST;
        *request.body_mut() = Full::new(body.into());
    }
    sender.send_request(request).await.map_err(broken)
}

pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn authority(url: &Url) -> String {
    let host = host_of(url);
    url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

/// How long a server asks to be left alone: in seconds, or until a time.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_ask_to_be_left_alone_for_a_while_and_not_for_ever() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            retry_after(&headers)
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("99999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(of("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(of("Fri, 31 Dec 2100 23:59:59 GMT"), Some(MAX_RETRY_AFTER));
        assert_eq!((of("soon"), of("-1")), (None, None));
    }
}
