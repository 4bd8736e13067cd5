//! `modstream replay` of files.

use jiff::Timestamp;
use modstream_archive::{ArchivedRecord, Content, encode};
use serde_json::{Value, json};

use crate::command::{Folder, repository};

fn samples() -> String {
    repository("events/samples/comments.jsonl").to_str().expect("UTF-8").to_owned()
}

/// An object of the archive with the sample comments, `first` on, and its file name.
fn archived(first: usize, count: usize) -> (String, Vec<u8>) {
    let rows = std::fs::read_to_string(samples()).expect("reads");
    let arrived: Timestamp = "2026-01-05T10:00:00Z".parse().expect("a time");
    let records: Vec<ArchivedRecord> = rows
        .lines()
        .enumerate()
        .skip(first)
        .take(count)
        .map(|(number, row)| {
            let comment: Value = serde_json::from_str(row).expect("JSON");
            let event = json!({
                "specversion": "1.0",
                "id": format!("e{number}"),
                "source": "urn:example:forum",
                "type": "modstream.comment.v1",
                "time": "2026-01-05T10:00:00Z",
                "data": comment,
            });
            ArchivedRecord {
                sequence_number: format!("{}", 1_000 + number),
                partition_key: format!("k{number}"),
                arrived,
                content: Content::Data(event.to_string().into_bytes()),
            }
        })
        .collect();
    let (key, bytes) = encode("comments", "shardId-000000000000", &records).expect("an object");
    (key.to_string().rsplit('/').next().expect("a name").to_owned(), bytes)
}

fn alerts(replayed: &Value, way: &str) -> i64 {
    replayed[way]["alerts"].as_i64().unwrap_or_else(|| panic!("no alerts of {way}: {replayed}"))
}

