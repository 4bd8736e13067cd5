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

/// The built-in model in use.
fn promoted(aws: &FakeAws) {
    Aws::at(&aws.url()).run(&["model", "push", "--promote", "--bucket", "bucket", "--json"]).done();
}

const TOO_MUCH: &str = "[default]\nthreshold = \"precision>=0.99\"\nbase_rate = 0.05\n";

#[test]
fn a_push_warns_of_policies_out_of_the_reach_of_the_model_in_use() {
    let aws = FakeAws::start().expect("a port");
    let (too_much, good) = (file(TOO_MUCH), file("[default]\nthreshold = 0.8\n"));
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().expect("text").to_owned();
    let unknown = policy(&aws, &["push", &path(&too_much), "--json"]);
    assert_eq!((&unknown.done()["out_of_reach"], unknown.stderr.as_str()), (&Value::Null, ""), "no model is in use");
    promoted(&aws);
    let warned = policy(&aws, &["push", &path(&too_much)]);
    assert_eq!(warned.status, Some(0), "{warned:?}");
    for part in ["warning: ", "precision>=0.99 (default)", "where 5.0 % are removed", "a precision of 0."] {
        assert!(warned.stderr.contains(part), "{part} is missing in {warned:?}");
    }
    assert_eq!(
        policy(&aws, &["push", &path(&too_much), "--json"]).done()["out_of_reach"][0]["policy"],
        "precision>=0.99"
    );
    let reached = policy(&aws, &["push", &path(&good), "--json"]);
    assert_eq!((&reached.done()["out_of_reach"], reached.stderr.as_str()), (&serde_json::json!([]), ""));
}

#[test]
fn a_model_that_is_promoted_warns_of_policies_out_of_its_reach() {
    let aws = FakeAws::start().expect("a port");
    policy(&aws, &["push", file(TOO_MUCH).path().to_str().expect("text"), "--json"]).done();
    let model = |args: &[&str]| Aws::at(&aws.url()).run(&[&["model"], args, &["--bucket", "bucket"]].concat());
    let pushed = model(&["push", "--json"]).done();
    assert!(pushed.get("out_of_reach").is_none(), "it is not in use: {pushed}");
    let version = pushed["version"].as_str().expect("text").to_owned();
    for args in [&["push", "--promote"][..], &["promote", &version]] {
        let warned = model(args);
        assert!(warned.status == Some(0) && warned.stderr.starts_with("warning: no comment can meet"), "{warned:?}");
        let line = model(&[args, &["--json"]].concat()).done();
        assert_eq!(line["out_of_reach"][0]["best"]["precision"].as_f64().map(|best| best < 0.99), Some(true), "{line}");
    }
}

#[test]
fn policies_that_cant_be_read_do_not_keep_a_model_from_being_promoted() {
    let aws = FakeAws::start().expect("a port");
    aws.put("bucket", "policies/current.json", "no pointer");
    let run = Aws::at(&aws.url()).run(&["model", "push", "--promote", "--bucket", "bucket", "--json"]);
    assert_eq!(run.done()["out_of_reach"], Value::Null);
    assert!(run.stderr.contains("whether the model in use can meet the policies is not known"), "{run:?}");
}
