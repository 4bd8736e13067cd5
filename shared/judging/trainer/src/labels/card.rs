use std::fmt::Write as _;

use modstream_classifier::artifact::{Counts, HeadEntry, Manifest, SourceMetrics, Threshold, Vocabulary};
use modstream_classifier::{BaseRate, ByDefault, LONGEST_SUBWORD, LogOdds, SHORTEST_SUBWORD};
use plain_text::counted;

use crate::card::{of_support, quoted};

/// How many terms are shown of a label.
const SHOWN_TERMS: usize = 10;

/// Writes the card of a model with labels, in Markdown.
pub(crate) fn card(manifest: &Manifest, vocabulary: &Vocabulary, about: Option<&str>) -> String {
    let Manifest { name, training, settings, fit, heads, .. } = manifest;
    let mut card = String::new();
    // Writing into a String can't fail.
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(card, "{text}");
    };
    line(format_args!("# {name}\n"));
    line(format_args!(
        "Gives a text a probability for each of {}, and the terms that say so. It proposes; a person decides.\n",
        counted(heads.len(), "label")
    ));
    line(format_args!("## Labels\n"));
    line(format_args!(
        "The share is the one that probabilities assume; a label that is off by default is a hint, to be asked for by name.\n"
    ));
    line(format_args!("| label | by default | texts | with the label | assumed share |\n|---|---|--:|--:|--:|"));
    for HeadEntry { label, by_default, training: Counts { texts, positives }, base_rate, .. } in heads {
        let by_default = match by_default {
            ByDefault::On => "on",
            ByDefault::Off => "off",
        };
        line(format_args!("| {label} | {by_default} | {texts} | {positives} | {:.2} % |", base_rate * 100.0));
    }
    line(format_args!("\n## Trained on\n"));
    line(format_args!(
        "{}. Where nobody said whether a text has a label, the text says nothing to that label.",
        counted(training.comments, "text")
    ));
    if let Some(about) = about {
        line(format_args!("\n{}", about.trim()));
    }
    line(format_args!("\n## How\n"));
    let own: Vec<String> =
        heads.iter().filter_map(|head| Some(format!(", {} of {}", head.inverse_regularisation?, head.label))).collect();
    line(format_args!(
        "{} word n-grams of 1 to {} tokens and {} subwords of {SHORTEST_SUBWORD} and {LONGEST_SUBWORD} letters, each in at least {} texts, TF-IDF, and measures of length, questions and layout; a logistic regression a label ({}, C = {}{}); Platt calibration on held-out scores.\n",
        fit.terms,
        settings.longest_ngram,
        fit.subwords,
        settings.min_documents,
        fit.solver,
        settings.inverse_regularisation,
        own.concat()
    ));
    if let Some(support) = &manifest.support {
        line(format_args!("{}\n", of_support(support)));
    }
    line(format_args!("## How good\n"));
    line(format_args!(
        "Every text scored by a model that had not seen it ({} folds, equal texts together). ROC-AUC is the mean over the folds; the calibration error and the thresholds hold for the source that is named.\n",
        settings.folds
    ));
    line(format_args!(
        "| label | measured on | ROC-AUC | average precision | ECE (of a perfect model) | at 1 % false alarms: from | caught | at 5 %: from | caught |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
    ));
    for head in heads {
        let at = |wanted: f64| {
            head.thresholds
                .iter()
                .find(|it| it.false_alarms == wanted)
                .map_or_else(|| "- | -".to_owned(), |it| format!("{:.3} | {:.2}", probability(head, it), it.caught))
        };
        let floor = head.metrics.ece_floor.map_or_else(String::new, |floor| format!(" ({:.3})", floor.mean));
        line(format_args!(
            "| {} | {} | {:.3} | {:.3} | {:.3}{floor} | {} | {} |",
            head.label,
            source_name(head.measured.source.as_deref()),
            head.metrics.roc_auc,
            head.metrics.pr_auc,
            head.metrics.ece,
            at(0.01),
            at(0.05)
        ));
    }
    line(format_args!(
        "\nBy source, at those thresholds. Sources differ in who wrote, who judged, and what was picked, so no number is over several of them.\n"
    ));
    line(format_args!(
        "| label | source | texts | with the label | ROC-AUC | caught at 1 % | false alarms | caught at 5 % | false alarms |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
    ));
    for head in heads {
        for SourceMetrics { source, counts, roc_auc, at_thresholds, .. } in &head.sources {
            let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
            let at = |index: usize| {
                let found = at_thresholds.get(index);
                let part = |value: Option<f64>| number(value);
                format!("{} | {}", part(found.and_then(|it| it.caught)), part(found.and_then(|it| it.false_alarms)))
            };
            line(format_args!(
                "| {} | {} | {} | {} | {} | {} | {} |",
                head.label,
                source_name(source.as_deref()),
                counts.texts,
                counts.positives,
                number(*roc_auc),
                at(0),
                at(1)
            ));
        }
    }
    line(format_args!("\n## What moves it\n"));
    for (index, head) in heads.iter().enumerate() {
        let weights = vocabulary.weights.iter().skip(index).step_by(heads.len());
        let of_term = weights.zip(&vocabulary.features).map(|(weight, feature)| weight * feature.idf);
        let mut terms: Vec<(f32, &str)> = of_term.zip(vocabulary.terms.iter().map(String::as_str)).collect();
        terms.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let strongest = terms.iter().take(SHOWN_TERMS).map(|(_, term)| quoted(term)).collect::<Vec<_>>();
        line(format_args!("- {}: {}", head.label, strongest.join(", ")));
    }
    card
}

/// The probability, at the assumed base rate, from which a threshold alerts.
fn probability(head: &HeadEntry, threshold: &Threshold) -> f64 {
    let log_odds = |share: f64| BaseRate::new(share).map_or(0.0, BaseRate::log_odds);
    let shift = log_odds(head.base_rate) - log_odds(head.measured.counts.share());
    LogOdds(threshold.log_odds + shift).probability()
}

fn source_name(source: Option<&str>) -> &str {
    source.unwrap_or("all texts")
}
