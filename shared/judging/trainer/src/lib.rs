//! Trains modstream's classifier on a community's own removals, and measures how good it is.
//!
//! [`LabelledComments`] takes comments with verdicts and cuts what a live comment would not have. [`train`] cross-validates (the
//! held-out scores give metrics, calibration and the table of rates) over sparse rows, fits
//! [linfa-logistic](https://docs.rs/linfa-logistic) on all of them, and returns a [`Trained`] model to write. [`LabelledTexts`]
//! takes texts with several labels, of which some may be unknown, and [`train_labels`] gives a model with a head a label.
//! [`metrics`] measures any scores, and [`bias`] what a model makes of groups of people.

mod base_rate;
pub mod bias;
mod calibrate;
mod card;
pub mod checks;
pub mod compare;
mod data;
mod evaluate;
mod features;
mod fit;
mod folds;
mod hindsight;
mod labels;
mod learning_curve;
pub mod metrics;
mod near_duplicates;
mod rates;
mod rows;
mod settings;
mod tokens;
mod train;

pub use base_rate::{Estimate, FEWEST_COMMENTS, ShapeFit, estimate_base_rate};
pub use data::LabelledComments;
pub use evaluate::{Evaluation, evaluate};
pub use fit::FitError;
pub use hindsight::cut_edits;
pub use labels::{
    KnownText, LabelEvaluation, LabelSettings, LabelledTexts, MIN_TEXTS_A_CLASS, OfSource, evaluate_labels,
    train_labels,
};
pub use learning_curve::{CurvePoint, learning_curve};
pub use settings::{Digits, Settings, default_settings};
pub use train::{DEFAULT_MEMORY, Step, TrainError, Trained, train};
