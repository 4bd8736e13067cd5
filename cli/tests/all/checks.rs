//! What `train` and `evaluate` say of the rows themselves.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

/// The sample comments, with their verdicts.
fn samples() -> Vec<(String, bool)> {
    let rows = std::fs::read_to_string(repository("events/samples/comments.jsonl")).expect("reads");
    let row = |line: &str| -> (String, bool) {
        let row: Value = serde_json::from_str(line).expect("JSON");
        (row["body"].as_str().expect("text").to_owned(), row["removed"] == true)
    };
    rows.lines().map(row).collect()
}

fn write(folder: &Folder, name: &str, rows: &[(String, bool)]) {
    let lines = rows.iter().map(|(body, removed)| format!("{}\n", json!({ "body": body, "removed": removed })));
    folder.file(name, lines.collect::<String>());
}

/// The findings of a training, by what was checked.
fn findings(folder: &Folder, name: &str) -> Vec<Value> {
    let run = folder.run(&["train", "--input", name, "--output", "ours", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    run.json()["findings"].as_array().expect("a list").clone()
}

fn of<'a>(findings: &'a [Value], check: &str) -> Option<&'a Value> {
    findings.iter().find(|it| it["check"] == check)
}

#[test]
fn a_marker_equal_texts_and_near_duplicates_are_named_with_their_lines() {
    let folder = Folder::new();
    let rows = samples();
    write(&folder, "rows.jsonl", &rows);
    let plain = findings(&folder, "rows.jsonl");
    for check in ["marker", "too_good", "contradicting", "near_duplicates"] {
        assert_eq!(of(&plain, check), None, "{check}");
    }

    let marked: Vec<(String, bool)> = rows
        .iter()
        .map(|(body, removed)| (if *removed { format!("{body} [mod]") } else { body.clone() }, *removed))
        .collect();
    write(&folder, "marked.jsonl", &marked);
    let found = findings(&folder, "marked.jsonl");
    let marker = of(&found, "marker").unwrap_or_else(|| panic!("{found:?}"));
    assert!(marker["term"].as_str().expect("a term").contains("mod"), "{marker}");
    let line = marker["rows"][0]["line"].as_u64().expect("a line");
    assert_eq!(line as usize, rows.iter().position(|row| row.1).expect("a removed one") + 1);

    let mut more = rows.clone();
    more.push((format!("  {} ", rows[0].0.to_uppercase()), !rows[0].1));
    let long = rows.iter().find(|(body, _)| body.split_whitespace().count() > 12).expect("a long one");
    more.push((format!("{} 17", long.0), long.1));
    write(&folder, "more.jsonl", &more);
    let found = findings(&folder, "more.jsonl");
    let both = of(&found, "contradicting").unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((&both["texts"], &both["count"]), (&1.into(), &2.into()));
    assert_eq!((&both["rows"][0]["line"], &both["rows"][1]["line"]), (&1.into(), &421.into()));
    let near = of(&found, "near_duplicates").unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((&near["groups"], &near["count"], &near["rows"][1]["line"]), (&1.into(), &2.into(), &422.into()));

    let text = folder.run(&["train", "--input", "more.jsonl", "--output", "ours"]).stdout;
    assert!(text.contains("look at these rows") && text.contains("    line 421: "), "{text}");
}

#[test]
fn rows_that_contradict_each_other_are_refused_with_counts_and_lines() {
    let folder = Folder::new();
    let twice: Vec<(String, bool)> =
        samples().into_iter().flat_map(|(body, removed)| [(body.clone(), removed), (body, !removed)]).collect();
    write(&folder, "twice.jsonl", &twice);
    let run = folder.run(&["train", "--input", "twice.jsonl", "--output", "ours"]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("836 rows (99.5 %) are equal to one with the other verdict: 418 texts"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("see lines 1, 2, "), "{}", run.stderr);
    assert!(!folder.path("ours").exists());
}

#[test]
fn a_model_knows_the_texts_that_it_was_trained_on() {
    let folder = Folder::new();
    let rows = samples();
    let (learned, held_out) = rows.split_at(300);
    write(&folder, "learned.jsonl", learned);
    write(&folder, "held-out.jsonl", held_out);
    let _ = findings(&folder, "learned.jsonl");
    let seen = |name: &str| {
        let found = folder.run(&["evaluate", "--model", "ours", "--input", name, "--json"]).json();
        of(found["findings"].as_array().expect("a list"), "seen_in_training").cloned()
    };
    assert_eq!(seen("held-out.jsonl"), None);
    let found = seen("learned.jsonl").expect("all were seen");
    assert_eq!((&found["count"], &found["share"]), (&300.into(), &1.0.into()));
    let text = folder.run(&["evaluate", "--model", "ours", "--input", "learned.jsonl"]).stdout;
    assert!(text.contains("the model was trained on 300 of these 300 texts (100.0 %)"), "{text}");
    let page = folder.run(&["evaluate", "--model", "ours", "--input", "learned.jsonl", "--report", "page.html"]);
    assert_eq!(page.status, Some(0), "{}", page.stderr);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("a page");
    assert!(page.contains("<section id=\"checks\">") && page.contains("trained on 300 of these 300 texts"));

    let replayed = |name: &str| folder.run(&["replay", "--model", "ours", "--input", name, "--json"]).json();
    assert_eq!(replayed("learned.jsonl")["now"]["trained_on"], 300);
    assert_eq!(replayed("held-out.jsonl")["now"]["trained_on"], 0);
    let text = folder.run(&["replay", "--model", "ours", "--input", "learned.jsonl"]).stdout;
    assert!(text.contains("was trained on 300 of these 300 comments"), "{text}");
}

#[test]
fn labelled_texts_are_checked_a_label_at_a_time() {
    let folder = Folder::new();
    let words = ["tea", "garden", "river", "paper", "winter", "music", "bridge", "colour", "engine", "market"];
    let mut rows = String::new();
    for index in 0..400_usize {
        let (rude, threat) = (index.is_multiple_of(4), index % 10 == 3);
        let text = format!(
            "{} {} {} {}",
            words[index % 10],
            words[index / 10 % 10],
            words[index / 3 % 10],
            words[index / 7 % 10]
        );
        let text = if rude { format!("{text} XX1") } else { text };
        rows += &format!(
            "{}\n",
            json!({ "text": format!("{text} n{index}"), "labels": { "rude": u8::from(rude), "threat": u8::from(threat) } })
        );
    }
    folder.file("rows.jsonl", rows);
    let run = folder.run(&["train", "--input", "rows.jsonl", "--output", "ours", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let found = run.json()["findings"].as_array().expect("a list").clone();
    let marker = of(&found, "marker").unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(
        (&marker["label"], &marker["term"], &marker["rows"][0]["line"]),
        (&"rude".into(), &"xx1".into(), &1.into())
    );
    let seen = folder.run(&["evaluate", "--model", "ours", "--input", "rows.jsonl", "--json"]).json();
    assert_eq!(seen["findings"][0]["check"], "seen_in_training");
    assert_eq!(seen["findings"][0]["count"], 400);
}
