//! What is sent to `modstream ingest http`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::process::{Fault, Ingest, Kinesis, arg, ingest, to_aws, until};
use crate::server::{Answer, NDJSON, SAMPLES, folder, raw};

/// The command at work, and where it listens.
struct Listening {
    ingest: Ingest,
    listen: String,
}

impl Listening {
    fn start(command: &mut std::process::Command) -> Self {
        let ingest = Ingest::start(command);
        ingest.wait_for("/v1/comments");
        let said = ingest.said();
        let listen =
            said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
        Listening { ingest, listen }
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            self.listen,
            body.len()
        );
        raw(&self.listen, &[head.as_bytes(), body].concat())
    }

    fn send(&self, content_type: &str, body: &[u8]) -> Answer {
        self.post("/v1/comments", &[("content-type", content_type)], body).expect("an answer")
    }
}

const HERE: [&str; 3] = ["http", "--listen", "127.0.0.1:0"];

fn event(kind: &str, id: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "urn:f", "type": format!("modstream.{kind}.v1"),
        "time": "2026-01-05T10:00:00Z", "data": data })
}

#[test]
fn what_is_answered_with_202_is_on_the_stream_and_an_entry_that_is_none_costs_itself() {
    let aws = Kinesis::start();
    let here = Listening::start(&mut to_aws(&aws, &[&HERE[..], &["--json", "--source", "urn:ours"]].concat()));
    let answer = here.send(NDJSON, SAMPLES);
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(420)));
    assert_eq!(aws.count(), 420);
    let comment = event("comment", "a", &json!({ "id": "k", "body": "one" }));
    let gone = event("comment-deleted", "b", &json!({ "id": "k" }));
    let reported = event("comment-reported", "c", &json!({ "id": "k", "reason": "spam" }));
    let batch = json!([comment, gone, reported, { "no": "event" }]).to_string();
    let answer = here.send("application/cloudevents-batch+json", batch.as_bytes());
    let said = answer.json();
    assert_eq!((answer.status, &said["ids"]), (202, &json!(["a", "b", "c"])));
    assert_eq!((&said["refused"][0]["line"], &said["refused"][0]["reason"]), (&json!(4), &json!("not_an_event")));
    let answer = here.send(
        "application/cloudevents+json",
        event("comment", "d", &json!({ "id": "m", "body": "two" })).to_string().as_bytes(),
    );
    assert_eq!(answer.status, 202);
    assert_eq!(aws.count(), 424);
    assert_eq!(
        here.post("/v1/comments?source=urn:other", &[("content-type", NDJSON)], b"{\"body\":\"x\"}")
            .map(|answer| answer.status),
        Some(202)
    );
    let sources = [0, 421, 424].map(|number| aws.events()[number]["source"].clone());
    assert_eq!(sources, ["urn:ours", "urn:f", "urn:other"]);
    for (content_type, body, status) in [
        ("text/csv", &b"body\nx"[..], 415),
        ("application/json", b"", 400),
        ("application/json", b"[{\"body\":", 400),
        ("application/json", b"[7]", 400),
        (NDJSON, &vec![b'x'; (8 << 20) + 1], 413),
    ] {
        let answer = here.send(content_type, body);
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let other = |path: &str| here.post(path, &[("content-type", NDJSON)], b"{}").expect("an answer").status;
    assert_eq!((other("/"), other("/discourse")), (404, 404));
    let line = here.ingest.end().done();
    assert_eq!(line["events"], json!({ "created": 423, "deleted": 1, "reported": 1 }));
    assert_eq!((&line["source"], &line["skipped"]), (&json!("http"), &json!({ "invalid_data": 1, "not_an_event": 1 })));
}

