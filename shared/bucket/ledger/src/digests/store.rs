use std::collections::BTreeSet;

use jiff::Timestamp;
use modstream_platform::deliver::{Claimed, DeliveryError, claim, get, list, put_if_absent};
use modstream_platform::{Clock, Fetched, Objects};

use super::digest::Digest;
use super::keys::{Named, named, sent_key};
use super::keys::{PREFIX, window_key};
use crate::keys::Hour;
use crate::write::Sent;

/// What there is of some hours, as the objects' names tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The keys of windows that are closed, in order.
    pub windows: Vec<String>,
    /// The ids of digests that the topic took.
    pub sent: BTreeSet<String>,
}

/// What can go wrong with digests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestsError {
    /// The object is another's.
    #[error("{key} is not what digests have there: {detail}")]
    Unreadable {
        /// The object's key.
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

    /// What there is of windows that begin in the hours from `first` to `last`. One listing a day.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn between(&self, first: Hour, last: Hour) -> Result<Listing, DigestsError> {
        let mut found = Listing::default();
        for day in Hour::days(first, last) {
            for key in list(self.objects, self.clock, self.deadline, &format!("{PREFIX}{day}")).await? {
                match named(&key).filter(|(hour, _)| (first..=last).contains(hour)) {
                    Some((_, Named::Sent(id))) => drop(found.sent.insert(id.to_owned())),
                    Some((_, Named::Window)) => found.windows.push(key),
                    None => {}
                }
            }
        }
        Ok(found)
    }

    /// The digests of a closed window, by its key; none where it is not closed.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn window(&self, key: &str) -> Result<Option<Vec<Digest>>, DigestsError> {
        let bytes = match get(self.objects, self.clock, self.deadline, key, None).await? {
            Fetched::Object { bytes, .. } => bytes,
            Fetched::NotModified | Fetched::Missing => return Ok(None),
        };
        parsed(key, &bytes).map(Some)
    }

    /// Closes a window with these digests, and says which it has: those of whoever closed it first.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is closed, or what is there can't be read.
    pub async fn close(
        &self,
        start: Timestamp,
        end: Timestamp,
        digests: Vec<Digest>,
    ) -> Result<Vec<Digest>, DigestsError> {
        let Digests { objects, clock, deadline } = *self;
        let key = window_key(start, end);
        let bytes = serde_json::to_vec(&digests).unwrap_or_default();
        match claim(objects, clock, deadline, &key, bytes).await? {
            Claimed::Ours => Ok(digests),
            Claimed::Theirs(theirs) => parsed(&key, &theirs),
        }
    }

    /// Records that the topic took it.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn mark_sent(&self, hour: Hour, id: &str, message_id: String) -> Result<(), DigestsError> {
        let sent = Sent { time: self.clock.now(), message_id };
        let bytes = serde_json::to_vec(&sent).unwrap_or_default();
        put_if_absent(self.objects, self.clock, self.deadline, &sent_key(hour, id), bytes).await?;
        Ok(())
    }
}

fn parsed(key: &str, bytes: &[u8]) -> Result<Vec<Digest>, DigestsError> {
    serde_json::from_slice(bytes)
        .map_err(|error| DigestsError::Unreadable { key: key.to_owned(), detail: error.to_string() })
}
