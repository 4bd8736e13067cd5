//! A deployed system, for a demo or a load.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures_util::future::select_all;
use jiff::Timestamp;
use modstream_classifier::BaseRate;
use modstream_events::{Alert, Comment, Event, Prediction, ids};
use modstream_platform::aws::{S3Objects, SystemClock};
use modstream_platform::deliver::Backoff;
use modstream_platform::{Clock as _, Objects as _};
use modstream_policy::{Policies, Severities};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::common::aws_args::topic_name;
use crate::common::cause::CauseArgs;
use crate::common::connection::{Connection, Stopped, deadline};
use crate::common::deployment::{Deployment, read_base_rate};
use crate::common::display::{in_full, short_version};
use crate::common::interrupt::Interrupts;
use crate::common::lambda::Answer;
use crate::common::reached::Reached;
use crate::common::usage::Usage;
use crate::model::bucket::promoted;
use crate::pipeline::audit::alert_due;
use crate::pipeline::corpus_push::{Placed, place};
use crate::pipeline::functions::Models;
use crate::pipeline::prepared::{DemoArgs, Prepared};
use crate::pipeline::queue::{Queue, own_name};
use crate::pipeline::screen::Plan;
use crate::pipeline::stream::{From, Reader};
use crate::pipeline::system::{Counts, Delivered, Invocation, Ran, Record, Schedule, Stop, StreamKind, System};

/// How long nothing may happen before nothing more is waited for. A function's first start, and Lambda's own retries,
/// take less.
const STANDSTILL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a mapping that is being switched on is waited for.
const MAPPING_TIMEOUT: Duration = Duration::from_secs(180);
/// How long an invocation is waited for beyond its comments' spread: more than the function may take.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(180);
/// How often an invocation is tried: a repeat sends the same events.
const MAX_INVOCATION_ATTEMPTS: u32 = 3;
/// How often a stream's shards are looked at: each takes five looks a second, of all its readers.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a look at the queue waits.
const RECEIVE_WAIT: Duration = Duration::from_secs(1);
/// How often the bucket is listed.
const LIST_EVERY: Duration = Duration::from_secs(2);
/// How much clocks may differ: what arrived so long before the start is looked at, too.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5 * 60);
/// How long the screen's own queue holds what nobody takes.
const OWN_RETENTION: Duration = Duration::from_secs(15 * 60);
/// How long a queue that is left behind holds alerts.
const KEPT_RETENTION: Duration = Duration::from_secs(4 * 24 * 3600);

/// A deployed system that has everything for one run: model, comments, and a queue for its alerts.
pub(crate) struct Ready {
    connection: Connection,
    deployment: Deployment,
    inbox: Queue,
    pub(crate) plan: Plan,
}

