use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use digest_alerts::{DigestAlerts, DigestRules, Digested, Links};
use generate_comments::{GenerateComments, Generated};
use jiff::Timestamp;
use modstream_platform::environment::Environment;
use modstream_platform::{Clock, Topic};
use publish_alerts::PublishAlerts;
use score_comments::ScoreComments;

use crate::faults::{Faults, Faulty, Killed, Process};
use crate::models::MODEL_NAME;
use crate::permitted::{Permitted, Uses};
use crate::world::{Drained, Which, World};

/// The three functions over a world, their calls subject to [`Faults`].
///
/// As in Lambda, an execution environment is started when none is free, kept when its invocation ends, and gone when it is
/// killed.
pub struct System<W: World> {
    /// Where it runs.
    pub world: W,
    /// What goes wrong.
    pub faults: Faults,
    /// What its functions did with the table of what they may.
    pub uses: Uses,
    variables: BTreeMap<String, String>,
    generators: Instances<Generator<W>>,
    scorers: Instances<Scorer<W>>,
    publishers: Instances<Publisher<W>>,
    late: Mutex<Vec<String>>,
}

type Generator<W> =
    GenerateComments<Faulty<<W as World>::Stream>, Faulty<<W as World>::Objects>, Faulty<<W as World>::Clock>>;
type Scorer<W> =
    ScoreComments<Faulty<<W as World>::Stream>, Faulty<<W as World>::Objects>, Faulty<<W as World>::Clock>>;
type Publisher<W> = PublishAlerts<
    Faulty<<W as World>::Topic>,
    Permitted<Faulty<<W as World>::Table>>,
    Faulty<<W as World>::Objects>,
    Faulty<<W as World>::Clock>,
>;

struct Instances<F>(Mutex<Vec<(Process, F)>>);

/// What every environment sets.
const VARIABLES: [(&str, &str); 10] = [
    ("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:alerts"),
    ("BUCKET", "bucket"),
    ("COMMENTS_STREAM", "comments"),
    ("CORPUS_KEY", "corpus/comments.jsonl"),
    ("DIGESTS_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:digests"),
    ("MODEL_NAME", MODEL_NAME),
    ("POLICY", "0.5"),
    ("PREDICTIONS_STREAM", "predictions"),
    ("RATE", "2"),
    ("TABLE", "table"),
];

/// How long a batch may take.
const BATCH_TIME: Duration = Duration::from_secs(20);
/// tokio's timers tick in milliseconds, so a wait up to a deadline may end this much later.
const TICK: Duration = Duration::from_millis(1);
/// How long the generator may take.
const GENERATOR_TIME: Duration = Duration::from_secs(90);

impl<W: World> System<W> {
    /// The functions of a world, with these variables besides the usual or in their place.
    pub fn new(world: W, variables: &[(&str, &str)]) -> Self {
        let all = VARIABLES.iter().chain(variables);
        System {
            faults: Faults::new(world.clock()),
            uses: Uses::default(),
            world,
            variables: all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            generators: Instances::default(),
            scorers: Instances::default(),
            publishers: Instances::default(),
            late: Mutex::default(),
        }
    }

    /// Invokes the generator.
    ///
    /// # Errors
    /// What it answers, as text.
    pub async fn generate(&self, payload: &str, request_id: &str) -> Result<Generated, String> {
        let deadline = self.world.clock().now() + GENERATOR_TIME;
        let (process, generator) = self.generators.take().unwrap_or_else(|| self.new_generator());
        let answer = process.live(generator.handle(payload.as_bytes(), request_id, deadline)).await.map_err(killed)?;
        self.ended("generate-comments", deadline);
        self.generators.keep(process, generator);
        answer.map_err(|error| error.to_string())
    }

    /// Runs the scorer over the comments that are there.
    pub async fn score(&self) -> Drained {
        self.score_while(std::future::ready(())).await
    }

    /// Runs the scorer while `feed` puts comments on their stream.
    pub async fn score_while(&self, feed: impl Future<Output = ()>) -> Drained {
        self.world.run(Which::Comments, |payload| Box::pin(self.score_batch(payload)), feed).await
    }

    /// Runs the publisher over the predictions that are there.
    pub async fn publish(&self) -> Drained {
        self.publish_while(std::future::ready(())).await
    }

    /// Runs the publisher while `feed` puts predictions on their stream.
    pub async fn publish_while(&self, feed: impl Future<Output = ()>) -> Drained {
        self.world.run(Which::Predictions, |payload| Box::pin(self.publish_batch(payload)), feed).await
    }

