//! A write whose answer is lost is known as one's own, and another's is not taken for it.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Severity;
use modstream_ledger::digests::{Covered, Digest, Digests};
use modstream_ledger::limits::{Budgets, Request, Scope, Slot, Watch};
use modstream_ledger::{Hour, Keys, Ledger, Next};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, Written};
use modstream_policy::Breaker;
use proptest::prelude::*;

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

fn digest(start: Timestamp, alert: &str) -> Digest {
    Digest {
        subreddit: Some("science".to_owned()),
        start,
        end: start + SignedDuration::from_mins(5),
        severity: Severity::High,
        alerts: vec![Covered { hour: Hour::of(start), id: alert.to_owned() }],
        withheld: Vec::new(),
        late: None,
        from_quiet_hours: 0,
        explorations: Vec::new(),
    }
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
    fn a_window_has_the_digests_of_whoever_closed_it(lost in prop::collection::vec(any::<bool>(), 0..6)) {
        run(async {
            let (inner, clock) = (MemoryObjects::new(), clock());
            let objects = LostAnswers::new(&inner, lost);
            let digests = Digests::new(&objects, &clock, Timestamp::MAX);
            let start = clock.now();
            let [one, other] = ["a", "b"].map(|alert| digest(start, alert));
            for wanted in [&one, &other] {
                let closed = digests.close(start, wanted.end, vec![wanted.clone()]).await.unwrap();
                prop_assert_eq!(&closed, &vec![one.clone()]);
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_alert_goes_on_with_its_own_request(lost in prop::collection::vec(any::<bool>(), 0..6)) {
        run(async {
            let (inner, clock) = (MemoryObjects::new(), clock());
            let objects = LostAnswers::new(&inner, lost);
            let ledger = Ledger::new(&objects, &clock, clock.now() + Duration::from_secs(600));
            let keys = Keys::new(clock.now(), "a");
            let next = ledger.request(&keys, b"{}".to_vec()).await.unwrap();
            let goes_on = matches!(&next, Next::GoOn) || next == Next::Resume(Bytes::from_static(b"{}"));
            prop_assert!(goes_on, "{next:?}");
            ledger.sent(&keys, "m".to_owned()).await.unwrap();
            prop_assert_eq!(ledger.request(&keys, b"{}".to_vec()).await.unwrap(), Next::Nothing);
            prop_assert_eq!(inner.versions(&keys.sent).len(), 1);
            Ok(())
        })?;
    }
}
