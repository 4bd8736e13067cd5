//! The program that Lambda starts, against a Runtime API and an AWS on this machine.

use std::time::Duration;

use jiff::Timestamp;
use modstream_ledger::SCHEMA;
use modstream_links::{Claim, Signer};
use modstream_stub_server::{Bootstrap, Ended, FakeAws, Lambda, url_request};
use serde_json::Value;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_show-desk");
const VARIABLES: [(&str, &str); 4] = [
    ("TABLE", "table"),
    ("DECISIONS_STREAM", "decisions"),
    ("LINK_KEY_SECRET", "links"),
    ("DESK_ACCESS", "signed-link"),
];
const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_sign_in_link_opens_the_desk_once() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    aws.put_secret("links", KEY);
    for index in SCHEMA.indexes {
        aws.put_index(index.name, index.sort);
    }
    let _bootstrap = Bootstrap::start(PROGRAM, "show-desk", &lambda, &aws, &VARIABLES).expect("starts");
    let signer = Signer::new(KEY.as_bytes(), None).expect("a key");
    let claim = Claim::SignIn { id: Uuid::from_u128(1), moderator: "maja".to_owned() };
    let link = signer.link("", &claim, Timestamp::now() + Duration::from_secs(3_600)).expect("a link");
    let answer = |id: &str, method, path, cookie: Option<&str>| -> Value {
        let mut request = url_request(method, path, "");
        request["cookies"] = cookie.into_iter().collect();
        match lambda.invoke(id, request.to_string().as_bytes()) {
            Ended::Response(answer) => answer,
            other => panic!("an answer: {other:?}"),
        }
    };

    assert_eq!(answer("request-1", "GET", "/", None)["statusCode"], 401);
    let signed_in = answer("request-2", "POST", &link, None);
    assert_eq!(signed_in["statusCode"], 303, "{signed_in}");
    let cookie = signed_in["cookies"][0].as_str().and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    let desk = answer("request-3", "GET", "/", Some(cookie));
    assert_eq!(desk["statusCode"], 200, "{desk}");
    assert!(
        desk["body"].as_str().is_some_and(|body| body.contains("No alerts waiting") && body.contains("maja")),
        "{desk}"
    );
    assert_ne!(answer("request-4", "POST", &link, None)["statusCode"], 303);
    let items = aws.items("table");
    let [used] = &items[..] else { panic!("one item: {items:?}") };
    assert!(used["pk"]["S"].as_str().is_some_and(|partition| partition.starts_with("sign-in#")), "{used}");
    assert!(used["expires_at"]["N"].is_string(), "{used}");
}

#[test]
fn an_access_that_there_is_not_is_refused_at_the_start() {
    let (lambda, aws) = (Lambda::start().expect("a port"), FakeAws::start().expect("a port"));
    let variables = [&VARIABLES[..3], &[("DESK_ACCESS", "open")]].concat();
    let bootstrap = Bootstrap::start(PROGRAM, "show-desk", &lambda, &aws, &variables).expect("starts");
    let finished = bootstrap.wait().expect("ends");
    assert_eq!(finished.status.code(), Some(1));
    let [line] = &finished.lines[..] else { panic!("one line: {:#?}", finished.lines) };
    assert!(line.contains("start_failed") && line.contains("DESK_ACCESS"), "{line}");
}
