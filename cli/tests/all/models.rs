//! `modstream train`, `evaluate`, `score` and `explain`.

use std::io::Read as _;
use std::process::{Command, Stdio};

use modstream_classifier::artifact::{CARD, ModelFiles, TENSORS};

use crate::command::{Folder, repository};
use serde_json::Value;

const BUILT_IN: [&str; 1] = ["score"];

fn samples() -> String {
    repository("events/samples/comments.jsonl").to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_model_is_trained_evaluated_and_used() {
    let folder = Folder::new();
    let run = folder.run(&["train", "--input", &samples(), "--output", "ours", "--about", "Samples.", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let trained = run.json();
    assert_eq!(
        (&trained["comments"], &trained["removed"], &trained["name"]),
        (&420.into(), &139.into(), &"ours".into())
    );

    let evaluated = folder.run(&["evaluate", "--model", "ours", "--input", &samples(), "--json"]).json();
    for metric in ["roc_auc", "pr_auc", "accuracy", "f1", "log_loss", "brier", "ece"] {
        assert!(evaluated[metric].as_f64().is_some_and(|value| (0.0..=1.0).contains(&value)), "{metric}: {evaluated}");
    }
    assert_eq!((&evaluated["comments"], &evaluated["model_version"]), (&420.into(), &trained["version"]));

    let scored = folder.run_with(&["score", "--model", "ours"], b"{\"id\":\"k1\",\"body\":\"lol\"}\n").lines();
    assert_eq!((&scored[0]["id"], &scored[0]["model_version"]), (&"k1".into(), &trained["version"]));
    let again = folder.run(&[
        "train",
        "--input",
        &samples(),
        "--output",
        "again",
        "--name",
        "ours",
        "--about",
        "Samples.",
        "--json",
    ]);
    assert_eq!(again.json()["version"], trained["version"]);
    let other = folder.run(&["train", "--input", &samples(), "--output", "again", "--seed", "8", "--json"]);
    assert_ne!(other.json()["version"], trained["version"], "a model in the way is replaced");
}

#[test]
fn a_model_has_nothing_of_what_it_was_to_do_without() {
    let folder = Folder::new();
    for (without, has) in [
        (&[][..], [true, true, true]),
        (&["--without", "subwords"], [false, true, true]),
        (&["--without", "pairs"], [true, false, true]),
        (&["--without", "measures"], [true, true, false]),
        (&["--without", "subwords,pairs", "--without", "measures"], [false, false, false]),
    ] {
        let run = folder.run(&[&["train", "--input", &samples(), "--output", "it", "--json"], without].concat());
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let (_, manifest) = ModelFiles::read(folder.path("it")).and_then(|files| files.load()).expect("loads");
        let tensors = std::fs::read(folder.path("it").join(TENSORS)).expect("reads");
        let found = manifest.vocabulary(&tensors).expect("parses");
        let has_pairs = found.terms.iter().any(|term| term.contains(' '));
        let has_measures = found.measure_weights.iter().any(|weight| *weight != 0.0);
        assert_eq!([!found.subwords.is_empty(), has_pairs, has_measures], has, "{without:?}");
        assert!(!found.features.is_empty());
        let card = std::fs::read_to_string(folder.path("it").join(CARD)).expect("reads");
        assert_eq!(["subwords", "1 to 2 tokens", "measures of"].map(|part| card.contains(part)), has, "{without:?}");
    }
    let wrong = folder.run(&["train", "--input", &samples(), "--output", "it", "--without", "words"]);
    assert!(wrong.status == Some(2) && wrong.stderr.contains("subwords, pairs, measures"), "{}", wrong.stderr);
}

#[test]
fn columns_that_give_the_verdict_away_are_not_learned() {
    let folder = Folder::new();
    let rows = std::fs::read_to_string(samples()).expect("reads");
    let (mut plain, mut leaking) = (String::from("body,removed\n"), String::from("row,X,body,REMOVED,score\n"));
    for (number, row) in rows.lines().enumerate() {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let body = row["body"].as_str().expect("text").replace('"', "\"\"");
        let removed = u8::from(row["removed"] == true);
        plain += &format!("\"{body}\",{removed}\n");
        leaking += &format!("{number},{removed},\"{body}\",{removed},{}\n", i32::from(removed) * -100);
    }
    folder.file("plain.csv", plain).file("leaking.csv", leaking);
    let version =
        |input: &str| folder.run(&["train", "--input", input, "--output", "it", "--json"]).json()["version"].clone();
    assert_eq!(version("plain.csv"), version("leaking.csv"));
}

#[test]
fn a_line_comes_out_for_a_comment_in_and_a_bad_one_is_named_in_its_place() {
    let rows = "{\"id\":\"a\",\"body\":\"one\"}\n{\"body\":\"\"}\nnot json\n\n{\"id\":\"e\",\"body\":null}\n[1]\n{\"id\":\"g\",\"body\":\"last\"}";
    let run = Folder::new().run_with(&BUILT_IN, rows.as_bytes());
    assert_eq!(run.status, Some(1));
    let lines = run.lines();
    let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((ids[0], ids[1], ids[5]), (&"a".into(), &Value::Null, &"g".into()));
    for (place, line) in [(2, 3), (3, 5), (4, 6)] {
        assert_eq!(lines[place]["line"], line);
        assert!(lines[place]["error"].is_string() && lines[place].get("probability").is_none());
    }
    for place in [0, 1, 5] {
        let (probability, log_odds) =
            (lines[place]["probability"].as_f64().expect("p"), lines[place]["log_odds"].as_f64().expect("z"));
        assert!((probability - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-12);
    }
}

#[test]
fn a_csv_record_may_span_lines_and_is_named_by_its_first() {
    let csv = "id,body\r\n1,\"two\r\nlines\"\r\n2,ok,too many\r\n3,\"\"\r\n";
    let run = Folder::new().run_with(&BUILT_IN, csv.as_bytes());
    let lines = run.lines();
    assert_eq!((lines.len(), run.status), (3, Some(1)));
    assert_eq!((&lines[0]["id"], &lines[1]["line"], &lines[2]["id"]), (&"1".into(), &4.into(), &"3".into()));
}

#[test]
fn an_explanation_adds_up() {
    let run =
        Folder::new().run_with(&["score", "--explain", "3"], b"{\"body\":\"Hold on while I stroke my ego, lol!!!\"}\n");
    let line = &run.lines()[0];
    let terms = line["terms"].as_array().expect("terms");
    // Two words and the text's form.
    assert_eq!(terms.len(), 3);
    let contributions = terms.iter().map(|term| term["contribution"].as_f64().expect("a number"));
    let sum: f64 =
        contributions.chain([line["intercept"].as_f64().expect("z"), line["other"].as_f64().expect("z")]).sum();
    assert!((sum - line["log_odds"].as_f64().expect("z")).abs() < 1e-9);
    let plain = Folder::new().run_with(&BUILT_IN, b"{\"body\":\"x\"}\n");
    assert!(plain.lines()[0].get("terms").is_none());
}

#[test]
fn an_explanation_shows_a_bar_for_each_term() {
    let run = Folder::new().run(&["explain", "Hold on while I stroke my ego"]);
    assert_eq!(run.status, Some(0));
    for part in ["removal almost certain", "my", "\u{2588}", "before any term", "--base-rate"] {
        assert!(run.stdout.contains(part), "{part} is missing in {}", run.stdout);
    }
    let json = Folder::new().run_with(&["explain", "--json"], "caf\u{E9} \u{1b}[31m".as_bytes()).json();
    assert!(json["operating_point"]["precision"].is_number());
    let run = Folder::new().run_with(&["explain"], b"\x1b[31mred\x07");
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'), "{:?}", run.stdout);
}

#[test]
fn what_cant_be_trained_on_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder
        .file("one-class.csv", "body,removed\na b,0\nb c,0\n")
        .file("no-verdict.csv", "body\nhello\nthere\n")
        .file("no-verdict.jsonl", "{\"body\":\"hello\"}\n")
        .file("maybe.csv", "body,removed\nhello,maybe\nthere,1\n")
        .file("empty.jsonl", "")
        .file("cut.csv", "body,removed\n\"never closed,1\n")
        .file("binary.bin", [0_u8, 159, 146, 150, 0, 1])
        .file("cut.jsonl.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]);
    for (input, part) in [
        ("gone.csv", "gone.csv"),
        ("one-class.csv", "0 removed and 2 kept"),
        ("no-verdict.csv", "no column `removed` for the verdicts; its columns are: body; say which one"),
        ("no-verdict.jsonl", "none of its rows has a verdict: `removed` must be"),
        ("maybe.csv", "line 2"),
        ("empty.jsonl", "empty"),
        ("cut.csv", "line 2"),
        ("binary.bin", "binary.bin"),
        ("cut.jsonl.gz", "truncated"),
        (".", "folder"),
    ] {
        for command in ["train", "evaluate"] {
            let mut args = vec![command, "--input", input, "--json"];
            if command == "train" {
                args.extend(["--output", "out"]);
            } else if input == "one-class.csv" {
                continue;
            }
            let run = folder.run(&args);
            assert_eq!(run.status, Some(1), "{command} {input}");
            let error = run.json()["error"].as_str().expect("an error").to_owned();
            assert!(error.contains(part), "{command} {input}: {error}");
        }
    }
    assert!(!folder.path("out").exists());
    folder.file("thesis.txt", "mine");
    let run = folder.run(&["train", "--input", &samples(), "--output", "."]);
    assert!(run.status == Some(1) && run.stderr.contains("not empty"), "{}", run.stderr);
}

#[test]
fn a_damaged_model_is_refused_with_what_to_do() {
    let shipped = repository("models/rscience");
    let files = ["manifest.json", "model.safetensors", "card.md"];
    for damaged in files {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("it")).expect("creates");
        for file in files {
            let mut bytes = std::fs::read(shipped.join(file)).expect("reads");
            if file == damaged {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            folder.file(&format!("it/{file}"), bytes);
        }
        let run = folder.run_with(&["score", "--model", "it"], b"{\"body\":\"x\"}\n");
        assert!(run.status == Some(1) && run.stdout.is_empty(), "{damaged}");
        assert!(run.stderr.contains("train it anew"), "{damaged}: {}", run.stderr);
    }
}

#[test]
fn the_built_in_model_is_the_one_in_the_repository() {
    let text = b"{\"body\":\"Is this peer reviewed?\"}\n";
    let shipped = repository("models/rscience");
    let folder = Folder::new();
    let built_in = folder.run_with(&BUILT_IN, text).lines();
    assert_eq!(folder.run_with(&["score", "--model", shipped.to_str().expect("UTF-8")], text).lines(), built_in);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    folder.file("many.jsonl", "{\"body\":\"again and again\"}\n".repeat(20_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_modstream"))
        .args(["score", "--input"])
        .arg(folder.path("many.jsonl"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut some = [0; 100];
    child.stdout.take().expect("piped").read_exact(&mut some).expect("reads");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_output_that_is_full_or_closed_is_no_panic() {
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: this system has no /dev/full");
        return;
    }
    for (args, status) in [
        (&["explain", "hi"][..], 1),
        (&["demo", "--fast", "--json"], 1),
        (&["completions", "zsh"], 1),
        (&["demo", "--policy", "x", "--json"], 2),
    ] {
        let full = std::fs::File::create("/dev/full").expect("opens");
        let output = Command::new(env!("CARGO_BIN_EXE_modstream")).args(args).stdout(full).output().expect("runs");
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{args:?}");
    }
}

#[test]
fn a_text_has_one_score_as_an_argument_and_on_standard_input() {
    let folder = Folder::new();
    let argument = folder.run(&["explain", "This is fine.", "--json"]).json();
    assert_eq!(folder.run_with(&["explain", "--json"], b"This is fine.\n").json(), argument);
    assert_eq!(folder.run_with(&["explain", "--json"], b"This is fine.\r\n").json(), argument);
}

#[test]
fn a_live_feed_gets_each_line_at_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_modstream"))
        .arg("score")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, b"{\"body\":\"x\"}\n").expect("writes");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().expect("piped")), &mut line)
        .expect("reads");
    assert!(line.contains("probability"), "while standard input is open: {line}");
    drop(stdin);
    assert!(child.wait().expect("ends").success());
}

#[test]
fn completions_and_help_are_there() {
    let folder = Folder::new();
    assert!(folder.run(&["completions", "bash"]).stdout.contains("modstream"));
    for command in ["demo", "train", "evaluate", "score", "explain", "completions"] {
        let run = folder.run(&[command, "--help"]);
        assert!(run.status == Some(0) && run.stdout.contains("Example"), "{command}");
    }
}

#[test]
fn thresholds_say_where_a_policy_begins_and_what_is_out_of_reach() {
    let folder = Folder::new();
    let policies = ["--policy", "precision>=0.3", "--policy", "share<=0.02", "--policy", "precision>=0.99"];
    let at = |share: &str| {
        folder.run(&[&["model", "thresholds", "--json", "--base-rate", share], &policies[..]].concat()).json()
    };
    let (rare, even) = (at("0.05"), at("0.5"));
    let of = |found: &Value, at: usize, field: &str| found["thresholds"][at][field].as_f64().expect("a number");
    assert!((0.3..0.32).contains(&of(&rare, 0, "precision")) && of(&rare, 1, "share") <= 0.02, "{rare}");
    let interval = &rare["thresholds"][0]["precision_interval"];
    assert!(interval[0].as_f64() < Some(0.3) && interval[1].as_f64() > Some(0.3), "{rare}");
    assert_eq!(rare["thresholds"][2]["reached"], false);
    assert!(of(&even, 0, "recall") > 0.99, "where half is removed, any comment alerts: {even}");

    // The same policy in a demo alerts from there up.
    let args = ["demo", "--fast", "--comments", "420", "--json", "--base-rate", "0.05", "--policy"];
    let alerts =
        |policy: &str| folder.run(&[&args[..], &[policy]].concat()).json()["alerts"].as_u64().expect("a number");
    let from = of(&rare, 1, "probability");
    assert_eq!(alerts("share<=0.02"), alerts(&format!("{from:.9}")));
    assert!(alerts("share<=0.02") > 0);

    let text = folder.run(&["model", "thresholds", "--base-rate", "0.05"]).stdout;
    for part in ["out of reach", "as from", "share<=0.01", "confidence intervals of 95 %", "a prediction interval"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let wrong = folder.run(&["model", "thresholds", "--policy", "often"]);
    assert!(wrong.status != Some(0) && wrong.stderr.contains("precision>=0.9"), "{}", wrong.stderr);
}

#[test]
fn a_report_is_a_page_of_what_evaluate_says() {
    let folder = Folder::new();
    let args = ["evaluate", "--input", &samples(), "--report", "page.html", "--subgroup", "gender=woman,man", "--json"];
    let run = folder.run(&args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (told, page) = (run.json(), std::fs::read_to_string(folder.path("page.html")).expect("a page"));
    assert_eq!(told["report"], "page.html");
    let plain = folder.run(&["evaluate", "--input", &samples(), "--json"]).json();
    for metric in ["roc_auc", "pr_auc", "accuracy", "f1", "log_loss", "brier", "ece"] {
        assert_eq!(told[metric], plain[metric], "{metric}");
        let value = told[metric].as_f64().expect("a number");
        assert!(page.contains(&format!("<td>{value:.3}")), "{metric}");
    }
    assert!(plain.get("report").is_none());
    assert!(page.contains("probability&gt;=0.7") && page.contains("id=\"subgroups\"") && page.ends_with("</html>"));

    let text = folder.run(&["evaluate", "--input", &samples(), "--report", "page.html", "--policy", "share<=0.1"]);
    assert!(text.stdout.contains("report written to page.html"), "{}", text.stdout);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("a page");
    assert!(page.contains("share&lt;=0.1") && !page.contains("id=\"subgroups\""));
    let names: Vec<_> = std::fs::read_dir(folder.path("")).expect("reads").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["page.html"]);
}

#[test]
fn a_report_that_cant_be_is_refused_before_anything_is_read() {
    let folder = Folder::new();
    folder.file("in.csv", "no such column\n1\n");
    for (report, says) in
        [("none/page.html", "can't be written"), (".", "can't be written"), ("in.csv", "is the input")]
    {
        let run = folder.run(&["evaluate", "--input", "in.csv", "--report", report]);
        assert!(run.status == Some(1) && run.stderr.contains(says), "{report}: {}", run.stderr);
    }
    let bad = folder.run(&["evaluate", "--input", "in.csv", "--report", "page.html", "--subgroup", "woman"]);
    assert!(bad.status == Some(2) && bad.stderr.contains("such as `gender=woman,man`"), "{}", bad.stderr);
    for option in [["--subgroup", "gender=woman"], ["--policy", "0.5"]] {
        let run = folder.run(&["evaluate", "--input", "in.csv", option[0], option[1]]);
        assert!(run.status == Some(2) && run.stderr.contains("--report"), "{}", run.stderr);
    }
}

#[test]
fn where_there_is_no_text_to_judge_it_is_said_so() {
    let folder = Folder::new();
    for text in ["", "\u{1F44D}", "https://example.org/a.png"] {
        let run = folder.run(&["explain", text]);
        assert!(run.status == Some(0) && run.stdout.starts_with("nothing to go by\n"), "{}", run.stdout);
        let json = folder.run(&["explain", text, "--json"]).json();
        assert!(json["not_judged"] == "no_text" && json["probability"].is_f64(), "{json}");
    }
    for (text, why) in [("[removed]", "placeholder"), ("&amp;#x200B;", "no_text")] {
        assert_eq!(folder.run(&["explain", text, "--json"]).json()["not_judged"], why);
    }
    assert!(folder.run(&["explain", "ok?", "--json"]).json().get("not_judged").is_none());
    let rows = folder.run_with(&["score"], b"{\"body\":\"\"}\n{\"body\":\"ok\"}\n").lines();
    assert!(rows[0]["not_judged"] == "no_text" && rows[0]["probability"].is_f64(), "{}", rows[0]);
    assert!(rows[1].get("not_judged").is_none(), "{}", rows[1]);
}

/// Texts that say next to nothing to a model that learned from comments of some sentences.
const NEXT_TO_NOTHING: [&str; 14] = [
    "ok",
    "Yes.",
    "lol",
    "12",
    "+1",
    "k",
    "^ this",
    "I agree.",
    "Thanks!",
    "so true lol",
    "omg \u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}\u{1F602}",
    "see https://example.org/a/path/that/is/as/long/as/a/comment",
    "ok!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    "ok\n\n                             ok",
];
/// Texts in languages that the shipped models did not learn from.
const FOREIGN: [&str; 8] = [
    "Das ist doch v\u{F6}lliger Unsinn und hat mit der Studie nichts zu tun.",
    "\u{BF}Alguien puede explicar qu\u{E9} significa este resultado en la pr\u{E1}ctica?",
    "Je ne comprends pas pourquoi les gens croient \u{E0} ces choses sans lire l'\u{E9}tude.",
    "Non capisco perch\u{E9} la gente creda a queste cose senza leggere lo studio.",
    "Nie rozumiem, dlaczego ludzie w to wierz\u{105} bez czytania badania.",
    "\u{42F} \u{43D}\u{435} \u{43F}\u{43E}\u{43D}\u{438}\u{43C}\u{430}\u{44E}, \u{43F}\u{43E}\u{447}\u{435}\u{43C}\u{443} \u{43B}\u{44E}\u{434}\u{438} \u{432}\u{435}\u{440}\u{44F}\u{442} \u{432} \u{44D}\u{442}\u{43E}.",
    "\u{6211}\u{4E0D}\u{660E}\u{767D}\u{4E3A}\u{4EC0}\u{4E48}\u{4EBA}\u{4EEC}\u{4E0D}\u{770B}\u{7814}\u{7A76}\u{5C31}\u{76F8}\u{4FE1}\u{8FD9}\u{4E9B}\u{4E8B}\u{60C5}\u{3002}",
    "\u{130}nsanlar\u{131}n \u{E7}al\u{131}\u{15F}may\u{131} okumadan buna neden inand\u{131}\u{11F}\u{131}n\u{131} anlam\u{131}yorum.",
];
/// English that is odd, and English all the same.
const ODD_ENGLISH: [&str; 8] = [
    "That is just so stupid.",
    "Who cares about mice?",
    "what a waste of money",
    "teh expirement was competely worng becuase of the smaple size",
    "Schwarzenegger and Krzyzewski met Mbappe in Gelsenkirchen yesterday.",
    "import numpy as np; x = np.linspace(0, 1, 100); plt.plot(x, np.sin(x))",
    "E = mc^2 and F = ma, so dp/dt = F implies a = F/m for constant m.",
    "Kim Jong-un, Xi Jinping and Recep Tayyip Erdogan walked into a bar",
];

#[test]
fn of_what_it_learned_nothing_about_a_model_says_so() {
    let folder = Folder::new();
    let of = |texts: &[&str], model: &str| -> Vec<Value> {
        let input: String = texts.iter().map(|text| format!("{}\n", serde_json::json!({ "body": text }))).collect();
        folder.run_with(&["score", "--model", model], input.as_bytes()).lines()
    };
    for row in of(&NEXT_TO_NOTHING, "rscience") {
        assert!(row["support"] == "shorter" && row["probability"].is_f64(), "{row}");
    }
    for model in ["rscience", "harm"] {
        for row in of(&FOREIGN, model) {
            assert!(row["support"] == "unknown_words" && row["probability"].is_f64(), "{model}: {row}");
        }
        for row in of(&ODD_ENGLISH, model) {
            assert!(row.get("support").is_none(), "{model}: {row}");
        }
    }
    assert_eq!(of(&["so it is. ".repeat(900).as_str()], "rscience")[0]["support"], "longer");
    for text in ["ok", FOREIGN[0]] {
        let shown = folder.run(&["explain", text]).stdout;
        assert!(shown.starts_with("nothing to go by\n") && shown.contains("learned from"), "{shown}");
        let json = folder.run(&["explain", text, "--json"]).json();
        assert!(json["support"].is_string() && json["probability"].is_f64(), "{json}");
    }
    let shown = folder.run(&["explain", "--model", "harm", FOREIGN[0]]).stdout;
    assert!(shown.starts_with("nothing to go by\n") && shown.contains("no label says anything of it"), "{shown}");
    assert!(!folder.run(&["explain", ODD_ENGLISH[0]]).stdout.contains("nothing to go by"));
}

#[test]
fn a_file_of_what_a_model_knows_nothing_about_alerts_nobody_unless_a_policy_says_so() {
    let folder = Folder::new();
    let texts = NEXT_TO_NOTHING.iter().chain(&FOREIGN).chain(&["", "\u{1F44D}", "???", "https://example.org/a"]);
    let rows: String = texts.map(|text| format!("{}\n", serde_json::json!({ "body": text }))).collect();
    folder.file("in.jsonl", &rows);
    let alerts = |policies: &str| {
        folder.file("p.toml", policies);
        let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--json", "--policies", "p.toml"]).json();
        assert_eq!(run["predictions"], rows.lines().count(), "{run}");
        run["alerts"].as_u64().expect("a number")
    };
    let run = folder.run(&["demo", "--fast", "--input", "in.jsonl", "--json"]).json();
    assert_eq!(run["alerts"], 0, "{run}");
    assert_eq!(alerts("[default]\nthreshold = 0\nexploration_share = 0.1\n"), 0);
    assert_eq!(alerts("[default]\nthreshold = 0\noutside_support = \"judged\"\n"), 22);
    assert!(alerts("[default]\nthreshold = 0\nalways = [\"lol\"]\n") >= 2);
}

#[test]
fn a_disguised_word_counts_as_the_word_and_is_explained_as_it_is_spelled() {
    let folder = Folder::new();
    let labels = |text: &str, label: &str| {
        let all = folder.run(&["explain", "--model", "harm", text, "--json"]).json()["labels"].clone();
        let all = all.as_array().expect("labels").clone();
        all.into_iter().find(|it| it["label"] == label).expect("the label")
    };
    for (plain, disguised, spelling, label) in [
        ("you are such an idiot", "you are such an id1ot", "id1ot", "insult"),
        ("you are so stupid", "you are so stuuupid", "stuuupid", "insult"),
        ("go and kill yourself", "go and k i l l yourself", "k i l l", "threat"),
        ("go and kill yourself", "go and k.i.l.l yourself", "k.i.l.l", "threat"),
        ("shut up you asshole", "shut up you 455hole", "455hole", "obscene"),
    ] {
        let [one, other] = [plain, disguised].map(|text| labels(text, label));
        let probability = |label: &Value| label["probability"].as_f64().expect("a number");
        assert!(probability(&other) > probability(&one) / 2.0, "{plain}: {one}\n{other}");
        let terms = other["terms"].as_array().expect("terms");
        assert!(terms.iter().any(|term| term["term"].as_str().is_some_and(|it| it.contains(spelling))), "{other}");
    }
}

#[test]
fn a_text_has_the_score_of_its_normal_form_and_is_explained_in_its_own_spelling() {
    let folder = Folder::new();
    let plain = folder.run(&["explain", "lol you are dumb!", "--json"]).json();
    for text in [
        "l\u{43E}l y\u{3BF}u are dumb!",
        "l\u{200B}ol you a\u{AD}re du\u{FE0F}mb!",
        "\u{FF4C}\u{FF4F}\u{FF4C} you are \u{1D41D}\u{1D42E}\u{1D426}\u{1D41B}\u{FF01}",
        "l\u{336}o\u{336}l\u{336} you are d\u{346}\u{30D}u\u{360}\u{315}mb!",
        "lol&#32;you \\are dumb&#33;",
    ] {
        assert_eq!(folder.run(&["explain", text, "--json"]).json()["log_odds"], plain["log_odds"], "{text}");
    }
    let own = folder.run(&["explain", "lol you \u{430}re dumb!", "--top", "99", "--json"]).json();
    let terms = own["terms"].as_array().expect("terms");
    assert!(terms.iter().any(|term| term["term"] == "\u{430}re"), "{own}");
}

/// Rows of two labels, each told by a word; some are not known.
fn labelled_rows() -> String {
    let words = ["tea", "garden", "river", "paper", "winter", "music", "bridge", "colour", "engine", "market"];
    let mut rows = String::new();
    for index in 0..300_usize {
        let (rude, threat) = (index.is_multiple_of(3), index.is_multiple_of(5));
        let text = format!(
            "the {} and the {} number {index}{}{}",
            words[index % 10],
            words[index / 10 % 10],
            if rude { " you fool" } else { "" },
            if threat { " or I will find you" } else { "" }
        );
        let unknown = index.is_multiple_of(7);
        let rude = if unknown { Value::Null } else { u8::from(rude).into() };
        let source = if index < 200 { "forum" } else { "chat" };
        let labels = serde_json::json!({ "rude": rude, "threat": u8::from(threat) });
        rows += &format!("{}\n", serde_json::json!({ "text": text, "labels": labels, "source": source }));
    }
    rows
}

#[test]
fn a_model_with_labels_is_trained_evaluated_and_asked() {
    let folder = Folder::new();
    let rows = labelled_rows();
    std::fs::write(folder.path("rows.jsonl"), &rows).expect("writes");
    let run = folder.run(&["train", "--input", "rows.jsonl", "--output", "ours", "--json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let trained = run.json();
    let names = |labels: &Value| -> Vec<String> {
        let labels = labels.as_array().expect("a list").iter();
        labels.map(|label| label["label"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&trained["labels"]), ["rude", "threat"]);
    assert_eq!((&trained["labels"][1]["texts"], &trained["labels"][1]["positives"]), (&300.into(), &60.into()));
    assert_eq!(trained["labels"][0]["texts"], 300 - 43);

    // The same on standard input.
    let again =
        folder.run_with(&["train", "--input", "-", "--output", "again", "--name", "ours", "--json"], rows.as_bytes());
    assert_eq!(again.json()["version"], trained["version"], "{}", again.stderr);
    let one = folder.run(&["train", "--input", "rows.jsonl", "--output", "one", "--label", "threat", "--json"]);
    assert_eq!(names(&one.json()["labels"]), ["threat"]);

    let evaluated = folder.run(&["evaluate", "--model", "ours", "--input", "rows.jsonl", "--json"]).json();
    assert_eq!(names(&evaluated["labels"]), ["rude", "threat"]);
    let sources = evaluated["labels"][1]["sources"].as_array().expect("a list");
    assert_eq!(sources.iter().map(|it| it["source"].as_str().expect("a name")).collect::<Vec<_>>(), ["forum", "chat"]);
    assert!(sources.iter().all(|it| it["roc_auc"].as_f64() > Some(0.95)), "{evaluated}");
    let table = folder.run(&["evaluate", "--model", "ours", "--input", "rows.jsonl"]).stdout;
    assert!(table.contains("threat\n") && table.contains("  forum "), "{table}");

    let comments = b"{\"body\":\"the tea or I will find you\"}\n{\"body\":\"the tea, you fool\"}\n{\"body\":\"\"}\n";
    for explain in [&[][..], &["--explain", "3"]] {
        let scored = folder.run_with(&[&["score", "--model", "ours"], explain].concat(), comments).lines();
        for (row, label) in scored.iter().zip(["threat", "rude"]) {
            assert_eq!(row["label"], label, "{row}");
            assert_eq!(row["probability"], row["labels"][label], "{row}");
            let others = row["labels"].as_object().expect("a map").values();
            assert!(others.filter_map(Value::as_f64).all(|it| it <= row["probability"].as_f64().expect("a number")));
            if !explain.is_empty() {
                let terms = row["terms"].as_array().expect("terms").iter().map(|term| &term["contribution"]);
                let sum: f64 = terms.chain([&row["intercept"], &row["other"]]).filter_map(Value::as_f64).sum();
                assert!((sum - row["log_odds"].as_f64().expect("a number")).abs() < 1e-9, "{row}");
            }
        }
        assert_eq!(scored[2]["not_judged"], "no_text");
        assert!(scored[2]["probability"].is_f64());
    }

    let text = "the tea, you fool, or I will find you";
    let explained = folder.run(&["explain", "--model", "ours", text, "--json"]).json();
    for label in explained["labels"].as_array().expect("a list") {
        let terms = label["terms"].as_array().expect("terms").iter().map(|term| &term["contribution"]);
        let sum: f64 = terms.chain([&label["intercept"], &label["other"]]).filter_map(Value::as_f64).sum();
        assert!((sum - label["log_odds"].as_f64().expect("a number")).abs() < 1e-9, "{label}");
    }
    let shown = folder.run(&["explain", "--model", "ours", text]).stdout;
    let (rude, threat) = (shown.find("  rude ").expect("a block"), shown.find("  threat ").expect("a block"));
    let (first, second) = shown.split_at(rude.max(threat));
    let (of_rude, of_threat) = if rude < threat { (first, second) } else { (second, first) };
    assert!(of_rude.contains("fool +") && of_threat.contains("find"), "{shown}");
}

#[test]
fn rows_that_no_model_with_labels_can_be_made_of_are_refused() {
    let folder = Folder::new();
    let rows = labelled_rows();
    let refused = |rows: &str, more: &[&str]| {
        std::fs::write(folder.path("rows.jsonl"), rows).expect("writes");
        let run = folder.run(&[&["train", "--input", "rows.jsonl", "--output", "ours"], more].concat());
        assert!(run.status != Some(0) && !folder.path("ours").exists(), "{}", run.stdout);
        run.stderr
    };
    let row = "{\"text\":\"a\",\"labels\":{\"toxic\":1}}\n";
    for (bad, more, what) in [
        (format!("{rows}{{\"body\":\"a\",\"removed\":1}}\n"), &[][..], "line 1 has `labels`, and line 301 has none"),
        (format!("{{\"body\":\"a\",\"removed\":1}}\n{rows}"), &[], "line 2 has `labels`, and line 1 has none"),
        (
            format!(
                "{rows}{{\"text\":\"a\",\"labels\":[\"toxic\"]}}\n{{\"text\":\"a\",\"labels\":{{\"toxic\":\"yes\"}}}}\n"
            ),
            &[],
            "2 rows can't be used: line 301: `labels` is not an object",
        ),
        (
            format!("{row}{}", row.replace('1', "0")),
            &[],
            "line 2: the label `toxic` is 0, and 1 in line 1, of the same text",
        ),
        (rows.clone(), &["--label", "spam"], "no row has the label spam; the rows have: rude, threat"),
        (row.repeat(30), &[], "label toxic: 30 texts with it and 0 without it are too few, it needs 20 of each"),
        (rows.clone(), &["--label-column", "labels"], "without --delimiter"),
        (rows.clone(), &["--decisions", "rows.jsonl"], "leave --decisions out"),
        ("{\"body\":\"a\",\"removed\":1}\n".to_owned(), &["--label", "toxic"], "--label is of texts with labels"),
    ] {
        let error = refused(&bad, more);
        assert!(error.contains(what), "{what}: {error}");
    }
}

#[test]
fn what_wants_a_probability_of_removal_refuses_a_model_with_labels() {
    let folder = Folder::new();
    std::fs::write(folder.path("rows.jsonl"), labelled_rows()).expect("writes");
    let run = folder.run(&["train", "--input", "rows.jsonl", "--output", "ours"]);
    assert!(run.status == Some(0) && run.stdout.contains("threat") && run.stdout.contains("ROC-AUC"), "{}", run.stderr);
    let samples = samples();
    for (args, what) in [
        (&["model", "thresholds", "--model", "ours"][..], "has labels (rude, threat)"),
        (&["demo", "--fast", "--comments", "10", "--model", "ours"], "has labels (rude, threat)"),
        (&["evaluate", "--model", "ours", "--input", &samples], "no row has any"),
        (&["evaluate", "--input", "rows.jsonl"], "these are texts with labels"),
        (&["explain", "--model", "ours", "--base-rate", "0.1", "text"], "a base rate for each of its labels"),
        (&["explain", "--model", "nothere", "text"], "the models built in are called rscience, harm"),
    ] {
        let run = folder.run(args);
        assert!(run.status != Some(0) && run.stderr.contains(what), "{args:?}: {}", run.stderr);
    }
    // By its name, and by default.
    let named = folder.run(&["explain", "--model", "rscience", "lol who cares", "--json"]).json();
    assert_eq!(named, folder.run(&["explain", "lol who cares", "--json"]).json());
}

/// Sentences of our own; none is one that the model learned from.
#[test]
fn the_model_of_harm_tells_a_threat_from_a_joke_and_a_group_from_an_insult() {
    let folder = Folder::new();
    let sentences = [
        "I will come to your house and kill you.",
        "You are a stupid idiot and everybody hates you.",
        "Two Muslim women opened a bakery in our street.",
        "How can I kill a process that hangs?",
        "ok",
    ];
    let input: String = sentences.iter().map(|body| format!("{}\n", serde_json::json!({ "body": body }))).collect();
    let scored = folder.run_with(&["score", "--model", "harm"], input.as_bytes()).lines();
    let of = |row: usize, label: &str| scored[row]["labels"][label].as_f64().expect("a probability");
    let labels = ["toxic", "severe_toxic", "obscene", "insult", "threat", "identity_attack"];
    assert!(scored.iter().all(|row| labels.iter().all(|label| row["labels"][label].is_f64())), "{scored:?}");
    assert!(of(0, "threat") > 0.3 && (1..5).all(|row| of(row, "threat") < of(0, "threat") / 3.0), "{scored:?}");
    assert!(of(1, "insult") > 0.8 && of(1, "toxic") > 0.9, "{scored:?}");
    for row in [2, 3, 4] {
        assert!(scored[row]["probability"].as_f64() < Some(0.5), "{}", scored[row]);
    }
    let explained = folder.run(&["explain", "--model", "harm", "--json", sentences[0]]).json();
    let hints: Vec<&Value> =
        explained["labels"].as_array().expect("a list").iter().filter(|it| it["by_default"] == "off").collect();
    assert!(hints.len() == 1 && hints[0]["label"] == "identity_attack", "{explained}");
}
