//! CSV with a header.

mod header;
mod record;

use modstream_events::Comment;
use serde::Deserialize as _;
use serde::de::value::{Error, MapDeserializer};

use self::header::{Columns, SeparatorLine};
use self::record::{End, Record, skip_blank_lines};
use crate::options::BODY;
use crate::{Labels, OpenError, ReadOptions, Row, RowError, RowErrorKind, encoding, input::Input};

/// The most columns a header may have.
const MAX_COLUMNS: usize = 4096;

pub(crate) struct Csv {
    names: Vec<String>,
    record: Record,
    columns: Columns,
    text_column: String,
    labels: Option<Labels>,
}

impl Csv {
    /// Reads the header. `head` are the bytes that come next, the first line among them.
    pub(crate) fn new(name: &str, input: &mut Input, head: &[u8], options: ReadOptions) -> Result<Self, OpenError> {
        let failed = |kind| OpenError::of_first_row(name, kind, &options.text_column);
        let mut delimiter = options.delimiter.unwrap_or(b',');
        if let Some(SeparatorLine { separator, named, length }) = SeparatorLine::find(head) {
            let Some(separator) = options.delimiter.or(separator) else {
                return Err(OpenError::SeparatorLine { name: name.to_owned(), named });
            };
            delimiter = separator;
            input.chunk().map_err(failed)?;
            input.consume(length);
        }
        skip_blank_lines(input).map_err(failed)?;
        let line = input.line();
        let mut header = Record::new(delimiter, MAX_COLUMNS);
        match header.read(input) {
            // So begins a header of quoted names that is separated by something else.
            Ok(_) | Err(RowErrorKind::StrayQuote) => {}
            Err(kind) => return Err(failed(kind)),
        }
        let names: Vec<String> = (0..header.found())
            .map_while(|at| header.cell(at))
            .map(|cell| encoding::decode(cell).trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}').to_owned())
            .collect();
        let columns = Columns::find((name, line), header.found(), &names, delimiter, &options)?;
        let ReadOptions { text_column, labels, .. } = options;
        Ok(Self { names, record: Record::new(delimiter, columns.found), columns, text_column, labels })
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
            Some(end) => self.row(&end, line).map(Some),
        });
        row.map_err(|kind| RowError { line, kind }).transpose()
    }

    fn row(&self, end: &End, line: u64) -> Result<Row, RowErrorKind> {
        let Self { record, columns, text_column, labels, .. } = self;
        let (expected, found) = (columns.found, record.found());
        if found < expected && matches!(end, End::File) {
            return Err(RowErrorKind::CutOff);
        }
        if found != expected {
            return Err(RowErrorKind::FieldCount { expected, found });
        }
        let text = |at: usize| encoding::decode(record.cell(at).unwrap_or_default());
        let cells = columns.fields.iter().map(|(field, at)| (*field, text(*at)));
        // An empty cell is an empty body, and no value in any other column.
        let values = cells.filter(|(field, text)| *field == BODY || !text.is_empty());
        // As from JSON, so that both read alike. Every value is a text, and a comment takes any.
        let comment = Comment::deserialize(MapDeserializer::<_, Error>::new(values))
            .map_err(|_| RowErrorKind::NotText { field: text_column.clone() })?;
        let label = labels.as_ref().zip(columns.label).map(|(labels, at)| labels.verdict(&text(at)));
        Ok(Row { line, comment, removed: label.transpose()?.flatten() })
    }
}
