//! The bucket in a file answers as the one in memory does.

use modstream_platform::memory::MemoryObjects;
use modstream_platform::sqlite::SqliteObjects;
use modstream_platform::{CallError, Condition, ETag, Fetched, Objects as _, VersionCursor, VersionedObjects, Written};
use proptest::prelude::*;

use crate::{folder, runtime, serve};

/// A call. Keys and tags are among so few that they meet.
#[derive(Clone, Debug)]
enum Call {
    Get { key: usize, unless: Option<u8> },
    Put { key: usize, content: u8, condition: Option<Option<u8>> },
    Delete { key: usize },
    List { prefix: usize },
}

const KEYS: [&str; 6] = ["a", "a/", "a/b", "a/b/c", "ab", "\u{10ffff}x"];
const PREFIXES: [&str; 6] = ["", "a", "a/", "a/b", "b", "\u{10ffff}"];

fn call() -> impl Strategy<Value = Call> {
    let key = 0..KEYS.len();
    let content = 0..4_u8;
    prop_oneof![
        (key.clone(), prop::option::of(content.clone())).prop_map(|(key, unless)| Call::Get { key, unless }),
        (key.clone(), content.clone(), prop::option::of(prop::option::of(content)))
            .prop_map(|(key, content, condition)| Call::Put { key, content, condition }),
        key.prop_map(|key| Call::Delete { key }),
        (0..PREFIXES.len()).prop_map(|prefix| Call::List { prefix }),
    ]
}

#[derive(Debug, PartialEq)]
enum Answer {
    Fetched(Fetched),
    Written(Written),
    Deleted,
    Listed(Vec<String>),
}

fn content(number: u8) -> Vec<u8> {
    vec![number; usize::from(number) * 3]
}

fn tag(number: u8) -> ETag {
    // The tag that the memory world gives this content.
    use md5::{Digest, Md5};
    ETag(Md5::digest(content(number)).iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn answer(objects: &impl VersionedObjects, call: &Call) -> Result<Answer, CallError> {
    Ok(match call {
        Call::Get { key, unless } => Answer::Fetched(objects.get(KEYS[*key], unless.map(tag).as_ref()).await?),
        Call::Put { key, content: number, condition } => {
            let condition = match condition {
                None => Condition::Always,
                Some(None) => Condition::Absent,
                Some(Some(number)) => Condition::Matches(tag(*number)),
            };
            Answer::Written(objects.put(KEYS[*key], content(*number).into(), condition).await?)
        }
        Call::Delete { key } => {
            let versions = objects.list_versions(KEYS[*key], None).await?.versions;
            for version in versions.iter().filter(|version| version.key == KEYS[*key]) {
                objects.delete_version(&version.key, &version.version_id).await?;
            }
            Answer::Deleted
        }
        Call::List { prefix } => Answer::Listed(objects.list(PREFIXES[*prefix]).await?),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn both_answer_the_same(calls in prop::collection::vec(call(), 1..60)) {
        let folder = folder();
        let (memory, sqlite) = (MemoryObjects::new(), SqliteObjects::new(serve(folder.path())));
        runtime().block_on(async {
            for call in &calls {
                let (one, other) = (answer(&memory, call).await, answer(&sqlite, call).await);
                prop_assert_eq!(one, other, "{:?}", call);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_long_listing_is_whole_and_in_order() {
    let folder = folder();
    let objects = SqliteObjects::new(serve(folder.path()));
    let keys: Vec<String> = (0..2_003).map(|number| format!("k/{number:05}")).collect();
    let puts = keys.iter().rev().map(|key| objects.put(key, "x".into(), Condition::Absent));
    for put in futures_util::future::join_all(puts).await {
        assert!(matches!(put, Ok(Written::Done(_))));
    }
    objects.put("l", "x".into(), Condition::Absent).await.expect("writes");
    assert_eq!(objects.list("k/").await.expect("reads"), keys);
    assert_eq!(objects.list("k/02").await.expect("reads").len(), 3);
    // The same by pages of versions, also from behind a key that is not there.
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = objects.list_versions("k/", after.as_ref()).await.expect("reads");
        assert!(page.versions.len() <= 1_000);
        listed.extend(page.versions.into_iter().map(|version| version.key));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, keys);
    let behind = VersionCursor { key: "k/01999x".to_owned(), version_id: None };
    let page = objects.list_versions("k/", Some(&behind)).await.expect("reads");
    assert_eq!(page.versions.into_iter().map(|version| version.key).collect::<Vec<_>>(), keys[2_000..]);
}

#[tokio::test]
async fn what_is_written_over_is_gone_and_a_version_that_was_read_is_deleted_alone() {
    let folder = folder();
    let objects = SqliteObjects::new(serve(folder.path()));
    objects.put("k", "one".into(), Condition::Always).await.expect("writes");
    let first = objects.list_versions("", None).await.expect("reads").versions;
    objects.put("k", "other".into(), Condition::Always).await.expect("writes");
    let second = objects.list_versions("", None).await.expect("reads").versions;
    assert!(first.len() == 1 && second.len() == 1 && first[0].version_id != second[0].version_id);
    assert_eq!(objects.get_version("k", &first[0].version_id).await, Ok(None));
    objects.delete_version("k", &first[0].version_id).await.expect("deletes nothing");
    assert_eq!(objects.get_version("k", &second[0].version_id).await, Ok(Some(b"other".to_vec())));
    objects.delete_version("k", &second[0].version_id).await.expect("deletes");
    assert_eq!(objects.get("k", None).await, Ok(Fetched::Missing));
    // A number that named a version names no other.
    objects.put("k", "third".into(), Condition::Always).await.expect("writes");
    let third = objects.list_versions("", None).await.expect("reads").versions;
    assert!(third[0].version_id != second[0].version_id && third[0].is_latest);
}
