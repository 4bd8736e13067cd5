use jiff::Timestamp;
use modstream_events::{Action, Alert, BadRecord, Decision, Event};
use modstream_ledger::Hour;
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};
use normal_form::name_key;

/// The prefix of all logs of decisions.
pub const PREFIX: &str = "decisions/";

/// The most decisions about one alert: as many as the number has digits for.
pub const MAX_DECISIONS_PER_ALERT: u32 = 9_999;

/// Names an alert, as the ledger's keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertKey<'a> {
    /// The hour in which it was made.
    pub hour: Hour,
    /// The alert's id.
    pub alert_id: &'a str,
}

impl AlertKey<'_> {
    /// The prefix of the alert's log.
    pub fn prefix(&self) -> String {
        format!("{PREFIX}{}/{}/", self.hour, self.alert_id)
    }

    pub(crate) fn key(&self, number: u32) -> String {
        format!("{}{number:04}.json", self.prefix())
    }
}

impl AlertKey<'_> {
    /// Whether a log stands at a decision, by the number of its last object, 0 where there is none: an undo follows a decision
    /// and a decision an undo, so decisions have the odd numbers. So names alone say what is undecided.
    pub fn is_decided(last_number: u32) -> bool {
        !last_number.is_multiple_of(2)
    }
}

impl<'a> AlertKey<'a> {
    /// The alert that a log's object is about, and the decision's number.
    pub fn of_key(key: &'a str) -> Option<(Self, u32)> {
        let mut parts = key.strip_prefix(PREFIX)?.splitn(3, '/');
        let (hour, alert_id, name) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let number = name.strip_suffix(".json").filter(|digits| digits.len() == 4)?.parse().ok()?;
        Some((AlertKey { hour, alert_id }, number))
    }

    pub(crate) fn of_alert(alert: &'a Event<'_, Alert<'_>>) -> Self {
        AlertKey { hour: Hour::of(alert.time), alert_id: &alert.id }
    }

    pub(crate) fn of_decision(decision: &'a Decision<'_>) -> Self {
        AlertKey { hour: Hour::of(decision.alerted), alert_id: &decision.alert_id }
    }
}

/// A decision as it stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The decision's number, from 1.
    pub number: u32,
    /// What was decided.
    pub action: Action,
    /// Who decided.
    pub moderator: String,
    /// When it was decided.
    pub time: Timestamp,
    bytes: Vec<u8>,
}

impl Recorded {
    /// Reads a decision event's bytes.
    ///
    /// # Errors
    /// Where they are none.
    pub fn read(bytes: Vec<u8>) -> Result<Self, BadRecord> {
        let event: Event<'_, Decision<'_>> = Event::decode(&bytes)?;
        let Decision { number, action, ref moderator, .. } = event.data;
        let (moderator, time) = (moderator.clone().into_owned(), event.time);
        Ok(Recorded { number, action, moderator, time, bytes })
    }

    /// The event, encoded.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn says(&self, action: Action, moderator: &str) -> bool {
        self.action == action && name_key(&self.moderator) == name_key(moderator)
    }
}

/// All decisions about an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log(Vec<Recorded>);

/// What a log adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nobody decided, or the last decision was taken back.
    Undecided,
    /// This decision stands.
    Decided(&'a Recorded),
}

impl<'a> Standing<'a> {
    /// The decision that stands, if one does.
    pub fn decided(self) -> Option<&'a Recorded> {
        match self {
            Standing::Undecided => None,
            Standing::Decided(recorded) => Some(recorded),
        }
    }
}

impl From<Vec<Recorded>> for Log {
    /// Makes a log of decisions, sorted by number.
    fn from(mut all: Vec<Recorded>) -> Self {
        all.sort_by_key(|recorded| recorded.number);
        Log(all)
    }
}

impl Log {
    /// The decisions, in their order.
    pub fn all(&self) -> &[Recorded] {
        &self.0
    }

    /// The last one.
    pub fn last(&self) -> Option<&Recorded> {
        self.0.last()
    }

    /// The number of the last one; 0 where there is none.
    pub fn last_number(&self) -> u32 {
        self.last().map_or(0, |recorded| recorded.number)
    }

    /// What stands: the last one, unless it takes back the one before.
    pub fn standing(&self) -> Standing<'_> {
        match self.last() {
            Some(recorded) if recorded.action != Action::Undo => Standing::Decided(recorded),
            _ => Standing::Undecided,
        }
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Recorded> {
        self.0.iter().find(|recorded| recorded.number == number)
    }
}

/// What can go wrong in reading a log.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The object is another's.
    #[error("{key} is no decision: {detail}")]
    Unreadable {
        /// The object's key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("decisions/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

pub(crate) async fn read<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    place: AlertKey<'_>,
) -> Result<Log, LogError> {
    let mut all = Vec::new();
    for key in list(objects, clock, deadline, &place.prefix()).await? {
        if AlertKey::of_key(&key).is_some()
            && let Some(recorded) = read_one(objects, clock, deadline, &key).await?
        {
            all.push(recorded);
        }
    }
    Ok(Log::from(all))
}

/// A log's object; none where there is none.
pub(crate) async fn read_one<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
) -> Result<Option<Recorded>, LogError> {
    let Fetched::Object { bytes, .. } = get(objects, clock, deadline, key, None).await? else { return Ok(None) };
    let unreadable = |error: BadRecord| LogError::Unreadable { key: key.to_owned(), detail: error.to_string() };
    Recorded::read(bytes).map(Some).map_err(unreadable)
}
