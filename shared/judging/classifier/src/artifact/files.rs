use std::fs;
use std::io;
use std::path::Path;

use modstream_rates::{BaseRate, Rates};
use sha2::{Digest, Sha256};

use super::ArtifactError;
use super::manifest::{FileEntry, Manifest};
use super::tensors::Vocabulary;
use crate::model::{Head, Model, Parts};
use crate::seen::SeenTexts;
use crate::vectorizer::Scratch;

/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
/// The arrays' file name.
pub const TENSORS: &str = "model.safetensors";
/// The card's file name.
pub const CARD: &str = "card.md";

/// How far golden probabilities may differ.
const GOLDEN_TOLERANCE: f64 = 1e-6;

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The files of a model, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    manifest: Vec<u8>,
    others: Vec<(String, Vec<u8>)>,
}

impl ModelFiles {
    /// Reads the files of the model in `folder`, as its manifest lists them.
    ///
    /// # Errors
    /// [`ArtifactError`] where a file can't be read, or the manifest is refused.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, ArtifactError> {
        let folder = folder.as_ref();
        let manifest = read(&folder.join(MANIFEST))?;
        let entries = Manifest::from_bytes(&manifest)?.files.into_iter();
        let others = entries.map(|FileEntry { path, .. }| Ok((path.clone(), read(&folder.join(path))?)));
        Ok(ModelFiles { others: others.collect::<Result<_, ArtifactError>>()?, manifest })
    }

    /// Makes a model's files of a manifest's bytes and the other files with their names.
    pub fn new(manifest: Vec<u8>, others: Vec<(String, Vec<u8>)>) -> Self {
        ModelFiles { manifest, others }
    }

    /// Every file with its name, the manifest last.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let others = self.others.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        others.chain([(MANIFEST, self.manifest.as_slice())])
    }

    /// The texts that the model was trained on, where it says so.
    ///
    /// # Errors
    /// [`ArtifactError`] where manifest or arrays are refused.
    pub fn seen_texts(&self) -> Result<Option<SeenTexts>, ArtifactError> {
        let manifest = Manifest::from_bytes(&self.manifest)?;
        let tensors = self.others.iter().find(|(name, _)| name == TENSORS).map_or(&[][..], |(_, bytes)| bytes);
        Ok(manifest.vocabulary(tensors)?.seen_texts)
    }

    /// Checks all files, each one's checksum before it is parsed, and builds the model.
    ///
    /// # Errors
    /// [`ArtifactError`] says what is wrong and what to do.
    pub fn load(&self) -> Result<(Model, Manifest), ArtifactError> {
        let manifest = Manifest::from_bytes(&self.manifest)?;
        let mut vocabulary = None;
        for FileEntry { path, .. } in &manifest.files {
            let bytes = self.others.iter().find(|(name, _)| name == path).map_or(&[][..], |(_, bytes)| bytes);
            manifest.check_file(path, bytes)?;
            if path == TENSORS {
                vocabulary = Some(manifest.parse(bytes)?);
            }
        }
        let vocabulary = vocabulary.ok_or_else(|| ArtifactError::Manifest(format!("it names no {TENSORS}")))?;
        Ok((build(&manifest, vocabulary)?, manifest))
    }
}

/// Loads the model in `folder`.
///
/// # Errors
/// [`ArtifactError`] says what is wrong and what to do.
pub fn open(folder: impl AsRef<Path>) -> Result<Model, ArtifactError> {
    Ok(ModelFiles::read(folder)?.load()?.0)
}

fn read(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    fs::read(path).map_err(|error| ArtifactError::Read { path: path.to_owned(), error })
}

impl Manifest {
    /// Reads the arrays from the bytes of [`TENSORS`], which must be those that this manifest names.
    ///
    /// # Errors
    /// [`ArtifactError`] says what is wrong and what to do.
    pub fn vocabulary(&self, tensors: &[u8]) -> Result<Vocabulary, ArtifactError> {
        self.check_file(TENSORS, tensors)?;
        self.parse(tensors)
    }

