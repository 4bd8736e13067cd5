//! A table whose calls fail, and alerts.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term, ids,
};
use modstream_ledger::{AlertKey, Ledger, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind, Clock};

pub(crate) fn time() -> Timestamp {
    "2026-01-05T10:59:59Z".parse().expect("a time")
}

pub(crate) fn clock() -> MemoryClock {
    MemoryClock::starting_at(time())
}

pub(crate) fn table(clock: MemoryClock) -> MemoryTable {
    MemoryTable::new("table", SCHEMA, clock)
}

pub(crate) fn ledger<'a, B: Table>(table: &'a B, clock: &'a MemoryClock) -> Ledger<'a, B, MemoryClock> {
    Ledger::new(table, clock, clock.now() + Duration::from_secs(600))
}

/// An alert about the comment event `id` of the comment `c1`.
pub(crate) fn alert(id: &str, at: Timestamp, severity: Severity) -> Event<'static, Alert<'static>> {
    let prediction = Prediction {
        comment: Comment {
            id: Some("c1".into()),
            subreddit: Some("science".into()),
            author: Some("copper".into()),
            body: Some(format!("The text of {id}").into()),
            ..Comment::default()
        },
        comment_event: EventRef { source: "urn:example:forum".into(), id: id.to_owned().into(), time: at },
        version: None,
        probability: 0.9,
        log_odds: 2.2,
        intercept: -1.0,
        terms: vec![Term { term: "text".into(), contribution: 0.8 }],
        other: 0.0,
        model: ModelRef { name: "m".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.8, recall: 0.3, share: 0.1, base_rate: 0.32 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.8".into() };
    let alert = Alert::new(prediction, "p".into(), severity, policy);
    Event::new(ids::alert("urn:example:forum", id, "default").to_string(), "urn:modstream:publish-alerts", at, alert)
}

/// What is made of an alert, and its name.
pub(crate) async fn request<B: Table>(
    ledger: &Ledger<'_, B, MemoryClock>,
    event: &Event<'_, Alert<'_>>,
) -> (AlertKey, modstream_ledger::Next) {
    let key = AlertKey::of_alert(event);
    let next = ledger.request(&key, event, &event.encode(), None).await.expect("made");
    (key, next)
}

/// What becomes of a call that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    Fails,
    /// It is not done, and gets no answer.
    Lost,
    /// It is done, and gets no answer.
    AnswerLost,
}

/// A table whose next calls that write go wrong, the first of them last.
pub(crate) struct Planned {
    pub(crate) inner: MemoryTable,
    plan: Mutex<Vec<Option<Mishap>>>,
}

impl Planned {
    pub(crate) fn new(inner: &MemoryTable, mut plan: Vec<Option<Mishap>>) -> Self {
        plan.reverse();
        Planned { inner: inner.clone(), plan: Mutex::new(plan) }
    }

    async fn write<A>(&self, effect: impl Future<Output = Result<A, CallError>>) -> Result<A, CallError> {
        let mishap = self.plan.lock().expect("no panic holds it").pop().flatten();
        let failed = |kind| CallError { service: "dynamodb", operation: "Write", kind, message: "planned".to_owned() };
        match mishap {
            None => effect.await,
            Some(Mishap::Fails) => Err(failed(CallErrorKind::Unavailable)),
            Some(Mishap::Lost) => Err(failed(CallErrorKind::OutcomeUnknown)),
            Some(Mishap::AnswerLost) => {
                effect.await?;
                Err(failed(CallErrorKind::OutcomeUnknown))
            }
        }
    }
}

impl Table for Planned {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.inner.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.inner.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.inner.query(query).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.write(self.inner.put(item, condition)).await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.write(self.inner.update(key, update, condition)).await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.write(self.inner.delete(key, condition)).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.write(self.inner.transact(token, writes)).await
    }
}
