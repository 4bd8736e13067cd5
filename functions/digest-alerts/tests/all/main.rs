//! The function over the memory world, and what it writes.

mod build;
mod config;
mod costs;
mod fixture;
mod golden;
mod hostile;
mod runs;
