//! Files as forums, dumps, data frames and spreadsheets write them.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

/// The lines of a file that is read without an error.
fn scored(folder: &Folder, file: &str, more: &[&str]) -> Vec<Value> {
    let run = folder.run(&[&["score", "--input", file], more].concat());
    assert_eq!(run.status, Some(0), "{file} {more:?}: {}{}", run.stderr, run.stdout);
    run.lines()
}

#[test]
fn a_row_a_comment_and_status_0_for_whatever_scoring_does_not_need() {
    let folder = Folder::new();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let files: [(&str, Vec<u8>, usize); 9] = [
        ("cut.jsonl", b"{\"id\":\"\\ud83d\",\"body\":\"so long \\ud83d\"}\n{\"\\udc00\":1,\"body\":\"x\",\"y\":[\"\\ud83d\"]}\n".to_vec(), 2),
        ("numbers.jsonl", b"{\"id\":9007199254740993,\"parent_id\":4.0,\"author\":12345678901234567890123,\"body\":\"x\"}\n".to_vec(), 1),
        ("odd.jsonl", b"{\"id\":[1],\"score\":\"many\",\"created_utc\":false,\"edited\":true,\"permalink\":{},\"removed\":\"perhaps\",\"body\":\"x\"}\n".to_vec(), 1),
        ("python.jsonl", b"{\"body\":\"x\",\"score\":NaN,\"removed\":NaN}\n".to_vec(), 1),
        ("verdicts.csv", b"body,removed\nx,1.0\ny,0.0\nz,\nw,perhaps\n".to_vec(), 4),
        ("excel.csv", b"\xEF\xBB\xBFsep=;\r\nid;body\r\na;\"x;\r\ny\"\r\n".to_vec(), 1),
        ("tabs.csv", b"sep=\t\nbody\tscore\nx\tlow\n".to_vec(), 1),
        ("unicode.txt", utf16("\u{FEFF}body,author\nx,söhnke\n"), 1),
        ("unmarked.csv", utf16("body,author\nx,söhnke\n"), 1),
    ];
    for (name, bytes, rows) in files {
        folder.file(name, bytes);
        let lines = scored(&folder, name, &[]);
        assert_eq!(lines.len(), rows, "{name}");
        assert!(lines.iter().all(|line| line["probability"].is_number()), "{name}: {lines:?}");
    }
    let ids: Vec<Value> =
        ["cut.jsonl", "numbers.jsonl"].iter().map(|file| scored(&folder, file, &[])[0]["id"].clone()).collect();
    assert_eq!(ids, ["\u{FFFD}", "9007199254740993"]);
}

#[test]
fn json_is_read_however_its_objects_are_set_out() {
    let folder = Folder::new();
    let (a, b) = (json!({ "id": "k1", "body": "lol, who cares" }), json!({ "id": "k2", "body": "How large?" }));
    for (name, text) in [
        ("lines.jsonl", format!("{a}\n{b}\n")),
        ("commas.jsonl", format!("{a},\n{b},\n")),
        ("list.jsonl", format!("[\n{a},\n{b}\n]\n")),
        ("list.json", format!("[{a},{b}]")),
        ("pages.json", format!("[{a}]\n[{b}]\n")),
        ("pretty.json", format!("[\n  {a:#},\n  {b:#}\n]\n")),
        ("mac.jsonl", format!("{a}\r{b}\r")),
        ("mac.csv", "id,body\rk1,\"lol, who cares\"\rk2,How large?\r".to_owned()),
        ("padded.csv", "sep=;;\nid;body\nk1;lol, who cares\nk2;How large?\n".to_owned()),
    ] {
        folder.file(name, text);
        let lines = scored(&folder, name, &[]);
        let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
        assert_eq!(ids, ["k1", "k2"], "{name}");
    }
    for (text, said) in [
        (format!("{a:#}\n{b:#}\n"), "`jq -c . FILE`"),
        (format!("{:#}", json!({ "comments": [a, b] })), "`jq -c '.NAME[]' FILE`"),
        ("[\"lol\"]".to_owned(), "`jq -c '.[] | {\"body\": .}' FILE`"),
        ("sep=:\nid:body\n".to_owned(), "`--delimiter`"),
    ] {
        for name in ["f", "f.jsonl", "f.json"] {
            if text.starts_with("sep") && name == "f.jsonl" {
                continue;
            }
            folder.file(name, &text);
            let run = folder.run(&["score", "--input", name]);
            assert!(run.status == Some(1) && run.stderr.contains(said), "{name} {text}: {}", run.stderr);
        }
    }
}

