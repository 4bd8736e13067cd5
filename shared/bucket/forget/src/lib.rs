//! Removes what a person wrote from a system's bucket and table. It is the one operation that rewrites or deletes objects which
//! otherwise never change.
//!
//! | where | what stays of a record |
//! |---|---|
//! | `archive/` | its position and arrival; the object gets a new checksum |
//! | `quarantine/` | its position and the reason |
//! | the ledger, in the table | ids, subreddit, times, severity, policy and model: without its item an alert would go out again |
//! | `aws/lambda/` (batches that Lambda gave up) | its position in the batch |
//! | `feedback/` (what others said of comments, which knows no author) | that there was something |
//!
//! Each is marked `forgotten`, with the time, and has no partition key any more: a stream takes no record without one, so
//! nothing brings it back by mistake.
//!
//! An object is rewritten under the condition that it is still what was read, and every version that holds the person's text is
//! deleted. The order is such that a crash leaves text behind and never loses another's: running it again finishes the work. The
//! bucket is listed a page at a time, and [`Progress`] says how far a run has come.
//!
//! In the ledger the index of all alerts is walked: it says in a few bytes whose one may be, so those alone are read. A page of it is
//! some thousand alerts.
//!
//! What it finds: records whose JSON has the name as `author`, or the comment's id as `id`, anywhere in it, and records that
//! are no JSON and hold either in quotation marks. With an id, also records with it as their partition key. What it cannot
//! find: text that is compressed, encrypted or encoded once more within such a record, and what others wrote about a person.

mod error;
mod find;
mod forget;
mod redact;

pub use error::ForgetError;
pub use find::Person;
pub use forget::{Area, Counts, Mode, Progress, Summary, Unclear, forget};
