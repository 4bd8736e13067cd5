use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_events::Action;
use modstream_ledger::AlertKey;
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{Consistency, Item, Key, Query, SortRange, Table};
use normal_form::name_key;

use crate::item;

/// The most decisions about one alert: as many as the number has digits for.
pub const MAX_DECISIONS_PER_ALERT: u32 = 9_999;

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
}

impl Recorded {
    pub(crate) fn says(&self, action: Action, moderator: &str) -> bool {
        self.action == action && name_key(&self.moderator) == name_key(moderator)
    }
}

/// All decisions about an alert, or the last of them.
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

    /// The log with one more decision.
    pub(crate) fn and(&self, recorded: Recorded) -> Self {
        Log(self.0.iter().cloned().chain([recorded]).collect())
    }
}

/// What can go wrong in reading decisions.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The item is another's.
    #[error("the item {} {} is no decision: {detail}", key.partition, key.sort)]
    Unreadable {
        /// The item's key.
        key: Key,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("the decisions: {0}")]
    Delivery(#[from] DeliveryError),
}

pub(crate) fn unreadable(item: &Item, detail: impl Into<String>) -> LogError {
    LogError::Unreadable { key: item.key.clone(), detail: detail.into() }
}

/// The log of an alert, as it is now.
///
/// # Errors
/// Where it can't be read, or there is no answer by the deadline.
pub async fn log<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    deadline: Timestamp,
    alert: &AlertKey,
) -> Result<Log, LogError> {
    let query = Query::table(alert.item().partition, Consistency::Consistent);
    let query = query.range(SortRange::Prefix(alert.decisions()));
    let found = items::query_all(table, clock, deadline, &query).await?;
    let recorded =
        |item: &Item| item::recorded(item).ok_or_else(|| unreadable(item, "it does not say who decided what"));
    found.iter().map(recorded).collect::<Result<Vec<_>, _>>().map(Log::from)
}

/// The last decision about each of these alerts, of which there are so many, a hundred a call; as logs that begin there.
///
/// # Errors
/// Where there is no answer by the deadline.
pub async fn last_of<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    deadline: Timestamp,
    alerts: &[(&AlertKey, u32)],
) -> Result<BTreeMap<AlertKey, Log>, DeliveryError> {
    let decided = alerts.iter().filter(|(_, number)| *number > 0);
    let keys: Vec<Key> = decided.map(|(alert, number)| alert.decision(*number)).collect();
    let found = items::get_all(table, clock, deadline, &keys, Consistency::Consistent).await?;
    let logs =
        found.values().filter_map(|item| Some((AlertKey::of_item(&item.key)?, Log(vec![item::recorded(item)?]))));
    Ok(logs.collect())
}
