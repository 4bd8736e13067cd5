mod explanation;

use modstream_events::{OperatingPoint, Outside};
use modstream_rates::{BaseRate, LogOdds, Rates};
use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::measures::MEASURES;
use crate::subwords::Subword;
use crate::support::Support;
use crate::vectorizer::{Feature, Measure, Scratch, Vectorizer};

pub use self::explanation::Explanation;

/// The parts that a model is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The terms, each hash once.
    pub features: Vec<Feature>,
    /// The longest n-gram, in tokens.
    pub longest_ngram: usize,
    /// The weights of each term, one a head, term by term: what a vector entry of 1 adds to a head's log-odds.
    pub weights: Vec<f32>,
    /// The subwords, each key once.
    pub subwords: Vec<Subword>,
    /// The weights of each subword, one a head, subword by subword.
    pub subword_weights: Vec<f32>,
    /// How measures are standardised.
    pub measures: [Measure; MEASURES],
    /// The weights of each standardised measure, one a head, measure by measure.
    pub measure_weights: Vec<f32>,
    /// The heads, at least one.
    pub heads: Vec<Head>,
    /// The keys of the words that are known; none where that was not looked at.
    pub known_words: Vec<u32>,
    /// The keys of the words that are common; none where that was not looked at.
    pub common_words: Vec<u32>,
    /// What the training texts were like, where that is known.
    pub support: Option<Support>,
}

/// The part of a model that belongs to one label: a regression over the vector that all labels share.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The label's name.
    pub label: String,
    /// Whether the label counts where nobody chose labels.
    pub by_default: ByDefault,
    /// The regression's intercept, in log-odds.
    pub intercept: f64,
    /// The calibration, from the regression's log-odds to calibrated ones.
    pub calibration: Calibration,
    /// The share of texts with this label among those that the calibration was made on.
    pub training_base_rate: BaseRate,
    /// The share that is assumed where nobody says another: of training texts that were chosen for their labels, the share says
    /// nothing of those to come.
    pub base_rate: BaseRate,
    /// The rates that thresholds give.
    pub rates: Rates,
}

/// Whether a label counts where nobody chose labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByDefault {
    /// The label counts.
    On,
    /// The label is a hint, which only counts where somebody asks for it.
    Off,
}

/// The label of a model that learned what moderators remove, and nothing else.
pub const REMOVAL: &str = "removal";

/// A model that is ready to score.
#[derive(Clone, Debug)]
pub struct Model {
    vectorizer: Vectorizer,
    weights: Weights<f32>,
    subword_weights: Weights<f32>,
    measure_weights: Weights<f64>,
    labels: Vec<Label>,
    support: Option<Support>,
}

/// A label of a model.
#[derive(Clone, Debug)]
pub struct Label {
    name: String,
    by_default: ByDefault,
    slope: f64,
    /// The calibrated log-odds of a comment that nothing is known of, at the assumed base rate.
    intercept: f64,
    /// What the assumed base rate adds to the log-odds.
    shift: f64,
    training_base_rate: BaseRate,
    base_rate: BaseRate,
    rates: Rates,
}

/// The number of heads whose weights are added up at once: as many as fit half a cache line.
const LANES: usize = 8;

/// Weights, row by row, with those of all heads beside each other, so that one pass over a text's features reads each row once.
#[derive(Clone, Debug)]
struct Weights<T> {
    values: Vec<T>,
    /// The length of a row: 1 for one head, else a multiple of [`LANES`].
    stride: usize,
}

impl<T: Copy + Default + Into<f64>> Weights<T> {
    /// Takes weights that lie row by row, `heads` to a row.
    fn new(values: Vec<T>, heads: usize) -> Self {
        if heads == 1 {
            return Weights { values, stride: 1 };
        }
        let stride = heads.next_multiple_of(LANES);
        let mut wide = vec![T::default(); values.len() / heads * stride];
        for (wide, row) in wide.chunks_exact_mut(stride).zip(values.chunks_exact(heads)) {
            wide[..heads].copy_from_slice(row);
        }
        Weights { values: wide, stride }
    }

