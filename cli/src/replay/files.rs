//! Comments of files: CSV, JSON Lines, and objects of the archive.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use modstream_archive::{Content, FORMAT, Key};
use modstream_corpus::{OpenError, Placeholders, ReadOptions, Reader, Row};
use modstream_events::{Event, ids};

use super::sides::{Item, LeftOut, Source};
use crate::common::display::in_full;
use crate::common::input::{self, is_standard_input, say_where_from_a_terminal};
use crate::common::reading::LabelledArgs;

/// The source of the rows' events, which is no system's.
const SOURCE: &str = "urn:modstream:replay";
/// The first bytes of standard input, in which what it holds shows: more than a block of zstd.
const HEAD_BYTES: u64 = 256 << 10;
/// How many bad rows are named.
const NAMED_ROWS: usize = 5;

/// Files, one after the other.
pub(crate) struct Files {
    waiting: VecDeque<PathBuf>,
    open: Option<Open>,
    left_out: LeftOut,
    paths: Vec<PathBuf>,
    args: LabelledArgs,
    /// Whether any row says that its comment was removed.
    is_any_removed: bool,
    options: ReadOptions,
    placeholders: Placeholders,
    /// The time of comments without `created_utc`.
    time: Timestamp,
}

struct Open {
    name: String,
    content: FileContent,
}

enum FileContent {
    Rows(Box<Reader>),
    Records(VecDeque<Item>),
}

impl Files {
    /// Opens these files. The first is opened at once: what is no file of comments is better said before the work.
    pub(crate) fn open(paths: &[PathBuf], args: &LabelledArgs) -> anyhow::Result<Self> {
        let mut files = Files {
            waiting: paths.iter().cloned().collect(),
            open: None,
            left_out: LeftOut::default(),
            paths: paths.to_vec(),
            args: args.clone(),
            is_any_removed: false,
            options: args.options(),
            placeholders: args.placeholders(),
            time: Timestamp::now(),
        };
        for path in paths {
            anyhow::ensure!(is_standard_input(path) || path.exists(), "{}: there is no such file", path.display());
        }
        files.advance()?;
        Ok(files)
    }

    /// Opens the next file, and says whether there is one.
    fn advance(&mut self) -> anyhow::Result<bool> {
        self.open = None;
        while self.open.is_none() {
            let Some(path) = self.waiting.pop_front() else { return Ok(false) };
            let name = input::name(&path);
            let content = match open(&path, &name, self.options.clone()) {
                Ok(Opened::Rows(rows)) => FileContent::Rows(Box::new(rows?)),
                Ok(Opened::Archived { records, forgotten }) => {
                    self.left_out.without_text += forgotten;
                    FileContent::Records(records)
                }
                Err(error) => {
                    self.left_out.unreadable.push((name, in_full(&error)));
                    continue;
                }
            };
            self.open = Some(Open { name, content });
        }
        Ok(true)
    }

    fn bad(&mut self, name: &str, line: u64, problem: &str) {
        self.left_out.bad_rows += 1;
        if self.left_out.bad_examples.len() < NAMED_ROWS {
            self.left_out.bad_examples.push(format!("{name}, line {line}: {problem}"));
        }
    }
}

impl Source for Files {
    async fn next(&mut self) -> anyhow::Result<Option<Item>> {
        loop {
            let Some(open) = &mut self.open else {
                self.args.check_removed_value(self.is_any_removed, self.paths.iter().map(PathBuf::as_path))?;
                return Ok(None);
            };
            let row = match &mut open.content {
                FileContent::Records(records) => match records.pop_front() {
                    Some(item) => return Ok(Some(item)),
                    None => None,
                },
                FileContent::Rows(rows) => rows.next(),
            };
            let name = open.name.clone();
            match row {
                None => {
                    self.advance()?;
                }
                Some(Ok(row)) => {
                    self.is_any_removed |= row.removed == Some(true);
                    if let Some(form) = row.comment.body.as_deref().and_then(|body| self.placeholders.form(body)) {
                        self.left_out.without_text += 1;
                        self.left_out.placeholders.add(form);
                        continue;
                    }
                    if let Err(error) = self.options.text(&row) {
                        self.bad(&name, row.line, &error.to_string());
                        continue;
                    }
                    return Ok(Some(item(&name, self.time, row)));
                }
                Some(Err(error)) if error.is_fatal() => {
                    self.left_out.unreadable.push((name, format!("line {}: {error}", error.line)));
                    self.advance()?;
                }
                Some(Err(error)) => self.bad(&name, error.line, &error.to_string()),
            }
        }
    }

