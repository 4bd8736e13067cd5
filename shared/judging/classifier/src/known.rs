//! The words that a model knows, whether or not it has a weight for them: those that enough of its training texts hold; and those
//! of them that are common.

use std::hash::BuildHasherDefault;

use hashbrown::HashSet;

use crate::hash::{AsIs, Hash};

/// The share of training texts that must hold a word for the model to know it.
const LEAST_SHARE: f64 = 0.0005;
/// The fewest training texts that must hold it, however few there are.
const LEAST_TEXTS: usize = 2;

/// The share of training texts that hold a common word. Of English texts, words in more of them are function words but for a few.
pub(crate) const COMMON_SHARE: f64 = 0.03;

/// In how many of so many training texts a word must stand to be common. What is common so depends on the texts and not on a list of
/// one language.
pub fn texts_to_be_common(texts: usize) -> usize {
    ((texts as f64 * COMMON_SHARE).ceil() as usize).max(LEAST_TEXTS)
}

/// In how many of so many training texts a word must stand for the model to know it.
///
/// A share and not a number: among a hundred thousand texts, every foreign word of some use stands in a few.
pub fn texts_to_know_a_word(texts: usize) -> usize {
    ((texts as f64 * LEAST_SHARE).ceil() as usize).max(LEAST_TEXTS)
}

/// The key of a word by its hash: half of the hash tells some thousands of words apart.
pub const fn word_key(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Words by their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordKeys(HashSet<u64, BuildHasherDefault<AsIs>>);

impl WordKeys {
    pub(crate) fn new(keys: &[u32]) -> Self {
        WordKeys(keys.iter().map(|&key| spread(key)).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the word with this hash is one of them.
    #[inline]
    pub(crate) fn has(&self, hash: u64) -> bool {
        self.0.contains(&spread(word_key(hash)))
    }
}

/// A key's bits in both halves: a table looks at the low ones for the place and at the high ones for the tag.
const fn spread(key: u32) -> u64 {
    (key as u64) << 32 | key as u64
}

/// The hash of a word in its normal form.
pub(crate) fn word_hash(form: &str) -> u64 {
    let mut hash = Hash::new();
    hash.bytes(form.as_bytes());
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_where_enough_texts_hold_it() {
        assert_eq!([1, 100, 5_000, 100_000].map(texts_to_know_a_word), [2, 2, 3, 50]);
        assert_eq!([1, 60, 1_000, 100_000].map(texts_to_be_common), [2, 2, 30, 3_000]);
        let words = WordKeys::new(&[word_key(word_hash("so")), word_key(word_hash("true"))]);
        assert!(words.has(word_hash("so")) && words.has(word_hash("true")) && !words.has(word_hash("false")));
        assert!(!words.is_empty() && WordKeys::default().is_empty());
    }
}
