//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use counted_calls::assert_calls;
use jiff::Timestamp;
use modstream_gateway::keys::{NewKey, Role};
use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda, url_request};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_answer-checks");
const VARIABLES: [(&str, &str); 5] = [
    ("BUCKET", "bucket"),
    ("COMMENTS_STREAM", "comments"),
    ("MODEL_NAME", "rscience"),
    ("HARM_MODEL_NAME", "harm"),
    ("POLICY", "0.7"),
];

/// The function, started over what a bucket holds, with a key for all.
struct Running {
    lambda: Lambda,
    aws: FakeAws,
    bootstrap: Bootstrap,
    key: String,
}

impl Running {
    fn start(models: &[&str]) -> Self {
        let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        for name in models {
            aws.put_model("bucket", name, &folder.join(name)).expect("a model");
        }
        let made = NewKey::make(BTreeSet::from(Role::ALL), 6_000, None, Timestamp::now()).expect("random bytes");
        let record = serde_json::to_vec(&made.record).expect("JSON");
        aws.put("bucket", &format!("keys/{}.json", made.record.id), record);
        let bootstrap = Bootstrap::start(PROGRAM, "answer-checks", &lambda, &aws, &VARIABLES).expect("starts");
        lambda.wait_until_started();
        Running { lambda, aws, bootstrap, key: made.key }
    }

    /// All that it logged, once it has ended.
    fn ended(self) -> Vec<String> {
        self.bootstrap.terminate().expect("asked to end");
        self.bootstrap.wait().expect("ends").lines
    }

    fn post(&self, id: &str, path: &str, key: &str, body: &Value) -> Value {
        let mut request = url_request("POST", path, &body.to_string());
        request["headers"] = json!({ "content-type": "application/json", "authorization": format!("Bearer {key}") });
        match self.lambda.invoke(id, request.to_string().as_bytes()) {
            Ended::Response(answer) => answer,
            other => panic!("an answer: {other:?}"),
        }
    }
}

const PRIVATE: &str = "a-private-text-of-somebodys";

#[test]
fn a_key_is_let_in_a_check_is_answered_and_a_comment_is_on_the_stream_in_one_call_and_one_line_each() {
    let running = Running::start(&["rscience", "harm"]);
    let post = |id: &str, path: &str, body: &Value| running.post(id, path, &running.key, body);
    let comment = json!({ "id": "k1", "body": PRIVATE });
    // The first one reads the key and the policies.
    assert_eq!(post("request-1", "/v1/check", &comment)["statusCode"], 200);
    let calls = |work: &dyn Fn()| {
        let before = running.aws.requests().len();
        work();
        let mut calls: BTreeMap<String, u64> = BTreeMap::new();
        for request in running.aws.requests().into_iter().skip(before) {
            *calls.entry(request.operation()).or_default() += 1;
        }
        calls
    };
    let checked = calls(&|| assert_eq!(post("request-2", "/v1/check", &comment)["statusCode"], 200));
    assert_calls("/answer-checks/calls_a_check", checked);
    let sent = calls(&|| assert_eq!(post("request-3", "/v1/comments", &comment)["statusCode"], 202));
    assert_calls("/answer-checks/calls_a_comment", sent);
    let records = running.aws.records("comments");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].0, "k1");
    assert_eq!(running.post("request-4", "/v1/check", "ms_000000000000_x", &comment)["statusCode"], 401);

    let (key, logged) = (running.key.clone(), running.ended());
    let lines: Vec<Value> = logged.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let answered: Vec<&Value> = lines.iter().filter(|line| line["event"] == "request_answered").collect();
    let said = |line: &Value| (line["route"].clone(), line["status"].clone(), line["comments"].clone());
    assert_eq!(
        answered.iter().map(|line| said(line)).collect::<Vec<_>>(),
        [
            (json!("/v1/check"), json!(200), json!(0)),
            (json!("/v1/check"), json!(200), json!(0)),
            (json!("/v1/comments"), json!(202), json!(1)),
            (json!("/v1/check"), json!(401), json!(0)),
        ]
    );
    assert_eq!(answered[3]["refused"], "unknown_key");
    // A key is named by what is no secret, and a comment's text is nowhere.
    let log = logged.join("\n");
    assert_eq!(answered[0]["key"].as_str(), key.get(3..15));
    assert!(!log.contains(&key[16..]) && !log.contains(PRIVATE), "{log}");
}

#[test]
fn it_starts_without_a_model_and_says_so() {
    let running = Running::start(&[]);
    assert_eq!(
        running.post("request-1", "/v1/comments", &running.key, &json!({ "id": "a", "body": "x" }))["statusCode"],
        202
    );
    let checked = running.post("request-2", "/v1/check", &running.key, &json!({ "body": "x" }));
    assert_eq!(checked["statusCode"], 500, "{checked}");
    let log = running.ended().join("\n");
    for part in ["front_door_unready", "push a model and promote it", "request_failed"] {
        assert!(log.contains(part), "{log}");
    }
}

#[test]
fn a_document_that_is_none_is_refused_at_the_start() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let variables = [&VARIABLES[..], &[("FRONT_DOOR", "[attributes]\nTOXICITY = \"removal\"")]].concat();
    let bootstrap = Bootstrap::start(PROGRAM, "answer-checks", &lambda, &aws, &variables).expect("starts");
    let finished = bootstrap.wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    assert!(line.contains("start_failed") && line.contains("FRONT_DOOR") && line.contains("TOXICITY"), "{line}");
}
