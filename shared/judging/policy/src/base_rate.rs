use modstream_events::{OperatingPoint, Prediction};

/// What a prediction says where another share of comments is removed.
///
/// With the model's base rate *b* and the rule's *b'*, the prediction's recall *r* and share of alerts *s*:
///
/// - the true positive rate is *r*, and since *s* = *b* *r* + (1 - *b*) *f*, the false positive rate is
///   *f* = (*s* - *b* *r*) / (1 - *b*). Neither depends on how many comments are removed.
/// - So the share of alerts is *s'* = *b'* *r* + (1 - *b'*) *f*, and the precision *b'* *r* / *s'*.
/// - The log-odds move by ln(*b'* / (1 - *b'*)) - ln(*b* / (1 - *b*)), the prior's part of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtBaseRate {
    /// The probability that a moderator would remove the comment there.
    pub probability: f64,
    /// The probability's log-odds.
    pub log_odds: f64,
    /// What alerting from this probability up gives there.
    pub operating_point: OperatingPoint,
}

impl AtBaseRate {
    /// The prediction at this base rate; unchanged where no base rate is given, or the prediction's own is no share.
    pub fn of(prediction: &Prediction<'_>, base_rate: Option<f64>) -> Self {
        let Prediction { probability, log_odds, operating_point, .. } = *prediction;
        let as_it_is = AtBaseRate { probability, log_odds, operating_point };
        let is_share = |share: f64| share > 0.0 && share < 1.0;
        let OperatingPoint { recall, share, base_rate: own, .. } = operating_point;
        let Some(wanted) = base_rate.filter(|wanted| *wanted != own && is_share(*wanted) && is_share(own)) else {
            return as_it_is;
        };
        let false_positive_rate = ((share - own * recall) / (1.0 - own)).clamp(0.0, 1.0);
        let caught = wanted * recall;
        let share = caught + (1.0 - wanted) * false_positive_rate;
        // Where nothing alerts, no alert is wrong.
        let precision = if share > 0.0 { caught / share } else { operating_point.precision };
        let logit = |share: f64| (share / (1.0 - share)).ln();
        let log_odds = log_odds + logit(wanted) - logit(own);
        AtBaseRate {
            probability: 1.0 / (1.0 + (-log_odds).exp()),
            log_odds,
            operating_point: OperatingPoint { precision, recall, share, base_rate: wanted },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tests::prediction;
    use proptest::prelude::*;

    /// A prediction as a model makes it: precision and share follow from the rates.
    fn from_rates(log_odds: f64, recall: f64, false_positive_rate: f64, base_rate: f64) -> Prediction<'static> {
        let share = base_rate * recall + (1.0 - base_rate) * false_positive_rate;
        let mut made = prediction("text");
        made.log_odds = log_odds;
        made.probability = 1.0 / (1.0 + (-log_odds).exp());
        made.operating_point = OperatingPoint { precision: base_rate * recall / share, recall, share, base_rate };
        made
    }

    /// 0.3 of the removed and 0.02 of the kept alert: at a half, 15 of 16 alerts are right.
    #[test]
    fn precision_is_as_computed_by_hand() {
        let at_half = AtBaseRate::of(&from_rates(0.0, 0.3, 0.02, 0.05), Some(0.5));
        let OperatingPoint { precision, recall, share, base_rate } = at_half.operating_point;
        assert!((precision - 0.3 / 0.32).abs() < 1e-12 && (share - 0.16).abs() < 1e-12);
        assert_eq!((recall, base_rate), (0.3, 0.5));
        // From odds of 1 to 19 up to even: what was a half is 0.95.
        assert!((at_half.probability - 0.95).abs() < 1e-12, "{}", at_half.probability);
    }

    #[test]
    fn what_is_no_base_rate_changes_nothing() {
        let mut broken = from_rates(1.0, 0.3, 0.02, 0.3);
        for wanted in [None, Some(0.0), Some(1.0), Some(f64::NAN)] {
            assert_eq!(AtBaseRate::of(&broken, wanted).operating_point, broken.operating_point);
        }
        broken.operating_point.base_rate = 1.0;
        assert_eq!(AtBaseRate::of(&broken, Some(0.5)).operating_point, broken.operating_point);
    }

    proptest! {
        #[test]
        fn at_its_own_base_rate_a_prediction_is_what_it_is_and_there_and_back_again(
            log_odds in -6.0..6.0_f64, recall in 0.01..1.0_f64, of_recall in 0.001..1.0_f64,
            own in 0.001..0.999_f64, wanted in 0.001..0.999_f64,
        ) {
            let made = from_rates(log_odds, recall, recall * of_recall, own);
            prop_assert_eq!(AtBaseRate::of(&made, Some(own)).operating_point, made.operating_point);
            let there = AtBaseRate::of(&made, Some(wanted));
            let mut moved = made.clone();
            (moved.probability, moved.log_odds, moved.operating_point) =
                (there.probability, there.log_odds, there.operating_point);
            let back = AtBaseRate::of(&moved, Some(own));
            prop_assert!((back.log_odds - log_odds).abs() < 1e-9);
            prop_assert!((back.operating_point.precision - made.operating_point.precision).abs() < 1e-9);
            prop_assert!((back.operating_point.share - made.operating_point.share).abs() < 1e-9);
        }

        #[test]
        fn where_fewer_are_removed_precision_and_probability_are_lower(
            log_odds in -6.0..6.0_f64, recall in 0.01..1.0_f64, of_recall in 0.001..1.0_f64,
            own in 0.01..0.99_f64, one in 0.01..0.99_f64, other in 0.01..0.99_f64,
        ) {
            let made = from_rates(log_odds, recall, recall * of_recall, own);
            let [low, high] = [one.min(other), one.max(other)].map(|rate| AtBaseRate::of(&made, Some(rate)));
            prop_assert!(low.operating_point.precision <= high.operating_point.precision + 1e-12);
            prop_assert!(low.probability <= high.probability + 1e-12);
            prop_assert!((0.0..=1.0).contains(&low.operating_point.precision));
            prop_assert!((0.0..=1.0).contains(&high.operating_point.share));
        }
    }
}
