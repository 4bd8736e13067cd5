//! The batch rules, over every mixture of record fates.

use std::future::Future;
use std::sync::Mutex;

use kinesis_batch::{
    Batch, BatchResponse, Cause, Fault, Handler, Outcome, Record, Report, SourceRecord, handle, install_panic_hook,
    payload,
};
use proptest::prelude::*;

/// What happens to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Skipped,
    NotBase64,
    Bad,
    Panics,
    RefusedForGood,
    Transient,
    /// Bad, and the write to quarantine fails.
    NotKept,
    /// Bad, and the write to quarantine panics.
    KeepingPanics,
}

use Fate::{Bad, Delivered, KeepingPanics, NotBase64, NotKept, Panics, RefusedForGood, Skipped, Transient};

const ALL: [Fate; 9] = [Delivered, Skipped, NotBase64, Bad, Panics, RefusedForGood, Transient, NotKept, KeepingPanics];

impl Fate {
    fn of(data: &[u8]) -> Self {
        ALL[usize::from(data[0])]
    }

    /// The record is neither delivered nor skipped nor kept.
    fn fails(self) -> bool {
        matches!(self, Transient | NotKept | KeepingPanics)
    }
}

/// How `deliver` breaks its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deliver {
    AsPromised,
    LeavesOut(usize),
    OneTooMany,
    Panics,
}

struct Script {
    deliver: Deliver,
    prepared: Mutex<Vec<usize>>,
    delivered: Mutex<Vec<usize>>,
    kept: Mutex<Vec<usize>>,
}

impl Script {
    fn new(deliver: Deliver) -> Self {
        Script { deliver, prepared: Mutex::default(), delivered: Mutex::default(), kept: Mutex::default() }
    }

    fn delivered(&self) -> Vec<usize> {
        self.delivered.lock().unwrap().clone()
    }

    fn kept(&self) -> Vec<usize> {
        self.kept.lock().unwrap().clone()
    }
}

fn position(record: &Record<'_>) -> usize {
    record.sequence_number.parse::<usize>().unwrap() - 1000
}

fn number(position: usize) -> String {
    (position + 1000).to_string()
}

impl Handler for Script {
    type Item = (usize, Fate);
    type Bad = &'static str;
    type Error = &'static str;

    fn prepare(&self, record: &Record<'_>, data: &[u8]) -> Result<Option<Self::Item>, Self::Bad> {
        self.prepared.lock().unwrap().push(position(record));
        match Fate::of(data) {
            Skipped => Ok(None),
            Bad | NotKept | KeepingPanics => Err("bad"),
            Panics => panic!("a secret"),
            fate => Ok(Some((position(record), fate))),
        }
    }

    fn deliver(&self, items: Vec<Self::Item>) -> impl Future<Output = Vec<Outcome<Self::Bad, Self::Error>>> + Send {
        assert_ne!(self.deliver, Deliver::Panics, "before there is a future");
        let mut outcomes = Vec::new();
        for (position, fate) in items {
            outcomes.push(match fate {
                RefusedForGood => Outcome::Bad("refused"),
                Transient => Outcome::Transient("busy"),
                _ => {
                    self.delivered.lock().unwrap().push(position);
                    Outcome::Done
                }
            });
        }
        match self.deliver {
            Deliver::LeavesOut(some) => outcomes.truncate(outcomes.len().saturating_sub(some)),
            Deliver::OneTooMany => outcomes.push(Outcome::Done),
            _ => {}
        }
        async { outcomes }
    }

    async fn quarantine(&self, record: &Record<'_>, fault: &Fault<Self::Bad>) -> Result<(), Self::Error> {
        // Later writes finish first.
        for _ in 0..20_usize.saturating_sub(position(record)) {
            tokio::task::yield_now().await;
        }
        let mut data = Vec::new();
        if record.decode_into(&mut data).is_ok() {
            match Fate::of(&data) {
                NotKept => return Err("denied"),
                KeepingPanics => panic!("a secret"),
                _ => {}
            }
        } else {
            assert_eq!(fault, &Fault::NotBase64);
        }
        self.kept.lock().unwrap().push(position(record));
        Ok(())
    }
}

