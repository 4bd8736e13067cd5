//! Tokens to a sparse vector: word n-grams and subwords weighted by TF-IDF, and standardised measures.
//!
//! TF-IDF as scikit-learn has it with `sublinear_tf` and `smooth_idf`: a term that stands n times in the text weighs
//! (1 + ln n) * idf, idf = ln((1 + documents) / (1 + documents with it)) + 1, and the vector is scaled to length 1, that of terms
//! and that of subwords each
//! ([user guide](https://scikit-learn.org/stable/modules/feature_extraction.html#tfidf-term-weighting)).

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use normal_form::{Letters, undo_transport};

use crate::filter::Filter;
use crate::hash::{AsIs, follow};
use crate::known::KnownWords;
use crate::measures::{MEASURES, measure};
use crate::model::Score;
use crate::scan::{Scan, Token, normal_form};
use crate::second_form::SecondForm;
use crate::subwords::{self, SUBWORDS_A_BYTE, Subword, Table, spread};
use crate::support::{Size, size};

/// The most standard deviations that a standardised measure lies from its mean.
const MEASURE_LIMIT: f64 = 5.0;

/// How a measure is standardised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// The measure's mean over the training comments.
    pub mean: f32,
    /// The measure's standard deviation there, above zero.
    pub deviation: f32,
}

impl Measure {
    /// A measure in standard deviations from its mean.
    pub fn standardised(self, raw: f32) -> f64 {
        (f64::from(raw - self.mean) / f64::from(self.deviation)).clamp(-MEASURE_LIMIT, MEASURE_LIMIT)
    }
}

/// A term of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// The hash of the term's n-gram.
    pub hash: u64,
    /// The term's inverse document frequency.
    pub idf: f32,
}

/// An n-gram of a text. The order is that of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NGram {
    /// The index of the n-gram's first token.
    first: u32,
    /// The number of the n-gram's tokens, less one.
    more: u32,
    /// The n-gram's hash.
    pub hash: u64,
}

/// The n-grams of a scanned text, shorter ones first at each token.
#[derive(Clone, Debug)]
pub struct NGrams<'a> {
    tokens: &'a [Token],
    longest: usize,
    at: usize,
    length: usize,
    hash: u64,
}

impl Iterator for NGrams<'_> {
    type Item = NGram;

    #[inline]
    fn next(&mut self) -> Option<NGram> {
        if self.length == self.longest || self.at + self.length >= self.tokens.len() {
            if self.length > 0 {
                self.at += 1;
                self.length = 0;
            }
            if self.at >= self.tokens.len() || self.longest == 0 {
                return None;
            }
        }
        let token = self.tokens[self.at + self.length].hash;
        self.hash = if self.length == 0 { token } else { follow(self.hash, token) };
        self.length += 1;
        Some(NGram { hash: self.hash, first: self.at as u32, more: self.length as u32 - 1 })
    }
}

/// Buffers that scoring reuses, so that it allocates nothing once warm. One a thread, for any number of models.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The text as its author saw it.
    cleaned: String,
    /// The same with its letters in their one form; of a text that is ASCII it is never asked for.
    letters: Letters,
    scan: Scan,
    second_form: SecondForm,
    /// The terms found, in order of their first occurrence.
    pub(crate) terms: Vec<FoundTerm>,
    /// The subwords found, in order of their first occurrence.
    pub(crate) subwords: Vec<FoundSubword>,
    /// The subwords that the filter lets pass: each one's key, and the index of its word.
    candidates: Vec<(u32, u32)>,
    /// The subwords found, once each.
    new: Vec<u32>,
    /// The occurrences of subwords: which one, and in which word.
    occurrences: Vec<(u32, u32)>,
    /// How often each feature was found; all zero between texts.
    times: Vec<u32>,
    /// The place of each feature that was found among those found.
    places: Vec<u32>,
    /// The standardised measures.
    pub(crate) measures: [f64; MEASURES],
    /// The scores by each label.
    pub(crate) scores: Vec<Score>,
}

