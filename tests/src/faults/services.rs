use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::table::{
    self, Batch, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, PutOutcome,
    PutRecord, Stream, Topic, Written,
};

use super::{Effect, Fault, Faults, Operation, Process};

/// A stream, bucket, topic or clock as one process sees it: calls fail by plan, and the process may be killed at each.
#[derive(Clone)]
pub struct Faulty<T> {
    inner: T,
    faults: Faults,
    process: Process,
}

impl<T> Faulty<T> {
    pub(crate) fn new(inner: T, faults: &Faults, process: &Process) -> Self {
        Faulty { inner, faults: faults.clone(), process: process.clone() }
    }

    async fn step(&self) {
        if self.faults.is_last_step() {
            self.process.die().await;
        }
        tokio::task::yield_now().await;
    }

    /// Does a call of one effect, or what the plan says.
    async fn call<A>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<A, CallError>>,
        conflict: Option<A>,
    ) -> Result<A, CallError> {
        self.step().await;
        let answer = match (self.faults.fault(operation), conflict) {
            (Fault::Fails(kind), _) => Err(operation.error(kind)),
            (Fault::AnswerLost, _) => work.await.and(Err(operation.error(CallErrorKind::OutcomeUnknown))),
            (Fault::Conflict, Some(conflict)) => Ok(conflict),
            _ => work.await,
        };
        self.step().await;
        answer
    }
}

/// Which of so many entries fail.
fn failing(fault: &Fault, entries: usize) -> Vec<bool> {
    match fault {
        Fault::EntriesFail(pattern) if !pattern.is_empty() => pattern.iter().copied().cycle().take(entries).collect(),
        _ => vec![false; entries],
    }
}

impl<S: Stream> Stream for Faulty<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// Stores what it stores in reverse: PutRecords keeps no order.
    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let operation = Operation::PutRecords;
        self.step().await;
        let fault = self.faults.fault(operation);
        if let Fault::Fails(kind) = fault {
            return Err(operation.error(kind));
        }
        let fails = failing(&fault, records.len());
        let stored = records.iter().zip(&fails).rev().filter(|(_, fails)| !**fails);
        let stored: Vec<PutRecord> = stored.map(|(record, _)| record.clone()).collect();
        let mut stored = if stored.is_empty() { Vec::new() } else { self.inner.put_records(&stored).await? };
        self.step().await;
        if fault == Fault::AnswerLost {
            return Err(operation.error(CallErrorKind::OutcomeUnknown));
        }
        let failed = PutOutcome::Failed {
            code: "ProvisionedThroughputExceededException".to_owned(),
            message: "planned".to_owned(),
        };
        let outcomes = fails.iter().map(|fails| if *fails { None } else { stored.pop() });
        Ok(outcomes.map(|stored| stored.unwrap_or_else(|| failed.clone())).collect())
    }
}

impl<O: Objects> Objects for Faulty<O> {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.faults.denied("GetObject", key)?;
        self.call(Operation::GetObject, self.inner.get(key, unless), None).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        self.faults.denied("PutObject", key)?;
        let work = async {
            let written = self.inner.put(key, bytes, condition).await?;
            if matches!(written, Written::Done(_)) {
                self.faults.note(Effect::Written { key: key.to_owned() });
            }
            Ok(written)
        };
        self.call(Operation::PutObject, work, Some(Written::Conflict)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.faults.denied("ListObjectsV2", prefix)?;
        self.call(Operation::GetObject, self.inner.list(prefix), None).await
    }
}

impl<T> Faulty<T> {
    /// Notes what a write of the table did.
    fn note_write(&self, write: &Write) {
        let written = |key: String| self.faults.note(Effect::Written { key });
        let place = format!("{}/{}", write.key().partition, write.key().sort);
        match write {
            Write::Put { .. } => written(place),
            Write::Update { update, .. } => {
                update.actions.keys().for_each(|attribute| written(format!("{place}/{attribute}")));
            }
            Write::Delete { .. } | Write::Check { .. } => {}
        }
    }
}

impl<T: Table> Table for Faulty<T> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.faults.denied("GetItem", &key.partition)?;
        self.call(Operation::ReadItems, self.inner.get(key, consistency), None).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        keys.iter().try_for_each(|key| self.faults.denied("BatchGetItem", &key.partition))?;
        self.call(Operation::ReadItems, self.inner.get_batch(keys, consistency), None).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.faults.denied("Query", &query.partition)?;
        self.call(Operation::ReadItems, self.inner.query(query), None).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.faults.denied("PutItem", &item.key.partition)?;
        let work = async {
            let outcome = self.inner.put(item, condition).await?;
            if outcome == Outcome::Done(()) {
                self.note_write(&Write::Put { item: item.clone(), condition: condition.clone() });
            }
            Ok(outcome)
        };
        self.call(Operation::WriteItems, work, None).await
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        self.faults.denied("UpdateItem", &key.partition)?;
        let work = async {
            let outcome = self.inner.update(key, update, condition).await?;
            if matches!(outcome, Outcome::Done(_)) {
                let (key, update, condition) = (key.clone(), update.clone(), condition.clone());
                self.note_write(&Write::Update { key, update, condition });
            }
            Ok(outcome)
        };
        self.call(Operation::WriteItems, work, None).await
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.faults.denied("DeleteItem", &key.partition)?;
        self.call(Operation::WriteItems, self.inner.delete(key, condition), None).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        writes.iter().try_for_each(|write| self.faults.denied("TransactWriteItems", &write.key().partition))?;
        let work = async {
            let outcome = self.inner.transact(token, writes).await?;
            if outcome == Transacted::Done {
                writes.iter().for_each(|write| self.note_write(write));
            }
            Ok(outcome)
        };
        self.call(Operation::WriteItems, work, None).await
    }
}

impl<T: Topic> Topic for Faulty<T> {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let operation = Operation::PublishBatch;
        self.step().await;
        let fault = self.faults.fault(operation);
        if let Fault::Fails(kind) = fault {
            return Err(operation.error(kind));
        }
        let failed = |sender_fault, code: &str| PublishOutcome::Failed {
            sender_fault,
            code: code.to_owned(),
            message: "planned".to_owned(),
        };
        let mut outcomes: Vec<Option<PublishOutcome>> = Vec::new();
        let mut taken: Vec<Message> = Vec::new();
        for (message, fails) in messages.iter().zip(failing(&fault, messages.len())) {
            outcomes.push(if fails {
                Some(failed(false, "InternalError"))
            } else if self.faults.refuses(&message.id) {
                Some(failed(true, "InvalidParameter"))
            } else {
                taken.push(message.clone());
                None
            });
        }
        let mut answers = Vec::new().into_iter();
        if !taken.is_empty() {
            let published = self.inner.publish_batch(&taken).await?;
            for (message, outcome) in taken.iter().zip(&published) {
                if matches!(outcome, PublishOutcome::Published { .. }) {
                    self.faults.note(Effect::Published { id: message.id.clone() });
                }
            }
            answers = published.into_iter();
        }
        self.step().await;
        if fault == Fault::AnswerLost {
            return Err(operation.error(CallErrorKind::OutcomeUnknown));
        }
        let outcomes = outcomes.into_iter().map(|known| known.or_else(|| answers.next()));
        Ok(outcomes.map(|outcome| outcome.unwrap_or_else(|| failed(false, "InternalError"))).collect())
    }
}

impl<C: Clock> Clock for Faulty<C> {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.step().await;
        self.inner.sleep(duration).await;
    }
}
