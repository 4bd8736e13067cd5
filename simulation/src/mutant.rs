//! Mutations that stand between a function and its services: what the function would do wrong, a wrapper of a trait does in its
//! place, so the function's code knows nothing of it. `mutations.rs` says what each of them is.

use jiff::Timestamp;
use kinesis_batch::BatchResponse;
use modstream_events::ids;
use modstream_platform::table::{
    self, Action, Batch, Consistency, Item, Key, Outcome, Page, Query, Source, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, PutOutcome,
    PutRecord, Secrets, Stage, Stream, Topic, Written,
};
use modstream_tests::unpacked;
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

impl<O: Objects> Mutant<O> {
    /// Whether the function takes a write for done that it does not do.
    fn skips(&self, key: &str) -> bool {
        is_on("drop-bad-record") && key.starts_with("quarantine/")
    }
}

impl<O: Objects> Objects for Mutant<O> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        match self.inner.get(key, unless).await {
            Err(error) if error.kind == CallErrorKind::Denied && is_on("denied-is-missing") => Ok(Fetched::Missing),
            answer => answer,
        }
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let done = || Written::Done(ETag(String::new()));
        if self.skips(key) {
            return Ok(done());
        }
        let bytes = if is_on("quarantine-by-invocation") && key.starts_with("quarantine/") {
            let spaces = vec![b' '; self.process.invocation() as usize];
            [bytes, spaces.into()].concat().into()
        } else {
            bytes
        };
        match self.inner.put(key, bytes, condition).await {
            Ok(Written::Conflict) if is_on("conflict-is-written") => Ok(Written::ConditionFailed),
            Err(_) if is_on("archive-anyway") && self.is_of(Function::Archive) => Ok(done()),
            answer => answer,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

impl<B: Table> Mutant<B> {
    fn consistency(consistency: Consistency) -> Consistency {
        if is_on("read-eventually") { Consistency::Eventual } else { consistency }
    }

    /// What the function is told that it found where it wanted to put an item.
    fn found(&self, wanted: &Item, mut found: Item) -> Item {
        if self.is_of(Function::Publish) && is_on("ignore-sent") {
            without(&mut found, &["sent", "withheld"]);
        }
        if self.is_of(Function::Publish) && is_on("publish-own-text") {
            found.attributes.extend(wanted.attributes.get("event").map(|event| ("event".to_owned(), event.clone())));
        }
        found
    }
}

fn without(item: &mut Item, names: &[&str]) {
    item.attributes.retain(|name, _| !names.contains(&name.as_str()));
}

fn sets(update: &Update, name: &str) -> bool {
    matches!(update.actions.get(name), Some(Action::Set(_)))
}

/// Whether the function takes an update for made that it does not make.
fn skips_update(update: &Update) -> bool {
    (is_on("withhold-without-record") && sets(update, "withheld"))
        || (is_on("keep-superseded") && sets(update, "superseded"))
        || (is_on("keep-deleted") && sets(update, "withdrawn"))
        || (is_on("lose-report") && sets(update, "reports"))
}

fn is_in_outbox(write: &Write) -> bool {
    write.key().partition == "outbox"
}

/// A write of a transaction as the function makes it.
fn of_transaction(write: &Write) -> Option<Write> {
    let mut write = write.clone();
    if (is_on("skip-outbox") || is_on("outbox-afterwards")) && is_in_outbox(&write) {
        return None;
    }
    if let Write::Update { update, .. } = &mut write {
        let left_out = match update.actions.get("in_open") {
            Some(Action::Remove) => is_on("keep-decided-in-queue"),
            _ => is_on("leave-undone-out-of-queue"),
        };
        update.actions.retain(|name, _| !left_out || name != "in_open");
    }
    match &mut write {
        Write::Put { item, condition } if is_on("overwrite-decision") && item.key.sort.starts_with("decision#") => {
            *condition = table::Condition::Always;
        }
        Write::Update { condition, .. } if is_on("overwrite-decision") => *condition = table::Condition::Present,
        _ => {}
    }
    Some(write)
}

impl<B: Table> Table for Mutant<B> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        match self.inner.get(key, Self::consistency(consistency)).await {
            Err(error) if error.kind == CallErrorKind::Denied && is_on("denied-is-missing") => Ok(None),
            answer => answer,
        }
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.inner.get_batch(keys, Self::consistency(consistency)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        let mut query = query.clone();
        if let Source::Table(consistency) = &mut query.source {
            *consistency = Self::consistency(*consistency);
        }
        let mut page = match self.inner.query(&query).await {
            Err(error) if error.kind == CallErrorKind::Denied && is_on("denied-is-missing") => Page::default(),
            answer => answer?,
        };
        if (is_on("cover-again") && query.partition.starts_with("known#"))
            || (is_on("publish-while-breaker-open") && query.partition == "breakers")
        {
            page.items.clear();
        }
        if is_on("first-page-only") {
            page.next = None;
        }
        Ok(page)
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        let partition = item.key.partition.as_str();
        if (is_on("lose-missed") && partition == "missed")
            || (is_on("digest-without-record") && partition.starts_with("known#"))
        {
            return Ok(Outcome::Done(()));
        }
        let mut put = item.clone();
        if is_on("withhold-without-record") {
            without(&mut put, &["withheld", "withheld_at", "detail"]);
        }
        Ok(match self.inner.put(&put, condition).await? {
            // The function takes what another wrote for its own.
            Outcome::ConditionFailed(_) if is_on("sign-in-again") && partition.starts_with("sign-in#") => {
                Outcome::Done(())
            }
            // It does not know its own write again.
            Outcome::ConditionFailed(Some(mut found))
                if is_on("sign-in-is-anothers") && partition.starts_with("sign-in#") =>
            {
                without(&mut found, &["browser", "request"]);
                Outcome::ConditionFailed(Some(found))
            }
            Outcome::ConditionFailed(Some(found)) => Outcome::ConditionFailed(Some(Box::new(self.found(item, *found)))),
            outcome => outcome,
        })
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        if skips_update(update) {
            return Ok(Outcome::Done(Item::new(key.clone())));
        }
        let mut update = update.clone();
        let left_out = |name: &str| {
            (is_on("keep-deleted-text") && name == "event")
                || (is_on("keep-superseded-listed") && ["in_made", "in_open"].contains(&name))
        };
        if sets(&update, "withdrawn") || sets(&update, "superseded") {
            update.actions.retain(|name, _| !left_out(name));
        }
        if is_on("report-without-rank") && sets(&update, "reports") {
            update.actions.remove("rank");
        }
        let is_over = is_on("overwrite-ledger") && key.sort.starts_with("alert#");
        let condition = if is_over { &table::Condition::Present } else { condition };
        self.inner.update(key, &update, condition).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.inner.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        let changed: Vec<Write> = writes.iter().filter_map(of_transaction).collect();
        let outcome = self.inner.transact(token, &changed).await?;
        if is_on("budget-place-twice") && writes.iter().any(|write| write.key().partition.starts_with("budget#")) {
            return Ok(Transacted::Done);
        }
        if outcome == Transacted::Done && is_on("outbox-afterwards") {
            for write in writes.iter().filter(|write| is_in_outbox(write)) {
                if let Write::Put { item, condition } = write {
                    drop(self.inner.put(item, condition).await);
                }
            }
        }
        Ok(outcome)
    }
}