/// A term in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundTerm {
    /// The term's index.
    pub(crate) index: u32,
    /// The term's first occurrence.
    pub(crate) ngram: NGram,
    /// The weight in the vector.
    pub(crate) value: f64,
}

/// A subword in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundSubword {
    /// The subword's index.
    pub(crate) index: u32,
    /// How often the subword occurs.
    pub(crate) times: u32,
    /// The weight in the vector.
    pub(crate) value: f64,
}

impl Scratch {
    /// Reads `text`, which the other methods are then about.
    pub fn read(&mut self, text: &str) {
        undo_transport(text, &mut self.cleaned);
        if !self.cleaned.is_ascii() {
            self.letters.read(&self.cleaned);
        }
        // Not the method: `scan` is lent out.
        let scanned = if self.cleaned.is_ascii() { &self.cleaned } else { self.letters.text() };
        self.scan.read(scanned);
    }

    /// Puts the second form of words in place of those that have one, and are not known.
    fn apply_second_form(&mut self, is_known: impl Fn(u64) -> bool) {
        let Scratch { cleaned, letters, scan, second_form, .. } = self;
        second_form.apply(scan, if cleaned.is_ascii() { cleaned } else { letters.text() }, is_known);
    }

    /// Whether some word of the text may be another in disguise, where no more than these words are known; else no vectorizer that
    /// knows some of them reads the text otherwise than [`Scratch::read`] did.
    pub fn may_have_second_form(&mut self, is_word: impl Fn(u64) -> bool) -> bool {
        let Scratch { cleaned, letters, scan, second_form, .. } = self;
        second_form.may_change(scan, if cleaned.is_ascii() { cleaned } else { letters.text() }, is_word)
    }

    /// The text's size, where the words with these hashes are known.
    pub fn size(&self, is_known: impl Fn(u64) -> bool) -> Size {
        size(&self.scan, self.scanned(), is_known)
    }

    /// Calls `found` with the hash of each word of the text.
    pub fn each_word(&self, found: impl FnMut(u64)) {
        self.scan.words.iter().map(|&index| self.scan.tokens[index as usize].hash).for_each(found);
    }

    /// The text that the tokens are of.
    fn scanned(&self) -> &str {
        if self.cleaned.is_ascii() { &self.cleaned } else { self.letters.text() }
    }

