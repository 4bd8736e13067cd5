//! Tokens to a sparse vector: word n-grams weighted by TF-IDF, and standardised measures.
//!
//! TF-IDF as scikit-learn has it with `sublinear_tf` and `smooth_idf`: a term that stands n times in the text weighs
//! (1 + ln n) * idf, idf = ln((1 + documents) / (1 + documents with it)) + 1, and the vector is scaled to length 1
//! ([user guide](https://scikit-learn.org/stable/modules/feature_extraction.html#tfidf-term-weighting)).

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;

use crate::clean::clean;
use crate::hash::{AsIs, follow};
use crate::measures::{MEASURES, measure};
use crate::scan::{Counts, Token, normal_form, scan};

/// A standardised measure lies within this many standard deviations.
const MEASURE_LIMIT: f64 = 5.0;

/// How a measure is standardised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Its mean over the training comments.
    pub mean: f32,
    /// Its standard deviation there, above zero.
    pub deviation: f32,
}

/// A term of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// The hash of its n-gram.
    pub hash: u64,
    /// Its inverse document frequency.
    pub idf: f32,
}

/// An n-gram of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NGram {
    /// Its hash.
    pub hash: u64,
    /// Its first token, as an index.
    first: u32,
    /// How many tokens it has, less one.
    more: u32,
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
    cleaned: String,
    tokens: Vec<Token>,
    counts: Counts,
    /// The terms found, in order of their first occurrence.
    pub(crate) found: Vec<Found>,
    /// By term: its place in `found`, plus one; all zero between texts.
    places: Vec<u32>,
    /// The standardised measures.
    pub(crate) measures: [f64; MEASURES],
}

/// A term in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Its index in the vocabulary.
    pub(crate) term: u32,
    /// How often it stands there.
    times: u32,
    /// Where it stands first.
    pub(crate) ngram: NGram,
    /// Its weight in the vector.
    pub(crate) value: f64,
}

impl Scratch {
    /// Cleans and scans `text`, which the methods below are then about.
    pub fn read(&mut self, text: &str) {
        clean(text, &mut self.cleaned);
        scan(&self.cleaned, &mut self.tokens, &mut self.counts);
    }

    /// The text, cleaned.
    pub fn cleaned(&self) -> &str {
        &self.cleaned
    }

    /// Its n-grams of up to `longest` tokens.
    pub fn ngrams(&self, longest: usize) -> NGrams<'_> {
        NGrams { tokens: &self.tokens, longest, at: 0, length: 0, hash: 0 }
    }

    /// Its measures, as they are.
    pub fn measures(&self) -> [f32; MEASURES] {
        measure(&self.counts)
    }

    /// An n-gram as it stands in the text.
    pub fn spelling(&self, ngram: &NGram) -> &str {
        let (first, last) = (ngram.first as usize, (ngram.first + ngram.more) as usize);
        &self.cleaned[self.tokens[first].start as usize..self.tokens[last].end as usize]
    }

    /// An n-gram's normal form: its tokens', with a space between.
    pub fn normal_form(&self, ngram: &NGram) -> String {
        let tokens = &self.tokens[ngram.first as usize..=(ngram.first + ngram.more) as usize];
        let forms = tokens.iter().map(|token| normal_form(&self.cleaned[token.start as usize..token.end as usize]));
        forms.collect::<Vec<_>>().join(" ")
    }

    /// The vector that [`Vectorizer::vectorize`] left: terms found with their weights, and the standardised measures.
    pub fn vector(&self) -> (impl Iterator<Item = (u32, f64)>, &[f64; MEASURES]) {
        (self.found.iter().map(|found| (found.term, found.value)), &self.measures)
    }
}

/// Turns texts into vectors.
#[derive(Clone, Debug)]
pub struct Vectorizer {
    terms: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    idf: Vec<f32>,
    measures: [Measure; MEASURES],
    longest: usize,
}

