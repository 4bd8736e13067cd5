//! `modstream policy check` and `policy test`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

fn sample(name: &str) -> String {
    repository("events/samples").join(name).to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_good_document_is_shown_with_the_rules_that_follow() {
    let run = Folder::new().run(&["policy", "check", &sample("policies.toml")]);
    assert_eq!(run.status, Some(0));
    // The sample is for a better model than the one built in.
    let warning =
        "warning: no comment can meet precision>=0.8 (default, subreddits.askscience): where 5.0 % are removed";
    assert!(run.stderr.starts_with(warning) && run.stderr.lines().count() == 1, "{}", run.stderr);
    let wanted = "\
policies default

                threshold       base rate  medium, high  an hour  quiet hours                             goes to         and
  all others    precision>=0.8  5 %        0.5, 0.8      20       none                                    alerts, digest  never: u/AutoModerator; explores 1 %
  r/askscience  precision>=0.8  5 %        0.5, 0.8      20       none                                    digest          never: u/AutoModerator; explores 1 %
  r/science     precision>=0.7  32 %       0.5, 0.8      20       22:00 to 07:00 (Europe/Berlin), not high  alerts, digest  always: miracle cure | telegram.me/; never: u/AutoModerator; explores 1 %

all together at most 100 alerts an hour
people who may harm themselves: 31 phrases, 1 contact
the breaker opens where more than 20 % of comments alert over 5 minutes, 50 alerts at least; for 60 minutes
";
    // Whatever the columns' widths are.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&run.stdout), words(wanted), "{}", run.stdout);
}

#[test]
fn what_is_wrong_is_named_line_by_line() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 2\nmax_alerts_per_hour = 0\n[subreddits.\"r/science\"]\n");
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("p.toml: line 2: default.threshold: `2` is no policy: write"), "{lines:?}");
    assert!(lines[1].starts_with("p.toml: line 3: default.max_alerts_per_hour: it is 0: write channels"), "{lines:?}");
    assert!(lines[2].ends_with("`science`"), "{lines:?}");
    let json = folder.run(&["policy", "check", "p.toml", "--json"]);
    assert_eq!((json.status, json.json()["problems"].as_array().map(Vec::len)), (Some(1), Some(3)));
    let missing = folder.run(&["policy", "check", "none.toml"]);
    assert!(missing.status == Some(1) && missing.stderr.contains("none.toml"), "{}", missing.stderr);
}

#[test]
fn a_label_that_the_harm_model_does_not_have_is_named_with_its_line_and_the_labels_there_are() {
    let folder = Folder::new();
    let document = "[default]\nthreshold = 0.7\n[harm]\norder = [\"threat\"]\nweights = { insults = 0.5 }\n\
                    alert = { threat = \"false_alarms<=0.02\", spam = 0.9 }\n";
    folder.file("p.toml", document);
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (field, problem) = lines[0].split_once("the harm model harm ").expect("it names the model");
    assert_eq!(field, "p.toml: line 5: harm.weights.insults: ");
    assert!(problem[12..].starts_with(" has no label `insults`"), "{lines:?}");
    let has = "write one of those that it has (toxic, severe_toxic, obscene, insult, threat, identity_attack), or leave it out";
    assert!(lines[1].starts_with("p.toml: line 6: harm.alert.spam:") && lines[1].ends_with(has), "{lines:?}");
    let json = folder.run(&["policy", "check", "p.toml", "--json"]);
    assert_eq!((json.status, json.json()["problems"].as_array().map(Vec::len)), (Some(1), Some(2)));
    // What would go by it refuses it, too.
    for args in [
        &["policy", "test", "p.toml", "--input", &sample("comments.jsonl")][..],
        &["demo", "--fast", "--comments", "10", "--policies", "p.toml", "--json"],
        &["replay", "--input", &sample("comments.jsonl"), "--policies", "p.toml", "--json"],
    ] {
        let run = folder.run(args);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(run.status == Some(1) && said.contains("harm.alert.spam"), "{args:?}: {said}");
    }
    // Without a harm model, no label is there.
    let run = folder.run(&["policy", "check", "p.toml", "--harm-model", "none"]);
    assert!(run.status == Some(1) && run.stderr.contains("`threat`, and there is no harm model"), "{}", run.stderr);
    let run = folder.run(&["policy", "check", "p.toml", "--harm-model", "rscience"]);
    assert!(run.status == Some(1) && run.stderr.contains("and not how harmful it is"), "{}", run.stderr);

    let good = document.replace("insults", "insult").replace("spam = 0.9", "obscene = \"none\"");
    folder.file("p.toml", &good);
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    for line in [
        "insult weighs 0.5 and alerts at false_alarms<=0.01\n",
        "obscene weighs 0.25 and never alerts\n",
        "threat weighs 1 and alerts at false_alarms<=0.02\n",
        "harm is medium from 0.3 and high from 0.5 up\n",
    ] {
        assert!(run.stdout.contains(line), "{line} is missing in {}", run.stdout);
    }
}

