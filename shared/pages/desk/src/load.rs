//! What pages show, read from the bucket.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use modstream_decisions::{AlertKey, Log, Numbers, Recorded, Subject, numbers};
use modstream_events::{Alert, Event, Severity};
use modstream_ledger::digests::{Covered, Digest, window_key};
use modstream_ledger::{self as ledger, Hour, Keys, MISSED_PREFIX, Reader, Since};
use modstream_platform::deliver::{DeliveryError, get, list};
use modstream_platform::{Clock, Fetched, Objects};

use crate::company::Company;

/// How many days the desk looks back.
pub(crate) const DAYS: i64 = 3;
/// How many days a look further back takes in.
pub(crate) const OLDER_DAYS: i64 = 7;
/// How many alerts the desk shows; the rest is counted.
pub(crate) const MAX_SHOWN_AT_DESK: usize = 50;
/// How many undecided alerts are read for a page. Of more, the newest: the severity of the rest is not known.
const MAX_UNDECIDED_READ: usize = 2_000;
/// How many of a digest's alerts its page shows, the strongest.
pub(crate) const MAX_SHOWN_OF_DIGEST: usize = 200;
/// How many objects are asked for at the same time.
const CONCURRENT_READS: usize = 16;
/// How long a text is kept after it was read, so that one that is to be forgotten is not kept here.
const CACHED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How many objects of a kind are kept.
const MAX_CACHED_OBJECTS: usize = 10_000;
/// How many of the last decisions the desk shows.
const SHOWN_DECISIONS: usize = 8;

/// An alert's event, which holds its own text.
pub(crate) type AlertEvent = Event<'static, Alert<'static>>;

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

/// What was read, by key, and when. None where the object is something else, which is for the tools to say.
type Cached<T> = Mutex<HashMap<String, (Timestamp, Option<T>)>>;

/// What objects that never change say, kept for a while, so that each is fetched and decoded once.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    alerts: Cached<Arc<AlertEvent>>,
    decisions: Cached<Recorded>,
    windows: Cached<Arc<Vec<Digest>>>,
    /// The alerts of hours that are over, kept for a while.
    hours: Cached<Arc<Vec<ledger::Entry>>>,
}

impl Cache {
    fn forget_old(&self, now: Timestamp) {
        let is_fresh = |read: Timestamp| now.duration_since(read) < CACHED_FOR;
        lock(&self.alerts).retain(|_, (read, _)| is_fresh(*read));
        lock(&self.decisions).retain(|_, (read, _)| is_fresh(*read));
        lock(&self.windows).retain(|_, (read, _)| is_fresh(*read));
        lock(&self.hours).retain(|_, (read, _)| is_fresh(*read));
    }
}

fn lock<T>(cached: &Mutex<T>) -> MutexGuard<'_, T> {
    cached.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What may be shown: nothing of what was written where the comment is gone, whatever the object still has.
fn shown(event: Arc<AlertEvent>, since: Since) -> Arc<AlertEvent> {
    if !since.is_withdrawn {
        return event;
    }
    let mut event = Arc::unwrap_or_clone(event);
    let comment = &mut event.data.comment;
    (comment.body, comment.author, comment.permalink) = (None, None, None);
    event.data.terms.clear();
    event.data.matched = None;
    Arc::new(event)
}

fn decode(bytes: &[u8]) -> Option<Arc<AlertEvent>> {
    Event::decode(bytes).ok().map(|event: Event<'_, Alert<'_>>| Arc::new(event.into_owned()))
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
    pub(crate) event: Arc<AlertEvent>,
    pub(crate) log: Log,
    /// What happened to the comment since.
    pub(crate) since: Since,
}

/// What the desk shows.
#[derive(Default)]
pub(crate) struct Queue {
    /// The undecided alerts, the most severe first, then those reported most often, then the oldest.
    pub(crate) waiting: Vec<Entry>,
    /// How many more alerts wait.
    pub(crate) more: usize,
    /// How many of these were not even read.
    pub(crate) unread: usize,
    /// The alerts that were decided last, the last first.
    pub(crate) decided_last: Vec<Entry>,
    /// The numbers of the last 24 hours.
    pub(crate) numbers: Numbers,
    /// How many comments were missed in these; none where that could not be counted.
    pub(crate) missed: Option<usize>,
    /// What there is besides each alert.
    pub(crate) company: Company,
}

