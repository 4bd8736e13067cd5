//! What happens to a comment after it was written: it is edited, deleted, reported.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::versioned::first_version;
use crate::{
    BadRecord, BreakerClosed, Comment, Decision, Event, ModelPromoted, PoliciesChanged, Prediction, Reason, ids,
    lenient, object,
};

/// A later version of a comment: what it says from now on. It is scored and judged like a new comment.
///
/// It has the `id` of the comment, and the partition key, so that the versions of one comment keep their order. Its event id
/// follows from source, comment id and version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentEdited<'a> {
    /// The comment as it is now.
    pub comment: Comment<'a>,
    /// Which version this is, as the forum says: a revision or the time of the edit, as text or as a number; else a hash of the text.
    ///
    /// Numbers, decimals and ISO 8601 times, each up to a `+` behind which anything may stand, have an order of their own; other
    /// versions are in the order in which they come. Two edits that share a time need different versions: `1767607500+` and a hash.
    pub version: Cow<'a, str>,
}

/// A later version of a comment as producers write it, who may leave out which one it is.
#[derive(Deserialize)]
#[serde(rename = "CommentEdited")]
struct WrittenEdit<'a> {
    #[serde(borrow, deserialize_with = "object::only")]
    comment: Comment<'a>,
    #[serde(default, borrow, deserialize_with = "lenient::text")]
    version: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for CommentEdited<'a> {
    /// Reads one. A version that is missing or says nothing costs no text its score: it is that of the time of the edit and the
    /// text, or of the text alone, as [`ids::edit_version`] and [`ids::text_version`] make them.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let WrittenEdit { comment, version } = WrittenEdit::deserialize(from)?;
        let version = version.filter(|version| !version.trim().is_empty()).unwrap_or_else(|| {
            let of_text = ids::text_version(comment.body.as_deref().unwrap_or_default(), 0);
            comment.edited.map_or_else(|| of_text.clone(), |edited| ids::edit_version(edited, &of_text)).into()
        });
        Ok(CommentEdited { comment, version })
    }
}

/// A comment is gone: nothing is to be decided about it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentDeleted<'a> {
    /// The forum's id of the comment; a number is read as its digits. The event has the `source` of the comment's events.
    #[serde(borrow, deserialize_with = "lenient::needed_text")]
    pub id: Cow<'a, str>,
    /// The community.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// Who deleted it. Where this is missing, or another word, nobody knows.
    #[serde(default, deserialize_with = "lenient::deleted_by")]
    pub by: DeletedBy,
}

/// Who deleted a comment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeletedBy {
    /// Whoever wrote it.
    Author,
    /// A moderator, at the forum.
    Moderator,
    /// The forum, with all that the account wrote.
    Account,
    /// Nobody knows: nothing is learned from the text, as its author may want it gone, and nothing counts as missed.
    #[default]
    Unknown,
}

impl DeletedBy {
    /// All of them.
    pub const ALL: [DeletedBy; 4] = [DeletedBy::Author, DeletedBy::Moderator, DeletedBy::Account, DeletedBy::Unknown];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    /// As it stands in events.
    pub fn as_str(self) -> &'static str {
        match self {
            DeletedBy::Author => "author",
            DeletedBy::Moderator => "moderator",
            DeletedBy::Account => "account",
            DeletedBy::Unknown => "unknown",
        }
    }
}

/// Somebody reported a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentReported<'a> {
    /// The forum's id of the comment; a number is read as its digits. The event has the `source` of the comment's events.
    #[serde(borrow, deserialize_with = "lenient::needed_text")]
    pub id: Cow<'a, str>,
    /// The community.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// A hash that names who reported it, so that two reports by one person count once. Never the name itself.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub reporter: Option<Cow<'a, str>>,
    /// The rule or reason that was picked.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

first_version!(CommentEdited, "modstream.comment-edited.v1");
first_version!(CommentDeleted, "modstream.comment-deleted.v1");
first_version!(CommentReported, "modstream.comment-reported.v1");

/// What the stream of comments carries.
#[derive(Clone, Debug, PartialEq)]
pub enum CommentEvent<'a> {
    /// A comment, or a version of one that says nothing of others.
    Created(Event<'a, Comment<'a>>),
    /// A later version of a comment.
    Edited(Event<'a, CommentEdited<'a>>),
    /// A comment is gone.
    Deleted(Event<'a, CommentDeleted<'a>>),
    /// Somebody reported a comment.
    Reported(Event<'a, CommentReported<'a>>),
}

/// What a comment says in one of its versions, and the event that says so.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentVersion<'a> {
    /// The event's `source`.
    pub source: Cow<'a, str>,
    /// The event's `id`.
    pub event_id: Cow<'a, str>,
    /// The event's `time`.
    pub time: Timestamp,
    /// The comment.
    pub comment: Comment<'a>,
    /// The version's name, where the event says that it is a later one.
    pub version: Option<Cow<'a, str>>,
}

