use std::collections::HashSet;

use modstream_classifier::artifact::{
    self, Fit, FoldMetrics, Format, HeadEntry, Manifest, Measured, Metrics, Settings, Vocabulary,
};
use modstream_classifier::{BaseRate, ByDefault, Head, MEASURES, Model, Parts, Rates, SeenTexts, Support};
use rayon::prelude::*;

use super::evaluate::{by_source, known, thresholds};
use super::texts::{LabelledTexts, counts, members, numbered};
use crate::bias::bias;
use crate::calibrate::{for_all, platt};
use crate::checks::Finding;
use crate::evaluate::Evaluation;
use crate::features::Chosen;
use crate::fit::{FitError, Line, Problem, Solver};
use crate::folds::deal_classes;
use crate::metrics;
use crate::near_duplicates::{equal, groups};
use crate::rates;
use crate::rows::Rows;
use crate::tokens::Tokens;
use crate::train::{CONCURRENT_FITS, MAX_CHOOSING_COMMENTS, Step, TrainError, Trained, check, golden};

/// The fewest texts with a label, and the fewest without it, that a head is trained on.
pub const MIN_TEXTS_A_CLASS: usize = 20;

/// The most texts by which the models of the folds are compared with the model of all.
const MAX_COMPARED: usize = 10_000;

/// A label to train a head for.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSettings {
    /// The label's name.
    pub label: String,
    /// Whether the label counts where nobody chose labels.
    pub by_default: ByDefault,
    /// The share of texts with the label that the model is to assume; that of the texts it was measured on where none is given.
    pub base_rate: Option<BaseRate>,
    /// The inverse of the regularisation's strength, C, for this label; that of the settings where none is given. A rare label
    /// wants a larger one.
    pub inverse_regularisation: Option<f64>,
}

impl LabelSettings {
    /// A label that counts by default, at the base rate of the texts.
    pub fn of(label: &str) -> Self {
        LabelSettings {
            label: label.to_owned(),
            by_default: ByDefault::On,
            base_rate: None,
            inverse_regularisation: None,
        }
    }
}

