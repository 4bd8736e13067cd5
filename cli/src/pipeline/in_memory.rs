//! The whole pipeline in one process: the functions that run on AWS, over the memory world.

use plain_text::{agree, counted};
use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use digest_alerts::{DigestAlerts, DigestRules, Links};
use futures_util::future::join3;
use generate_comments::GenerateComments;
use jiff::{SignedDuration, Timestamp};
use modstream_classifier::BaseRate;
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Entry, SCHEMA};
use modstream_links::FORUM;
use modstream_platform::deliver::put;
use modstream_platform::memory::{
    Config, EventSource, Filter, MemoryClock, MemoryObjects, MemoryStream, MemoryTable, MemoryTopic, Notification,
    Statistics, Subscription,
};
use modstream_platform::{Clock, Objects, Stream};
use modstream_policy::Policies;
use modstream_windows::Tumbling;
use serde_json::json;
use tokio::sync::watch;

use crate::common::interrupt::Interrupts;
use crate::pipeline::functions::{FUNCTION_TIMEOUT, Functions, Models, Places};
use crate::pipeline::load::meter::Meter;
use crate::pipeline::system::{Counts, Delivered, Digest, Function, Ran, Record, Schedule, Stop, StreamKind, System};

/// The shards of a stream, as many as a small deployment has.
const SHARDS: usize = 2;
const CORPUS_KEY: &str = "corpus/comments.jsonl";
const BUCKET: &str = "memory";
const TABLE: &str = "memory";

/// How the functions get their batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches {
    /// Each record is passed on at once, so that an alert shows when its comment comes.
    AtOnce,
    /// Batches are as `infra/` sets them up, and are measured.
    AsDeployed,
}

impl Batches {
    fn config(self, function: &str) -> Config {
        let defaults = Config { max_retry_attempts: Some(10), ..Config::for_function(function) };
        match self {
            Batches::AsDeployed if function == score_comments::NAME => {
                Config { batch_size: 500, batching_window: Duration::from_secs(1), ..defaults }
            }
            Batches::AsDeployed | Batches::AtOnce => defaults,
        }
    }
}

/// The streams, the table, the bucket and the topic that the functions work on.
#[derive(Clone)]
struct World {
    clock: MemoryClock,
    comments: MemoryStream,
    predictions: MemoryStream,
    table: MemoryTable,
    objects: MemoryObjects,
    alerts: MemoryTopic,
}

impl World {
    fn new(clock: MemoryClock) -> Self {
        World {
            clock,
            comments: MemoryStream::new("comments", SHARDS, clock),
            predictions: MemoryStream::new("predictions", SHARDS, clock),
            table: MemoryTable::new(TABLE, SCHEMA, clock),
            objects: MemoryObjects::new(),
            alerts: MemoryTopic::new("alerts"),
        }
    }
}

/// The functions, wired to a world.
pub(crate) struct Pipeline {
    world: World,
    inbox: Subscription,
    generate: GenerateComments<MemoryStream, MemoryObjects, MemoryClock>,
    functions: Functions<MemoryStream, MemoryTable, MemoryObjects, MemoryTopic, MemoryClock>,
    batches: Batches,
    scoring: Meter,
    publishing: Meter,
}

impl Pipeline {
    fn stream(&self, which: StreamKind) -> &MemoryStream {
        match which {
            StreamKind::Comments => &self.world.comments,
            StreamKind::Predictions => &self.world.predictions,
        }
    }

    /// Brings corpus and models into a new world, and starts the functions there.
    pub(crate) async fn start(
        models: &Models,
        corpus: Vec<u8>,
        base_rate: Option<BaseRate>,
        policies: &Policies,
        batches: Batches,
        clock: MemoryClock,
    ) -> anyhow::Result<Self> {
        let world = World::new(clock);
        let World { comments, predictions, table, objects, alerts, .. } = world.clone();
        let deadline = clock.now() + FUNCTION_TIMEOUT;
        put(&objects, &clock, deadline, CORPUS_KEY, corpus).await?;
        models.bring(objects.clone(), clock).await?;
        PolicyStore::new(&objects, &clock, deadline).push(policies).await?;

        let inbox = alerts.subscribe(Filter::new());
        let generate = generate_comments::Config {
            comments_stream: "comments".to_owned(),
            bucket: BUCKET.to_owned(),
            corpus_key: CORPUS_KEY.to_owned(),
            rate: 10.0,
            spread_seconds: 60.0,
        };
        let places = Places { predictions, table, objects: objects.clone(), alerts };
        Ok(Pipeline {
            generate: GenerateComments::new(generate, comments, objects, clock),
            functions: Functions::start(&models.names(), base_rate, places, clock, FUNCTION_TIMEOUT).await?,
            world,
            inbox,
            batches,
            scoring: Meter::default(),
            publishing: Meter::default(),
        })
    }

