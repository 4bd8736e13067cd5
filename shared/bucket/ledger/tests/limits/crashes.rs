//! Two instances that take places, and two that open a breaker which an operator closes, exhaustively: whatever call fails, gets
//! no answer, or is the last of its process, and whoever's turn it is.
//!
//! All choices are tried in turn, with up to so many that are not the usual one
//! ([Godefroid, VeriSoft, 1997](https://doi.org/10.1145/263699.263717)).

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Cause;
use modstream_ledger::limits::{Breakers, Budget, Budgets, Request, Scope, Slot, Watch};
use modstream_ledger::{AlertKey, Hour, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Operation, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind, Clock};
use modstream_policy::Breaker;

struct State {
    choices: Vec<usize>,
    /// What was chosen, of how many options.
    taken: Vec<(usize, usize)>,
    mishaps_left: usize,
    now: Timestamp,
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
    async fn call<A>(
        &self,
        operation: Operation,
        effect: impl Future<Output = Result<A, CallError>>,
    ) -> Result<A, CallError> {
        YieldOnce(false).await;
        let chosen = lock(&self.state).choose(&format!("{operation} of {}", self.name), &OPTIONS);
        let failed = |kind| {
            Err(CallError { service: "table", operation: operation.name(), kind, message: "planned".to_owned() })
        };
        match chosen {
            1 => failed(CallErrorKind::Unavailable),
            2 => failed(CallErrorKind::OutcomeUnknown),
            3 => {
                let _ = effect.await;
                failed(CallErrorKind::OutcomeUnknown)
            }
            4 | 5 => {
                if chosen == 5 {
                    let _ = effect.await;
                }
                *lock(&self.is_dead) = true;
                std::future::pending().await
            }
            _ => effect.await,
        }
    }
}

