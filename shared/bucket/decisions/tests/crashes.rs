//! Two moderators and a sweep, and two operators and a sweep, exhaustively: whatever call fails, gets no answer, or is the last
//! of its process, and whoever's turn it is.
//!
//! All choices are tried in turn, with up to so many that are not the usual one
//! ([Godefroid, VeriSoft, 1997](https://doi.org/10.1145/263699.263717)).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use modstream_decisions::{Announced, Case, DecideOutcome, Decisions, log};
use modstream_events::{Action, Alert, Cause, Event, PoliciesChanged};
use modstream_in_use::history::Prepared;
use modstream_in_use::policies::PolicyStore;
use modstream_ledger::{Entry, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryTable};
use modstream_platform::table::{
    Batch, Condition as If, Consistency, Item, Key, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, PutOutcome, PutRecord, Stream, Written,
};
use modstream_policy::Policies;

mod world;

/// Three find no more, and take a minute.
const MISHAPS: usize = 2;

struct State {
    choices: Vec<usize>,
    /// What was chosen, of how many options.
    taken: Vec<(usize, usize)>,
    mishaps_left: usize,
    now: Timestamp,
    stream: Vec<Vec<u8>>,
    story: Vec<String>,
}

impl State {
    fn choose(&mut self, what: &str, options: &[&str]) -> usize {
        let count = if self.mishaps_left == 0 { 1 } else { options.len() };
        let chosen = self.choices.get(self.taken.len()).copied().unwrap_or_default();
        self.taken.push((chosen, count));
        if chosen > 0 {
            self.mishaps_left -= 1;
            self.story.push(format!("{what} {}", options[chosen]));
        }
        chosen
    }
}

#[derive(Clone)]
struct Process {
    name: &'static str,
    table: MemoryTable,
    objects: MemoryObjects,
    state: Arc<Mutex<State>>,
    is_dead: Arc<Mutex<bool>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const OPTIONS: [&str; 6] = [
    "",
    "fails",
    "is not done and gets no answer",
    "is done and gets no answer",
    "is never made: crash",
    "is the last: crash",
];

impl Process {
    async fn call<A>(&self, operation: &'static str, effect: impl Future<Output = A>) -> Result<A, CallError> {
        YieldOnce(false).await;
        let chosen = lock(&self.state).choose(&format!("{operation} of {}", self.name), &OPTIONS);
        let failed = |kind| Err(CallError { service: "aws", operation, kind, message: "planned".to_owned() });
        match chosen {
            1 => failed(CallErrorKind::Unavailable),
            2 => failed(CallErrorKind::OutcomeUnknown),
            3 => {
                effect.await;
                failed(CallErrorKind::OutcomeUnknown)
            }
            4 | 5 => {
                if chosen == 5 {
                    effect.await;
                }
                *lock(&self.is_dead) = true;
                std::future::pending().await
            }
            _ => Ok(effect.await),
        }
    }
}

impl Objects for Process {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.call("GetObject", self.objects.get(key, unless)).await?
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        self.call("PutObject", self.objects.put(key, bytes, condition)).await?
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.call("ListObjectsV2", self.objects.list(prefix)).await?
    }
}

impl Table for Process {
    fn name(&self) -> &str {
        self.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.call("GetItem", self.table.get(key, consistency)).await?
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.call("BatchGetItem", self.table.get_batch(keys, consistency)).await?
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.call("Query", self.table.query(query)).await?
    }

    async fn put(&self, item: &Item, condition: &If) -> Result<Outcome<()>, CallError> {
        self.call("PutItem", self.table.put(item, condition)).await?
    }

    async fn update(&self, key: &Key, update: &Update, condition: &If) -> Result<Outcome<Item>, CallError> {
        self.call("UpdateItem", self.table.update(key, update, condition)).await?
    }

    async fn delete(&self, key: &Key, condition: &If) -> Result<Outcome<()>, CallError> {
        self.call("DeleteItem", self.table.delete(key, condition)).await?
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.call("TransactWriteItems", self.table.transact(token, writes)).await?
    }
}

impl Stream for Process {
    fn name(&self) -> &str {
        "decisions"
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let stored = || PutOutcome::Stored { shard_id: "0".to_owned(), sequence_number: "1".to_owned() };
        let effect = async {
            lock(&self.state).stream.extend(records.iter().map(|record| record.data.clone()));
            records.iter().map(|_| stored()).collect()
        };
        self.call("PutRecords", effect).await
    }
}

impl Clock for Process {
    fn now(&self) -> Timestamp {
        lock(&self.state).now
    }

