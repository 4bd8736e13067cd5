//! The functions over a world that holds one comment at a time, whose clock is the comment's.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use kinesis_batch::payload::{SourceRecord, encode};
use modstream_classifier::BaseRate;
use modstream_events::{Event, Prediction, Quarantined};
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Entry, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTable};
use modstream_platform::table::{self, Batch, Consistency, Item, Key, Page, Query, Table, Transacted, Update, Write};
use modstream_platform::{
    Bytes, CallError, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, PutOutcome, PutRecord, Stream,
    Topic, Written,
};
use modstream_policy::{Judgement, Policies, Rules};
use publish_alerts::{PublishAlerts, Severities};
use score_comments::ScoreComments;

use crate::common::args::or_default;
use crate::pipeline::functions::Models;

/// How long the functions may take for a comment.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
const NAME: &str = "memory";

/// `score-comments` and `publish-alerts` with a model and policies.
pub(crate) struct OneByOne<'a> {
    policies: &'a Policies,
    score: ScoreComments<World, World, World>,
    publish: PublishAlerts<World, World, World, World>,
    world: World,
}

/// What became of a comment.
pub(crate) struct Outcome<'a> {
    /// The probability that a moderator would remove it, at the base rate of its subreddit.
    pub(crate) probability: f64,
    pub(crate) judgement: Judgement,
    /// How harmful it is, and the label that says so; none where there is nothing to judge, or no harm model.
    pub(crate) harm: Option<Harm>,
    pub(crate) rules: &'a Rules,
    pub(crate) fate: Fate,
}

/// How harmful a comment is.
pub(crate) struct Harm {
    pub(crate) harm: f64,
    /// The label that says so.
    pub(crate) label: Option<String>,
}

/// What became of an alert.
pub(crate) enum Fate {
    /// There was no alert, or none that anything was done about.
    Nothing,
    Published,
    /// It is held back, for this reason.
    HeldBack(String),
}

impl<'a> OneByOne<'a> {
    pub(crate) async fn start(
        models: &Models,
        base_rate: Option<BaseRate>,
        policies: &'a Policies,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let world = World::new();
        world.moment().now = now;
        let deadline = now + TIMEOUT;
        models.bring(world.clone(), world.clone()).await?;
        let names = models.names();
        PolicyStore::new(&world, &world, deadline).push(policies).await?;
        let score = score_comments::Config {
            predictions_stream: NAME.to_owned(),
            bucket: NAME.to_owned(),
            model_name: names.removal,
            harm_model_name: names.harm,
            base_rate,
            top_terms: 0,
        };
        let publish = publish_alerts::Config {
            alerts_topic_arn: NAME.to_owned(),
            table: NAME.to_owned(),
            bucket: NAME.to_owned(),
            // The document in the bucket holds.
            policy: or_default(None),
            severities: Severities::default(),
            links: None,
        };
        Ok(OneByOne {
            policies,
            score: ScoreComments::start(&score, world.clone(), world.clone(), world.clone(), deadline).await?,
            publish: PublishAlerts::new(&publish, world.clone(), world.clone(), world.clone(), world.clone()),
            world,
        })
    }

