//! What pages show, read from the bucket.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use modstream_decisions::{Log, Numbers, Place, Recorded, Subject, numbers};
use modstream_events::{Alert, Event, Severity};
use modstream_ledger::digests::{Covered, Digest, window_key};
use modstream_ledger::{Hour, Keys, Reader};
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

/// How far back the desk looks.
pub(crate) const DAYS: i64 = 3;
/// How many alerts the desk shows; the rest is counted.
pub(crate) const SHOWN: usize = 50;
/// How many alerts are read for a page. Of more, the newest: the severity of the rest is not known.
const MOST_READ: usize = 2_000;
/// How many of a digest's alerts its page shows, the strongest.
pub(crate) const OF_A_DIGEST: usize = 200;
const AT_ONCE: usize = 16;
/// How long a text is kept after it was read, so that one that is to be forgotten is not kept here.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
const MOST_KEPT: usize = 10_000;
/// How many of the last decisions are shown.
const LATELY: usize = 8;

/// Why a page can't be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Ledger(#[from] modstream_ledger::LedgerError),
    #[error(transparent)]
    Log(#[from] modstream_decisions::LogError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// Objects by key, and when they were read.
type Kept = HashMap<String, (Timestamp, Arc<Vec<u8>>)>;

/// Objects that never change, kept for a while.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_old(&self, now: Timestamp) {
        self.lock().retain(|_, (read, _)| now.duration_since(*read) < KEPT);
    }
}

/// A bucket, for one request.
#[derive(Clone, Copy)]
pub(crate) struct Loader<'a, O, C> {
    pub(crate) objects: &'a O,
    pub(crate) clock: &'a C,
    pub(crate) cache: &'a Cache,
    pub(crate) deadline: Timestamp,
}

/// An alert and what was decided about it.
pub(crate) struct Entry {
    pub(crate) hour: Hour,
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) log: Log,
}

impl Entry {
    /// None where the ledger holds something else there, which is for the tools to say.
    pub(crate) fn event(&self) -> Option<Event<'_, Alert<'_>>> {
        Event::decode(&self.bytes).ok()
    }
}

/// What the desk shows.
#[derive(Default)]
pub(crate) struct Queue {
    /// Undecided, the most severe first, then the oldest.
    pub(crate) waiting: Vec<Entry>,
    /// How many more wait.
    pub(crate) more: usize,
    /// How many of these were not even read.
    pub(crate) unread: usize,
    /// Decided last, the last first.
    pub(crate) lately: Vec<Entry>,
    /// Of the last 24 hours.
    pub(crate) numbers: Numbers,
}

