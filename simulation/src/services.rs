//! Stream, bucket, topic and clock as one process sees them.

use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::table::{self, Batch, Consistency, Item, Key, Query, Table, Transacted, Update, Write};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, PutOutcome,
    PutRecord, Secrets, Stage, Stream, Topic, Written,
};
use serde_json::Value;

use crate::facts;
use crate::faults::{Effect, Faults, Process};
use crate::plan::{Fault, Function, Operation};

/// A service whose calls go wrong by plan, and over which its process may crash.
#[derive(Clone)]
pub(crate) struct Faulty<T> {
    inner: T,
    faults: Faults,
    process: Process,
}

impl<T> Faulty<T> {
    pub(crate) fn new(inner: T, faults: &Faults, process: &Process) -> Self {
        Faulty { inner, faults: faults.clone(), process: process.clone() }
    }

    /// What comes before a call's effect: the fault that is left for it.
    async fn before(&self, operation: Operation) -> Result<Option<Fault>, CallError> {
        self.faults.step(&self.process).await;
        match self.faults.next(self.process.function(), operation) {
            Some(Fault::Fails(kind)) => Err(operation.error(kind)),
            Some(Fault::SlowRequest(time)) => {
                self.process.slowed();
                tokio::time::sleep(time).await;
                Ok(None)
            }
            fault => Ok(fault),
        }
    }

    /// The same, of a call about a key or a prefix of the bucket.
    async fn before_at(&self, operation: Operation, key: &str) -> Result<Option<Fault>, CallError> {
        let fault = self.before(operation).await?;
        if self.faults.denies(self.process.function(), operation, key) {
            return Err(operation.error(CallErrorKind::Denied));
        }
        Ok(fault)
    }

    /// What comes after it.
    async fn after<A>(&self, operation: Operation, fault: Option<Fault>, answer: A) -> Result<A, CallError> {
        if let Some(Fault::SlowAnswer(time)) = fault {
            self.process.slowed();
            tokio::time::sleep(time).await;
        }
        self.faults.step(&self.process).await;
        if fault == Some(Fault::AnswerLost) {
            return Err(operation.error(CallErrorKind::OutcomeUnknown));
        }
        Ok(answer)
    }
}

/// Which of so many entries fail.
fn failing(fault: Option<&Fault>, entries: usize) -> Vec<bool> {
    match fault {
        Some(Fault::EntriesFail(pattern)) if !pattern.is_empty() => {
            pattern.iter().copied().cycle().take(entries).collect()
        }
        _ => vec![false; entries],
    }
}

fn is_told(fault: Option<&Fault>) -> bool {
    fault != Some(&Fault::AnswerLost)
}

impl<S: Stream> Stream for Faulty<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// Stores what it stores in reverse: PutRecords keeps no order.
    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let operation = Operation::PutRecords;
        let fault = self.before(operation).await?;
        let fails = failing(fault.as_ref(), records.len());
        let stored: Vec<PutRecord> =
            records.iter().zip(&fails).rev().filter(|(_, fails)| !**fails).map(|(record, _)| record.clone()).collect();
        let mut outcomes = if stored.is_empty() { Vec::new() } else { self.inner.put_records(&stored).await? };
        let predictions = stored.iter().filter(|_| self.process.function() == Function::Score);
        for record in predictions {
            let event: Value = serde_json::from_slice(&record.data).unwrap_or_default();
            // Deletions and reports go on as they came.
            if event.pointer("/data/model").is_none() {
                continue;
            }
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            self.faults.note(Effect::Stored {
                invocation: self.process.invocation(),
                comment_event: text("/data/comment_event/id"),
                id: text("/id"),
                version: text("/data/model/version"),
                told: is_told(fault.as_ref()),
            });
        }
        let failed = PutOutcome::Failed {
            code: "ProvisionedThroughputExceededException".to_owned(),
            message: "planned".to_owned(),
        };
        let all = fails.iter().map(|fails| if *fails { None } else { outcomes.pop() });
        let all = all.map(|stored| stored.unwrap_or_else(|| failed.clone())).collect();
        self.after(operation, fault, all).await
    }
}

impl<O: Objects> Objects for Faulty<O> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let fault = self.before_at(Operation::GetObject, key).await?;
        let mut answer = self.inner.get(key, unless).await?;
        if fault == Some(Fault::Forbidden) {
            // As S3's client reads it.
            let denied = || Operation::GetObject.error(CallErrorKind::Denied);
            answer = Fetched::without_object(403, Some("AccessDenied")).ok_or_else(denied)?;
        }
        self.after(Operation::GetObject, fault, answer).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let fault = self.before_at(Operation::PutObject, key).await?;
        if fault == Some(Fault::Conflict) {
            return self.after(Operation::PutObject, None, Written::Conflict).await;
        }
        let answer = self.inner.put(key, bytes, condition).await?;
        if matches!(answer, Written::Done(_)) {
            let (invocation, key) = (self.process.invocation(), key.to_owned());
            self.faults.note(Effect::Written { invocation, key, content: None });
        }
        self.after(Operation::PutObject, fault, answer).await
    }

    /// Never goes wrong: no function lists the bucket.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

