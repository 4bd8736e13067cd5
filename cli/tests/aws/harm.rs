//! The harm model in a system's bucket, and policies that need its labels.

use modstream_stub_server::FakeAws;
use serde_json::{Value, json};

use crate::command::{Aws, repository};

const BUCKET: [&str; 2] = ["--bucket", "bucket"];

fn version(name: &str) -> String {
    let manifest = std::fs::read(repository(&format!("models/{name}/manifest.json"))).expect("the model is there");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["version"].as_str().expect("text").to_owned()
}

fn run(aws: &FakeAws, args: &[&str]) -> crate::command::Run {
    Aws::at(&aws.url()).run(&[args, &BUCKET].concat())
}

/// A file of policies in a folder that stays until the test ends.
fn document(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.toml");
    std::fs::write(&file, text).expect("written");
    let name = file.to_str().expect("UTF-8").to_owned();
    (folder, name)
}

#[test]
fn a_model_with_labels_takes_the_place_of_the_harm_model_beside_the_one_of_removals() {
    let aws = FakeAws::start().expect("a port");
    let names = ["--model-name", "rscience", "--harm-model-name", "harm"];
    for (name, model) in [("rscience", "rscience"), ("harm", "harm")] {
        let pushed = run(&aws, &[&["model", "push", model, "--promote", "--json"], &names[..]].concat()).done();
        assert_eq!((&pushed["name"], &pushed["version"]), (&json!(name), &json!(version(name))));
        assert_eq!((&pushed["in_use"], &pushed["functions"]), (&json!(true), &json!(name)));
        assert!(aws.keys("bucket").contains(&format!("models/{name}/current.json")));
    }
    let list = run(&aws, &[&["model", "list", "--json"], &names[..]].concat()).done();
    let in_use: Vec<[&Value; 2]> =
        list["models"].as_array().expect("a list").iter().map(|row| [&row["name"], &row["in_use"]]).collect();
    assert_eq!(in_use, [[&json!("harm"), &json!(true)], [&json!("rscience"), &json!(true)]]);
    assert_eq!((&list["functions"], &list["harm_functions"]), (&json!("rscience"), &json!("harm")));
    assert_eq!(list["models"][0]["labels"].as_array().map(Vec::len), Some(6));
    let said = run(&aws, &[&["model", "list"], &names[..]].concat()).stdout;
    for part in [
        "harm, which the functions score with for labels of harm",
        "labels toxic, severe_toxic",
        "rscience, which the functions score with\n",
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    // A version says itself which model it is of.
    let again = run(&aws, &[&["model", "promote", &version("harm")[..8], "--json"], &names[..]].concat()).done();
    assert_eq!(again["name"], "harm");
}

#[test]
fn a_harm_model_of_another_name_than_the_functions_look_for_is_refused() {
    let aws = FakeAws::start().expect("a port");
    let error = run(&aws, &["model", "push", "harm", "--promote", "--harm-model-name", "ours", "--json"]).error();
    for part in [
        "score with harm models called ours",
        "this one is called harm",
        "harm_model_name=harm",
        "--harm-model-name harm",
    ] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    // The name of the models of removals says nothing of it.
    run(&aws, &["model", "push", "harm", "--promote", "--model-name", "rscience", "--json"]).done();
}

#[test]
fn policies_that_name_labels_need_a_harm_model_that_has_them() {
    let aws = FakeAws::start().expect("a port");
    let (_folder, file) =
        document("[default]\nthreshold = 0.7\n[harm]\nweights = { threat = 1 }\nalert = { doxxing = 0.5 }\n");
    let push = |file: &str| run(&aws, &["policy", "push", file, "--model-name", "rscience", "--json"]);
    run(&aws, &["model", "push", "--promote", "--json"]).done();
    let error = push(&file).error();
    for part in [
        "line 4: harm.weights.threat: it names the label `threat`, and there is no harm model",
        "modstream model push harm --promote",
    ] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
    run(&aws, &["model", "push", "harm", "--promote", "--json"]).done();
    let error = push(&file).error();
    assert!(
        error.contains("line 5: harm.alert.doxxing: the harm model harm") && !error.contains("harm.weights"),
        "{error}"
    );
    assert!(!aws.keys("bucket").iter().any(|key| key.starts_with("policies/")), "nothing was pushed");

    // What names no label needs no harm model.
    let plain = FakeAws::start().expect("a port");
    let (_other, file) = document("[default]\nthreshold = 0.7\n[harm]\nseverity = { medium = 0.2, high = 0.5 }\n");
    run(&plain, &["policy", "push", &file, "--json"]).done();
}

#[test]
fn a_harm_model_without_a_label_that_the_policies_need_is_not_promoted() {
    let aws = FakeAws::start().expect("a port");
    let (folder, _) = document("");
    let rows: String = (0..60)
        .map(|number| {
            let text = if number % 3 == 0 { "I will hurt you" } else { "what a fine day it is" };
            format!(
                "{}\n",
                json!({ "text": format!("{text} {number}"), "labels": { "threat": u8::from(number % 3 == 0) } })
            )
        })
        .collect();
    let (rows_file, model) = (folder.path().join("rows.jsonl"), folder.path().join("small"));
    std::fs::write(&rows_file, rows).expect("written");
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let trained =
        Aws::at(&aws.url()).run(&["train", "--input", &text(&rows_file), "--output", &text(&model), "--json"]);
    let small = trained.done()["version"].as_str().expect("a version").to_owned();

    run(&aws, &["model", "push", "harm", "--promote", "--json"]).done();
    let (_other, file) =
        document("name = \"spring\"\n[default]\nthreshold = 0.7\n[harm]\nweights = { insult = 0.8, threat = 1 }\n");
    run(&aws, &["policy", "push", &file, "--json"]).done();
    let refused = [run(&aws, &["model", "push", &text(&model), "--promote", "--json"]).error(), {
        run(&aws, &["model", "push", &text(&model), "--json"]).done();
        run(&aws, &["model", "promote", &small[..12], "--json"]).error()
    }];
    for error in refused {
        for part in [
            "the policies in use, spring version",
            "harm.weights.insult",
            "has no label `insult`",
            "promote one that has them, or push policies without them first",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
        assert!(!error.contains("harm.weights.threat"), "{error}");
    }
}
