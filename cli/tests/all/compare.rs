//! `modstream model compare` and `base-rate`, and `train --learning-curve`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

fn samples() -> Vec<Value> {
    let rows = std::fs::read_to_string(repository("events/samples/comments.jsonl")).expect("reads");
    rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn write(folder: &Folder, name: &str, rows: &[Value]) {
    folder.file(name, rows.iter().map(|row| format!("{row}\n")).collect::<String>());
}

#[test]
fn two_models_are_compared_on_the_same_rows_with_intervals() {
    let folder = Folder::new();
    let rows = samples();
    write(&folder, "first.jsonl", &rows[..300]);
    write(&folder, "later.jsonl", &rows[300..]);
    let trained = folder.run(&["train", "--input", "first.jsonl", "--output", "ours", "--json"]);
    assert_eq!(trained.status, Some(0), "{}", trained.stderr);
    let args = ["model", "compare", "rscience", "ours", "--input", "later.jsonl"];
    let run = folder.run(&[&args[..], &["--json"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let (found, ours) = (run.json(), trained.json());
    assert_eq!((&found["a"]["name"], &found["b"]["version"]), (&"rscience".into(), &ours["version"]));
    assert_eq!(found["b"]["trained_on"], 0);
    let compared = &found["compared"][0];
    assert_eq!((&compared["label"], &compared["rows"]), (&"removal".into(), &120.into()));
    for (side, model) in [("a", "rscience"), ("b", "ours")] {
        let alone = folder.run(&["evaluate", "--model", model, "--input", "later.jsonl", "--json"]).json();
        for metric in ["roc_auc", "log_loss"] {
            let (one, other) = (compared[metric][side].as_f64(), alone[metric].as_f64());
            assert!((one.expect("a number") - other.expect("a number")).abs() < 1e-12, "{metric}: {compared}");
        }
    }
    for number in [&compared["roc_auc"], &compared["log_loss"], &compared["caught"][0], &compared["recall"]] {
        let bounds: Vec<f64> = number["interval"].as_array().expect("two").iter().filter_map(Value::as_f64).collect();
        let difference = number["difference"].as_f64().expect("a number");
        assert!(bounds[0] <= difference && difference <= bounds[1], "{number}");
    }
    let higher = compared["higher"].as_array().expect("a list");
    assert!(!higher.is_empty() && higher.iter().all(|it| it["b"].as_f64() > it["a"].as_f64()), "{compared}");

    let text = folder.run(&args).stdout;
    assert!(
        text.contains("B - A") && text.contains("ROC-AUC") && text.contains("B scores these higher than A"),
        "{text}"
    );
    let seen = folder.run(&["model", "compare", "rscience", "ours", "--input", "first.jsonl"]).stdout;
    assert!(seen.contains("was trained on 300 of these rows"), "{seen}");
    let same = folder.run(&["model", "compare", "ours", "ours", "--input", "later.jsonl", "--json"]).json();
    assert_eq!(same["compared"][0]["roc_auc"]["interval"], json!([0.0, 0.0]));
    assert_eq!(same["compared"][0]["higher"], json!([]));
}

#[test]
fn models_with_labels_are_compared_a_label_and_a_source_and_others_are_refused() {
    let folder = Folder::new();
    let mut rows = Vec::new();
    for index in 0..200_usize {
        let rude = index.is_multiple_of(3);
        let text =
            format!("the {} {}", ["tea", "garden", "river"][index % 7 % 3], if rude { "you fool" } else { "is here" });
        let source = if index < 150 { "forum" } else { "chat" };
        rows.push(json!({ "text": text, "labels": { "toxic": u8::from(rude) }, "source": source }));
    }
    write(&folder, "rows.jsonl", &rows);
    write(&folder, "comments.jsonl", &samples());
    let trained = folder.run(&["train", "--input", "rows.jsonl", "--output", "ours"]);
    assert_eq!(trained.status, Some(0), "{}", trained.stderr);
    let found = folder.run(&["model", "compare", "harm", "ours", "--input", "rows.jsonl", "--json"]).json();
    let all = found["compared"].as_array().expect("a list");
    let sources: Vec<&Value> = all.iter().map(|it| &it["source"]).collect();
    assert_eq!(sources, ["forum", "chat"]);
    assert!(all.iter().all(|it| it["label"] == "toxic" && it["roc_auc"]["b"].as_f64() > Some(0.9)), "{found}");

    for (args, status, says) in [
        (&["rscience", "harm", "--input", "rows.jsonl"][..], 1, "can't be compared"),
        (&["rscience", "rscience", "--input", "rows.jsonl"], 1, "texts with labels"),
        (&["harm", "ours", "--input", "comments.jsonl"], 1, "no row has any"),
        (&["harm", "ours", "--input", "rows.jsonl", "--policy", "0.5"], 2, "--policy"),
        (&["harm", "ours", "--input", "rows.jsonl", "--base-rate", "0.1"], 2, "--base-rate"),
        (&["rscience", "none", "--input", "comments.jsonl"], 1, "none"),
    ] {
        let run = folder.run(&[&["model", "compare"], args].concat());
        assert!(run.status == Some(status) && run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
    write(&folder, "few.jsonl", &samples()[..12]);
    let few = folder.run(&["model", "compare", "rscience", "rscience", "--input", "few.jsonl"]);
    assert!(few.status == Some(1) && few.stderr.contains("too few rows"), "{}", few.stderr);
}

#[test]
fn a_learning_curve_is_shown_on_request_alone() {
    let folder = Folder::new();
    write(&folder, "rows.jsonl", &samples());
    let args = ["train", "--input", "rows.jsonl", "--output", "ours", "--json"];
    let plain = folder.run(&args).json();
    assert!(plain.get("learning_curve").is_none());
    let found = folder.run(&[&args[..], &["--learning-curve"]].concat()).json();
    assert_eq!(found["version"], plain["version"], "the curve changes nothing about the model");
    let curve = found["learning_curve"].as_array().expect("a list");
    assert_eq!(curve.last().expect("points")["comments"], 336);
    assert!(curve.is_sorted_by(|a, b| a["comments"].as_u64() < b["comments"].as_u64()));
    assert!(curve.len() >= 3 && curve[1]["gain_interval"].is_array() && curve[0]["gain"].is_null(), "{curve:?}");
    let text = folder.run(&[&args[..5], &["--learning-curve"]].concat()).stdout;
    assert!(text.contains("gained by twice as many") && text.contains("the last doubling"), "{text}");
}

#[test]
fn a_base_rate_is_read_off_comments_that_fit_and_refused_of_others() {
    let folder = Folder::new();
    let rows = samples();
    // What a model has seen it is too sure of, which no share explains.
    let (learned, rows) = rows.split_at(200);
    write(&folder, "learned.jsonl", learned);
    write(&folder, "rows.jsonl", rows);
    assert_eq!(folder.run(&["train", "--input", "learned.jsonl", "--output", "ours"]).status, Some(0));
    // Of the kept comments alone hardly any is to be removed.
    let kept: Vec<Value> = rows.iter().filter(|row| row["removed"] == false).cloned().collect();
    let share = |rows: &[Value]| {
        write(&folder, "some.jsonl", rows);
        let run = folder.run(&["model", "base-rate", "--model", "ours", "--input", "some.jsonl", "--json"]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        run.json()
    };
    let (all, kept) = (share(rows), share(&kept));
    for found in [&all, &kept] {
        let bounds: Vec<f64> = found["interval"].as_array().expect("two").iter().filter_map(Value::as_f64).collect();
        let share = found["base_rate"].as_f64().expect("a share");
        assert!(bounds[0] <= share && share <= bounds[1], "{found}");
    }
    assert!(kept["base_rate"].as_f64() < Some(0.15) && all["base_rate"].as_f64() > Some(0.2), "{kept} {all}");
    let text = folder.run(&["model", "base-rate", "--model", "ours", "--input", "rows.jsonl"]).stdout;
    assert!(text.contains("are to be removed") && text.contains("Use it: --base-rate 0."), "{text}");

    // Comments of which every one is in the middle are of no community that the model knows.
    let middle = folder.run(&["score", "--model", "ours", "--input", "rows.jsonl"]).lines();
    let middle: Vec<Value> = middle
        .iter()
        .zip(rows)
        .filter(|(scored, _)| {
            scored["support"].is_null() && scored["probability"].as_f64().is_some_and(|p| (0.25..0.6).contains(&p))
        })
        .map(|(_, row)| row.clone())
        .collect();
    let many: Vec<Value> = middle.iter().cycle().take(400).cloned().collect();
    write(&folder, "middle.jsonl", &many);
    let run = folder.run(&["model", "base-rate", "--model", "ours", "--input", "middle.jsonl"]);
    assert!(run.status == Some(1) && run.stderr.contains("no base rate can be read off"), "{}", run.stderr);
    write(&folder, "few.jsonl", &rows[..40]);
    let run = folder.run(&["model", "base-rate", "--model", "ours", "--input", "few.jsonl"]);
    assert!(run.status == Some(1) && run.stderr.contains("too few"), "{}", run.stderr);
}
