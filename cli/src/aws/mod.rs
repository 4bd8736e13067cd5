//! What operates a system on AWS, or on a local stack: the feature `aws`.

pub(crate) mod args;
pub(crate) mod breaker;
mod connection;
pub(crate) mod corpus;
pub(crate) mod decide;
pub(crate) mod decisions;
pub(crate) mod demo;
mod deployment;
pub(crate) mod desk_link;
pub(crate) mod forget;
pub(crate) mod function;
pub(crate) mod model;
pub(crate) mod policies;
mod policy;
pub(crate) mod probe;
mod queue;
pub(crate) mod redrive;
pub(crate) mod replay;
pub(crate) mod send;
mod stream;
pub(crate) mod subscribe;
pub(crate) mod tail;

use connection::Connection;

/// An end was asked for twice: nobody waits for the rest.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the end")]
pub(crate) struct Stopped;

/// Runs a command's work.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}