    /// The text's n-grams of up to `longest` tokens.
    pub fn ngrams(&self, longest: usize) -> NGrams<'_> {
        NGrams { tokens: &self.scan.tokens, longest, at: 0, length: 0, hash: 0 }
    }

    /// Calls `found` with the key of each subword of the text.
    pub fn each_subword(&self, mut found: impl FnMut(u32)) {
        subwords::each(&self.scan.forms, |key, is_one, _| {
            if is_one {
                found(key);
            }
        });
    }

    /// The text's measures, not standardised.
    pub fn measures(&self) -> [f32; MEASURES] {
        measure(&self.scan.counts)
    }

    /// The spelling of an n-gram in the text, as its author saw it.
    pub fn spelling(&self, ngram: &NGram) -> &str {
        let tokens = self.tokens(ngram);
        let stretch = tokens[0].start as usize..tokens[tokens.len() - 1].end as usize;
        &self.cleaned[if self.cleaned.is_ascii() { stretch } else { self.letters.before(stretch) }]
    }

    /// An n-gram's normal form: its tokens' normal forms, with a space between. Second forms are not looked at.
    pub fn normal_form(&self, ngram: &NGram) -> String {
        let forms = self.tokens(ngram).iter();
        let forms = forms.map(|token| normal_form(&self.scanned()[token.start as usize..token.end as usize]));
        forms.collect::<Vec<_>>().join(" ")
    }

    fn tokens(&self, ngram: &NGram) -> &[Token] {
        &self.scan.tokens[ngram.first as usize..=(ngram.first + ngram.more) as usize]
    }

    /// The vector that [`Vectorizer::vectorize`] left: the features found with their weights, terms and then subwords, and
    /// the standardised measures.
    pub fn vector(&self, vectorizer: &Vectorizer) -> (impl Iterator<Item = (u32, f64)>, &[f64; MEASURES]) {
        let first = vectorizer.terms() as u32;
        let subwords = self.found_subwords().map(move |(index, value)| (first + index, value));
        (self.found_terms().chain(subwords), &self.measures)
    }

    /// The terms found, each with its index and its weight in the vector.
    pub(crate) fn found_terms(&self) -> impl Iterator<Item = (u32, f64)> {
        self.terms.iter().map(|found| (found.index, found.value))
    }

    /// The subwords found, each with its index and its weight in the vector.
    pub(crate) fn found_subwords(&self) -> impl Iterator<Item = (u32, f64)> {
        self.subwords.iter().map(|found| (found.index, found.value))
    }

    /// The standardised measures, each with its index.
    pub(crate) fn found_measures(&self) -> impl Iterator<Item = (u32, f64)> {
        self.measures.iter().zip(0..).map(|(value, index)| (index, *value))
    }

    /// The occurrences of subwords: each with the subword found, and the word it stands in.
    pub(crate) fn occurrences(&self) -> impl Iterator<Item = (&FoundSubword, NGram)> {
        self.occurrences.iter().map(|&(index, word)| {
            let place = self.places[index as usize];
            let first = self.scan.words[word as usize];
            let hash = self.scan.tokens[first as usize].hash;
            (&self.subwords[place as usize], NGram { hash, first, more: 0 })
        })
    }
}

/// Turns texts into vectors: terms, in sum of length one, subwords likewise, and measures.
#[derive(Clone, Debug)]
pub struct Vectorizer {
    terms: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    term_filter: Filter,
    term_idf: Vec<f32>,
    subwords: Table,
    subword_filter: Filter,
    subword_idf: Vec<f32>,
    measures: [Measure; MEASURES],
    longest: usize,
    tf: [f64; TF],
    known: KnownWords,
}

/// How many term frequencies are looked up; higher ones are rare enough for a logarithm.
const TF: usize = 32;

/// The sublinear term frequency.
pub fn term_frequency(times: u32) -> f64 {
    1.0 + f64::from(times).ln()
}

impl Vectorizer {
    /// Makes a vectorizer over n-grams of up to `longest` tokens. Features are numbered as they are listed.
    pub fn new(terms: &[Feature], subwords: &[Subword], measures: [Measure; MEASURES], longest: usize) -> Self {
        Vectorizer {
            terms: terms.iter().zip(0..).map(|(feature, index)| (feature.hash, index)).collect(),
            term_filter: Filter::new(terms.iter().map(|feature| feature.hash)),
            term_idf: terms.iter().map(|feature| feature.idf).collect(),
            subwords: Table::new(subwords),
            subword_filter: Filter::new(subwords.iter().map(|subword| spread(subword.key))),
            subword_idf: subwords.iter().map(|subword| subword.idf).collect(),
            measures,
            longest,
            tf: std::array::from_fn(|times| term_frequency(times as u32)),
            known: KnownWords::default(),
        }
    }

    /// The same vectorizer, which knows the words with these keys: a word that neither they nor the terms hold is looked at in its
    /// second form.
    #[must_use]
    pub fn with_known_words(mut self, keys: &[u32]) -> Self {
        self.known = KnownWords::new(keys);
        self
    }

    /// Whether enough training texts hold the word with this hash. A rare word may have a weight all the same: among many texts,
    /// words of other languages do.
    pub(crate) fn knows(&self, hash: u64) -> bool {
        self.known.has(hash)
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.term_idf.len()
    }

    /// How many terms and subwords there are.
    pub fn features(&self) -> usize {
        self.term_idf.len() + self.subword_idf.len()
    }

