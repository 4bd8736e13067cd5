//! Why a text scores as it does: the terms that moved a label's log-odds most.

use std::borrow::Cow;

use modstream_events::{LabelPrediction, Outside, Term};

use super::{Label, Model, Score};
use crate::measures;
use crate::vectorizer::{NGram, Scratch};

/// The most terms that a prediction names of a label.
const MAX_LABEL_TERMS: usize = 3;
/// A prediction explains a label where alerting from its probability up has at most so many false alarms.
const EXPLAINED_UP_TO: f64 = 0.05;

/// How many times as much as a content word a common one must have moved the score to be named as early.
const COMMON_WORD_DIVISOR: f64 = 2.0;

/// The most characters of a term that are shown; more tell nobody more, and a link may be as long as the text.
const LONGEST_SPELLING: usize = 60;

/// A score and its reasons: `intercept`, the contributions of `terms` and `other` add up to the log-odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'a> {
    /// The score.
    pub score: Score,
    /// The log-odds before any term counts.
    pub intercept: f64,
    /// The terms that moved the log-odds most, spelled as in the text: content words, the strongest first, then common words and
    /// marks, and then the text's form.
    pub terms: Vec<Term<'a>>,
    /// The sum of the contributions that are left out.
    pub other: f64,
    /// How the text differs from those that the model learned from, where it does: the numbers say nothing then.
    pub outside: Option<Outside>,
}

