//! Writing batches, and reading a time range.

use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{Batch, SourceRecord, payload};
use modstream_archive::{
    ArchiveError, ArchivedRecord, Content, Key, Reader, Unreadable, WriteError, decode, encode, write,
};
use modstream_platform::deliver::PutIfAbsent;
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, Clock, Condition, Objects, Written};
use proptest::prelude::*;

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/comments";
const SHARDS: [&str; 2] = ["shardId-000000000000", "shardId-000000000001"];
const START: i64 = 1_767_607_200;

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time")
}

/// Number `number` of its shard, which arrived `minute` minutes after the start.
fn record(number: u64, minute: i64) -> ArchivedRecord {
    ArchivedRecord {
        sequence_number: number.to_string(),
        partition_key: format!("k{number}"),
        arrived: time(60 * minute),
        content: Content::Data(format!("{{\"number\":{number}}}").into_bytes()),
    }
}

async fn store(objects: &MemoryObjects, shard: &str, records: &[ArchivedRecord]) -> String {
    let (key, bytes) = encode("comments", shard, records).expect("an object");
    let put = objects.put(&key.to_string(), bytes.into(), Condition::Absent).await;
    assert!(matches!(put, Ok(Written::Done(_))), "{key}");
    key.to_string()
}

async fn read(objects: &MemoryObjects, from: Timestamp, to: Timestamp) -> (Vec<(String, String)>, Vec<Unreadable>) {
    let clock = MemoryClock::system();
    let mut reader = Reader::open(objects, &clock, "comments", from, to).await.expect("lists");
    let mut read = Vec::new();
    while let Some(stored) = reader.next().await.expect("reads") {
        read.push((stored.shard_id, stored.record.sequence_number));
    }
    (read, reader.unreadable().to_vec())
}

fn numbers(read: &[(String, String)]) -> Vec<&str> {
    read.iter().map(|(_, number)| number.as_str()).collect()
}

fn payload_of(records: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let records = records.iter().map(|(shard_id, sequence_number, data)| SourceRecord {
        event_source_arn: ARN,
        shard_id,
        sequence_number,
        partition_key: "k",
        arrived_seconds: START as f64 + 0.25,
        data,
    });
    payload::encode(&records.collect::<Vec<_>>())
}

#[tokio::test]
async fn a_batch_is_one_object_and_its_repeat_changes_nothing() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::system());
    let payload = payload_of(&[(SHARDS[0], "7", b"{\"a\":1}"), (SHARDS[0], "10", b"no JSON")]);
    let batch = Batch::parse(&payload).expect("a batch");
    for outcome in [PutIfAbsent::Written, PutIfAbsent::Existed] {
        let deadline = clock.now() + Duration::from_secs(5);
        let archived = write(&objects, &clock, deadline, &batch.records).await.expect("archived");
        assert_eq!(archived.outcome, outcome);
        assert_eq!(
            archived.key.to_string(),
            format!("archive/comments/2026-01-05T10/{}/7-10-ad20437f.jsonl.zst", SHARDS[0])
        );
    }
    let keys = objects.list("").await.expect("lists");
    assert_eq!(keys.len(), 1);
    let versions = objects.versions(&keys[0]);
    assert_eq!(versions.len(), 1);
    let (_, records) = decode(&versions[0]).expect("reads");
    let data: Vec<&Content> = records.iter().map(|record| &record.content).collect();
    assert_eq!(data, [&Content::Data(b"{\"a\":1}".to_vec()), &Content::Data(b"no JSON".to_vec())]);
    assert_eq!(records[0].arrived.to_string(), "2026-01-05T10:00:00.25Z");
}

