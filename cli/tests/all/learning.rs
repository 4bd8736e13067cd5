//! What moderators decided: `train --decisions`, `evaluate --live`, `policy suggest`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

/// One line of a file of `modstream decisions pull`.
fn line(number: usize, subreddit: &str, probability: f64, removed: bool, propensity: f64) -> String {
    format!("{}\n", row(number, subreddit, probability, removed, propensity))
}

fn row(number: usize, subreddit: &str, probability: f64, removed: bool, propensity: f64) -> Value {
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
    json!({ "id": format!("c{number}"), "subreddit": subreddit, "body": body, "removed": removed, "decision": decision })
}

/// The rows as a file.
fn file(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
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
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80), "{}", text.stdout);
    // 41 of the alerts that were removed are of science, where 2 of 20 that did not alert stand for 200.
    let recall = found["explored"]["recall"].as_f64().expect("a number");
    let caught = found["explored"]["caught"].as_f64().expect("a number");
    assert!((recall - caught / (caught + 200.0)).abs() < 1e-9 && caught < 65.0, "{found}");
    let interval = format!(
        "{recall:.2} ({:.2} to {:.2})",
        found["explored"]["recall_interval"][0].as_f64().expect("low"),
        found["explored"]["recall_interval"][1].as_f64().expect("high")
    );
    assert!(text.stdout.contains(&interval), "{interval}: {}", text.stdout);
}

#[test]
fn the_last_days_are_shown_each_with_its_interval() {
    let folder = Folder::new();
    let rows: Vec<Value> = (0..160)
        .map(|n| {
            let mut row = row(n, "science", 0.9, n % 10 < 9 - n / 40, 1.0);
            row["decision"]["alerted"] = json!(format!("2026-01-{:02}T23:59:59Z", 5 + n / 10));
            row
        })
        .collect();
    folder.file("decisions.jsonl", file(&rows));
    let text = folder.run(&["evaluate", "--live", "decisions.jsonl"]).stdout;
    let days: Vec<&str> = text.lines().filter(|line| line.starts_with("  day ")).collect();
    assert_eq!(days.len(), 14, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(days[0].contains("2026-01-07") && days[0].contains("0.90 (0.60 to 0.98)"), "{text}");
    assert!(days[13].contains("2026-01-20") && days[13].contains(" 10 "), "{text}");
    assert!(text.contains("2 earlier days"), "{text}");
    let found = folder.run(&["evaluate", "--live", "decisions.jsonl", "--json"]).json();
    assert_eq!(found["days"].as_object().map(serde_json::Map::len), Some(16), "{found}");
    assert_eq!(found["days"]["2026-01-05"]["removed"], 9, "{found}");
    assert!(found["days"]["2026-01-05"]["interval"][0].as_f64().is_some_and(|low| low > 0.5), "{found}");
}

#[test]
fn where_nothing_was_removed_no_recall_is_said() {
    let folder = Folder::new();
    folder.file("decisions.jsonl", line(1, "science", 0.1, false, 0.1));
    let text = folder.run(&["evaluate", "--live", "decisions.jsonl"]).stdout;
    assert!(!text.contains("NaN") && text.contains("nothing was removed, so there is no recall"), "{text}");
    let found = folder.run(&["evaluate", "--live", "decisions.jsonl", "--json"]).json();
    assert_eq!(found["explored"]["recall"], Value::Null, "{found}");
}

#[test]
fn a_file_without_decisions_says_what_to_do() {
    let folder = Folder::new();
    folder.file("decisions.jsonl", "\n");
    for args in [
        &["evaluate", "--live", "decisions.jsonl"][..],
        &["policy", "suggest", "--decisions", "decisions.jsonl", "--precision", "0.8"],
    ] {
        let run = folder.run(args);
        assert!(run.status == Some(1) && run.stderr.contains("run `modstream decisions pull` again"), "{}", run.stderr);
    }
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
fn a_threshold_is_of_one_model_and_a_subreddit_has_one_spelling() {
    let folder = Folder::new();
    let rows: Vec<Value> = (0..150)
        .map(|n| {
            let subreddit = ["science", "Science", "askscience"][n % 3];
            let mut row = row(n, subreddit, 0.765_49, n % 16 != 0, 1.0);
            if n >= 100 {
                row["decision"]["model_version"] = json!("e".repeat(64));
                row["decision"]["probability"] = json!(0.1);
                row["decision"]["alerted"] = json!("2026-01-04T10:00:00Z");
            }
            row
        })
        .collect();
    folder.file("decisions.jsonl", file(&rows));
    let args = ["policy", "suggest", "--decisions", "decisions.jsonl", "--precision", "0.8"];
    let text = folder.run(&args).stdout;
    assert!(text.contains("rscience ffffffffffff. 50 decisions about other versions are left aside."), "{text}");
    assert!(text.contains("# 93 of 100 decided from here up") && text.contains("probability>=0.7654\""), "{text}");
    assert!(text.contains("[subreddits.science]\n# 62 of 67 ") && !text.contains("Science"), "{text}");
    let found = folder.run(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(
        (&found["of_other_versions"], &found["default"]["probability"]),
        (&50.into(), &0.7654.into()),
        "{found}"
    );
    let names: Vec<&String> = found["subreddits"].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["askscience", "science"]);
    // What is printed is a document that holds.
    folder.file("policies.toml", &text);
    let check = folder.run(&["policy", "check", "policies.toml"]);
    assert_eq!(check.status, Some(0), "{text}{}", check.stderr);
}

#[test]
fn decisions_leave_the_verdicts_of_the_input_and_the_newest_about_a_comment_counts() {
    let folder = Folder::new();
    let samples = repository("events/samples/comments.jsonl");
    let text = std::fs::read_to_string(&samples).expect("the samples");
    let known: Vec<Value> = text.lines().take(40).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut rows: Vec<Value> = (0..40)
        .map(|n| {
            let mut row = row(n, "science", 0.9, true, 1.0);
            row["body"] = known[n]["body"].clone();
            row
        })
        .collect();
    // An older decision about the first comment, under another policy, comes last.
    let mut older = row(99, "science", 0.9, false, 1.0);
    older["decision"]["comment_event_id"] = json!("e0");
    older["decision"]["decided"] = json!("2026-01-05T10:02:00Z");
    rows.push(older);
    folder.file("decisions.jsonl", file(&rows));
    let samples = samples.to_str().expect("UTF-8");
    let train = |more: &[&str]| {
        folder.run(&[&["train", "--input", samples, "--output", "ours", "--json"], more].concat()).json()
    };
    let (alone, told) = (train(&[]), train(&["--decisions", "decisions.jsonl"]));
    assert_eq!((&told["comments"], &told["removed"]), (&alone["comments"], &alone["removed"]), "{told}");
    assert_eq!(told["decided"], 40, "{told}");
    let manifest = std::fs::read_to_string(folder.path("ours/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["training"]["decided_removed"], 40, "{}", manifest["training"]);
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
