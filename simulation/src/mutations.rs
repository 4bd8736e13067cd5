//! What would be wrong, by name, and the simulation must find it.
//!
//! Most of it stands in `mutant.rs`, between a function and its services. What no wrapper of a trait can express stands in the
//! functions' code behind [`named_mutations::is_on`].

/// A mutation's name, and what it does.
pub type Mutation = (&'static str, &'static str);

/// All of them.
pub const ALL: [Mutation; 59] = [
    ("skip-partial-retry", "failed entries of a call that answered 200 count as done"),
    ("retry-whole-call", "after a call that failed in part, all of its entries are sent again"),
    ("mix-keys", "one PutRecords call carries several records of a key"),
    ("unknown-is-done", "a call without an answer counts as done"),
    ("conflict-is-written", "a 409 counts as written"),
    ("denied-is-missing", "an object that may not be read counts as missing"),
    ("ignore-deadline", "waits and attempts go on past the deadline"),
    ("report-behind-failure", "the record behind the one that failed is reported"),
    ("report-nothing", "the response never names a failure"),
    ("archive-anyway", "a batch whose object could not be written counts as archived"),
    ("drop-bad-record", "a bad record is left out, and not kept"),
    ("quarantine-by-invocation", "what is kept of a bad record differs with each invocation"),
    ("drop-duplicate-key", "of a batch's records with one key only the first is scored"),
    ("swap-model-inside-batch", "the model changes between two records of a batch"),
    ("send-before-ledger", "an alert is published before the ledger knows of it"),
    ("ignore-sent", "an alert that was sent is sent again"),
    ("overwrite-ledger", "an entry of the ledger is written over"),
    ("refuse-whole-call", "of a call that is refused for one entry, all entries count as refused"),
    ("publish-own-text", "what is published is not what was requested"),
    ("withhold-without-record", "an alert that is withheld is not recorded"),
    ("budget-place-twice", "two alerts have one place in a budget"),
    ("judge-at-own-base-rate", "a prediction is judged at its own base rate, not at the policy's"),
    ("match-case", "a term that always alerts is not found in capitals"),
    ("harm-ignores-weights", "every label counts as much as another"),
    ("wake-in-quiet-hours", "alerts are published in quiet hours"),
    ("keep-none-in-quiet-hours", "quiet hours hold for the severities that they are to keep, too"),
    ("publish-without-channel", "alerts are published whose policy sends them by digest alone"),
    ("publish-while-breaker-open", "an open breaker is overlooked"),
    ("close-breaker-early", "a breaker is taken for closed before its time is over"),
    ("lose-breaker-message", "the message about a breaker counts as sent and is not"),
    ("digest-without-channel", "a digest goes out where the policy sends none"),
    ("digest-to-alerts-topic", "digests are published on the topic of alerts"),
    ("close-window-again", "a window's digests are written over those of another run"),
    ("count-lost-attempts", "what an attempt left that closed no window counts as in a digest"),
    ("look-at-windows-once", "alerts that the index shows late are in no digest"),
    ("digest-without-record", "a digest is sent, and it is not recorded what it covers"),
    ("cover-again", "alerts that are in a digest are in the next, too"),
    ("sign-in-again", "a sign-in link signs in more than once"),
    ("sign-in-is-anothers", "a sign-in that had no answer counts as another browser's"),
    ("overwrite-decision", "a decision is written over another's of the same number"),
    ("skip-outbox", "a decision is logged and is not noted as unsent"),
    ("outbox-afterwards", "a decision is noted as unsent after it is logged, not with it"),
    ("keep-decided-in-queue", "a decided alert stays in the queue"),
    ("leave-undone-out-of-queue", "an alert whose decision is taken back does not return to the queue"),
    ("file-by-the-comments-clock", "an alert counts as made when its comment's own clock says"),
    ("publish-outdated", "an alert about an earlier text than is known is published"),
    ("overlook-deletion", "an alert about a comment that is known to be gone stands"),
    ("keep-superseded", "an alert about an earlier text is not marked"),
    ("keep-superseded-listed", "an alert about an earlier text, or of a comment that is gone, stays in lists"),
    ("repeat-is-latest", "a version that comes again counts as the latest"),
    ("keep-deleted-text", "the text of a deleted comment stays in its alert"),
    ("keep-deleted", "an alert whose comment is deleted is not marked"),
    ("lose-report", "a report of a comment does not count at its alert"),
    ("report-without-rank", "a report does not raise its alert in the queue"),
    ("miss-what-alerted", "a comment that alerted counts as missed"),
    ("lose-missed", "a comment that was missed is not noted"),
    ("read-eventually", "items are read as they were a while ago"),
    ("first-page-only", "of what takes several pages the first is all"),
    ("alert-by-model", "an alert's id knows the model"),
];

/// The mutation of this name.
pub fn named(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(name, _)| *name)
}
