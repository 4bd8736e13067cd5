//! The publisher over the memory world. Time is virtual.

mod config;
mod content;
mod costs;
mod deadline;
mod document;
mod harm;
mod lifecycle;
mod payload;
mod policy;

use std::time::Duration;

use jiff::Timestamp;
use kinesis_batch::{SourceRecord, payload as payloads};
use modstream_events::{Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, Prediction, Term};
use modstream_ledger::{Entry, SCHEMA};
use modstream_platform::memory::{
    Filter, MemoryClock, MemoryObjects, MemoryTable, MemoryTopic, Notification, Subscription,
};
use modstream_platform::{Clock, Fetched, Objects};
use publish_alerts::{Config, Policy, PublishAlerts, Severities};

const START: &str = "2026-01-05T10:00:00Z";

fn time() -> Timestamp {
    START.parse().expect("a time")
}

/// A prediction that says little; tests change what they are about.
fn prediction() -> Prediction<'static> {
    Prediction {
        comment: Comment {
            id: Some("c1".into()),
            subreddit: Some("science".into()),
            body: Some("Is it so?".into()),
            ..Comment::default()
        },
        comment_event: EventRef { source: "urn:example:forum".into(), id: "e-1".into(), time: time() },
        version: None,
        probability: 0.8,
        log_odds: 1.4,
        intercept: -0.5,
        terms: vec![Term { term: "so".into(), contribution: 1.9 }],
        other: 0.0,
        model: ModelRef { name: "m".into(), version: "f".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.7, recall: 0.2, share: 0.06, base_rate: 0.3 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    }
}

fn encode(prediction: &Prediction<'_>) -> Vec<u8> {
    Event::new("p-1", "urn:modstream:score-comments", time(), prediction.clone()).encode()
}

/// The function and what it works on.
struct Fixture {
    function: PublishAlerts<MemoryTopic, MemoryTable, MemoryObjects, MemoryClock>,
    table: MemoryTable,
    objects: MemoryObjects,
    inbox: Subscription,
    clock: MemoryClock,
}

impl Fixture {
    fn new(policy: &str) -> Self {
        let clock = MemoryClock::starting_at(time());
        let (table, objects, topic) = (table(clock), MemoryObjects::new(), MemoryTopic::new("alerts"));
        let inbox = topic.subscribe(Filter::new());
        let function = PublishAlerts::new(&config(policy), topic, table.clone(), objects.clone(), clock);
        Fixture { function, table, objects, inbox, clock }
    }

    /// The alerts that there are, in no order.
    fn entries(&self) -> Vec<Entry> {
        entries(&self.table)
    }

    /// Handles these records as one batch; the response.
    async fn handle(&self, records: &[Vec<u8>]) -> String {
        let deadline = self.clock.now() + Duration::from_secs(10);
        let response = self.function.handle(&payload(records), deadline).await.expect("a batch");
        serde_json::to_string(&response).expect("a response")
    }

    /// What the topic takes for one prediction.
    async fn alert_for(prediction: &Prediction<'_>) -> Notification {
        let fixture = Fixture::new("0");
        assert_eq!(fixture.handle(&[encode(prediction)]).await, SUCCESS);
        fixture.inbox.try_receive().expect("it alerts")
    }

    /// The quarantined events' reason and detail.
    async fn quarantined(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for key in self.objects.list("quarantine/").await.expect("lists") {
            let Ok(Fetched::Object { bytes, .. }) = self.objects.get(&key, None).await else { panic!("it is there") };
            let entry: serde_json::Value = serde_json::from_slice(&bytes).expect("an event");
            let text = |field: &str| entry["data"][field].as_str().expect("text").to_owned();
            all.push((text("reason"), text("detail")));
        }
        all
    }
}

fn table(clock: MemoryClock) -> MemoryTable {
    MemoryTable::new("table", SCHEMA, clock)
}

fn entries(table: &MemoryTable) -> Vec<Entry> {
    let items = table.items().into_iter().filter(|item| item.key.sort.starts_with("alert#"));
    items.map(|item| Entry::of_item(&item).expect("an alert")).collect()
}

const SUCCESS: &str = r#"{"batchItemFailures":[]}"#;

fn config(policy: &str) -> Config {
    Config {
        alerts_topic_arn: "arn".to_owned(),
        table: "table".to_owned(),
        bucket: "bucket".to_owned(),
        policy: Policy::parse(policy).expect("a policy"),
        severities: Severities::default(),
        links: None,
    }
}

fn payload(records: &[Vec<u8>]) -> Vec<u8> {
    let numbers: Vec<String> = (0..records.len()).map(|number| format!("49{number:054}")).collect();
    let records = records.iter().zip(&numbers).map(|(data, sequence_number)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/predictions",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "c1",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    payloads::encode(&records.collect::<Vec<_>>())
}

fn read(notification: &Notification) -> Event<'_, Alert<'_>> {
    Event::decode(notification.body.as_bytes()).expect("an alert event")
}
