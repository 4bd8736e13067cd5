//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use modstream_events::{Action, Event};
use modstream_ledger::{AlertKey, pack};
use modstream_links::{Claim, Signer};
use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda, url_request};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_take-decisions");
const VARIABLES: [(&str, &str); 3] =
    [("TABLE", "table"), ("DECISIONS_STREAM", "decisions"), ("LINK_KEY_SECRET", "links")];
const KEY: &str = "0123456789abcdef0123456789abcdef";
const ALERT: &str = "d704ed39-889c-5b22-b41b-2e4fb9283bff";

fn alert() -> Value {
    json!({
        "specversion": "1.0",
        "id": ALERT,
        "source": "urn:modstream:publish-alerts",
        "type": "modstream.alert.v1",
        "time": "2026-01-05T10:00:02Z",
        "datacontenttype": "application/json",
        "data": {
            "probability": 0.9, "log_odds": 2.2, "severity": "high",
            "policy": { "name": "default", "condition": "probability>=0.7" },
            "operating_point": { "precision": 0.8, "recall": 0.5, "share": 0.2, "base_rate": 0.3 },
            "model": { "name": "rscience", "version": "ab".repeat(32) },
            "terms": [],
            "comment": { "body": "my cousin says so", "subreddit": "science" },
            "body_truncated": false,
            "prediction_id": "22222222-2222-5222-8222-222222222222",
            "comment_event": {
                "source": "urn:example:forum",
                "id": "11111111-1111-5111-8111-111111111111",
                "time": "2026-01-05T10:00:00Z"
            },
        },
    })
}

#[test]
fn a_click_on_a_links_page_is_a_decision_on_the_stream() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    aws.put_secret("links", KEY);
    let alert = alert().to_string();
    let key = AlertKey::of_alert(&Event::decode(alert.as_bytes()).expect("an alert"));
    let item = key.item();
    aws.put_item(
        "table",
        &json!({
            "pk": { "S": item.partition }, "sk": { "S": item.sort }, "event": { "B": STANDARD.encode(pack(alert.as_bytes())) },
            "made": { "S": "2026-01-05T10:00:02.000000000Z" }, "severity": { "S": "high" }, "in_open": { "S": "open" },
        }),
    );
    let _bootstrap = Bootstrap::start(PROGRAM, "take-decisions", &lambda, &aws, &VARIABLES).expect("starts");

    let signer = Signer::new(KEY.as_bytes(), None).expect("a key");
    let claim = Claim::to_alert(&key, Action::Remove).expect("UUIDs");
    let link = signer.link("", &claim, Timestamp::now() + Duration::from_secs(3_600)).expect("a link");
    let answer = |id, method, body| match lambda.invoke(id, url_request(method, &link, body).to_string().as_bytes()) {
        Ended::Response(answer) => answer,
        other => panic!("an answer: {other:?}"),
    };

    let page = answer("request-1", "GET", "");
    assert_eq!(page["statusCode"], 200, "{page}");
    assert!(page["body"].as_str().is_some_and(|body| body.contains("my cousin says so")), "{page}");
    assert!(aws.records("decisions").is_empty(), "opening it decides nothing");

    let done = answer("request-2", "POST", "action=remove&after=0&moderator=maja");
    assert_eq!(done["statusCode"], 303, "{done}");
    let records = aws.records("decisions");
    let [(_, record)] = &records[..] else { panic!("one record: {records:?}") };
    let decision: Value = serde_json::from_slice(record).expect("JSON");
    assert_eq!((&decision["data"]["action"], &decision["data"]["moderator"]), (&"remove".into(), &"maja".into()));
    let items = aws.items("table");
    let sorts: Vec<&str> = items.iter().filter_map(|item| item["sk"]["S"].as_str()).collect();
    assert_eq!(sorts, [format!("alert#{ALERT}"), format!("decision#{ALERT}#0001")]);
    // It waits no more.
    assert_eq!((&items[0]["decisions"], &items[0]["in_open"]), (&json!({ "N": "1" }), &Value::Null));
}

#[test]
fn without_a_secret_it_does_not_start() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap = Bootstrap::start(PROGRAM, "take-decisions", &lambda, &aws, &VARIABLES[..2]).expect("starts");
    let finished = bootstrap.wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    assert!(line.contains("start_failed") && line.contains("LINK_KEY_SECRET is missing"), "{line}");
}
