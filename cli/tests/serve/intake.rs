//! What is taken over HTTP, and what bad input gets.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::oracle;
use crate::server::{NDJSON, SAMPLES, Server, folder};

#[test]
fn a_body_that_is_no_use_is_refused_with_what_to_do_and_nothing_is_stored() {
    let folder = folder();
    let server = Server::start(folder.path());
    let path = "/v1/comments";
    let comment = br#"{"id":"a","body":"one"}"#;
    let large = vec![b' '; (8 << 20) + 1];
    for (content_type, body, status, part) in [
        ("text/csv", &comment[..], 415, "application/x-ndjson"),
        ("application/json; charset=latin1", comment, 415, "UTF-8"),
        (NDJSON, &large, 413, "modstream send"),
        (NDJSON, b"", 400, "empty"),
        ("application/json", b"{", 400, "line 1"),
        ("application/cloudevents-batch+json", comment, 400, "list of events"),
        (NDJSON, b"nonsense\n", 400, "not_json"),
    ] {
        let answer = server.post(path, content_type, body);
        assert_eq!(answer.status, status, "{content_type}: {answer:?}");
        assert!(answer.body.contains(part), "{content_type}: {answer:?}");
    }
    let answer = server.post("/v1/comments?source=a%20b", NDJSON, comment);
    assert!(answer.status == 400 && answer.body.contains("urn:"), "{answer:?}");
    let answer = server.get(path);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    let zipped = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {NDJSON}\r\ncontent-encoding: gzip\r\n\
         content-length: 0\r\n\r\n"
    );
    assert_eq!(server.raw(zipped.as_bytes()).expect("an answer").status, 415);
    // Without a length, as a pipe sends it.
    let mut chunked = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {NDJSON}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..9 {
        chunked.extend(format!("{:x}\r\n", 1 << 20).into_bytes());
        chunked.extend(vec![b' '; 1 << 20]);
        chunked.extend(b"\r\n");
    }
    assert_eq!(server.raw(&chunked).expect("an answer").status, 413);
    // Half sent: the connection ends before the body does.
    let mut connection = server.connect();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {NDJSON}\r\ncontent-length: 9999\r\n\r\n");
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(SAMPLES.split_at(5_000).0)).expect("sent");
    drop(connection);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.end().code(), Some(0));
    assert_eq!(oracle::read(folder.path()).comments.len(), 0);
}

#[test]
fn an_entry_that_is_refused_costs_itself_alone() {
    let folder = folder();
    let server = Server::start(folder.path());
    let body = "{\"id\":\"a\",\"body\":\"one\"}\n{\"id\":\"b\"}\n\nnonsense\n{\"id\":\"c\",\"body\":\"two\"}\n";
    let answer = server.send(body.as_bytes());
    assert_eq!((answer["accepted"].as_u64(), answer["ids"].as_array().map(Vec::len)), (Some(2), Some(2)));
    let refused = answer["refused"].as_array().expect("a list");
    let named: Vec<_> = refused.iter().map(|one| (one["line"].as_u64(), one["reason"].as_str())).collect();
    assert_eq!(named, [(Some(2), Some("missing_body")), (Some(4), Some("not_json"))]);
    let metrics = server.get("/metrics").body;
    for line in [
        "modstream_comments_accepted_total 2",
        "modstream_comments_refused_total{reason=\"not_json\"} 1",
        "modstream_records_total{stream=\"comments\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in\n{metrics}");
    }
}

