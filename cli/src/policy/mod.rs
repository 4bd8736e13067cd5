//! Policies: which comments alert, and what holds alerts back.

#[cfg(feature = "aws")]
pub(crate) mod breaker;
pub(crate) mod check;
mod one_by_one;
#[cfg(feature = "aws")]
pub(crate) mod push;
pub(crate) mod suggest;
pub(crate) mod table;
pub(crate) mod test;
