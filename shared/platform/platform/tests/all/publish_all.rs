//! Publishing messages: retries, refusals, limits.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use modstream_platform::deliver::{Cause, Published, publish_all};
use modstream_platform::memory::{Filter, MemoryTopic};
use modstream_platform::{
    CallError, CallErrorKind, MAX_ATTRIBUTE_CHARS, MAX_PUBLISH_BYTES, Message, PublishOutcome, Topic,
};
use proptest::prelude::*;

use crate::world::{Call, after, clock, error, run};

const LONG: Duration = Duration::from_secs(3600);

fn message(id: &str, body: impl Into<String>) -> Message {
    Message { id: id.to_string(), body: body.into(), ..Message::default() }
}

/// A topic that follows a plan, then works.
struct PlannedTopic {
    inner: MemoryTopic,
    plan: Mutex<VecDeque<Call>>,
    calls: Mutex<Vec<Vec<String>>>,
}

impl PlannedTopic {
    fn new(plan: impl IntoIterator<Item = Call>) -> Self {
        let plan = Mutex::new(plan.into_iter().collect());
        PlannedTopic { inner: MemoryTopic::new("alerts"), plan, calls: Mutex::default() }
    }

    fn calls(&self) -> Vec<Vec<String>> {
        self.calls.lock().unwrap().clone()
    }

    fn call_sizes(&self) -> Vec<usize> {
        self.calls().iter().map(Vec::len).collect()
    }
}

impl Topic for PlannedTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        tokio::task::yield_now().await;
        self.calls.lock().unwrap().push(messages.iter().map(|message| message.id.clone()).collect());
        let call = self.plan.lock().unwrap().pop_front();
        let fails = match call {
            Some(Call::Fails(kind)) => return Err(error(kind)),
            Some(Call::AnswersShort) => return Ok(Vec::new()),
            Some(Call::AnswerLost) => {
                self.inner.publish_batch(messages).await?;
                return Err(error(CallErrorKind::OutcomeUnknown));
            }
            Some(Call::EntriesFail(fails)) => fails,
            None => vec![false],
        };
        let mut outcomes = Vec::new();
        for (message, fails) in messages.iter().zip(fails.iter().cycle()) {
            outcomes.push(if *fails {
                PublishOutcome::Failed { sender_fault: false, code: "InternalError".into(), message: "later".into() }
            } else {
                self.inner.publish_batch(std::slice::from_ref(message)).await?.remove(0)
            });
        }
        Ok(outcomes)
    }
}

