//! Invocations.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_stub_server::{Answer, Ended, Request};
use serde_json::{Value, json};

use crate::{Running, is_put_records, records, sample};

#[test]
fn each_comment_becomes_a_prediction_under_its_key_and_the_log_says_which_batch_and_no_text() {
    let running = Running::start_with(&[("LOG_LEVEL", "trace")], |_| None);
    let payload = sample("comments-batch.json");
    let comments = records(&payload);
    assert_eq!(running.lambda.invoke("request-1", &payload), Ended::Response(json!({"batchItemFailures": []})));

    let predictions = running.aws.records("predictions");
    assert_eq!(predictions.len(), comments.len());
    for ((_, key, comment), (prediction_key, prediction)) in comments.iter().zip(&predictions) {
        let comment: Value = serde_json::from_slice(comment).expect("JSON");
        let prediction: Value = serde_json::from_slice(prediction).expect("JSON");
        assert_eq!(prediction_key, key);
        assert_eq!(prediction["type"], "modstream.prediction.v1");
        assert_eq!(prediction["data"]["comment_event"]["id"], comment["id"]);
        assert!(prediction["data"]["probability"].as_f64().is_some_and(|it| 0.0 < it && it < 1.0));
    }

    let line = running.bootstrap.wait_for_line(|line| line.contains("batch_done"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["span"]["request_id"], "request-1");
    assert_eq!(event["records"], comments.len());
    assert_eq!(
        (event["stream"].as_str(), event["shard_id"].as_str()),
        (Some("comments"), Some("shardId-000000000000"))
    );

    running.bootstrap.terminate().expect("asked");
    let log = running.bootstrap.wait().expect("ends").lines.join("\n");
    for (_, _, comment) in comments {
        assert!(!log.contains(&STANDARD.encode(&comment)), "the log quotes a record");
        let comment: Value = serde_json::from_slice(&comment).expect("JSON");
        for field in ["body", "author"] {
            let text = comment["data"][field].as_str().expect("text");
            assert!(!log.contains(text), "the log quotes a comment's {field}");
        }
    }
}

#[test]
fn bad_records_go_to_quarantine_and_hold_up_nothing_and_a_quiet_log_still_says_whose_request_it_was() {
    let running = Running::start_with(&[("LOG_LEVEL", "warn")], |_| None);
    let payload = sample("comments-batch-bad.json");
    let all = records(&payload).len();
    assert_eq!(running.lambda.invoke("request-1", &payload), Ended::Response(json!({"batchItemFailures": []})));
    let quarantined = running.aws.keys("bucket").iter().filter(|key| key.starts_with("quarantine/comments/")).count();
    assert!(quarantined > 5, "{quarantined}");
    assert_eq!(running.aws.records("predictions").len() + quarantined, all);

    let line = running.bootstrap.wait_for_line(|line| line.contains("record_quarantined"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!(event["span"]["request_id"], "request-1");
    running.bootstrap.terminate().expect("asked");
    let finished = running.bootstrap.wait().expect("ends");
    assert!(finished.lines.iter().all(|line| !line.contains("\"INFO\"")), "{finished:?}");
}

#[test]
fn what_is_no_batch_is_a_function_error_in_the_handlers_words_and_the_next_one_is_handled() {
    let running = Running::start();
    for (request_id, payload, words) in [
        ("empty", &b""[..], "the payload is no JSON (line 1, column 0): invoke the function with a Kinesis event"),
        ("binary", b"\xff\xfe", "the payload is no JSON (line 1, column 1): invoke the function with a Kinesis event"),
        ("other", b"{\"detail\":{}}", "the payload is no Kinesis event: missing field `Records`"),
    ] {
        let Ended::Error { error_type, message } = running.lambda.invoke(request_id, payload) else {
            panic!("{request_id}: a response");
        };
        assert_eq!(error_type, "Failed");
        assert!(message.starts_with(words), "{message}");
        let line = running.bootstrap.wait_for_line(|line| line.contains(request_id));
        let event: Value = serde_json::from_str(&line).expect("a JSON line");
        assert_eq!((&event["event"], &event["cause"]), (&json!("invocation_failed"), &json!(message)));
    }
    let ended = running.lambda.invoke("request-1", &sample("comments-batch.json"));
    assert_eq!(ended, Ended::Response(json!({"batchItemFailures": []})));
}

#[test]
fn a_stream_that_is_not_there_leaves_the_batch_to_come_again_from_its_first_record() {
    let gone = r#"{"__type":"ResourceNotFoundException","message":"Stream predictions not found"}"#;
    let running = Running::start_with(&[], move |request| {
        is_put_records(request)
            .then(|| Answer::new(400, gone).header("Content-Type", "application/x-amz-json-1.1").into())
    });
    let payload = sample("comments-batch.json");
    let first = &records(&payload)[0].0;
    let failed = Ended::Response(json!({"batchItemFailures": [{"itemIdentifier": first}]}));
    assert_eq!(running.lambda.invoke("request-1", &payload), failed);
    running.bootstrap.wait_for_line(|line| {
        line.contains("batch_interrupted") && line.contains("ResourceNotFoundException: Stream predictions not found")
    });
}

#[test]
fn an_invocation_without_time_left_starts_no_call() {
    let running = Running::start();
    let payload = sample("comments-batch.json");
    running.lambda.send("request-1", Duration::ZERO, &payload);
    let (_, ended) = running.lambda.wait_for_end();
    assert_eq!(ended, Ended::Response(json!({"batchItemFailures": [{"itemIdentifier": records(&payload)[0].0}]})));
    assert_eq!(running.aws.records("predictions"), []);
}

#[test]
fn what_is_denied_is_said_with_function_and_prefix_and_comes_again() {
    let denied = |request: &Request| {
        let body = *b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        (request.method == "PUT" && request.target.contains("/quarantine/")).then(|| Answer::new(403, body).into())
    };
    let running = Running::start_with(&[], denied);
    let Ended::Response(response) = running.lambda.invoke("request-1", &sample("comments-batch-bad.json")) else {
        panic!("it answers")
    };
    assert_eq!(response["batchItemFailures"].as_array().map(Vec::len), Some(1), "{response}");
    let line = running.bootstrap.wait_for_line(|line| line.contains("access_denied"));
    let event: Value = serde_json::from_str(&line).expect("a JSON line");
    assert_eq!((event["level"].as_str(), event["prefix"].as_str()), (Some("ERROR"), Some("quarantine/")), "{line}");
    assert_eq!((event["permission"].as_str(), event["operation"].as_str()), (Some("s3:PutObject"), Some("PutObject")));
    assert_eq!(event["span"]["function"], "score-comments");
}
