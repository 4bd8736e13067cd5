//! What is known of each comment that alerts, is edited, deleted or reported.
//!
//! | object, under `comments/<comment key>/` | written | holds |
//! |---|---|---|
//! | `alerts/<alert id>.json` | before anything else of an alert | a [`Filed`]: where it lies |
//! | `record.json` | when the comment is edited, deleted or reported | a [`CommentRecord`] |
//!
//! So the alerts about a comment are found by whoever knows the comment alone, and an alert lies in the hour in which it was
//! made, whatever the comment's clock says. Who files an alert looks at the record afterwards, and who changes the record looks
//! for alerts afterwards: of two at once, one sees the other. Neither object holds a text or a name.

use jiff::{SignedDuration, Timestamp};
use modstream_events::DeletedBy;
use modstream_platform::deliver::{Claimed, DeliveryError, claim, get, list, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// The prefix of what is known of comments.
pub const PREFIX: &str = "comments/";

const ALERTS: &str = "alerts/";
const RECORD: &str = "record.json";

/// The most versions of a comment that are remembered. Of more, the oldest are forgotten, and count as the latest if they come
/// again.
const MAX_VERSIONS: usize = 1_000;

/// The most reports of a comment that count.
pub const MAX_REPORTS: usize = 100;

/// How long after a deletion the comment's own events may still come, since sources do not always keep the order of the two.
/// What comes later is a comment that is back.
pub const TOMBSTONE: SignedDuration = SignedDuration::from_hours(1);

/// What happened to one comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRecord {
    /// The ids of the comment events that say that they are a later version, in the order in which they came first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
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
    #[serde(skip)]
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
        if is_on("repeat-is-latest") {
            self.versions.retain(|known| known != comment_event);
        }
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

    /// Whether a comment event is about an earlier text than the comment has by now.
    pub fn is_outdated(&self, comment_event: &str) -> bool {
        self.versions.last().is_some_and(|latest| latest != comment_event)
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
        let mut alerts = Vec::new();
        for key in list(objects, clock, deadline, &folder).await? {
            let Some(id) = key.strip_prefix(&folder).and_then(|name| name.strip_suffix(".json")) else { continue };
            alerts.extend(self.read(&key, id).await?.map(|(filed, _)| filed));
        }
        Ok(alerts)
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