/// What the stream of predictions carries.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large ones are nearly all there are, and each is handled where it is read"
)]
pub enum PredictionEvent<'a> {
    /// What a model makes of a comment, or of a later version of one.
    Predicted(Event<'a, Prediction<'a>>),
    /// A comment is gone, as the stream of comments says.
    Deleted(Event<'a, CommentDeleted<'a>>),
    /// Somebody reported a comment, as the stream of comments says.
    Reported(Event<'a, CommentReported<'a>>),
    /// What moderators or operators did, in a system where that has no stream of its own: nothing follows from it here.
    Beside(DecisionEvent<'a>),
}

/// What the stream of decisions holds, which may be the stream of predictions.
#[derive(Clone, Debug, PartialEq)]
pub enum DecisionEvent<'a> {
    /// A moderator decided.
    Decided(Box<Event<'a, Decision<'a>>>),
    /// Another version of a model is in use.
    ModelPromoted(Event<'a, ModelPromoted<'a>>),
    /// Other policies are in use.
    PoliciesChanged(Event<'a, PoliciesChanged<'a>>),
    /// A breaker was closed before its time.
    BreakerClosed(Event<'a, BreakerClosed<'a>>),
}

/// Tries to read a record as an event of one type.
type Read<'a, T> = fn(&'a [u8], Timestamp) -> Result<T, BadRecord>;

/// Reads a record as the first type that it is of. Where it is of none, the first answer is the best one.
fn decode_any<'a, T, const N: usize>(
    bytes: &'a [u8],
    arrived: Timestamp,
    readers: [Read<'a, T>; N],
) -> Result<T, BadRecord> {
    let mut first = None;
    for read in readers {
        match read(bytes, arrived) {
            Err(bad) if bad.reason == Reason::WrongType => drop(first.get_or_insert(bad)),
            read => return read,
        }
    }
    Err(first.unwrap_or_else(|| BadRecord::new(Reason::WrongType, "no type is read here")))
}

impl<'a> CommentEvent<'a> {
    /// Reads a record of the stream of comments, borrowing from it, of which nobody asks for its time: one that a producer wrote
    /// without is of 1970.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong with it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadRecord> {
        Self::decode_arrived(bytes, Timestamp::UNIX_EPOCH)
    }

    /// Reads a record of the stream of comments that arrived then, borrowing from it. Where a producer wrote no time, that is it.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong with it.
    pub fn decode_arrived(bytes: &'a [u8], arrived: Timestamp) -> Result<Self, BadRecord> {
        let readers: [Read<'a, Self>; 4] = [
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(CommentEvent::Created),
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(CommentEvent::Edited),
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(CommentEvent::Deleted),
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(CommentEvent::Reported),
        ];
        decode_any(bytes, arrived, readers)
    }

    /// What the comment says by this event; none where it says nothing: it is deleted or reported.
    pub fn into_version(self) -> Option<CommentVersion<'a>> {
        match self {
            CommentEvent::Created(Event { source, id, time, data, .. }) => {
                Some(CommentVersion { source, event_id: id, time, comment: data, version: None })
            }
            CommentEvent::Edited(Event { source, id, time, data: CommentEdited { comment, version }, .. }) => {
                Some(CommentVersion { source, event_id: id, time, comment, version: Some(version) })
            }
            CommentEvent::Deleted(_) | CommentEvent::Reported(_) => None,
        }
    }
}

impl<'a> PredictionEvent<'a> {
    /// Reads a record of the stream of predictions, borrowing from it, of which nobody asks for its time: one that a producer wrote
    /// without is of 1970.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong with it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadRecord> {
        Self::decode_arrived(bytes, Timestamp::UNIX_EPOCH)
    }

    /// Reads a record of the stream of predictions that arrived then, borrowing from it. Where a producer wrote no time, that is it.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong with it.
    pub fn decode_arrived(bytes: &'a [u8], arrived: Timestamp) -> Result<Self, BadRecord> {
        let readers: [Read<'a, Self>; 3] = [
            |bytes, _| Event::decode(bytes).map(PredictionEvent::Predicted),
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(PredictionEvent::Deleted),
            |bytes, arrived| Event::decode_arrived(bytes, arrived).map(PredictionEvent::Reported),
        ];
        let bad = match decode_any(bytes, arrived, readers) {
            Err(bad) if bad.reason == Reason::WrongType => bad,
            read => return read,
        };
        // What is no whole decision either is said to be of a type that is not read here.
        DecisionEvent::decode(bytes).map_or(Err(bad), |event| Ok(PredictionEvent::Beside(event)))
    }
}

impl<'a> DecisionEvent<'a> {
    /// Reads a record of the stream of decisions, borrowing from it. Where that is the stream of predictions, a prediction is of
    /// the wrong type.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong with it.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BadRecord> {
        let readers: [Read<'a, Self>; 4] = [
            |bytes, _| Event::decode(bytes).map(|event| DecisionEvent::Decided(Box::new(event))),
            |bytes, _| Event::decode(bytes).map(DecisionEvent::ModelPromoted),
            |bytes, _| Event::decode(bytes).map(DecisionEvent::PoliciesChanged),
            |bytes, _| Event::decode(bytes).map(DecisionEvent::BreakerClosed),
        ];
        decode_any(bytes, Timestamp::UNIX_EPOCH, readers)
    }
}
