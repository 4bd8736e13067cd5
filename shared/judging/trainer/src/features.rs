use std::cmp::Reverse;
use std::hash::Hash;

use hashbrown::HashMap;
use modstream_classifier::{
    Feature, MEASURES, Measure, Scratch, Subword, Support, Vectorizer, texts_to_know_a_word, word_key,
};

use crate::settings::{Digits, Settings};

/// The features that were chosen from some comments: vocabulary and measures.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The terms, by rising hash.
    pub(crate) features: Vec<Feature>,
    /// The subwords, by rising key.
    pub(crate) subwords: Vec<Subword>,
    pub(crate) measures: [Measure; MEASURES],
    /// The keys of the words that are known, rising.
    pub(crate) known_words: Vec<u32>,
    longest_ngram: usize,
}

/// The most features of a kind that are looked at, those that stand in the most comments, unless more are asked for; more gains
/// nothing (docs/decisions/0005-subwords.md).
const CANDIDATES: usize = 20_000;

/// The number of comments that each feature stands in.
struct Documents<K>(HashMap<K, (u32, u32)>);

impl<K: Hash + Ord + Copy> Documents<K> {
    fn count(&mut self, key: K, document: u32) {
        let (times, last) = self.0.entry(key).or_default();
        if *last != document {
            *times += 1;
            *last = document;
        }
    }

    /// The most frequent features with their inverse document frequency, by rising key.
    fn most(self, min_documents: usize, documents: u32, candidates: usize) -> impl Iterator<Item = (K, f32)> {
        let frequent = self.0.into_iter().map(|(key, (times, _))| (times, key));
        let mut all: Vec<(u32, K)> = frequent.filter(|(times, _)| *times as usize >= min_documents).collect();
        all.sort_unstable_by_key(|&(times, key)| (Reverse(times), key));
        all.truncate(candidates);
        all.sort_unstable_by_key(|&(_, key)| key);
        let idf = move |times: u32| ((f64::from(1 + documents) / f64::from(1 + times)).ln() + 1.0) as f32;
        all.into_iter().map(move |(times, key)| (key, idf(times)))
    }
}

