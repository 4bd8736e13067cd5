//! From comments to digests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use modstream_ledger::digests::Digest;
use modstream_ledger::unpack;
use modstream_platform::Clock;
use modstream_platform::memory::{Filter, MemoryTopic, Subscription};
use modstream_tests::{
    Effect, Fault, MemoryWorld, Operation, PRIVATE, System, World, install, model_files, samples_file,
};

use crate::{NONE, put_corpus, put_prediction, smoothly};

fn time(text: &str) -> Timestamp {
    format!("2026-01-05T{text}Z").parse().expect("a time")
}

/// The digests' topic, and everything that is on it.
struct Inbox {
    topic: MemoryTopic,
    messages: Subscription,
}

impl Inbox {
    fn new() -> Self {
        let topic = MemoryTopic::new("digests");
        let messages = topic.subscribe(Filter::new());
        Inbox { topic, messages }
    }

    fn subjects(&self) -> Vec<String> {
        std::iter::from_fn(|| self.messages.try_receive()).map(|message| message.subject.unwrap_or_default()).collect()
    }
}

/// The digests there are, by id, and the ids of all alerts.
async fn kept(world: &MemoryWorld) -> (BTreeMap<String, Digest>, BTreeSet<String>) {
    let items = world.table().items();
    // A window's attempts that closed nothing do not count.
    let closed: BTreeMap<&str, &str> = items
        .iter()
        .filter(|item| item.key.sort == "record")
        .filter_map(|item| Some((item.key.partition.as_str(), item.text("attempt")?)))
        .collect();
    let mut found = BTreeMap::new();
    for item in &items {
        let Some(attempt) = closed.get(item.key.partition.as_str()) else { continue };
        if item.key.sort.starts_with(&format!("digest#{attempt}#")) {
            let json = unpack(item.bytes("digest").expect("a digest")).expect("whole");
            let digest: Digest = serde_json::from_slice(&json).expect("a digest");
            assert!(item.text("sent").is_some(), "{digest:?}");
            found.insert(digest.id(), digest);
        }
    }
    let alerts = items.iter().filter_map(|item| item.key.sort.strip_prefix("alert#").map(str::to_owned));
    (found, alerts.collect())
}

/// What is broken: each alert is in one digest, and there is one digest a subreddit and window.
fn broken(digests: &BTreeMap<String, Digest>, alerts: &BTreeSet<String>) -> Vec<String> {
    let mut broken = Vec::new();
    let covered: Vec<&str> = digests
        .values()
        .flat_map(|digest| digest.alerts.iter().chain(&digest.explorations))
        .map(|alert| alert.id.as_str())
        .collect();
    let distinct: BTreeSet<&str> = covered.iter().copied().collect();
    if distinct.len() < covered.len() {
        broken.push("an alert is in two digests".to_owned());
    }
    broken.extend(alerts.iter().filter(|id| !distinct.contains(id.as_str())).map(|id| format!("{id} is in no digest")));
    let windows: BTreeSet<_> = digests.values().map(|digest| (&digest.subreddit, digest.start)).collect();
    if windows.len() < digests.len() {
        broken.push("a subreddit has two digests of one window".to_owned());
    }
    broken
}

