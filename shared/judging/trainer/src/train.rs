use std::path::Path;

use modstream_classifier::artifact::{
    self, ArtifactError, Counts, Fit, FoldMetrics, Format, Golden, HeadEntry, Manifest, Metrics, Settings,
    TrainingData, Vocabulary,
};
use modstream_classifier::{
    BaseRate, ByDefault, Calibration, Head, MEASURES, Model, Parts, REMOVAL, Rate, Rates, Score, Scratch, SeenTexts,
    Support,
};
use rayon::prelude::*;

use crate::bias::{self, Bias, bias};
use crate::calibrate::{for_all, platt};
use crate::card;
use crate::checks::{Finding, is_hopeless};
use crate::data::LabelledComments;
use crate::evaluate::Evaluation;
use crate::features::Chosen;
use crate::fit::{FitError, Line, Problem, Solver};
use crate::folds::deal;
use crate::labels;
use crate::metrics;
use crate::near_duplicates::{equal, groups};
use crate::rates;
use crate::rows::Rows;
use crate::tokens::Tokens;

/// How many fits run at once, however many cores there are: each holds its rows.
pub(crate) const CONCURRENT_FITS: usize = 2;
/// The most comments that features are chosen from.
pub(crate) const MAX_CHOOSING_COMMENTS: usize = 40_000;
/// The number of dense matrices that memory must have room for: that of the last fit, and what linfa-logistic copies.
const MATRICES: u64 = 2;
/// The memory that training takes where none is given, in bytes.
pub const DEFAULT_MEMORY: u64 = 4 << 30;

/// The fold of a text that is never held out.
pub(crate) const NEVER_HELD_OUT: usize = usize::MAX;

/// A step of training, for progress bars. One stage ends before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Features will be chosen this many times: once a fold, and once for the model.
    Choosing(usize),
    /// Weights will be found this many times.
    Fitting(usize),
    /// One choice or fit of the stage is done.
    Done,
}

/// Why no model could be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// There is nothing to learn from, or placeholders such as `[removed]` stand in place of all texts.
    #[error("there are no comments with a text to train on")]
    NoComments,
    /// There are too few comments of one verdict.
    #[error(
        "{removed} removed and {kept} kept comments are too few: training needs at least {folds} different texts of each; add comments, of the rarer kind above all"
    )]
    TooFew {
        /// The number of removed comments.
        removed: usize,
        /// The number of kept comments.
        kept: usize,
        /// The number of folds.
        folds: usize,
    },
    /// So many comments have an equal text with the other verdict that nothing can be learned.
    #[error("the comments contradict each other: {found}; see lines {lines}")]
    Contradicting {
        /// How many, in words.
        found: String,
        /// Some of their lines.
        lines: String,
    },
    /// No term stands in enough comments.
    #[error(
        "no term stands in {min_documents} comments: the texts are too few or too short to learn from; add comments"
    )]
    NoVocabulary {
        /// The number of comments that the settings ask for.
        min_documents: usize,
    },
    /// The held-out scores run against the verdicts.
    #[error(
        "the texts say nothing about the verdicts: on held-out comments, higher scores do not mean more removals; check the column `removed`"
    )]
    NoSignal,
    /// No row names a label.
    #[error("no row has a label: each row names its labels, such as {{\"text\":\"...\",\"labels\":{{\"toxic\":1}}}}")]
    NoLabels,
    /// A label is asked for that no row names.
    #[error("no row has the label {label}; the rows have: {labels}")]
    UnknownLabel {
        /// The label.
        label: String,
        /// The labels that rows have.
        labels: String,
    },
    /// Too few texts are known to have a label, or not to have it.
    #[error(
        "label {label}: {positives} texts with it and {negatives} without it are too few, it needs {} of each; add texts, or choose other labels (`--label NAME`)",
        crate::labels::MIN_TEXTS_A_CLASS
    )]
    TooFewOfLabel {
        /// The label.
        label: String,
        /// The number of texts with it.
        positives: usize,
        /// The number of texts without it.
        negatives: usize,
    },
    /// The held-out scores of a label run against what is known.
    #[error(
        "label {label}: the texts say nothing about it: on held-out texts, higher scores do not mean that more have it; check the labels"
    )]
    NoSignalOfLabel {
        /// The label.
        label: String,
    },
    /// A setting is out of range.
    #[error("{0}")]
    Setting(String),
    /// The regression failed.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The model can't be written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// A trained model, to be written.
#[derive(Clone, Debug)]
pub struct Trained {
    pub(crate) manifest: Manifest,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) bias: Vec<Bias>,
    pub(crate) findings: Vec<Finding>,
}

