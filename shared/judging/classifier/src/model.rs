use std::borrow::Cow;

use modstream_events::{OperatingPoint, Term};
use modstream_rates::{BaseRate, LogOdds, Rates};

use crate::calibration::Calibration;
use crate::measures::{MEASURE_GROUPS, MEASURES, MeasureGroup};
use crate::subwords::Subword;
use crate::vectorizer::{Feature, Measure, NGram, Scratch, Vectorizer};

/// The parts that a model is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The terms, each hash once.
    pub features: Vec<Feature>,
    /// The longest n-gram, in tokens.
    pub longest_ngram: usize,
    /// The weight of each term, which is what a vector entry of 1 adds to the regression's log-odds.
    pub weights: Vec<f32>,
    /// The subwords, each key once.
    pub subwords: Vec<Subword>,
    /// The weight of each subword.
    pub subword_weights: Vec<f32>,
    /// How measures are standardised.
    pub measures: [Measure; MEASURES],
    /// The weight of each standardised measure.
    pub measure_weights: [f32; MEASURES],
    /// The regression's intercept, in log-odds.
    pub intercept: f64,
    /// The calibration, from the regression's log-odds to calibrated ones.
    pub calibration: Calibration,
    /// The share of removed comments in training.
    pub training_base_rate: BaseRate,
    /// The rates that thresholds give.
    pub rates: Rates,
}

/// A model that is ready to score.
#[derive(Clone, Debug)]
pub struct Model {
    vectorizer: Vectorizer,
    weights: Vec<f32>,
    subword_weights: Vec<f32>,
    measure_weights: [f64; MEASURES],
    slope: f64,
    /// The calibrated log-odds of a comment that nothing is known of, at the assumed base rate.
    intercept: f64,
    /// What the assumed base rate adds to the log-odds.
    shift: f64,
    training_base_rate: BaseRate,
    base_rate: BaseRate,
    rates: Rates,
}

/// What a model makes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The calibrated log-odds, at the assumed base rate.
    pub log_odds: LogOdds,
}

impl Score {
    /// The probability that a moderator would remove the comment.
    pub fn probability(&self) -> f64 {
        self.log_odds.probability()
    }
}

/// A score and its reasons: `intercept`, the contributions of `terms` and `other` add up to the log-odds.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'a> {
    /// The score.
    pub score: Score,
    /// The log-odds before any term counts.
    pub intercept: f64,
    /// The terms that moved the log-odds most, strongest first, spelled as in the text.
    pub terms: Vec<Term<'a>>,
    /// The sum of the contributions that are left out.
    pub other: f64,
}

impl Model {
    /// Makes a model at its training base rate.
    pub fn new(parts: Parts) -> Self {
        let Calibration { slope, intercept } = parts.calibration;
        Model {
            vectorizer: Vectorizer::new(&parts.features, &parts.subwords, parts.measures, parts.longest_ngram),
            weights: parts.weights,
            subword_weights: parts.subword_weights,
            measure_weights: parts.measure_weights.map(f64::from),
            slope,
            intercept: slope * parts.intercept + intercept,
            shift: 0.0,
            training_base_rate: parts.training_base_rate,
            base_rate: parts.training_base_rate,
            rates: parts.rates,
        }
    }

    /// The same model where another share of comments is removed: shifts the calibration by the prior (M. Saerens et al.,
    /// "Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002).
    #[must_use]
    pub fn at_base_rate(mut self, base_rate: BaseRate) -> Self {
        self.intercept -= self.shift;
        self.shift = base_rate.log_odds() - self.training_base_rate.log_odds();
        self.intercept += self.shift;
        self.base_rate = base_rate;
        self
    }

    /// The share of comments that are removed, as assumed.
    pub fn base_rate(&self) -> BaseRate {
        self.base_rate
    }

    /// The share of comments that were removed in training.
    pub fn training_base_rate(&self) -> BaseRate {
        self.training_base_rate
    }