    fn parse(&self, tensors: &[u8]) -> Result<Vocabulary, ArtifactError> {
        Vocabulary::parse(tensors, self.format, self.heads.len())
    }

    fn check_file(&self, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        let wrong = |detail: String| Err(ArtifactError::File { path: name.to_owned(), detail });
        let Some(entry) = self.files.iter().find(|entry| entry.path == name) else {
            return wrong("it names no such file".to_owned());
        };
        if bytes.len() as u64 != entry.bytes {
            return wrong(format!("{} bytes, not {}", bytes.len(), entry.bytes));
        }
        if sha256(bytes) != entry.sha256 {
            return wrong("another SHA-256".to_owned());
        }
        Ok(())
    }
}

fn build(manifest: &Manifest, vocabulary: Vocabulary) -> Result<Model, ArtifactError> {
    let heads = manifest.heads.iter().map(|entry| {
        let unusable = |error: &dyn std::error::Error| ArtifactError::Manifest(format!("{}: {error}", entry.label));
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
        features: vocabulary.features,
        longest_ngram: manifest.settings.longest_ngram,
        weights: vocabulary.weights,
        subwords: vocabulary.subwords,
        subword_weights: vocabulary.subword_weights,
        measures: vocabulary.measures,
        measure_weights: vocabulary.measure_weights,
        heads: heads.collect::<Result<_, ArtifactError>>()?,
        known_words: vocabulary.known_words,
        common_words: vocabulary.common_words,
        support: manifest.support,
    });
    let mut scratch = Scratch::default();
    for (index, golden) in manifest.golden.iter().enumerate() {
        let scores = model.scores(&golden.text, &mut scratch);
        for (head, (score, &expected)) in scores.iter().zip(&golden.probabilities).enumerate() {
            let found = score.probability();
            // Written so that a NaN is refused too.
            if (found - expected).abs() <= GOLDEN_TOLERANCE {
                continue;
            }
            let label = manifest.heads[head].label.clone();
            return Err(ArtifactError::Golden { index, head, label, expected, found });
        }
    }
    Ok(model)
}

/// Checks that a model may be written into `folder`: the folder is not there, is empty, or holds a model.
///
/// # Errors
/// [`ArtifactError`] where the folder holds something else, or can't be read.
pub fn check_output(folder: &Path) -> Result<(), ArtifactError> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ArtifactError::Write { path: folder.to_owned(), error }),
    };
    let holds_model = || fs::read(folder.join(MANIFEST)).is_ok_and(|bytes| Manifest::is_one(&bytes));
    if entries.next().is_none() || holds_model() {
        return Ok(());
    }
    Err(ArtifactError::Occupied { path: folder.to_owned() })
}