#[test]
fn another_policy_is_compared_by_verdict_and_the_counts_add_up() {
    let run = Folder::new().run(&["replay", "--input", &samples(), "--policy", "0.5", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let all = run.json();
    assert_eq!((&all["comments"], &all["verdicts"]), (&420.into(), &json!({ "removed": 139, "kept": 281 })));
    let [was, now, both, won, lost] = ["was", "now", "both", "won", "lost"].map(|way| alerts(&all, way));
    assert!(was > 0 && won > 0, "{all}");
    assert_eq!((lost, was, now), (0, both, both + won), "a lower probability loses nothing");
    for way in ["was", "now", "won"] {
        let [removed, kept] = ["removed", "kept"].map(|field| all[way][field].as_i64().expect("a count"));
        assert_eq!(removed + kept, alerts(&all, way), "every sample has its verdict");
        let precision = all[way]["precision"].as_f64().expect("a share");
        assert!((precision - removed as f64 / (removed + kept) as f64).abs() < 1e-9);
    }
    let example = &all["won"]["examples"][0];
    let [before, after] = ["was", "now"].map(|side| example[side]["probability"].as_f64().expect("a probability"));
    assert!(before < 0.7 && (before - after).abs() < 1e-12, "one model: {example}");
    assert!(example["was"]["severity"].is_null() && example["now"]["severity"] == "low", "{example}");
}

#[test]
fn the_same_twice_differs_in_nothing_and_the_demo_has_the_same_alerts() {
    let folder = Folder::new();
    let all = folder.run(&["replay", "--input", &samples(), "--base-rate", "0.5", "--json"]).json();
    let demo = folder.run(&["demo", "--fast", "--input", &samples(), "--base-rate", "0.5", "--json"]).json();
    assert_eq!(["won", "lost", "changed"].map(|way| alerts(&all, way)), [0; 3]);
    assert_eq!((alerts(&all, "was"), alerts(&all, "now")), (alerts(&all, "both"), demo["alerts"].as_i64().expect("n")));
}

#[test]
fn another_model_wins_loses_and_changes_alerts_and_a_page_shows_them() {
    let folder = Folder::new();
    let trained = ["train", "--input", &samples(), "--features", "300", "--output", "new", "--json"];
    assert_eq!(folder.run(&trained).status, Some(0));
    let run = folder.run(&["replay", "--input", &samples(), "--model", "new", "--report", "page.html"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    for part in ["was", "rscience", "new", "won", "lost", "->", "report written to page.html"] {
        assert!(run.stdout.contains(part), "{part} is missing in {}", run.stdout);
    }
    let page = std::fs::read_to_string(folder.path("page.html")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("What would have been") && !page.contains("<script"));
    let swapped = ["replay", "--input", &samples(), "--against-model", "new", "--json"];
    let (there, back) = (
        folder.run(&["replay", "--input", &samples(), "--model", "new", "--json"]).json(),
        folder.run(&swapped).json(),
    );
    assert_eq!((alerts(&there, "won"), alerts(&there, "lost")), (alerts(&back, "lost"), alerts(&back, "won")));
}

#[test]
fn objects_of_the_archive_are_read_a_repeat_is_left_out_and_a_damaged_one_is_named() {
    let folder = Folder::new();
    let (first, bytes) = archived(0, 50);
    let (overlapping, more) = archived(40, 20);
    let (damaged, mut bad) = archived(100, 10);
    let middle = bad.len() / 2;
    bad[middle] ^= 0x55;
    folder.file(&first, &bytes).file(&overlapping, more).file(&damaged, bad).file("renamed", &bytes);
    let run = folder.run(&["replay", "--input", &damaged, &first, &overlapping, "renamed", "--json"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let all = run.json();
    assert_eq!((&all["comments"], &all["repeats"]), (&60.into(), &60.into()));
    let unreadable = all["unreadable"].as_array().expect("a list");
    assert_eq!((unreadable.len(), &unreadable[0]["name"]), (1, &damaged.into()));
    assert!(unreadable[0]["error"].as_str().is_some_and(|error| error.contains("damaged")), "{unreadable:?}");
}

#[test]
fn verdicts_may_come_from_another_file_and_without_any_precision_is_not_known() {
    let folder = Folder::new();
    folder.file(
        "comments.jsonl",
        "{\"id\":\"a\",\"body\":\"lol who cares about this\"}\n{\"id\":\"b\",\"body\":\"lol\"}\n",
    );
    folder.file("verdicts.jsonl", "{\"id\":\"a\",\"removed\":true}\n{\"id\":\"z\",\"removed\":false}\n");
    folder.file("none.jsonl", "{\"id\":\"a\"}\n");
    let replayed = |more: &[&str]| {
        let args = ["replay", "--input", "comments.jsonl", "--policy", "0", "--json"];
        folder.run(&[&args[..], more].concat())
    };
    let all = replayed(&["--verdicts", "verdicts.jsonl"]).json();
    assert_eq!((&all["verdicts"], &all["now"]["precision"]), (&json!({ "removed": 1, "kept": 0 }), &json!(1.0)));
    assert_eq!(replayed(&[]).json()["now"]["precision"], Value::Null);
    let none = replayed(&["--verdicts", "none.jsonl"]);
    assert_eq!(none.status, Some(1));
    assert!(none.json()["error"].as_str().is_some_and(|error| error.contains("no verdicts in it")), "{}", none.stdout);
    let text = folder.run(&["replay", "--input", "comments.jsonl"]).stdout;
    assert!(text.contains("No verdicts are known"), "{text}");
}

#[test]
fn a_bad_row_is_named_and_the_rest_is_replayed_and_no_comment_at_all_is_an_error() {
    let folder = Folder::new();
    folder.file(
        "some.jsonl",
        "{\"body\":\"one\"}\nno json\n{\"id\":\"x\"}\n{\"body\":\"[removed]\"}\n{\"body\":\"two\"}\n",
    );
    folder.file("none.jsonl", "{\"id\":\"x\"}\n");
    let run = folder.run(&["replay", "--input", "some.jsonl", "--json"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    let all = run.json();
    assert_eq!((&all["comments"], &all["bad_rows"]["count"], &all["without_text"]), (&2.into(), &2.into(), &1.into()));
    assert!(all["bad_rows"]["some"][0].as_str().is_some_and(|bad| bad.starts_with("some.jsonl, line 2: ")), "{all}");
    for (args, part) in [
        (["--input", "none.jsonl"], "there are no comments in it; none.jsonl, line 1"),
        (["--input", "gone.jsonl"], "gone.jsonl: there is no such file"),
    ] {
        let run = folder.run(&[&["replay"][..], &args, &["--json"]].concat());
        let error = run.json()["error"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(run.status == Some(1) && error.contains(part), "{error}");
    }
    let own = folder.run(&["replay", "--input", "some.jsonl", "--report", "some.jsonl", "--json"]);
    assert!(own.json()["error"].as_str().is_some_and(|error| error.contains("is the input")), "{}", own.stdout);
}

#[test]
fn chunks_change_nothing() {
    let folder = Folder::new();
    let rows = std::fs::read(samples()).expect("reads");
    folder.file("many.jsonl", rows.repeat(30));
    let many = folder.run(&["replay", "--input", "many.jsonl", "--policy", "0.5", "--json"]).json();
    let one = folder.run(&["replay", "--input", &samples(), "--policy", "0.5", "--json"]).json();
    assert_eq!(many["comments"], 12_600);
    for way in ["was", "now", "won"] {
        assert_eq!(alerts(&many, way), 30 * alerts(&one, way), "{way}");
    }
}

#[test]
fn a_document_of_policies_is_tried_and_what_it_holds_back_counts() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 1\nexploration_share = 0.1\n");
    let run = |args: &[&str]| folder.run(&[&["replay", "--input", &samples(), "--json"], args].concat());
    let document = run(&["--policies", "p.toml"]);
    assert_eq!(document.status, Some(0), "{}", document.stderr);
    let (document, condition) = (document.json(), run(&["--policy", "0.5"]).json());
    assert_eq!(alerts(&document, "now"), alerts(&condition, "now"));
    assert_eq!(
        (&document["now"]["policy"], &condition["now"]["policy"]),
        (&json!("p.toml"), &json!("probability>=0.5"))
    );
    let both = run(&["--policies", "p.toml", "--policy", "0.5"]);
    assert_eq!(both.status, Some(2), "{}", both.stderr);
    folder.file("bad.toml", "[default]\nthreshold = 2\n");
    let bad = run(&["--policies", "bad.toml"]).json();
    assert!(bad["error"].as_str().is_some_and(|error| error.starts_with("bad.toml: line 2")), "{bad}");
}
