use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{
    Condition, Consistency, Item, Key, Query, SortRange, Table, Transacted, Update, Write,
};
use modstream_telemetry::digest_input_unreadable;
use named_mutations::is_on;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::Digest;
use crate::keys::{AlertKey, sort_time};
use crate::packed::{pack, unpack};

/// How many calls are made at the same time.
const CONCURRENT_CALLS: usize = 16;
/// What is known is kept by so much of an alert's time.
const SLOT_SECONDS: i64 = 15 * 60;
/// How many alerts a page names: compressed, they are half of what an item holds.
const ALERTS_PER_PAGE: usize = 4_000;
/// How long it is kept which alerts a window took: longer than any run looks back.
const TAKEN_KEPT: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long a digest that was not sent is still to be sent.
const SENT_WITHIN: SignedDuration = SignedDuration::from_hours(24);

const DIGESTS: &str = "digests";
const HEAD: &str = "head";
const RECORD: &str = "record";
const UNSENT: &str = "unsent#";
const DIGEST: &str = "digest#";

const END: &str = "end";
const WAITING: &str = "waiting";
const ATTEMPT: &str = "attempt";
const ALERTS: &str = "alerts";
const CONTENT: &str = "digest";
const SENT: &str = "sent";
const MESSAGE_ID: &str = "message_id";

/// A window, as keys name it: `2026-01-05T10:00-5m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// When it begins: a whole minute.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

impl fmt::Display for Window {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.end.duration_since(self.start).as_mins();
        write!(to, "{}-{minutes}m", self.start.strftime("%Y-%m-%dT%H:%M"))
    }
}

/// A text that names no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no window such as 2026-01-05T10:00-5m")]
pub struct NoWindow(String);

impl FromStr for Window {
    type Err = NoWindow;

    fn from_str(text: &str) -> Result<Self, NoWindow> {
        let read = || {
            let (start, minutes) = text.strip_suffix('m')?.rsplit_once('-')?;
            let start = TimeZone::UTC.to_timestamp(DateTime::strptime("%Y-%m-%dT%H:%M", start).ok()?).ok()?;
            let end = start.checked_add(SignedDuration::from_mins(minutes.parse().ok()?)).ok()?;
            Some(Window { start, end })
        };
        read().filter(|window| window.to_string() == text).ok_or_else(|| NoWindow(text.to_owned()))
    }
}

/// How far windows are closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Until when they are; none where none was closed.
    pub end: Option<Timestamp>,
    /// The subreddits some of whose alerts wait for a digest, and since when. The empty name stands for comments without one.
    pub waiting: BTreeMap<String, WaitingSince>,
}

/// That alerts of a subreddit wait for a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingSince {
    /// The first window that left some.
    pub window: String,
    /// Whether there are alerts among them, and not explorations alone.
    pub alerts: bool,
}

impl WaitingSince {
    /// The alerts that this window leaves; that they are no explorations is to be said.
    pub fn of(window: Window) -> Self {
        WaitingSince { window: window.to_string(), alerts: false }
    }

    /// Whether it is still known at this window which alerts wait.
    pub fn is_kept(&self, at: Window) -> bool {
        self.window.parse::<Window>().is_ok_and(|first| at.end.duration_since(first.end) < TAKEN_KEPT)
    }
}

/// What closes a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The window.
    pub window: Window,
    /// Its digests.
    pub digests: Vec<Digest>,
    /// The alerts that it takes, with the times when they were made: no later window takes them again.
    pub taken: Vec<(Timestamp, AlertKey)>,
    /// Those of them that wait for a digest, by subreddit.
    pub waiting: BTreeMap<String, Vec<AlertKey>>,
    /// Which subreddits' alerts wait afterwards.
    pub still_waiting: BTreeMap<String, WaitingSince>,
}

/// What became of an attempt to close a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The window is closed, by this attempt.
    Ours,
    /// Somebody else moved on from where this attempt began: look again.
    Behind,
}

/// A window that may have digests to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The window.
    pub window: Window,
    attempt: String,
}