#[test]
fn what_labels_and_phrases_make_of_comments_is_said() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 0.99\n[self_harm]\ncontacts = [\"somebody\"]\n");
    let bodies = ["I will find where you live and hurt you.", "ok", "I want to end my life", "You are an idiot"];
    let rows: Vec<String> = bodies.iter().map(|body| json!({ "body": body }).to_string()).collect();
    folder.file("c.jsonl", &(rows.join("\n") + "\n"));
    let lines = folder.run(&["policy", "test", "p.toml", "--input", "c.jsonl", "--json"]).lines();
    let said: Vec<[&Value; 3]> = lines.iter().map(|it| [&it["outcome"], &it["severity"], &it["label"]]).collect();
    assert_eq!(said[0], [&json!("alert"), &json!("high"), &json!("threat")]);
    assert_eq!(said[1][..2], [&json!("pass"), &Value::Null]);
    assert_eq!(said[2][..2], [&json!("alert"), &json!("high")]);
    assert_eq!(said[3][..2], [&json!("alert"), &json!("medium")]);
    assert_eq!(lines[0]["why"], "it meets threat false_alarms<=0.01");
    assert_eq!(lines[2]["why"], "it contains \"end my life\": somebody may harm themselves");
    assert!(lines[0]["harm"].as_f64() > Some(0.5), "{}", lines[0]);
    let without =
        folder.run(&["policy", "test", "p.toml", "--input", "c.jsonl", "--json", "--harm-model", "none"]).lines();
    assert_eq!((&without[0]["outcome"], &without[0]["harm"]), (&json!("pass"), &Value::Null));
}

#[test]
fn a_subreddit_that_no_comment_is_of_is_a_warning() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 0.7\n[subreddits.Science]\n[subreddits.scince]\n");
    let run = folder.run(&["policy", "check", "p.toml", "--against", &sample("comments.jsonl")]);
    assert_eq!(run.status, Some(0));
    assert_eq!(run.stderr, "warning: no comment of the file is of r/scince: look at how its name is written\n");
    let json = folder.run(&["policy", "check", "p.toml", "--against", &sample("comments.jsonl"), "--json"]).json();
    assert_eq!(json["unknown_subreddits"], json!(["scince"]));
    assert_eq!(json["policies"]["default"]["threshold"], "0.7");
}

#[test]
fn a_policy_out_of_the_models_reach_is_a_warning_with_the_best_there_is() {
    let folder = Folder::new();
    let document = "[default]\nthreshold = \"precision>=0.99\"\nbase_rate = 0.05\n[subreddits.science]\n\
                    [subreddits.pics]\nthreshold = 0.9\n[subreddits.news]\nthreshold = \"share<=0\"\n";
    folder.file("p.toml", document);
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let begins = "warning: no comment can meet precision>=0.99 (default, subreddits.science): where 5.0 % are removed, the model rscience ";
    assert!(lines[0].starts_with(begins) && lines[0].contains("promises a precision of 0."), "{lines:?}");
    assert!(lines[1].contains("share<=0 (subreddits.news)") && lines[1].contains("a share of 0.0"), "{lines:?}");

    let found = folder.run(&["policy", "check", "p.toml", "--json"]).json()["out_of_reach"].clone();
    let of = |at: usize, field: &str| found[at][field].clone();
    assert_eq!(
        (of(0, "subreddit"), of(0, "policy"), of(0, "base_rate")),
        (Value::Null, "precision>=0.99".into(), 0.05.into())
    );
    let names: Vec<Value> = (0..3).map(|at| of(at, "subreddit")).collect();
    assert_eq!((names, found.as_array().map(Vec::len)), (vec![Value::Null, "news".into(), "science".into()], Some(3)));
    // The same as the thresholds tell.
    let thresholds = folder.run(&["model", "thresholds", "--base-rate", "0.05", "--json"]).json();
    assert_eq!(found[0]["best"]["precision"], thresholds["best"]["precision"]);

    // A model that can is not warned about; neither is another base rate.
    folder.file("q.toml", "[default]\nthreshold = \"precision>=0.6\"\n");
    let reached = folder.run(&["policy", "check", "q.toml"]);
    assert_eq!((reached.status, reached.stderr.as_str()), (Some(0), ""));
    let rare = folder.run(&["policy", "check", "q.toml", "--base-rate", "0.01"]);
    assert!(rare.status == Some(0) && rare.stderr.contains("where 1.0 % are removed"), "{}", rare.stderr);
}

