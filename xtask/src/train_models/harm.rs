//! `models/harm`: which source teaches which label, and with what settings. docs/decisions/0018-labels.md says why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use modstream_classifier::artifact::{HeadEntry, Manifest, ModelFiles};
use modstream_classifier::{BaseRate, ByDefault, Model, Scratch};
use modstream_trainer::{Digits, LabelSettings, LabelledTexts, Settings, default_settings, train_labels};
use serde::Deserialize;

use super::neutral;

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

/// What stands in front of the part of it that says what the model is not for.
const NOT_FOR: &str = "## Not for";

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
pub(super) fn train_into(texts: &Path, folder: &Path) -> anyhow::Result<()> {
    let texts = recipe(texts)?;
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
    // What it makes of sentences that it has not seen stands in its card, and takes the model.
    let first = tempfile::tempdir()?;
    trained.write(first.path(), None)?;
    let (model, manifest) = ModelFiles::read(first.path())?.load()?;
    let (texts, not_for) = ABOUT.split_once(NOT_FOR).context("what the model is not for")?;
    let about = format!("{texts}{}\n{NOT_FOR}{not_for}", of_neutral_sentences(&model, &manifest));
    trained.write(folder, Some(&about)).context("models/harm")?;
    Ok(())
}

/// The texts of the recipe: each source's with the labels that it teaches, and our own.
fn recipe(path: &Path) -> anyhow::Result<LabelledTexts> {
    let at = |line: usize| format!("{}: line {line}", path.display());
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut texts = LabelledTexts::default();
    for (line, text) in BufReader::new(MultiGzDecoder::new(file)).lines().enumerate() {
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
    for text in neutral::learned() {
        texts.push(&text, LABELS.map(|(label, ..)| (label, Some(false))), Some("our own"));
    }
    for text in neutral::NO_THREATS {
        texts.push(text, [(THREAT, Some(false)), ("toxic", Some(false))], Some("our own"));
    }
    Ok(texts)
}

/// The part of the card about sentences that name a group and say nothing bad about it.
fn of_neutral_sentences(model: &Model, manifest: &Manifest) -> String {
    let mut scratch = Scratch::default();
    let sentences: Vec<String> = neutral::measured().collect();
    let mut flagged = vec![[0_usize; 2]; manifest.heads.len()];
    for sentence in &sentences {
        let scores = model.scores(sentence, &mut scratch).iter().zip(model.labels());
        for ((flagged, head), (score, label)) in flagged.iter_mut().zip(&manifest.heads).zip(scores) {
            let log_odds = score.log_odds.0 - label.shift();
            let alerts = head.thresholds.iter().map(|threshold| log_odds >= threshold.log_odds);
            flagged.iter_mut().zip(alerts).for_each(|(count, alerts)| *count += usize::from(alerts));
        }
    }
    let mut text = format!(
        "## Neutral sentences\n\nA sentence that names a group of people and says nothing bad about it should not alert. Of {} of our own that the model did not learn from, these shares do, at the thresholds below:\n\n| label | at 1 % false alarms | at 5 % |\n|---|--:|--:|\n",
        sentences.len()
    );
    for (HeadEntry { label, .. }, [few, more]) in manifest.heads.iter().zip(flagged) {
        let percent = |count: usize| count as f64 * 100.0 / sentences.len() as f64;
        // Writing into a String can't fail.
        let _ = writeln!(text, "| {label} | {:.1} % | {:.1} % |", percent(few), percent(more));
    }
    text
}
