use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use modstream_events::{Action, Alert, Event};
use modstream_ledger::{AlertKey, Kind, decided_since};
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::Table;
use proportions::Proportion;

use crate::{Log, Recorded, item};

/// The reason of alerts about people who may harm themselves, whatever they said.
const IN_NEED: Cow<'_, str> = Cow::Borrowed("possible self-harm");

/// What is counted of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The comment's subreddit; empty where it has none.
    pub subreddit: String,
    /// The policy's name and condition.
    pub policy: String,
    /// That somebody may harm themselves, the always-alert term that was why, the label that alerts first, or the first word that
    /// speaks for removal; empty where there is none.
    pub reason: String,
    /// When the alert was made.
    pub alerted: Timestamp,
    /// What kind of question it was: the probe counts nowhere.
    pub kind: Kind,
}

impl Subject {
    /// Takes what counts from an alert.
    pub fn of(alert: &Event<'_, Alert<'_>>) -> Self {
        let Alert { comment, policy, terms, matched, meets, self_harm, .. } = &alert.data;
        let strongest =
            terms.iter().find(|term| term.contribution > 0.0 && term.form().is_none()).map(|term| &term.term);
        let label = meets.as_ref().and_then(|meets| meets.labels.first());
        let in_need = self_harm.as_ref().map(|_| &IN_NEED);
        let text = |text: Option<&Cow<'_, str>>| text.map(ToString::to_string).unwrap_or_default();
        Subject {
            subreddit: text(comment.subreddit.as_ref()),
            policy: format!("{}, {}", policy.name, policy.condition),
            reason: text(in_need.or(matched.as_ref()).or(label).or(strongest)),
            alerted: alert.time,
            kind: Kind::of(&alert.data),
        }
    }
}

/// Alerts that have something in common, and how many of them moderators removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPrecision {
    /// What they have in common.
    pub name: String,
    /// Removed, of those decided about.
    pub precision: Proportion,
}

/// What decisions add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Removed, of those decided about: the live precision. Probes and explorations are not in it.
    pub precision: Proportion,
    /// The same by subreddit, the most decided first; so are the next two.
    pub by_subreddit: Vec<NamedPrecision>,
    /// The decisions by policy.
    pub by_policy: Vec<NamedPrecision>,
    /// The decisions by reason.
    pub by_reason: Vec<NamedPrecision>,
    /// Decisions that no other moderator took back, of all. Whoever came second and was told of a decision that stands is not
    /// counted: their wish is not recorded.
    pub agreement: Proportion,
    /// The median time from an alert to the first decision about it.
    pub time_to_decision: Option<SignedDuration>,
}

/// What was decided about alerts in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lately {
    /// The alerts that were decided about, the last first, each with its decisions of that time.
    pub alerts: Vec<(AlertKey, Subject, Log)>,
    /// Whether there were more decisions, before these.
    pub is_cut: bool,
}

/// The newest decisions since a time, of at most so many.
///
/// # Errors
/// Where there is no answer by the deadline.
pub async fn lately<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    deadline: Timestamp,
    since: Timestamp,
    most: u32,
) -> Result<Lately, DeliveryError> {
    let mut query = decided_since(since).descending();
    let mut order: Vec<AlertKey> = Vec::new();
    let mut logs: HashMap<AlertKey, (Subject, Vec<Recorded>)> = HashMap::new();
    let mut left = most;
    let is_cut = loop {
        query.limit = Some(left);
        let page = items::query(table, clock, deadline, &query).await?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        for item in &page.items {
            let found = (AlertKey::of_item(&item.key), item::subject(item), item::recorded(item));
            // What is no decision is for the tools to say.
            let (Some(key), Some(subject), Some(recorded)) = found else { continue };
            let log = logs.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                (subject, Vec::new())
            });
            log.1.push(recorded);
        }
        match page.next {
            None => break false,
            Some(_) if left == 0 => break true,
            next => query.after = next,
        }
    };
    let alerts = order.into_iter().filter_map(|key| {
        let (subject, recorded) = logs.remove(&key)?;
        Some((key, subject, Log::from(recorded)))
    });
    Ok(Lately { alerts: alerts.collect(), is_cut })
}

/// Adds up what was decided about alerts.
pub fn numbers<'a>(judged: impl IntoIterator<Item = (&'a Subject, &'a Log)>) -> Numbers {
    let mut numbers = Numbers::default();
    let mut by: [BTreeMap<&str, Proportion>; 3] = Default::default();
    let mut times = Vec::new();
    for (subject, log) in judged {
        if subject.kind == Kind::Probe {
            continue;
        }
        // Of a log whose beginning is not known, the first decision is not, either.
        if let Some(first) = log.all().first().filter(|first| first.number == 1) {
            times.push(first.time.duration_since(subject.alerted).max(SignedDuration::ZERO));
        }
        review(log, &mut numbers.agreement);
        let Some(decision) = log.standing().decided().filter(|_| subject.kind != Kind::Exploration) else { continue };
        let removed = decision.action == Action::Remove;
        numbers.precision.add(removed);
        for (groups, name) in by.iter_mut().zip([&subject.subreddit, &subject.policy, &subject.reason]) {
            groups.entry(name).or_default().add(removed);
        }
    }
    [numbers.by_subreddit, numbers.by_policy, numbers.by_reason] = by.map(groups);
    times.sort_unstable();
    numbers.time_to_decision = median(&times);
    numbers
}

fn groups(by: BTreeMap<&str, Proportion>) -> Vec<NamedPrecision> {
    let mut groups: Vec<NamedPrecision> =
        by.into_iter().map(|(name, precision)| NamedPrecision { name: name.to_owned(), precision }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.precision.of));
    groups
}

fn median(sorted: &[SignedDuration]) -> Option<SignedDuration> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + upper) / 2 } else { upper })
}

/// Counts the decisions that another moderator took back, and those that none did.
fn review(log: &Log, agreement: &mut Proportion) {
    let all = log.all();
    for (place, decision) in all.iter().enumerate().filter(|(_, decision)| decision.action != Action::Undo) {
        // What follows a decision is its undo.
        let by_another = all.get(place + 1).is_some_and(|undo| undo.moderator != decision.moderator);
        agreement.add(!by_another);
    }
}
