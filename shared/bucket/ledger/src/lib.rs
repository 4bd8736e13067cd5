//! What is known of each alert, of its comment and of digests: items of a table.
//!
//! An alert is one item, in the partition of its comment. It is made once, by a write that asks for its absence ([`Ledger::request`]),
//! and gets what becomes of it: sent or withheld, superseded, withdrawn, reported, decided. Where the comment is gone, its event is
//! written once more, without what was said and by whom ([`redact`]).
//!
//! Made, and neither sent nor withheld, means: go on now. Lambda runs one batch at a time a shard, and a comment's predictions
//! share a shard, so nobody else is about to. An alert that a call without an answer published may be withheld by the next
//! attempt; where both are there, it was sent.
//!
//! Indexes ([`SCHEMA`]) list alerts by when they were made, and those that wait for a decision by their urgency. An index lags
//! behind: what it says is looked up where it matters.
//!
//! [`comments`] says what happened to a comment, [`digests`] what each digest covers, [`limits`] how many alerts may be
//! published.

pub mod comments;
pub mod digests;
mod entry;
mod hour;
mod keys;
mod ledger;
pub mod limits;
mod packed;
mod redact;
mod schema;

pub use entry::{Entry, Fate, Kind, LedgerError, Sent, Superseded, Urgency, Withdrawn, Withheld, Withholding};
pub use hour::{Hour, NoHour};
pub use keys::{AlertKey, NoAlertKey, comment_key, comment_key_of, sort_time};
pub use ledger::{InQueue, Ledger, List, Listed, Missed, Next, Page, Waiting, with_decision};
pub use packed::{Damaged, pack, unpack};
pub use redact::{Redaction, redact};
pub use schema::{DECIDED_LIST, IN_DECIDED, IN_MADE, IN_OPEN, SCHEMA, TABLE, decided_since};
