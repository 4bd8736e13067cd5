//! `models/harm`: which source teaches which label, and with what settings. docs/decisions/0018-labels.md says why.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use modstream_classifier::{BaseRate, ByDefault};
use modstream_trainer::{Digits, LabelSettings, LabelledTexts, Settings, default_settings, train_labels};
use serde::Deserialize;

use super::{Change, Neutral, neutral};

/// The labels: whether each counts by default; its share among all comments of Wikipedia's talk pages that were labelled, since the
/// training texts were chosen for their labels, so that their own shares say nothing of comments to come; and the inverse of its
/// regularisation's strength, which cross-validation chose (docs/decisions/0022-fit.md).
const LABELS: [(&str, ByDefault, f64, f64); 6] = [
    ("toxic", ByDefault::On, 0.0958, 2.0),
    ("severe_toxic", ByDefault::On, 0.0100, 0.5),
    ("obscene", ByDefault::On, 0.0529, 1.0),
    ("insult", ByDefault::On, 0.0494, 1.0),
    (THREAT, ByDefault::On, 0.0030, 2.0),
    ("identity_attack", ByDefault::Off, 0.0088, 2.0),
];

/// What the card says of the texts, and of what the model is not for.
const ABOUT: &str = include_str!("harm.md");

const THREAT: &str = "threat";

/// The inverse of the regularisation's strength where a label has no other.
const C: f64 = 1.0;

/// The sources that teach every label they know.
const CORE: [&str; 5] = ["jigsaw", "jigsaw-cleaned", "jigsaw-toxic-only", "toxic_spans", "convabuse"];
/// The sources that teach threats alone: what they call toxic is a group's name to a model that looks at words.
const OF_THREATS: [&str; 3] = ["ghc", "hatemoji_build", "edos"];

fn settings() -> Settings {
    Settings {
        max_features: 40_000,
        min_documents: 5,
        inverse_regularisation: C,
        folds: 5,
        digits: Digits::LeftOut,
        ratio_exponent: 0.5,
        ..default_settings()
    }
}

/// A row of the texts.
#[derive(Deserialize)]
struct Row {
    text: String,
    labels: BTreeMap<String, Option<u8>>,
    source: String,
}

/// Trains the model into a folder.
pub(super) fn train_into(texts: &Path, folder: &Path, change: Change) -> anyhow::Result<()> {
    let texts = recipe(texts, change)?;
    let labels = LABELS.map(|(label, by_default, base_rate, c)| {
        Ok(LabelSettings {
            by_default,
            base_rate: Some(BaseRate::new(base_rate)?),
            inverse_regularisation: (c != C).then_some(c),
            ..LabelSettings::of(label)
        })
    });
    let labels = labels.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let trained = train_labels(&texts, "harm", settings(), &labels, &|_| ())?;
    trained.write(folder, Some(ABOUT)).context("models/harm")?;
    Ok(())
}

/// The texts of the recipe: each source's with the labels that it teaches, and our own.
fn recipe(path: &Path, change: Change) -> anyhow::Result<LabelledTexts> {
    let at = |line: usize| format!("{}: line {line}", path.display());
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut texts = LabelledTexts::default();
    for (line, text) in BufReader::new(MultiGzDecoder::new(file)).lines().enumerate().step_by(change.one_in.get()) {
        let text = text.with_context(|| at(line + 1))?;
        let Row { text, labels, source } = serde_json::from_str(&text).with_context(|| at(line + 1))?;
        let teaches = |label: &str| match source.as_str() {
            source if CORE.contains(&source) => LABELS.iter().any(|(name, ..)| *name == label),
            source if OF_THREATS.contains(&source) => label == THREAT,
            _ => false,
        };
        let taught = labels.iter().filter(|(label, _)| teaches(label));
        let known: Vec<(&str, Option<bool>)> =
            taught.filter_map(|(label, value)| Some((label.as_str(), Some((*value)? == 1)))).collect();
        if !known.is_empty() {
            texts.push(&text, known, Some(&source));
        }
    }
    if change.neutral == Neutral::Learned {
        for text in neutral::learned().step_by(change.one_in.get()) {
            texts.push(&text, LABELS.map(|(label, ..)| (label, Some(false))), Some("our own"));
        }
    }
    for text in neutral::NO_THREATS {
        texts.push(text, [(THREAT, Some(false)), ("toxic", Some(false))], Some("our own"));
    }
    Ok(texts)
}