#[tokio::test]
async fn a_payload_that_no_shard_sends_is_refused_and_nothing_is_written() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::system());
    for (records, error) in [
        (&[][..], ArchiveError::Empty),
        (&[(SHARDS[0], "7", &b"{}"[..]), (SHARDS[1], "8", b"{}")], ArchiveError::Unordered),
        (&[(SHARDS[0], "8", b"{}"), (SHARDS[0], "7", b"{}")], ArchiveError::Unordered),
        (&[("../models", "7", b"{}")], ArchiveError::Position),
    ] {
        let payload = payload_of(records);
        let batch = Batch::parse(&payload).expect("a batch");
        let deadline = clock.now() + Duration::from_secs(5);
        let refused = write(&objects, &clock, deadline, &batch.records).await;
        assert_eq!(refused, Err(WriteError::Records(error)));
    }
    assert!(objects.list("").await.expect("lists").is_empty());
}

#[tokio::test]
async fn data_that_is_no_base64_is_kept_as_it_came() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::system());
    let payload = payload_of(&[(SHARDS[0], "7", b"{}")]);
    let text = String::from_utf8(payload).expect("text").replace("\"e30=\"", "\"%%%\"");
    let batch = Batch::parse(text.as_bytes()).expect("a batch");
    write(&objects, &clock, clock.now() + Duration::from_secs(5), &batch.records).await.expect("archived");
    let key = &objects.list("").await.expect("lists")[0];
    let (_, records) = decode(&objects.versions(key)[0]).expect("reads");
    assert_eq!(records[0].content, Content::Data(b"%%%".to_vec()));
}

#[tokio::test]
async fn repeats_in_other_bounds_are_dropped() {
    let objects = MemoryObjects::new();
    let all: Vec<ArchivedRecord> = (1..=9).map(|number| record(number, number as i64)).collect();
    // A batch, its halves after a bisect, and one that overlaps both.
    for range in [0..8, 0..4, 4..8, 2..9] {
        store(&objects, SHARDS[1], &all[range]).await;
    }
    store(&objects, SHARDS[0], &[record(20, 3)]).await;
    let (read, unreadable) = read(&objects, time(0), time(3600)).await;
    let mut expected = vec![(SHARDS[0].to_owned(), "20".to_owned())];
    expected.extend((1..=9).map(|number| (SHARDS[1].to_owned(), number.to_string())));
    assert_eq!((read, unreadable), (expected, Vec::new()));
}

#[tokio::test]
async fn a_range_takes_what_arrived_in_it_and_also_from_a_batch_that_began_before() {
    let objects = MemoryObjects::new();
    // By the minute: a batch that spans three hours, one within the second hour, and later ones.
    store(&objects, SHARDS[0], &[record(1, 0), record(2, 70), record(3, 130)]).await;
    store(&objects, SHARDS[0], &[record(4, 150), record(9, 170)]).await;
    store(&objects, SHARDS[0], &[record(10, 180), record(11, 240)]).await;
    for (from, to, expected) in [
        (0, 300, &["1", "2", "3", "4", "9", "10", "11"][..]),
        (70, 130, &["2"]),
        (125, 171, &["3", "4", "9"]),
        (180, 240, &["10"]),
        (240, 241, &["11"]),
        (241, 1000, &[]),
        (300, 0, &[]),
    ] {
        let (read, _) = read(&objects, time(60 * from), time(60 * to)).await;
        assert_eq!(numbers(&read), expected, "{from} to {to}");
    }
    let (read, _) = read(&objects, Timestamp::MIN, Timestamp::MAX).await;
    assert_eq!(read.len(), 7);
}

