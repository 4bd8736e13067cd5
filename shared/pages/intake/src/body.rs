use std::fmt;

use jiff::Timestamp;
use modstream_corpus::{Placeholders, ReadOptions, RowErrorKind, row_of_line};
use modstream_events::{BadRecord, CommentEvent, Reason, ids};
use modstream_platform::{MAX_KEY_CHARS, MAX_RECORD_BYTES, PutRecord};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Events, Held, Ready, Versions, identity};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line: a comment, or an event.
    Lines,
    /// One JSON object, or a list of them: comments, or events.
    Json,
    /// One event.
    Event,
    /// A list of events.
    Events,
}

/// The types that a body may have, for whoever sends another.
pub const TYPES: &str = "application/x-ndjson, application/json, application/cloudevents+json or \
                                application/cloudevents-batch+json";

/// The names of UTF-8 and of what is a part of it, as senders write them.
const UTF_8: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

impl Format {
    /// The format that a content type names.
    pub fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let kind = parts.next()?.to_ascii_lowercase();
        // JSON is UTF-8; whoever says another character set means another text.
        let is_utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset") || UTF_8.iter().any(|name| value.eq_ignore_ascii_case(name))
        });
        let format = match kind.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/jsonlines" => Format::Lines,
            "application/json" => Format::Json,
            "application/cloudevents+json" => Format::Event,
            "application/cloudevents-batch+json" => Format::Events,
            _ => return None,
        };
        is_utf8.then_some(format)
    }
}

/// The most bytes of a body.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// The most entries of a body: what is said of each is in memory until all is answered.
const MAX_ENTRIES: usize = 50_000;
/// How many entries are read before they are written, and of how many bytes together, but for the one that goes beyond it.
const PART_ENTRIES: usize = 250;
const PART_BYTES: usize = 1 << 20;

/// What a part of a body says.
#[derive(Debug, Default)]
pub struct Read {
    /// The events, in their order.
    pub entries: Vec<Entry>,
    /// What is no event.
    pub refused: Vec<Refused>,
}

/// An event of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line of a body of lines, else the entry's number; from 1.
    pub line: u64,
    /// The event's id.
    pub id: String,
    /// What makes it the one that came before.
    pub identity: [u8; 16],
    /// The record of the stream of comments.
    pub record: PutRecord,
}

/// An entry that is not taken. It quotes none of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The line of a body of lines, else the entry's number; from 1.
    pub line: u64,
    /// What is wrong, in a word.
    pub reason: &'static str,
    /// What is wrong, and what to do.
    pub detail: String,
}

/// A body of which nothing can be told apart, or too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBody {
    /// The body holds nothing.
    #[error("the body is empty")]
    Empty,
    /// The body is no UTF-8; the first byte that is none.
    #[error("the body is no UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// The body is no JSON; where it is wrong.
    #[error("the body is no JSON: it is wrong at line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The body is JSON of another kind than its type says.
    #[error("the body is JSON, and no {0}")]
    OtherJson(&'static str),
    /// The body has more entries than are answered at once.
    #[error("a body has at most {MAX_ENTRIES} comments: send it in parts, or the file with `modstream send`")]
    TooMany,
}

/// A body that is being read, part by part: each is written before the next one is made.
pub struct Reading<'a> {
    entries: Entries<'a>,
    meant: Meant,
    events: Events,
}

/// The entries of a body that are left.
enum Entries<'a> {
    Lines(std::iter::Enumerate<LinesOf<'a>>),
    List(std::iter::Enumerate<std::vec::IntoIter<&'a RawValue>>),
}

/// The lines of a body, without what is blank around each.
struct LinesOf<'a>(Option<&'a [u8]>);

