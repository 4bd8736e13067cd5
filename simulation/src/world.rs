//! The memory world of one run, and what comes into it.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::SCHEMA;
use modstream_platform::memory::{
    Config, EventSource, Filter, MemoryClock, MemoryObjects, MemorySecrets, MemoryStream, MemoryTable, MemoryTopic,
    OnBatchFailure, Subscription,
};
use modstream_platform::{Condition, Objects, PutRecord, Stream};
use modstream_policy::Policies;
use modstream_tests::{
    BadSample, HARM_MODEL_NAME, MODEL_NAME, MadeUp, bad_comments, bad_predictions, harm_files, harsher, model_files,
};

use crate::documents::{document, names_labels};
use crate::faults::Faults;
use crate::plan::{Function, Incident, Lifecycle, Plan, Promoted, Settings, Which};

/// Streams, bucket, table, topic and clock.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: MemoryClock,
    pub(crate) comments: MemoryStream,
    pub(crate) predictions: MemoryStream,
    pub(crate) objects: MemoryObjects,
    pub(crate) table: MemoryTable,
    pub(crate) alerts: MemoryTopic,
    pub(crate) digests: MemoryTopic,
    pub(crate) decisions: MemoryStream,
    pub(crate) secrets: MemorySecrets,
    /// The name of the harm model that is scored with, where the run's policies name labels.
    pub(crate) harm_model: Option<&'static str>,
}

/// The secret whose text signs links.
pub(crate) const SECRET: &str = "link-key";
pub(crate) const LINK_KEY: &str = "a key of at least thirty-two bytes";

const START: &str = "2026-01-05T10:00:00Z";

/// A model's objects: its version, and each one's key and bytes.
struct Stored {
    version: String,
    objects: Vec<(String, Vec<u8>)>,
}

/// The models of every run: made once, since a version is a checksum of everything.
struct Models {
    shipped: Stored,
    harsher: Stored,
    damaged: Stored,
}

fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(|| {
        let shipped = model_files();
        let stored = |files: &modstream_classifier::artifact::ModelFiles| {
            let (_, manifest) = files.load().expect("a sound model");
            let key = |name: &str| format!("models/{MODEL_NAME}/{}/{name}", manifest.version);
            let objects = files.iter().map(|(name, bytes)| (key(name), bytes.to_vec())).collect();
            Stored { version: manifest.version, objects }
        };
        let mut damaged = stored(&harsher(&shipped, 0.3));
        damaged.objects.iter_mut().for_each(|(_, bytes)| bytes.truncate(bytes.len() / 2));
        Models { harsher: stored(&harsher(&shipped, 0.8)), shipped: stored(&shipped), damaged }
    })
}

/// The shipped harm model.
fn harm() -> &'static Stored {
    static HARM: OnceLock<Stored> = OnceLock::new();
    HARM.get_or_init(|| {
        let files = harm_files();
        let (_, manifest) = files.load().expect("a sound model");
        let key = |name: &str| format!("models/{HARM_MODEL_NAME}/{}/{name}", manifest.version);
        let objects = files.iter().map(|(name, bytes)| (key(name), bytes.to_vec())).collect();
        Stored { version: manifest.version, objects }
    })
}

/// A bucket with the shipped model alone, in use.
pub(crate) async fn shipped() -> MemoryObjects {
    let bucket = MemoryObjects::new();
    let Models { shipped, .. } = models();
    let pointer = (format!("models/{MODEL_NAME}/current.json"), pointer(shipped).into_bytes());
    for (key, bytes) in shipped.objects.iter().cloned().chain([pointer]) {
        bucket.put(&key, bytes.into(), Condition::Always).await.expect("the memory bucket takes it");
    }
    bucket
}

fn pointer(model: &Stored) -> String {
    format!("{{\"version\":\"{}\"}}", model.version)
}