impl<O: Objects, C: Clock> Loader<'_, O, C> {
    /// An alert with its log; none where there is none.
    pub(crate) async fn entry(&self, hour: Hour, id: &str) -> Result<Option<Entry>, LoadError> {
        let reader = Reader::new(self.objects, self.clock, self.deadline);
        let Some(bytes) = reader.alert(hour, id).await? else { return Ok(None) };
        let log = self.log(Place { hour, alert_id: id }).await?;
        Ok(Some(Entry { hour, bytes: Arc::new(bytes), log }))
    }

    async fn log(&self, place: Place<'_>) -> Result<Log, LoadError> {
        let keys = list(self.objects, self.clock, self.deadline, &place.prefix()).await?;
        self.recorded(keys).await
    }

    async fn recorded(&self, keys: Vec<String>) -> Result<Log, LoadError> {
        let mut all = Vec::new();
        for key in keys {
            if let Some(bytes) = self.kept(&key).await?
                && let Ok(recorded) = Recorded::read(bytes.to_vec())
            {
                all.push(recorded);
            }
        }
        Ok(Log::from(all))
    }

    /// A digest of a window; none where there is none that can be read.
    pub(crate) async fn digest(&self, start: Timestamp, minutes: u16, place: u16) -> Result<Option<Digest>, LoadError> {
        let Ok(end) = start.checked_add(SignedDuration::from_mins(minutes.into())) else { return Ok(None) };
        let bytes = self.kept(&window_key(start, end)).await?;
        let digests: Option<Vec<Digest>> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(digests.and_then(|digests| digests.into_iter().nth(place.into())))
    }

    /// The first alerts of a digest that are there, in its order.
    pub(crate) async fn covered(&self, covered: &[Covered]) -> Result<Vec<Entry>, LoadError> {
        let loading = covered.iter().take(OF_A_DIGEST);
        let loading = loading.map(async |covered: &Covered| self.entry(covered.hour, &covered.id).await);
        let found: Vec<Result<Option<Entry>, LoadError>> = stream::iter(loading).buffered(AT_ONCE).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    /// The queue as it is now.
    pub(crate) async fn queue(&self) -> Result<Queue, LoadError> {
        let now = self.clock.now();
        self.cache.forget_old(now);
        let reader = Reader::new(self.objects, self.clock, self.deadline);
        let from = now - SignedDuration::from_hours(24 * DAYS);
        // A comment's clock may be ahead of ours.
        let to = now + SignedDuration::from_hours(1);
        let hours = Hour::between(from, to);
        let listed: Vec<_> = stream::iter(hours).map(|hour| reader.hour(hour)).buffered(AT_ONCE).collect().await;
        let mut entries = Vec::new();
        for hour in listed {
            entries.extend(hour?);
        }
        let mut logs: HashMap<String, Vec<String>> = HashMap::new();
        for day in Hour::days(Hour::of(from), Hour::of(to)) {
            let prefix = format!("{}{day}", modstream_decisions::PREFIX);
            for key in list(self.objects, self.clock, self.deadline, &prefix).await? {
                if let Some((place, _)) = Place::of_key(&key) {
                    logs.entry(place.alert_id.to_owned()).or_default().push(key);
                }
            }
        }
        // The newest hours first, so that what is left out is old.
        entries.reverse();
        let loading = entries.into_iter().map(|entry| {
            let keys = logs.remove(&entry.id).unwrap_or_default();
            async move {
                let log = self.recorded(keys).await?;
                Ok((entry.hour, entry.id, log))
            }
        });
        let logged: Vec<Result<(Hour, String, Log), LoadError>> =
            stream::iter(loading).buffered(AT_ONCE).collect().await;
        let mut read = Vec::new();
        let (mut unread, mut taken) = (0, 0);
        for one in logged {
            let (hour, id, log) = one?;
            let is_open = log.standing().decided().is_none();
            taken += usize::from(is_open);
            if is_open && taken > MOST_READ {
                unread += 1;
                continue;
            }
            read.push((hour, id, log));
        }
        let loading = read.into_iter().map(|(hour, id, log)| async move {
            let bytes = self.kept(&Keys::in_hour(hour, &id).requested).await?;
            Ok(bytes.map(|bytes| Entry { hour, bytes, log }))
        });
        let found: Vec<Result<Option<Entry>, LoadError>> = stream::iter(loading).buffered(AT_ONCE).collect().await;
        let found: Result<Vec<Entry>, LoadError> = found.into_iter().filter_map(Result::transpose).collect();
        Ok(arrange(found?, unread, now))
    }

    /// An object that never changes.
    async fn kept(&self, key: &str) -> Result<Option<Arc<Vec<u8>>>, LoadError> {
        let now = self.clock.now();
        let known = self.cache.lock().get(key).cloned();
        if let Some((read, bytes)) = known
            && now.duration_since(read) < KEPT
        {
            return Ok(Some(bytes));
        }
        let fetched = get(self.objects, self.clock, self.deadline, key, None).await?;
        let Fetched::Object { bytes, .. } = fetched else { return Ok(None) };
        let bytes = Arc::new(bytes);
        let mut cache = self.cache.lock();
        if cache.len() >= MOST_KEPT {
            cache.clear();
        }
        cache.insert(key.to_owned(), (now, Arc::clone(&bytes)));
        Ok(Some(bytes))
    }
}

fn arrange(entries: Vec<Entry>, unread: usize, now: Timestamp) -> Queue {
    let mut waiting: BTreeMap<(std::cmp::Reverse<Severity>, Timestamp, String), Entry> = BTreeMap::new();
    let mut decided: BTreeMap<(Timestamp, String), Entry> = BTreeMap::new();
    let mut counted: Vec<(Subject, Log)> = Vec::new();
    for entry in entries {
        let Some(event) = entry.event() else { continue };
        let (severity, time, id) = (event.data.severity, event.time, event.id.to_string());
        let last = entry.log.last().map(|last| last.time);
        if last.is_some_and(|last| now.duration_since(last) < SignedDuration::from_hours(24)) {
            counted.push((Subject::of(&event), entry.log.clone()));
        }
        drop(event);
        match entry.log.standing().decided().map(|decision| decision.time) {
            Some(at) => drop(decided.insert((at, id), entry)),
            None => drop(waiting.insert((std::cmp::Reverse(severity), time, id), entry)),
        }
    }
    let more = waiting.len().saturating_sub(SHOWN) + unread;
    Queue {
        waiting: waiting.into_values().take(SHOWN).collect(),
        more,
        unread,
        lately: decided.into_values().rev().take(LATELY).collect(),
        numbers: numbers(counted.iter().map(|(subject, log)| (subject, log))),
    }
}