#[tokio::test]
async fn a_damaged_object_costs_its_own_records_and_is_named() {
    let objects = MemoryObjects::new();
    store(&objects, SHARDS[0], &[record(1, 0)]).await;
    let damaged = store(&objects, SHARDS[0], &[record(2, 1)]).await;
    let moved = store(&objects, SHARDS[0], &[record(3, 2)]).await;
    store(&objects, SHARDS[0], &[record(4, 3)]).await;
    objects.put(&damaged, Bytes::from_static(b"(\xb5/\xfd"), Condition::Always).await.expect("put");
    let (_, other) = encode("comments", SHARDS[1], &[record(3, 2)]).expect("an object");
    objects.put(&moved, other.into(), Condition::Always).await.expect("put");
    // Nobody's object of the archive.
    objects.put("archive/comments/2026-01-05T10/notes.txt", Bytes::new(), Condition::Always).await.expect("put");
    let (read, unreadable) = read(&objects, time(0), time(3600)).await;
    assert_eq!(numbers(&read), ["1", "4"]);
    let expected = [(damaged, ArchiveError::NotZstd), (moved, ArchiveError::Misplaced)];
    assert_eq!(unreadable, expected.map(|(key, error)| Unreadable { key, error }));
}

#[tokio::test]
async fn what_one_object_forgot_no_other_brings_back() {
    let objects = MemoryObjects::new();
    let forgotten =
        ArchivedRecord { content: Content::Forgotten(time(9)), partition_key: String::new(), ..record(1, 0) };
    store(&objects, SHARDS[0], &[record(1, 0), record(2, 1)]).await;
    store(&objects, SHARDS[0], std::slice::from_ref(&forgotten)).await;
    let clock = MemoryClock::system();
    let mut reader = Reader::open(&objects, &clock, "comments", time(0), time(3600)).await.expect("lists");
    let first = reader.next().await.expect("reads").expect("a record");
    assert_eq!(first.record, forgotten);
}

#[tokio::test]
async fn batches_that_begin_and_end_alike_are_two_objects() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::system());
    let [one, five] = [(SHARDS[0], "1", b"{}".as_slice()), (SHARDS[0], "5", b"{}".as_slice())];
    let between = [(SHARDS[0], "2", b"{}".as_slice()), (SHARDS[0], "3", b"{}".as_slice())];
    for batch in [[one, between[0], five], [one, between[1], five]] {
        let payload = payload_of(&batch);
        let batch = Batch::parse(&payload).expect("a batch");
        let deadline = clock.now() + Duration::from_secs(5);
        write(&objects, &clock, deadline, &batch.records).await.expect("archived");
    }
    let mut reader = Reader::open(&objects, &clock, "comments", time(0), time(3600)).await.expect("lists");
    let mut numbers = Vec::new();
    while let Some(stored) = reader.next().await.expect("reads") {
        numbers.push(stored.record.sequence_number);
    }
    assert_eq!(numbers, ["1", "2", "3", "5"]);
}

#[test]
fn keys_of_other_objects_are_none() {
    for key in [
        "alerts/2026-01-05T10/a/sent.json",
        "archive/comments/2026-01-05T10/shard/1-2-0123abcd.jsonl",
        "archive/comments/2026-01-05/shard/1-2-0123abcd.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/1-2.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/1-2-0123ABCD.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/1-2-0123abcd-0.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/1.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/1-x-0123abcd.jsonl.zst",
        "archive/comments/2026-01-05T10/shard/more/1-2-0123abcd.jsonl.zst",
        "archive//2026-01-05T10/shard/1-2-0123abcd.jsonl.zst",
    ] {
        assert_eq!(Key::parse(key), None, "{key}");
    }
}

