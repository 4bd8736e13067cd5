//! `modstream probe`.

use std::sync::Arc;

use modstream_events::PROBE_BODY;
use modstream_stub_server::{FakeAws, Reply, Request};
use serde_json::{Value, json};

use crate::command::Aws;
use crate::services::{Services, TOPIC};

const PROBE: [&str; 4] = ["probe", "--stream", "comments", "--json"];
/// Alerts about probes.
const OWN: &str = "d704ed39-889c-5b22-b41b-2e4fb9283bff";
const OTHER: &str = "0f3e1c52-3a6e-5d0b-9a55-3c1d7a5d9b10";

/// A stream whose probes alert on the topic of `services`, after another's.
fn answered(services: &Arc<Services>) -> FakeAws {
    let services = Arc::clone(services);
    let aws = FakeAws::start_with(move |request: &Request| -> Option<Reply> {
        if request.header("x-amz-target").is_some_and(|target| target.ends_with(".PutRecords")) {
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let data = body["Records"][0]["Data"].as_str().expect("text");
            let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).expect("base64");
            let comment: Value = serde_json::from_slice(&data).expect("JSON");
            let mut state = services.state();
            state.messages.push(json!({ "no": "alert" }).to_string());
            state.messages.push(alert(OTHER, "11111111-1111-5111-8111-111111111111").to_string());
            state.messages.push(alert(OWN, comment["id"].as_str().expect("an id")).to_string());
        }
        None
    });
    aws.expect("a port")
}

fn alert(id: &str, comment_event: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "urn:modstream:publish-alerts",
        "type": "modstream.alert.v1",
        "time": "2026-01-05T10:00:02Z",
        "datacontenttype": "application/json",
        "data": {
            "probability": 0.1, "log_odds": -2.2, "severity": "high", "probe": true,
            "policy": { "name": "default", "condition": "probability>=0.7" },
            "operating_point": { "precision": 0.8, "recall": 0.5, "share": 0.2, "base_rate": 0.3 },
            "model": { "name": "rscience", "version": "ab".repeat(32) },
            "terms": [],
            "comment": { "body": PROBE_BODY },
            "body_truncated": false,
            "prediction_id": "22222222-2222-5222-8222-222222222222",
            "comment_event": { "source": "urn:modstream:probe", "id": comment_event, "time": "2026-01-05T10:00:00Z" },
        },
    })
}

#[test]
fn a_probe_is_a_comment_of_its_own_whose_text_alerts() {
    let aws = FakeAws::start().expect("a port");
    let ids: Vec<Value> = (0..2).map(|_| Aws::at(&aws.url()).run(&PROBE).done()["comment_event"].clone()).collect();
    assert_ne!(ids[0], ids[1]);
    for (id, (_, data)) in ids.iter().zip(aws.records("comments")) {
        let event: Value = serde_json::from_slice(&data).expect("JSON");
        assert_eq!((&event["id"], &event["data"]["body"]), (id, &PROBE_BODY.into()));
    }
}

#[test]
fn it_waits_for_its_own_alert_through_a_queue_that_is_gone_at_the_end() {
    let services = Arc::new(Services::start());
    let aws = answered(&services);
    let reached = Aws::at(&services.url()).with("AWS_ENDPOINT_URL_KINESIS", &aws.url());
    let args = [&PROBE[..], &["--topic", TOPIC, "--wait", "30s"]].concat();
    let done = reached.run(&args).done();
    assert_eq!(done["alert"], OWN);
    assert!(done["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{done}");
    let state = services.state();
    assert_eq!(state.filters, ["{\"probe\":[\"true\"]}"]);
    assert!(state.subscriptions.is_empty(), "{state:?}");
    assert_eq!(state.queues.keys().collect::<Vec<_>>(), ["moderators"]);
}

#[test]
fn where_no_alert_comes_the_status_is_1_and_it_says_where_to_look() {
    let services = Services::start();
    let aws = FakeAws::start().expect("a port");
    let reached = Aws::at(&services.url()).with("AWS_ENDPOINT_URL_KINESIS", &aws.url());
    let error = reached.run(&[&PROBE[..], &["--topic", TOPIC, "--wait", "1s"]].concat()).error();
    assert!(error.contains("within 1 s") && error.contains("iterator age"), "{error}");
    assert_eq!(services.state().queues.keys().collect::<Vec<_>>(), ["moderators"]);
    assert!(reached.run(&[&PROBE[..], &["--wait"]].concat()).usage().contains("--topic"));
}
