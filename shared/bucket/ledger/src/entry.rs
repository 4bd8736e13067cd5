use jiff::Timestamp;
use modstream_events::{Alert, DeletedBy, Event, Severity};
use modstream_platform::deliver::DeliveryError;
use modstream_platform::table::{Item, Key};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::AlertKey;
use crate::packed::unpack;

/// That an alert was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When the topic took it.
    pub time: Timestamp,
    /// The topic's id of the message.
    pub message_id: String,
}

/// That an alert is not published by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// When it was decided.
    pub time: Timestamp,
    /// Why the alert is withheld.
    pub reason: Withholding,
    /// The same as a sentence, for whoever reads the digest.
    pub detail: String,
}

/// That a comment has a later version, so the alert is about an earlier text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// When this was noticed.
    pub time: Timestamp,
    /// The comment event of the later version.
    pub by: String,
}

/// That a comment is gone, so there is nothing to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// When the deletion came here.
    pub time: Timestamp,
    /// Who deleted the comment.
    pub by: DeletedBy,
}

/// Why an alert is not published by itself. It is in the digest and at the desk all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withholding {
    /// The hour's budget is spent.
    Budget,
    /// The breaker is open.
    Breaker,
    /// The subreddit's quiet hours.
    QuietHours,
    /// The policy sends its alerts by digest alone.
    Channel,
    /// The comment meets no policy: it is asked about to learn what such comments are like.
    Exploration,
    /// A later version of the comment came before this one.
    Superseded,
}

impl Withholding {
    const ALL: [Self; 6] =
        [Self::Budget, Self::Breaker, Self::QuietHours, Self::Channel, Self::Exploration, Self::Superseded];

    /// The reason as it stands in items.
    pub fn as_str(self) -> &'static str {
        match self {
            Withholding::Budget => "budget",
            Withholding::Breaker => "breaker",
            Withholding::QuietHours => "quiet_hours",
            Withholding::Channel => "channel",
            Withholding::Exploration => "exploration",
            Withholding::Superseded => "superseded",
        }
    }
}

/// What kind of question an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The comment meets a policy.
    #[default]
    Alert,
    /// The comment meets no policy, and is asked about to learn from it.
    Exploration,
    /// The comment is the probe, which counts nowhere.
    Probe,
}

impl Kind {
    /// The kind of an alert.
    pub fn of(alert: &Alert<'_>) -> Self {
        if alert.probe {
            Kind::Probe
        } else if alert.exploration.is_some() {
            Kind::Exploration
        } else {
            Kind::Alert
        }
    }

    /// The kind as it stands in items, where it must be said.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Kind::Alert => None,
            Kind::Exploration => Some("exploration"),
            Kind::Probe => Some("probe"),
        }
    }

    /// The kind that an item says.
    pub fn of_item(item: &Item) -> Self {
        match item.text(KIND) {
            Some("exploration") => Kind::Exploration,
            Some("probe") => Kind::Probe,
            _ => Kind::Alert,
        }
    }
}

/// What became of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The alert was published.
    Sent(Sent),
    /// The alert was withheld, and in no way published.
    Withheld(Withheld),
    /// The alert is on its way: the publisher goes on with it.
    Requested,
}

/// An alert, as the table has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The alert's name.
    pub key: AlertKey,
    /// When the alert was made: the time of its event.
    pub made: Timestamp,
    /// The alert's event, encoded.
    pub event: Vec<u8>,
    /// What kind of question it is.
    pub kind: Kind,
    /// How urgent the alert is.
    pub severity: Severity,
    /// What orders it among others as severe.
    pub urgency: Urgency,
    /// What became of the alert.
    pub fate: Fate,
    /// That the comment has a later version.
    pub superseded: Option<Superseded>,
    /// That the comment is gone.
    pub withdrawn: Option<Withdrawn>,
    /// How often the comment was reported, as far as it counts, also before.
    pub reports: usize,
    /// How many decisions there are about it.
    pub decisions: u32,
}