/// Undecided alerts of some days that the queue does not reach.
pub(crate) struct Older {
    /// When these days begin.
    pub(crate) from: Hour,
    /// When they end: alerts of this hour and later ones are elsewhere.
    pub(crate) before: Hour,
    /// The alerts, the newest hour first, no more than are shown.
    pub(crate) shown: Vec<Entry>,
    /// How many there are.
    pub(crate) count: usize,
}

impl<O: Objects, C: Clock> Loader<'_, O, C> {
    /// An alert with its log; none where there is none that can be read.
    pub(crate) async fn entry(&self, hour: Hour, id: &str) -> Result<Option<Entry>, LoadError> {
        let reader = Reader::new(self.objects, self.clock, self.deadline);
        let Some(event) = reader.alert(hour, id).await?.and_then(|bytes| decode(&bytes)) else { return Ok(None) };
        let log = self.log(AlertKey { hour, alert_id: id }).await?;
        let since = reader.entry(hour, id).await?.map(|entry| entry.since).unwrap_or_default();
        Ok(Some(Entry { hour, event: shown(event, since), log, since }))
    }

    async fn log(&self, place: AlertKey<'_>) -> Result<Log, LoadError> {
        let keys = list(self.objects, self.clock, self.deadline, &place.prefix()).await?;
        self.recorded(keys).await
    }

    async fn recorded(&self, keys: Vec<String>) -> Result<Log, LoadError> {
        let mut all = Vec::new();
        for key in keys {
            all.extend(self.get_cached(&self.cache.decisions, &key, |bytes| Recorded::read(bytes).ok()).await?);
        }
        Ok(Log::from(all))
    }

    /// A digest of a window; none where there is none that can be read.
    pub(crate) async fn digest(
        &self,
        start: Timestamp,
        minutes: u16,
        position: u16,
    ) -> Result<Option<Digest>, LoadError> {
        let Ok(end) = start.checked_add(SignedDuration::from_mins(minutes.into())) else { return Ok(None) };
        let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).ok().map(Arc::new);
        let digests = self.get_cached(&self.cache.windows, &window_key(start, end), read).await?;
        Ok(digests.and_then(|digests| digests.get(usize::from(position)).cloned()))
    }

    /// The first alerts of a digest that are there, in its order.
    pub(crate) async fn covered(&self, covered: &[Covered]) -> Result<Vec<Entry>, LoadError> {
        let loading = covered.iter().take(MAX_SHOWN_OF_DIGEST);
        let loading = loading.map(async |covered: &Covered| self.entry(covered.hour, &covered.id).await);
        let found: Vec<Result<Option<Entry>, LoadError>> =
            stream::iter(loading).buffered(CONCURRENT_READS).collect().await;
        found.into_iter().filter_map(Result::transpose).collect()
    }

    /// The queue as it is now.
    pub(crate) async fn queue(&self) -> Result<Queue, LoadError> {
        let now = self.clock.now();
        self.cache.forget_old(now);
        let reader = Reader::new(self.objects, self.clock, self.deadline);
        let from = now - SignedDuration::from_hours(24 * DAYS);
        // The publisher's clock may be ahead of ours.
        let to = now + SignedDuration::from_hours(1);
        let hours = Hour::between(from, to);
        let listed: Vec<_> =
            stream::iter(hours).map(|hour| reader.hour(hour)).buffered(CONCURRENT_READS).collect().await;
        let mut entries = Vec::new();
        for hour in listed {
            entries.extend(hour?);
        }
        let mut logs: HashMap<String, Vec<String>> = HashMap::new();
        for day in Hour::days(Hour::of(from), Hour::of(to)) {
            let prefix = format!("{}{day}", modstream_decisions::PREFIX);
            for key in list(self.objects, self.clock, self.deadline, &prefix).await? {
                if let Some((place, _)) = AlertKey::of_key(&key) {
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
                Ok((entry, log))
            }
        });
        let logged: Vec<Result<(ledger::Entry, Log), LoadError>> =
            stream::iter(loading).buffered(CONCURRENT_READS).collect().await;
        let mut read = Vec::new();
        let (mut unread, mut taken) = (0, 0);
        for one in logged {
            let (entry, log): (ledger::Entry, Log) = one?;
            let is_decided = log.standing().decided().is_some();
            if entry.since.is_withdrawn {
                self.drop_text(&Keys::in_hour(entry.hour, &entry.id).requested);
            }
            if !is_decided && !entry.since.is_open() {
                continue;
            }
            taken += usize::from(!is_decided);
            if !is_decided && taken > MAX_UNDECIDED_READ {
                unread += 1;
                continue;
            }
            read.push((entry, log));
        }
        let loading = read.into_iter().map(|(entry, log)| async move {
            let ledger::Entry { id, hour, since, .. } = entry;
            let requested = Keys::in_hour(hour, &id).requested;
            let event = self.get_cached(&self.cache.alerts, &requested, |bytes| decode(&bytes)).await?;
            Ok(event.map(|event| Entry { hour, event: shown(event, since), log, since }))
        });
        let found: Vec<Result<Option<Entry>, LoadError>> =
            stream::iter(loading).buffered(CONCURRENT_READS).collect().await;
        let found: Result<Vec<Entry>, LoadError> = found.into_iter().filter_map(Result::transpose).collect();
        // What can't be counted is no reason to show less.
        let missed = self.missed(now).await.ok();
        Ok(Queue { missed, ..arrange(found?, unread, now) })
    }

    /// How many comments were missed in the last 24 hours: reported, removed at the forum, and never alerted about.
    async fn missed(&self, now: Timestamp) -> Result<usize, LoadError> {
        let (from, to) = (Hour::of(now - SignedDuration::from_hours(24)), Hour::of(now));
        let mut missed = 0;
        for day in Hour::days(from, to) {
            let prefix = format!("{MISSED_PREFIX}{day}");
            let keys = list(self.objects, self.clock, self.deadline, &prefix).await?;
            let hour = |key: &String| key.split('/').nth(1)?.parse::<Hour>().ok();
            missed += keys.iter().filter_map(hour).filter(|hour| (from..=to).contains(hour)).count();
        }
        Ok(missed)
    }

    /// The first hour that the queue reaches: what lies before it is older.
    pub(crate) fn reach(&self) -> Hour {
        Hour::of(self.clock.now() - SignedDuration::from_hours(24 * DAYS))
    }

    /// How many alerts of the days before the queue's are undecided.
    pub(crate) async fn count_older(&self) -> Result<usize, LoadError> {
        Ok(self.undecided_before(self.reach()).await?.map_or(0, |(_, undecided)| undecided.len()))
    }

    /// The undecided alerts of some days before an hour; none where time does not go back so far.
    pub(crate) async fn older(&self, before: Hour) -> Result<Option<Older>, LoadError> {
        self.cache.forget_old(self.clock.now());
        // What is not older is the queue's.
        let before = before.min(self.reach());
        let Some((from, undecided)) = self.undecided_before(before).await? else { return Ok(None) };
        let count = undecided.len();
        let loading = undecided.into_iter().rev().take(MAX_SHOWN_AT_DESK);
        let loading = loading.map(async |(hour, id): (Hour, String)| self.entry(hour, &id).await);
        let found: Vec<Result<Option<Entry>, LoadError>> =
            stream::iter(loading).buffered(CONCURRENT_READS).collect().await;
        let shown: Result<Vec<Entry>, LoadError> = found.into_iter().filter_map(Result::transpose).collect();
        // The names may be some minutes old.
        let shown = shown?.into_iter().filter(|entry| entry.since.is_open()).collect();
        Ok(Some(Older { from, before, shown, count }))
    }

    /// Where some days before an hour begin, and what is undecided in them, oldest first, as the names of objects tell: a
    /// listing an hour and one a day, whatever the number of alerts.
    async fn undecided_before(&self, before: Hour) -> Result<Option<(Hour, Vec<(Hour, String)>)>, LoadError> {
        let Ok(from) = before.start().checked_sub(SignedDuration::from_hours(24 * OLDER_DAYS)) else { return Ok(None) };
        let hours = Hour::between(from, before.start());
        let listed: Vec<_> =
            stream::iter(hours).map(|hour| self.settled_hour(hour)).buffered(CONCURRENT_READS).collect().await;
        let mut last_numbers: HashMap<String, u32> = HashMap::new();
        for day in Hour::days(Hour::of(from), before) {
            let prefix = format!("{}{day}", modstream_decisions::PREFIX);
            for key in list(self.objects, self.clock, self.deadline, &prefix).await? {
                if let Some((place, number)) = AlertKey::of_key(&key) {
                    let last = last_numbers.entry(place.alert_id.to_owned()).or_default();
                    *last = number.max(*last);
                }
            }
        }
        let mut undecided = Vec::new();
        for hour in listed {
            let hour = hour?;
            let open = hour
                .iter()
                .filter(|entry| entry.since.is_open())
                .filter(|entry| !AlertKey::is_decided(last_numbers.get(&entry.id).copied().unwrap_or_default()));
            undecided.extend(open.map(|entry| (entry.hour, entry.id.clone())));
        }
        Ok(Some((Hour::of(from), undecided)))
    }

    /// The alerts of an hour that is over, kept for a while.
    async fn settled_hour(&self, hour: Hour) -> Result<Arc<Vec<ledger::Entry>>, LoadError> {
        let (key, now) = (hour.prefix(), self.clock.now());
        if let Some((read, Some(entries))) = lock(&self.cache.hours).get(&key)
            && now.duration_since(*read) < CACHED_FOR
        {
            return Ok(Arc::clone(entries));
        }
        let entries = Arc::new(Reader::new(self.objects, self.clock, self.deadline).hour(hour).await?);
        lock(&self.cache.hours).insert(key, (now, Some(Arc::clone(&entries))));
        Ok(entries)
    }

    /// Forgets what was kept of an alert whose comment is gone by now, if that still has its text.
    fn drop_text(&self, requested: &str) {
        let mut cached = lock(&self.cache.alerts);
        let has_text = |event: &Arc<AlertEvent>| event.data.comment.body.is_some();
        if cached.get(requested).is_some_and(|(_, event)| event.as_ref().is_some_and(has_text)) {
            cached.remove(requested);
        }
    }

    /// What an object says that never changes; none where it is missing, or something else.
    async fn get_cached<T: Clone>(
        &self,
        cached: &Cached<T>,
        key: &str,
        read: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, LoadError> {
        let now = self.clock.now();
        if let Some((at, value)) = lock(cached).get(key)
            && now.duration_since(*at) < CACHED_FOR
        {
            return Ok(value.clone());
        }
        let fetched = get(self.objects, self.clock, self.deadline, key, None).await?;
        let Fetched::Object { bytes, .. } = fetched else { return Ok(None) };
        let value = read(bytes);
        let mut cached = lock(cached);
        if cached.len() >= MAX_CACHED_OBJECTS {
            cached.clear();
        }
        cached.insert(key.to_owned(), (now, value.clone()));
        Ok(value)
    }
}

