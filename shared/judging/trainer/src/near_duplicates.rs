use std::collections::HashMap;

use crate::folds::plain;

/// How many least hashes a text is known by.
const BINS: usize = 60;
/// How many of them two texts must share, one after the other, to be compared: texts that share six tenths of their pairs of words
/// are compared in 99 of 100 cases.
const ROWS: usize = 3;
/// The share of pairs of words, of those that either has, that near-duplicates have in common.
const LEAST_SHARED: f64 = 0.6;
/// The fewest words of a text that is compared by its letters alone and by its pairs of words; of a shorter one a number may be what
/// it says.
const FEWEST_WORDS: usize = 8;
/// The most texts that one is compared with for the same least hashes.
const MOST_COMPARED: usize = 8;

/// The first text that is equal to each, which is the text itself where none before it is.
pub(crate) fn equal(texts: &[&str]) -> Vec<usize> {
    let mut first: HashMap<String, usize> = HashMap::with_capacity(texts.len());
    texts.iter().enumerate().map(|(row, text)| *first.entry(plain(text)).or_insert(row)).collect()
}

/// The first of each text's near-duplicates, which is the text itself where nothing before it is one: texts with the same letters and
/// digits, whatever stands between, and longer ones with the same letters, or most of their pairs of words. Near-duplicates of one
/// are of one group.
pub(crate) fn groups(texts: &[&str]) -> Vec<usize> {
    let mut groups = Groups((0..texts.len()).collect());
    let mut of_letters: HashMap<String, usize> = HashMap::with_capacity(texts.len());
    let mut pairs: Vec<Vec<u64>> = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let lower = plain(text);
        let pieces = |is_part: fn(char) -> bool| -> Vec<&str> {
            lower.split(|c| !is_part(c)).filter(|word| !word.is_empty()).collect()
        };
        let words = pieces(char::is_alphabetic);
        let is_long = words.len() >= FEWEST_WORDS;
        let said = if is_long { words.join(" ") } else { pieces(char::is_alphanumeric).join(" ") };
        // What has neither a letter nor a digit is known by all of it.
        let first = *of_letters.entry(if said.is_empty() { lower.clone() } else { said }).or_insert(row);
        groups.join(first, row);
        let is_compared = first == row && is_long;
        pairs.push(if is_compared { pairs_of(&words) } else { Vec::new() });
    }
    // One band after the other, so that no more than one is held.
    let least: Vec<Option<[u64; BINS]>> =
        pairs.iter().map(|pairs| (!pairs.is_empty()).then(|| least_hashes(pairs))).collect();
    for band in (0..BINS).step_by(ROWS) {
        let mut alike: HashMap<[u64; ROWS], Vec<usize>> = HashMap::new();
        for (row, least) in least.iter().enumerate() {
            let Some(least) = least else { continue };
            let key = std::array::from_fn(|place| least[band + place]);
            let before = alike.entry(key).or_default();
            for &other in before.iter().take(MOST_COMPARED) {
                if groups.first(other) != groups.first(row) && shared(&pairs[other], &pairs[row]) >= LEAST_SHARED {
                    groups.join(other, row);
                }
            }
            before.push(row);
        }
    }
    (0..texts.len()).map(|row| groups.first(row)).collect()
}

/// The hashes of a text's pairs of words, each once, rising.
fn pairs_of(words: &[&str]) -> Vec<u64> {
    let hash = |word: &str| {
        word.bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
    };
    let hashes: Vec<u64> = words.iter().map(|word| hash(word)).collect();
    let mut pairs: Vec<u64> = hashes.windows(2).map(|pair| mixed(pair[0].rotate_left(23) ^ pair[1])).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The finisher of MurmurHash3.
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ (hash >> 33)
}

/// The least hash of each of some orders of all pairs: two texts have as many in common as they share pairs (A. Broder, "On the
/// resemblance and containment of documents", 1997).
fn least_hashes(pairs: &[u64]) -> [u64; BINS] {
    let mut least = [u64::MAX; BINS];
    for pair in pairs {
        let (mut hash, step) = (*pair, mixed(pair.wrapping_add(0x9E37_79B9_7F4A_7C15)) | 1);
        for least in &mut least {
            hash = hash.wrapping_add(step);
            *least = (*least).min(hash);
        }
    }
    least
}

/// The share of hashes that are in both, of those in either.
fn shared(one: &[u64], other: &[u64]) -> f64 {
    let both = one.iter().filter(|hash| other.binary_search(hash).is_ok()).count();
    both as f64 / (one.len() + other.len() - both) as f64
}

/// Which text is of which group: each leads to one before it, or is the first.
struct Groups(Vec<usize>);

impl Groups {
    fn first(&mut self, row: usize) -> usize {
        let mut first = row;
        while self.0[first] != first {
            first = self.0[first];
        }
        // The next one who asks is led there at once.
        let mut at = row;
        while self.0[at] != first {
            at = std::mem::replace(&mut self.0[at], first);
        }
        first
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_by_a_word_or_a_number_is_one() {
        let long =
            "the committee said on monday that the bridge over the river would be closed for repairs until spring";
        let texts = [
            long,
            &long.replace("monday", "friday"),
            &format!("{long} 17 (again)"),
            "the committee has no idea what it is talking about and the bridge should simply stay open all winter",
            "Thanks!!",
            "thanks (2)",
            "**thanks**",
            "12",
            "13",
            " Thanks",
            "",
        ];
        assert_eq!(groups(&texts), [0, 0, 0, 3, 4, 5, 4, 7, 8, 4, 10]);
    }

    #[test]
    fn one_changed_word_of_twenty_is_found_in_nearly_all_texts() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut word = || (0..6).map(|_| random.lowercase()).collect::<String>();
        let texts: Vec<Vec<String>> = (0..300).map(|_| (0..20).map(|_| word()).collect()).collect();
        let changed = texts.iter().enumerate().map(|(row, words)| {
            let mut words = words.clone();
            words[row % 20] = "another".to_owned();
            words.join(" ")
        });
        let all: Vec<String> = texts.iter().map(|words| words.join(" ")).chain(changed).collect();
        let found = groups(&all.iter().map(String::as_str).collect::<Vec<_>>());
        assert!((0..300).all(|row| found[row] == row), "texts of other words are no duplicates");
        let joined = (0..300).filter(|row| found[300 + row] == *row).count();
        assert!(joined >= 295, "{joined} of 300");
    }

    proptest! {
        #[test]
        fn the_first_of_a_group_is_its_own_first(texts in prop::collection::vec("[a-c ]{0,8}", 0..40)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = groups(&texts);
            for (row, &first) in found.iter().enumerate() {
                prop_assert!(first <= row && found[first] == first);
                for (other, text) in texts.iter().enumerate() {
                    prop_assert!(text.trim() != texts[row].trim() || found[other] == first);
                }
            }
        }
    }
}