#[tokio::test(start_paused = true)]
async fn comments_become_digests_of_their_windows_and_a_late_one_is_in_the_next() {
    let world = MemoryWorld::new(2, 50);
    install(&world, &model_files()).await;
    put_corpus(&world, &samples_file()).await;
    let system = System::new(world, &[]);
    let inbox = Inbox::new();
    let comments = async |id: &str, at: &str, offset: usize| {
        let payload = format!(r#"{{"id":"{id}","time":"{}","comments":100,"offset":{offset}}}"#, time(at));
        system.generate(&payload, id).await.expect("generates");
        assert_eq!(system.score().await, smoothly());
        assert_eq!(system.publish().await, smoothly());
    };
    let digest = async |due: &str| system.digest(inbox.topic.clone(), time(due)).await.expect("sends");
    comments("e-1", "10:00:00", 0).await;
    // One that the index does not know yet.
    let made = system.world.clock().now();
    system.world.table().hold_back();
    put_prediction(&system.world, 7, 0.9).await;
    assert_eq!(system.publish().await, smoothly());
    let first = digest("10:06:00").await;
    assert!(first.digests > 1 && first.alerts > 10, "{first:?}");
    let subjects = inbox.subjects();
    assert_eq!(subjects.len(), first.digests);
    assert!(subjects.iter().all(|subject| subject.ends_with("(10:00-10:05 UTC)")), "{subjects:?}");
    // Lambda's retry, and nothing new.
    assert_eq!(digest("10:06:00").await.digests, 0);
    assert_eq!(digest("10:11:00").await.digests, 0);
    system.world.table().let_go();

    system.world.clock().sleep(Duration::from_secs(11 * 60)).await;
    comments("e-2", "10:11:00", 100).await;
    let second = digest("10:16:00").await;
    let (digests, alerts) = kept(&system.world).await;
    assert_eq!(broken(&digests, &alerts), NONE);
    assert_eq!(alerts.len(), first.alerts + second.alerts);
    let late: usize = digests.values().filter_map(|digest| Some(digest.late?.count)).sum();
    let of_second: Vec<_> = digests.values().filter(|digest| digest.start == time("10:10:00")).collect();
    assert_eq!(of_second.len(), second.digests);
    assert!(late > 0 && late < second.alerts);
    let oldest = of_second.iter().filter_map(|digest| Some(digest.late?.oldest)).min();
    assert_eq!(oldest, Some(made));
    assert_eq!(digest("10:21:00").await.digests, 0);
}

/// Twelve alerts, made in the first seconds after 10:00, about comments of 09:59:30.
async fn alerts() -> System<MemoryWorld> {
    let world = MemoryWorld::new(1, 100);
    for number in 0..12 {
        put_prediction(&world, number, 0.9).await;
    }
    let system = System::new(world, &[]);
    assert_eq!(system.publish().await, smoothly());
    system
}

#[tokio::test(start_paused = true)]
async fn wherever_the_function_is_killed_the_retry_sends_what_is_not_sent() {
    let steps = {
        let system = alerts().await;
        let before = system.faults.steps();
        system.digest(Inbox::new().topic, time("10:06:00")).await.expect("sends");
        system.faults.steps() - before
    };
    let mut resent = 0;
    for step in 0..steps {
        let system = alerts().await;
        let inbox = Inbox::new();
        let before = system.faults.effects().len();
        system.faults.kill_at(system.faults.steps() + step);
        let killed = system.digest(inbox.topic.clone(), time("10:06:00")).await;
        assert_eq!(killed, Err("killed".to_owned()), "step {step}");
        system.digest(inbox.topic.clone(), time("10:06:00")).await.expect("sends");
        let (digests, alerts) = kept(&system.world).await;
        assert_eq!(broken(&digests, &alerts), NONE);
        assert_eq!(digests.len(), 1, "{digests:?}");
        // Its window is closed, it is sent, and recorded, in this order; sent again only where the record is missing.
        let mut is_closed = false;
        let mut is_sent = false;
        for effect in &system.faults.effects()[before..] {
            match effect {
                Effect::Written { key } => {
                    is_closed |= key == "digests/head";
                    is_sent |= key.starts_with("window#") && key.ends_with("/sent");
                }
                Effect::Published { .. } => assert!(is_closed && !is_sent, "step {step}"),
            }
        }
        let count = inbox.subjects().len();
        assert!((1..=2).contains(&count), "step {step}: {count}");
        resent += count - 1;
    }
    assert!(resent > 0 && resent < 6, "{resent}");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_is_made_again_under_the_same_id_and_others_are_not() {
    let system = alerts().await;
    let inbox = Inbox::new();
    system.faults.next(Operation::PublishBatch, [Fault::AnswerLost]);
    system.faults.next(Operation::WriteItems, vec![Fault::AnswerLost; 3]);
    assert_eq!(system.digest(inbox.topic.clone(), time("10:06:00")).await.expect("sends").alerts, 12);
    assert_eq!(inbox.subjects(), ["r/science: 12 alerts (10:00-10:05 UTC)"; 2]);
    let (digests, alerts) = kept(&system.world).await;
    assert_eq!(broken(&digests, &alerts), NONE);
    let kept = serde_json::to_string(&digests.values().collect::<Vec<_>>()).expect("JSON");
    assert!(!kept.contains(PRIVATE) && !kept.contains("doctor"), "a digest's items hold no text: {kept}");
}
