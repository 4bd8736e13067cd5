//! `modstream evaluate --bias`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

fn is_interval(around: f64, interval: &Value) -> bool {
    let bounds: Vec<f64> = interval.as_array().expect("two bounds").iter().filter_map(Value::as_f64).collect();
    bounds.len() == 2 && bounds[0] <= around && around <= bounds[1]
}

#[test]
fn what_a_shipped_model_makes_of_groups_of_people_is_said_a_label_at_a_time() {
    let folder = Folder::new();
    for (model, labels) in [("rscience", 1), ("harm", 6)] {
        let run = folder.run(&["evaluate", "--bias", "--model", model, "--json"]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let found = run.json();
        let all = found["labels"].as_array().expect("a list");
        assert_eq!((all.len(), &found["model"]), (labels, &model.into()));
        for label in all {
            let groups = label["groups"].as_array().expect("a list");
            assert_eq!(groups.len(), 55);
            let mut beside: Vec<f64> = Vec::new();
            let mut flagged = [0, 0];
            for group in groups {
                let it = group["beside_median"].as_f64().expect("a number");
                assert!(is_interval(it, &group["interval"]), "{group}");
                assert_eq!((&group["neutral"]["of"], &group["hostile"]["of"]), (&10.into(), &4.into()));
                for (sum, kind) in flagged.iter_mut().zip(["neutral", "hostile"]) {
                    *sum += group[kind]["flagged"].as_u64().expect("a count");
                }
                beside.push(it);
            }
            assert!(beside.is_sorted_by(|a, b| a >= b));
            for (sum, kind) in flagged.iter().zip(["neutral", "hostile"]) {
                assert_eq!(label[kind]["flagged"], *sum);
                assert!(is_interval(label[kind]["share"].as_f64().expect("a share"), &label[kind]["interval"]));
            }
            assert!(label["detectable_difference"].as_f64() > Some(0.0));
        }
        let text = folder.run(&["evaluate", "--bias", "--model", model]).stdout;
        assert!(text.contains("neutral sentences flagged") && text.contains("--input FILE measures"), "{text}");
    }
}

/// Rows in which a group's name stands where the label does, and others.
fn rows() -> String {
    let mut rows = String::new();
    for number in 0..400_usize {
        let (rude, about) = (number.is_multiple_of(4), number.is_multiple_of(5));
        let text = format!(
            "{} number {number} in the {}{}",
            if about { "a gay man with" } else { "a person with" },
            ["garden", "market", "station", "harbour"][number / 4 % 4],
            if rude { ", you fool" } else { "" }
        );
        rows += &format!("{}\n", json!({ "text": text, "labels": { "rude": u8::from(rude) }, "source": "forum" }));
    }
    rows
}

#[test]
fn texts_about_groups_are_measured_where_there_are_enough() {
    let folder = Folder::new();
    folder.file("rows.jsonl", rows());
    assert_eq!(folder.run(&["train", "--input", "rows.jsonl", "--output", "ours"]).status, Some(0));
    let args = ["evaluate", "--bias", "--model", "ours", "--input", "rows.jsonl"];
    let found = folder.run(&[&args[..], &["--json"]].concat()).json();
    let subgroups = &found["subgroups"][0];
    assert_eq!(
        (&subgroups["label"], &subgroups["texts"], &subgroups["source"]),
        (&"rude".into(), &400.into(), &"forum".into())
    );
    let groups = subgroups["groups"].as_array().expect("a list");
    let of = |name: &str| groups.iter().find(|it| it["group"] == name).unwrap_or_else(|| panic!("{name}: {subgroups}"));
    let gay = of("gay people");
    assert_eq!((&gay["positives"], &gay["negatives"]), (&20.into(), &60.into()));
    for area in ["subgroup", "bpsn", "bnsp"] {
        assert!(gay[area]["auc"].as_f64() > Some(0.95), "{gay}");
        assert!(subgroups["generalised_means"][area].as_f64() > Some(0.95), "{subgroups}");
    }
    let text = folder.run(&args).stdout;
    assert!(
        text.contains("rude, in 400 texts of forum about groups of people") && text.contains("gay people"),
        "{text}"
    );

    // Too few: the first quarter has 5 rude texts about the group.
    let few: String = rows().lines().take(100).flat_map(|line| [line, "\n"]).collect();
    folder.file("few.jsonl", few);
    let args = ["evaluate", "--bias", "--model", "ours", "--input", "few.jsonl"];
    let found = folder.run(&[&args[..], &["--json"]].concat()).json();
    assert_eq!(found["subgroups"][0]["groups"][0]["subgroup"], Value::Null, "{found}");
    let text = folder.run(&args).stdout;
    assert!(text.contains("too few to tell") && text.contains("20 texts"), "{text}");
}

#[test]
fn the_card_and_the_report_say_it_too() {
    let folder = Folder::new();
    let samples = repository("events/samples/comments.jsonl").to_str().expect("UTF-8").to_owned();
    assert_eq!(folder.run(&["train", "--input", &samples, "--output", "ours"]).status, Some(0));
    let card = std::fs::read_to_string(folder.path("ours/card.md")).expect("a card");
    assert!(
        card.contains("## Groups of people") && card.contains("55 groups of people in 10 neutral and 4 hostile"),
        "{card}"
    );
    let run = folder.run(&["evaluate", "--model", "ours", "--input", &samples, "--report", "page.html"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let page = std::fs::read_to_string(folder.path("page.html")).expect("a page");
    assert!(page.contains("<section id=\"bias\">") && page.contains("of the neutral sentences"));
}

#[test]
fn rows_of_another_kind_and_options_that_do_not_fit_are_refused() {
    let folder = Folder::new();
    folder.file("rows.jsonl", rows()).file("comments.csv", "body,removed\na word,1\n");
    for (args, status, says) in [
        (&["--input", "rows.jsonl"][..], 1, "these are texts with labels"),
        (&["--model", "harm", "--input", "comments.csv"], 1, "no row has any"),
        (&["--live", "rows.jsonl"], 2, "--live"),
        (&["--model", "none"], 1, "none"),
    ] {
        let run = folder.run(&[&["evaluate", "--bias"], args].concat());
        assert!(run.status == Some(status) && run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
}
