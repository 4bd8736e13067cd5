use std::collections::BTreeMap;
use std::io::BufRead;

use json_text::{Repeated, repeated_key};
use modstream_events::Comment;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// A comment with what moderators decided about it: a training row that also says how it came to be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The comment's id in its forum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The comment's subreddit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<String>,
    /// The comment's text.
    pub body: String,
    /// Whether the comment is to be removed.
    pub removed: bool,
    /// The decision that says so.
    pub decision: Verdict,
}

/// A line that is no judged comment.
#[derive(Debug, thiserror::Error)]
pub enum JudgedError {
    /// The file can't be read.
    #[error("line {line}: {error}")]
    Io {
        /// The number of the line, from 1.
        line: u64,
        /// The system's words.
        error: std::io::Error,
    },
    /// A field stands in the line twice.
    #[error(
        "line {line}: `{field}` stands there twice, at columns {} and {} of the line; keep one of them",
        columns[0], columns[1]
    )]
    Repeated {
        /// The number of the line, from 1.
        line: u64,
        /// The field, with what leads to it.
        field: String,
        /// Where both stand.
        columns: [usize; 2],
    },
    /// The line is something else.
    #[error("line {line} is no judged comment ({error}); `modstream decisions pull` writes such files")]
    Line {
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl JudgedError {
    fn of(line: u64, text: &str, error: serde_json::Error) -> Self {
        match repeated_key(text, |_| true).filter(|_| error.to_string().starts_with("duplicate field")) {
            Some(Repeated { path, first, second }) => {
                JudgedError::Repeated { line, field: path.join("."), columns: [first.column, second.column] }
            }
            None => JudgedError::Line { line, error },
        }
    }
}

impl Judged {
    /// A comment with its verdict; none where its text is gone.
    pub fn new(comment: &Comment<'_>, decision: Verdict) -> Option<Self> {
        Some(Judged {
            id: comment.id.as_ref().map(ToString::to_string),
            subreddit: comment.subreddit.as_ref().map(ToString::to_string),
            body: comment.body.as_ref()?.to_string(),
            removed: decision.removed,
            decision,
        })
    }
}

/// Of each comment what was decided last, by the time of the decision: two policies may have alerted about one, and files may
/// overlap. In order of the comments' events.
pub fn newest(judged: impl IntoIterator<Item = Judged>) -> Vec<Judged> {
    let when = |judged: &Judged| (judged.decision.decided, judged.decision.alert_id.clone());
    let mut of_comment: BTreeMap<(String, String), Judged> = BTreeMap::new();
    for judged in judged {
        let comment = (judged.decision.source.clone(), judged.decision.comment_event_id.clone());
        if of_comment.get(&comment).is_none_or(|known| when(known) < when(&judged)) {
            of_comment.insert(comment, judged);
        }
    }
    of_comment.into_values().collect()
}

/// Reads judged comments, one a line; blank lines are skipped.
///
/// # Errors
/// At the first line that is none: a verdict that is lost silently would change what follows from them.
pub fn read(lines: impl BufRead) -> Result<Vec<Judged>, JudgedError> {
    let mut judged = Vec::new();
    for (text, line) in lines.lines().zip(1..) {
        let text = text.map_err(|error| JudgedError::Io { line, error })?;
        if !text.trim().is_empty() {
            judged.push(serde_json::from_str(&text).map_err(|error| JudgedError::of(line, &text, error))?);
        }
    }
    Ok(judged)
}
