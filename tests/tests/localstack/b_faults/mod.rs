//! Faults under traffic. Each befalls a copy of the deployed functions over a world of its own, so they can run at once;
//! what came in and what came out is counted for `cargo xtask test`, which prints it.

mod bucket;
mod errors;
mod kills;
mod model;
mod table;
mod topic;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use modstream_platform::{Condition, Objects};
use modstream_tests::localstack::{LocalWorld, Places, Plan, Stack, Twin, until};
use modstream_tests::{Audit, Which, World, bad_comments, install, model_files, samples_file};
use serde_json::{Value, json};

use crate::{deployed, generated, invocation, invoke_named, put};

/// The probability that alerts: what `infra/` was applied with.
const POLICY: f64 = 0.7;
/// How often streams are looked at. Several tests ask one stack at once.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that a thousand comments may wait for anything.
const LIMIT: Duration = Duration::from_secs(240);
/// The most comments of one invocation of the generator: the local stream takes no more in the time there is.
const MOST: u64 = 500;
/// How often a failed invocation of the generator is repeated. Lambda repeats it twice.
const REPEATS: usize = 5;

/// Comments on their way through a copy of the functions.
struct Run {
    fault: &'static str,
    twin: Twin,
    /// How many comments there are to be.
    all: u64,
    sent: BTreeSet<String>,
    parts: usize,
    bad: usize,
    places: Places,
    /// The predictions so far: comment event, model version, probability.
    predicted: BTreeMap<String, Vec<(String, f64)>>,
    started: Instant,
}

impl Run {
    /// A copy of the functions with a model and a corpus, whose calls go by this plan.
    async fn start(fault: &'static str, plan: Arc<Plan>) -> Self {
        let started = Instant::now();
        let stack = Stack::from_environment();
        let all = std::env::var("MODSTREAM_TEST_COMMENTS").expect("how many comments").parse().expect("a number");
        let prefix = format!("modstream-test-{fault}");
        let world = LocalWorld::new(deployed().await.1.sdk, &prefix, 2).await;
        install(&world, &model_files()).await;
        world
            .objects()
            .put("corpus/comments.jsonl", samples_file().into(), Condition::Always)
            .await
            .expect("the bucket takes it");
        let twin = Twin::of(&stack, world, &prefix, &plan).await;
        let (sent, places, predicted) = Default::default();
        Run { fault, twin, all, sent, parts: 0, bad: 0, places, predicted, started }
    }

    fn world(&self) -> &LocalWorld {
        &self.twin.world
    }

    /// Sends comments; their events' ids.
    async fn send(&mut self, mut comments: u64) -> Vec<String> {
        let mut ids = Vec::new();
        while comments > 0 {
            let some = comments.min(MOST);
            ids.extend(self.send_some(some).await);
            comments -= some;
        }
        ids
    }

    async fn send_some(&mut self, comments: u64) -> Vec<String> {
        let event = format!("{}-{}", self.fault, self.parts);
        self.parts += 1;
        let (name, payload) = (self.twin.function("generate-comments"), invocation(&event, comments));
        let mut answer = invoke_named(self.world(), name, &payload).await;
        for _ in 0..REPEATS {
            if answer.is_err() {
                answer = invoke_named(self.world(), name, &payload).await;
            }
        }
        assert_eq!(answer.expect("generates")["comments"], comments);
        let ids = generated(&event, comments);
        self.sent.extend(ids.iter().cloned());
        ids
    }

    /// Sends bad records of every kind, once.
    async fn send_bad(&mut self) {
        let records = bad_comments(0).into_iter().enumerate().map(|(number, bad)| (format!("k{number}"), bad.data));
        let records: Vec<_> = records.collect();
        self.bad = records.len();
        put(self.world(), Which::Comments, records).await;
    }

    /// Looks at the predictions that are new.
    async fn look(&mut self) {
        for record in self.twin.world.records_after(Which::Predictions, &mut self.places).await {
            let event: Value = serde_json::from_slice(&record.data).unwrap_or_default();
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            // What has no text, or is unlike all that the model learned from, meets no policy whatever the model says of it.
            let is_judged = ["/data/not_judged", "/data/support"].iter().all(|mark| event.pointer(mark).is_none());
            let judged = event.pointer("/data/probability").filter(|_| is_judged);
            let probability = judged.and_then(Value::as_f64).unwrap_or_default();
            let prediction = (text("/data/model/version"), probability);
            self.predicted.entry(text("/data/comment_event/id")).or_default().push(prediction);
        }
    }