impl Ready {
    /// Makes the system that `file` describes ready for what `args` ask.
    pub(crate) async fn new(
        args: &DemoArgs,
        file: &Path,
        mut prepared: Prepared,
        interrupts: &Interrupts,
    ) -> anyhow::Result<Self> {
        let deployment = Deployment::read(file)?;
        deployment.check_policy(args.policy.as_ref())?;
        if args.policies.is_some() {
            return Err(Usage::error(
                "--policies goes without --deployment: a deployment goes by its own, which `modstream policy push` changes",
            ));
        }
        let name = &prepared.models.manifest.name;
        ensure!(
            *name == deployment.model_name,
            "the deployment scores with models called {}, this one is called {name}: apply it with Terraform, -var \
             model_name={name}, or choose another with --model",
            deployment.model_name
        );
        let mut reach = args.deployed.connection.clone();
        let region = reach.region.get_or_insert_with(|| deployment.region.clone());
        ensure!(
            *region == deployment.region,
            "the deployment is in the region {}, not in {region}: leave out --region",
            deployment.region
        );
        let connection = Connection::open(&reach).await?;
        let base_rate = base_rate(&connection, &deployment, args.model.base_rate).await?;
        wait_for_mappings(&connection, &deployment).await?;

        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(8).collect();
        let note = ", as in training; yours is a variable of Terraform, base_rate";
        // A deployment that scores with another harm model, or with none, keeps to it.
        let names = deployment.harm_model_name.as_ref();
        prepared.models.harm = prepared.models.harm.filter(|(_, harm)| names == Some(&harm.name));
        let plan = prepared.plan(
            args,
            Policies::of(&deployment.policy, Severities::default()),
            base_rate,
            note,
            &format!("demo-{random}"),
        )?;
        let Prepared { models, corpus, comments } = prepared;
        let Models { files, manifest, harm } = models;
        let bucket = deployment.bucket.as_str();
        let placed =
            place(&connection, bucket, &deployment.corpus_key, corpus, comments, args.deployed.replace_corpus).await?;
        if placed == Placed::Replaced {
            eprintln!(
                "the deployment's sample comments are these now ({} of the bucket {bucket})",
                deployment.corpus_key
            );
        }
        let store = connection.models(bucket, &manifest.name);
        Box::pin(store.push(&files, deadline())).await?;
        let why = CauseArgs {
            by: None,
            reason: Some("`modstream demo` or `load` on this system".to_owned()),
            decisions_stream: None,
            table: None,
        };
        let system = Reached::Aws(Box::new(connection.clone()));
        let (before, _) = promoted(&system, bucket, &manifest.name, &manifest.version, &why).await?;
        if let Some(before) = before.filter(|before| *before != manifest.version) {
            let from = short_version(&before);
            eprintln!("the model in use was version {from}: functions that run already may use it a minute longer");
        }

        if let Some((files, manifest)) = harm {
            Box::pin(connection.models(bucket, &manifest.name).push(&files, deadline())).await?;
            promoted(&system, bucket, &manifest.name, &manifest.version, &why).await?;
        }

        let topic = deployment.alerts_topic_arn.clone();
        if args.deployed.keep_queue {
            let prefix = topic_name(&topic).strip_suffix("-alerts").unwrap_or(topic_name(&topic));
            let kept = Queue::subscribed(&connection, &topic, format!("{prefix}-demo"), KEPT_RETENTION, None).await?;
            eprintln!("every alert goes to the queue {} as well, which stays", kept.name);
        }
        let inbox = Queue::subscribed(&connection, &topic, own_name(&topic, "demo"), OWN_RETENTION, None).await?;
        let asked = interrupts.clone();
        tokio::spawn(async move {
            asked.asked().await;
            eprintln!("stopping: what the generator is sending is taken to the end; once more ends now");
        });
        Ok(Ready { connection, deployment, inbox, plan })
    }

    /// The system, for this run.
    pub(crate) fn system(&self) -> Deployed<'_> {
        let Ready { connection, deployment, inbox, plan } = self;
        Deployed::new(connection, deployment, &plan.schedule, &plan.policies, inbox)
    }

    /// Runs what is to be done on the system, until an end is asked for twice, and removes what was made for this run.
    pub(crate) async fn during(
        &self,
        work: impl Future<Output = anyhow::Result<ExitCode>>,
        interrupts: &Interrupts,
    ) -> anyhow::Result<ExitCode> {
        let ended = tokio::select! {
            biased;
            () = interrupts.asked_twice() => Err(Stopped.into()),
            ended = work => ended,
        };
        match (ended, self.inbox.remove().await) {
            (Ok(_), Err(error)) => Err(error),
            (ended, removed) => {
                // What went wrong first is what is told at the end.
                if let Err(error) = removed {
                    eprintln!("{}", in_full(&error));
                }
                ended
            }
        }
    }
}

/// The deployment's base rate; none is the training data's. Fails where another was asked for.
async fn base_rate(
    connection: &Connection,
    deployment: &Deployment,
    asked: Option<BaseRate>,
) -> anyhow::Result<Option<BaseRate>> {
    let deployed = match deployment.base_rate {
        Some(known) => Ok(known),
        None => function_base_rate(connection, deployment).await,
    };
    match (deployed, asked) {
        (Ok(deployed), None) => Ok(deployed),
        (Ok(deployed), Some(asked)) if deployed == Some(asked) => Ok(deployed),
        (Ok(deployed), Some(asked)) => {
            let now = deployed.map_or_else(|| "the training data's".to_owned(), |rate| rate.share().to_string());
            let asked = asked.share();
            bail!("the deployment's base rate is {now}: for {asked}, apply it with Terraform, -var base_rate={asked}")
        }
        (Err(error), Some(_)) => Err(error.context("the deployment's base rate can't be read: leave out --base-rate")),
        // The heading may tell another share than the functions assume.
        (Err(_), None) => Ok(None),
    }
}

async fn function_base_rate(connection: &Connection, deployment: &Deployment) -> anyhow::Result<Option<BaseRate>> {
    let function = deployment.function(score_comments::NAME)?;
    let found = Box::pin(connection.lambda(INVOCATION_TIMEOUT)?.function(function)).await?;
    let set = found["Environment"]["Variables"]["BASE_RATE"].as_str().filter(|text| !text.trim().is_empty());
    set.map(|text| read_base_rate(&Value::String(text.trim().to_owned()))).transpose()
}