/// Writes a model into `folder`, and returns its manifest with `version` and `files` filled in. A model that is there already
/// is replaced; any other content is left alone, with an error.
///
/// # Errors
/// [`ArtifactError`] says what is wrong and what to do.
pub fn write(
    folder: &Path,
    mut manifest: Manifest,
    vocabulary: &Vocabulary,
    card: impl FnOnce(&Manifest) -> String,
) -> Result<Manifest, ArtifactError> {
    let entry = |path: &str, bytes: &[u8]| FileEntry {
        path: path.to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    };
    let tensors = vocabulary.to_bytes(manifest.format)?;
    manifest.files = vec![entry(TENSORS, &tensors)];
    let card = card(&manifest);
    manifest.files.push(entry(CARD, card.as_bytes()));
    let sealed = manifest.seal()?;
    let files = ModelFiles::new(sealed, vec![(TENSORS.to_owned(), tensors), (CARD.to_owned(), card.into_bytes())]);
    // What is written must load.
    files.load()?;

    check_output(folder)?;
    let failed = |path: &Path, error: io::Error| ArtifactError::Write { path: path.to_owned(), error };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    // Written whole under names of our own first: what fails on the way, a full disk say, leaves the old model as it was.
    // Then each takes its place, the manifest last: in between, checksums let neither model load rather than a mixed one.
    let part = |name: &str| folder.join(format!(".{name}.{}", std::process::id()));
    let placed = files
        .iter()
        .try_for_each(|(name, bytes)| fs::write(part(name), bytes).map_err(|error| failed(&folder.join(name), error)))
        .and_then(|()| {
            let mut names = files.iter().map(|(name, _)| name);
            names.try_for_each(|name| {
                let path = folder.join(name);
                fs::rename(part(name), &path).map_err(|error| failed(&path, error))
            })
        });
    if placed.is_err() {
        // Best effort: the error that is returned says more than one about this.
        files.iter().for_each(|(name, _)| drop(fs::remove_file(part(name))));
    }
    placed?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{
        Caught, Counts, Digits, Fit, FoldMetrics, Format, Golden, HeadEntry, Measured, Metrics, Regression, Settings,
        SourceMetrics, Threshold, TrainingData,
    };
    use crate::model::Score;
    use crate::model::tests::{labelled_parts, parts};
    use crate::support::{Range, Support};

    const LIKE: Support =
        Support { characters: Range { from: 3, to: 900 }, words: Range { from: 1, to: 200 }, known_words: 0.25 };

    const FORMATS: [Format; 2] = [Format::Removal, Format::Labels];

    fn entry(head: &Head) -> HeadEntry {
        let counts = Counts { texts: 10, positives: 3 };
        let metrics = Metrics {
            roc_auc: 0.7,
            folds: vec![FoldMetrics { comments: 10, roc_auc: 0.7 }],
            pr_auc: 0.5,
            accuracy: 0.5,
            f1: 0.5,
            log_loss: 0.5,
            brier: 0.2,
            ece: 0.1,
            ece_floor: None,
        };
        HeadEntry {
            label: head.label.clone(),
            by_default: head.by_default,
            base_rate: head.base_rate.share(),
            ..HeadEntry::of_removals(
                counts,
                metrics,
                Regression { intercept: head.intercept },
                head.calibration,
                head.rates.rows().to_vec(),
            )
        }
    }

    fn sample(format: Format) -> (Manifest, Vocabulary) {
        let parts = match format {
            Format::Removal => parts(),
            Format::Labels => labelled_parts(3),
        };
        let terms = parts.features.iter().map(|feature| format!("t{:x}", feature.hash)).collect();
        let mut scratch = Scratch::default();
        let model = Model::new(parts.clone());
        let golden = ["", "lol so true!!!", "Thanks for the question?"].map(|text| Golden {
            text: text.to_owned(),
            probabilities: model.scores(text, &mut scratch).iter().map(Score::probability).collect(),
        });
        let mut heads: Vec<HeadEntry> = parts.heads.iter().map(entry).collect();
        if format == Format::Labels {
            let counts = Counts { texts: 10, positives: 3 };
            let of_threshold = Caught { caught: Some(0.5), false_alarms: None };
            heads[1].measured = Measured { source: Some("here".to_owned()), counts };
            heads[1].sources = vec![SourceMetrics {
                source: Some("here".to_owned()),
                counts,
                roc_auc: Some(0.7),
                pr_auc: None,
                at_thresholds: vec![of_threshold],
            }];
            heads[1].thresholds = vec![Threshold { false_alarms: 0.01, log_odds: 0.8, caught: 0.5 }];
        }
        let manifest = Manifest {
            format,
            version: String::new(),
            name: "tiny".to_owned(),
            files: Vec::new(),
            settings: Settings {
                max_features: 10,
                min_documents: 1,
                longest_ngram: parts.longest_ngram,
                subword_min_documents: Some(1),
                subword_scale: 0.7,
                inverse_regularisation: 1.0,
                measure_scale: 0.1,
                folds: 2,
                seed: 7,
                digits: Digits::Kept,
                ratio_exponent: 0.0,
            },
            training: TrainingData {
                comments: 10,
                without_text: 0,
                decided: 0,
                decided_removed: 0,
                bytes: 99,
                sha256: String::new(),
            },
            fit: Fit { solver: "none".to_owned(), terms: 10, subwords: 3, gradient: 0.0 },
            heads,
            // A model of removals of before there was one, and one with labels of after.
            support: (format == Format::Labels).then_some(LIKE),
            golden: golden.to_vec(),
        };
        let vocabulary = Vocabulary {
            features: parts.features,
            weights: parts.weights,
            terms,
            subwords: parts.subwords,
            subword_weights: parts.subword_weights,
            measures: parts.measures,
            measure_weights: parts.measure_weights,
            known_words: if format == Format::Labels { vec![3, 1 << 30] } else { Vec::new() },
            common_words: if format == Format::Labels { vec![3] } else { Vec::new() },
            seen_texts: (format == Format::Labels).then(|| SeenTexts::of(["a text"].into_iter())),
        };
        (manifest, vocabulary)
    }

    fn written(format: Format) -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (manifest, vocabulary) = sample(format);
        let manifest = write(folder.path(), manifest, &vocabulary, |_| "# tiny\n".to_owned()).expect("writes");
        (folder, manifest)
    }

    #[test]
    fn the_shipped_manifest_is_written_again_to_the_byte() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/rscience").join(MANIFEST);
        let bytes = fs::read(shipped).expect("reads");
        let mut manifest = Manifest::from_bytes(&bytes).expect("a manifest");
        assert_eq!((manifest.format, manifest.heads.len()), (Format::Removal, 1));
        assert_eq!(manifest.seal().expect("seals"), bytes);
    }

    #[test]
    fn a_head_of_removals_is_written_as_it_always_was() {
        let (folder, _) = written(Format::Removal);
        let text = fs::read_to_string(folder.path().join(MANIFEST)).expect("reads");
        assert!(text.starts_with("{\n  \"format\": \"modstream-model/2\",\n  \"version\": \""), "{text}");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&manifest["training"]["removed"], &manifest["metrics"]["roc_auc"]), (&3.into(), &0.7.into()));
        assert!(manifest["golden"][0]["probability"].is_f64() && manifest.get("heads").is_none());
        let (_, other) = written(Format::Labels);
        assert_eq!(serde_json::to_value(other).expect("JSON")["format"], "modstream-model/3");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for format in FORMATS {
            let (folder, manifest) = written(format);
            let (model, found) = ModelFiles::read(folder.path()).and_then(|files| files.load()).expect("loads");
            assert_eq!(found, manifest);
            assert_eq!(manifest.version.len(), 64);
            let (_, vocabulary) = sample(format);
            let bytes = fs::read(folder.path().join(TENSORS)).expect("reads");
            assert_eq!(manifest.vocabulary(&bytes).expect("parses"), vocabulary);
            let labels = model.labels().iter().map(|label| (label.name(), label.by_default()));
            assert!(labels.eq(manifest.heads.iter().map(|head| (head.label.as_str(), head.by_default))));
            open(folder.path()).expect("loads");
        }
    }

    #[test]
    fn the_same_model_has_the_same_version() {
        for format in FORMATS {
            assert_eq!(written(format).1.version, written(format).1.version);
        }
    }

    #[test]
    fn every_single_bit_flip_and_truncation_of_every_file_is_refused() {
        for format in FORMATS {
            let (folder, _) = written(format);
            let names = [MANIFEST, TENSORS, CARD];
            let good = names.map(|name| fs::read(folder.path().join(name)).expect("reads"));
            let loads = |changed: usize, bytes: &[u8]| {
                let file = |index: usize| if index == changed { bytes.to_vec() } else { good[index].clone() };
                ModelFiles::new(file(0), vec![(TENSORS.to_owned(), file(1)), (CARD.to_owned(), file(2))]).load().is_ok()
            };
            for (file, bytes) in good.iter().enumerate() {
                assert!(loads(file, bytes), "the good files load");
                for bit in 0..bytes.len() * 8 {
                    let mut flipped = bytes.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    assert!(!loads(file, &flipped), "{}, bit {bit}", names[file]);
                }
                for length in 0..bytes.len() {
                    assert!(!loads(file, &bytes[..length]), "{}, {length} bytes", names[file]);
                }
                assert!(!loads(file, &[&bytes[..], b" "].concat()), "{}, a byte more", names[file]);
            }
        }
    }

    fn resealed(format: Format, change: impl FnOnce(&mut Manifest)) -> ArtifactError {
        let (folder, mut manifest) = written(format);
        change(&mut manifest);
        fs::write(folder.path().join(MANIFEST), manifest.seal().expect("seals")).expect("writes");
        open(folder.path()).expect_err("it is refused")
    }

    #[test]
    fn a_manifest_that_makes_no_sense_is_refused_though_its_checksum_holds() {
        for format in FORMATS {
            let message = |change: fn(&mut Manifest)| resealed(format, change).to_string();
            assert!(message(|it| it.files[0].path = "../secret".to_owned()).contains("../secret"));
            assert!(message(|it| it.files[0].path = "/etc/passwd".to_owned()).contains("file name"));
            assert!(message(|it| it.files[0].bytes = u64::MAX).contains(&u64::MAX.to_string()));
            assert!(message(|it| it.files.clear()).contains(TENSORS));
            assert!(message(|it| last(it).calibration.slope = -1.0).contains("calibration"));
            // Such a model is certain of the golden text, and gives an empty one a NaN.
            let huge = |it: &mut Manifest| {
                last(it).calibration.slope = 1e308;
                last(it).regression.intercept = 1e308;
                it.golden.retain(|golden| golden.text == "Thanks for the question?");
                *it.golden[0].probabilities.last_mut().expect("a head") = 1.0;
            };
            assert!(message(huge).contains("calibration"));
            assert!(message(|it| last(it).calibration.intercept = -1e308).contains("calibration"));
            assert!(message(|it| last(it).regression.intercept = 1e308).contains("intercept"));
            let off = |it: &mut Manifest| *it.golden[1].probabilities.last_mut().expect("a head") += 1e-5;
            assert!(message(off).contains("golden text 1"));
            assert!(message(|it| it.golden.clear()).contains("golden"));
            assert!(message(|it| last(it).rates.reverse()).contains("monotone"));
            let without =
                |it: &mut Manifest| (last(it).training.positives, last(it).measured.counts.positives) = (0, 0);
            assert!(message(without).contains("base rate"));
            let no_share = |it: &mut Manifest| it.support = Some(Support { known_words: 2.0, ..LIKE });
            assert!(message(no_share).contains("support"));
            assert!(message(|it| it.settings.longest_ngram = 1 << 40).contains("n-grams"));
        }
    }

    fn last(manifest: &mut Manifest) -> &mut HeadEntry {
        manifest.heads.last_mut().expect("a head")
    }

    #[test]
    fn labels_that_make_no_sense_are_refused_though_the_checksum_holds() {
        let message = |change: fn(&mut Manifest)| resealed(Format::Labels, change).to_string();
        assert!(message(|it| it.heads.clear()).contains("0 labels"));
        assert!(message(|it| it.heads[2].label = it.heads[0].label.clone()).contains("twice"));
        assert!(message(|it| it.heads[2].label = "to\nxic".to_owned()).contains("is no label"));
        assert!(message(|it| it.heads[2].label.clear()).contains("is no label"));
        assert!(message(|it| it.heads[2].base_rate = 1.5).contains("base rate"));
        assert!(message(|it| it.golden[2].probabilities.truncate(2)).contains("one probability a label"));
        assert!(message(|it| it.golden[2].probabilities[1] += 1e-5).contains("label1"));
        // The arrays have a column more, or a column less.
        let fewer = |it: &mut Manifest| {
            it.heads.truncate(2);
            it.golden.iter_mut().for_each(|golden| golden.probabilities.truncate(2));
        };
        assert!(message(fewer).contains("`weights` has another type or shape"));
        let more = |it: &mut Manifest| {
            it.heads.push(HeadEntry { label: "more".to_owned(), ..it.heads[0].clone() });
            it.golden.iter_mut().for_each(|golden| golden.probabilities.push(0.5));
        };
        assert!(message(more).contains("`weights` has another type or shape"));
    }

    #[test]
    fn a_manifest_can_hold_no_more_than_its_format() {
        let (_, mut manifest) = written(Format::Labels);
        manifest.format = Format::Removal;
        assert!(manifest.seal().expect_err("it is refused").to_string().contains("one head, not 3"));
    }

    #[test]
    fn a_format_of_another_release_is_refused() {
        let (folder, mut manifest) = written(Format::Labels);
        let sealed = String::from_utf8(manifest.seal().expect("seals")).expect("text");
        let blank = sealed.replacen(&manifest.version, "", 1).replacen("modstream-model/3", "modstream-model/4", 1);
        let version = format!("\"version\": \"{}\"", sha256(blank.as_bytes()));
        fs::write(folder.path().join(MANIFEST), blank.replacen("\"version\": \"\"", &version, 1)).expect("writes");
        let error = open(folder.path()).expect_err("it is refused").to_string();
        assert!(error.contains("`modstream-model/4`") && error.contains("update modstream"), "{error}");
    }

    #[test]
    fn a_version_with_more_behind_it_is_refused() {
        let (_, mut manifest) = written(Format::Removal);
        let sealed = String::from_utf8(manifest.seal().expect("seals")).expect("text");
        let longer = sealed.replacen(&format!("{}\"", manifest.version), "/../x\"", 1);
        let version = sha256(longer.as_bytes());
        let longer = longer.replacen("/../x\"", &format!("{version}/../x\""), 1);
        assert!(matches!(Manifest::from_bytes(sealed.as_bytes()), Ok(found) if found == manifest));
        let error = Manifest::from_bytes(longer.as_bytes()).map(|found| found.version);
        // The checksum holds: of what follows it, too.
        assert!(matches!(error, Err(ArtifactError::Version)), "{error:?}");
    }

    #[test]
    fn an_unknown_field_is_refused() {
        // In each object that the two formats have.
        let places = [
            (Format::Removal, vec!["\"name\"", "\"max_features\"", "\"removed\"", "\"gradient\"", "\"probability\""]),
            (Format::Labels, vec!["\"name\"", "\"label\"", "\"positives\"", "\"at_thresholds\"", "\"probabilities\""]),
        ];
        for (format, place) in places.into_iter().flat_map(|(format, all)| all.into_iter().map(move |it| (format, it)))
        {
            let (folder, manifest) = written(format);
            let text = fs::read_to_string(folder.path().join(MANIFEST)).expect("reads");
            let with = format!("\"colour\": \"red\",\n  {place}");
            let blank = text.replacen(&manifest.version, "", 1).replacen(place, &with, 1);
            assert!(blank.contains("colour"), "{place}");
            let version = format!("\"version\": \"{}\"", sha256(blank.as_bytes()));
            fs::write(folder.path().join(MANIFEST), blank.replacen("\"version\": \"\"", &version, 1)).expect("writes");
            let error = open(folder.path()).expect_err("it is refused").to_string();
            assert!(error.contains("colour"), "{place}: {error}");
        }
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("thesis.txt"), "mine").expect("writes");
        let (manifest, vocabulary) = sample(Format::Removal);
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Occupied { .. }));
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_of_its_own_behind() {
        let (folder, _) = written(Format::Removal);
        // A folder in the place of a file can't be replaced by one.
        fs::remove_file(folder.path().join(CARD)).expect("removes");
        fs::create_dir_all(folder.path().join(CARD).join("in the way")).expect("creates");
        let (manifest, vocabulary) = sample(Format::Removal);
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Write { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 3);
    }

    #[test]
    fn another_programs_manifest_makes_no_model() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join(MANIFEST), "{\"name\":\"my web app\"}").expect("writes");
        let (manifest, vocabulary) = sample(Format::Removal);
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Occupied { .. }));
    }

    #[test]
    fn a_model_in_the_folder_is_replaced() {
        let (folder, old) = written(Format::Removal);
        let (mut manifest, vocabulary) = sample(Format::Removal);
        manifest.name = "other".to_owned();
        let new = write(folder.path(), manifest, &vocabulary, |_| "# other\n".to_owned()).expect("writes");
        assert_ne!(new.version, old.version);
        open(folder.path()).expect("loads");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 3);
    }
}
