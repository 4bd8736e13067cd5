//! What somebody outside says that a comment should have got.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::borrow::own;
use crate::versioned::first_version;

/// What a caller says that a comment should have got, such as a forum's moderators by `comments:suggestscore`.
///
/// Its community says so, whoever that is: it is no decision of a moderator of ours, and no alert follows from it. It may be wrong
/// on purpose, so it is trained on only where somebody asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Feedback<'a> {
    /// The community that says so.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<Cow<'a, str>>,
    /// The comment's id, where the caller named it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
    /// The comment's text.
    #[serde(borrow)]
    pub body: Cow<'a, str>,
    /// The attribute that is meant, by its name at the front door.
    #[serde(borrow)]
    pub attribute: Cow<'a, str>,
    /// What it should have got.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub score: f64,
    /// Whether that means that the comment is to be removed.
    pub removed: bool,
}

first_version!(Feedback, "modstream.feedback.v1");

impl Feedback<'_> {
    /// The same, holding its own texts.
    pub fn into_owned(self) -> Feedback<'static> {
        let Feedback { subreddit, id, body, attribute, score, removed } = self;
        let (subreddit, id) = (subreddit.map(own), id.map(own));
        Feedback { subreddit, id, body: own(body), attribute: own(attribute), score, removed }
    }
}
