//! Who changed what is in use, and why; and which model the functions score with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_stub_server::{Answer, CALLER_ARN, FakeAws};
use serde_json::{Value, json};

use crate::command::{Aws, Run, repository};
use crate::table;

const BY: [&str; 4] = ["--by", "maja", "--reason", "the raid\nis over"];
const STREAM: [&str; 4] = ["--decisions-stream", "decisions", "--table", table::STATE];

fn run(aws: &FakeAws, args: &[&[&str]]) -> Run {
    Aws::at(&aws.url()).with("MODSTREAM_BUCKET", "bucket").run(&args.concat())
}

fn json_at(aws: &FakeAws, key: &str) -> Value {
    serde_json::from_slice(&aws.object("bucket", key).unwrap_or_else(|| panic!("no {key}"))).expect("JSON")
}

/// The events on the decisions' stream.
fn told(aws: &FakeAws) -> Vec<Value> {
    aws.records("decisions").iter().map(|(_, data)| serde_json::from_slice(data).expect("JSON")).collect()
}

fn unsent(aws: &FakeAws) -> usize {
    table::items(aws, "outbox").len()
}

fn cause() -> Value {
    json!({ "by": "maja", "identity": CALLER_ARN, "reason": "the raid\nis over" })
}

#[test]
fn a_promotion_is_in_the_pointer_in_its_history_on_the_stream_and_in_the_list() {
    let aws = FakeAws::start().expect("a port");
    let pushed = run(&aws, &[&["model", "push", "--promote", "--json"], &BY, &STREAM]).done();
    assert_eq!(pushed["cause"], cause());
    let version = pushed["version"].as_str().expect("text");
    let pointer = json_at(&aws, "models/rscience/current.json");
    assert_eq!(
        (&pointer["version"], &pointer["change"]["number"], &pointer["change"]["by"]),
        (&json!(version), &json!(1), &json!("maja"))
    );
    let kept = json_at(&aws, "models/rscience/history/000001.json");
    assert_eq!((&kept["type"], &kept["data"]["cause"]), (&json!("modstream.model-promoted.v1"), &cause()));
    assert_eq!((&kept["data"]["version"], kept["data"].get("previous")), (&json!(version), None));
    assert_eq!((told(&aws), unsent(&aws)), (vec![kept], 0));

    // Once more is no change.
    run(&aws, &[&["model", "push", "--promote", "--json"], &STREAM]).done();
    assert_eq!((told(&aws).len(), json_at(&aws, "models/rscience/current.json")), (1, pointer));

    let row = run(&aws, &[&["model", "list", "--json"]]).done()["models"][0].clone();
    assert_eq!(
        (&row["change"]["by"], &row["change"]["identity"], &row["change"]["number"]),
        (&json!("maja"), &json!(CALLER_ARN), &json!(1))
    );
    let text = run(&aws, &[&["model", "list"]]).stdout;
    assert!(text.contains(&format!("by maja ({CALLER_ARN}): the raid is over\n")), "{text}");
}

