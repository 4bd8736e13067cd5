//! What is in use: versions in a bucket that never change, a pointer to one of them that is moved by a conditional put, and
//! followers that look at the pointer from time to time.
//!
//! | what | versions | pointer |
//! |---|---|---|
//! | `models` | `models/<name>/<version>/...` | `models/<name>/current.json` |
//! | `policies` | `policies/<SHA-256>.json` | `policies/current.json` |
//!
//! Every move is recorded with who made it and why, and is an event: [`history`].
//!
//! Each has a feature of its own, so that a function which goes by policies links no classifier. `promised` comes with
//! `policies`: it reads of a model's manifest what policies are compared with.

#[cfg(any(feature = "models", feature = "policies"))]
mod follower;
pub mod history;
#[cfg(feature = "models")]
pub mod models;
mod pointer;
#[cfg(feature = "policies")]
pub mod policies;
#[cfg(feature = "policies")]
pub mod promised;
