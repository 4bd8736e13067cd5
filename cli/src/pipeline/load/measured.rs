//! What a load left behind, in numbers.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::{Alert, Event, Prediction};

use super::latency::Latency;
use crate::pipeline::audit::Received;
use crate::pipeline::system::{Delivered, StreamKind, System};

/// How long after it was due the last prediction may come where a rate counts as sustained: batches wait for a second.
const MAX_BEHIND: Duration = Duration::from_secs(2);
/// How late that prediction may come as a share of the whole time: what falls behind by one in twenty falls behind for
/// good.
const MAX_BEHIND_SHARE: f64 = 0.05;

/// What was measured of a load.
pub(crate) struct Measured {
    pub(crate) predictions: u64,
    /// Predictions a second, from the first comment that was due to the last prediction.
    pub(crate) reached: f64,
    /// The time from when the last comment was due to the last prediction.
    pub(crate) behind: Duration,
    pub(crate) to_prediction: Latency,
    pub(crate) to_alert: Latency,
}

impl Measured {
    /// Looks at every prediction, and at the alerts that came.
    pub(crate) async fn of<S: System>(system: &S, start: Timestamp, received: &[Received]) -> anyhow::Result<Self> {
        let (mut to_prediction, mut to_alert) = (Latency::new(), Latency::new());
        // The first prediction of a comment counts: what comes again was there before.
        let mut due: HashMap<(String, String), Timestamp> = HashMap::new();
        let (mut last, mut last_due) = (start, start);
        for record in system.records(StreamKind::Predictions).await? {
            let Ok(event) = Event::<Prediction<'_>>::decode(&record.data) else { continue };
            let of = event.data.comment_event;
            if due.insert((of.source.into_owned(), of.id.into_owned()), of.time).is_none() {
                to_prediction.note(since(of.time, record.arrived));
                last = last.max(record.arrived);
                last_due = last_due.max(of.time);
            }
        }
        for alert in received {
            if let Some(due) = due.get(&alert.comment_event) {
                to_alert.note(since(*due, alert.at));
            }
        }
        let predictions = due.len() as u64;
        let took = since(start, last).as_secs_f64();
        Ok(Measured {
            predictions,
            reached: if took > 0.0 { predictions as f64 / took } else { 0.0 },
            behind: since(last_due, last),
            to_prediction,
            to_alert,
        })
    }

    /// Whether the system kept up with `comments` that came for `time`.
    pub(crate) fn is_sustained(&self, comments: u64, time: Duration) -> bool {
        self.predictions >= comments && self.behind <= MAX_BEHIND.max(time.mul_f64(MAX_BEHIND_SHARE))
    }
}

/// What a load came to.
pub(crate) struct LoadOutcome {
    pub(crate) comments: usize,
    pub(crate) quarantined: usize,
    pub(crate) alerts: usize,
    pub(crate) measured: Measured,
    pub(crate) took: Duration,
    /// The CPU time of this process.
    pub(crate) cpu: Option<Duration>,
    pub(crate) is_sustained: bool,
    pub(crate) is_interrupted: bool,
    /// What is not as it should be, in words.
    pub(crate) wrong: Vec<String>,
}

/// Reads an alert as its subscriber got it.
pub(crate) fn received(alert: &Delivered) -> anyhow::Result<Received> {
    let event = Event::<Alert<'_>>::decode(alert.body.as_bytes())?;
    Ok(Received::of(&event, alert.at))
}

/// Two clocks may differ a little: nothing takes less than no time.
fn since(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(predictions: u64, behind: Duration) -> Measured {
        let (to_prediction, to_alert) = (Latency::new(), Latency::new());
        Measured { predictions, reached: 100.0, behind, to_prediction, to_alert }
    }

    #[test]
    fn a_rate_is_sustained_where_the_last_prediction_comes_soon_after_its_comment() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert!(measured(600, second).is_sustained(600, second));
        assert!(!measured(600, second * 3).is_sustained(600, second));
        // What waits for three seconds after a minute does not grow; what waits for four does.
        assert!(measured(600, second * 3).is_sustained(600, minute));
        assert!(!measured(600, second * 4).is_sustained(600, minute));
        assert!(!measured(599, Duration::ZERO).is_sustained(600, minute), "one has none");
    }
}
