//! Bytes from anywhere, unpacked, with the line they stand on.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use plain_text::{Endian, Utf16};

use crate::{Compression, RowErrorKind};

/// How many bytes are asked for at a time.
const BUFFER: usize = 64 * 1024;
/// The longest first line that formats are told apart by.
pub(crate) const MAX_FIRST_LINE: usize = 64 * 1024;
/// The window that `--long=31` sets, which Reddit's dumps are made with; the library's default refuses them.
const ZSTD_WINDOW_LOG: u32 = 31;
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(crate) struct Input {
    from: Box<dyn BufRead + Send>,
    compression: Option<Compression>,
    lines: Lines,
}

/// Counts lines.
#[derive(Default)]
struct Lines {
    /// How many have ended.
    ended: u64,
    /// Whether a `\r` alone ends one, as on old Macs: where it ends the first.
    by_return: bool,
    /// Whether the last byte was a `\r`.
    after_return: bool,
}

impl Lines {
    fn pass(&mut self, bytes: &[u8]) {
        if !self.by_return {
            self.ended += memchr::memchr_iter(b'\n', bytes).count() as u64;
            return;
        }
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let follows_return = if at == 0 { self.after_return } else { bytes[at - 1] == b'\r' };
            self.ended += u64::from(bytes[at] == b'\r' || !follows_return);
        }
        self.after_return = bytes.last().map_or(self.after_return, |last| *last == b'\r');
    }
}

/// The bytes that stand ahead.
pub(crate) struct Ahead {
    pub(crate) bytes: Vec<u8>,
    /// Whether the input ends with these bytes.
    pub(crate) is_all: bool,
}