    /// What the functions remember.
    pub(crate) fn table(&self) -> &MemoryTable {
        &self.world.table
    }

    pub(crate) fn clock(&self) -> MemoryClock {
        self.world.clock
    }

    /// Sends comments by the schedule.
    async fn generate(&self, schedule: &Schedule) -> anyhow::Result<()> {
        let clock = &self.world.clock;
        let start = clock.now();
        for invocation in schedule.invocations() {
            let due = start.checked_add(invocation.due)?;
            if let Ok(wait) = Duration::try_from(due.duration_since(clock.now())) {
                clock.sleep(wait).await;
            }
            let payload = schedule.payload(&invocation, clock.now());
            let deadline = clock.now() + FUNCTION_TIMEOUT + invocation.spread;
            self.generate.handle(&payload, "demo", deadline).await?;
        }
        Ok(())
    }

    /// Runs the functions over their streams while `generate` goes on, and until nothing is left to do.
    async fn run_functions<T>(
        &self,
        generate: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<(T, [Statistics; 2])> {
        let World { clock, comments, predictions, .. } = &self.world;
        let generated = Signal::new();
        let scored = Signal::new();
        let config = |name: &str| self.batches.config(name);
        let scoring = EventSource::new(comments.clone(), *clock, config(score_comments::NAME));
        let publishing = EventSource::new(predictions.clone(), *clock, config(publish_alerts::NAME));
        let meter = |meter| (self.batches == Batches::AsDeployed).then_some(meter);
        let (score_meter, publish_meter) = (meter(&self.scoring), meter(&self.publishing));
        let functions = &self.functions;
        let score = |payload: Vec<u8>| async move { metered(score_meter, &payload, functions.score(&payload)).await };
        let publish =
            |payload: Vec<u8>| async move { metered(publish_meter, &payload, functions.publish(&payload)).await };
        let (generated, scoring, publishing) = join3(
            async {
                let result = generate.await;
                generated.give();
                result
            },
            async {
                let statistics = scoring.run(score, generated.wait()).await;
                scored.give();
                statistics
            },
            publishing.run(publish, scored.wait()),
        )
        .await;
        check_none_given_up(&scoring)?;
        check_none_given_up(&publishing)?;
        Ok((generated?, [scoring, publishing]))
    }
}

impl System for Pipeline {
    async fn run(&self, schedule: &Schedule, interrupts: &Interrupts) -> anyhow::Result<Ran> {
        let started = Instant::now();
        let generate = async {
            tokio::select! {
                biased;
                // What is on the stream by then is still taken all the way.
                () = interrupts.asked() => {
                    let interrupts = interrupts.clone();
                    tokio::spawn(async move {
                        interrupts.asked_twice().await;
                        std::process::exit(130);
                    });
                    Ok(Stop::Interrupted)
                }
                generated = self.generate(schedule) => generated.map(|()| Stop::Done),
            }
        };
        let (stop, [scoring, publishing]) = self.run_functions(generate).await?;
        let batches = json!({ score_comments::NAME: scoring.batches, publish_alerts::NAME: publishing.batches });
        Ok(Ran { stop, took: started.elapsed(), batches: Some(batches), hint: None })
    }

    async fn next_alert(&self) -> anyhow::Result<Delivered> {
        let Notification { body, .. } = self.inbox.receive().await;
        Ok(Delivered { body, at: self.world.clock.now() })
    }

    fn waiting_alert(&self) -> Option<Delivered> {
        let Notification { body, .. } = self.inbox.try_receive()?;
        Some(Delivered { body, at: self.world.clock.now() })
    }

    async fn counts(&self) -> anyhow::Result<Counts> {
        let World { comments, predictions, .. } = &self.world;
        let quarantined = self.quarantine().await?.len();
        Ok(Counts { comments: comments.len(), predictions: predictions.len(), quarantined })
    }

