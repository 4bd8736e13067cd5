//! Starting without a sound model.

use modstream_platform::{Condition, Objects};

use crate::{Fixture, comment, config, payload};

async fn said(fixture: &Fixture) -> String {
    fixture.start(&config(None, 5)).await.err().expect("no sound model").to_string()
}

#[tokio::test(start_paused = true)]
async fn without_a_model_it_does_not_start_and_says_what_to_do() {
    let wanted =
        "no model to score with: the bucket has no object models/rscience/current.json; push a model and promote it";
    assert_eq!(said(&Fixture::bare()).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn with_a_pointer_or_files_that_are_none_it_does_not_start_and_says_which() {
    let version = |fixture: &(Fixture, String)| fixture.1.clone();
    let files: [(&str, &[u8], &str); 4] = [
        (
            "current.json",
            b"latest",
            "models/rscience/current.json is no pointer to a model (expected value at line 1 column 1); promote a model again",
        ),
        (
            "current.json",
            b"{\"version\":\"latest\"}",
            "models/rscience/current.json is no pointer to a model (a version has 64 hex digits); promote a model again",
        ),
        (
            "VERSION/model.safetensors",
            b"weights",
            "model.safetensors is not the file that manifest.json names (7 bytes, not ",
        ),
        (
            "VERSION/manifest.json",
            b"{}",
            "manifest.json is damaged or was edited: its version is not its SHA-256; get the model again, or train it anew",
        ),
    ];
    for (file, bytes, wanted) in files {
        let fixture = Fixture::with_model().await;
        let key = format!("models/rscience/{}", file.replace("VERSION", &version(&fixture)));
        fixture.0.objects.put(&key, bytes.to_vec().into(), Condition::Always).await.expect("the bucket takes it");
        let said = said(&fixture.0).await;
        assert!(said.starts_with(&format!("no model to score with: {wanted}")), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pointer_to_a_version_that_is_not_there_names_the_missing_object() {
    let (fixture, _) = Fixture::with_model().await;
    let pointer = format!("{{\"version\":\"{}\"}}", "ab".repeat(32));
    let key = "models/rscience/current.json";
    fixture.objects.put(key, pointer.into(), Condition::Always).await.expect("the bucket takes it");
    let wanted =
        format!("no model to score with: the bucket has no object models/rscience/{}/manifest.json", "ab".repeat(32));
    assert!(said(&fixture).await.starts_with(&wanted));
}

#[tokio::test(start_paused = true)]
async fn with_a_model_it_scores_at_once() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 5)).await.expect("starts");
    fixture.handle(&function, &payload(&[comment("")])).await;
    assert_eq!(fixture.on_stream().len(), 1);
}
