use std::cmp::Reverse;
use std::hash::Hash;

use hashbrown::HashMap;
use modstream_classifier::{MEASURES, Scratch, Size, texts_to_be_common, texts_to_know_a_word, word_key};
use rayon::prelude::*;

use crate::features::Chosen;
use crate::settings::Settings;

/// The most features of a kind that are looked at, those that stand in the most comments, unless more are asked for; more gains
/// nothing (docs/decisions/0005-subwords.md).
const CANDIDATES: usize = 20_000;
/// How many texts are read at a time.
const CHUNK: usize = 1_000;

/// Texts that were read for all folds and stages of a training: what stands in each of those terms and subwords that may become
/// features, and how often.
///
/// Each text is read twice, however many folds there are. First the texts that each term and each subword stands in are counted, a
/// fold each; then only those are kept that stand in enough of them in some fold's training texts.
pub(crate) struct Tokens<'a> {
    texts: Vec<&'a str>,
    /// The fold that each text is held out with.
    fold: Vec<usize>,
    longest_ngram: usize,
    terms: Kept<u64>,
    subwords: Kept<u32>,
    /// The keys of the words that are known of each fold's training texts, rising.
    known_words: Vec<Vec<u32>>,
    /// The keys of the words that are common in each fold's training texts, rising.
    common_words: Vec<Vec<u32>>,
    rows: Vec<Row>,
}

/// A text that was read.
pub(crate) struct Row {
    /// The terms, each once, as they come; and then the subwords likewise.
    found: Box<[Found]>,
    /// The number of terms.
    terms: u32,
    /// Whether a word may be another in disguise, so that what stands here depends on what a fold knows; or whether something stands
    /// here oftener than can be noted. The text is read again then, and nothing is noted.
    is_read_again: bool,
    pub(crate) size: Size,
    pub(crate) measures: [f32; MEASURES],
}

/// A feature with the number of times it stands in a text, in one number: of a large training there are a hundred million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found(u32);

impl Found {
    const TIMES_BITS: u32 = 10;
    /// How often a feature may stand in a text for the number to hold it.
    pub(crate) const MOST_TIMES: u32 = (1 << Self::TIMES_BITS) - 1;
    const MOST_ID: u32 = u32::MAX >> Self::TIMES_BITS;

    /// Both in one, where they fit.
    fn new(id: u32, times: u32) -> Option<Self> {
        (id <= Self::MOST_ID && times <= Self::MOST_TIMES).then_some(Found(id << Self::TIMES_BITS | times))
    }

    /// The feature's number among those of its kind.
    pub(crate) fn id(self) -> usize {
        (self.0 >> Self::TIMES_BITS) as usize
    }

    pub(crate) fn times(self) -> u32 {
        self.0 & Self::MOST_TIMES
    }
}

/// The features of a kind that are kept.
struct Kept<K> {
    /// What they are, rising.
    keys: Vec<K>,
    /// The text that each stands in first.
    first: Vec<u32>,
    /// The candidates of each fold, by rising number, each with the number of texts that it stands in.
    candidates: Vec<Vec<(u32, u32)>>,
}

/// The number of texts that each feature stands in, a fold each.
struct Documents<K> {
    /// A feature's place, and the text that it was found in last.
    places: HashMap<K, (u32, u32)>,
    /// The text that each was found in first.
    first: Vec<u32>,
    /// The numbers of texts, those of all folds beside each other.
    counts: Vec<u32>,
    folds: usize,
}

impl<K: Hash + Ord + Copy + Send + Sync> Documents<K> {
    fn new(folds: usize) -> Self {
        Documents { places: HashMap::new(), first: Vec::new(), counts: Vec::new(), folds }
    }

    /// Counts a feature of a text that is held out with this fold, if any.
    fn count(&mut self, key: K, text: u32, fold: usize) {
        let next = self.places.len() as u32;
        // The last number is of the texts that are never held out.
        let numbers = self.folds + 1;
        let (place, last) = self.places.entry(key).or_insert((next, u32::MAX));
        if *place == next {
            self.first.push(text);
            self.counts.resize(self.counts.len() + numbers, 0);
        }
        if *last != text {
            *last = text;
            self.counts[*place as usize * numbers + fold.min(self.folds)] += 1;
        }
    }

