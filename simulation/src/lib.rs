//! A deterministic simulation: the real functions over the memory world in virtual time, under faults that follow from a seed.
//!
//! A [`Plan`] says what comes and what goes wrong; [`run`] carries it out and says which promises broke; [`shrink`] makes the
//! smallest plan of it that still breaks one. A plan depends on its seed alone, and a run on its plan alone, so what fails once
//! fails again.

mod archived;
mod documents;
pub mod explore;
mod facts;
mod faults;
mod lambda;
pub mod latency;
mod moderators;
mod mutant;
pub mod mutations;
mod oracle;
pub mod plan;
mod run;
mod schedule;
mod services;
mod shrink;
mod world;

pub use plan::Plan;
pub use run::{RunOutcome, run};
pub use shrink::shrink;
