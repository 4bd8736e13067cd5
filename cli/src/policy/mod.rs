//! Policies: which comments alert, and what holds alerts back.

#[cfg(feature = "aws")]
pub(crate) mod breaker;
pub(crate) mod check;
#[cfg(feature = "aws")]
pub(crate) mod push;
pub(crate) mod suggest;
pub(crate) mod table;
