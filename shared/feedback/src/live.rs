use std::collections::BTreeMap;

use proportions::{Interval, Proportion};

use crate::Verdict;

/// With fewer decisions nothing is said about a claim.
pub const FEWEST: u64 = 30;

/// What was claimed about alerts, and what moderators said.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// All alerts that are decided.
    pub all: Group,
    /// By subreddit, the most decided first.
    pub subreddits: Vec<(String, Group)>,
    /// By policy and condition.
    pub policies: Vec<(String, Group)>,
    /// By model, name and version.
    pub models: Vec<(String, Group)>,
    /// By claimed probability, in tenths.
    pub bins: Vec<(String, Group)>,
    /// Those that an always-alert term matched: no probability was claimed for the match.
    pub matched: Proportion,
    /// Those that met no policy and were asked about; none where there were none.
    pub explored: Option<Explored>,
}

/// Alerts that have something in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Removed, of those decided.
    pub observed: Proportion,
    /// The mean of the probabilities that were claimed: so many of them should have been removed.
    pub claimed: f64,
}

/// How the claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Fewer than [`FEWEST`] decisions.
    TooFew,
    /// It lies in the interval of what was observed.
    Holds,
    /// More was claimed than the interval allows.
    TooHigh,
    /// Less was claimed than the interval allows.
    TooLow,
}

/// What the explored comments say about all that did not alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explored {
    /// To be removed, of those asked about.
    pub missed: Proportion,
    /// How many comments they stand for: each for `1 / share`.
    pub stand_for: f64,
    /// The share of all removable comments that alerted, estimated from them.
    pub recall: f64,
}

impl Group {
    fn of<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> Self {
        let mut group = Group { observed: Proportion::default(), claimed: 0.0 };
        for verdict in verdicts {
            group.observed.add(verdict.removed);
            group.claimed += verdict.probability;
        }
        group.claimed /= group.observed.of as f64;
        group
    }

    /// Where the true precision lies; none of none.
    pub fn interval(&self) -> Option<Interval> {
        self.observed.wilson()
    }

    /// How the claim stands.
    pub fn claim(&self) -> Claim {
        match self.interval() {
            Some(_) if self.observed.of < FEWEST => Claim::TooFew,
            None => Claim::TooFew,
            Some(interval) if self.claimed > interval.high => Claim::TooHigh,
            Some(interval) if self.claimed < interval.low => Claim::TooLow,
            Some(_) => Claim::Holds,
        }
    }
}

/// Compares. Matches of always-alert terms and explored comments are counted apart: for them the policy claims nothing.
pub fn live(verdicts: &[Verdict]) -> Live {
    let alerted: Vec<&Verdict> =
        verdicts.iter().filter(|verdict| !verdict.is_explored() && verdict.matched.is_none()).collect();
    let by = |name: &dyn Fn(&Verdict) -> String| {
        let mut groups: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
        for verdict in &alerted {
            groups.entry(name(verdict)).or_default().push(verdict);
        }
        groups.into_iter().map(|(name, group)| (name, Group::of(group))).collect::<Vec<_>>()
    };
    let most_first = |mut groups: Vec<(String, Group)>| {
        // Stable: equal ones stay in order of their names.
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.observed.of));
        groups
    };
    Live {
        all: Group::of(alerted.iter().copied()),
        subreddits: most_first(by(&|verdict| verdict.subreddit.clone().unwrap_or_else(|| "(none)".to_owned()))),
        policies: most_first(by(&|verdict| format!("{} {}", verdict.policy, verdict.condition))),
        models: most_first(by(&|verdict| {
            let short: String = verdict.model_version.chars().take(12).collect();
            format!("{} {short}", verdict.model)
        })),
        bins: by(&|verdict| {
            let tenth = ((verdict.probability * 10.0) as u32).min(9);
            format!("{:.1}-{:.1}", f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0)
        }),
        matched: verdicts.iter().filter(|verdict| verdict.matched.is_some()).map(|verdict| verdict.removed).collect(),
        explored: explored(verdicts, &alerted),
    }
}

fn explored(verdicts: &[Verdict], alerted: &[&Verdict]) -> Option<Explored> {
    let asked: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.is_explored()).collect();
    if asked.is_empty() {
        return None;
    }
    let weight = |verdict: &&&Verdict| 1.0 / verdict.propensity;
    let caught = alerted.iter().filter(|verdict| verdict.removed).count() as f64;
    let missed: f64 = asked.iter().filter(|verdict| verdict.removed).map(|verdict| weight(&verdict)).sum();
    Some(Explored {
        missed: asked.iter().map(|verdict| verdict.removed).collect(),
        stand_for: asked.iter().map(|verdict| weight(&verdict)).sum(),
        recall: caught / (caught + missed),
    })
}