    /// Each feature with the number of training texts that it stands in where this fold is held out.
    fn without(&self, fold: usize) -> impl Iterator<Item = (K, u32)> {
        let numbers = self.folds + 1;
        self.places.iter().map(move |(&key, &(place, _))| {
            let counts = &self.counts[place as usize * numbers..][..numbers];
            let held_out = if fold < self.folds { counts[fold] } else { 0 };
            (key, counts.iter().sum::<u32>() - held_out)
        })
    }

    /// The most frequent features of each fold's training texts, and of all.
    fn most(&self, min_documents: usize, candidates: usize) -> Kept<K> {
        let of_folds = (0..=self.folds).into_par_iter().map(|fold| {
            let frequent = self.without(fold).filter(|(_, times)| *times as usize >= min_documents.max(1));
            let mut all: Vec<(u32, K)> = frequent.map(|(key, times)| (times, key)).collect();
            if candidates < all.len() {
                all.select_nth_unstable_by_key(candidates, |&(times, key)| (Reverse(times), key));
                all.truncate(candidates);
            }
            all.sort_unstable_by_key(|&(_, key)| key);
            all
        });
        let of_folds: Vec<Vec<(u32, K)>> = of_folds.collect();
        let mut keys: Vec<K> = of_folds.iter().flatten().map(|&(_, key)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        let numbers: HashMap<K, u32> = keys.iter().copied().zip(0..).collect();
        let candidates = of_folds.into_iter().map(|of_fold| {
            let numbered = of_fold.into_iter().map(|(times, key)| (numbers[&key], times));
            numbered.collect()
        });
        let first = keys.iter().map(|key| self.first[self.places[key].0 as usize]);
        Kept { candidates: candidates.collect(), first: first.collect(), keys }
    }
}

impl<'a> Tokens<'a> {
    /// Reads `texts`, each with the fold that it is held out with; a text with a higher number never is.
    pub(crate) fn of(texts: Vec<&'a str>, fold: Vec<usize>, settings: &Settings) -> Self {
        let folds = settings.folds;
        let (mut terms, mut subwords) = (Documents::new(folds), Documents::new(folds));
        let mut words = Documents::new(folds);
        let mut scratch = Scratch::default();
        for ((text, &fold), number) in texts.iter().zip(&fold).zip(0..) {
            scratch.read(text);
            for ngram in scratch.ngrams(settings.longest_ngram) {
                terms.count(ngram.hash, number, fold);
            }
            scratch.each_word(|hash| words.count(hash, number, fold));
            if settings.subword_min_documents.is_some() {
                scratch.each_subword(|key| subwords.count(key, number, fold));
            }
        }
        let most = CANDIDATES.max(settings.max_features);
        let terms = terms.most(settings.min_documents, most);
        let subwords = subwords.most(settings.subword_min_documents.unwrap_or_default(), most);
        let words_in = |texts: fn(usize) -> usize| -> Vec<Vec<u32>> {
            let of_fold = |held_out: usize| {
                let least = texts(fold.iter().filter(|fold| **fold != held_out).count());
                word_keys(words.without(held_out).filter(|(_, times)| *times as usize >= least).map(|(hash, _)| hash))
            };
            (0..=folds).map(of_fold).collect()
        };
        let (known_words, common_words) = (words_in(texts_to_know_a_word), words_in(texts_to_be_common));
        let longest_ngram = settings.longest_ngram;
        let mut tokens =
            Tokens { texts, fold, longest_ngram, terms, subwords, known_words, common_words, rows: Vec::new() };
        tokens.read(&words);
        tokens
    }

    /// Notes what stands in each text.
    fn read(&mut self, words: &Documents<u64>) {
        let longest_ngram = self.longest_ngram;
        let terms: HashMap<u64, u32> = self.terms.keys.iter().copied().zip(0..).collect();
        let subwords: HashMap<u32, u32> = self.subwords.keys.iter().copied().zip(0..).collect();
        // The words of all texts but one, since a text's own words do not make them known.
        let least = texts_to_know_a_word(self.texts.len()) as u32;
        let is_known: HashMap<u64, bool> =
            words.without(usize::MAX).map(|(hash, times)| (hash, times > least)).collect();
        let chunks = self.texts.par_chunks(CHUNK).map(|texts| {
            let mut reader = Reader {
                longest_ngram,
                terms: &terms,
                subwords: &subwords,
                words: &is_known,
                scratch: Scratch::default(),
                tally: Tally { times: vec![0; terms.len().max(subwords.len())], new: Vec::new() },
            };
            texts.iter().map(|text| reader.read(text)).collect::<Vec<Row>>()
        });
        self.rows = chunks.flatten().collect();
    }

