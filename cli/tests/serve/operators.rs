//! The operators' commands beside a live server.

use std::fs;

use serde_json::json;

use crate::server::{SAMPLES, Server, command, folder};

fn repository(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_is_sent_by_the_command_is_what_comes_over_http() {
    let folder = folder();
    let server = Server::start(folder.path());
    let samples = repository("events/samples/comments.jsonl");
    let sent = server.beside(&["send", "--input", &samples, "--json"]).done();
    assert_eq!((sent["sent"].as_u64(), sent["not_sent"].as_u64()), (Some(420), Some(0)));
    let answer = server.send(SAMPLES);
    assert_eq!((answer["accepted"].as_u64(), answer["repeated"].as_u64()), (Some(420), Some(420)));
    let shown = server.beside(&["tail", "comments", "--json", "--until-idle"]).lines();
    assert_eq!(shown.len(), 420);
}

#[test]
fn policies_a_decision_a_model_and_a_replay() {
    let folder = folder();
    let server = Server::start(folder.path());
    let policies = folder.path().join("policies.toml");
    fs::write(&policies, "[default]\nthreshold = 0.99\n").expect("writes");
    let pushed = server.beside(&["policy", "push", policies.to_str().expect("text"), "--json", "--by", "maja"]).done();
    assert_eq!(pushed["cause"]["by"].as_str(), Some("maja"));
    let shown = server.beside(&["policy", "show", "--json"]).done();
    assert_eq!(shown["version"], pushed["version"]);
    let models = server.beside(&["model", "list", "--json"]).done();
    let version = models["models"][0]["version"].as_str().expect("a version").to_owned();
    let promoted = server.beside(&["model", "promote", &version, "--json"]).done();
    assert_eq!(promoted["before"].as_str(), Some(version.as_str()), "{promoted}");

    let body = json!({ "id": "probe", "subreddit": "science", "body": "you are a stupid idiot and nobody wants you here, shut up" });
    fs::write(&policies, "[default]\nthreshold = 0.0\n").expect("writes");
    server.beside(&["policy", "push", policies.to_str().expect("text"), "--json"]).done();
    let again = Server::start_with(&folder.path().join("other"), &["--policies", policies.to_str().expect("text")]);
    again.send(body.to_string().as_bytes());
    let alerts = again.beside(&["tail", "alerts", "--json", "--until-idle"]).lines();
    assert_eq!(alerts.len(), 1);
    let id = alerts[0]["id"].as_str().expect("text");
    let decided = again.beside(&["decide", id, "remove", "--moderator", "ana", "--json"]).done();
    assert_eq!((decided["done"].as_bool(), decided["changed"].as_bool()), (Some(true), Some(true)));
    let told = again.beside(&["tail", "decisions", "--json", "--until-idle"]).lines();
    let (named, action) = ("modstream.decision.v1", "remove");
    let decision = told.iter().find(|event| event["type"] == named).expect("the decision is told");
    assert_eq!((decision["data"]["alert_id"].as_str(), decision["data"]["action"].as_str()), (Some(id), Some(action)));
    let waiting = again.beside(&["decisions", "waiting", "--json"]).done();
    assert_eq!(waiting["count"].as_u64(), Some(0));
    let replayed = again.beside(&["replay", "--stream", "--json"]);
    assert_eq!(replayed.status, Some(0), "{replayed:?}");
    let redriven = again.beside(&["redrive", "--json"]).done();
    assert_eq!(redriven["put_back"].as_u64(), Some(0));
}

#[test]
fn a_person_is_forgotten_and_nothing_else() {
    let folder = folder();
    let server = Server::start(folder.path());
    server.send(SAMPLES);
    server.beside(&["tail", "predictions", "--json", "--until-idle"]).lines();
    let alerts = server.beside(&["tail", "alerts", "--json", "--until-idle"]).lines();
    let author = alerts[0]["data"]["comment"]["author"].as_str().expect("text").to_owned();
    let dry = server.beside(&["forget", "--author", &author, "--dry-run", "--json"]).done();
    let done = server.beside(&["forget", "--author", &author, "--yes", "--json"]).done();
    let names = |done: &serde_json::Value| -> Vec<String> {
        let streams = done["streams"].as_array().expect("a list").iter();
        streams.map(|copies| copies["stream"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(names(&dry), names(&done));
    assert!(names(&done).contains(&"alerts".to_owned()));
    let again = server.beside(&["forget", "--author", &author, "--yes", "--json"]);
    assert_eq!(again.status, Some(1), "nothing is left: {again:?}");
    let others = alerts.iter().map(|alert| &alert["data"]["comment"]).find(|comment| comment["author"] != *author);
    let id = others.and_then(|comment| comment["id"].as_str()).expect("an id");
    let said = server.beside(&["forget", "--comment", id, "--yes"]);
    assert_eq!(said.status, Some(0), "{said:?}");
    assert!(!said.stdout.contains("queue") && !said.stdout.contains("corpus/"), "it speaks of AWS: {said:?}");
}

#[test]
fn an_option_of_the_other_system_is_refused() {
    let folder = folder();
    let server = Server::start(folder.path());
    let both = server.beside(&["policy", "show", "--json", "--region", "eu-central-1"]);
    assert_eq!(both.status, Some(2), "{both:?}");
    let data = folder.path().to_str().expect("text");
    let idle =
        crate::server::command(&["tail", "predictions", "--stream", "x", "--until-idle"]).output().expect("runs");
    assert_eq!(idle.status.code(), Some(2), "{data}");
}

#[test]
fn a_data_folder_is_the_whole_system_whatever_is_named_on_aws() {
    let folder = folder();
    let server = Server::start(folder.path());
    for args in [
        &["send", "--stream", "other", "--input", "x"][..],
        &["tail", "comments", "--stream", "other"],
        &["tail", "alerts", "--topic", "arn:aws:sns:eu-central-1:111111111111:alerts"],
        &["policy", "show", "--bucket", "other"],
        &["decide", "x", "keep", "--moderator", "ana", "--table", "other"],
        &["redrive", "--predictions-stream", "other"],
        &["forget", "--author", "a", "--yes", "--bucket", "other"],
        &["replay", "--stream", "--table", "other"],
        &["policy", "show", "--region", "eu-central-1"],
    ] {
        let ran = server.beside(args);
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("--data") && ran.stderr.contains("cannot be used with"), "{args:?}: {ran:?}");
    }
    // What a shell says of a system on AWS is not about this one.
    let data = server.data.to_str().expect("text");
    let output = command(&["policy", "show", "--data", data]).env("MODSTREAM_BUCKET", "other").output().expect("runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.starts_with("the data folder has no policies: probability 0.7 holds"), "{said}");
}
