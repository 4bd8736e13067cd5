use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use modstream_windows::{Tumbling, Windows};
use normal_form::name_key;
use proportions::{Interval, Proportion, Weighted};

use crate::Verdict;

/// The minimum of decisions to say anything about a claim.
pub const MIN_DECISIONS: u64 = 30;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What was claimed about alerts, and what moderators said.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// All alerts that are decided.
    pub all: ClaimedPrecision,
    /// Precision by subreddit, the most decided first.
    pub subreddits: Vec<(String, ClaimedPrecision)>,
    /// Precision by policy and condition.
    pub policies: Vec<(String, ClaimedPrecision)>,
    /// Precision by model, name and version.
    pub models: Vec<(String, ClaimedPrecision)>,
    /// Precision by claimed probability, in tenths.
    pub bins: Vec<(String, ClaimedPrecision)>,
    /// By the day, in UTC, on which the alert was made, the oldest first. Not by that of the decision: when moderators have time
    /// says nothing about a drift.
    pub days: Vec<(String, ClaimedPrecision)>,
    /// Precision of the alerts that labels of harm alone made, or a phrase of people who may harm themselves: of a removal nothing
    /// was claimed.
    pub beside: Proportion,
    /// Precision of the alerts that an always-alert term matched: no probability was claimed for the match.
    pub matched: Proportion,
    /// What is known of comments that met no policy and were asked about; none where there were none.
    pub explored: Option<Explored>,
}

/// Alerts that have something in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimedPrecision {
    /// Removed, of those decided.
    pub observed: Proportion,
    /// The mean of the probabilities that were claimed: so many of them should have been removed.
    pub claimed: f64,
}

/// How the claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Fewer than [`MIN_DECISIONS`] decisions.
    TooFew,
    /// The claim lies in the interval of what was observed.
    Holds,
    /// More was claimed than the interval allows.
    TooHigh,
    /// Less was claimed than the interval allows.
    TooLow,
}

/// What the explored comments say about all that did not alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Explored {
    /// The share to be removed of those asked about.
    pub missed: Proportion,
    /// How many comments they stand for: each for `1 / share`.
    pub stand_for: f64,
    /// Removed alerts where there was exploration: of the subreddits that have an explored comment, from the first on.
    pub caught: u64,
    /// How many subreddits that are.
    pub subreddits: usize,
    /// The share of all removable comments there that alerted; none where nothing was removed.
    pub recall: Option<Recall>,
}

/// A recall that is estimated from explored comments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    /// The recall, 0 to 1.
    pub share: f64,
    /// The interval in which the recall lies in 95 of 100 cases: what was caught is known, and what was missed lies in that of
    /// [`Weighted::wilson`].
    pub interval: Interval,
}

impl ClaimedPrecision {
    fn of<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> Self {
        let mut group = ClaimedPrecision { observed: Proportion::default(), claimed: 0.0 };
        for verdict in verdicts {
            group.observed.add(verdict.removed);
            group.claimed += verdict.probability;
        }
        group.claimed /= group.observed.of as f64;
        group
    }

    /// The interval of the true precision; none where nothing was decided.
    pub fn interval(&self) -> Option<Interval> {
        self.observed.wilson()
    }

    /// How the claim stands.
    pub fn claim(&self) -> Claim {
        match self.interval() {
            Some(_) if self.observed.of < MIN_DECISIONS => Claim::TooFew,
            None => Claim::TooFew,
            Some(interval) if self.claimed > interval.high => Claim::TooHigh,
            Some(interval) if self.claimed < interval.low => Claim::TooLow,
            Some(_) => Claim::Holds,
        }
    }
}

/// Compares. Matches of always-alert terms, alerts by labels of harm alone and explored comments are counted apart: for them the policy claims nothing.
pub fn live(verdicts: &[Verdict]) -> Live {
    let alerted: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.is_claimed()).collect();
    let by = |name: &dyn Fn(&Verdict) -> String| {
        let mut groups: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
        for verdict in &alerted {
            groups.entry(name(verdict)).or_default().push(verdict);
        }
        groups.into_iter().map(|(name, group)| (name, ClaimedPrecision::of(group))).collect::<Vec<_>>()
    };
    let most_first = |mut groups: Vec<(String, ClaimedPrecision)>| {
        // Stable: equal ones stay in order of their names.
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.observed.of));
        groups
    };
    Live {
        all: ClaimedPrecision::of(alerted.iter().copied()),
        subreddits: most_first(by(&|verdict| verdict.subreddit.clone().unwrap_or_else(|| "(none)".to_owned()))),
        policies: most_first(by(&|verdict| format!("{} {}", verdict.policy, verdict.condition))),
        models: most_first(by(&|verdict| {
            let short: String = verdict.model_version.chars().take(12).collect();
            format!("{} {short}", verdict.model)
        })),
        days: by_day(&alerted),
        bins: by(&|verdict| {
            let tenth = ((verdict.probability * 10.0) as u32).min(9);
            format!("{:.1}-{:.1}", f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0)
        }),
        beside: verdicts.iter().filter(|verdict| verdict.beside.is_some()).map(|verdict| verdict.removed).collect(),
        matched: verdicts.iter().filter(|verdict| verdict.matched.is_some()).map(|verdict| verdict.removed).collect(),
        explored: explored(verdicts),
    }
}

/// Precision by day of the alert. Nothing is late: all is read before a day closes.
fn by_day(alerted: &[&Verdict]) -> Vec<(String, ClaimedPrecision)> {
    let Ok(days) = Tumbling::new(DAY) else { return Vec::new() };
    let mut windows: Windows<(), Vec<&Verdict>, _> = Windows::new(days, SignedDuration::ZERO);
    for verdict in alerted {
        windows.add(&(), verdict.alerted, |day: &mut Vec<&Verdict>| day.push(verdict));
    }
    let closed = windows.advance(Timestamp::MAX).into_iter();
    closed.map(|day| (day.window.start.strftime("%Y-%m-%d").to_string(), ClaimedPrecision::of(day.value))).collect()
}

/// Caught and missed are of the same comments, or their ratio says nothing: those of subreddits where some were explored, from
/// the first of these on. Rows do not say when a share was set; the first explored comment is the earliest sign of it.
fn explored(verdicts: &[Verdict]) -> Option<Explored> {
    let subreddit = |verdict: &Verdict| verdict.subreddit.as_ref().map(|name| name_key(name).into_owned());
    let mut since: HashMap<Option<String>, Timestamp> = HashMap::new();
    let (mut missed, mut weighted) = (Proportion::default(), Weighted::default());
    for verdict in verdicts.iter().filter(|verdict| verdict.is_explored()) {
        let first = since.entry(subreddit(verdict)).or_insert(verdict.time);
        *first = verdict.time.min(*first);
        missed.add(verdict.removed);
        weighted.add(verdict.removed, 1.0 / verdict.propensity);
    }
    // None where there were none.
    let interval = weighted.wilson()?;
    let is_caught = |verdict: &&Verdict| {
        let is_there = || since.get(&subreddit(verdict)).is_some_and(|first| verdict.time >= *first);
        verdict.removed && !verdict.is_explored() && is_there()
    };
    let caught = verdicts.iter().filter(is_caught).count() as u64;
    let recall = |missed: f64| caught as f64 / (caught as f64 + missed);
    let recall = (caught > 0 || missed.part > 0).then(|| Recall {
        share: recall(weighted.part()),
        interval: Interval { low: recall(interval.high * weighted.of()), high: recall(interval.low * weighted.of()) },
    });
    Some(Explored { missed, stand_for: weighted.of(), caught, subreddits: since.len(), recall })
}
