//! What somebody says that a comment should have got: an object of the bucket each, apart from what moderators decided here.

use jiff::Timestamp;
use modstream_events::{Data as _, Event, Feedback, ids};
use serde::Deserialize;
use uuid::Uuid;

/// The prefix of all feedback in a bucket.
pub const PREFIX: &str = "feedback/";
const SOURCE: &str = "urn:modstream:front-door";
/// From which suggested score on a comment counts as one to remove.
const REMOVED_FROM: f64 = 0.5;
/// What Coral's tokens begin with; the comment's id follows.
const CORALS: &str = "comment:";

/// What was suggested, of a comment that a caller names by a token.
pub(crate) fn suggested(
    community: Option<String>,
    token: Option<String>,
    body: String,
    attribute: String,
    score: f64,
) -> Feedback<'static> {
    let id = token.map(|token| token.strip_prefix(CORALS).map(str::to_owned).unwrap_or(token));
    Feedback {
        subreddit: community.map(Into::into),
        id: id.map(Into::into),
        body: body.into(),
        attribute: attribute.into(),
        score,
        removed: score >= REMOVED_FROM,
    }
}

/// What is said of the same comment and attribute by the same community has the same name, so the last one stands.
fn name(feedback: &Feedback<'_>) -> Uuid {
    let Feedback { subreddit, id, body, attribute, .. } = feedback;
    let comment = id.as_ref().unwrap_or(body);
    let has_id = if id.is_some() { "id" } else { "text" };
    let mut name = Vec::new();
    for part in [Feedback::TYPE, subreddit.as_deref().unwrap_or_default(), has_id, comment, attribute] {
        name.extend_from_slice(part.as_bytes());
        // No text holds this byte.
        name.push(0xFF);
    }
    Uuid::new_v5(&ids::NAMESPACE, &name)
}

/// The object that it is kept as: its key, and its content, which is an event.
pub(crate) fn object(feedback: Feedback<'_>, now: Timestamp) -> (String, Vec<u8>) {
    let name = name(&feedback);
    (format!("{PREFIX}{name}.json"), Event::new(name.to_string(), SOURCE, now, feedback).encode())
}

/// Reads what is kept, and when it was said; none where it was forgotten.
///
/// # Errors
/// What is wrong with it.
pub fn read(content: &[u8]) -> Result<Option<(Timestamp, Feedback<'static>)>, String> {
    #[derive(Deserialize)]
    struct Kept<'a> {
        time: Timestamp,
        #[serde(borrow)]
        data: Said<'a>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said<'a> {
        Forgotten {
            #[serde(rename = "forgotten")]
            _forgotten: Timestamp,
        },
        #[serde(borrow)]
        Feedback(Feedback<'a>),
    }
    let Kept { time, data } = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    Ok(match data {
        Said::Forgotten { .. } => None,
        Said::Feedback(feedback) => Some((time, feedback.into_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(community: &str, token: Option<&str>, body: &str, score: f64) -> Feedback<'static> {
        let token = token.map(str::to_owned);
        suggested(Some(community.to_owned()), token, body.to_owned(), "TOXICITY".to_owned(), score)
    }

    #[test]
    fn the_last_word_about_a_comment_stands() {
        let key = |feedback| object(feedback, Timestamp::UNIX_EPOCH).0;
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
        let (_, content) = object(feedback.clone(), Timestamp::UNIX_EPOCH);
        assert_eq!(read(&content), Ok(Some((Timestamp::UNIX_EPOCH, feedback))));
        assert!(read(b"{}").is_err());
        let forgotten = br#"{"time":"2026-01-05T10:00:00Z","data":{"forgotten":"2026-01-06T10:00:00Z"}}"#;
        assert_eq!(read(forgotten), Ok(None));
    }
}
