//! Putting records on a stream: order, retries, limits, deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use modstream_platform::deliver::{Cause, Delivery, put_all};
use modstream_platform::{
    CallError, CallErrorKind, Clock, MAX_PUT_RECORDS, MAX_RECORD_BYTES, PutOutcome, PutRecord, Stream,
};
use proptest::prelude::*;

use crate::world::{Call, PlannedStream, after, clock, error, record, run};

const LONG: Duration = Duration::from_secs(3600);

fn failing_call() -> impl Strategy<Value = Call> {
    prop_oneof![
        1 => Just(Call::Fails(CallErrorKind::Unavailable)),
        1 => Just(Call::Fails(CallErrorKind::OutcomeUnknown)),
        1 => Just(Call::AnswerLost),
        4 => prop::collection::vec(any::<bool>(), 1..6).prop_map(Call::EntriesFail),
    ]
}

/// Records of few keys, each with its position as data.
fn records() -> impl Strategy<Value = Vec<PutRecord>> {
    prop::collection::vec("[a-e]", 0..40)
        .prop_map(|keys| keys.iter().enumerate().map(|(n, key)| record(key, n.to_string())).collect())
}

/// The positions of each key's records on the stream, in stream order, repeats dropped.
fn stored_by_key(stream: &PlannedStream) -> BTreeMap<String, Vec<usize>> {
    let mut stored: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for record in stream.inner.records() {
        let position = String::from_utf8(record.data.clone()).unwrap().parse().unwrap();
        let of_key = stored.entry(record.partition_key.clone()).or_default();
        if !of_key.contains(&position) {
            of_key.push(position);
        }
    }
    stored
}

fn positions_by_key(records: &[PutRecord]) -> BTreeMap<String, Vec<usize>> {
    let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, record) in records.iter().enumerate() {
        all.entry(record.partition_key.clone()).or_default().push(position);
    }
    all
}

