//! What stays out of the log.

use std::collections::BTreeSet;
use std::time::Duration;

use answer_checks::AnswerChecks;
use modstream_gateway::keys::{KeyStore, NewKey, Role};
use modstream_platform::environment::Environment;
use modstream_platform::memory::MemorySecrets;
use modstream_platform::{CallErrorKind, Clock as _};
use modstream_tests::{
    Fault, HARM_MODEL_NAME, MemoryWorld, Operation, PRIVATE, System, Which, World as _, bad_comments, bad_predictions,
    harm_files, install, install_as, model_files,
};
use serde_json::{Value, json};

use crate::logged::Logged;
use crate::{key, put, put_comment, put_corpus, put_prediction};

#[test]
fn a_line_that_holds_a_comments_text_would_be_seen_and_another_threads_is_not() {
    let logged = Logged::start();
    let log = |body: &str| tracing::trace!(event = "leak", body);
    log(PRIVATE);
    std::thread::scope(|scope| drop(scope.spawn(|| log("of another thread"))));
    assert_eq!(logged.text(), format!("event=\"leak\" body={PRIVATE:?} \n"));
}

#[tokio::test(start_paused = true)]
async fn no_log_line_and_no_error_holds_a_comments_text_or_author() {
    let logged = Logged::start();
    let world = MemoryWorld::new(2, 30);
    install(&world, &model_files()).await;
    for number in 0..40 {
        put_comment(&world, number).await;
        put_prediction(&world, number, 0.95).await;
    }
    for (number, bad) in bad_comments(1000).into_iter().enumerate() {
        put(&world, Which::Comments, &key(number), bad.data).await;
    }
    for (number, bad) in bad_predictions(1000).into_iter().enumerate() {
        put(&world, Which::Predictions, &key(number), bad.data).await;
    }
    let system = System::new(world, &[]);
    for operation in [
        Operation::PutRecords,
        Operation::PutObject,
        Operation::GetObject,
        Operation::ReadItems,
        Operation::WriteItems,
        Operation::PublishBatch,
    ] {
        system.faults.down(operation, Duration::from_secs(45));
        system.faults.next(operation, [Fault::Works, Fault::Fails(CallErrorKind::Denied), Fault::AnswerLost]);
    }
    system.faults.kill_at(300);
    let mut errors = Vec::new();
    errors.extend(system.score().await.last_error);
    errors.extend(system.publish().await.last_error);
    for corpus in [
        format!("{{\"author\":\"{PRIVATE}\",\"body\":[\"{PRIVATE}\"]}}\n"),
        format!("{{\"body\":\"{PRIVATE}\"}}\n{PRIVATE}\n"),
        format!("{PRIVATE}\n"),
        format!("author,body,removed\n{PRIVATE},{PRIVATE},{PRIVATE}\n"),
    ] {
        put_corpus(&system.world, corpus.as_bytes()).await;
        errors.push(system.generate("{}", "r").await.expect_err("a bad corpus"));
    }
    assert!(errors.len() >= 4, "each bad corpus is an error: {errors:?}");
    let log = logged.text();
    // A scenario that logs nothing, or whose log is not seen, holds nothing back.
    for seen in [
        "event=\"batch_done\" function=\"score-comments\"",
        "event=\"batch_done\" function=\"publish-alerts\"",
        "event=\"batch_interrupted\" function=\"score-comments\"",
        "event=\"batch_interrupted\" function=\"publish-alerts\"",
        "event=\"record_quarantined\" stream=\"comments\"",
        "event=\"record_quarantined\" stream=\"predictions\"",
        "event=\"alert_resumed\"",
        "event=\"model_loaded\"",
    ] {
        assert!(log.contains(seen), "the scenario logs no {seen}:\n{log}");
    }
    let quarantined = log.matches("event=\"record_quarantined\"").count();
    let bad = bad_comments(1000).len() + bad_predictions(1000).len();
    assert!(quarantined >= bad, "{quarantined} lines about {bad} bad records");
    assert!(!log.contains(PRIVATE), "{log}");
    assert!(!errors.concat().contains(PRIVATE), "{errors:?}");
}

