//! Tells how the comments of a file of JSON lie in it: a line each, in a list, or in none of these ways.

use serde::de::IgnoredAny;

use crate::OpenError;
use crate::input::{Input, MAX_FIRST_LINE};

/// The most bytes that are looked at.
const LOOK_AHEAD: usize = 1024 * 1024;

/// How the comments lie in a file.
pub(crate) enum Form {
    /// Each has a line of its own.
    Lines,
    /// They are the elements of a list, however that is broken into lines.
    List,
}

impl Form {
    /// The form of a file that begins with a brace or a bracket.
    ///
    /// No line is looked at after a first one that is a whole object: a pipe may hold no more yet. In a file that is named as
    /// JSON Lines, one later line that can be read is enough for the others to be errors of their own; there, only what was
    /// seen to its end is a document.
    pub(crate) fn find(
        input: &mut Input,
        head: &[u8],
        (name, named_jsonl): (&str, bool),
        wanted: &str,
    ) -> Result<Self, OpenError> {
        let (name, wanted) = (name.to_owned(), wanted.to_owned());
        if head[0] == b'{' {
            let is_document = is_document(input, head, named_jsonl);
            return if is_document { Err(OpenError::JsonObject { name }) } else { Ok(Form::Lines) };
        }
        let first = |bytes: &[u8]| bytes.iter().copied().skip(1).find(|byte| !byte.is_ascii_whitespace());
        let ahead = input.ahead(LOOK_AHEAD, |bytes| first(bytes).is_some());
        match first(&ahead.bytes) {
            Some(b'{') => return Ok(Form::List),
            Some(b']') => {
                let ahead =
                    input.ahead(LOOK_AHEAD, |bytes| !bytes[1..].trim_ascii_start()[1..].trim_ascii().is_empty());
                if ahead.is_all && ahead.bytes.trim_ascii_end().ends_with(b"]") {
                    return Err(OpenError::Empty { name, wanted });
                }
            }
            _ => {}
        }
        let is_document = is_document(input, head, named_jsonl);
        if is_document { Err(OpenError::JsonList { name, wanted }) } else { Ok(Form::Lines) }
    }
}

/// Whether the file goes on with what its first line begins, a list or an object.
fn is_document(input: &mut Input, head: &[u8], named_jsonl: bool) -> bool {
    let is_list = head[0] == b'[';
    match line_end(head) {
        None if head.len() >= MAX_FIRST_LINE => return is_list && !named_jsonl,
        end if is_object(&head[..end.unwrap_or(head.len())]) => return false,
        _ => {}
    }
    let ahead = input.ahead(LOOK_AHEAD, |bytes| second_line(bytes).is_some_and(|second| second.ended));
    let Some(second) = second_line(&ahead.bytes) else {
        return is_list && (ahead.is_all || !named_jsonl);
    };
    let line = &ahead.bytes[second.start..second.end];
    let goes_on = (second.ended || ahead.is_all) && !is_object(line) && is_beginning(&ahead.bytes[..second.end]);
    if named_jsonl { goes_on && no_line_is_an_object(input) } else { goes_on || is_list && line[0] != b'{' }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', bytes)
}

/// Where the first line after the first that isn't blank stands, without the blanks before it.
struct Second {
    start: usize,
    end: usize,
    ended: bool,
}

fn second_line(bytes: &[u8]) -> Option<Second> {
    let first = line_end(bytes)?;
    let start = first + bytes[first..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = line_end(&bytes[start..]).map(|length| start + length);
    Some(Second { start, end: end.unwrap_or(bytes.len()), ended: end.is_some() })
}

fn no_line_is_an_object(input: &mut Input) -> bool {
    let mut seen = 0;
    let ahead = input.ahead(LOOK_AHEAD, |bytes| {
        while let Some(length) = line_end(&bytes[seen..]) {
            if is_object(&bytes[seen..seen + length]) {
                return true;
            }
            seen += length + 1;
        }
        false
    });
    ahead.is_all && !is_object(&ahead.bytes[seen..])
}

/// Whether a line is an object; a comma may stand behind it.
fn is_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let line = line.strip_suffix(b",").unwrap_or(line);
    line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Whether `bytes` are JSON, or could become JSON by what follows.
fn is_beginning(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).map_or_else(|error| error.is_eof(), |_| true)
}
