//! The first lines of a CSV: which column is which, or what the file is instead.

use std::collections::HashMap;

use modstream_events::Comment;

use crate::options::BODY;
use crate::{OpenError, ReadOptions};

/// The most columns that an error names.
const SHOWN_COLUMNS: usize = 12;
/// The longest name of a column.
const MAX_NAME_CHARS: usize = 32;

/// Separators that people use, with their names and what `--delimiter` calls them.
const DELIMITERS: [(u8, &str, &str); 4] =
    [(b'\t', "tabs", "tab"), (b';', "semicolons", "';'"), (b'|', "pipes", "'|'"), (b',', "commas", "','")];

/// The columns that are read.
pub(crate) struct Columns {
    /// How many the header has.
    pub(crate) found: usize,
    /// The names of a comment's fields, and where each stands.
    pub(crate) fields: Vec<(&'static str, usize)>,
    /// Where the verdicts stand.
    pub(crate) label: Option<usize>,
}

/// A first line such as `sep=;`, with which Excel is told how to open a CSV.
pub(crate) struct SeparatorLine {
    /// What it names, if that is one separator.
    pub(crate) separator: Option<u8>,
    /// What stands behind `sep=`.
    pub(crate) named: String,
    /// How many bytes it has, its end included.
    pub(crate) length: usize,
}

impl SeparatorLine {
    /// The first line, if it is such a one.
    ///
    /// A spreadsheet that took it for a row writes it with as many separators as the table is wide, `sep=,,,` or `"sep=,",,`.
    pub(crate) fn find(head: &[u8]) -> Option<Self> {
        let end = memchr::memchr2(b'\n', b'\r', head).unwrap_or(head.len());
        let line = head[..end].trim_ascii_end();
        // The tab is blank, too.
        let line = &head[..line.len() + head[line.len()..end].iter().take_while(|byte| **byte == b'\t').count()];
        let (cell, padding) = match line.strip_prefix(b"\"") {
            Some(quoted) => quoted.split_at(memchr::memchr(b'"', quoted)?),
            None => (line, [].as_slice()),
        };
        let (name, named) = cell.split_at_checked(4)?;
        if !name.eq_ignore_ascii_case(b"sep=") {
            return None;
        }
        let padding = padding.strip_prefix(b"\"").unwrap_or(padding);
        let (word, rest) = if named.starts_with(b"\\t") { named.split_at(2) } else { named.split_at(0) };
        let tab: &[u8] = if word.is_empty() { b"" } else { b"\t" };
        let mut all = [tab, rest, padding].concat();
        all.dedup();
        let separator = match all[..] {
            [one] if DELIMITERS.iter().any(|(known, ..)| *known == one) => Some(one),
            _ => None,
        };
        let named = String::from_utf8_lossy(&[named, padding].concat()).chars().take(MAX_NAME_CHARS).collect();
        Some(SeparatorLine { separator, named, length: head.len().min(end + 1) })
    }
}

impl Columns {
    /// Finds the columns in a header, which stands in this file and line.
    pub(crate) fn find(
        (file, line): (&str, u64),
        found: usize,
        names: &[String],
        delimiter: u8,
        options: &ReadOptions,
    ) -> Result<Self, OpenError> {
        let at = |wanted: &str| names.iter().position(|name| is_same(name, wanted));
        let (text, label) = (options.text_column.trim(), options.label_column().trim());
        let Some(body) = at(text) else { return Err(no_body(file, names, delimiter, options)) };
        let others = Comment::FIELDS.into_iter().filter(|field| *field != BODY);
        let is_read = |name: &str| {
            is_same(name, text) || is_same(name, label) || others.clone().any(|field| is_same(name, field))
        };
        if let Some(columns) = repeated(names, is_read) {
            return Err(OpenError::RepeatedColumn { name: file.to_owned(), line, columns });
        }
        let label = at(label);
        let others = others.filter_map(|field| Some((field, at(field)?)));
        let fields =
            [(BODY, body)].into_iter().chain(others.filter(|(_, at)| *at != body && Some(*at) != label)).collect();
        Ok(Columns { found, fields, label })
    }
}

/// Whether two names are one, in whatever case.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

/// The first two columns of one name, of those that are read, with their numbers.
fn repeated(names: &[String], is_read: impl Fn(&str) -> bool) -> Option<[(usize, String); 2]> {
    let column = |at: usize| (at + 1, names[at].chars().take(MAX_NAME_CHARS).collect());
    let mut seen = HashMap::new();
    for (at, name) in names.iter().enumerate().filter(|(_, name)| is_read(name)) {
        if let Some(first) = seen.insert(name.to_lowercase(), at) {
            return Some([column(first), column(at)]);
        }
    }
    None
}

/// What a file is whose first line has not the column that is wanted.
fn no_body(file: &str, names: &[String], used: u8, options: &ReadOptions) -> OpenError {
    let (name, wanted) = (file.to_owned(), options.text_column.clone());
    let line = names.join(char::from(used).encode_utf8(&mut [0; 4]));
    let others = DELIMITERS.into_iter().filter(|(delimiter, ..)| *delimiter != used);
    for (delimiter, found, option) in others {
        if is_header(&line, char::from(delimiter), &wanted) {
            return OpenError::Delimiter { name, found, option };
        }
    }
    let mut cells = names.iter().filter(|name| !name.is_empty()).peekable();
    if cells.peek().is_none() || cells.any(|cell| !could_be_name(cell) && !is_plain_name(cell)) {
        return OpenError::NoHeader { name, wanted };
    }
    OpenError::NoBody { name, wanted, columns: shown(names) }
}

/// Whether a line is a header if this separates its cells: the wanted column is among them, or all of them are names.
fn is_header(line: &str, delimiter: char, wanted: &str) -> bool {
    let cells: Vec<&str> = line.split(delimiter).map(|cell| cell.trim().trim_matches('"').trim()).collect();
    let is_known = |cell: &&str| is_name(cell) || is_plain_name(cell);
    cells.len() > 1
        && (cells.iter().any(|cell| is_same(cell, wanted))
            || cells.iter().all(is_known)
            // A sentence has semicolons, too, and seldom two of them between single words.
            || cells.len() > 2 && cells.iter().all(|cell| is_label(cell)) && cells.iter().any(is_known))
}

/// Whether a cell could be a column's name: no number and no sentence.
fn could_be_name(cell: &str) -> bool {
    cell.chars().count() <= MAX_NAME_CHARS
        && cell.chars().any(char::is_alphabetic)
        && !cell.contains([',', '!', '?'])
        && !cell.ends_with('.')
        && cell.split_whitespace().count() <= 2
}

/// Words that names of columns are made of. A cell of these alone tells nothing of a comment.
const NAME_WORDS: [&str; 48] = [
    "at",
    "author",
    "body",
    "by",
    "category",
    "class",
    "comment",
    "comments",
    "community",
    "content",
    "created",
    "date",
    "deleted",
    "edited",
    "flag",
    "full",
    "has",
    "id",
    "is",
    "label",
    "language",
    "link",
    "message",
    "moderator",
    "name",
    "number",
    "of",
    "parent",
    "permalink",
    "post",
    "reason",
    "removed",
    "reply",
    "score",
    "status",
    "subreddit",
    "text",
    "the",
    "this",
    "thread",
    "time",
    "title",
    "toxic",
    "type",
    "url",
    "user",
    "verdict",
    "was",
];

/// Whether a cell is the name of a column in several words, such as `Comment Text` and `Is this removed?`.
fn is_plain_name(cell: &str) -> bool {
    let mut words =
        cell.strip_suffix('?').unwrap_or(cell).split([' ', '_', '-']).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some()
        && cell.chars().count() <= MAX_NAME_CHARS
        && words.all(|word| NAME_WORDS.contains(&word.to_lowercase().as_str()))
}

/// Whether a cell may be the name of a column in up to three words: letters and digits alone.
fn is_label(cell: &str) -> bool {
    let words: Vec<&str> = cell.split(' ').collect();
    cell.chars().count() <= MAX_NAME_CHARS && words.len() <= 3 && words.iter().all(|word| is_name(word))
}

/// Whether a cell looks like a column's name alone.
fn is_name(cell: &str) -> bool {
    !cell.is_empty()
        && cell.chars().count() <= MAX_NAME_CHARS
        && cell.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char))
}

fn is_shown(name: &str) -> bool {
    is_name(name) || is_plain_name(name)
}

/// The columns' names, for an error. Without a header the first comment stands in its place, and no comment may get
/// into a log.
fn shown(names: &[String]) -> String {
    let mut shown: Vec<&str> =
        names.iter().take(SHOWN_COLUMNS).map(|name| if is_shown(name) { name.as_str() } else { "(no name)" }).collect();
    if names.len() > SHOWN_COLUMNS {
        shown.push("...");
    }
    shown.join(", ")
}
