//! Mutations that stand between a function and its services: what the function would do wrong, a wrapper of a trait does in its
//! place, so the function's code knows nothing of it. `mutations.rs` says what each of them is.

use jiff::Timestamp;
use kinesis_batch::BatchResponse;
use modstream_events::ids;
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, DeletableObjects, ETag, Fetched, Message, Objects,
    PublishOutcome, PutOutcome, PutRecord, Secrets, Stage, Stream, Topic, Written,
};
use named_mutations::is_on;
use serde_json::Value;

use crate::faults::Process;
use crate::plan::Function;

/// A service as a function uses it that one of the mutations has got into.
#[derive(Clone)]
pub(crate) struct Mutant<T> {
    inner: T,
    process: Process,
}

impl<T> Mutant<T> {
    pub(crate) fn new(inner: T, process: &Process) -> Self {
        Mutant { inner, process: process.clone() }
    }

    fn is_of(&self, function: Function) -> bool {
        self.process.function() == function
    }
}

fn stored() -> PutOutcome {
    PutOutcome::Stored { shard_id: String::new(), sequence_number: String::new() }
}

impl<S: Stream> Stream for Mutant<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let is_failed = |outcome: &PutOutcome| matches!(outcome, PutOutcome::Failed { .. });
        let answer = if is_on("swap-model-inside-batch") && self.is_of(Function::Score) {
            self.inner.put_records(&of_two_models(records)).await
        } else {
            self.inner.put_records(records).await
        };
        match answer {
            Err(error) if error.kind == CallErrorKind::OutcomeUnknown && is_on("unknown-is-done") => {
                Ok(records.iter().map(|_| stored()).collect())
            }
            Ok(outcomes) if is_on("skip-partial-retry") => {
                Ok(outcomes.into_iter().map(|outcome| if is_failed(&outcome) { stored() } else { outcome }).collect())
            }
            Ok(outcomes) if is_on("retry-whole-call") => {
                let failed = outcomes.iter().find(|outcome| is_failed(outcome)).cloned();
                Ok(failed.map_or(outcomes, |failed| vec![failed; records.len()]))
            }
            answer => answer,
        }
    }
}

