//! One shard of each stream, from the comments' due times to their alerts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{Batch, BatchResponse, PayloadError};
use modstream_events::{Comment, Event, ids};
use modstream_ledger::SCHEMA;
use modstream_platform::memory::{
    Config, EventSource, FunctionError, MemoryClock, MemoryStream, MemoryTable, MemoryTopic, StreamRecord,
};
use modstream_platform::{Clock, MAX_PUT_RECORDS, PutRecord, Stream};
use modstream_tests::SOURCE;
use publish_alerts::PublishAlerts;
use score_comments::ScoreComments;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use super::assumed;
use super::samples::Samples;
use super::services::{Alerts, Bucket, CORE, Chance, Core, Shard, State, compute, key};
use super::{POLICY, Settings};
use crate::faults::lock;
use crate::lambda::configured;
use crate::world;

/// What happened.
#[derive(Default)]
pub(super) struct Seen {
    /// From when a comment was due to its prediction.
    pub(super) to_prediction: Vec<Duration>,
    /// And to its alert.
    pub(super) to_alert: Vec<Duration>,
    /// How long a comment waited for the stream to take it, and when it did.
    pub(super) waited: Vec<(Duration, Duration)>,
    pub(super) scored: Vec<Invocation>,
    pub(super) published: Vec<Invocation>,
    /// Records that the stream of predictions refused for the moment.
    pub(super) refused: u64,
    /// Items written.
    pub(super) writes: u64,
}

/// One invocation.
pub(super) struct Invocation {
    /// When it began, from the start.
    pub(super) at: Duration,
    pub(super) records: usize,
    /// The age of its last record then: Lambda's metric IteratorAge.
    pub(super) age: Duration,
    /// How long the function ran.
    pub(super) ran: Duration,
    /// How long the shard waited for its answer.
    pub(super) took: Duration,
}

const START: &str = "2026-01-05T10:00:00Z";
/// As `infra/` has it; the functions stop 5.5 s before.
const TIME: Duration = Duration::from_millis(54_500);
/// Kept long enough to be read; the copy that the mapping has read is kept to the end.
const UNREAD: Duration = Duration::from_secs(60);
/// How soon a producer tries again what the stream refused.
const AGAIN: Duration = Duration::from_millis(20);

/// Lets comments come at these times, in virtual time.
pub(super) fn simulate(settings: &Settings, samples: &Samples, number: u64, due: &[Duration]) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run(settings, samples, number, due))
}

