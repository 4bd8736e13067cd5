//! What bad input gets: an answer in its caller's form, in bounded time.

use std::time::{Duration, Instant};

use modstream_gateway::{Refusal, Request, Route};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{asked, coral, gateway, post_bytes, signature};

const POSTS: [Route; 5] = [Route::Check, Route::Analyze, Route::SuggestScore, Route::Moderations, Route::Coral];

/// Whether an error is in the form of the route's callers.
fn is_in_form(route: Route, body: &Value) -> bool {
    match route {
        Route::Analyze | Route::SuggestScore => body["error"]["status"].is_string() && body["error"]["code"].is_u64(),
        Route::Moderations => body["error"]["type"].is_string() && body["error"].get("param").is_some(),
        _ => body["error"].is_string() && body["detail"].is_string(),
    }
}

/// Asks, as Coral too: signed.
fn ask(route: Route, body: &[u8]) -> (u16, Value) {
    let mut request = Request { body: body.to_vec(), ..Request::default() };
    if route == Route::Coral {
        request.headers = [("x-coral-signature".to_owned(), signature(body))].into();
    }
    let answered = asked(&gateway(""), route, &request);
    let body = serde_json::from_slice(&answered.response.body).unwrap_or(Value::Null);
    (answered.response.status, body)
}

#[test]
fn every_body_that_is_none_is_answered_in_its_callers_form() {
    let nested = [b"{\"comment\":".repeat(10_000), b"1".to_vec()].concat();
    let lists = b"[".repeat(200_000);
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"7",
        b"\"text\"",
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"{\"comment\":{\"text\":\"a\xc3\"}}",
        b"{\"comment\":{\"text\":\"a\"},\"comment\":{\"text\":\"b\"},\"body\":1,\"input\":1}",
        &nested,
        &lists,
    ] {
        for route in POSTS {
            let (status, answer) = ask(route, body);
            assert_eq!(status, 400, "{route:?}: {answer}");
            assert!(is_in_form(route, &answer), "{route:?}: {answer}");
            assert!(answer.to_string().len() < 1_000, "{route:?}: {answer}");
        }
    }
}

#[test]
fn a_million_attributes_and_sentences_without_end_cost_little() {
    // As many as a body may have.
    let names: Vec<String> = (0..90_000).map(|number| format!("\"A{number}\":{{}}")).collect();
    let attributes = format!("{{\"comment\":{{\"text\":\"a\"}},\"requestedAttributes\":{{{}}}}}", names.join(","));
    let sentences = json!({
        "comment": { "text": "a.\n".repeat(6_800) }, "spanAnnotations": true, "languages": ["en"],
        "requestedAttributes": {
            "TOXICITY": {}, "SEVERE_TOXICITY": {}, "INSULT": {}, "THREAT": {}, "PROFANITY": {}, "MODSTREAM_REMOVAL": {},
        },
    });
    let begun = Instant::now();
    let got = post_bytes(Route::Analyze, attributes.as_bytes());
    assert_eq!(got.body["error"]["message"], "Unknown requested attribute: A0");
    let got = post_bytes(Route::Analyze, sentences.to_string().as_bytes());
    assert_eq!(got.status, 200);
    assert!(got.answered.response.body.len() < 2 << 20);
    // A hundred times what it takes: a loop within a loop takes thousands of times as long.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn what_clients_write_awkwardly_is_read() {
    for body in [
        "\u{FEFF}{\"comment\":{\"text\":\"you idiot\"},\"requestedAttributes\":{\"TOXICITY\":{}}}",
        r#"{"comment":{"text":"you idiot \ud83d"},"requestedAttributes":{"TOXICITY":{}}}"#,
        r#"{"comment":{"text":"you\u0000 idiot"},"requestedAttributes":{"TOXICITY":{}}}"#,
        r#"{"comment":{"text":"you idiot"},"requestedAttributes":{"TOXICITY":{}},"languages":"en"}"#,
        r#"{"comment":{"text":"you idiot"},"requested_attributes":{"TOXICITY":{"score_threshold":"0.1"}}}"#,
    ] {
        let got = post_bytes(Route::Analyze, body.as_bytes());
        assert_eq!(got.status, 200, "{body}: {}", got.body);
        assert!(got.body["attributeScores"]["TOXICITY"]["summaryScore"]["value"].as_f64() > Some(0.7), "{body}");
    }
}

#[test]
fn what_is_compressed_or_of_another_type_is_refused_before_it_is_read() {
    let gateway = gateway("");
    let take = |route, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        gateway.take(route, &Request { headers, ..Request::default() })
    };
    let json = ("content-type", "application/json; charset=utf-8");
    for route in POSTS {
        assert_eq!(take(route, &[json]), Ok(()));
        assert_eq!(take(route, &[json, ("content-encoding", "gzip")]), Err(Refusal::Encoded));
        assert!(is_in_form(route, &serde_json::from_slice(&route.refuse(&Refusal::Encoded).body).expect("JSON")));
    }
    for other in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/x-www-form-urlencoded")]]
    {
        assert_eq!(take(Route::SuggestScore, other), Err(Refusal::OtherType));
    }
    assert_eq!(take(Route::Discovery, &[]), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_scored_or_refused_and_the_same_again(text in "\\PC{0,80}|[a-z\u{0}\u{200B}\u{1F600}<&;\\\\ .\n]{0,80}") {
        let body = json!({
            "comment": { "text": text, "body": text }, "body": text, "input": text, "spanAnnotations": true,
            "requestedAttributes": { "TOXICITY": {}, "MODSTREAM_REMOVAL": {} },
            "attributeScores": { "TOXICITY": { "summaryScore": { "value": 0.5 } } },
        });
        for route in POSTS {
            let (status, answer) = ask(route, body.to_string().as_bytes());
            prop_assert!([200, 204, 400].contains(&status), "{:?}: {}", route, answer);
            prop_assert!(status != 400 || is_in_form(route, &answer));
            prop_assert_eq!((status, answer), ask(route, body.to_string().as_bytes()));
        }
        let got = coral(&text, "a", "COMMENTER");
        prop_assert!([200, 204].contains(&ask(Route::Coral, got.to_string().as_bytes()).0));
    }
}
