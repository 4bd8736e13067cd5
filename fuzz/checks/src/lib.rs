//! What must hold for any bytes: each function panics where it does not. The fuzz targets call them, and so does the replay of
//! the corpora in `tests/`.

mod artifact;
mod record;
mod text;

pub use artifact::{artifact, seeds};
pub use record::record;
pub use text::text;

/// The folder of the shipped model.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/rscience");
