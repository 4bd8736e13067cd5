//! A stream in a file: places, shards, identities, and what is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::event_source::{Reader, Source as _};
use modstream_platform::memory::{MemoryClock, MemoryStream};
use modstream_platform::sqlite::{Beginning, Database, Role, SqliteStream};
use modstream_platform::{PutOutcome, PutRecord, Stream as _};
use proptest::prelude::*;

use crate::{folder, record, runtime, serve};

fn places(outcomes: Vec<PutOutcome>) -> Vec<(String, String)> {
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            PutOutcome::Stored { shard_id, sequence_number } => (shard_id, sequence_number),
            PutOutcome::Failed { message, .. } => panic!("{message}"),
        })
        .collect()
}

fn texts(stream: &SqliteStream, after: Option<&str>) -> Vec<String> {
    let records = stream.records(after, 1_000).expect("reads");
    records.into_iter().map(|(_, record)| String::from_utf8(record.data.clone()).expect("text")).collect()
}

/// The text before a colon is the identity.
fn identity(record: &PutRecord) -> Option<[u8; 16]> {
    let text = std::str::from_utf8(&record.data).ok()?;
    let (id, _) = text.split_once(':')?;
    let mut identity = [0; 16];
    identity[..id.len()].copy_from_slice(id.as_bytes());
    Some(identity)
}

