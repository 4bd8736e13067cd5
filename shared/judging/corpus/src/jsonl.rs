//! Reads one JSON object a line, with or without a comma behind it.

use std::borrow::Cow;
use std::fmt;

use json_text::{Place, Repeated, repaired, repeated_key};
use modstream_events::Comment;
use plain_text::{LooksLike, surrogates_decoded};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::input::{BYTE_ORDER_MARK, Input};
use crate::options::BODY;
use crate::{MAX_ROW_BYTES, ReadOptions, Row, RowError, RowErrorKind};

pub(crate) struct Jsonl {
    line: Vec<u8>,
    options: ReadOptions,
}

impl Jsonl {
    pub(crate) fn new(options: ReadOptions) -> Self {
        Jsonl { line: Vec::new(), options }
    }

    /// The next line that isn't blank.
    pub(crate) fn next(&mut self, input: &mut Input) -> Option<Result<Row, RowError>> {
        loop {
            let line = input.line();
            let row = match read_line(input, &mut self.line) {
                Ok(None) => return None,
                Ok(Some(_)) if without_mark(&self.line).trim_ascii().is_empty() => continue,
                Ok(Some(end)) => parse(without_comma(without_mark(&self.line)), &end, &self.options),
                Err(kind) => Err(kind),
            };
            return Some(match row {
                Ok((comment, removed)) => Ok(Row { line, comment, removed }),
                Err(kind) => Err(RowError { line, kind }),
            });
        }
    }
}

/// Reads one line of JSON Lines by itself, as a [`Reader`](crate::Reader) does. `line` is its number.
///
/// # Errors
/// [`RowError`] says what is wrong with it; it quotes none of it.
pub fn row_of_line(line: u64, text: &[u8], options: &ReadOptions) -> Result<Row, RowError> {
    match parse(without_comma(without_mark(text)), &End::Newline, options) {
        Ok((comment, removed)) => Ok(Row { line, comment, removed }),
        Err(kind) => Err(RowError { line, kind }),
    }
}

/// A line without the byte order mark that stands before it where files were put one behind the other.
pub(crate) fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// A line without the comma that stands behind it where lines are the elements of a list.
pub(crate) fn without_comma(line: &[u8]) -> &[u8] {
    let trimmed = line.trim_ascii_end();
    match trimmed.strip_suffix(b",") {
        Some(object) if object.trim_ascii_end().ends_with(b"}") => object,
        _ => line,
    }
}

/// What the text of an object ends with.
pub(crate) enum End {
    Newline,
    File,
    /// The brace that closes it, in a list; it began on this line.
    Brace {
        line: u64,
    },
}

/// Reads a line; `None` at the end of the file. A line that is too long is read to its end, so that the next one is
/// whole.
pub(crate) fn read_line(input: &mut Input, line: &mut Vec<u8>) -> Result<Option<End>, RowErrorKind> {
    line.clear();
    let mut any = false;
    let mut too_long = false;
    let ends_at = input.line_ends();
    let end = loop {
        let chunk = input.chunk()?;
        if chunk.is_empty() {
            break any.then_some(End::File);
        }
        any = true;
        let newline = ends_at(chunk);
        let part = &chunk[..newline.unwrap_or(chunk.len())];
        too_long |= line.len() + part.len() > MAX_ROW_BYTES;
        if !too_long {
            line.extend_from_slice(part);
        }
        let bytes = part.len() + usize::from(newline.is_some());
        input.consume(bytes);
        if newline.is_some() {
            break Some(End::Newline);
        }
    };
    if too_long { Err(RowErrorKind::TooLong) } else { Ok(end) }
}

