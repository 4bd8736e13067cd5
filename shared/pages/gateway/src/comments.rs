//! `/v1/comments`: comments in, onto their stream.

use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_events::MAX_NAME_BYTES;
use modstream_intake::{DEFAULT_SOURCE, Entry, Format, NoBody, Read, Refused, TYPES, read};
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::{Clock, PutRecord, Stream};
use serde::Serialize;

use crate::http::parameter;
use crate::route::ours;
use crate::{Refusal, Request, Response, Route};

/// How many entries that are refused are named: an answer is in memory until its client has read it.
const MAX_NAMED: usize = 1_000;

/// Where comments go.
pub trait Sink {
    /// Puts events on the stream of comments, and says what became of each, in their order. No call starts after `deadline`.
    fn put(&self, entries: Vec<ToPut>, deadline: Timestamp) -> impl Future<Output = Vec<Put>>;
}

/// An event to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToPut {
    /// What makes it the one that came before.
    pub identity: [u8; 16],
    /// The record.
    pub record: PutRecord,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The event is on the stream.
    New,
    /// The event was there already.
    Repeated,
    /// No stream takes it, ever; why.
    Never(String),
    /// The event is not there now; why, as its sender is told.
    Failed(Refusal),
}

/// What is told where an event can't be put.
const NOT_STORED: &str = "it can't be stored now";

/// A stream that takes whatever it is given: a repeat is one for whoever reads it, by its id.
#[derive(Clone, Debug)]
pub struct OnStream<S, C> {
    stream: S,
    clock: C,
}

impl<S: Stream, C: Clock> OnStream<S, C> {
    /// Comments go on this stream.
    pub fn new(stream: S, clock: C) -> Self {
        OnStream { stream, clock }
    }
}

impl<S: Stream, C: Clock> Sink for OnStream<S, C> {
    async fn put(&self, entries: Vec<ToPut>, deadline: Timestamp) -> Vec<Put> {
        let records = entries.into_iter().map(|entry| entry.record).collect();
        let put = put_all(&self.stream, &self.clock, deadline, records).await;
        put.into_iter()
            .map(|delivery| match delivery {
                Delivery::Stored { .. } => Put::New,
                Delivery::TooLarge { bytes } => Put::Never(format!("the event has {bytes} bytes: no stream takes it")),
                Delivery::Refused { message } => Put::Never(format!("the stream refuses the event: {message}")),
                Delivery::Failed(error) => Put::Failed(Refusal::of_call(NOT_STORED, &error)),
            })
            .collect()
    }
}

/// How many comments a request brought, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The events that are on the stream since then.
    pub new: u64,
    /// The events that were there already.
    pub repeated: u64,
    /// The entries that are none, by the reason.
    pub refused: BTreeMap<&'static str, u64>,
}

/// What became of a body.
#[derive(Debug, Default, Serialize)]
struct Taken {
    /// Why not all of it is stored; none where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    accepted: usize,
    repeated: u64,
    ids: Vec<String>,
    refused: Vec<Refused>,
    /// How many are refused besides those that are named.
    #[serde(skip_serializing_if = "is_zero")]
    more_refused: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Taken {
    fn refuse(&mut self, refused: Refused) {
        if self.refused.len() < MAX_NAMED {
            self.refused.push(refused);
        } else {
            self.more_refused += 1;
        }
    }
}

/// Looks at what is known before the body is there.
///
/// # Errors
/// Why it is refused.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    source(request)?;
    format(request).map(drop)
}

/// The source of a request's comments: `?source=`, or the one of `modstream send`.
fn source(request: &Request) -> Result<String, Refusal> {
    let Some(source) = parameter(&request.query, "source") else { return Ok(DEFAULT_SOURCE.to_owned()) };
    let fits = (1..=MAX_NAME_BYTES).contains(&source.len()) && source.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(source) } else { Err(Refusal::Source) }
}