impl Model {
    /// Scores a text and says why, by at most `most` terms: content words first, and last the text's form. A word's contribution
    /// holds those of its subwords.
    pub fn explain<'a>(&self, text: &str, most: usize, scratch: &'a mut Scratch) -> Explanation<'a> {
        self.vectorizer.vectorize(text, scratch);
        self.explanation(0, most, scratch)
    }

    /// Scores a text by every label and says of each, in their order, which terms moved its score most.
    pub fn explain_labels<'a>(&self, text: &str, most: usize, scratch: &'a mut Scratch) -> Vec<Explanation<'a>> {
        self.vectorizer.vectorize(text, scratch);
        let scratch = &*scratch;
        (0..self.labels.len()).map(|label| self.explanation(label, most, scratch)).collect()
    }

    /// Says of the text that was scored last, by each label in order, which terms moved its score most: as many as `most` says of
    /// the label and its score. None are looked for where that is none, which is what takes the time.
    fn explanations<'a>(&self, most: impl Fn(&Label, Score) -> usize, scratch: &'a Scratch) -> Vec<Explanation<'a>> {
        let outside = self.outside(scratch);
        let all = self.labels.iter().zip(&scratch.scores).enumerate();
        all.map(|(index, (label, &score))| match most(label, score) {
            0 => {
                let Label { intercept, .. } = *label;
                Explanation { score, intercept, terms: Vec::new(), other: score.log_odds.0 - intercept, outside }
            }
            most => self.explanation(index, most, scratch),
        })
        .collect()
    }

    /// What a prediction says of a text by each of the labels, with at most `most` terms, and three at most: one or two words say
    /// it. Those far from an alert are not explained, since nobody asks why a comment is not a threat.
    ///
    /// # Errors
    /// How the text differs from those that the model learned from, where it does: no label says anything of it then.
    pub fn label_predictions<'a>(
        &'a self,
        text: &str,
        most: usize,
        scratch: &'a mut Scratch,
    ) -> Result<Vec<LabelPrediction<'a>>, Outside> {
        self.scores(text, scratch);
        if let Some(outside) = self.outside(scratch) {
            return Err(outside);
        }
        let is_near = |label: &Label, score: Score| label.false_alarms(score) <= EXPLAINED_UP_TO;
        let most = |label: &Label, score: Score| if is_near(label, score) { most.min(MAX_LABEL_TERMS) } else { 0 };
        let labels = self.labels.iter().zip(self.explanations(most, scratch));
        let said = labels.map(|(label, Explanation { score, intercept, terms, other, outside: _ })| LabelPrediction {
            label: label.name().into(),
            probability: score.probability(),
            log_odds: score.log_odds.0,
            intercept,
            terms,
            other,
            false_alarms: label.false_alarms(score),
        });
        Ok(said.collect())
    }

    /// The score by one label, and its reasons, of the text whose vector is in `scratch`.
    fn explanation<'a>(&self, label: usize, most: usize, scratch: &'a Scratch) -> Explanation<'a> {
        let score = self.score_of(label, scratch);
        let Label { slope, intercept, .. } = self.labels[label];
        let form = slope * self.measure_weights.sum(label, scratch.found_measures());
        let mut all = self.terms(label, scratch);
        // The form is one of them; a single one is a word, where there is one.
        let form_is_named = form != 0.0 && (most > 1 || (most == 1 && all.is_empty()));
        let named = self.strongest(&mut all, most - usize::from(form_is_named), scratch);
        let (named, others) = all.split_at_mut(named);
        let mut other = others.iter().fold(0.0, |sum, (contribution, _)| sum + contribution);
        let named = named.iter().filter(|(contribution, _)| *contribution != 0.0);
        let mut terms: Vec<Term<'_>> =
            named.map(|&(contribution, ngram)| Term { term: shown(scratch.spelling(&ngram)), contribution }).collect();
        if form_is_named {
            let moved = |measure: usize| scratch.measures[measure] * self.measure_weights.at(measure as u32, label);
            terms.push(Term::of_form(&measures::form(scratch.counts(), moved), form));
        } else {
            other += form;
        }
        Explanation { score, intercept, terms, other, outside: self.outside(scratch) }
    }

    /// Puts first the terms that explain the score, as many as `most` and as there are, and says how many: those that moved it
    /// most, content words before common ones. A common word, such as `of`, must have moved it twice as much to be named, since
    /// it tells a reader less.
    fn strongest(&self, all: &mut [(f64, NGram)], most: usize, scratch: &Scratch) -> usize {
        let by_strength = |a: &(f64, NGram), b: &(f64, NGram)| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1));
        let count = most.min(all.len());
        if count == 0 {
            return 0;
        }
        // What moved it less than half of what the last of these did comes behind all of them.
        let (.., (least, _), _) = all.select_nth_unstable_by(count - 1, by_strength);
        let least = least.abs() / COMMON_WORD_DIVISOR;
        let mut candidates = count;
        for at in count..all.len() {
            if all[at].0.abs() >= least {
                all.swap(at, candidates);
                candidates += 1;
            }
        }
        let is_common = |ngram: &NGram| self.vectorizer.is_common(ngram, scratch);
        let mut ranked: Vec<_> =
            all[..candidates].iter().map(|&(sum, ngram)| (is_common(&ngram), (sum, ngram))).collect();
        let counted = |&(is_common, (sum, ngram)): &(bool, (f64, NGram))| {
            (if is_common { sum / COMMON_WORD_DIVISOR } else { sum }, ngram)
        };
        ranked.sort_unstable_by(|one, other| by_strength(&counted(one), &counted(other)));
        ranked[..count].sort_unstable_by(|one, other| one.0.cmp(&other.0).then_with(|| by_strength(&one.1, &other.1)));
        for (place, (_, term)) in all.iter_mut().zip(ranked) {
            *place = term;
        }
        count
    }

    /// The contribution of each n-gram of the text, once, by its first occurrence; of those that are shown alike the
    /// first, with the sum.
    fn terms(&self, label: usize, scratch: &Scratch) -> Vec<(f64, NGram)> {
        let once = scratch
            .subwords
            .iter()
            .map(|found| found.value * self.subword_weights.at(found.index, label) / f64::from(found.times));
        let once: Vec<f64> = once.collect();
        let mut sums = Sums::with_room(scratch.terms.len() + scratch.words());
        for found in &scratch.terms {
            sums.add(found.ngram, found.value * self.weights.at(found.index, label));
        }
        for (word, subwords) in scratch.words_with_subwords() {
            sums.add(word, subwords.map(|place| once[place]).sum());
        }
        let mut all = sums.all;
        merge_shown_alike(&mut all, scratch);
        let slope = self.labels[label].slope;
        all.into_iter().map(|(ngram, sum)| (slope * sum, ngram)).collect()
    }
}

