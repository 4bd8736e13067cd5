//! What is known of digests: objects that never change, under `digests/<hour in which the window begins>/`.
//!
//! | object | written | holds |
//! |---|---|---|
//! | `<hour and minute of the window's start>-<minutes>m.json` | when the window is closed | its [`Digest`]s: which alerts each covers, and counts |
//! | `<digest id>/sent.json` | after the topic took it | a [`Sent`](crate::Sent) |
//!
//! A window is closed once, by one object, so it has the same digests for whoever looks. A digest covers alerts of earlier
//! windows only where all windows from theirs to its own are closed and none of them covers these: then no other run can any
//! more, and an alert is in one digest even if runs overlap. In a closed window and not sent means: send it now.
//!
//! Neither object holds a comment's text: the texts of a digest are rendered from the ledger's alerts, so what is forgotten
//! there is forgotten here.

mod digest;
mod keys;
mod store;

pub use digest::{Covered, Digest, Late, Withheld};
pub use keys::{PREFIX, window_key};
pub use store::{Digests, DigestsError, Listing};
