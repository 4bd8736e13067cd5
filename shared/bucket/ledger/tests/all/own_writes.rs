//! A write whose answer is lost is known as one's own, and another's is not taken for it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use modstream_events::{DeletedBy, Severity};
use modstream_ledger::comments::{Deletion, Version};
use modstream_ledger::digests::{Closed, Closing, Digests, Head, Window};
use modstream_ledger::limits::{Budgets, Request, Scope, Slot, Watch};
use modstream_ledger::{AlertKey, Fate, Hour, Next, Withholding};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, Written};
use modstream_policy::Breaker;
use proptest::prelude::*;

use crate::world::{self, Mishap, Planned, alert, ledger, table};

/// A bucket that takes each write, and loses the answers of these.
struct LostAnswers {
    inner: MemoryObjects,
    /// The next one last.
    lost: Mutex<Vec<bool>>,
}

impl LostAnswers {
    fn new(inner: &MemoryObjects, lost: Vec<bool>) -> Self {
        LostAnswers { inner: inner.clone(), lost: Mutex::new(lost) }
    }
}

impl Objects for LostAnswers {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.inner.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let written = self.inner.put(key, bytes, condition).await?;
        if self.lost.lock().expect("no panic holds it").pop().unwrap_or_default() {
            let message = "planned".to_owned();
            let kind = CallErrorKind::OutcomeUnknown;
            return Err(CallError { service: "s3", operation: "PutObject", kind, message });
        }
        Ok(written)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

fn clock() -> MemoryClock {
    MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"))
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
            let (inner, clock) = (MemoryObjects::new(), clock());
            let objects = LostAnswers::new(&inner, lost);
            let instances = [Budgets::default(), Budgets::default()];
            let (hour, scope) = (Hour::of(clock.now()), Scope::all());
            let mut places = Vec::new();
            for number in 0..8 {
                let alert = format!("a{number}");
                let request = Request { hour, scope: &scope, places: 6, alert: &alert, is_resumed: false };
                places.push(instances[number % 2].take(&objects, &clock, Timestamp::MAX, request).await.unwrap());
            }
            let expected: Vec<Slot> = (0..6).map(Slot::Has).chain([Slot::Spent; 2]).collect();
            prop_assert_eq!(places, expected);
            Ok(())
        })?;
    }

    #[test]
    fn of_two_instances_that_open_the_breaker_one_tells_of_it(lost in prop::collection::vec(any::<bool>(), 0..6)) {
        run(async {
            let (inner, clock) = (MemoryObjects::new(), clock());
            let objects = LostAnswers::new(&inner, lost);
            let (one, other) = (Watch::default(), Watch::default());
            for watch in [&one, &other] {
                (0..10).for_each(|number| watch.count(clock.now(), &number.to_string(), true));
            }
            let look = async |watch: &Watch| {
                let looked = watch.look(&objects, &clock, Timestamp::MAX, &BREAKER).await.unwrap();
                looked.expect("it is open").1
            };
            prop_assert_eq!((look(&one).await, look(&other).await), (true, false));
            Ok(())
        })?;
    }

    #[test]
    fn a_window_is_closed_by_one_attempt_and_that_knows_it(plan in plan()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let digests = Digests::new(&planned, &clock, Timestamp::MAX);
            let window = Window { start: clock.now(), end: clock.now() + SignedDuration::from_mins(5) };
            let closing = |id: &str| Closing {
                window,
                digests: Vec::new(),
                taken: vec![(window.start, AlertKey { comment: "c".to_owned(), id: id.to_owned() })],
                waiting: BTreeMap::new(),
                still_waiting: BTreeMap::new(),
            };
            let [one, other] = ["a", "b"].map(closing);
            prop_assert_eq!(digests.close(&Head::default(), &one).await, Ok(Closed::Ours));
            prop_assert_eq!(digests.close(&Head::default(), &other).await, Ok(Closed::Behind));
            let taken = digests.taken(&[(window.start, window.end)]).await.unwrap();
            prop_assert_eq!(taken.into_iter().map(|key| key.id).collect::<Vec<_>>(), ["a"]);
            Ok(())
        })?;
    }

    /// Whatever call fails or gets no answer, an alert goes on as it is, and what is recorded is there once.
    #[test]
    fn an_alert_goes_on_with_its_own_request_and_keeps_what_is_recorded(plan in plan(), rules in any::<bool>()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let ledger = ledger(&planned, &clock);
            let event = alert("e-1", clock.now(), Severity::High);
            let key = AlertKey::of_alert(&event);
            let why = rules.then_some((Withholding::Channel, "why"));
            let next = ledger.request(&key, &event, &event.encode(), why).await.unwrap();
            prop_assert_eq!(next, Next::GoOn);
            if !rules {
                ledger.sent(&key, "m").await.unwrap();
            }
            let entry = ledger.entry(&key).await.unwrap().unwrap();
            match &entry.fate {
                Fate::Sent(sent) => prop_assert!(!rules && sent.message_id == "m"),
                Fate::Withheld(why) => prop_assert!(rules && why.reason == Withholding::Channel),
                Fate::Requested => prop_assert!(false, "it is settled"),
            }
            let nothing = ledger.request(&key, &event, &event.encode(), None).await.unwrap();
            prop_assert!(matches!(nothing, Next::Nothing(_)));
            ledger.report(&entry, 3).await.unwrap();
            ledger.supersede(&key, "e-2").await.unwrap();
            let deletion =
                Deletion { time: clock.now(), by: DeletedBy::Moderator, event: ("d".to_owned(), clock.now()) };
            ledger.withdraw(&entry, &deletion).await.unwrap();
            let after = ledger.entry(&key).await.unwrap().unwrap();
            prop_assert_eq!((after.reports, after.is_open(), after.fate == entry.fate), (3, false, true));
            prop_assert!(!String::from_utf8_lossy(&after.event).contains("copper"));
            prop_assert_eq!(inner.items().len(), 1);
            Ok(())
        })?;
    }

    #[test]
    fn a_record_has_what_each_change_notes_once(plan in plan()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let ledger = ledger(&planned, &clock);
            for number in [1, 2, 2, 3] {
                let (comment_event, name) = (format!("e-{number}"), number.to_string());
                let version = Version { comment_event, name, time: clock.now() };
                ledger.change("c", |record| record.note_version(version.clone())).await.unwrap();
            }
            let record = ledger.record("c").await.unwrap();
            let names: Vec<&str> = record.versions.iter().map(|version| version.name.as_str()).collect();
            prop_assert_eq!(names, ["1", "2", "3"]);
            Ok(())
        })?;
    }
}

/// What becomes of the first writes.
fn plan() -> impl Strategy<Value = Vec<Option<Mishap>>> {
    let mishap = prop_oneof![Just(Mishap::Fails), Just(Mishap::Lost), Just(Mishap::AnswerLost)];
    prop::collection::vec(prop::option::of(mishap), 0..8)
}
