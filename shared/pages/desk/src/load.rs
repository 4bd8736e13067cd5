//! What pages show, read from the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::try_join;
use jiff::{SignedDuration, Timestamp};
use modstream_decisions::{Lately, Log, LogError, Numbers, last_of, lately, log, numbers};
use modstream_events::{Alert, Event};
use modstream_ledger::digests::{Digest, Digests, DigestsError, Window};
use modstream_ledger::{AlertKey, Entry as Alerted, Ledger, LedgerError};
use modstream_platform::Clock;
use modstream_platform::deliver::DeliveryError;
use modstream_platform::table::Table;

use crate::company::Company;

/// How many alerts the desk shows; the rest is counted.
pub(crate) const MAX_SHOWN_AT_DESK: usize = 50;
/// How many of the alerts that wait are read, the first: among them it is counted how many more there are by an author or in a
/// thread. As many as one call reads.
const MAX_READ: usize = 100;
/// How many pages of the queue are counted: a page names some thousand alerts.
const MAX_COUNTED_PAGES: usize = 2;
/// How many decisions the day's numbers are of, the newest.
pub(crate) const MAX_DECISIONS: u32 = 10_000;
/// How long the numbers look back.
const NUMBERS_OF: SignedDuration = SignedDuration::from_hours(24);
/// How many of a digest's alerts its page shows, the strongest.
pub(crate) const MAX_SHOWN_OF_DIGEST: usize = modstream_ledger::digests::MAX_NAMED;
/// How many of the last decisions the desk shows.
const SHOWN_DECISIONS: usize = 8;

/// An alert's event, which holds its own text.
pub(crate) type AlertEvent = Event<'static, Alert<'static>>;

/// Why a page can't be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Digests(#[from] DigestsError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// A table, for one request.
#[derive(Clone, Copy)]
pub(crate) struct Loader<'a, B, C> {
    pub(crate) table: &'a B,
    pub(crate) clock: &'a C,
    pub(crate) deadline: Timestamp,
}

/// An alert and what was decided about it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) alert: Alerted,
    pub(crate) event: Arc<AlertEvent>,
    /// All decisions about it; in lists no more than are needed there.
    pub(crate) log: Log,
}

impl Entry {
    /// None of an alert whose event can't be read.
    fn new(alert: Alerted, log: Log) -> Option<Self> {
        let event: Event<'_, Alert<'_>> = Event::decode(&alert.event).ok()?;
        let mut event = event.into_owned();
        if alert.withdrawn.is_some() {
            // Nothing of what was written is shown, whatever the item still has.
            let comment = &mut event.data.comment;
            (comment.body, comment.author, comment.permalink) = (None, None, None);
            event.data.terms.clear();
            event.data.matched = None;
            event.data.self_harm = None;
            event.data.labels.iter_mut().flatten().for_each(|label| label.terms.clear());
        }
        Some(Entry { alert, event: Arc::new(event), log })
    }
}

/// What the desk shows.
#[derive(Default)]
pub(crate) struct Queue {
    /// The undecided alerts, the most severe first, then those reported most often, then the oldest.
    pub(crate) waiting: Vec<Entry>,
    /// How many more alerts wait.
    pub(crate) more: usize,
    /// Whether there are more than were counted.
    pub(crate) even_more: bool,
    /// The alerts that were decided last, the last first.
    pub(crate) decided_last: Vec<Entry>,
    /// The numbers of the last 24 hours.
    pub(crate) numbers: Numbers,
    /// Whether there were more decisions in these than the numbers are of.
    pub(crate) numbers_cut: bool,
    /// How many comments were missed in these; none where that could not be counted.
    pub(crate) missed: Option<usize>,
    /// What there is besides each alert.
    pub(crate) company: Company,
}

impl Queue {
    /// Puts in what was decided just now, or undone, as it is: an index may not know it yet.
    pub(crate) fn knows(&mut self, last: &Entry) {
        let waits = last.alert.is_open() && last.log.standing().decided().is_none();
        let is_listed = self.waiting.iter().any(|entry| entry.alert.key == last.alert.key);
        if waits && !is_listed {
            self.waiting.insert(0, last.clone());
        }
    }
}