/// What can go wrong in reading the ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The item is another's.
    #[error("the item {} {} is not what the ledger has there: {detail}", key.partition, key.sort)]
    Unreadable {
        /// The item's key.
        key: Key,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("the ledger: {0}")]
    Delivery(#[from] DeliveryError),
}

impl Entry {
    /// An alert that was made just now.
    pub fn new(key: &AlertKey, event: &Event<'_, Alert<'_>>, withheld: Option<(Withholding, &str)>) -> Self {
        let withheld =
            withheld.map(|(reason, detail)| Withheld { time: event.time, reason, detail: detail.to_owned() });
        Entry {
            key: key.clone(),
            made: event.time,
            event: event.encode(),
            kind: Kind::of(&event.data),
            severity: event.data.severity,
            urgency: Urgency::of(&event.data),
            fate: withheld.map_or(Fate::Requested, Fate::Withheld),
            superseded: None,
            withdrawn: None,
            reports: 0,
            decisions: 0,
        }
    }

    /// Whether there is still something to decide: the comment is there, and says what it said.
    pub fn is_open(&self) -> bool {
        self.superseded.is_none() && self.withdrawn.is_none()
    }

    /// Whether a decision stands: an undo follows a decision and a decision an undo, so decisions have the odd numbers.
    pub fn is_decided(&self) -> bool {
        !self.decisions.is_multiple_of(2)
    }

    /// Why the alert was not published by itself; none where it was, or is to be.
    pub fn withheld(&self) -> Option<&Withheld> {
        match &self.fate {
            Fate::Withheld(withheld) => Some(withheld),
            Fate::Sent(_) | Fate::Requested => None,
        }
    }

    /// Reads an item.
    ///
    /// # Errors
    /// Where it is none of an alert.
    pub fn of_item(item: &Item) -> Result<Self, LedgerError> {
        let unreadable = |detail: String| LedgerError::Unreadable { key: item.key.clone(), detail };
        let missing = |name: &'static str| move || format!("it has no `{name}`");
        let key = AlertKey::of_item(&item.key).ok_or_else(|| "it is under the key of something else".to_owned());
        let packed = item.bytes(EVENT).ok_or_else(missing(EVENT));
        let made = time(item, MADE).ok_or_else(missing(MADE));
        let severity = severity(item).ok_or_else(missing(SEVERITY));
        let event = packed.and_then(|packed| unpack(packed).map_err(|damaged| damaged.to_string()));
        let both = |name: &'static str, other: &'static str| Some((time(item, name)?, item.text(other)?.to_owned()));
        let superseded = both(SUPERSEDED, SUPERSEDED_BY).map(|(time, by)| Superseded { time, by });
        let withdrawn =
            both(WITHDRAWN, WITHDRAWN_BY).and_then(|(time, by)| Some(Withdrawn { time, by: DeletedBy::named(&by)? }));
        let sent = both(SENT, MESSAGE_ID).map(|(time, message_id)| Sent { time, message_id });
        let fate = match (sent, withheld(item)) {
            // An attempt without an answer may have published what the next one withheld.
            (Some(sent), _) => Fate::Sent(sent),
            (None, Some(withheld)) => Fate::Withheld(withheld),
            (None, None) => Fate::Requested,
        };
        Ok(Entry {
            key: key.map_err(unreadable)?,
            made: made.map_err(unreadable)?,
            event: event.map_err(unreadable)?,
            kind: Kind::of_item(item),
            severity: severity.map_err(unreadable)?,
            urgency: Urgency::of_item(item),
            fate,
            superseded,
            withdrawn,
            reports: count(item, REPORTS),
            decisions: count(item, DECISIONS).try_into().unwrap_or(u32::MAX),
        })
    }
}