/// Where an alert stands in the queue: by severity and reports, the most first, then by age.
type Rank = (Reverse<(Severity, usize)>, Timestamp, String);

fn arrange(entries: Vec<Entry>, unread: usize, now: Timestamp) -> Queue {
    let mut waiting: BTreeMap<Rank, Entry> = BTreeMap::new();
    let mut decided: BTreeMap<(Timestamp, String), Entry> = BTreeMap::new();
    let mut counted: Vec<(Subject, Log)> = Vec::new();
    let company = Company::of(entries.iter().map(|entry| &*entry.event));
    for entry in entries {
        let (severity, time, id) = (entry.event.data.severity, entry.event.time, entry.event.id.to_string());
        let last = entry.log.last().map(|last| last.time);
        if last.is_some_and(|last| now.duration_since(last) < SignedDuration::from_hours(24)) {
            counted.push((Subject::of(&entry.event), entry.log.clone()));
        }
        match entry.log.standing().decided().map(|decision| decision.time) {
            Some(at) => drop(decided.insert((at, id), entry)),
            None => drop(waiting.insert((Reverse((severity, entry.since.reports)), time, id), entry)),
        }
    }
    let more = waiting.len().saturating_sub(MAX_SHOWN_AT_DESK) + unread;
    Queue {
        waiting: waiting.into_values().take(MAX_SHOWN_AT_DESK).collect(),
        more,
        unread,
        decided_last: decided.into_values().rev().take(SHOWN_DECISIONS).collect(),
        numbers: numbers(counted.iter().map(|(subject, log)| (subject, log))),
        missed: None,
        company,
    }
}
