//! What the ledger has that no digest covers yet.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use modstream_digests::{Covered, Digests, DigestsError, Entry, Requested};
use modstream_events::{Alert, Event};
use modstream_ledger::{Fate, Hour, LedgerError, Reader, Withheld};
use modstream_platform::{Clock, Objects};
use modstream_telemetry::digest_input_unreadable;

use crate::DigestError;
use crate::digest::Candidate;

/// How many objects are asked for at once.
pub(crate) const AT_ONCE: usize = 16;

/// What invocations before this one read. The objects never change, so neither does this.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    digests: HashMap<String, Option<Requested>>,
    alerts: HashMap<String, Option<Candidate>>,
    withheld: HashMap<String, Withheld>,
}

impl Memory {
    /// Reads the digests that were not read before.
    pub(crate) async fn read_digests<O: Objects, C: Clock>(
        &mut self,
        digests: &Digests<'_, O, C>,
        listed: &[Entry],
    ) -> Result<(), DigestError> {
        let ids: HashSet<&str> = listed.iter().map(|entry| entry.id.as_str()).collect();
        self.digests.retain(|id, _| ids.contains(id.as_str()));
        let unknown = listed.iter().filter(|entry| !self.digests.contains_key(&entry.id));
        let reading = stream::iter(unknown.map(|entry| async move {
            let requested = match digests.requested(entry.hour, &entry.id).await {
                // Somebody else's object: its alerts are in no digest then, and go with the next.
                Err(error @ DigestsError::Unreadable { .. }) => {
                    digest_input_unreadable(&error.to_string());
                    None
                }
                requested => requested?,
            };
            Ok::<_, DigestError>((entry.id.clone(), requested))
        }));
        let read: Vec<_> = reading.buffer_unordered(AT_ONCE).try_collect().await?;
        self.digests.extend(read);
        Ok(())
    }

    /// What a digest covers, once it was read.
    pub(crate) fn digest(&self, id: &str) -> Option<&Requested> {
        self.digests.get(id)?.as_ref()
    }

    /// The alerts about comments of `[from, to)` that no digest covers. Probes are none of them.
    pub(crate) async fn candidates<O: Objects, C: Clock>(
        &mut self,
        ledger: &Reader<'_, O, C>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>, DigestError> {
        let read_digests = self.digests.values().flatten();
        let covered: HashSet<&str> = read_digests.flat_map(Requested::covered).map(|alert| alert.id.as_str()).collect();
        let mut entries = Vec::new();
        for hour in Hour::between(from, to) {
            let of_hour = ledger.hour(hour).await?;
            entries.extend(of_hour.into_iter().filter(|entry| !covered.contains(entry.id.as_str())));
        }
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
        subreddit: alert.comment.subreddit.map(std::borrow::Cow::into_owned),
        time: alert.comment_event.time,
        severity: alert.severity,
        probability: alert.probability,
        is_exploration: alert.exploration.is_some(),
        withheld: None,
    })
}
