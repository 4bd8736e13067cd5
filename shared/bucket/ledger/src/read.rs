use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

use crate::keys::{Hour, Keys};
use crate::keys::{REPORTS, REQUESTED, SENT, SUPERSEDED, WITHDRAWN, WITHHELD};
use crate::write::{Sent, Withheld};

/// An alert, as the names of its objects tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The alert's id.
    pub id: String,
    /// The hour in which it was made.
    pub hour: Hour,
    /// What became of it.
    pub fate: Fate,
    /// What happened to its comment since.
    pub since: Since,
}

/// What happened to a comment since the alert about it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// Whether the comment has a later version.
    pub is_superseded: bool,
    /// Whether the comment is gone.
    pub is_withdrawn: bool,
    /// How often the comment was reported, as far as it counts, also before.
    pub reports: usize,
}

impl Since {
    /// Whether there is still something to decide: the comment is there, and says what it said.
    pub fn is_open(&self) -> bool {
        !self.is_superseded && !self.is_withdrawn
    }
}

impl Entry {
    /// An alert, by the names of its objects. What was never requested is none, whatever lies beside.
    fn of(id: &str, hour: Hour, names: &[&str]) -> Option<Self> {
        let has = |name: &str| names.contains(&name);
        let fate = match (has(SENT), has(WITHHELD)) {
            (true, _) => Fate::Sent,
            (false, true) => Fate::Withheld,
            (false, false) => Fate::Requested,
        };
        let since = Since {
            is_superseded: has(SUPERSEDED),
            is_withdrawn: has(WITHDRAWN),
            reports: names.iter().filter(|name| name.starts_with(REPORTS)).count(),
        };
        has(REQUESTED).then(|| Entry { id: id.to_owned(), hour, fate, since })
    }
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// Nothing became of it yet: the alert is on its way.
    Requested,
    /// The alert was not published by itself.
    Withheld,
    /// The alert was published.
    Sent,
}

/// What can go wrong in reading a ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The object is another's.
    #[error("{key} is not what the ledger holds there: {detail}")]
    Unreadable {
        /// The object's key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("alerts/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// Reads a bucket's ledger.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> Reader<'a, O, C> {
    /// The ledger in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        Reader { objects, clock, deadline }
    }

    /// The alerts that were made in an hour, by id. One listing, whatever their number is.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn hour(&self, hour: Hour) -> Result<Vec<Entry>, LedgerError> {
        let prefix = hour.prefix();
        let keys = list(self.objects, self.clock, self.deadline, &prefix).await?;
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in &keys {
            let Some((id, name)) = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else { continue };
            names.entry(id).or_default().push(name);
        }
        Ok(names.into_iter().filter_map(|(id, names)| Entry::of(id, hour, &names)).collect())
    }

    /// One alert, as the names of its objects tell; none where there is none. One listing.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn entry(&self, hour: Hour, id: &str) -> Result<Option<Entry>, LedgerError> {
        let folder = format!("{}{id}/", hour.prefix());
        let keys = list(self.objects, self.clock, self.deadline, &folder).await?;
        let names: Vec<&str> = keys.iter().filter_map(|key| key.strip_prefix(&folder)).collect();
        Ok(Entry::of(id, hour, &names))
    }

    /// An alert's event, encoded; none where the ledger has no such alert.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn alert(&self, hour: Hour, id: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.object(&Keys::in_hour(hour, id).requested).await
    }

    /// When an alert was published; none where it was not.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn sent(&self, hour: Hour, id: &str) -> Result<Option<Sent>, LedgerError> {
        self.parsed(Keys::in_hour(hour, id).sent).await
    }

    /// Why an alert was withheld; none where it was not.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn withheld(&self, hour: Hour, id: &str) -> Result<Option<Withheld>, LedgerError> {
        self.parsed(Keys::in_hour(hour, id).withheld).await
    }

    async fn object(&self, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match get(self.objects, self.clock, self.deadline, key, None).await? {
            Fetched::Object { bytes, .. } => Ok(Some(bytes)),
            Fetched::NotModified | Fetched::Missing => Ok(None),
        }
    }

    async fn parsed<T: serde::de::DeserializeOwned>(&self, key: String) -> Result<Option<T>, LedgerError> {
        let Some(bytes) = self.object(&key).await? else { return Ok(None) };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|error| LedgerError::Unreadable { key, detail: error.to_string() })
    }
}
