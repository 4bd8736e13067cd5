//! UTF-16 as UTF-8: so Excel exports "Unicode text", and Windows' shell writes files.

use std::io::{self, Read};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The low byte comes first.
    Little,
    /// The high byte comes first.
    Big,
}

impl Endian {
    /// The encoding of a file that begins so, if it is UTF-16: by its mark, or, where it has none, by zeros beside the first two
    /// characters. These are of a header, of JSON or of TOML, so they are ASCII.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            // UTF-32 has the same mark, and two zeros behind it.
            [0xFF, 0xFE, 0, 0, ..] => None,
            [0xFF, 0xFE, ..] | [b'\t'..=b'~', 0, b'\t'..=b'~', 0, ..] => Some(Endian::Little),
            [0xFE, 0xFF, ..] | [0, b'\t'..=b'~', 0, b'\t'..=b'~', ..] => Some(Endian::Big),
            _ => None,
        }
    }
}

/// Reads UTF-16 as UTF-8. Half a surrogate pair becomes U+FFFD, and so does the last byte of an odd number.
#[derive(Debug)]
pub struct Utf16<R> {
    from: R,
    endian: Endian,
    /// What is read and not decoded yet: part of a unit, or a unit that may be half of a pair.
    rest: Vec<u8>,
    decoded: Vec<u8>,
    given: usize,
    is_end: bool,
}

impl<R: Read> Utf16<R> {
    /// Reads what `from` gives, which may begin with a mark; the mark is kept.
    pub fn new(from: R, endian: Endian) -> Self {
        Utf16 { from, endian, rest: Vec::new(), decoded: Vec::new(), given: 0, is_end: false }
    }

    /// Decodes what comes next; where the input ends, nothing.
    fn advance(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8 * 1024];
        let read = self.from.read(&mut chunk)?;
        self.is_end = read == 0;
        self.rest.extend_from_slice(&chunk[..read]);
        let mut units: Vec<u16> = self.rest.as_chunks().0.iter().map(|unit| self.unit(*unit)).collect();
        // The other half may come next.
        if !self.is_end {
            units.pop_if(|last| (0xD800..=0xDBFF).contains(last));
        }
        self.rest.drain(..2 * units.len());
        let text: String = char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.decoded = text.into_bytes();
        self.given = 0;
        if self.is_end && !self.rest.is_empty() {
            self.rest.clear();
            self.decoded.extend_from_slice("\u{FFFD}".as_bytes());
        }
        Ok(())
    }

    fn unit(&self, bytes: [u8; 2]) -> u16 {
        match self.endian {
            Endian::Little => u16::from_le_bytes(bytes),
            Endian::Big => u16::from_be_bytes(bytes),
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() && !self.is_end {
            self.advance()?;
        }
        let waiting = &self.decoded[self.given..];
        let bytes = waiting.len().min(into.len());
        into[..bytes].copy_from_slice(&waiting[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }

    proptest! {
        #[test]
        fn any_units_are_read_as_the_standard_library_decodes_them(
            units in prop::collection::vec(prop_oneof![any::<u16>(), 0xD700..=0xE100_u16], 0..40),
            odd in any::<bool>(),
            step in 1..9_usize,
            is_big in any::<bool>(),
        ) {
            let (endian, bytes): (_, fn(u16) -> [u8; 2]) =
                if is_big { (Endian::Big, u16::to_be_bytes) } else { (Endian::Little, u16::to_le_bytes) };
            let mut written: Vec<u8> = units.iter().copied().flat_map(bytes).collect();
            let mut meant = String::from_utf16_lossy(&units);
            if odd {
                written.push(b'x');
                meant.push('\u{FFFD}');
            }
            let mut read = String::new();
            Utf16::new(Drops(&written, step), endian).read_to_string(&mut read).expect("UTF-8");
            prop_assert_eq!(read, meant);
        }
    }
}