/// Texts of no forum, to each of which a model must give the same probability everywhere.
const GOLDEN: [&str; 8] = [
    "",
    "Great question! The effect holds after controlling for age and income (n = 1,204, 95% CI 1.1-1.4); see https://example.org/paper.",
    "lol this is the dumbest thing I've EVER read!!!",
    "My grandmother did that every day, and she lived to be ninety.",
    "> the authors say so\n\nDo they? Table 2 shows the opposite, doesn&#39;t it?",
    "Na\u{EF}ve \u{2014} and \u{201C}proven\u{201D}\u{2026} <U+0001F44F> \u{1F44F}",
    "\u{7814}\u{7A76}\u{306F}\u{672C}\u{5F53}\u{3067}\u{3059}\u{304B}\u{FF1F}",
    "BUY NOW www.example.com/deal",
];

/// Trains on `comments`: cross-validates for metrics, calibration and rates, then fits all of them. What moderators decided
/// about alerts ([`LabelledComments::add_decided`]) is in the fits and in no measurement; one about a text that is held out is
/// held out with it, so that no text is measured by a fit that saw it. Weights are found over sparse rows; where a dense matrix of
/// all comments takes no more than `memory` bytes, linfa-logistic finds those of the model, from there on.
///
/// # Errors
/// [`TrainError`] says what is missing.
pub fn train(
    comments: &LabelledComments,
    name: &str,
    settings: Settings,
    memory: u64,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Trained, TrainError> {
    check(&settings)?;
    if comments.is_empty() {
        return Err(TrainError::NoComments);
    }
    let decided = comments.decided.iter().map(|(text, removed)| (text.as_str(), *removed));
    let Dealt { fold, decided_fold, findings } = dealt(comments, &settings)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(CONCURRENT_FITS).build();
    let threads = threads.map_err(|error| TrainError::Setting(error.to_string()))?;
    // The last "fold" holds nothing out: it is the model.
    let times = settings.folds + 1;
    let removed: Vec<bool> =
        comments.removed.iter().copied().chain(decided.clone().map(|(_, removed)| removed)).collect();
    let texts = comments.texts.iter().map(String::as_str).chain(decided.map(|(text, _)| text)).collect();
    // A decision is held out with a text like its own, or never.
    let fold_of_decided = decided_fold.into_iter().map(|fold| fold.unwrap_or(NEVER_HELD_OUT));
    let fold_of_all = fold.iter().copied().chain(fold_of_decided).collect();
    progress(Step::Choosing(times));
    let choose_all = || {
        let tokens = Tokens::of(texts, fold_of_all, &settings);
        let chosen = (0..times)
            .into_par_iter()
            .map(|held_out| choose(&tokens, &removed, held_out, &settings).inspect(|_| progress(Step::Done)));
        let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, TrainError>((tokens, chosen))
    };
    let (mut tokens, chosen) = threads.install(choose_all)?;
    threads.install(|| tokens.keep_only(chosen.iter().map(|(chosen, _)| chosen)));
    let tokens = &tokens;
    progress(Step::Fitting(times));
    let fit_all = || {
        let fits = chosen.into_par_iter().enumerate().map(|(held_out, (chosen, start))| {
            let has_room = dense_matrix(&chosen, removed.len()).saturating_mul(MATRICES) <= memory;
            let solver = if held_out == settings.folds && has_room { Solver::Linfa } else { Solver::Sparse };
            let fitted = Fitted::over(tokens, &removed, held_out, chosen, start.as_ref(), solver, &settings)?;
            // Decisions are measured by no fit.
            let scores = |is_wanted: &dyn Fn(usize) -> bool| {
                let rows = (0..comments.len()).filter(|&row| is_wanted(fold[row])).collect();
                fitted.log_odds(tokens, rows, &settings)
            };
            let of_unseen = scores(&|fold| fold == held_out);
            // What a model of another fold than theirs and the model of all say of comments: both have learned from them.
            let is_all = held_out == settings.folds;
            let of_seen = scores(&|fold| is_all || (fold + 1) % settings.folds == held_out);
            progress(Step::Done);
            Ok::<_, TrainError>((fitted, of_unseen, of_seen))
        });
        fits.collect::<Result<Vec<_>, _>>()
    };
    let (mut held_out, mut seen) = (vec![0.0; comments.len()], vec![[0.0; 2]; comments.len()]);
    let mut last = None;
    for (index, (fitted, of_unseen, of_seen)) in threads.install(fit_all)?.into_iter().enumerate() {
        of_unseen.into_iter().for_each(|(row, score)| held_out[row] = score);
        let side = usize::from(index == settings.folds);
        of_seen.into_iter().for_each(|(row, score)| seen[row][side] = score);
        last = Some(fitted);
    }
    let Some(fitted) = last else {
        return Err(TrainError::NoComments);
    };

    let calibration = platt(&held_out, &comments.removed).ok_or(TrainError::NoSignal)?;
    let calibrated: Vec<f64> = held_out.iter().map(|x| calibration.slope * x + calibration.intercept).collect();
    let metrics = measure(&calibrated, &comments.removed, &fold, settings.folds);
    let rates = rates::table(&calibrated, &comments.removed);
    let findings = comments.check(&calibrated, None).into_iter().chain(findings).collect();
    let calibration = for_all(calibration, &seen);
    let trained = fitted.finish(comments, tokens, name, settings, HeldOut { metrics, calibration, rates })?;
    Ok(Trained { findings, ..trained })
}

/// Comments in folds.
pub(crate) struct Dealt {
    /// The fold of each comment.
    pub(crate) fold: Vec<usize>,
    /// The fold that each decision is held out with, where it is about a text like one that is measured on.
    decided_fold: Vec<Option<usize>>,
    /// What is said of near-duplicates.
    findings: Option<Finding>,
}

/// Deals comments into folds, near-duplicates together; equal texts alone where that leaves too few of a class.
///
/// # Errors
/// Where there are too few different texts of a class, or too many texts with both verdicts.
pub(crate) fn dealt(comments: &LabelledComments, settings: &Settings) -> Result<Dealt, TrainError> {
    let texts: Vec<&str> = comments.texts.iter().map(String::as_str).collect();
    let rows = comments.rows(&texts);
    if let Some(finding) = rows.contradicting().filter(is_hopeless) {
        let lines: Vec<String> = finding.rows.iter().map(|row| row.line.to_string()).collect();
        return Err(TrainError::Contradicting { found: finding.in_words(), lines: lines.join(", ") });
    }
    // Comments come first, so that a group with one of them is named by it.
    let all: Vec<&str> = texts.iter().copied().chain(comments.decided.iter().map(|(text, _)| text.as_str())).collect();
    let deal_by = |group: Vec<usize>| {
        let (of_comments, of_decided) = group.split_at(texts.len());
        let fold = deal(&comments.texts, &comments.removed, of_comments, settings.folds, settings.seed)?;
        let decided_fold = of_decided.iter().map(|&first| fold.get(first).copied()).collect();
        Some((fold, decided_fold, of_comments.to_vec()))
    };
    if let Some((fold, decided_fold, group)) = deal_by(groups(&all)) {
        return Ok(Dealt { fold, decided_fold, findings: rows.near_duplicates(&group) });
    }
    let (fold, decided_fold, _) = deal_by(equal(&all)).ok_or_else(|| TrainError::TooFew {
        removed: comments.removed(),
        kept: comments.len() - comments.removed(),
        folds: settings.folds,
    })?;
    Ok(Dealt { fold, decided_fold, findings: None })
}

pub(crate) fn check(settings: &Settings) -> Result<(), TrainError> {
    let wrong = |what: &str| Err(TrainError::Setting(what.to_owned()));
    match settings {
        it if it.max_features == 0 => wrong("the vocabulary needs room for at least one term"),
        it if !(1..=8).contains(&it.longest_ngram) => wrong("n-grams have 1 to 8 tokens"),
        it if it.folds < 2 => wrong("cross-validation needs at least 2 folds"),
        it if !(it.inverse_regularisation > 0.0 && it.inverse_regularisation.is_finite()) => {
            wrong("the inverse regularisation is a number above 0")
        }
        it if !(it.subword_scale > 0.0 && it.subword_scale.is_finite()) => {
            wrong("the scale of subwords is a number above 0")
        }
        it if !(it.measure_scale >= 0.0 && it.measure_scale.is_finite()) => {
            wrong("the scale of measures is a number above 0, or 0 for none")
        }
        _ => Ok(()),
    }
}

/// The size of the dense matrix of so many texts, in bytes.
fn dense_matrix(chosen: &Chosen, texts: usize) -> u64 {
    ((chosen.len() + MEASURES) * texts * size_of::<f32>()) as u64
}

/// The features that a fit over all candidates uses most, by |weight| times the root mean square of its values, and what it made of
/// them, where they had to be chosen.
pub(crate) fn choose(
    tokens: &Tokens<'_>,
    removed: &[bool],
    held_out: usize,
    settings: &Settings,
) -> Result<(Chosen, Option<Line>), TrainError> {
    let mut chosen = Chosen::candidates(tokens, held_out, settings);
    if chosen.features.is_empty() {
        return Err(TrainError::NoVocabulary { min_documents: settings.min_documents });
    }
    if chosen.len() <= settings.max_features {
        return Ok((chosen, None));
    }
    // Texts that are evenly spaced among all: more of them choose no better.
    let texts = tokens.all_but(held_out);
    let step = texts.len().div_ceil(MAX_CHOOSING_COMMENTS).max(1);
    let texts: Vec<usize> = texts.into_iter().step_by(step).collect();
    let rows = Rows::of(tokens, &texts, &chosen, settings);
    let verdicts: Vec<Option<bool>> = texts.iter().map(|&text| Some(removed[text])).collect();
    let scales = rows.ratio_scales(&verdicts, settings.ratio_exponent);
    let c = settings.inverse_regularisation;
    let mut line = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c }.rough()?;
    let spread = rows.root_mean_squares();
    let matters: Vec<f64> = line.weights.iter().zip(spread).map(|(weight, spread)| weight.abs() * spread).collect();
    line.keep(&chosen.keep(settings.max_features, &matters), matters.len() - MEASURES);
    if chosen.features.is_empty() {
        let most = settings.max_features;
        return Err(TrainError::Setting(format!("the {most} features that matter most are all subwords: allow more")));
    }
    Ok((chosen, Some(line)))
}

