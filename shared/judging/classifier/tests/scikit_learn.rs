//! The same tokens and the same weights give what scikit-learn gives (`fixtures/scikit_learn.py` makes the numbers).

use modstream_classifier::{
    BaseRate, ByDefault, Calibration, Feature, Head, MEASURES, Measure, Model, Parts, REMOVAL, Rate, Rates, Scratch,
    Subword,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<String>,
    terms: Vec<Entry>,
    subwords: Vec<Entry>,
    log_odds: Vec<f64>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    idf: f32,
    weight: f32,
}

/// The hash of a term, which is a text's longest n-gram.
fn hash(term: &str) -> u64 {
    let mut scratch = Scratch::default();
    scratch.read(term);
    let found = scratch.ngrams(2).find(|ngram| scratch.normal_form(ngram) == term);
    found.unwrap_or_else(|| panic!("{term:?} is no n-gram")).hash
}

fn key(subword: &str) -> u32 {
    subword.bytes().fold(0, |key, byte| key << 8 | u32::from(byte))
}

#[test]
fn log_odds_are_scikit_learns() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/scikit_learn.json")).expect("JSON");
    let rate = |log_odds, rate| Rate { log_odds, true_positive_rate: rate, false_positive_rate: rate };
    let model = Model::new(Parts {
        features: fixture.terms.iter().map(|it| Feature { hash: hash(&it.text), idf: it.idf }).collect(),
        longest_ngram: 2,
        weights: fixture.terms.iter().map(|it| it.weight).collect(),
        subwords: fixture.subwords.iter().map(|it| Subword { key: key(&it.text), idf: it.idf }).collect(),
        subword_weights: fixture.subwords.iter().map(|it| it.weight).collect(),
        measures: [Measure { mean: 0.0, deviation: 1.0 }; MEASURES],
        measure_weights: vec![0.0; MEASURES],
        heads: vec![Head {
            label: REMOVAL.to_owned(),
            by_default: ByDefault::On,
            intercept: 0.0,
            calibration: Calibration { slope: 1.0, intercept: 0.0 },
            training_base_rate: BaseRate::new(0.5).expect("a share"),
            base_rate: BaseRate::new(0.5).expect("a share"),
            rates: Rates::new(vec![rate(-1.0, 1.0), rate(1.0, 0.1)]).expect("monotone"),
        }],
        known_words: Vec::new(),
        common_words: Vec::new(),
        support: None,
    });
    let mut scratch = Scratch::default();
    assert!(fixture.texts.len() >= 50 && fixture.log_odds.iter().any(|log_odds| log_odds.abs() > 0.5));
    for (text, expected) in fixture.texts.iter().zip(&fixture.log_odds) {
        let found = model.score(text, &mut scratch).log_odds.0;
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}: {text:?}");
    }
}