impl<'a> Iterator for LinesOf<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        let line = match memchr::memchr(b'\n', rest) {
            Some(end) => {
                self.0 = Some(&rest[end + 1..]);
                &rest[..end]
            }
            None => rest,
        };
        Some(line.trim_ascii())
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (place, text) = match self {
            Entries::Lines(lines) => lines.find(|(_, line)| !line.is_empty())?,
            Entries::List(entries) => entries.next().map(|(place, entry)| (place, entry.get().as_bytes()))?,
        };
        Some((place as u64 + 1, text))
    }
}

/// Tells the entries of a body apart. Comments without an id are known by the body they came in, so that a request that is sent
/// again says the same.
///
/// # Errors
/// Where nothing of the body can be told apart, or it holds too much.
pub fn read<'a>(format: Format, body: &'a [u8], source: &str, now: Timestamp) -> Result<Reading<'a>, NoBody> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(NoBody::Empty);
    }
    let entries = match format {
        Format::Lines => {
            let lines = || LinesOf(Some(body));
            if lines().filter(|line| !line.is_empty()).nth(MAX_ENTRIES).is_some() {
                return Err(NoBody::TooMany);
            }
            Entries::Lines(lines().enumerate())
        }
        Format::Json | Format::Event | Format::Events => {
            let text = std::str::from_utf8(body).map_err(|error| NoBody::NotUtf8(error.valid_up_to()))?;
            let is_list = text.trim_start().starts_with('[');
            let entries = match (format, is_list) {
                (Format::Json | Format::Events, true) => list(text)?,
                (Format::Json | Format::Event, false) => {
                    vec![serde_json::from_str(text).map_err(|error| not_json(&error))?]
                }
                (Format::Events, false) => return Err(NoBody::OtherJson("list of events")),
                (Format::Event | Format::Lines, _) => return Err(NoBody::OtherJson("event by itself")),
            };
            Entries::List(entries.into_iter().enumerate())
        }
    };
    let events = Events {
        source: source.to_owned(),
        name: Uuid::new_v5(&ids::NAMESPACE, body).to_string(),
        time: now,
        versions: Versions::default(),
        options: ReadOptions::without_labels(),
        placeholders: Placeholders::default(),
    };
    let meant = match format {
        Format::Lines | Format::Json => Meant::Either,
        Format::Event | Format::Events => Meant::Event,
    };
    Ok(Reading { entries, meant, events })
}

/// The entries of a list.
fn list(text: &str) -> Result<Vec<&RawValue>, NoBody> {
    let List(entries) = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    match entries {
        Some(entries) if entries.is_empty() => Err(NoBody::Empty),
        Some(entries) => Ok(entries),
        None => Err(NoBody::TooMany),
    }
}

/// A list of which no more is kept than a body may have; none where it has more.
struct List<'a>(Option<Vec<&'a RawValue>>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = List<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<'de>, A::Error> {
                let mut entries = Some(Vec::new());
                while let Some(item) = items.next_element::<&RawValue>()? {
                    entries = entries.filter(|entries| entries.len() < MAX_ENTRIES);
                    if let Some(entries) = &mut entries {
                        entries.push(item);
                    }
                }
                Ok(List(entries))
            }
        }

        from.deserialize_seq(Items)
    }
}

fn not_json(error: &serde_json::Error) -> NoBody {
    NoBody::NotJson { line: error.line(), column: error.column() }
}

/// What an entry may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Event,
    /// An event where it says that it is one, else a comment.
    Either,
}

impl Iterator for Reading<'_> {
    type Item = Read;

    /// What the next part says.
    fn next(&mut self) -> Option<Read> {
        let mut part = Read::default();
        let mut bytes = 0;
        while bytes < PART_BYTES
            && part.entries.len() + part.refused.len() < PART_ENTRIES
            && let Some((line, text)) = self.entries.next()
        {
            bytes += text.len();
            match self.entry(line, text) {
                Ok(entry) => part.entries.push(entry),
                Err((reason, detail)) => part.refused.push(Refused { line, reason, detail }),
            }
        }
        (!part.entries.is_empty() || !part.refused.is_empty()).then_some(part)
    }
}

