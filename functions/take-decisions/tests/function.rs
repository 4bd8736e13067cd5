//! The function over the memory world: a function URL's payload in, its answer out.

use std::time::Duration;

use modstream_events::Action;
use modstream_ledger::SCHEMA;
use modstream_links::{Claim, Signer};
use modstream_platform::environment::Environment;
use modstream_platform::memory::{MemoryClock, MemorySecrets, MemoryStream, MemoryTable};
use modstream_platform::{Clock as _, Stream as _};
use modstream_stub_server::url_request;
use serde_json::{Value, json};
use take_decisions::{Config, Pages, settings};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "TABLE" => "table",
        "DECISIONS_STREAM" => "decisions",
        "LINK_KEY_SECRET" => "links",
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
    let stream = MemoryStream::new(&config.decisions_stream, 1, clock);
    assert_eq!(stream.name(), "decisions");
    let table = MemoryTable::new(&config.table, SCHEMA, clock);
    let function = Pages::new(&config, settings(&config), table, stream, secrets, clock);
    let answer = function.handle(payload.to_string().as_bytes(), clock.now() + Duration::from_secs(10)).await;
    answer.map(|answer| serde_json::to_value(answer).expect("JSON")).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_good_leads_to_its_alert_and_another_to_what_to_do() {
    let signer = Signer::new(KEY.as_bytes(), None).expect("a key");
    let [comment, id] = ["1f0a5c1e-7d0b-5c9e-8c57-3a1b5f2f9d10", "d704ed39-889c-5b22-b41b-2e4fb9283bff"]
        .map(|id| id.parse().expect("a UUID"));
    let claim = Claim::Alert { comment, id, action: Action::Keep };
    let link = signer.link("", &claim, "2026-01-05T11:00:00Z".parse().expect("a time")).expect("a link");
    // The ledger is empty.
    for (method, path, status) in
        [("GET", link.as_str(), 404), ("POST", &link, 400), ("GET", "/a/abc", 403), ("GET", "/", 404)]
    {
        let answer = answer(Some(KEY), url_request(method, path, "")).await.expect("an answer");
        assert_eq!(answer["statusCode"], status, "{method} {path}");
        assert_eq!(answer["headers"]["cache-control"], "no-store");
    }
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
