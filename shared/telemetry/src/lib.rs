//! Every log event of modstream, named in one place.
//!
//! Levels are a promise: ERROR says that something may be lost, or that an operator must act for the work to go on; WARN that
//! something is set aside or put off; INFO what was done. **No event carries a comment's text or author**: the functions below
//! take none.
//!
//! Events go to [`tracing`]; without a subscriber they cost next to nothing.

use tracing::{error, info, warn};

/// A batch of one shard, as it came out.
#[derive(Clone, Copy, Debug)]
pub struct BatchSummary<'a> {
    /// The stream.
    pub stream: &'a str,
    /// The shard.
    pub shard_id: &'a str,
    /// The sequence number of its first record.
    pub first: &'a str,
    /// The sequence number of its last record.
    pub last: &'a str,
    /// Its records.
    pub records: usize,
    /// Those that were delivered.
    pub delivered: usize,
    /// Those there was nothing to do for.
    pub skipped: usize,
    /// Those that went to quarantine.
    pub quarantined: usize,
}

/// A batch is done.
pub fn batch_done(function: &str, batch: BatchSummary<'_>) {
    let BatchSummary { stream, shard_id, first, last, records, delivered, skipped, quarantined } = batch;
    info!(event = "batch_done", function, stream, shard_id, first, last, records, delivered, skipped, quarantined);
}

/// A batch is done up to a record, from which on it comes again.
pub fn batch_interrupted(function: &str, batch: BatchSummary<'_>, failed_at: &str, cause: &str) {
    let BatchSummary { stream, shard_id, first, last, records, delivered, skipped, quarantined } = batch;
    warn!(
        event = "batch_interrupted",
        function, stream, shard_id, first, last, records, delivered, skipped, quarantined, failed_at, cause
    );
}

/// A record went to quarantine.
pub fn record_quarantined(stream: &str, shard_id: &str, sequence_number: &str, reason: &str) {
    warn!(event = "record_quarantined", stream, shard_id, sequence_number, reason);
}

/// A model is in use.
pub fn model_loaded(name: &str, version: &str, base_rate: f64) {
    info!(event = "model_loaded", name, version, base_rate);
}

/// No base rate is configured: the training data's is assumed, at which precision may be far from the truth.
pub fn base_rate_assumed(base_rate: f64) {
    warn!(
        event = "base_rate_assumed",
        base_rate,
        hint = "set BASE_RATE to the share of comments your moderators remove"
    );
}

/// A promoted model can't be used: the one before stays in use.
pub fn model_refused(in_use: &str, cause: &str) {
    error!(event = "model_refused", in_use, cause);
}

/// Comments were generated.
pub fn comments_generated(schedule_event: &str, comments: usize, quarantined: usize) {
    info!(event = "comments_generated", schedule_event, comments, quarantined);
}

/// Generated comments are not on the stream.
pub fn comments_unsent(schedule_event: &str, unsent: usize, comments: usize, cause: &str) {
    error!(event = "comments_unsent", schedule_event, unsent, comments, cause);
}

/// An alert whose request was in the ledger and whose sending was not: sent now.
pub fn alert_resumed(alert_id: &str) {
    warn!(event = "alert_resumed", alert_id);
}