fn run(fates: &[Fate], script: &Script) -> Report<&'static str, &'static str> {
    let numbers: Vec<String> = (0..fates.len()).map(number).collect();
    let data: Vec<[u8; 1]> =
        fates.iter().map(|fate| [ALL.iter().position(|other| other == fate).unwrap() as u8]).collect();
    let records: Vec<SourceRecord<'_>> = numbers
        .iter()
        .zip(&data)
        .map(|(sequence_number, data)| SourceRecord {
            event_source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/comments",
            shard_id: "shardId-000000000000",
            sequence_number,
            partition_key: "k",
            arrived_seconds: 0.0,
            data,
        })
        .collect();
    let payload = payload::encode(&records);
    let mut batch = Batch::parse(&payload).unwrap();
    for (record, fate) in batch.records.iter_mut().zip(fates) {
        if *fate == NotBase64 {
            record.encoded = "!".into();
        }
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(handle(&batch, script))
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    // Failures are rare enough that long stretches before them occur.
    let calm = prop::sample::select(vec![Delivered, Skipped, NotBase64, Bad, Panics, RefusedForGood]);
    prop::collection::vec(prop_oneof![12 => calm, 1 => prop::sample::select(ALL.to_vec())], 0..60)
}

/// Panics are part of these tests: keep them off the terminal.
fn quiet() {
    install_panic_hook();
}

proptest! {
    #[test]
    fn the_response_names_the_first_record_that_failed_and_all_before_it_are_settled(fates in fates()) {
        quiet();
        let script = Script::new(Deliver::AsPromised);
        let report = run(&fates, &script);
        let first = fates.iter().position(|fate| fate.fails());

        let expected = first.map_or_else(BatchResponse::success, |position| BatchResponse::failed_from(number(position)));
        prop_assert_eq!(report.response(), expected);

        let settled = first.unwrap_or(fates.len());
        let before = |wanted: &[Fate]| -> Vec<usize> {
            (0..settled).filter(|position| wanted.contains(&fates[*position])).collect()
        };
        let bad = before(&[NotBase64, Bad, Panics, RefusedForGood]);
        let done = before(&[Delivered]);
        prop_assert_eq!(report.records, fates.len());
        prop_assert_eq!(report.delivered, done.len());
        prop_assert_eq!(report.skipped, before(&[Skipped]).len());
        let quarantined: Vec<String> = report.quarantined.iter().map(|kept| kept.sequence_number.clone()).collect();
        prop_assert_eq!(quarantined, bad.iter().copied().map(number).collect::<Vec<_>>());

        // Exactly once, and nothing else before the failure.
        let delivered: Vec<usize> = script.delivered().into_iter().filter(|position| *position < settled).collect();
        prop_assert_eq!(delivered, done);
        let mut kept: Vec<usize> = script.kept().into_iter().filter(|position| *position < settled).collect();
        kept.sort_unstable();
        prop_assert_eq!(kept, bad);
    }

    #[test]
    fn nothing_after_a_failed_delivery_is_quarantined(fates in fates()) {
        quiet();
        let script = Script::new(Deliver::AsPromised);
        run(&fates, &script);
        let undelivered = fates.iter().position(|fate| *fate == Transient).unwrap_or(fates.len());
        prop_assert!(script.kept().iter().all(|position| *position < undelivered));
    }

    #[test]
    fn records_are_prepared_and_delivered_in_order(fates in fates()) {
        quiet();
        let script = Script::new(Deliver::AsPromised);
        run(&fates, &script);
        let decoded: Vec<usize> = (0..fates.len()).filter(|position| fates[*position] != NotBase64).collect();
        prop_assert_eq!(script.prepared.into_inner().unwrap(), decoded);
        let delivered = script.delivered.into_inner().unwrap();
        prop_assert!(delivered.is_sorted());
    }

    #[test]
    fn a_missing_outcome_is_a_failure_of_its_record(fates in fates(), left_out in 1..4_usize) {
        quiet();
        let items: Vec<usize> =
            (0..fates.len()).filter(|at| matches!(fates[*at], Delivered | RefusedForGood | Transient)).collect();
        let answered = items.len().saturating_sub(left_out);
        let first_unanswered = items.get(answered).copied();
        let first_failed = fates.iter().enumerate().position(|(at, fate)| {
            fate.fails() && (*fate != Transient || first_unanswered.is_none_or(|unanswered| at < unanswered))
        });
        let expected = [first_unanswered, first_failed].into_iter().flatten().min();
        let report = run(&fates, &Script::new(Deliver::LeavesOut(left_out)));
        prop_assert_eq!(report.failure.map(|failure| failure.sequence_number), expected.map(number));
    }
}

#[test]
fn too_many_outcomes_fail_the_first_item_since_nobody_knows_whose_they_are() {
    let report = run(&[Skipped, Delivered, Delivered], &Script::new(Deliver::OneTooMany));
    let failure = report.failure.unwrap();
    assert_eq!(failure.sequence_number, number(1));
    assert_eq!(failure.cause, Cause::OutcomeCount { items: 2, outcomes: 3 });
    assert_eq!((report.skipped, report.delivered), (1, 0));
}

#[test]
fn a_panic_while_delivering_fails_the_first_item_and_says_where() {
    quiet();
    let script = Script::new(Deliver::Panics);
    let report = run(&[Skipped, Bad, Delivered, Bad], &script);
    let failure = report.failure.unwrap();
    assert_eq!(failure.sequence_number, number(2));
    let Cause::DeliverPanicked { place: Some(place) } = failure.cause else { panic!("{:?}", failure.cause) };
    assert!(place.contains("handle.rs:"), "{place}");
    assert_eq!(script.kept(), [1]);
}

#[test]
fn a_panic_over_one_record_quarantines_it_with_its_place() {
    quiet();
    let report = run(&[Delivered, Panics, Delivered], &Script::new(Deliver::AsPromised));
    assert_eq!((report.delivered, report.failure), (2, None));
    let Fault::Panicked { place: Some(place) } = &report.quarantined[0].fault else {
        panic!("{:?}", report.quarantined)
    };
    assert!(place.contains("handle.rs:"), "{place}");
}

#[test]
fn a_panic_while_quarantining_fails_that_record() {
    quiet();
    let failure = run(&[Bad, KeepingPanics, Bad], &Script::new(Deliver::AsPromised)).failure.unwrap();
    assert_eq!(failure.sequence_number, number(1));
    assert!(matches!(failure.cause, Cause::QuarantinePanicked { place: Some(_) }));
}

#[test]
fn a_bad_record_that_cannot_be_kept_is_a_failure_with_its_reason() {
    let report = run(&[Bad, NotKept, Delivered], &Script::new(Deliver::AsPromised));
    let failure = report.failure.unwrap();
    assert_eq!(failure.cause, Cause::Quarantine("denied"));
    assert_eq!(failure.cause.to_string(), "the record is bad and could not be quarantined: denied");
    assert_eq!((report.delivered, report.quarantined.len()), (0, 1));
}

#[test]
fn an_empty_batch_is_a_success_and_delivers_nothing() {
    let report = run(&[], &Script::new(Deliver::Panics));
    assert_eq!(report.response(), BatchResponse::success());
    assert_eq!(report.records, 0);
}

#[test]
fn a_batch_can_be_handled_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let batch = Batch::default();
    sendable(handle(&batch, &Script::new(Deliver::AsPromised)));
}
