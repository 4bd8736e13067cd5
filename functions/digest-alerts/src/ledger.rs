//! What the ledger has that no digest covers yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use modstream_events::{Alert, Event};
use modstream_ledger::digests::{Covered, Digest, Digests, DigestsError};
use modstream_ledger::{Entry, Fate, Hour, LedgerError, Reader, Withheld};
use modstream_platform::{Clock, Objects};
use modstream_telemetry::digest_input_unreadable;
use modstream_windows::Tumbling;

use crate::DigestError;
use crate::digest::Candidate;
use crate::text::SHOWN;

/// How many objects are asked for at the same time.
pub(crate) const CONCURRENT_READS: usize = 16;

/// An alert's event, which holds its own text.
pub(crate) type AlertEvent = Event<'static, Alert<'static>>;

/// The events of alerts that a run read and may show, so that none is fetched twice. They are kept for one run alone: a text
/// that is forgotten until the next is not sent.
#[derive(Debug)]
pub(crate) struct Shown {
    windowing: Tumbling,
    /// The strongest of each subreddit and window: whatever a digest shows is among them.
    strongest: BTreeMap<SubredditWindow, Vec<(Candidate, AlertEvent)>>,
}

/// A subreddit, and when a window starts.
type SubredditWindow = (Option<String>, Timestamp);

impl Shown {
    pub(crate) fn new(windowing: Tumbling) -> Self {
        Shown { windowing, strongest: BTreeMap::new() }
    }

    fn add(&mut self, candidate: &Candidate, event: Event<'_, Alert<'_>>) {
        if candidate.is_exploration {
            return;
        }
        let window = self.windowing.window(candidate.time).start;
        let strongest = self.strongest.entry((candidate.subreddit.clone(), window)).or_default();
        let place = strongest.partition_point(|(other, _)| other.by_strength(candidate).is_lt());
        if place < SHOWN {
            strongest.truncate(SHOWN - 1);
            strongest.insert(place, (candidate.clone(), event.into_owned()));
        }
    }

    /// An alert's event, where this run read it.
    pub(crate) fn get(&self, alert: &Covered) -> Option<&AlertEvent> {
        let all = self.strongest.values().flatten();
        all.map(|(candidate, event)| (&candidate.alert, event))
            .find(|(known, _)| *known == alert)
            .map(|(_, event)| event)
    }
}

/// What invocations before this one read. The objects never change, so neither does this; what was missing is asked for again.
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
            Ok::<_, DigestError>((key.clone(), default_if_unreadable(digests.window(key).await)?.unwrap_or_default()))
        }));
        let read: Vec<_> = reading.buffer_unordered(CONCURRENT_READS).try_collect().await?;
        self.windows.extend(read);
        Ok(())
    }

    /// Notes which digests a window has.
    pub(crate) fn closed(&mut self, key: String, digests: Vec<Digest>) {
        self.windows.insert(key, digests);
    }

    pub(crate) fn is_closed(&self, key: &str) -> bool {
        self.windows.contains_key(key)
    }

    /// All digests, each with its position in its window, in order.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (usize, &Digest)> {
        self.windows.values().flat_map(|digests| digests.iter().enumerate())
    }

    /// Leaves out the candidates that a digest covers by now.
    pub(crate) fn retain_uncovered(&self, candidates: &mut Vec<Candidate>) {
        let covered = self.covered();
        candidates.retain(|candidate| !covered.contains(candidate.alert.id.as_str()));
    }

    fn covered(&self) -> HashSet<&str> {
        self.windows.values().flatten().flat_map(Digest::covered).map(|alert| alert.id.as_str()).collect()
    }

    /// The alerts made in `[from, to)` that no digest covers, but for probes and for those whose comment is gone or edited. What a digest may show of those that are
    /// read for the first time is added to `shown`.
    pub(crate) async fn candidates<O: Objects, C: Clock>(
        &mut self,
        ledger: &Reader<'_, O, C>,
        (from, to): (Timestamp, Timestamp),
        shown: &mut Shown,
    ) -> Result<Vec<Candidate>, DigestError> {
        let covered = &self.covered();
        let listing = stream::iter(Hour::between(from, to).map(|hour| async move {
            let of_hour = ledger.hour(hour).await?.into_iter();
            let is_wanted = |entry: &Entry| entry.since.is_open() && !covered.contains(entry.id.as_str());
            Ok::<_, LedgerError>(of_hour.filter(is_wanted).collect::<Vec<Entry>>())
        }));
        let entries = listing.buffered(CONCURRENT_READS).try_concat().await?;
        let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        self.alerts.retain(|id, _| ids.contains(id.as_str()));
        self.withheld.retain(|id, _| ids.contains(id.as_str()));

        let unknown: Vec<&Entry> = entries.iter().filter(|entry| !self.alerts.contains_key(&entry.id)).collect();
        let reading = unknown.into_iter().map(|entry| async move {
            let bytes = ledger.alert(entry.hour, &entry.id).await?;
            Ok::<_, DigestError>((entry, bytes))
        });
        let mut reading = stream::iter(reading).buffer_unordered(CONCURRENT_READS);
        while let Some((entry, bytes)) = reading.try_next().await? {
            let Some(bytes) = bytes else { continue };
            let candidate = decode(&entry.id, &bytes).and_then(|event| {
                let candidate = candidate(entry, &event)?;
                shown.add(&candidate, event);
                Some(candidate)
            });
            self.alerts.insert(entry.id.clone(), candidate);
        }

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
        let read: Vec<_> = reading.buffer_unordered(CONCURRENT_READS).try_collect().await?;
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

/// What was found, or nothing where the object is somebody else's: that is logged, and says nothing about digests.
pub(crate) fn default_if_unreadable<T: Default>(found: Result<T, DigestsError>) -> Result<T, DigestsError> {
    match found {
        Err(error @ DigestsError::Unreadable { .. }) => {
            digest_input_unreadable(&error.to_string());
            Ok(T::default())
        }
        found => found,
    }
}

/// An alert's event; none, which is logged, where the ledger holds something else.
pub(crate) fn decode<'a>(id: &str, bytes: &'a [u8]) -> Option<Event<'a, Alert<'a>>> {
    Event::decode(bytes).inspect_err(|bad| digest_input_unreadable(&format!("the alert {id}: {bad}"))).ok()
}

/// What a digest needs to know of an alert; none of a probe.
fn candidate(entry: &Entry, event: &Event<'_, Alert<'_>>) -> Option<Candidate> {
    let alert = &event.data;
    (!alert.probe).then(|| Candidate {
        alert: Covered { hour: entry.hour, id: entry.id.clone() },
        // An empty name is none: the digest would have the same id.
        subreddit: alert.comment.subreddit.as_deref().filter(|name| !name.is_empty()).map(str::to_owned),
        time: event.time,
        severity: alert.severity,
        probability: alert.probability,
        is_exploration: alert.exploration.is_some(),
        withheld: None,
    })
}
