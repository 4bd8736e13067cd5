use jiff::Timestamp;
use modstream_corpus::{Placeholders, ReadOptions, Row, RowErrorKind};
use modstream_events::{CommentEdited, Event, ids};
use modstream_platform::{MAX_KEY_CHARS, PutRecord};

use crate::Versions;

/// The system that comments are of where nobody says it.
pub const DEFAULT_SOURCE: &str = "urn:modstream:send";

/// Makes the events of what is read together: a file, standard input, a request.
pub struct Events {
    /// Names the system that the comments' ids are of.
    pub source: String,
    /// The file's name, without its folder: a file that was moved is the same.
    pub name: String,
    /// The time of comments that have none.
    pub time: Timestamp,
    /// The versions that were read so far.
    pub versions: Versions,
    /// How the rows are read.
    pub options: ReadOptions,
    /// What stands in place of a text that is gone.
    pub placeholders: Placeholders,
}

/// What a row holds.
pub enum Held {
    /// A comment, as an event that is ready to be put.
    Comment(Ready),
    /// What stands in place of a comment that is gone, in the form that it is counted under. The comment's alert is about what it
    /// said, so this is no edit.
    Placeholder(String),
}

/// An event that is ready to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The event's id.
    pub id: String,
    /// The record of the stream of comments.
    pub record: PutRecord,
}

impl Events {
    /// What a row holds.
    ///
    /// # Errors
    /// Where the comment has no text.
    pub fn event(&mut self, row: Row) -> Result<Held, RowErrorKind> {
        if let Some(form) = self.placeholders.form(self.options.text(&row)?) {
            return Ok(Held::Placeholder(form));
        }
        let Row { line, mut comment, .. } = row;
        let body = comment.body.as_deref().unwrap_or_default();
        let time = comment.created_utc.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(self.time);
        let own = comment.id.as_deref().filter(|id| !id.is_empty());
        let (id, version) = match own {
            Some(own) => {
                let version = match comment.edited {
                    Some(edited) => self.versions.edited(&self.source, own, edited, body),
                    None => self.versions.of(ids::comment_key(&self.source, own), body),
                };
                (ids::comment(&self.source, own, &version.name), Some(version).filter(|version| version.is_later))
            }
            // Two comments of one text on two lines are two; the text guards against a file that was changed.
            None => {
                let version = ids::text_version(body, 0);
                (ids::comment(&self.source, &format!("{}:{line}", self.name), &version), None)
            }
        };
        let id = id.to_string();
        if own.is_none() {
            comment.id = Some(id.clone().into());
        }
        let key = comment.id.as_deref().filter(|key| (1..=MAX_KEY_CHARS).contains(&key.chars().count()));
        let partition_key = key.unwrap_or(&id).to_owned();
        let source = self.source.as_str();
        let data = match version {
            None => Event::new(id.as_str(), source, time, comment).encode(),
            Some(version) => {
                Event::new(id.as_str(), source, time, CommentEdited { comment, version: version.name.into() }).encode()
            }
        };
        Ok(Held::Comment(Ready { id, record: PutRecord { partition_key, data } }))
    }
}
