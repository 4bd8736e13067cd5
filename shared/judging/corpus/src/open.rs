//! Finds out which format a file has, and says what to do where it is none of ours.

use std::io::Read;

#[cfg(feature = "parquet")]
use crate::parquet::{MAGIC, Parquet};
use crate::{
    OpenError, ReadOptions,
    csv::Csv,
    document::Form,
    input::{Input, MAX_FIRST_LINE},
    jsonl::Jsonl,
    list::List,
};

const UNPACK: &str = "unpack it first";
const CONVERT: &str = "export it as one of these";

/// The first bytes of what people try, after unpacking.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "unpack it, or export the sheet as CSV"),
    (b"\xD0\xCF\x11\xE0", "a spreadsheet of an old Excel", "export the sheet as CSV"),
    (b"\x1F\x8B", "compressed twice", UNPACK),
    (b"\x28\xB5\x2F\xFD", "compressed twice", UNPACK),
    (b"\xFD7zXZ", "xz data", UNPACK),
    (b"BZh", "bzip2 data", UNPACK),
    (b"7z\xBC\xAF", "a 7z archive", UNPACK),
    #[cfg(not(feature = "parquet"))]
    (b"PAR1", "a Parquet file", "convert it, with pandas: `read_parquet('FILE').to_csv('comments.csv', index=False)`"),
    (b"ARROW1", "an Arrow file", "convert it, with pandas: `read_feather('FILE').to_csv('comments.csv', index=False)`"),
    (b"SQLite format 3\0", "an SQLite database", "export a table: `sqlite3 -header -csv FILE 'SELECT ...'`"),
    (b"\xFF\xFE\0\0", "UTF-32 text", "save it as UTF-8"),
    (b"\0\0\xFE\xFF", "UTF-32 text", "save it as UTF-8"),
];

/// How comments are written in a file.
pub(crate) enum Format {
    Csv(Box<Csv>),
    Jsonl(Jsonl),
    List(List),
    #[cfg(feature = "parquet")]
    Parquet(Box<Parquet>),
}

pub(crate) fn open(
    name: &str,
    from: impl Read + Send + 'static,
    options: ReadOptions,
) -> Result<(Input, Format), OpenError> {
    let wanted = options.text_column.as_str();
    let failed = |kind| OpenError::of_first_row(name, kind, wanted);
    let mut input = Input::new(from).map_err(failed)?;
    input.decode_utf16();
    let head = input.first_line().map_err(failed)?;
    if head.is_empty() {
        return Err(OpenError::Empty { name: name.to_owned(), wanted: wanted.to_owned() });
    }
    #[cfg(feature = "parquet")]
    if head.starts_with(MAGIC) {
        let bytes = input.rest().map_err(failed)?;
        return Ok((input, Format::Parquet(Box::new(Parquet::new(name, bytes, options)?))));
    }
    if let Some((found, next)) = other_format(&head) {
        return Err(OpenError::OtherFormat { name: name.to_owned(), found, next });
    }
    let named_jsonl = is_named_jsonl(name);
    let begins_json = matches!(head[0], b'{' | b'[');
    if begins_json && let Form::List = Form::find(&mut input, &head, (name, named_jsonl), wanted)? {
        return Ok((input, Format::List(List::new(options))));
    }
    if begins_json || named_jsonl {
        return Ok((input, Format::Jsonl(Jsonl::new(options))));
    }
    if head.len() >= MAX_FIRST_LINE && memchr::memchr2(b'\n', b'\r', &head).is_none() {
        return Err(OpenError::Headless { name: name.to_owned(), wanted: wanted.to_owned() });
    }
    let csv = Csv::new(name, &mut input, &head, options)?;
    Ok((input, Format::Csv(Box::new(csv))))
}

fn other_format(head: &[u8]) -> Option<(&'static str, &'static str)> {
    if let Some((_, found, next)) = OTHERS.iter().find(|(start, ..)| head.starts_with(start)) {
        return Some((found, next));
    }
    // No name of a column and no JSON holds a zero byte; a comment in a cell may.
    let first = head.split(|&byte| byte == b'\n').next()?;
    memchr::memchr(0, first).map(|_| ("binary data", CONVERT))
}

fn is_named_jsonl(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = [".gz", ".zst", ".zstd"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    name.ends_with(".jsonl") || name.ends_with(".ndjson")
}
