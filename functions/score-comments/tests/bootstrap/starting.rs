//! What keeps the function from starting.

use modstream_stub_server::{Answer, Bootstrap, FakeAws, Finished, Lambda, Reply};
use serde_json::Value;

use crate::{PROGRAM, VARIABLES};

/// The one line of a start that failed.
fn error(finished: &Finished) -> String {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    let event: Value = serde_json::from_str(line).expect("a JSON line");
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["event"], "start_failed");
    assert_eq!(event["function"], "score-comments");
    event["error"].as_str().expect("text").to_owned()
}

fn start_over(aws: &FakeAws, variables: &[(&str, &str)]) -> String {
    let lambda = Lambda::start().expect("a port");
    let bootstrap = Bootstrap::start(PROGRAM, "score-comments", &lambda, aws, variables).expect("starts");
    error(&bootstrap.wait().expect("ends"))
}

fn start(variables: &[(&str, &str)]) -> String {
    start_over(&FakeAws::start().expect("a port"), variables)
}

#[test]
fn a_missing_variable_is_named_with_an_example() {
    let error = start(&VARIABLES[..2]);
    assert!(error.contains("the environment variable MODEL_NAME is missing"), "{error}");
    assert!(error.contains("MODEL_NAME=rscience"), "{error}");
}

#[test]
fn an_unknown_log_level_is_refused() {
    let error = start(&[&VARIABLES[..], &[("LOG_LEVEL", "loud")]].concat());
    assert!(error.contains("LOG_LEVEL holds `loud`"), "{error}");
}

#[test]
fn a_bucket_without_a_model_says_what_to_do() {
    let error = start(&VARIABLES);
    assert!(error.contains("no object models/rscience/current.json"), "{error}");
    assert!(error.contains("push a model and promote it"), "{error}");
}

#[test]
fn a_bucket_that_is_not_there_is_not_taken_for_a_missing_model() {
    let gone = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
    let aws = FakeAws::start_with(move |_| Some(Reply::Answer(Answer::new(404, gone)))).expect("a port");
    let error = start_over(&aws, &VARIABLES);
    assert!(error.contains("missing or not permitted: NoSuchBucket: The specified bucket does not exist"), "{error}");
}

#[test]
fn a_model_that_may_not_be_read_is_not_taken_for_a_missing_one() {
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let aws = FakeAws::start_with(move |_| Some(Reply::Answer(Answer::new(403, denied)))).expect("a port");
    let error = start_over(&aws, &VARIABLES);
    for part in
        ["missing or not permitted: AccessDenied", "s3:GetObject", "s3:ListBucket", "models/rscience/current.json"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_broken_model_is_refused() {
    let aws = FakeAws::start().expect("a port");
    let version = "0".repeat(64);
    aws.put("bucket", "models/rscience/current.json", format!("{{\"version\":\"{version}\"}}"));
    aws.put("bucket", &format!("models/rscience/{version}/manifest.json"), "{}");
    let error = start_over(&aws, &VARIABLES);
    assert!(error.contains("no model to score with"), "{error}");
}

#[test]
fn without_a_region_it_says_which_variable_to_set() {
    let error = start(&[&VARIABLES[..], &[("AWS_REGION", ""), ("AWS_EC2_METADATA_DISABLED", "true")]].concat());
    assert!(error.contains("no AWS region: set AWS_REGION"), "{error}");
}

#[test]
fn by_hand_it_says_how_to_run_a_function_instead_of_panicking() {
    let finished = Bootstrap::start_bare(PROGRAM).expect("starts").wait().expect("ends");
    let error = error(&finished);
    assert!(error.contains("AWS_LAMBDA_RUNTIME_API") && error.contains("cargo lambda watch"), "{error}");
}