/// A digest of a closed window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDigest {
    /// The digest's position in its window, from 0.
    pub position: usize,
    /// The digest.
    pub digest: Digest,
    /// Whether the topic took it.
    pub is_sent: bool,
    key: Key,
}

/// What can go wrong with digests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestsError {
    /// The item is another's.
    #[error("the item {} {} is not what digests have there: {detail}", key.partition, key.sort)]
    Unreadable {
        /// The item's key.
        key: Key,
        /// What is wrong.
        detail: String,
    },
    /// A call failed.
    #[error("the digests: {0}")]
    Delivery(#[from] DeliveryError),
}

/// A table's digests.
#[derive(Debug)]
pub struct Digests<'a, B, C> {
    table: &'a B,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, B: Table, C: Clock> Digests<'a, B, C> {
    /// The digests in `table`; no call starts after `deadline`.
    pub fn new(table: &'a B, clock: &'a C, deadline: Timestamp) -> Self {
        Digests { table, clock, deadline }
    }

    /// How far windows are closed.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn head(&self) -> Result<Head, DigestsError> {
        let key = Key::new(DIGESTS, HEAD);
        let item = items::get(self.table, self.clock, self.deadline, &key, Consistency::Consistent).await?;
        let Some(item) = item else { return Ok(Head::default()) };
        let end = item.text(END).and_then(|end| end.parse().ok());
        let waiting = item.bytes(WAITING).and_then(|packed| unpack(packed).ok());
        let waiting = waiting.and_then(|json| serde_json::from_slice(&json).ok());
        match (end, waiting) {
            (Some(end), Some(waiting)) => Ok(Head { end: Some(end), waiting }),
            _ => Err(unreadable(&item, "it says neither until when windows are closed, nor what waits")),
        }
    }

    /// The alerts made in these stretches of time that closed windows took.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn taken(&self, stretches: &[(Timestamp, Timestamp)]) -> Result<BTreeSet<AlertKey>, DigestsError> {
        let slots: BTreeSet<i64> = stretches.iter().flat_map(|(from, to)| slot(*from)..=slot(*to)).collect();
        let queries = slots.into_iter().map(|slot| Query::table(known(slot), Consistency::Consistent));
        Ok(self.named(queries).await?.into_iter().collect())
    }

    /// The alerts of a subreddit that wait for a digest.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn waiting(&self, subreddit: &str, since: &WaitingSince) -> Result<Vec<AlertKey>, DigestsError> {
        let query = Query::table(waiting(subreddit), Consistency::Consistent);
        self.named([query.range(SortRange::From(since.window.clone()))].into_iter()).await
    }

    /// The alerts on pages that windows left when they were closed, and on none that an attempt left which closed nothing.
    async fn named(&self, queries: impl Iterator<Item = Query>) -> Result<Vec<AlertKey>, DigestsError> {
        let (table, clock, deadline) = (self.table, self.clock, self.deadline);
        let asked = queries.map(async |query| items::query_all(table, clock, deadline, &query).await);
        let pages: Vec<Vec<Item>> = stream::iter(asked).buffered(CONCURRENT_CALLS).try_collect().await?;
        let pages: Vec<Item> = pages.into_iter().flatten().collect();
        let of_page = |page: &Item| {
            let (window, rest) = page.key.sort.split_once('#')?;
            Some((record(window), rest.split_once('#')?.0.to_owned()))
        };
        let records: BTreeSet<Key> = pages.iter().filter_map(of_page).map(|(record, _)| record).collect();
        let records: Vec<Key> = records.into_iter().collect();
        let records = items::get_all(table, clock, deadline, &records, Consistency::Consistent).await?;
        let counts = |page: &&Item| {
            of_page(page).is_some_and(|(record, attempt)| {
                records.get(&record).and_then(|record| record.text(ATTEMPT)) == Some(attempt.as_str())
            }) || is_on("count-lost-attempts")
        };
        let mut named = Vec::new();
        for page in pages.iter().filter(counts) {
            let text = page.bytes(ALERTS).and_then(|packed| unpack(packed).ok());
            let Some(text) = text.and_then(|text| String::from_utf8(text).ok()) else {
                // What is another's says nothing about digests, and is for somebody to look at.
                digest_input_unreadable(&unreadable(page, "it names no alerts").to_string());
                continue;
            };
            named.extend(text.lines().filter_map(|line| line.parse().ok()));
        }
        Ok(named)
    }

    /// Closes a window, if windows are still closed as far as was found.
    ///
    /// # Errors
    /// Where it is not known by the deadline whether it is closed.
    pub async fn close(&self, found: &Head, closing: &Closing) -> Result<Closed, DigestsError> {
        let (table, clock, deadline) = (self.table, self.clock, self.deadline);
        let Closing { window, digests, taken, waiting: waits, still_waiting } = closing;
        let name = window.to_string();
        let attempt = attempt(closing);
        let expires = window.end.saturating_add(TAKEN_KEPT).unwrap_or(Timestamp::MAX);
        let page = |partition: String, number: usize, alerts: &[&AlertKey]| {
            let lines: String = alerts.iter().map(|alert| format!("{alert}\n")).collect();
            let key = Key::new(partition, format!("{name}#{attempt}#{number:06}"));
            Item::new(key).with(ALERTS, pack(lines.as_bytes())).expiring(expires)
        };
        let mut by_slot: BTreeMap<i64, Vec<&AlertKey>> = BTreeMap::new();
        for (made, alert) in taken {
            by_slot.entry(slot(*made)).or_default().push(alert);
        }
        let known = by_slot.into_iter().map(|(slot, alerts)| (known(slot), alerts));
        let waits = waits.iter().map(|(subreddit, alerts)| (waiting(subreddit), alerts.iter().collect()));
        let mut left: Vec<Item> = known
            .chain(waits)
            .flat_map(|(partition, alerts): (String, Vec<&AlertKey>)| {
                let pages = alerts.chunks(ALERTS_PER_PAGE).enumerate();
                pages.map(|(number, alerts)| page(partition.clone(), number, alerts)).collect::<Vec<_>>()
            })
            .collect();
        for (position, digest) in digests.iter().enumerate() {
            let key = Key::new(partition(&name), format!("{DIGEST}{attempt}#{position:06}"));
            left.push(Item::new(key).with(CONTENT, pack(&json(digest))));
        }
        let is_silent = left.is_empty();
        // What is there is the same, or knows already that it was sent.
        let writing = left.iter().map(async |item| items::put(table, clock, deadline, item, &Condition::Absent).await);
        let _: Vec<_> = stream::iter(writing).buffered(CONCURRENT_CALLS).try_collect().await?;

        let head = Item::new(Key::new(DIGESTS, HEAD))
            .with(END, sort_time(window.end))
            .with(WAITING, pack(&json(still_waiting)));
        let unmoved = match found.end {
            Some(_) if is_on("close-window-again") => Condition::Always,
            Some(end) => Condition::equals(END, sort_time(end)),
            None => Condition::Absent,
        };
        let mut writes = vec![Write::Put { item: head, condition: unmoved }];
        if !is_silent {
            let record = Item::new(record(&name)).with(ATTEMPT, attempt.as_str());
            let condition = if is_on("close-window-again") { Condition::Always } else { Condition::Absent };
            writes.push(Write::Put { item: record, condition });
        }
        if !digests.is_empty() {
            let until = window.end.saturating_add(SENT_WITHIN).unwrap_or(Timestamp::MAX);
            let item = Item::new(Key::new(DIGESTS, format!("{UNSENT}{name}"))).with(ATTEMPT, attempt.as_str());
            writes.push(Write::Put { item: item.expiring(until), condition: Condition::Always });
        }
        let intent = format!("{name} {attempt}");
        Ok(match items::transact(table, clock, deadline, &intent, &writes).await? {
            Transacted::Done => Closed::Ours,
            Transacted::Cancelled(_) => Closed::Behind,
        })
    }

    /// The windows that may have digests to be sent, the earliest first.
    ///
    /// # Errors
    /// Where one can't be read, or there is no answer by the deadline.
    pub async fn unsent(&self) -> Result<Vec<Unsent>, DigestsError> {
        let query = Query::table(DIGESTS, Consistency::Consistent).range(SortRange::Prefix(UNSENT.to_owned()));
        let found = items::query_all(self.table, self.clock, self.deadline, &query).await?;
        let unsent = |item: &Item| {
            let window = item.key.sort.strip_prefix(UNSENT)?.parse().ok()?;
            Some(Unsent { window, attempt: item.text(ATTEMPT)?.to_owned() })
        };
        found.iter().map(|item| unsent(item).ok_or_else(|| unreadable(item, "it names no window"))).collect()
    }

    /// The digests of a window that may have some to be sent, in order.
    ///
    /// # Errors
    /// Where one can't be read, or there is no answer by the deadline.
    pub async fn digests(&self, of: &Unsent) -> Result<Vec<StoredDigest>, DigestsError> {
        let prefix = format!("{DIGEST}{}#", of.attempt);
        let query = Query::table(partition(&of.window.to_string()), Consistency::Consistent);
        let query = query.range(SortRange::Prefix(prefix));
        let found = items::query_all(self.table, self.clock, self.deadline, &query).await?;
        found.iter().map(stored).collect()
    }

    /// A digest of a window; none where there is none.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn digest(&self, window: Window, position: usize) -> Result<Option<Digest>, DigestsError> {
        let name = window.to_string();
        let get =
            async |key: Key| items::get(self.table, self.clock, self.deadline, &key, Consistency::Consistent).await;
        let Some(record) = get(record(&name)).await? else { return Ok(None) };
        let attempt = record.text(ATTEMPT).ok_or_else(|| unreadable(&record, "it names no attempt"))?;
        let found = get(Key::new(partition(&name), format!("{DIGEST}{attempt}#{position:06}"))).await?;
        Ok(found.as_ref().map(stored).transpose()?.map(|stored| stored.digest))
    }

    /// Records that the topic took a digest.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn mark_sent(&self, digest: &StoredDigest, message_id: &str) -> Result<(), DigestsError> {
        let sent = Update::new().set(SENT, sort_time(self.clock.now())).set(MESSAGE_ID, message_id);
        let unsent = Condition::Present.and(Condition::missing(SENT));
        items::update(self.table, self.clock, self.deadline, &digest.key, &sent, &unsent).await?;
        Ok(())
    }

    /// Records that all of a window's digests are sent, or never will be.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn all_sent(&self, of: &Unsent) -> Result<(), DigestsError> {
        let key = Key::new(DIGESTS, format!("{UNSENT}{}", of.window));
        items::delete(self.table, self.clock, self.deadline, &key, &Condition::Always).await?;
        Ok(())
    }
}