#[test]
fn who_is_not_known_is_recorded_as_nobody_and_said() {
    let aws = FakeAws::start_with(|request| {
        let is_sts = request.text().contains("GetCallerIdentity");
        is_sts.then(|| {
            Answer::new(403, *b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>").into()
        })
    });
    let aws = aws.expect("a port");
    let pushed = run(&aws, &[&["model", "push", "--promote", "--json", "--reason", "  "]]);
    assert!(pushed.stderr.contains("not recorded") && pushed.stderr.contains("--by NAME"), "{pushed:?}");
    assert_eq!(pushed.done()["cause"], json!({ "by": null, "identity": null, "reason": null }));
    assert_eq!(json_at(&aws, "models/rscience/history/000001.json")["data"]["cause"], json!({}));
    let text = run(&aws, &[&["model", "list"]]).stdout;
    assert!(text.contains("by somebody who is not recorded: no reason given"), "{text}");
}

#[test]
fn an_event_that_the_stream_does_not_take_waits_for_the_sweep() {
    let aws = FakeAws::start_with(|request| {
        let is_put = request.header("x-amz-target").is_some_and(|target| target.ends_with("PutRecords"));
        let refused = json!({ "__type": "AccessDeniedException", "message": "no" }).to_string();
        is_put.then(|| Answer::new(400, refused).header("Content-Type", "application/x-amz-json-1.1").into())
    });
    let aws = aws.expect("a port");
    let pushed = run(&aws, &[&["model", "push", "--promote", "--json"], &STREAM]);
    assert!(pushed.stderr.contains("not on the decisions' stream yet"), "{pushed:?}");
    pushed.done();
    assert_eq!(unsent(&aws), 1);
    json_at(&aws, "models/rscience/history/000001.json");
}

#[test]
fn policies_are_pushed_by_somebody_for_a_reason_that_show_tells() {
    let aws = FakeAws::start().expect("a port");
    let sample = repository("events/samples/policies.toml");
    run(&aws, &[&["policy", "push", sample.to_str().expect("text"), "--json"], &BY, &STREAM]).done();
    let kept = json_at(&aws, "policies/history/000001.json");
    assert_eq!((&kept["type"], &kept["data"]["cause"]), (&json!("modstream.policies-changed.v1"), &cause()));
    assert_eq!((told(&aws), unsent(&aws)), (vec![kept], 0));
    let shown = run(&aws, &[&["policy", "show", "--json"]]).done();
    assert_eq!((&shown["change"]["by"], &shown["change"]["before"]), (&json!("maja"), &Value::Null));
    let text = run(&aws, &[&["policy", "show"]]).stdout;
    assert!(
        text.lines().nth(1).is_some_and(|line| line.ends_with(&format!("by maja ({CALLER_ARN}): the raid is over"))),
        "{text}"
    );
}

#[test]
fn a_breaker_is_closed_by_somebody_for_a_reason_that_show_tells() {
    let aws = table::services();
    let name = table::breaker(&aws);
    let closed = run(&aws, &[&["breaker", "close", "--json"], &BY, &STREAM]).done();
    assert_eq!((&closed["closed"], &closed["cause"]), (&json!(1), &cause()));
    let kept = &table::items(&aws, "breakers")[0]["closing"]["B"];
    let kept = STANDARD.decode(kept.as_str().expect("bytes")).expect("base64");
    let kept: Value = serde_json::from_slice(&kept).expect("an event");
    assert_eq!((&kept["type"], &kept["data"]["breaker"]), (&json!("modstream.breaker-closed.v1"), &json!(name)));
    assert_eq!((told(&aws), unsent(&aws)), (vec![kept], 0));
    let text = run(&aws, &[&["breaker", "show"], &table::TABLE]).stdout;
    assert!(
        text.contains("ended") && text.contains(&format!("closed by maja ({CALLER_ARN}): the raid is over")),
        "{text}"
    );
}

#[test]
fn the_stream_alone_is_not_enough_to_tell_of_a_change() {
    let aws = table::services();
    let alone = run(&aws, &[&["model", "push", "--promote", "--json"], &STREAM[..2]]).usage();
    assert!(alone.contains("--table"), "{alone}");
    assert!(run(&aws, &[&["breaker", "close", "--json"]]).usage().contains("MODSTREAM_TABLE"));
    assert!(aws.requests().is_empty());
}

/// What Terraform prints of a system whose functions score with models called `name`.
fn deployment(name: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".json").tempfile().expect("a file");
    let text = |value: &str| json!({ "sensitive": false, "type": "string", "value": value });
    let outputs = json!({
        "region": text("us-east-1"), "bucket": text("bucket"), "comments_stream": text("c"), "predictions_stream": text("p"),
        "alerts_topic_arn": text("arn:aws:sns:us-east-1:000000000000:modstream-alerts"), "model_name": text(name),
        "corpus_key": text("corpus/comments.jsonl"), "policy": text("0.7"),
        "functions": { "value": { "score-comments": "modstream-score-comments" } },
    });
    std::fs::write(file.path(), outputs.to_string()).expect("written");
    file
}

