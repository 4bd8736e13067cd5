use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

use crate::keys::{Hour, Keys};
use crate::keys::{REQUESTED, SENT, WITHHELD};
use crate::write::{Sent, Withheld};

/// An alert, as the names of its objects tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The alert's id.
    pub id: String,
    /// The hour of the comment event.
    pub hour: Hour,
    /// What became of it.
    pub fate: Fate,
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

    /// The alerts about comments of an hour, by id. One listing, whatever their number is.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn hour(&self, hour: Hour) -> Result<Vec<Entry>, LedgerError> {
        let prefix = hour.prefix();
        let keys = list(self.objects, self.clock, self.deadline, &prefix).await?;
        let mut fates: BTreeMap<&str, Fate> = BTreeMap::new();
        for key in &keys {
            let Some((id, name)) = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else { continue };
            let fate = match name {
                REQUESTED => Fate::Requested,
                WITHHELD => Fate::Withheld,
                SENT => Fate::Sent,
                _ => continue,
            };
            let known = fates.entry(id).or_insert(fate);
            *known = fate.max(*known);
        }
        Ok(fates.into_iter().map(|(id, fate)| Entry { id: id.to_owned(), hour, fate }).collect())
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
