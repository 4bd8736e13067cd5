//! The front door of a server that is started, asked and killed: who is let in, what they are answered, and what is kept.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use modstream_stub_server::cases;
use serde_json::{Value, json};

use crate::oracle;
use crate::server::{Answer, NDJSON, Server, beside, folder};

const ANALYZE: &str = "/v1alpha1/comments:analyze";
const SUGGEST: &str = "/v1alpha1/comments:suggestscore";

/// Makes a key, and returns its name and itself.
fn key(data: &Path, roles: &str, more: &[&str]) -> (String, String) {
    let args: Vec<&str> = ["key", "create", "--role", roles, "--json"].iter().chain(more).copied().collect();
    let made = beside(data, &args).done();
    let text = |name: &str| made[name].as_str().expect("text").to_owned();
    assert_eq!(made.as_object().map(serde_json::Map::len), Some(2));
    (text("id"), text("key"))
}

fn analyzed(text: &str) -> String {
    json!({ "comment": { "text": text }, "requestedAttributes": { "TOXICITY": {} }, "doNotStore": true }).to_string()
}

fn toxicity(answer: &Answer) -> f64 {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"].as_f64().expect("a number")
}

/// What the function `answer-checks` is asked, too.
#[test]
fn each_case_gets_what_it_gets_from_the_function() {
    let folder = folder();
    let (data, secret) = (folder.path().join("data"), folder.path().join("secret"));
    fs::write(&secret, "coral-secret\n").expect("written");
    let keys: Vec<(&str, String)> = ["check", "send", "feedback"].map(|role| (role, key(&data, role, &[]).1)).into();
    let server = Server::start_with(&data, &["--coral-secret-file", secret.to_str().expect("text")]);
    for case in cases(include_str!("../../../shared/pages/gateway/tests/cases.json")) {
        let key = case.key.as_deref().map(|named| {
            keys.iter().find(|(role, _)| *role == named).map_or("ms_000000000000_x", |(_, key)| key.as_str())
        });
        let target = case.target(key);
        let mut request = format!("{} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", case.method);
        for (name, value) in &case.headers {
            request += &format!("{name}: {value}\r\n");
        }
        if case.method == "POST" {
            request += &format!("content-length: {}\r\n", case.body.len());
        }
        request += &format!("\r\n{}", case.body);
        let answer = server.raw(request.as_bytes()).unwrap_or_else(|| panic!("{} gets no answer", case.name));
        case.check(answer.status, |name| answer.header(name).map(str::to_owned), &answer.body);
    }
}