    /// The terms with these numbers as people read them, by the text that each stands in first.
    pub(crate) fn names(&self, terms: &[u32]) -> Vec<String> {
        let mut places: Vec<usize> = (0..terms.len()).collect();
        places.sort_unstable_by_key(|&place| (self.terms.first[terms[place] as usize], place));
        let mut names = vec![String::new(); terms.len()];
        let mut scratch = Scratch::default();
        let first = |place: usize| self.terms.first[terms[place] as usize];
        for places in places.chunk_by(|&one, &other| first(one) == first(other)) {
            scratch.read(self.texts[first(places[0]) as usize]);
            let mut wanted: HashMap<u64, usize> =
                places.iter().map(|&place| (self.terms.keys[terms[place] as usize], place)).collect();
            for ngram in scratch.ngrams(self.longest_ngram) {
                if let Some(place) = wanted.remove(&ngram.hash) {
                    names[place] = scratch.normal_form(&ngram);
                }
            }
        }
        names
    }

    /// The texts that a fit learns from where this fold is held out: all, where there is no such fold.
    pub(crate) fn all_but(&self, fold: usize) -> Vec<usize> {
        (0..self.texts.len()).filter(|&text| self.fold[text] != fold).collect()
    }

    /// The texts that are held out with this fold.
    pub(crate) fn held_out(&self, fold: usize) -> Vec<usize> {
        (0..self.texts.len()).filter(|&text| self.fold[text] == fold).collect()
    }

    pub(crate) fn text(&self, text: usize) -> &'a str {
        self.texts[text]
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The candidates among terms where this fold is held out: number, hash, and the number of texts.
    pub(crate) fn terms(&self, fold: usize) -> impl Iterator<Item = (u32, u64, u32)> {
        self.terms.candidates[fold].iter().map(|&(id, times)| (id, self.terms.keys[id as usize], times))
    }

    /// The candidates among subwords where this fold is held out: number, key, and the number of texts.
    pub(crate) fn subwords(&self, fold: usize) -> impl Iterator<Item = (u32, u32, u32)> {
        self.subwords.candidates[fold].iter().map(|&(id, times)| (id, self.subwords.keys[id as usize], times))
    }

    /// How many terms are numbered, and how many subwords.
    pub(crate) fn numbered(&self) -> [usize; 2] {
        [self.terms.keys.len(), self.subwords.keys.len()]
    }

    /// The keys of the words that are known where this fold is held out.
    pub(crate) fn known_words(&self, fold: usize) -> &[u32] {
        &self.known_words[fold]
    }

    /// The keys of the words that are common where this fold is held out.
    pub(crate) fn common_words(&self, fold: usize) -> &[u32] {
        &self.common_words[fold]
    }

    /// Forgets all features but those that were chosen, which frees memory.
    pub(crate) fn keep_only<'c>(&mut self, chosen: impl Iterator<Item = &'c Chosen>) {
        let [mut terms, mut subwords] = self.numbered().map(|count| vec![false; count]);
        for chosen in chosen {
            chosen.terms.iter().for_each(|&id| terms[id as usize] = true);
            chosen.numbered_subwords.iter().for_each(|&id| subwords[id as usize] = true);
        }
        self.rows.par_iter_mut().for_each(|row| {
            let (of_terms, of_subwords) = row.found.split_at(row.terms as usize);
            let of_terms: Vec<Found> = of_terms.iter().copied().filter(|found| terms[found.id()]).collect();
            let of_subwords = of_subwords.iter().copied().filter(|found| subwords[found.id()]);
            row.terms = of_terms.len() as u32;
            row.found = of_terms.into_iter().chain(of_subwords).collect();
        });
    }
}

impl Row {
    /// The terms that stand in the text, as they come, and the subwords; none where they depend on what is known.
    pub(crate) fn found(&self) -> Option<[&[Found]; 2]> {
        (!self.is_read_again).then(|| self.found.split_at(self.terms as usize)).map(<[&[Found]; 2]>::from)
    }
}

