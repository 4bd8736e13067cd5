//! Subwords: character n-grams of a word's normal form, a space before and after it. They know a word by its parts, also one
//! that is spelled in a way nobody has seen (P. Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017).

/// The bytes of the longest subword.
pub const LONGEST_SUBWORD: usize = 4;
/// The bytes of the shortest subword.
pub const SHORTEST_SUBWORD: usize = 3;

/// A subword of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subword {
    /// The subword's three or four bytes, the first one highest: `" th"` is `0x0020_7468`.
    pub key: u32,
    /// The subword's inverse document frequency.
    pub idf: f32,
}

/// The byte that stands before and after a word.
pub(crate) const BORDER: u8 = b' ';

/// How often [`each`] calls at each byte.
pub(crate) const SUBWORDS_A_BYTE: usize = LONGEST_SUBWORD - SHORTEST_SUBWORD + 1;

/// Calls `found` with the key of each subword, whether it is one (there is none of four letters after two), and the number of
/// the word it stands in, counted from 0. `words` are normal forms with a [`BORDER`] after each.
#[inline(always)]
pub(crate) fn each(words: &[u8], mut found: impl FnMut(u32, bool, u32)) {
    let (mut word, mut last) = (0, u32::from(BORDER));
    for &byte in words {
        last = last << 8 | u32::from(byte);
        // No byte of a word is 0, so a high byte says how much there is.
        found(last & 0xFF_FFFF, last > 0xFFFF, word);
        found(last, last > 0xFF_FFFF, word);
        if byte == BORDER {
            word += 1;
            last = u32::from(BORDER);
        }
    }
}

/// Spreads a key over 64 bits, best over the high ones.
#[inline]
pub(crate) const fn spread(key: u32) -> u64 {
    (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Subwords by key, by open addressing: at most half full, a pair of numbers a place, so that most lookups touch one cache line.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The keys, 0 where there is none, and the indices.
    places: Box<[(u32, u32)]>,
    shift: u32,
}

impl Table {
    /// Makes a table of these subwords, which are numbered as they come.
    pub(crate) fn new(subwords: &[Subword]) -> Self {
        let log = (subwords.len() * 2).next_power_of_two().ilog2().max(1);
        let mut table = Table { places: vec![(0, 0); 1 << log].into(), shift: u64::BITS - log };
        for (subword, index) in subwords.iter().zip(0..) {
            let mut place = table.place(subword.key);
            while table.places[place].0 != 0 {
                place = table.next(place);
            }
            table.places[place] = (subword.key, index);
        }
        table
    }

    /// The index of a subword.
    #[inline]
    pub(crate) fn find(&self, key: u32) -> Option<u32> {
        let mut place = self.place(key);
        loop {
            match self.places[place] {
                (found, index) if found == key => return Some(index),
                (0, _) => return None,
                _ => place = self.next(place),
            }
        }
    }

    #[inline]
    fn place(&self, key: u32) -> usize {
        (spread(key) >> self.shift) as usize
    }

    #[inline]
    fn next(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }
}

/// Whether a key is one that a text can have.
pub(crate) fn is_key(key: u32) -> bool {
    let bytes = key.to_be_bytes();
    let length = bytes.iter().skip_while(|byte| **byte == 0).count();
    (SHORTEST_SUBWORD..=LONGEST_SUBWORD).contains(&length) && !bytes[LONGEST_SUBWORD - length..].contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(words: &str) -> Vec<(String, u32)> {
        let mut all = Vec::new();
        each(words.as_bytes(), |key, is_one, word| {
            if !is_one {
                return;
            }
            assert!(is_key(key));
            let bytes: Vec<u8> = key.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            all.push((String::from_utf8_lossy(&bytes).into_owned(), word));
        });
        all
    }

    #[test]
    fn a_word_falls_into_its_pieces_with_its_borders() {
        let found = all("cat a ");
        let expected = [" ca", "cat", " cat", "at ", "cat ", " a "];
        assert_eq!(found.iter().map(|found| found.0.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(found.iter().map(|found| found.1).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1]);
        assert!(all("").is_empty());
    }

    #[test]
    fn keys_have_three_or_four_bytes_and_no_gap() {
        assert!([0x20_6161, 0x6161_6161].into_iter().all(is_key));
        assert!(![0, 0x61, 0x6161, 0x61_6100, 0x61_0061, 0x6161_0061].into_iter().any(is_key));
    }

    proptest! {
        #[test]
        fn a_table_finds_its_keys_and_no_others(keys in prop::collection::btree_set(1..500_u32, 0..200)) {
            let subwords: Vec<Subword> = keys.iter().map(|&key| Subword { key, idf: 1.0 }).collect();
            let table = Table::new(&subwords);
            for key in 1..500 {
                prop_assert_eq!(table.find(key), keys.iter().position(|it| *it == key).map(|index| index as u32));
            }
        }

        #[test]
        fn subwords_are_those_of_each_word_alone(words in prop::collection::vec("[a-z\u{E9}\u{4E2D}']{1,9}", 0..6)) {
            let together: Vec<String> = all(&words.iter().map(|word| format!("{word} ")).collect::<String>()).into_iter().map(|found| found.0).collect();
            let alone: Vec<String> = words.iter().flat_map(|word| all(&format!("{word} "))).map(|found| found.0).collect();
            prop_assert_eq!(together, alone);
        }
    }
}