async fn run(settings: &Settings, samples: &Samples, number: u64, due: &[Duration]) -> Seen {
    let chance = |what: u64| Chance::of(settings.seed ^ (number << 8 | what).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let clock = MemoryClock::starting_at(START.parse().expect("a time"));
    let stream = |name| MemoryStream::with_retention(name, 1, clock, UNREAD);
    let (comments, predictions) = (stream("comments"), stream("predictions"));
    let (incoming, outgoing) = (Shard::over(comments.clone(), chance(1)), Shard::over(predictions.clone(), chance(2)));
    let bucket = Bucket { objects: world::shipped().await, chance: chance(3) };
    let state = State {
        table: MemoryTable::new("state", SCHEMA, clock),
        chance: chance(10),
        write: assumed::write_item(settings.write_item_ms),
        writes: Arc::default(),
    };
    let alerts = Alerts { topic: MemoryTopic::new("alerts"), chance: chance(4), published: Default::default() };

    // What the mappings have read, and when each record came.
    let read = |from: MemoryStream, what| {
        let stream = MemoryStream::new(from.name(), 1, clock);
        Reading { from, stream, arrived: Mutex::default(), clock, chance: chance(what), fan_out: settings.fan_out }
    };
    let (read_comments, read_predictions) = (read(comments, 5), read(predictions, 6));
    let scorer = configured(score_comments::Config::read, POLICY);
    let scorer = ScoreComments::start(&scorer, outgoing.clone(), bucket.clone(), clock, clock.now() + TIME).await;
    let scorer = scorer.expect("the shipped model is sound");
    let publisher = configured(publish_alerts::Config::read, POLICY);
    let publisher = PublishAlerts::new(&publisher, alerts.clone(), state.clone(), bucket.clone(), clock);

    // Starting took a moment, and nothing was due.
    let begun = Instant::now();
    let score = Function {
        config: Config {
            batch_size: settings.batch_size,
            batching_window: settings.window,
            ..Config::for_function(score_comments::NAME)
        },
        memory: assumed::SCORE_MEMORY,
        cpu: assumed::SCORE_CPU,
        invoked: Mutex::default(),
    };
    let publish = Function {
        config: Config {
            batch_size: settings.publish_batch_size,
            parallelization_factor: settings.parallelization_factor,
            ..Config::for_function(publish_alerts::NAME)
        },
        memory: assumed::PUBLISH_MEMORY,
        cpu: assumed::PUBLISH_CPU,
        invoked: Mutex::default(),
    };
    let (all_fed, fed) = oneshot::channel();
    let (all_scored, scored) = oneshot::channel();
    let feeding = async {
        let waited = feed(&incoming, samples, begun, due, &chance(7)).await;
        let _ = all_fed.send(());
        waited
    };
    let (score_chance, publish_chance) = (chance(8), chance(9));
    let scoring = async {
        let handle = async |payload: &[u8], deadline| scorer.handle(payload, deadline).await;
        score.run(&read_comments, fed, begun, &score_chance, handle).await;
        let _ = all_scored.send(());
    };
    let handle = async |payload: &[u8], deadline| publisher.handle(payload, deadline).await;
    let publishing = publish.run(&read_predictions, scored, begun, &publish_chance, handle);
    let (waited, (), ()) = tokio::join!(feeding, scoring, publishing);

    let since_due = |times: Vec<(usize, Instant)>| {
        // A repeat counts from its first time.
        let mut first: BTreeMap<usize, Duration> = BTreeMap::new();
        for (number, at) in times {
            first.entry(number).or_insert((at - begun).saturating_sub(due[number]));
        }
        first.into_values().collect()
    };
    Seen {
        to_prediction: since_due(outgoing.stored.take()),
        to_alert: since_due(alerts.published.take()),
        waited,
        scored: score.invoked.into_inner().unwrap_or_default(),
        published: publish.invoked.into_inner().unwrap_or_default(),
        refused: outgoing.refused(),
        writes: *lock(&state.writes),
    }
}

/// Puts comments on the stream when they are due, in order; how long each waited.
async fn feed(
    stream: &Shard,
    samples: &Samples,
    begun: Instant,
    due: &[Duration],
    chance: &Chance,
) -> Vec<(Duration, Duration)> {
    let mut waited = Vec::with_capacity(due.len());
    for (number, due) in due.iter().enumerate() {
        sleep_until(begun + *due).await;
        let mut record = record(samples, number, *due, chance);
        while let Err(refused) = stream.put(record).await {
            record = refused;
            sleep(AGAIN).await;
        }
        let at = begun.elapsed();
        waited.push((at, at.saturating_sub(*due)));
    }
    waited
}

fn record(samples: &Samples, number: usize, due: Duration, chance: &Chance) -> PutRecord {
    let id = key(number);
    let comment = Comment { id: Some(id.as_str().into()), ..samples.draw(chance.share(), chance.share()).clone() };
    let time = START.parse::<Timestamp>().expect("a time") + due;
    let event = Event::new(ids::comment(SOURCE, &id, "1").to_string(), SOURCE, time, comment);
    PutRecord { data: event.encode(), partition_key: id }
}

/// A mapping's reading of a shard: what is on it, and what of it was read.
struct Reading {
    from: MemoryStream,
    stream: MemoryStream,
    /// When the record of each key, of which there is one, came to `from`.
    arrived: Mutex<BTreeMap<String, Timestamp>>,
    clock: MemoryClock,
    chance: Chance,
    fan_out: bool,
}

/// How often records that are pushed are looked for: small beside their way.
const TICK: Duration = Duration::from_millis(10);

impl Reading {
    /// Reads until no more comes.
    async fn run(&self, no_more: oneshot::Receiver<()>) {
        let ended = AtomicBool::new(false);
        let watch = async {
            drop(no_more.await);
            ended.store(true, Ordering::Release);
        };
        let read = async {
            let shard = self.from.shard_ids().remove(0);
            let mut after: Option<String> = None;
            // Polls of different shards are at different times.
            sleep(assumed::POLL_INTERVAL.mul_f64(self.chance.share())).await;
            loop {
                // Asked before reading: what is put before the end is then read.
                let no_more = ended.load(Ordering::Acquire);
                let mut records = self.from.get_records(&shard, after.as_deref(), usize::MAX).unwrap_or_default();
                let is_empty = records.is_empty();
                if self.fan_out {
                    let there = self.clock.now() - assumed::FAN_OUT;
                    records.retain(|record| record.arrived <= there);
                } else {
                    self.chance.wait(assumed::GET_RECORDS).await;
                }
                if is_empty && no_more {
                    return;
                }
                after = records.last().map(|record| record.sequence_number.clone()).or(after);
                for records in records.chunks(MAX_PUT_RECORDS) {
                    lock(&self.arrived).extend(records.iter().map(|it| (it.partition_key.clone(), it.arrived)));
                    let copy = |it: &Arc<StreamRecord>| PutRecord {
                        partition_key: it.partition_key.clone(),
                        data: it.data.clone(),
                    };
                    let copies: Vec<PutRecord> = records.iter().map(copy).collect();
                    self.stream.put_records(&copies).await.expect("it takes them");
                }
                sleep(if self.fan_out { TICK } else { assumed::POLL_INTERVAL }).await;
            }
        };
        tokio::join!(watch, read);
    }

    /// How old the last record of a batch is.
    fn age(&self, batch: &Batch<'_>) -> Duration {
        let arrived = lock(&self.arrived);
        let last = batch.records.last().and_then(|record| arrived.get(record.partition_key.as_ref()));
        let age = last.map(|arrived| self.clock.now().duration_since(*arrived));
        age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default()
    }
}

/// A function and its mapping.
struct Function {
    config: Config,
    memory: f64,
    cpu: f64,
    invoked: Mutex<Vec<Invocation>>,
}

impl Function {
    /// Works until no more is put on the stream, and all that is there is done.
    async fn run(
        &self,
        reading: &Reading,
        no_more: oneshot::Receiver<()>,
        begun: Instant,
        chance: &Chance,
        handle: impl AsyncFn(&[u8], Timestamp) -> Result<BatchResponse, PayloadError>,
    ) {
        let (all_read, read) = oneshot::channel();
        let read_all = async {
            reading.run(no_more).await;
            let _ = all_read.send(());
        };
        let invoke = async |payload: Vec<u8>| {
            let failed = |error: String| FunctionError(error);
            let batch = Batch::parse(&payload).map_err(|error| failed(error.to_string()))?;
            let (records, age) = (batch.records.len(), reading.age(&batch));
            let at = Instant::now();
            chance.wait(assumed::INVOKE).await;
            let (started, core) = (Instant::now(), Core::of(self.memory));
            let deadline = reading.clock.now() + TIME;
            let work = async {
                compute(self.cpu * records as f64).await;
                handle(&payload, deadline).await
            };
            let answer = CORE.scope(core, work).await.map_err(|error| failed(error.to_string()))?;
            let (ran, took, at) = (started.elapsed(), at.elapsed(), at - begun);
            lock(&self.invoked).push(Invocation { at, records, age, ran, took });
            serde_json::to_vec(&answer).map_err(|error| failed(error.to_string()))
        };
        let source = EventSource::new(reading.stream.clone(), reading.clock, self.config.clone());
        let no_more = async { drop(read.await) };
        tokio::join!(source.run(invoke, no_more), read_all);
    }
}