const READER: Reader<'static> = Reader { function: "f", shard: 0, lane: 0, lanes: 1 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_key_goes_where_the_memory_world_puts_it(keys in prop::collection::vec(".{1,8}", 1..20), shards in 1..5_usize) {
        let folder = folder();
        let database = serve(folder.path());
        runtime().block_on(async {
            let records: Vec<PutRecord> = keys.iter().map(|key| record(key, "x")).collect();
            let memory = MemoryStream::new("comments", shards, MemoryClock::system());
            let sqlite = SqliteStream::open(&database, "comments", shards).await.expect("opens");
            let shards = |outcomes| places(outcomes).into_iter().map(|(shard, _)| shard).collect::<Vec<_>>();
            prop_assert_eq!(
                shards(memory.put_records(&records).await.expect("puts")),
                shards(sqlite.put_records(&records).await.expect("puts"))
            );
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_stream_is_what_it_was_made_as_and_places_ascend_also_after_a_restart() {
    let folder = folder();
    let mut last = String::new();
    for round in 0..3 {
        let database = serve(folder.path());
        let stream = SqliteStream::open(&database, "comments", 2 + round).await.expect("opens");
        assert_eq!(stream.shard_ids().len(), 2);
        let records = [record("a", "1"), record("b", "2"), record("a", "3")];
        for (_, place) in places(stream.put_records(&records).await.expect("puts")) {
            assert!(place > last && place.len() == 56, "{place} after {last}");
            last = place;
        }
        // All are gone, but their places are not used again.
        stream.trim(Timestamp::MAX, 1_000).await.expect("trims");
    }
}

#[tokio::test]
async fn one_of_each_identity_is_held_and_a_repeat_is_told_its_place() {
    let folder = folder();
    let database = serve(folder.path());
    let plain = SqliteStream::open(&database, "comments", 1).await.expect("opens");
    let stream = plain.identified_by(identity);
    let first = places(stream.put_records(&[record("k", "a:1"), record("k", "b:1")]).await.expect("puts"));
    let again = [record("k", "b:2"), record("k", "c:1"), record("k", "c:2"), record("k", "none"), record("k", "none")];
    let second = places(stream.put_records(&again).await.expect("puts"));
    assert_eq!((&second[0], &second[1]), (&first[1], &second[2]));
    assert_ne!(second[3], second[4]);
    assert_eq!(texts(&stream, None), ["a:1", "b:1", "c:1", "none", "none"]);
    // Who puts something back, as redrive does, means it.
    plain.put_records(&[record("k", "a:1")]).await.expect("puts");
    assert_eq!(texts(&stream, Some(&second[4].1)), ["a:1"]);
}

#[tokio::test]
async fn what_a_reader_has_not_come_to_is_kept_however_old_it_is() {
    let folder = folder();
    let time = Arc::new(AtomicI64::new(1_000));
    let now = Arc::clone(&time);
    let now = move || Timestamp::from_second(now.load(Ordering::Relaxed)).expect("a time");
    let database = Database::open_at(folder.path(), Role::Serve, Arc::new(now)).expect("opens");
    let stream = SqliteStream::open(&database, "comments", 1).await.expect("opens");
    stream.begin("f", Beginning::Oldest).await.expect("begins");
    let mut all = Vec::new();
    // The clock is set back in between: the order is that of arrival all the same.
    for (text, at) in [("1", 1_000), ("2", 5_000), ("3", 2_000), ("4", 6_000)] {
        time.store(at, Ordering::Relaxed);
        all.extend(places(stream.put_records(&[record("k", text)]).await.expect("puts")));
    }
    let before = |seconds| Timestamp::from_second(seconds).expect("a time");
    let behind = |stream: &SqliteStream| stream.behind().expect("reads").remove(0).1;
    assert_eq!((behind(&stream).records, behind(&stream).age), (4, Duration::from_secs(5_000)));
    assert_eq!(stream.trim(before(9_000), 100).await, Ok(0));
    assert!(stream.done(READER, &all[2].1, Default::default()).await);
    assert_eq!((behind(&stream).records, behind(&stream).age), (1, Duration::ZERO));
    // What stands behind a record that is kept is kept.
    assert_eq!(stream.trim(before(3_000), 100).await, Ok(1));
    assert_eq!(texts(&stream, None), ["2", "3", "4"]);
    assert_eq!(stream.trim(before(9_000), 1).await, Ok(1), "no more than is asked for");
    assert_eq!(stream.trim(before(9_000), 100).await, Ok(1));
    assert_eq!(texts(&stream, None), ["4"]);
}

#[tokio::test]
async fn a_new_reader_begins_where_it_says_and_one_that_is_known_goes_on() {
    let folder = folder();
    let database = serve(folder.path());
    let stream = SqliteStream::open(&database, "comments", 1).await.expect("opens");
    let all = places(stream.put_records(&[record("a", "1"), record("a", "2"), record("a", "3")]).await.expect("puts"));
    for (function, beginning, waiting) in [("old", Beginning::Oldest, 3), ("new", Beginning::Now, 0)] {
        let reader = Reader { function, ..READER };
        stream.begin(function, beginning).await.expect("begins");
        let place = stream.checkpoint(reader).await.expect("is known");
        assert_eq!(texts(&stream, Some(&place)).len(), waiting, "{function}");
        assert!(stream.done(reader, &all[1].1, Default::default()).await);
        stream.begin(function, beginning).await.expect("goes on");
        assert_eq!(stream.checkpoint(reader).await.as_ref(), Some(&all[1].1));
    }
    stream.forget("old").await.expect("forgets");
    assert_eq!(stream.behind().expect("reads").len(), 1);
}

#[tokio::test]
async fn a_shard_to_which_nothing_comes_holds_nothing_up() {
    let folder = folder();
    let database = serve(folder.path());
    let stream = SqliteStream::open(&database, "comments", 2).await.expect("opens");
    stream.begin("f", Beginning::Oldest).await.expect("begins");
    let all = places(stream.put_records(&[record("a", "1"), record("a", "2")]).await.expect("puts"));
    let shard = stream.shard_ids().iter().position(|id| *id == all[0].0).expect("is there");
    assert!(stream.done(Reader { shard, ..READER }, &all[1].1, Default::default()).await);
    assert_eq!(stream.behind().expect("reads")[0].1.records, 0);
    assert_eq!(stream.trim(Timestamp::MAX, 100).await, Ok(2));
}

#[tokio::test]
async fn what_another_process_puts_is_seen() {
    let folder = folder();
    let database = serve(folder.path());
    let stream = SqliteStream::open(&database, "comments", 1).await.expect("opens");
    let other = Database::open(folder.path(), Role::Beside).expect("opens");
    let theirs = SqliteStream::open(&other, "comments", 1).await.expect("opens");
    let seen = stream.changed(|| !texts(&stream, None).is_empty());
    let records = [record("k", "theirs")];
    let ((), put) = tokio::join!(seen, theirs.put_records(&records));
    put.expect("puts");
}