/// A document of one term that always alerts, and nothing else that does.
fn always(folder: &Folder, term: &Value) {
    folder.file("p.json", json!({ "default": { "threshold": 1, "always": [term] } }).to_string());
}

/// What becomes of a comment under `p.json`.
fn outcome(folder: &Folder, body: &str) -> Value {
    let comment = json!({ "id": "c1", "body": body }).to_string();
    let run = folder.run_with(&["policy", "test", "p.json", "--input", "-", "--json"], comment.as_bytes());
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    run.json()
}

#[test]
fn each_comment_has_a_line_that_says_what_becomes_of_it_and_why() {
    let folder = Folder::new();
    folder.file(
        "p.toml",
        "[default]\nthreshold = 0.8\nmax_alerts_per_hour = 1\nexempt_authors = [\"\u{FC}nal\"]\n\
         always = [\"miracle cure\", { includes = \"t.me/\" }]\n\
         [subreddits.quiet]\nquiet_hours = { from = \"22:00\", to = \"07:00\", time_zone = \"Europe/Berlin\" }\n\
         [subreddits.asks]\nthreshold = 1\nexploration_share = 0.1\n",
    );
    // 2026-01-05, ten o'clock and eleven, and midnight.
    let (ten, eleven, night) = (1_767_607_200, 1_767_610_800, 1_767_571_200);
    let surely = "lol this is the dumbest thing I've EVER read!!!";
    let mut comments = vec![
        json!({ "id": "a", "body": surely, "created_utc": ten }),
        json!({ "id": "b", "body": surely, "created_utc": ten + 1 }),
        json!({ "id": "c", "body": surely, "created_utc": eleven }),
        json!({ "id": "d", "body": surely, "created_utc": night, "subreddit": "Quiet" }),
        json!({ "id": "e", "body": surely, "created_utc": ten, "author": "\u{DC}nal" }),
        json!({ "id": "f", "body": "\u{1F44D}", "created_utc": ten }),
        json!({ "id": "g", "body": "Were the mice of both sexes?", "created_utc": ten }),
        json!({ "id": "h", "body": "see xt.me/abc, a Miracle\u{A0}cure", "created_utc": eleven + 3_600 }),
        json!({ "body": 7 }),
    ];
    comments
        .extend((0..100).map(
            |number| json!({ "id": format!("x{number}"), "body": "How do they know that?", "subreddit": "asks" }),
        ));
    let lines: String = comments.iter().map(|comment| format!("{comment}\n")).collect();
    folder.file("c.jsonl", lines);
    let run = folder.run(&["policy", "test", "p.toml", "--input", "c.jsonl", "--json"]);
    let lines = run.lines();
    assert_eq!((run.status, lines.len()), (Some(1), comments.len()), "{}", run.stderr);
    let of = |at: usize| (lines[at]["id"].clone(), lines[at]["outcome"].clone(), lines[at]["severity"].clone());
    let is = |id: &str, outcome: &str, severity: Value| (json!(id), json!(outcome), severity);
    let found: Vec<_> = (0..8).map(of).collect();
    let wanted = [
        is("a", "alert", json!("medium")),
        is("b", "held_back", json!("medium")),
        is("c", "alert", json!("medium")),
        is("d", "held_back", json!("medium")),
        is("e", "pass", Value::Null),
        is("f", "pass", Value::Null),
        is("g", "pass", Value::Null),
        is("h", "alert", json!("medium")),
    ];
    assert_eq!(found, wanted);
    let why = |at: usize| lines[at]["why"].as_str().unwrap_or_default().to_owned();
    let parts = ["it meets", "budget", "it meets", "quiet hours", "author", "no text", "does not meet", "miracle cure"];
    for (at, part) in parts.iter().enumerate() {
        assert!(why(at).contains(part), "{}", lines[at]);
    }
    // The document's first term, though the other stands first in the comment.
    assert_eq!((&lines[7]["matched"], &lines[0]["matched"]), (&json!("miracle cure"), &Value::Null));
    assert!(lines[..8].iter().all(|line| line["probability"].is_f64()));
    assert!(lines[8]["error"].is_string() && lines[8]["line"] == 9, "{}", lines[8]);
    let explored = lines[9..].iter().filter(|line| line["outcome"] == "explore").count();
    assert!((2..25).contains(&explored), "{explored} of 100 are explored");

    let table = folder.run(&["policy", "test", "p.toml", "--input", "c.jsonl"]);
    let first = table.stdout.lines().next().unwrap_or_default();
    assert!(table.status == Some(1) && first.starts_with("alert      0.8"), "{}", table.stdout);
    assert!(first.contains("  medium  lol"), "{first}");
    assert!(
        table.stdout.lines().last().is_some_and(|line| line.starts_with("3 alert, 2 held back, ")),
        "{}",
        table.stdout
    );
}