/// Names an attempt by all that it would write, so that a repeat which finds the same is the same.
fn attempt(closing: &Closing) -> String {
    let Closing { window, digests, taken, waiting, still_waiting } = closing;
    let parts = [window.to_string().into_bytes(), json(digests), json(taken), json(waiting), json(still_waiting)];
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &parts.join(&0)).simple().to_string()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn slot(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SLOT_SECONDS)
}

fn known(slot: i64) -> String {
    let start = Timestamp::from_second(slot * SLOT_SECONDS).unwrap_or(Timestamp::MIN);
    format!("known#{}", start.strftime("%Y-%m-%dT%H:%M"))
}

fn waiting(subreddit: &str) -> String {
    format!("waiting#{subreddit}")
}

fn partition(window: &str) -> String {
    format!("window#{window}")
}

fn record(window: &str) -> Key {
    Key::new(partition(window), RECORD)
}

fn stored(item: &Item) -> Result<StoredDigest, DigestsError> {
    let position = item.key.sort.rsplit_once('#').and_then(|(_, position)| position.parse().ok());
    let json = item.bytes(CONTENT).and_then(|packed| unpack(packed).ok()).unwrap_or_default();
    let digest = serde_json::from_slice(&json).map_err(|error| unreadable(item, &error.to_string()))?;
    let position = position.ok_or_else(|| unreadable(item, "it has no position"))?;
    Ok(StoredDigest { position, digest, is_sent: item.text(SENT).is_some(), key: item.key.clone() })
}

fn unreadable(item: &Item, detail: &str) -> DigestsError {
    DigestsError::Unreadable { key: item.key.clone(), detail: detail.to_owned() }
}