/// Sums of contributions by the hash of their n-gram, each with its first occurrence, in the order in which they came.
struct Sums {
    all: Vec<(NGram, f64)>,
    /// The number of each sum and one, at the place that its hash asks for or behind; 0 where there is none.
    places: Vec<u32>,
}

impl Sums {
    /// Makes room for so many n-grams.
    fn with_room(ngrams: usize) -> Self {
        Sums { all: Vec::with_capacity(ngrams), places: vec![0; (2 * ngrams + 1).next_power_of_two()] }
    }

    fn add(&mut self, ngram: NGram, contribution: f64) {
        let last = self.places.len() - 1;
        // The low bits of a hash spread well.
        let mut place = ngram.hash as usize & last;
        loop {
            let Some(found) = (self.places[place] as usize).checked_sub(1) else {
                self.all.push((ngram, contribution));
                self.places[place] = self.all.len() as u32;
                return;
            };
            let (first, sum) = &mut self.all[found];
            if first.hash == ngram.hash {
                *first = ngram.min(*first);
                *sum += contribution;
                return;
            }
            place = (place + 1) & last;
        }
    }
}

/// A spelling to show: each run of white space is one blank, and what is long is cut.
fn shown(spelling: &str) -> Cow<'_, str> {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let is_short = spelling.chars().nth(LONGEST_SPELLING).is_none();
    if is_short && !spelling.contains(|c: char| is_gap(c) && c != ' ') && !spelling.contains("  ") {
        return Cow::Borrowed(spelling);
    }
    let mut line = spelling.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_SPELLING) {
        line.truncate(line[..end].trim_end().len());
        line.push('\u{2026}');
    }
    Cow::Owned(line)
}

