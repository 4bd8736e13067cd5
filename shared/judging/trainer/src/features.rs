use modstream_classifier::{Feature, MEASURES, Measure, Subword, Vectorizer};

use crate::settings::{Digits, Settings};
use crate::tokens::Tokens;

/// The features that were chosen from some comments: vocabulary and measures.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The terms, by rising hash.
    pub(crate) features: Vec<Feature>,
    /// The terms' numbers among all tokens.
    pub(crate) terms: Vec<u32>,
    /// The subwords, by rising key.
    pub(crate) subwords: Vec<Subword>,
    /// The subwords' numbers among all tokens.
    pub(crate) numbered_subwords: Vec<u32>,
    pub(crate) measures: [Measure; MEASURES],
    /// The keys of the words that are known, rising.
    pub(crate) known_words: Vec<u32>,
    /// The keys of the words that are common, rising.
    pub(crate) common_words: Vec<u32>,
    longest_ngram: usize,
}

impl Chosen {
    /// Chooses all candidates of the texts that are left where this fold is held out: everything that could be a feature.
    pub(crate) fn candidates(tokens: &Tokens<'_>, held_out: usize, settings: &Settings) -> Self {
        let rows = tokens.all_but(held_out);
        let count = rows.len() as u32;
        let idf = |documents: u32| ((f64::from(1 + count) / f64::from(1 + documents)).ln() + 1.0) as f32;
        let mut sums = [(0.0, 0.0); MEASURES];
        for row in rows {
            for ((sum, squares), value) in sums.iter_mut().zip(tokens.rows()[row].measures) {
                *sum += f64::from(value);
                *squares += f64::from(value).powi(2);
            }
        }
        let measures = sums.map(|(sum, squares)| {
            let mean = sum / f64::from(count.max(1));
            let deviation = (squares / f64::from(count.max(1)) - mean * mean).max(0.0).sqrt();
            // A measure that never varies says nothing, so any deviation serves.
            Measure { mean: mean as f32, deviation: if deviation > 1e-6 { deviation as f32 } else { 1.0 } }
        });
        let (terms, features) =
            tokens.terms(held_out).map(|(id, hash, times)| (id, Feature { hash, idf: idf(times) })).unzip();
        let (numbered_subwords, subwords) =
            tokens.subwords(held_out).map(|(id, key, times)| (id, Subword { key, idf: idf(times) })).unzip();
        let chosen = Chosen {
            features,
            terms,
            subwords,
            numbered_subwords,
            measures,
            known_words: tokens.known_words(held_out).to_vec(),
            common_words: tokens.common_words(held_out).to_vec(),
            longest_ngram: settings.longest_ngram,
        };
        match settings.digits {
            Digits::Kept => chosen,
            Digits::LeftOut => chosen.without_digits(tokens),
        }
    }

    pub(crate) fn vectorizer(&self) -> Vectorizer {
        Vectorizer::new(&self.features, &self.subwords, self.measures, self.longest_ngram)
            .with_known_words(&self.known_words)
    }

    /// How many terms and subwords there are.
    pub(crate) fn len(&self) -> usize {
        self.features.len() + self.subwords.len()
    }

    /// Keeps the `most` features that matter most, each of which has a number in `matters`; measures stay. Returns the places of
    /// those that are kept.
    pub(crate) fn keep(&mut self, most: usize, matters: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| matters[b].total_cmp(&matters[a]).then(a.cmp(&b)));
        order.truncate(most);
        order.sort_unstable();
        let mut is_kept = vec![false; self.len()];
        order.iter().for_each(|&index| is_kept[index] = true);
        self.retain(&is_kept);
        order
    }

    /// Keeps the features for which `is_kept` says so.
    fn retain(&mut self, is_kept: &[bool]) {
        let (of_terms, of_subwords) = is_kept.split_at(self.features.len());
        retain(&mut self.features, of_terms);
        retain(&mut self.terms, of_terms);
        retain(&mut self.subwords, of_subwords);
        retain(&mut self.numbered_subwords, of_subwords);
    }

    /// Leaves out terms and subwords with a digit: numbers name people, addresses and days.
    fn without_digits(mut self, tokens: &Tokens<'_>) -> Self {
        let of_terms = self.names(tokens).into_iter().map(|name| !name.chars().any(char::is_numeric));
        let of_subwords = self.subwords.iter().map(|subword| !subword.key.to_be_bytes().iter().any(u8::is_ascii_digit));
        let is_kept: Vec<bool> = of_terms.chain(of_subwords).collect();
        self.retain(&is_kept);
        self
    }

    /// The terms as people read them, in their order.
    pub(crate) fn names(&self, tokens: &Tokens<'_>) -> Vec<String> {
        tokens.names(&self.terms)
    }
}

