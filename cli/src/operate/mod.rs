//! What whoever runs a system does besides.

#[cfg(feature = "aws")]
pub(crate) mod backup;
#[cfg(feature = "aws")]
mod chat;
#[cfg(feature = "aws")]
pub(crate) mod forget;
#[cfg(feature = "aws")]
pub(crate) mod function;
#[cfg(feature = "aws")]
pub(crate) mod key;
#[cfg(feature = "aws")]
pub(crate) mod redrive;
#[cfg(feature = "aws")]
pub(crate) mod subscribe;
