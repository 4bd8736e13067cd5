//! Worlds that fail by a plan.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::memory::{MemoryClock, MemoryStream};
use modstream_platform::{CallError, CallErrorKind, Clock, PutOutcome, PutRecord, Stream};

/// What one call does.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// It fails as a whole, and does nothing.
    Fails(CallErrorKind),
    /// It does everything, and the answer is lost.
    AnswerLost,
    /// These entries fail, by position; the list repeats.
    EntriesFail(Vec<bool>),
    /// It answers for one entry fewer than it was sent.
    AnswersShort,
}

pub(crate) fn error(kind: CallErrorKind) -> CallError {
    CallError { service: "test", operation: "Test", kind, message: "planned".to_owned() }
}

/// A stream that follows a plan, then works; stores what it stores of a call in reverse, since PutRecords keeps no order.
pub(crate) struct PlannedStream {
    pub(crate) inner: MemoryStream,
    pub(crate) plan: Mutex<VecDeque<Call>>,
    pub(crate) calls: Mutex<Vec<Vec<PutRecord>>>,
    pub(crate) call_times: Mutex<Vec<Timestamp>>,
    pub(crate) clock: MemoryClock,
}

impl PlannedStream {
    pub(crate) fn new(clock: MemoryClock, plan: impl IntoIterator<Item = Call>) -> Self {
        PlannedStream {
            inner: MemoryStream::new("planned", 3, clock),
            plan: Mutex::new(plan.into_iter().collect()),
            calls: Mutex::default(),
            call_times: Mutex::default(),
            clock,
        }
    }

    /// How many records each call carried.
    pub(crate) fn call_sizes(&self) -> Vec<usize> {
        self.calls.lock().unwrap().iter().map(Vec::len).collect()
    }
}

impl Stream for PlannedStream {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        tokio::task::yield_now().await;
        self.calls.lock().unwrap().push(records.to_vec());
        self.call_times.lock().unwrap().push(self.clock.now());
        let call = self.plan.lock().unwrap().pop_front();
        let fails = match &call {
            Some(Call::Fails(kind)) => return Err(error(*kind)),
            Some(Call::EntriesFail(fails)) if !fails.is_empty() => fails.clone(),
            _ => vec![false],
        };
        let fails: Vec<bool> = fails.iter().copied().cycle().take(records.len()).collect();
        let stored: Vec<PutRecord> =
            records.iter().zip(&fails).rev().filter(|(_, fails)| !**fails).map(|(record, _)| record.clone()).collect();
        let mut stored = if stored.is_empty() { Vec::new() } else { self.inner.put_records(&stored).await? };
        let failed =
            PutOutcome::Failed { code: "ProvisionedThroughputExceededException".into(), message: "slow down".into() };
        let mut outcomes: Vec<PutOutcome> =
            fails.iter().map(|fails| if *fails { failed.clone() } else { stored.pop().unwrap() }).collect();
        match call {
            Some(Call::AnswerLost) => return Err(error(CallErrorKind::OutcomeUnknown)),
            Some(Call::AnswersShort) => drop(outcomes.pop()),
            _ => {}
        }
        Ok(outcomes)
    }
}

pub(crate) const START: &str = "2026-01-05T10:00:00Z";

pub(crate) fn clock() -> MemoryClock {
    MemoryClock::starting_at(START.parse().unwrap())
}

pub(crate) fn after(clock: &MemoryClock, duration: Duration) -> Timestamp {
    clock.now() + duration
}

/// Runs on a runtime of its own, in virtual time.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

pub(crate) fn record(key: &str, data: impl Into<Vec<u8>>) -> PutRecord {
    PutRecord { partition_key: key.to_owned(), data: data.into() }
}

/// A counter that clones share.
#[derive(Clone, Default)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T: Clone> Log<T> {
    pub(crate) fn push(&self, entry: T) -> usize {
        let mut log = self.0.lock().unwrap();
        log.push(entry);
        log.len()
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}