    /// Scores a text. Nothing is allocated once `scratch` has seen texts as long.
    pub fn score(&self, text: &str, scratch: &mut Scratch) -> Score {
        self.vectorizer.vectorize(text, scratch);
        let weight = |weights: &[f32], index: u32| f64::from(weights[index as usize]);
        let terms: f64 = scratch.terms.iter().map(|found| found.value * weight(&self.weights, found.index)).sum();
        let subwords: f64 =
            scratch.subwords.iter().map(|found| found.value * weight(&self.subword_weights, found.index)).sum();
        let measures: f64 =
            scratch.measures.iter().zip(&self.measure_weights).map(|(value, weight)| value * weight).sum();
        Score { log_odds: LogOdds(self.intercept + self.slope * (terms + subwords + measures)) }
    }

    /// Scores a text and says which terms, at most `most`, moved the score most. A word's contribution holds those of its
    /// subwords.
    pub fn explain<'a>(&self, text: &str, most: usize, scratch: &'a mut Scratch) -> Explanation<'a> {
        let score = self.score(text, scratch);
        let scratch = &*scratch;
        let mut all = self.terms(scratch);
        all.extend(MEASURE_GROUPS.iter().zip(0..).map(|(MeasureGroup { members, .. }, group)| {
            let sum: f64 = members.clone().map(|member| scratch.measures[member] * self.measure_weights[member]).sum();
            (self.slope * sum, Source::Measures(group))
        }));
        let strongest = |a: &(f64, Source), b: &(f64, Source)| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1));
        let count = most.min(all.len());
        if 0 < count && count < all.len() {
            all.select_nth_unstable_by(count - 1, strongest);
        }
        all[..count].sort_unstable_by(strongest);
        let other = all[count..].iter().fold(0.0, |sum, (contribution, _)| sum + contribution);
        let terms = all[..count]
            .iter()
            .filter(|(contribution, _)| *contribution != 0.0)
            .map(|&(contribution, source)| Term {
                term: match source {
                    Source::Term(ngram) => shown(scratch.spelling(&ngram)),
                    Source::Measures(group) => {
                        let MeasureGroup { above, below, members } = &MEASURE_GROUPS[group];
                        Cow::Borrowed(if scratch.measures[members.start] > 0.0 { *above } else { *below })
                    }
                },
                contribution,
            })
            .collect();
        Explanation { score, intercept: self.intercept, terms, other }
    }

    /// The contribution of each n-gram of the text, once, by its first occurrence; of those that are shown alike the
    /// first, with the sum.
    fn terms(&self, scratch: &Scratch) -> Vec<(f64, Source)> {
        let terms = scratch.terms.iter().map(|found| {
            let weight = f64::from(self.weights[found.index as usize]);
            (found.ngram, found.value * weight)
        });
        let subwords = scratch.occurrences().map(|(found, word)| {
            let weight = f64::from(self.subword_weights[found.index as usize]);
            (word, found.value * weight / f64::from(found.times))
        });
        let mut all: Vec<(NGram, f64)> = Vec::with_capacity(scratch.terms.len() + MEASURE_GROUPS.len());
        all.extend(terms);
        // Subwords come word by word.
        let first_word = all.len();
        for (word, contribution) in subwords {
            match all[first_word..].last_mut() {
                Some((last, sum)) if *last == word => *sum += contribution,
                _ => all.push((word, contribution)),
            }
        }
        all.sort_unstable_by_key(|(ngram, _)| (ngram.hash, *ngram));
        all.dedup_by(|(ngram, contribution), (kept, sum)| {
            let is_same = ngram.hash == kept.hash;
            if is_same {
                *sum += *contribution;
            }
            is_same
        });
        merge_shown_alike(&mut all, scratch);
        all.into_iter().map(|(ngram, sum)| (self.slope * sum, Source::Term(ngram))).collect()
    }

    /// The operating point of alerting from this score up.
    pub fn operating_point(&self, score: Score) -> OperatingPoint {
        self.rates.operating_point(LogOdds(score.log_odds.0 - self.shift), self.base_rate)
    }
}

