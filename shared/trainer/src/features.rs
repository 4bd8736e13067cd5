use std::collections::HashMap;

use modstream_classifier::{Feature, MEASURES, Measure, Scratch, Vectorizer};

/// The vocabulary and measures of some comments.
pub(crate) struct Chosen {
    /// By rising hash.
    pub(crate) features: Vec<Feature>,
    pub(crate) measures: [Measure; MEASURES],
    longest_ngram: usize,
}

/// Chooses the `most` n-grams that stand in the most comments, `min_documents` at least; by hash where equal. Choosing by the
/// weight of a fit over all n-grams gains no more than noise (docs/decisions/0002-features.md).
pub(crate) fn choose<'a>(
    texts: impl Iterator<Item = &'a str>,
    longest_ngram: usize,
    min_documents: usize,
    most: usize,
) -> Chosen {
    let mut scratch = Scratch::default();
    // By hash: comments it stands in, and the last one of them.
    let mut documents: HashMap<u64, (u32, u32)> = HashMap::new();
    let mut sums = [(0.0, 0.0); MEASURES];
    let mut count = 0_u32;
    for text in texts {
        count += 1;
        scratch.read(text);
        for ngram in scratch.ngrams(longest_ngram) {
            let (times, last) = documents.entry(ngram.hash).or_default();
            if *last != count {
                *times += 1;
                *last = count;
            }
        }
        for ((sum, squares), value) in sums.iter_mut().zip(scratch.measures()) {
            *sum += f64::from(value);
            *squares += f64::from(value).powi(2);
        }
    }
    let mut chosen: Vec<(u32, u64)> = documents
        .into_iter()
        .map(|(hash, (times, _))| (times, hash))
        .filter(|(times, _)| *times as usize >= min_documents)
        .collect();
    chosen.sort_unstable_by_key(|&(times, hash)| (std::cmp::Reverse(times), hash));
    chosen.truncate(most);
    let idf = |times: u32| ((f64::from(1 + count) / f64::from(1 + times)).ln() + 1.0) as f32;
    let mut features: Vec<Feature> =
        chosen.into_iter().map(|(times, hash)| Feature { hash, idf: idf(times) }).collect();
    features.sort_unstable_by_key(|feature| feature.hash);
    let measures = sums.map(|(sum, squares)| {
        let mean = sum / f64::from(count.max(1));
        let deviation = (squares / f64::from(count.max(1)) - mean * mean).max(0.0).sqrt();
        // A measure that never varies says nothing; any deviation serves.
        Measure { mean: mean as f32, deviation: if deviation > 1e-6 { deviation as f32 } else { 1.0 } }
    });
    Chosen { features, measures, longest_ngram }
}

impl Chosen {
    pub(crate) fn vectorizer(&self) -> Vectorizer {
        Vectorizer::new(&self.features, self.measures, self.longest_ngram)
    }

    /// How the terms read, in their order.
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

    const TEXTS: [&str; 4] = ["so true", "so so long", "long?", "true enough"];

    #[test]
    fn terms_are_chosen_by_the_comments_they_stand_in_and_weighted_by_their_rarity() {
        let chosen = choose(TEXTS.into_iter(), 1, 2, 10);
        let mut terms = chosen.terms(TEXTS.into_iter());
        assert!(
            chosen.features.iter().all(|feature| (f64::from(feature.idf) - ((5.0_f64 / 3.0).ln() + 1.0)).abs() < 1e-6)
        );
        assert!(chosen.features.is_sorted_by_key(|feature| feature.hash));
        terms.sort();
        assert_eq!(terms, ["long", "so", "true"]);
        assert_eq!(choose(TEXTS.into_iter(), 2, 1, 4).features.len(), 4);
    }

    #[test]
    fn a_measure_that_never_varies_keeps_a_usable_deviation() {
        let chosen = choose(["a", "b"].into_iter(), 1, 1, 10);
        assert!(chosen.measures.iter().all(|measure| measure.deviation > 0.0));
    }
}
