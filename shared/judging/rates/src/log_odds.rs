/// Log-odds: ln(p / (1 - p)).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct LogOdds(pub f64);

impl LogOdds {
    /// The log-odds of a probability between 0 and 1, both excluded for a finite result.
    pub fn of(probability: f64) -> Self {
        LogOdds((probability / (1.0 - probability)).ln())
    }

    /// The probability, from 0 to 1.
    pub fn probability(self) -> f64 {
        if self.0 >= 0.0 {
            1.0 / (1.0 + (-self.0).exp())
        } else {
            let odds = self.0.exp();
            odds / (1.0 + odds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probability_and_log_odds_are_each_others_inverse_also_far_out() {
        for log_odds in [-700.0, -30.0, -1.0, 0.0, 1.0, 30.0] {
            let probability = LogOdds(log_odds).probability();
            assert!((0.0..=1.0).contains(&probability));
            assert!((LogOdds::of(probability).0 - log_odds).abs() < 1e-2 * log_odds.abs().max(1.0), "{log_odds}");
        }
        assert_eq!(LogOdds(f64::INFINITY).probability(), 1.0);
        assert_eq!(LogOdds(f64::NEG_INFINITY).probability(), 0.0);
    }
}
