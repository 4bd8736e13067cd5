//! The whole road in one process: the functions that run on AWS, over the memory world.

use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::join3;
use generate_comments::{GenerateComments, Generated};
use modstream_classifier::BaseRate;
use modstream_classifier::artifact::{Manifest, ModelFiles};
use modstream_model_store::ModelStore;
use modstream_platform::Clock;
use modstream_platform::deliver::put;
use modstream_platform::memory::{
    Config, EventSource, Filter, FunctionError, MemoryClock, MemoryObjects, MemoryStream, MemoryTopic, Statistics,
    Subscription,
};
use publish_alerts::{Policy, PublishAlerts, Severities};
use score_comments::ScoreComments;
use serde_json::json;
use tokio::sync::watch;

/// As many as a small deployment has.
const SHARDS: usize = 2;
/// A function's timeout.
const TIMEOUT: Duration = Duration::from_secs(60);
const CORPUS_KEY: &str = "corpus/comments.jsonl";
const BUCKET: &str = "memory";

/// Streams, bucket and topic.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: MemoryClock,
    pub(crate) comments: MemoryStream,
    pub(crate) predictions: MemoryStream,
    pub(crate) objects: MemoryObjects,
    pub(crate) alerts: MemoryTopic,
}

impl World {
    fn new() -> Self {
        let clock = MemoryClock::system();
        World {
            clock,
            comments: MemoryStream::new("comments", SHARDS, clock),
            predictions: MemoryStream::new("predictions", SHARDS, clock),
            objects: MemoryObjects::new(),
            alerts: MemoryTopic::new("alerts"),
        }
    }
}

/// The functions, wired to a world.
pub(crate) struct Pipeline {
    pub(crate) world: World,
    pub(crate) manifest: Manifest,
    pub(crate) inbox: Subscription,
    generate: GenerateComments<MemoryStream, MemoryObjects, MemoryClock>,
    score: ScoreComments<MemoryStream, MemoryObjects, MemoryClock>,
    publish: PublishAlerts<MemoryTopic, MemoryObjects, MemoryClock>,
}

/// What the event source mappings did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) scoring: Statistics,
    pub(crate) publishing: Statistics,
}

impl Pipeline {
    /// Brings corpus and model into a new world, and starts the functions there.
    pub(crate) async fn start(
        files: &ModelFiles,
        corpus: Vec<u8>,
        base_rate: Option<BaseRate>,
        policy: &Policy,
    ) -> anyhow::Result<Self> {
        let world = World::new();
        let World { clock, comments, predictions, objects, alerts } = world.clone();
        let deadline = clock.now() + TIMEOUT;
        put(&objects, &clock, deadline, CORPUS_KEY, corpus).await?;
        let (_, manifest) = files.load()?;
        let store = ModelStore::new(objects.clone(), clock, manifest.name.clone());
        store.push(files, deadline).await?;
        store.promote(&manifest.version, deadline).await?;

        let inbox = alerts.subscribe(Filter::new());
        let generate = generate_comments::Config {
            comments_stream: "comments".to_owned(),
            bucket: BUCKET.to_owned(),
            corpus_key: CORPUS_KEY.to_owned(),
            rate: 10.0,
            spread_seconds: 60.0,
        };
        let score = score_comments::Config {
            predictions_stream: "predictions".to_owned(),
            bucket: BUCKET.to_owned(),
            model_name: manifest.name.clone(),
            base_rate,
            top_terms: 5,
        };
        let publish = publish_alerts::Config {
            alerts_topic_arn: "memory".to_owned(),
            bucket: BUCKET.to_owned(),
            policy: policy.clone(),
            severities: Severities::default(),
        };
        Ok(Pipeline {
            generate: GenerateComments::new(generate, comments, objects.clone(), clock),
            score: ScoreComments::start(&score, predictions, objects.clone(), clock, deadline).await?,
            publish: PublishAlerts::new(&publish, alerts, objects, clock),
            world,
            manifest,
            inbox,
        })
    }

    /// The schedule: an invocation a minute, as the rule on AWS, until `comments` are sent. Each takes up where the one before
    /// ended. Without a rate, one invocation sends all at once.
    pub(crate) async fn generate(&self, comments: u64, rate: Option<f64>) -> anyhow::Result<Generated> {
        let a_minute = rate.map_or(comments, |rate| ((rate * 60.0).round() as u64).max(1));
        let mut all = Generated { comments: 0, quarantined: 0 };
        let mut sent = 0;
        while sent < comments {
            let now = comments.min(sent + a_minute) - sent;
            let spread = rate.map_or(0.0, |rate| now as f64 / rate);
            let invocation = json!({
                "id": format!("demo-{sent}"),
                "time": self.world.clock.now(),
                "comments": now,
                "offset": sent,
                "spread_seconds": spread,
            });
            let start = self.world.clock.now();
            let deadline = start + TIMEOUT + Duration::from_secs_f64(spread);
            let generated = self.generate.handle(invocation.to_string().as_bytes(), "demo", deadline).await?;
            all.comments += generated.comments;
            all.quarantined += generated.quarantined;
            sent += now;
            let next = start + Duration::from_secs_f64(spread);
            if let Ok(wait) = Duration::try_from(next.duration_since(self.world.clock.now()))
                && sent < comments
            {
                self.world.clock.sleep(wait).await;
            }
        }
        Ok(all)
    }

    /// Runs the functions over their streams while `generate` goes on, and until nothing is left to do.
    pub(crate) async fn run<T>(&self, generate: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, Ran)> {
        let World { clock, comments, predictions, .. } = &self.world;
        let generated = Signal::new();
        let scored = Signal::new();
        let config = |name: &str| Config { max_retry_attempts: Some(10), ..Config::for_function(name) };
        let scoring = EventSource::new(comments.clone(), *clock, config(score_comments::NAME));
        let publishing = EventSource::new(predictions.clone(), *clock, config(publish_alerts::NAME));
        let failed = |error: &dyn std::error::Error| FunctionError(error.to_string());
        let deadline = || clock.now() + TIMEOUT;
        let score = |payload: Vec<u8>| async move {
            let response = self.score.handle(&payload, deadline()).await.map_err(|error| failed(&error))?;
            serde_json::to_vec(&response).map_err(|error| failed(&error))
        };
        let publish = |payload: Vec<u8>| async move {
            let response = self.publish.handle(&payload, deadline()).await.map_err(|error| failed(&error))?;
            serde_json::to_vec(&response).map_err(|error| failed(&error))
        };
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
        for statistics in [&scoring, &publishing] {
            if statistics.discarded_records > 0 {
                let cause = statistics
                    .last_function_error
                    .as_ref()
                    .map_or("the function reported failed records until its attempts were used up", |error| &error.0);
                return Err(anyhow!("{} records were given up after retries: {cause}", statistics.discarded_records));
            }
        }
        Ok((generated?, Ran { scoring, publishing }))
    }
}

/// Given once, waited for by any number.
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
