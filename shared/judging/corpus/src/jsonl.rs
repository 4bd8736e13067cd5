//! Reads one JSON object a line.

use memchr::memchr;
use modstream_events::Comment;
use serde_json::{Map, Value};

use crate::{
    MAX_ROW_BYTES, Row, RowError, RowErrorKind,
    input::Input,
    removed::{self, Removed},
};

/// The fields that are read, and what their values must be.
const FIELDS: [(&str, &str); 10] = [
    ("id", TEXT),
    ("parent_id", TEXT),
    ("link_id", TEXT),
    ("subreddit", TEXT),
    ("author", TEXT),
    ("body", TEXT),
    ("permalink", TEXT),
    ("created_utc", "a number of seconds since 1970"),
    ("score", "a number of votes"),
    ("removed", removed::WANTED),
];
const TEXT: &str = "text";

#[derive(Default)]
pub(crate) struct Jsonl {
    line: Vec<u8>,
}

impl Jsonl {
    /// The next line that isn't blank.
    pub(crate) fn next(&mut self, input: &mut Input) -> Option<Result<Row, RowError>> {
        loop {
            let line = input.line();
            let row = match read_line(input, &mut self.line) {
                Ok(None) => return None,
                Ok(Some(_)) if self.line.trim_ascii().is_empty() => continue,
                Ok(Some(end)) => parse(&self.line, &end),
                Err(kind) => Err(kind),
            };
            return Some(match row {
                Ok((comment, removed)) => Ok(Row { line, comment, removed }),
                Err(kind) => Err(RowError { line, kind }),
            });
        }
    }
}

/// What a line ends with.
enum End {
    Newline,
    File,
}

/// Reads a line; `None` at the end of the file. A line that is too long is read to its end, so that the next one is
/// whole.
fn read_line(input: &mut Input, line: &mut Vec<u8>) -> Result<Option<End>, RowErrorKind> {
    line.clear();
    let mut any = false;
    let mut too_long = false;
    let end = loop {
        let chunk = input.chunk()?;
        if chunk.is_empty() {
            break any.then_some(End::File);
        }
        any = true;
        let newline = memchr(b'\n', chunk);
        let part = &chunk[..newline.unwrap_or(chunk.len())];
        too_long |= line.len() + part.len() > MAX_ROW_BYTES;
        if !too_long {
            line.extend_from_slice(part);
        }
        let bytes = part.len() + usize::from(newline.is_some());
        input.consume(bytes, u64::from(newline.is_some()));
        if newline.is_some() {
            break Some(End::Newline);
        }
    };
    if too_long { Err(RowErrorKind::TooLong) } else { Ok(end) }
}

type Parsed = (Comment<'static>, Option<bool>);

fn parse(line: &[u8], end: &End) -> Result<Parsed, RowErrorKind> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        // The file ends with half a character.
        Err(error) if error.error_len().is_none() && matches!(end, End::File) => return Err(RowErrorKind::CutOff),
        Err(_) => return Err(RowErrorKind::NotUtf8),
    };
    object(text).ok_or_else(|| fault(text, end))
}

fn object(text: &str) -> Option<Parsed> {
    // Structs are read from lists too.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let comment: Comment<'_> = serde_json::from_str(text).ok()?;
    let Removed { removed } = serde_json::from_str(text).ok()?;
    Some((comment.into_owned(), removed))
}

/// What keeps a line from being a row. The parser's own messages quote values.
fn fault(text: &str, end: &End) -> RowErrorKind {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => {
            let wrong = FIELDS.into_iter().find(|(name, _)| !fits(name, &fields));
            wrong.map_or(RowErrorKind::DuplicateField, |(field, wanted)| RowErrorKind::WrongType { field, wanted })
        }
        Ok(_) => RowErrorKind::NotAnObject,
        Err(error) if error.is_eof() && matches!(end, End::File) => RowErrorKind::CutOff,
        Err(_) => RowErrorKind::NotJson,
    }
}

fn fits(name: &str, fields: &Map<String, Value>) -> bool {
    let Some(value) = fields.get(name) else { return true };
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    object(&Value::Object(alone).to_string()).is_some()
}