#[test]
fn a_term_is_found_as_forums_write_it_and_inside_of_words_where_the_document_says_so() {
    let folder = Folder::new();
    always(&folder, &json!("<3 u"));
    let found = outcome(&folder, "I &lt;3\nU!");
    assert_eq!((&found["outcome"], &found["matched"], &found["id"]), (&json!("alert"), &json!("<3 u"), &json!("c1")));
    assert_eq!(outcome(&folder, "&lt;3 us")["outcome"], "pass");
    always(&folder, &json!({ "includes": "<3 u" }));
    assert_eq!(outcome(&folder, "&lt;3 us")["outcome"], "alert");
    // Nothing to judge, and a term all the same.
    always(&folder, &json!("\u{1F52B}"));
    assert_eq!(outcome(&folder, "\u{1F52B}")["outcome"], "alert");
}

/// Cases of the field, where they are on this machine: a name, a term and a comment that holds it.
#[test]
fn the_cases_of_the_field_are_found() {
    let Ok(cases) = std::fs::read_to_string(repository("../shared/cases/30-always.json")) else {
        println!("skipped: the cases are not on this machine");
        return;
    };
    let cases: Vec<[String; 3]> = serde_json::from_str(&cases).expect("cases");
    let folder = Folder::new();
    for [name, term, comment] in cases {
        // A part of a longer word is asked for.
        let is_part = name.contains("inside a word")
            && comment.split(' ').any(|word| word.len() > term.len())
            && name.starts_with("Greek");
        always(&folder, &if is_part { json!({ "includes": term }) } else { json!(term) });
        let found = outcome(&folder, &comment);
        assert_eq!((&found["outcome"], &found["matched"]), (&json!("alert"), &json!(term)), "{name}");
    }
}

#[test]
fn a_document_that_is_wrong_and_a_file_that_is_none_are_named() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 1\nalways = [{ include = \"x\" }]\n");
    let run = folder.run_with(&["policy", "test", "p.toml", "--input", "-"], b"{\"body\":\"a\"}");
    assert!(
        run.status == Some(1) && run.stderr.contains("default.always") && run.stderr.contains("`includes`"),
        "{}",
        run.stderr
    );
    let json = folder.run_with(&["policy", "test", "p.toml", "--input", "-", "--json"], b"{\"body\":\"a\"}").json();
    assert!(json["error"].as_str().is_some_and(|error| error.contains("p.toml: line 3")), "{json}");
    let twice = folder.run(&["policy", "test", "-", "--input", "-"]);
    assert!(twice.status == Some(2) && twice.stderr.contains("standard input"), "{}", twice.stderr);
}

