//! The desk in the memory world, served on this machine.

mod serve;

pub(crate) use serve::serve;