impl Vectorizer {
    /// A vectorizer over n-grams of up to `longest` tokens. Terms are numbered as `features` lists them.
    pub fn new(features: &[Feature], measures: [Measure; MEASURES], longest: usize) -> Self {
        Vectorizer {
            terms: features.iter().zip(0..).map(|(feature, index)| (feature.hash, index)).collect(),
            idf: features.iter().map(|feature| feature.idf).collect(),
            measures,
            longest,
        }
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.idf.len()
    }

    /// Leaves the vector of `text` in `scratch`.
    pub fn vectorize(&self, text: &str, scratch: &mut Scratch) {
        scratch.read(text);
        let Scratch { tokens, found, places, .. } = scratch;
        places.resize(self.idf.len(), 0);
        found.clear();
        for ngram in (NGrams { tokens, longest: self.longest, at: 0, length: 0, hash: 0 }) {
            let Some(&term) = self.terms.get(&ngram.hash) else {
                continue;
            };
            let place = &mut places[term as usize];
            if *place == 0 {
                found.push(Found { term, times: 1, ngram, value: 0.0 });
                *place = found.len() as u32;
            } else {
                found[*place as usize - 1].times += 1;
            }
        }
        let mut squares = 0.0;
        for found in &mut *found {
            places[found.term as usize] = 0;
            found.value = (1.0 + f64::from(found.times).ln()) * f64::from(self.idf[found.term as usize]);
            squares += found.value * found.value;
        }
        let length = f64::sqrt(squares);
        for found in found {
            found.value /= length;
        }
        let raw = scratch.measures();
        for ((value, raw), Measure { mean, deviation }) in scratch.measures.iter_mut().zip(raw).zip(&self.measures) {
            *value = (f64::from(raw - mean) / f64::from(*deviation)).clamp(-MEASURE_LIMIT, MEASURE_LIMIT);
        }
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

    #[test]
    fn ngrams_run_over_words_and_marks() {
        assert_eq!(forms("No, really.", 2), ["no", "no ,", ",", ", really", "really", "really .", "."]);
        assert_eq!(forms("a b c", 3), ["a", "a b", "a b c", "b", "b c", "c"]);
        assert!(forms("", 2).is_empty() && forms("a", 0).is_empty());
    }

    #[test]
    fn weights_are_sublinear_tf_times_idf_of_length_one() {
        let vectorizer =
            Vectorizer::new(&[feature("really", 2.0), feature("no", 1.0), feature("not here", 5.0)], FLAT, 2);
        let mut scratch = Scratch::default();
        vectorizer.vectorize("No no NO, really", &mut scratch);
        let (no, really) = (1.0 + 3.0_f64.ln(), 2.0);
        let length = f64::hypot(no, really);
        let vector: Vec<_> = scratch.vector().0.collect();
        assert_eq!(vector.iter().map(|found| found.0).collect::<Vec<_>>(), [1, 0]);
        assert!((vector[0].1 - no / length).abs() < 1e-12 && (vector[1].1 - really / length).abs() < 1e-12);
    }

    #[test]
    fn a_text_without_known_terms_has_an_empty_vector() {
        let mut scratch = Scratch::default();
        Vectorizer::new(&[feature("really", 2.0)], FLAT, 2).vectorize("", &mut scratch);
        assert_eq!(scratch.vector().0.count(), 0);
        assert!(scratch.measures.iter().all(|value| value.is_finite()));
    }

    proptest! {
        #[test]
        fn a_used_scratch_gives_what_a_fresh_one_gives(before in ".{0,60}", text in "[ab .]{0,40}") {
            let vectorizer = Vectorizer::new(&[feature("a", 1.5), feature("b", 1.1), feature("a b", 3.0)], FLAT, 2);
            let (mut used, mut fresh) = (Scratch::default(), Scratch::default());
            vectorizer.vectorize(&before, &mut used);
            vectorizer.vectorize(&text, &mut used);
            vectorizer.vectorize(&text, &mut fresh);
            prop_assert!(used.vector().0.eq(fresh.vector().0));
            prop_assert_eq!(used.measures, fresh.measures);
        }
    }
}
