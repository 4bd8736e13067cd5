use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::versioned::first_version;
use crate::{BadRecord, lenient};

/// A comment, under Reddit's field names, so that dumps and API answers go in unchanged; fields not named here are ignored.
///
/// Of all fields, `body` alone must have its type. In the others, numbers are read where text is expected and text where numbers
/// are, and what says nothing (a boolean, a list, a word where a number is expected) is none.
///
/// `body` is what is scored. It may be empty. A comment without one travels (nothing is dropped on the way in), and scoring
/// quarantines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("required" = ["body"])))]
pub struct Comment<'a> {
    /// The forum's id, also the partition key. Producers may repeat it.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// What it answers: a comment (`t1_...`) or the submission (`t3_...`).
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Cow<'a, str>>,
    /// The submission it stands under.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub link_id: Option<Cow<'a, str>>,
    /// The community.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// Who wrote it.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub author: Option<Cow<'a, str>>,
    /// The text, Markdown as the author wrote it.
    #[serde(default, borrow, deserialize_with = "lenient::body", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub body: Option<Cow<'a, str>>,
    /// When it was written, in seconds since 1970.
    ///
    /// Also read are floats, milliseconds (from 10^11 up), microseconds (from 10^14 up) and nanoseconds (from 10^17 up), these as
    /// text, and ISO 8601 such as `2026-01-05T10:00:00.000Z`; without an offset it is in UTC.
    #[serde(default, deserialize_with = "lenient::time", skip_serializing_if = "Option::is_none")]
    pub created_utc: Option<i64>,
    /// When the text was edited last, in seconds since 1970; none where it never was, or nobody knows when. Read in the forms of
    /// `created_utc`.
    #[serde(default, deserialize_with = "lenient::edited", skip_serializing_if = "Option::is_none")]
    pub edited: Option<i64>,
    /// Votes. Also read are floats, rounded down, and numbers as text.
    #[serde(default, deserialize_with = "lenient::count", skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// Where to read it, as a path of the forum's site.
    #[serde(default, borrow, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub permalink: Option<Cow<'a, str>>,
}

first_version!(Comment, "modstream.comment.v1");

impl<'a> Comment<'a> {
    /// The fields' names.
    pub const FIELDS: [&'static str; 10] =
        ["id", "parent_id", "link_id", "subreddit", "author", "body", "created_utc", "edited", "score", "permalink"];

    /// Whether a field is read as text or as a number, whichever of the two it is written as: all but the text that is scored.
    pub fn is_text_or_number(field: &str) -> bool {
        field != "body" && Self::FIELDS.contains(&field)
    }

    /// The text, or the reason why this can't be scored.
    ///
    /// # Errors
    /// [`Reason::MissingBody`](crate::Reason::MissingBody) where `body` is missing or null.
    pub fn body(&self) -> Result<&str, BadRecord> {
        self.body.as_deref().ok_or_else(BadRecord::missing_body)
    }

    /// The same comment, holding its own text.
    pub fn into_owned(self) -> Comment<'static> {
        Comment {
            id: self.id.map(own),
            parent_id: self.parent_id.map(own),
            link_id: self.link_id.map(own),
            subreddit: self.subreddit.map(own),
            author: self.author.map(own),
            body: self.body.map(own),
            created_utc: self.created_utc,
            edited: self.edited,
            score: self.score,
            permalink: self.permalink.map(own),
        }
    }
}
