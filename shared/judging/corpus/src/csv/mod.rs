//! CSV with a header.

mod record;

use modstream_events::Comment;

use self::record::{End, Record, skip_blank_lines};
use crate::{OpenError, Row, RowError, RowErrorKind, encoding, input::Input, removed};

/// The most columns a header may have.
const MAX_COLUMNS: usize = 4096;
/// The most columns that an error names.
const SHOWN_COLUMNS: usize = 12;
/// The longest name of a column that an error shows.
const SHOWN_NAME_CHARS: usize = 32;

/// What R and pandas write where there is no value. It counts only in columns that hold no text: someone may be called
/// None.
const MISSING: [&str; 5] = ["NA", "NaN", "nan", "null", "None"];

pub(crate) struct Csv {
    names: Vec<String>,
    record: Record,
    columns: Columns,
}

/// The column in which each of Reddit's fields stands.
struct Columns {
    found: usize,
    body: usize,
    id: Option<usize>,
    parent_id: Option<usize>,
    link_id: Option<usize>,
    subreddit: Option<usize>,
    author: Option<usize>,
    created_utc: Option<usize>,
    score: Option<usize>,
    permalink: Option<usize>,
    removed: Option<usize>,
}

impl Csv {
    /// Reads the header.
    pub(crate) fn new(name: &str, input: &mut Input) -> Result<Self, OpenError> {
        let mut header = Record::new(MAX_COLUMNS);
        match header.read(input) {
            // So begins a header of quoted names that is separated by something else.
            Ok(_) | Err(RowErrorKind::StrayQuote) => {}
            Err(kind) => return Err(OpenError::of_first_row(name, kind)),
        }
        let names: Vec<String> = (0..header.found())
            .map_while(|at| header.cell(at))
            .map(|cell| encoding::decode(cell).trim().to_owned())
            .collect();
        let columns = Columns::find(name, header.found(), &names)?;
        Ok(Self { names, record: Record::new(columns.found), columns })
    }

    /// The header's cells.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn next(&mut self, input: &mut Input) -> Option<Result<Row, RowError>> {
        let blank = skip_blank_lines(input);
        let line = input.line();
        let row = blank.and_then(|()| self.record.read(input)).and_then(|end| match end {
            None => Ok(None),
            Some(end) => self.columns.row(&self.record, &end, line).map(Some),
        });
        row.map_err(|kind| RowError { line, kind }).transpose()
    }
}

impl Columns {
    fn find(file: &str, found: usize, names: &[String]) -> Result<Self, OpenError> {
        let at = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let Some(body) = at("body") else {
            let name = file.to_owned();
            return Err(
                match names.iter().find_map(|column| column.contains(['\t', ';']).then_some(column.contains('\t'))) {
                    Some(tabs) => OpenError::Delimiter { name, found: if tabs { "tabs" } else { "semicolons" } },
                    None => OpenError::NoBody { name, columns: shown(names) },
                },
            );
        };
        Ok(Self {
            found,
            body,
            id: at("id"),
            parent_id: at("parent_id"),
            link_id: at("link_id"),
            subreddit: at("subreddit"),
            author: at("author"),
            created_utc: at("created_utc"),
            score: at("score"),
            permalink: at("permalink"),
            removed: at("removed"),
        })
    }

    fn row(&self, record: &Record, end: &End, line: u64) -> Result<Row, RowErrorKind> {
        let (expected, found) = (self.found, record.found());
        if found < expected && matches!(end, End::File) {
            return Err(RowErrorKind::CutOff);
        }
        if found != expected {
            return Err(RowErrorKind::FieldCount { expected, found });
        }
        let text =
            |at: Option<usize>| at.and_then(|at| record.cell(at)).filter(|cell| !cell.is_empty()).map(encoding::decode);
        let value = |at: Option<usize>| {
            let cell = text(at).map(|cell| cell.trim().to_owned());
            cell.filter(|cell| !cell.is_empty() && !MISSING.contains(&cell.as_str()))
        };
        let number = |at: Option<usize>, field, wanted| {
            value(at).map(|cell| whole(&cell).ok_or(RowErrorKind::WrongType { field, wanted })).transpose()
        };
        let comment = Comment {
            id: text(self.id).map(Into::into),
            parent_id: text(self.parent_id).map(Into::into),
            link_id: text(self.link_id).map(Into::into),
            subreddit: text(self.subreddit).map(Into::into),
            author: text(self.author).map(Into::into),
            body: Some(text(Some(self.body)).unwrap_or_default().into()),
            created_utc: number(self.created_utc, "created_utc", "a number of seconds since 1970")?,
            score: number(self.score, "score", "a number of votes")?,
            permalink: text(self.permalink).map(Into::into),
        };
        let removed = removed::from_text(&value(self.removed).unwrap_or_default())
            .map_err(|removed::Unknown| RowErrorKind::WrongType { field: "removed", wanted: removed::WANTED })?;
        Ok(Row { line, comment, removed })
    }
}

/// A whole number of a cell, rounded down, as in JSON. A column with gaps comes out of data frames as `1514764800.0`.
fn whole(text: &str) -> Option<i64> {
    // Beyond 2^53 a float no longer counts by ones.
    let float = || text.parse().ok().filter(|number: &f64| number.abs() < 9.0e15);
    text.parse().ok().or_else(|| float().map(|number| number.floor() as i64))
}

/// The columns' names, for an error. Without a header the first comment stands in its place, and no comment may get
/// into a log.
fn shown(names: &[String]) -> String {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().count() <= SHOWN_NAME_CHARS
            && name.chars().all(|char| char.is_alphanumeric() || "_-.".contains(char))
    };
    let mut shown: Vec<&str> =
        names.iter().take(SHOWN_COLUMNS).map(|name| if is_name(name) { name.as_str() } else { "(no name)" }).collect();
    if names.len() > SHOWN_COLUMNS {
        shown.push("...");
    }
    shown.join(", ")
}