type Parsed = (Comment<'static>, Option<bool>);

/// Reads the text of one object.
pub(crate) fn parse(line: &[u8], end: &End, options: &ReadOptions) -> Result<Parsed, RowErrorKind> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        // The file ends with half a character.
        Err(error) if error.error_len().is_none() && matches!(end, End::File) => return Err(RowErrorKind::CutOff),
        Err(error) => match surrogates_decoded(line) {
            Some(text) => Cow::Owned(text),
            None => return Err(RowErrorKind::NotUtf8(LooksLike::of(line, &error))),
        },
    };
    if let Ok(row) = object(&text, options) {
        return row;
    }
    let is_text = |depth: usize, key: &str| depth == 1 && Comment::is_text_or_number(key) && key != options.text_column;
    let Some(text) = repaired(&text, is_text) else { return Err(fault(&text, end, options)) };
    object(&text, options).unwrap_or_else(|_| Err(fault(&text, end, options)))
}

/// Reads a line that is one object. The inner error is of its verdict.
fn object(text: &str, options: &ReadOptions) -> serde_json::Result<Result<Parsed, RowErrorKind>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let (comment, label) = RowSeed(options).deserialize(&mut json)?;
    json.end()?;
    Ok(label.unwrap_or(Ok(None)).map(|removed| (comment.into_owned(), removed)))
}

/// What keeps a line from being a row. The parser's own messages quote values.
fn fault(text: &str, end: &End, options: &ReadOptions) -> RowErrorKind {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        // What is passed over ends early in fewer ways than what is read.
        let ends_early = serde_json::from_str::<Value>(text).is_err_and(|error| error.is_eof());
        return match end {
            End::File if ends_early => RowErrorKind::CutOff,
            End::File | End::Newline => RowErrorKind::NotJson,
            End::Brace { .. } => RowErrorKind::ElementNotJson,
        };
    }
    if !text.trim_start().starts_with('{') {
        return RowErrorKind::NotAnObject;
    }
    let is_read = |key: &str| {
        key == options.text_column || key == options.label_column() || (key != BODY && Comment::FIELDS.contains(&key))
    };
    match repeated_key(text, |path| path.len() == 1 && is_read(&path[0])) {
        Some(Repeated { mut path, first, second }) => {
            let places = match end {
                End::Brace { line } if second.line > 1 => {
                    let line = |place: Place| line + place.line as u64 - 1;
                    format!("on lines {} and {}", line(first), line(second))
                }
                End::Brace { .. } => format!("at characters {} and {} of the object", first.column, second.column),
                End::Newline | End::File => format!("at columns {} and {} of the line", first.column, second.column),
            };
            RowErrorKind::RepeatedField { field: path.pop().unwrap_or_default(), places }
        }
        None => RowErrorKind::NotText { field: options.text_column.clone() },
    }
}

/// The verdict, where the object has one.
type Label = Option<Result<Option<bool>, RowErrorKind>>;

/// Reads an object alone: serde also takes a list for a struct, field by field.
struct RowSeed<'o>(&'o ReadOptions);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = (Comment<'de>, Label);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = (Comment<'de>, Label);

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        let mut label = None;
        let fields = CommentFields { fields, options: self.0, label: &mut label };
        let comment = Comment::deserialize(MapAccessDeserializer::new(fields))?;
        Ok((comment, label))
    }
}

/// An object's fields under the names that a comment has; the verdict is taken out.
struct CommentFields<'o, A> {
    fields: A,
    options: &'o ReadOptions,
    label: &'o mut Label,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for CommentFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        while let Some(Key(key)) = self.fields.next_key()? {
            let name = if key == self.options.text_column {
                BODY
            } else if key == self.options.label_column() {
                self.take_label()?;
                continue;
            } else if key == BODY {
                self.fields.next_value::<IgnoredAny>()?;
                continue;
            } else {
                &key
            };
            return seed.deserialize(StrDeserializer::new(name)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        self.fields.next_value_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> CommentFields<'_, A> {
    fn take_label(&mut self) -> Result<(), A::Error> {
        if self.label.is_some() {
            return Err(A::Error::custom("a second verdict"));
        }
        *self.label = Some(match &self.options.labels {
            Some(labels) => labels.verdict_of(self.fields.next_value()?),
            None => self.fields.next_value::<IgnoredAny>().map(|_| Ok(None))?,
        });
        Ok(())
    }
}