fn measure(log_odds: &[f64], removed: &[bool], fold: &[usize], folds: usize) -> Metrics {
    let folds: Vec<FoldMetrics> = (0..folds)
        .map(|wanted| {
            let (scores, verdicts): (Vec<f64>, Vec<bool>) =
                (0..fold.len()).filter(|&row| fold[row] == wanted).map(|row| (log_odds[row], removed[row])).unzip();
            FoldMetrics { comments: scores.len(), roc_auc: metrics::roc_auc(&scores, &verdicts) }
        })
        .collect();
    let pooled = Evaluation::of(log_odds, removed);
    Metrics {
        roc_auc: folds.iter().map(|fold| fold.roc_auc).sum::<f64>() / folds.len() as f64,
        folds,
        pr_auc: pooled.pr_auc,
        accuracy: pooled.accuracy,
        f1: pooled.f1,
        log_loss: pooled.log_loss,
        brier: pooled.brier,
        ece: pooled.ece,
        ece_floor: pooled.ece_floor,
    }
}

/// What held-out scores say of a model.
struct HeldOut {
    metrics: Metrics,
    calibration: Calibration,
    rates: Vec<Rate>,
}

pub(crate) struct Fitted {
    chosen: Chosen,
    line: Line,
    gradient: f64,
    solver: Solver,
}

