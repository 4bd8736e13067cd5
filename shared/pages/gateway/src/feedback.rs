//! What somebody says that a comment should have got: an object of the bucket each, apart from what moderators decided here.

use jiff::Timestamp;
use modstream_events::{Data, Event, ids};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The prefix of all feedback in a bucket.
pub const PREFIX: &str = "feedback/";
const SOURCE: &str = "urn:modstream:front-door";
/// From which suggested score on a comment counts as one to remove.
const REMOVED_FROM: f64 = 0.5;
/// What Coral's tokens begin with; the comment's id follows.
const CORALS: &str = "comment:";

/// What a caller says that a comment should have got.
///
/// Its community says so, whoever that is: it is no decision of a moderator of ours, and no alert follows from it. It may be wrong
/// on purpose, so it is trained on only where somebody asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Feedback {
    /// The community that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<String>,
    /// The comment's id, where the caller named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The comment's text.
    pub body: String,
    /// The attribute that is meant.
    pub attribute: String,
    /// What it should have got, from 0 to 1.
    pub score: f64,
    /// Whether that means that the comment is to be removed.
    pub removed: bool,
}

impl Data for Feedback {
    const TYPE: &'static str = "modstream.feedback.v1";
}

impl Feedback {
    pub(crate) fn new(
        community: Option<String>,
        token: Option<String>,
        body: String,
        attribute: String,
        score: f64,
    ) -> Self {
        let id = token.map(|token| token.strip_prefix(CORALS).map(str::to_owned).unwrap_or(token));
        Feedback { subreddit: community, id, body, attribute, score, removed: score >= REMOVED_FROM }
    }

    /// What is said of the same comment and attribute by the same community has the same name, so the last one stands.
    fn name(&self) -> Uuid {
        let comment = self.id.as_ref().unwrap_or(&self.body);
        let has_id = if self.id.is_some() { "id" } else { "text" };
        let mut name = Vec::new();
        for part in [Self::TYPE, self.subreddit.as_deref().unwrap_or_default(), has_id, comment, &self.attribute] {
            name.extend_from_slice(part.as_bytes());
            // No text holds this byte.
            name.push(0xFF);
        }
        Uuid::new_v5(&ids::NAMESPACE, &name)
    }

    /// The object that it is kept as: its key, and its content, which is an event.
    pub(crate) fn object(self, now: Timestamp) -> (String, Vec<u8>) {
        let name = self.name();
        (format!("{PREFIX}{name}.json"), Event::new(name.to_string(), SOURCE, now, self).encode())
    }

    /// Reads what is kept; none where it was forgotten.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(content: &[u8]) -> Result<Option<(Timestamp, Self)>, String> {
        #[derive(Deserialize)]
        struct Kept {
            time: Timestamp,
            data: Said,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Forgotten {
                #[serde(rename = "forgotten")]
                _forgotten: Timestamp,
            },
            Feedback(Feedback),
        }
        let Kept { time, data } = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        Ok(match data {
            Said::Forgotten { .. } => None,
            Said::Feedback(feedback) => Some((time, feedback)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(community: &str, token: Option<&str>, body: &str, score: f64) -> Feedback {
        let token = token.map(str::to_owned);
        Feedback::new(Some(community.to_owned()), token, body.to_owned(), "TOXICITY".to_owned(), score)
    }

    #[test]
    fn the_last_word_about_a_comment_stands() {
        let key = |feedback: Feedback| feedback.object(Timestamp::UNIX_EPOCH).0;
        let one = key(said("c", Some("comment:42"), "so", 1.0));
        assert_eq!(one, key(said("c", Some("comment:42"), "so", 0.0)));
        assert_eq!(one, key(said("c", Some("42"), "so, edited", 0.0)));
        assert_ne!(one, key(said("d", Some("comment:42"), "so", 1.0)));
        assert_ne!(key(said("c", None, "so", 1.0)), key(said("c", Some("so"), "so", 1.0)));
    }

    #[test]
    fn what_is_kept_is_read() {
        let feedback = said("Coral:https://c.example", Some("comment:42"), "you idiot", 0.5);
        assert!(feedback.removed && !said("c", None, "so", 0.49).removed);
        assert_eq!(feedback.id.as_deref(), Some("42"));
        let (_, content) = feedback.clone().object(Timestamp::UNIX_EPOCH);
        assert_eq!(Feedback::read(&content), Ok(Some((Timestamp::UNIX_EPOCH, feedback))));
        assert!(Feedback::read(b"{}").is_err());
        let forgotten = br#"{"time":"2026-01-05T10:00:00Z","data":{"forgotten":"2026-01-06T10:00:00Z"}}"#;
        assert_eq!(Feedback::read(forgotten), Ok(None));
    }
}
