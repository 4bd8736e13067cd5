//! Lambda's side: execution environments, timeouts, and deliveries that go another way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archive_comments::ArchiveComments;
use digest_alerts::{DigestAlerts, Links, Rules};
use jiff::Timestamp;
use kinesis_batch::Batch;
use modstream_decisions::Decisions;
use modstream_desk::{Config, Pages, SiteSettings};
use modstream_platform::Clock;
use modstream_platform::environment::Environment;
use modstream_platform::memory::{
    FunctionError, MemoryClock, MemoryObjects, MemorySecrets, MemoryStream, MemoryTable, MemoryTopic,
};
use publish_alerts::PublishAlerts;
use score_comments::ScoreComments;
use serde::Serialize;
use serde_json::Value;

use crate::documents::POLICY;
use crate::faults::{Effect, Faults, Process, lock};
use crate::mutant::{self, Mutant};
use crate::plan::{Delivery, Function, Incident, Plan};
use crate::services::Faulty;
use crate::world::{SECRET, World};

/// A service as one process sees it: with the faults of the plan, and above them those of a mutation.
type Seen<T> = Mutant<Faulty<T>>;

type Scorer = ScoreComments<Seen<MemoryStream>, Seen<MemoryObjects>, Seen<MemoryClock>>;
type Publisher = PublishAlerts<
    Seen<MemoryTopic>,
    mutant::Ledger<Seen<MemoryTable>, Seen<MemoryTopic>>,
    Seen<MemoryObjects>,
    Seen<MemoryClock>,
>;
type Archiver = ArchiveComments<Seen<MemoryObjects>, Seen<MemoryClock>>;
type Digester = DigestAlerts<Seen<MemoryTopic>, Seen<MemoryTable>, Seen<MemoryClock>>;
type Site = Pages<Seen<MemoryTable>, Seen<MemoryStream>, Seen<MemorySecrets>, Seen<MemoryClock>>;

/// What `digest-alerts` goes by, and what it sends decisions from that did not get to their stream.
struct Outbox {
    rules: Rules,
    table: Seen<MemoryTable>,
    objects: Seen<MemoryObjects>,
    decisions: Seen<MemoryStream>,
    clock: Seen<MemoryClock>,
}

impl Outbox {
    fn decisions(
        &self,
        deadline: Timestamp,
    ) -> Decisions<'_, Seen<MemoryTable>, Seen<MemoryStream>, Seen<MemoryClock>> {
        Decisions::new(&self.table, &self.decisions, &self.clock, deadline)
    }
}

/// What a function is told it has.
const TIME: Duration = Duration::from_secs(20);
/// What it has: as `shared/platform/bootstrap` does, the deadline is before Lambda's.
const TIMEOUT: Duration = Duration::from_secs(25);
/// Timers tick in milliseconds.
const TICK: Duration = Duration::from_millis(1);

const VARIABLES: [(&str, &str); 9] = [
    ("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:alerts"),
    ("BUCKET", "bucket"),
    ("DECISIONS_STREAM", "decisions"),
    ("DESK_ACCESS", "signed-link"),
    ("DIGESTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:digests"),
    ("LINK_KEY_SECRET", SECRET),
    ("MODEL_NAME", modstream_tests::MODEL_NAME),
    ("PREDICTIONS_STREAM", "predictions"),
    ("TABLE", "state"),
];

/// The deployed functions.
#[derive(Clone)]
pub(crate) struct Lambda {
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    faults: Faults,
    deliveries: BTreeMap<(Function, u64), Delivery>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Invocations, by function.
    invoked: BTreeMap<Function, u64>,
    /// Every run of a function's code.
    runs: u64,
    /// The batches of each function, oldest first.
    earlier: BTreeMap<Function, Vec<Vec<u8>>>,
    scorers: Vec<(Process, Scorer)>,
    publishers: Vec<(Process, Publisher)>,
    archivers: Vec<(Process, Archiver)>,
    digesters: Vec<(Process, (Digester, Outbox))>,
    link_pages: Vec<(Process, Site)>,
    desks: Vec<(Process, Site)>,
    /// Invocations that were given up and work on.
    abandoned: Vec<tokio::task::JoinHandle<Answer>>,
}

type Answer = Result<Vec<u8>, String>;