#[test]
fn a_model_that_the_functions_do_not_score_with_is_not_promoted_and_both_names_are_said() {
    let aws = FakeAws::start().expect("a port");
    let refused = |run: Run, scoring: &str, name: &str| {
        let error = run.error();
        for part in [&format!("called {scoring},"), &format!("called {name}:"), &format!("model_name={name}")] {
            assert!(error.contains(part.as_str()), "{part} is missing in {error}");
        }
    };
    let promote = ["model", "push", "--promote", "--json", "--bucket", "bucket"];
    let of_environment = || Aws::at(&aws.url()).with("MODSTREAM_MODEL_NAME", "ours");
    refused(of_environment().run(&promote), "ours", "rscience");
    let file = deployment("theirs");
    let path = file.path().to_str().expect("text");
    refused(run(&aws, &[&["model", "push", "--promote", "--json", "--deployment", path]]), "theirs", "rscience");
    assert_eq!(aws.keys("bucket"), [""; 0], "nothing was pushed");
    // The file comes before the environment.
    refused(of_environment().run(&[&promote[..], &["--deployment", path]].concat()), "theirs", "rscience");

    // Without a promotion it may lie there, and is not said to be in use.
    let pushed = of_environment().run(&["model", "push", "--bucket", "bucket"]);
    assert!(pushed.stdout.ends_with("not in use: the functions score with models called ours\n"), "{pushed:?}");
    let version = run(&aws, &[&["model", "push", "--json"]]).done()["version"].clone();
    let digits = &version.as_str().expect("text")[..12];
    let args = ["model", "promote", digits, "--name", "rscience", "--json", "--bucket", "bucket"];
    refused(of_environment().run(&args), "ours", "rscience");
    assert!(!aws.keys("bucket").iter().any(|key| key.ends_with("current.json")), "nothing was promoted");
    let own = Aws::at(&aws.url()).with("MODSTREAM_MODEL_NAME", "rscience").run(&promote);
    assert_eq!((&own.done()["in_use"], own.stderr.as_str()), (&json!(true), ""));
    let unknown = run(&aws, &[&["model", "promote", digits]]);
    assert!(unknown.stderr.contains("--deployment FILE or --model-name NAME"), "{unknown:?}");
}

#[test]
fn what_a_function_is_set_to_comes_before_what_terraform_says() {
    let aws = FakeAws::start_with(|request| {
        let is_function = request.target.ends_with("/functions/modstream-score-comments/configuration");
        let answer = json!({ "Environment": { "Variables": { "MODEL_NAME": "ours" } } });
        is_function.then(|| Answer::new(200, answer.to_string()).into())
    });
    let aws = aws.expect("a port");
    let file = deployment("rscience");
    let args = ["model", "push", "--promote", "--json", "--deployment", file.path().to_str().expect("text")];
    let error = run(&aws, &[&args]).error();
    assert!(error.contains("called ours") && error.contains("called rscience"), "{error}");
    let error = Aws::at(&aws.url()).run(&[&args[..], &["--bucket", "other"]].concat()).error();
    assert!(error.contains("the deployment's bucket is bucket, not other"), "{error}");
}

#[test]
fn a_list_shows_the_models_of_all_names_and_which_of_them_the_functions_use() {
    let aws = FakeAws::start().expect("a port");
    run(&aws, &[&["model", "push", "--promote", "--json"]]).done();
    let other = "ab".repeat(32);
    aws.put("bucket", &format!("models/ours/{other}/manifest.json"), "{}");
    aws.put("bucket", "models/ours/current.json", json!({ "version": other }).to_string());
    let list = |scoring: &str, args: &[&str]| {
        let args = [&["model", "list", "--bucket", "bucket"], args].concat();
        Aws::at(&aws.url()).with("MODSTREAM_MODEL_NAME", scoring).run(&args)
    };
    let listed = list("ours", &["--json"]).done();
    let states: Vec<_> = listed["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (&row["name"], &row["promoted"], &row["in_use"]))
        .collect();
    assert_eq!(
        states,
        [(&json!("ours"), &json!(true), &json!(true)), (&json!("rscience"), &json!(true), &json!(false))]
    );
    assert_eq!(listed["functions"], "ours");
    let text = list("ours", &[]).stdout;
    for part in [
        "ours, which the functions score with\n  in use  abab",
        "rscience, which the functions do not score with\n  chosen  ",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!list("ours", &["--name", "rscience"]).stdout.contains("abab"));
    let text = list("gone", &[]).stdout;
    assert!(text.contains("score with models called gone, and the bucket has none"), "{text}");
    let text = run(&aws, &[&["model", "list"]]).stdout;
    assert!(text.contains("is not known here") && text.matches("in use  ").count() == 2, "{text}");
}
