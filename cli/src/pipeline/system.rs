//! A system that a demo runs on, as far as the demo looks at it.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::interrupt::Interrupts;
use crate::pipeline::load::meter::Invocations;

/// Streams, bucket and topic with the functions between them.
pub(crate) trait System {
    /// Sends comments by the schedule, and returns when all that follows from them is done.
    async fn run(&self, schedule: &Schedule, interrupts: &Interrupts) -> anyhow::Result<Ran>;

    /// The next alert; waits until there is one. Where the wait is given up, none is lost.
    async fn next_alert(&self) -> anyhow::Result<Delivered>;

    /// The next alert, if there is one now.
    fn waiting_alert(&self) -> Option<Delivered>;

    /// How much there is by now.
    async fn counts(&self) -> anyhow::Result<Counts>;

    /// A stream's name.
    fn name(&self, which: StreamKind) -> &str;

    /// Every record of a stream that belongs to this run.
    async fn records(&self, which: StreamKind) -> anyhow::Result<Vec<Record>>;

    /// The keys of every object in quarantine that belongs to this run.
    async fn quarantine(&self) -> anyhow::Result<HashSet<String>>;

    /// The ids of alerts that were held back, where policies of this run can hold some back.
    async fn withheld(&self) -> anyhow::Result<HashSet<String>> {
        Ok(HashSet::new())
    }

    /// The digest with most alerts of this subreddit, about comments from `first` to `last`; none where none is made
    /// here.
    async fn digest(&self, _subreddit: &str, _first: Timestamp, _last: Timestamp) -> anyhow::Result<Option<Digest>> {
        Ok(None)
    }

    /// What the functions did, where that is known and was measured.
    fn invocations(&self) -> Vec<Function> {
        Vec::new()
    }
}

/// What a function did.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// How many of the function's invocations may be at work at once.
    pub(crate) shards: usize,
    pub(crate) seen: Invocations,
}

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamKind {
    Comments,
    Predictions,
}

/// A record of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Where the record stands: `<shard>/<sequence number>`.
    pub(crate) place: String,
    pub(crate) data: Vec<u8>,
    pub(crate) arrived: Timestamp,
}

/// An alert, as its subscriber got it.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) body: String,
    pub(crate) at: Timestamp,
}

/// A digest, as an email.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// How many comments, predictions and quarantined records there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) comments: usize,
    pub(crate) predictions: usize,
    pub(crate) quarantined: usize,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stop: Stop,
    /// How long it took until all was done.
    pub(crate) took: Duration,
    /// Batches by function, where that is known.
    pub(crate) batches: Option<Value>,
    /// What to look at where something is missing.
    pub(crate) hint: Option<String>,
}

/// How sending ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Done,
    Interrupted,
}

/// Which comments are sent when: an invocation a minute, as the rule on AWS. Each takes up where the one before ended.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// What the ids of its events begin with.
    pub(crate) id: String,
    /// When the schedule begins; where it is not set, its events have the time at which they are sent.
    pub(crate) time: Option<Timestamp>,
    pub(crate) comments: u64,
    /// Comments a second; as fast as it goes without.
    pub(crate) rate: Option<f64>,
}

/// How many comments an invocation sends where there is no rate: two shards take them in a second.
const COMMENTS_PER_INVOCATION: u64 = 2_000;

/// An invocation of the generator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invocation {
    /// The schedule event's id.
    pub(crate) id: String,
    /// The first comment.
    pub(crate) first: u64,
    pub(crate) comments: u64,
    /// How long after the schedule's start the invocation is due.
    pub(crate) due: Duration,
    /// Over how long the comments are spread.
    pub(crate) spread: Duration,
}

impl Schedule {
    pub(crate) fn invocations(&self) -> impl Iterator<Item = Invocation> {
        let each = self.rate.map_or(COMMENTS_PER_INVOCATION, |rate| ((rate * 60.0).round() as u64).max(1));
        let time = |comments: u64| self.rate.map_or(0.0, |rate| comments as f64 / rate);
        (0..self.comments.div_ceil(each)).map(move |number| {
            let first = number * each;
            let comments = each.min(self.comments - first);
            Invocation {
                id: format!("{}-{first}", self.id),
                first,
                comments,
                due: Duration::from_secs_f64(time(first)),
                spread: Duration::from_secs_f64(time(comments)),
            }
        })
    }

    /// What the function gets.
    pub(crate) fn payload(&self, invocation: &Invocation, now: Timestamp) -> Vec<u8> {
        let Invocation { id, first, comments, due, spread } = invocation;
        let time = self.time.map_or(now, |start| start.checked_add(*due).unwrap_or(start));
        let payload = json!({
            "id": id,
            "time": time,
            "comments": comments,
            "offset": first,
            "spread_seconds": spread.as_secs_f64(),
        });
        payload.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(comments: u64, rate: Option<f64>) -> Schedule {
        Schedule { id: "demo".to_owned(), time: None, comments, rate }
    }

    #[test]
    fn a_minute_goes_into_an_invocation_and_each_takes_up_where_the_one_before_ended() {
        let all: Vec<_> = schedule(1_000, Some(10.0)).invocations().collect();
        let told: Vec<_> =
            all.iter().map(|it| (it.id.as_str(), it.comments, it.due.as_secs(), it.spread.as_secs())).collect();
        assert_eq!(told, [("demo-0", 600, 0, 60), ("demo-600", 400, 60, 40)]);
    }

    #[test]
    fn however_many_and_however_fast_exactly_so_many_are_sent() {
        for (comments, rate) in [(1, None), (1_999, None), (2_001, None), (7, Some(0.01)), (700, Some(3.7))] {
            let mut next = 0;
            for invocation in schedule(comments, rate).invocations() {
                assert_eq!(invocation.first, next);
                next += invocation.comments;
            }
            assert_eq!(next, comments, "{rate:?}");
        }
    }

    #[test]
    fn a_time_that_is_given_makes_every_payload_the_same_again() {
        let start: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
        let schedule = Schedule { time: Some(start), ..schedule(1_000, Some(10.0)) };
        let second = schedule.invocations().nth(1).expect("two");
        let payload: Value = serde_json::from_slice(&schedule.payload(&second, Timestamp::UNIX_EPOCH)).expect("JSON");
        assert_eq!(
            payload,
            json!({ "id": "demo-600", "time": "2026-01-05T10:01:00Z", "comments": 400, "offset": 600, "spread_seconds": 40.0 })
        );
    }
}