fn accepted(published: &[Published]) -> usize {
    published.iter().filter(|one| matches!(one, Published::Accepted { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_ten_messages_and_256_kib_at_most() {
    let clock = clock();
    let topic = PlannedTopic::new([]);
    let inbox = topic.inner.subscribe(Filter::new());
    let small = (0..25).map(|n| message(&n.to_string(), "x"));
    assert_eq!(accepted(&publish_all(&topic, &clock, after(&clock, LONG), small.collect()).await), 25);
    assert_eq!(topic.call_sizes(), [10, 10, 5]);
    let large = (0..5).map(|n| message(&n.to_string(), "x".repeat(MAX_PUBLISH_BYTES / 2)));
    assert_eq!(accepted(&publish_all(&topic, &clock, after(&clock, LONG), large.collect()).await), 5);
    assert_eq!(topic.call_sizes()[3..], [2, 2, 1]);
    assert_eq!(std::iter::from_fn(|| inbox.try_receive()).count(), 30);
}

#[tokio::test(start_paused = true)]
async fn only_what_failed_is_published_again() {
    let clock = clock();
    let topic = PlannedTopic::new([Call::EntriesFail(vec![true, false, true]), Call::EntriesFail(vec![true, false])]);
    let inbox = topic.inner.subscribe(Filter::new());
    let published = publish_all(
        &topic,
        &clock,
        after(&clock, LONG),
        (0..3).map(|n| message(&n.to_string(), n.to_string())).collect(),
    )
    .await;
    assert_eq!(accepted(&published), 3);
    assert_eq!(topic.calls(), [vec!["0", "1", "2"], vec!["0", "2"], vec!["0"]]);
    let bodies: Vec<String> = std::iter::from_fn(|| inbox.try_receive()).map(|received| received.body).collect();
    assert_eq!(bodies, ["1", "2", "0"]);
}

#[tokio::test(start_paused = true)]
async fn the_senders_fault_and_a_message_that_is_too_large_are_refused_for_good() {
    let clock = clock();
    let topic = PlannedTopic::new([]);
    let messages = vec![message("a", ""), message("b", "x".repeat(MAX_PUBLISH_BYTES + 1)), message("c", "fine")];
    let published = publish_all(&topic, &clock, after(&clock, LONG), messages).await;
    assert!(matches!(&published[0], Published::Refused { code, .. } if code == "InvalidParameter"), "{published:?}");
    assert!(matches!(&published[1], Published::Refused { code, .. } if code == "TooLarge"), "{published:?}");
    assert!(matches!(published[2], Published::Accepted { .. }));
    assert_eq!(topic.calls(), [["a", "c"]]);
}

#[tokio::test(start_paused = true)]
async fn messages_that_share_an_id_go_one_after_the_other() {
    let clock = clock();
    let topic = PlannedTopic::new([]);
    let messages = vec![message("a", "1"), message("a", "2"), message("b", "3")];
    assert_eq!(accepted(&publish_all(&topic, &clock, after(&clock, LONG), messages).await), 3);
    assert_eq!(topic.calls(), [vec!["a", "b"], vec!["a"]]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gets_no_answer_is_made_again_and_may_publish_twice() {
    let clock = clock();
    let topic = PlannedTopic::new([Call::AnswerLost, Call::Fails(CallErrorKind::Unavailable)]);
    let inbox = topic.inner.subscribe(Filter::new());
    let published = publish_all(&topic, &clock, after(&clock, LONG), vec![message("a", "1")]).await;
    assert_eq!(accepted(&published), 1);
    assert_eq!(std::iter::from_fn(|| inbox.try_receive()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_not_there_ends_it_after_one_call() {
    let clock = clock();
    let topic = PlannedTopic::new([Call::Fails(CallErrorKind::Denied)]);
    let published =
        publish_all(&topic, &clock, after(&clock, LONG), (0..20).map(|n| message(&n.to_string(), "x")).collect()).await;
    assert_eq!(topic.call_sizes(), [10]);
    let denied = |one: &Published| matches!(one, Published::Failed(failed) if failed.cause == Cause::Call(error(CallErrorKind::Denied)));
    assert!(published.iter().all(denied) && published.len() == 20);
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_another_number_of_messages_is_an_error() {
    let clock = clock();
    let topic = PlannedTopic::new([Call::AnswersShort]);
    let published = publish_all(&topic, &clock, after(&clock, LONG), vec![message("a", "1")]).await;
    let [Published::Failed(failed)] = &published[..] else { panic!("{published:?}") };
    assert_eq!(failed.cause, Cause::OutcomeCount { entries: 1, outcomes: 0 });
}

/// What a topic gets of others: any text, in places that take less.
fn any_message() -> impl Strategy<Value = Message> {
    let text = || "(.|[\u{0}-\u{20}\u{7F}-\u{A0}\u{D7F0}-\u{E010}\u{FFF0}-\u{FFFF}]|\\PC){0,20}";
    let long = (text(), 0..400_usize).prop_map(|(text, times)| text.repeat(times / 20));
    let name = prop_oneof![Just("subreddit".to_owned()), Just("aws.x".to_owned()), text()];
    let attributes = prop::collection::btree_map(name, long, 0..4);
    let by_protocol = prop::collection::btree_map(Just("sms".to_owned()), text(), 0..2);
    (text(), by_protocol, attributes).prop_map(|(body, by_protocol, attributes)| Message {
        id: "m".to_owned(),
        body: format!("x{body}"),
        by_protocol,
        attributes,
        ..Message::default()
    })
}

proptest! {
    #[test]
    fn a_topic_takes_whatever_people_write_and_what_it_could_take_stays(message in any_message()) {
        run(async {
            let clock = clock();
            let topic = PlannedTopic::new([]);
            let inbox = topic.inner.subscribe(Filter::new());
            let published = publish_all(&topic, &clock, after(&clock, LONG), vec![message.clone()]).await;
            prop_assert_eq!(accepted(&published), 1, "{:?}", published);
            let taken = inbox.receive().await;
            prop_assert_eq!(taken.body.chars().count(), message.body.chars().count());
            prop_assert_eq!(message.clone().cleaned().cleaned(), message.clone().cleaned());
            for (name, value) in &taken.attributes {
                prop_assert!(!value.is_empty() && value.chars().count() <= MAX_ATTRIBUTE_CHARS);
                prop_assert!(message.attributes[name].len() >= value.len());
            }
            let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
            let kept = message.attributes.iter().filter(|(name, value)| *name == "subreddit" && plain(value));
            for (name, value) in kept {
                let cut: String = value.chars().take(MAX_ATTRIBUTE_CHARS).collect();
                prop_assert_eq!(taken.attributes.get(name), Some(&cut));
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cleaning_does_to_each_place() {
    let attributes =
        [("subreddit", "a\u{7}b\u{FFFF}"), ("empty", "\u{1}"), ("AWS.x", "y"), ("a b", "y"), ("fine", "y")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let message = Message { body: "x\u{0}\u{FFFE}y".to_owned(), attributes, ..Message::default() };
    let Message { body, attributes, .. } = message.cleaned();
    assert_eq!(body, "x\u{FFFD}\u{FFFD}y");
    let kept: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(kept, [("fine", "y"), ("subreddit", "ab")]);
}
