//! `modstream demo --deployment`: what is refused before anything is done.

use std::fs;

use modstream_stub_server::FakeAws;
use serde_json::{Value, json};

use crate::command::{Aws, Run};

fn outputs() -> Value {
    let value = |value: Value| json!({ "sensitive": false, "value": value });
    json!({
        "region": value("us-east-1".into()),
        "bucket": value("bucket".into()),
        "comments_stream": value("modstream-comments".into()),
        "predictions_stream": value("modstream-predictions".into()),
        "alerts_topic_arn": value("arn:aws:sns:us-east-1:000000000000:modstream-alerts".into()),
        "model_name": value("rscience".into()),
        "corpus_key": value("corpus/comments.jsonl".into()),
        "policy": value("0.7".into()),
        "base_rate": value(Value::Null),
        "functions": value(json!({ "generate-comments": "modstream-generate-comments" })),
        "mappings": value(json!({})),
    })
}

fn demo(aws: &FakeAws, outputs: &Value, args: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("it.json"), outputs.to_string()).expect("written");
    fs::write(folder.path().join("in.jsonl"), "{\"body\":\"other\"}\n").expect("written");
    let args = [&["demo", "--deployment", "it.json", "--json"], args].concat();
    Aws::at(&aws.url()).run_in(folder.path(), &args, b"")
}

#[test]
fn what_terraform_must_change_is_refused_with_the_variable_to_set() {
    let aws = FakeAws::start().expect("a port");
    let mut other = outputs();
    other["model_name"]["value"] = "ours".into();
    let mut rated = outputs();
    rated["base_rate"]["value"] = json!(0.1);
    for (outputs, args, parts) in [
        (&outputs(), &["--policy", "precision>=0.9"][..], ["alerts where probability>=0.7", "policy=precision>=0.9"]),
        (&outputs(), &["--base-rate", "0.05"], ["the training data's", "-var base_rate=0.05"]),
        (&rated, &["--base-rate", "0.05"], ["is 0.1", "-var base_rate=0.05"]),
        (&other, &[], ["models called ours", "model_name=rscience"]),
        (&outputs(), &["--region", "eu-west-1"], ["region us-east-1", "leave out --region"]),
        (&json!({}), &[], ["it.json", "apply infra/"]),
    ] {
        let error = demo(&aws, outputs, args).error();
        assert!(parts.iter().all(|part| error.contains(part)), "{args:?}: {error}");
    }
    assert!(aws.requests().is_empty(), "nothing was asked for");
}

#[test]
fn other_sample_comments_are_replaced_only_if_that_is_said() {
    let aws = FakeAws::start().expect("a port");
    aws.put("bucket", "corpus/comments.jsonl", "{\"body\":\"theirs\"}\n");
    let error = demo(&aws, &outputs(), &["--input", "in.jsonl"]).error();
    assert!(error.contains("corpus/comments.jsonl") && error.contains("--replace-corpus"), "{error}");
    assert_eq!(aws.keys("bucket"), ["corpus/comments.jsonl"], "no model was brought either");
    assert!(aws.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn what_goes_with_a_deployment_is_refused_without_one() {
    let aws = FakeAws::start().expect("a port");
    let run = Aws::at(&aws.url()).run(&["demo", "--keep-queue", "--json"]);
    assert!(run.usage().contains("--keep-queue goes with --deployment"), "{run:?}");
}
