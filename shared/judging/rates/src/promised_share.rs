use proportions::Proportion;

/// The shares that are compared.
const SHARES: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];
/// The fewest comments that must be promised to reach a threshold, for a share of theirs to say something.
const MIN_PROMISED_COMMENTS: f64 = 20.0;
/// How many times as many or as few comments may reach a threshold, for its promise to count as held.
const WITHIN: f64 = 1.25;

/// How many comments reach the thresholds that promised shares of all comments reach. It needs no verdict: of the community that a
/// model was trained on, the share that an operating point promises is spread evenly from 0 to 1, so that a twentieth of all comments
/// has one of 0.05 or less. Where many more have, the model does not know these comments, and its precision holds no better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromisedShares {
    comments: u64,
    reached: [u64; SHARES.len()],
}

/// A promised share, and the share that was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromisedShare {
    /// The share that is promised.
    pub promised: f64,
    /// The comments that reach it.
    pub seen: Proportion,
    /// Whether the promise holds.
    pub held: Held,
}

/// Whether a promise about shares holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Too few comments are promised to reach the threshold.
    TooFew,
    /// About as many do as are promised, or chance explains the difference.
    Holds,
    /// A good deal more do.
    More,
    /// A good deal fewer do.
    Fewer,
}

impl PromisedShares {
    /// Counts a comment by the share that its operating point promises.
    pub fn add(&mut self, share: f64) {
        self.comments += 1;
        for (reached, promised) in self.reached.iter_mut().zip(SHARES) {
            *reached += u64::from(share <= promised);
        }
    }

    /// Each promised share with what was seen of it, rising.
    pub fn all(&self) -> [PromisedShare; SHARES.len()] {
        std::array::from_fn(|index| {
            let (promised, seen) = (SHARES[index], Proportion { part: self.reached[index], of: self.comments });
            PromisedShare { promised, seen, held: held(promised, seen) }
        })
    }

    /// The promise that is broken by the most, where one is.
    pub fn broken(&self) -> Option<PromisedShare> {
        let factor = |it: &PromisedShare| (it.seen.share().max(f64::MIN_POSITIVE) / it.promised).ln().abs();
        let broken = self.all().into_iter().filter(|it| matches!(it.held, Held::More | Held::Fewer));
        broken.max_by(|a, b| factor(a).total_cmp(&factor(b)))
    }
}

fn held(promised: f64, seen: Proportion) -> Held {
    match seen.wilson() {
        Some(_) if promised * (seen.of as f64) < MIN_PROMISED_COMMENTS => Held::TooFew,
        None => Held::TooFew,
        Some(interval) if interval.low > promised && seen.share() > promised * WITHIN => Held::More,
        Some(interval) if interval.high < promised && seen.share() < promised / WITHIN => Held::Fewer,
        Some(_) => Held::Holds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shares: impl Iterator<Item = f64>) -> PromisedShares {
        let mut counted = PromisedShares::default();
        shares.for_each(|share| counted.add(share));
        counted
    }

    #[test]
    fn shares_that_are_spread_evenly_keep_the_promise_and_others_break_it() {
        let even = of((0..2_000).map(|number| (f64::from(number) + 0.5) / 2_000.0));
        assert!(even.all().iter().all(|it| it.held == Held::Holds), "{even:?}");
        assert_eq!(even.broken(), None);

        // A quarter of the comments of another community score as the surest twentieth did.
        let other = of((0..2_000).map(|number| ((f64::from(number) + 0.5) / 2_000.0).powi(2)));
        let at = |promised: f64| other.all().into_iter().find(|it| it.promised == promised).expect("one");
        assert_eq!((at(0.05).held, at(0.05).seen.part), (Held::More, 447));
        assert_eq!(other.broken().map(|it| it.promised), Some(0.01));

        let calm = of((0..2_000).map(|number| 0.04 + f64::from(number) / 2_100.0));
        assert!(calm.all().iter().any(|it| it.held == Held::Fewer), "{calm:?}");
    }

    #[test]
    fn of_few_comments_nothing_is_said() {
        let few = of((0..90).map(|_| 0.001));
        let held: Vec<Held> = few.all().iter().map(|it| it.held).collect();
        // A fifth of 90 is 18.
        assert_eq!(held, [Held::TooFew; 5]);
        assert_eq!(PromisedShares::default().broken(), None);
    }
}
