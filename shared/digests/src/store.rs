use std::collections::BTreeMap;

use jiff::Timestamp;
use modstream_ledger::{Hour, Sent};
use modstream_platform::deliver::{DeliveryError, PutIfAbsent, get, list, put_if_absent};
use modstream_platform::{Clock, Fetched, Objects};

use crate::keys::{REQUESTED, SENT};
use crate::{Keys, PREFIX, Requested};

/// A digest, as the names of its objects tell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// The hour in which its window begins.
    pub hour: Hour,
    /// Its id.
    pub id: String,
    /// Whether the topic took it.
    pub is_sent: bool,
}

/// What to do about a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this: what was requested first.
    GoOn(Requested),
    /// Nothing: it was sent before.
    Nothing,
}

/// What can go wrong with digests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestsError {
    /// The object is another's.
    #[error("{key} is no digest: {detail}")]
    Unreadable {
        /// Its key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("digests/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// A bucket's digests.
#[derive(Debug)]
pub struct Digests<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> Digests<'a, O, C> {
    /// The digests in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        Digests { objects, clock, deadline }
    }

    /// The digests whose windows begin in the hours from `first` to `last`, in order. One listing a day.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn between(&self, first: Hour, last: Hour) -> Result<Vec<Entry>, DigestsError> {
        let mut found: BTreeMap<(Hour, String), bool> = BTreeMap::new();
        for day in Hour::days(first, last) {
            for key in list(self.objects, self.clock, self.deadline, &format!("{PREFIX}{day}")).await? {
                let mut parts = key[PREFIX.len()..].split('/');
                let (Some(hour), Some(id), Some(name), None) = (parts.next(), parts.next(), parts.next(), parts.next())
                else {
                    continue;
                };
                let Ok(hour) = hour.parse::<Hour>() else { continue };
                if (first..=last).contains(&hour) && [REQUESTED, SENT].contains(&name) {
                    *found.entry((hour, id.to_owned())).or_default() |= name == SENT;
                }
            }
        }
        Ok(found.into_iter().map(|((hour, id), is_sent)| Entry { hour, id, is_sent }).collect())
    }

    /// What a digest covers; none where there is no such digest.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn requested(&self, hour: Hour, id: &str) -> Result<Option<Requested>, DigestsError> {
        self.parsed(Keys::new(hour, id).requested).await
    }

    /// When a digest was sent; none where it was not.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn sent(&self, hour: Hour, id: &str) -> Result<Option<Sent>, DigestsError> {
        self.parsed(Keys::new(hour, id).sent).await
    }

    /// Records the wish to send a digest. What was wished for first is what is sent.
    ///
    /// # Errors
    /// Where it is not known by the deadline that the wish is recorded, or what is there can't be read.
    pub async fn request(&self, hour: Hour, id: &str, digest: Requested) -> Result<Next, DigestsError> {
        let Digests { objects, clock, deadline } = *self;
        let bytes = serde_json::to_vec(&digest).unwrap_or_default();
        let key = Keys::new(hour, id).requested;
        if put_if_absent(objects, clock, deadline, &key, bytes).await? == PutIfAbsent::Written {
            return Ok(Next::GoOn(digest));
        }
        if self.sent(hour, id).await?.is_some() {
            return Ok(Next::Nothing);
        }
        // It was there a moment ago; without it, what we have is as good.
        Ok(Next::GoOn(self.requested(hour, id).await?.unwrap_or(digest)))
    }

    /// Records that the topic took it.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn mark_sent(&self, hour: Hour, id: &str, message_id: String) -> Result<(), DigestsError> {
        let sent = Sent { time: self.clock.now(), message_id };
        let bytes = serde_json::to_vec(&sent).unwrap_or_default();
        put_if_absent(self.objects, self.clock, self.deadline, &Keys::new(hour, id).sent, bytes).await?;
        Ok(())
    }

    async fn parsed<T: serde::de::DeserializeOwned>(&self, key: String) -> Result<Option<T>, DigestsError> {
        let bytes = match get(self.objects, self.clock, self.deadline, &key, None).await? {
            Fetched::Object { bytes, .. } => bytes,
            Fetched::NotModified | Fetched::Missing => return Ok(None),
        };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|error| DigestsError::Unreadable { key, detail: error.to_string() })
    }
}
