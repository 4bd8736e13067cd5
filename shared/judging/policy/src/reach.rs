//! Whether a model can promise what a policy asks.

use modstream_events::OperatingPoint;
use modstream_rates::{BaseRate, Rates};

use crate::condition::Condition;

impl Condition {
    /// Whether the condition is about what a model promises, and not about the probability alone.
    pub fn asks_for_a_promise(&self) -> bool {
        match self {
            Condition::Probability(_) => false,
            Condition::Precision(_) | Condition::Share(_) => true,
        }
    }

    /// The best that a model of these rates promises at a base rate, where that is less than the condition asks, so that no
    /// comment can meet it; none where a comment can.
    pub fn out_of_reach(&self, rates: &Rates, base_rate: BaseRate) -> Option<OperatingPoint> {
        if !self.asks_for_a_promise() {
            return None;
        }
        // What asks for a promise compares nothing with the probability.
        match rates.lowest(base_rate, |point| self.is_met_by(f64::NAN, point)) {
            Some(_) => None,
            None => Some(rates.operating_point(rates.highest(), base_rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use modstream_rates::Rate;

    use super::*;

    /// From the highest threshold up, 30 of 100 removed comments alert and 2 of 100 kept ones.
    fn rates() -> Rates {
        let rate = |log_odds, true_positive_rate, false_positive_rate| Rate {
            log_odds,
            true_positive_rate,
            false_positive_rate,
        };
        Rates::new(vec![rate(-3.0, 1.0, 1.0), rate(2.0, 0.3, 0.02)]).expect("monotone")
    }

    #[test]
    fn a_precision_that_a_model_promises_at_no_threshold_is_out_of_reach_and_the_best_is_said() {
        let half = BaseRate::new(0.5).expect("a share");
        let rare = BaseRate::new(0.05).expect("a share");
        // 0.15 of 0.16 comments that alert, and 0.015 of 0.034.
        assert_eq!(Condition::Precision(0.93).out_of_reach(&rates(), half), None);
        let best = Condition::Precision(0.93).out_of_reach(&rates(), rare).expect("it is out of reach");
        assert!((best.precision - 0.015 / 0.034).abs() < 1e-12, "{best:?}");
        assert!((best.base_rate - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_share_below_the_least_that_alerts_is_out_of_reach_and_a_probability_never_is() {
        let half = BaseRate::new(0.5).expect("a share");
        assert_eq!(Condition::Share(0.2).out_of_reach(&rates(), half), None);
        let best = Condition::Share(0.1).out_of_reach(&rates(), half).expect("it is out of reach");
        assert!((best.share - 0.16).abs() < 1e-12, "{best:?}");
        assert_eq!(Condition::Probability(1.0).out_of_reach(&rates(), half), None);
    }
}