impl<T: Topic> Topic for Mutant<T> {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let is_about_breaker = |message: &Message| message.attributes.contains_key("breaker");
        if is_on("lose-breaker-message") && messages.iter().all(is_about_breaker) {
            let published = |_| PublishOutcome::Published { message_id: "lost".to_owned() };
            return Ok(messages.iter().map(published).collect());
        }
        match self.inner.publish_batch(messages).await {
            Err(error) if error.kind == CallErrorKind::Refused && is_on("refuse-whole-call") => {
                let (code, message) = ("Refused".to_owned(), error.message);
                Ok(vec![PublishOutcome::Failed { sender_fault: true, code, message }; messages.len()])
            }
            answer => answer,
        }
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

/// The publisher's table, over which "send-before-ledger" publishes what is about to be requested.
#[derive(Clone)]
pub(crate) struct Ledger<B, T> {
    pub(crate) table: B,
    pub(crate) alerts: T,
}

impl<B: Table, T: Topic> Table for Ledger<B, T> {
    fn name(&self) -> &str {
        self.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.table.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.table.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.table.query(query).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        if let Some(id) = item.key.sort.strip_prefix("alert#").filter(|_| is_on("send-before-ledger")) {
            let body = String::from_utf8_lossy(&unpacked(item, "event")).into_owned();
            let message = Message { id: id.to_owned(), body, ..Message::default() };
            let _ = self.alerts.publish_batch(&[message]).await;
        }
        self.table.put(item, condition).await
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        self.table.update(key, update, condition).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.table.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.table.transact(token, writes).await
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
