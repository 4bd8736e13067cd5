//! Scoring allocates nothing once it is warm. A program of its own, since it replaces the allocator.

use std::path::Path;

use modstream_classifier::{
    BaseRate, ByDefault, Calibration, Feature, Head, MEASURES, Measure, Model, Parts, Rate, Rates, Score, Scratch,
    Subword, Support, artifact, word_key,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// A model of three labels, which knows the words of these texts.
fn labels(texts: &[&str]) -> Model {
    const HEADS: usize = 3;
    let mut scratch = Scratch::default();
    let (mut terms, mut subwords) = (Vec::new(), Vec::new());
    let (mut known_words, mut sizes) = (Vec::new(), Vec::new());
    for text in texts {
        scratch.read(text);
        terms.extend(scratch.ngrams(2).map(|ngram| ngram.hash));
        scratch.each_subword(|key| subwords.push(key));
        scratch.each_word(|hash| known_words.push(word_key(hash)));
        sizes.push(scratch.size(|_| true));
    }
    terms.sort_unstable();
    terms.dedup();
    subwords.sort_unstable();
    subwords.dedup();
    let share = BaseRate::new(0.1).expect("a share");
    let rate = |log_odds, rate| Rate { log_odds, true_positive_rate: rate, false_positive_rate: rate };
    let head = Head {
        label: "label".to_owned(),
        by_default: ByDefault::On,
        intercept: -1.0,
        calibration: Calibration { slope: 1.0, intercept: 0.0 },
        training_base_rate: share,
        base_rate: share,
        rates: Rates::new(vec![rate(-1.0, 1.0), rate(1.0, 0.1)]).expect("monotone"),
    };
    Model::new(Parts {
        weights: vec![0.5; terms.len() * HEADS],
        features: terms.into_iter().map(|hash| Feature { hash, idf: 2.0 }).collect(),
        longest_ngram: 2,
        subword_weights: vec![0.25; subwords.len() * HEADS],
        subwords: subwords.into_iter().map(|key| Subword { key, idf: 1.5 }).collect(),
        measures: [Measure { mean: 0.0, deviation: 1.0 }; MEASURES],
        measure_weights: vec![0.01; MEASURES * HEADS],
        heads: vec![head; HEADS],
        known_words,
        common_words: Vec::new(),
        support: Some(Support::of(&sizes)),
    })
}

#[test]
fn from_text_to_probability_nothing_is_allocated_once_warm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let model = artifact::open(root.join("models/rscience")).expect("the shipped model");
    let samples = std::fs::read_to_string(root.join("events/samples/comments.jsonl")).expect("samples");
    let texts: Vec<&str> = samples
        .lines()
        .chain(["", "k i l l id1ot stuuupid", "\u{7814}\u{7A76} na\u{EF}ve &amp; <U+1F44F> www.example.com!!!"])
        .collect();
    let labels = labels(&texts);
    let mut scratch = Scratch::default();
    let sum = |scratch: &mut Scratch| {
        let of_each = texts.iter().map(|text| {
            let sum = labels.scores(text, scratch).iter().map(Score::probability).sum::<f64>();
            let outside = f64::from(u8::from(labels.outside(scratch).is_some()));
            model.score(text, scratch).probability() + sum + outside
        });
        of_each.sum::<f64>()
    };
    let before = sum(&mut scratch);

    let _profiler = dhat::Profiler::builder().testing().build();
    let after = sum(&mut scratch);
    let blocks = dhat::HeapStats::get().total_blocks;
    assert_eq!((before, blocks), (after, 0));
}