    async fn sleep(&self, duration: Duration) {
        let mut state = lock(&self.state);
        state.now = state.now.checked_add(duration).unwrap_or(Timestamp::MAX);
    }
}

struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        // Whoever polls many at once asks only those again that woke it.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A moderator's wish, tried once more where it is not known what became of it. Whether it is told to be done.
async fn decides(process: Process, entry: Arc<Entry>, action: Action, who: &'static str) -> bool {
    let alert: Event<'_, Alert<'_>> = Event::decode(&entry.event).expect("an alert");
    for _ in 0..2 {
        let deadline = process.now() + Duration::from_secs(20);
        // As a page does, which looks before it decides.
        let Ok(log) = log(&process, &process, deadline, &entry.key).await else { continue };
        let case = Case { entry: &entry, alert: &alert, log: &log };
        let decisions = Decisions::new(&process, &process, &process, deadline);
        if let Ok(outcome) = decisions.decide(case, action, who, Some(0)).await {
            return matches!(outcome, DecideOutcome::Done { .. });
        }
    }
    false
}

/// An operator's policies. Whether they are told to be in use by this.
async fn pushes(process: Process, threshold: f64, who: &'static str) -> bool {
    let deadline = process.now() + Duration::from_secs(20);
    let policies = Policies::parse(&format!("[default]\nthreshold = {threshold}\n")).expect("a document");
    let store = PolicyStore::new(&process, &process, deadline);
    let cause = Cause { by: Some(who.into()), ..Cause::default() };
    let Ok(Prepared::Move(prepared)) = store.prepare(&policies, &cause).await else { return false };
    let announcing = Decisions::new(&process, &process, &process, deadline);
    let announced = announcing.announce(prepared.event(), store.commit(&prepared)).await;
    matches!(announced, Ok(Announced::Sent | Announced::Unsent))
}

async fn sweeps(process: Process) -> bool {
    let deadline = process.now() + Duration::from_secs(20);
    let _ = Decisions::new(&process, &process, &process, deadline).sweep(&process).await;
    false
}

type Work = Pin<Box<dyn Future<Output = bool>>>;

/// One run over a table and a bucket.
struct Run {
    table: MemoryTable,
    objects: MemoryObjects,
    state: Arc<Mutex<State>>,
}

impl Run {
    fn process(&self, name: &'static str) -> Process {
        let (table, objects) = (self.table.clone(), self.objects.clone());
        Process { name, table, objects, state: Arc::clone(&self.state), is_dead: Arc::default() }
    }

    /// Lets everything happen; who is told that it is done.
    fn all(&self, mut works: Vec<(Process, Work)>) -> Vec<&'static str> {
        let mut done = Vec::new();
        while !works.is_empty() {
            // Who is at work goes on, unless it is chosen otherwise.
            let names: Vec<&str> = works.iter().map(|(process, _)| process.name).collect();
            let turn = lock(&self.state).choose("goes on:", &names);
            works[..=turn].rotate_right(1);
            let turn = 0;
            let (process, work) = &mut works[turn];
            let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let is_over = polled.is_ready() || *lock(&process.is_dead);
            if polled == Poll::Ready(true) {
                done.push(process.name);
            }
            if is_over {
                drop(works.remove(turn));
            }
        }
        done
    }

    /// From now on everything works, and an hour and more goes by.
    fn calms_down(&self) {
        let mut state = lock(&self.state);
        state.mishaps_left = 0;
        state.now += Duration::from_secs(2 * 60 * 60);
    }

    fn history(&self) -> Vec<Vec<u8>> {
        let keys = world::at_once(self.objects.list("policies/history/")).expect("lists");
        keys.iter().map(|key| self.objects.versions(key).remove(0)).collect()
    }

    /// What of it is not what was logged and sent.
    fn differs(&self, logged: &BTreeSet<Vec<u8>>) -> Option<String> {
        let sent: BTreeSet<Vec<u8>> = lock(&self.state).stream.iter().cloned().collect();
        if sent != *logged {
            let (logged, sent) = (logged.len(), sent.len());
            return Some(format!("{logged} events are logged, {sent} others or not all of them are on the stream"));
        }
        let left = world::events(&self.table, "outbox").len();
        (left > 0).then(|| format!("{left} entries stayed in the outbox"))
    }
}

