//! What is known of each alert: objects that are written once, under `alerts/<hour in which it was made>/<alert id>/`.
//!
//! | object | written | holds |
//! |---|---|---|
//! | `requested.json` | first | the alert event |
//! | `sent.json` | after the topic took it | a [`Sent`] |
//! | `withheld.json` | instead of publishing it | a [`Withheld`] |
//! | `superseded.json` | when the comment has a later version | a [`Superseded`] |
//! | `withdrawn.json` | when the comment is gone | a [`Withdrawn`] |
//! | `reports/<event id>.json` | when the comment is reported | nothing |
//!
//! Where the comment is gone, `requested.json` is written once more, without what was said and by whom ([`redact`]).
//!
//! Requested, and neither sent nor withheld, means: go on now. Lambda runs one batch at a time a shard, and a comment's
//! predictions share a shard, so nobody else is about to. An alert that a call without an answer published may be withheld by
//! the next attempt; where both are there, it was sent.
//!
//! Which hour an alert lies in is kept by comment ([`comments`]), before anything else is written: a comment that comes again a
//! day later finds its alert.
//!
//! [`digests`] says which alerts each digest covers, [`limits`] how many alerts may be published.

pub mod comments;
pub mod digests;
mod keys;
pub mod limits;
mod read;
mod redact;
mod write;

pub use keys::{Hour, Keys, MISSED_PREFIX, NoHour, PREFIX};
pub use read::{Entry, Fate, LedgerError, Reader, Since};
pub use redact::{Redaction, redact};
pub use write::{Ledger, Missed, Next, Sent, Superseded, Withdrawn, Withheld, Withholding};