#[test]
fn on_loopback_no_key_is_asked_for_until_there_is_one() {
    let folder = folder();
    let server = Server::start(folder.path());
    assert!(toxicity(&server.ask(ANALYZE, &[], &analyzed("You are an idiot."))) > 0.7);
    // Clients send what they were set up with.
    assert!(toxicity(&server.ask(&format!("{ANALYZE}?key=key-1"), &[], &analyzed("thank you"))) < 0.3);
    assert_eq!(server.post("/v1/comments", NDJSON, br#"{"id":"a","body":"one"}"#).status, 202);

    let (_, check) = key(folder.path(), "check", &[]);
    let (_, send) = key(folder.path(), "send", &[]);
    let refused = server.ask(ANALYZE, &[], &analyzed("x"));
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(refused.json()["error"]["message"], "API key not valid. Please pass a valid API key.");
    assert_eq!(server.post("/v1/comments", NDJSON, br#"{"id":"b","body":"two"}"#).status, 401);
    let sent = server.post(&format!("/v1/comments?key={send}"), NDJSON, br#"{"id":"b","body":"two"}"#);
    assert_eq!(sent.status, 202);
    let bearer = format!("Bearer {check}");
    for (path, headers) in [
        (format!("{ANALYZE}?key={check}"), vec![]),
        (ANALYZE.to_owned(), vec![("authorization", bearer.as_str())]),
        (ANALYZE.to_owned(), vec![("x-goog-api-key", check.as_str())]),
    ] {
        assert!(toxicity(&server.ask(&path, &headers, &analyzed("You are an idiot."))) > 0.7);
    }
    // What a key is not for is another thing than no key.
    assert_eq!(server.ask(&format!("{ANALYZE}?key={send}"), &[], &analyzed("x")).status, 403);
    assert_eq!(server.ask(&format!("{SUGGEST}?key={check}"), &[], "{}").status, 403);
    let openai = server.ask("/v1/moderations", &[("authorization", "Bearer no-key-of-ours")], "{}");
    assert_eq!((openai.status, &openai.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    // What says how to ask is for everybody.
    for path in ["/$discovery/rest?version=v1alpha1", "/openapi.json", "/healthz"] {
        assert_eq!(server.get(path).status, 200);
    }
}

#[test]
fn a_key_is_listed_without_its_secret_and_lets_nobody_in_once_it_is_revoked() {
    let folder = folder();
    // The first one may come before the server.
    let data = folder.path().join("data");
    let (id, secret) = key(&data, "check,feedback", &["--note", "Coral"]);
    let server = Server::start(&data);
    let path = format!("{ANALYZE}?key={secret}");
    assert_eq!(server.ask(&path, &[], &analyzed("x")).status, 200);
    let listed = beside(&data, &["key", "list", "--json"]);
    let shown = listed.done();
    assert_eq!((&shown["keys"][0]["id"], &shown["keys"][0]["roles"]), (&json!(id), &json!(["check", "feedback"])));
    assert!(!listed.stdout.contains(&secret[20..]) && secret.contains(&id));
    assert_eq!(beside(&data, &["key", "revoke", &id, "--json"]).done()["revoked"], json!(true));
    assert_eq!(server.ask(&path, &[], &analyzed("x")).status, 400);
    assert_eq!(server.ask(ANALYZE, &[], &analyzed("x")).status, 400, "whoever revokes the last key lets nobody in");
    assert_eq!(beside(&data, &["key", "revoke", &id, "--json"]).done()["revoked"], json!(false));
    assert_eq!(beside(&data, &["key", "revoke", "000000000000"]).status, Some(1));
    server.kill();
    // The file has no key in it.
    for entry in fs::read_dir(&data).expect("a folder") {
        let bytes = fs::read(entry.expect("a file").path()).expect("read");
        assert!(memchr_find(&bytes, &secret.as_bytes()[20..]).is_none());
    }
}

fn memchr_find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[test]
fn a_key_may_ask_so_much_and_is_told_how_long_to_wait() {
    let folder = folder();
    let (id, secret) = key(folder.path(), "check,feedback", &["--per-minute", "3"]);
    let other = key(folder.path(), "check", &[]).1;
    let server = Server::start_with(folder.path(), &[]);
    let ask = |key: &str| server.ask(&format!("{ANALYZE}?key={key}"), &[], &analyzed("x"));
    assert!((0..3).all(|_| ask(&secret).status == 200));
    let over = ask(&secret);
    assert_eq!((over.status, &over.json()["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    assert_eq!(over.json()["error"]["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
    assert!(over.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok_and(|wait| wait >= 1)));
    assert_eq!(ask(&other).status, 200);
    assert_eq!(id.len(), 12);
}

#[test]
fn a_port_that_others_reach_lets_in_nobody_without_a_key() {
    let folder = folder();
    let keys = folder.path().join("keys");
    let start = |more: &[&str]| {
        let data = folder.path().join("data");
        let data = data.to_str().expect("text");
        let args: Vec<&str> =
            ["serve", "--data", data, "--listen", "0.0.0.0:0", "--json"].iter().chain(more).copied().collect();
        let mut server = Server::started(&mut crate::server::command(&args));
        server.listen = server.listen.replace("0.0.0.0", "127.0.0.1");
        server
    };
    let server = start(&[]);
    assert_eq!(server.post("/v1/comments", NDJSON, br#"{"body":"one"}"#).status, 401);
    assert_eq!(server.ask("/v1/check", &[], r#"{"body":"one"}"#).status, 401);
    assert!(server.end().success());
    fs::write(&keys, "# of the forum\ncheck,send one-that-is-long-enough\n").expect("written");
    let server = start(&["--key-file", keys.to_str().expect("text")]);
    let key = "?key=one-that-is-long-enough";
    assert_eq!(server.post(&format!("/v1/comments{key}"), NDJSON, br#"{"body":"one"}"#).status, 202);
    assert_eq!(server.ask(&format!("/v1/check{key}"), &[], r#"{"body":"one"}"#).status, 200);
    assert_eq!(server.ask(&format!("{SUGGEST}{key}"), &[], "{}").status, 403);
}

#[test]
fn what_it_is_set_up_by_is_read_before_anything_is_made() {
    let folder = folder();
    let file = folder.path().join("file");
    let path = file.to_str().expect("text");
    for (option, text, part) in [
        ("--front-door", "[attributes]\nTOXICITY = \"removal\"", "attributes.TOXICITY"),
        ("--front-door", "[attributes]\nTOXICITY = \"harm/rude\"", "harm/insult"),
        ("--key-file", "secret-but-no-role-in-it", "line 1"),
        ("--coral-secret-file", "\n", "no secret"),
    ] {
        fs::write(&file, text).expect("written");
        let ran = beside(&folder.path().join("data"), &["serve", "--listen", "127.0.0.1:0", option, path]);
        assert!(ran.status == Some(1) && ran.stderr.contains(part) && ran.stderr.contains("file"), "{option}: {ran:?}");
        assert!(!ran.stderr.contains("secret-but"), "{ran:?}");
    }
}

#[test]
fn what_is_analysed_is_a_comment_once_and_what_must_not_be_stored_is_none() {
    let folder = folder();
    let server = Server::start(folder.path());
    let said = |token: &str, store: bool| {
        let body = json!({
            "comment": { "text": "You are an idiot." }, "requestedAttributes": { "TOXICITY": {} }, "clientToken": token,
            "communityId": "science", "doNotStore": !store,
        });
        server.ask(ANALYZE, &[], &body.to_string())
    };
    for (token, store) in [("a", true), ("a", true), ("b", false)] {
        let answer = said(token, store);
        assert_eq!(answer.json()["clientToken"], json!(token));
        assert!(answer.header("x-modstream-model").is_some_and(|model| model.starts_with("harm@")), "{answer:?}");
    }
    let tail = server.beside(&["tail", "predictions", "--json", "--until-idle"]).lines();
    assert_eq!(tail.len(), 1);
    assert_eq!(tail[0]["data"]["comment"]["id"], "a");
    assert_eq!(tail[0]["data"]["comment"]["subreddit"], "science");
    assert!(server.end().success());
    assert_eq!(oracle::read(folder.path()).comments.len(), 1);
}

#[test]
fn a_check_foretells_what_the_comment_gets_when_it_is_sent() {
    let folder = folder();
    let server = Server::start(folder.path());
    let comment = json!({ "id": "k", "body": "Is the sample large enough?", "subreddit": "science" }).to_string();
    let checked = server.ask("/v1/check", &[], &comment).json();
    server.send(comment.as_bytes());
    let tail = server.beside(&["tail", "predictions", "--json", "--until-idle"]).lines();
    assert_eq!(tail.len(), 1);
    let (foretold, got) = (&checked["prediction"], &tail[0]);
    assert_eq!((&foretold["id"], &foretold["data"]["comment"]), (&got["id"], &got["data"]["comment"]));
    for field in ["probability", "log_odds", "terms", "other", "model", "operating_point"] {
        assert_eq!(foretold["data"][field], got["data"][field], "{field}");
    }
    assert!(["alert", "pass"].contains(&checked["judgement"]["verdict"].as_str().expect("text")));
}

#[test]
fn feedback_is_kept_apart_pulled_and_forgotten() {
    let folder = folder();
    let server = Server::start(folder.path());
    let suggest = |token: &str, text: &str, value: f64| {
        let body = json!({
            "comment": { "text": text }, "attributeScores": { "TOXICITY": { "summaryScore": { "value": value } } },
            "communityId": "Coral:https://c.example", "clientToken": token,
        });
        let answer = server.ask(SUGGEST, &[], &body.to_string());
        assert_eq!((answer.status, &answer.json()), (200, &json!({ "clientToken": token })));
    };
    suggest("comment:1", "you idiot", 0.0);
    suggest("comment:1", "you idiot", 1.0);
    suggest("comment:2", "thank you", 0.0);
    let file = folder.path().join("feedback.jsonl");
    let pull = || -> Vec<Value> {
        let said = server.beside(&["feedback", "pull", "--json", "--output", file.to_str().expect("text")]).done();
        let text = fs::read_to_string(&file).expect("written");
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(said["feedback"].as_u64(), Some(rows.len() as u64));
        rows
    };
    let mut rows = pull();
    rows.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["id"], &rows[0]["body"], &rows[0]["removed"]),
        (&json!("1"), &json!("you idiot"), &json!(true))
    );
    assert_eq!(rows[0]["feedback"]["score"], json!(1.0));
    // It is no comment, and no decision.
    let decisions = folder.path().join("decisions.jsonl");
    let said = server.beside(&["decisions", "pull", "--json", "--output", decisions.to_str().expect("text")]).done();
    assert_eq!(said["decisions"], json!(0));
    let forgotten = server.beside(&["forget", "--comment", "1", "--yes", "--json"]).done();
    assert_eq!(forgotten["places"]["feedback/"]["records"], json!(1));
    assert_eq!(pull().len(), 1);
    assert!(server.end().success());
    assert_eq!(oracle::read(folder.path()).comments.len(), 0);
}

#[test]
fn coral_is_answered_by_its_signature_over_the_bytes_as_they_came() {
    let vector = include_str!("../../../shared/pages/gateway/tests/coral.json");
    let vector: Value = serde_json::from_str(vector).expect("JSON");
    let text = |name: &str| vector[name].as_str().expect("text");
    let folder = folder();
    let file = folder.path().join("secret");
    let server = Server::start(&folder.path().join("data"));
    let ask = |server: &Server, body: &str| {
        server.ask("/coral/moderate", &[("X-Coral-Signature", text("X-Coral-Signature"))], body).status
    };
    assert_eq!(ask(&server, text("body")), 503, "nobody said the secret");
    assert!(server.end().success());
    fs::write(&file, format!("{}\n", text("secret"))).expect("written");
    let more = ["--coral-secret-file", file.to_str().expect("text")];
    let server = Server::start_with(&folder.path().join("data"), &more);
    // A key that is needed elsewhere is none here.
    key(&server.data.clone(), "check", &[]);
    assert!([200, 204].contains(&ask(&server, text("body"))));
    let rewritten: Value = serde_json::from_str(text("body")).expect("JSON");
    assert_eq!(ask(&server, &rewritten.to_string()), 401);
}

#[test]
fn what_is_too_much_compressed_or_cut_short_is_refused_in_its_callers_form() {
    let folder = folder();
    let server = Server::start(folder.path());
    let large = format!("{{\"comment\":{{\"text\":\"{}\"}}}}", "a".repeat(2 << 20));
    let long = analyzed(&"a".repeat(21_000));
    let attributes: Vec<String> = (0..1_000_000).map(|number| format!("\"A{number}\":{{}}")).collect();
    let attributes = format!("{{\"comment\":{{\"text\":\"a\"}},\"requestedAttributes\":{{{}}}}}", attributes.join(","));
    for (body, status, part) in [
        (&large, 400, "exceeds the limit"),
        (&long, 400, "Value (21000) exceeded limit (20480)"),
        (&attributes, 400, "exceeds the limit"),
        (&"[".repeat(10_000), 400, "Invalid JSON payload received"),
    ] {
        let answer = server.ask(ANALYZE, &[], body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.json()["error"]["message"].as_str().is_some_and(|text| text.contains(part)), "{answer:?}");
    }
    assert_eq!(server.ask("/v1/moderations", &[], &large).status, 413);
    assert_eq!(server.ask("/v1/moderations", &[], &large).json()["error"]["type"], "invalid_request_error");
    let zipped = server.ask(ANALYZE, &[("content-encoding", "gzip")], "x");
    assert_eq!((zipped.status, &zipped.json()["error"]["code"]), (415, &json!(415)));
    // A page in a browser may send this to anybody.
    let plain = server.post(SUGGEST, "text/plain", b"{}");
    assert_eq!(plain.status, 415, "{plain:?}");
    let got = server.get(ANALYZE);
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
    // A sender that stops half-way is told so, and holds up nobody.
    let mut slow = server.connect();
    let head = format!(
        "POST {ANALYZE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30000\r\n\r\n{}",
        " ".repeat(20_000)
    );
    slow.write_all(head.as_bytes()).expect("sent");
    assert_eq!(server.ask(ANALYZE, &[], &analyzed("x")).status, 200);
    slow.shutdown(std::net::Shutdown::Write).expect("shut");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("INVALID_ARGUMENT"), "{answer}");
}