/// Two moderators who want the opposite; what is wrong in the end.
fn moderators(run: &Run) -> Option<String> {
    let alert = Arc::new(world::made(&run.table));
    let (a, b, sweeper) = (run.process("A"), run.process("B"), run.process("the sweep"));
    let won = run.all(vec![
        (a.clone(), Box::pin(decides(a, Arc::clone(&alert), Action::Remove, "A"))),
        (b.clone(), Box::pin(decides(b, alert, Action::Keep, "B"))),
        (sweeper.clone(), Box::pin(sweeps(sweeper))),
    ]);
    run.calms_down();
    let last = run.process("the last sweep");
    run.all(vec![(last.clone(), Box::pin(sweeps(last)))]);
    if won.len() > 1 {
        return Some("both were told that they decided".to_owned());
    }
    let logged: BTreeSet<Vec<u8>> = world::events(&run.table, "decision#").into_iter().collect();
    if !won.is_empty() && logged.len() != 1 {
        return Some(format!("there are {} decisions in the log", logged.len()));
    }
    // What stands at the alert is what the log says.
    let table = &run.table;
    let entry = table.items().into_iter().find(|item| item.key.sort.starts_with("alert#"));
    let entry = entry.map(|item| Entry::of_item(&item).expect("an alert")).expect("there");
    let waits = table.items().iter().any(|item| item.text("in_open").is_some());
    if (entry.decisions as usize, waits) != (logged.len(), logged.is_empty()) {
        return Some(format!(
            "{} decisions are logged, the alert says {}, waiting {waits}",
            logged.len(),
            entry.decisions
        ));
    }
    run.differs(&logged)
}

/// Two operators who want other policies, and one who comes later; what is wrong in the end.
fn operators(run: &Run) -> Option<String> {
    let (a, b, sweeper) = (run.process("A"), run.process("B"), run.process("the sweep"));
    let mut made = run.all(vec![
        (a.clone(), Box::pin(pushes(a, 0.5, "A"))),
        (b.clone(), Box::pin(pushes(b, 0.6, "B"))),
        (sweeper.clone(), Box::pin(sweeps(sweeper))),
    ]);
    run.calms_down();
    let later = run.process("C");
    made.extend(run.all(vec![(later.clone(), Box::pin(pushes(later, 0.7, "C")))]));
    let last = run.process("the last sweep");
    run.all(vec![(last.clone(), Box::pin(sweeps(last)))]);

    let history = run.history();
    let mut before = None;
    let mut recorded = Vec::new();
    for (bytes, number) in history.iter().zip(1..) {
        let event: Event<'_, PoliciesChanged<'_>> = Event::decode(bytes).expect("a change");
        let PoliciesChanged { version, previous, cause, .. } = event.data;
        if (event.data.number, previous) != (number, before) {
            return Some(format!("change {number} does not follow the one before it"));
        }
        recorded.extend(cause.by.map(Cow::into_owned));
        before = Some(version);
    }
    if made.last() != Some(&"C") {
        return Some("where everything works, policies can't be pushed".to_owned());
    }
    if let Some(who) = made.iter().find(|who| !recorded.iter().any(|by| by == *who)) {
        return Some(format!("{who} was told of a change that is not in the history"));
    }
    run.differs(&history.into_iter().collect())
}

/// Tries all choices; in how many ways.
fn all_ways(go: fn(&Run) -> Option<String>) -> u64 {
    let mut choices = Vec::new();
    let mut ways = 0;
    loop {
        let state = State {
            choices,
            taken: Vec::new(),
            mishaps_left: MISHAPS,
            now: "2026-01-05T10:00:00Z".parse().expect("a time"),
            stream: Vec::new(),
            story: Vec::new(),
        };
        let table = MemoryTable::new("table", SCHEMA, MemoryClock::starting_at(state.now));
        let run = Run { table, objects: MemoryObjects::new(), state: Arc::new(Mutex::new(state)) };
        let broken = go(&run);
        let mut state = lock(&run.state);
        assert_eq!(broken, None, "after {:#?}", state.story);
        ways += 1;
        let mut taken = std::mem::take(&mut state.taken);
        while taken.last().is_some_and(|(chosen, options)| chosen + 1 == *options) {
            taken.pop();
        }
        let Some((chosen, _)) = taken.last_mut() else { break };
        *chosen += 1;
        choices = taken.into_iter().map(|(chosen, _)| chosen).collect();
    }
    println!("{ways} ways");
    ways
}

#[test]
fn whatever_happens_the_stream_has_what_the_log_has_and_nothing_else() {
    let ways = all_ways(moderators);
    assert!(ways > 1_000, "only {ways} ways were tried");
}

#[test]
fn whatever_happens_the_stream_has_the_changes_that_were_made_and_nothing_else() {
    let ways = all_ways(operators);
    assert!(ways > 1_000, "only {ways} ways were tried");
}
