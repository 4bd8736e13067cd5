//! What would be wrong, by name: each stands behind [`named_mutations::is_on`], in the functions' code or, where it can be
//! told from outside, in what the simulation does with their answers; and the simulation must find it.

use kinesis_batch::{Batch, BatchResponse};
use named_mutations::is_on;

/// A mutation's name, and what it does.
pub type Mutation = (&'static str, &'static str);

/// All of them.
pub const ALL: [Mutation; 27] = [
    ("skip-partial-retry", "failed entries of a call that answered 200 count as done"),
    ("retry-whole-call", "after a call that failed in part, all of its entries are sent again"),
    ("mix-keys", "one PutRecords call carries several records of a key"),
    ("unknown-is-done", "a call without an answer counts as done"),
    ("conflict-is-written", "a 409 counts as written"),
    ("ignore-deadline", "waits and attempts go on past the deadline"),
    ("report-highest-failure", "of several failures the last is reported"),
    ("report-nothing", "the response never names a failure"),
    ("archive-anyway", "a batch whose object could not be written counts as archived"),
    ("drop-bad-record", "a bad record is left out, and not kept"),
    ("quarantine-with-clock", "what is kept of a bad record differs with each attempt"),
    ("drop-duplicate-key", "of a batch's records with one key only the first is scored"),
    ("swap-model-inside-batch", "the model may change between two records of a batch"),
    ("send-before-ledger", "an alert is published before the ledger knows of it"),
    ("ignore-sent", "an alert that was sent is sent again"),
    ("overwrite-ledger", "an entry of the ledger is written over"),
    ("publish-own-text", "what is published is not what was requested"),
    ("withhold-without-record", "an alert that is withheld is not recorded"),
    ("budget-place-twice", "two alerts have one place in a budget"),
    ("close-window-again", "a window's digests are written over those of another run"),
    ("leave-windows-open", "a digest covers late alerts of windows that are not closed"),
    ("send-digest-before-close", "a digest is sent before it is recorded what it covers"),
    ("cover-again", "alerts that are in a digest are in the next, too"),
    ("sign-in-again", "a sign-in link signs in more than once"),
    ("overwrite-decision", "a decision is written over another's of the same number"),
    ("skip-outbox", "a decision is logged before it is noted as unsent"),
    ("alert-by-model", "an alert's id knows the model"),
];

/// The mutation of this name.
pub fn named(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(name, _)| *name)
}

/// What Lambda is answered in place of a function's response to a batch, where a mutation changes that.
pub(crate) fn response(payload: &[u8], response: BatchResponse) -> BatchResponse {
    if response.batch_item_failures.is_empty() {
        return response;
    }
    if is_on("report-nothing") {
        return BatchResponse::success();
    }
    // Whatever follows the first failure is not done either, so a batch's last failure is its last record.
    if is_on("report-highest-failure")
        && let Ok(batch) = Batch::parse(payload)
        && let Some(last) = batch.records.last()
    {
        return BatchResponse::failed_from(last.sequence_number.as_ref());
    }
    response
}