impl Lambda {
    pub(crate) fn new(plan: &Plan, world: World, faults: Faults) -> Self {
        let deliveries = plan.incidents.iter().filter_map(|incident| match incident {
            Incident::Delivery { function, invocation, how } => Some(((*function, *invocation), *how)),
            _ => None,
        });
        let shared = Shared { world, faults, deliveries: deliveries.collect(), state: Mutex::default() };
        Lambda { shared: Arc::new(shared) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    /// One invocation: what its caller is answered.
    pub(crate) async fn invoke(&self, function: Function, payload: Vec<u8>) -> Result<Vec<u8>, FunctionError> {
        let (how, earlier) = {
            let mut state = self.state();
            let count = state.invoked.entry(function).or_default();
            let how = self.shared.deliveries.get(&(function, *count)).copied();
            *count += 1;
            let all = state.earlier.entry(function).or_default();
            let earlier = all.len().checked_sub(2).map(|index| all[index].clone());
            all.push(payload.clone());
            (how, earlier)
        };
        let faults = &self.shared.faults;
        let answer = match how {
            None => self.run(function, payload).await,
            Some(Delivery::Twice) => {
                faults.count("batch delivered twice");
                let _ = self.run(function, payload.clone()).await;
                self.run(function, payload).await
            }
            Some(Delivery::EarlierAgain) => {
                if let Some(earlier) = earlier {
                    faults.count("earlier batch delivered again");
                    let _ = self.run(function, earlier).await;
                }
                self.run(function, payload).await
            }
            Some(Delivery::AnswerLost) => {
                faults.count("function's answer lost");
                let _ = self.run(function, payload).await;
                Err("the answer was lost".to_owned())
            }
            Some(Delivery::Abandoned(after)) => {
                faults.count("invocation abandoned, works on");
                let lambda = self.clone();
                let mut work = tokio::task::spawn_local(async move { lambda.run(function, payload).await });
                match tokio::time::timeout(after, &mut work).await {
                    Ok(done) => done.unwrap_or_else(|error| Err(error.to_string())),
                    Err(_) => {
                        self.state().abandoned.push(work);
                        Err("given up".to_owned())
                    }
                }
            }
        };
        answer.map_err(FunctionError)
    }

    /// How many invocations there were.
    pub(crate) fn invocations(&self) -> u64 {
        self.state().invoked.values().sum()
    }

    /// Returns when no abandoned invocation works any more.
    pub(crate) async fn settle(&self) {
        loop {
            let abandoned = std::mem::take(&mut self.state().abandoned);
            if abandoned.is_empty() {
                return;
            }
            for work in abandoned {
                let _ = work.await;
            }
        }
    }

    /// One run of a function's code, in a warm environment or a new one.
    pub(crate) async fn run(&self, function: Function, payload: Vec<u8>) -> Answer {
        let run = {
            let mut state = self.state();
            state.runs += 1;
            state.runs
        };
        let (comment_events, due) = (comment_events(function, &payload), due(function, &payload));
        let Shared { world, faults, .. } = &*self.shared;
        faults.note(Effect::Began { invocation: run, function, comment_events, due });
        let payload = mutant::payload(function, payload);
        let objects = |process: &Process| self.seen(&world.objects, process);
        let table = |process: &Process| self.seen(&world.table, process);
        let clock = |process: &Process| self.seen(&world.clock, process);
        let batch_answer = |answer: Answer| answer.map(|answer| mutant::answer(&payload, answer));
        match function {
            Function::Score => {
                let start = async |process: Process, deadline| {
                    let mut config = configured(score_comments::Config::read, POLICY);
                    config.harm_model_name = world.harm_model.map(str::to_owned);
                    let predictions = self.seen(&world.predictions, &process);
                    let started =
                        ScoreComments::start(&config, predictions, objects(&process), clock(&process), deadline);
                    started.await.map_err(said)
                };
                let pool: Pool<Scorer> = |state| &mut state.scorers;
                let handle =
                    async |scorer: &Scorer, deadline| batch_answer(encoded(scorer.handle(&payload, deadline).await));
                self.in_environment(run, function, pool, start, handle).await
            }
            Function::Publish => {
                let start = async |process: Process, _| {
                    let config = configured(publish_alerts::Config::read, POLICY);
                    let alerts = self.seen(&world.alerts, &process);
                    let ledger = mutant::Ledger { table: table(&process), alerts: alerts.clone() };
                    Ok(PublishAlerts::new(&config, alerts, ledger, objects(&process), clock(&process)))
                };
                let pool: Pool<Publisher> = |state| &mut state.publishers;
                let handle = async |publisher: &Publisher, deadline| {
                    batch_answer(encoded(publisher.handle(&payload, deadline).await))
                };
                self.in_environment(run, function, pool, start, handle).await
            }
            Function::Archive => {
                let start = async |process: Process, _| Ok(ArchiveComments::new(objects(&process), clock(&process)));
                let pool: Pool<Archiver> = |state| &mut state.archivers;
                let handle = async |archiver: &Archiver, deadline| {
                    batch_answer(encoded(archiver.handle(&payload, deadline).await))
                };
                self.in_environment(run, function, pool, start, handle).await
            }
            Function::Digest => {
                let start = async |process: Process, _| {
                    let config = configured(digest_alerts::Config::read, POLICY);
                    let topic = mutant::topic_of_digests(&world.digests, &world.alerts);
                    let digests = self.seen(topic, &process);
                    let (table, objects, clock) = (table(&process), objects(&process), clock(&process));
                    let digester = DigestAlerts::new(&config, digests, table.clone(), clock.clone(), Links::none());
                    let decisions = self.seen(&world.decisions, &process);
                    Ok((digester.map_err(said)?, Outbox { rules: Rules::default(), table, objects, decisions, clock }))
                };
                let pool: Pool<(Digester, Outbox)> = |state| &mut state.digesters;
                let handle = async |(digester, outbox): &(Digester, Outbox), deadline| {
                    // What can't be swept now is left for the next run.
                    let _ = outbox.decisions(deadline).sweep(&outbox.objects).await;
                    let rules = outbox.rules.in_use(&outbox.objects, &outbox.clock, deadline).await.map_err(said)?;
                    let digested = digester.handle(&payload, deadline, |name, time| rules.of(name, time)).await;
                    encoded(digested.map(|digested| digested.digests))
                };
                self.in_environment(run, function, pool, start, handle).await
            }
            Function::Decide => {
                let config = configured(take_decisions::Config::read, POLICY);
                let settings = take_decisions::settings(&config);
                self.serve(run, function, |state| &mut state.link_pages, &config, settings, &payload).await
            }
            Function::Desk => {
                let config = configured(show_desk::Config::read, POLICY);
                let settings = show_desk::settings(&config);
                self.serve(run, function, |state| &mut state.desks, &config.pages, settings, &payload).await
            }
        }
    }

    fn seen<T: Clone>(&self, service: &T, process: &Process) -> Seen<T> {
        Mutant::new(Faulty::new(service.clone(), &self.shared.faults, process), process)
    }

    /// One request to a function that serves pages.
    async fn serve(
        &self,
        run: u64,
        function: Function,
        pool: Pool<Site>,
        config: &Config,
        settings: SiteSettings,
        payload: &[u8],
    ) -> Answer {
        let world = &self.shared.world;
        let start = async |process: Process, _| {
            let table = self.seen(&world.table, &process);
            let decisions = self.seen(&world.decisions, &process);
            let secrets = self.seen(&world.secrets, &process);
            Ok(Pages::new(config, settings, table, decisions, secrets, self.seen(&world.clock, &process)))
        };
        let handle = async |pages: &Site, deadline| encoded(pages.handle(payload, deadline).await);
        self.in_environment(run, function, pool, start, handle).await
    }

    /// Takes a warm environment or starts one, lets it work until Lambda's timeout, and keeps it where it lives on.
    async fn in_environment<F>(
        &self,
        run: u64,
        function: Function,
        pool: Pool<F>,
        start: impl AsyncFnOnce(Process, Timestamp) -> Result<F, String>,
        handle: impl AsyncFnOnce(&F, Timestamp) -> Answer,
    ) -> Answer {
        let deadline = self.shared.world.clock.now() + TIME;
        let warm = pool(&mut self.state()).pop();
        let (process, warm) =
            warm.map_or_else(|| (Process::of(function), None), |(process, warm)| (process, Some(warm)));
        process.begin(run, self.shared.world.clock.now());
        let work = async {
            let function = match warm {
                Some(function) => function,
                None => start(process.clone(), deadline).await?,
            };
            let answer = handle(&function, deadline).await;
            Ok::<_, String>((function, answer))
        };
        // A large future, which whoever calls this would carry.
        let worked = tokio::time::timeout(TIMEOUT, Box::pin(process.live(work))).await;
        let Ok(worked) = worked else {
            self.shared.faults.count("function timed out");
            return Err("the function timed out".to_owned());
        };
        let Some(worked) = worked else { return Err("the process crashed".to_owned()) };
        let (function, answer) = worked?;
        let late = !process.was_slow() && self.shared.world.clock.now() > deadline + TICK;
        self.shared.faults.note(Effect::Answered { invocation: run, late });
        pool(&mut self.state()).push((process, function));
        answer
    }
}

type Pool<F> = fn(&mut State) -> &mut Vec<(Process, F)>;

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn encoded<T: Serialize, E: std::fmt::Display>(answer: Result<T, E>) -> Answer {
    answer.map(|answer| serde_json::to_vec(&answer).unwrap_or_default()).map_err(said)
}

/// The comment event of each record that has one.
fn comment_events(function: Function, payload: &[u8]) -> Vec<String> {
    // Digests and pages are given no batch: nothing parses, and they have none.
    let pointer = if function == Function::Publish { "/data/comment_event/id" } else { "/id" };
    let Ok(batch) = Batch::parse(payload) else { return Vec::new() };
    let mut data = Vec::new();
    let ids = batch.records.iter().filter_map(|record| {
        record.decode_into(&mut data).ok()?;
        let event: Value = serde_json::from_slice(&data).ok()?;
        Some(event.pointer(pointer)?.as_str()?.to_owned())
    });
    ids.collect()
}

/// When the schedule was due, of a function that it invokes.
fn due(function: Function, payload: &[u8]) -> Option<Timestamp> {
    let payload: Value = serde_json::from_slice(payload).ok().filter(|_| function == Function::Digest)?;
    payload["time"].as_str()?.parse().ok()
}

/// A function's settings, of which the caller chooses the policy.
pub(crate) fn configured<C, E: std::fmt::Display>(read: fn(Environment<'_>) -> Result<C, E>, policy: &str) -> C {
    let lookup = |name: &str| match name {
        "POLICY" => Some(policy.to_owned()),
        _ => VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    };
    read(Environment::new(&lookup)).unwrap_or_else(|error| panic!("{error}"))
}
