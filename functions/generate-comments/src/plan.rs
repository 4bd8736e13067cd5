//! Which rows of the corpus an invocation sends, and when. Pure, and the same for a repeat of the invocation.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::Config;
use crate::config::MAX_SPREAD_SECONDS;

/// The payload: a [scheduled event](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html), of
/// which `id` and `time` count, or an object by hand. Every field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Invocation {
    /// The schedule event's id; the request's where it is missing. A repeat must carry the same.
    pub id: Option<String>,
    /// When the schedule event was due; now where it is missing.
    pub time: Option<Timestamp>,
    /// How many comments to send, instead of rate x 60.
    pub comments: Option<u64>,
    /// The first row to send, instead of one that follows from `time`, or of the first where that is missing too: a repeat
    /// must send the same rows.
    pub offset: Option<u64>,
    /// Over how many seconds, instead of the configured.
    pub spread_seconds: Option<f64>,
}

/// An invocation that can't be planned.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvocationError {
    /// The payload is no invocation.
    #[error(
        "the payload is no invocation ({0}): send a scheduled event, or an object such as {{\"comments\":600,\"offset\":0,\"spread_seconds\":60}}"
    )]
    Payload(String),
    /// The spread is out of range.
    #[error("`spread_seconds` is {0}: it must be from 0 to 840, below the function's timeout")]
    Spread(f64),
    /// The corpus has no comment that could be sent.
    #[error("the corpus has no comments: put a file with at least one under CORPUS_KEY")]
    EmptyCorpus,
}

/// What an invocation sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The schedule event's id.
    pub(crate) schedule_event: String,
    time: Timestamp,
    pub(crate) comments: u64,
    first: u64,
    rows: u64,
    spread: Duration,
}

impl Invocation {
    /// Reads a payload.
    ///
    /// # Errors
    /// Where it is no object of this form.
    pub fn parse(payload: &[u8]) -> Result<Self, InvocationError> {
        serde_json::from_slice(payload).map_err(|error| InvocationError::Payload(error.to_string()))
    }

    pub(crate) fn plan(
        self,
        request_id: &str,
        now: Timestamp,
        config: &Config,
        rows: usize,
    ) -> Result<Plan, InvocationError> {
        let rows = rows as u64;
        if rows == 0 {
            return Err(InvocationError::EmptyCorpus);
        }
        let time = self.time.unwrap_or(now);
        let comments_a_minute = ((config.rate * 60.0).round() as u64).max(1);
        // The next minute's schedule event goes on where this one ends.
        let minute = self.time.map_or(0, |time| time.as_second().div_euclid(60).max(0) as u64);
        let scheduled_row = minute % rows * (comments_a_minute % rows);
        let spread = self.spread_seconds.unwrap_or(config.spread_seconds);
        if !(0.0..=MAX_SPREAD_SECONDS).contains(&spread) {
            return Err(InvocationError::Spread(spread));
        }
        Ok(Plan {
            schedule_event: self.id.unwrap_or_else(|| request_id.to_owned()),
            time,
            comments: self.comments.unwrap_or(comments_a_minute),
            first: self.offset.unwrap_or(scheduled_row) % rows,
            rows,
            spread: Duration::from_secs_f64(spread),
        })
    }
}

impl Plan {
    /// The corpus row of the comment at `index`.
    pub(crate) fn row(&self, index: u64) -> usize {
        ((self.first + index % self.rows) % self.rows) as usize
    }

    /// How long after the start the comment at `index` is sent.
    pub(crate) fn delay(&self, index: u64) -> Duration {
        self.spread.mul_f64(index as f64 / self.comments.max(1) as f64)
    }

    /// The time of the event of the comment at `index`: of the schedule, not of the clock, so that a repeat carries the same.
    pub(crate) fn time(&self, index: u64) -> Timestamp {
        self.time.checked_add(self.delay(index)).unwrap_or(self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            comments_stream: "comments".to_owned(),
            bucket: "bucket".to_owned(),
            corpus_key: "corpus".to_owned(),
            rate: 10.0,
            spread_seconds: 60.0,
        }
    }

    fn plan(payload: &str, rows: usize) -> Plan {
        let now = "2026-01-05T10:00:30Z".parse().expect("a time");
        Invocation::parse(payload.as_bytes()).expect("parses").plan("request-1", now, &config(), rows).expect("plans")
    }

    const SCHEDULED: &str = r#"{"version":"0","id":"e-1","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012",
        "time":"2026-01-05T10:00:00Z","region":"eu-central-1","resources":[],"detail":{}}"#;

    #[test]
    fn a_schedule_event_sends_a_minute_of_comments_spread_over_it() {
        let plan = plan(SCHEDULED, 420);
        assert_eq!((plan.schedule_event.as_str(), plan.comments), ("e-1", 600));
        assert_eq!(plan.time(0).to_string(), "2026-01-05T10:00:00Z");
        assert_eq!(plan.time(300).to_string(), "2026-01-05T10:00:30Z");
        assert_eq!(plan.delay(599), Duration::from_millis(59_900));
    }

    #[test]
    fn the_next_minute_goes_on_where_this_one_ends() {
        let this = plan(SCHEDULED, 420);
        let next = plan(&SCHEDULED.replace("10:00:00Z", "10:01:00Z"), 420);
        assert_eq!((this.row(599) + 1) % 420, next.row(0));
    }

    #[test]
    fn rows_wrap_around_and_each_is_sent_once_before_any_is_sent_twice() {
        let plan = plan(r#"{"comments":7,"offset":3}"#, 5);
        let rows: Vec<usize> = (0..7).map(|index| plan.row(index)).collect();
        assert_eq!(rows, [3, 4, 0, 1, 2, 3, 4]);
        assert_eq!(plan.schedule_event, "request-1");
    }

    #[test]
    fn what_cant_be_planned_is_refused() {
        let refused = |payload: &str, rows| {
            let now = Timestamp::UNIX_EPOCH;
            Invocation::parse(payload.as_bytes())
                .and_then(|it| it.plan("r", now, &config(), rows))
                .expect_err("refused")
                .to_string()
        };
        assert!(refused("{}", 0).contains("CORPUS_KEY"));
        assert!(refused(r#"{"spread_seconds":-1}"#, 1).contains("0 to 840"));
        assert!(refused(r#"{"comments":-1}"#, 1).contains("\"comments\":600"));
        assert!(refused("[]", 1).contains("no invocation"));
    }
}
