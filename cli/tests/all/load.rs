//! `modstream load`, in this process.

use crate::command::Folder;

#[test]
fn a_rate_that_is_held_is_measured_from_when_comments_are_due_to_their_alerts() {
    let run = Folder::new().run(&[
        "load",
        "--rate",
        "100",
        "--seconds",
        "2",
        "--policy",
        "0.5",
        "--slo",
        "p99=60s",
        "--json",
    ]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    let line = run.json();
    assert_eq!((&line["comments"], &line["predictions"], &line["sustained"]), (&200.into(), &200.into(), &true.into()));
    assert!(line["alerts"].as_u64() > Some(0), "{line}");
    let at = |to: &str, share: &str| line["latency_ms"][to][share].as_f64().expect("measured");
    // A batch waits for a second, as it does where the functions are deployed.
    assert!(at("prediction", "max") > 500.0, "{line}");
    assert!(at("prediction", "p50") <= at("prediction", "p95") && at("alert", "p95") <= at("alert", "p99"), "{line}");
    assert!(at("alert", "max") > 0.0, "{line}");
    let scoring = &line["functions"]["score-comments"];
    assert!(scoring["largest"].as_u64() >= Some(50) && scoring["saturation"].as_f64() > Some(0.0), "{line}");
}

#[test]
fn a_missed_objective_is_named_and_ends_with_status_1() {
    let run = Folder::new().run(&["load", "--rate", "50", "--seconds", "1", "--slo", "prediction.max=1ms", "--json"]);
    assert_eq!(run.status, Some(1), "{}{}", run.stdout, run.stderr);
    let line = run.json();
    assert!(line["error"].as_str().expect("an error").starts_with("prediction.max=1ms: it is "), "{line}");
    assert_eq!(line["sustained"], true);
}

#[test]
fn more_than_memory_holds_is_refused_at_once() {
    let run = Folder::new().run(&["load", "--rate", "1000000", "--seconds", "3600", "--json"]);
    assert_eq!(run.status, Some(2));
    let error = run.json()["error"].to_string();
    assert!(error.contains("3600000000 comments") && error.contains("give a lower --rate"), "{error}");
}

#[test]
fn ten_times_the_comments_are_compared() {
    let run = Folder::new().run(&["load", "--scale", "100", "--json"]);
    let line = run.json();
    let comments = |at: usize| line["runs"][at]["comments"].as_u64();
    assert_eq!((comments(0), comments(1)), (Some(100), Some(1_000)), "{line}");
    // So few comments cost little beside the start: the number says nothing, but that it is there.
    assert!(line["ratio"].as_f64() > Some(0.0), "{line}");
}