    /// Leaves the vector of `text` in `scratch`.
    pub fn vectorize(&self, text: &str, scratch: &mut Scratch) {
        scratch.read(text);
        if !self.known.is_empty() {
            scratch.apply_second_form(|hash| self.known.has(hash) || self.terms.contains_key(&hash));
        }
        let features = self.term_idf.len().max(self.subword_idf.len());
        scratch.times.resize(features, 0);
        scratch.places.resize(features, 0);
        self.find_terms(scratch);
        self.find_subwords(scratch);
        let raw = scratch.measures();
        for ((value, raw), measure) in scratch.measures.iter_mut().zip(raw).zip(self.measures) {
            *value = measure.standardised(raw);
        }
    }

    fn find_terms(&self, scratch: &mut Scratch) {
        let Scratch { scan: Scan { tokens, .. }, terms, times, .. } = scratch;
        terms.clear();
        for ngram in (NGrams { tokens, longest: self.longest, at: 0, length: 0, hash: 0 }) {
            if !self.term_filter.may_have(ngram.hash) {
                continue;
            }
            let Some(&index) = self.terms.get(&ngram.hash) else {
                continue;
            };
            let times = &mut times[index as usize];
            if *times == 0 {
                terms.push(FoundTerm { index, ngram, value: 0.0 });
            }
            *times += 1;
        }
        let mut squares = 0.0;
        for found in &mut *terms {
            let times = std::mem::take(&mut times[found.index as usize]);
            found.value = self.tf(times) * f64::from(self.term_idf[found.index as usize]);
            squares += found.value * found.value;
        }
        let scale = 1.0 / f64::sqrt(squares);
        for found in terms {
            found.value *= scale;
        }
    }

    fn find_subwords(&self, scratch: &mut Scratch) {
        let Scratch { scan: Scan { forms, .. }, subwords: all, candidates, new, occurrences, times, places, .. } =
            scratch;
        let most = forms.len() * SUBWORDS_A_BYTE + 1;
        if candidates.len() < most {
            candidates.resize(most, (0, 0));
        }
        new.resize(self.subword_idf.len() + 1, 0);
        // Whether a subword passes the filter, or is new, is a coin's toss, which no processor foresees: each is written, and
        // the next one replaces those that do not count.
        let mut count = 0;
        subwords::each(forms, |key, is_one, word| {
            candidates[count] = (key, word);
            count += usize::from(is_one & self.subword_filter.may_have(spread(key)));
        });
        occurrences.clear();
        let found = candidates[..count].iter().filter_map(|&(key, word)| Some((self.subwords.find(key)?, word)));
        occurrences.extend(found);
        let mut count = 0;
        for &(index, _) in &*occurrences {
            let times = &mut times[index as usize];
            new[count] = index;
            count += usize::from(*times == 0);
            *times += 1;
        }
        all.clear();
        let mut squares = 0.0;
        all.extend(new[..count].iter().zip(0..).map(|(&index, place)| {
            let times = std::mem::take(&mut times[index as usize]);
            places[index as usize] = place;
            let value = self.tf(times) * f64::from(self.subword_idf[index as usize]);
            squares += value * value;
            FoundSubword { index, times, value }
        }));
        let scale = 1.0 / f64::sqrt(squares);
        for found in all {
            found.value *= scale;
        }
    }