impl World {
    /// A world with all models in its bucket, the shipped one in use.
    pub(crate) async fn new(settings: &Settings) -> Self {
        let clock = MemoryClock::starting_at(START.parse().expect("a time"));
        let world = World {
            clock,
            comments: MemoryStream::new(Which::Comments.name(), settings.shards, clock),
            predictions: MemoryStream::new(Which::Predictions.name(), settings.shards, clock),
            objects: MemoryObjects::new(),
            table: MemoryTable::new("state", SCHEMA, clock),
            alerts: MemoryTopic::new("alerts"),
            digests: MemoryTopic::new("digests"),
            decisions: MemoryStream::new("decisions", 1, clock),
            secrets: MemorySecrets::new(),
            harm_model: names_labels(document(settings.document)).then_some(HARM_MODEL_NAME),
        };
        world.secrets.rotate(SECRET, LINK_KEY);
        let Models { shipped, harsher, damaged } = models();
        for (key, bytes) in [shipped, harsher, damaged].iter().flat_map(|model| &model.objects) {
            world.put(key, bytes.clone()).await;
        }
        world.promote(Promoted::Shipped).await;
        if let Some(name) = world.harm_model {
            for (key, bytes) in &harm().objects {
                world.put(key, bytes.clone()).await;
            }
            world.put(&format!("models/{name}/current.json"), pointer(harm()).into_bytes()).await;
        }
        if settings.document.is_some() {
            let store = PolicyStore::new(&world.objects, &world.clock, Timestamp::MAX);
            let policies = Policies::parse(document(settings.document)).expect("the documents of runs are good");
            store.push(&policies).await.expect("the memory bucket takes it");
        }
        world
    }

    pub(crate) fn inbox(&self) -> Subscription {
        self.alerts.subscribe(Filter::new())
    }

