//! What is known of each comment that is edited, deleted or reported: a [`CommentRecord`] in the partition of its alerts.
//!
//! Whoever makes an alert reads the record afterwards, and whoever changes the record reads the comment's alerts afterwards: of two
//! at once, one sees the other. The record holds neither a text nor a name.

use jiff::{SignedDuration, Timestamp};
use modstream_events::DeletedBy;
use modstream_platform::Clock;
use modstream_platform::deliver::{DeliveryError, items};
use modstream_platform::table::{Condition, Consistency, Item, Outcome, Table};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::keys;
use crate::ledger::Ledger;

/// How many alerts of a comment are written about at the same time.
pub const CONCURRENT_CALLS: usize = 16;

/// The most versions of a comment that are remembered. Of more, the oldest are forgotten, and count as the latest if they come
/// again.
const MAX_VERSIONS: usize = 1_000;

/// The most reports of a comment that count.
const MAX_REPORTS: usize = 100;

/// How long after a deletion the comment's own events may still come, since sources do not always keep the order of the two.
/// A version that comes later for the first time is one of a comment that is back.
pub const TOMBSTONE: SignedDuration = SignedDuration::from_hours(1);

/// What happened to one comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRecord {
    /// The versions that say that they are a later one, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// Its deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// The ids of the events that report it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
}

/// A later version of a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The comment event that says so.
    pub comment_event: String,
    /// The version's name.
    pub name: String,
    /// When it came here first.
    pub time: Timestamp,
}

impl Version {
    /// A revision, or the time of an edit: such versions have an order of their own.
    fn number(&self) -> Option<u64> {
        self.name.parse().ok()
    }
}

/// That a comment is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// When this came here first.
    pub time: Timestamp,
    /// Who deleted it.
    pub by: DeletedBy,
    /// The event that says so: its id, and its time by the clock of whoever wrote it. A comment may be deleted, be back, and be
    /// deleted again.
    pub event: (String, Timestamp),
}

impl CommentRecord {
    /// Notes a later version, unless it is known. Revisions and times of edits are in their own order, since one may come after
    /// a later one; other versions are in the order in which they come.
    pub fn note_version(&mut self, version: Version) {
        if is_on("repeat-is-latest") {
            self.versions.retain(|known| known.comment_event != version.comment_event);
            self.versions.push(version);
            return;
        }
        if self.versions.iter().any(|known| known.comment_event == version.comment_event) {
            return;
        }
        if self.versions.len() >= MAX_VERSIONS {
            self.versions.remove(0);
        }
        let is_later = |known: &Version| version.number().zip(known.number()).is_some_and(|(new, known)| known > new);
        let later = self.versions.iter().rev().take_while(|known| is_later(known)).count();
        self.versions.insert(self.versions.len() - later, version);
    }

    /// Notes a report, unless it is known or there are enough.
    pub fn note_report(&mut self, report: &str) {
        if self.reports.len() < MAX_REPORTS && !self.reports.iter().any(|known| known == report) {
            self.reports.push(report.to_owned());
        }
    }

    /// Whether an alert about this comment event, made at this time, is about an earlier text than the comment has by now. An event that says nothing of versions is about
    /// an earlier one if it came before the latest version.
    pub fn is_outdated(&self, comment_event: &str, made: Timestamp) -> bool {
        let Some(latest) = self.versions.last() else { return false };
        if latest.comment_event == comment_event {
            return false;
        }
        let is_version = self.versions.iter().any(|known| known.comment_event == comment_event);
        is_version || made <= latest.time
    }

    /// The comment's deletion, as far as an event that comes `now` can be one of those before it.
    pub fn gone(&self, now: Timestamp) -> Option<&Deletion> {
        self.deleted.as_ref().filter(|deletion| now.duration_since(deletion.time) < TOMBSTONE)
    }
}

impl<B: Table, C: Clock> Ledger<'_, B, C> {
    /// What happened to the comment of this key.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn record(&self, comment: &str) -> Result<CommentRecord, DeliveryError> {
        let Ledger { table, clock, deadline } = *self;
        let item = items::get(table, clock, deadline, &keys::record(comment), Consistency::Consistent).await?;
        Ok(item.as_ref().map(read).unwrap_or_default())
    }

    /// Changes what is known to have happened to the comment of this key, and says what it is then. `change` may be asked more
    /// than once, each time with what is there; where it changes nothing, nothing is written.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is written.
    pub async fn change(
        &self,
        comment: &str,
        change: impl Fn(&mut CommentRecord),
    ) -> Result<CommentRecord, DeliveryError> {
        let Ledger { table, clock, deadline } = *self;
        let key = keys::record(comment);
        let mut found = items::get(table, clock, deadline, &key, Consistency::Consistent).await?;
        loop {
            let before = found.as_ref().map(read).unwrap_or_default();
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                return Ok(after);
            }
            let encoded = after.fit();
            let changes = found.as_ref().and_then(|item| item.number(CHANGES)).unwrap_or_default();
            let unchanged = match &found {
                Some(_) => Condition::equals(CHANGES, changes),
                None => Condition::Absent,
            };
            let item = Item::new(key.clone()).with(RECORD, encoded).with(CHANGES, changes + 1);
            match items::put(table, clock, deadline, &item, &unchanged).await? {
                Outcome::Done(()) => return Ok(after),
                // Another write came between: this is what it left.
                Outcome::ConditionFailed(now) => found = now.map(|item| *item),
            }
        }
    }
}

/// The attribute that holds a record, as JSON.
const RECORD: &str = "record";
/// The attribute that counts a record's changes.
const CHANGES: &str = "changes";
/// The most bytes of a record: fewer than an item holds.
const MAX_RECORD_BYTES: usize = 300 << 10;

/// Nobody else writes here. What can't be read says nothing, and is written anew.
fn read(item: &Item) -> CommentRecord {
    item.text(RECORD).and_then(|record| serde_json::from_str(record).ok()).unwrap_or_default()
}

impl CommentRecord {
    /// The record as an item holds it, without the oldest versions where it would not hold all: their events' ids may be long.
    fn fit(&mut self) -> String {
        loop {
            let encoded = serde_json::to_string(self).unwrap_or_default();
            if self.versions.len() <= 1 || encoded.len() <= MAX_RECORD_BYTES {
                return encoded;
            }
            let fewer = self.versions.len().div_ceil(10);
            self.versions.drain(..fewer.min(self.versions.len() - 1));
        }
    }

    /// Whether an alert is about an earlier text than the comment has by now.
    pub fn outdates(&self, entry: &Entry) -> bool {
        let event = serde_json::from_slice::<About<'_>>(&entry.event);
        event.is_ok_and(|about| self.is_outdated(&about.data.comment_event.id, entry.made))
    }
}

/// An alert's event, as far as it says which comment event it is about.
#[derive(Deserialize)]
struct About<'a> {
    #[serde(borrow)]
    data: AboutEvent<'a>,
}

#[derive(Deserialize)]
struct AboutEvent<'a> {
    #[serde(borrow)]
    comment_event: AboutId<'a>,
}

#[derive(Deserialize)]
struct AboutId<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}
