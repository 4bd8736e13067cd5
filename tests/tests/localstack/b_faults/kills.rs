use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use modstream_tests::Operation;
use modstream_tests::localstack::{Call, Mishap};

use super::Run;

const SEED: u64 = 20_260_106;

/// When functions are killed.
struct Deaths {
    random: fastrand::Rng,
    /// Of a function: how many kills are left, and after how many calls the next comes.
    next: BTreeMap<String, (u64, u64)>,
    /// Of each function. A batch that is never let through would be no fault, but an end.
    most: u64,
}

impl Deaths {
    fn meets(&mut self, call: &Call<'_>) -> Mishap {
        // It writes to streams once a batch, and to topic and table once an alert or more.
        let gap = match call.operation {
            Some(Operation::PutRecords) => 1..4,
            Some(Operation::PublishBatch | Operation::PutObject | Operation::WriteItems) => 5..60,
            Some(Operation::GetObject | Operation::ReadItems) | None => return Mishap::None,
        };
        if call.function == "generate-comments" {
            return Mishap::None;
        }
        let (random, most) = (&mut self.random, self.most);
        let (left, wait) = self.next.entry(call.function.to_owned()).or_insert_with(|| (most, random.u64(gap.clone())));
        *wait = wait.saturating_sub(1);
        if *left == 0 || *wait > 0 {
            return Mishap::None;
        }
        *left -= 1;
        *wait = random.u64(gap);
        if random.bool() { Mishap::KilledBefore } else { Mishap::KilledAfter }
    }
}

#[tokio::test]
#[ignore = "needs a local stack: `cargo xtask test` runs it"]
async fn functions_that_are_killed_in_the_middle_of_their_batches_lose_nothing() {
    let deaths = Deaths { random: fastrand::Rng::with_seed(SEED), next: BTreeMap::new(), most: 10 };
    let deaths = Mutex::new(deaths);
    let plan = move |call: &Call<'_>| deaths.lock().unwrap_or_else(PoisonError::into_inner).meets(call);
    let mut run = Run::start("kills", Arc::new(plan)).await;
    // Each part is a batch at least, so the kills fall on different ones.
    for part in 0..10 {
        if part == 5 {
            run.send_bad().await;
        }
        let comments = run.send(run.all / 10).await;
        run.until_predicted(&comments).await;
    }
    run.until_alerted().await;
    let killed = |function: &str| run.twin.tally.of(&format!("{function} killed"));
    let (scorers, publishers) = (killed("score-comments"), killed("publish-alerts"));
    assert!(scorers >= 3 && publishers >= 3, "{}", run.state());
    run.settle(&format!("{scorers} scorers and {publishers} publishers killed in the middle of a batch")).await;
}
