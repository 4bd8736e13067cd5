//! JSON as others write it.
//!
//! serde_json is strict where writers are not: JavaScript and Python write half an emoji where they cut a text, Python writes
//! `NaN`, and some forums' ids have more digits than a number holds. [`repaired`] makes such a text readable; it is for texts that
//! could not be read, so all others cost nothing. [`Scalar`] is a value of any type, for fields that are read leniently.
//! serde_json is lenient where a reader would have to guess: [`repeated_key`] finds the key that stands twice in an object, and
//! [`keys`] where each stands. [`with_key`] changes one value, and leaves all else as it is written.

mod repaired;
mod repeated;
mod scalar;
mod set;

pub use repaired::repaired;
pub use repeated::{Key, Place, Repeated, keys, repeated_key};
pub use scalar::{MAX_EXACT_FLOAT, Scalar};
pub use set::with_key;