    fn at(&self, row: u32, head: usize) -> f64 {
        self.values[row as usize * self.stride + head].into()
    }

    /// The sum over `found` of value times weight, of one head.
    fn sum(&self, head: usize, found: impl Iterator<Item = (u32, f64)>) -> f64 {
        found.map(|(row, value)| value * self.at(row, head)).sum()
    }

    /// The sums of the heads from `first` on, each added up in the same order as [`Weights::sum`] does.
    fn sums(&self, first: usize, found: impl Iterator<Item = (u32, f64)>) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        for (row, value) in found {
            let weights = &self.values[row as usize * self.stride + first..][..LANES];
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight.into();
            }
        }
        sums
    }
}

/// What a model makes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The calibrated log-odds, at the assumed base rate.
    pub log_odds: LogOdds,
}

impl Score {
    /// The label's probability: of an ordinary model, that a moderator would remove the comment.
    pub fn probability(&self) -> f64 {
        self.log_odds.probability()
    }
}

impl Label {
    fn new(head: Head) -> Self {
        let Calibration { slope, intercept } = head.calibration;
        let label = Label {
            name: head.label,
            by_default: head.by_default,
            slope,
            intercept: slope * head.intercept + intercept,
            shift: 0.0,
            training_base_rate: head.training_base_rate,
            base_rate: head.training_base_rate,
            rates: head.rates,
        };
        label.at_base_rate(head.base_rate)
    }

    fn at_base_rate(mut self, base_rate: BaseRate) -> Self {
        self.intercept -= self.shift;
        self.shift = base_rate.log_odds() - self.training_base_rate.log_odds();
        self.intercept += self.shift;
        self.base_rate = base_rate;
        self
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the label counts where nobody chose labels.
    pub fn by_default(&self) -> ByDefault {
        self.by_default
    }

    /// The share of texts that have the label, as assumed.
    pub fn base_rate(&self) -> BaseRate {
        self.base_rate
    }

    /// What the assumed base rate adds to the log-odds that the label's calibration gives.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// The operating point of alerting from this score of the label up.
    pub fn operating_point(&self, score: Score) -> OperatingPoint {
        self.rates.operating_point(LogOdds(score.log_odds.0 - self.shift), self.base_rate)
    }

    /// The share of texts without the label that alert where one alerts from this score of the label up.
    pub fn false_alarms(&self, score: Score) -> f64 {
        self.rates.false_alarms(LogOdds(score.log_odds.0 - self.shift))
    }

    fn score(&self, sum: f64) -> Score {
        Score { log_odds: LogOdds(self.intercept + self.slope * sum) }
    }
}

/// What is said of a model is about its first label, unless it says otherwise; most models have no other.
impl Model {
    /// Makes a model at the base rates that its heads assume.
    ///
    /// # Panics
    /// Where there is no head.
    pub fn new(parts: Parts) -> Self {
        let heads = parts.heads.len();
        assert!(heads > 0, "a model has a head");
        let measure_weights = parts.measure_weights.into_iter().map(f64::from).collect();
        Model {
            vectorizer: Vectorizer::new(&parts.features, &parts.subwords, parts.measures, parts.longest_ngram)
                .with_known_words(&parts.known_words)
                .with_common_words(&parts.common_words),
            weights: Weights::new(parts.weights, heads),
            subword_weights: Weights::new(parts.subword_weights, heads),
            measure_weights: Weights::new(measure_weights, heads),
            labels: parts.heads.into_iter().map(Label::new).collect(),
            support: parts.support,
        }
    }

    /// The model's labels, at least one, in the order of their scores.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The same model where another share of comments is removed: shifts the calibration by the prior (M. Saerens et al.,
    /// "Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002).
    #[must_use]
    pub fn at_base_rate(self, base_rate: BaseRate) -> Self {
        self.at_base_rate_of(0, base_rate)
    }

