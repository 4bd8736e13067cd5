//! What latency is to be: `p99=2s`.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

use super::latency::{Latency, Share};

/// A latency objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slo {
    to: To,
    share: Share,
    most: Duration,
}

/// Where a latency ends. It begins when a comment is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Prediction,
    Alert,
}

impl Slo {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let form =
            || "an objective is p50, p95, p99 or max and a time, such as p99=2s or prediction.p95=500ms".to_owned();
        let (what, most) = text.split_once('=').ok_or_else(form)?;
        let (to, share) = match what.split_once('.') {
            Some(("prediction", share)) => (To::Prediction, share),
            Some(("alert", share)) => (To::Alert, share),
            Some(_) => return Err(form()),
            None => (To::Alert, what),
        };
        let share = Share::ALL.into_iter().find(|known| known.name() == share).ok_or_else(form)?;
        let most: SignedDuration = most.parse().map_err(|_| form())?;
        let most = Duration::try_from(most).ok().filter(|most| !most.is_zero()).ok_or_else(form)?;
        Ok(Slo { to, share, most })
    }

    /// Says by how much the objective is missed; none where it is met.
    pub(crate) fn missed(&self, prediction: &Latency, alert: &Latency) -> Option<String> {
        let latency = match self.to {
            To::Prediction => prediction,
            To::Alert => alert,
        };
        match latency.at(self.share) {
            None => Some(format!("{self}: there was none to measure")),
            Some(found) if found > self.most => Some(format!("{self}: it is {found:.3?}")),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.to {
            To::Prediction => "prediction",
            To::Alert => "alert",
        };
        write!(to, "{end}.{}={:?}", self.share.name(), self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(milliseconds: &[u64]) -> Latency {
        let mut latency = Latency::new();
        milliseconds.iter().for_each(|&it| latency.note(Duration::from_millis(it)));
        latency
    }

    #[test]
    fn an_objective_holds_up_to_its_time() {
        let (fast, slow) = (latency(&[10; 100]), latency(&[3_000; 100]));
        let p99 = Slo::parse("p99=2s").expect("reads");
        assert_eq!(p99, Slo::parse("alert.p99=2000ms").expect("reads"));
        assert_eq!(p99.missed(&slow, &fast), None);
        let missed = p99.missed(&fast, &slow).expect("missed");
        assert!(missed.starts_with("alert.p99=2s: it is 3.0"), "{missed}");
        let prediction = Slo::parse("prediction.max=2s").expect("reads");
        assert_eq!(prediction.missed(&fast, &slow), None);
        assert!(prediction.missed(&slow, &fast).is_some());
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let missed = Slo::parse("p50=1s").expect("reads").missed(&latency(&[1]), &latency(&[]));
        assert_eq!(missed.expect("missed"), "alert.p50=1s: there was none to measure");
    }

    #[test]
    fn what_is_no_objective_is_refused_with_an_example() {
        for text in ["p99", "p98=1s", "p99=2", "p99=-1s", "p99=0s", "model.p99=1s", "=1s"] {
            assert!(Slo::parse(text).expect_err(text).contains("such as p99=2s"), "{text}");
        }
    }
}
