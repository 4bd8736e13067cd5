//! Two moderators and a sweep, exhaustively: whatever call fails, gets no answer, or is the last of its process, and whoever's
//! turn it is.
//!
//! All choices are tried in turn, with up to so many that are not the usual one
//! ([Godefroid, VeriSoft, 1997](https://doi.org/10.1145/263699.263717)).

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use modstream_decisions::{DecideOutcome, Decisions, PREFIX, UNSENT_PREFIX};
use modstream_events::{Action, Alert, Event};
use modstream_platform::memory::MemoryObjects;
use modstream_platform::{
    Bytes, CallError, CallErrorKind, Clock, Condition, DeletableObjects, ETag, Fetched, Objects, PutOutcome, PutRecord,
    Stream, Written,
};

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

impl DeletableObjects for Process {
    async fn delete(&self, key: &str) -> Result<(), CallError> {
        self.call("DeleteObject", self.objects.delete(key)).await?
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

/// A moderator's wish, tried once more where it is not known what became of it.
async fn decides(process: Process, alert: Arc<Vec<u8>>, action: Action, who: &'static str) -> Option<DecideOutcome> {
    let alert: Event<'_, Alert<'_>> = Event::decode(&alert).expect("an alert");
    for _ in 0..2 {
        let deadline = process.now() + Duration::from_secs(20);
        if let Ok(outcome) =
            Decisions::new(&process, &process, &process, deadline).decide(&alert, action, who, Some(0)).await
        {
            return Some(outcome);
        }
    }
    None
}

type Work = Pin<Box<dyn Future<Output = Option<DecideOutcome>>>>;

/// Lets everything happen; what is wrong in the end.
fn go(state: &Arc<Mutex<State>>, alert: &Arc<Vec<u8>>) -> Option<String> {
    let objects = MemoryObjects::new();
    let process = |name| Process { name, objects: objects.clone(), state: Arc::clone(state), is_dead: Arc::default() };
    let (a, b, sweeper) = (process("A"), process("B"), process("the sweep"));
    let sweep = |sweeper: Process| async move {
        let deadline = sweeper.now() + Duration::from_secs(20);
        let _ = Decisions::new(&sweeper, &sweeper, &sweeper, deadline).sweep().await;
        None
    };
    let mut works: Vec<(Process, Work)> = vec![
        (a.clone(), Box::pin(decides(a, Arc::clone(alert), Action::Remove, "A"))),
        (b.clone(), Box::pin(decides(b, Arc::clone(alert), Action::Keep, "B"))),
        (sweeper.clone(), Box::pin(sweep(sweeper))),
    ];
    let mut won = Vec::new();
    while !works.is_empty() {
        // Who is at work goes on, unless it is chosen otherwise.
        let names: Vec<&str> = works.iter().map(|(process, _)| process.name).collect();
        let turn = lock(state).choose("goes on:", &names);
        works[..=turn].rotate_right(1);
        let turn = 0;
        let (process, work) = &mut works[turn];
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let is_over = polled.is_ready() || *lock(&process.is_dead);
        if let Poll::Ready(Some(DecideOutcome::Done { .. })) = polled {
            won.push(process.name);
        }
        if is_over {
            drop(works.remove(turn));
        }
    }
    // Everything works again, and an hour and more goes by.
    lock(state).mishaps_left = 0;
    let later = lock(state).now + Duration::from_secs(2 * 60 * 60);
    lock(state).now = later;
    let mut last: Work = Box::pin(sweep(process("the last sweep")));
    while last.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}

    if won.len() > 1 {
        return Some("both were told that they decided".to_owned());
    }
    let content = |prefix: &str| -> Vec<Vec<u8>> {
        world::keys(&objects, prefix).iter().map(|key| objects.versions(key).remove(0)).collect()
    };
    let logged: BTreeSet<Vec<u8>> = content(PREFIX).into_iter().collect();
    let sent: BTreeSet<Vec<u8>> = lock(state).stream.iter().cloned().collect();
    if !won.is_empty() && logged.len() != 1 {
        return Some(format!("there are {} decisions in the log", logged.len()));
    }
    if sent != logged {
        return Some(format!("the log has {} decisions, the stream {} others or not all", logged.len(), sent.len()));
    }
    let left = world::keys(&objects, UNSENT_PREFIX).len();
    (left > 0).then(|| format!("{left} entries stayed in the outbox"))
}

#[test]
fn whatever_happens_the_stream_has_what_the_log_has_and_nothing_else() {
    let alert = Arc::new(world::alert());
    let mut choices = Vec::new();
    let mut ways = 0_u64;
    loop {
        let state = State {
            choices,
            taken: Vec::new(),
            mishaps_left: MISHAPS,
            now: "2026-01-05T10:00:00Z".parse().expect("a time"),
            stream: Vec::new(),
            story: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let broken = go(&state, &alert);
        let mut state = lock(&state);
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
    assert!(ways > 1_000, "only {ways} ways were tried");
}