/// Merges the n-grams that are shown alike: long ones are cut, and may begin alike.
fn merge_shown_alike(all: &mut Vec<(NGram, f64)>, scratch: &Scratch) {
    let long = all.extract_if(.., |(ngram, _)| scratch.spelling_length(ngram) > LONGEST_SPELLING);
    let mut long: Vec<_> = long.map(|(ngram, sum)| (shown(scratch.spelling(&ngram)), ngram, sum)).collect();
    long.sort_unstable_by(|(a, first, _), (b, second, _)| a.cmp(b).then(first.cmp(second)));
    long.dedup_by(|(term, _, contribution), (kept, _, sum)| {
        let is_same = term == kept;
        if is_same {
            *sum += *contribution;
        }
        is_same
    });
    all.extend(long.into_iter().map(|(_, ngram, sum)| (ngram, sum)));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TEXTS, labelled_parts, model, parts};
    use super::*;
    use crate::known::{word_hash, word_key};
    use crate::model::Parts;
    use modstream_rates::BaseRate;
    use proptest::prelude::*;

    #[test]
    fn each_term_stands_once_in_the_readers_spelling() {
        let mut scratch = Scratch::default();
        let explanation = model().explain("LOL lol so\n  True, lol", 99, &mut scratch);
        let mut terms: Vec<&str> = explanation.terms.iter().map(|term| term.term.as_ref()).collect();
        assert!(terms.contains(&"LOL") && terms.contains(&"so True"), "{terms:?}");
        terms.sort_unstable();
        let shown = terms.len();
        terms.dedup();
        assert_eq!(terms.len(), shown);
    }

    #[test]
    fn a_word_carries_its_subwords_also_where_it_is_no_term() {
        let mut scratch = Scratch::default();
        let explanation = model().explain("Questionable quest, LOve love", 99, &mut scratch);
        let of = |word: &str| explanation.terms.iter().find(|term| term.term == word).map(|term| term.contribution);
        let (question, love) = (of("Questionable").expect("a term"), of("LOve").expect("a term"));
        assert!((of("quest").expect("a term") - question).abs() < 1e-12 && question > 0.0);
        assert!(love > 0.0 && of("love").is_none() && of(",").is_none());
    }

    /// The small model, to which these words are in few texts of the training and all other words in many.
    fn model_with_content(words: &[&str]) -> Model {
        let mut parts = parts();
        let mut scratch = Scratch::default();
        for word in words {
            scratch.read(word);
            let hash = scratch.ngrams(1).next().expect("a word").hash;
            parts.features.iter_mut().find(|feature| feature.hash == hash).expect("a term").idf = 8.0;
        }
        Model::new(parts)
    }

    #[test]
    fn content_words_come_first_then_common_ones_then_the_form_whatever_moved_the_score_most() {
        let mut scratch = Scratch::default();
        let explanation = model_with_content(&["question"]).explain("thanks for the question ?", 5, &mut scratch);
        let terms: Vec<&str> = explanation.terms.iter().map(|term| term.term.as_ref()).collect();
        let place = |term: &str| terms.iter().position(|found| *found == term);
        assert!(place("question") < place("for the") && terms.len() == 5, "{terms:?}");
        assert!(terms[..4].iter().all(|term| !term.starts_with('[')) && terms[4].starts_with("[form: "), "{terms:?}");
        assert_eq!(explanation.terms[4].form(), Some("25 characters, 1 long word"));
    }

    #[test]
    fn a_word_that_the_model_lists_as_common_is_common_whether_or_not_it_is_a_term() {
        let mut scratch = Scratch::default();
        let mut is_common = |common_words: &[&str], term: &str| {
            let common_words: Vec<u32> = common_words.iter().map(|word| word_key(word_hash(word))).collect();
            let model = Model::new(Parts { common_words, ..parts() });
            scratch.read("so can not");
            let ngram = scratch.ngrams(2).find(|ngram| scratch.normal_form(ngram) == term).expect("an n-gram");
            model.vectorizer.is_common(&ngram, &scratch)
        };
        // Without a list, by the inverse document frequency of terms: `so` is one, with that of a common word.
        assert!(is_common(&[], "so") && !is_common(&[], "can") && !is_common(&[], "so can"));
        assert!(is_common(&["can"], "can") && !is_common(&["can"], "can not"));
        assert!(is_common(&["not", "can"], "can not"));
        // The list is all there is to know.
        assert!(!is_common(&["can"], "so") && is_common(&["can", "so"], "so can"));
    }

    #[test]
    fn without_a_word_there_is_the_form_alone() {
        let mut scratch = Scratch::default();
        let explanation = model().explain("\u{1F600}", 5, &mut scratch);
        assert_eq!(explanation.terms.iter().map(|term| term.in_words()).collect::<Vec<_>>(), ["its form: 1 character"]);
    }

    #[test]
    fn a_term_as_long_as_the_text_is_cut() {
        let mut scratch = Scratch::default();
        let text = format!("so true{}", "!".repeat(300_000));
        let explanation = model().explain(&text, 99, &mut scratch);
        assert!(explanation.terms.iter().all(|term| term.term.chars().count() <= LONGEST_SPELLING + 1));
        assert!(explanation.terms.iter().any(|term| term.term.ends_with("!\u{2026}")), "{:?}", explanation.terms);
    }

    #[test]
    fn terms_that_are_cut_to_the_same_are_shown_once_with_the_sum_of_both() {
        let mut scratch = Scratch::default();
        let mut shown = |text: &str| -> Vec<(String, f64)> {
            let explanation = model().explain(text, 99, &mut scratch);
            explanation.terms.iter().map(|term| (term.term.to_string(), term.contribution)).collect()
        };
        let word = format!("Lo{}", "x".repeat(70));
        let (twice, alike) = (shown(&format!("{word}a, {word}a")), shown(&format!("{word}a, {word}b")));
        assert!(twice.iter().any(|(term, contribution)| term.ends_with("x\u{2026}") && *contribution > 0.0));
        assert_eq!(alike, twice);
    }

    #[test]
    fn words_far_apart_are_not_cut_between() {
        let mut scratch = Scratch::default();
        let explanation = model().explain(&format!("so{}true", " ".repeat(80)), 99, &mut scratch);
        assert!(explanation.terms.iter().any(|term| term.term == "so true"), "{:?}", explanation.terms);
    }

    proptest! {
        #[test]
        fn some_labels_are_explained_as_all_are_and_the_others_have_no_terms(text in TEXTS, heads in 1..12_usize, asked in 0..12_usize) {
            let model = Model::new(labelled_parts(heads));
            let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
            let name = model.labels()[asked % heads].name().to_owned();
            model.scores(&text, &mut scratch);
            let some = model.explanations(|label, _| if label.name() == name { 5 } else { 0 }, &scratch);
            let all = model.explain_labels(&text, 5, &mut other);
            for (head, (some, all)) in some.into_iter().zip(all).enumerate() {
                prop_assert_eq!(some.score, all.score);
                if head == asked % heads {
                    prop_assert_eq!(some, all);
                } else {
                    prop_assert!(some.terms.is_empty());
                    let sum = some.intercept + some.other;
                    prop_assert!((sum - some.score.log_odds.0).abs() <= 1e-9 * sum.abs().max(1.0));
                }
            }
        }

        #[test]
        fn contributions_add_up_to_the_log_odds_of_every_label(text in TEXTS, heads in 1..12_usize, most in 0..40_usize) {
            let mut scratch = Scratch::default();
            let model = Model::new(labelled_parts(heads));
            for Explanation { score, intercept, terms, other, .. } in model.explain_labels(&text, most, &mut scratch) {
                let parts = terms.iter().map(|term| term.contribution).chain([intercept, other]);
                let magnitude: f64 = parts.clone().map(f64::abs).sum();
                let sum: f64 = parts.sum();
                prop_assert!((sum - score.log_odds.0).abs() <= 1e-9 * magnitude.max(1e-9), "{} {}", sum, score.log_odds.0);
            }
        }

        /// Each is asked for all its terms, and what is to be named is then chosen by hand.
        #[test]
        fn what_is_named_moved_the_score_most_a_common_word_twice_as_much(text in TEXTS, most in 1..12_usize) {
            const CONTENT: [&str; 3] = ["question", "lol", "true"];
            let model = model_with_content(&CONTENT);
            let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
            let all = model.explain(&text, 10_000, &mut other);
            let is_content = |term: &str| {
                let known = ["thanks", "for", "the", "question", "lol", "so", "true"];
                term.split(|c: char| !c.is_alphanumeric()).any(|word| {
                    let word = word.to_lowercase();
                    !word.is_empty() && (!known.contains(&word.as_str()) || CONTENT.contains(&word.as_str()))
                })
            };
            let weight = |term: &Term<'_>| term.contribution.abs() / if is_content(&term.term) { 1.0 } else { 2.0 };
            let mut weights: Vec<f64> = all.terms.iter().filter(|term| term.form().is_none()).map(weight).collect();
            weights.sort_by(|one, other| other.total_cmp(one));
            let some = model.explain(&text, most + 1, &mut scratch);
            let mut named: Vec<f64> = some.terms.iter().filter(|term| term.form().is_none()).map(weight).collect();
            named.sort_by(|one, other| other.total_cmp(one));
            prop_assert_eq!(&named[..], &weights[..most.min(weights.len())]);
            let contents = some.terms.iter().filter(|term| term.form().is_none()).map(|term| !is_content(&term.term));
            prop_assert!(contents.is_sorted(), "{:?}", some.terms);
        }

        #[test]
        fn contributions_add_up_to_the_log_odds(text in TEXTS, most in 0..40_usize, base_rate in 0.01..0.99_f64) {
            let model = model().at_base_rate(BaseRate::new(base_rate).expect("a share"));
            let mut scratch = Scratch::default();
            let explanation = model.explain(&text, most, &mut scratch);
            prop_assert!(explanation.terms.len() <= most);
            let forms = explanation.terms.iter().map(|term| term.form().is_some());
            prop_assert!(forms.clone().is_sorted() && forms.filter(|is_form| *is_form).count() <= 1);
            let parts = explanation.terms.iter().map(|term| term.contribution).chain([explanation.intercept, explanation.other]);
            let magnitude: f64 = parts.clone().map(f64::abs).sum();
            let sum: f64 = parts.sum();
            prop_assert!((sum - explanation.score.log_odds.0).abs() <= 1e-9 * magnitude.max(1e-9), "{} {}", sum, explanation.score.log_odds.0);
        }
    }
}