impl<'a, B: Table, C: Clock> Loader<'a, B, C> {
    fn ledger(&self) -> Ledger<'a, B, C> {
        Ledger::new(self.table, self.clock, self.deadline)
    }

    /// An alert with its log, as they are now; none where there is none that can be read.
    pub(crate) async fn entry(&self, key: &AlertKey) -> Result<Option<Entry>, LoadError> {
        let Some(alert) = self.ledger().entry(key).await? else { return Ok(None) };
        let log = match alert.decisions {
            0 => Log::default(),
            _ => log(self.table, self.clock, self.deadline, key).await?,
        };
        Ok(Entry::new(alert, log))
    }

    /// A digest of a window; none where there is none that can be read.
    pub(crate) async fn digest(
        &self,
        start: Timestamp,
        minutes: u16,
        position: u16,
    ) -> Result<Option<Digest>, LoadError> {
        let Ok(end) = start.checked_add(SignedDuration::from_mins(minutes.into())) else { return Ok(None) };
        let digests = Digests::new(self.table, self.clock, self.deadline);
        Ok(digests.digest(Window { start, end }, position.into()).await?)
    }

    /// The alerts of a digest that are there, in its order, each with what stands.
    pub(crate) async fn covered(&self, digest: &Digest) -> Result<Vec<Entry>, LoadError> {
        let named: Vec<AlertKey> = digest.alerts.iter().chain(&digest.explorations).cloned().collect();
        let (mut found, _) = self.ledger().entries(&named).await?;
        let decided: Vec<(&AlertKey, u32)> = found.iter().map(|(key, alert)| (key, alert.decisions)).collect();
        let mut logs = last_of(self.table, self.clock, self.deadline, &decided).await?;
        let entries =
            named.iter().filter_map(|key| Entry::new(found.remove(key)?, logs.remove(key).unwrap_or_default()));
        Ok(entries.collect())
    }

    /// The queue as it is now, in at most twelve calls.
    pub(crate) async fn queue(&self) -> Result<Queue, LoadError> {
        let now = self.clock.now();
        let since = now - NUMBERS_OF;
        let lately = async { Ok(lately(self.table, self.clock, self.deadline, since, MAX_DECISIONS).await?) };
        let (mut queue, lately) = try_join(self.waiting(), lately).await?;
        queue.decided_last = self.decided_last(&lately).await?;
        queue.numbers = numbers(lately.alerts.iter().map(|(_, subject, log)| (subject, log)));
        queue.numbers_cut = lately.is_cut;
        // What can't be counted is no reason to show less.
        queue.missed = self.ledger().missed_since(since).await.ok().map(|(missed, _)| missed);
        Ok(queue)
    }

    /// What waits for a decision.
    async fn waiting(&self) -> Result<Queue, LoadError> {
        let ledger = self.ledger();
        let first = ledger.waiting(None).await?;
        let (mut counted, mut next) = (first.found.len(), first.next);
        for _ in 1..MAX_COUNTED_PAGES {
            if next.is_none() {
                break;
            }
            let page = ledger.waiting(next).await?;
            counted += page.found.len();
            next = page.next;
        }
        let named: Vec<AlertKey> = first.found.into_iter().take(MAX_READ).map(|waiting| waiting.key).collect();
        let (mut found, _) = ledger.entries(&named).await?;
        // The index may not know yet what was decided, edited or deleted just now.
        let waits = |alert: &Alerted| alert.is_open() && !alert.is_decided();
        let read = named.iter().filter_map(|key| found.remove(key));
        let read: Vec<Entry> = read.filter(waits).filter_map(|alert| Entry::new(alert, Log::default())).collect();
        counted -= named.len() - read.len();
        let company = Company::of(read.iter().map(|entry| &*entry.event));
        let waiting: Vec<Entry> = read.into_iter().take(MAX_SHOWN_AT_DESK).collect();
        let more = counted - waiting.len();
        Ok(Queue { more, even_more: next.is_some(), waiting, company, ..Queue::default() })
    }

    /// The alerts that were decided last, of which a decision stands.
    async fn decided_last(&self, lately: &Lately) -> Result<Vec<Entry>, LoadError> {
        let decided = lately.alerts.iter().filter(|(_, _, log)| log.standing().decided().is_some());
        let decided: BTreeMap<AlertKey, (usize, Log)> = decided
            .take(SHOWN_DECISIONS)
            .enumerate()
            .map(|(place, (key, _, log))| (key.clone(), (place, log.clone())))
            .collect();
        if decided.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<AlertKey> = decided.keys().cloned().collect();
        let (found, _) = self.ledger().entries(&named).await?;
        let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
        for (key, alert) in found {
            let Some((place, log)) = decided.get(&key) else { continue };
            // What was undone just now, the index may not know yet.
            if alert.decisions == log.last_number() {
                entries.extend(Entry::new(alert, log.clone()).map(|entry| (*place, entry)));
            }
        }
        Ok(entries.into_values().collect())
    }
}
