use std::sync::LazyLock;

use modstream_classifier::artifact::{
    self, ArtifactError, CARD, FileEntry, Format, HeadEntry, Manifest, ModelFiles, TENSORS,
};
use modstream_classifier::{BaseRate, Model, Scratch};
use sha2::{Digest, Sha256};

use crate::SHIPPED;

/// How the version stands in a manifest.
const VERSION_FIELD: &[u8] = b"\n  \"version\": \"";
/// Hex digits of a SHA-256.
const VERSION_LENGTH: usize = 64;

/// A model of a few terms: small enough for a fuzzer to find its way around in.
struct Tiny {
    manifest: Manifest,
    tensors: Vec<u8>,
    card: Vec<u8>,
    terms: Vec<String>,
}

static TINY: LazyLock<Tiny> = LazyLock::new(|| tiny(Format::Removal));

/// The same with a head a label.
static TINY_LABELS: LazyLock<Tiny> = LazyLock::new(|| tiny(Format::Labels));

/// How many labels the tiny model has.
const HEADS: usize = 2;

fn tiny(format: Format) -> Tiny {
    let files = ModelFiles::read(SHIPPED).expect("the shipped model is there");
    let (_, mut manifest) = files.load().expect("the shipped model loads");
    let mut vocabulary = manifest.vocabulary(&file(&files, TENSORS)).expect("it has just been loaded");
    vocabulary.features.truncate(8);
    vocabulary.weights.truncate(8);
    vocabulary.terms.truncate(8);
    vocabulary.subwords.truncate(4);
    vocabulary.subword_weights.truncate(4);
    manifest.heads[0].rates.truncate(3);
    manifest.golden.truncate(2);
    if format == Format::Labels {
        manifest.format = format;
        let head = &manifest.heads[0];
        let label = |index: usize| HeadEntry { label: format!("label{index}"), ..head.clone() };
        manifest.heads = (0..HEADS).map(label).collect();
        for weights in [&mut vocabulary.weights, &mut vocabulary.subword_weights, &mut vocabulary.measure_weights] {
            *weights = weights.iter().flat_map(|weight| [*weight; HEADS]).collect();
        }
        for golden in &mut manifest.golden {
            golden.probabilities = vec![golden.probabilities[0]; HEADS];
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    loop {
        match artifact::write(folder.path(), manifest.clone(), &vocabulary, |_| String::from("# tiny\n")) {
            Ok(written) => manifest = written,
            Err(ArtifactError::Golden { index, head, found, .. }) => {
                manifest.golden[index].probabilities[head] = found;
                continue;
            }
            Err(error) => panic!("{error}"),
        }
        let files = ModelFiles::read(folder.path()).expect("it has just been written");
        break Tiny { manifest, tensors: file(&files, TENSORS), card: file(&files, CARD), terms: vocabulary.terms };
    }
}

fn file(files: &ModelFiles, wanted: &str) -> Vec<u8> {
    files.iter().find(|(name, _)| *name == wanted).map(|(_, bytes)| bytes.to_vec()).expect("a model has this file")
}

/// Any bytes as a model's files: they load or are refused, and what loads gives every text a probability.
///
/// The first byte says what the rest is. 0: manifest, tensors and card as they come, each of the first two after its length in
/// two bytes. 1: a manifest, whose checksums are made to fit. 2: tensors, in a manifest that fits. A checksum would else stop
/// the fuzzer at once. 3 and 4 are 1 and 2 of a model with labels.
pub fn artifact(input: &[u8]) {
    let Some((way, rest)) = input.split_first() else { return };
    match way % 5 {
        0 => {
            let (manifest, rest) = counted(rest);
            let (tensors, card) = counted(rest);
            check(&with(manifest.to_vec(), tensors, card));
        }
        1 => as_manifest(rest, &TINY),
        2 => fit(TINY.manifest.clone(), rest, &TINY),
        3 => as_manifest(rest, &TINY_LABELS),
        _ => fit(TINY_LABELS.manifest.clone(), rest, &TINY_LABELS),
    }
}

fn as_manifest(bytes: &[u8], tiny: &Tiny) {
    let mut sealed = bytes.to_vec();
    seal(&mut sealed);
    check(&with(sealed, &tiny.tensors, &tiny.card));
    if let Ok(manifest) = serde_json::from_slice(bytes) {
        fit(manifest, &tiny.tensors, tiny);
    }
}

/// Inputs to start from, one for each way, with names for them.
pub fn seeds() -> [(&'static str, Vec<u8>); 5] {
    let (tiny, labels) = (&*TINY, &*TINY_LABELS);
    let manifest = bytes(&tiny.manifest);
    let mut whole = vec![0];
    for part in [&manifest, &tiny.tensors] {
        whole.extend((part.len() as u16).to_le_bytes());
        whole.extend(part);
    }
    whole.extend(&tiny.card);
    [
        ("whole", whole),
        ("manifest", [&[1], &*manifest].concat()),
        ("tensors", [&[2], &*tiny.tensors].concat()),
        ("labels-manifest", [&[3], &*bytes(&labels.manifest)].concat()),
        ("labels-tensors", [&[4], &*labels.tensors].concat()),
    ]
}

fn counted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk() else { return (bytes, &[]) };
    rest.split_at(rest.len().min(u16::from_le_bytes(*length).into()))
}

fn with(manifest: Vec<u8>, tensors: &[u8], card: &[u8]) -> ModelFiles {
    ModelFiles::new(manifest, vec![(TENSORS.to_owned(), tensors.to_vec()), (CARD.to_owned(), card.to_vec())])
}

/// Loads the tensors under a manifest that is made to fit them, golden probabilities too.
fn fit(mut manifest: Manifest, tensors: &[u8], tiny: &Tiny) {
    let entry = |path: &str, bytes: &[u8]| FileEntry {
        path: path.to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    };
    manifest.files = vec![entry(TENSORS, tensors), entry(CARD, &tiny.card)];
    manifest.golden.truncate(4);
    for _ in 0..=manifest.golden.len() * manifest.heads.len() {
        match check(&with(bytes(&manifest), tensors, &tiny.card)) {
            Some(ArtifactError::Golden { index, head, found, .. }) if found.is_finite() => {
                manifest.golden[index].probabilities[head] = found;
            }
            _ => return,
        }
    }
    panic!("golden probabilities that are what the model gave are refused");
}

fn bytes(manifest: &Manifest) -> Vec<u8> {
    let blank = Manifest { version: "0".repeat(VERSION_LENGTH), ..manifest.clone() };
    let mut bytes = serde_json::to_vec_pretty(&blank).expect("a manifest has a JSON form");
    seal(&mut bytes);
    bytes
}

/// Writes the checksum where the version stands, if it stands somewhere.
fn seal(manifest: &mut [u8]) {
    let Some(found) = manifest.windows(VERSION_FIELD.len()).position(|bytes| bytes == VERSION_FIELD) else { return };
    let start = found + VERSION_FIELD.len();
    let end = start + VERSION_LENGTH;
    if end <= manifest.len() {
        let version = sha256(&[&manifest[..start], &manifest[end..]].concat());
        manifest[start..end].copy_from_slice(version.as_bytes());
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Loads a model, and tries what loads. Returns why it is refused, if it is.
fn check(files: &ModelFiles) -> Option<ArtifactError> {
    let (model, manifest) = match files.load() {
        Ok(loaded) => loaded,
        Err(error) => return Some(error),
    };
    assert_eq!(manifest.version.len(), VERSION_LENGTH);
    let mut scratch = Scratch::default();
    let shifted = model.clone().at_base_rate(BaseRate::new(0.05).expect("a share"));
    let terms = TINY.terms.join(" ");
    for text in ["", &terms, "LOL, so TRUE!!! https://example.org/1", "> quoted\n\nI'm *not* \u{1f600}\u{300}\0", "a"] {
        try_text(&model, text, &mut scratch);
        try_text(&shifted, text, &mut scratch);
    }
    None
}

fn try_text(model: &Model, text: &str, scratch: &mut Scratch) {
    let scores = model.scores(text, scratch).to_vec();
    assert_eq!(scores.len(), model.labels().len());
    for (label, score) in model.labels().iter().zip(scores) {
        assert!(score.log_odds.0.is_finite(), "{text:?} gets {score:?} of {}", label.name());
    }
    let score = model.score(text, scratch);
    assert!((0.0..=1.0).contains(&score.probability()), "{text:?} gets {score:?}");
    // JSON has no form for anything else.
    assert!(score.log_odds.0.is_finite(), "{text:?} gets {score:?}");
    let point = model.operating_point(score);
    for share in [point.precision, point.recall, point.share] {
        assert!((0.0..=1.0 + 1e-9).contains(&share), "{text:?} gets {point:?}");
    }
}