pub(crate) const EVENT: &str = "event";
pub(crate) const MADE: &str = "made";
pub(crate) const RANK: &str = "rank";
pub(crate) const KIND: &str = "kind";
pub(crate) const SEVERITY: &str = "severity";
pub(crate) const PROBABILITY: &str = "probability";
pub(crate) const HARM: &str = "harm";
pub(crate) const SUBREDDIT: &str = "subreddit";
pub(crate) const SENT: &str = "sent";
pub(crate) const MESSAGE_ID: &str = "message_id";
pub(crate) const WITHHELD: &str = "withheld";
pub(crate) const WITHHELD_AT: &str = "withheld_at";
pub(crate) const DETAIL: &str = "detail";
pub(crate) const SUPERSEDED: &str = "superseded";
pub(crate) const SUPERSEDED_BY: &str = "superseded_by";
pub(crate) const WITHDRAWN: &str = "withdrawn";
pub(crate) const WITHDRAWN_BY: &str = "withdrawn_by";
pub(crate) const REPORTS: &str = "reports";
pub(crate) const WHOSE: &str = "whose";
pub(crate) const DECISIONS: &str = "decisions";

/// Whose an alert may be, in a few bytes: those of the author's name, and those of the comment's id. Many names and ids have the
/// same, so it says who it is not, and tells nobody's name.
pub(crate) fn whose(author: Option<&str>, comment_id: Option<&str>) -> [String; 2] {
    let few = |text: Option<&str>| match text {
        Some(text) => Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()[..6].to_owned(),
        None => String::new(),
    };
    [few(author), few(comment_id)]
}

/// The time of an attribute.
pub(crate) fn time(item: &Item, name: &str) -> Option<Timestamp> {
    item.text(name)?.parse().ok()
}

fn count(item: &Item, name: &str) -> usize {
    item.number(name).and_then(|number| number.try_into().ok()).unwrap_or_default()
}

pub(crate) fn severity(item: &Item) -> Option<Severity> {
    let name = item.text(SEVERITY)?;
    [Severity::High, Severity::Medium, Severity::Low].into_iter().find(|severity| severity.as_str() == name)
}

pub(crate) fn withheld(item: &Item) -> Option<Withheld> {
    let name = item.text(WITHHELD)?;
    let reason = Withholding::ALL.into_iter().find(|reason| reason.as_str() == name)?;
    let time = time(item, WITHHELD_AT).unwrap_or_default();
    Some(Withheld { time, reason, detail: item.text(DETAIL).unwrap_or_default().to_owned() })
}

/// How urgent an alert is among others: what lists and digests are ordered by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Urgency {
    /// Somebody may be in need: such an alert is before all others.
    SelfHarm,
    /// The harm of the comment, from 0 to 1.
    Harm(f64),
    /// Labels were not judged, so the harm is not known.
    Unknown,
    /// No model knows anything of the comment, and something else made the alert, such as a term: the numbers say nothing.
    NotJudged,
}

const IN_NEED: &str = "self_harm";
const NOT_JUDGED: &str = "not_judged";

impl Urgency {
    /// The urgency of an alert.
    pub fn of(alert: &Alert<'_>) -> Self {
        match (&alert.self_harm, alert.harm) {
            (Some(_), _) => Urgency::SelfHarm,
            (None, Some(harm)) => Urgency::Harm(harm),
            (None, None) if alert.is_beside_a_guess() => Urgency::NotJudged,
            (None, None) => Urgency::Unknown,
        }
    }

    /// As it stands in items; none where there is nothing to say.
    pub(crate) fn attribute(self) -> Option<String> {
        match self {
            Urgency::SelfHarm => Some(IN_NEED.to_owned()),
            Urgency::Harm(harm) => Some(harm.to_string()),
            Urgency::NotJudged => Some(NOT_JUDGED.to_owned()),
            Urgency::Unknown => None,
        }
    }

    /// What an item says.
    pub(crate) fn of_item(item: &Item) -> Self {
        match item.text(HARM) {
            Some(IN_NEED) => Urgency::SelfHarm,
            Some(NOT_JUDGED) => Urgency::NotJudged,
            Some(text) => text.parse().map_or(Urgency::Unknown, Urgency::Harm),
            None => Urgency::Unknown,
        }
    }

