//! Tokens to a sparse vector: word n-grams and subwords weighted by TF-IDF, and standardised measures.
//!
//! TF-IDF as scikit-learn has it with `sublinear_tf` and `smooth_idf`: a term that stands n times in the text weighs
//! (1 + ln n) * idf, idf = ln((1 + documents) / (1 + documents with it)) + 1, and the vector is scaled to length 1, that of terms
//! and that of subwords each
//! ([user guide](https://scikit-learn.org/stable/modules/feature_extraction.html#tfidf-term-weighting)).

use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use normal_form::{Letters, undo_transport};

use crate::filter::Filter;
use crate::hash::{AsIs, Hash, follow};
use crate::known::{COMMON_SHARE, WordKeys};
use crate::measures::{MEASURES, measure};
use crate::model::Score;
use crate::scan::{Counts, Lexicon, NO_TERM, Scan, Token, normal_form};
use crate::second_form::{SecondForm, may_be_disguised};
use crate::subwords::{self, BORDER, Subword, Table, spread};
use crate::support::{Size, size};
use crate::words::{Word, WordsOf};

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
    /// Whether that is ASCII: it is asked for each n-gram that is shown.
    is_ascii: bool,
    /// The same with its letters in their one form; of a text that is ASCII it is never asked for.
    letters: Letters,
    scan: Scan,
    words: WordsOf,
    second_form: SecondForm,
    /// The terms found, in order of their first occurrence.
    pub(crate) terms: Vec<FoundTerm>,
    /// The subwords found, in order of their first occurrence.
    pub(crate) subwords: Vec<FoundSubword>,
    /// The pairs of tokens that the filter lets pass.
    pairs: Vec<Pair>,
    /// The subwords found, once each.
    new: Vec<u32>,
    /// How often each feature was found; all zero between texts.
    times: Vec<u32>,
    /// The place of each feature that was found among those found.
    places: Vec<u32>,
    /// The standardised measures.
    pub(crate) measures: [f64; MEASURES],
    /// The scores by each label.
    pub(crate) scores: Vec<Score>,
}

