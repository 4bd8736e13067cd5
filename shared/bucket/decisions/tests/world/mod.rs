//! An alert, and a look into a table.

use std::borrow::Cow;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term,
};
use modstream_ledger::{AlertKey, Entry, Ledger};
use modstream_platform::memory::{MemoryClock, MemoryTable};

pub(crate) const ALERT_ID: &str = "d704ed39-889c-5b22-b41b-2e4fb9283bff";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// An alert event, encoded.
pub(crate) fn alert() -> Vec<u8> {
    let time = time("2026-01-05T10:00:00Z");
    let text = |text: &'static str| Some(Cow::Borrowed(text));
    let prediction = Prediction {
        comment: Comment {
            id: text("k1"),
            subreddit: text("science"),
            body: text("Buy my coins"),
            ..Comment::default()
        },
        comment_event: EventRef { source: "urn:example:forum".into(), id: "k1".into(), time },
        version: None,
        probability: 0.9,
        log_odds: 2.2,
        intercept: -1.0,
        terms: vec![Term { term: "?".into(), contribution: -1.0 }, Term { term: "coins".into(), contribution: 0.8 }],
        other: 0.0,
        model: ModelRef { name: "rscience".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.8, recall: 0.3, share: 0.1, base_rate: 0.32 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.8".into() };
    let alert = Alert::new(prediction, "p1".into(), Severity::High, policy);
    Event::new(ALERT_ID, "urn:modstream:publish-alerts", time, alert).encode()
}

/// The alert, as a table has it in which it was made.
pub(crate) fn made(table: &MemoryTable) -> Entry {
    let bytes = alert();
    let event: Event<'_, Alert<'_>> = Event::decode(&bytes).expect("an alert");
    let (key, clock) = (AlertKey::of_alert(&event), MemoryClock::starting_at(event.time));
    let made = async {
        let ledger = Ledger::new(table, &clock, Timestamp::MAX);
        ledger.request(&key, &event, &bytes, None).await.expect("made");
        ledger.entry(&key).await.expect("readable").expect("there")
    };
    at_once(made)
}

/// The memory world answers at once.
pub(crate) fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match std::pin::pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the memory world answers at once"),
    }
}

/// The events in a part of the table: `decision#` is the log, `outbox` what may not be on the stream.
pub(crate) fn events(table: &MemoryTable, part: &str) -> Vec<Vec<u8>> {
    let items = table.items().into_iter();
    let items = items.filter(|item| item.key.sort.starts_with(part) || item.key.partition == part);
    items.map(|item| modstream_ledger::unpack(item.bytes("event").expect("an event")).expect("whole")).collect()
}