/// Without its mappings switched on, nothing happens in a system.
async fn wait_for_mappings(connection: &Connection, deployment: &Deployment) -> anyhow::Result<()> {
    let lambda = connection.lambda(Duration::from_secs(20))?;
    let started = Instant::now();
    for (function, uuid) in &deployment.mappings {
        loop {
            let Ok(found) = Box::pin(lambda.mapping(uuid)).await else {
                // Who may not look at mappings may still run a demo.
                break;
            };
            let state = found["State"].as_str().unwrap_or_default();
            match state {
                "Disabled" | "Disabling" | "Deleting" => bail!(
                    "the event source mapping of {function} is switched off ({state}): apply the deployment with Terraform, \
                     -var mappings_enabled=true"
                ),
                "Creating" | "Enabling" | "Updating" if started.elapsed() < MAPPING_TIMEOUT => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                _ => break,
            }
        }
    }
    Ok(())
}

/// A deployed system, during one run.
pub(crate) struct Deployed<'a> {
    connection: &'a Connection,
    deployment: &'a Deployment,
    policies: &'a Policies,
    inbox: &'a Queue,
    bucket: S3Objects,
    /// The ids of the run's comment events.
    ours: HashSet<String>,
    seen: RefCell<Seen>,
    looks: [Cell<u64>; LOOKS],
    alerts: mpsc::UnboundedSender<Delivered>,
    arriving: Mutex<mpsc::UnboundedReceiver<Delivered>>,
}

/// How many things are looked at: both streams, the bucket, the queue.
const LOOKS: usize = 4;

/// What was seen of the run.
#[derive(Default)]
struct Seen {
    comments: Vec<Record>,
    predictions: Vec<Record>,
    /// The places of a comment event's records, by its id.
    places: HashMap<String, Vec<String>>,
    /// The comment events that have a prediction.
    predicted: HashSet<String>,
    /// The place of the prediction that asks for an alert, by the alert's id.
    due: HashMap<String, String>,
    received: HashSet<String>,
    /// All keys of quarantine, of this run or not.
    quarantine: HashSet<String>,
}

impl Seen {
    /// The counts of what was seen: whatever happens changes one of them.
    fn sum(&self) -> [usize; 4] {
        [self.comments.len(), self.predictions.len(), self.received.len(), self.quarantine.len()]
    }
}

impl<'a> Deployed<'a> {
    fn new(
        connection: &'a Connection,
        deployment: &'a Deployment,
        schedule: &Schedule,
        policies: &'a Policies,
        inbox: &'a Queue,
    ) -> Self {
        let ours = schedule.invocations().flat_map(|Invocation { id, comments, .. }| {
            (0..comments).map(move |index| ids::generated_comment(&id, index).to_string())
        });
        let (alerts, arriving) = mpsc::unbounded_channel();
        Deployed {
            connection,
            deployment,
            policies,
            inbox,
            bucket: connection.bucket(&deployment.bucket),
            ours: ours.collect(),
            seen: RefCell::default(),
            looks: Default::default(),
            alerts,
            arriving: Mutex::new(arriving),
        }
    }

    fn is_ours(&self, source: &str, id: &str) -> bool {
        source == generate_comments::SOURCE && self.ours.contains(id)
    }

    /// Sends the schedule's comments, until an end is asked for.
    async fn generate(&self, schedule: &Schedule, interrupts: &Interrupts) -> anyhow::Result<Stop> {
        let start = Instant::now();
        for invocation in schedule.invocations() {
            tokio::select! {
                biased;
                () = interrupts.asked() => return Ok(Stop::Interrupted),
                () = tokio::time::sleep_until((start + invocation.due).into()) => {}
            }
            self.invoke(schedule, &invocation).await?;
        }
        Ok(Stop::Done)
    }

