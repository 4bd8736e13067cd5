use modstream_events::Severity;

/// From which probability up an alert is how urgent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Severities {
    /// High from here, 0.9 where it is not set.
    pub high: f64,
    /// Medium from here, 0.7 where it is not set.
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