#[test]
fn nothing_is_acknowledged_that_is_not_there_and_what_is_sent_again_has_the_same_ids() {
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    let aws = Kinesis::start_with(move |_| if opened.load(Ordering::Acquire) { Fault::None } else { Fault::Fails });
    let mut here = Listening::start(&mut to_aws(&aws, &HERE));
    let line = b"{\"id\":\"a\",\"body\":\"one\",\"created_utc\":1767607500}";
    let listen = here.listen.clone();
    let sending = std::thread::spawn(move || {
        let head = format!(
            "POST /v1/comments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
            line.len()
        );
        raw(&listen, &[head.as_bytes(), &line[..]].concat())
    });
    let answer = sending.join().expect("sends").expect("an answer");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert!(!here.ingest.is_over());
    is_open.store(true, Ordering::Release);
    // What was not acknowledged goes on by itself, and is the same when it is sent again.
    until("it is there", || aws.count() == 1);
    assert_eq!(here.send(NDJSON, line).status, 202);
    assert_eq!((aws.count(), aws.ids().len()), (2, 1));
    assert_eq!(here.ingest.end().status, Some(0));
}

#[test]
fn who_may_not_send_is_refused_and_a_discourse_signs_what_it_sends() {
    let (aws, folder) = (Kinesis::start(), folder());
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let (key, secret, webhook) = (
        file("key", "our-key\n"),
        file("secret", "a secret".replace(' ', "-").as_str()),
        file("webhook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    );
    let args = [
        "--listen-key-file",
        arg(&key),
        "--webhook-secret-file",
        arg(&webhook),
        "--discourse-url",
        "https://forum.example",
        "--discourse-secret-file",
        arg(&secret),
    ];
    let here = Listening::start(&mut to_aws(&aws, &[&HERE[..], &args].concat()));
    let body = b"{\"id\":\"a\",\"body\":\"one\"}";
    for (headers, status) in [
        (&[("content-type", NDJSON)][..], 401),
        (&[("content-type", NDJSON), ("authorization", "Bearer other")], 401),
        (
            &[
                ("content-type", NDJSON),
                ("webhook-id", "x"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,AAAA"),
            ],
            401,
        ),
        (&[("content-type", NDJSON), ("authorization", "Bearer our-key")], 202),
    ] {
        assert_eq!(here.post("/v1/comments", headers, body).expect("an answer").status, status, "{headers:?}");
    }
    let sign = |body: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(b"a-secret").expect("a key").chain_update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    };
    let webhook = |event: &str, signature: &str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("x-discourse-event", event),
            ("x-discourse-event-signature", signature),
        ];
        here.post("/discourse", &headers, body.as_bytes()).expect("an answer").status
    };
    let post = |raw: &str| {
        json!({ "post": { "id": 41, "raw": raw, "username": "maja", "version": 1, "post_type": 1, "topic_id": 17 } })
            .to_string()
    };
    let created = post("hello");
    assert_eq!(webhook("post_created", &sign(b"another body"), &created), 401);
    assert_eq!(webhook("post_created", "", &created), 401);
    // The same words written anew are another body.
    assert_eq!(webhook("post_created", &sign(created.as_bytes()), &format!("{created} ")), 401);
    let edited = post("hello, all");
    for (event, body) in
        [("post_created", &created), ("post_edited", &edited), ("post_destroyed", &edited), ("user_created", &edited)]
    {
        assert_eq!(webhook(event, &sign(body.as_bytes()), body), 202, "{event}");
    }
    let kinds: Vec<String> =
        aws.events().iter().skip(1).map(|event| event["type"].as_str().expect("text").to_owned()).collect();
    assert_eq!(kinds, ["modstream.comment.v1", "modstream.comment-edited.v1", "modstream.comment-deleted.v1"]);
    assert!(aws.events().iter().skip(1).all(|event| event["source"] == "https://forum.example"));
    for (args, says) in [
        (&["--listen", "0.0.0.0:0"][..], "everybody could send"),
        (&["--discourse-url", "https://forum.example"], "MODSTREAM_DISCOURSE_SECRET"),
        (&["--listen", here.listen.as_str()], "can't be listened on"),
    ] {
        let ran = Ingest::start(&mut ingest(&[&["http", "--print"], args].concat())).finish();
        assert!(ran.status != Some(0) && ran.stderr.contains(says), "{ran:?}");
    }
}