/// What a caller of the front door may send, each with a text of somebody's.
fn asked() -> [(&'static str, Value); 9] {
    let attributes = json!({ "TOXICITY": {} });
    [
        ("/v1/check", json!({ "body": PRIVATE, "author": PRIVATE })),
        ("/v1/check", json!({ PRIVATE: PRIVATE, "body": [PRIVATE] })),
        (
            "/v1/comments",
            json!([{ "id": PRIVATE, "body": PRIVATE, "author": PRIVATE }, { "body": [PRIVATE] }, PRIVATE]),
        ),
        (
            "/v1alpha1/comments:analyze",
            json!({ "comment": { "text": PRIVATE }, "requestedAttributes": attributes, "clientToken": PRIVATE }),
        ),
        (
            "/v1alpha1/comments:analyze",
            json!({ "comment": { "text": PRIVATE, PRIVATE: 1 }, "requestedAttributes": { PRIVATE: {} }, PRIVATE: {} }),
        ),
        (
            "/v1alpha1/comments:suggestscore",
            json!({
                "comment": { "text": PRIVATE }, "clientToken": PRIVATE,
                "attributeScores": { "TOXICITY": { "summaryScore": { "value": 1 } } },
            }),
        ),
        ("/v1/moderations", json!({ "input": [PRIVATE, { "type": PRIVATE }] })),
        ("/v1/moderations", json!({ "input": PRIVATE })),
        ("/coral/moderate", json!({ "comment": { "body": PRIVATE } })),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_front_door_logs_no_text_and_no_key() {
    let logged = Logged::start();
    let world = MemoryWorld::new(1, 30);
    install(&world, &model_files()).await;
    install_as(&world, &harm_files(), HARM_MODEL_NAME).await;
    let (objects, comments, clock) = (world.objects(), world.stream(Which::Comments), world.clock());
    let made = NewKey::make(BTreeSet::from(Role::ALL), 60_000, None, clock.now()).expect("random bytes");
    KeyStore::new(&objects, &clock, clock.now() + Duration::from_secs(20)).add(&made).await.expect("kept");
    let variable = |name: &str| {
        let value = match name {
            "BUCKET" => "bucket",
            "COMMENTS_STREAM" => "comments",
            "MODEL_NAME" => "rscience",
            "HARM_MODEL_NAME" => "harm",
            "POLICY" => "0.7",
            "CORAL_SECRET" => "coral",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = answer_checks::Config::read(Environment::new(&variable)).expect("a configuration");
    let system = System::new(world, &[]);
    let (objects, comments) = (system.faults.over(objects), system.faults.over(comments));
    let mut said = String::new();
    // What is written fails where what is read does not, so that a request gets so far.
    let (puts, gets) = ([Operation::PutRecords, Operation::PutObject], [Operation::GetObject]);
    let stages: [(&[Operation], CallErrorKind); 5] = [
        (&[], CallErrorKind::Unavailable),
        (&puts, CallErrorKind::Denied),
        (&puts, CallErrorKind::Invalid),
        (&gets, CallErrorKind::Unavailable),
        (&gets, CallErrorKind::Denied),
    ];
    for (operations, kind) in stages {
        let secrets = MemorySecrets::new();
        let function = AnswerChecks::new(&config, objects.clone(), comments.clone(), secrets, clock);
        for (path, body) in asked() {
            for key in [&made.key[..], PRIVATE, "ms_000000000000_somebodys-secret"] {
                for operation in operations {
                    system.faults.next(*operation, [Fault::Fails(kind)]);
                }
                let payload = json!({
                    "rawPath": path,
                    "rawQueryString": format!("session={PRIVATE}"),
                    "headers": { "content-type": "application/json", "authorization": format!("Bearer {key}") },
                    "requestContext": { "http": { "method": "POST" } },
                    "body": body.to_string(),
                });
                let deadline = clock.now() + Duration::from_secs(20);
                let answer = function.handle(payload.to_string().as_bytes(), deadline).await.expect("an answer");
                said += &format!("{} ", answer.status());
            }
        }
        let nowhere = json!({ "rawPath": format!("/{PRIVATE}"), "requestContext": { "http": { "method": "GET" } } });
        let deadline = clock.now() + Duration::from_secs(20);
        function.handle(nowhere.to_string().as_bytes(), deadline).await.expect("an answer");
    }
    let log = logged.text();
    for seen in [
        "event=\"field_unknown\"",
        "event=\"request_answered\"",
        "event=\"request_failed\"",
        "event=\"comment_unkept\"",
        "route=\"unknown\"",
    ] {
        assert!(log.contains(seen), "the scenario logs no {seen}:\n{log}");
    }
    for status in ["200 ", "202 ", "400 ", "401 ", "500 "] {
        assert!(said.contains(status), "nobody got {status}: {said}");
    }
    assert_eq!(log.matches("event=\"request_answered\"").count(), said.split_whitespace().count() + stages.len());
    assert!(log.contains(&made.record.id), "a key is named by what is no secret");
    for secret in [PRIVATE, &made.key[16..], "somebodys-secret"] {
        assert!(!log.contains(secret), "{log}");
    }
}
