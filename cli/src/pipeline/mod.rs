//! Comments in, predictions, alerts out: in this process, or on a deployed system.

pub(crate) mod audit;
pub(crate) mod corpus;
#[cfg(feature = "aws")]
pub(crate) mod corpus_push;
pub(crate) mod demo;
#[cfg(feature = "aws")]
pub(crate) mod deployed;
pub(crate) mod functions;
pub(crate) mod in_memory;
pub(crate) mod load;
pub(crate) mod prepared;
#[cfg(feature = "aws")]
pub(crate) mod probe;
#[cfg(feature = "aws")]
pub(crate) mod queue;
pub(crate) mod screen;
#[cfg(feature = "aws")]
pub(crate) mod send;
#[cfg(feature = "aws")]
pub(crate) mod stream;
pub(crate) mod system;
#[cfg(feature = "aws")]
pub(crate) mod tail;
