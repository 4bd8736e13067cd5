//! Comments that are sent here over HTTP: CloudEvents and comments, and Discourse's webhooks. What is answered with 202 is where
//! it goes.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use modstream_events::CommentEvent;
use modstream_gateway::{Outcome, Put, Refusal, Response, Route, Sink, ToPut, take_comments};
use modstream_platform::PutRecord;
use modstream_sources::{Kind, Origin, Ready, Said, discourse};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::feed::{Ended, Feed, Stopped, Told};
use super::sink;
use crate::serve::bodies::Bodies;
use crate::serve::messages::{Answer, headers, refusal, written};

/// How long a request's head may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections there are at once, and how much of each is in memory before it is looked at.
const MAX_CONNECTIONS: usize = 256;
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How long an answer waits for its events to be taken.
const PUT_TIMEOUT: Duration = Duration::from_secs(10);
/// What is told of what is not put.
const NOT_STORED: &str = "it can't be stored now";
const ENDS: &str = "this process ends";
/// How long connections have to end when the process does.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the system has to recover when it can't take a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How much the clock of who signs may differ from ours, in seconds, by Standard Webhooks.
const TOLERANCE: i64 = 300;
/// How many signatures of a header are looked at: one for each secret that is in use.
const MAX_SIGNATURES: usize = 8;

/// Who may send.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    /// The key that senders to `/v1/comments` have.
    pub(super) key: Option<String>,
    /// The secret that signs requests to `/v1/comments`, as [Standard Webhooks](https://www.standardwebhooks.com) says.
    pub(super) webhook: Option<Vec<u8>>,
    /// The secret that signs a Discourse's webhooks.
    pub(super) discourse: Option<String>,
}

/// The secret of Standard Webhooks as it is written: `whsec_` and base64.
pub(super) fn webhook_secret(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().filter(|secret| !secret.is_empty())
}

/// What takes requests.
pub(super) struct Taking {
    pub(super) secrets: Secrets,
    /// What comments are of whose request names no source.
    pub(super) source: Option<String>,
    /// Where a Discourse's posts are of.
    pub(super) discourse: Origin,
}

struct Listening {
    taking: Taking,
    feed: Feed,
    bodies: Bodies,
}

/// Takes requests for as long as what they bring is taken. It must run within a `LocalSet`.
pub(super) async fn read(feed: Feed, listener: TcpListener, taking: Taking) -> Result<(), Ended> {
    let listening = Rc::new(Listening { taking, feed, bodies: Bodies::new() });
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut open = JoinSet::new();
    // Each of them ends with its answer.
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { break };
        let accepted = tokio::select! {
            biased;
            () = listening.feed.closed() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((connection, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let listening = Rc::clone(&listening);
        open.spawn_local(async move {
            listening.connection(connection).await;
            drop(permit);
        });
        while open.try_join_next().is_some() {}
    }
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, async { while open.join_next().await.is_some() {} }).await;
    Err(Ended::Stopped)
}

/// Puts comments where those of other sources go.
struct Onward<'a>(&'a Feed);

impl Sink for Onward<'_> {
    async fn put(&self, entries: Vec<ToPut>, _: Timestamp) -> Vec<Put> {
        self.all(entries.into_iter().map(|entry| ready(entry.record)).collect()).await
    }
}

impl Onward<'_> {
    /// Puts events, and says what became of each: an answer waits for so long and no longer.
    async fn all(&self, events: Vec<Ready>) -> Vec<Put> {
        let until = tokio::time::Instant::now() + PUT_TIMEOUT;
        let mut waiting = Vec::with_capacity(events.len());
        for event in events {
            waiting.push(match tokio::time::timeout_at(until, self.0.ask(event)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(Stopped)) => Err(ENDS),
                Err(_) => Err(NOT_STORED),
            });
        }
        let mut puts = Vec::with_capacity(waiting.len());
        for answer in waiting {
            let answer = match answer {
                Ok(answer) => match tokio::time::timeout_at(until, answer).await {
                    Ok(answer) => answer.map_err(|_| ENDS),
                    Err(_) => Err(NOT_STORED),
                },
                Err(why) => Err(why),
            };
            puts.push(match answer {
                Ok(sink::Put::Taken) => Put::New,
                Ok(sink::Put::TooLarge) => Put::Never("the event is larger than a record may be".to_owned()),
                Ok(sink::Put::Refused(message)) => Put::Never(message),
                Err(why) => Put::Failed(Refusal::Unavailable(why.into())),
            });
        }
        puts
    }
}

