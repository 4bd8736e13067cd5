//! The function over the memory world: a function URL's payload in, its answer out.

use std::time::Duration;

use modstream_ledger::SCHEMA;
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemorySecrets, MemoryStream, MemoryTable};
use modstream_platform::{Clock as _, Stream as _};
use modstream_stub_server::url_request;
use serde_json::{Value, json};
use show_desk::{Config, Pages, settings};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "TABLE" => "table",
        "DECISIONS_STREAM" => "decisions",
        "LINK_KEY_SECRET" => "links",
        "DESK_ACCESS" => "iam",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The answer to a request, with this key in the secret.
async fn answer(key: Option<&str>, payload: Value) -> Result<Value, String> {
    let config = Config::read(Environment::new(&environment)).expect("a configuration");
    let clock = MemoryClock::starting_at("2026-01-05T10:30:00Z".parse().expect("a time"));
    let secrets = MemorySecrets::new();
    if let Some(key) = key {
        secrets.rotate("links", key);
    }
    let stream = MemoryStream::new(&config.pages.decisions_stream, 1, clock);
    assert_eq!(stream.name(), "decisions");
    let table = MemoryTable::new(&config.pages.table, SCHEMA, clock);
    let function = Pages::new(&config.pages, settings(&config), table, stream, secrets, clock);
    let answer = function.handle(payload.to_string().as_bytes(), clock.now() + Duration::from_secs(10)).await;
    answer.map(|answer| serde_json::to_value(answer).expect("JSON")).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn whom_iam_let_in_sees_the_desk_and_nobody_else() {
    let iam = json!({ "iam": { "userArn": "arn:aws:iam::123456789012:user/maja" } });
    for (authorizer, status, part) in [(iam, 200, "No alerts waiting"), (Value::Null, 403, "Nobody is signed in")] {
        let mut request = url_request("GET", "/", "");
        request["requestContext"]["authorizer"] = authorizer;
        let answer = answer(Some(KEY), request).await.expect("an answer");
        assert_eq!(answer["statusCode"], status);
        assert!(answer["body"].as_str().is_some_and(|body| body.contains(part)), "{answer}");
    }
    // Links are the other function's.
    let answer = answer(Some(KEY), url_request("GET", "/a/abc", "")).await.expect("an answer");
    assert_eq!(answer["statusCode"], 404);
}

#[test]
fn who_may_see_it_must_be_said() {
    let lookup = |name: &str| if name == "DESK_ACCESS" { Some("all".to_owned()) } else { environment(name) };
    let error = Config::read(Environment::new(&lookup)).expect_err("nobody");
    assert!(error.to_string().contains("DESK_ACCESS holds `all`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_a_key_or_a_request_the_invocation_fails_and_says_why() {
    let missing = answer(None, url_request("GET", "/", "")).await.expect_err("no key");
    assert!(missing.contains("the secret links has no value"), "{missing}");
    let weak = answer(Some("short"), url_request("GET", "/", "")).await.expect_err("weak");
    assert!(weak.contains("5 bytes can be guessed"), "{weak}");
    let other = answer(Some(KEY), json!({ "Records": [] })).await.expect_err("no request");
    assert!(other.contains("no request of a function URL"), "{other}");
}

#[test]
fn a_variable_that_is_missing_is_named() {
    let error = Config::read(Environment::new(&|_| None)).expect_err("nothing is set");
    assert!(error.to_string().contains("the environment variable TABLE is missing"), "{error}");
}
