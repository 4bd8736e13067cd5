//! `modstream redrive`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_events::{Origin, Quarantined, Reason};
use modstream_stub_server::FakeAws;
use serde_json::json;

use crate::command::{Aws, Run};
use crate::table;

const NAMES: [&str; 8] = [
    "--bucket",
    "bucket",
    "--table",
    table::STATE,
    "--comments-stream",
    "comments",
    "--predictions-stream",
    "predictions",
];

fn run(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["redrive"][..], &NAMES, args].concat())
}

fn comment() -> Vec<u8> {
    json!({
        "specversion": "1.0",
        "id": "e1",
        "source": "urn:example:forum",
        "type": "modstream.comment.v1",
        "time": "2026-01-05T10:00:00Z",
        "data": { "id": "k1", "body": "Is it so?" },
    })
    .to_string()
    .into_bytes()
}

/// Puts an entry into quarantine; its key.
fn quarantine(aws: &FakeAws, number: &'static str, data: &[u8]) -> String {
    let entry = Quarantined {
        origin: Origin {
            stream: "comments".into(),
            shard_id: "shardId-000000000000".into(),
            sequence_number: number.into(),
            partition_key: "k1".into(),
            arrived: "2026-01-05T10:00:00Z".parse().expect("a time"),
        },
        reason: Reason::Panicked,
        detail: "a bug".into(),
        payload: Cow::Owned(STANDARD.encode(data)),
    };
    let key = entry.key();
    aws.put("bucket", &key, entry.into_event("urn:test").encode());
    key
}

#[test]
fn a_record_comes_back_once_and_is_marked() {
    let aws = FakeAws::start().expect("a port");
    quarantine(&aws, "7", &comment());
    let dry = run(&aws, &["--dry-run", "--json"]).done();
    assert_eq!((&dry["put_back"], aws.keys("bucket").len(), aws.records("comments").len()), (&json!(1), 1, 0));
    let first = run(&aws, &["--json"]).done();
    assert_eq!((&first["put_back"], &first["before"]), (&json!(1), &json!(0)));
    assert_eq!(aws.records("comments"), [("k1".to_owned(), comment())]);
    let marks = table::items(&aws, "redriven#quarantine/comments/shardId-000000000000/7.json");
    assert_eq!((marks.len(), &marks[0]["stream"]), (1, &json!({ "S": "comments" })));
    let second = run(&aws, &["--json"]).done();
    assert_eq!((&second["put_back"], &second["before"], aws.records("comments").len()), (&json!(0), &json!(1), 1));
    assert!(run(&aws, &[]).stdout.contains("1 was put back before"));
}

#[test]
fn what_is_bad_or_not_ours_is_named_and_a_generators_invocation_gets_its_command() {
    let aws = FakeAws::start().expect("a port");
    let bad = quarantine(&aws, "8", b"no JSON");
    let still = run(&aws, &["--json"]).done();
    assert_eq!(still["still_bad"][0]["key"], json!(bad));
    aws.put("bucket", "aws/lambda/async/modstream-generate-comments/1.json", "{}");
    aws.put("bucket", "aws/lambda/mine.json", "{}");
    let text = run(&aws, &[]);
    assert_eq!(text.status, Some(1), "{text:?}");
    for part in ["1 is still bad", "1 object is not ours", "aws/lambda/mine.json", "aws lambda invoke", &bad] {
        assert!(text.stdout.contains(part), "{part} is missing in {text:?}");
    }
    assert!(aws.records("comments").is_empty() && aws.items(table::STATE).is_empty());
    assert_eq!(run(&aws, &["--quarantine", "--force", "--json"]).done()["put_back"], 1);
    let unknown = run(&aws, &["--reason", "odd", "--json"]);
    assert!(unknown.json()["error"].as_str().is_some_and(|error| error.contains("data.reason")), "{unknown:?}");
}
