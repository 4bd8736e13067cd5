//! `modstream model` and `modstream corpus`.

use modstream_stub_server::{Answer, FakeAws};
use serde_json::{Value, json};

use crate::command::{Aws, repository};

const BUCKET: [&str; 2] = ["--bucket", "bucket"];

fn version() -> String {
    let manifest = std::fs::read(repository("models/rscience/manifest.json")).expect("the model is there");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["version"].as_str().expect("text").to_owned()
}

fn run(aws: &FakeAws, args: &[&str]) -> crate::command::Run {
    Aws::at(&aws.url()).run(&[args, &BUCKET].concat())
}

#[test]
fn without_a_folder_the_model_built_in_is_pushed_and_a_repeat_changes_nothing() {
    let aws = FakeAws::start().expect("a port");
    let wanted =
        json!({ "name": "rscience", "version": version(), "bucket": "bucket", "in_use": false, "before": null });
    for _ in 0..2 {
        assert_eq!(run(&aws, &["model", "push", "--json"]).done(), wanted);
    }
    let keys = aws.keys("bucket");
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.contains(&format!("models/rscience/{}/manifest.json", version())), "{keys:?}");
    let said = run(&aws, &["model", "push"]).stdout;
    assert!(said.contains(&format!("modstream model promote {}", &version()[..12])), "{said}");
}

#[test]
fn a_push_can_promote_and_says_what_was_in_use_before() {
    let aws = FakeAws::start().expect("a port");
    let old = "ab".repeat(32);
    aws.put("bucket", "models/rscience/current.json", json!({ "version": old }).to_string());
    let pushed = run(&aws, &["model", "push", "--promote", "--json"]).done();
    assert_eq!((&pushed["before"], &pushed["in_use"]), (&json!(old), &json!(true)));
    let moves = aws.requests().into_iter().filter(|it| it.method == "PUT" && it.target.contains("current.json"));
    let conditions: Vec<bool> = moves.map(|it| it.header("if-match").is_some()).collect();
    assert_eq!(conditions, [true], "the pointer is moved once, by a conditional put");
    let again = run(&aws, &["model", "push", "--promote"]);
    assert!(again.stdout.ends_with("it is in use already\n"), "{again:?}");
}

#[test]
fn the_first_digits_of_a_version_promote_it_and_it_is_said_from_what_to_what() {
    let aws = FakeAws::start().expect("a port");
    run(&aws, &["model", "push", "--json"]).done();
    let digits = &version()[..8];
    let first = run(&aws, &["model", "promote", digits]);
    assert_eq!(first.stdout, format!("rscience: version {} is in use; there was none before\n", &version()[..12]));
    let second = run(&aws, &["model", "promote", digits, "--name", "rscience", "--json"]).done();
    assert_eq!((&second["before"], &second["version"]), (&json!(version()), &json!(version())));
}

#[test]
fn what_cant_be_promoted_is_said_with_what_there_is() {
    let aws = FakeAws::start().expect("a port");
    assert!(run(&aws, &["model", "promote", "abcdef01", "--json"]).error().contains("modstream model push"));
    run(&aws, &["model", "push", "--json"]).done();
    let error = run(&aws, &["model", "promote", "abcdef01", "--json"]).error();
    assert!(error.contains("no version abcdef01") && error.contains(&version()[..12]), "{error}");
    let error = run(&aws, &["model", "promote", "abcdef01", "--name", "ours", "--json"]).error();
    assert!(error.contains("no model called ours"), "{error}");
    let twin = format!("{}{}", &version()[..8], "0".repeat(56));
    aws.put("bucket", &format!("models/rscience/{twin}/manifest.json"), "{}");
    let error = run(&aws, &["model", "promote", &version()[..8], "--json"]).error();
    assert!(error.contains("several versions") && error.contains(&twin) && error.contains(&version()), "{error}");
    aws.put("bucket", &format!("models/ours/{twin}/manifest.json"), "{}");
    let error = run(&aws, &["model", "promote", &version()[..8], "--json"]).error();
    assert!(error.contains("say --name") && error.contains("ours, rscience"), "{error}");
    let error = run(&aws, &["model", "promote", &twin, "--name", "rscience", "--json"]).error();
    assert!(error.contains("manifest.json"), "{error}");
    assert!(!aws.keys("bucket").iter().any(|key| key.ends_with("current.json")), "nothing was promoted");
}

#[test]
fn a_list_shows_which_is_in_use_how_good_it_is_and_what_cant_be_read() {
    let aws = FakeAws::start().expect("a port");
    let none = run(&aws, &["model", "list"]);
    assert!(none.status == Some(0) && none.stdout.contains("modstream model push"), "{none:?}");
    run(&aws, &["model", "push", "--promote", "--json"]).done();
    let bad = "0".repeat(64);
    aws.put("bucket", &format!("models/rscience/{bad}/manifest.json"), "{}");
    let models = run(&aws, &["model", "list", "--json"]).done()["models"].clone();
    let of = |version: &str| models.as_array().expect("a list").iter().find(|it| it["version"] == version).cloned();
    let good = of(&version()).expect("listed");
    assert_eq!((&good["in_use"], &good["comments"], &good["removed"]), (&json!(true), &json!(5688), &json!(1839)));
    assert!(good["roc_auc"].as_f64().is_some_and(|auc| (0.79..0.82).contains(&auc)), "{good}");
    assert!(of(&bad).is_some_and(|it| it["error"].is_string() && it["in_use"] == false), "{models}");
    let text = run(&aws, &["model", "list"]).stdout;
    assert!(
        text.contains(&format!("in use  {}", &version()[..12]))
            && text.contains(&format!("ROC-AUC {:.3}", good["roc_auc"].as_f64().unwrap_or_default())),
        "{text}"
    );
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let aws = FakeAws::start_with(|_| {
        Some(Answer::new(404, *b"<Error><Code>NoSuchBucket</Code><Message>No such bucket.</Message></Error>").into())
    });
    let aws = aws.expect("a port");
    for args in [&["model", "push", "--json"][..], &["model", "list", "--json"], &["corpus", "push", "--json"]] {
        let error = run(&aws, args).error();
        assert!(error.contains("the bucket bucket") && error.contains("NoSuchBucket"), "{args:?}: {error}");
    }
}

#[test]
fn the_bucket_may_come_from_the_environment() {
    let aws = FakeAws::start().expect("a port");
    let run = Aws::at(&aws.url()).with("MODSTREAM_BUCKET", "named").run(&["corpus", "push", "--json"]);
    assert_eq!(run.done()["comments"], 420);
    assert_eq!(aws.keys("named"), ["corpus/comments.jsonl"]);
    let again = Aws::at(&aws.url()).with("MODSTREAM_BUCKET", "named").run(&["corpus", "push", "--json"]);
    assert_eq!(again.done()["changed"], false);
}
