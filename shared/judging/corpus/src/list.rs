//! Reads the objects of a list, however that is broken into lines, and of lists one after the other.

use memchr::memchr3;

use crate::jsonl::{End, parse};
use crate::{MAX_ROW_BYTES, ReadOptions, Row, RowError, RowErrorKind, input::Input};

pub(crate) struct List {
    element: Element,
    options: ReadOptions,
    is_open: bool,
}

impl List {
    pub(crate) fn new(options: ReadOptions) -> Self {
        List { element: Element::default(), options, is_open: false }
    }

    pub(crate) fn next(&mut self, input: &mut Input) -> Option<Result<Row, RowError>> {
        loop {
            let line = input.line();
            let failed = |kind| Some(Err(RowError { line, kind }));
            let next = match input.chunk() {
                Ok(chunk) => chunk.first().copied(),
                Err(kind) => return failed(kind),
            };
            let row = match next {
                None if std::mem::take(&mut self.is_open) => Err(RowErrorKind::OpenList),
                None => return None,
                Some(b'[') if !self.is_open => {
                    self.is_open = true;
                    input.consume(1);
                    continue;
                }
                Some(b']') if self.is_open => {
                    self.is_open = false;
                    input.consume(1);
                    continue;
                }
                Some(byte) if byte == b',' || byte.is_ascii_whitespace() => {
                    input.consume(1);
                    continue;
                }
                Some(byte) => match self.element.read(input) {
                    Ok(()) if byte == b'{' => parse(&self.element.bytes, &End::Brace { line }, &self.options),
                    Ok(()) => Err(RowErrorKind::ElementNotAnObject),
                    Err(kind) => Err(kind),
                },
            };
            // A file that ends inside an object also ends inside its list, which need not be said.
            self.is_open &= !matches!(row, Err(RowErrorKind::CutOff));
            return Some(match row {
                Ok((comment, removed)) => Ok(Row { line, comment, removed }),
                Err(kind) => Err(RowError { line, kind }),
            });
        }
    }
}

/// One element of a list, in memory that is kept.
#[derive(Default)]
struct Element {
    bytes: Vec<u8>,
    too_long: bool,
    depth: usize,
    is_text: bool,
    is_escaped: bool,
}

impl Element {
    /// Reads to the end of an element, whatever it is.
    fn read(&mut self, input: &mut Input) -> Result<(), RowErrorKind> {
        let bytes = std::mem::take(&mut self.bytes);
        *self = Element { bytes, ..Element::default() };
        self.bytes.clear();
        loop {
            let chunk = input.chunk()?;
            if chunk.is_empty() {
                return if self.depth == 0 && !self.is_text { Ok(()) } else { Err(RowErrorKind::CutOff) };
            }
            let (used, has_ended) = self.feed(chunk);
            input.consume(used);
            if has_ended {
                return if self.too_long { Err(RowErrorKind::TooLong) } else { Ok(()) };
            }
        }
    }

    /// How many bytes belong to the element, and whether it ends with them.
    fn feed(&mut self, chunk: &[u8]) -> (usize, bool) {
        let mut at = 0;
        let has_ended = loop {
            let Some(&byte) = chunk.get(at) else { break false };
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.is_text {
                let Some(end) = memchr3(b'"', b'\\', b'\n', &chunk[at..]) else {
                    at = chunk.len();
                    break false;
                };
                at += end;
                self.is_escaped = chunk[at] == b'\\';
                // No text goes on behind a line break: what is broken there costs its element alone.
                self.is_text = self.is_escaped;
            } else {
                let is_first = at == 0 && self.bytes.is_empty();
                match byte {
                    b'"' => self.is_text = true,
                    // What comes behind a word or a number.
                    b'{' | b'[' | b'}' | b']' | b',' if self.depth == 0 && !is_first => break true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            at += 1;
                            break true;
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        };
        self.too_long |= self.bytes.len() + at > MAX_ROW_BYTES;
        if !self.too_long {
            self.bytes.extend_from_slice(&chunk[..at]);
        }
        (at, has_ended)
    }
}
