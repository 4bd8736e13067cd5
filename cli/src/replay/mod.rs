//! Comments of another time through the functions of today, and how that differs from what was.
//!
//! Comments are taken in chunks, each through a world of its own in memory. What stays from chunk to chunk is an id of
//! each comment event, sixteen bytes, so that a repeat is left out; the counts; and the few comments that are shown.

mod args;
mod command;
mod compare;
mod difference;
mod files;
mod functions;
#[cfg(feature = "aws")]
mod of_a_system;
mod show;
mod sides;

pub(crate) use args::ReplayArgs;
