//! What is known of each alert: objects that never change, under `alerts/<hour of the comment event>/<alert id>/`.
//!
//! | object | written | holds |
//! |---|---|---|
//! | `requested.json` | first | the alert event |
//! | `sent.json` | after the topic took it | a [`Sent`] |
//! | `withheld.json` | instead of publishing it | a [`Withheld`] |
//!
//! Requested, and neither sent nor withheld, means: go on now. Lambda runs one batch at a time a shard, and a comment's
//! predictions share a shard, so nobody else is about to. An alert that a call without an answer published may be withheld by
//! the next attempt; where both are there, it was sent.
//!
//! [`digests`] says which alerts each digest covers, [`limits`] how many alerts may be published.

pub mod digests;
mod keys;
pub mod limits;
mod read;
mod write;

pub use keys::{Hour, Keys, NoHour, PREFIX};
pub use read::{Entry, Fate, LedgerError, Reader};
pub use write::{Ledger, Next, Sent, Withheld, Withholding};