/// Trains a model with a head a label. A text of which a label is not known says nothing to that label's head, neither in its fit
/// nor in its numbers. Calibration, rates and metrics of a head are those of the source with most texts that it is known of; where
/// none has enough of both kinds, those of all texts.
///
/// # Errors
/// [`TrainError`] says what is missing.
pub fn train_labels(
    texts: &LabelledTexts,
    name: &str,
    settings: Settings,
    labels: &[LabelSettings],
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Trained, TrainError> {
    check(&settings)?;
    if texts.is_empty() {
        return Err(TrainError::NoComments);
    }
    let columns = known_enough(texts, labels)?;
    let heads: Vec<Column<'_>> = labels
        .iter()
        .zip(&columns)
        .map(|(label, verdicts)| Column {
            verdicts,
            c: label.inverse_regularisation.unwrap_or(settings.inverse_regularisation),
        })
        .collect();
    let (fold, near_duplicates) = deal(texts, &columns, &settings);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(CONCURRENT_FITS).build();
    let threads = threads.map_err(|error| TrainError::Setting(error.to_string()))?;
    // The last "fold" holds nothing out: it is the model.
    let times = settings.folds + 1;
    progress(Step::Choosing(times));
    let texts_read = texts.texts.iter().map(String::as_str).collect();
    let mut tokens = threads.install(|| Tokens::of(texts_read, fold.clone(), &settings));
    let mut chosen = Vec::with_capacity(times);
    for held_out in 0..times {
        // The folds one after the other, since each holds its rows; the heads of each side by side.
        chosen.push(threads.install(|| choose(&tokens, &heads, held_out, &settings))?);
        progress(Step::Done);
    }
    threads.install(|| tokens.keep_only(chosen.iter().map(|(chosen, _)| chosen)));
    progress(Step::Fitting(times * labels.len()));
    let mut held_out_scores = vec![vec![0.0; texts.len()]; labels.len()];
    // Of some texts, what a model of another fold than theirs and the model of all say: both have learned from them.
    let compared: Vec<usize> = (0..texts.len()).step_by(texts.len().div_ceil(MAX_COMPARED)).collect();
    let mut seen_scores = vec![vec![[0.0; 2]; texts.len()]; labels.len()];
    let mut last = None;
    for (held_out, (chosen, starts)) in chosen.into_iter().enumerate() {
        let fitted =
            threads.install(|| Fitted::over(&tokens, &heads, held_out, chosen, &starts, &settings, progress))?;
        for (row, scores) in threads.install(|| fitted.scores(&tokens, &tokens.held_out(held_out), &settings)) {
            held_out_scores.iter_mut().zip(scores).for_each(|(column, score)| column[row] = score);
        }
        let is_all = held_out == settings.folds;
        let is_seen = |row: &usize| is_all || (fold[*row] + 1) % settings.folds == held_out;
        let rows: Vec<usize> = compared.iter().copied().filter(is_seen).collect();
        for (row, scores) in threads.install(|| fitted.scores(&tokens, &rows, &settings)) {
            seen_scores.iter_mut().zip(scores).for_each(|(column, score)| column[row][usize::from(is_all)] = score);
        }
        last = Some(fitted);
    }
    let Some(fitted) = last else {
        return Err(TrainError::NoComments);
    };
    let mut heads = labels
        .iter()
        .zip(columns.iter().zip(&held_out_scores).zip(&fitted.lines))
        .map(|(label, ((column, scores), (line, _)))| head(label, texts, column, scores, line, &fold, settings.folds))
        .collect::<Result<Vec<_>, _>>()?;
    let of_labels = heads.iter().zip(columns.iter().zip(&held_out_scores)).flat_map(|(head, (column, scores))| {
        let (_, rows) = measured_on(texts, column);
        let calibrated: Vec<f64> =
            scores.iter().map(|x| head.calibration.slope * x + head.calibration.intercept).collect();
        texts.check(&head.label, column, &rows, &calibrated)
    });
    let findings = of_labels.chain(near_duplicates).collect();
    for (head, (column, seen)) in heads.iter_mut().zip(columns.iter().zip(&seen_scores)) {
        let learned: Vec<[f64; 2]> =
            compared.iter().filter(|&&row| column[row].is_some()).map(|&row| seen[row]).collect();
        head.calibration = for_all(head.calibration, &learned);
    }
    fitted.finish(texts, &tokens, name, settings, heads, findings)
}

/// What a head is fitted to.
#[derive(Clone, Copy)]
struct Column<'a> {
    /// What is known of each text.
    verdicts: &'a [Option<bool>],
    /// The inverse of the regularisation's strength.
    c: f64,
}

/// What is known of each label, if that is enough.
fn known_enough(texts: &LabelledTexts, labels: &[LabelSettings]) -> Result<Vec<Vec<Option<bool>>>, TrainError> {
    if labels.is_empty() {
        return Err(TrainError::NoLabels);
    }
    let columns = labels.iter().enumerate().map(|(index, LabelSettings { label, .. })| {
        if labels[..index].iter().any(|other| other.label == *label) {
            return Err(TrainError::Setting(format!("the label {label} is asked for twice")));
        }
        if !artifact::is_label(label) {
            return Err(TrainError::Setting(format!("{label:?} is no label: a label has {}", artifact::LABEL_RULE)));
        }
        if !texts.labels().contains(label) {
            return Err(TrainError::UnknownLabel { label: label.clone(), labels: texts.labels().join(", ") });
        }
        let column = texts.column(label);
        let counts = counts(column.iter().copied());
        if counts.positives < MIN_TEXTS_A_CLASS || counts.negatives() < MIN_TEXTS_A_CLASS {
            let (positives, negatives) = (counts.positives, counts.negatives());
            return Err(TrainError::TooFewOfLabel { label: label.clone(), positives, negatives });
        }
        Ok(column)
    });
    columns.collect()
}

