//! What a moderator gets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use modstream_events::{Comment, MAX_BODY_CHARS, MAX_FIELD_CHARS, ModelRef, Severity, Term, ids};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{CallError, CallErrorKind, Clock, Message, PublishOutcome, Topic};
use publish_alerts::PublishAlerts;

use crate::{Fixture, SUCCESS, config, encode, payload, prediction, read, table, time};

#[tokio::test(start_paused = true)]
async fn an_alert_says_what_was_written_how_sure_the_model_is_and_why() {
    let told = prediction();
    let notification = Fixture::alert_for(&told).await;
    let event = read(&notification);
    let id = ids::alert("urn:example:forum", "e-1", "default").to_string();
    assert_eq!((event.id.as_ref(), event.source.as_ref()), (id.as_str(), "urn:modstream:publish-alerts"));
    let alert = event.data;
    assert_eq!((alert.comment, alert.body_truncated), (told.comment, false));
    assert_eq!((alert.probability, alert.log_odds, alert.operating_point), (0.8, 1.4, told.operating_point));
    assert_eq!((alert.terms, alert.model, alert.comment_event), (told.terms, told.model, told.comment_event));
    assert_eq!((alert.policy.name.as_ref(), alert.policy.condition.as_ref()), ("default", "probability>=0"));
    assert_eq!(alert.prediction_id, "p-1");
}

