//! What the simulation is worth: it repeats itself, and each kind of incident takes place.

use modstream_simulation::{Plan, RunOutcome, run};

const PLANS: u64 = 200;

#[test]
fn a_run_depends_on_its_plan_alone_and_breaks_no_promise() {
    let mut all = RunOutcome::default();
    for plan in (0..PLANS).map(Plan::of_seed) {
        let outcome = run(&plan);
        assert_eq!(run(&plan), outcome, "seed {}: another run went another way", plan.seed);
        assert_eq!(outcome.broken, [""; 0], "seed {}:\n{plan}", plan.seed);
        all = all.plus(outcome);
    }
    let never: Vec<&str> = KINDS.into_iter().filter(|kind| !all.injected.contains_key(kind)).collect();
    assert_eq!(never, [""; 0], "in {PLANS} plans: {:#?}", all.injected);
}

/// The rows of the table that may not be missing.
const KINDS: [&str; 42] = [
    "GetObject fails",
    "GetObject is forbidden (403)",
    "a prefix is denied",
    "call refused for an alert",
    "GetObject without an answer, or late",
    "PublishBatch fails",
    "PublishBatch fails in part",
    "PublishBatch without an answer, or late",
    "PutObject beside another (409)",
    "PutObject fails",
    "PutObject without an answer, or late",
    "PutRecords fails",
    "PutRecords fails in part",
    "PutRecords without an answer, or late",
    "a table leaves keys unprocessed",
    "a table's call fails",
    "a table's call without an answer, or late",
    "a table's page is short",
    "alert held back: superseded",
    "alert refused by the topic",
    "alert held back: breaker",
    "alert held back: budget",
    "alert held back: channel",
    "alert held back: exploration",
    "alert held back: quiet hours",
    "bad record",
    "batch delivered twice",
    "batches given up, put back",
    "breaker opened, message sent",
    "call during an outage",
    "crash",
    "decision not offered",
    "decision refused: another was first",
    "decision taken",
    "decision undone",
    "digests due",
    "digests due, invoked again",
    "invocation abandoned, works on",
    "model promoted",
    "moderator signed in",
    "shard split",
    "the table lags",
];