#[test]
fn an_error_names_the_field_that_was_asked_for() {
    let folder = Folder::new();
    folder
        .file("in.jsonl", "{\"comment\":\"lol, who cares\",\"verdict\":1}\n{\"body\":\"x\",\"verdict\":0}\n")
        .file("policies.toml", "[default]\nthreshold = 0.7\n");
    let named = ["--text-column", "comment"];
    for args in [
        &["score", "--input", "in.jsonl"][..],
        &["policy", "test", "policies.toml", "--input", "in.jsonl"],
        &["replay", "--input", "in.jsonl"],
        &["evaluate", "--input", "in.jsonl", "--label-column", "verdict"],
    ] {
        let run = folder.run(&[args, &named].concat());
        let said = run.stdout + &run.stderr;
        assert!(said.contains("the comment has no `comment`") && !said.contains("`body`"), "{args:?}: {said}");
    }
    let run = folder.run(&["evaluate", "--input", "in.jsonl", "--text-column", "comment", "--label-column", "Judged"]);
    assert!(run.stderr.contains("`Judged`") && !run.stderr.contains("`removed`"), "{}", run.stderr);
}

#[test]
fn rows_without_a_verdict_are_left_out_and_counted_unless_none_has_one() {
    let folder = Folder::new();
    let rows: String = (0..60)
        .map(|n| {
            let body = if n % 3 == 0 { "lol who cares you fool" } else { "How large was the control group" };
            let removed = if n % 10 == 9 { String::new() } else { format!("{:.1}", f64::from(u8::from(n % 3 == 0))) };
            format!("{n},{body} {},{removed}\n", n % 7)
        })
        .collect();
    folder.file("in.csv", format!("id,body,removed\n{rows}"));
    for args in [&["evaluate", "--input", "in.csv"][..], &["train", "--input", "in.csv", "--output", "ours"]] {
        let run = folder.run(args);
        assert!(
            run.status == Some(0) && run.stderr.contains("6 rows without a verdict are left out"),
            "{}",
            run.stderr
        );
        let found = folder.run(&[args, &["--json"]].concat()).json();
        assert_eq!((&found["comments"], &found["without_verdict"]), (&54.into(), &6.into()), "{found}");
    }
    folder.file("one.csv", "body,removed\nlol,1\nwow,0\nhm,\n");
    let run = folder.run(&["evaluate", "--input", "one.csv"]);
    assert!(run.status == Some(0) && run.stderr.contains("1 row without a verdict is left out"), "{}", run.stderr);
    for (name, file) in [
        ("none.csv", "body,removed\nlol,\nwow,NA\n"),
        ("none.jsonl", "{\"body\":\"lol\"}\n{\"body\":\"wow\",\"removed\":null}\n"),
    ] {
        folder.file(name, file);
        let run = folder.run(&["evaluate", "--input", name]);
        let said = run.status == Some(1) && run.stderr.contains("none of its rows has a verdict: `removed` must be");
        assert!(said && run.stderr.contains("`--label-column NAME`"), "{name}: {}", run.stderr);
    }
    // A verdict that nobody understands is none that is missing.
    folder.file("odd.csv", "body,removed\nlol,1\nwow,perhaps\n");
    let run = folder.run(&["evaluate", "--input", "odd.csv"]);
    assert!(run.status == Some(1) && run.stderr.contains("1 record can't be used: line 3"), "{}", run.stderr);
}

#[test]
fn options_read_what_is_refused_by_name_without_them() {
    let folder = Folder::new();
    folder
        .file("tabs.tsv", "id\tbody\nk1\tlol, who cares\n")
        .file("pipes.csv", "body|id\nlol, who cares|k1\n")
        .file("named.csv", "id,comment_text\nk1,\"lol, who cares\"\n")
        .file("named.jsonl", "{\"id\":\"k1\",\"comment_text\":\"lol, who cares\",\"body\":null}\n");
    let plain =
        folder.run_with(&["score"], b"{\"id\":\"k1\",\"body\":\"lol, who cares\"}\n").lines()[0]["probability"].clone();
    for (file, said, options) in [
        ("tabs.tsv", "`--delimiter tab`", &["--delimiter", "tab"][..]),
        ("pipes.csv", "`--delimiter '|'`", &["--delimiter", "|"]),
        ("named.csv", "`--text-column NAME`", &["--text-column", "Comment_Text"]),
        ("named.jsonl", "`body`", &["--text-column", "comment_text"]),
    ] {
        let refused = folder.run(&["score", "--input", file]);
        assert!(
            refused.status == Some(1) && (refused.stderr.clone() + &refused.stdout).contains(said),
            "{file}: {}",
            refused.stderr
        );
        let lines = scored(&folder, file, options);
        assert_eq!((&lines[0]["id"], &lines[0]["probability"]), (&"k1".into(), &plain), "{file}");
    }
    let wrong = folder.run(&["score", "--delimiter", "x"]);
    assert!(wrong.status == Some(2) && wrong.stderr.contains("`,` `;` `|` or `tab`"), "{}", wrong.stderr);
    folder.file("headless.csv", "k1,0,lol who cares\nk2,1,How large was the group?\n");
    let headless = folder.run(&["score", "--input", "headless.csv"]);
    assert!(headless.status == Some(1) && headless.stderr.contains("the CSV has no header"), "{}", headless.stderr);
}