fn retain<T>(all: &mut Vec<T>, is_kept: &[bool]) {
    let mut is_kept = is_kept.iter();
    all.retain(|_| is_kept.next().is_some_and(|is_kept| *is_kept));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::default_settings;

    const TEXTS: [&str; 4] = ["so true", "so so long", "long?", "true enough"];

    fn settings(min_documents: usize) -> Settings {
        Settings { min_documents, longest_ngram: 1, subword_min_documents: Some(min_documents), ..default_settings() }
    }

    fn candidates(texts: &[&str], settings: &Settings) -> (Chosen, Vec<String>) {
        // No text is ever held out.
        let tokens = Tokens::of(texts.to_vec(), vec![usize::MAX; texts.len()], settings);
        let chosen = Chosen::candidates(&tokens, settings.folds, settings);
        let names = chosen.names(&tokens);
        (chosen, names)
    }

    #[test]
    fn candidates_stand_in_enough_comments_and_are_weighted_by_their_rarity() {
        let (chosen, mut terms) = candidates(&TEXTS, &settings(2));
        let idf = (5.0_f64 / 3.0).ln() + 1.0;
        assert!(chosen.features.iter().all(|feature| (f64::from(feature.idf) - idf).abs() < 1e-6));
        assert!(chosen.features.is_sorted_by_key(|feature| feature.hash));
        terms.sort();
        assert_eq!(terms, ["long", "so", "true"]);
        assert!(chosen.subwords.is_sorted_by_key(|subword| subword.key));
        // Of " so " two of three letters and one of four; of " long " and " true " four and three.
        assert_eq!(chosen.subwords.len(), 2 + 1 + 2 * (4 + 3));
        let none = Settings { subword_min_documents: None, ..settings(2) };
        assert!(candidates(&TEXTS, &none).0.subwords.is_empty());
    }

    #[test]
    fn what_matters_most_is_kept_of_terms_and_subwords() {
        let (mut chosen, _) = candidates(&TEXTS, &settings(2));
        let (terms, all) = (chosen.features.len(), chosen.len());
        let mut matters = vec![0.1; all];
        (matters[1], matters[terms + 2]) = (3.0, 2.0);
        let (term, subword) = (chosen.features[1], chosen.subwords[2]);
        let numbers = (chosen.terms[1], chosen.numbered_subwords[2]);
        assert_eq!(chosen.keep(2, &matters), [1, terms + 2]);
        assert_eq!((chosen.features, chosen.subwords), (vec![term], vec![subword]));
        assert_eq!((chosen.terms, chosen.numbered_subwords), (vec![numbers.0], vec![numbers.1]));
    }

    #[test]
    fn what_has_a_digit_is_left_out_where_that_is_asked_for() {
        let texts = ["call 555 now", "call 555 then", "room4 call"];
        let with = candidates(&texts, &settings(1));
        let without = candidates(&texts, &Settings { digits: Digits::LeftOut, ..settings(1) });
        let terms = |(_, names): &(Chosen, Vec<String>)| {
            let mut terms = names.clone();
            terms.sort();
            terms
        };
        assert_eq!(terms(&with), ["555", "call", "now", "room4", "then"]);
        assert_eq!(terms(&without), ["call", "now", "then"]);
        let has_digit = |(chosen, _): &(Chosen, Vec<String>)| {
            chosen.subwords.iter().any(|subword| subword.key.to_be_bytes().iter().any(u8::is_ascii_digit))
        };
        assert!(has_digit(&with) && !has_digit(&without));
    }

    #[test]
    fn a_measure_that_never_varies_keeps_a_usable_deviation() {
        let (chosen, _) = candidates(&["a", "b"], &settings(1));
        assert!(chosen.measures.iter().all(|measure| measure.deviation > 0.0));
    }
}