#[test]
fn events_come_one_by_one_and_in_lists_and_an_edit_and_a_deletion_go_the_whole_way() {
    let folder = folder();
    let server = Server::start(folder.path());
    let event = |kind: &str, id: &str, time: &str, data: serde_json::Value| {
        json!({
            "specversion": "1.0", "id": id, "source": "urn:example:forum", "type": format!("modstream.{kind}.v1"),
            "time": time, "data": data,
        })
    };
    let comment =
        event("comment", "1", "2026-01-05T10:00:00Z", json!({ "id": "k", "body": "Is the sample large enough?" }));
    let edited = json!({ "comment": { "id": "k", "body": "Is it?" }, "version": "2" });
    let edited = event("comment-edited", "2", "2026-01-05T10:01:00Z", edited);
    let deleted = |time| event("comment-deleted", "3", time, json!({ "id": "k", "by": "author" }));
    let post = |content_type, body: &serde_json::Value| {
        let answer = server.post("/v1/comments", content_type, body.to_string().as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()
    };
    post("application/cloudevents+json", &comment);
    post("application/cloudevents-batch+json", &json!([edited, deleted("2026-01-05T10:02:00Z")]));
    let again = post("application/json", &json!([comment, edited, deleted("2026-01-05T10:02:00Z")]));
    assert_eq!(again["repeated"].as_u64(), Some(3));
    // The comment came back in between: to go once more is another event, under the same id.
    let again = post("application/cloudevents+json", &deleted("2026-01-06T10:00:00Z"));
    assert_eq!(again["repeated"].as_u64(), Some(0));
    let shown = server.beside(&["tail", "predictions", "--json", "--until-idle"]).lines();
    let kinds: Vec<&str> = shown.iter().map(|event| event["type"].as_str().expect("text")).collect();
    assert_eq!(
        kinds,
        [
            "modstream.prediction.v1",
            "modstream.prediction.v1",
            "modstream.comment-deleted.v1",
            "modstream.comment-deleted.v1"
        ]
    );
}

/// Opens connections that each begin a request, and leave it there.
fn begun(server: &Server, number: usize, request: &[u8]) -> Vec<TcpStream> {
    let begin = |_| {
        let mut connection = server.connect();
        connection.write_all(request).expect("sent");
        connection
    };
    (0..number).map(begin).collect()
}

#[test]
fn senders_that_are_slow_hold_up_nobody_else() {
    let folder = folder();
    let server = Server::start(folder.path());
    let slow = |length: usize, sent: usize| {
        let head = format!(
            "POST /v1/comments HTTP/1.1\r\nhost: x\r\ncontent-type: {NDJSON}\r\ncontent-length: {length}\r\n\r\n"
        );
        [head.as_bytes(), &vec![b' '; sent]].concat()
    };
    let _small = begun(&server, 100, &slow(5_000, 1));
    let started = Instant::now();
    server.send(br#"{"id":"a","body":"not held up"}"#);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    // Those who have begun with more than a little have to go on with it.
    let _large = begun(&server, 6, &slow(5_000_000, 100_000));
    let started = Instant::now();
    server.send(br#"{"id":"b","body":"not held up either"}"#);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    server.send(format!("{{\"id\":\"c\",\"body\":\"{}\"}}", "large ".repeat(20_000)).as_bytes());
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[test]
fn connections_that_are_kept_for_later_make_room_for_others() {
    let folder = folder();
    let server = Server::start(folder.path());
    let ask = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.listen);
    let started = Instant::now();
    let mut kept = Vec::new();
    for _ in 0..700 {
        let mut connection = server.connect();
        connection.write_all(ask.as_bytes()).expect("sent");
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
        kept.push(connection);
    }
    server.send(br#"{"id":"a","body":"one more"}"#);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn what_is_coded_or_says_another_thing_in_its_head_is_refused_and_who_waits_is_answered() {
    let folder = folder();
    let server = Server::start(folder.path());
    let comment = br#"{"id":"a","body":"one"}"#;
    let with = |more: &str| {
        let request = format!(
            "POST /v1/comments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{more}\r\n\
             content-length: {}\r\n\r\n",
            comment.len()
        );
        server.raw(&[request.as_bytes(), comment].concat()).expect("an answer")
    };
    let binary = "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: urn:f\r\nce-type: modstream.comment.v1";
    for (more, part) in [
        (binary, "structured mode"),
        ("content-encoding: identity\r\ncontent-encoding: gzip", "gzip"),
        ("content-encoding: br", "br"),
    ] {
        let answer = with(more);
        assert!(answer.status == 415 && answer.body.contains(part), "{more}: {answer:?}");
    }
    assert_eq!(with("content-encoding: Identity").status, 202);
    // Who has said all may stop talking.
    let mut connection = server.connect();
    let request = format!(
        "POST /v1/comments HTTP/1.1\r\nhost: x\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
        comment.len()
    );
    connection.write_all(&[request.as_bytes(), comment].concat()).expect("sent");
    connection.shutdown(Shutdown::Write).expect("shut");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    // Some are named, all are counted.
    let none = server.post("/v1/comments", NDJSON, &[&b"1\n".repeat(2_500)[..], comment].concat());
    let answer = none.json();
    assert_eq!(
        (none.status, answer["accepted"].as_u64(), answer["more_refused"].as_u64()),
        (202, Some(1), Some(1_500))
    );
    assert_eq!(answer["refused"].as_array().map(Vec::len), Some(1_000));
    // More than is told of at once.
    let many = server.post("/v1/comments", NDJSON, &b"1\n".repeat(50_001));
    assert!(many.status == 413 && many.body.contains("50000"), "{many:?}");
}