/// The keys of words, rising.
fn word_keys(words: impl Iterator<Item = u64>) -> Vec<u32> {
    let mut keys: Vec<u32> = words.map(word_key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// How often each feature stands in a text.
struct Tally {
    /// All zero between texts.
    times: Vec<u32>,
    /// The features that were found, once each, as they come.
    new: Vec<u32>,
}

impl Tally {
    fn add(&mut self, id: u32) {
        let times = &mut self.times[id as usize];
        if *times == 0 {
            self.new.push(id);
        }
        *times += 1;
    }

    /// Moves what was found behind `found`. Returns whether all of it can be noted.
    fn take(&mut self, found: &mut Vec<Found>) -> bool {
        let mut are_noted = true;
        for id in self.new.drain(..) {
            match Found::new(id, std::mem::take(&mut self.times[id as usize])) {
                Some(noted) => found.push(noted),
                None => are_noted = false,
            }
        }
        are_noted
    }
}

/// Reads texts whose features are numbered.
struct Reader<'a> {
    longest_ngram: usize,
    terms: &'a HashMap<u64, u32>,
    subwords: &'a HashMap<u32, u32>,
    /// Each word that stands in some text, and whether it stands in enough of them to be known.
    words: &'a HashMap<u64, bool>,
    scratch: Scratch,
    tally: Tally,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Row {
        let Reader { longest_ngram, terms, subwords, words, scratch, tally } = self;
        scratch.read(text);
        let may_change = scratch.may_have_second_form(|hash| words.contains_key(&hash));
        let mut found = Vec::new();
        scratch.ngrams(*longest_ngram).filter_map(|ngram| terms.get(&ngram.hash)).for_each(|&id| tally.add(id));
        let are_noted = tally.take(&mut found);
        let count = found.len();
        scratch.each_subword(|key| {
            if let Some(&id) = subwords.get(&key) {
                tally.add(id);
            }
        });
        let is_read_again = !tally.take(&mut found) || !are_noted || may_change;
        if is_read_again {
            found.clear();
        }
        Row {
            terms: count.min(found.len()) as u32,
            found: found.into(),
            is_read_again,
            size: scratch.size(|hash| words.get(&hash).is_some_and(|is_known| *is_known)),
            measures: scratch.measures(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Rows;
    use crate::settings::default_settings;
    use modstream_classifier::Scratch;
    use proptest::prelude::*;

    /// The vectors that a vectorizer makes of texts, as rows.
    fn vectors(chosen: &Chosen, texts: &[&str], settings: &Settings) -> Vec<Vec<(u32, f32)>> {
        let vectorizer = chosen.vectorizer();
        let (terms, features) = (vectorizer.terms() as u32, vectorizer.features() as u32);
        let mut scratch = Scratch::default();
        let of_text = |text: &&str| {
            vectorizer.vectorize(text, &mut scratch);
            let (vector, measures) = scratch.vector(&vectorizer);
            let scaled = vector.map(|(index, value)| {
                (index, (value * if index < terms { 1.0 } else { settings.subword_scale }) as f32)
            });
            let measures = measures.iter().zip(features..);
            scaled.chain(measures.map(|(value, column)| (column, (value * settings.measure_scale) as f32))).collect()
        };
        texts.iter().map(of_text).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Also of texts in disguise, which depend on the words that a fold knows, and of what stands somewhere more than a thousand
        /// times.
        #[test]
        fn rows_are_what_the_vectorizer_of_their_fold_makes_of_the_texts(
            mut texts in prop::collection::vec("((so|true|l0ng|long|truuue|s o|l o n g|[a-c]{1,3}|9|why not)[ ,.?!]{1,2}){0,12}", 6..30),
            fold in prop::collection::vec(0..4_usize, 30),
            repeated in 1_000..1_050_usize,
        ) {
            texts.push("so ".repeat(repeated));
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let settings = Settings { folds: 3, subword_min_documents: Some(2), ..default_settings() };
            let fold = fold.iter().copied().cycle().take(texts.len()).collect();
            let tokens = Tokens::of(texts.clone(), fold, &settings);
            for held_out in 0..=3 {
                let chosen = Chosen::candidates(&tokens, held_out, &settings);
                for rows in [tokens.all_but(held_out), tokens.held_out(held_out)] {
                    let texts: Vec<&str> = rows.iter().map(|&row| texts[row]).collect();
                    let found = Rows::of(&tokens, &rows, &chosen, &settings);
                    prop_assert!(found.iter().eq(vectors(&chosen, &texts, &settings).iter().map(Vec::as_slice)));
                }
            }
        }
    }
}
