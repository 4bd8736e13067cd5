use std::fmt;
use std::io::Read as _;

use crate::{Endian, Utf16};

const BYTE_ORDER_MARK: char = '\u{FEFF}';
/// The most characters beyond ASCII that stand side by side in the words of a Western language, such as `»À`.
const MOST_ACCENTS: usize = 3;

/// Why bytes are no text of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not UTF-8: {looks_like}")]
pub struct NotUtf8 {
    /// The line of the first byte that is not UTF-8, from 1.
    pub line: usize,
    /// What it is instead, as far as it shows.
    pub looks_like: LooksLike,
}

/// What bytes are that are no UTF-8, as far as it shows; as a sentence, with what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksLike {
    /// A byte a character, as Western Europe's programs wrote.
    Windows1252,
    /// UTF-8 that ends inside a character.
    CutOff,
    /// Any other encoding.
    Other,
}

impl LooksLike {
    /// What bytes look like that are not UTF-8.
    pub fn of(bytes: &[u8], error: &std::str::Utf8Error) -> Self {
        if error.error_len().is_none() {
            return LooksLike::CutOff;
        }
        // Words of other scripts are beyond ASCII from the first letter to the last.
        let accents = bytes.split(u8::is_ascii).map(<[u8]>::len).max().unwrap_or_default();
        if accents <= MOST_ACCENTS && !bytes.contains(&0) { LooksLike::Windows1252 } else { LooksLike::Other }
    }
}

impl fmt::Display for LooksLike {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            LooksLike::Windows1252 => {
                "it looks like Windows-1252 or Latin-1; save the file again as UTF-8 (`iconv -f WINDOWS-1252 -t UTF-8 FILE`)"
            }
            LooksLike::CutOff => "it ends inside a character and may be truncated; fetch or save it again",
            LooksLike::Other => "it is in another encoding, or no text; save the file again as UTF-8",
        })
    }
}

/// The text of bytes that are UTF-8 but for surrogates, which Java, PHP and Python can be made to write with three bytes each
/// ([CESU-8](https://www.unicode.org/reports/tr26/)): a pair is its character, and half of one is U+FFFD. None where there are none,
/// or the bytes are no UTF-8 in another way.
pub fn surrogates_decoded(bytes: &[u8]) -> Option<String> {
    let mut text = Vec::with_capacity(bytes.len());
    let (mut rest, mut is_found) = (bytes, false);
    while let Some((first, others)) = rest.split_first() {
        let Some(one) = surrogate(rest) else {
            text.push(*first);
            rest = others;
            continue;
        };
        is_found = true;
        let other = if one < 0xDC00 { surrogate(&rest[3..]).filter(|other| *other >= 0xDC00) } else { None };
        let units = [one, other.unwrap_or_default()];
        let count = 1 + usize::from(other.is_some());
        text.extend_from_slice(String::from_utf16_lossy(&units[..count]).as_bytes());
        rest = &rest[3 * count..];
    }
    String::from_utf8(text).ok().filter(|_| is_found)
}

/// The surrogate that bytes begin with.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] => {
            Some(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F))
        }
        _ => None,
    }
}

/// The text that a file holds: UTF-8, or UTF-16 as Windows writes it, without the mark that such a file may begin with.
///
/// # Errors
/// [`NotUtf8`] says which encoding it seems to be instead, and what to do.
pub fn decode(bytes: Vec<u8>) -> Result<String, NotUtf8> {
    let mut text = match Endian::of(&bytes) {
        None => String::from_utf8(bytes).map_err(|error| {
            let (bytes, error) = (error.as_bytes(), error.utf8_error());
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            NotUtf8 { line, looks_like: LooksLike::of(bytes, &error) }
        })?,
        Some(endian) => {
            let mut text = String::with_capacity(bytes.len() / 2);
            // What is decoded is UTF-8, and reading from memory never fails.
            let _ = Utf16::new(&*bytes, endian).read_to_string(&mut text);
            text
        }
    };
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn a_file_of_another_encoding_is_named_with_the_line_and_what_to_do() {
        let said = |bytes: &[u8]| decode(bytes.to_vec()).expect_err("no UTF-8").to_string();
        let western = "it looks like Windows-1252 or Latin-1; save the file again as UTF-8 (`iconv -f WINDOWS-1252 -t UTF-8 FILE`)";
        assert_eq!(said(b"a\nb\ncaf\xE9 = \"na\xEFve\"\n"), format!("line 3 is not UTF-8: {western}"));
        assert_eq!(said(b"x \x96 y"), format!("line 1 is not UTF-8: {western}"));
        let other = "it is in another encoding, or no text; save the file again as UTF-8";
        // Russian in Windows-1251, Japanese in Shift JIS.
        assert_eq!(said(b"\xEF\xF0\xE8\xE2\xE5\xF2"), format!("line 1 is not UTF-8: {other}"));
        assert_eq!(said(b"\n\x93\xFA\x96\x7B\x8C\xEA\x82\xCC"), format!("line 2 is not UTF-8: {other}"));
        let cut = "it ends inside a character and may be truncated; fetch or save it again";
        assert_eq!(said("caf\u{E9}".as_bytes().split_last().expect("bytes").1), format!("line 1 is not UTF-8: {cut}"));
    }

    #[test]
    fn surrogates_of_three_bytes_are_read_and_nothing_else_is_guessed() {
        for (bytes, text) in [
            (b"it's \xED\xA0\xBD".as_slice(), Some("it's \u{FFFD}")),
            (b"\xED\xA0\xBD\xED\xB8\x80!", Some("\u{1F600}!")),
            (b"\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80\xED\xB8\x80", Some("\u{FFFD}\u{1F600}\u{FFFD}")),
            (b"\xED\xB8\x80\xED\xA0\xBD", Some("\u{FFFD}\u{FFFD}")),
            ("plain \u{1F600} \u{D7FF}".as_bytes(), None),
            (b"caf\xE9 \xED\xA0\xBD", None),
            (b"\xED\xA0", None),
        ] {
            assert_eq!(surrogates_decoded(bytes).as_deref(), text, "{bytes:?}");
        }
    }

    proptest! {
        /// A text whose characters beyond U+FFFF are written as two surrogates is the text.
        #[test]
        fn any_text_in_cesu_8_is_read(text in "(.|\u{1F600}|\u{10FFFF}){0,20}") {
            let mut bytes = Vec::new();
            for unit in text.encode_utf16() {
                match char::from_u32(unit.into()) {
                    Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    None => bytes.extend_from_slice(&[0xED, 0x80 | (unit >> 6 & 0x3F) as u8, 0x80 | (unit & 0x3F) as u8]),
                }
            }
            let is_utf8 = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(surrogates_decoded(&bytes), (!is_utf8).then_some(text));
        }

        #[test]
        fn any_text_is_read_in_utf8_and_utf16_with_and_without_a_mark(text in "[ -~]{2}(.|\n){0,40}", mark: bool) {
            let written = if mark { format!("\u{FEFF}{text}") } else { text.clone() };
            let (little, big) = (utf16(&written, u16::to_le_bytes), utf16(&written, u16::to_be_bytes));
            for bytes in [written.into_bytes(), little, big] {
                prop_assert_eq!(decode(bytes), Ok(text.clone()));
            }
        }

        #[test]
        fn any_bytes_are_read_or_named(bytes: Vec<u8>) {
            if let Err(error) = decode(bytes.clone()) {
                prop_assert!(error.line <= bytes.len() && !error.to_string().is_empty());
            }
        }
    }
}
