//! What moderators decided: `train --decisions`, `evaluate --live`, `policy suggest`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

/// One line of a file of `modstream decisions pull`.
fn line(number: usize, subreddit: &str, probability: f64, removed: bool, propensity: f64) -> String {
    let body = format!("Buy flibbertigibbet number {number} here, it is great?");
    let decision = json!({
        "alert_id": format!("a{number}"),
        "source": "urn:example:forum",
        "comment_event_id": format!("e{number}"),
        "time": "2026-01-05T10:00:00Z",
        "removed": removed,
        "moderator": "violet",
        "alerted": "2026-01-05T10:00:01Z",
        "decided": "2026-01-05T10:03:00Z",
        "subreddit": subreddit,
        "severity": "high",
        "policy": "default",
        "condition": "precision>=0.8",
        "model": "rscience",
        "model_version": "f".repeat(64),
        "probability": probability,
        "operating_point": { "precision": 0.8, "recall": 0.2, "share": 0.05, "base_rate": 0.2 },
        "propensity": propensity,
    });
    let row = json!({ "id": format!("c{number}"), "subreddit": subreddit, "body": body, "removed": removed, "decision": decision });
    format!("{row}\n")
}

/// 100 alerts, of which those above .8 are mostly right, and 20 explored comments.
fn decisions(folder: &Folder) {
    let alerts = (0..100).map(|n| {
        let (probability, removed) = if n < 60 { (0.9, n % 12 != 0) } else { (0.75, n % 4 == 0) };
        line(n, if n % 3 == 0 { "askscience" } else { "science" }, probability, removed, 1.0)
    });
    let explored = (100..120).map(|n| line(n, "science", 0.1, n % 10 == 0, 0.01));
    folder.file("decisions.jsonl", alerts.chain(explored).collect::<String>());
}

#[test]
fn what_was_claimed_is_compared_with_what_moderators_said() {
    let folder = Folder::new();
    decisions(&folder);
    let found = folder.run(&["evaluate", "--live", "decisions.jsonl", "--json"]).json();
    assert_eq!((&found["all"]["decided"], &found["all"]["removed"]), (&100.into(), &65.into()), "{found}");
    assert_eq!(found["all"]["claim"], "too high");
    assert_eq!(found["probabilities"]["0.9-1.0"]["claim"], "holds");
    assert_eq!(found["probabilities"]["0.7-0.8"]["claim"], "too high");
    assert_eq!((&found["explored"]["removed"], &found["explored"]["stand_for"]), (&2.into(), &2000.0.into()));
    let text = folder.run(&["evaluate", "--live", "decisions.jsonl"]);
    assert_eq!(text.status, Some(0), "{}", text.stderr);
    assert!(text.stdout.contains("0.65 (0.55 to 0.74)") && text.stdout.contains("They stand for"), "{}", text.stdout);
}

#[test]
fn a_threshold_that_kept_its_promise_is_suggested_as_part_of_a_policies_document() {
    let folder = Folder::new();
    decisions(&folder);
    let run = folder.run(&["policy", "suggest", "--decisions", "decisions.jsonl", "--precision", "0.8"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(
        run.stdout.contains("\n[default]\n") && run.stdout.contains("threshold = \"probability>=0.9\""),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("askscience"), "{}", run.stdout);
    let none =
        folder.run(&["policy", "suggest", "--decisions", "decisions.jsonl", "--precision", "0.99", "--json"]).json();
    assert!(none["default"]["none"].as_str().is_some_and(|why| why.contains("no threshold keeps")), "{none}");
}

#[test]
fn a_model_learns_from_decisions_and_is_not_measured_on_them() {
    let folder = Folder::new();
    decisions(&folder);
    let samples = repository("events/samples/comments.jsonl").to_str().expect("UTF-8").to_owned();
    let run =
        folder.run(&["train", "--input", &samples, "--output", "ours", "--decisions", "decisions.jsonl", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let trained: Value = run.json();
    assert_eq!((&trained["comments"], &trained["decided"]), (&420.into(), &120.into()), "{trained}");
}

#[test]
fn what_is_no_file_of_decisions_is_refused_with_what_writes_one() {
    let folder = Folder::new();
    let samples = repository("events/samples/comments.jsonl").to_str().expect("UTF-8").to_owned();
    let run = folder.run(&["evaluate", "--live", &samples]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("line 1") && run.stderr.contains("modstream decisions pull"), "{}", run.stderr);
    let neither = folder.run(&["evaluate"]);
    assert!(neither.status != Some(0) && neither.stderr.contains("--input"), "{}", neither.stderr);
}