impl Listening {
    async fn connection(self: Rc<Self>, connection: TcpStream) {
        // An answer is small, and waited for.
        let _ = connection.set_nodelay(true);
        let listening = Rc::clone(&self);
        let service = service_fn(move |request| {
            let listening = Rc::clone(&listening);
            async move { Ok::<_, Infallible>(listening.answer(request).await) }
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(ARRIVAL_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(connection), service));
        // A connection that ends badly is its client's to notice.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.feed.closed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let is_webhook = head.uri.path() == "/discourse" && self.taking.secrets.discourse.is_some();
        if Route::of(head.uri.path()) != Some(Route::Comments) && !is_webhook {
            return written(json(404, &json!({ "error": "not_found", "detail": "comments are sent to /v1/comments" })));
        }
        let refuse = |refusal: &Refusal| written(Route::Comments.refuse(refusal));
        if head.method != Method::POST {
            return refuse(&Refusal::Method);
        }
        // Before the body is read, where that is possible: whoever may not send costs no memory.
        if !is_webhook && !self.taking.secrets.is_signed_by(&head) && !self.taking.secrets.has_key(&head) {
            return unauthorized();
        }
        // Its place in memory is kept until the request is answered.
        let mut arrived = match self.bodies.receive(body, Route::Comments.max_body_bytes()).await {
            Ok(arrived) => arrived,
            Err(error) => return refuse(&refusal(error)),
        };
        let body = std::mem::take(&mut arrived.bytes);
        if is_webhook { self.discourse(&head, &body).await } else { self.comments(&head, body).await }
    }

    /// Takes comments, and CloudEvents of the stream of comments.
    async fn comments(&self, head: &Parts, body: Vec<u8>) -> Answer {
        let now = Timestamp::now();
        if !self.taking.secrets.has_key(head) && !self.taking.secrets.is_signed(head, &body, now) {
            return unauthorized();
        }
        let query = head.uri.query().unwrap_or_default();
        let query = match &self.taking.source {
            Some(ours) if !names_source(query) => {
                url::form_urlencoded::Serializer::new(query.to_owned()).append_pair("source", ours).finish()
            }
            _ => query.to_owned(),
        };
        let request = modstream_gateway::Request { query, headers: headers(head), body, address: String::new() };
        let Outcome { response, tally, .. } = take_comments(&request, &Onward(&self.feed), now, now).await;
        for (reason, number) in tally.refused {
            for _ in 0..number {
                // Whoever counts has gone where it is not said.
                let _ = self.feed.say(Told::Skipped(reason), None).await;
            }
        }
        written(response)
    }

    /// Takes a webhook of a Discourse. What it is about that is no post is answered with 202, or it would come again.
    async fn discourse(&self, head: &Parts, body: &[u8]) -> Answer {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signature = header("x-discourse-event-signature").strip_prefix("sha256=").and_then(decode_hex);
        let secret = self.taking.secrets.discourse.as_deref().unwrap_or_default();
        if !signature.is_some_and(|signature| is_of(secret.as_bytes(), &[body], &signature)) {
            return unauthorized();
        }
        let text = String::from_utf8_lossy(body);
        let said = discourse::webhook(header("x-discourse-event"), &text, &self.taking.discourse, Timestamp::now());
        let puts = match said {
            Said::Event(event) => Onward(&self.feed).all(vec![event]).await,
            said @ Said::Skipped(_) => {
                let _ = self.feed.say(Told::Said(said), None).await;
                Vec::new()
            }
        };
        written(match puts.into_iter().next() {
            Some(Put::Failed(refusal)) => Route::Comments.refuse(&refusal),
            Some(Put::Never(detail)) => json(202, &json!({ "accepted": 0, "detail": detail })),
            Some(Put::New | Put::Repeated) => json(202, &json!({ "accepted": 1 })),
            None => json(202, &json!({ "accepted": 0 })),
        })
    }
}

/// Whether a request says which source its comments are of.
fn names_source(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "source")
}

/// What a record of the stream of comments says.
fn ready(record: PutRecord) -> Ready {
    let PutRecord { partition_key, data } = record;
    let (kind, id) = match CommentEvent::decode(&data) {
        Ok(CommentEvent::Created(event)) => (Kind::Created, event.id.into_owned()),
        Ok(CommentEvent::Edited(event)) => (Kind::Edited, event.id.into_owned()),
        Ok(CommentEvent::Deleted(event)) => (Kind::Deleted, event.id.into_owned()),
        Ok(CommentEvent::Reported(event)) => (Kind::Reported, event.id.into_owned()),
        // What is read as none is none of these.
        Err(_) => (Kind::Created, String::new()),
    };
    Ready { id, partition_key, kind, bytes: data }
}