    async fn invoke(&self, schedule: &Schedule, invocation: &Invocation) -> anyhow::Result<()> {
        let function = self.deployment.function(generate_comments::NAME)?;
        let lambda = self.connection.lambda(invocation.spread + INVOCATION_TIMEOUT)?;
        let payload = schedule.payload(invocation, Timestamp::now());
        let mut backoff = Backoff::seeded_by(SystemClock.jitter(), &invocation.id);
        let mut attempt = 1;
        loop {
            let (error, may_pass) = match Box::pin(lambda.invoke(function, payload.clone())).await {
                Ok(Answer { payload, function_error }) => {
                    let answer_json: Value = serde_json::from_slice(&payload).unwrap_or_default();
                    match function_error {
                        None => return Ok(()),
                        Some(kind) => {
                            let said = answer_json["errorMessage"].as_str().unwrap_or(&kind).to_owned();
                            (anyhow::anyhow!("{said}"), true)
                        }
                    }
                }
                Err(error) => {
                    let may_pass = error.kind.is_transient();
                    (error.into(), may_pass)
                }
            };
            if !may_pass || attempt == MAX_INVOCATION_ATTEMPTS {
                return Err(error.context(format!("the function {function}")));
            }
            attempt += 1;
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    /// Reads a stream on and on.
    async fn follow(&self, which: StreamKind, since: Timestamp) -> anyhow::Result<()> {
        let client = self.connection.kinesis();
        let mut reader = Reader::open(client, self.name(which), From::At(since)).await?;
        loop {
            let page = reader.read().await?;
            let is_at_end = page.is_at_end;
            for record in page.records {
                match which {
                    StreamKind::Comments => self.saw_comment(record),
                    StreamKind::Predictions => self.saw_prediction(record),
                }
            }
            if is_at_end {
                self.looked(if which == StreamKind::Comments { 0 } else { 1 });
                tokio::time::sleep(LOOK_EVERY).await;
            } else {
                tokio::time::sleep(LOOK_EVERY / 2).await;
            }
        }
    }

    fn saw_comment(&self, record: Record) {
        let mut seen = self.seen.borrow_mut();
        // What is no comment event is not the generator's.
        let id = match Event::<Comment<'_>>::decode(&record.data) {
            Ok(event) if self.is_ours(&event.source, &event.id) => event.id.to_string(),
            _ => return,
        };
        seen.places.entry(id).or_default().push(record.place.clone());
        seen.comments.push(record);
    }

    fn saw_prediction(&self, record: Record) {
        let mut seen = self.seen.borrow_mut();
        let (id, alert) = match Event::<Prediction<'_>>::decode(&record.data) {
            Ok(event) if self.is_ours(&event.data.comment_event.source, &event.data.comment_event.id) => {
                let of = &event.data.comment_event;
                (of.id.to_string(), alert_due(self.policies, &event.data))
            }
            _ => return,
        };
        seen.predicted.insert(id);
        if let Some(alert) = alert {
            seen.due.insert(alert, record.place.clone());
        }
        seen.predictions.push(record);
    }

    /// Takes alerts on and on.
    async fn receive(&self) -> anyhow::Result<()> {
        loop {
            for alert in self.inbox.receive(RECEIVE_WAIT).await? {
                let id = match Event::<Alert<'_>>::decode(alert.body.as_bytes()) {
                    Ok(event) if self.is_ours(&event.data.comment_event.source, &event.data.comment_event.id) => {
                        event.id.to_string()
                    }
                    // Of other comments than the demo's.
                    _ => continue,
                };
                self.seen.borrow_mut().received.insert(id);
                // The receiver lives as long as this.
                let _ = self.alerts.send(alert);
            }
            self.looked(3);
        }
    }

    /// Looks at quarantine on and on.
    async fn list(&self) -> anyhow::Result<()> {
        loop {
            let mut keys = HashSet::new();
            for which in [StreamKind::Comments, StreamKind::Predictions] {
                let prefix = format!("quarantine/{}/", self.name(which));
                keys.extend(self.bucket.list(&prefix).await.context("the bucket can't be listed")?);
            }
            self.seen.borrow_mut().quarantine = keys;
            self.looked(2);
            tokio::time::sleep(LIST_EVERY).await;
        }
    }

    fn looked(&self, at: usize) {
        self.looks[at].set(self.looks[at].get() + 1);
    }

    /// Waits until everything was looked at twice from now on: the second look began after now.
    async fn look_again(&self) {
        let before: Vec<u64> = self.looks.iter().map(Cell::get).collect();
        while self.looks.iter().zip(&before).any(|(look, before)| look.get() < before + 2) {
            tokio::time::sleep(LOOK_EVERY / 5).await;
        }
    }

    /// Waits until all that follows from the comments is done; a hint where it stands still before.
    async fn settle(&self, sent: Option<u64>) -> Option<String> {
        let (mut sum, mut moved) = (self.seen.borrow().sum(), Instant::now());
        while !self.is_settled(sent) {
            if moved.elapsed() >= STANDSTILL_TIMEOUT {
                return Some(self.hint());
            }
            tokio::time::sleep(LOOK_EVERY / 5).await;
            let now = self.seen.borrow().sum();
            if now != sum {
                (sum, moved) = (now, Instant::now());
            }
        }
        None
    }

    fn hint(&self) -> String {
        let log = |name: &str| {
            self.deployment.function(name).map_or_else(|_| name.to_owned(), |it| format!("/aws/lambda/{it}"))
        };
        format!(
            "nothing happened for {} s: the log groups {} and {} say what the functions do",
            STANDSTILL_TIMEOUT.as_secs(),
            log(score_comments::NAME),
            log(publish_alerts::NAME)
        )
    }

    fn is_settled(&self, sent: Option<u64>) -> bool {
        let seen = self.seen.borrow();
        // Most of the time this says no already.
        if seen.predicted.len() + seen.quarantine.len() < seen.places.len() {
            return false;
        }
        let is_kept = |which: StreamKind, place: &str| {
            seen.quarantine.contains(&format!("quarantine/{}/{place}.json", self.name(which)))
        };
        let unsent = seen.quarantine.iter().filter(|key| self.is_unsent(key)).count();
        sent.is_none_or(|sent| seen.places.len() + unsent >= usize::try_from(sent).unwrap_or(usize::MAX))
            && seen.places.iter().all(|(id, places)| {
                seen.predicted.contains(id) || places.iter().all(|place| is_kept(StreamKind::Comments, place))
            })
            && seen
                .due
                .iter()
                .all(|(alert, place)| seen.received.contains(alert) || is_kept(StreamKind::Predictions, place))
    }

    /// Whether a key is of a comment of ours that no record can hold.
    fn is_unsent(&self, key: &str) -> bool {
        let prefix = format!("quarantine/{}/unsent/", self.name(StreamKind::Comments));
        let id = key.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".json"));
        id.is_some_and(|id| self.ours.contains(id))
    }
}

