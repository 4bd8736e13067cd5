//! The ledger, exhaustively: every way that the life of one alert can go, with up to so many mishaps.
//!
//! The real publisher runs by hand, a call at a time. At each call it is decided which invocation goes on and what goes wrong
//! (nothing; the call fails, does nothing and gets no answer, or does its work and gets none; another write is under way; the
//! process crashes before or after), and whether Lambda gives an invocation up that works on, or delivers once more what is
//! done. All decisions are tried in turn, as stateless model checkers do
//! ([Godefroid, VeriSoft, 1997](https://doi.org/10.1145/263699.263717)).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{BatchResponse, SourceRecord, payload};
use modstream_platform::environment::Environment;
use modstream_platform::memory::MemoryObjects;
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, Topic, Written,
};
use modstream_tests::prediction_event;
use publish_alerts::PublishAlerts;

use crate::faults::{Process, lock};
use crate::mutant::{self, Mutant};
use crate::plan::Function;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// Ways that the alert's life can go.
    pub ways: u64,
    /// The most times it was published in one of them.
    pub most_published: usize,
    /// The first broken promise, and the way there. None is what is wanted.
    pub broken: Option<String>,
}

/// Tries every way with up to `mishaps` mishaps: faults, abandoned invocations, invocations that overtake each other, repeats.
pub fn explore(mishaps: usize) -> Explored {
    let mut explored = Explored::default();
    let mut decisions = Vec::new();
    loop {
        let run = Run::new(decisions, mishaps);
        let broken = run.go();
        let mut state = lock(&run.state);
        explored.ways += 1;
        explored.most_published = explored.most_published.max(state.published.len());
        if let Some(broken) = broken {
            explored.broken = Some(format!("{broken}; after {}", state.story.join(", ")));
            return explored;
        }
        // The last decision that can still be another one.
        let mut taken = std::mem::take(&mut state.taken);
        while taken.last().is_some_and(|(chosen, options)| chosen + 1 == *options) {
            taken.pop();
        }
        let Some((chosen, _)) = taken.last_mut() else { return explored };
        *chosen += 1;
        decisions = taken.into_iter().map(|(chosen, _)| chosen).collect();
    }
}

const TIME: &str = "2026-01-05T10:00:00Z";
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Run {
    objects: MemoryObjects,
    state: Arc<Mutex<State>>,
}

struct State {
    decisions: Vec<usize>,
    /// What was decided, of how many options.
    taken: Vec<(usize, usize)>,
    mishaps_left: usize,
    now: Timestamp,
    published: Vec<String>,
    /// In words.
    story: Vec<String>,
    broken: Option<String>,
    /// How many invocations have begun.
    begun: usize,
    /// And had, when `sent.json` was written.
    begun_when_sent: Option<usize>,
}

impl State {
    /// Decides between so many options; all but the first cost a mishap.
    fn decide(&mut self, options: usize) -> usize {
        let options = if self.mishaps_left == 0 { 1 } else { options };
        let chosen = self.decisions.get(self.taken.len()).copied().unwrap_or_default();
        self.taken.push((chosen, options));
        self.mishaps_left -= usize::from(chosen > 0);
        chosen
    }
}

/// One invocation.
struct Invocation {
    number: usize,
    work: Pin<Box<dyn Future<Output = bool>>>,
    is_dead: Arc<Mutex<bool>>,
}

impl Run {
    fn new(decisions: Vec<usize>, mishaps: usize) -> Self {
        let state = State {
            decisions,
            taken: Vec::new(),
            mishaps_left: mishaps,
            now: TIME.parse().expect("a time"),
            published: Vec::new(),
            story: Vec::new(),
            broken: None,
            begun: 0,
            begun_when_sent: None,
        };
        Run { objects: MemoryObjects::new(), state: Arc::new(Mutex::new(state)) }
    }

    /// Lets everything happen: what is broken in the end, or was on the way.
    fn go(&self) -> Option<String> {
        let mut working: Vec<Invocation> = Vec::new();
        // Whether the mapping still has to see the batch done, and waits for whom.
        let mut awaited = None;
        let mut is_done = false;
        loop {
            if awaited.is_none() && (!is_done || self.decide("delivered once more", 2) == 1) {
                is_done = false;
                let number = lock(&self.state).begun;
                working.push(self.invocation(number));
                awaited = Some(number);
                lock(&self.state).begun += 1;
            }
            if working.is_empty() {
                break;
            }
            if awaited.is_some() && self.decide("given up by Lambda", 2) == 1 {
                awaited = None;
                continue;
            }
            let newest = working.len() - 1;
            let turn = newest - self.decide("an earlier invocation goes on", working.len());
            let Invocation { number, work, is_dead } = &mut working[turn];
            let number = *number;
            let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let ended = match polled {
                Poll::Ready(succeeded) => Some(succeeded),
                Poll::Pending if *lock(is_dead) => Some(false),
                Poll::Pending => None,
            };
            if let Some(succeeded) = ended {
                drop(working.remove(turn));
                if awaited == Some(number) {
                    awaited = None;
                    is_done = succeeded;
                }
            }
            if lock(&self.state).broken.is_some() {
                break;
            }
        }
        let on_the_way = lock(&self.state).broken.take();
        on_the_way.or_else(|| self.broken_at_the_end())
    }

    fn decide(&self, what: &str, options: usize) -> usize {
        let mut state = lock(&self.state);
        let chosen = state.decide(options);
        if chosen > 0 {
            state.story.push(what.to_owned());
        }
        chosen
    }

