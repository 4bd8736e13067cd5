//! The memory world behaves as the services do.

use std::collections::BTreeMap;
use std::time::Duration;

use modstream_platform::memory::{Filter, MemoryClock, MemoryObjects, MemoryStream, MemoryTopic};
use modstream_platform::{
    Bytes, CallErrorKind, Clock, Condition, ETag, Fetched, MAX_PUBLISH_BYTES, MAX_PUT_RECORDS, MAX_RECORD_BYTES,
    Message, Objects, PublishOutcome, PutOutcome, Stream, Topic, VersionedObjects, Written,
};
use proptest::prelude::*;

use crate::world::{START, clock, record, run};

#[test]
fn everything_can_be_shared_between_threads() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<MemoryStream>();
    check::<MemoryObjects>();
    check::<MemoryTopic>();
    check::<MemoryClock>();
    check::<modstream_platform::memory::Subscription>();
}

#[tokio::test(start_paused = true)]
async fn the_clock_follows_the_runtimes_time() {
    let clock = MemoryClock::starting_at(START.parse().unwrap());
    clock.sleep(Duration::from_secs(90)).await;
    assert_eq!(clock.now().to_string(), "2026-01-05T10:01:30Z");
}

/// Computed with Python's hashlib: MD5 as a 128-bit number, cut into four equal ranges.
#[tokio::test(start_paused = true)]
async fn a_key_goes_to_the_shard_that_owns_its_md5() {
    let stream = MemoryStream::new("s", 4, clock());
    for (key, shard) in OWNERS {
        let stored = stream.put_records(&[record(key, "")]).await.unwrap();
        let PutOutcome::Stored { shard_id, .. } = &stored[0] else { panic!("{stored:?}") };
        assert_eq!(*shard_id, format!("shardId-{shard:012}"), "{key}");
    }
}

const OWNERS: [(&str, usize); 6] = [("k3f9a01", 3), ("k3f9a02", 2), ("a", 0), ("c", 1), ("comment", 0), ("éclair", 3)];