    /// Invokes the digests' function in a new environment, as the schedule does at `due`; digests go to `topic`.
    ///
    /// # Errors
    /// What it answers, as text.
    pub async fn digest(&self, topic: impl Topic, due: Timestamp) -> Result<Digested, String> {
        let config = self.configured(digest_alerts::Config::read);
        let process = Process::default();
        let (topic, table) = (self.faulty(&process, topic), self.faulty(&process, self.world.table()));
        let table = Permitted::of(digest_alerts::NAME, table, &self.uses);
        let clock = self.faulty(&process, self.world.clock());
        let function = DigestAlerts::new(&config, topic, table, clock, Links::none());
        let function = function.map_err(|error| error.to_string())?;
        let deadline = self.world.clock().now() + BATCH_TIME;
        let payload = format!(r#"{{"time":"{due}"}}"#);
        let rules = |_: &str, _| DigestRules::default();
        let answer = process.live(function.handle(payload.as_bytes(), deadline, rules)).await.map_err(killed)?;
        self.ended(digest_alerts::NAME, deadline);
        answer.map_err(|error| error.to_string())
    }

    /// Ends all execution environments, as a deployment does.
    pub fn redeploy(&self) {
        self.generators.take_all();
        self.scorers.take_all();
        self.publishers.take_all();
    }

    /// Invocations that ended after their deadline.
    pub fn late(&self) -> Vec<String> {
        lock(&self.late).clone()
    }

    async fn score_batch(&self, payload: Vec<u8>) -> Result<Vec<u8>, String> {
        let deadline = self.world.clock().now() + BATCH_TIME;
        let (process, scorer) = match self.scorers.take() {
            Some(warm) => warm,
            None => self.new_scorer(deadline).await?,
        };
        let answer = process.live(scorer.handle(&payload, deadline)).await.map_err(killed)?;
        self.ended(score_comments::NAME, deadline);
        self.scorers.keep(process, scorer);
        let response = answer.map_err(|error| error.to_string())?;
        Ok(serde_json::to_vec(&response).expect("a response has a JSON form"))
    }

    async fn publish_batch(&self, payload: Vec<u8>) -> Result<Vec<u8>, String> {
        let deadline = self.world.clock().now() + BATCH_TIME;
        let (process, publisher) = self.publishers.take().unwrap_or_else(|| self.new_publisher());
        let answer = process.live(publisher.handle(&payload, deadline)).await.map_err(killed)?;
        self.ended(publish_alerts::NAME, deadline);
        self.publishers.keep(process, publisher);
        let response = answer.map_err(|error| error.to_string())?;
        Ok(serde_json::to_vec(&response).expect("a response has a JSON form"))
    }

    async fn new_scorer(&self, deadline: Timestamp) -> Result<(Process, Scorer<W>), String> {
        let config = self.configured(score_comments::Config::read);
        let process = Process::default();
        let predictions = self.faulty(&process, self.world.stream(Which::Predictions));
        let objects = self.faulty(&process, self.world.objects());
        let clock = self.faulty(&process, self.world.clock());
        let start = ScoreComments::start(&config, predictions, objects, clock, deadline);
        let scorer = process.live(start).await.map_err(killed)?.map_err(|error| error.to_string())?;
        Ok((process, scorer))
    }

    fn new_publisher(&self) -> (Process, Publisher<W>) {
        let config = self.configured(publish_alerts::Config::read);
        let process = Process::default();
        let alerts = self.faulty(&process, self.world.alerts());
        let table = Permitted::of(publish_alerts::NAME, self.faulty(&process, self.world.table()), &self.uses);
        let objects = self.faulty(&process, self.world.objects());
        let clock = self.faulty(&process, self.world.clock());
        let publisher = PublishAlerts::new(&config, alerts, table, objects, clock);
        (process, publisher)
    }

    fn new_generator(&self) -> (Process, Generator<W>) {
        let config = self.configured(generate_comments::Config::read);
        let process = Process::default();
        let comments = self.faulty(&process, self.world.stream(Which::Comments));
        let objects = self.faulty(&process, self.world.objects());
        let generator = GenerateComments::new(config, comments, objects, self.faulty(&process, self.world.clock()));
        (process, generator)
    }

    fn faulty<T>(&self, process: &Process, inner: T) -> Faulty<T> {
        Faulty::new(inner, &self.faults, process)
    }

    fn configured<C, E: std::fmt::Display>(&self, read: fn(Environment<'_>) -> Result<C, E>) -> C {
        let lookup = |name: &str| self.variables.get(name).cloned();
        read(Environment::new(&lookup)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn ended(&self, function: &str, deadline: Timestamp) {
        let now = self.world.clock().now();
        if now > deadline + TICK {
            lock(&self.late).push(format!("{function} ended at {now}, its deadline was {deadline}"));
        }
    }
}

fn killed(_: Killed) -> String {
    "killed".to_owned()
}

impl<F> Default for Instances<F> {
    fn default() -> Self {
        Instances(Mutex::default())
    }
}

impl<F> Instances<F> {
    fn take(&self) -> Option<(Process, F)> {
        lock(&self.0).pop()
    }

    fn keep(&self, process: Process, function: F) {
        lock(&self.0).push((process, function));
    }

    fn take_all(&self) {
        lock(&self.0).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
