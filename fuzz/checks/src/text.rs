use std::cell::RefCell;
use std::sync::LazyLock;

use modstream_classifier::{Model, Scratch, artifact};

use crate::SHIPPED;

static MODEL: LazyLock<Model> = LazyLock::new(|| artifact::open(SHIPPED).expect("the shipped model loads"));

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Any bytes as a text for the shipped model: it gets a probability, the explanation adds up to the log-odds, and no term is
/// shown twice.
pub fn text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    SCRATCH.with_borrow_mut(|scratch| check(&text, scratch));
}

fn check(text: &str, scratch: &mut Scratch) {
    let score = MODEL.score(text, scratch);
    assert!((0.0..=1.0).contains(&score.probability()), "{score:?}");
    assert_eq!(MODEL.score(text, &mut Scratch::default()), score, "what was read before makes a difference");
    for most in [0, 5, usize::MAX] {
        let explanation = MODEL.explain(text, most, scratch);
        assert_eq!(explanation.score, score);
        assert!(explanation.terms.len() <= most);
        let contributions = explanation.terms.iter().map(|term| term.contribution);
        let parts = contributions.chain([explanation.intercept, explanation.other]);
        let magnitude: f64 = parts.clone().map(f64::abs).sum();
        let sum: f64 = parts.sum();
        assert!((sum - score.log_odds.0).abs() <= 1e-9 * magnitude, "{sum} is not {}", score.log_odds.0);
        let mut terms: Vec<&str> = explanation.terms.iter().map(|term| term.term.as_ref()).collect();
        terms.sort_unstable();
        if let Some(twice) = terms.windows(2).find(|pair| pair[0] == pair[1]) {
            panic!("{:?} is shown twice", twice[0]);
        }
    }
}