    /// Waits, with an eye on the predictions.
    async fn until(&mut self, what: &str, is: impl AsyncFn(&Run) -> bool) {
        let limit = self.limit();
        let started = Instant::now();
        loop {
            self.look().await;
            if is(self).await {
                return;
            }
            assert!(started.elapsed() < limit, "{}: waited {limit:?} until {what}; {}", self.fault, self.state());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The longest that anything may take.
    fn limit(&self) -> Duration {
        LIMIT * u32::try_from(self.all.div_ceil(1000)).unwrap_or(u32::MAX)
    }

    fn state(&self) -> String {
        let (sent, predicted, due) = (self.sent.len(), self.predicted.len(), self.due());
        format!("{sent} comments sent, {predicted} predicted, {due} to be alerted; {:?}", self.twin.tally)
    }

    /// Waits until these comments have their predictions.
    async fn until_predicted(&mut self, comments: &[String]) {
        let what = format!("{} comments have their predictions", comments.len());
        self.until(&what, async |run| comments.iter().all(|id| run.predicted.contains_key(id))).await;
    }

    /// Waits until all that was sent has gone the whole way.
    async fn until_alerted(&mut self) {
        let sent: Vec<String> = self.sent.iter().cloned().collect();
        self.until_predicted(&sent).await;
        self.until("all alerts are sent", async |run| {
            let items = run.world().items().await;
            items.iter().filter(|item| item.key.sort.starts_with("alert#") && item.text("sent").is_some()).count()
                >= run.due()
        })
        .await;
        self.until("bad records are in quarantine", async |run| {
            let prefix = format!("quarantine/{}/", run.world().names.comments);
            run.world().objects().list(&prefix).await.is_ok_and(|keys| keys.len() >= run.bad)
        })
        .await;
    }

    /// How many comments meet the policy.
    fn due(&self) -> usize {
        let meets =
            |predictions: &&Vec<(String, f64)>| predictions.iter().any(|(_, probability)| *probability >= POLICY);
        self.predicted.values().filter(meets).count()
    }

    /// Waits for the end of it all, holds it against every promise, and counts.
    async fn settle(mut self, injected: &str) {
        self.until_alerted().await;
        let world = self.world();
        let audit = until(&format!("{}: every promise is kept", self.fault), self.limit(), async || {
            let audit = Audit::of(world).await;
            let alerting = publish_alerts::Condition::Probability(POLICY);
            let broken = [audit.broken_in_scoring(), audit.broken_in_alerting(alerting)].concat();
            for promise in broken.iter().take(5) {
                eprintln!("{}: not yet: {promise}", self.fault);
            }
            broken.is_empty().then_some(audit)
        })
        .await;
        self.count(&audit, injected);
        self.twin.end().await;
    }

    fn count(&self, audit: &Audit, injected: &str) {
        let id_of = |record: &modstream_tests::StoredRecord| {
            let event: Value = serde_json::from_slice(&record.data).ok()?;
            Some(event["id"].as_str()?.to_owned())
        };
        let records: Vec<String> =
            audit.comments.iter().filter_map(id_of).filter(|id| self.sent.contains(id)).collect();
        let comments: BTreeSet<&String> = records.iter().collect();
        let (predictions, alerts) = (audit.prediction_ids().len(), audit.alert_ids().len());
        let prefix = format!("quarantine/{}/", audit.comments_stream);
        let quarantined = audit.objects.keys().filter(|key| key.starts_with(&prefix)).count();
        let answered = self.sent.iter().filter(|id| self.predicted.contains_key(*id)).count();
        assert_eq!((comments.len(), answered, alerts), (self.sent.len(), self.sent.len(), self.due()));
        assert_eq!(quarantined, self.bad);
        let line = json!({
            "fault": self.fault,
            "injected": injected,
            "comments": comments.len(),
            "bad": self.bad,
            "predictions": predictions,
            "alerts": alerts,
            "quarantined": quarantined,
            "repeats": [
                records.len() - comments.len(),
                audit.predictions.len() - predictions,
                audit.notices.len() - alerts,
            ],
            "seconds": self.started.elapsed().as_secs(),
        });
        let path = std::env::var("MODSTREAM_TEST_COUNTS").expect("a file for the counts");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.expect("it opens").write_all(format!("{line}\n").as_bytes()).expect("it is written");
    }
}
