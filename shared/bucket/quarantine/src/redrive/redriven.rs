//! What redrive is asked for, and what became of it.

use jiff::Timestamp;
use modstream_events::Reason;

/// The streams that records come from. What came from another is not ours.
#[derive(Clone, Debug)]
pub struct Streams<S> {
    /// Carries comment events.
    pub comments: S,
    /// Carries prediction events.
    pub predictions: S,
}

/// What is put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Put back quarantined records.
    pub quarantine: bool,
    /// Put back batches that Lambda gave up.
    pub given_up: bool,
    /// Put back only what this object holds.
    pub key: Option<String>,
    /// Put back only records quarantined for this reason, and so no batches.
    pub reason: Option<Reason>,
    /// Put back only what was set aside from then on: for a quarantined record, when the stream took it.
    pub since: Option<Timestamp>,
    /// Look and count, and write nothing.
    pub dry_run: bool,
    /// Put back also records that are still bad.
    pub force: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { quarantine: true, given_up: true, key: None, reason: None, since: None, dry_run: false, force: false }
    }
}

/// What became of what was set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Records that are on their stream again; in a dry run those that would be.
    pub put_back: usize,
    /// Records that an earlier run had put back.
    pub before: usize,
    /// What was left where it is, in the order of its keys.
    pub left: Vec<Left>,
    /// Objects that were not looked at any more, after a failure.
    pub not_reached: usize,
}

impl Redriven {
    /// How many records or objects were left for this cause.
    pub fn count(&self, why: Why) -> usize {
        self.left.iter().filter(|left| left.why == why).count()
    }
}

/// A record or an object that was left where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The object's key.
    pub key: String,
    /// The record in it, where it is about one.
    pub sequence_number: Option<String>,
    /// The kind of cause.
    pub why: Why,
    /// The cause as a sentence; it quotes no comment.
    pub detail: String,
}

/// Why something was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The contract still calls the record bad.
    StillBad,
    /// The object is not of our form, or of a stream that is not ours.
    NotOurs,
    /// A person was forgotten, and this was theirs: there is nothing to put back.
    Forgotten,
    /// An invocation of the generator: it came from no stream.
    Invocation,
    /// The service failed. Another run goes on from here.
    Failed,
}
