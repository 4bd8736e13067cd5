//! HTTP's requests and answers, as the front door has them.

use std::collections::BTreeMap;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use modstream_gateway::Refusal;

use super::bodies::NotArrived;

pub(crate) type Answer = Response<Full<Bytes>>;

/// The headers by name; of one that stands there several times, all values.
pub(crate) fn headers(head: &Parts) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let said = headers.entry(name.to_string()).or_default();
        if !said.is_empty() {
            said.push_str(", ");
        }
        said.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    headers
}

/// Why a body did not arrive, as the front door refuses it.
pub(crate) fn refusal(error: NotArrived) -> Refusal {
    match error {
        NotArrived::TooLarge => Refusal::TooLarge,
        NotArrived::BrokeOff => Refusal::BrokeOff,
        NotArrived::TooSlow => Refusal::TooSlow,
        NotArrived::NoTurn => Refusal::Unavailable("others send as much as is taken at once".into()),
    }
}

/// Writes an answer of the front door.
pub(crate) fn written(response: modstream_gateway::Response) -> Answer {
    let mut answer = Response::new(Full::from(response.body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    answer
}