fn format(request: &Request) -> Result<Format, Refusal> {
    for (name, plain) in [("content-encoding", "identity"), ("transfer-encoding", "chunked")] {
        if let Some(encoding) = request.header(name).filter(|encoding| !encoding.trim().eq_ignore_ascii_case(plain)) {
            let detail = format!("the body is encoded as {encoding:?}: send it as it is");
            return Err(Refusal::Format(detail));
        }
    }
    // Else the event would pass for a comment, under another id.
    if request.headers.keys().any(|name| name.starts_with("ce-")) {
        let detail = "the attributes of a CloudEvent stand in its body here, not in headers: send it in structured mode, \
                      as application/cloudevents+json";
        return Err(Refusal::Format(detail.to_owned()));
    }
    let named = request.header("content-type").unwrap_or_default();
    Format::of(named).ok_or_else(|| Refusal::Format(format!("send comments in UTF-8 as {TYPES}")))
}

/// What became of a request.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub response: Response,
    /// How many comments it brought.
    pub tally: Tally,
    /// Why not all is stored; none where it is.
    pub failed: Option<Refusal>,
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        Outcome { response, tally: Tally::default(), failed: None }
    }
}

/// Takes comments. What is answered with 202 is where the sink keeps it.
pub async fn take<S: Sink>(request: &Request, sink: &S, now: Timestamp, deadline: Timestamp) -> Outcome {
    let (source, format) = match source(request).and_then(|source| Ok((source, format(request)?))) {
        Ok(said) => said,
        Err(refusal) => return Route::Comments.refuse(&refusal).into(),
    };
    let parts = match read(format, &request.body, &source, now) {
        Ok(parts) => parts,
        Err(error @ NoBody::TooMany) => return ours(413, "too_large", &error.to_string()).into(),
        Err(error) => return ours(400, "body", &error.to_string()).into(),
    };
    let (mut taken, mut tally, mut failed) = (Taken::default(), Tally::default(), None);
    for Read { entries, refused } in parts {
        for refused in refused {
            *tally.refused.entry(refused.reason).or_default() += 1;
            taken.refuse(refused);
        }
        let mut names = Vec::with_capacity(entries.len());
        let to_put = entries.into_iter().map(|Entry { line, id, identity, record }| {
            names.push((line, id));
            ToPut { identity, record }
        });
        let to_put: Vec<ToPut> = to_put.collect();
        if to_put.is_empty() {
            continue;
        }
        for ((line, id), put) in names.into_iter().zip(sink.put(to_put, deadline).await) {
            match put {
                Put::New => {
                    tally.new += 1;
                    taken.ids.push(id);
                }
                Put::Repeated => {
                    tally.repeated += 1;
                    taken.ids.push(id);
                }
                Put::Never(detail) => {
                    *tally.refused.entry("stream_refused").or_default() += 1;
                    taken.refuse(Refused { line, reason: "stream_refused", detail });
                }
                Put::Failed(refusal) => {
                    let detail = "it is not stored: send it again".to_owned();
                    taken.refuse(Refused { line, reason: "not_stored", detail });
                    failed.get_or_insert(refusal);
                }
            }
        }
        // What comes behind is not tried: it would get there before what is sent again.
        if failed.is_some() {
            break;
        }
    }
    taken.accepted = taken.ids.len();
    taken.repeated = tally.repeated;
    let response = match &failed {
        None => Response::json(if taken.ids.is_empty() { 400 } else { 202 }, &taken),
        Some(refusal) => Route::Comments.refuse_with(refusal, |error, told| {
            let again = "send all of it again; what `ids` names is stored, and known by its id";
            taken.error = Some(error);
            taken.detail = Some(format!("{told}: {again}"));
            std::mem::take(&mut taken)
        }),
    };
    Outcome { response, tally, failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_uri() {
        let of = |query: &str| source(&Request { query: query.to_owned(), ..Request::default() });
        assert_eq!(of("").as_deref(), Ok(DEFAULT_SOURCE));
        assert_eq!(of("a=b&source=urn%3Aforum").as_deref(), Ok("urn:forum"));
        for wrong in ["source=", "source=a%20b", "source=%C3%A9"] {
            assert_eq!(of(wrong), Err(Refusal::Source), "{wrong}");
        }
    }
}