    fn left_out(&self) -> LeftOut {
        self.left_out.clone()
    }
}

/// The version that a row is of its comment: a line of a file says one thing.
const ROW: &str = "1";

/// The comment event of a row. Each row is one, also where a file has the same comment twice.
fn item(name: &str, time: Timestamp, row: Row) -> Item {
    let Row { line, comment, removed } = row;
    let time = comment.created_utc.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(time);
    let id = ids::comment(SOURCE, &format!("{name}:{line}"), ROW).to_string();
    let data = Event::new(id.as_str(), SOURCE, time, comment).encode();
    Item {
        data,
        partition_key: id,
        #[cfg(feature = "aws")]
        arrived: None,
        removed,
    }
}

/// What a file holds.
enum Opened {
    Rows(Result<Reader, OpenError>),
    /// The records of an object of the archive, and how many were forgotten.
    Archived {
        records: VecDeque<Item>,
        forgotten: u64,
    },
}

/// Opens a file, and finds out what it holds. An error is of an object of the archive.
fn open(path: &Path, name: &str, options: ReadOptions) -> anyhow::Result<Opened> {
    if is_standard_input(path) {
        say_where_from_a_terminal("comments, one JSON object a line,");
        // What it is shows in its first bytes, which can't be read again.
        let mut head = Vec::new();
        io::stdin().take(HEAD_BYTES).read_to_end(&mut head).context("it can't be read")?;
        let is_archive = begins_as_archive(&*head);
        let mut all = io::Cursor::new(head).chain(io::stdin());
        if !is_archive {
            return Ok(Opened::Rows(Reader::from_read_with(name, all, options)));
        }
        let mut bytes = Vec::new();
        all.read_to_end(&mut bytes).context("it can't be read")?;
        return archived(&bytes);
    }
    if is_named_as_archive(path) || File::open(path).is_ok_and(begins_as_archive) {
        return archived(&std::fs::read(path).context("it can't be read")?);
    }
    Ok(Opened::Rows(Reader::open_with(path, options)))
}

/// Whether a file has the name of an object of the archive.
fn is_named_as_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    Key::parse(&format!("{}s/2026-01-05T10/s/{name}", modstream_archive::PREFIX)).is_some()
}

/// Whether content begins as an object of the archive does, whatever its file is called.
fn begins_as_archive(content: impl Read) -> bool {
    let begins = format!("{{\"format\":\"{FORMAT}\"");
    let mut head = Vec::new();
    let read =
        zstd::Decoder::new(content).and_then(|unpacked| unpacked.take(begins.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == begins.as_bytes()
}

fn archived(bytes: &[u8]) -> anyhow::Result<Opened> {
    let (_, all) = modstream_archive::decode(bytes)?;
    let (mut records, mut forgotten) = (VecDeque::with_capacity(all.len()), 0);
    for record in all {
        match record.content {
            Content::Data(data) => {
                records.push_back(Item {
                    data,
                    partition_key: record.partition_key,
                    #[cfg(feature = "aws")]
                    arrived: Some(record.arrived),
                    removed: None,
                });
            }
            Content::Forgotten(_) => forgotten += 1,
        }
    }
    Ok(Opened::Archived { records, forgotten })
}
