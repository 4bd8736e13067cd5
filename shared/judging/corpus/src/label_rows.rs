//! Reads texts with labels: JSON Lines such as `{"text":"...","labels":{"toxic":1,"threat":null},"source":"forum"}`.

use std::fs::File;
use std::io::{self, Read};
use std::iter::FusedIterator;
use std::path::Path;

use json_text::{Repeated, repeated_key};
use plain_text::LooksLike;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::input::Input;
use crate::jsonl::{End, read_line, without_comma, without_mark};
use crate::{OpenError, RowError, RowErrorKind};

const TEXT: &str = "text";
const LABELS: &str = "labels";
const SOURCE: &str = "source";

/// A text, and what is known of its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRow {
    /// The line in the file, counted from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// Each label that the row names: whether the text has it, or none where that is not known.
    pub labels: Vec<(String, Option<bool>)>,
    /// Where the text comes from, if the row says so.
    pub source: Option<String>,
}

/// The first line of each kind of row in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowKinds {
    /// The first row with `labels`.
    pub labels: Option<u64>,
    /// The first row without: a comment, which may have a verdict.
    pub verdicts: Option<u64>,
}

impl RowKinds {
    /// Looks through a file. A line that can't be read is of neither kind; what is no JSON Lines has no labels.
    ///
    /// # Errors
    /// [`OpenError`] where there is no such file, or it can't be unpacked.
    pub fn of(name: &str, from: impl Read + Send + 'static) -> Result<Self, OpenError> {
        let (mut input, begins_json) = start(name, from)?;
        let mut kinds = RowKinds::default();
        if !begins_json {
            return Ok(RowKinds { labels: None, verdicts: Some(1) });
        }
        let mut text = Vec::new();
        loop {
            let line = input.line();
            match read_line(&mut input, &mut text) {
                Ok(None) => return Ok(kinds),
                Ok(Some(_)) => {
                    if let Ok(probe) = serde_json::from_slice::<Probe>(without_comma(without_mark(&text))) {
                        let first = if probe.labels.is_some() { &mut kinds.labels } else { &mut kinds.verdicts };
                        first.get_or_insert(line);
                    }
                }
                // Whoever reads the rows says what ended them.
                Err(kind) => {
                    if (RowError { line, kind }).is_fatal() {
                        return Ok(kinds);
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Probe {
    labels: Option<IgnoredAny>,
}

/// Opens a file by its path, for [`RowKinds::of`] and [`LabelReader::new`].
///
/// # Errors
/// [`OpenError`] where there is no such file.
pub fn open_file(path: &Path) -> Result<File, OpenError> {
    let name = path.display().to_string();
    match File::open(path).and_then(|file| Ok((file.metadata()?.is_dir(), file))) {
        Ok((true, _)) => Err(OpenError::Folder { name }),
        Ok((false, file)) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(OpenError::NotFound { name }),
        Err(error) => Err(OpenError::Unreadable { name, error }),
    }
}

/// The input, and whether it begins as JSON Lines do.
fn start(name: &str, from: impl Read + Send + 'static) -> Result<(Input, bool), OpenError> {
    let failed = |kind| OpenError::of_first_row(name, kind, TEXT);
    let mut input = Input::new(from).map_err(failed)?;
    input.decode_utf16();
    let head = input.first_line().map_err(failed)?;
    Ok((input, head.first() == Some(&b'{')))
}

/// The texts of one file with their labels, in its order. The iteration ends after a [fatal](RowError::is_fatal) error; after any
/// other the next row follows.
pub struct LabelReader {
    input: Input,
    line: Vec<u8>,
    ended: bool,
}

impl LabelReader {
    /// Reads JSON Lines; plain, gzip or zstd. `name` is what errors call them.
    ///
    /// # Errors
    /// [`OpenError`] where they can't be unpacked.
    pub fn new(name: &str, from: impl Read + Send + 'static) -> Result<Self, OpenError> {
        let (input, _) = start(name, from)?;
        Ok(LabelReader { input, line: Vec::new(), ended: false })
    }
}

impl Iterator for LabelReader {
    type Item = Result<LabelRow, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let line = self.input.line();
            let row = match read_line(&mut self.input, &mut self.line) {
                Ok(None) => break,
                Ok(Some(_)) if without_mark(&self.line).trim_ascii().is_empty() => continue,
                Ok(Some(end)) => parse(line, without_comma(without_mark(&self.line)), &end),
                Err(kind) => Err(kind),
            };
            let row = row.map_err(|kind| RowError { line, kind });
            self.ended = row.as_ref().is_err_and(RowError::is_fatal);
            return Some(row);
        }
        self.ended = true;
        None
    }
}

impl FusedIterator for LabelReader {}

impl std::fmt::Debug for LabelReader {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("LabelReader").field("line", &self.input.line()).finish_non_exhaustive()
    }
}

fn parse(line: u64, bytes: &[u8], end: &End) -> Result<LabelRow, RowErrorKind> {
    let text = std::str::from_utf8(bytes).map_err(|error| match end {
        // The file ends with half a character.
        End::File if error.error_len().is_none() => RowErrorKind::CutOff,
        _ => RowErrorKind::NotUtf8(LooksLike::of(bytes, &error)),
    })?;
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(RowErrorKind::NotAnObject),
        Err(error) if error.is_eof() && matches!(end, End::File) => return Err(RowErrorKind::CutOff),
        Err(_) => return Err(RowErrorKind::NotJson),
    };
    let is_read = |path: &[String]| match path {
        [field] => [TEXT, LABELS, SOURCE].contains(&field.as_str()),
        [field, _] => field == LABELS,
        _ => false,
    };
    if let Some(Repeated { path, first, second }) = repeated_key(text, is_read) {
        let places = format!("at columns {} and {} of the line", first.column, second.column);
        return Err(RowErrorKind::RepeatedField { field: path.join("."), places });
    }
    let words = match object.get(TEXT) {
        None | Some(Value::Null) => return Err(RowErrorKind::NoText { field: TEXT.to_owned() }),
        Some(Value::String(words)) => words.clone(),
        Some(_) => return Err(RowErrorKind::NotText { field: TEXT.to_owned() }),
    };
    let labels = match object.get(LABELS) {
        None | Some(Value::Null) => return Err(RowErrorKind::NoLabels),
        Some(Value::Object(labels)) => {
            labels.iter().map(|(label, value)| known(label, value)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(RowErrorKind::NotALabelMap),
    };
    let source = match object.get(SOURCE) {
        None | Some(Value::Null) => None,
        Some(Value::String(source)) => Some(source.clone()).filter(|source| !source.is_empty()),
        Some(_) => return Err(RowErrorKind::NotText { field: SOURCE.to_owned() }),
    };
    Ok(LabelRow { line, text: words, labels, source })
}

/// What a row says of a label.
fn known(label: &str, value: &Value) -> Result<(String, Option<bool>), RowErrorKind> {
    let known = match value {
        Value::Null => None,
        Value::Bool(value) => Some(*value),
        // As JSON has it: 0, 1, and the same as floats.
        Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
        Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
        _ => return Err(RowErrorKind::UnknownLabelValue { label: label.to_owned() }),
    };
    Ok((label.to_owned(), known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Vec<Result<LabelRow, String>> {
        let rows = LabelReader::new("test", text.as_bytes()).expect("opens");
        rows.map(|row| row.map_err(|error| format!("line {}: {error}", error.line))).collect()
    }

    #[test]
    fn a_row_says_of_each_label_whether_the_text_has_it() {
        let found = rows(
            "{\"text\":\"a\",\"labels\":{\"toxic\":1,\"threat\":0,\"insult\":null},\"source\":\"forum\",\"more\":[]}\n\n{\"labels\":{\"toxic\":true,\"threat\":0.0},\"text\":\"\"},\r\n{\"text\":\"c\",\"labels\":{}}",
        );
        let row = |line, text: &str, labels: &[(&str, Option<bool>)], source: Option<&str>| {
            let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), *value)).collect();
            Ok(LabelRow { line, text: text.to_owned(), labels, source: source.map(str::to_owned) })
        };
        let expected = [
            row(1, "a", &[("toxic", Some(true)), ("threat", Some(false)), ("insult", None)], Some("forum")),
            row(3, "", &[("toxic", Some(true)), ("threat", Some(false))], None),
            row(4, "c", &[], None),
        ];
        let sorted = |rows: Vec<Result<LabelRow, String>>| -> Vec<Result<LabelRow, String>> {
            let in_order = |mut row: LabelRow| {
                row.labels.sort();
                row
            };
            rows.into_iter().map(|row| row.map(in_order)).collect()
        };
        assert_eq!(sorted(found), sorted(expected.to_vec()));
    }

    #[test]
    fn what_is_no_row_is_named_with_its_line_and_the_next_is_read() {
        for (bad, what) in [
            ("{\"labels\":{}}", "no `text`"),
            ("{\"text\":7,\"labels\":{}}", "`text` is not text"),
            ("{\"text\":\"a\"}", "no `labels`"),
            ("{\"text\":\"a\",\"labels\":[\"toxic\"]}", "`labels` is not an object"),
            ("{\"text\":\"a\",\"labels\":\"toxic\"}", "`labels` is not an object"),
            ("{\"text\":\"a\",\"labels\":{\"toxic\":\"yes\"}}", "the label `toxic` is not 0, 1 or null"),
            ("{\"text\":\"a\",\"labels\":{\"toxic\":2}}", "the label `toxic` is not 0, 1 or null"),
            ("{\"text\":\"a\",\"labels\":{\"toxic\":0.4}}", "the label `toxic` is not 0, 1 or null"),
            ("{\"text\":\"a\",\"labels\":{\"toxic\":0,\"toxic\":1}}", "`labels.toxic` stands there twice"),
            ("{\"text\":\"a\",\"text\":\"b\",\"labels\":{}}", "`text` stands there twice"),
            ("{\"text\":\"a\",\"labels\":{},\"source\":{}}", "`source` is not text"),
            ("[1]", "not an object"),
            ("{\"text\":", "not valid JSON"),
        ] {
            let text: &'static str =
                format!("{{\"text\":\"a\",\"labels\":{{}}}}\n{bad}\n{{\"text\":\"c\",\"labels\":{{}}}}\n").leak();
            let found = rows(text);
            assert_eq!(found.len(), 3, "{bad}");
            let error = found[1].clone().expect_err("it is refused");
            assert!(error.starts_with("line 2: ") && error.contains(what), "{bad}: {error}");
            assert!(found[2].is_ok());
        }
    }

    #[test]
    fn rows_of_both_kinds_are_told_apart() {
        let kinds = |text: &'static str| RowKinds::of("test", text.as_bytes()).expect("opens");
        let labels = "{\"text\":\"a\",\"labels\":{\"toxic\":1}}\n";
        assert_eq!(kinds(labels), RowKinds { labels: Some(1), verdicts: None });
        assert_eq!(kinds("body,removed\na,1\n"), RowKinds { labels: None, verdicts: Some(1) });
        assert_eq!(kinds("{\"body\":\"a\",\"removed\":1}\n"), RowKinds { labels: None, verdicts: Some(1) });
        let both = "{\"text\":\"a\",\"labels\":{\"toxic\":1}}\nno JSON\n\n{\"body\":\"a\",\"removed\":1}\n";
        assert_eq!(kinds(both), RowKinds { labels: Some(1), verdicts: Some(4) });
    }
}