proptest! {
    #[test]
    fn every_number_of_shards_takes_every_key(shards in 0..20_usize, key in "\\PC{1,20}") {
        run(async {
            let stream = MemoryStream::new("s", shards, clock());
            let stored = stream.put_records(&[record(&key, "")]).await.unwrap();
            let PutOutcome::Stored { shard_id, .. } = &stored[0] else { panic!("{stored:?}") };
            assert!(stream.shard_ids().contains(shard_id));
        });
    }

    #[test]
    fn reading_goes_on_after_any_sequence_number(count in 1..50_usize, limit in 1..10_usize) {
        run(async {
            let stream = MemoryStream::new("s", 1, clock());
            for n in 0..count {
                stream.put_records(&[record("k", n.to_string())]).await.unwrap();
            }
            let (mut read, mut after) = (Vec::new(), None::<String>);
            loop {
                let some = stream.get_records("shardId-000000000000", after.as_deref(), limit).unwrap();
                let Some(last) = some.last() else { break };
                assert!(some.len() <= limit);
                after = Some(last.sequence_number.clone());
                read.extend(some);
            }
            assert_eq!(read.len(), count);
            assert!(read.is_sorted_by(|one, other| one.sequence_number < other.sequence_number));
            assert!(read.iter().all(|record| record.sequence_number.len() == 56));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn records_past_their_retention_are_gone() {
    let clock = clock();
    let stream = MemoryStream::with_retention("s", 1, clock, Duration::from_secs(60));
    stream.put_records(&[record("k", "old")]).await.unwrap();
    clock.sleep(Duration::from_secs(30)).await;
    stream.put_records(&[record("k", "new")]).await.unwrap();
    clock.sleep(Duration::from_secs(29)).await;
    assert_eq!(stream.records().len(), 2);
    clock.sleep(Duration::from_secs(1)).await;
    let kept = stream.records();
    assert_eq!(kept.iter().map(|record| &record.data[..]).collect::<Vec<_>>(), [b"new"]);
    assert_eq!(kept[0].arrived.to_string(), "2026-01-05T10:00:30Z");
}

#[tokio::test(start_paused = true)]
async fn a_reader_wakes_when_its_shard_gets_a_record() {
    let clock = clock();
    let stream = MemoryStream::new("s", 1, clock);
    let reader = {
        let stream = stream.clone();
        tokio::spawn(async move {
            stream.wait_for_records("shardId-000000000000", None).await.map(|()| stream.records().len())
        })
    };
    clock.sleep(Duration::from_secs(5)).await;
    assert!(!reader.is_finished());
    stream.put_records(&[record("k", "")]).await.unwrap();
    assert_eq!(reader.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_not_there_is_denied() {
    let stream = MemoryStream::new("s", 1, clock());
    let error = stream.get_records("shardId-000000000001", None, 1).unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Denied);
}

#[tokio::test(start_paused = true)]
async fn put_records_enforces_the_limits_of_kinesis() {
    let stream = MemoryStream::new("s", 1, clock());
    let too_many: Vec<_> = (0..=MAX_PUT_RECORDS).map(|n| record(&n.to_string(), "")).collect();
    let too_much: Vec<_> = (0..6).map(|_| record("k", vec![0; MAX_RECORD_BYTES - 1])).collect();
    let calls = [
        Vec::new(),
        too_many,
        too_much,
        vec![record("k", vec![0; MAX_RECORD_BYTES])],
        vec![record("", "")],
        vec![record(&"k".repeat(257), "")],
    ];
    for call in calls {
        let error = stream.put_records(&call).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Invalid, "{error}");
    }
    assert!(stream.records().is_empty());
}

#[tokio::test(start_paused = true)]
async fn objects_honour_conditions_and_keep_versions() {
    let bucket = MemoryObjects::new();
    let hello = ETag("5d41402abc4b2a76b9719d911017c592".into());
    assert_eq!(
        bucket.put("k", Bytes::from_static(b"hello"), Condition::Absent).await,
        Ok(Written::Done(hello.clone()))
    );
    assert_eq!(bucket.put("k", Bytes::from_static(b"other"), Condition::Absent).await, Ok(Written::ConditionFailed));
    assert_eq!(bucket.get("k", Some(&hello)).await, Ok(Fetched::NotModified));
    let replaced = bucket.put("k", Bytes::from_static(b"world"), Condition::Matches(hello.clone())).await;
    assert!(matches!(replaced, Ok(Written::Done(_))));
    let late = bucket.put("k", Bytes::from_static(b"late"), Condition::Matches(hello.clone())).await;
    assert_eq!(late, Ok(Written::ConditionFailed));
    let nothing = bucket.put("none", Bytes::new(), Condition::Matches(hello.clone())).await;
    assert_eq!(nothing, Ok(Written::ConditionFailed));
    let fetched = bucket.get("k", Some(&hello)).await.unwrap();
    assert!(matches!(fetched, Fetched::Object { bytes, .. } if bytes == b"world"));
    assert_eq!(bucket.get("none", None).await, Ok(Fetched::Missing));
    assert_eq!(bucket.versions("k"), [b"hello", b"world"]);
    assert!(bucket.versions("none").is_empty());
}

#[tokio::test(start_paused = true)]
async fn objects_are_listed_by_prefix_in_order() {
    let bucket = MemoryObjects::new();
    for key in ["b/2", "a/1", "b/10", "b", "c"] {
        bucket.put(key, Bytes::new(), Condition::Always).await.unwrap();
    }
    assert_eq!(bucket.list("b/").await.unwrap(), ["b/10", "b/2"]);
    assert_eq!(bucket.list("").await.unwrap().len(), 5);
    assert!(bucket.list("d").await.unwrap().is_empty());
}

fn message(id: &str, body: &str, attributes: &[(&str, &str)]) -> Message {
    let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Message { id: id.into(), body: body.into(), attributes, ..Message::default() }
}

fn filter(of: &[(&str, &[&str])]) -> Filter {
    of.iter().map(|(name, values)| ((*name).into(), values.iter().map(|value| (*value).into()).collect())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_subscription_gets_what_its_filter_lets_through() {
    let topic = MemoryTopic::new("alerts");
    let all = topic.subscribe(Filter::new());
    let severe = topic.subscribe(filter(&[("severity", &["high", "critical"])]));
    let both = topic.subscribe(filter(&[("severity", &["high"]), ("subreddit", &["science"])]));
    let messages = [
        message("a", "1", &[("severity", "high"), ("subreddit", "science")]),
        message("b", "2", &[("severity", "critical")]),
        message("c", "3", &[("severity", "low"), ("subreddit", "science")]),
        message("d", "4", &[]),
    ];
    topic.publish_batch(&messages).await.unwrap();
    let bodies = |inbox: &modstream_platform::memory::Subscription| -> String {
        std::iter::from_fn(|| inbox.try_receive()).map(|received| received.body).collect()
    };
    assert_eq!((bodies(&all), bodies(&severe), bodies(&both)), ("1234".into(), "12".into(), "1".into()));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_waits_for_its_messages() {
    let topic = MemoryTopic::new("alerts");
    let inbox = topic.subscribe(Filter::new());
    let waiting = {
        let inbox = inbox.clone();
        tokio::spawn(async move { [inbox.receive().await.body, inbox.receive().await.body] })
    };
    tokio::task::yield_now().await;
    topic.publish_batch(&[message("a", "1", &[]), message("b", "2", &[])]).await.unwrap();
    assert_eq!(waiting.await.unwrap(), ["1", "2"]);
    assert_eq!(inbox.try_receive(), None);
}

#[tokio::test(start_paused = true)]
async fn publish_batch_enforces_the_limits_of_sns() {
    let topic = MemoryTopic::new("alerts");
    let inbox = topic.subscribe(Filter::new());
    let half = "x".repeat(MAX_PUBLISH_BYTES / 2);
    let eleven: Vec<_> = (0..11).map(|n| message(&n.to_string(), "x", &[])).collect();
    let calls = [
        Vec::new(),
        eleven,
        vec![message("a", "1", &[]), message("a", "2", &[])],
        vec![message("a", &half, &[]), message("b", &half, &[]), message("c", "x", &[])],
        vec![message("", "x", &[])],
        vec![message("a b", "x", &[])],
    ];
    for call in calls {
        let error = topic.publish_batch(&call).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Invalid, "{error}");
    }
    assert_eq!(inbox.try_receive(), None);
}

#[tokio::test(start_paused = true)]
async fn an_empty_or_too_large_message_fails_alone_by_its_senders_fault() {
    let topic = MemoryTopic::new("alerts");
    let messages =
        [message("a", "", &[]), message("b", &"x".repeat(MAX_PUBLISH_BYTES + 1), &[]), message("c", "fine", &[])];
    let outcomes = topic.publish_batch(&messages).await.unwrap();
    let faults: Vec<bool> =
        outcomes.iter().map(|outcome| matches!(outcome, PublishOutcome::Failed { sender_fault: true, .. })).collect();
    assert_eq!(faults, [true, true, false]);
}

#[test]
fn a_messages_size_counts_its_attributes() {
    let message = Message {
        id: "ignored".into(),
        body: "four".into(),
        attributes: BTreeMap::from([("ab".into(), "cde".into())]),
        ..Message::default()
    };
    assert_eq!(message.size(), 4 + 2 + 6 + 3);
}

#[tokio::test]
async fn protocols_have_texts_of_their_own_and_all_of_them_count() {
    let topic = MemoryTopic::new("digests");
    let inbox = topic.subscribe(Filter::new());
    let sms = BTreeMap::from([("sms".to_owned(), "3 \"alerts\"".to_owned())]);
    let sent =
        Message { subject: Some("r/science: 3 alerts".into()), by_protocol: sms.clone(), ..message("d", "long", &[]) };
    assert_eq!(sent.content(), r#"{"default":"long","sms":"3 \"alerts\""}"#);
    assert_eq!(sent.size(), sent.content().len());
    topic.publish_batch(&[sent]).await.expect("a call");
    let got = inbox.try_receive().expect("a message");
    assert_eq!(
        (got.subject.as_deref(), got.body.as_str(), got.by_protocol),
        (Some("r/science: 3 alerts"), "long", sms)
    );
}

#[tokio::test]
async fn a_subject_that_sns_refuses_is_refused() {
    let topic = MemoryTopic::new("digests");
    for subject in ["", " a", "a\nb", "café", &"a".repeat(100)] {
        let sent = Message { subject: Some(subject.into()), ..message("d", "text", &[]) };
        let outcomes = topic.publish_batch(&[sent]).await.expect("a call");
        assert!(
            matches!(outcomes[..], [PublishOutcome::Failed { sender_fault: true, .. }]),
            "{subject:?}: {outcomes:?}"
        );
    }
}

#[tokio::test]
async fn a_version_is_gone_for_good_and_what_was_there_before_it_shows() {
    let bucket = MemoryObjects::new();
    for content in ["one", "two", "three"] {
        bucket.put("a", content.into(), Condition::Always).await.unwrap();
    }
    bucket.put("b", "other".into(), Condition::Always).await.unwrap();
    let versions = bucket.list_versions("a", None).await.unwrap().versions;
    assert_eq!(versions.iter().map(|version| version.is_latest).collect::<Vec<_>>(), [true, false, false]);
    let content = |id: String| {
        let bucket = bucket.clone();
        async move { bucket.get_version("a", &id).await.unwrap() }
    };
    assert_eq!(content(versions[1].version_id.clone()).await, Some(b"two".to_vec()));

    bucket.delete_version("a", &versions[0].version_id).await.unwrap();
    bucket.delete_version("a", &versions[0].version_id).await.unwrap();
    assert_eq!(content(versions[0].version_id.clone()).await, None);
    let Ok(Fetched::Object { bytes, .. }) = bucket.get("a", None).await else { panic!("it is there") };
    assert_eq!(bytes, b"two");
    let left = bucket.list_versions("a", None).await.unwrap().versions;
    assert!(left[0].is_latest && left[0].version_id == versions[1].version_id);

    for version in left {
        bucket.delete_version("a", &version.version_id).await.unwrap();
    }
    assert_eq!(bucket.list("").await.unwrap(), ["b"]);
    assert_eq!(bucket.put("a", "four".into(), Condition::Absent).await.unwrap(), Written::Done(tag_of("four").await));
}

async fn tag_of(content: &str) -> ETag {
    match MemoryObjects::new().put("k", content.to_owned().into(), Condition::Always).await {
        Ok(Written::Done(etag)) => etag,
        other => panic!("{other:?}"),
    }
}
