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

/// The separator that a first line such as `sep=;` names, and that line's length: so Excel is told how to open a CSV.
pub(crate) fn separator_line(head: &[u8]) -> Option<(u8, usize)> {
    let end = memchr::memchr(b'\n', head)?;
    let line = head[..end].strip_suffix(b"\r").unwrap_or(&head[..end]);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (name, separator) = line.split_at_checked(4)?;
    let [separator] = separator else { return None };
    let is_known = DELIMITERS.iter().any(|(known, ..)| known == separator);
    (name.eq_ignore_ascii_case(b"sep=") && is_known).then_some((*separator, end + 1))
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
        let wanted = options.text_column.trim();
        let Some(body) = at(wanted) else { return Err(no_body(file, names, delimiter, options)) };
        if let Some(columns) = repeated(names) {
            return Err(OpenError::RepeatedColumn { name: file.to_owned(), line, columns });
        }
        let label = at(options.label_column().trim());
        let others = Comment::FIELDS.into_iter().filter(|field| *field != BODY);
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

/// The first two columns of one name, with their numbers. Columns without a name are nobody's.
fn repeated(names: &[String]) -> Option<[(usize, String); 2]> {
    let column = |at: usize| (at + 1, names[at].chars().take(MAX_NAME_CHARS).collect());
    let mut seen = HashMap::new();
    let named = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
    for (at, name) in named {
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
    if cells.peek().is_none() || cells.any(|cell| !could_be_name(cell)) {
        return OpenError::NoHeader { name, wanted };
    }
    OpenError::NoBody { name, wanted, columns: shown(names) }
}

/// Whether a line is a header if this separates its cells: the wanted column is among them, or all of them are names.
fn is_header(line: &str, delimiter: char, wanted: &str) -> bool {
    let cells: Vec<&str> = line.split(delimiter).map(|cell| cell.trim().trim_matches('"').trim()).collect();
    cells.len() > 1 && (cells.iter().any(|cell| is_same(cell, wanted)) || cells.iter().all(|cell| is_name(cell)))
}

/// Whether a cell could be a column's name: no number and no sentence.
fn could_be_name(cell: &str) -> bool {
    cell.chars().count() <= MAX_NAME_CHARS
        && cell.chars().any(char::is_alphabetic)
        && !cell.contains([',', '!', '?'])
        && !cell.ends_with('.')
        && cell.split_whitespace().count() <= 2
}

/// Whether a cell looks like a column's name alone.
fn is_name(cell: &str) -> bool {
    !cell.is_empty()
        && cell.chars().count() <= MAX_NAME_CHARS
        && cell.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char))
}

/// The columns' names, for an error. Without a header the first comment stands in its place, and no comment may get
/// into a log.
fn shown(names: &[String]) -> String {
    let mut shown: Vec<&str> =
        names.iter().take(SHOWN_COLUMNS).map(|name| if is_name(name) { name.as_str() } else { "(no name)" }).collect();
    if names.len() > SHOWN_COLUMNS {
        shown.push("...");
    }
    shown.join(", ")
}
