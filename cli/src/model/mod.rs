//! Models: how one is made, measured, asked and brought into use.

pub(crate) mod base_rate;
mod bias;
#[cfg(feature = "aws")]
pub(crate) mod bucket;
pub(crate) mod compare;
pub(crate) mod embedded;
pub(crate) mod evaluate;
pub(crate) mod explain;
mod findings;
pub(crate) mod label_rows;
pub(crate) mod labelled;
pub(crate) mod live;
pub(crate) mod promises;
pub(crate) mod score;
pub(crate) mod thresholds;
pub(crate) mod train;
