//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

use std::collections::BTreeSet;
use std::path::Path;

use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_generate-comments");

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/samples").join(name)).expect("a sample")
}

fn start(lambda: &Lambda, aws: &FakeAws) -> Bootstrap {
    let variables = [("COMMENTS_STREAM", "comments"), ("BUCKET", "bucket"), ("CORPUS_KEY", "corpus/comments.jsonl")];
    Bootstrap::start(PROGRAM, "generate-comments", lambda, aws, &variables).expect("starts")
}

#[test]
fn a_repeated_schedule_event_sends_the_same_ids_and_the_answer_counts() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    aws.put("bucket", "corpus/comments.jsonl", sample("comments.jsonl"));
    let _bootstrap = start(&lambda, &aws);
    let payload = br#"{"id":"schedule-1","comments":10,"offset":0,"spread_seconds":0}"#;
    let counted = Ended::Response(json!({"comments": 10, "quarantined": 0}));
    assert_eq!(lambda.invoke("request-1", payload), counted);
    assert_eq!(lambda.invoke("request-1", payload), counted);
    let records = aws.records("comments");
    assert_eq!(records.len(), 20);
    let ids: BTreeSet<String> = records
        .iter()
        .map(|(_, data)| serde_json::from_slice::<Value>(data).expect("JSON")["id"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(ids.len(), 10);
}

#[test]
fn without_an_id_of_its_own_an_invocation_takes_the_requests() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    aws.put("bucket", "corpus/comments.jsonl", sample("comments.jsonl"));
    let bootstrap = start(&lambda, &aws);
    let counted = Ended::Response(json!({"comments": 10, "quarantined": 0}));
    assert_eq!(lambda.invoke("request-7", &sample("generate.json")), counted);
    bootstrap
        .wait_for_line(|line| line.contains("comments_generated") && line.contains("\"schedule_event\":\"request-7\""));
}

#[test]
fn without_a_corpus_the_invocation_fails_with_what_to_do_and_the_program_goes_on() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let _bootstrap = start(&lambda, &aws);
    let Ended::Error { message, .. } = lambda.invoke("request-1", &sample("generate.json")) else {
        panic!("a response");
    };
    assert!(message.contains("no object corpus/comments.jsonl"), "{message}");
    aws.put("bucket", "corpus/comments.jsonl", sample("comments.jsonl"));
    assert!(matches!(lambda.invoke("request-2", &sample("generate.json")), Ended::Response(_)));
}