#[test]
fn what_stands_twice_is_refused_with_both_places() {
    let folder = Folder::new();
    folder
        .file("body.csv", "id,body,removed, BODY \na,x,1,y\n")
        .file("removed.csv", "id,removed,body,Removed\na,0,x,1\n")
        .file("key.jsonl", "{\"body\":\"x\",\"body\":\"y\"}\n{\"body\":\"z\"}\n");
    for command in ["score", "train", "evaluate", "replay", "demo"] {
        let more = if command == "train" { &["--output", "ours"][..] } else { &[] };
        for (file, places) in [
            ("body.csv", "column 2 is `body` and column 4 is `BODY`"),
            ("removed.csv", "column 2 is `removed` and column 4 is `Removed`"),
        ] {
            let run = folder.run(&[&[command, "--input", file], more].concat());
            assert!(run.status == Some(1) && run.stderr.contains(places), "{command} {file}: {}", run.stderr);
        }
    }
    let run = folder.run(&["score", "--input", "key.jsonl"]);
    let lines = run.lines();
    assert_eq!((run.status, lines.len()), (Some(1), 2));
    assert!(
        lines[0]["error"]
            .as_str()
            .is_some_and(|error| error.contains("`body` stands there twice, at columns 2 and 13"))
    );
}

/// Comments of both verdicts, and placeholders that would tell them.
fn with_placeholders() -> String {
    let comments = (0..60).map(|n| {
        let (body, removed) =
            if n % 3 == 0 { ("lol who cares, you fool", 1) } else { ("How large was the control group", 0) };
        json!({ "id": n, "body": format!("{body} {}", n % 7), "removed": f64::from(removed) })
    });
    let gone = ["[removed]", "[ Removed by Reddit ]", "\\[removed\\]", "[deleted by user]", "[gelöscht]"];
    let gone = gone.iter().map(|body| json!({ "body": body, "removed": true }));
    let quoted = std::iter::once(json!({ "body": "why was this [removed]?", "removed": "kept" }));
    comments.chain(gone).chain(quoted).map(|row| format!("{row}\n")).collect()
}

#[test]
fn placeholders_are_left_out_counted_and_named_wherever_verdicts_are_read() {
    let folder = Folder::new();
    folder.file("in.jsonl", with_placeholders());
    let forms = json!({ "[removed]": 2, "[removed by reddit]": 1, "[deleted by user]": 1, "[gelöscht]": 1 });
    let named = "2 [removed], 1 [deleted by user], 1 [gelöscht], 1 [removed by reddit]";
    let local = ["--placeholder", "[Gelöscht]"];
    let train = folder.run(&[&["train", "--input", "in.jsonl", "--output", "ours", "--json"], &local[..]].concat());
    assert_eq!((&train.json()["comments"], &train.json()["without_text"]), (&61.into(), &5.into()), "{}", train.stderr);
    assert_eq!(train.json()["placeholders"], forms);
    assert!(train.stderr.contains("5 comments are left out") && train.stderr.contains(named), "{}", train.stderr);
    let evaluated = folder.run(&[&["evaluate", "--input", "in.jsonl", "--json"], &local[..]].concat()).json();
    assert_eq!((&evaluated["comments"], &evaluated["placeholders"]), (&61.into(), &forms));
    let replayed = folder.run(&[&["replay", "--input", "in.jsonl", "--json"], &local[..]].concat()).json();
    assert_eq!(
        (&replayed["comments"], &replayed["without_text"], &replayed["placeholders"]),
        (&61.into(), &5.into(), &forms)
    );
    assert_eq!(replayed["verdicts"], json!({ "removed": 20, "kept": 41 }));
    let shown = folder.run(&[&["replay", "--input", "in.jsonl"], &local[..]].concat()).stdout;
    assert!(shown.contains(&format!("5 comments were left out: their text is gone: {named}")), "{shown}");
    let without = folder.run(&["evaluate", "--input", "in.jsonl", "--json"]).json();
    assert_eq!((&without["comments"], &without["without_text"]), (&62.into(), &4.into()));
}

