//! Reads comments from files, one at a time: a dump of any size takes the memory of one record.
//!
//! | what | how it is known | notes |
//! |---|---|---|
//! | gzip, zstd | first bytes | several members or frames; a zstd window of up to 2 GiB, as Reddit's dumps have, takes that much memory |
//! | UTF-16 | its mark, or zeros beside the first characters | read as UTF-8 is |
//! | JSON Lines | first byte is `{`, or the name ends in `.jsonl` or `.ndjson` | one object a line, [Reddit's field names](Comment), others ignored; a comma may stand behind each |
//! | a list of JSON | it begins with `[` and `{` | objects as above, however they are broken into lines; one list, or several |
//! | Parquet | it begins with `PAR1` | behind the feature `parquet`; flat columns, named as those of CSV; the file is held in memory |
//! | CSV | all else | commas, or what a first line such as `sep=;` or [`ReadOptions`] says; a header with a column `body`; the same names in any case, others ignored |
//!
//! Lines end with `\n`, `\r\n`, or, where the first one does, with `\r` as on old Macs.
//!
//! All formats may hold a verdict, `removed`: true, false, 1, 0, also as floats or as text, or a word (yes, no, removed, kept,
//! approved); null, empty or missing is no verdict. [`ReadOptions`] has other names for `body` and `removed`, and another value for
//! removed.
//! JSON without a `body` is a row whose comment has none; an empty CSV cell is an empty body, and no value in any other column. Of the
//! other fields, none costs a comment its row: what can't be read there is no value, as `NA`, `NaN`, `null` and `None` are where R
//! and pandas write them for a number. A number where text is expected, such as an id, is the text that it is written as: `12.0`
//! is no `12`, and `1e3` no `1000`. JSON that is wrong by half a surrogate pair, as `"\ud83d"` is, is read with U+FFFD in its
//! place.
//!
//! **Labels.** A [`LabelReader`] reads JSON Lines of another kind: texts with several labels, each of which may be unknown.
//! [`RowKinds`] tells the two kinds of file apart.
//!
//! **Twice.** A column that is read and stands twice in a header, in whatever case, and a field that is read and stands twice in an
//! object, are refused: to choose would be to guess. Whatever is not read may stand there as often as it likes, as in the events of
//! a stream.
//!
//! **Encodings.** A CSV cell is UTF-8, or else windows-1252 (ISO-8859-1 with printable characters at 0x80-0x9F). UTF-8 that
//! was once read as windows-1252 (`â€™` for `’`) is put right, in each run of non-ASCII characters on its own; what reads as
//! the end of a word (`café »`) stays. Entities, `<U+1F44F>` and line ends are left as they are.
//!
//! **Errors.** A bad record costs that record: the reader gives a [`RowError`] with its line and reads on. Only a truncated
//! or damaged compressed file and a failing read end the iteration. No row error quotes a comment. In a list, an object that is
//! never closed costs what follows it, too. A file of objects over several lines that are in no list is refused; JSON Lines with
//! a bad first line are read.
//!
//! ```
//! use modstream_corpus::Reader;
//!
//! let file = "id,body,removed\nk1,\"Is the sample\nlarge enough?\",0\nk2,lol,maybe\nk3,Me too,1\n";
//! let mut rows = Reader::from_read("example.csv", file.as_bytes())?;
//!
//! let first = rows.next().expect("three records")?;
//! assert_eq!((first.line, first.removed), (2, Some(false)));
//! assert_eq!(first.comment.body.as_deref(), Some("Is the sample\nlarge enough?"));
//!
//! let bad = rows.next().expect("three records").expect_err("no verdict");
//! assert_eq!(bad.line, 4);
//! assert!(bad.to_string().starts_with("`removed` is not true, false, 1 or 0"));
//!
//! assert_eq!(rows.next().expect("three records")?.removed, Some(true));
//! assert!(rows.next().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod document;
mod encoding;
mod error;
mod input;
mod jsonl;
mod label_rows;
mod list;
mod open;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod placeholder_counts;
mod reader;
mod removed;
mod row;

pub use error::{Compression, OpenError, RowError, RowErrorKind};
pub use jsonl::row_of_line;
pub use label_rows::{LabelReader, LabelRow, RowKinds, open_file};
pub use modstream_events::Comment;
pub use normal_form::Placeholders;
pub use options::{Labels, ReadOptions};
pub use placeholder_counts::PlaceholderCounts;
pub use reader::Reader;
pub use row::Row;

/// The longest record read, in bytes: a line of JSON, or the cells of a CSV record. A longer one is a [`RowError`].
pub const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;