impl Reading<'_> {
    fn entry(&mut self, line: u64, text: &[u8]) -> Result<Entry, (&'static str, String)> {
        let bad = |bad: BadRecord| (bad.reason.as_str(), bad.detail);
        let (Ready { id, record }, identity) = match self.meant {
            Meant::Either if !is_event(text) => self.comment(line, text)?,
            Meant::Event | Meant::Either => event(text).map_err(bad)?,
        };
        if record.size() > MAX_RECORD_BYTES {
            return Err(bad(BadRecord::too_large(record.size())));
        }
        Ok(Entry { line, id, identity, record })
    }

    fn comment(&mut self, line: u64, text: &[u8]) -> Result<(Ready, [u8; 16]), (&'static str, String)> {
        let row = row_of_line(line, text, &self.events.options);
        let row = row.map_err(|error| (reason(&error.kind).as_str(), error.to_string()))?;
        let held = self.events.event(row).map_err(|kind| (reason(&kind).as_str(), kind.to_string()))?;
        let ready = match held {
            Held::Comment(ready) => ready,
            Held::Placeholder(form) => {
                let detail = format!("{form} stands in place of a text that is gone, so there is nothing to judge");
                return Err(("placeholder", detail));
            }
        };
        let identity = identity::of(&self.events.source, &ready.id, None);
        Ok((ready, identity))
    }
}

/// Why a line is none, in the words of events.
fn reason(kind: &RowErrorKind) -> Reason {
    match kind {
        RowErrorKind::NoText { .. } => Reason::MissingBody,
        RowErrorKind::NotUtf8(_) => Reason::NotUtf8,
        RowErrorKind::NotJson | RowErrorKind::CutOff => Reason::NotJson,
        RowErrorKind::TooLong => Reason::TooLarge,
        _ => Reason::InvalidData,
    }
}

/// Whether an object says that it is an event.
fn is_event(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Said {
        specversion: Option<serde::de::IgnoredAny>,
    }
    // In a text the quotes would be escaped.
    let may_be = memchr::memmem::find(text, b"\"specversion\"").is_some();
    may_be && serde_json::from_slice::<Said>(text).map_or(true, |said| said.specversion.is_some())
}

