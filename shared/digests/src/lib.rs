//! What is known of each digest: objects that never change, under `digests/<hour of the window's start>/<digest id>/`.
//!
//! | object | written | holds |
//! |---|---|---|
//! | `requested.json` | first | a [`Requested`]: which alerts it covers, and counts |
//! | `sent.json` | after the topic took it | a [`Sent`](modstream_ledger::Sent) |
//!
//! Neither holds a comment's text: the texts of a digest are rendered from the ledger's alerts, so what is forgotten there is
//! forgotten here. Requested and not sent means: send it now.

mod keys;
mod requested;
mod store;

pub use keys::{Keys, PREFIX};
pub use requested::{Covered, Late, Requested, Withheld};
pub use store::{Digests, DigestsError, Entry, Next};