    pub(crate) fn stream(&self, which: Which) -> &MemoryStream {
        match which {
            Which::Comments => &self.comments,
            Which::Predictions => &self.predictions,
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.objects.put(key, bytes.into(), Condition::Always).await.expect("the memory bucket takes it");
    }

    async fn promote(&self, model: Promoted) {
        let Models { shipped, harsher, damaged } = models();
        let pointer = match model {
            Promoted::Shipped => pointer(shipped),
            Promoted::Harsher => pointer(harsher),
            Promoted::Damaged => pointer(damaged),
            Promoted::NoPointer => "{".to_owned(),
        };
        self.put(&format!("models/{MODEL_NAME}/current.json"), pointer.into_bytes()).await;
    }

    /// The mapping of a function.
    pub(crate) fn mapping(&self, function: Function, settings: &Settings) -> EventSource<MemoryClock> {
        let stream = if function == Function::Publish { &self.predictions } else { &self.comments };
        let config = Config {
            batch_size: settings.batch_size,
            parallelization_factor: settings.parallelization_factor,
            batching_window: settings.batching_window,
            on_batch_failure: if settings.bisect { OnBatchFailure::Bisect } else { OnBatchFailure::Retry },
            max_retry_attempts: settings.max_retry_attempts,
            max_record_age: Some(settings.max_record_age),
            on_failure: Some(self.objects.clone()),
            ..Config::for_function(function.name())
        };
        EventSource::new(stream.clone(), self.clock, config)
    }

    /// Lets everything come that a plan has, at its time.
    pub(crate) async fn feed(&self, plan: &Plan, faults: &Faults) {
        let at = |incident: &Incident| match incident {
            Incident::Comment { at, .. }
            | Incident::Lifecycle { at, .. }
            | Incident::BadRecord { at, .. }
            | Incident::Split { at, .. }
            | Incident::Merge { at, .. }
            | Incident::Promote { at, .. }
            | Incident::Lag { at, .. } => Some(*at),
            _ => None,
        };
        let mut timed: Vec<(Duration, &Incident)> =
            plan.incidents.iter().filter_map(|incident| Some((at(incident)?, incident))).collect();
        timed.sort_by_key(|(at, _)| *at);
        let start = tokio::time::Instant::now();
        for (at, incident) in timed {
            tokio::time::sleep_until(start + at).await;
            self.befall(incident, faults).await;
        }
    }

    async fn befall(&self, incident: &Incident, faults: &Faults) {
        match incident {
            Incident::Comment { number, .. } => {
                self.put_record(Which::Comments, key(*number), made_up(*number).comment_event()).await;
            }
            Incident::Lifecycle { number, what, .. } => {
                let comment = made_up(*number);
                let (kind, record) = match what {
                    Lifecycle::Edited(version) => ("comment edited", comment.edited_event(*version)),
                    Lifecycle::Deleted(by) => ("comment deleted", comment.deleted_event(*by)),
                    Lifecycle::Reported(reporter) => ("comment reported", comment.reported_event(*reporter)),
                };
                faults.count(kind);
                self.put_record(Which::Comments, key(*number), record).await;
            }
            Incident::BadRecord { stream, sample, .. } => {
                faults.count("bad record");
                let samples = bad_samples(*stream);
                let BadSample { data, .. } = &samples[sample % samples.len()];
                self.put_record(*stream, key(*sample), data.clone()).await;
            }
            Incident::Split { stream, shard, .. } => {
                let open = self.stream(*stream).open_shards();
                if self.stream(*stream).split_shard(&open[shard % open.len()]).is_ok() {
                    faults.count("shard split");
                }
            }
            Incident::Merge { stream, shard, .. } => {
                let open = self.stream(*stream).open_shards();
                if open.len() > 1 {
                    let low = shard % (open.len() - 1);
                    if self.stream(*stream).merge_shards(&open[low], &open[low + 1]).is_ok() {
                        faults.count("shards merged");
                    }
                }
            }
            Incident::Promote { model, .. } => {
                faults.count(match model {
                    Promoted::Shipped | Promoted::Harsher => "model promoted",
                    Promoted::Damaged | Promoted::NoPointer => "damaged model promoted",
                });
                self.promote(*model).await;
            }
            Incident::Lag { lasts, .. } => {
                faults.count("the table lags");
                let (table, until) = (self.table.clone(), tokio::time::Instant::now() + *lasts);
                table.hold_back();
                tokio::task::spawn_local(async move {
                    tokio::time::sleep_until(until).await;
                    table.let_go();
                });
            }
            _ => {}
        }
    }

    async fn put_record(&self, stream: Which, partition_key: String, data: Vec<u8>) {
        let record = PutRecord { partition_key, data };
        self.stream(stream).put_records(&[record]).await.expect("the memory stream takes it");
    }

    /// The damaged model is replaced, and reads are up to date: what must start again can.
    pub(crate) async fn repair(&self) {
        self.table.let_go();
        self.promote(Promoted::Shipped).await;
    }
}

fn bad_samples(stream: Which) -> &'static [BadSample] {
    static COMMENTS: OnceLock<Vec<BadSample>> = OnceLock::new();
    static PREDICTIONS: OnceLock<Vec<BadSample>> = OnceLock::new();
    // Event ids that no comment of a plan has.
    match stream {
        Which::Comments => COMMENTS.get_or_init(|| bad_comments(1_000)),
        Which::Predictions => PREDICTIONS.get_or_init(|| bad_predictions(3_000)),
    }
}

/// What the clocks say of those who write comments, where they are not right.
const FOREIGN_CLOCKS: [&str; 6] = [
    "1970-01-01T00:00:00Z",
    "2026-01-05T18:00:00Z",
    "2100-01-01T00:00:00Z",
    "2025-12-29T10:00:00Z",
    "9999-12-30T21:00:00Z",
    "-000001-01-01T00:00:00Z",
];

/// A comment. Together they are written over more than one hour and window, and every third by a clock that is wrong.
fn made_up(number: usize) -> MadeUp {
    let first: Timestamp = "2026-01-05T09:58:00Z".parse().expect("a time");
    let time = match number % 3 {
        1 => FOREIGN_CLOCKS[number / 3 % FOREIGN_CLOCKS.len()].parse().expect("a time"),
        _ => first + Duration::from_secs(37) * u32::try_from(number).unwrap_or(u32::MAX),
    };
    let subreddit = if number % 3 == 2 { "news" } else { "science" };
    MadeUp { time, subreddit, ..MadeUp::new(number) }
}

/// A few keys, so that order matters.
fn key(number: usize) -> String {
    format!("k{}", number % 5)
}
