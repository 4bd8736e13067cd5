//! What is known of each comment that alerts, is edited, deleted or reported: one object, which changes.
//!
//! `comments/<comment key>.json` holds a [`CommentRecord`]. It says where the alerts about a comment lie, so that each is found
//! again by whoever knows the comment alone: an alert lies in the hour in which it was made, whatever the comment's clock says.
//! It holds no text and no name.

use jiff::{SignedDuration, Timestamp};
use modstream_events::DeletedBy;
use modstream_platform::deliver::{DeliveryError, get, put_where};
use modstream_platform::{Clock, Condition, Fetched, Objects};
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// The prefix of what is known of comments.
pub const PREFIX: &str = "comments/";

/// The most versions of a comment that are remembered. Of more, the oldest are forgotten, and count as the first if they come
/// again.
const MAX_VERSIONS: usize = 1_000;

/// The most reports of a comment that count.
pub const MAX_REPORTS: usize = 100;

/// How long after a deletion the comment's own events may still come, since sources do not always keep the order of the two.
/// What comes later is a comment that is back.
pub const TOMBSTONE: SignedDuration = SignedDuration::from_hours(1);

/// What is known of one comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRecord {
    /// The ids of the comment events that say that they are a later version, in the order in which they came first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// The alerts about it, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Filed>,
    /// Its deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// The ids of the events that report it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
}

/// Where an alert lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The alert's id.
    pub id: String,
    /// When it was made: the time of the alert event, whose hour is the one it lies in.
    pub time: Timestamp,
    /// The comment event that it is about.
    pub comment_event: String,
}

/// That a comment is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// When this came here.
    pub time: Timestamp,
    /// Who deleted it.
    pub by: DeletedBy,
}

impl Filed {
    /// The alert's objects.
    pub fn keys(&self) -> Keys {
        Keys::new(self.time, &self.id)
    }
}

impl CommentRecord {
    /// Notes that this comment event is a later version, unless it is known.
    pub fn note_version(&mut self, comment_event: &str) {
        if self.versions.iter().any(|known| known == comment_event) {
            return;
        }
        if self.versions.len() >= MAX_VERSIONS {
            self.versions.remove(0);
        }
        self.versions.push(comment_event.to_owned());
    }

    /// Notes a report, unless it is known or there are enough.
    pub fn note_report(&mut self, report: &str) {
        if self.reports.len() < MAX_REPORTS && !self.reports.iter().any(|known| known == report) {
            self.reports.push(report.to_owned());
        }
    }

    /// The alert of this id, if it was made before.
    pub fn alert(&self, id: &str) -> Option<&Filed> {
        self.alerts.iter().find(|filed| filed.id == id)
    }

    /// Whether a comment event is about an earlier text than the comment has by now.
    pub fn is_outdated(&self, comment_event: &str) -> bool {
        self.versions.last().is_some_and(|latest| latest != comment_event)
    }

    /// The alerts about earlier texts.
    pub fn superseded(&self) -> impl Iterator<Item = &Filed> {
        self.alerts.iter().filter(|filed| self.is_outdated(&filed.comment_event))
    }

    /// Whether the comment is gone, as far as an event that comes `now` can be one of those before its deletion.
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.deleted.is_some_and(|deletion| now.duration_since(deletion.time) < TOMBSTONE)
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

    /// Changes what is known of the comment of this key, and says what it is then. `change` may be asked more than once, each
    /// time with what is there; where it changes nothing, nothing is written.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is written, or what is there is something else.
    pub async fn change(
        &self,
        comment_key: &str,
        change: impl Fn(&mut CommentRecord),
    ) -> Result<CommentRecord, DeliveryError> {
        let Comments { objects, clock, deadline } = *self;
        let key = format!("{PREFIX}{comment_key}.json");
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
            let bytes = serde_json::to_vec(&after).unwrap_or_default();
            // Where the condition fails, another write came between, or one of ours was not answered: look again.
            if put_where(objects, clock, deadline, &key, bytes, &condition).await?.is_some() {
                return Ok(after);
            }
        }
    }
}
