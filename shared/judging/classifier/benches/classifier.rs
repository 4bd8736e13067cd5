//! What each step from text to probability costs, over short, median and long comments, and what a larger vocabulary or a
//! longer comment adds.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use modstream_classifier::artifact::{self, ModelFiles, TENSORS, Vocabulary};
use modstream_classifier::{Feature, MEASURES, Measure, Scratch, Subword, Vectorizer};
use normal_form::undo_transport;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The sample comments, shortest first.
fn samples() -> Vec<String> {
    let lines = std::fs::read_to_string(root().join("events/samples/comments.jsonl")).expect("samples");
    let body = |line: &str| serde_json::from_str::<Value>(line).ok()?["body"].as_str().map(str::to_owned);
    let mut bodies: Vec<String> = lines.lines().filter_map(body).collect();
    bodies.sort_by_key(String::len);
    bodies
}

/// Sixty comments each: the shortest, those in the middle, and the longest, ten in one.
fn by_length() -> [(&'static str, Vec<String>); 3] {
    let samples = samples();
    let middle = samples.len() / 2;
    let long = samples[samples.len() - 60..].chunks(10).cycle().take(60).map(|ten| ten.join("\n\n")).collect();
    [("short", samples[..60].to_vec()), ("median", samples[middle - 30..middle + 30].to_vec()), ("long", long)]
}

fn bytes(texts: &[String]) -> Throughput {
    Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum())
}

/// The shipped model's.
fn vectorizer() -> Vectorizer {
    let folder = root().join("models/rscience");
    let (_, manifest) = ModelFiles::read(&folder).and_then(|files| files.load()).expect("the shipped model");
    let tensors = std::fs::read(folder.join(TENSORS)).expect("reads");
    let Vocabulary { features, subwords, measures, .. } = manifest.vocabulary(&tensors).expect("parses");
    Vectorizer::new(&features, &subwords, measures, manifest.settings.longest_ngram)
}

fn steps(criterion: &mut Criterion) {
    let model = artifact::open(root().join("models/rscience")).expect("the shipped model");
    let vectorizer = vectorizer();
    let mut scratch = Scratch::default();
    for (name, texts) in by_length() {
        let mut group = criterion.benchmark_group(format!("60 {name} comments"));
        group.throughput(bytes(&texts));
        let mut cleaned = String::new();
        group.bench_function("clean", |bench| {
            bench.iter(|| texts.iter().for_each(|text| undo_transport(black_box(text), &mut cleaned)));
        });
        group.bench_function("clean, tokenise", |bench| {
            bench.iter(|| texts.iter().for_each(|text| scratch.read(black_box(text))));
        });
        group.bench_function("clean, tokenise, features", |bench| {
            bench.iter(|| texts.iter().for_each(|text| vectorizer.vectorize(black_box(text), &mut scratch)));
        });
        group.bench_function("clean, tokenise, features, score", |bench| {
            bench.iter(|| texts.iter().map(|text| model.score(black_box(text), &mut scratch).log_odds.0).sum::<f64>());
        });
        group.bench_function("the same, explained by five terms", |bench| {
            bench.iter(|| texts.iter().map(|text| model.explain(black_box(text), 5, &mut scratch).other).sum::<f64>());
        });
        group.finish();
    }
}

/// From 10 to 100,000 characters: the cost of a byte must not grow.
fn lengths(criterion: &mut Criterion) {
    let model = artifact::open(root().join("models/rscience")).expect("the shipped model");
    let all = samples().join(" ");
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("score a comment of so many bytes");
    for length in [10, 100, 1_000, 10_000, 100_000] {
        let text: String = all.chars().filter(char::is_ascii).cycle().take(length).collect();
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::from_parameter(length), |bench| {
            bench.iter(|| model.score(black_box(&text), &mut scratch));
        });
    }
    group.finish();
}

/// From 1,000 to 200,000 features: a thousand of the samples', and others that no text has. So it is the tables' size that is
/// seen; features found cost in any vocabulary.
fn vocabularies(criterion: &mut Criterion) {
    let texts = samples();
    let mut scratch = Scratch::default();
    let (mut terms, mut subwords) = (Vec::new(), Vec::new());
    for text in &texts {
        scratch.read(text);
        terms.extend(scratch.ngrams(2).map(|ngram| ngram.hash));
        scratch.each_subword(|key| subwords.push(key));
    }
    let distinct = |mut keys: Vec<u64>, room: usize| {
        keys.sort_unstable();
        keys.dedup();
        // In no order that means anything, to the tables least of all.
        keys.sort_unstable_by_key(|key| key.wrapping_mul(0xFF51_AFD7_ED55_8CCD).rotate_left(31));
        keys.truncate(room);
        keys
    };
    let mut group = criterion.benchmark_group("vectorize 420 comments by so many features");
    group.throughput(bytes(&texts));
    for count in [1_000_usize, 8_000, 50_000, 200_000] {
        let mut hashes = distinct(terms.clone(), 600);
        hashes.extend((0..(count * 2 / 3 - hashes.len()) as u64).map(|n| (n + 1).wrapping_mul(0xFF51_AFD7_ED55_8CCD)));
        let mut keys = distinct(subwords.iter().map(|key| u64::from(*key)).collect(), 300);
        keys.extend((0..(count / 3 - keys.len()) as u64).map(|n| 0x8080_8080 + n));
        let terms: Vec<Feature> = hashes.into_iter().map(|hash| Feature { hash, idf: 2.0 }).collect();
        let subwords: Vec<Subword> = keys.into_iter().map(|key| Subword { key: key as u32, idf: 2.0 }).collect();
        let measures = [Measure { mean: 0.0, deviation: 1.0 }; MEASURES];
        let vectorizer = Vectorizer::new(&terms, &subwords, measures, 2);
        group.bench_function(BenchmarkId::from_parameter(count), |bench| {
            bench.iter(|| texts.iter().for_each(|text| vectorizer.vectorize(black_box(text), &mut scratch)));
        });
    }
    group.finish();
}

fn load(criterion: &mut Criterion) {
    let files = ModelFiles::read(root().join("models/rscience")).expect("the shipped model");
    criterion.bench_function("check and load the shipped model", |bench| bench.iter(|| files.load().is_ok()));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    targets = steps, lengths, vocabularies, load
}
criterion_main!(benches);