    /// Takes a comment event all the way at a time. An error within is what is wrong with the event.
    pub(crate) async fn take(&self, event: &[u8], time: Timestamp) -> anyhow::Result<Result<Outcome<'a>, String>> {
        *self.world.moment() = Moment { now: time, ..Moment::default() };
        let deadline = time.checked_add(TIMEOUT)?;
        let response = self.score.handle(&payload(event, time), deadline).await?;
        anyhow::ensure!(response.batch_item_failures.is_empty(), "score-comments: the comment has to come again");
        let Some(PutRecord { data, .. }) = self.world.moment().predictions.pop() else {
            let quarantined = self.world.moment().quarantined.take();
            return Ok(Err(quarantined.context("score-comments made nothing of the comment")?));
        };
        let response = self.publish.handle(&payload(&data, time), deadline).await?;
        anyhow::ensure!(response.batch_item_failures.is_empty(), "publish-alerts: the prediction has to come again");
        let event: Event<'_, Prediction<'_>> = Event::decode(&data).context("the prediction")?;
        let moment = take(&mut *self.world.moment());
        let rules = self.policies.for_subreddit(event.data.comment.subreddit.as_deref());
        let fate = match moment.held_back {
            Some(reason) => Fate::HeldBack(reason),
            None if moment.published > 0 => Fate::Published,
            None => Fate::Nothing,
        };
        let harm = rules.harm(&event.data).map(|found| Harm {
            harm: found.harm,
            label: found.labels.first().map(|label| label.said.label.to_string()),
        });
        let (judgement, probability) = (rules.judge(&event.data), rules.at_base_rate(&event.data).probability);
        Ok(Ok(Outcome { probability, judgement, harm, rules, fate }))
    }
}

/// The payload that Lambda would send with this record.
fn payload(data: &[u8], time: Timestamp) -> Vec<u8> {
    encode(&[SourceRecord {
        event_source_arn: NAME,
        shard_id: "shardId-000000000000",
        sequence_number: "1",
        partition_key: NAME,
        arrived_seconds: time.as_millisecond() as f64 / 1e3,
        data,
    }])
}

/// Streams, table, bucket, topic and clock, and what was done to them since the present comment came.
#[derive(Clone)]
struct World {
    table: MemoryTable,
    objects: MemoryObjects,
    moment: Arc<Mutex<Moment>>,
}

#[derive(Debug, Default)]
struct Moment {
    now: Timestamp,
    predictions: Vec<PutRecord>,
    published: usize,
    /// Why an alert was held back.
    held_back: Option<String>,
    /// What was wrong with a record.
    quarantined: Option<String>,
}

impl Moment {
    /// Notes why an alert was held back, of its item as it is written.
    fn notice(&mut self, item: &Item) {
        if let Ok(Some(why)) = Entry::of_item(item).map(|entry| entry.withheld().cloned()) {
            self.held_back = Some(why.detail);
        }
    }
}

impl World {
    fn new() -> Self {
        let table = MemoryTable::new(NAME, SCHEMA, MemoryClock::system());
        World { table, objects: MemoryObjects::new(), moment: Arc::default() }
    }

    fn moment(&self) -> MutexGuard<'_, Moment> {
        self.moment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.moment().now
    }

    async fn sleep(&self, _: Duration) {}
}

impl Stream for World {
    fn name(&self) -> &str {
        NAME
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        self.moment().predictions.extend_from_slice(records);
        let stored = PutOutcome::Stored { shard_id: NAME.to_owned(), sequence_number: "1".to_owned() };
        Ok(vec![stored; records.len()])
    }
}

impl Topic for World {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        self.moment().published += messages.len();
        Ok(vec![PublishOutcome::Published { message_id: NAME.to_owned() }; messages.len()])
    }
}

impl Objects for World {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.objects.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        if key.starts_with("quarantine/") {
            let bad = Event::<Quarantined<'_>>::decode(&bytes);
            self.moment().quarantined = bad.ok().map(|bad| bad.data.detail.into_owned());
        }
        self.objects.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.objects.list(prefix).await
    }
}

impl Table for World {
    fn name(&self) -> &str {
        NAME
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.table.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.table.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.table.query(query).await
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<table::Outcome<()>, CallError> {
        let outcome = self.table.put(item, condition).await?;
        if outcome == table::Outcome::Done(()) {
            self.moment().notice(item);
        }
        Ok(outcome)
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<table::Outcome<Item>, CallError> {
        let outcome = self.table.update(key, update, condition).await?;
        if let table::Outcome::Done(item) = &outcome {
            self.moment().notice(item);
        }
        Ok(outcome)
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<table::Outcome<()>, CallError> {
        self.table.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.table.transact(token, writes).await
    }
}
