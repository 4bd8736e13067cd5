//! Reads comments from files, one at a time: a dump of any size takes the memory of one record.
//!
//! | what | how it is known | notes |
//! |---|---|---|
//! | gzip, zstd | first bytes | several members or frames; a zstd window of up to 2 GiB, as Reddit's dumps have, takes that much memory |
//! | JSON Lines | first byte is `{` or `[`, or the name ends in `.jsonl` or `.ndjson` | UTF-8, one object a line, [Reddit's field names](Comment), others ignored |
//! | CSV | all else | commas, a header with a column `body`; the same names in any case, others ignored |
//!
//! Both formats may hold a verdict, `removed`: true, false, 1, 0, or these as text; null, empty or missing is no verdict.
//! JSON without a `body` is a row whose comment has none; an empty CSV cell is an empty body, and no value in any other column.
//! In the columns `created_utc`, `score` and `removed`, so are the cells that R and pandas write for it: `NA`, `NaN`, `nan`, `null`
//! and `None`.
//!
//! **Encodings.** A CSV cell is UTF-8, or else windows-1252 (ISO-8859-1 with printable characters at 0x80-0x9F). UTF-8 that
//! was once read as windows-1252 (`â€™` for `’`) is put right, in each run of non-ASCII characters on its own; what reads as
//! the end of a word (`café »`) stays. Entities, `<U+1F44F>` and line ends are left as they are.
//!
//! **Errors.** A bad record costs that record: the reader gives a [`RowError`] with its line and reads on. Only a truncated
//! or damaged compressed file and a failing read end the iteration. No row error quotes a comment. A file that holds
//! one JSON document (a list, an object over several lines) is refused; JSON Lines with a bad first line are read.
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
//! assert_eq!(bad.to_string(), "`removed` is not true, false, 1 or 0; correct that value");
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
mod open;
mod reader;
mod removed;
mod row;

pub use error::{Compression, OpenError, RowError, RowErrorKind};
pub use modstream_events::Comment;
pub use reader::Reader;
pub use row::Row;

/// The longest record read, in bytes: a line of JSON, or the cells of a CSV record. A longer one is a [`RowError`].
pub const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;
