//! Which digests a window gives, and what they cover. Pure.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use modstream_events::{Alert, Event, Severity};
use modstream_ledger::digests::{Digest, Late, MAX_NAMED, WithheldCount};
use modstream_ledger::{AlertKey, Entry, Kind, Listed, Urgency};
use modstream_windows::{Tumbling, Window, Windows};

use crate::DigestRules;

/// An alert that no digest covers yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The alert's name.
    pub alert: AlertKey,
    /// The comment's subreddit.
    pub subreddit: Option<String>,
    /// When the alert was made.
    pub time: Timestamp,
    /// The severity.
    pub severity: Severity,
    /// The probability that a moderator would remove the comment.
    pub probability: f64,
    /// What orders it among others.
    pub urgency: Urgency,
    /// Whether the comment meets no policy, and is asked about all the same.
    pub is_exploration: bool,
    /// Why the alert was held back, where it was.
    pub withheld: Option<modstream_ledger::Withheld>,
}

impl Candidate {
    /// What a list of alerts says of one; none of a probe, which is in no digest.
    pub(crate) fn listed(listed: Listed) -> Option<Self> {
        let Listed { key, made, kind, subreddit, severity, probability, urgency, withheld } = listed;
        let is_exploration = match kind {
            Kind::Alert => false,
            Kind::Exploration => true,
            Kind::Probe => return None,
        };
        Some(Candidate { alert: key, subreddit, time: made, severity, probability, urgency, is_exploration, withheld })
    }

    /// What the ledger has of an alert by now; none of one whose comment has another text since, or is gone.
    pub(crate) fn waiting(entry: &Entry) -> Option<Self> {
        let event: Event<'_, Alert<'_>> = Event::decode(&entry.event).ok().filter(|_| entry.is_open())?;
        Candidate::listed(Listed {
            key: entry.key.clone(),
            made: entry.made,
            kind: entry.kind,
            subreddit: event.data.comment.subreddit.as_deref().filter(|name| !name.is_empty()).map(str::to_owned),
            severity: entry.severity,
            probability: event.data.probability,
            urgency: entry.urgency,
            withheld: entry.withheld().cloned(),
        })
    }

    /// The comment's subreddit; the empty name stands for none.
    pub(crate) fn subreddit(&self) -> &str {
        self.subreddit.as_deref().unwrap_or_default()
    }

    /// The order in which a digest has its alerts: the strongest first, somebody in need before all.
    pub(crate) fn by_strength(&self, other: &Self) -> Ordering {
        let strength = |candidate: &Self| candidate.urgency.strength(candidate.probability);
        strength(other).total_cmp(&strength(self)).then_with(|| self.alert.id.cmp(&other.alert.id))
    }
}

/// For when a run was scheduled, and what its windows are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The time that the schedule called for. A repeat's is the same.
    pub scheduled_for: Timestamp,
    /// How time is cut.
    pub windowing: Tumbling,
    /// How long a window waits.
    pub allowed_lateness: SignedDuration,
}

impl Run {
    /// The newest window that is complete.
    pub fn window(&self) -> Window {
        self.windowing.ended_by(self.scheduled_for.checked_sub(self.allowed_lateness).unwrap_or(Timestamp::MIN))
    }
}

/// The digests of a run's window, one a subreddit that has something to say, in order of their names.
///
/// A subreddit's digest covers its alerts of the window, and what is left of earlier ones: it came late, or waited for the end
/// of quiet hours. Explorations alone make no digest; they go with the next that there is.
pub fn build(run: Run, candidates: &[Candidate], rules: &impl Fn(&str, Timestamp) -> DigestRules) -> Vec<Digest> {
    let window = run.window();
    let mut windows: Windows<Option<&str>, Vec<&Candidate>, _> = Windows::new(run.windowing, SignedDuration::ZERO);
    // The windows before this one were closed by runs before.
    windows.advance(window.start);
    let mut late: BTreeMap<Option<&str>, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let subreddit = candidate.subreddit.as_deref();
        if windows.add(&subreddit, candidate.time, |all| all.push(candidate)).late > 0 {
            late.entry(subreddit).or_default().push(candidate);
        }
    }
    let mut all: BTreeMap<Option<&str>, (Vec<&Candidate>, Vec<&Candidate>)> = BTreeMap::new();
    for closed in windows.advance(window.end) {
        all.entry(closed.key).or_default().0 = closed.value;
    }
    for (subreddit, late) in late {
        all.entry(subreddit).or_default().1 = late;
    }
    let may_have_one = |subreddit: &Option<&str>| {
        let DigestRules { quiet, leave_out } = rules(subreddit.unwrap_or_default(), run.scheduled_for);
        !quiet && !leave_out
    };
    let subreddits = all.into_iter().filter(|(subreddit, _)| may_have_one(subreddit));
    subreddits
        .filter_map(|(subreddit, (of_window, late))| {
            let was_quiet = |candidate: &Candidate| {
                let end = run.windowing.window(candidate.time).end;
                let own_run = end.checked_add(run.allowed_lateness).unwrap_or(end);
                rules(subreddit.unwrap_or_default(), own_run).quiet
            };
            digest_of(subreddit, window, &of_window, &late, was_quiet)
        })
        .collect()
}

fn digest_of(
    subreddit: Option<&str>,
    window: Window,
    of_window: &[&Candidate],
    late: &[&Candidate],
    was_quiet: impl Fn(&Candidate) -> bool,
) -> Option<Digest> {
    let both = || of_window.iter().chain(late).copied();
    let mut alerts: Vec<&Candidate> = both().filter(|candidate| !candidate.is_exploration).collect();
    let severity = alerts.iter().map(|candidate| candidate.severity).max()?;
    let by_strength = |one: &&Candidate, other: &&Candidate| one.by_strength(other);
    alerts.sort_unstable_by(by_strength);
    let mut explorations: Vec<&Candidate> = both().filter(|candidate| candidate.is_exploration).collect();
    explorations.sort_unstable_by(by_strength);

    let mut withheld: BTreeMap<(_, &str), usize> = BTreeMap::new();
    for why in alerts.iter().filter_map(|candidate| candidate.withheld.as_ref()) {
        *withheld.entry((why.reason, why.detail.as_str())).or_default() += 1;
    }
    let (waited, late): (Vec<&Candidate>, Vec<&Candidate>) =
        late.iter().filter(|candidate| !candidate.is_exploration).partition(|candidate| was_quiet(candidate));
    let oldest = late.iter().map(|candidate| candidate.time).min();
    let named = |all: &[&Candidate]| all.iter().take(MAX_NAMED).map(|candidate| candidate.alert.clone()).collect();
    Some(Digest {
        subreddit: subreddit.map(str::to_owned),
        start: window.start,
        end: window.end,
        severity,
        withheld: withheld
            .into_iter()
            .map(|((reason, detail), count)| WithheldCount { reason, detail: detail.to_owned(), count })
            .collect(),
        late: oldest.map(|oldest| Late { count: late.len(), oldest }),
        from_quiet_hours: waited.len(),
        count: alerts.len(),
        alerts: named(&alerts),
        exploration_count: explorations.len(),
        explorations: named(&explorations),
    })
}