    fn broken_at_the_end(&self) -> Option<String> {
        let state = lock(&self.state);
        let Some(first) = state.published.first() else { return Some("the alert was never published".to_owned()) };
        let objects = |name: &str| -> Vec<Vec<u8>> {
            let keys = self.keys().into_iter().filter(|key| key.ends_with(name));
            keys.flat_map(|key| self.objects.versions(&key)).collect()
        };
        let (requested, sent) = (objects("/requested.json"), objects("/sent.json"));
        if (requested.len(), sent.len()) != (1, 1) {
            return Some(format!("requested.json was written {}, sent.json {} times", requested.len(), sent.len()));
        }
        let differs = |text: &String| text.as_bytes() != requested[0].as_slice();
        (state.published.iter().any(differs) || differs(first))
            .then(|| "what was published was not requested".to_owned())
    }

    fn keys(&self) -> Vec<String> {
        let listed = std::pin::pin!(self.objects.list("alerts/"));
        match listed.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(keys)) => keys,
            _ => Vec::new(),
        }
    }

    fn invocation(&self, number: usize) -> Invocation {
        let is_dead = Arc::new(Mutex::new(false));
        let service = Service { run: self.clone(), number, is_dead: Arc::clone(&is_dead) };
        // Each delivery has another probability, as after a new model: its text is another.
        let data = prediction_event(1, 0.9 + 0.01 * number as f64);
        let payload = payload::encode(&[SourceRecord {
            event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/predictions",
            shard_id: "shardId-000000000000",
            sequence_number: "1",
            partition_key: "k",
            arrived_seconds: 1_767_607_200.0,
            data: &data,
        }]);
        let work = async move {
            let lookup = |name: &str| match name {
                "ALERTS_TOPIC_ARN" => Some("arn:aws:sns:us-east-1:000000000000:alerts".to_owned()),
                "BUCKET" => Some("bucket".to_owned()),
                "POLICY" => Some("0.5".to_owned()),
                _ => None,
            };
            let config = publish_alerts::Config::read(Environment::new(&lookup)).expect("a configuration");
            let deadline = service.now() + TIMEOUT;
            let service = Mutant::new(service, &Process::of(Function::Publish));
            let ledger = mutant::Ledger { objects: service.clone(), alerts: service.clone() };
            let publisher = PublishAlerts::new(&config, service.clone(), ledger, service);
            publisher.handle(&payload, deadline).await.is_ok_and(|response| response == BatchResponse::success())
        };
        Invocation { number, work: Box::pin(work), is_dead }
    }
}

/// Bucket, topic and clock of one invocation.
#[derive(Clone)]
struct Service {
    run: Run,
    number: usize,
    is_dead: Arc<Mutex<bool>>,
}

const MISHAPS: [&str; 7] = [
    "",
    "fails",
    "is not done and gets no answer",
    "is done and gets no answer",
    "crashes before",
    "crashes after",
    "is beside another (409)",
];

impl Service {
    /// One call, and what becomes of it.
    async fn call<A>(
        &self,
        operation: &'static str,
        conflict: Option<A>,
        effect: impl Future<Output = A>,
    ) -> Result<A, CallError> {
        // Whose turn is next is decided before each call.
        YieldOnce(false).await;
        let options = MISHAPS.len() - usize::from(conflict.is_none());
        let mishap = {
            let mut state = lock(&self.run.state);
            let mishap = state.decide(options);
            if mishap > 0 {
                let sentence = format!("{operation} of invocation {} {}", self.number, MISHAPS[mishap]);
                state.story.push(sentence);
            }
            mishap
        };
        let error = |kind| Err(CallError { service: "aws", operation, kind, message: "planned".to_owned() });
        match mishap {
            1 => error(CallErrorKind::Unavailable),
            2 => error(CallErrorKind::OutcomeUnknown),
            3 => {
                effect.await;
                error(CallErrorKind::OutcomeUnknown)
            }
            4 | 5 => {
                if mishap == 5 {
                    effect.await;
                }
                *lock(&self.is_dead) = true;
                std::future::pending().await
            }
            6 => conflict.map_or_else(|| error(CallErrorKind::Unavailable), Ok),
            _ => Ok(effect.await),
        }
    }
}

impl Objects for Service {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let work = async { self.run.objects.get(key, unless).await.unwrap_or(Fetched::Missing) };
        self.call("GetObject", None, work).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let work = async {
            let written = self.run.objects.put(key, bytes, condition).await.unwrap_or(Written::ConditionFailed);
            if key.ends_with("/sent.json") && matches!(written, Written::Done(_)) {
                let mut state = lock(&self.run.state);
                state.begun_when_sent = Some(state.begun_when_sent.unwrap_or(state.begun));
            }
            written
        };
        self.call("PutObject", Some(Written::Conflict), work).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.run.objects.list(prefix).await
    }
}

impl Topic for Service {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let work = async {
            let is_requested = self.run.keys().iter().any(|key| key.ends_with("/requested.json"));
            let mut state = lock(&self.run.state);
            if !is_requested {
                state.broken = Some("the alert was published before the ledger knew of it".to_owned());
            }
            if state.begun_when_sent.is_some_and(|begun| self.number >= begun) {
                state.broken = Some(format!("invocation {} published what was sent before it began", self.number));
            }
            state.published.extend(messages.iter().map(|message| message.body.clone()));
            messages.iter().map(|_| PublishOutcome::Published { message_id: "m".to_owned() }).collect()
        };
        self.call("PublishBatch", None, work).await
    }
}

impl Clock for Service {
    fn now(&self) -> Timestamp {
        lock(&self.run.state).now
    }

    async fn sleep(&self, duration: Duration) {
        let mut state = lock(&self.run.state);
        state.now = state.now.checked_add(duration).unwrap_or(Timestamp::MAX);
    }
}

/// Lets others go on, once.
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}