    fn name(&self, which: StreamKind) -> &str {
        self.stream(which).name()
    }

    async fn records(&self, which: StreamKind) -> anyhow::Result<Vec<Record>> {
        let stream = self.stream(which);
        let mut all = Vec::new();
        for shard in stream.shard_ids() {
            let mut after: Option<String> = None;
            loop {
                let some = stream.get_records(&shard, after.as_deref(), 10_000)?;
                let Some(last) = some.last() else { break };
                after = Some(last.sequence_number.clone());
                all.extend(some.iter().map(|record| Record {
                    place: format!("{shard}/{}", record.sequence_number),
                    data: record.data.clone(),
                    arrived: record.arrived,
                }));
            }
        }
        Ok(all)
    }

    async fn quarantine(&self) -> anyhow::Result<HashSet<String>> {
        Ok(self.world.objects.list("quarantine/").await?.into_iter().collect())
    }

    async fn withheld(&self) -> anyhow::Result<HashSet<String>> {
        let items = self.world.table.items();
        let entries = items.iter().filter_map(|item| Entry::of_item(item).ok());
        Ok(entries.filter(|entry| entry.withheld().is_some()).map(|entry| entry.key.id).collect())
    }

    async fn digest(&self, subreddit: &str, first: Timestamp, last: Timestamp) -> anyhow::Result<Option<Digest>> {
        let World { clock, table, .. } = &self.world;
        let topic = MemoryTopic::new("digests");
        let inbox = topic.subscribe(Filter::new());
        let config = digest_alerts::Config {
            digests_topic_arn: "memory".to_owned(),
            table: TABLE.to_owned(),
            bucket: BUCKET.to_owned(),
            window: SignedDuration::from_mins(5),
            allowed_lateness: SignedDuration::from_mins(1),
            decisions_stream: None,
            links: None,
            forum: FORUM.to_owned(),
        };
        let digests = DigestAlerts::new(&config, topic, table.clone(), *clock, Links::none())?;
        let rules = |name: &str, _| DigestRules { leave_out: name != subreddit, ..DigestRules::default() };
        // As the schedule would, until the last comment's window is complete.
        let windows = Tumbling::new(config.window)?;
        let mut end = windows.window(first).end;
        loop {
            let due = end.checked_add(config.allowed_lateness)?;
            let payload = json!({ "time": due }).to_string();
            digests.handle(payload.as_bytes(), clock.now() + FUNCTION_TIMEOUT, rules).await?;
            if last < end {
                break;
            }
            end = end.checked_add(config.window)?;
        }
        let all = std::iter::from_fn(|| inbox.try_receive());
        // The longest has most alerts.
        let busiest = all.max_by_key(|message| message.body.len());
        Ok(busiest.map(|message| Digest { subject: message.subject.unwrap_or_default(), body: message.body }))
    }

    fn invocations(&self) -> Vec<Function> {
        let functions = [(score_comments::NAME, &self.scoring), (publish_alerts::NAME, &self.publishing)];
        functions.map(|(name, meter)| Function { name, shards: SHARDS, seen: meter.seen() }).into()
    }
}

/// Refuses a run that gave records up.
pub(crate) fn check_none_given_up(statistics: &Statistics) -> anyhow::Result<()> {
    if statistics.discarded_records == 0 {
        return Ok(());
    }
    let cause = statistics
        .last_function_error
        .as_ref()
        .map_or("the function reported failed records until its attempts were used up", |error| &error.0);
    let records = statistics.discarded_records;
    Err(anyhow!("{} {} given up after retries: {cause}", counted(records, "record"), agree(records, "was", "were")))
}

async fn metered<T>(meter: Option<&Meter>, payload: &[u8], invoke: impl Future<Output = T>) -> T {
    match meter {
        Some(meter) => meter.invocation(payload, invoke).await,
        None => invoke.await,
    }
}

/// A signal that is given once, and waited for by any number.
struct Signal(watch::Sender<bool>);

impl Signal {
    fn new() -> Self {
        Signal(watch::Sender::new(false))
    }

    fn give(&self) {
        self.0.send_replace(true);
    }

    fn wait(&self) -> impl Future<Output = ()> + use<> {
        let mut receiver = self.0.subscribe();
        async move {
            // An error means that the sender is gone: nothing more will come.
            let _ = receiver.wait_for(|given| *given).await;
        }
    }
}
