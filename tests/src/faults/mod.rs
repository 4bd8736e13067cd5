//! What may go wrong, by a plan, and a note of what took effect.

mod plan;
mod process;
mod services;

pub use plan::{Effect, Fault, Faults, Operation};
pub(crate) use process::{Killed, Process};
pub use services::Faulty;
