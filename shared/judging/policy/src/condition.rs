//! Which predictions alert.

use std::fmt;
use std::str::FromStr;

use modstream_events::{OperatingPoint, PolicyRef, Prediction};

/// A named condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The policy's name. It is part of an alert's id: under another name the same comment alerts again.
    pub name: String,
    /// The condition that a prediction must meet.
    pub condition: Condition,
}

/// What a prediction must meet. Each condition compares one field of the prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// `0.8`: the probability is at least this.
    Probability(f64),
    /// `precision>=0.9`: alerting from this probability up has at least this precision.
    Precision(f64),
    /// `share<=0.05`: alerting from this probability up alerts on at most this share of comments.
    Share(f64),
}

/// A text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no policy: write a probability such as `0.8`, or `precision>=0.9`, or `share<=0.05` (numbers from 0 to 1)"
)]
pub struct PolicyError(String);

impl Policy {
    /// The policy that a text names, called `default`.
    ///
    /// # Errors
    /// [`PolicyError`] where the text is no condition.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Ok(Policy { name: "default".to_owned(), condition: text.parse()? })
    }

    /// Whether a prediction alerts.
    pub fn is_met_by(&self, prediction: &Prediction<'_>) -> bool {
        self.condition.is_met_by(prediction.probability, &prediction.operating_point)
    }

    /// How alerts name the policy.
    pub fn to_ref(&self) -> PolicyRef<'_> {
        PolicyRef { name: self.name.as_str().into(), condition: self.condition.to_string().into() }
    }
}

impl Condition {
    /// Whether a comment of this probability and operating point alerts.
    pub fn is_met_by(&self, probability: f64, point: &OperatingPoint) -> bool {
        match *self {
            Condition::Probability(least) => probability >= least,
            Condition::Precision(least) => point.precision >= least,
            Condition::Share(most) => point.share <= most,
        }
    }
}

impl FromStr for Condition {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let condition: (fn(f64) -> Condition, &str) = if let Some(least) = plain.strip_prefix("precision>=") {
            (Condition::Precision, least)
        } else if let Some(most) = plain.strip_prefix("share<=") {
            (Condition::Share, most)
        } else {
            (Condition::Probability, plain.strip_prefix("probability>=").unwrap_or(&plain))
        };
        match condition.1.parse::<f64>() {
            Ok(number) if (0.0..=1.0).contains(&number) => Ok(condition.0(number)),
            _ => Err(PolicyError(text.to_owned())),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Probability(least) => write!(to, "probability>={least}"),
            Condition::Precision(least) => write!(to, "precision>={least}"),
            Condition::Share(most) => write!(to, "share<={most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_policy_is_a_probability_a_precision_or_a_share() {
        for (text, condition) in [
            ("0.8", Condition::Probability(0.8)),
            (" 1 ", Condition::Probability(1.0)),
            ("probability>=0.5", Condition::Probability(0.5)),
            ("precision>=0.9", Condition::Precision(0.9)),
            ("precision >= .9", Condition::Precision(0.9)),
            ("share<=0.05", Condition::Share(0.05)),
        ] {
            assert_eq!(text.parse(), Ok(condition), "{text}");
        }
        assert_eq!(Policy::parse("0.8").map(|policy| policy.name), Ok("default".to_owned()));
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in [
            "",
            "2",
            "-0.1",
            "NaN",
            "precision>0.9",
            "precision<=0.9",
            "share>=0.05",
            "recall>=0.5",
            "80%",
            "share<=",
            "inf",
        ] {
            let error = text.parse::<Condition>().expect_err(text).to_string();
            assert!(error.contains("precision>=0.9"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_condition_reads_as_it_is_written(number in 0.0..=1.0_f64, kind in 0..3) {
            let condition = [Condition::Probability, Condition::Precision, Condition::Share][kind as usize](number);
            prop_assert_eq!(condition.to_string().parse(), Ok(condition));
        }
    }
}