/// Deals the texts into folds: near-duplicates together, and those of a source with the same rarest label spread evenly. Where a label
/// would be in too few folds so, equal texts alone are together. Returns what is said of near-duplicates, too.
fn deal(texts: &LabelledTexts, columns: &[Vec<Option<bool>>], settings: &Settings) -> (Vec<usize>, Option<Finding>) {
    let positives: Vec<usize> = columns.iter().map(|column| counts(column.iter().copied()).positives).collect();
    let mut rarest_first: Vec<usize> = (0..columns.len()).collect();
    rarest_first.sort_by_key(|&label| (positives[label], label));
    let rarest = |row: usize| {
        let found = rarest_first.iter().position(|&label| columns[label][row] == Some(true));
        found.unwrap_or(columns.len())
    };
    let source = texts.source_indices();
    let class = numbered((0..texts.len()).map(|row| (source[row], rarest(row))));
    let plain: Vec<&str> = texts.texts.iter().map(String::as_str).collect();
    let near = groups(&plain);
    let is_spread = |fold: &[usize]| {
        columns.iter().all(|column| {
            [true, false].into_iter().all(|class| {
                let of_class = column.iter().zip(fold).filter(|(known, _)| **known == Some(class));
                of_class.map(|(_, fold)| fold).collect::<HashSet<_>>().len() == settings.folds
            })
        })
    };
    let dealt = |group: &[usize]| deal_classes(&texts.texts, &class, group, settings.folds, settings.seed).0;
    let fold = dealt(&near);
    if is_spread(&fold) { (fold, texts.near_duplicates(&near)) } else { (dealt(&equal(&plain)), None) }
}

/// The features that matter most to the head that they matter most to, and what a quick fit of each head made of them, where they
/// had to be chosen.
fn choose(
    tokens: &Tokens<'_>,
    columns: &[Column<'_>],
    held_out: usize,
    settings: &Settings,
) -> Result<(Chosen, Vec<Option<Line>>), TrainError> {
    let mut chosen = Chosen::candidates(tokens, held_out, settings);
    if chosen.features.is_empty() {
        return Err(TrainError::NoVocabulary { min_documents: settings.min_documents });
    }
    if chosen.len() <= settings.max_features {
        return Ok((chosen, vec![None; columns.len()]));
    }
    let rows = tokens.all_but(held_out);
    let mut is_picked = vec![false; tokens.rows().len()];
    picked(&rows, columns).for_each(|row| is_picked[row] = true);
    let rows: Vec<usize> = rows.into_iter().filter(|&row| is_picked[row]).collect();
    let vectors = Rows::of(tokens, &rows, &chosen, settings);
    let lines = columns.par_iter().map(|column| {
        let (verdicts, scales) = column.over(&vectors, &rows, settings);
        Problem { rows: &vectors, verdicts: &verdicts, scales: &scales, c: column.c }.rough()
    });
    let mut lines = lines.collect::<Result<Vec<Line>, FitError>>()?;
    let spread = vectors.root_mean_squares();
    let features = chosen.len();
    let most =
        |feature: usize| lines.iter().map(|line| line.weights[feature].abs() * spread[feature]).fold(0.0, f64::max);
    let matters: Vec<f64> = (0..features).map(most).collect();
    let kept = chosen.keep(settings.max_features, &matters);
    lines.iter_mut().for_each(|line| line.keep(&kept, features));
    Ok((chosen, lines.into_iter().map(Some).collect()))
}

impl Column<'_> {
    /// What is known of some rows, and the scales of their columns.
    fn over(self, vectors: &Rows, rows: &[usize], settings: &Settings) -> (Vec<Option<bool>>, Vec<f64>) {
        let verdicts: Vec<Option<bool>> = rows.iter().map(|&row| self.verdicts[row]).collect();
        let scales = vectors.ratio_scales(&verdicts, settings.ratio_exponent);
        (verdicts, scales)
    }
}

