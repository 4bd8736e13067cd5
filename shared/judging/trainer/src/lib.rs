//! Trains modstream's classifier on a community's own removals, and measures how good it is.
//!
//! [`LabelledComments`] takes comments with verdicts and cuts what a live comment would not have. [`train`] cross-validates (the
//! held-out scores give metrics, calibration and the table of rates) over sparse rows, fits
//! [linfa-logistic](https://docs.rs/linfa-logistic) on all of them, and returns a [`Trained`] model to write. [`LabelledTexts`] takes texts with several labels, of which some may be
//! unknown, and [`train_labels`] gives a model with a head a label. [`metrics`] measures any scores.

mod calibrate;
mod card;
mod data;
mod evaluate;
mod features;
mod fit;
mod folds;
mod hindsight;
mod labels;
pub mod metrics;
mod rates;
mod rows;
mod settings;
mod tokens;
mod train;

pub use data::LabelledComments;
pub use evaluate::{Evaluation, evaluate};
pub use fit::FitError;
pub use labels::{LabelEvaluation, LabelSettings, LabelledTexts, MIN_TEXTS_A_CLASS, evaluate_labels, train_labels};
pub use settings::{Digits, Settings, default_settings};
pub use train::{DEFAULT_MEMORY, Step, TrainError, Trained, train};
