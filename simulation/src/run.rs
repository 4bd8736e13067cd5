//! One plan, carried out, and what it broke.

use std::collections::BTreeMap;
use std::time::Duration;

use modstream_events::ids;
use modstream_platform::Clock;
use modstream_platform::memory::Statistics;
use modstream_quarantine::redrive::{Options, Streams, Why, redrive};
use modstream_tests::{SOURCE, comment_event_id};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::documents::{document, name_of};
use crate::faults::Faults;
use crate::lambda::Lambda;
use crate::moderators::{Moderators, Seen};
use crate::oracle::{self, Evidence, Redriven, Witnessed};
use crate::plan::{Function, Plan, Settings, Which};
use crate::world::World;
use crate::{archived, schedule};

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOutcome {
    /// The promises that were broken, each as a sentence. None is what is wanted.
    pub broken: Vec<String>,
    /// How often each kind of incident took place.
    pub injected: BTreeMap<&'static str, u64>,
    /// Records that came in, or were made, of both streams.
    pub records: u64,
    /// Messages that the topic took.
    pub messages: u64,
    /// Invocations.
    pub invocations: u64,
}

impl RunOutcome {
    /// The sums of both, and everything that either broke.
    pub fn plus(mut self, other: RunOutcome) -> RunOutcome {
        for (what, times) in other.injected {
            *self.injected.entry(what).or_default() += times;
        }
        self.broken.extend(other.broken);
        RunOutcome {
            records: self.records + other.records,
            messages: self.messages + other.messages,
            invocations: self.invocations + other.invocations,
            ..self
        }
    }
}

/// Longer than anything in a plan takes; a run that lasts longer hangs.
const LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often what was given up is put back before it counts as lost.
const REDRIVES: usize = 3;

/// Carries out a plan in virtual time.
pub fn run(plan: &Plan) -> RunOutcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // Where invocations that were given up work on.
    let abandoned = LocalSet::new();
    abandoned.block_on(&runtime.expect("a runtime"), async {
        Box::pin(tokio::time::timeout(LIMIT, carry_out(plan))).await.unwrap_or_else(|_| RunOutcome {
            broken: vec!["it never ends: the functions go on for a week of virtual time".to_owned()],
            ..RunOutcome::default()
        })
    })
}

async fn carry_out(plan: &Plan) -> RunOutcome {
    let world = World::new(&plan.settings).await;
    let inbox = world.inbox();
    let policies = document(plan.settings.document);
    let name = name_of(policies);
    let alert_id = |number| ids::alert(SOURCE, &comment_event_id(number), &name).to_string();
    let faults = Faults::new(plan, world.clock, alert_id);
    let lambda = Lambda::new(plan, world.clone(), faults.clone());
    let moderators = Moderators { world: &world, lambda: &lambda, faults: &faults };
    let feed = world.feed(plan, &faults);
    let (mut given_up, (), seen) = tokio::join!(
        work(&world, &lambda, &plan.settings, feed),
        schedule::work(plan, &lambda, &faults),
        moderators.work(plan)
    );
    lambda.settle().await;

    // An operator has put everything right. What was given up is put back, until there is none.
    faults.end();
    world.repair().await;
    let calm = Settings {
        max_retry_attempts: None,
        max_record_age: LIMIT,
        // Another cut of the same records.
        parallelization_factor: if plan.settings.parallelization_factor == 1 { 3 } else { 1 },
        ..plan.settings.clone()
    };
    let mut redriven = Redriven::default();
    for _ in 0..REDRIVES {
        if given_up == 0 {
            break;
        }
        faults.count("batches given up, put back");
        redriven = put_back(&world, redriven).await;
        given_up = work(&world, &lambda, &calm, std::future::ready(())).await;
    }

    let Seen { answers, sign_ins, mut broken } = seen;
    let (last_due, in_the_end) = schedule::finish(&world, &lambda).await;
    broken.extend(in_the_end);

    let mut notices = Vec::new();
    while let Some(notice) = inbox.try_receive() {
        notices.push(notice);
    }
    let messages = notices.len() as u64;
    let effects = faults.effects();
    let was_redriven = redriven.put_back > 0;
    let refused = faults.refused();
    let witnessed = Witnessed { notices, effects, answers, sign_ins, refused, redriven, last_due };
    let evidence = Evidence::of(&world, policies, witnessed).await;
    evidence.held_back().into_iter().for_each(|kind| faults.count(kind));
    broken.extend(oracle::broken(&evidence));
    broken.extend(archived::broken(&world, was_redriven).await);
    RunOutcome {
        broken,
        injected: faults.injected(),
        records: (world.comments.len() + world.predictions.len()) as u64,
        messages,
        invocations: lambda.invocations(),
    }
}

/// Lets the functions work while `feed` goes on, and until all is done: how many records were given up.
async fn work(world: &World, lambda: &Lambda, settings: &Settings, feed: impl Future<Output = ()>) -> u64 {
    let (all_fed, fed) = oneshot::channel();
    let (all_scored, scored) = oneshot::channel();
    let feed = async {
        feed.await;
        // Whoever waits for it is there until this has ended.
        let _ = all_fed.send(());
    };
    let run = async |function: Function, no_more: oneshot::Receiver<()>| {
        let no_more = async { drop(no_more.await) };
        let source = world.mapping(function, settings);
        let invoke = |payload| lambda.invoke(function, payload);
        Statistics::clone(&source.run(invoke, no_more).await)
    };
    let scoring = async {
        let (ready, now) = oneshot::channel();
        let score = async {
            drop(fed.await);
            let _ = ready.send(());
        };
        let (statistics, ()) = tokio::join!(run(Function::Score, now), score);
        lambda.settle().await;
        let _ = all_scored.send(());
        statistics
    };
    let (archive_feed, archive_fed) = oneshot::channel();
    let feed = async {
        feed.await;
        let _ = archive_feed.send(());
    };
    let (scored, published, archived, ()) =
        tokio::join!(scoring, run(Function::Publish, scored), run(Function::Archive, archive_fed), feed);
    lambda.settle().await;
    [scored, published, archived].iter().map(|statistics| statistics.discarded_records).sum()
}

/// Puts back what was given up, and notes what is still bad.
async fn put_back(world: &World, mut so_far: Redriven) -> Redriven {
    let streams = Streams { comments: world.comments.clone(), predictions: world.predictions.clone() };
    let options = Options { quarantine: false, ..Options::default() };
    let deadline = world.clock.now() + Duration::from_secs(600);
    let done = redrive((&world.table, &world.objects), &streams, &world.clock, deadline, &options).await;
    match done {
        Ok(done) => {
            so_far.put_back += done.put_back;
            let bad = done.left.iter().filter(|left| left.why == Why::StillBad);
            so_far.still_bad.extend(bad.filter_map(|left| {
                let stream = if left.key.contains(publish_alerts::NAME) { Which::Predictions } else { Which::Comments };
                Some((stream.name().to_owned(), left.sequence_number.clone()?))
            }));
            let failed = done.left.iter().filter(|left| !matches!(left.why, Why::StillBad));
            so_far.failed.extend(failed.map(|left| format!("redrive: {}: {}", left.key, left.detail)));
        }
        Err(error) => so_far.failed.push(format!("redrive: {error}")),
    }
    so_far
}
