//! Policies as a document: in the bucket, by subreddit, and what they withhold.

use std::collections::BTreeMap;
use std::time::Duration;

use modstream_events::{Comment, PROBE_BODY, PROBE_SOURCE, Prediction, Severity, ids};
use modstream_in_use::policies::{POINTER, PolicyStore, key_of};
use modstream_platform::memory::{Filter, MemoryTopic, Notification};
use modstream_platform::{Bytes, Clock, Condition, Objects};
use modstream_policy::Policies;
use publish_alerts::PublishAlerts;

use crate::{Fixture, SUCCESS, config, encode, prediction, read, time};

/// Puts a document into use.
async fn push(fixture: &Fixture, text: &str) -> String {
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    let policies = Policies::parse(text).expect("good policies");
    PolicyStore::new(&fixture.objects, &fixture.clock, deadline).push(&policies).await.expect("it is pushed").0
}

/// The function over a bucket with a document.
async fn fixture(text: &str) -> Fixture {
    let fixture = Fixture::new("1");
    push(&fixture, text).await;
    fixture
}

/// A prediction of this number that alerts where nothing withholds it.
fn numbered(number: usize) -> Prediction<'static> {
    let mut prediction = prediction();
    prediction.comment_event.id = format!("e-{number}").into();
    prediction
}

fn with_body(body: &str) -> Prediction<'static> {
    let mut prediction = prediction();
    prediction.comment.body = Some(body.to_owned().into());
    prediction
}

fn published(fixture: &Fixture) -> Vec<Notification> {
    std::iter::from_fn(|| fixture.inbox.try_receive()).collect()
}

/// Reason and detail of each alert that was withheld, by the alert's id.
fn withheld(fixture: &Fixture) -> BTreeMap<String, (String, String)> {
    let withheld = fixture.entries().into_iter().filter_map(|entry| {
        let why = entry.withheld()?;
        Some((entry.key.id.clone(), (why.reason.as_str().to_owned(), why.detail.clone())))
    });
    withheld.collect()
}

/// Why the one alert was withheld, and nothing published.
fn only_withheld(fixture: &Fixture) -> (String, String) {
    assert_eq!(published(fixture).len(), 0);
    let all = withheld(fixture);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_values().next().expect("one")
}

#[tokio::test(start_paused = true)]
async fn each_subreddit_has_its_rules_and_without_a_document_the_environments_hold() {
    let fixture = fixture("name = \"spring\"\n[default]\nthreshold = 0.9\n[subreddits.Science]\nthreshold = 0.8").await;
    let mut elsewhere = numbered(1);
    elsewhere.comment.subreddit = Some("askscience".into());
    assert_eq!(fixture.handle(&[encode(&elsewhere), encode(&prediction())]).await, SUCCESS);
    let [only] = &published(&fixture)[..] else { panic!("one alert") };
    let event = read(only);
    assert_eq!(event.id, ids::alert("urn:example:forum", "e-1", "spring").to_string());
    assert_eq!((event.data.policy.name.as_ref(), event.data.policy.condition.as_ref()), ("spring", "probability>=0.8"));
    assert_eq!((only.attributes["policy"].as_str(), only.attributes.get("probe")), ("spring", None));
}

#[tokio::test(start_paused = true)]
async fn a_base_rate_moves_what_an_alert_says() {
    let fixture = fixture("[default]\nthreshold = 0.1\nbase_rate = 0.05").await;
    fixture.handle(&[encode(&prediction())]).await;
    let alerts = published(&fixture);
    let alert = read(&alerts[0]).data;
    assert!((0.3..0.4).contains(&alert.probability), "{alert:?}");
    assert_eq!((alert.operating_point.base_rate, alert.severity), (0.05, Severity::Low));
}

#[tokio::test(start_paused = true)]
async fn the_probe_always_alerts_on_its_own_attribute_and_takes_no_place() {
    let fixture = fixture(
        "[default]\nthreshold = 1\nchannels = []\nmax_alerts_per_hour = 1\nexempt_authors = [\"bot\"]\n\
         quiet_hours = { from = \"00:00\", to = \"23:00\", time_zone = \"UTC\" }\n[breaker]\nmax_share = 0.01\nmin_alerts = 1",
    )
    .await;
    let mut probe = with_body(&format!(" {PROBE_BODY}\n"));
    probe.comment_event.source = PROBE_SOURCE.into();
    probe.comment.author = Some("bot".into());
    probe.probability = 0.01;
    fixture.handle(&[encode(&probe)]).await;
    let [only] = &published(&fixture)[..] else { panic!("one alert") };
    assert!(read(only).data.probe);
    assert_eq!((only.attributes["probe"].as_str(), only.attributes["severity"].as_str()), ("true", "high"));
    assert_eq!(fixture.table.items().len(), 1, "its alert alone: {:?}", fixture.table.items());
}

