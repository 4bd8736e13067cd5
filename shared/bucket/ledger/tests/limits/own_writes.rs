//! A write whose answer is lost is known as one's own, and another's is not taken for it.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use modstream_ledger::limits::{Breakers, Budget, Budgets, Request, Scope, Slot, Watch};
use modstream_ledger::{AlertKey, Hour, SCHEMA};
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{
    Batch, Condition, Consistency, Item, Key, Operation, Outcome, Page, Query, Table, Transacted, Update, Write,
};
use modstream_platform::{CallError, CallErrorKind, Clock};
use modstream_policy::Breaker;
use proptest::prelude::*;

/// A table that takes each write, and loses the answers of these.
struct LostAnswers {
    inner: MemoryTable,
    /// The next one last.
    lost: Mutex<Vec<bool>>,
}

impl LostAnswers {
    fn new(inner: &MemoryTable, lost: Vec<bool>) -> Self {
        LostAnswers { inner: inner.clone(), lost: Mutex::new(lost) }
    }

    fn answer<A>(&self, operation: Operation, answer: Result<A, CallError>) -> Result<A, CallError> {
        if self.lost.lock().expect("no panic holds it").pop().unwrap_or_default() {
            let (operation, message) = (operation.name(), "planned".to_owned());
            return Err(CallError { service: "table", operation, kind: CallErrorKind::OutcomeUnknown, message });
        }
        answer
    }
}

impl Table for LostAnswers {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.inner.get(key, consistency).await
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        self.inner.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.inner.query(query).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.answer(Operation::PutItem, self.inner.put(item, condition).await)
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.answer(Operation::UpdateItem, self.inner.update(key, update, condition).await)
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.answer(Operation::DeleteItem, self.inner.delete(key, condition).await)
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.answer(Operation::TransactWriteItems, self.inner.transact(token, writes).await)
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

fn world() -> (MemoryTable, MemoryClock) {
    let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
    (MemoryTable::new("t", SCHEMA, clock), clock)
}

const BREAKER: Breaker = Breaker {
    max_share: 0.2,
    window: SignedDuration::from_mins(5),
    min_alerts: 10,
    open_for: SignedDuration::from_mins(60),
};

proptest! {
    #[test]
    fn each_alert_has_one_place_of_a_budget(lost in prop::collection::vec(any::<bool>(), 0..40)) {
        run(async {
            let (inner, clock) = world();
            let table = LostAnswers::new(&inner, lost);
            let instances = [Budgets::default(), Budgets::default()];
            let budgets = [Budget { scope: Scope::all(), places: 6 }];
            let mut places = Vec::new();
            for number in 0..8 {
                let alert = AlertKey { comment: "c".to_owned(), id: format!("a{number}") };
                inner.put(&Item::new(alert.item()), &Condition::Absent).await.unwrap();
                let hour = Hour::of(clock.now());
                let request = Request { hour, budgets: &budgets, alert: &alert, is_resumed: false };
                places.push(instances[number % 2].take(&table, &clock, Timestamp::MAX, request).await.unwrap());
            }
            let spent = || Slot::Spent(budgets[0].clone());
            let expected: Vec<Slot> = (0..8).map(|number| if number < 6 { Slot::Has } else { spent() }).collect();
            prop_assert_eq!(places, expected);
            Ok(())
        })?;
    }

    #[test]
    fn of_two_instances_that_open_the_breaker_one_tells_of_it(lost in prop::collection::vec(any::<bool>(), 0..6)) {
        run(async {
            let (inner, clock) = world();
            let table = LostAnswers::new(&inner, lost);
            let (one, other) = (Watch::default(), Watch::default());
            for watch in [&one, &other] {
                (0..10).for_each(|number| watch.count(clock.now(), &number.to_string(), true));
            }
            let look = async |watch: &Watch| {
                let looked = watch.look(&table, &clock, Timestamp::MAX, &BREAKER).await.unwrap();
                looked.expect("it is open").1
            };
            prop_assert_eq!((look(&one).await, look(&other).await), (true, false));
            Ok(())
        })?;
    }

    #[test]
    fn a_breaker_is_closed_by_whoever_was_first(lost in prop::collection::vec(any::<bool>(), 0..6)) {
        run(async {
            let (inner, clock) = world();
            let watch = Watch::default();
            (0..10).for_each(|number| watch.count(clock.now(), &number.to_string(), true));
            watch.look(&inner, &clock, Timestamp::MAX, &BREAKER).await.unwrap();
            let table = LostAnswers::new(&inner, lost);
            let breakers = Breakers::new(&table, &clock, Timestamp::MAX);
            let mut wishes = Vec::new();
            for by in ["ana", "ben"] {
                let cause = modstream_events::Cause { by: Some(by.into()), ..Default::default() };
                wishes.extend(breakers.closing(&cause).await.unwrap());
            }
            let mut closed = Vec::new();
            for wish in &wishes {
                closed.push(breakers.close_one(wish).await.unwrap());
            }
            prop_assert_eq!(closed, [true, false]);
            let known = breakers.all().await.unwrap().remove(0);
            let by = known.cause.and_then(|cause| cause.by);
            prop_assert_eq!(by.as_deref(), Some("ana"));
            let closed_by = breakers.closed_by(&known.name).await.unwrap();
            prop_assert_eq!(closed_by.as_deref(), Some(wishes[0].event()));
            Ok(())
        })?;
    }
}
