//! Text in; the probability that a moderator would remove it, and why, out.
//!
//! normal form → scan: tokens and measures → [`Vectorizer`]: n-grams, subwords, TF-IDF → [`Model`]: logistic regression,
//! calibration, explanation → [`OperatingPoint`](modstream_events::OperatingPoint). A model is stored as an [`artifact`]. It may
//! have several [labels](Label), each with a regression over the one vector.
//!
//! ```no_run
//! use modstream_classifier::{Model, Scratch, artifact};
//!
//! let model: Model = artifact::open("models/rscience")?;
//! let mut scratch = Scratch::default();
//! let score = model.score("As a parent I can say this just isn't true.", &mut scratch);
//! println!("{:.2}", score.probability());
//! # Ok::<(), artifact::ArtifactError>(())
//! ```

pub mod artifact;
mod calibration;
mod filter;
mod hash;
mod judgeable;
mod known;
mod measures;
mod model;
mod scan;
mod second_form;
mod seen;
mod subwords;
mod support;
mod vectorizer;
mod words;

pub use calibration::Calibration;
pub use judgeable::not_judged;
pub use known::{texts_to_be_common, texts_to_know_a_word, word_key};
pub use measures::MEASURES;
pub use model::{ByDefault, Explanation, Head, Label, Model, Parts, REMOVAL, Score};
pub use modstream_rates::{
    BaseRate, BaseRateError, Held, HeldOut, Intervals, LogOdds, NEXT_ALERTS, PromisedShare, PromisedShares, Rate,
    Rates, RatesError,
};
pub use seen::SeenTexts;
pub use subwords::{LONGEST_SUBWORD, SHORTEST_SUBWORD, Subword};
pub use support::{Range, Size, Support};
pub use vectorizer::{Feature, Measure, NGram, NGrams, Scratch, Vectorizer, term_frequency};