impl<T: Topic> Topic for Faulty<T> {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let operation = Operation::PublishBatch;
        let fault = self.before(operation).await?;
        let failed = |sender_fault, code: &str| PublishOutcome::Failed {
            sender_fault,
            code: code.to_owned(),
            message: "planned".to_owned(),
        };
        if self.faults.refuses_calls() && messages.iter().any(|message| self.faults.refuses(&message.id)) {
            self.faults.count("call refused for an alert");
            return Err(operation.error(CallErrorKind::Refused));
        }
        let mut outcomes: Vec<Option<PublishOutcome>> = Vec::new();
        let mut taken: Vec<Message> = Vec::new();
        for (message, fails) in messages.iter().zip(failing(fault.as_ref(), messages.len())) {
            outcomes.push(if fails {
                Some(failed(false, "InternalError"))
            } else if self.faults.refuses(&message.id) {
                Some(failed(true, "InvalidParameter"))
            } else {
                taken.push(message.clone());
                None
            });
        }
        let mut published = Vec::new().into_iter();
        if !taken.is_empty() {
            published = self.inner.publish_batch(&taken).await?.into_iter();
            for message in &taken {
                self.faults.note(Effect::Published {
                    invocation: self.process.invocation(),
                    id: message.id.clone(),
                    told: is_told(fault.as_ref()),
                    about_breaker: message.attributes.contains_key("breaker"),
                });
            }
        }
        let outcomes = outcomes.into_iter().map(|known| known.or_else(|| published.next()));
        let outcomes = outcomes.map(|outcome| outcome.unwrap_or_else(|| failed(false, "InternalError"))).collect();
        self.after(operation, fault, outcomes).await
    }
}

impl<S: Secrets> Secrets for Faulty<S> {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        let fault = self.before(Operation::GetSecretValue).await?;
        let answer = self.inner.secret(id, stage).await?;
        self.after(Operation::GetSecretValue, fault, answer).await
    }
}

impl<T: Table> Faulty<T> {
    /// A call about these partitions that is made whole, or not at all.
    async fn call<A>(
        &self,
        operation: table::Operation,
        partitions: &[&str],
        call: impl Future<Output = Result<A, CallError>> + Send,
    ) -> Result<A, CallError> {
        let (operation, fault) = self.begun(operation, partitions).await?;
        let answer = call.await?;
        self.after(operation, fault, answer).await
    }

    async fn begun(
        &self,
        operation: table::Operation,
        partitions: &[&str],
    ) -> Result<(Operation, Option<Fault>), CallError> {
        let operation = Operation::Table(operation);
        let fault = self.before(operation).await?;
        if partitions.iter().any(|partition| self.faults.denies(self.process.function(), operation, partition)) {
            return Err(operation.error(CallErrorKind::Denied));
        }
        Ok((operation, fault))
    }

    /// Notes what a write put down.
    fn note(&self, write: &Write) {
        let content = facts::content(write);
        for key in facts::written(write) {
            let content = content.clone().filter(|_| key.ends_with("/requested.json") || key.ends_with("/record.json"));
            self.faults.note(Effect::Written { invocation: self.process.invocation(), key, content });
        }
    }
}

