//! What a vocabulary makes of a word, kept by the word's letters. Texts repeat few words (G. Zipf, "Human Behavior and the
//! Principle of Least Effort", 1949), so most are found here, and none of it is computed again.

/// The bytes of the longest word that is kept.
pub(crate) const MAX_WORD_BYTES: usize = 16;
/// The most subwords of a word that is kept.
pub(crate) const MAX_SUBWORDS: usize = 16;
/// The number of places, as a power of two.
const PLACE_BITS: u32 = 13;
const PLACES: usize = 1 << PLACE_BITS;
/// The most words that are kept: then no more are, since to begin anew costs what is gained.
const MAX_WORDS: usize = PLACES * 5 / 8;
/// The number of vocabularies whose words are kept.
const MAX_VOCABULARIES: usize = 4;

/// A word of ASCII letters and digits in lower case, as two numbers; none has the first number 0.
pub(crate) type Key = [u64; 2];

/// What is kept of a word, in one cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Place {
    key: Key,
    hash: u64,
    subwords: [u16; MAX_SUBWORDS],
    term: u32,
    count: u8,
    is_known: bool,
    may_be_disguised: bool,
}

/// What a vocabulary makes of a word, but for its subwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// The hash of the word's normal form.
    pub(crate) hash: u64,
    /// The term that the word is, or [`NO_TERM`](crate::scan::NO_TERM).
    pub(crate) term: u32,
    /// Whether enough training texts hold the word.
    pub(crate) is_known: bool,
    /// Whether the word is neither known nor a term, and may have a second form.
    pub(crate) may_be_disguised: bool,
}

/// The words of a vocabulary that were met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    places: Vec<Place>,
    used: usize,
}

impl Words {
    fn new() -> Self {
        Words { places: vec![Place::default(); PLACES], used: 0 }
    }