impl Input {
    /// Makes an input that unpacks what is compressed, as its first bytes say.
    pub(crate) fn new(from: impl Read + Send + 'static) -> Result<Self, RowErrorKind> {
        let mut from = BufReader::with_capacity(BUFFER, Source(from));
        let mut head = Vec::new();
        // What is read of a shorter file is the file.
        (&mut from).take(4).read_to_end(&mut head).map_err(|error| kind(error, None))?;
        let compression = match head[..] {
            [0x1F, 0x8B, ..] => Some(Compression::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Some(Compression::Zstd),
            _ => None,
        };
        let from = Cursor::new(head).chain(from);
        let from: Box<dyn BufRead + Send> = match compression {
            None => Box::new(from),
            Some(Compression::Gzip) => {
                Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(from)))
            }
            Some(Compression::Zstd) => {
                let mut from = zstd::Decoder::with_buffer(from).map_err(|error| kind(error, compression))?;
                from.window_log_max(ZSTD_WINDOW_LOG).map_err(|error| kind(error, compression))?;
                Box::new(BufReader::with_capacity(BUFFER, from))
            }
        };
        Ok(Self { from, compression, lines: Lines::default() })
    }

    /// Reads UTF-16 as UTF-8 from here on, where the first bytes are such. A line is waited for, not more.
    pub(crate) fn decode_utf16(&mut self) {
        let head = self.ahead(4, |bytes| bytes.contains(&b'\n')).bytes;
        if let Some(endian) = Endian::of(&head) {
            let from = std::mem::replace(&mut self.from, Box::new(io::empty()));
            self.from = Box::new(BufReader::with_capacity(BUFFER, Utf16::new(from, endian)));
        }
    }

    /// Drops a byte order mark and blank lines, and shows the first line, up to its end or 64 KiB, and what happens to come with it.
    /// A pipe that holds one line does not wait for more. An error counts once nothing else is left to read. How lines end is
    /// known from here on.
    pub(crate) fn first_line(&mut self) -> Result<Vec<u8>, RowErrorKind> {
        let (mut head, mut blanks) = (Vec::new(), Vec::new());
        let (mut marked, mut by_return) = (true, None);
        let failed = loop {
            let chunk = match self.from.fill_buf() {
                Ok([]) => break None,
                Ok(chunk) => chunk,
                Err(error) => break Some(error),
            };
            let read = chunk.len();
            head.extend_from_slice(chunk);
            self.from.consume(read);
            if marked && head.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&head) {
                continue;
            }
            let mark = if marked && head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            marked = false;
            head.drain(..mark);
            let blank = head.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            blanks.extend(head.drain(..blank));
            by_return = by_return.or_else(|| ends_by_return(blanks.iter().chain(&head)));
            if by_return.is_some() {
                self.lines.by_return = by_return == Some(true);
                self.lines.pass(&blanks);
                blanks.clear();
            }
            let has_ended = by_return.is_some() && memchr::memchr2(b'\n', b'\r', &head).is_some();
            if head.len() >= MAX_FIRST_LINE || has_ended {
                break None;
            }
        };
        match failed {
            Some(error) if head.is_empty() => return Err(kind(error, self.compression)),
            failed => self.unread(head.clone(), failed),
        }
        Ok(head)
    }

    /// Shows the bytes that come next, until they are `enough` or `limit`. All of them are still to be read afterwards.
    pub(crate) fn ahead(&mut self, limit: usize, mut enough: impl FnMut(&[u8]) -> bool) -> Ahead {
        let mut bytes = Vec::new();
        let mut failed = None;
        let is_all = loop {
            match self.from.fill_buf() {
                Ok([]) => break true,
                Ok(chunk) => {
                    let read = chunk.len();
                    bytes.extend_from_slice(chunk);
                    self.from.consume(read);
                }
                Err(error) => {
                    failed = Some(error);
                    break false;
                }
            }
            if bytes.len() >= limit || enough(&bytes) {
                break false;
            }
        };
        self.unread(bytes.clone(), failed);
        Ahead { bytes, is_all }
    }

    fn unread(&mut self, head: Vec<u8>, failed: Option<io::Error>) {
        let rest = std::mem::replace(&mut self.from, Box::new(io::empty()));
        self.from = match failed {
            None => Box::new(Cursor::new(head).chain(rest)),
            Some(error) => Box::new(Cursor::new(head).chain(BufReader::new(Failed(Some(error))))),
        };
    }

    /// All bytes that are left.
    #[cfg(feature = "parquet")]
    pub(crate) fn rest(&mut self) -> Result<Vec<u8>, RowErrorKind> {
        let mut bytes = Vec::new();
        self.from.read_to_end(&mut bytes).map_err(|error| kind(error, self.compression))?;
        Ok(bytes)
    }

    /// The next bytes, without consuming them; none at the end.
    pub(crate) fn chunk(&mut self) -> Result<&[u8], RowErrorKind> {
        self.from.fill_buf().map_err(|error| kind(error, self.compression))
    }

    /// Consumes bytes of the last chunk.
    pub(crate) fn consume(&mut self, bytes: usize) {
        // Of what was shown and not consumed, nothing is read again, so nothing can fail.
        if let Ok(chunk) = self.from.fill_buf() {
            self.lines.pass(&chunk[..bytes]);
        }
        self.from.consume(bytes);
    }

    /// The line of the next byte, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.lines.ended + 1
    }

    /// What finds where the first of some lines ends.
    pub(crate) fn line_ends(&self) -> fn(&[u8]) -> Option<usize> {
        if self.lines.by_return {
            |bytes| memchr::memchr2(b'\n', b'\r', bytes)
        } else {
            |bytes| memchr::memchr(b'\n', bytes)
        }
    }
}

/// Whether the first line ends with a `\r` alone; nothing where that does not show yet.
fn ends_by_return<'a>(bytes: impl Iterator<Item = &'a u8>) -> Option<bool> {
    let mut bytes = bytes.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
    match (bytes.next()?, bytes.next()) {
        (b'\r', None) => None,
        (b'\r', Some(behind)) => Some(*behind != b'\n'),
        _ => Some(false),
    }
}

/// Marks the errors of what is read from, so that they differ from those of unpacking.
struct Source<R>(R);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct SourceError(io::Error);

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| io::Error::other(SourceError(error))),
            }
        }
    }
}

/// An error that came while looking ahead, given in its place.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn kind(error: io::Error, compression: Option<Compression>) -> RowErrorKind {
    match (error.downcast::<SourceError>(), compression) {
        (Ok(SourceError(error)), _) | (Err(error), None) => RowErrorKind::Io(error),
        (Err(error), Some(compression)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            RowErrorKind::Truncated(compression)
        }
        (Err(_), Some(compression)) => RowErrorKind::Damaged(compression),
    }
}