impl Table for Process {
    fn name(&self) -> &str {
        "t"
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.call(Operation::GetItem, self.table.get(key, consistency)).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.call(Operation::BatchGetItem, self.table.get_batch(keys, consistency)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.call(Operation::Query, self.table.query(query)).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.call(Operation::PutItem, self.table.put(item, condition)).await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.call(Operation::UpdateItem, self.table.update(key, update, condition)).await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.call(Operation::DeleteItem, self.table.delete(key, condition)).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.call(Operation::TransactWriteItems, self.table.transact(token, writes)).await
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

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// One run over a table.
struct Run {
    table: MemoryTable,
    state: Arc<Mutex<State>>,
}

impl Run {
    fn process(&self, name: &'static str) -> Process {
        Process { name, table: self.table.clone(), state: Arc::clone(&self.state), is_dead: Arc::default() }
    }

    /// Lets everything happen.
    fn all(&self, mut works: Vec<(Process, Work)>) {
        while !works.is_empty() {
            // Who is at work goes on, unless it is chosen otherwise.
            let names: Vec<&str> = works.iter().map(|(process, _)| process.name).collect();
            let turn = lock(&self.state).choose("goes on:", &names);
            works[..=turn].rotate_right(1);
            let (process, work) = &mut works[0];
            let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_ready() || *lock(&process.is_dead) {
                drop(works.remove(0));
            }
        }
    }

    /// From now on everything works, and some time goes by.
    fn calms_down(&self, time: Duration) {
        let mut state = lock(&self.state);
        state.mishaps_left = 0;
        state.now += time;
    }

    fn deadline(&self) -> Timestamp {
        lock(&self.state).now + Duration::from_secs(20)
    }
}

fn budgets() -> Vec<Budget> {
    [(Scope::subreddit(Some("science")), 3), (Scope::all(), 4)]
        .into_iter()
        .map(|(scope, places)| Budget { scope, places })
        .collect()
}

/// Which alerts were told that they have a place, or that they have none.
type Told = Arc<Mutex<Vec<(AlertKey, bool)>>>;

/// An instance that takes places for these alerts, one after another, and tries again where it is not known what became of one.
/// What it was told about each is noted.
async fn takes(process: Process, hour: Hour, alerts: Vec<AlertKey>, told: Told) {
    let (instance, budgets) = (Budgets::default(), budgets());
    for alert in alerts {
        for attempt in 0..2 {
            let deadline = process.now() + Duration::from_secs(20);
            let request = Request { hour, budgets: &budgets, alert: &alert, is_resumed: attempt > 0 };
            if let Ok(slot) = instance.take(&process, &process, deadline, request).await {
                lock(&told).push((alert.clone(), slot == Slot::Has));
                break;
            }
        }
    }
}

/// Two instances, and one that resumes what they left; what is wrong in the end.
fn publishers(run: &Run) -> Option<String> {
    let hour = Hour::of(lock(&run.state).now);
    let alert = |name: &str| AlertKey { comment: "c".to_owned(), id: name.to_owned() };
    let ([of_a, of_b], told) = ([["1", "2", "3"], ["4", "5", "6"]], Told::default());
    let mut all = Vec::new();
    for id in of_a.iter().chain(&of_b) {
        let item = Item::new(alert(id).item());
        let put = std::pin::pin!(run.table.put(&item, &Condition::Absent));
        assert!(put.poll(&mut Context::from_waker(Waker::noop())).is_ready(), "memory answers at once");
        all.push(alert(id));
    }
    let (a, b) = (run.process("A"), run.process("B"));
    let works: Vec<(Process, Work)> = [(a, of_a), (b, of_b)]
        .into_iter()
        .map(|(process, ids)| -> (Process, Work) {
            let alerts = ids.map(alert).into();
            (process.clone(), Box::pin(takes(process, hour, alerts, Arc::clone(&told))))
        })
        .collect();
    run.all(works);
    run.calms_down(Duration::from_secs(60 * 60));
    let (last, again) = (run.process("the last"), Told::default());
    let deadline = run.deadline();
    let work: Work = Box::pin({
        let (process, again, all) = (last.clone(), Arc::clone(&again), all.clone());
        async move {
            for alert in all {
                let (instance, budgets) = (Budgets::default(), budgets());
                let request = Request { hour, budgets: &budgets, alert: &alert, is_resumed: true };
                let slot = instance.take(&process, &process, deadline, request).await.expect("an answer");
                lock(&again).push((alert, slot == Slot::Has));
            }
        }
    });
    run.all(vec![(last, work)]);
    let (told, again) = (lock(&told).clone(), lock(&again).clone());
    let has = again.iter().filter(|(_, has)| *has).count();
    if has != 3 {
        return Some(format!("{has} alerts have a place of 3"));
    }
    for (alert, has) in told {
        let later = again.iter().find(|(other, _)| *other == alert).map(|(_, has)| *has);
        // One that was told of a spent budget stays without.
        if later != Some(has) {
            return Some(format!("{alert} was told {has}, and later {later:?}"));
        }
    }
    let taken = |scope: &str| {
        let items = run.table.items();
        let budget = items.iter().find(|item| item.key.partition.starts_with("budget#") && item.key.sort == scope);
        budget.and_then(|budget| budget.number("taken"))
    };
    let counted = (taken("science"), taken("_all"));
    (counted != (Some(3), Some(3))).then(|| format!("{counted:?} places are counted"))
}

const BREAKER: Breaker = Breaker {
    max_share: 0.2,
    window: SignedDuration::from_mins(5),
    min_alerts: 10,
    open_for: SignedDuration::from_mins(60),
};

/// How often instances were told that it is their turn, and whose.
type Turns = Arc<Mutex<Vec<(&'static str, String)>>>;

/// An instance that notices too many alerts, and says that it sent the message where it is its turn.
async fn watches(process: Process, turns: Turns) {
    let watch = Watch::default();
    (0..10).for_each(|number| watch.count(process.now(), &number.to_string(), true));
    for _ in 0..2 {
        let deadline = process.now() + Duration::from_secs(20);
        if let Ok(Some((known, true))) = watch.look(&process, &process, deadline, &BREAKER).await {
            lock(&turns).push((process.name, known.name.clone()));
            let _ = watch.sent(&process, &process, deadline, &known.name, "m").await;
        }
    }
}

async fn closes(process: Process, closed: Arc<Mutex<Vec<Vec<u8>>>>) {
    let deadline = process.now() + Duration::from_secs(20);
    let breakers = Breakers::new(&process, &process, deadline);
    let cause = Cause { by: Some("ana".into()), ..Cause::default() };
    for one in breakers.closing(&cause).await.unwrap_or_default() {
        if breakers.close_one(&one).await == Ok(true) {
            lock(&closed).push(one.event().to_vec());
        }
    }
}

/// Two instances and an operator, and an instance that comes when the others are gone; what is wrong in the end.
fn watchers(run: &Run) -> Option<String> {
    let (turns, closed) = (Turns::default(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
    let (a, b, operator) = (run.process("A"), run.process("B"), run.process("the operator"));
    run.all(vec![
        (a.clone(), Box::pin(watches(a, Arc::clone(&turns)))),
        (b.clone(), Box::pin(watches(b, Arc::clone(&turns)))),
        (operator.clone(), Box::pin(closes(operator, Arc::clone(&closed)))),
    ]);
    run.calms_down(Duration::from_secs(6 * 60));
    let unsent: Vec<String> = run
        .table
        .items()
        .into_iter()
        .filter(|item| item.text("closed").is_none() && item.text("sent").is_none())
        .map(|item| item.key.sort)
        .collect();
    let (later, of_later) = (run.process("a later one"), Turns::default());
    run.all(vec![(later.clone(), Box::pin(watches(later, Arc::clone(&of_later))))]);
    let items = run.table.items();
    let (turns, of_later) = (lock(&turns).clone(), lock(&of_later).clone());
    let open: Vec<&str> =
        items.iter().filter(|item| item.text("closed").is_none()).map(|item| item.key.sort.as_str()).collect();
    if open.len() != 1 {
        return Some(format!("{} breakers are open", open.len()));
    }
    for item in &items {
        let openers: std::collections::BTreeSet<&str> =
            turns.iter().filter(|(_, name)| *name == item.key.sort).map(|(who, _)| *who).collect();
        if openers.len() > 1 {
            return Some(format!("both send the message about {}", item.key.sort));
        }
    }
    // What nobody told of is told of by whoever comes later.
    if let Some(left) = unsent.iter().find(|name| !of_later.iter().any(|(_, told)| told == *name)) {
        return Some(format!("nobody sends the message about {left}"));
    }
    let events: Vec<Vec<u8>> = items.iter().filter_map(|item| Some(item.bytes("closing")?.to_vec())).collect();
    let told = lock(&closed).clone();
    told.iter().any(|event| !events.contains(event)).then(|| "an operator closed what is not closed".to_owned())
}

/// Tries all choices with so many mishaps; in how many ways.
fn all_ways(mishaps: usize, go: fn(&Run) -> Option<String>) -> u64 {
    let mut choices = Vec::new();
    let mut ways = 0;
    loop {
        let now: Timestamp = "2026-01-05T10:10:00Z".parse().expect("a time");
        let state = State { choices, taken: Vec::new(), mishaps_left: mishaps, now, story: Vec::new() };
        let table = MemoryTable::new("t", SCHEMA, MemoryClock::starting_at(now));
        let run = Run { table, state: Arc::new(Mutex::new(state)) };
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
fn whatever_happens_as_many_alerts_have_a_place_as_there_are_places_and_no_place_is_lost() {
    let ways = all_ways(3, publishers);
    assert!(ways > 1_000, "only {ways} ways were tried");
}

#[test]
fn whatever_happens_one_opens_the_breaker_and_one_tells_of_it() {
    let ways = all_ways(2, watchers);
    assert!(ways > 1_000, "only {ways} ways were tried");
}
