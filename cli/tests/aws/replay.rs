//! `modstream replay` of a system.

use jiff::Timestamp;
use modstream_archive::{ArchivedRecord, Content, encode};
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, Term, ids,
};
use modstream_stub_server::{Answer, FakeAws, Reply, StubServer};
use serde_json::{Value, json};

use crate::command::{Aws, Run};
use crate::table;

const SOURCE: &str = "urn:example:forum";
const NAMES: [&str; 6] = ["--bucket", "bucket", "--table", table::STATE, "--comments-stream", "comments"];
const RANGE: [&str; 4] = ["--from", "2026-01-05T10:00:00Z", "--to", "2026-01-05T12:00:00Z"];

fn run(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["replay", "--json"][..], &NAMES, args].concat())
}

fn arrived() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().expect("a time")
}

fn comment(id: &str) -> Comment<'static> {
    Comment {
        id: Some(id.to_owned().into()),
        body: Some("lol who cares about any of that".into()),
        ..Comment::default()
    }
}

/// Puts an object of the archive; its key.
fn archive(aws: &FakeAws, first: u32, comments: &[&str]) -> String {
    archive_at(aws, first, comments, arrived())
}

fn archive_at(aws: &FakeAws, first: u32, comments: &[&str], arrived: Timestamp) -> String {
    let records: Vec<ArchivedRecord> = (first..)
        .zip(comments)
        .map(|(number, id)| ArchivedRecord {
            sequence_number: number.to_string(),
            partition_key: (*id).to_owned(),
            arrived,
            content: Content::Data(Event::new(*id, SOURCE, arrived, comment(id)).encode()),
        })
        .collect();
    let (key, bytes) = encode("comments", "shardId-000000000000", &records).expect("an object");
    aws.put("bucket", &key.to_string(), bytes);
    key.to_string()
}

