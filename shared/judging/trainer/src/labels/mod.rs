//! Models with several labels: texts of which some labels are known, and one regression a label over a vector that all share.

pub(crate) mod card;
mod evaluate;
mod texts;
mod train;

pub use evaluate::{LabelEvaluation, evaluate_labels};
pub use texts::{KnownText, LabelledTexts, OfSource};
pub(crate) use train::measured_on;
pub use train::{LabelSettings, MIN_TEXTS_A_CLASS, train_labels};
