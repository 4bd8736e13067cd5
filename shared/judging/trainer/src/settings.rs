//! What a model is trained with.

pub use modstream_classifier::artifact::{Digits, Settings};

/// The settings that `docs/decisions/0005-subwords.md` and `docs/decisions/0020-support.md` measure.
pub fn default_settings() -> Settings {
    Settings {
        max_features: 8_000,
        min_documents: 2,
        longest_ngram: 2,
        subword_min_documents: Some(5),
        subword_scale: 0.7,
        inverse_regularisation: 0.5,
        measure_scale: 0.1,
        folds: 5,
        seed: 7,
        digits: Digits::Kept,
        ratio_exponent: 0.5,
    }
}