/// The keys of the words that so many texts make known.
fn known_words(words: &Documents<u64>, texts: usize) -> Vec<u32> {
    let least = texts_to_know_a_word(texts);
    let known = words.0.iter().filter(|(_, (times, _))| *times as usize >= least);
    let mut keys: Vec<u32> = known.map(|(hash, _)| word_key(*hash)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What `texts` are like. A text's own words do not make them known: they are those that enough of the others hold.
pub(crate) fn support(texts: &[String]) -> Support {
    let mut scratch = Scratch::default();
    let mut words = Documents(HashMap::new());
    for (text, document) in texts.iter().zip(1..) {
        scratch.read(text);
        scratch.each_word(|hash| words.count(hash, document));
    }
    let least = texts_to_know_a_word(texts.len());
    let is_known = |hash: u64| words.0.get(&hash).is_some_and(|(times, _)| *times as usize > least);
    let sizes: Vec<_> = texts
        .iter()
        .map(|text| {
            scratch.read(text);
            scratch.size(is_known)
        })
        .collect();
    Support::of(&sizes)
}

/// All candidates of `texts`: everything that could be a feature.
pub(crate) fn candidates(texts: &[&str], settings: &Settings) -> Chosen {
    let mut scratch = Scratch::default();
    let (mut terms, mut subwords) = (Documents(HashMap::new()), Documents(HashMap::new()));
    let mut words = Documents(HashMap::new());
    let mut sums = [(0.0, 0.0); MEASURES];
    for (text, document) in texts.iter().zip(1..) {
        scratch.read(text);
        for ngram in scratch.ngrams(settings.longest_ngram) {
            terms.count(ngram.hash, document);
        }
        scratch.each_word(|hash| words.count(hash, document));
        if settings.subword_min_documents.is_some() {
            scratch.each_subword(|key| subwords.count(key, document));
        }
        for ((sum, squares), value) in sums.iter_mut().zip(scratch.measures()) {
            *sum += f64::from(value);
            *squares += f64::from(value).powi(2);
        }
    }
    let count = texts.len() as u32;
    let most = CANDIDATES.max(settings.max_features);
    let terms = terms.most(settings.min_documents, count, most);
    let subwords = subwords.most(settings.subword_min_documents.unwrap_or_default(), count, most);
    let measures = sums.map(|(sum, squares)| {
        let mean = sum / f64::from(count.max(1));
        let deviation = (squares / f64::from(count.max(1)) - mean * mean).max(0.0).sqrt();
        // A measure that never varies says nothing, so any deviation serves.
        Measure { mean: mean as f32, deviation: if deviation > 1e-6 { deviation as f32 } else { 1.0 } }
    });
    let chosen = Chosen {
        features: terms.map(|(hash, idf)| Feature { hash, idf }).collect(),
        subwords: subwords.map(|(key, idf)| Subword { key, idf }).collect(),
        measures,
        known_words: known_words(&words, texts.len()),
        longest_ngram: settings.longest_ngram,
    };
    match settings.digits {
        Digits::Kept => chosen,
        Digits::LeftOut => chosen.without_digits(texts),
    }
}

impl Chosen {
    pub(crate) fn vectorizer(&self) -> Vectorizer {
        Vectorizer::new(&self.features, &self.subwords, self.measures, self.longest_ngram)
            .with_known_words(&self.known_words)
    }

    /// How many terms and subwords there are.
    pub(crate) fn len(&self) -> usize {
        self.features.len() + self.subwords.len()
    }

    /// Keeps the `most` features that matter most, each of which has a number in `matters`; measures stay.
    pub(crate) fn keep(mut self, most: usize, matters: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| matters[b].total_cmp(&matters[a]).then(a.cmp(&b)));
        let mut is_kept = vec![false; self.len()];
        order.iter().take(most).for_each(|&index| is_kept[index] = true);
        let mut is_kept = is_kept.into_iter();
        self.features.retain(|_| is_kept.next().unwrap_or_default());
        self.subwords.retain(|_| is_kept.next().unwrap_or_default());
        self
    }

    /// Leaves out terms and subwords with a digit: numbers name people, addresses and days.
    fn without_digits(mut self, texts: &[&str]) -> Self {
        let terms = self.terms(texts.iter().copied());
        let has_digit = |text: &str| text.chars().any(char::is_numeric);
        let mut is_kept = terms.iter().map(|term| !has_digit(term));
        self.features.retain(|_| is_kept.next().unwrap_or_default());
        self.subwords.retain(|subword| !subword.key.to_be_bytes().iter().any(u8::is_ascii_digit));
        self
    }

    /// The terms as people read them, in their order.
    pub(crate) fn terms<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
        let index: HashMap<u64, usize> =
            self.features.iter().enumerate().map(|(index, feature)| (feature.hash, index)).collect();
        let mut terms = vec![String::new(); self.features.len()];
        let mut scratch = Scratch::default();
        for text in texts {
            scratch.read(text);
            for ngram in scratch.ngrams(self.longest_ngram) {
                if let Some(&at) = index.get(&ngram.hash)
                    && terms[at].is_empty()
                {
                    terms[at] = scratch.normal_form(&ngram);
                }
            }
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::default_settings;

    const TEXTS: [&str; 4] = ["so true", "so so long", "long?", "true enough"];

    fn settings(min_documents: usize) -> Settings {
        Settings { min_documents, longest_ngram: 1, subword_min_documents: Some(min_documents), ..default_settings() }
    }

    #[test]
    fn candidates_stand_in_enough_comments_and_are_weighted_by_their_rarity() {
        let chosen = candidates(&TEXTS, &settings(2));
        let mut terms = chosen.terms(TEXTS.into_iter());
        let idf = (5.0_f64 / 3.0).ln() + 1.0;
        assert!(chosen.features.iter().all(|feature| (f64::from(feature.idf) - idf).abs() < 1e-6));
        assert!(chosen.features.is_sorted_by_key(|feature| feature.hash));
        terms.sort();
        assert_eq!(terms, ["long", "so", "true"]);
        assert!(chosen.subwords.is_sorted_by_key(|subword| subword.key));
        // Of " so " two of three letters and one of four; of " long " and " true " four and three.
        assert_eq!(chosen.subwords.len(), 2 + 1 + 2 * (4 + 3));
        let none = Settings { subword_min_documents: None, ..settings(2) };
        assert!(candidates(&TEXTS, &none).subwords.is_empty());
    }

    #[test]
    fn what_matters_most_is_kept_of_terms_and_subwords() {
        let chosen = candidates(&TEXTS, &settings(2));
        let (terms, all) = (chosen.features.len(), chosen.len());
        let mut matters = vec![0.1; all];
        (matters[1], matters[terms + 2]) = (3.0, 2.0);
        let (term, subword) = (chosen.features[1], chosen.subwords[2]);
        let kept = chosen.keep(2, &matters);
        assert_eq!((kept.features, kept.subwords), (vec![term], vec![subword]));
    }

    #[test]
    fn what_has_a_digit_is_left_out_where_that_is_asked_for() {
        let texts = ["call 555 now", "call 555 then", "room4 call"];
        let with = candidates(&texts, &settings(1));
        let without = candidates(&texts, &Settings { digits: Digits::LeftOut, ..settings(1) });
        let terms = |chosen: &Chosen| {
            let mut terms = chosen.terms(texts.into_iter());
            terms.sort();
            terms
        };
        assert_eq!(terms(&with), ["555", "call", "now", "room4", "then"]);
        assert_eq!(terms(&without), ["call", "now", "then"]);
        let has_digit = |chosen: &Chosen| {
            chosen.subwords.iter().any(|subword| subword.key.to_be_bytes().iter().any(u8::is_ascii_digit))
        };
        assert!(has_digit(&with) && !has_digit(&without));
    }

    #[test]
    fn a_measure_that_never_varies_keeps_a_usable_deviation() {
        let chosen = candidates(&["a", "b"], &settings(1));
        assert!(chosen.measures.iter().all(|measure| measure.deviation > 0.0));
    }
}
