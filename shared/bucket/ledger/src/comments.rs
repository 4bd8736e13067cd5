//! What is known of each comment that is edited, deleted or reported: a [`CommentRecord`] in the partition of its alerts.
//!
//! Whoever makes an alert reads the record afterwards, and whoever changes the record reads the comment's alerts afterwards: of two
//! at once, one sees the other. The record holds neither a text nor a name.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
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

/// What versions are ordered by, where their names say it. Those of different kinds have no order.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Place {
    /// A revision, or the time of an edit as a number: whole, and billionths.
    Number(u64, u32),
    /// The time of an edit.
    Time(Timestamp),
}

impl Place {
    /// The place that a version's name says: all of it, or what stands before a `+`, which tells apart edits that share a time.
    fn of(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::read(name).or_else(|| Self::read(name.split_once('+')?.0.trim_end()))
    }

    fn read(text: &str) -> Option<Self> {
        number(text).or_else(|| {
            let time = text.parse::<Timestamp>().or_else(|_| {
                let civil: DateTime = text.strip_suffix(" UTC").unwrap_or(text).parse()?;
                civil.to_zoned(TimeZone::UTC).map(|time| time.timestamp())
            });
            time.ok().map(Place::Time)
        })
    }

    fn is_before(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other) && self < other
    }
}

/// A decimal number. It is no float: revisions may have more digits than one holds.
fn number(text: &str) -> Option<Place> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let billionths: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Place::Number(whole.parse().ok()?, billionths.parse().ok()?))
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
    /// Notes a later version, unless it is known. Revisions that are numbers and times of edits are in their own order, since one
    /// may come after a later one; other versions are in the order in which they come.
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
        let place = Place::of(&version.name);
        let is_later =
            |known: &Version| place.zip(Place::of(&known.name)).is_some_and(|(new, known)| new.is_before(known));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order(names: &[&str]) -> Vec<String> {
        let mut record = CommentRecord::default();
        for (number, name) in names.iter().enumerate() {
            let comment_event = format!("e{number}");
            record.note_version(Version { comment_event, name: (*name).to_owned(), time: Timestamp::UNIX_EPOCH });
        }
        record.versions.into_iter().map(|version| version.name).collect()
    }

    #[test]
    fn numbers_and_times_are_in_their_own_order_however_they_come() {
        for ascending in [
            ["2", "10", "18446744073709551614"],
            ["1767607500.25", "1767607500.5", "1767607501"],
            ["2026-01-05T10:00:00Z", "2026-01-05T10:00:00.5Z", "2026-01-05T12:00:01+02:00"],
            ["2026-01-05T09:00:00", "2026-01-05 10:00", "2026-01-05 10:00:01 UTC"],
            ["1767607500+b", "1767607501+a", "1767607502"],
            ["2026-01-05T10:00:00Z+b", "2026-01-05T11:00:00Z+a", "2026-01-06"],
        ] {
            let [first, second, third] = ascending;
            for came in [[first, second, third], [third, first, second], [second, third, first], [third, second, first]]
            {
                assert_eq!(in_order(&came), ascending, "{came:?}");
            }
        }
    }

    #[test]
    fn other_versions_and_those_of_one_place_are_in_the_order_in_which_they_come() {
        for came in [
            ["f0ade649-0fcf-5483-b2cf-f988c0262514", "9668f631-51b3-57e2-a240-628cc2d26208"],
            ["3l2", "3k9"],
            ["1767607500+b", "1767607500+a"],
            ["1767607500", "2025-01-05T10:00:00Z"],
            ["2025-01-05T10:00:00Z", "7"],
            ["-5", "-7"],
        ] {
            assert_eq!(in_order(&came), came);
        }
    }
}