#[test]
fn verdicts_may_stand_in_another_column_and_be_another_value() {
    let folder = Folder::new();
    folder.file("in.csv", "text;label\nlol who cares;spam\nHow large was the group?;ham\nNo verdict;\n");
    let args = ["--delimiter", ";", "--text-column", "text", "--label-column", "label", "--removed-value", "SPAM"];
    let replayed = folder.run(&[&["replay", "--input", "in.csv", "--json"], &args[..]].concat()).json();
    assert_eq!((&replayed["comments"], &replayed["verdicts"]), (&3.into(), &json!({ "removed": 1, "kept": 1 })));
    let unknown = folder.run(&[&["evaluate", "--input", "in.csv"], &args[..6]].concat());
    assert!(
        unknown.stderr.contains("line 2: `label` is not true") && unknown.stderr.contains("--removed-value"),
        "{}",
        unknown.stderr
    );
    let other = folder.run(&[&["evaluate", "--input", "in.csv"], &args[..4]].concat());
    assert!(
        other.stderr.contains("no column `removed`") && other.stderr.contains("--label-column"),
        "{}",
        other.stderr
    );
}

#[test]
fn a_value_that_means_removed_and_that_no_row_has_is_refused_with_those_there_are() {
    let folder = Folder::new();
    folder.file("in.csv", "id,body,label\n1,lol who cares,spam\n2,How large was the group?,ham\n3,No verdict,\n");
    folder.file(
        "in.jsonl",
        "{\"id\":\"1\",\"body\":\"a\",\"label\":\"spam\"}\n{\"id\":\"2\",\"body\":\"b\",\"label\":\"ham\"}\n",
    );
    let args = ["--label-column", "label", "--removed-value", "nope"];
    for file in ["in.csv", "in.jsonl"] {
        for command in [
            &["evaluate", "--input", file][..],
            &["train", "--output", "m", "--input", file],
            &["replay", "--input", file],
        ] {
            let run = folder.run(&[command, &args[..]].concat());
            let said =
                format!("{file}: no row has `nope` in `label`; it holds ham, spam; say the one that means removed");
            assert!(run.status == Some(1) && run.stderr.contains(&said), "{command:?}: {}", run.stderr);
        }
    }
    let verdicts = [&["replay", "--input", "in.jsonl", "--verdicts", "in.csv"][..], &args].concat();
    assert!(folder.run(&verdicts).stderr.contains("in.csv: no row has `nope`"));
    let piped = folder.run_with(&[&["evaluate", "--input", "-"][..], &args].concat(), b"body,label\na,spam\n");
    assert!(piped.stderr.contains("standard input: no row has `nope` in `label`; say"), "{}", piped.stderr);
}

#[test]
fn inputs_from_the_field_are_read_but_for_what_must_be_refused() {
    let cases = repository("../shared/cases");
    if !cases.is_dir() {
        println!("skipped: the inputs from the field are not on this machine");
        return;
    }
    let folder = Folder::new();
    for (name, rows, unread) in [
        ("01-lone-surrogate.jsonl", 3, 0),
        ("02-numeric-id.jsonl", 3, 0),
        ("03-removed-float.csv", 3, 0),
        ("07-sep-line.csv", 1, 0),
        ("27-pushshift.jsonl", 7, 1),
        ("28-edited.jsonl", 4, 0),
        ("34-times.jsonl", 9, 0),
    ] {
        let run = folder.run(&["score", "--input", cases.join(name).to_str().expect("UTF-8")]);
        let lines = run.lines();
        assert_eq!((lines.len(), run.status), (rows, Some(i32::from(unread > 0))), "{name}: {}", run.stdout);
        assert_eq!(lines.iter().filter(|line| line["error"].is_string()).count(), unread, "{name}: {}", run.stdout);
    }
    for name in ["11-dup-body.csv", "11b-dup-removed.csv"] {
        let run = folder.run(&["score", "--input", cases.join(name).to_str().expect("UTF-8")]);
        assert!(run.status == Some(1) && run.stderr.contains("a column twice"), "{name}: {}", run.stderr);
    }
    let placeholders = cases.join("05-placeholders.jsonl");
    let found = folder.run(&["evaluate", "--input", placeholders.to_str().expect("UTF-8"), "--json"]).json();
    assert!(found["without_text"].as_u64().is_some_and(|count| count > 0), "{found}");
    let bom = folder.run(&["policy", "check", cases.join("33b-bom.json").to_str().expect("UTF-8")]);
    assert_eq!(bom.status, Some(0), "{}", bom.stderr);
    let twice = folder.run(&["policy", "check", cases.join("33c-dup-key.json").to_str().expect("UTF-8")]);
    assert!(twice.status == Some(1) && twice.stderr.contains("subreddits.science"), "{}", twice.stderr);
}
