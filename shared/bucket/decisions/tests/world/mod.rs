//! An alert, and a look into a bucket.

use std::borrow::Cow;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term,
};
use modstream_platform::Objects as _;
use modstream_platform::memory::MemoryObjects;

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
        not_judged: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.8".into() };
    let alert = Alert::new(prediction, "p1".into(), Severity::High, policy);
    Event::new(ALERT_ID, "urn:modstream:publish-alerts", time, alert).encode()
}

/// The memory world answers at once.
pub(crate) fn keys(objects: &MemoryObjects, prefix: &str) -> Vec<String> {
    match std::pin::pin!(objects.list(prefix)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(keys)) => keys,
        _ => Vec::new(),
    }
}