/// Throttling, permissions that are missing, and calls that nothing came of are [`Fault::Fails`]; what was done and not answered is
/// [`Fault::AnswerLost`].
impl<T: Table> Table for Faulty<T> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.call(table::Operation::GetItem, &[&key.partition], self.inner.get(key, consistency)).await
    }

    /// Leaves the keys unprocessed that fail.
    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        let partitions: Vec<&str> = keys.iter().map(|key| key.partition.as_str()).collect();
        let (operation, fault) = self.begun(table::Operation::BatchGetItem, &partitions).await?;
        let fails = failing(fault.as_ref(), keys.len());
        let of = |failed: bool| keys.iter().zip(&fails).filter(move |(_, fails)| **fails == failed);
        let (left, asked): (Vec<Key>, Vec<Key>) =
            (of(true).map(|(key, _)| key.clone()).collect(), of(false).map(|(key, _)| key.clone()).collect());
        let mut batch =
            if asked.is_empty() { Batch::default() } else { self.inner.get_batch(&asked, consistency).await? };
        batch.unprocessed.extend(left);
        self.after(operation, fault, batch).await
    }

    /// A short page has one item, and may have a next one.
    async fn query(&self, query: &Query) -> Result<table::Page, CallError> {
        let (operation, fault) = self.begun(table::Operation::Query, &[&query.partition]).await?;
        let is_short = fault == Some(Fault::ShortPage) || self.faults.has_short_pages();
        let limit = if is_short { Some(1) } else { query.limit };
        let page = self.inner.query(&Query { limit, ..query.clone() }).await?;
        self.after(operation, fault, page).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<table::Outcome<()>, CallError> {
        let work = async {
            let outcome = self.inner.put(item, condition).await?;
            if outcome == table::Outcome::Done(()) {
                self.note(&Write::Put { item: item.clone(), condition: condition.clone() });
            }
            Ok(outcome)
        };
        self.call(table::Operation::PutItem, &[&item.key.partition], work).await
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<table::Outcome<Item>, CallError> {
        let work = async {
            let outcome = self.inner.update(key, update, condition).await?;
            if matches!(outcome, table::Outcome::Done(_)) {
                let (key, update, condition) = (key.clone(), update.clone(), condition.clone());
                self.note(&Write::Update { key, update, condition });
            }
            Ok(outcome)
        };
        self.call(table::Operation::UpdateItem, &[&key.partition], work).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<table::Outcome<()>, CallError> {
        self.call(table::Operation::DeleteItem, &[&key.partition], self.inner.delete(key, condition)).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        let work = async {
            let outcome = self.inner.transact(token, writes).await?;
            if outcome == Transacted::Done && self.faults.is_made_now(token) {
                writes.iter().for_each(|write| self.note(write));
            }
            Ok(outcome)
        };
        let partitions: Vec<&str> = writes.iter().map(|write| write.key().partition.as_str()).collect();
        self.call(table::Operation::TransactWriteItems, &partitions, work).await
    }
}

impl<C: Clock> Clock for Faulty<C> {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.faults.step(&self.process).await;
        self.inner.sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use modstream_platform::deliver::items;
    use modstream_platform::memory::{MemoryClock, MemoryTable};
    use modstream_platform::table::Schema;

    use super::*;
    use crate::plan::{Incident, Plan};

    /// A table whose calls of an operation have these faults, in this order, in a process of the publisher.
    fn table(operation: table::Operation, faults: &[Fault], clock: MemoryClock) -> Faulty<MemoryTable> {
        let incidents = faults.iter().enumerate().map(|(call, fault)| Incident::Call {
            function: Function::Publish,
            operation: Operation::Table(operation),
            call: call as u64,
            fault: fault.clone(),
        });
        let plan = Plan { incidents: incidents.collect(), ..Plan::of_seed(0) };
        let faults = Faults::new(&plan, clock, |_| String::new());
        let table = MemoryTable::new("state", Schema::default(), clock);
        Faulty::new(table, &faults, &Process::of(Function::Publish))
    }

    #[tokio::test(start_paused = true)]
    async fn a_tables_calls_go_wrong_as_planned_and_what_is_repeated_is_made_once() {
        let clock = MemoryClock::system();
        let deadline = clock.now() + Duration::from_secs(600);
        let key = |n: usize| Key::new("p", n.to_string());
        let always = table::Condition::Always;
        let lost = [
            Fault::Fails(CallErrorKind::Unavailable),
            Fault::AnswerLost,
            Fault::Fails(CallErrorKind::OutcomeUnknown),
            Fault::SlowAnswer(Duration::from_secs(1)),
        ];
        let faulty = table(table::Operation::TransactWriteItems, &lost, clock);
        let count = [Write::Update { key: key(0), update: Update::new().add("n", 1), condition: always.clone() }];
        for _ in 0..2 {
            let made = items::transact(&faulty, &clock, deadline, "once", &count).await;
            assert_eq!(made.expect("an answer"), Transacted::Done);
            let item = faulty.get(&key(0), Consistency::Consistent).await.expect("an answer");
            assert_eq!(item.and_then(|item| item.number("n")), Some(1));
        }
        let faulty = table(table::Operation::BatchGetItem, &[Fault::EntriesFail(vec![true, false])], clock);
        let keys: Vec<Key> = (0..4).map(key).collect();
        for key in &keys {
            faulty.put(&Item::new(key.clone()), &always).await.expect("put");
        }
        let batch = faulty.get_batch(&keys, Consistency::Consistent).await.expect("a batch");
        assert_eq!((batch.items.len(), batch.unprocessed), (2, vec![key(0), key(2)]));
        let faulty = Faulty { faults: table(table::Operation::Query, &[Fault::ShortPage], clock).faults, ..faulty };
        let query = Query::table("p", Consistency::Consistent);
        let page = faulty.query(&query).await.expect("a page");
        assert!(page.items.len() == 1 && page.next.is_some());
        assert_eq!(items::query_all(&faulty, &clock, deadline, &query).await.expect("all").len(), 4);
        let denied = table(table::Operation::GetItem, &[Fault::Fails(CallErrorKind::Denied)], clock);
        let error = items::get(&denied, &clock, deadline, &key(0), Consistency::Eventual).await.expect_err("denied");
        assert!(error.to_string().contains("dynamodb GetItem: missing or not permitted"), "{error}");
    }
}