fn event(text: &[u8]) -> Result<(Ready, [u8; 16]), BadRecord> {
    let event = CommentEvent::decode(text)?;
    let identity = identity::of_event(&event);
    let (id, key) = match &event {
        CommentEvent::Created(event) => {
            event.data.body()?;
            (&event.id, event.data.id.as_deref())
        }
        CommentEvent::Edited(event) => {
            event.data.comment.body()?;
            (&event.id, event.data.comment.id.as_deref())
        }
        CommentEvent::Deleted(event) => (&event.id, Some(event.data.id.as_ref())),
        CommentEvent::Reported(event) => (&event.id, Some(event.data.id.as_ref())),
    };
    let fits = |key: &&str| (1..=MAX_KEY_CHARS).contains(&key.chars().count());
    let partition_key = match key.filter(fits).or(Some(id.as_ref()).filter(fits)) {
        Some(key) => key.to_owned(),
        None => Uuid::from_bytes(identity).to_string(),
    };
    let ready = Ready { id: id.clone().into_owned(), record: PutRecord { partition_key, data: text.to_vec() } };
    Ok((ready, identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE_COMMENTS: &[u8] = include_bytes!("../../../../events/samples/comments.jsonl");

    fn now() -> Timestamp {
        Timestamp::from_second(1_767_607_500).expect("a time")
    }

    /// What all parts say together.
    fn whole(format: Format, body: &[u8], source: &str, now: Timestamp) -> Result<Read, NoBody> {
        let mut all = Read::default();
        for Read { entries, refused } in read(format, body, source, now)? {
            all.entries.extend(entries);
            all.refused.extend(refused);
        }
        Ok(all)
    }

    fn said(format: Format, body: &str) -> Read {
        whole(format, body.as_bytes(), "urn:example:forum", now()).expect("reads")
    }

    fn event_of(kind: &str, id: &str, data: &str) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"urn:f","type":"modstream.{kind}.v1","time":"2026-01-05T10:00:00Z","data":{data}}}"#
        )
    }

    #[test]
    fn the_sample_comments_are_read_and_are_the_same_again() {
        let once = whole(Format::Lines, SAMPLE_COMMENTS, "urn:a", now()).expect("reads");
        let later = now() + jiff::SignedDuration::from_hours(1);
        let again = whole(Format::Lines, SAMPLE_COMMENTS, "urn:a", later).expect("reads");
        assert_eq!((once.entries.len(), once.refused.len()), (420, 0));
        assert_eq!(once.entries, again.entries);
        let other = whole(Format::Lines, SAMPLE_COMMENTS, "urn:b", now()).expect("reads");
        assert!(once.entries.iter().zip(&other.entries).all(|(one, other)| one.id != other.id));
    }

    #[test]
    fn an_entry_that_is_none_costs_itself_alone_and_is_named() {
        let large = format!(r#"{{"id":"l","body":"{}"}}"#, "x".repeat(MAX_RECORD_BYTES));
        let lines = [
            r#"{"id":"a","body":"one"}"#,
            "",
            r#"{"id":"b"}"#,
            "nonsense",
            r#"{"id":"c","body":7}"#,
            r#"["d"]"#,
            r#"{"id":"e","body":"x","body":"y"}"#,
            &large,
            &event_of("alert", "f", "{}"),
            &event_of("comment", "g", r#"{"id":"g"}"#),
            r#"{"id":"h","body":"two"}"#,
        ];
        let read = said(Format::Lines, &lines.join("\r\n"));
        let refused: Vec<(u64, &str)> = read.refused.iter().map(|refused| (refused.line, refused.reason)).collect();
        assert_eq!(
            refused,
            [
                (3, "missing_body"),
                (4, "not_json"),
                (5, "invalid_data"),
                (6, "invalid_data"),
                (7, "invalid_data"),
                (8, "too_large"),
                (9, "wrong_type"),
                (10, "missing_body")
            ]
        );
        assert_eq!(read.entries.iter().map(|one| one.record.partition_key.as_str()).collect::<Vec<_>>(), ["a", "h"]);
        assert!(read.refused.iter().all(|refused| !refused.detail.is_empty()));
    }

    #[test]
    fn each_format_is_read_and_an_event_stays_as_it_was_written() {
        let comment = event_of("comment", "a", r#"{"id":"k1","body":"one \u00e9"}"#);
        let deleted = event_of("comment-deleted", "d", r#"{"id":"k1","by":"author"}"#);
        for (format, body) in [
            (Format::Event, comment.clone()),
            (Format::Events, format!("[{comment}, {deleted}]")),
            (Format::Json, format!(" [{comment},{deleted}] ")),
            (Format::Lines, format!("{comment}\n{deleted}")),
        ] {
            let read = said(format, &body);
            assert_eq!(read.refused, []);
            assert_eq!(read.entries[0].id, "a");
            assert!(read.entries.iter().all(|one| one.record.partition_key == "k1"));
            assert_eq!(read.entries[0].record.data, comment.as_bytes());
        }
        let read = said(Format::Json, r#"[{"id":"a","body":"one"},{"id":"b","body":"says \"specversion\" itself"}]"#);
        assert_eq!((read.entries.len(), read.refused.len()), (2, 0));
        let read = said(Format::Event, r#"{"id":"a","body":"a comment"}"#);
        assert_eq!(read.refused[0].reason, "not_an_event");
    }

    #[test]
    fn a_comment_without_an_id_is_another_in_another_body() {
        let ids = |format, body| said(format, body).entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_ne!(ids(Format::Json, r#"{"body":"lol"}"#), ids(Format::Json, r#"{"body":"lol"} "#));
        assert_eq!(ids(Format::Json, r#"{"body":"lol"}"#), ids(Format::Json, r#"{"body":"lol"}"#));
        let twice = ids(Format::Lines, "{\"body\":\"lol\"}\n{\"body\":\"lol\"}");
        assert_ne!(twice[0], twice[1]);
    }

    #[test]
    fn a_body_of_which_nothing_can_be_told_apart_is_refused_as_a_whole() {
        let refused = |format, body: &[u8]| whole(format, body, "urn:a", now()).expect_err("refused");
        for format in [Format::Lines, Format::Json, Format::Event, Format::Events] {
            assert_eq!(refused(format, b" \n"), NoBody::Empty);
        }
        assert_eq!(refused(Format::Json, b"[]"), NoBody::Empty);
        assert!(matches!(refused(Format::Json, br#"[{"body":"x"},"#), NoBody::NotJson { .. }));
        assert_eq!(refused(Format::Json, b"{\"body\":\"\xff\"}"), NoBody::NotUtf8(9));
        assert!(matches!(refused(Format::Events, b"{}"), NoBody::OtherJson(_)));
        assert!(matches!(refused(Format::Event, b"[{}]"), NoBody::OtherJson(_)));
    }

    #[test]
    fn a_body_is_read_in_parts_that_say_what_it_says_as_a_whole() {
        let long = "x".repeat(PART_BYTES / 3);
        let lines: Vec<String> = (0..700).map(|number| format!(r#"{{"id":"n{number}","body":"{number}"}}"#)).collect();
        let large: Vec<String> = (0..9).map(|number| format!(r#"{{"id":"l{number}","body":"{long}"}}"#)).collect();
        let sizes = |format, body: &str| -> Vec<usize> {
            let parts = read(format, body.as_bytes(), "urn:a", now()).expect("reads");
            parts.map(|part| part.entries.len() + part.refused.len()).collect()
        };
        assert_eq!(sizes(Format::Lines, &lines.join("\n\n")), [250, 250, 200]);
        assert_eq!(sizes(Format::Json, &format!("[{}]", lines.join(","))), [250, 250, 200]);
        assert_eq!(sizes(Format::Lines, &large.join("\n")), [3, 3, 3]);
        let refused = said(Format::Lines, &"7\n".repeat(600)).refused;
        assert!(refused.iter().map(|refused| refused.line).eq(1..=600));
    }

    #[test]
    fn a_body_of_more_entries_than_are_answered_is_refused_before_any_is_taken() {
        let refused =
            |format, body: &str| whole(format, body.as_bytes(), "urn:a", now()).map(|read| read.refused.len());
        let most = MAX_ENTRIES;
        assert_eq!(refused(Format::Lines, &"1\n\n".repeat(most)), Ok(most));
        assert_eq!(refused(Format::Lines, &"1\n".repeat(most + 1)), Err(NoBody::TooMany));
        assert_eq!(refused(Format::Json, &format!("[{}1]", "1,".repeat(most - 1))), Ok(most));
        assert_eq!(refused(Format::Json, &format!("[{}1]", "1,".repeat(most))), Err(NoBody::TooMany));
        assert!(matches!(refused(Format::Json, &format!("[{}1", "1,".repeat(most))), Err(NoBody::NotJson { .. })));
    }

    #[test]
    fn a_content_type_names_its_format_whatever_else_it_says() {
        for (text, format) in [
            ("application/x-ndjson", Some(Format::Lines)),
            ("Application/JSON; charset=UTF-8", Some(Format::Json)),
            ("application/cloudevents+json;charset=\"utf-8\"", Some(Format::Event)),
            ("application/cloudevents-batch+json", Some(Format::Events)),
            ("application/json;charset=utf8", Some(Format::Json)),
            ("application/ndjson", Some(Format::Lines)),
            ("application/json; charset=latin1", None),
            ("text/csv", None),
            ("application/x-www-form-urlencoded", None),
            ("", None),
        ] {
            assert_eq!(Format::of(text), format, "{text}");
        }
    }
}