proptest! {
    #[test]
    fn whatever_fails_for_a_while_every_record_is_stored_and_keys_keep_their_order(
        records in records(),
        plan in prop::collection::vec(failing_call(), 0..12),
    ) {
        run(async {
            let clock = clock();
            let lost_answers = plan.iter().any(|call| matches!(call, Call::AnswerLost));
            let stream = PlannedStream::new(clock, plan);
            let deliveries = put_all(&stream, &clock, after(&clock, LONG), records.clone()).await;

            prop_assert_eq!(stored_by_key(&stream), positions_by_key(&records));
            let on_stream = stream.inner.records();
            if !lost_answers {
                prop_assert_eq!(on_stream.len(), records.len(), "no record twice");
            }
            prop_assert_eq!(deliveries.len(), records.len());
            for (delivery, record) in deliveries.iter().zip(&records) {
                let Delivery::Stored { shard_id, sequence_number } = delivery else {
                    return Err(TestCaseError::fail(format!("{delivery:?}")));
                };
                let shard = stream.inner.get_records(shard_id, None, usize::MAX).unwrap();
                let found = shard.iter().find(|stored| stored.sequence_number == *sequence_number).unwrap();
                prop_assert_eq!((&found.partition_key, &found.data), (&record.partition_key, &record.data));
            }
            Ok(())
        })?;
    }

    #[test]
    fn out_of_time_what_is_stored_of_a_key_is_a_beginning_of_it(
        records in records(),
        plan in prop::collection::vec(failing_call(), 20),
        millis in 0..400_u64,
    ) {
        run(async {
            let clock = clock();
            let stream = PlannedStream::new(clock, plan);
            let deliveries = put_all(&stream, &clock, after(&clock, Duration::from_millis(millis)), records.clone()).await;
            let stored = stored_by_key(&stream);
            for (key, positions) in positions_by_key(&records) {
                let of_key = stored.get(&key).cloned().unwrap_or_default();
                prop_assert!(positions.starts_with(&of_key), "{key}: {of_key:?} of {positions:?}");
                let acknowledged = positions.iter().take_while(|at| matches!(deliveries[**at], Delivery::Stored { .. })).count();
                prop_assert!(acknowledged <= of_key.len());
                // Nothing counts as stored that stands after something that is not.
                for at in &positions[acknowledged..] {
                    prop_assert!(matches!(&deliveries[*at], Delivery::Failed(error) if error.deadline_passed));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_call_carries_a_key_once(records in records(), plan in prop::collection::vec(failing_call(), 0..6)) {
        run(async {
            let clock = clock();
            let stream = PlannedStream::new(clock, plan);
            put_all(&stream, &clock, after(&clock, LONG), records).await;
            for call in stream.calls.lock().unwrap().iter() {
                let mut keys: Vec<_> = call.iter().map(|record| &record.partition_key).collect();
                keys.sort();
                keys.dedup();
                prop_assert_eq!(keys.len(), call.len());
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn only_failed_entries_are_sent_again_and_before_later_ones() {
    let clock = clock();
    let stream = PlannedStream::new(clock, [Call::EntriesFail(vec![false, true, false])]);
    let records = vec![record("a", "0"), record("b", "1"), record("c", "2"), record("a", "3")];
    put_all(&stream, &clock, after(&clock, LONG), records.clone()).await;
    let [a, b, c, second_a] = &records[..] else { unreachable!() };
    let expected = [vec![a.clone(), b.clone(), c.clone()], vec![b.clone(), second_a.clone()]];
    assert_eq!(*stream.calls.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_keys_take_twenty_full_calls() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    let records: Vec<_> = (0..10_000).map(|n| record(&format!("k{n}"), "x")).collect();
    let deliveries = put_all(&stream, &clock, after(&clock, LONG), records).await;
    assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Stored { .. })));
    assert_eq!(stream.call_sizes(), [MAX_PUT_RECORDS; 20]);
}

#[tokio::test(start_paused = true)]
async fn where_keys_repeat_a_call_is_filled_from_the_other_keys() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    let mut records: Vec<_> = (0..8).map(|n| record("hot", n.to_string())).collect();
    records.extend((0..1500).map(|n| record(&format!("k{n}"), "x")));
    put_all(&stream, &clock, after(&clock, LONG), records).await;
    assert_eq!(stream.call_sizes(), [500, 500, 500, 4, 1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_five_mebibytes_at_most() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    // Five of these are 5 MiB exactly.
    let records: Vec<_> = (0..11).map(|n| record(&format!("k{n:02}"), vec![b'x'; MAX_RECORD_BYTES - 3])).collect();
    let deliveries = put_all(&stream, &clock, after(&clock, LONG), records).await;
    assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Stored { .. })));
    assert_eq!(stream.call_sizes(), [5, 5, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_too_large_is_named_and_holds_up_nothing() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    let records = vec![record("a", "0"), record("a", vec![b'x'; MAX_RECORD_BYTES]), record("a", "2"), record("b", "3")];
    let deliveries = put_all(&stream, &clock, after(&clock, LONG), records).await;
    assert_eq!(deliveries[1], Delivery::TooLarge { bytes: MAX_RECORD_BYTES + 1 });
    assert_eq!(stored_by_key(&stream), BTreeMap::from([("a".into(), vec![0, 2]), ("b".into(), vec![3])]));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_stream_takes_fails_its_record_alone() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    let long = "é".repeat(257);
    let records = vec![record("", "0"), record(&long, "1"), record(&long[2..], "2")];
    let deliveries = put_all(&stream, &clock, after(&clock, LONG), records).await;
    for (position, characters) in [(0, 0), (1, 257)] {
        let Delivery::Failed(error) = &deliveries[position] else { panic!("{:?}", deliveries[position]) };
        assert_eq!((&error.cause, error.deadline_passed), (&Cause::InvalidKey { characters }, false));
    }
    assert!(matches!(deliveries[2], Delivery::Stored { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_trying_again_cannot_help_ends_it_after_one_call() {
    for kind in [CallErrorKind::Denied, CallErrorKind::Invalid] {
        let clock = clock();
        let stream = PlannedStream::new(clock, [Call::Fails(kind)]);
        let records: Vec<_> = (0..700).map(|n| record(&format!("k{n}"), "x")).collect();
        let deliveries = put_all(&stream, &clock, after(&clock, LONG), records).await;
        assert_eq!(stream.call_sizes(), [500]);
        for delivery in deliveries {
            let Delivery::Failed(failed) = delivery else { panic!("{delivery:?}") };
            assert_eq!((failed.cause, failed.deadline_passed), (Cause::Call(error(kind)), false));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_another_number_of_records_is_an_error_for_all_that_are_pending() {
    let clock = clock();
    let stream = PlannedStream::new(clock, [Call::AnswersShort]);
    let deliveries =
        put_all(&stream, &clock, after(&clock, LONG), vec![record("a", "0"), record("b", "1"), record("a", "2")]).await;
    for delivery in deliveries {
        let Delivery::Failed(failed) = delivery else { panic!("{delivery:?}") };
        assert_eq!(failed.cause, Cause::OutcomeCount { entries: 2, outcomes: 1 });
    }
    assert_eq!(stream.call_sizes(), [2]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_it_with_the_last_cause_and_no_call_starts_after_it() {
    let clock = clock();
    let plan = std::iter::repeat_n(Call::Fails(CallErrorKind::Unavailable), 1000);
    let stream = PlannedStream::new(clock, plan);
    let deadline = after(&clock, Duration::from_secs(10));
    let deliveries = put_all(&stream, &clock, deadline, vec![record("a", "0")]).await;
    let [Delivery::Failed(failed)] = &deliveries[..] else { panic!("{deliveries:?}") };
    assert!(failed.deadline_passed);
    assert_eq!(failed.cause, Cause::Call(error(CallErrorKind::Unavailable)));
    assert_eq!(failed.to_string(), "the deadline ran out; test Test: unavailable: planned");
    assert!(clock.now() <= deadline);
    let calls = stream.call_times.lock().unwrap();
    // Waits of up to 2 s, drawn evenly: about one a second after the first few.
    assert!((6..40).contains(&calls.len()), "{} calls", calls.len());
    assert!(calls.iter().all(|time| *time < deadline));
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_nothing_is_tried() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    let deliveries = put_all(&stream, &clock, clock.now(), vec![record("a", "0")]).await;
    let [Delivery::Failed(failed)] = &deliveries[..] else { panic!("{deliveries:?}") };
    assert_eq!((&failed.cause, failed.deadline_passed), (&Cause::NotTried, true));
    assert!(stream.call_sizes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_to_put_is_no_call() {
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    assert_eq!(put_all(&stream, &clock, after(&clock, LONG), Vec::new()).await, []);
    assert!(stream.call_sizes().is_empty());
}

#[test]
fn a_delivery_can_be_awaited_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let clock = clock();
    let stream = PlannedStream::new(clock, []);
    sendable(put_all(&stream, &clock, after(&clock, LONG), vec![record("a", "0")]));
}

/// A stream that refuses a call as a whole for any record whose data is in the list.
struct Refusing {
    inner: PlannedStream,
    bad: Vec<Vec<u8>>,
}

impl Stream for Refusing {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let is_refused = records.iter().any(|record| self.bad.contains(&record.data));
        if is_refused { Err(error(CallErrorKind::Refused)) } else { self.inner.put_records(records).await }
    }
}

proptest! {
    /// Whatever else fails: the records that are refused are named, the others are stored in their keys' order.
    #[test]
    fn of_calls_that_are_refused_for_records_only_those_are_refused(
        records in records(),
        bad in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        plan in prop::collection::vec(failing_call(), 0..6),
    ) {
        run(async {
            let clock = clock();
            let bad: Vec<Vec<u8>> = match records.len() {
                0 => Vec::new(),
                count => bad.iter().map(|index| records[index.index(count)].data.clone()).collect(),
            };
            let stream = Refusing { inner: PlannedStream::new(clock, plan), bad: bad.clone() };
            let deliveries = put_all(&stream, &clock, after(&clock, LONG), records.clone()).await;
            for (delivery, record) in deliveries.iter().zip(&records) {
                let is_refused = matches!(delivery, Delivery::Refused { .. });
                prop_assert_eq!(is_refused, bad.contains(&record.data), "{:?}", delivery);
                prop_assert!(is_refused || matches!(delivery, Delivery::Stored { .. }), "{:?}", delivery);
            }
            let mut expected = positions_by_key(&records);
            for positions in expected.values_mut() {
                positions.retain(|at| !bad.contains(&records[*at].data));
            }
            expected.retain(|_, positions| !positions.is_empty());
            prop_assert_eq!(stored_by_key(&stream.inner), expected);
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn one_record_among_five_hundred_takes_few_calls_more() {
    let clock = clock();
    let stream = Refusing { inner: PlannedStream::new(clock, []), bad: vec![b"123".to_vec()] };
    let records: Vec<_> = (0..500).map(|n| record(&format!("k{n}"), n.to_string())).collect();
    let deliveries = put_all(&stream, &clock, clock.now() + Duration::from_millis(1), records).await;
    assert!(matches!(deliveries[123], Delivery::Refused { .. }));
    assert_eq!(stream.inner.call_sizes().iter().sum::<usize>(), 499);
    assert!(stream.inner.call_sizes().len() <= 10, "{:?}", stream.inner.call_sizes());
}