/// The predictions, all but the first under another model's version.
fn of_two_models(records: &[PutRecord]) -> Vec<PutRecord> {
    let mut records = records.to_vec();
    for record in records.iter_mut().skip(1) {
        let Ok(mut event) = serde_json::from_slice::<Value>(&record.data) else { continue };
        if event.pointer("/data/model").is_none() {
            continue;
        }
        let version = "f".repeat(64);
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let id = ids::prediction(text("/data/comment_event/source"), text("/data/comment_event/id"), &version);
        event["id"] = id.to_string().into();
        event["data"]["model"]["version"] = version.into();
        record.data = event.to_string().into_bytes();
    }
    records
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whether a window's digests lie under this key.
fn is_window(key: &str) -> bool {
    key.starts_with("digests/") && key.ends_with("m.json")
}

impl<O: Objects> Mutant<O> {
    /// Whether the function takes an object that is there for one that is missing.
    fn overlooks(&self, key: &str) -> bool {
        let is_alerts = |names: [&str; 2]| {
            self.is_of(Function::Publish) && key.starts_with("alerts/") && names.iter().any(|name| key.ends_with(name))
        };
        (is_on("ignore-sent") && is_alerts(["/sent.json", "/withheld.json"]))
            || (is_on("publish-own-text") && is_alerts(["/requested.json"; 2]))
            || (is_on("publish-while-breaker-open") && key.starts_with("breakers/") && key.ends_with("/opened.json"))
    }

    /// Whether the function takes a write for done that it does not do.
    fn skips(&self, key: &str, bytes: &[u8]) -> bool {
        (is_on("drop-bad-record") && key.starts_with("quarantine/"))
            || (is_on("withhold-without-record") && key.starts_with("alerts/") && key.ends_with("/withheld.json"))
            || (is_on("leave-windows-open") && is_window(key) && bytes == b"[]")
            || (is_on("digest-without-record") && is_window(key) && bytes != b"[]")
            || (is_on("keep-superseded") && key.ends_with("/superseded.json"))
            || (is_on("keep-deleted-text") && key.ends_with("/requested.json") && holds(bytes, "\"forgotten\""))
            || (is_on("lose-report") && key.starts_with("alerts/") && key.contains("/reports/"))
            || (is_on("lose-missed") && key.starts_with("missed/"))
            || (is_on("skip-outbox") && key.starts_with("decisions-unsent/"))
    }

    /// Whether the function writes over what is there.
    fn overwrites(&self, key: &str) -> bool {
        (is_on("overwrite-ledger") && key.starts_with("alerts/") && !key.ends_with("/requested.json"))
            || (is_on("close-window-again") && is_window(key))
            || (is_on("overwrite-decision") && key.starts_with("decisions/"))
    }

    /// Whether the function takes what another wrote for its own.
    fn claims(&self, key: &str) -> bool {
        (is_on("budget-place-twice") && key.starts_with("budgets/"))
            || (is_on("sign-in-again") && key.starts_with("sign-ins/"))
    }
}

impl<O: Objects> Objects for Mutant<O> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let fetched = match self.inner.get(key, unless).await {
            Err(error) if error.kind == CallErrorKind::Denied && is_on("denied-is-missing") => Fetched::Missing,
            answer => answer?,
        };
        Ok(match fetched {
            Fetched::Object { .. } if self.overlooks(key) => Fetched::Missing,
            Fetched::Object { etag, .. } if is_on("cover-again") && is_window(key) => {
                Fetched::Object { bytes: b"[]".to_vec(), etag }
            }
            fetched => fetched,
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let done = || Written::Done(ETag(String::new()));
        if self.skips(key, &bytes) {
            return Ok(done());
        }
        let bytes = if is_on("quarantine-by-invocation") && key.starts_with("quarantine/") {
            let spaces = vec![b' '; self.process.invocation() as usize];
            [bytes, spaces.into()].concat().into()
        } else {
            bytes
        };
        let condition = if self.overwrites(key) { Condition::Always } else { condition };
        match self.inner.put(key, bytes, condition).await {
            Ok(Written::Conflict) if is_on("conflict-is-written") => Ok(Written::ConditionFailed),
            Ok(Written::ConditionFailed) if self.claims(key) => Ok(done()),
            Err(_) if is_on("archive-anyway") && self.is_of(Function::Archive) => Ok(done()),
            answer => answer,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

impl<O: DeletableObjects> DeletableObjects for Mutant<O> {
    async fn delete(&self, key: &str) -> Result<(), CallError> {
        self.inner.delete(key).await
    }
}

impl<T: Topic> Topic for Mutant<T> {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let is_about_breaker = |message: &Message| message.attributes.contains_key("breaker");
        if is_on("lose-breaker-message") && messages.iter().all(is_about_breaker) {
            let published = |_| PublishOutcome::Published { message_id: "lost".to_owned() };
            return Ok(messages.iter().map(published).collect());
        }
        self.inner.publish_batch(messages).await
    }
}

impl<S: Secrets> Secrets for Mutant<S> {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        self.inner.secret(id, stage).await
    }
}

impl<C: Clock> Clock for Mutant<C> {
    fn now(&self) -> Timestamp {
        let now = self.inner.now();
        if is_on("ignore-deadline") { self.process.began().unwrap_or(now) } else { now }
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.inner.sleep(duration).await;
    }
}

/// The publisher's bucket, over which "send-before-ledger" publishes what is about to be requested.
#[derive(Clone)]
pub(crate) struct Ledger<O, T> {
    pub(crate) objects: O,
    pub(crate) alerts: T,
}

impl<O: Objects, T: Topic> Objects for Ledger<O, T> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.objects.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        if is_on("send-before-ledger") && key.ends_with("/requested.json") {
            let id = key.rsplit('/').nth(1).unwrap_or_default().to_owned();
            let body = String::from_utf8_lossy(&bytes).into_owned();
            let _ = self.alerts.publish_batch(&[Message { id, body, ..Message::default() }]).await;
        }
        self.objects.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.objects.list(prefix).await
    }
}

/// The topic that digests go to.
pub(crate) fn topic_of_digests<'a, T>(digests: &'a T, alerts: &'a T) -> &'a T {
    if is_on("digest-to-alerts-topic") { alerts } else { digests }
}

/// A batch as the function sees it.
pub(crate) fn payload(function: Function, payload: Vec<u8>) -> Vec<u8> {
    if !is_on("drop-duplicate-key") || function != Function::Score {
        return payload;
    }
    let Ok(mut batch) = serde_json::from_slice::<Value>(&payload) else { return payload };
    let mut keys = Vec::new();
    if let Some(records) = batch["Records"].as_array_mut() {
        records.retain(|record| {
            let key = record["kinesis"]["partitionKey"].clone();
            let is_first = !keys.contains(&key);
            keys.push(key);
            is_first
        });
    }
    batch.to_string().into_bytes()
}

/// What Lambda gets for a function's answer to a batch.
pub(crate) fn answer(payload: &[u8], answer: Vec<u8>) -> Vec<u8> {
    if !is_on("report-nothing") && !is_on("report-behind-failure") {
        return answer;
    }
    let Ok(response) = serde_json::from_slice::<BatchResponse>(&answer) else { return answer };
    let batch: Value = serde_json::from_slice(payload).unwrap_or_default();
    let Some(records) = batch["Records"].as_array() else { return answer };
    let behind = response.batch_item_failures.first().and_then(|failure| {
        let number = |record: &Value| record["kinesis"]["sequenceNumber"].as_str().map(str::to_owned);
        let failed = Some(failure.item_identifier.clone());
        let position = records.iter().position(|record| number(record) == failed)?;
        number(records.get(position + 1)?)
    });
    let mutated = match behind {
        Some(number) if is_on("report-behind-failure") => BatchResponse::failed_from(number),
        _ => BatchResponse::success(),
    };
    serde_json::to_vec(&mutated).unwrap_or(answer)
}
