use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::{CallError, CallErrorKind, Clock};

use super::{Faulty, Process};

/// What one call does instead of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails as a whole, and does nothing.
    Fails(CallErrorKind),
    /// It does everything, and the answer is lost.
    AnswerLost,
    /// These entries of a batch fail, by position; the list repeats. Without entries to fail, nothing goes wrong.
    EntriesFail(Vec<bool>),
    /// Another write of the object is under way (409). Only puts of objects.
    Conflict,
    /// Nothing goes wrong: moves the next fault on by a call.
    Works,
}

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Records to a stream.
    PutRecords,
    /// Reading an object.
    GetObject,
    /// Writing an object.
    PutObject,
    /// Reading items of the table: one, some, or a page.
    ReadItems,
    /// Writing items of the table: one, or several in a transaction.
    WriteItems,
    /// Messages to the topic.
    PublishBatch,
}

/// Something that took effect, whatever the caller was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An object was written, or an item.
    Written {
        /// Its key; of an item partition, sort key and, where it was there before, the attribute that was set, with slashes
        /// between.
        key: String,
    },
    /// A message was published.
    Published {
        /// Its id within the call: the alert's.
        id: String,
    },
}

/// The plan of everything that goes wrong in a system, shared by all its processes.
///
/// Each call takes two steps, before and after its effect; a wait takes one. At a step a process can be killed.
#[derive(Clone)]
pub struct Faults {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: BTreeMap<Operation, VecDeque<Fault>>,
    down_until: BTreeMap<Operation, Timestamp>,
    denied: Vec<(String, Timestamp)>,
    refused: BTreeSet<String>,
    kills: BTreeSet<u64>,
    steps: u64,
    effects: Vec<Effect>,
}

impl Faults {
    pub(crate) fn new(clock: impl Clock + 'static) -> Self {
        Faults { now: Arc::new(move || clock.now()), state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next calls of an operation do this, one fault a call.
    pub fn next(&self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        self.state().next.entry(operation).or_default().extend(faults);
    }

    /// All calls of an operation fail for a while from now on.
    pub fn down(&self, operation: Operation, time: Duration) {
        let until = (self.now)() + time;
        self.state().down_until.insert(operation, until);
    }

    /// A bucket or table of its own process, subject to this plan.
    pub fn over<O>(&self, objects: O) -> Faulty<O> {
        Faulty::new(objects, self, &Process::default())
    }

    /// What begins so in the bucket may not be read, written, listed or deleted for a while from now on; or in the table, by its
    /// partition.
    pub fn deny(&self, prefix: &str, time: Duration) {
        let until = (self.now)() + time;
        self.state().denied.push((prefix.to_owned(), until));
    }

    /// The error of a call about this key, or the keys that begin so, that may not be made.
    pub(super) fn denied(&self, operation: &'static str, key: &str) -> Result<(), CallError> {
        let now = (self.now)();
        let is_denied = |(prefix, until): &(String, Timestamp)| {
            now < *until && (key.starts_with(prefix.as_str()) || prefix.starts_with(key))
        };
        if self.state().denied.iter().any(is_denied) {
            let message = "AccessDenied: Access Denied".to_owned();
            return Err(CallError { service: "aws", operation, kind: CallErrorKind::Denied, message });
        }
        Ok(())
    }

    /// The topic refuses this alert for good, as the sender's fault.
    pub fn refuse(&self, alert_id: impl Into<String>) {
        self.state().refused.insert(alert_id.into());
    }

    /// Kills the process that takes this step, counted from 0 over all processes.
    pub fn kill_at(&self, step: u64) {
        self.state().kills.insert(step);
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// What took effect, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.state().effects.clone()
    }

    /// Counts a step; whether it is a process' last.
    pub(super) fn is_last_step(&self) -> bool {
        let mut state = self.state();
        let step = state.steps;
        state.steps += 1;
        state.kills.remove(&step)
    }

    pub(super) fn fault(&self, operation: Operation) -> Fault {
        let now = (self.now)();
        let mut state = self.state();
        if state.down_until.get(&operation).is_some_and(|until| now < *until) {
            return Fault::Fails(CallErrorKind::Unavailable);
        }
        state.next.get_mut(&operation).and_then(VecDeque::pop_front).unwrap_or(Fault::Works)
    }

    pub(super) fn refuses(&self, alert_id: &str) -> bool {
        self.state().refused.contains(alert_id)
    }

    pub(super) fn note(&self, effect: Effect) {
        self.state().effects.push(effect);
    }
}

impl Operation {
    pub(super) fn error(self, kind: CallErrorKind) -> CallError {
        let (service, operation) = match self {
            Operation::PutRecords => ("kinesis", "PutRecords"),
            Operation::GetObject => ("s3", "GetObject"),
            Operation::PutObject => ("s3", "PutObject"),
            Operation::ReadItems => ("dynamodb", "Query"),
            Operation::WriteItems => ("dynamodb", "UpdateItem"),
            Operation::PublishBatch => ("sns", "PublishBatch"),
        };
        CallError { service, operation, kind, message: "planned".to_owned() }
    }
}
