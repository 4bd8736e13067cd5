//! Records of [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180), with `\n`, `\r\n` or `\r` between them and blank lines ignored, and
//! with other separators than commas.
//! Written here because it must know what CSV libraries pass over: the first line of a record, a quote that is never closed, and
//! text after a closing quote, which tells of quotes that were not doubled.

use memchr::{memchr, memchr3};

use crate::input::{BYTE_ORDER_MARK, Input};
use crate::{MAX_ROW_BYTES, RowErrorKind};

/// One record at a time, in memory that is kept between records.
pub(crate) struct Record {
    /// The cells one after another, without quotes.
    bytes: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<usize>,
    /// What separates the cells.
    delimiter: u8,
    /// No more cells than these are kept.
    width: usize,
    found: usize,
    state: State,
    stray_quote: bool,
    too_long: bool,
}

#[derive(Clone, Copy)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// The state behind a quote that closes the cell or is the first of two.
    QuoteInQuoted,
}

impl Record {
    pub(crate) fn new(delimiter: u8, width: usize) -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            delimiter,
            width,
            found: 0,
            state: State::CellStart,
            stray_quote: false,
            too_long: false,
        }
    }

    /// Reads the next record; `None` at the end of the file.
    ///
    /// # Errors
    /// The input's errors, a quote that is out of place, or a record that is too long, which is read to its end.
    pub(crate) fn read(&mut self, input: &mut Input) -> Result<Option<End>, RowErrorKind> {
        *self = Self {
            bytes: std::mem::take(&mut self.bytes),
            ends: std::mem::take(&mut self.ends),
            ..Self::new(self.delimiter, self.width)
        };
        self.bytes.clear();
        self.ends.clear();
        let mut any = false;
        let end = loop {
            let chunk = input.chunk()?;
            if chunk.is_empty() {
                break any.then_some(End::File);
            }
            any = true;
            let (used, ended) = self.feed(chunk);
            input.consume(used);
            if ended {
                break Some(End::Line);
            }
        };
        match self.state {
            State::Quoted => return Err(RowErrorKind::OpenQuote),
            _ if matches!(end, Some(End::File)) => self.end_cell(),
            _ => {}
        }
        if self.too_long {
            Err(RowErrorKind::TooLong)
        } else if self.stray_quote {
            Err(RowErrorKind::StrayQuote)
        } else {
            Ok(end)
        }
    }

    /// How many cells the record has.
    pub(crate) fn found(&self) -> usize {
        self.found
    }

    /// One of the cells that are kept.
    pub(crate) fn cell(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        self.bytes.get(start..end)
    }

    /// How many bytes belong to the record, and whether it ends with them.
    fn feed(&mut self, chunk: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = chunk.get(at) {
            let rest = &chunk[at..];
            match self.state {
                State::CellStart if byte == b'"' => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::CellStart | State::Plain => {
                    let Some(end) = memchr3(self.delimiter, b'\n', b'\r', rest) else {
                        self.push(rest);
                        self.state = State::Plain;
                        return (chunk.len(), false);
                    };
                    self.push(&rest[..end]);
                    self.end_cell();
                    at += end + 1;
                    if rest[end] != self.delimiter {
                        return (at, true);
                    }
                }
                State::Quoted => match memchr(b'"', rest) {
                    None => {
                        self.push(rest);
                        at = chunk.len();
                    }
                    Some(quote) => {
                        self.push(&rest[..quote]);
                        self.state = State::QuoteInQuoted;
                        at += quote + 1;
                    }
                },
                State::QuoteInQuoted if byte == b'"' => {
                    self.push(b"\"");
                    self.state = State::Quoted;
                    at += 1;
                }
                State::QuoteInQuoted => {
                    self.stray_quote |= byte != self.delimiter && !matches!(byte, b'\n' | b'\r');
                    self.state = State::Plain;
                }
            }
        }
        (at, false)
    }

    fn push(&mut self, part: &[u8]) {
        self.too_long |= self.bytes.len() + part.len() > MAX_ROW_BYTES;
        if !self.too_long {
            self.bytes.extend_from_slice(part);
        }
    }

    fn end_cell(&mut self) {
        self.found += 1;
        self.state = State::CellStart;
        if self.ends.len() < self.width {
            self.ends.push(self.bytes.len());
        }
    }
}

/// What a record ends with.
pub(crate) enum End {
    Line,
    File,
}

/// Passes over blank lines, the `\n` of a `\r\n`, and the byte order mark that stands before a line where files were put one behind
/// the other.
pub(crate) fn skip_blank_lines(input: &mut Input) -> Result<(), RowErrorKind> {
    loop {
        let chunk = input.chunk()?;
        let blank = chunk.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        if blank > 0 {
            input.consume(blank);
            continue;
        }
        let whole = BYTE_ORDER_MARK.len();
        let is_marked = match chunk {
            [0xEF] | [0xEF, 0xBB] => {
                input.ahead(whole, |bytes| bytes.len() >= whole).bytes.starts_with(BYTE_ORDER_MARK)
            }
            chunk => chunk.starts_with(BYTE_ORDER_MARK),
        };
        if !is_marked {
            return Ok(());
        }
        input.consume(whole);
    }
}
