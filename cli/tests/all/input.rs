//! `-`, which is standard input, and outputs that can't be written.

use std::path::Path;

use modstream_archive::{ArchivedRecord, Content, encode};
use serde_json::{Value, json};

use crate::command::{Folder, repository};

const ROWS: &str = "id,body,removed\nk1,lol so true,1\nk2,Is the sample large enough?,0\nk3,wow,1\nk4,Thank you!,0\n";

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 0).expect("compresses")
}

#[test]
fn a_dash_is_standard_input_wherever_comments_are_read() {
    let folder = Folder::new();
    folder.file("in.csv", ROWS);
    for args in [
        &["evaluate", "--json"][..],
        &["score"],
        &["demo", "--fast", "--comments", "4", "--policy", "1", "--schedule-time", "2026-01-05T10:00:00Z"],
        &["policy", "check", "policies.toml", "--against"],
    ] {
        folder.file("policies.toml", "[default]\nthreshold = 0.7\n[subreddits.science]\n");
        let args = |input: &'static str| match args.last() {
            Some(&"--against") => [args, &[input]].concat(),
            _ => [args, &["--input", input]].concat(),
        };
        let (file, plain) = (folder.run(&args("in.csv")), folder.run_with(&args("-"), ROWS.as_bytes()));
        assert_eq!(plain.status, Some(0), "{:?}: {}", args("-"), plain.stderr);
        // How long it takes differs.
        let counts =
            |text: &str| text.lines().filter(|line| !line.contains(" in ")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(counts(&plain.stdout), counts(&file.stdout), "{:?}", args("-"));
        let packed = folder.run_with(&args("-"), &zstd(ROWS));
        assert_eq!(counts(&packed.stdout), counts(&plain.stdout), "{:?}", args("-"));
    }
    let load = ["load", "--rate", "10", "--seconds", "1", "--input", "-", "--json"];
    assert_eq!(folder.run_with(&load, ROWS.as_bytes()).json()["comments"], 10);
    for command in ["desk", "load", "demo", "replay", "train", "evaluate", "score"] {
        let more = if command == "train" { &["--output", "ours"][..] } else { &[] };
        let run = folder.run_with(&[&[command, "--input", "-"], more].concat(), b"");
        assert!(run.status == Some(1) && run.stderr.contains("standard input"), "{command}: {}", run.stderr);
    }
}

#[test]
fn train_reads_standard_input_as_it_reads_a_file() {
    let folder = Folder::new();
    let samples = std::fs::read(repository("events/samples/comments.jsonl")).expect("reads");
    folder.file("in.jsonl", &samples);
    let train = |input: &str, stdin: &[u8]| {
        let run = folder.run_with(&["train", "--input", input, "--output", "ours", "--json"], stdin);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        run.json()["version"].clone()
    };
    assert_eq!(train("-", &samples), train("in.jsonl", b""));
}

#[test]
fn a_replay_knows_rows_and_an_object_of_the_archive_on_standard_input() {
    let folder = Folder::new();
    let replayed = |stdin: &[u8]| {
        let run = folder.run_with(&["replay", "--input", "-", "--policy", "0", "--json"], stdin);
        assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
        run.json()
    };
    let rows = replayed(ROWS.as_bytes());
    assert_eq!((&rows["comments"], &rows["from"]), (&json!(4), &json!("standard input")));
    assert_eq!(replayed(&zstd(ROWS))["comments"], 4);
    let event = json!({
        "specversion": "1.0",
        "id": "e1",
        "source": "urn:example:forum",
        "type": "modstream.comment.v1",
        "time": "2026-01-05T10:00:00Z",
        "data": { "id": "k1", "body": "lol" },
    });
    let record = ArchivedRecord {
        sequence_number: "1".to_owned(),
        partition_key: "k1".to_owned(),
        arrived: "2026-01-05T10:00:00Z".parse().expect("a time"),
        content: Content::Data(event.to_string().into_bytes()),
    };
    let (_, object) = encode("comments", "shardId-000000000000", &[record]).expect("an object");
    assert_eq!(replayed(&object)["comments"], 1);
}

#[test]
fn a_document_of_policies_may_come_on_standard_input() {
    let folder = Folder::new();
    let good = folder.run_with(&["policy", "check", "-", "--json"], b"[default]\nthreshold = 0.8\n");
    assert_eq!(good.json()["policies"]["default"]["threshold"], "0.8");
    let bad = folder.run_with(&["policy", "check", "-"], b"[default]\nthreshold = 2\n");
    assert!(bad.status == Some(1) && bad.stderr.starts_with("standard input: line 2: "), "{}", bad.stderr);
}

#[test]
fn standard_input_is_read_once() {
    let folder = Folder::new();
    folder.file("in.csv", ROWS);
    for args in [
        &["replay", "--input", "-", "--verdicts", "-"][..],
        &["replay", "--input", "-", "-"],
        &["policy", "check", "-", "--against", "-"],
    ] {
        let run = folder.run(args);
        assert!(run.status == Some(2) && run.stderr.contains("can be read once"), "{args:?}: {}", run.stderr);
    }
}

/// No file can be made there, not even by root.
const NOWHERE: &str = "/proc/modstream";

#[test]
fn an_output_that_cant_be_written_is_found_before_anything_is_read() {
    if !Path::new("/proc/self").exists() {
        println!("skipped: this system has no /proc");
        return;
    }
    let folder = Folder::new();
    let output = format!("{NOWHERE}/ours");
    for args in [
        &["train", "--input", "gone.csv", "--output"][..],
        &["evaluate", "--input", "gone.csv", "--report"],
        &["replay", "--input", "gone.csv", "--report"],
    ] {
        let run = folder.run(&[args, &[output.as_str()]].concat());
        assert_eq!(run.status, Some(1), "{args:?}");
        assert!(run.stderr.contains(&output) && !run.stderr.contains("gone.csv"), "{args:?}: {}", run.stderr);
    }
    folder.file("file", "");
    let run = folder.run(&["train", "--input", "gone.csv", "--output", "file/ours"]);
    assert!(run.status == Some(1) && run.stderr.contains("file/ours"), "{}", run.stderr);
}

#[test]
fn every_row_of_score_has_its_line() {
    let rows = "id,body\nk1,\"two\nlines\"\nk2,\nk3,three\n";
    let run = Folder::new().run_with(&["score", "--input", "-"], rows.as_bytes());
    let lines: Vec<Value> = run.lines().iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [2, 4, 5], "{}", run.stdout);
    let run = Folder::new().run_with(&["score"], b"{\"body\":\"a\"}\n{\"id\":\"x\"}\n{\"body\":\"c\"}\n");
    let lines: Vec<(Value, bool)> =
        run.lines().iter().map(|row| (row["line"].clone(), row.get("error").is_some())).collect();
    assert_eq!(lines, [(1.into(), false), (2.into(), true), (3.into(), false)], "{}", run.stdout);
}
