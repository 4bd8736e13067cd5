//! Reading and writing objects: conditions, retries, deadline.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use modstream_platform::deliver::{Cause, PutIfAbsent, get, put, put_if_absent, put_where};
use modstream_platform::memory::MemoryObjects;
use modstream_platform::{Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, Written};

use proptest::prelude::*;

use crate::world::{after, clock, error, run};

const LONG: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
enum Step {
    Fails(CallErrorKind),
    /// It is written, and the answer is lost.
    AnswerLost,
    Conflict,
}

/// A bucket that follows a plan, then works.
struct PlannedObjects {
    inner: MemoryObjects,
    plan: Mutex<VecDeque<Step>>,
    calls: Mutex<usize>,
}

impl PlannedObjects {
    fn new(plan: impl IntoIterator<Item = Step>) -> Self {
        let plan = Mutex::new(plan.into_iter().collect());
        PlannedObjects { inner: MemoryObjects::new(), plan, calls: Mutex::new(0) }
    }

    fn step(&self) -> Option<Step> {
        *self.calls.lock().unwrap() += 1;
        self.plan.lock().unwrap().pop_front()
    }

    fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }
}

impl Objects for PlannedObjects {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        match self.step() {
            Some(Step::Fails(kind)) => Err(error(kind)),
            Some(Step::AnswerLost) => Err(error(CallErrorKind::OutcomeUnknown)),
            _ => self.inner.get(key, unless).await,
        }
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        match self.step() {
            Some(Step::Fails(kind)) => Err(error(kind)),
            Some(Step::Conflict) => Ok(Written::Conflict),
            Some(Step::AnswerLost) => {
                self.inner.put(key, bytes, condition).await?;
                Err(error(CallErrorKind::OutcomeUnknown))
            }
            None => self.inner.put(key, bytes, condition).await,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_is_written_once_and_never_over_another() {
    let clock = clock();
    let objects = PlannedObjects::new([]);
    let deadline = after(&clock, LONG);
    let first = put_if_absent(&objects, &clock, deadline, "k", b"1".to_vec()).await;
    let second = put_if_absent(&objects, &clock, deadline, "k", b"2".to_vec()).await;
    assert_eq!((first, second), (Ok(PutIfAbsent::Written), Ok(PutIfAbsent::Existed)));
    assert_eq!(objects.inner.versions("k"), [b"1"]);
}

#[tokio::test(start_paused = true)]
async fn a_conflicting_write_is_asked_about_again() {
    let clock = clock();
    let objects = PlannedObjects::new([Step::Conflict, Step::Conflict]);
    let written = put_if_absent(&objects, &clock, after(&clock, LONG), "k", b"1".to_vec()).await;
    assert_eq!((written, objects.calls()), (Ok(PutIfAbsent::Written), 3));
}

#[tokio::test(start_paused = true)]
async fn after_an_unknown_outcome_the_object_counts_as_there() {
    let clock = clock();
    let objects = PlannedObjects::new([Step::AnswerLost]);
    let written = put_if_absent(&objects, &clock, after(&clock, LONG), "k", b"1".to_vec()).await;
    assert_eq!(written, Ok(PutIfAbsent::Existed));
    assert_eq!(objects.inner.versions("k"), [b"1"]);
}

#[tokio::test(start_paused = true)]
async fn passing_failures_are_retried_by_every_call() {
    let clock = clock();
    let plan = || [Step::Fails(CallErrorKind::Unavailable), Step::Fails(CallErrorKind::OutcomeUnknown)];
    let deadline = after(&clock, LONG);

    let objects = PlannedObjects::new(plan());
    put_if_absent(&objects, &clock, deadline, "k", b"1".to_vec()).await.unwrap();
    assert_eq!(objects.calls(), 3);

    let objects = PlannedObjects::new(plan());
    let etag = put(&objects, &clock, deadline, "k", b"1".to_vec()).await.unwrap();
    assert_eq!(objects.calls(), 3);

    objects.plan.lock().unwrap().extend(plan());
    let fetched = get(&objects, &clock, deadline, "k", None).await.unwrap();
    assert_eq!(fetched, Fetched::Object { bytes: b"1".to_vec(), etag: etag.clone() });
    assert_eq!(objects.calls(), 6);
    assert_eq!(get(&objects, &clock, deadline, "k", Some(&etag)).await, Ok(Fetched::NotModified));
    assert_eq!(get(&objects, &clock, deadline, "none", None).await, Ok(Fetched::Missing));
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_must_fix_is_not_retried() {
    let clock = clock();
    let deadline = after(&clock, LONG);
    for kind in [CallErrorKind::Denied, CallErrorKind::Invalid] {
        let objects = PlannedObjects::new([Step::Fails(kind), Step::Fails(kind), Step::Fails(kind)]);
        let failures = [
            put_if_absent(&objects, &clock, deadline, "k", Bytes::new()).await.unwrap_err(),
            put(&objects, &clock, deadline, "k", Bytes::new()).await.unwrap_err(),
            get(&objects, &clock, deadline, "k", None).await.unwrap_err(),
        ];
        for failed in failures {
            assert!(!failed.deadline_passed);
            match failed.cause {
                Cause::Denied(denied) => {
                    assert_eq!((denied.call, denied.on.as_str()), (error(CallErrorKind::Denied), "k"));
                    assert!(denied.permission.starts_with("s3:"), "{}", denied.permission);
                }
                cause => assert_eq!(cause, Cause::Call(error(CallErrorKind::Invalid))),
            }
        }
        assert_eq!(objects.calls(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_it_with_the_last_cause() {
    let clock = clock();
    let objects = PlannedObjects::new((0..1000).map(|_| Step::Conflict));
    let deadline = after(&clock, Duration::from_secs(5));
    let failed = put_if_absent(&objects, &clock, deadline, "k", Bytes::new()).await.unwrap_err();
    assert!(failed.deadline_passed && clock.now() <= deadline);
    let text = "the deadline ran out; ConditionalRequestConflict: another write of the key is under way";
    assert_eq!(failed.to_string(), text);
    assert!(objects.calls() > 3);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Fails(CallErrorKind::Unavailable)),
        Just(Step::Fails(CallErrorKind::OutcomeUnknown)),
        Just(Step::AnswerLost),
        Just(Step::Conflict),
    ]
}

proptest! {
    #[test]
    fn a_write_under_a_condition_knows_itself_whatever_fails_and_whichever_answer_is_lost(
        plan in prop::collection::vec(step(), 0..8),
        (is_there, is_moved) in any::<(bool, bool)>(),
    ) {
        run(async {
            let clock = clock();
            let objects = PlannedObjects::new(plan);
            let mut condition = Condition::Absent;
            if is_there {
                let before = objects.inner.put("k", Bytes::from_static(b"before"), Condition::Always).await.unwrap();
                let Written::Done(tag) = before else { unreachable!() };
                condition = Condition::Matches(tag);
            }
            if is_moved {
                objects.inner.put("k", Bytes::from_static(b"another's"), Condition::Always).await.unwrap();
            }
            let written = put_where(&objects, &clock, after(&clock, LONG), "k", b"ours".to_vec(), &condition).await;
            let is_ours = objects.inner.versions("k").last().is_some_and(|last| last == b"ours");
            prop_assert_eq!((is_ours, written.unwrap().is_some()), (!is_moved, !is_moved));
            Ok(())
        })?;
    }
}
