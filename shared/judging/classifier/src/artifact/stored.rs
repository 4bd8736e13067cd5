//! A manifest as it stands in its file. A format that is read for long is read into what the newest one holds, here and nowhere
//! else.

use std::borrow::Cow;

use modstream_rates::Rate;
use serde::{Deserialize, Serialize};

use super::manifest::{
    Counts, FileEntry, Fit, Format, Golden, HeadEntry, Manifest, Measured, Metrics, Regression, Settings, TrainingData,
    is_zero,
};
use crate::calibration::Calibration;
use crate::model::{ByDefault, REMOVAL};
use crate::support::Support;

/// A manifest in one of the forms that it is written in.
#[derive(Serialize, Deserialize)]
#[serde(tag = "format")]
pub(super) enum Stored<'a> {
    #[serde(rename = "modstream-model/2")]
    Removal(Removal<'a>),
    #[serde(rename = "modstream-model/3")]
    Labels(Labels<'a>),
}

/// A manifest of a model with one head.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal<'a> {
    version: Cow<'a, str>,
    name: Cow<'a, str>,
    files: Cow<'a, [FileEntry]>,
    settings: Cow<'a, Settings>,
    training: Verdicts,
    fit: Cow<'a, Fit>,
    metrics: Cow<'a, Metrics>,
    regression: Regression,
    calibration: Calibration,
    rates: Cow<'a, [Rate]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    support: Option<Support>,
    golden: Vec<GoldenText<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdicts {
    comments: usize,
    removed: usize,
    without_text: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    decided: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    decided_removed: usize,
    bytes: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenText<'a> {
    text: Cow<'a, str>,
    probability: f64,
}

/// A manifest of a model with a head a label.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labels<'a> {
    version: Cow<'a, str>,
    name: Cow<'a, str>,
    files: Cow<'a, [FileEntry]>,
    settings: Cow<'a, Settings>,
    training: Cow<'a, TrainingData>,
    fit: Cow<'a, Fit>,
    heads: Cow<'a, [HeadEntry]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    support: Option<Support>,
    golden: Cow<'a, [Golden]>,
}

impl<'a> Stored<'a> {
    /// Puts a manifest into its form.
    pub(super) fn of(manifest: &'a Manifest) -> Result<Self, String> {
        let Manifest { format, version, name, files, settings, training, fit, heads, support, golden } = manifest;
        let (version, name) = (Cow::Borrowed(version.as_str()), Cow::Borrowed(name.as_str()));
        let (files, settings, fit) = (Cow::Borrowed(files.as_slice()), Cow::Borrowed(settings), Cow::Borrowed(fit));
        match format {
            Format::Removal => {
                let [head] = &**heads else {
                    return Err(format!("{} holds one head, not {}", format.name(), heads.len()));
                };
                let texts = golden.iter().map(|golden| match *golden.probabilities {
                    [probability] => Ok(GoldenText { text: Cow::Borrowed(&golden.text), probability }),
                    _ => Err("a golden text has not one probability".to_owned()),
                });
                let golden = texts.collect::<Result<_, _>>()?;
                Ok(Stored::Removal(Removal {
                    version,
                    name,
                    files,
                    settings,
                    training: Verdicts {
                        comments: training.comments,
                        removed: head.training.positives,
                        without_text: training.without_text,
                        decided: training.decided,
                        decided_removed: training.decided_removed,
                        bytes: training.bytes,
                        sha256: training.sha256.clone(),
                    },
                    fit,
                    metrics: Cow::Borrowed(&head.metrics),
                    regression: head.regression,
                    calibration: head.calibration,
                    rates: Cow::Borrowed(&head.rates),
                    support: *support,
                    golden,
                }))
            }
            Format::Labels => Ok(Stored::Labels(Labels {
                version,
                name,
                files,
                settings,
                training: Cow::Borrowed(training),
                fit,
                heads: Cow::Borrowed(heads),
                support: *support,
                golden: Cow::Borrowed(golden),
            })),
        }
    }

    /// Reads a manifest in any of its forms.
    pub(super) fn read(bytes: &[u8]) -> Result<Manifest, serde_json::Error> {
        serde_json::from_slice::<Stored<'static>>(bytes).map(Manifest::from)
    }
}

impl HeadEntry {
    /// The head of a model that learned what moderators remove, `counts.positives` of `counts.texts`.
    pub fn of_removals(
        counts: Counts,
        metrics: Metrics,
        regression: Regression,
        calibration: Calibration,
        rates: Vec<Rate>,
    ) -> Self {
        HeadEntry {
            label: REMOVAL.to_owned(),
            by_default: ByDefault::On,
            training: counts,
            inverse_regularisation: None,
            measured: Measured { source: None, counts },
            base_rate: counts.share(),
            metrics,
            sources: Vec::new(),
            thresholds: Vec::new(),
            regression,
            calibration,
            rates,
        }
    }
}

impl From<Stored<'_>> for Manifest {
    fn from(stored: Stored<'_>) -> Self {
        match stored {
            Stored::Removal(Removal {
                version,
                name,
                files,
                settings,
                training,
                fit,
                metrics,
                regression,
                calibration,
                rates,
                support,
                golden,
            }) => {
                let Verdicts { comments, removed, without_text, decided, decided_removed, bytes, sha256 } = training;
                let counts = Counts { texts: comments, positives: removed };
                let metrics = metrics.into_owned();
                let golden = golden.into_iter().map(|GoldenText { text, probability }| Golden {
                    text: text.into_owned(),
                    probabilities: vec![probability],
                });
                Manifest {
                    format: Format::Removal,
                    version: version.into_owned(),
                    name: name.into_owned(),
                    files: files.into_owned(),
                    settings: settings.into_owned(),
                    training: TrainingData { comments, without_text, decided, decided_removed, bytes, sha256 },
                    fit: fit.into_owned(),
                    heads: vec![HeadEntry::of_removals(counts, metrics, regression, calibration, rates.into_owned())],
                    support,
                    golden: golden.collect(),
                }
            }
            Stored::Labels(Labels { version, name, files, settings, training, fit, heads, support, golden }) => {
                Manifest {
                    format: Format::Labels,
                    version: version.into_owned(),
                    name: name.into_owned(),
                    files: files.into_owned(),
                    settings: settings.into_owned(),
                    training: training.into_owned(),
                    fit: fit.into_owned(),
                    heads: heads.into_owned(),
                    support,
                    golden: golden.into_owned(),
                }
            }
        }
    }
}

impl Serialize for Manifest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::of(self).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer).map(Manifest::from)
    }
}
