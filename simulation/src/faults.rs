//! What goes wrong, as the services look it up, and a note of everything that took effect.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::memory::MemoryClock;
use modstream_platform::{CallError, CallErrorKind, Clock, table};
use tokio::sync::Notify;

use crate::plan::{Fault, Function, Incident, Operation, Plan};

/// An effect, and when it took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) at: Timestamp,
    pub(crate) effect: Effect,
}

/// Something that took effect, whatever the caller was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// An invocation began, with these comment events (or those of these predictions), once a record; or as the schedule was
    /// due at this time.
    Began { invocation: u64, function: Function, comment_events: Vec<String>, due: Option<Timestamp> },
    /// A prediction was stored; whether the caller was told.
    Stored { invocation: u64, comment_event: String, id: String, version: String, told: bool },
    /// An object was written, or a fact of an item; an alert's event and a comment's record with what they say.
    Written { invocation: u64, key: String, content: Option<Vec<u8>> },
    /// An alert, a digest or the message about a breaker was published; whether the caller was told.
    Published { invocation: u64, id: String, told: bool, about_breaker: bool },
    /// An invocation answered; whether after its deadline, without a slow call that held it up.
    Answered { invocation: u64, late: bool },
}

/// The incidents of a run, by what they befall. Shared by all processes.
#[derive(Clone)]
pub(crate) struct Faults {
    clock: MemoryClock,
    start: Timestamp,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: BTreeMap<(Function, Operation), u64>,
    faults: BTreeMap<(Function, Operation, u64), Fault>,
    outages: Vec<(Operation, Duration, Duration)>,
    denied: Vec<Denied>,
    refused: BTreeSet<String>,
    /// Whether the topic refuses whole calls for one alert.
    refuses_calls: bool,
    /// Whether each page of a table has one item, and may have a next one.
    has_short_pages: bool,
    crashes: BTreeSet<(Function, u64)>,
    steps: BTreeMap<Function, u64>,
    is_over: bool,
    /// When the transaction of each token was made.
    transactions: BTreeMap<String, Timestamp>,
    effects: Vec<Noted>,
    injected: BTreeMap<&'static str, u64>,
}

/// A prefix that a function may not use, and from when to when.
struct Denied {
    function: Function,
    prefix: &'static str,
    all: bool,
    time: Range<Duration>,
}

/// One execution environment: what ends when it crashes.
#[derive(Clone)]
pub(crate) struct Process {
    function: Function,
    death: Arc<Notify>,
    invocation: Arc<Mutex<u64>>,
    began: Arc<Mutex<Option<Timestamp>>>,
    was_slow: Arc<Mutex<bool>>,
}

impl Faults {
    pub(crate) fn new(plan: &Plan, clock: MemoryClock, alert_id: impl Fn(usize) -> String) -> Self {
        let mut state =
            State { refuses_calls: plan.seed % 2 == 1, has_short_pages: plan.seed % 3 == 1, ..State::default() };
        for incident in &plan.incidents {
            match incident {
                Incident::Call { function, operation, call, fault } => {
                    drop(state.faults.insert((*function, *operation, *call), fault.clone()));
                }
                Incident::Outage { at, lasts, operation } => state.outages.push((*operation, *at, *at + *lasts)),
                Incident::Denied { at, lasts, function, prefix, all } => {
                    let time = *at..*at + *lasts;
                    state.denied.push(Denied { function: *function, prefix, all: *all, time });
                }
                Incident::Refused { number } => drop(state.refused.insert(alert_id(*number))),
                Incident::Crash { function, step } => drop(state.crashes.insert((*function, *step))),
                _ => {}
            }
        }
        Faults { clock, start: clock.now(), state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Nothing goes wrong any more, but for what the topic refuses.
    pub(crate) fn end(&self) {
        self.state().is_over = true;
    }

    pub(crate) fn note(&self, effect: Effect) {
        let at = self.clock.now();
        self.state().effects.push(Noted { at, effect });
    }

    /// Whether a transaction that succeeded did something: a table remembers its token for a while, and makes it once.
    pub(crate) fn is_made_now(&self, token: &str) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        let before = state.transactions.get(token);
        let is_remembered = before.is_some_and(|made| now.duration_since(*made).as_secs() < table::TOKEN_SECONDS);
        if !is_remembered {
            state.transactions.insert(token.to_owned(), now);
        }
        !is_remembered
    }

    /// All effects, in the order of their happening.
    pub(crate) fn effects(&self) -> Vec<Noted> {
        self.state().effects.clone()
    }

    /// How often each kind of incident took place.
    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.state().injected.clone()
    }

    pub(crate) fn count(&self, what: &'static str) {
        *self.state().injected.entry(what).or_default() += 1;
    }

    /// The ids of alerts that the topic refuses.
    pub(crate) fn refused(&self) -> BTreeSet<String> {
        self.state().refused.clone()
    }

    pub(crate) fn refuses(&self, alert_id: &str) -> bool {
        let refuses = self.state().refused.contains(alert_id);
        if refuses {
            self.count("alert refused by the topic");
        }
        refuses
    }

    /// Whether the topic refuses a whole call that holds an alert which it refuses.
    pub(crate) fn refuses_calls(&self) -> bool {
        self.state().refuses_calls
    }

    /// Whether each page of a table has one item.
    pub(crate) fn has_short_pages(&self) -> bool {
        self.state().has_short_pages
    }