proptest! {
    /// However a shard's records were cut into batches, and however often: each once, in order.
    #[test]
    fn any_batches_of_a_shard_are_read_as_its_records(
        steps in proptest::collection::vec((1..1000_u64, 0..50_i64), 1..40),
        cuts in proptest::collection::vec((0..40_usize, 1..40_usize), 0..12),
        (from, length) in (0..900_i64, 0..900_i64),
    ) {
        let (mut number, mut minute) = (0, 0);
        let all: Vec<ArchivedRecord> = steps
            .into_iter()
            .map(|(step, wait)| {
                number += step;
                minute += wait;
                record(number, minute)
            })
            .collect();
        let objects = MemoryObjects::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let cuts = cuts.into_iter().map(|(start, length)| start.min(all.len())..(start + length).min(all.len()));
        let whole: Vec<_> = (0..all.len()).step_by(5).map(|start| start..(start + 5).min(all.len())).collect();
        let read = runtime.block_on(async {
            for cut in cuts.chain(whole).filter(|cut| !cut.is_empty()) {
                let (key, bytes) = encode("comments", SHARDS[0], &all[cut]).expect("an object");
                objects.put(&key.to_string(), bytes.into(), Condition::Absent).await.expect("put");
            }
            read(&objects, time(60 * from), time(60 * (from + length))).await.0
        });
        let range = time(60 * from)..time(60 * (from + length));
        let expected: Vec<&str> =
            all.iter().filter(|record| range.contains(&record.arrived)).map(|record| record.sequence_number.as_str()).collect();
        prop_assert_eq!(numbers(&read), expected);
    }
}

proptest! {
    /// However arrival jumps, within a batch and between them: what arrived in a range is found.
    #[test]
    fn a_range_is_whole_also_where_arrival_does_not_ascend(
        minutes in proptest::collection::vec(-4_000..4_000_i64, 1..30),
        batch in 1..8_usize,
        (from, length) in (-4_500..4_500_i64, 0..3_000_i64),
    ) {
        let numbered = minutes.iter().enumerate().map(|(number, minute)| record(number as u64 + 1, *minute));
        let all: Vec<ArchivedRecord> = numbered.collect();
        let objects = MemoryObjects::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (read, unreadable) = runtime.block_on(async {
            for batch in all.chunks(batch) {
                store(&objects, SHARDS[0], batch).await;
            }
            read(&objects, time(60 * from), time(60 * (from + length))).await
        });
        let range = time(60 * from)..time(60 * (from + length));
        let expected: Vec<&str> = all
            .iter()
            .filter(|record| range.contains(&record.arrived))
            .map(|record| record.sequence_number.as_str())
            .collect();
        prop_assert_eq!((numbers(&read), unreadable), (expected, Vec::new()));
    }
}

#[tokio::test]
async fn a_name_says_from_when_to_when_its_records_arrived_where_its_hour_does_not() {
    let objects = MemoryObjects::new();
    let within = store(&objects, SHARDS[0], &[record(1, 59), record(2, 0)]).await;
    let across = store(&objects, SHARDS[0], &[record(3, 61), record(4, 200), record(5, 1)]).await;
    assert!(within.contains("/2026-01-05T10/") && within.matches('-').count() == across.matches('-').count() - 2);
    assert!(across.contains("/2026-01-05T11/") && across.ends_with("-20260105T10-20260105T13.jsonl.zst"), "{across}");
    let key = Key::parse(&across).expect("a key");
    assert_eq!(key.to_string(), across);
    // Only what reaches into the range is read.
    let clock = MemoryClock::system();
    let mut reader =
        Reader::open(&objects, &clock, "comments", time(12 * 60 * 60), time(13 * 60 * 60)).await.expect("lists");
    assert_eq!(reader.next().await.expect("reads"), None);
    // The last one whose name says nothing of hours: an earlier version may have written it.
    assert_eq!(reader.objects_read(), 1);
    // A name of an earlier version says nothing of it, and is believed as it was.
    let old = across.replace("-20260105T10-20260105T13", "");
    let bytes = objects.versions(&across).remove(0);
    let objects = MemoryObjects::new();
    objects.put(&old, bytes.into(), Condition::Always).await.expect("put");
    let (read, unreadable) = read(&objects, time(190 * 60), time(210 * 60)).await;
    assert_eq!((numbers(&read), unreadable), (vec!["4"], Vec::new()));
    for wrong in ["20260105T13-20260105T10", "20260105T10", "20260105T1x-20260105T13", "2026-01-05T10-20260105T13"] {
        let key = across.replace("20260105T10-20260105T13", wrong);
        assert_eq!(Key::parse(&key), None, "{key}");
    }
}