impl Fitted {
    pub(crate) fn over(
        tokens: &Tokens<'_>,
        removed: &[bool],
        held_out: usize,
        chosen: Chosen,
        start: Option<&Line>,
        solver: Solver,
        settings: &Settings,
    ) -> Result<Self, TrainError> {
        let texts = tokens.all_but(held_out);
        let rows = Rows::of(tokens, &texts, &chosen, settings);
        let verdicts: Vec<Option<bool>> = texts.iter().map(|&text| Some(removed[text])).collect();
        let scales = rows.ratio_scales(&verdicts, settings.ratio_exponent);
        let problem = Problem { rows: &rows, verdicts: &verdicts, scales: &scales, c: settings.inverse_regularisation };
        let (line, gradient) = problem.fit(start, solver)?;
        Ok(Fitted { chosen, line, gradient, solver })
    }

    /// The regression's log-odds of some texts, each with its text.
    pub(crate) fn log_odds(&self, tokens: &Tokens<'_>, texts: Vec<usize>, settings: &Settings) -> Vec<(usize, f64)> {
        let rows = Rows::of(tokens, &texts, &self.chosen, settings);
        texts.into_iter().zip(rows.iter().map(|row| self.line.log_odds(row))).collect()
    }

    fn finish(
        self,
        comments: &LabelledComments,
        tokens: &Tokens<'_>,
        name: &str,
        settings: Settings,
        held_out: HeldOut,
    ) -> Result<Trained, TrainError> {
        let HeldOut { metrics, calibration, rates } = held_out;
        let Fitted { chosen, line, gradient, solver } = self;
        // A model has its weights by kind of feature and without the scales that fitting wants.
        let (weights, others) = line.weights.split_at(chosen.features.len());
        let (subwords, measures) = others.split_at(chosen.subwords.len());
        let scaled = |weights: &[f64], scale: f64| weights.iter().map(|weight| (weight * scale) as f32).collect();
        let weights: Vec<f32> = scaled(weights, 1.0);
        let subword_weights: Vec<f32> = scaled(subwords, settings.subword_scale);
        let measure_weights: Vec<f32> = scaled(measures, settings.measure_scale);
        let training: TrainingData = comments.describe();
        let terms = chosen.names(tokens);
        let decided = comments.decided.iter().map(|(text, _)| text.as_str());
        let learned: Vec<&str> = comments.texts.iter().map(String::as_str).chain(decided).collect();
        let unusable = |error: &dyn std::error::Error| TrainError::Setting(error.to_string());
        let counts = Counts { texts: comments.len(), positives: comments.removed() };
        let sizes: Vec<_> = tokens.rows()[..comments.len()].iter().map(|row| row.size).collect();
        let support = Support::of(&sizes);
        let base_rate = BaseRate::new(counts.share()).map_err(|error| unusable(&error))?;
        let model = Model::new(Parts {
            features: chosen.features.clone(),
            longest_ngram: settings.longest_ngram,
            weights: weights.clone(),
            subwords: chosen.subwords.clone(),
            subword_weights: subword_weights.clone(),
            measures: chosen.measures,
            measure_weights: measure_weights.clone(),
            heads: vec![Head {
                label: REMOVAL.to_owned(),
                by_default: ByDefault::On,
                intercept: line.intercept,
                calibration,
                training_base_rate: base_rate,
                base_rate,
                rates: Rates::new(rates.clone()).map_err(|error| unusable(&error))?,
            }],
            known_words: chosen.known_words.clone(),
            common_words: chosen.common_words.clone(),
            support: Some(support),
        });
        let heads = vec![HeadEntry::of_removals(
            counts,
            metrics,
            artifact::Regression { intercept: line.intercept },
            calibration,
            rates,
        )];
        let bias = bias(&model, &heads);
        let manifest = Manifest {
            format: Format::Removal,
            version: String::new(),
            name: name.to_owned(),
            files: Vec::new(),
            settings,
            training,
            fit: Fit {
                solver: solver.name().to_owned(),
                terms: chosen.features.len(),
                subwords: chosen.subwords.len(),
                gradient,
            },
            heads,
            support: Some(support),
            golden: golden(&model),
        };
        let vocabulary = Vocabulary {
            features: chosen.features,
            weights,
            terms,
            subwords: chosen.subwords,
            subword_weights,
            measures: chosen.measures,
            measure_weights,
            known_words: chosen.known_words,
            common_words: chosen.common_words,
            seen_texts: Some(SeenTexts::of(learned.into_iter())),
        };
        Ok(Trained { manifest, vocabulary, bias, findings: Vec::new() })
    }
}

