//! Load: comments at a constant rate, and how long each takes.
//!
//! The rate is held whatever the system does (an open loop), and time counts from when a comment was due, not from when
//! it was sent: a system that falls behind can't hide it by slowing down whoever measures.

pub(crate) mod args;
mod cpu;
mod latency;
mod measured;
pub(crate) mod meter;
mod run;
pub(crate) mod scale;
mod slo;
mod table;
