use std::fs;
use std::io;
use std::path::Path;

use modstream_rates::{BaseRate, Rates};
use sha2::{Digest, Sha256};

use super::ArtifactError;
use super::manifest::{FileEntry, Manifest};
use super::tensors::Vocabulary;
use crate::model::{ByDefault, Head, Model, Parts, REMOVAL};
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
                vocabulary = Some(Vocabulary::parse(bytes)?);
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
        Vocabulary::parse(tensors)
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
    let unusable = |error: &dyn std::error::Error| ArtifactError::Manifest(error.to_string());
    let share = manifest.training.removed as f64 / manifest.training.comments as f64;
    let base_rate = BaseRate::new(share).map_err(|error| unusable(&error))?;
    let model = Model::new(Parts {
        features: vocabulary.features,
        longest_ngram: manifest.settings.longest_ngram,
        weights: vocabulary.weights,
        subwords: vocabulary.subwords,
        subword_weights: vocabulary.subword_weights,
        measures: vocabulary.measures,
        measure_weights: vocabulary.measure_weights.to_vec(),
        heads: vec![Head {
            label: REMOVAL.to_owned(),
            by_default: ByDefault::On,
            intercept: manifest.regression.intercept,
            calibration: manifest.calibration,
            training_base_rate: base_rate,
            base_rate,
            rates: Rates::new(manifest.rates.clone()).map_err(|error| unusable(&error))?,
        }],
    });
    let mut scratch = Scratch::default();
    for (index, golden) in manifest.golden.iter().enumerate() {
        let found = model.score(&golden.text, &mut scratch).probability();
        // Written so that a NaN is refused too.
        if (found - golden.probability).abs() <= GOLDEN_TOLERANCE {
            continue;
        }
        return Err(ArtifactError::Golden { index, expected: golden.probability, found });
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
    let tensors = vocabulary.to_bytes()?;
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
    use crate::artifact::{Fit, FoldMetrics, Golden, Metrics, Regression, Settings, TrainingData};

    fn sample() -> (Manifest, Vocabulary) {
        let parts = crate::model::tests::parts();
        let terms = parts.features.iter().map(|feature| format!("t{:x}", feature.hash)).collect();
        let golden = ["", "lol so true!!!", "Thanks for the question?"].map(|text| Golden {
            text: text.to_owned(),
            probability: Model::new(parts.clone()).score(text, &mut Scratch::default()).probability(),
        });
        let manifest = Manifest {
            format: Manifest::FORMAT.to_owned(),
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
            },
            training: TrainingData {
                comments: 10,
                removed: 3,
                without_text: 0,
                decided: 0,
                decided_removed: 0,
                bytes: 99,
                sha256: String::new(),
            },
            fit: Fit { solver: "none".to_owned(), terms: 10, subwords: 3, gradient: 0.0 },
            metrics: Metrics {
                roc_auc: 0.7,
                folds: vec![FoldMetrics { comments: 10, roc_auc: 0.7 }],
                pr_auc: 0.5,
                accuracy: 0.5,
                f1: 0.5,
                log_loss: 0.5,
                brier: 0.2,
                ece: 0.1,
            },
            regression: Regression { intercept: parts.heads[0].intercept },
            calibration: parts.heads[0].calibration,
            rates: parts.heads[0].rates.rows().to_vec(),
            golden: golden.to_vec(),
        };
        let vocabulary = Vocabulary {
            features: parts.features,
            weights: parts.weights,
            terms,
            subwords: parts.subwords,
            subword_weights: parts.subword_weights,
            measures: parts.measures,
            measure_weights: parts.measure_weights.try_into().expect("a weight a measure"),
        };
        (manifest, vocabulary)
    }

    fn written() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (manifest, vocabulary) = sample();
        let manifest = write(folder.path(), manifest, &vocabulary, |_| "# tiny\n".to_owned()).expect("writes");
        (folder, manifest)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (folder, manifest) = written();
        assert_eq!(ModelFiles::read(folder.path()).and_then(|files| files.load()).expect("loads").1, manifest);
        assert_eq!(manifest.version.len(), 64);
        let (_, vocabulary) = sample();
        let bytes = fs::read(folder.path().join(TENSORS)).expect("reads");
        assert_eq!(manifest.vocabulary(&bytes).expect("parses"), vocabulary);
        open(folder.path()).expect("loads");
    }

    #[test]
    fn the_same_model_has_the_same_version() {
        assert_eq!(written().1.version, written().1.version);
    }

    #[test]
    fn every_single_bit_flip_and_truncation_of_every_file_is_refused() {
        let (folder, _) = written();
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

    fn resealed(change: impl FnOnce(&mut Manifest)) -> ArtifactError {
        let (folder, mut manifest) = written();
        change(&mut manifest);
        fs::write(folder.path().join(MANIFEST), manifest.seal().expect("seals")).expect("writes");
        open(folder.path()).expect_err("it is refused")
    }

    #[test]
    fn a_manifest_that_makes_no_sense_is_refused_though_its_checksum_holds() {
        let message = |change: fn(&mut Manifest)| resealed(change).to_string();
        assert!(message(|it| it.format = "modstream-model/3".to_owned()).contains("update modstream"));
        assert!(message(|it| it.files[0].path = "../secret".to_owned()).contains("../secret"));
        assert!(message(|it| it.files[0].path = "/etc/passwd".to_owned()).contains("file name"));
        assert!(message(|it| it.files[0].bytes = u64::MAX).contains(&u64::MAX.to_string()));
        assert!(message(|it| it.files.clear()).contains(TENSORS));
        assert!(message(|it| it.calibration.slope = -1.0).contains("calibration"));
        // Such a model is certain of the golden text, and gives an empty one a NaN.
        let huge = |it: &mut Manifest| {
            it.calibration.slope = 1e308;
            it.regression.intercept = 1e308;
            it.golden.retain(|golden| golden.text == "Thanks for the question?");
            it.golden[0].probability = 1.0;
        };
        assert!(message(huge).contains("calibration"));
        assert!(message(|it| it.calibration.intercept = -1e308).contains("calibration"));
        assert!(message(|it| it.regression.intercept = 1e308).contains("intercept"));
        assert!(message(|it| it.golden[1].probability += 1e-5).contains("golden text 1"));
        assert!(message(|it| it.golden.clear()).contains("golden"));
        assert!(message(|it| it.rates.reverse()).contains("monotone"));
        assert!(message(|it| it.training.removed = 0).contains("base rate"));
        assert!(message(|it| it.settings.longest_ngram = 1 << 40).contains("n-grams"));
    }

    #[test]
    fn a_version_with_more_behind_it_is_refused() {
        let (_, mut manifest) = written();
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
        let (folder, manifest) = written();
        let text = fs::read_to_string(folder.path().join(MANIFEST)).expect("reads");
        let blank = text.replacen(&manifest.version, "", 1).replacen("\"name\"", "\"colour\": \"red\",\n  \"name\"", 1);
        let version = format!("\"version\": \"{}\"", sha256(blank.as_bytes()));
        fs::write(folder.path().join(MANIFEST), blank.replacen("\"version\": \"\"", &version, 1)).expect("writes");
        let error = open(folder.path()).expect_err("it is refused").to_string();
        assert!(error.contains("colour"), "{error}");
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("thesis.txt"), "mine").expect("writes");
        let (manifest, vocabulary) = sample();
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Occupied { .. }));
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_of_its_own_behind() {
        let (folder, _) = written();
        // A folder in the place of a file can't be replaced by one.
        fs::remove_file(folder.path().join(CARD)).expect("removes");
        fs::create_dir_all(folder.path().join(CARD).join("in the way")).expect("creates");
        let (manifest, vocabulary) = sample();
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Write { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 3);
    }

    #[test]
    fn another_programs_manifest_makes_no_model() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join(MANIFEST), "{\"name\":\"my web app\"}").expect("writes");
        let (manifest, vocabulary) = sample();
        let error = write(folder.path(), manifest, &vocabulary, |_| String::new()).expect_err("it is refused");
        assert!(matches!(error, ArtifactError::Occupied { .. }));
    }

    #[test]
    fn a_model_in_the_folder_is_replaced() {
        let (folder, old) = written();
        let (mut manifest, vocabulary) = sample();
        manifest.name = "other".to_owned();
        let new = write(folder.path(), manifest, &vocabulary, |_| "# other\n".to_owned()).expect("writes");
        assert_ne!(new.version, old.version);
        open(folder.path()).expect("loads");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 3);
    }
}
