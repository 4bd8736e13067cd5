use std::{fmt, io};

use plain_text::{LooksLike, counted};

/// Why a file can't be read as comments. Every message names the file and says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file.
    #[error("{name}: there is no such file; check the path")]
    NotFound {
        /// The path, as given.
        name: String,
    },
    /// The path names a folder.
    #[error("{name}: this is a folder; name one file in it")]
    Folder {
        /// The path, as given.
        name: String,
    },
    /// The system refuses to read the file.
    #[error("{name}: cannot be read ({error}); check its permissions and the disk")]
    Unreadable {
        /// The path or name, as given.
        name: String,
        /// The error that the system gave.
        error: io::Error,
    },
    /// The file holds nothing, or only blank lines.
    #[error("{name}: the file is empty; it needs a CSV header with a column `{wanted}`, or one JSON object a line")]
    Empty {
        /// The path or name, as given.
        name: String,
        /// The column that was looked for.
        wanted: String,
    },
    /// The file is compressed, and damaged before its first record.
    #[error("{name}: the {compression} data is damaged or truncated at its start; fetch the file again")]
    Damaged {
        /// The path or name, as given.
        name: String,
        /// The compression that the first bytes name.
        compression: Compression,
    },
    /// The file is JSON whose objects have several lines each, or that has the comments within an object.
    #[error(
        "{name}: this is JSON with objects of several lines; write one object a line: `jq -c . FILE` makes that, or \
         `jq -c '.NAME[]' FILE` where the comments are a list of that name within an object"
    )]
    JsonObject {
        /// The path or name, as given.
        name: String,
    },
    /// The file is a list of JSON, but not of objects.
    #[error(
        "{name}: this is a JSON list, but not of objects; write one object a line with a field `{wanted}`: \
         `jq -c '.[] | {{\"{wanted}\": .}}' FILE` makes that of a list of texts"
    )]
    JsonList {
        /// The path or name, as given.
        name: String,
        /// The field that was looked for.
        wanted: String,
    },
    /// The file is text that names no columns.
    #[error(
        "{name}: this is text without a CSV header, neither CSV nor JSON Lines; its first line must name the columns, `{wanted}` \
         among them"
    )]
    Headless {
        /// The path or name, as given.
        name: String,
        /// The column that was looked for.
        wanted: String,
    },
    /// The first line names a separator, but not one that can be read.
    #[error(
        "{name}: the first line `sep={named}` does not name one separator that can be read; say it with `--delimiter`, one of \
         `','` `';'` `'|'` and `tab`, or export the file with commas"
    )]
    SeparatorLine {
        /// The path or name, as given.
        name: String,
        /// What the line names.
        named: String,
    },
    /// The file is neither CSV nor JSON Lines.
    #[error("{name}: this is {found}, neither CSV nor JSON Lines; {next}")]
    OtherFormat {
        /// The path or name, as given.
        name: String,
        /// What the file seems to be.
        found: &'static str,
        /// What makes the file readable.
        next: &'static str,
    },
    /// The file is CSV that is separated by something else.
    #[error("{name}: the header is separated by {found}: `--delimiter {option}` reads it, or export it with commas")]
    Delimiter {
        /// The path or name, as given.
        name: String,
        /// The separators found, such as `tabs`.
        found: &'static str,
        /// What the option is called with.
        option: &'static str,
    },
    /// The file is CSV without a column of comments.
    #[error(
        "{name}: the CSV header has no column `{wanted}`; columns found: {columns}; say which one holds the comments: \
         `--text-column NAME`, or name it `{wanted}`"
    )]
    NoBody {
        /// The path or name, as given.
        name: String,
        /// The column that was looked for.
        wanted: String,
        /// The names that the header holds, shortened. Only what looks like a column's name is shown: without a header,
        /// these are cells.
        columns: String,
    },
    /// The file is CSV whose first line names no columns.
    #[error(
        "{name}: the CSV has no header: its first line has no column `{wanted}` and looks like a comment; put a line with the \
         columns' names above it, such as `id,{wanted}`, where `--text-column NAME` takes another name"
    )]
    NoHeader {
        /// The path or name, as given.
        name: String,
        /// The column that was looked for.
        wanted: String,
    },
    /// The file is Parquet with columns that hold more than a value a row.
    #[error(
        "{name}: {count} of the {of} columns of this Parquet file are nested ({columns}), and only flat ones are read; write the flat \
         ones ({flat}) alone, with pandas: `read_parquet('FILE', columns=[...]).to_parquet('comments.parquet')`"
    )]
    ParquetNested {
        /// The path or name, as given.
        name: String,
        /// How many columns are nested.
        count: usize,
        /// How many columns there are.
        of: usize,
        /// The names of nested columns, shortened.
        columns: String,
        /// The names of the other columns, shortened.
        flat: String,
    },
    /// The file is Parquet without a column of comments.
    #[error(
        "{name}: the Parquet file has no column `{wanted}`; columns found: {columns}; say which one holds the comments: \
         `--text-column NAME`"
    )]
    ParquetWithoutText {
        /// The path or name, as given.
        name: String,
        /// The column that was looked for.
        wanted: String,
        /// The names of the columns, shortened.
        columns: String,
    },
    /// The file is Parquet with two columns of one name, in whatever case.
    #[error("{name}: the Parquet file has a column twice: `{}` and `{}`; rename or drop one", columns[0], columns[1])]
    ParquetRepeated {
        /// The path or name, as given.
        name: String,
        /// Both names.
        columns: [String; 2],
    },
    /// The file is Parquet that is compressed in a way that is not read.
    #[error(
        "{name}: this Parquet file is compressed with {codec}, which is not read here; write it again with snappy, zstd or gzip"
    )]
    ParquetCompression {
        /// The path or name, as given.
        name: String,
        /// What it is compressed with.
        codec: String,
    },
    /// The file is Parquet that can't be read.
    #[error("{name}: the Parquet file is damaged or truncated ({error}); fetch it again")]
    ParquetDamaged {
        /// The path or name, as given.
        name: String,
        /// What the reader says.
        error: String,
    },
    /// The file is CSV with two columns of one name, in whatever case.
    #[error(
        "{name}, line {line}: the CSV header has a column twice: column {} is `{}` and column {} is `{}`; rename or drop one",
        columns[0].0, columns[0].1, columns[1].0, columns[1].1
    )]
    RepeatedColumn {
        /// The path or name, as given.
        name: String,
        /// The header's line.
        line: u64,
        /// The number of each, from 1, and its name.
        columns: [(usize, String); 2],
    },
}