/// Puts an alert into the ledger.
fn alerted(aws: &FakeAws, id: &str) {
    let prediction = Prediction {
        comment: comment(id),
        comment_event: EventRef { source: SOURCE.into(), id: id.to_owned().into(), time: arrived() },
        version: None,
        probability: 0.95,
        log_odds: 3.0,
        intercept: 0.0,
        terms: vec![Term { term: "lol".into(), contribution: 3.0 }],
        other: 0.0,
        model: ModelRef { name: "old".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.9, recall: 0.1, share: 0.1, base_rate: 0.3 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    let policy = PolicyRef { name: "default".into(), condition: "probability>=0.9".into() };
    let alert = Alert::new(prediction, "p".into(), Severity::High, policy);
    let alert_id = ids::alert(SOURCE, id, "default").to_string();
    let event = Event::new(alert_id.as_str(), "urn:modstream:publish-alerts", arrived(), alert);
    table::made(aws, &event);
}

#[test]
fn the_archive_is_compared_with_the_alerts_there_were() {
    let aws = table::services();
    archive(&aws, 1, &["a", "b", "c"]);
    archive(&aws, 3, &["c", "d"]);
    alerted(&aws, "a");
    let all = run(&aws, &[&RANGE[..], &["--policy", "1"]].concat()).done();
    assert_eq!((&all["comments"], &all["was"]["alerts"], &all["now"]["alerts"]), (&json!(4), &json!(1), &json!(0)));
    let lost = &all["lost"]["examples"][0];
    assert_eq!((&lost["was"]["probability"], &lost["was"]["severity"]), (&json!(0.95), &json!("high")));
    assert!(lost["now"]["probability"].as_f64().is_some_and(|probability| probability < 1.0), "{lost}");
    assert_eq!(all["was"]["name"], "alerts there were (old 000000000000)");
    let all = run(&aws, &[&RANGE[..], &["--policy", "0"]].concat()).done();
    assert_eq!((&all["won"]["alerts"], &all["both"]["alerts"]), (&json!(3), &json!(1)));
    assert!(all["won"]["examples"][0]["was"].is_null() && all["changed"]["other_condition"] == 1, "{all}");
    let all = run(&aws, &[&RANGE[..], &["--policy", "0", "--against-policy", "0"]].concat()).done();
    assert_eq!((&all["won"]["alerts"], &all["was"]["alerts"]), (&json!(0), &json!(4)));
}

#[test]
fn a_range_without_comments_is_said_with_what_there_is() {
    let aws = table::services();
    assert!(run(&aws, &RANGE).error().contains("is empty"));
    archive(&aws, 1, &["a"]);
    let ran = |from: &str, to: &str| run(&aws, &["--from", from, "--to", to]);
    let from = |from: &str, to: &str| ran(from, to).error();
    let early = from("2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z");
    assert!(early.contains("no comments in it; the archive begins at 2026-01-05T10:00:00Z: it has nothing"), "{early}");
    let turned = ran("2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z").usage();
    assert!(turned.contains("is not before"), "{turned}");
    let late = from("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z");
    assert!(late.contains("there are no comments in it"), "{late}");
    let nothing = run(&aws, &[]).usage();
    assert!(nothing.contains("--input FILE, --from TIME"), "{nothing}");
}

#[test]
fn of_a_young_archive_there_is_what_it_has_and_since_when() {
    let aws = table::services();
    let arrived: Timestamp = "2026-01-05T10:07:30Z".parse().expect("a time");
    archive_at(&aws, 1, &["a", "b"], arrived);
    for from in ["2026-01-04T00:00:00Z", "2026-01-05T09:59:59Z"] {
        let all = run(&aws, &["--from", from, "--to", "2026-01-06T00:00:00Z"]).done();
        assert_eq!((&all["comments"], &all["archive_begins"]), (&json!(2), &json!("2026-01-05T10:07:30Z")), "{from}");
    }
    let args = [&["replay", "--from", "2026-01-04T00:00:00Z", "--to", "2026-01-06T00:00:00Z"][..], &NAMES].concat();
    let said = Aws::at(&aws.url()).run(&args);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(
        said.stdout.contains("the archive begins at 2026-01-05T10:07:30Z: it has nothing before that\n"),
        "{said:?}"
    );
    let all = run(&aws, &["--from", "2026-01-05T10:00:00Z", "--to", "2026-01-06T00:00:00Z"]).done();
    assert_eq!(all.get("archive_begins"), None, "the hour is there");
}

#[test]
fn a_damaged_object_is_named_and_the_rest_is_replayed() {
    let aws = table::services();
    archive(&aws, 1, &["a"]);
    let damaged = archive(&aws, 5, &["b"]);
    aws.put("bucket", &damaged, "no zstd");
    let all = run(&aws, &RANGE);
    assert_eq!(all.status, Some(1), "{all:?}");
    let all = all.json();
    assert_eq!((&all["comments"], &all["unreadable"][0]["name"]), (&json!(1), &json!(damaged)));
}

#[test]
fn a_stream_is_read_as_far_back_as_it_keeps_records() {
    let server = StubServer::start(|request| {
        let operation = request.header("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let answer = match operation {
            "DescribeStreamSummary" => json!({ "StreamDescriptionSummary": {
                "StreamName": "comments", "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
                "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": 0,
                "EnhancedMonitoring": [], "OpenShardCount": 1,
            } }),
            "ListShards" => json!({ "Shards": [{
                "ShardId": "shard-0",
                "HashKeyRange": { "StartingHashKey": "0", "EndingHashKey": "1" },
                "SequenceNumberRange": { "StartingSequenceNumber": "1" },
            }] }),
            "GetShardIterator" => json!({ "ShardIterator": "0" }),
            _ if body["ShardIterator"] == "0" => {
                let record = |number: u32, at: f64| {
                    let id = number.to_string();
                    let data = Event::new(id.as_str(), SOURCE, arrived(), comment(&id)).encode();
                    use base64::Engine as _;
                    json!({
                        "SequenceNumber": id,
                        "PartitionKey": "k",
                        "Data": base64::engine::general_purpose::STANDARD.encode(data),
                        "ApproximateArrivalTimestamp": at,
                    })
                };
                // The second comes after what was asked for.
                let records = [record(1, 1_767_607_200.0), record(2, 4_000_000_000.0)];
                json!({ "Records": records, "NextShardIterator": "1", "MillisBehindLatest": 5 })
            }
            _ => json!({ "Records": [], "NextShardIterator": "1", "MillisBehindLatest": 0 }),
        };
        Reply::from(Answer::new(200, answer.to_string()).header("Content-Type", "application/x-amz-json-1.1"))
    });
    let server = server.expect("a port");
    let args = ["replay", "--json", "--stream", "--comments-stream", "comments", "--against-policy", "0.7"];
    assert_eq!(Aws::at(&server.url()).run(&args).done()["comments"], 1);
    let error = Aws::at(&server.url()).run(&[&args[..], &["--from", "2d"]].concat()).error();
    assert!(error.contains("keeps records for 24 hours"), "{error}");
}