/// Two tokens that may be a term.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    hash: u64,
    /// The index of the first one.
    first: u32,
    /// The term's index.
    term: u32,
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
        self.clean(text);
        let Scratch { cleaned, is_ascii, letters, scan, .. } = self;
        scan.read(if *is_ascii { cleaned } else { letters.text() });
    }

    /// Undoes what transport did to `text`, and puts its letters in one form.
    fn clean(&mut self, text: &str) {
        undo_transport(text, &mut self.cleaned);
        self.is_ascii = self.cleaned.is_ascii();
        if !self.is_ascii {
            self.letters.read(&self.cleaned);
        }
    }

    /// Whether some word of the text may be another in disguise, where no more than these words are known; else no vectorizer that
    /// knows some of them reads the text otherwise than [`Scratch::read`] did.
    pub fn may_have_second_form(&mut self, is_word: impl Fn(u64) -> bool) -> bool {
        let Scratch { cleaned, is_ascii, letters, scan, second_form, .. } = self;
        second_form.may_change(scan, if *is_ascii { cleaned } else { letters.text() }, is_word)
    }

    /// The text's size, where the words with these hashes are known.
    pub fn size(&self, is_known: impl Fn(u64) -> bool) -> Size {
        size(&self.scan, self.scanned(), |token| is_known(token.hash))
    }

    /// The size of the text that [`Vectorizer::vectorize`] read, whose words are known where the vectorizer knows them.
    pub(crate) fn size_of_read(&self) -> Size {
        size(&self.scan, self.scanned(), |token| token.is_known)
    }

    /// Calls `found` with the hash of each word of the text.
    pub fn each_word(&self, found: impl FnMut(u64)) {
        self.scan.words.iter().map(|&index| self.scan.tokens[index as usize].hash).for_each(found);
    }

    /// The text that the tokens are of.
    fn scanned(&self) -> &str {
        if self.is_ascii { &self.cleaned } else { self.letters.text() }
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

    /// What was counted in the text.
    pub(crate) fn counts(&self) -> &Counts {
        &self.scan.counts
    }

    /// The text's measures, not standardised.
    pub fn measures(&self) -> [f32; MEASURES] {
        measure(&self.scan.counts)
    }

    /// The spelling of an n-gram in the text, as its author saw it.
    pub fn spelling(&self, ngram: &NGram) -> &str {
        let tokens = self.tokens(ngram);
        let stretch = tokens[0].start as usize..tokens[tokens.len() - 1].end as usize;
        &self.cleaned[if self.is_ascii { stretch } else { self.letters.before(stretch) }]
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

    /// The number of words.
    pub(crate) fn words(&self) -> usize {
        self.scan.words.len()
    }

    /// The words that hold subwords which were found, in order, each with the places of those among all that were found.
    pub(crate) fn words_with_subwords(&self) -> impl Iterator<Item = (NGram, impl Iterator<Item = usize>)> {
        let mut start = 0;
        let words = self.scan.words.iter().zip(&self.scan.subword_ends).map(move |(&first, &end)| {
            let of_word = &self.scan.subwords[start..end as usize];
            start = end as usize;
            (first, of_word)
        });
        words.filter(|(_, of_word)| !of_word.is_empty()).map(|(first, of_word)| {
            let word = NGram { hash: self.scan.tokens[first as usize].hash, first, more: 0 };
            (word, of_word.iter().map(|&index| self.places[index as usize] as usize))
        })
    }

    /// The bytes of an n-gram's spelling.
    pub(crate) fn spelling_length(&self, ngram: &NGram) -> usize {
        if !self.is_ascii {
            return self.spelling(ngram).len();
        }
        let tokens = self.tokens(ngram);
        (tokens[tokens.len() - 1].end - tokens[0].start) as usize
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
    known: WordKeys,
    common: WordKeys,
    /// The hash of each single mark of ASCII, and the term that it is.
    marks: Box<[(u64, u32)]>,
    /// What tells this vocabulary from others, for what is kept of words.
    number: u64,
}

/// The number of the next vocabulary.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// How many term frequencies are looked up; higher ones are rare enough for a logarithm.
const TF: usize = 32;

/// The sublinear term frequency.
pub fn term_frequency(times: u32) -> f64 {
    1.0 + f64::from(times).ln()
}

impl Vectorizer {
    /// Makes a vectorizer over n-grams of up to `longest` tokens. Features are numbered as they are listed.
    pub fn new(terms: &[Feature], subwords: &[Subword], measures: [Measure; MEASURES], longest: usize) -> Self {
        let mut vectorizer = Vectorizer {
            terms: terms.iter().zip(0..).map(|(feature, index)| (feature.hash, index)).collect(),
            term_filter: Filter::new(terms.iter().map(|feature| feature.hash)),
            term_idf: terms.iter().map(|feature| feature.idf).collect(),
            subwords: Table::new(subwords),
            subword_filter: Filter::new(subwords.iter().map(|subword| spread(subword.key))),
            subword_idf: subwords.iter().map(|subword| subword.idf).collect(),
            measures,
            longest,
            tf: std::array::from_fn(|times| term_frequency(times as u32)),
            known: WordKeys::default(),
            common: WordKeys::default(),
            marks: Box::default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        };
        let mark = |mark: u8| {
            let mut hash = Hash::new();
            hash.byte(mark);
            (hash.finish(), vectorizer.term(hash.finish()))
        };
        vectorizer.marks = (0..=u8::MAX).map(mark).collect();
        vectorizer
    }

    /// The same vectorizer, which knows the words with these keys: a word that neither they nor the terms hold is looked at in its
    /// second form.
    #[must_use]
    pub fn with_known_words(mut self, keys: &[u32]) -> Self {
        self.known = WordKeys::new(keys);
        self.number = NEXT.fetch_add(1, Ordering::Relaxed);
        self
    }

    /// The same vectorizer, which counts the words with these keys as common, whether or not they are terms.
    #[must_use]
    pub(crate) fn with_common_words(mut self, keys: &[u32]) -> Self {
        self.common = WordKeys::new(keys);
        self
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.term_idf.len()
    }

    /// How many terms and subwords there are.
    pub fn features(&self) -> usize {
        self.term_idf.len() + self.subword_idf.len()
    }

    /// Whether all that the n-gram holds is common: words that stand in [`COMMON_SHARE`] of the training's texts, and punctuation.
    /// An older model says so of its terms alone, by their inverse document frequency.
    pub(crate) fn is_common(&self, ngram: &NGram, scratch: &Scratch) -> bool {
        let least_idf = ((1.0 / COMMON_SHARE).ln() + 1.0) as f32;
        scratch.tokens(ngram).iter().all(|token| {
            let is_word = scratch.scanned()[token.start as usize..].starts_with(char::is_alphanumeric);
            !is_word
                || self.common.has(token.hash)
                || self.common.is_empty() && self.idf(token.hash).is_some_and(|idf| idf < least_idf)
        })
    }

    /// The inverse document frequency of a term.
    fn idf(&self, hash: u64) -> Option<f32> {
        self.terms.get(&hash).map(|&index| self.term_idf[index as usize])
    }

    /// Leaves the vector of `text` in `scratch`.
    pub fn vectorize(&self, text: &str, scratch: &mut Scratch) {
        self.read(text, scratch);
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

    /// Reads `text` and looks its tokens and subwords up, those of words that are not known by their second form.
    fn read(&self, text: &str, scratch: &mut Scratch) {
        scratch.clean(text);
        let Scratch { cleaned, is_ascii, letters, scan, words, second_form, .. } = scratch;
        let scanned = if *is_ascii { cleaned } else { letters.text() };
        scan.look_up(scanned, self, words.of(self.number));
        if scan.may_be_disguised && !self.known.is_empty() && second_form.apply(scan, scanned, |hash| self.has(hash)) {
            self.look_up_again(scan);
        }
    }

    /// Whether a word is known, or a term.
    fn has(&self, hash: u64) -> bool {
        self.known.has(hash) || self.term(hash) != NO_TERM
    }

    /// Looks up all that was scanned.
    fn look_up_again(&self, scan: &mut Scan) {
        for token in &mut scan.tokens {
            token.term = self.term(token.hash);
        }
        for &word in &scan.words {
            let token = &mut scan.tokens[word as usize];
            token.is_known = self.known.has(token.hash);
        }
        scan.subword_ends.clear();
        scan.make_room(0, scan.forms.len());
        let Scan { forms, subwords, subword_ends, .. } = scan;
        let mut count = 0;
        for form in forms.split_inclusive(|&byte| byte == BORDER) {
            count += self.subwords(form, &mut subwords[count..]);
            subword_ends.push(count as u32);
        }
    }

    fn find_terms(&self, scratch: &mut Scratch) {
        let Scratch { scan: Scan { tokens, .. }, terms, pairs, times, .. } = scratch;
        terms.clear();
        let mut note = |index: u32, ngram: NGram| {
            let times = &mut times[index as usize];
            if *times == 0 {
                terms.push(FoundTerm { index, ngram, value: 0.0 });
            }
            *times += 1;
        };
        if self.longest == 2 {
            self.find_pairs(tokens, pairs);
            let mut pairs = pairs.iter();
            let mut pair = pairs.next();
            for (token, first) in tokens.iter().zip(0..) {
                if token.term != NO_TERM {
                    note(token.term, NGram { hash: token.hash, first, more: 0 });
                }
                if let Some(&Pair { hash, first, term }) = pair.filter(|pair| pair.first == first) {
                    note(term, NGram { hash, first, more: 1 });
                    pair = pairs.next();
                }
            }
        } else {
            for ngram in (NGrams { tokens, longest: self.longest, at: 0, length: 0, hash: 0 }) {
                let index = self.term(ngram.hash);
                if index != NO_TERM {
                    note(index, ngram);
                }
            }
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

    /// Finds the pairs of tokens that are terms.
    fn find_pairs(&self, tokens: &[Token], pairs: &mut Vec<Pair>) {
        // Whether a pair passes the filter is a coin's toss, which no processor foresees: each is written, and the next one
        // replaces those that do not count.
        if pairs.len() < tokens.len() {
            pairs.resize(tokens.len(), Pair::default());
        }
        let mut count = 0;
        for (two, first) in tokens.windows(2).zip(0..) {
            let hash = follow(two[0].hash, two[1].hash);
            pairs[count] = Pair { hash, first, term: NO_TERM };
            count += usize::from(self.term_filter.may_have(hash));
        }
        pairs.truncate(count);
        pairs.retain_mut(|pair| {
            pair.term = self.terms.get(&pair.hash).copied().unwrap_or(NO_TERM);
            pair.term != NO_TERM
        });
    }

    fn find_subwords(&self, scratch: &mut Scratch) {
        let Scratch { scan, subwords: all, new, times, places, .. } = scratch;
        new.resize(self.subword_idf.len() + 1, 0);
        // Whether a subword is new is such a toss, too.
        let mut count = 0;
        for &index in &scan.subwords[..scan.subword_count()] {
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

impl Lexicon for Vectorizer {
    #[inline]
    fn term(&self, hash: u64) -> u32 {
        if !self.term_filter.may_have(hash) {
            return NO_TERM;
        }
        self.terms.get(&hash).copied().unwrap_or(NO_TERM)
    }

    fn word(&self, hash: u64, form: &[u8]) -> Word {
        let (term, is_known) = (self.term(hash), self.known.has(hash));
        // A vectorizer that knows no words looks at none a second time.
        let may_be_disguised = !is_known && term == NO_TERM && !self.known.is_empty() && may_be_disguised(form);
        Word { hash, term, is_known, may_be_disguised }
    }

    fn subwords(&self, form: &[u8], to: &mut [u32]) -> usize {
        let mut count = 0;
        subwords::each(form, |key, is_one, _| {
            if is_one
                && self.subword_filter.may_have(spread(key))
                && let Some(index) = self.subwords.find(key)
            {
                to[count] = index;
                count += 1;
            }
        });
        count
    }

    #[inline]
    fn mark(&self, mark: u8) -> (u64, u32) {
        self.marks[usize::from(mark)]
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
        let words: Vec<_> =
            scratch.words_with_subwords().map(|(word, of)| (scratch.spelling(&word), of.count())).collect();
        assert_eq!(words, [("RUNNING", 2), ("sing", 1)]);
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

    /// The vector of a text, step by step: all is scanned, then second forms are put in place, then each feature is counted.
    fn step_by_step(vectorizer: &Vectorizer, text: &str) -> (Vec<(u32, f64)>, [f32; MEASURES], Vec<u64>) {
        let mut scratch = Scratch::default();
        scratch.read(text);
        if !vectorizer.known.is_empty() {
            let Scratch { cleaned, is_ascii, letters, scan, second_form, .. } = &mut scratch;
            let scanned = if *is_ascii { cleaned } else { letters.text() };
            second_form.apply(scan, scanned, |hash| vectorizer.has(hash));
        }
        let (mut terms, mut subwords) = (Vec::new(), Vec::new());
        let note = |all: &mut Vec<(u32, u32)>, index: u32| match all.iter_mut().find(|found| found.0 == index) {
            Some(found) => found.1 += 1,
            None => all.push((index, 1)),
        };
        for ngram in scratch.ngrams(vectorizer.longest) {
            if let Some(&index) = vectorizer.terms.get(&ngram.hash) {
                note(&mut terms, index);
            }
        }
        scratch.each_subword(|key| {
            if let Some(index) = vectorizer.subwords.find(key) {
                note(&mut subwords, index);
            }
        });
        let weighted = |all: Vec<(u32, u32)>, idf: &[f32], first: usize| {
            let values = all.iter().map(|&(index, times)| term_frequency(times) * f64::from(idf[index as usize]));
            let values: Vec<f64> = values.collect();
            let scale = 1.0 / f64::sqrt(values.iter().map(|value| value * value).sum());
            let indices = all.into_iter().map(move |(index, _)| first as u32 + index);
            indices.zip(values).map(move |(index, value)| (index, value * scale)).collect::<Vec<_>>()
        };
        let terms = weighted(terms, &vectorizer.term_idf, 0);
        let subwords = weighted(subwords, &vectorizer.subword_idf, vectorizer.terms());
        let mut known = Vec::new();
        scratch.each_word(|hash| known.extend(vectorizer.known.has(hash).then_some(hash)));
        ([terms, subwords].concat(), scratch.measures(), known)
    }

    proptest! {
        /// Also where words are met again, are long, are of other letters, or are another word in disguise.
        #[test]
        fn what_is_looked_up_along_the_way_is_what_step_by_step_is_found(
            texts in prop::collection::vec("(([a-cA-C]{1,4}|ab|AB|b4d|baaad|bad|b a d|[ab]{14,18}|a'b|\u{E9}a|\u{390}{1,4}|www\\.a|[0-9]{1,3}|h)[ .,!?\u{2014}-]{0,2}){0,9}", 1..5),
            longest in 1..4_usize,
            knows_words: bool,
        ) {
            let all = "a b ab bad a-b , a. \u{E9}a a'b abab aaaaaaaaaaaaaaaa";
            let mut scratch = Scratch::default();
            scratch.read(all);
            let mut terms: Vec<Feature> = scratch.ngrams(longest).map(|ngram| Feature { hash: ngram.hash, idf: 1.5 }).collect();
            terms.sort_unstable_by_key(|term| term.hash);
            terms.dedup_by_key(|term| term.hash);
            let mut keys = Vec::new();
            scratch.each_subword(|key| keys.push(key));
            keys.sort_unstable();
            keys.dedup();
            let subwords: Vec<Subword> = keys.into_iter().zip(1..).map(|(key, idf)| Subword { key, idf: idf as f32 }).collect();
            let mut words = vec![crate::known::word_key(crate::known::word_hash("bad")), crate::known::word_key(crate::known::word_hash("abc"))];
            words.truncate(if knows_words { 2 } else { 0 });
            let vectorizer = Vectorizer::new(&terms, &subwords, FLAT, longest).with_known_words(&words);
            let other = Vectorizer::new(&terms[1..], &subwords[1..], FLAT, longest);
            let mut scratch = Scratch::default();
            for text in texts.iter().chain(&texts) {
                other.vectorize(text, &mut scratch);
                vectorizer.vectorize(text, &mut scratch);
                let (vector, measures, known) = step_by_step(&vectorizer, text);
                prop_assert_eq!(scratch.vector(&vectorizer).0.collect::<Vec<_>>(), vector);
                prop_assert_eq!(scratch.measures(), measures);
                let found = scratch.scan.words.iter().map(|&word| scratch.scan.tokens[word as usize]);
                prop_assert_eq!(found.filter(|it| it.is_known).map(|it| it.hash).collect::<Vec<_>>(), known);
                prop_assert_eq!(scratch.size_of_read(), scratch.size(|hash| vectorizer.known.has(hash)));
                let of_words: usize = scratch.words_with_subwords().map(|(_, of_word)| of_word.count()).sum();
                prop_assert_eq!(of_words as u32, scratch.subwords.iter().map(|found| found.times).sum::<u32>());
            }
        }

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