impl OpenError {
    /// The error of a file whose first line can't be read, from what would end a row while reading.
    pub(crate) fn of_first_row(name: &str, kind: RowErrorKind, wanted: &str) -> Self {
        let name = name.to_owned();
        match kind {
            RowErrorKind::Io(error) => OpenError::Unreadable { name, error },
            RowErrorKind::Truncated(compression) | RowErrorKind::Damaged(compression) => {
                OpenError::Damaged { name, compression }
            }
            _ => OpenError::Headless { name, wanted: wanted.to_owned() },
        }
    }
}

/// One record that can't be read, or, where [fatal](RowError::is_fatal), the end of what can be read.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct RowError {
    /// The record's first line, counted from 1.
    pub line: u64,
    /// What is wrong with the record.
    pub kind: RowErrorKind,
}

impl RowError {
    /// Whether no record comes after this error.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            RowErrorKind::Truncated(_) | RowErrorKind::Damaged(_) | RowErrorKind::ParquetDamaged | RowErrorKind::Io(_)
        )
    }
}

/// What is wrong with a record. No message quotes the record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowErrorKind {
    /// A line of JSON Lines is in another encoding.
    #[error("the line is not UTF-8: {0}")]
    NotUtf8(LooksLike),
    /// A line is not JSON.
    #[error("the line is not valid JSON; each line must hold one whole object")]
    NotJson,
    /// A line is JSON, but a list, a text or a number.
    #[error("the line is JSON but not an object; each line must hold one whole object")]
    NotAnObject,
    /// An element of a list is not JSON.
    #[error("this element of the list is not valid JSON; correct it, or drop it")]
    ElementNotJson,
    /// An element of a list is JSON, but a list, a text or a number.
    #[error("this element of the list is not an object; drop it, or make it one")]
    ElementNotAnObject,
    /// A list of objects stops without its bracket.
    #[error("the list is never closed: the file may be truncated; fetch it again (what came before was read)")]
    OpenList,
    /// The file's last record stops in the middle.
    #[error("the file ends inside this record and may be truncated; fetch it again, or drop the record")]
    CutOff,
    /// A field stands in the object twice.
    #[error("`{field}` stands there twice, {places}; keep one of them")]
    RepeatedField {
        /// The field's name.
        field: String,
        /// Where both stand, in words.
        places: String,
    },
    /// The comment has no text, and not even an empty one.
    #[error("the comment has no `{field}`, or `{field}` is null; an empty text would be fine")]
    NoText {
        /// The field's name.
        field: String,
    },
    /// The comment's text is a number, a boolean, a list or an object.
    #[error("`{field}` is not text; correct that value")]
    NotText {
        /// The field's name.
        field: String,
    },
    /// A verdict is none that everybody understands.
    #[error(
        "`{field}` is not true, false, 1 or 0, nor a word such as yes or kept; correct that value, or say \
         `--removed-value VALUE`, which means removed"
    )]
    UnknownVerdict {
        /// The field's name.
        field: String,
    },
    /// A row in a file of texts with labels has none.
    #[error(
        "the row has no `labels`; name those that are known, such as {{\"toxic\":1,\"threat\":0}}, or drop the row"
    )]
    NoLabels,
    /// The labels of a text are a list or a word.
    #[error("`labels` is not an object with a number a label, such as {{\"toxic\":1,\"threat\":0}}")]
    NotALabelMap,
    /// What a row says of a label is neither yes, nor no, nor nothing.
    #[error("the label `{label}` is not 0, 1 or null; correct that value, or make it null where nobody knows")]
    UnknownLabelValue {
        /// The label.
        label: String,
    },
    /// A CSV record has another number of fields than the header.
    #[error(
        "the record has {}, the header {expected}; put cells that hold commas or line ends in quotes",
        counted(*found, "field")
    )]
    FieldCount {
        /// The number of the header's fields.
        expected: usize,
        /// The number of the record's fields.
        found: usize,
    },
    /// A quoted cell goes on after its closing quote.
    #[error("text follows a closing quote; write a quote inside a cell twice (\"\")")]
    StrayQuote,
    /// A quoted cell has no end.
    #[error(
        "a quote is opened and never closed: the file may be truncated, or a quote inside a cell is not written twice"
    )]
    OpenQuote,
    /// The record is longer than [`MAX_ROW_BYTES`](crate::MAX_ROW_BYTES).
    #[error("the record is longer than 16 MiB; split it or drop it")]
    TooLong,
    /// The compressed data ends too early, which is fatal.
    #[error("the {0} data ends too early: the file is truncated; fetch it again (what came before this line was read)")]
    Truncated(Compression),
    /// The compressed data can't be unpacked, which is fatal.
    #[error("the {0} data is damaged; fetch the file again (what came before this line was read)")]
    Damaged(Compression),
    /// A Parquet file can't be read on from here, which is fatal.
    #[error("the Parquet file is damaged from this row on; fetch it again (the rows before it were read)")]
    ParquetDamaged,
    /// A read failed, which is fatal.
    #[error("reading failed ({0}); check the disk or the connection and start again")]
    Io(io::Error),
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952).
    Gzip,
    /// Zstandard, [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}
