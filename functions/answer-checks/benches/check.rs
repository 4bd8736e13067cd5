//! A function URL's request in, as Lambda hands it over, and its answer out, over the memory world: what CPU a warm check takes in
//! the function, and what its start takes.
#![allow(missing_docs, reason = "criterion's macro makes a public function")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use answer_checks::{AnswerChecks, Config};
use criterion::{Criterion, criterion_group, criterion_main};
use modstream_classifier::artifact::ModelFiles;
use modstream_gateway::keys::{KeyStore, NewKey, Role};
use modstream_in_use::models::ModelStore;
use modstream_platform::Clock as _;
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemorySecrets, MemoryStream};
use modstream_stub_server::url_request;
use serde_json::{Value, json};

const TIME: Duration = Duration::from_secs(10);

/// A text of 300 bytes, as English as comments are.
fn text() -> String {
    let sentence = "The sample is far too small for that, and the authors say so themselves on the second page. ";
    sentence.repeat(4).chars().take(300).collect()
}

fn check(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let clock = MemoryClock::starting_at("2026-01-05T10:30:00Z".parse().expect("a time"));
    let objects = MemoryObjects::new();
    // No key's quota is in the way.
    let key = NewKey::make(BTreeSet::from([Role::Check]), u32::MAX, None, clock.now()).expect("random bytes");
    runtime.block_on(async {
        let deadline = clock.now() + TIME;
        for name in ["rscience", "harm"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name);
            let store = ModelStore::new(objects.clone(), clock, name);
            let version =
                store.push(&ModelFiles::read(&folder).expect("a model"), deadline).await.expect("pushed").version;
            store.promote(&version, deadline).await.expect("promoted");
        }
        KeyStore::new(&objects, &clock, deadline).add(&key).await.expect("kept");
    });
    let variable = |name: &str| {
        let value = match name {
            "BUCKET" => "bucket",
            "COMMENTS_STREAM" => "comments",
            "MODEL_NAME" => "rscience",
            "HARM_MODEL_NAME" => "harm",
            "POLICY" => "0.7",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = Config::read(Environment::new(&variable)).expect("a configuration");
    let stream = MemoryStream::new("comments", 1, clock);
    let new = || AnswerChecks::new(&config, objects.clone(), stream.clone(), MemorySecrets::new(), clock);
    let function = new();
    let request = |path: &str, body: &Value| {
        let mut request = url_request("POST", path, &body.to_string());
        request["headers"] =
            json!({ "content-type": "application/json", "authorization": format!("Bearer {}", key.key) });
        request.to_string().into_bytes()
    };
    let analyzed = json!({
        "comment": { "text": text() }, "requestedAttributes": { "TOXICITY": {}, "INSULT": {} }, "doNotStore": true,
    });
    // What a cold start adds of its own: both models, checked and loaded.
    criterion.bench_function("start", |bencher| {
        bencher.iter(|| runtime.block_on(new().start(clock.now() + TIME)).expect("both models are there"));
    });
    for (name, payload) in [
        ("check", request("/v1/check", &json!({ "body": text() }))),
        ("analyze", request("/v1alpha1/comments:analyze", &analyzed)),
        ("moderations", request("/v1/moderations", &json!({ "input": text() }))),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let answer = runtime.block_on(function.handle(&payload, clock.now() + TIME)).expect("an answer");
                assert_eq!(answer.status(), 200);
            });
        });
    }
}

criterion_group!(benches, check);
criterion_main!(benches);
