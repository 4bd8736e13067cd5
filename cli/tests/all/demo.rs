//! `modstream demo`, the whole pipeline.

use crate::command::{Folder, real_comments};

#[test]
fn every_comment_has_its_prediction_and_the_summary_is_one_line() {
    let run = Folder::new().run(&["demo", "--fast", "--comments", "600", "--json"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    let summary = run.json();
    assert_eq!(summary["comments"], 600);
    assert_eq!(summary["predictions"], 600);
    assert_eq!((&summary["quarantined"], &summary["duplicates"]), (&0.into(), &0.into()));
    assert!(summary["alerts"].as_u64().is_some_and(|alerts| (1..600).contains(&alerts)), "{summary}");
    assert!(summary["latency_ms"]["p50"].as_f64() <= summary["latency_ms"]["p99"].as_f64(), "{summary}");
}

#[test]
fn a_double_dash_behind_demo_changes_nothing() {
    let folder = Folder::new();
    let alerts = |args: &[&str]| folder.run(args).json()["alerts"].clone();
    assert_eq!(alerts(&["demo", "--", "--fast", "--json"]), alerts(&["demo", "--fast", "--json"]));
}

#[test]
fn alerts_say_when_where_how_sure_and_why() {
    let run = Folder::new().run(&["demo", "--fast", "--comments", "420", "--policy", "0.8"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let by_removal = "this community would likely remove it .";
    for part in ["r/science", by_removal, "toxic .", "severity ", "420 predictions", "nothing lost, nothing doubled"] {
        assert!(run.stdout.contains(part), "{part} is missing in {}", run.stdout);
    }
    let plain = Folder::new().run(&["demo", "--fast", "--comments", "420", "--policy", "0.8", "--harm-model", "none"]);
    assert!(plain.stdout.contains("removal very likely (0.") && !plain.stdout.contains(by_removal), "{}", plain.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "colours only on a terminal");
}

#[test]
fn it_ends_with_the_digest_of_the_busiest_subreddit_and_json_has_none() {
    let folder = Folder::new();
    let args = ["demo", "--fast", "--comments", "420", "--schedule-time", "2026-01-05T10:00:00Z"];
    let run = folder.run(&args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (_, digest) = run.stdout.split_once("And every five minutes, by email:\n").expect("a digest");
    let mut lines = digest.lines().skip(1);
    let subject = lines.next().expect("a subject");
    assert!(subject.starts_with("Subject: r/") && subject.ends_with(" alerts (10:00-10:05 UTC)"), "{subject}");
    for part in [
        "\n1. Medium, toxic .",
        "\n   dated 1 January 2025, ",
        " UTC\n   | ",
        "\n   for toxic, because of \"",
        "\nYou get this email because ",
    ] {
        assert!(digest.contains(part), "{part} is missing in {digest}");
    }
    assert!(digest.lines().count() < 40, "{digest}");
    assert_eq!(folder.run(&[&args[..], &["--json"]].concat()).stdout.lines().count(), 1);
    assert!(
        !folder
            .run(&["demo", "--fast", "--comments", "50", "--policy", "1", "--harm-model", "none"])
            .stdout
            .contains("by email")
    );
}

#[test]
fn comments_come_at_the_rate_that_was_asked_for() {
    let run = Folder::new().run(&["demo", "--rate", "40", "--comments", "20", "--json"]);
    let seconds = run.json()["seconds"].as_f64().expect("seconds");
    assert!(seconds >= 0.4, "the last of 20 comments at 40/s is due after 0.475 s, all came within {seconds}");
}

#[test]
fn a_policy_decides_what_alerts() {
    let folder = Folder::new();
    let alerts = |policy: &str| {
        let args = ["demo", "--fast", "--comments", "420", "--policy", policy, "--json", "--harm-model", "none"];
        folder.run(&args).json()["alerts"].as_u64().expect("alerts")
    };
    // Two of the samples have no text to judge, 18 are shorter than what the model learned from, and one is in Spanish.
    assert_eq!(alerts("0"), 420 - 2 - 18 - 1);
    // Labels alert besides: of the samples four, by the model built in.
    let by_harm = folder.run(&["demo", "--fast", "--comments", "420", "--policy", "1", "--json"]);
    assert_eq!(by_harm.json()["alerts"], 4);
    assert_eq!(alerts("1"), 0);
    assert!(alerts("0.9") < alerts("0.5"));
    assert!(alerts("share<=0.02") < alerts("share<=0.2"));
    assert!(alerts("precision>=0.7") > 0);
    assert_eq!(alerts("precision>=0.99"), 0);
}

#[test]
fn a_comment_without_body_is_quarantined_and_an_empty_one_is_scored() {
    let folder = Folder::new();
    let rows = [
        r#"{"id":"a","body":"fine"}"#,
        r#"{"id":"b","body":""}"#,
        r#"{"id":"c","body":null}"#,
        r#"{"id":"d"}"#,
        r#"{"body":"   "}"#,
    ];
    folder.file("in.jsonl", rows.join("\n"));
    let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--comments", "5", "--json"]);
    let summary = run.json();
    assert_eq!(run.status, Some(0), "{summary}");
    assert_eq!(
        (&summary["comments"], &summary["predictions"], &summary["quarantined"]),
        (&5.into(), &3.into(), &2.into())
    );
}

#[test]
fn rows_repeat_where_the_file_has_fewer_and_each_is_an_event_of_its_own() {
    let folder = Folder::new();
    folder.file("in.csv", "body,id\nsame text,same id\n");
    let run = folder.run(&["demo", "--fast", "--input", "in.csv", "--comments", "7", "--json"]);
    let summary = run.json();
    assert_eq!(
        (&summary["comments"], &summary["predictions"], &summary["duplicates"]),
        (&7.into(), &7.into(), &0.into())
    );
}

#[test]
fn a_file_is_sent_whole_and_each_row_once() {
    let folder = Folder::new();
    folder.file("in.jsonl", "{\"body\":\"one of many\"}\n".repeat(412));
    let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--json"]);
    assert_eq!(run.json()["comments"], 412);
    let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--comments", "413", "--policy", "1"]);
    for part in ["there are 412 different ones", "the highest probability was 0."] {
        assert!(run.stdout.contains(part), "{part} is missing in {}", run.stdout);
    }
}

#[test]
fn a_comment_too_large_for_a_record_is_quarantined() {
    let folder = Folder::new();
    let large = "word ".repeat(220_000);
    folder.file("in.jsonl", format!("{{\"body\":\"{large}\"}}\n{{\"body\":\"small\"}}\n"));
    let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--comments", "2", "--json"]);
    let summary = run.json();
    assert_eq!(run.status, Some(0), "{summary}");
    assert_eq!(
        (&summary["comments"], &summary["predictions"], &summary["quarantined"]),
        (&2.into(), &1.into(), &1.into())
    );
}

#[test]
fn an_alert_fits_its_message_however_long_a_link_a_name_or_a_row_of_marks_is() {
    let folder = Folder::new();
    let long = "x".repeat(300_000);
    let rows = [
        format!("{{\"body\":\"see https://example.org/{long} and https://example.com/{long}\"}}"),
        format!("{{\"body\":\"well{}\"}}", "!".repeat(540_000)),
        format!("{{\"body\":\"fine\",\"author\":\"{long}\",\"subreddit\":\"{long}\",\"permalink\":\"{long}\"}}"),
    ];
    folder.file("in.jsonl", rows.join("\n"));
    folder.file("p.toml", "[default]\nthreshold = 0\noutside_support = \"judged\"\n");
    let args = ["demo", "--fast", "--input", "in.jsonl", "--comments", "3", "--policies", "p.toml", "--json"];
    let summary = folder.run(&args).json();
    assert_eq!((&summary["predictions"], &summary["alerts"]), (&3.into(), &3.into()), "{summary}");
}

#[test]
fn a_policy_that_no_comment_can_meet_is_said_so() {
    let folder = Folder::new();
    let note = |policy: &str| folder.run(&["demo", "--fast", "--policy", policy, "--json"]).json()["note"].clone();
    assert!(note("precision>=0.99").as_str().is_some_and(|note| note.contains("a precision of 0.")));
    assert!(note("share<=0").as_str().is_some_and(|note| note.contains("a share of 0.")));
    assert!(note("precision>=0.6").is_null() && note("0.99").is_null());
}

#[test]
fn a_base_rate_makes_alerts_rarer() {
    let folder = Folder::new();
    let alerts = |args: &[&str]| {
        folder.run(&[&["demo", "--fast", "--json", "--comments", "420"], args].concat()).json()["alerts"].as_u64()
    };
    assert!(alerts(&["--base-rate", "0.05"]) < alerts(&[]));
}

#[test]
fn what_cant_be_run_is_refused_with_what_to_do() {
    let folder = Folder::new();
    folder
        .file("empty.csv", "")
        .file("nobody.csv", "id,text\n1,hello\n")
        .file("bad.jsonl", "{\"body\":\"a\"}\n{\"body\":\n");
    for (args, part) in [
        (&["--input", "gone.csv"][..], "gone.csv"),
        (&["--input", "empty.csv"], "empty"),
        (&["--input", "nobody.csv"], "body"),
        (&["--input", "bad.jsonl"], "line 2"),
        (&["--model", "gone"], "modstream train"),
    ] {
        let run = folder.run(&[&["demo", "--fast", "--json"], args].concat());
        assert_eq!(run.status, Some(1), "{args:?}");
        let error = run.json()["error"].as_str().expect("an error").to_owned();
        assert!(error.contains(part), "{args:?}: {error}");
        let run = folder.run(&[&["demo", "--fast"], args].concat());
        assert!(
            run.stderr.contains(part) && run.stdout.is_empty() && run.status == Some(1),
            "{args:?}: {}",
            run.stderr
        );
    }
    for args in [
        &["--policy", "2"][..],
        &["--policy", "recall>=1"],
        &["--base-rate", "5"],
        &["--rate", "0"],
        &["--comments", "0"],
    ] {
        let run = folder.run(&[&["demo"], args].concat());
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}: {}", run.stderr);
        let run = folder.run(&[&["demo", "--json"], args].concat());
        assert!(run.status == Some(2) && run.json()["error"].is_string(), "{args:?}");
    }
}

#[test]
fn five_thousand_real_comments_go_all_the_way() {
    let Some(path) = real_comments() else { return };
    let path = path.to_str().expect("UTF-8");
    let run = Folder::new().run(&["demo", "--fast", "--input", path, "--comments", "5000", "--json"]);
    let summary = run.json();
    assert_eq!(run.status, Some(0), "{summary}");
    assert_eq!(
        (&summary["comments"], &summary["predictions"], &summary["quarantined"]),
        (&5000.into(), &5000.into(), &0.into())
    );
}

#[test]
fn a_document_of_policies_decides_what_alerts_and_what_is_held_back() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 0.7\n[total]\nmax_alerts_per_hour = 3\n");
    let demo = |args: &[&str]| folder.run(&[&["demo", "--fast", "--comments", "300", "--json"], args].concat());
    let run = demo(&["--policies", "p.toml"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    let (run, all) = (run.json(), demo(&[]).json());
    let count = |run: &serde_json::Value, name: &str| run[name].as_u64().expect("a count");
    // Three an hour; the run may lie in two.
    assert!((3..=6).contains(&count(&run, "alerts")), "{run}");
    assert_eq!(count(&run, "alerts") + count(&run, "held_back"), count(&all, "alerts"));
    assert_eq!((&run["policy"], count(&all, "held_back")), (&serde_json::json!("p.toml"), 0));
    let both = demo(&["--policies", "p.toml", "--policy", "0.5"]);
    assert_eq!(both.status, Some(2), "{}", both.stderr);
}