    /// Looks a word up, and writes its subwords to where `to` begins, which has room for [`MAX_SUBWORDS`]. Returns what is kept of the
    /// word, and the number of its subwords; or the place where it would be.
    #[inline(always)]
    pub(crate) fn find(&self, key: Key, to: &mut [u32]) -> Result<(Word, usize), usize> {
        let mixed = (key[0] ^ key[1].rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut place = (mixed >> (u64::BITS - PLACE_BITS)) as usize;
        loop {
            let found = &self.places[place % PLACES];
            if found.key == key {
                // All of them, whatever their number: that is one step, and takes no decision.
                if let Some(to) = to.first_chunk_mut::<MAX_SUBWORDS>() {
                    to.iter_mut().zip(found.subwords).for_each(|(to, subword)| *to = u32::from(subword));
                }
                let &Place { hash, term, is_known, may_be_disguised, count, .. } = found;
                return Ok((Word { hash, term, is_known, may_be_disguised }, usize::from(count)));
            }
            if found.key[0] == 0 {
                return Err(place % PLACES);
            }
            place += 1;
        }
    }

    /// Keeps a word in the place where [`Words::find`] did not find it, if there is room.
    pub(crate) fn keep(&mut self, place: usize, key: Key, word: Word, subwords: &[u32]) {
        if self.used == MAX_WORDS || subwords.len() > MAX_SUBWORDS {
            return;
        }
        let mut kept = [0; MAX_SUBWORDS];
        for (kept, &subword) in kept.iter_mut().zip(subwords) {
            let Ok(subword) = u16::try_from(subword) else { return };
            *kept = subword;
        }
        self.used += 1;
        let Word { hash, term, is_known, may_be_disguised } = word;
        let count = subwords.len() as u8;
        self.places[place] = Place { key, hash, subwords: kept, term, count, is_known, may_be_disguised };
    }
}

/// The words of each vocabulary that was asked for last.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordsOf(Vec<(u64, Words)>);

impl WordsOf {
    /// The words of the vocabulary with this number.
    pub(crate) fn of(&mut self, vocabulary: u64) -> &mut Words {
        let at = self.0.iter().position(|(number, _)| *number == vocabulary).unwrap_or_else(|| {
            if self.0.len() == MAX_VOCABULARIES {
                self.0.remove(0);
            }
            self.0.push((vocabulary, Words::new()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// Eight bytes at once. A byte's highest bit says what is true of it.
#[derive(Clone, Copy)]
pub(crate) struct Eight {
    /// Letters and digits.
    words: u64,
    letters: u64,
    capitals: u64,
    /// The bytes in lower case.
    lower: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = 0x8080_8080_8080_8080;

/// Sets the highest bit of each byte that is `byte` or more; all are below 128.
const fn at_least(bytes: u64, byte: u8) -> u64 {
    bytes + ONES * (0x80 - byte as u64)
}

impl Eight {
    #[inline(always)]
    pub(crate) fn of(bytes: [u8; 8]) -> Self {
        let all = u64::from_le_bytes(bytes);
        let seven = all & !HIGHEST;
        let ascii = !all & HIGHEST;
        let folded = seven | (ONES * 0x20);
        let letters = at_least(folded, b'a') & !at_least(folded, b'z' + 1) & ascii;
        let digits = at_least(seven, b'0') & !at_least(seven, b'9' + 1) & ascii;
        // The bit that tells `a` from `A` is the sixth.
        Eight { words: letters | digits, letters, capitals: letters & !(all << 2), lower: all | letters >> 2 }
    }

    /// The number of letters and digits that it begins with.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        ((!self.words & HIGHEST).trailing_zeros() / u8::BITS) as usize
    }

    /// The first `length` bytes in lower case, zeros behind them, and how many of them are letters, and capitals.
    #[inline(always)]
    pub(crate) fn first(self, length: usize) -> (u64, usize, usize) {
        let mask = if length < 8 { (1 << (8 * length)) - 1 } else { u64::MAX };
        let count = |of: u64| (of & mask).count_ones() as usize;
        (self.lower & mask, count(self.letters), count(self.capitals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: u64) -> Key {
        [number + 1, number % 3]
    }

    fn word(number: u64) -> Word {
        let (is_known, may_be_disguised) = (number.is_multiple_of(2), number.is_multiple_of(3));
        Word { hash: number, term: number as u32, is_known, may_be_disguised }
    }

    #[test]
    fn words_are_found_until_there_is_no_room_and_each_vocabularys_apart() {
        let mut all = WordsOf::default();
        let mut room = [0; MAX_SUBWORDS];
        for number in 0..2 * MAX_WORDS as u64 {
            let place = all.of(7).find(key(number), &mut room).expect_err("it is new");
            let subwords: Vec<u32> = (0..number as u32 % 17).collect();
            all.of(7).keep(place, key(number), word(number), &subwords);
        }
        for number in 0..2 * MAX_WORDS as u64 {
            let found = all.of(7).find(key(number), &mut room);
            let count = number as usize % 17;
            assert_eq!(found.ok(), (number < MAX_WORDS as u64).then_some((word(number), count)));
            assert!(found.is_err() || room[..count].iter().copied().eq(0..count as u32));
        }
        assert!(all.of(8).find(key(1), &mut room).is_err());
        (0..MAX_VOCABULARIES as u64).for_each(|other| assert!(all.of(10 + other).find(key(1), &mut room).is_err()));
        assert!(all.of(7).find(key(1), &mut room).is_err() && all.0.len() == MAX_VOCABULARIES);
    }

    #[test]
    fn what_has_too_many_subwords_or_too_high_ones_is_not_kept() {
        let mut words = Words::new();
        let mut room = [0; MAX_SUBWORDS];
        for subwords in [vec![1; MAX_SUBWORDS + 1], vec![1, 1 << 16]] {
            let place = words.find(key(1), &mut room).expect_err("it is new");
            words.keep(place, key(1), word(1), &subwords);
            assert!(words.find(key(1), &mut room).is_err());
        }
    }

    proptest! {
        #[test]
        fn eight_bytes_are_what_each_is(bytes: [u8; 8], ascii in "[a-zA-Z0-9@\\[`{/:_ ]{8}", is_ascii: bool) {
            let bytes = if is_ascii { ascii.as_bytes().try_into().expect("eight") } else { bytes };
            let length = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let eight = Eight::of(bytes);
            prop_assert_eq!(eight.length(), length);
            let first = &bytes[..length];
            let mut lower = [0; 8];
            lower[..length].copy_from_slice(&first.to_ascii_lowercase());
            let count = |is: fn(&u8) -> bool| first.iter().filter(|byte| is(byte)).count();
            prop_assert_eq!(
                eight.first(length),
                (u64::from_le_bytes(lower), count(u8::is_ascii_alphabetic), count(u8::is_ascii_uppercase))
            );
        }
    }
}