/// The golden texts with the probabilities that the model gives them.
pub(crate) fn golden(model: &Model) -> Vec<Golden> {
    let mut scratch = Scratch::default();
    let texts = GOLDEN.iter().map(|text| Golden {
        text: (*text).to_owned(),
        probabilities: model.scores(text, &mut scratch).iter().map(Score::probability).collect(),
    });
    texts.collect()
}

impl Trained {
    /// How good the model is on held-out comments; of a model with labels, by its first one.
    pub fn metrics(&self) -> &Metrics {
        &self.manifest.first_head().metrics
    }

    /// The labels, and how good each head is.
    pub fn heads(&self) -> &[HeadEntry] {
        &self.manifest.heads
    }

    /// What each label makes of sentences about groups of people.
    pub fn bias(&self) -> &[Bias] {
        &self.bias
    }

    /// What is to be known of the rows before a number of theirs is believed.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the model was trained on.
    pub fn training(&self) -> &TrainingData {
        &self.manifest.training
    }

    /// Writes manifest, arrays and card into `folder`; `about` is what the card says of where the comments come from. Returns
    /// the manifest, with its version.
    ///
    /// # Errors
    /// [`TrainError`] where the folder can't be written, or holds something else.
    pub fn write(&self, folder: &Path, about: Option<&str>) -> Result<Manifest, TrainError> {
        Ok(artifact::write(folder, self.manifest.clone(), &self.vocabulary, |manifest| match manifest.format {
            Format::Removal => card::card(manifest, &self.vocabulary, about) + &bias::card(&self.bias),
            Format::Labels => labels::card::card(manifest, &self.vocabulary, about) + &bias::card(&self.bias),
        })?)
    }
}