fn unauthorized() -> Answer {
    let detail = "send the key as `Authorization: Bearer KEY`, or sign the request";
    written(json(401, &json!({ "error": "unauthorized", "detail": detail })))
}

fn json(status: u16, value: &Value) -> Response {
    let headers = vec![("content-type", "application/json".to_owned()), ("cache-control", "no-store".to_owned())];
    Response { status, headers, body: value.to_string().into_bytes() }
}

/// Whether a signature is that of these parts, one behind another. It is compared in constant time.
fn is_of(secret: &[u8], parts: &[&[u8]], signature: &[u8]) -> bool {
    // A key of HMAC may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(signature).is_ok()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.trim()).ok()
}

impl Secrets {
    /// Whether somebody has to say who they are at `/v1/comments`.
    fn are_needed(&self) -> bool {
        self.key.is_some() || self.webhook.is_some()
    }

    /// Whether the request has the key, or none is needed.
    fn has_key(&self, head: &Parts) -> bool {
        if !self.are_needed() {
            return true;
        }
        let given = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer "));
        match (&self.key, given) {
            // Both under one secret: whoever measures the time learns nothing of the key.
            (Some(key), Some(given)) => Hmac::<Sha256>::new_from_slice(key.as_bytes())
                .is_ok_and(|mac| is_of(given.trim().as_bytes(), &[], &mac.finalize().into_bytes())),
            _ => false,
        }
    }

    /// Whether the request says that it is signed, which shows once its body is there.
    fn is_signed_by(&self, head: &Parts) -> bool {
        self.webhook.is_some() && head.headers.contains_key("webhook-signature")
    }

    /// Whether the request is signed as Standard Webhooks says: its id, its time and its body.
    fn is_signed(&self, head: &Parts, body: &[u8], now: Timestamp) -> bool {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
        let is_now = time.parse::<i64>().is_ok_and(|time| time.abs_diff(now.as_second()) <= TOLERANCE.unsigned_abs());
        let Some(secret) = self.webhook.as_deref().filter(|_| is_now && !id.is_empty()) else { return false };
        let signatures = header("webhook-signature").split(' ').filter_map(|one| one.strip_prefix("v1,"));
        let signatures = signatures.take(MAX_SIGNATURES).filter_map(|one| BASE64_STANDARD.decode(one).ok());
        let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
        signatures.fold(false, |is_signed, signature| is_signed | is_of(secret, &parts, &signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_key_is_the_whole_key_and_none_is_needed_where_there_is_none() {
        let secrets = Secrets { key: Some("ms_secret".to_owned()), ..Secrets::default() };
        assert!(secrets.has_key(&head(&[("authorization", "Bearer ms_secret")])));
        for given in ["Bearer ms_secre", "Bearer ms_secret1", "Bearer ", "ms_secret", "Basic ms_secret"] {
            assert!(!secrets.has_key(&head(&[("authorization", given)])), "{given}");
        }
        assert!(!secrets.has_key(&head(&[])));
        assert!(Secrets::default().has_key(&head(&[])));
        let signed = Secrets { webhook: Some(vec![1]), ..Secrets::default() };
        assert!(!signed.has_key(&head(&[])), "a secret alone lets nobody in without");
    }

    /// The vector of [the specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
    #[test]
    fn a_signature_of_standard_webhooks_is_that_of_its_id_time_and_body() {
        let secrets =
            Secrets { webhook: webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), ..Secrets::default() };
        let (id, time, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let is_signed = |id: &str, time: &str, signature: &str, body: &[u8], now| {
            let head = head(&[("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)]);
            secrets.is_signed(&head, body, at(now))
        };
        assert!(is_signed(id, time, signature, body, 1_614_265_330));
        assert!(is_signed(id, time, &format!("v1,AAAA v2,x {signature}"), body, 1_614_265_630));
        assert!(!is_signed(id, time, signature, body, 1_614_265_631), "too old");
        assert!(!is_signed(id, time, signature, br#"{"test":2432232314}"#, 1_614_265_330), "written anew");
        assert!(!is_signed("msg_other", time, signature, body, 1_614_265_330));
        assert!(!is_signed(id, "1614265331", signature, body, 1_614_265_330));
        assert!(!is_signed(id, "soon", signature, body, 1_614_265_330));
        assert!(!is_signed(id, time, "", body, 1_614_265_330));
        assert_eq!((webhook_secret("whsec_"), webhook_secret("whsec_é")), (None, None));
    }
}
