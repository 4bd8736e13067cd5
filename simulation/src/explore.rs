//! The ledger, exhaustively: every way that the life of one alert can go, with up to so many mishaps.
//!
//! The real publisher runs by hand, a call at a time. At each call it is decided which invocation goes on and what goes wrong
//! (nothing; the call fails, does nothing and gets no answer, or does its work and gets none; the process crashes before or
//! after), and whether Lambda gives an invocation up that works on, or delivers once more what is
//! done. All decisions are tried in turn, as stateless model checkers do
//! ([Godefroid, VeriSoft, 1997](https://doi.org/10.1145/263699.263717)).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{BatchResponse, SourceRecord, payload};
use modstream_ledger::SCHEMA;
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTable};
use modstream_platform::table::{
    self, Action, Batch, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Message, Objects, PublishOutcome, Topic, Written,
};
use modstream_tests::{prediction_event, unpacked};
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
    table: MemoryTable,
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
    /// The events that the alert was made with, and how often it was recorded as sent.
    requested: Vec<Vec<u8>>,
    sent: usize,
    /// How many invocations had begun when it was first.
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
            requested: Vec::new(),
            sent: 0,
            begun_when_sent: None,
        };
        let table = MemoryTable::new("state", SCHEMA, MemoryClock::starting_at(state.now));
        Run { objects: MemoryObjects::new(), table, state: Arc::new(Mutex::new(state)) }
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
        let (requested, sent) = (&state.requested, state.sent);
        if (requested.len(), sent) != (1, 1) {
            return Some(format!("the alert was made {} times, and recorded as sent {sent} times", requested.len()));
        }
        let alerts: Vec<Item> = self.table.items().into_iter().filter(is_alert).collect();
        if alerts.len() != 1 || unpacked(&alerts[0], "event") != requested[0] {
            return Some("what was requested is not there".to_owned());
        }
        let differs = |text: &String| text.as_bytes() != requested[0].as_slice();
        (state.published.iter().any(differs) || differs(first))
            .then(|| "what was published was not requested".to_owned())
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
                "TABLE" => Some("state".to_owned()),
                "POLICY" => Some("0.5".to_owned()),
                _ => None,
            };
            let config = publish_alerts::Config::read(Environment::new(&lookup)).expect("a configuration");
            let deadline = service.now() + TIMEOUT;
            let service = Mutant::new(service, &Process::of(Function::Publish));
            let ledger = mutant::Ledger { table: service.clone(), alerts: service.clone() };
            let publisher = PublishAlerts::new(&config, service.clone(), ledger, service.clone(), service);
            publisher.handle(&payload, deadline).await.is_ok_and(|response| response == BatchResponse::success())
        };
        Invocation { number, work: Box::pin(work), is_dead }
    }
}

/// Bucket, table, topic and clock of one invocation.
#[derive(Clone)]
struct Service {
    run: Run,
    number: usize,
    is_dead: Arc<Mutex<bool>>,
}

const MISHAPS: [&str; 6] =
    ["", "fails", "is not done and gets no answer", "is done and gets no answer", "crashes before", "crashes after"];

impl Service {
    /// One call, and what becomes of it.
    async fn call<A>(&self, operation: &'static str, effect: impl Future<Output = A>) -> Result<A, CallError> {
        // Whose turn is next is decided before each call.
        YieldOnce(false).await;
        let mishap = {
            let mut state = lock(&self.run.state);
            let mishap = state.decide(MISHAPS.len());
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
            _ => Ok(effect.await),
        }
    }
}

fn is_alert(item: &Item) -> bool {
    item.key.sort.starts_with("alert#")
}

/// Nothing goes wrong with the bucket here, which has no policies, budgets or breakers.
impl Objects for Service {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.run.objects.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        self.run.objects.put(key, bytes, condition).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.run.objects.list(prefix).await
    }
}

/// The publisher makes no transactions, and deletes nothing.
impl Table for Service {
    fn name(&self) -> &str {
        self.run.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        let work = async { self.run.table.get(key, consistency).await };
        self.call("GetItem", work).await?
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.run.table.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.call("Query", async { self.run.table.query(query).await }).await?
    }

    async fn put(&self, item: &Item, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        let work = async {
            let outcome = self.run.table.put(item, condition).await;
            if is_alert(item) && outcome == Ok(Outcome::Done(())) {
                lock(&self.run.state).requested.push(unpacked(item, "event"));
            }
            outcome
        };
        self.call("PutItem", work).await?
    }

    async fn update(
        &self,
        key: &Key,
        update: &Update,
        condition: &table::Condition,
    ) -> Result<Outcome<Item>, CallError> {
        let work = async {
            let outcome = self.run.table.update(key, update, condition).await;
            let is_sent = matches!(update.actions.get("sent"), Some(Action::Set(_)));
            if is_sent && matches!(outcome, Ok(Outcome::Done(_))) {
                let mut state = lock(&self.run.state);
                state.sent += 1;
                state.begun_when_sent = Some(state.begun_when_sent.unwrap_or(state.begun));
            }
            outcome
        };
        self.call("UpdateItem", work).await?
    }

    async fn delete(&self, key: &Key, condition: &table::Condition) -> Result<Outcome<()>, CallError> {
        self.run.table.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.run.table.transact(token, writes).await
    }
}

impl Topic for Service {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        let work = async {
            let mut state = lock(&self.run.state);
            if state.requested.is_empty() {
                state.broken = Some("the alert was published before the ledger knew of it".to_owned());
            }
            if state.begun_when_sent.is_some_and(|begun| self.number >= begun) {
                state.broken = Some(format!("invocation {} published what was sent before it began", self.number));
            }
            state.published.extend(messages.iter().map(|message| message.body.clone()));
            messages.iter().map(|_| PublishOutcome::Published { message_id: "m".to_owned() }).collect()
        };
        self.call("PublishBatch", work).await
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
