use plain_text::counted;
use std::fmt::Write as _;

use modstream_classifier::artifact::{CalibrationFloor, Manifest, Vocabulary};
use modstream_classifier::{BaseRate, LONGEST_SUBWORD, LogOdds, Rates, SHORTEST_SUBWORD, Support};

/// How many terms are shown each way.
const SHOWN_TERMS: usize = 15;

/// Writes a model card (M. Mitchell et al., "Model Cards for Model Reporting", 2019), in Markdown.
pub(crate) fn card(manifest: &Manifest, vocabulary: &Vocabulary, about: Option<&str>) -> String {
    let Manifest { name, training, settings, fit, .. } = manifest;
    let head = manifest.first_head();
    let (metrics, base_rate) = (&head.metrics, head.training.share());
    let mut card = String::new();
    // Writing into a String can't fail.
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(card, "{text}");
    };
    line(format_args!("# {name}\n"));
    line(format_args!(
        "Gives a comment the probability that a moderator would remove it, and the terms that say so. It proposes; a person decides.\n"
    ));
    line(format_args!("## Trained on\n"));
    line(format_args!(
        "{}, {} of them removed by moderators ({:.1} %). Tails that authors added later (`Edit: ...`) are cut: only comments that stayed up have them.",
        counted(training.comments, "comment"),
        head.training.positives,
        base_rate * 100.0
    ));
    if training.decided > 0 {
        line(format_args!(
            "\nBesides, it learned from {} of moderators about alerts, {} of them to remove. They are in the fits and in no number below: alerts are no sample of all comments.",
            counted(training.decided, "decision"),
            training.decided_removed
        ));
    }
    if let Some(about) = about {
        line(format_args!("\n{}", about.trim()));
    }
    line(format_args!("\n## How\n"));
    let terms = match settings.longest_ngram {
        1 => format!("{} words", fit.terms),
        longest => format!("{} word n-grams of 1 to {longest} tokens", fit.terms),
    };
    let subwords = match fit.subwords {
        0 => String::new(),
        some => format!(" and {some} subwords of {SHORTEST_SUBWORD} and {LONGEST_SUBWORD} letters"),
    };
    let scaled = if settings.ratio_exponent > 0.0 { ", columns scaled by their log-count ratio" } else { "" };
    let measures = if settings.measure_scale > 0.0 { ", and measures of length, questions and layout" } else { "" };
    line(format_args!(
        "{terms} (punctuation counts){subwords}, TF-IDF{measures}{scaled}; logistic regression ({}, C = {}); Platt calibration on held-out scores.\n",
        fit.solver, settings.inverse_regularisation
    ));
    if let Some(support) = &manifest.support {
        line(format_args!("{}\n", of_support(support)));
    }
    line(format_args!("## How good\n"));
    line(format_args!(
        "Every comment scored by a model that had not seen it ({} folds, equal texts together):\n",
        settings.folds
    ));
    line(format_args!(
        "| ROC-AUC | average precision | accuracy | F1 | log loss | Brier | ECE |\n|---|---|---|---|---|---|---|"
    ));
    line(format_args!(
        "| {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
        metrics.roc_auc, metrics.pr_auc, metrics.accuracy, metrics.f1, metrics.log_loss, metrics.brier, metrics.ece
    ));
    if let Some(CalibrationFloor { mean, high }) = metrics.ece_floor {
        line(format_args!(
            "Of so many comments a perfectly calibrated model measures an ECE of {mean:.3}, and up to {high:.3} in 95 of 100 cases.\n"
        ));
    }
    line(format_args!(
        "ROC-AUC is the mean over the folds. Alerting from a probability up, where as many comments are removed as in training and where 5 % are:\n"
    ));
    line(format_args!(
        "| from probability | recall | precision | share of comments | precision at 5 % removed |\n|---|---|---|---|---|"
    ));
    if let (Ok(rates), Ok(trained), Ok(rare)) =
        (Rates::new(head.rates.clone()), BaseRate::new(base_rate), BaseRate::new(0.05))
    {
        for probability in [0.3, 0.5, 0.6, 0.7, 0.8] {
            let [here, there] =
                [trained, rare].map(|base_rate| rates.operating_point(LogOdds::of(probability), base_rate));
            line(format_args!(
                "| {probability:.1} | {:.2} | {:.2} | {:.3} | {:.2} |",
                here.recall, here.precision, here.share, there.precision
            ));
        }
    }
    line(format_args!("\n## What moves it\n"));
    let mut terms: Vec<(f32, &str)> = vocabulary
        .weights
        .iter()
        .zip(&vocabulary.features)
        .map(|(weight, feature)| weight * feature.idf)
        .zip(vocabulary.terms.iter().map(String::as_str))
        .collect();
    terms.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let list = |terms: &mut dyn Iterator<Item = &(f32, &str)>| {
        terms.map(|(_, term)| quoted(term)).collect::<Vec<_>>().join(", ")
    };
    line(format_args!("Towards removal: {}.\n", list(&mut terms.iter().take(SHOWN_TERMS).filter(|term| term.0 > 0.0))));
    line(format_args!(
        "Towards keeping: {}.\n",
        list(&mut terms.iter().rev().take(SHOWN_TERMS).filter(|term| term.0 < 0.0))
    ));
    line(format_args!("## Not for\n"));
    line(format_args!(
        "Other communities without a look at their own removals first: rules, spelling and the share removed differ, and precision follows the share. Removing without a person. Judging people: it reads one comment, not its author. It knows no sarcasm, no context, no truth, and repeats the habits of the moderators it learned from."
    ));
    card
}

/// What a model's training texts were like.
pub(crate) fn of_support(support: &Support) -> String {
    let Support { characters, words, known_words } = support;
    format!(
        "Nearly all texts it learned from have {} to {} characters and {} to {}. Of what is a good deal shorter or longer, or has less than {:.0} % of words that it knows, it knows nothing: such a text is marked, and alerts nobody by this model's word.",
        characters.from,
        characters.to,
        words.from,
        counted(words.to, "word"),
        known_words * 100.0
    )
}

pub(crate) fn quoted(term: &str) -> String {
    if term.contains('`') { format!("`` {term} ``") } else { format!("`{term}`") }
}
