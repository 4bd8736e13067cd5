//! The scenario kit: a [`World`] to run in, a [`System`] of the three functions over it, [`Faults`] that befall it, and an
//! [`Audit`] that reads back what is there and says which promises are broken.
//!
//! Everything but [`MemoryWorld`] knows the platform's traits only, so another world runs the same scenarios.

mod audit;
mod bad_records;
mod faults;
#[cfg(feature = "localstack")]
pub mod localstack;
mod memory;
mod models;
mod packed;
mod permitted;
mod samples;
mod system;
mod world;

pub use audit::{Audit, LedgerAlert};
pub use bad_records::{BadSample, bad_comments, bad_predictions};
pub use faults::{Effect, Fault, Faults, Faulty, Operation};
pub use memory::MemoryWorld;
pub use models::{HARM_MODEL_NAME, MODEL_NAME, harm_files, harsher, install, install_as, model_files, renamed};
pub use packed::unpacked;
pub use permitted::{Permission, Permitted, Uses};
pub use samples::{
    MadeUp, PRIVATE, SOURCE, comment, comment_event, comment_event_id, event_of, prediction_event, samples_file,
};
pub use system::System;
pub use world::{Drained, Notice, StoredRecord, Which, World};
