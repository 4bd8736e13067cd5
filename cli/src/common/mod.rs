//! What commands of several topics share.

pub(crate) mod args;
#[cfg(feature = "aws")]
pub(crate) mod aws_args;
#[cfg(feature = "aws")]
pub(crate) mod cause;
pub(crate) mod completions;
#[cfg(feature = "aws")]
pub(crate) mod connection;
#[cfg(feature = "aws")]
pub(crate) mod deployment;
pub(crate) mod display;
pub(crate) mod help;
pub(crate) mod input;
pub(crate) mod interrupt;
#[cfg(feature = "aws")]
pub(crate) mod lambda;
pub(crate) mod mistakes;
pub(crate) mod output;
pub(crate) mod progress;
#[cfg(feature = "aws")]
pub(crate) mod queue_access;
#[cfg(feature = "aws")]
pub(crate) mod reached;
pub(crate) mod reading;
pub(crate) mod runtime;
pub(crate) mod usage;
