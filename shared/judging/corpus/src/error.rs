use std::{fmt, io};

/// Why a file can't be read as comments. Every message names the file and says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No such file.
    #[error("{name}: there is no such file; check the path")]
    NotFound {
        /// The path as given.
        name: String,
    },
    /// A folder was named.
    #[error("{name}: this is a folder; name one file in it")]
    Folder {
        /// The path as given.
        name: String,
    },
    /// The system refuses to read it.
    #[error("{name}: cannot be read ({error}); check its permissions and the disk")]
    Unreadable {
        /// The path or name as given.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// Nothing in it, or only blank lines.
    #[error("{name}: the file is empty; it needs a CSV header with a column `body`, or one JSON object a line")]
    Empty {
        /// The path or name as given.
        name: String,
    },
    /// Compressed, and broken before the first record.
    #[error("{name}: the {compression} data is damaged or truncated at its start; fetch the file again")]
    Damaged {
        /// The path or name as given.
        name: String,
        /// As its first bytes say.
        compression: Compression,
    },
    /// JSON, but not one object a line.
    #[error("{name}: this is one JSON document; write one object a line (`jq -c '.[]'` makes that of an array)")]
    JsonDocument {
        /// The path or name as given.
        name: String,
    },
    /// Neither CSV nor JSON Lines.
    #[error("{name}: this is {found}, neither CSV nor JSON Lines; {next}")]
    OtherFormat {
        /// The path or name as given.
        name: String,
        /// What it seems to be.
        found: &'static str,
        /// What makes it readable.
        next: &'static str,
    },
    /// CSV that is separated by something else.
    #[error("{name}: the header is separated by {found}; commas are needed, so export it as comma-separated CSV")]
    Delimiter {
        /// The path or name as given.
        name: String,
        /// `tabs` or `semicolons`.
        found: &'static str,
    },
    /// CSV without comments.
    #[error(
        "{name}: the CSV header has no column `body`; columns found: {columns}; name the one that holds the comments `body`"
    )]
    NoBody {
        /// The path or name as given.
        name: String,
        /// What the header holds, shortened. Only what looks like a column's name: without a header, these are cells.
        columns: String,
    },
}

impl OpenError {
    /// What ends a row while reading keeps a file from being opened while looking at its first line.
    pub(crate) fn of_first_row(name: &str, kind: RowErrorKind) -> Self {
        let name = name.to_owned();
        match kind {
            RowErrorKind::Io(error) => OpenError::Unreadable { name, error },
            RowErrorKind::Truncated(compression) | RowErrorKind::Damaged(compression) => {
                OpenError::Damaged { name, compression }
            }
            _ => OpenError::headless(&name),
        }
    }

    pub(crate) fn headless(name: &str) -> Self {
        OpenError::OtherFormat {
            name: name.to_owned(),
            found: "text without a CSV header",
            next: "its first line must name the columns, `body` among them",
        }
    }
}

/// One record that can't be read, or, where [fatal](RowError::is_fatal), the end of what can be read.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct RowError {
    /// The record's first line, from 1.
    pub line: u64,
    /// What is wrong.
    pub kind: RowErrorKind,
}

impl RowError {
    /// Whether nothing comes after this.
    pub fn is_fatal(&self) -> bool {
        matches!(self.kind, RowErrorKind::Truncated(_) | RowErrorKind::Damaged(_) | RowErrorKind::Io(_))
    }
}

/// What is wrong with a record. No message quotes from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowErrorKind {
    /// JSON Lines in another encoding.
    #[error("the line is not UTF-8; convert the file to UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("the line is not valid JSON; each line must hold one whole object")]
    NotJson,
    /// JSON, but a list, a text or a number.
    #[error("the line is JSON but not an object; each line must hold one whole object")]
    NotAnObject,
    /// The file's last record stops in the middle.
    #[error("the file ends inside this record and may be truncated; fetch it again, or drop the record")]
    CutOff,
    /// A field is there twice.
    #[error("a field is there twice; keep one of them")]
    DuplicateField,
    /// A value of the wrong type.
    #[error("`{field}` is not {wanted}; correct that value")]
    WrongType {
        /// Reddit's name of the field.
        field: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// A CSV record that doesn't fit the header.
    #[error("the record has {found} fields, the header {expected}; put cells that hold commas or line ends in quotes")]
    FieldCount {
        /// The header's fields.
        expected: usize,
        /// The record's fields.
        found: usize,
    },
    /// A quoted cell goes on after its closing quote.
    #[error("text follows a closing quote; write a quote inside a cell twice (\"\")")]
    StrayQuote,
    /// A quoted cell without an end.
    #[error(
        "a quote is opened and never closed: the file may be truncated, or a quote inside a cell is not written twice"
    )]
    OpenQuote,
    /// Over [`MAX_ROW_BYTES`](crate::MAX_ROW_BYTES).
    #[error("the record is longer than 16 MiB; split it or drop it")]
    TooLong,
    /// Fatal: compressed data that ends too early.
    #[error("the {0} data ends too early: the file is truncated; fetch it again (what came before this line was read)")]
    Truncated(Compression),
    /// Fatal: compressed data that can't be unpacked.
    #[error("the {0} data is damaged; fetch the file again (what came before this line was read)")]
    Damaged(Compression),
    /// Fatal: a read failed.
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