#[tokio::test(start_paused = true)]
async fn an_always_term_alerts_and_says_which() {
    let fixture = fixture("[default]\nthreshold = 1\nalways = [\"miracle cure\"]").await;
    fixture.handle(&[encode(&with_body("THE MIRACLE\n\u{200B}CURE!"))]).await;
    let alerts = published(&fixture);
    assert_eq!(read(&alerts[0]).data.matched.as_deref(), Some("miracle cure"));
}

#[tokio::test(start_paused = true)]
async fn an_explored_comment_is_withheld_under_an_id_of_its_own() {
    let fixture = fixture("[default]\nthreshold = 1\nexploration_share = 0.1").await;
    let records: Vec<Vec<u8>> = (0..100).map(|number| encode(&numbered(number))).collect();
    assert_eq!(fixture.handle(&records).await, SUCCESS);
    assert_eq!(fixture.handle(&records).await, SUCCESS);
    assert_eq!(published(&fixture).len(), 0);
    let all = withheld(&fixture);
    assert!((3..20).contains(&all.len()), "{}", all.len());
    let possible: Vec<String> = (0..100)
        .map(|number| ids::exploration("urn:example:forum", &format!("e-{number}"), "default").to_string())
        .collect();
    assert!(all.iter().all(|(id, (reason, _))| reason == "exploration" && possible.contains(id)), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn without_the_channel_and_in_quiet_hours_alerts_wait_for_the_digest() {
    let digest = fixture("[default]\nthreshold = 0.5\nchannels = [\"digest\"]").await;
    digest.handle(&[encode(&prediction())]).await;
    assert_eq!(only_withheld(&digest).0, "channel");

    let quiet = "quiet_hours = { from = \"10:00\", to = \"11:00\", time_zone = \"UTC\", keep = [\"high\"] }";
    let night = fixture(&format!("[default]\nthreshold = 0.5\n{quiet}")).await;
    night.handle(&[encode(&prediction())]).await;
    assert_eq!(only_withheld(&night), ("quiet_hours".to_owned(), "quiet hours, 10:00 to 11:00 (UTC)".to_owned()));
    let mut urgent = numbered(2);
    urgent.probability = 0.95;
    night.handle(&[encode(&urgent)]).await;
    assert_eq!(published(&night).len(), 1);
    // Day comes; what was withheld stays so.
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    night.handle(&[encode(&prediction()), encode(&numbered(3))]).await;
    assert_eq!((published(&night).len(), withheld(&night).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_alerts_in_a_minute_under_a_budget_of_twenty_are_twenty_and_the_rest_withheld() {
    let fixture = fixture("[default]\nthreshold = 0.5\nmax_alerts_per_hour = 20").await;
    let batches: Vec<Vec<Vec<u8>>> =
        (0..100).map(|batch| (0..100).map(|one| encode(&numbered(batch * 100 + one))).collect()).collect();
    for batch in &batches {
        assert_eq!(fixture.handle(batch).await, SUCCESS);
    }
    assert!(fixture.clock.now() < time() + Duration::from_secs(60));
    assert_eq!(published(&fixture).len(), 20);
    let all = withheld(&fixture);
    assert_eq!(all.len(), 9_980);
    assert!(all.values().all(|(reason, detail)| reason == "budget" && detail.contains("is 20 alerts an hour")));
    // Lambda sends some of it again, here and to a new instance.
    let again = Fixture {
        function: PublishAlerts::new(
            &config("1"),
            MemoryTopic::new("other"),
            fixture.table.clone(),
            fixture.objects.clone(),
            fixture.clock,
        ),
        ..fixture
    };
    assert_eq!(again.handle(&batches[0]).await, SUCCESS);
    assert_eq!(again.handle(&batches[99]).await, SUCCESS);
    assert_eq!(withheld(&again).len(), 9_980);
    let items = again.table.items();
    let budgets: Vec<_> = items.iter().filter(|item| item.key.partition.starts_with("budget#")).collect();
    let [budget] = &budgets[..] else { panic!("one budget: {budgets:?}") };
    assert_eq!((budget.key.sort.as_str(), budget.number("taken")), ("science", Some(20)));
    // The next hour has places again.
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(again.handle(&[encode(&numbered(10_000))]).await, SUCCESS);
    assert_eq!(withheld(&again).len(), 9_980);
}

#[tokio::test(start_paused = true)]
async fn all_subreddits_share_the_total_and_each_has_its_own() {
    let fixture =
        fixture("[default]\nthreshold = 0.5\nmax_alerts_per_hour = 3\n[total]\nmax_alerts_per_hour = 5").await;
    let of = |number: usize, subreddit: &'static str| {
        let mut prediction = numbered(number);
        prediction.comment.subreddit = Some(subreddit.into());
        encode(&prediction)
    };
    let names = ["a", "A", "a", "a", "b", "b", "b"];
    let records: Vec<Vec<u8>> = names.into_iter().enumerate().map(|(number, name)| of(number, name)).collect();
    fixture.handle(&records).await;
    let published: Vec<String> = published(&fixture).iter().map(|it| it.attributes["subreddit"].clone()).collect();
    assert_eq!(published, ["a", "A", "a", "b", "b"]);
    let details: Vec<String> = withheld(&fixture).into_values().map(|(_, detail)| detail).collect();
    let of_all = details.iter().filter(|detail| detail.contains("all subreddits together is 5")).count();
    assert_eq!((details.len(), of_all), (2, 1), "{details:?}");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_sends_one_message_and_withholds_until_it_is_closed() {
    let fixture = fixture("[default]\nthreshold = 0.5\n[breaker]\nmax_share = 0.2\nmin_alerts = 50").await;
    let inbox = &fixture.inbox;
    let topic = MemoryTopic::new("the second instance's");
    let others = topic.subscribe(Filter::new());
    let second = PublishAlerts::new(&config("1"), topic, fixture.table.clone(), fixture.objects.clone(), fixture.clock);
    let batch = |from: usize| (from..from + 49).map(|number| encode(&numbered(number))).collect::<Vec<_>>();
    fixture.handle(&batch(0)).await;
    assert_eq!(published(&fixture).len(), 49);
    fixture.handle(&batch(100)).await;
    let [message] = &std::iter::from_fn(|| inbox.try_receive()).collect::<Vec<_>>()[..] else { panic!("one message") };
    assert_eq!(message.attributes["breaker"], "open");
    assert!(message.body.contains("98 of 98 comments alerted") && message.body.contains("modstream breaker close"));
    assert_eq!(withheld(&fixture).len(), 49);
    // Another instance sees it, and a repeat changes nothing.
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    second.handle(&crate::payload(&[encode(&numbered(200))]), deadline).await.expect("a batch");
    fixture.handle(&batch(100)).await;
    assert_eq!((published(&fixture).len(), others.try_receive().is_some()), (0, false));
    let all = withheld(&fixture);
    assert!(all.len() == 50 && all.values().all(|(reason, _)| reason == "breaker"));
    // Somebody closes it: within seconds alerts are published again, and what came before does not count.
    let closing = modstream_ledger::limits::Breakers::new(&fixture.table, &fixture.clock, deadline);
    assert_eq!(closing.close().await.expect("it closes"), 1);
    tokio::time::sleep(Duration::from_secs(10)).await;
    fixture.handle(&[encode(&numbered(300))]).await;
    assert_eq!(published(&fixture).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_document_is_in_use_within_a_minute_and_one_that_is_none_keeps_the_one_before() {
    let fixture = fixture("[default]\nthreshold = 0.9").await;
    fixture.handle(&[encode(&numbered(0))]).await;
    assert_eq!(published(&fixture).len(), 0);
    push(&fixture, "[default]\nthreshold = 0.5").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    fixture.handle(&[encode(&numbered(1))]).await;
    assert_eq!(published(&fixture).len(), 1);

    let put = async |key: &str, text: &str| {
        fixture.objects.put(key, text.to_owned().into(), Condition::Always).await.expect("the bucket takes it");
    };
    let version = "0".repeat(64);
    for (pointer, document) in [
        ("{".to_owned(), ""),
        ("{\"version\":\"x\"}".to_owned(), ""),
        (format!("{{\"version\":\"{version}\"}}"), ""),
        (format!("{{\"version\":\"{version}\"}}"), "{\"default\":{\"threshold\":0.99}}"),
    ] {
        put(&key_of(&version), document).await;
        put(POINTER, &pointer).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let number = 2 + fixture.objects.versions(POINTER).len();
        fixture.handle(&[encode(&numbered(number))]).await;
        assert_eq!(published(&fixture).len(), 1, "{pointer} {document}");
    }
    // A good one is taken again.
    push(&fixture, "[default]\nthreshold = 0.99").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    fixture.handle(&[encode(&numbered(100))]).await;
    assert_eq!(published(&fixture).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_with_a_document_that_is_none_goes_by_the_environment() {
    let fixture = Fixture::new("0.5");
    let put = fixture.objects.put(POINTER, Bytes::from_static(b"{"), Condition::Always);
    put.await.expect("the bucket takes it");
    fixture.handle(&[encode(&prediction())]).await;
    assert_eq!(published(&fixture).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_instance_that_cannot_use_the_document_goes_by_the_one_before_as_others_do() {
    let fixture = fixture("[default]\nthreshold = 0.5\nmax_alerts_per_hour = 1").await;
    let version = push(&fixture, "[default]\nthreshold = 0.4").await;
    let key = key_of(&version);
    let damaged = fixture.objects.put(&key, Bytes::from_static(b"{"), Condition::Always);
    damaged.await.expect("the bucket takes it");
    fixture.handle(&[encode(&numbered(0)), encode(&numbered(1))]).await;
    assert_eq!((published(&fixture).len(), withheld(&fixture).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_comment_of_no_subreddit_has_a_budget_too() {
    let fixture = fixture("[default]\nthreshold = 0.5\nmax_alerts_per_hour = 1").await;
    let bare = |number: usize| {
        let mut prediction = numbered(number);
        prediction.comment = Comment::default();
        encode(&prediction)
    };
    fixture.handle(&[bare(0), bare(1)]).await;
    assert_eq!((published(&fixture).len(), withheld(&fixture).len()), (1, 1));
}