    /// The same model where another share of texts has the label with this index.
    ///
    /// # Panics
    /// Where the model has no such label.
    #[must_use]
    pub fn at_base_rate_of(mut self, label: usize, base_rate: BaseRate) -> Self {
        self.labels[label] = self.labels[label].clone().at_base_rate(base_rate);
        self
    }

    /// The share of comments that are removed, as assumed.
    pub fn base_rate(&self) -> BaseRate {
        self.labels[0].base_rate
    }

    /// The share of comments that were removed in training.
    pub fn training_base_rate(&self) -> BaseRate {
        self.labels[0].training_base_rate
    }

    /// Scores a text. Nothing is allocated once `scratch` has seen texts as long.
    pub fn score(&self, text: &str, scratch: &mut Scratch) -> Score {
        self.vectorizer.vectorize(text, scratch);
        self.score_of(0, scratch)
    }

    /// Scores a text by every label, in their order. Nothing is allocated once `scratch` has seen texts as long.
    pub fn scores<'a>(&self, text: &str, scratch: &'a mut Scratch) -> &'a [Score] {
        self.vectorizer.vectorize(text, scratch);
        let mut scores = std::mem::take(&mut scratch.scores);
        scores.clear();
        if let [_] = &*self.labels {
            scores.push(self.score_of(0, scratch));
        } else {
            for (lanes, labels) in self.labels.chunks(LANES).enumerate() {
                let first = lanes * LANES;
                let terms = self.weights.sums(first, scratch.found_terms());
                let subwords = self.subword_weights.sums(first, scratch.found_subwords());
                let measures = self.measure_weights.sums(first, scratch.found_measures());
                let sums =
                    terms.iter().zip(subwords).zip(measures).map(|((terms, subwords), it)| terms + subwords + it);
                scores.extend(labels.iter().zip(sums).map(|(label, sum)| label.score(sum)));
            }
        }
        scratch.scores = scores;
        &scratch.scores
    }

    /// How the text that was scored last with `scratch` differs from those that the model learned from, where it does: the numbers
    /// say nothing then. Of a model that does not say what it learned from, no text does.
    pub fn outside(&self, scratch: &Scratch) -> Option<Outside> {
        self.support?.outside(scratch.size_of_read())
    }

    /// The score by one label of the text whose vector is in `scratch`.
    fn score_of(&self, label: usize, scratch: &Scratch) -> Score {
        let terms = self.weights.sum(label, scratch.found_terms());
        let subwords = self.subword_weights.sum(label, scratch.found_subwords());
        let measures = self.measure_weights.sum(label, scratch.found_measures());
        self.labels[label].score(terms + subwords + measures)
    }

    /// The operating point of alerting from this score up.
    pub fn operating_point(&self, score: Score) -> OperatingPoint {
        self.labels[0].operating_point(score)
    }
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
            measure_weights: (0..MEASURES).map(|index| (index as f32 - 14.0) * 0.02).collect(),
            heads: vec![Head {
                label: REMOVAL.to_owned(),
                by_default: ByDefault::On,
                intercept: -0.3,
                calibration: Calibration { slope: 1.3, intercept: 0.1 },
                training_base_rate: BaseRate::new(0.3).expect("a share"),
                base_rate: BaseRate::new(0.3).expect("a share"),
                rates: Rates::new(vec![rate(-4.0, 1.0, 1.0), rate(0.0, 0.6, 0.2), rate(3.0, 0.2, 0.01)])
                    .expect("monotone"),
            }],
            known_words: Vec::new(),
            common_words: Vec::new(),
            support: None,
        }
    }

    /// What a head makes of a weight of the small model: another in each head.
    fn varied(weight: f32, head: usize) -> f32 {
        weight * (1.0 - 0.3 * head as f32) + 0.01 * (head % 3) as f32
    }

    /// The small model's parts with so many heads, each of another mind.
    pub(crate) fn labelled_parts(heads: usize) -> Parts {
        let one = parts();
        let beside = |weights: Vec<f32>| -> Vec<f32> {
            weights.into_iter().flat_map(|weight| (0..heads).map(move |head| varied(weight, head))).collect()
        };
        Parts {
            weights: beside(one.weights),
            subword_weights: beside(one.subword_weights),
            measure_weights: beside(one.measure_weights),
            heads: (0..heads).map(|head| varied_head(&one.heads[0], head)).collect(),
            ..one
        }
    }

    fn varied_head(of: &Head, head: usize) -> Head {
        Head {
            label: format!("label{head}"),
            by_default: if head.is_multiple_of(2) { ByDefault::On } else { ByDefault::Off },
            intercept: of.intercept - 0.4 * head as f64,
            calibration: Calibration { slope: 0.8 + 0.1 * head as f64, intercept: -0.05 * head as f64 },
            base_rate: BaseRate::new(0.2 / (1 + head) as f64).expect("a share"),
            ..of.clone()
        }
    }

    /// The model that one of those heads alone makes.
    fn alone(head: usize) -> Model {
        let one = parts();
        let of_it = |weights: Vec<f32>| -> Vec<f32> { weights.into_iter().map(|it| varied(it, head)).collect() };
        Model::new(Parts {
            weights: of_it(one.weights),
            subword_weights: of_it(one.subword_weights),
            measure_weights: of_it(one.measure_weights),
            heads: vec![varied_head(&one.heads[0], head)],
            ..one
        })
    }

    pub(crate) fn model() -> Model {
        Model::new(parts())
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

    #[test]
    fn a_base_rate_of_one_label_moves_no_other() {
        let mut scratch = Scratch::default();
        let before = Model::new(labelled_parts(3));
        let after = before.clone().at_base_rate_of(1, BaseRate::new(0.5).expect("a share"));
        let scores = |model: &Model, scratch: &mut Scratch| -> Vec<Score> { model.scores("lol", scratch).to_vec() };
        let (old, new) = (scores(&before, &mut scratch), scores(&after, &mut scratch));
        assert_eq!((new[0], new[2]), (old[0], old[2]));
        let shift = after.labels()[1].base_rate().log_odds() - before.labels()[1].base_rate().log_odds();
        assert!((new[1].log_odds.0 - old[1].log_odds.0 - shift).abs() < 1e-12 && shift > 1.0);
        let [here, there] = [before.labels()[1].operating_point(old[1]), after.labels()[1].operating_point(new[1])];
        assert!((here.recall - there.recall).abs() < 1e-12 && there.precision > here.precision);
    }

    /// Texts that the small model knows words of, and any others.
    pub(crate) const TEXTS: &str = "((lol|so|true|thanks|the|question|[?!., a-z\n]) ?){0,30}|.{0,100}";

    proptest! {
        #[test]
        fn every_head_says_what_it_would_say_alone(text in TEXTS, heads in 1..19_usize) {
            let model = Model::new(labelled_parts(heads));
            let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
            let scores = model.scores(&text, &mut scratch).to_vec();
            prop_assert_eq!(scores.len(), heads);
            for (head, score) in scores.iter().enumerate() {
                // To the last bit.
                prop_assert_eq!(*score, alone(head).score(&text, &mut other));
            }
            prop_assert_eq!(scores[0], model.score(&text, &mut scratch));
            let explained = model.explain_labels(&text, 5, &mut scratch);
            for (head, explanation) in explained.iter().enumerate() {
                prop_assert_eq!(explanation, &alone(head).explain(&text, 5, &mut other));
            }
        }

        #[test]
        fn any_text_gets_a_probability(text in ".{0,300}") {
            let probability = model().score(&text, &mut Scratch::default()).probability();
            prop_assert!((0.0..=1.0).contains(&probability));
        }
    }
}