/// The texts that features are chosen from: some that are evenly spaced among all, and of those with each label as many again,
/// since a rare one has few among the others. More of them choose no better.
fn picked(rows: &[usize], columns: &[Column<'_>]) -> impl Iterator<Item = usize> {
    let thin = |rows: Vec<usize>, most: usize| {
        let step = rows.len().div_ceil(most.max(1)).max(1);
        rows.into_iter().step_by(step)
    };
    let of_label = MAX_CHOOSING_COMMENTS / 2 / columns.len();
    let with = columns.iter().flat_map(move |column| {
        thin(rows.iter().copied().filter(|&row| column.verdicts[row] == Some(true)).collect(), of_label)
    });
    thin(rows.to_vec(), MAX_CHOOSING_COMMENTS / 2).chain(with)
}

/// The lines of all heads over one vocabulary.
struct Fitted {
    chosen: Chosen,
    /// Each head's line, with the largest entry of its gradient.
    lines: Vec<(Line, f64)>,
}

impl Fitted {
    fn over(
        tokens: &Tokens<'_>,
        columns: &[Column<'_>],
        held_out: usize,
        chosen: Chosen,
        starts: &[Option<Line>],
        settings: &Settings,
        progress: &(dyn Fn(Step) + Sync),
    ) -> Result<Self, TrainError> {
        let rows = tokens.all_but(held_out);
        let vectors = Rows::of(tokens, &rows, &chosen, settings);
        let lines = columns.par_iter().zip(starts).map(|(column, start)| {
            let (verdicts, scales) = column.over(&vectors, &rows, settings);
            let problem = Problem { rows: &vectors, verdicts: &verdicts, scales: &scales, c: column.c };
            problem.fit(start.as_ref(), Solver::Sparse).inspect(|_| progress(Step::Done))
        });
        Ok(Fitted { lines: lines.collect::<Result<_, _>>()?, chosen })
    }

    /// The regressions' log-odds of some texts, each with its row.
    fn scores(&self, tokens: &Tokens<'_>, rows: &[usize], settings: &Settings) -> Vec<(usize, Vec<f64>)> {
        let vectors = Rows::of(tokens, rows, &self.chosen, settings);
        let scores = vectors.iter().map(|row| self.lines.iter().map(|(line, _)| line.log_odds(row)).collect());
        rows.iter().copied().zip(scores).collect()
    }

    fn finish(
        self,
        texts: &LabelledTexts,
        tokens: &Tokens<'_>,
        name: &str,
        settings: Settings,
        entries: Vec<HeadEntry>,
        findings: Vec<Finding>,
    ) -> Result<Trained, TrainError> {
        let Fitted { chosen, lines } = self;
        let (features, subwords) = (chosen.features.len(), chosen.subwords.len());
        // The weights of some columns, those of all heads beside each other, without the scale that fitting wants.
        let beside = |columns: std::ops::Range<usize>, scale: f64| -> Vec<f32> {
            let of_column = |column: usize| lines.iter().map(move |(line, _)| (line.weights[column] * scale) as f32);
            columns.flat_map(of_column).collect()
        };
        let weights = beside(0..features, 1.0);
        let subword_weights = beside(features..features + subwords, settings.subword_scale);
        let measure_weights = beside(chosen.len()..chosen.len() + MEASURES, settings.measure_scale);
        let sizes: Vec<_> = tokens.rows().iter().map(|row| row.size).collect();
        let support = Support::of(&sizes);
        let unusable = |error: &dyn std::error::Error| TrainError::Setting(error.to_string());
        let heads = entries.iter().map(|entry| {
            Ok(Head {
                label: entry.label.clone(),
                by_default: entry.by_default,
                intercept: entry.regression.intercept,
                calibration: entry.calibration,
                training_base_rate: BaseRate::new(entry.measured.counts.share()).map_err(|error| unusable(&error))?,
                base_rate: BaseRate::new(entry.base_rate).map_err(|error| unusable(&error))?,
                rates: Rates::new(entry.rates.clone()).map_err(|error| unusable(&error))?,
            })
        });
        let model = Model::new(Parts {
            features: chosen.features.clone(),
            longest_ngram: settings.longest_ngram,
            weights: weights.clone(),
            subwords: chosen.subwords.clone(),
            subword_weights: subword_weights.clone(),
            measures: chosen.measures,
            measure_weights: measure_weights.clone(),
            heads: heads.collect::<Result<_, TrainError>>()?,
            known_words: chosen.known_words.clone(),
            common_words: chosen.common_words.clone(),
            support: Some(support),
        });
        let labels: Vec<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
        let bias = bias(&model, &entries);
        let manifest = Manifest {
            format: Format::Labels,
            version: String::new(),
            name: name.to_owned(),
            files: Vec::new(),
            settings,
            training: texts.describe(&labels),
            fit: Fit {
                solver: Solver::Sparse.name().to_owned(),
                terms: features,
                subwords,
                gradient: lines.iter().map(|(_, gradient)| *gradient).fold(0.0, f64::max),
            },
            heads: entries,
            support: Some(support),
            golden: golden(&model),
        };
        let vocabulary = Vocabulary {
            terms: chosen.names(tokens),
            features: chosen.features,
            weights,
            subwords: chosen.subwords,
            subword_weights,
            measures: chosen.measures,
            measure_weights,
            known_words: chosen.known_words,
            common_words: chosen.common_words,
            seen_texts: Some(SeenTexts::of(texts.texts.iter().map(String::as_str))),
        };
        Ok(Trained { manifest, vocabulary, bias, findings })
    }
}

/// What the held-out scores of a label say of its head.
fn head(
    label: &LabelSettings,
    texts: &LabelledTexts,
    column: &[Option<bool>],
    scores: &[f64],
    line: &Line,
    fold: &[usize],
    folds: usize,
) -> Result<HeadEntry, TrainError> {
    let (source, rows) = measured_on(texts, column);
    let (measured, verdicts) = known(&rows, scores, column);
    let no_signal = || TrainError::NoSignalOfLabel { label: label.label.clone() };
    let calibration = platt(&measured, &verdicts).ok_or_else(no_signal)?;
    let calibrated =
        |scores: &[f64]| -> Vec<f64> { scores.iter().map(|x| calibration.slope * x + calibration.intercept).collect() };
    let measured = calibrated(&measured);
    let known_rows: Vec<usize> = rows.into_iter().filter(|&row| column[row].is_some()).collect();
    let fold: Vec<usize> = known_rows.iter().map(|&row| fold[row]).collect();
    let thresholds = thresholds(&measured, &verdicts);
    let measured_counts = counts(verdicts.iter().copied().map(Some));
    Ok(HeadEntry {
        label: label.label.clone(),
        by_default: label.by_default,
        training: counts(column.iter().copied()),
        inverse_regularisation: label.inverse_regularisation,
        measured: Measured { source, counts: measured_counts },
        base_rate: label.base_rate.map_or(measured_counts.share(), BaseRate::share),
        metrics: measure(&measured, &verdicts, &fold, folds),
        sources: by_source(&calibrated(scores), column, texts, &thresholds),
        thresholds,
        regression: artifact::Regression { intercept: line.intercept },
        calibration,
        rates: rates::table(&measured, &verdicts),
    })
}

/// The source, with its rows, that has most texts of a label and enough of both kinds; all rows where none has.
pub(crate) fn measured_on(texts: &LabelledTexts, column: &[Option<bool>]) -> (Option<String>, Vec<usize>) {
    let names = texts.source_names();
    let rows = members(&texts.source_indices(), names.len());
    let of_source = rows.iter().map(|rows| counts(rows.iter().map(|&row| column[row])));
    let usable = of_source
        .enumerate()
        .filter(|(_, counts)| counts.positives >= MIN_TEXTS_A_CLASS && counts.negatives() >= MIN_TEXTS_A_CLASS);
    // The first of those with as many.
    match usable.max_by_key(|(index, counts)| (counts.texts, std::cmp::Reverse(*index))) {
        Some((index, _)) => (names[index].map(str::to_owned), rows[index].clone()),
        None => (None, (0..texts.len()).collect()),
    }
}

fn measure(log_odds: &[f64], verdicts: &[bool], fold: &[usize], folds: usize) -> Metrics {
    let folds = (0..folds).map(|wanted| {
        let of_fold = (0..fold.len()).filter(|&row| fold[row] == wanted);
        let (scores, verdicts): (Vec<f64>, Vec<bool>) = of_fold.map(|row| (log_odds[row], verdicts[row])).unzip();
        FoldMetrics { comments: scores.len(), roc_auc: metrics::roc_auc(&scores, &verdicts) }
    });
    // A fold without the label, or without anything else, has no area under its curve.
    let folds: Vec<FoldMetrics> = folds.filter(|fold| fold.roc_auc.is_finite()).collect();
    let pooled = Evaluation::of(log_odds, verdicts);
    Metrics {
        roc_auc: match folds.len() {
            0 => pooled.roc_auc,
            some => folds.iter().map(|fold| fold.roc_auc).sum::<f64>() / some as f64,
        },
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
