use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::borrow::own;
use crate::{BadRecord, Data, NoPrevious, Versioned, borrow};

/// A comment, under Reddit's field names, so that dumps and API answers go in unchanged; fields not named here are ignored.
///
/// `body` is what is scored. It may be empty. A comment without one travels (nothing is dropped on the way in), and scoring
/// quarantines it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("required" = ["body"])))]
pub struct Comment<'a> {
    /// The forum's id, also the partition key. Producers may repeat it.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// What it answers: a comment (`t1_...`) or the submission (`t3_...`).
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Cow<'a, str>>,
    /// The submission it stands under.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub link_id: Option<Cow<'a, str>>,
    /// The community.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// Who wrote it.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub author: Option<Cow<'a, str>>,
    /// The text, Markdown as the author wrote it.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub body: Option<Cow<'a, str>>,
    /// When it was written, in seconds since 1970. Read from dumps, too: they hold it as a number, whole or not, or as text.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub created_utc: Option<i64>,
    /// Votes. Read in the forms of `created_utc`.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// Where to read it, as a path of the forum's site.
    #[serde(default, borrow, deserialize_with = "borrow::option", skip_serializing_if = "Option::is_none")]
    pub permalink: Option<Cow<'a, str>>,
}

impl Data for Comment<'_> {
    const TYPE: &'static str = "modstream.comment.v1";
}

impl<'a> Versioned<'a> for Comment<'a> {
    type Previous = NoPrevious;

    fn upcast(previous: NoPrevious) -> Self {
        match previous {}
    }
}

impl<'a> Comment<'a> {
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
            score: self.score,
            permalink: self.permalink.map(own),
        }
    }
}

/// Integers, floats rounded down, either as text; null and blank text are none. Data frames make floats of a column with gaps.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    struct Number;
    impl serde::de::Visitor<'_> for Number {
        type Value = Option<i64>;
        fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            to.write_str("a number")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }
        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
            i64::try_from(number).map(Some).map_err(E::custom)
        }
        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
            // Beyond 2^53 a float no longer counts by ones.
            if number.abs() < 9.0e15 { Ok(Some(number.floor() as i64)) } else { Err(E::custom("out of range")) }
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            match text.trim() {
                "" => Ok(None),
                text => self.visit_f64(text.parse().map_err(E::custom)?),
            }
        }
    }
    from.deserialize_any(Number)
}
