//! What is known of each comment that alerts, is edited, deleted or reported.
//!
//! | object, under `comments/<comment key>/` | written | holds |
//! |---|---|---|
//! | `alerts/<alert id>.json` | before anything else of an alert | a [`Filed`]: where it lies |
//! | `record.json` | when the comment is edited, deleted or reported | a [`CommentRecord`] |
//!
//! So the alerts about a comment are found by whoever knows the comment alone, and an alert lies in the hour in which it was
//! made, whatever the comment's clock says. Whoever requests an alert looks at the record afterwards, and whoever changes the
//! record looks for alerts afterwards: of two at once, one sees the other. Neither object holds a text or a name.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use modstream_events::DeletedBy;
use modstream_platform::deliver::{Claimed, DeliveryError, claim, get, list, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// The prefix of what is known of comments.
const PREFIX: &str = "comments/";

/// How many alerts of a comment are looked at, or written about, at the same time.
pub const CONCURRENT_CALLS: usize = 16;

const ALERTS: &str = "alerts/";
const RECORD: &str = "record.json";

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

/// Where an alert lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The alert's id.
    #[serde(skip)]
    pub id: String,
    /// When it was made: the time of the alert event, whose hour is the one it lies in.
    pub time: Timestamp,
    /// The comment event that it is about.
    pub comment_event: String,
    /// Whether it asks about a comment that meets no policy, to learn from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_exploration: bool,
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

impl Filed {
    /// The alert's objects.
    pub fn keys(&self) -> Keys {
        Keys::new(self.time, &self.id)
    }
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

    /// Whether an alert is about an earlier text than the comment has by now. An event that says nothing of versions is about
    /// an earlier one if it came before the latest version.
    pub fn is_outdated(&self, filed: &Filed) -> bool {
        let Some(latest) = self.versions.last() else { return false };
        if latest.comment_event == filed.comment_event {
            return false;
        }
        let is_version = self.versions.iter().any(|known| known.comment_event == filed.comment_event);
        is_version || filed.time <= latest.time
    }

    /// The comment's deletion, as far as an event that comes `now` can be one of those before it.
    pub fn gone(&self, now: Timestamp) -> Option<&Deletion> {
        self.deleted.as_ref().filter(|deletion| now.duration_since(deletion.time) < TOMBSTONE)
    }
}

/// What a bucket knows of comments.
#[derive(Debug)]
pub struct Comments<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> Comments<'a, O, C> {
    /// What `objects` know of comments; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        Comments { objects, clock, deadline }
    }

    /// Files an alert under this time, or says where it was filed before.
    ///
    /// # Errors
    /// Where it is not known by the deadline where it is filed.
    pub async fn file(&self, comment_key: &str, filed: Filed) -> Result<Filed, DeliveryError> {
        let Comments { objects, clock, deadline } = *self;
        let key = filed_key(comment_key, &filed.id);
        let there = match claim(objects, clock, deadline, &key, encoded(&filed)).await? {
            Claimed::Ours => return Ok(filed),
            Claimed::Theirs(bytes) => serde_json::from_slice::<Filed>(&bytes).ok(),
        };
        // Nobody else writes here. What can't be read says nothing.
        Ok(there.map_or(filed.clone(), |there| Filed { id: filed.id, ..there }))
    }

    /// Files an alert under another time, if it is still where `filed` says; and says where it is then.
    ///
    /// # Errors
    /// Where it is not known by the deadline where it is filed.
    pub async fn file_anew(&self, comment_key: &str, filed: Filed, now: Timestamp) -> Result<Filed, DeliveryError> {
        let Comments { objects, clock, deadline } = *self;
        let key = filed_key(comment_key, &filed.id);
        loop {
            let Some((found, etag)) = self.read(&key, &filed.id).await? else { return Ok(filed) };
            if found.time != filed.time {
                return Ok(found);
            }
            let anew = Filed { time: now, ..found };
            let unchanged = Condition::Matches(etag);
            if put_where(objects, clock, deadline, &key, encoded(&anew), &unchanged).await?.is_some() {
                return Ok(anew);
            }
        }
    }

    /// All alerts about the comment of this key. One listing, and one object an alert.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn alerts(&self, comment_key: &str) -> Result<Vec<Filed>, DeliveryError> {
        let Comments { objects, clock, deadline } = *self;
        let folder = format!("{PREFIX}{comment_key}/{ALERTS}");
        let keys = list(objects, clock, deadline, &folder).await?;
        let id = |key: &str| Some(key.strip_prefix(&folder)?.strip_suffix(".json")?.to_owned());
        let named: Vec<(String, String)> = keys.into_iter().filter_map(|key| id(&key).map(|id| (key, id))).collect();
        let reading = named.into_iter().map(|(key, id)| async move { self.read(&key, &id).await });
        let read: Vec<_> = stream::iter(reading).buffered(CONCURRENT_CALLS).try_collect().await?;
        Ok(read.into_iter().flatten().map(|(filed, _)| filed).collect())
    }

    async fn read(&self, key: &str, id: &str) -> Result<Option<(Filed, ETag)>, DeliveryError> {
        let Fetched::Object { bytes, etag } = get(self.objects, self.clock, self.deadline, key, None).await? else {
            return Ok(None);
        };
        // Nobody else writes here.
        let filed = serde_json::from_slice(&bytes).ok();
        Ok(filed.map(|filed| (Filed { id: id.to_owned(), ..filed }, etag)))
    }

    /// What happened to the comment of this key.
    ///
    /// # Errors
    /// Where there is no answer by the deadline.
    pub async fn record(&self, comment_key: &str) -> Result<CommentRecord, DeliveryError> {
        self.change(comment_key, |_| {}).await
    }

    /// Changes what is known to have happened to the comment of this key, and says what it is then. `change` may be asked more
    /// than once, each time with what is there; where it changes nothing, nothing is written.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is written.
    pub async fn change(
        &self,
        comment_key: &str,
        change: impl Fn(&mut CommentRecord),
    ) -> Result<CommentRecord, DeliveryError> {
        let Comments { objects, clock, deadline } = *self;
        let key = format!("{PREFIX}{comment_key}/{RECORD}");
        loop {
            let (before, condition) = match get(objects, clock, deadline, &key, None).await? {
                Fetched::Object { bytes, etag } => {
                    // Nobody else writes here. What can't be read says nothing, and is written anew.
                    (serde_json::from_slice(&bytes).unwrap_or_default(), Condition::Matches(etag))
                }
                Fetched::Missing | Fetched::NotModified => (CommentRecord::default(), Condition::Absent),
            };
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                return Ok(after);
            }
            // Where the condition fails, another write came between, or one of ours was not answered: look again.
            if put_where(objects, clock, deadline, &key, encoded(&after), &condition).await?.is_some() {
                return Ok(after);
            }
        }
    }
}

fn filed_key(comment_key: &str, alert_id: &str) -> String {
    format!("{PREFIX}{comment_key}/{ALERTS}{alert_id}.json")
}

fn encoded(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