#[test]
fn a_text_is_read_in_windows_encodings_or_named_with_what_to_do() {
    let folder = Folder::new();
    let document = "[default]\nthreshold = 0.8\nalways = [\"café\"]\n";
    let utf16 = |mark: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{document}").encode_utf16().flat_map(unit).collect()
    };
    let read = |text: &[u8]| {
        let file = folder.file("policies.toml", text);
        file.run(&["policy", "check", "policies.toml", "--json"])
    };
    let plain = read(document.as_bytes()).json()["policies"].clone();
    for bytes in [
        utf16("\u{FEFF}", u16::to_le_bytes),
        utf16("\u{FEFF}", u16::to_be_bytes),
        utf16("", u16::to_le_bytes),
        utf16("", u16::to_be_bytes),
        format!("\u{FEFF}{document}").into_bytes(),
    ] {
        assert_eq!(read(&bytes).json()["policies"], plain);
    }
    let latin: Vec<u8> = document.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    folder.file("latin.toml", &latin).file("decisions.jsonl", &latin).file("in.csv", "body\nlol\n");
    for args in [
        &["policy", "check", "latin.toml"][..],
        &["policy", "test", "latin.toml", "--input", "in.csv"],
        &["replay", "--input", "in.csv", "--policies", "latin.toml"],
        &["evaluate", "--live", "decisions.jsonl"],
        &["explain"],
    ] {
        let run = folder.run_with(args, &latin);
        let said = run.stderr.contains("line 3 is not UTF-8: it looks like Windows-1252 or Latin-1");
        assert!(run.status == Some(1) && said && run.stderr.contains("iconv"), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn what_a_document_has_twice_is_named_with_both_places() {
    let folder = Folder::new();
    for (name, text, said) in [
        (
            "a.toml",
            "[default]\nthreshold = 0.8\n[subreddits.a]\n[subreddits.a]\n",
            "line 4: subreddits.a: it is written twice, at line 3 column 13 and at line 4 column 13: keep one of the two",
        ),
        (
            "a.json",
            "{\"default\":{\"threshold\":0.8},\n\"subreddits\":{\"a\":{},\"A\":{}}}",
            "line 2: subreddits.a: this subreddit has rules twice, as `a` at line 2 column 15 and as `A` at line 2 column 22: keep one of the two",
        ),
    ] {
        folder.file(name, text);
        let run = folder.run(&["policy", "check", name]);
        assert!(run.status == Some(1) && run.stderr.contains(said), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_term_of_marks_alone_is_warned_of() {
    let folder = Folder::new();
    folder.file("policies.toml", "[default]\nthreshold = 0.8\nalways = [\"spam\", \"\u{301}\", \"!!!\"]\n");
    let run = folder.run(&["policy", "check", "policies.toml"]);
    let said = "warning: default.always[1]: the term (U+0301) begins with a mark";
    assert!(run.status == Some(0) && run.stderr.contains(said), "{}", run.stderr);
    let found = folder.run(&["policy", "check", "policies.toml", "--json"]).json();
    assert_eq!(found["begin_with_mark"], json!([{ "field": "default.always[1]", "term": "\u{301}" }]));
}

#[test]
fn a_term_of_which_nothing_is_compared_is_warned_of() {
    let folder = Folder::new();
    folder.file("p.json", r#"{"default":{"threshold":0.8,"always":["spam",{"includes":"\u200b"}]}}"#);
    let run = folder.run(&["policy", "check", "p.json"]);
    let said = "warning: default.always[1]: the term (U+200B) has no character that is compared, so it is never found";
    assert!(run.status == Some(0) && run.stderr.contains(said), "{}", run.stderr);
    let found = folder.run(&["policy", "check", "p.json", "--json"]).json();
    assert_eq!(found["never_found"], json!([{ "field": "default.always[1]", "term": "\u{200b}" }]));
}

#[test]
fn a_key_that_stands_twice_in_a_term_is_refused_with_both_places() {
    let folder = Folder::new();
    folder.file("p.json", r#"{"default":{"threshold":0.8,"always":["spam",{"includes":"a","includes":"b"}]}}"#);
    let run = folder.run(&["policy", "check", "p.json"]);
    let said = "default.always[1].includes: it is written twice, at line 1 column 47 and at line 1 column 62";
    assert!(run.status == Some(1) && run.stderr.contains(said), "{}", run.stderr);
}
