use plain_text::{agree, counted};
use proportions::Proportion;

use crate::{MIN_DECISIONS, Verdict};

/// A threshold that kept a promised precision so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suggestion {
    /// Alert from this probability up. It has four decimals, and all other numbers are of what lies from exactly there up.
    pub probability: f64,
    /// Removed, of those decided from there up.
    pub observed: Proportion,
    /// The share of the decided alerts that it keeps.
    pub kept: f64,
    /// Whether even the least probable alert keeps the promise: then a lower threshold might, too, and nobody knows, since
    /// nothing below was asked about.
    pub at_the_end: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NoSuggestion {
    /// There are not enough decisions.
    #[error(
        "{} about alerts {} too few: {MIN_DECISIONS} are the least to say anything; once moderators have decided more, run `modstream decisions pull` again",
        counted(*found, "decision"),
        agree(*found, "is", "are")
    )]
    TooFew {
        /// How many there are.
        found: u64,
    },
    /// No threshold keeps it.
    #[error(
        "no threshold keeps a precision of {promised}: the best is {best:.2} at its interval's lower end, from a probability of {probability:.3} up; ask for less, or come back with more decisions"
    )]
    NoThreshold {
        /// What was to be kept.
        promised: f64,
        /// The best lower end.
        best: f64,
        /// The probability from which that holds.
        probability: f64,
    },
}

/// The verdicts of the model version in use, and how many others there are: that of the newest alert. Decisions do not tell it, a
/// backlog of the version before may be decided last. A probability means something for the model that claimed it alone.
pub fn of_newest_model(mut verdicts: Vec<Verdict>) -> (Vec<Verdict>, usize) {
    let all = verdicts.len();
    let newest = verdicts.iter().max_by_key(|verdict| (verdict.alerted, verdict.decided));
    if let Some(version) = newest.map(|verdict| verdict.model_version.clone()) {
        verdicts.retain(|verdict| verdict.model_version == version);
    }
    let others = all - verdicts.len();
    (verdicts, others)
}

/// The largest number of four decimals that is no larger: what is from here up is from there up.
fn four_decimals(probability: f64) -> f64 {
    let near = (probability * 1e4).floor();
    // Products and quotients are rounded: the next one may do, or the one before.
    let fits = [near + 1.0, near].map(|number| number / 1e4).into_iter().find(|number| *number <= probability);
    fits.unwrap_or((near - 1.0) / 1e4)
}

/// The lowest probability from which up the decisions so far have a precision that is, at the lower end of its 95 % interval,
/// at least `promised`. Explored comments, matches of always-alert terms and alerts by labels of harm alone are left out.
///
/// # Errors
/// Where there are too few decisions, or no such probability.
pub fn suggest<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>, promised: f64) -> Result<Suggestion, NoSuggestion> {
    let asked = verdicts.into_iter().filter(|verdict| verdict.is_claimed());
    let mut decided: Vec<(f64, bool)> =
        asked.map(|verdict| (four_decimals(verdict.probability), verdict.removed)).collect();
    let found = decided.len() as u64;
    if found < MIN_DECISIONS {
        return Err(NoSuggestion::TooFew { found });
    }
    decided.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut from_here_up = Proportion::default();
    let mut suggestion = None;
    let mut best = (0.0, 1.0);
    for (place, (probability, removed)) in decided.iter().enumerate() {
        from_here_up.add(*removed);
        // All of one probability alert, or none.
        let is_step = decided.get(place + 1).is_none_or(|next| next.0 < *probability);
        if !is_step || from_here_up.of < MIN_DECISIONS {
            continue;
        }
        let low = from_here_up.wilson().map_or(0.0, |interval| interval.low);
        if low > best.0 {
            best = (low, *probability);
        }
        if low >= promised {
            suggestion = Some(Suggestion {
                probability: *probability,
                observed: from_here_up,
                kept: from_here_up.of as f64 / found as f64,
                at_the_end: from_here_up.of == found,
            });
        }
    }
    suggestion.ok_or(NoSuggestion::NoThreshold { promised, best: best.0, probability: best.1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_of_four_decimals_is_itself() {
        for number in (0..=10_000).map(|number| f64::from(number) / 1e4) {
            assert_eq!(four_decimals(number), number);
            let below = f64::from_bits(number.to_bits().saturating_sub(1));
            assert!(four_decimals(below) <= below && number - four_decimals(below) < 1.01e-4, "{below}");
        }
    }

    proptest! {
        #[test]
        fn the_same_probabilities_lie_above(one in 0.0..1.0_f64, other in 0.0..1.0_f64) {
            prop_assert!(four_decimals(one) <= one && one - four_decimals(one) < 1.01e-4);
            prop_assert_eq!(one >= four_decimals(other), four_decimals(one) >= four_decimals(other));
        }
    }
}
