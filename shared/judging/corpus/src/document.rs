//! Tells one JSON document from JSON Lines whose first line is bad.

use memchr::memchr;
use serde::de::IgnoredAny;

use crate::input::{Input, MAX_FIRST_LINE};

/// The most bytes that are looked at.
const LOOK_AHEAD: usize = 1024 * 1024;

/// Whether the file goes on with what its first line begins, a list or an object. No line is looked at after a first
/// one that is a whole object: a pipe may hold no more yet. In a file that is named as JSON Lines, one later line that
/// can be read is enough for the others to be errors of their own; there, only what was seen to its end is a document.
pub(crate) fn is_document(input: &mut Input, head: &[u8], named_jsonl: bool) -> bool {
    let is_list = head[0] == b'[';
    match memchr(b'\n', head) {
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

/// Where the first line after the first that isn't blank stands, without the blanks before it.
struct Second {
    start: usize,
    end: usize,
    ended: bool,
}

fn second_line(bytes: &[u8]) -> Option<Second> {
    let newline = memchr(b'\n', bytes)?;
    let start = newline + bytes[newline..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    let end = memchr(b'\n', &bytes[start..]).map(|length| start + length);
    Some(Second { start, end: end.unwrap_or(bytes.len()), ended: end.is_some() })
}

fn no_line_is_an_object(input: &mut Input) -> bool {
    let mut seen = 0;
    let ahead = input.ahead(LOOK_AHEAD, |bytes| {
        while let Some(length) = memchr(b'\n', &bytes[seen..]) {
            if is_object(&bytes[seen..seen + length]) {
                return true;
            }
            seen += length + 1;
        }
        false
    });
    ahead.is_all && !is_object(&ahead.bytes[seen..])
}

fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Whether `bytes` are JSON, or could become JSON by what follows.
fn is_beginning(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).map_or_else(|error| error.is_eof(), |_| true)
}