impl System for Deployed<'_> {
    async fn run(&self, schedule: &Schedule, interrupts: &Interrupts) -> anyhow::Result<Ran> {
        let (since, started) = (Timestamp::now() - MAX_CLOCK_DIFFERENCE, Instant::now());
        let work = async {
            let stop = self.generate(schedule, interrupts).await?;
            if stop == Stop::Interrupted {
                // What is on the streams by now.
                self.look_again().await;
            }
            let hint = self.settle((stop == Stop::Done).then_some(schedule.comments)).await;
            anyhow::Ok(Ran { stop, took: started.elapsed(), batches: None, hint })
        };
        let follow: [std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + '_>>; LOOKS] = [
            Box::pin(self.follow(StreamKind::Comments, since)),
            Box::pin(self.follow(StreamKind::Predictions, since)),
            Box::pin(self.receive()),
            Box::pin(self.list()),
        ];
        let mut looks = select_all(follow);
        let ran = tokio::select! {
            biased;
            (ended, ..) = &mut looks => return Err(ended.err().unwrap_or_else(|| anyhow::anyhow!("a look ended"))),
            ran = work => ran?,
        };
        // What came twice, or should not have come, is seen by a look after the end.
        tokio::select! {
            (ended, ..) = looks => return Err(ended.err().unwrap_or_else(|| anyhow::anyhow!("a look ended"))),
            () = self.look_again() => {}
        }
        Ok(ran)
    }

    async fn next_alert(&self) -> anyhow::Result<Delivered> {
        self.arriving.lock().await.recv().await.context("the queue is gone")
    }

    fn waiting_alert(&self) -> Option<Delivered> {
        self.arriving.try_lock().ok()?.try_recv().ok()
    }

    async fn counts(&self) -> anyhow::Result<Counts> {
        let quarantined = self.quarantine().await?.len();
        let seen = self.seen.borrow();
        Ok(Counts { comments: seen.comments.len(), predictions: seen.predictions.len(), quarantined })
    }

    fn name(&self, which: StreamKind) -> &str {
        match which {
            StreamKind::Comments => &self.deployment.comments_stream,
            StreamKind::Predictions => &self.deployment.predictions_stream,
        }
    }

    async fn records(&self, which: StreamKind) -> anyhow::Result<Vec<Record>> {
        let seen = self.seen.borrow();
        Ok(match which {
            StreamKind::Comments => seen.comments.clone(),
            StreamKind::Predictions => seen.predictions.clone(),
        })
    }

    async fn quarantine(&self) -> anyhow::Result<HashSet<String>> {
        let seen = self.seen.borrow();
        if seen.quarantine.is_empty() {
            return Ok(HashSet::new());
        }
        let of = |which: StreamKind, records: &[Record]| -> Vec<String> {
            records.iter().map(|record| format!("quarantine/{}/{}.json", self.name(which), record.place)).collect()
        };
        let places =
            of(StreamKind::Comments, &seen.comments).into_iter().chain(of(StreamKind::Predictions, &seen.predictions));
        let kept = places.filter(|key| seen.quarantine.contains(key));
        Ok(kept.chain(seen.quarantine.iter().filter(|key| self.is_unsent(key)).cloned()).collect())
    }
}
