//! `modstream policy push` and `show`.

use modstream_stub_server::FakeAws;
use serde_json::Value;

use crate::command::{Aws, Run, repository};

fn policy(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[&["policy"], args, &["--bucket", "bucket"]].concat())
}

/// A file with a document.
fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn current(aws: &FakeAws) -> Option<String> {
    aws.keys("bucket").into_iter().find(|key| key == "policies/current.json")
}

#[test]
fn a_document_is_pushed_shown_and_pushed_again_without_a_change() {
    let aws = FakeAws::start().expect("a port");
    let none = policy(&aws, &["show"]);
    assert!(none.status == Some(0) && none.stdout.contains("has no policies: the function's POLICY holds"), "{none:?}");
    let sample = repository("events/samples/policies.toml");
    let sample = sample.to_str().expect("text");
    let first = policy(&aws, &["push", sample, "--json"]).done();
    assert_eq!(first["before"], Value::Null);
    let version = first["version"].as_str().expect("a version");
    assert!(aws.keys("bucket").contains(&format!("policies/{version}.json")), "{:?}", aws.keys("bucket"));
    let shown = policy(&aws, &["show", "--json"]).done();
    assert_eq!((&shown["version"], &shown["policies"]["total"]["max_alerts_per_hour"]), (&version.into(), &100.into()));
    let table = policy(&aws, &["show"]).stdout;
    assert!(table.contains(&version[..12]) && table.contains("r/askscience"), "{table}");
    let again = policy(&aws, &["push", sample]);
    assert!(again.stdout.ends_with("they are in use already\n"), "{again:?}");
    let other = file("[default]\nthreshold = 0.8\n");
    let replaced = policy(&aws, &["push", other.path().to_str().expect("text")]);
    assert!(replaced.stdout.contains(&format!("in place of version {}", &version[..12])), "{replaced:?}");
}

#[test]
fn a_document_that_is_wrong_is_not_pushed_and_every_mistake_is_named() {
    let aws = FakeAws::start().expect("a port");
    let wrong = file("[default]\nthreshold = 2\nseverity = { medium = 0.9, high = 0.1 }\n");
    let path = wrong.path().to_str().expect("text");
    let run = policy(&aws, &["push", path]);
    assert_eq!(run.status, Some(1), "{run:?}");
    for said in ["line 2", "`2` is no policy", "line 3", "medium begins at 0.9"] {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
    let error = policy(&aws, &["push", path, "--json"]).error();
    assert!(error.contains("default.threshold"), "{error}");
    assert_eq!((current(&aws), aws.requests().len()), (None, 0), "nothing was asked of AWS");
}

#[test]
fn a_pointer_to_a_document_that_is_damaged_is_said() {
    let aws = FakeAws::start().expect("a port");
    policy(&aws, &["push", repository("events/samples/policies.toml").to_str().expect("text"), "--json"]).done();
    let document = aws.keys("bucket").into_iter().find(|key| key.ends_with(".json") && !key.ends_with("current.json"));
    aws.put("bucket", &document.expect("a document"), "{\"default\": {\"threshold\": 0.1}}");
    let error = policy(&aws, &["show", "--json"]).error();
    assert!(error.contains("policies/"), "{error}");
}
