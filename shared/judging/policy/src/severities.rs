use modstream_events::Severity;

/// The probabilities from which up an alert is more urgent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Severities {
    /// The lowest probability of high severity, 0.9 where it is not set.
    pub high: f64,
    /// The lowest probability of medium severity, 0.7 where it is not set.
    pub medium: f64,
}

impl Default for Severities {
    fn default() -> Self {
        Severities { high: 0.9, medium: 0.7 }
    }
}

impl Severities {
    /// How urgent an alert of this probability is.
    pub fn of(&self, probability: f64) -> Severity {
        if probability >= self.high {
            Severity::High
        } else if probability >= self.medium {
            Severity::Medium
        } else {
            Severity::Low
        }
    }
}