    /// Whether a function's call may not be made, about this key or the keys that begin so.
    pub(crate) fn denies(&self, function: Function, operation: Operation, key: &str) -> bool {
        let since = self.since();
        let mut state = self.state();
        let is_over = state.is_over;
        let denies = |denied: &Denied| {
            denied.function == function
                && (denied.all || operation.reads())
                && (key.starts_with(denied.prefix) || denied.prefix.starts_with(key))
                && denied.time.contains(&since)
        };
        let is_denied = !is_over && state.denied.iter().any(denies);
        if is_denied {
            *state.injected.entry("a prefix is denied").or_default() += 1;
        }
        is_denied
    }

    /// How long the run has lasted.
    fn since(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.start)).unwrap_or_default()
    }

    /// A point at which a process may crash.
    pub(crate) async fn step(&self, process: &Process) {
        let crashes = {
            let mut state = self.state();
            let steps = state.steps.entry(process.function).or_default();
            let step = (process.function, *steps);
            *steps += 1;
            !state.is_over && state.crashes.contains(&step)
        };
        if crashes {
            self.count("crash");
            process.die();
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }

    /// What a function's next call of an operation does.
    pub(crate) fn next(&self, function: Function, operation: Operation) -> Option<Fault> {
        let since = self.since();
        let mut state = self.state();
        let call = state.calls.entry((function, operation)).or_default();
        let number = *call;
        *call += 1;
        if state.is_over {
            return None;
        }
        let is_down =
            |(down, from, to): &(Operation, Duration, Duration)| *down == operation && (*from..*to).contains(&since);
        if state.outages.iter().any(is_down) {
            *state.injected.entry("call during an outage").or_default() += 1;
            return Some(Fault::Fails(CallErrorKind::Unavailable));
        }
        let fault = state.faults.get(&(function, operation, number)).cloned();
        if let Some(fault) = &fault {
            *state.injected.entry(injection(operation, fault)).or_default() += 1;
        }
        fault
    }
}

/// The table's row of a fault.
fn injection(operation: Operation, fault: &Fault) -> &'static str {
    match (operation, fault) {
        (Operation::PutRecords, Fault::Fails(_)) => "PutRecords fails",
        (Operation::PutRecords, Fault::EntriesFail(_)) => "PutRecords fails in part",
        (Operation::PutRecords, _) => "PutRecords without an answer, or late",
        (Operation::PublishBatch, Fault::Fails(_)) => "PublishBatch fails",
        (Operation::PublishBatch, Fault::EntriesFail(_)) => "PublishBatch fails in part",
        (Operation::PublishBatch, _) => "PublishBatch without an answer, or late",
        (Operation::GetObject, Fault::Fails(_)) => "GetObject fails",
        (Operation::GetObject, Fault::Forbidden) => "GetObject is forbidden (403)",
        (Operation::GetObject, _) => "GetObject without an answer, or late",
        (Operation::PutObject, Fault::Fails(_)) => "PutObject fails",
        (Operation::PutObject, Fault::Conflict) => "PutObject beside another (409)",
        (Operation::PutObject, _) => "PutObject without an answer, or late",
        (Operation::GetSecretValue, Fault::Fails(_)) => "GetSecretValue fails",
        (Operation::GetSecretValue, _) => "GetSecretValue without an answer, or late",
        (Operation::Table(_), Fault::Fails(_)) => "a table's call fails",
        (Operation::Table(_), Fault::EntriesFail(_)) => "a table leaves keys unprocessed",
        (Operation::Table(_), Fault::ShortPage) => "a table's page is short",
        (Operation::Table(_), _) => "a table's call without an answer, or late",
    }
}

impl Operation {
    /// Whether the call reads what it names, and nothing else.
    fn reads(self) -> bool {
        use table::Operation::{BatchGetItem, GetItem, Query};
        matches!(self, Operation::GetObject | Operation::Table(GetItem | BatchGetItem | Query))
    }

    pub(crate) fn error(self, kind: CallErrorKind) -> CallError {
        let (service, operation) = match self {
            Operation::PutRecords => ("kinesis", "PutRecords"),
            Operation::GetObject => ("s3", "GetObject"),
            Operation::PutObject => ("s3", "PutObject"),
            Operation::PublishBatch => ("sns", "PublishBatch"),
            Operation::GetSecretValue => ("secretsmanager", "GetSecretValue"),
            Operation::Table(operation) => ("dynamodb", operation.name()),
        };
        CallError { service, operation, kind, message: "planned".to_owned() }
    }
}

impl Process {
    pub(crate) fn of(function: Function) -> Self {
        Process {
            function,
            death: Arc::default(),
            invocation: Arc::default(),
            began: Arc::default(),
            was_slow: Arc::default(),
        }
    }

    pub(crate) fn function(&self) -> Function {
        self.function
    }

    /// The invocation it works on.
    pub(crate) fn invocation(&self) -> u64 {
        *lock(&self.invocation)
    }

    /// When that began; none before the first.
    pub(crate) fn began(&self) -> Option<Timestamp> {
        *lock(&self.began)
    }

    pub(crate) fn begin(&self, invocation: u64, now: Timestamp) {
        *lock(&self.invocation) = invocation;
        *lock(&self.began) = Some(now);
        *lock(&self.was_slow) = false;
    }

    /// A call took longer than its time limit would allow.
    pub(crate) fn slowed(&self) {
        *lock(&self.was_slow) = true;
    }

    pub(crate) fn was_slow(&self) -> bool {
        *lock(&self.was_slow)
    }

    pub(crate) fn die(&self) {
        self.death.notify_one();
    }

    /// Does the work, unless the process ends over it: then the work is dropped where it stands.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.death.notified() => None,
            done = work => Some(done),
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