/// The source of a contribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// An n-gram, by its first occurrence.
    Term(NGram),
    /// A group of measures, by index.
    Measures(usize),
}

/// The most characters of a term that are shown; more tell nobody more, and a link may be as long as the text.
const LONGEST_SPELLING: usize = 60;

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
    let long = all.extract_if(.., |(ngram, _)| scratch.spelling(ngram).len() > LONGEST_SPELLING);
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
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    use modstream_rates::Rate;

    /// A small model whose every part does something.
    pub(crate) fn parts() -> Parts {
        let mut scratch = Scratch::default();
        scratch.read("thanks for the question ? lol so true ! ! ! !!!");
        let mut features: Vec<Feature> =
            scratch.ngrams(2).map(|ngram| Feature { hash: ngram.hash, idf: 1.5 }).collect();
        features.sort_unstable_by_key(|feature| feature.hash);
        features.dedup_by_key(|feature| feature.hash);
        let rate = |log_odds, true_positive_rate, false_positive_rate| Rate {
            log_odds,
            true_positive_rate,
            false_positive_rate,
        };
        Parts {
            weights: (0..features.len()).map(|index| (index as f32 - 6.3) * 0.37).collect(),
            features,
            subword_weights: vec![0.8, 1.7, -0.6],
            // " lo", "ques", "rue "
            subwords: [0x0020_6C6F, 0x7175_6573, 0x7275_6520].map(|key| Subword { key, idf: 1.4 }).to_vec(),
            longest_ngram: 2,
            measures: [Measure { mean: 1.5, deviation: 0.7 }; MEASURES],
            measure_weights: std::array::from_fn(|index| (index as f32 - 14.0) * 0.02),
            intercept: -0.3,
            calibration: Calibration { slope: 1.3, intercept: 0.1 },
            training_base_rate: BaseRate::new(0.3).expect("a share"),
            rates: Rates::new(vec![rate(-4.0, 1.0, 1.0), rate(0.0, 0.6, 0.2), rate(3.0, 0.2, 0.01)]).expect("monotone"),
        }
    }

    fn model() -> Model {
        Model::new(parts())
    }

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

    #[test]
    fn the_base_rate_shifts_the_log_odds_and_not_the_order() {
        let mut scratch = Scratch::default();
        let rare = BaseRate::new(0.02).expect("a share");
        let (model, at_rare) = (model(), model().at_base_rate(BaseRate::new(0.6).expect("a share")).at_base_rate(rare));
        let (here, there) = (model.score("lol", &mut scratch), at_rare.score("lol", &mut scratch));
        let shift = rare.log_odds() - model.training_base_rate().log_odds();
        assert!((there.log_odds.0 - here.log_odds.0 - shift).abs() < 1e-12);
        let (here, there) = (model.operating_point(here), at_rare.operating_point(there));
        assert!((here.recall - there.recall).abs() < 1e-12 && there.precision < here.precision);
    }

    proptest! {
        #[test]
        fn contributions_add_up_to_the_log_odds(text in "((lol|so|true|thanks|the|question|[?!., a-z\n]) ?){0,30}|.{0,100}", most in 0..40_usize, base_rate in 0.01..0.99_f64) {
            let model = model().at_base_rate(BaseRate::new(base_rate).expect("a share"));
            let mut scratch = Scratch::default();
            let explanation = model.explain(&text, most, &mut scratch);
            prop_assert!(explanation.terms.len() <= most);
            let parts = explanation.terms.iter().map(|term| term.contribution).chain([explanation.intercept, explanation.other]);
            let magnitude: f64 = parts.clone().map(f64::abs).sum();
            let sum: f64 = parts.sum();
            prop_assert!((sum - explanation.score.log_odds.0).abs() <= 1e-9 * magnitude.max(1e-9), "{} {}", sum, explanation.score.log_odds.0);
        }

        #[test]
        fn any_text_gets_a_probability(text in ".{0,300}") {
            let probability = model().score(&text, &mut Scratch::default()).probability();
            prop_assert!((0.0..=1.0).contains(&probability));
        }
    }
}
