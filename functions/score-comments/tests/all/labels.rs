//! Labels: what a harm model adds, and that nothing waits for it.

use std::path::Path;
use std::time::Duration;

use modstream_classifier::artifact::ModelFiles;
use modstream_in_use::models::ModelStore;
use modstream_platform::{Clock, Condition, Objects};
use score_comments::Config;
use serde_json::Value;

use crate::{Fixture, TIME, comment, config, number, payload};

fn with_harm() -> Config {
    Config { harm_model_name: Some("harm".to_owned()), ..config(None, 5) }
}

/// Brings the shipped harm model into use; its version.
async fn install(fixture: &Fixture) -> String {
    let files = ModelFiles::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/harm")).expect("it is there");
    let store = ModelStore::new(fixture.objects.clone(), fixture.clock, "harm");
    let deadline = fixture.clock.now() + TIME;
    let version = store.push(&files, deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    version
}

/// What the function makes of these texts, each in a batch of its own.
async fn predictions(fixture: &Fixture, config: &Config, bodies: &[&str]) -> Vec<Value> {
    let function = fixture.start(config).await.expect("starts");
    for body in bodies {
        assert!(fixture.handle(&function, &payload(&[comment(body)])).await.batch_item_failures.is_empty());
    }
    fixture.on_stream()
}

fn labels(event: &Value) -> Option<&Vec<Value>> {
    event["data"]["labels"].as_array()
}

fn label<'a>(event: &'a Value, name: &str) -> &'a Value {
    labels(event).expect("labels").iter().find(|label| label["label"] == name).expect(name)
}

#[tokio::test(start_paused = true)]
async fn a_prediction_has_a_probability_a_label_and_is_otherwise_what_it_is_without() {
    const BODIES: [&str; 3] = ["I will find where you live and hurt you.", "ok", "You are an idiot!"];
    let (fixture, _) = Fixture::with_model().await;
    let harm = install(&fixture).await;
    let found = predictions(&fixture, &with_harm(), &BODIES).await;
    let plain = Fixture::predict(&config(None, 5), &BODIES).await;
    for (mut event, plain) in found.clone().into_iter().zip(plain) {
        let data = event["data"].as_object_mut().expect("an object");
        assert_eq!(data.remove("harm_model"), Some(serde_json::json!({ "name": "harm", "version": harm })));
        let labels = data.remove("labels").expect("labels");
        let names: Vec<&str> =
            labels.as_array().expect("a list").iter().filter_map(|label| label["label"].as_str()).collect();
        assert_eq!(names, ["toxic", "severe_toxic", "obscene", "insult", "threat", "identity_attack"]);
        assert_eq!(event, plain);
    }
    assert!(number(label(&found[0], "threat"), "/probability") > 0.5);
    assert!(number(label(&found[0], "threat"), "/false_alarms") < 0.01);
    assert!(number(label(&found[1], "toxic"), "/false_alarms") > 0.05);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_label_adds_up_and_only_labels_near_an_alert_are_explained() {
    let (fixture, _) = Fixture::with_model().await;
    install(&fixture).await;
    let bodies = ["I will kill you, you idiot", "The sample is too small to say that.", "fuck"];
    for event in predictions(&fixture, &with_harm(), &bodies).await {
        for label in labels(&event).expect("labels") {
            let terms = label["terms"].as_array().expect("a list");
            let sum: f64 = terms.iter().map(|term| number(term, "/contribution")).sum();
            let sum = sum + number(label, "/intercept") + number(label, "/other");
            assert!((sum - number(label, "/log_odds")).abs() < 1e-9, "{label}");
            let probability = 1.0 / (1.0 + (-number(label, "/log_odds")).exp());
            assert!((probability - number(label, "/probability")).abs() < 1e-12, "{label}");
            assert_eq!(terms.is_empty(), number(label, "/false_alarms") > 0.05, "{label}");
            assert!(terms.len() <= 3, "{label}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_nothing_to_judge_has_no_labels() {
    let (fixture, _) = Fixture::with_model().await;
    install(&fixture).await;
    for event in predictions(&fixture, &with_harm(), &["[removed]", "\u{1F44D}"]).await {
        assert!(labels(&event).is_none() && event["data"].get("harm_model").is_none(), "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_the_harm_model_knows_nothing_of_there_are_no_labels_and_it_is_said_why() {
    let (fixture, _) = Fixture::with_model().await;
    let version = install(&fixture).await;
    let german = "Das ist doch alles dummes Zeug, und wer das glaubt, hat von der Sache gar keine Ahnung.";
    let long = "The sample is too small to say that. ".repeat(200);
    let found = predictions(&fixture, &with_harm(), &["x", german, &long, "ok"]).await;
    let marks: Vec<&Value> = found.iter().map(|event| &event["data"]["harm_support"]).collect();
    assert_eq!(marks, [&Value::from("shorter"), &Value::from("unknown_words"), &Value::from("longer"), &Value::Null]);
    assert!(found[..3].iter().all(|event| labels(event).is_none()));
    assert!(found.iter().all(|event| event["data"]["harm_model"]["version"] == version.as_str()));
    // Each model has a support of its own: the one of removals learned from longer texts.
    assert_eq!(found[3]["data"]["support"], "shorter");
    assert!(labels(&found[3]).is_some());
}

#[tokio::test(start_paused = true)]
async fn without_a_harm_model_or_with_one_that_cannot_be_used_comments_are_scored_all_the_same() {
    let (fixture, _) = Fixture::with_model().await;
    let missing = predictions(&fixture, &with_harm(), &["I will kill you"]).await;
    assert!(labels(&missing[0]).is_none() && missing[0]["data"].get("harm_model").is_none());
    for (file, bytes) in [
        ("current.json", b"no pointer".as_slice()),
        ("VERSION/manifest.json", b"{}"),
        ("VERSION/model.safetensors", b"damaged"),
    ] {
        let (fixture, _) = Fixture::with_model().await;
        let version = install(&fixture).await;
        let key = format!("models/harm/{}", file.replace("VERSION", &version));
        fixture.objects.put(&key, bytes.to_vec().into(), Condition::Always).await.expect("the bucket takes it");
        let found = predictions(&fixture, &with_harm(), &["I will kill you"]).await;
        assert_eq!(found.len(), 1, "{file}");
        assert!(labels(&found[0]).is_none(), "{file}");
    }
    // A model of removals is no harm model, whatever it is called.
    let (fixture, _) = Fixture::with_model().await;
    let rscience = Config { harm_model_name: Some("rscience".to_owned()), ..config(None, 5) };
    assert!(labels(&predictions(&fixture, &rscience, &["I will kill you"]).await[0]).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_harm_model_that_is_promoted_later_is_noticed_within_a_minute_and_a_damaged_one_leaves_it_in_use() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&with_harm()).await.expect("starts");
    let body = payload(&[comment("I will kill you")]);
    fixture.handle(&function, &body).await;
    let version = install(&fixture).await;
    fixture.clock.sleep(Duration::from_secs(61)).await;
    fixture.handle(&function, &body).await;
    let pointer = b"no pointer".to_vec().into();
    fixture.objects.put("models/harm/current.json", pointer, Condition::Always).await.expect("the bucket takes it");
    fixture.clock.sleep(Duration::from_secs(61)).await;
    fixture.handle(&function, &body).await;
    let found = fixture.on_stream();
    assert!(labels(&found[0]).is_none());
    assert!(found[1..].iter().all(|event| event["data"]["harm_model"]["version"] == version.as_str()));
    assert!(found.windows(2).all(|two| two[0]["id"] == two[1]["id"]), "labels are no part of an id");
}