#[tokio::test(start_paused = true)]
async fn severity_follows_from_the_thresholds() {
    for (probability, severity) in [
        (0.0, Severity::Low),
        (0.699_999, Severity::Low),
        (0.7, Severity::Medium),
        (0.899_999, Severity::Medium),
        (0.9, Severity::High),
        (1.0, Severity::High),
    ] {
        let mut prediction = prediction();
        prediction.probability = probability;
        let notification = Fixture::alert_for(&prediction).await;
        assert_eq!(read(&notification).data.severity, severity, "{probability}");
        assert_eq!(notification.attributes["severity"], severity.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn attributes_are_severity_subreddit_policy_and_model_version_and_none_is_empty() {
    let version = "f".repeat(64);
    let with = |subreddit: &[&str]| {
        let named = subreddit.iter().map(|name| ("subreddit", *name));
        let all = named.chain([("severity", "medium"), ("model_version", &version), ("policy", "default")]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    for (subreddit, wanted) in [(Some("science"), with(&["science"])), (Some(""), with(&[])), (None, with(&[]))] {
        let mut prediction = prediction();
        prediction.comment.subreddit = subreddit.map(Into::into);
        assert_eq!(Fixture::alert_for(&prediction).await.attributes, wanted, "{subreddit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_cut_at_2000_characters_and_the_alert_says_so() {
    // A character of four bytes.
    for (length, truncated) in [(MAX_BODY_CHARS - 1, false), (MAX_BODY_CHARS, false), (MAX_BODY_CHARS + 1, true)] {
        let mut prediction = prediction();
        prediction.comment.body = Some("\u{1F44F}".repeat(length).into());
        let notification = Fixture::alert_for(&prediction).await;
        let alert = read(&notification).data;
        assert_eq!(alert.body_truncated, truncated);
        assert_eq!(alert.comment.body.map(|body| body.chars().count()), Some(length.min(2_000)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_body_that_a_stream_carries_makes_an_alert_that_fits_a_message() {
    let mut prediction = prediction();
    // Six bytes of JSON each.
    prediction.comment.body = Some("\u{1}".repeat(170_000).into());
    let notification = Fixture::alert_for(&prediction).await;
    assert!(notification.body.len() < 32 << 10);
}

#[tokio::test(start_paused = true)]
async fn a_comments_other_texts_are_cut_so_that_the_alert_fits() {
    let mut prediction = prediction();
    let long = "\u{1}".repeat(30_000);
    prediction.comment.author = Some(long.clone().into());
    prediction.comment.subreddit = Some("s".repeat(30_000).into());
    prediction.comment.permalink = Some(long.into());
    let notification = Fixture::alert_for(&prediction).await;
    assert!(notification.body.len() < 32 << 10);
    assert_eq!(notification.attributes["subreddit"].chars().count(), MAX_FIELD_CHARS);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_fits_no_message_is_quarantined_and_the_batch_goes_on() {
    let fixture = Fixture::new("0");
    let mut large = prediction();
    // Our own scorer cuts terms; another producer may not.
    large.terms = vec![Term { term: "x".repeat(300 << 10).into(), contribution: 1.0 }];
    let mut fine = prediction();
    fine.comment_event.id = "e-2".into();
    assert_eq!(fixture.handle(&[encode(&large), encode(&fine)]).await, SUCCESS);
    assert_eq!(read(&fixture.inbox.try_receive().expect("one alert")).data.comment_event.id, "e-2");
    let kept = fixture.quarantined().await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "refused"));
    assert!(kept[0].1.contains("TooLarge") && kept[0].1.contains("262144"), "{}", kept[0].1);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_no_item_holds_is_quarantined_and_the_batch_goes_on() {
    let fixture = Fixture::new("0");
    let mut large = prediction();
    let mut random = fastrand::Rng::with_seed(1);
    // Nothing of it can be compressed.
    let term: String = (0..900 << 10).map(|_| random.alphanumeric()).collect();
    large.terms = vec![Term { term: term.into(), contribution: 1.0 }];
    let mut fine = prediction();
    fine.comment_event.id = "e-2".into();
    assert_eq!(fixture.handle(&[encode(&large), encode(&fine)]).await, SUCCESS);
    assert_eq!(read(&fixture.inbox.try_receive().expect("one alert")).data.comment_event.id, "e-2");
    let kept = fixture.quarantined().await;
    assert_eq!((kept.len(), kept[0].0.as_str()), (1, "refused"));
    assert!(kept[0].1.contains("an item holds at most 409600"), "{}", kept[0].1);
}

#[tokio::test(start_paused = true)]
async fn a_comment_without_any_field_alerts_too() {
    let mut prediction = prediction();
    prediction.comment = Comment::default();
    assert_eq!(read(&Fixture::alert_for(&prediction).await).data.comment, Comment::default());
}

/// A topic that fails the first calls and then notes messages.
#[derive(Default)]
struct LateTopic {
    failures: Mutex<VecDeque<CallErrorKind>>,
    taken: Mutex<Vec<Message>>,
}

impl Topic for &LateTopic {
    async fn publish_batch(&self, messages: &[Message]) -> Result<Vec<PublishOutcome>, CallError> {
        if let Some(kind) = self.failures.lock().expect("no panic before").pop_front() {
            let message = "planned".to_owned();
            return Err(CallError { service: "sns", operation: "PublishBatch", kind, message });
        }
        self.taken.lock().expect("no panic before").extend_from_slice(messages);
        Ok(messages.iter().map(|_| PublishOutcome::Published { message_id: "m".to_owned() }).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_requested_is_what_is_published_attributes_included_whatever_a_newer_model_says() {
    let topic = LateTopic { failures: Mutex::new([CallErrorKind::Denied].into()), ..LateTopic::default() };
    let clock = MemoryClock::starting_at(time());
    let function = PublishAlerts::new(&config("0"), &topic, table(clock), MemoryObjects::new(), clock);
    let (first, mut second) = (prediction(), prediction());
    second.probability = 0.99;
    second.model = ModelRef { name: "m".into(), version: "e".repeat(64).into() };
    for prediction in [first, second] {
        let deadline = clock.now() + Duration::from_secs(10);
        function.handle(&payload(&[encode(&prediction)]), deadline).await.expect("a batch");
    }
    let taken = topic.taken.lock().expect("no panic before").clone();
    assert_eq!(taken.len(), 1);
    let event: serde_json::Value = serde_json::from_str(&taken[0].body).expect("an event");
    assert_eq!(
        (event["data"]["severity"].as_str(), event["data"]["probability"].as_f64()),
        (Some("medium"), Some(0.8))
    );
    assert_eq!(
        (taken[0].attributes["severity"].as_str(), taken[0].attributes["model_version"].as_str()),
        ("medium", "f".repeat(64).as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_people_write_an_alert_is_json_that_a_topic_takes_and_says_the_same() {
    let odd = "a\u{0}b\u{8}c\u{1F}d\u{7F}e\u{D7FF}f\u{E000}g\u{FFFD}h\u{FFFE}i\u{FFFF}j\u{1FFFE}k\u{10FFFF}\r\n\t\"";
    let mut prediction = prediction();
    prediction.comment.body = Some(odd.into());
    prediction.comment.subreddit = Some(odd.into());
    prediction.comment.author = Some(odd.into());
    prediction.terms = vec![Term { term: odd.into(), contribution: 1.0 }];
    let notification = Fixture::alert_for(&prediction).await;
    let is_taken =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    assert!(notification.body.chars().all(is_taken), "{:?}", notification.body);
    assert!(notification.body.contains("h\\ufffei\\uffffj"), "{}", notification.body);
    let alert = read(&notification).data;
    assert_eq!((alert.comment.body.as_deref(), alert.comment.author.as_deref()), (Some(odd), Some(odd)));
    let subreddit = &notification.attributes["subreddit"];
    assert!(subreddit.chars().all(|c| is_taken(c) && !c.is_control()), "{subreddit:?}");
    assert!(subreddit.starts_with("abcde") && subreddit.contains("hij"), "{subreddit:?}");
}
