use std::sync::{Arc, Mutex, PoisonError};

use modstream_tests::localstack::{Call, Mishap, Refusal};

use super::Run;

/// The same faults in the same order, to whichever calls come.
const SEED: u64 = 20_260_105;

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn calls_that_fail_whole_in_part_or_without_an_answer_lose_nothing() {
    let random = Mutex::new(fastrand::Rng::with_seed(SEED));
    let plan = move |call: &Call<'_>| {
        let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
        match random.u32(0..100) {
            _ if call.operation.is_none() => Mishap::None,
            0..10 => Mishap::AnswerLost,
            10..15 => Mishap::Refused(Refusal::Broken),
            15..20 => Mishap::Refused(Refusal::Throttled),
            20..50 => Mishap::EntriesFail((0..random.usize(2..7)).map(|_| random.bool()).collect()),
            _ => Mishap::None,
        }
    };
    let mut run = Run::start("errors", Arc::new(plan)).await;
    for _ in 0..5 {
        run.send(run.all / 5).await;
    }
    run.send_bad().await;
    run.until_alerted().await;
    let count = |what: &str| run.twin.tally.of(what);
    let refused =
        count("generate-comments refused") + count("score-comments refused") + count("publish-alerts refused");
    let (lost, in_part) = (count("answers lost"), count("calls failed in part"));
    assert!(refused > 0 && lost > 0 && in_part > 0, "{}", run.state());
    let (calls, entries) = (count("calls"), count("entries failed"));
    let injected =
        format!("of {calls} calls {refused} refused, {in_part} in part ({entries} entries), {lost} answers lost");
    run.settle(&injected).await;
}
