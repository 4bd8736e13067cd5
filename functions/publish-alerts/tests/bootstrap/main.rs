//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

mod costs;

use std::path::Path;

use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda, Request};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_publish-alerts");
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:alerts";

fn start(lambda: &Lambda, aws: &FakeAws, policy: &str) -> Bootstrap {
    let variables = [("ALERTS_TOPIC_ARN", TOPIC), ("TABLE", "table"), ("BUCKET", "bucket"), ("POLICY", policy)];
    Bootstrap::start(PROGRAM, "publish-alerts", lambda, aws, &variables).expect("starts")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples").join(name)).expect("a sample")
}

fn published(aws: &FakeAws) -> Vec<Request> {
    aws.requests().into_iter().filter(|request| request.text().contains("Action=PublishBatch")).collect()
}

#[test]
fn a_prediction_that_meets_the_policy_is_published_once_with_its_attributes_and_stands_in_the_ledger() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let bootstrap = start(&lambda, &aws, "precision>=0.9");
    let done = Ended::Response(json!({"batchItemFailures": []}));
    let payload = sample("predictions-batch.json");
    assert_eq!(lambda.invoke("request-1", &payload), done);

    let [request] = &published(&aws)[..] else { panic!("one call") };
    let body = request.text();
    assert!(body.contains("TopicArn=arn%3Aaws%3Asns%3A"), "{body}");
    for attribute in ["severity", "subreddit", "model_version"] {
        assert!(body.contains(&format!("Name={attribute}")), "{body}");
    }
    let ledger = aws.items("table");
    let [alert] = &ledger[..] else { panic!("one item: {ledger:?}") };
    assert!(alert["pk"]["S"].as_str().is_some_and(|partition| partition.starts_with("comment#")), "{alert}");
    assert!(alert["sk"]["S"].as_str().is_some_and(|sort| sort.starts_with("alert#")), "{alert}");
    assert!(alert["sent"]["S"].is_string() && alert["message_id"]["S"].is_string(), "{alert}");
    assert!(aws.keys("bucket").is_empty());

    // Lambda sends a batch again after any failure: the ledger knows.
    assert_eq!(lambda.invoke("request-2", &payload), done);
    assert_eq!(published(&aws).len(), 1);

    let line = bootstrap.wait_for_line(|line| line.contains("batch_done") && line.contains("request-2"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!(event["function"], "publish-alerts");
    assert!(!line.contains("bold_claims_daily"), "{line}");
}

#[test]
fn a_policy_that_is_none_keeps_it_from_starting() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let finished = start(&lambda, &aws, "always").wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    let event: Value = serde_json::from_str(line).expect("a JSON line");
    assert_eq!((&event["event"], &event["function"]), (&json!("start_failed"), &json!("publish-alerts")));
    assert!(event["error"].as_str().is_some_and(|error| error.contains("POLICY holds `always`")), "{line}");
}