    /// How strong an alert is in a digest: by harm, where that is not known by the probability of a removal, and where that is
    /// none but a guess, by nothing.
    pub fn strength(self, probability: f64) -> f64 {
        match self {
            Urgency::SelfHarm => f64::INFINITY,
            Urgency::Harm(harm) => harm,
            Urgency::Unknown => probability,
            Urgency::NotJudged => 0.0,
        }
    }

    /// The place among alerts of one severity that were reported as often: by tenths of harm, so that an older one waits for none
    /// that is hardly more harmful. One of which only the harm is not known waits for none; one of which nothing is known comes last.
    fn place(self) -> u8 {
        match self {
            Urgency::SelfHarm | Urgency::Unknown => 0,
            Urgency::NotJudged => 10,
            // From 0 to 10, whatever the number is.
            Urgency::Harm(harm) => 10_u8.saturating_sub((harm * 10.0) as u8),
        }
    }
}

/// Where an alert stands among those that wait: somebody in need first, then by severity, reports and harm, the most first, then by
/// age.
pub(crate) fn rank(severity: Severity, urgency: Urgency, reports: usize, made: Timestamp) -> String {
    let first = match (urgency, severity) {
        (Urgency::SelfHarm, _) => 0,
        (_, Severity::High) => 1,
        (_, Severity::Medium) => 2,
        (_, Severity::Low) => 3,
    };
    // In nanoseconds, as short as they sort: an item is paid for by the kilobyte.
    let age = u64::try_from(made.as_nanosecond()).unwrap_or_default();
    format!("{first}{:03}{:x}{age:016x}", 999 - reports.min(999), urgency.place())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn severity() -> impl Strategy<Value = Severity> {
        prop_oneof![Just(Severity::Low), Just(Severity::Medium), Just(Severity::High)]
    }

    fn urgency() -> impl Strategy<Value = Urgency> {
        prop_oneof![
            Just(Urgency::SelfHarm),
            Just(Urgency::Unknown),
            Just(Urgency::NotJudged),
            (0.0..=1.0_f64).prop_map(Urgency::Harm)
        ]
    }

    proptest! {
        #[test]
        fn alerts_wait_by_need_severity_reports_harm_and_age(
            one in (severity(), urgency(), 0..1_100_usize, 0..2_000_000_000_i64),
            other in (severity(), urgency(), 0..1_100_usize, 0..2_000_000_000_i64),
        ) {
            let rank = |(severity, urgency, reports, seconds): (Severity, Urgency, usize, i64)| {
                rank(severity, urgency, reports, Timestamp::from_second(seconds).expect("a time"))
            };
            let need = |urgency: Urgency| urgency == Urgency::SelfHarm;
            let is_before = if need(one.1) != need(other.1) {
                need(one.1)
            } else if !need(one.1) && one.0 != other.0 {
                one.0 > other.0
            } else if one.2.min(999) != other.2.min(999) {
                one.2 > other.2
            } else {
                let least_harm = |urgency| if urgency == Urgency::NotJudged { Urgency::Harm(0.0) } else { urgency };
                match (least_harm(one.1), least_harm(other.1)) {
                    (Urgency::Harm(a), Urgency::Harm(b)) if (a * 10.0).floor() != (b * 10.0).floor() => a > b,
                    (Urgency::Unknown, Urgency::Harm(_)) => true,
                    (Urgency::Harm(_), Urgency::Unknown) => false,
                    _ if one.3 != other.3 => one.3 < other.3,
                    _ => return Ok(()),
                }
            };
            prop_assert_eq!(rank(one) < rank(other), is_before, "{} {}", rank(one), rank(other));
        }

        #[test]
        fn urgency_is_read_as_it_is_written(urgency in urgency()) {
            let mut item = Item::new(Key { partition: "p".to_owned(), sort: "s".to_owned() });
            if let Some(text) = urgency.attribute() {
                item = item.with(HARM, text);
            }
            prop_assert_eq!(Urgency::of_item(&item), urgency);
        }
    }
}