    #[inline]
    fn tf(&self, times: u32) -> f64 {
        self.tf.get(times as usize).copied().unwrap_or_else(|| term_frequency(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLAT: [Measure; MEASURES] = [Measure { mean: 0.0, deviation: 1.0 }; MEASURES];

    fn forms(text: &str, longest: usize) -> Vec<String> {
        let mut scratch = Scratch::default();
        scratch.read(text);
        scratch.ngrams(longest).map(|ngram| scratch.normal_form(&ngram)).collect()
    }

    fn feature(text: &str, idf: f32) -> Feature {
        let mut scratch = Scratch::default();
        scratch.read(text);
        let hash = scratch.ngrams(9).filter(|ngram| scratch.spelling(ngram) == text).last().map(|ngram| ngram.hash);
        Feature { hash: hash.expect("the whole text is an n-gram"), idf }
    }

    fn subword(text: &str, idf: f32) -> Subword {
        Subword { key: text.bytes().fold(0, |key, byte| key << 8 | u32::from(byte)), idf }
    }

    #[test]
    fn subwords_are_weighted_beside_the_terms_and_lie_in_their_words() {
        let vectorizer = Vectorizer::new(
            &[feature("no", 1.0)],
            &[subword("ing", 2.0), subword(" run", 1.0), subword("xyz", 9.0)],
            FLAT,
            2,
        );
        let mut scratch = Scratch::default();
        vectorizer.vectorize("No? RUNNING, sing", &mut scratch);
        let (ing, run) = (2.0 * (1.0 + 2.0_f64.ln()), 1.0);
        let length = f64::hypot(ing, run);
        let vector: Vec<_> = scratch.vector(&vectorizer).0.collect();
        assert_eq!(vector.iter().map(|found| found.0).collect::<Vec<_>>(), [0, 2, 1]);
        assert!((vector[1].1 - run / length).abs() < 1e-12 && (vector[2].1 - ing / length).abs() < 1e-12);
        let words: Vec<_> = scratch.occurrences().map(|(_, word)| scratch.spelling(&word)).collect();
        assert_eq!(words, ["RUNNING", "RUNNING", "sing"]);
    }

    #[test]
    fn ngrams_run_over_words_and_marks() {
        assert_eq!(forms("No, really.", 2), ["no", "no ,", ",", ", really", "really", "really .", "."]);
        assert_eq!(forms("a b c", 3), ["a", "a b", "a b c", "b", "b c", "c"]);
        assert!(forms("", 2).is_empty() && forms("a", 0).is_empty());
    }

    #[test]
    fn weights_are_sublinear_tf_times_idf_of_length_one() {
        let vectorizer =
            Vectorizer::new(&[feature("really", 2.0), feature("no", 1.0), feature("not here", 5.0)], &[], FLAT, 2);
        let mut scratch = Scratch::default();
        vectorizer.vectorize("No no NO, really", &mut scratch);
        let (no, really) = (1.0 + 3.0_f64.ln(), 2.0);
        let length = f64::hypot(no, really);
        let vector: Vec<_> = scratch.vector(&vectorizer).0.collect();
        assert_eq!(vector.iter().map(|found| found.0).collect::<Vec<_>>(), [1, 0]);
        assert!((vector[0].1 - no / length).abs() < 1e-12 && (vector[1].1 - really / length).abs() < 1e-12);
    }

    #[test]
    fn a_text_without_known_terms_has_an_empty_vector() {
        let mut scratch = Scratch::default();
        let vectorizer = Vectorizer::new(&[feature("really", 2.0)], &[subword(" re", 1.0)], FLAT, 2);
        vectorizer.vectorize("", &mut scratch);
        assert_eq!(scratch.vector(&vectorizer).0.count(), 0);
        assert!(scratch.measures.iter().all(|value| value.is_finite()));
    }

    proptest! {
        #[test]
        fn a_used_scratch_gives_what_a_fresh_one_gives(before in ".{0,60}", text in "[ab .]{0,40}") {
            let vectorizer = Vectorizer::new(&[feature("a", 1.5), feature("b", 1.1), feature("a b", 3.0)], &[subword(" ab", 2.0), subword("aba", 1.2)], FLAT, 2);
            let (mut used, mut fresh) = (Scratch::default(), Scratch::default());
            vectorizer.vectorize(&before, &mut used);
            vectorizer.vectorize(&text, &mut used);
            vectorizer.vectorize(&text, &mut fresh);
            prop_assert!(used.vector(&vectorizer).0.eq(fresh.vector(&vectorizer).0));
            prop_assert_eq!(used.measures, fresh.measures);
        }
    }
}
