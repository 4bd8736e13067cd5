//! A table that fails by a plan.

use std::collections::VecDeque;
use std::sync::Mutex;

use modstream_platform::memory::MemoryTable;
use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Operation, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};

use crate::world::{Call, error};

/// A table that follows a plan, call by call, then works.
pub(crate) struct PlannedTable {
    pub(crate) inner: MemoryTable,
    plan: Mutex<VecDeque<Call>>,
}

impl PlannedTable {
    pub(crate) fn new(inner: MemoryTable, plan: impl IntoIterator<Item = Call>) -> Self {
        PlannedTable { inner, plan: Mutex::new(plan.into_iter().collect()) }
    }

    /// How often the service was called.
    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.inner.usage().calls_of(operation)
    }

    async fn call<A>(&self, call: impl Future<Output = Result<A, CallError>>) -> Result<A, CallError> {
        let planned = self.plan.lock().unwrap().pop_front();
        match planned {
            Some(Call::Fails(kind)) => Err(error(kind)),
            Some(Call::AnswerLost) => {
                let _ = call.await;
                Err(error(CallErrorKind::OutcomeUnknown))
            }
            _ => call.await,
        }
    }
}

impl Table for PlannedTable {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.call(self.inner.get(key, consistency)).await
    }

    /// Leaves keys unprocessed where entries are to fail.
    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        let fails = match self.plan.lock().unwrap().front() {
            Some(Call::EntriesFail(fails)) => fails.clone(),
            _ => vec![false],
        };
        let fails = || fails.iter().copied().cycle();
        let left: Vec<Key> = keys.iter().zip(fails()).filter(|(_, fails)| *fails).map(|(key, _)| key.clone()).collect();
        let looked_up: Vec<Key> = keys.iter().filter(|key| !left.contains(key)).cloned().collect();
        if looked_up.is_empty() {
            return self.call(std::future::ready(Ok(Batch { items: Vec::new(), unprocessed: left }))).await;
        }
        let batch = self.call(self.inner.get_batch(&looked_up, consistency)).await?;
        Ok(Batch { unprocessed: left, ..batch })
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.call(self.inner.query(query)).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.call(self.inner.put(item, condition)).await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.call(self.inner.update(key, update, condition)).await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.call(self.inner.delete(key, condition)).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.call(self.inner.transact(token, writes)).await
    }
}
