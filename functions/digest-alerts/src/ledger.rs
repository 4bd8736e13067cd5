//! What the ledger has that no digest covers yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use modstream_digests::{Covered, Digest, Digests, DigestsError};
use modstream_events::{Alert, Event};
use modstream_ledger::{Entry, Fate, Hour, LedgerError, Reader, Withheld};
use modstream_platform::{Clock, Objects};
use modstream_telemetry::digest_input_unreadable;

use crate::DigestError;
use crate::digest::Candidate;

/// How many objects are asked for at once.
pub(crate) const AT_ONCE: usize = 16;

/// What invocations before this one read. The objects never change, so neither does this.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The digests of closed windows, by key.
    windows: BTreeMap<String, Vec<Digest>>,
    alerts: HashMap<String, Option<Candidate>>,
    withheld: HashMap<String, Withheld>,
}

impl Memory {
    /// Reads the windows that were not read before.
    pub(crate) async fn read_windows<O: Objects, C: Clock>(
        &mut self,
        digests: &Digests<'_, O, C>,
        listed: &[String],
    ) -> Result<(), DigestError> {
        let keys: HashSet<&str> = listed.iter().map(String::as_str).collect();
        self.windows.retain(|key, _| keys.contains(key.as_str()));
        let unknown = listed.iter().filter(|key| !self.windows.contains_key(*key));
        let reading = stream::iter(unknown.map(|key| async move {
            Ok::<_, DigestError>((key.clone(), readable(digests.window(key).await)?.unwrap_or_default()))
        }));
        let read: Vec<_> = reading.buffer_unordered(AT_ONCE).try_collect().await?;
        self.windows.extend(read);
        Ok(())
    }

    /// Notes what a window has.
    pub(crate) fn closed(&mut self, key: String, digests: Vec<Digest>) {
        self.windows.insert(key, digests);
    }

    pub(crate) fn is_closed(&self, key: &str) -> bool {
        self.windows.contains_key(key)
    }

    /// All digests, each with its place in its window, in order.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (usize, &Digest)> {
        self.windows.values().flat_map(|digests| digests.iter().enumerate())
    }

    /// Leaves out what a digest covers by now.
    pub(crate) fn retain_uncovered(&self, candidates: &mut Vec<Candidate>) {
        let covered = self.covered();
        candidates.retain(|candidate| !covered.contains(candidate.alert.id.as_str()));
    }

    fn covered(&self) -> HashSet<&str> {
        self.windows.values().flatten().flat_map(Digest::covered).map(|alert| alert.id.as_str()).collect()
    }

    /// The alerts about comments of `[from, to)` that no digest covers. Probes are none of them.
    pub(crate) async fn candidates<O: Objects, C: Clock>(
        &mut self,
        ledger: &Reader<'_, O, C>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>, DigestError> {
        let covered = &self.covered();
        let listing = stream::iter(Hour::between(from, to).map(|hour| async move {
            let of_hour = ledger.hour(hour).await?.into_iter();
            Ok::<_, LedgerError>(of_hour.filter(|entry| !covered.contains(entry.id.as_str())).collect::<Vec<Entry>>())
        }));
        let entries = listing.buffered(AT_ONCE).try_concat().await?;
        let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        self.alerts.retain(|id, _| ids.contains(id.as_str()));
        self.withheld.retain(|id, _| ids.contains(id.as_str()));

        let unknown = entries.iter().filter(|entry| !self.alerts.contains_key(&entry.id));
        let reading = stream::iter(unknown.map(|entry| async move {
            let bytes = ledger.alert(entry.hour, &entry.id).await?;
            Ok::<_, DigestError>((entry.id.clone(), bytes.and_then(|bytes| candidate(entry.hour, &entry.id, &bytes))))
        }));
        let read: Vec<_> = reading.buffer_unordered(AT_ONCE).try_collect().await?;
        self.alerts.extend(read);

        let withheld = entries.iter().filter(|entry| entry.fate == Fate::Withheld);
        let unknown = withheld.filter(|entry| !self.withheld.contains_key(&entry.id));
        let reading = stream::iter(unknown.map(|entry| async move {
            match ledger.withheld(entry.hour, &entry.id).await {
                Err(error @ LedgerError::Unreadable { .. }) => {
                    digest_input_unreadable(&error.to_string());
                    Ok(None)
                }
                withheld => Ok::<_, DigestError>(withheld?.map(|withheld| (entry.id.clone(), withheld))),
            }
        }));
        let read: Vec<_> = reading.buffer_unordered(AT_ONCE).try_collect().await?;
        self.withheld.extend(read.into_iter().flatten());

        let found = entries.iter().filter_map(|entry| {
            let candidate = self.alerts.get(&entry.id)?.as_ref()?;
            // One that was sent after all may have been withheld before.
            let withheld = self.withheld.get(&entry.id).filter(|_| entry.fate == Fate::Withheld);
            Some(Candidate { withheld: withheld.cloned(), ..candidate.clone() })
        });
        Ok(found.filter(|candidate| from <= candidate.time && candidate.time < to).collect())
    }
}

/// Somebody else's object says nothing about digests.
pub(crate) fn readable<T: Default>(found: Result<T, DigestsError>) -> Result<T, DigestsError> {
    match found {
        Err(error @ DigestsError::Unreadable { .. }) => {
            digest_input_unreadable(&error.to_string());
            Ok(T::default())
        }
        found => found,
    }
}

fn candidate(hour: Hour, id: &str, bytes: &[u8]) -> Option<Candidate> {
    let event: Event<'_, Alert<'_>> = match Event::decode(bytes) {
        Ok(event) => event,
        Err(bad) => {
            digest_input_unreadable(&format!("the alert {id}: {bad}"));
            return None;
        }
    };
    let alert = event.data;
    (!alert.probe).then(|| Candidate {
        alert: Covered { hour, id: id.to_owned() },
        // An empty name is none: the digest would have the same id.
        subreddit: alert.comment.subreddit.map(std::borrow::Cow::into_owned).filter(|name| !name.is_empty()),
        time: alert.comment_event.time,
        severity: alert.severity,
        probability: alert.probability,
        is_exploration: alert.exploration.is_some(),
        withheld: None,
    })
}
