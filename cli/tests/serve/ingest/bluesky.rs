//! Bluesky, by a Jetstream of this machine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use modstream_stub_server::{Answer, StubServer};
use serde_json::{Value, json};

use super::jetstream::{Act, Jetstream, frame, time_of};
use super::process::{Fault, Ingest, Kinesis, arg, ingest, state, to_aws, until};
use crate::server::{Server, TIMEOUT, folder};

fn frames(numbers: std::ops::Range<u64>) -> Vec<Act> {
    numbers.map(|number| Act::Frame(frame(number, "create", number, &format!("post {number}")))).collect()
}

/// The arguments of who reads this Jetstream.
fn of<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["bluesky", "--url", url, "--allow-private", "127.0.0.1"], more].concat()
}

#[test]
fn posts_edits_and_deletions_are_printed_as_events_and_what_is_none_is_counted() {
    let account = json!({ "did": "did:plc:a", "time_us": time_of(3), "kind": "account", "account": { "active": false, "status": "deleted" } });
    let acts = [
        Act::Frame(frame(0, "create", 1, "one")),
        Act::Frame(frame(1, "update", 1, "one, edited")),
        // Before its post, as across a reconnect.
        Act::Frame(frame(2, "delete", 2, "")),
        Act::Frame(account),
        Act::Text("{\"kind\":\"commit\",".to_owned()),
        Act::Binary(vec![0x28, 0xb5, 0x2f, 0xfd, 0, 1, 2]),
        Act::Text(format!("{{\"kind\":\"commit\",\"x\":\"{}\"}}", "x".repeat(20 << 20))),
        Act::Frame(frame(4, "create", 2, "two")),
        Act::Frame(frame(5, "create", 3, "")),
        Act::Frame(frame(6, "create", 4, "never")),
        Act::Frame(frame(7, "create", 5, "beyond the limit")),
    ];
    let server = Jetstream::start(acts.to_vec());
    let url = server.url();
    let ran = Ingest::start(&mut ingest(&of(&url, &["--print", "--limit", "5"]))).finish();
    let events: Vec<Value> = ran.lines();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().expect("text")).collect();
    assert_eq!(
        kinds,
        [
            "modstream.comment.v1",
            "modstream.comment-edited.v1",
            "modstream.comment-deleted.v1",
            "modstream.comment.v1",
            "modstream.comment.v1"
        ]
    );
    assert_eq!((&events[0]["source"], &events[0]["data"]["body"]), (&json!("https://bsky.app"), &json!("one")));
    assert_eq!(events[1]["data"]["comment"]["id"], events[0]["data"]["id"]);
    let counts = "bluesky: 5 events (3 created, 1 deleted, 1 edited); skipped: 1 account_gone, 1 binary, 1 no_text, 1 not_json, 1 \
                  too_large";
    assert!(ran.stderr.contains(counts), "{}", ran.stderr);
    let queries = server.queries();
    assert_eq!(queries.len(), 1, "no frame cost the connection: {queries:?}");
    for part in ["wantedCollections=app.bsky.feed.post", "maxMessageSizeBytes=1048576"] {
        assert!(queries[0].contains(part), "{queries:?}");
    }
    assert_eq!(server.cursors(), [None], "without a state it begins at now");
}

#[test]
fn a_connection_that_breaks_off_is_made_again_a_little_before_its_place() {
    let mut acts = frames(0..40);
    acts.insert(30, Act::Cut(frame(30, "create", 30, "post 30")));
    acts.insert(20, Act::Close("ConsumerTooSlow"));
    let server = Jetstream::start(acts);
    let (aws, folder, url) = (Kinesis::start(), folder(), server.url());
    let path = folder.path().join("state.json");
    let ingest = Ingest::start(&mut to_aws(&aws, &of(&url, &["--state", arg(&path), "--json"])));
    until("all posts", || aws.ids().len() == 40);
    ingest.wait_for("ConsumerTooSlow");
    let ran = ingest.end();
    let line = ran.done();
    assert_eq!((&line["interruptions"], &line["to"], &line["gaps"]), (&json!(2), &json!("comments"), &json!(0)));
    assert_eq!(server.cursors(), [None, Some(time_of(19) - 5_000_000), Some(time_of(29) - 5_000_000)]);
    let bodies: BTreeSet<String> = aws.events().iter().map(|event| event["data"]["body"].to_string()).collect();
    assert_eq!(bodies.len(), 40);
    assert_eq!(state(&path), json!({ "format": 1, "source": "bluesky", "cursor": { "time": time_of(39) } }));
}

#[test]
fn a_restart_goes_on_behind_what_was_acknowledged_and_says_what_is_not_to_be_had() {
    let server = Jetstream::start(frames(0..10));
    let (aws, folder, url) = (Kinesis::start(), folder(), server.url());
    let path = folder.path().join("state.json");
    let args = of(&url, &["--state", arg(&path), "--json"]);
    let first = Ingest::start(&mut to_aws(&aws, &args));
    until("ten posts", || aws.count() == 10);
    assert_eq!(first.end().done()["events"], json!({ "created": 10 }));
    // What lies a while behind the place is no longer there: 1,000 frames take 250 s.
    server.push(frames(1_010..1_015));
    let later = Jetstream::start(frames(1_010..1_015));
    let url = later.url();
    let args = of(&url, &["--state", arg(&path), "--limit", "5", "--json"]);
    let ran = Ingest::start(&mut to_aws(&aws, &args)).finish();
    let line = ran.done();
    assert_eq!(later.cursors(), [Some(time_of(9) - 5_000_000)]);
    assert_eq!((&line["gaps"], &line["gap_seconds"], &line["interrupted"]), (&json!(1), &json!(255), &json!(false)));
    assert!(ran.stderr.contains("the server begins at 2026-01-05T10:09:12Z: the posts of 255 s"), "{}", ran.stderr);
    assert_eq!(state(&path)["cursor"]["time"], time_of(1_014));
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_doubles_nothing_but_by_id() {
    const POSTS: u64 = 240;
    let mut acts = Vec::new();
    for number in 0..POSTS {
        acts.push(Act::Frame(frame(3 * number, "create", number, &format!("post {number}"))));
        acts.push(Act::Frame(frame(3 * number + 1, "update", number, &format!("post {number}, edited"))));
        if number % 5 == 0 {
            acts.push(Act::Frame(frame(3 * number + 2, "delete", number, "")));
        }
    }
    let wanted = acts.len();
    let server = Jetstream::start_paced(acts, Duration::from_millis(1));
    // Some calls fail as a whole, and some have no answer although all is done.
    let aws = Kinesis::start_with(|call| match call % 5 {
        2 => Fault::Fails,
        4 => Fault::NoAnswer,
        _ => Fault::None,
    });
    let (folder, url) = (folder(), server.url());
    let path = folder.path().join("state.json");
    let since = modstream_time(time_of(0));
    let args = of(&url, &["--state", arg(&path), "--since", &since]);
    let mut chance = 0x6d6f_6473_u64;
    let mut kept = None;
    for round in 0..12 {
        let ingest = Ingest::start(&mut to_aws(&aws, &args));
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let before = aws.count();
        until("some more", || aws.count() > before && server.cursors().len() > round);
        // Not to wait for something, but to be somewhere.
        std::thread::sleep(Duration::from_millis((chance >> 40) % 120));
        ingest.kill();
        if path.exists() {
            // What is kept is whole, goes forward, and lies behind nothing that is missing.
            let now = state(&path)["cursor"]["time"].as_i64();
            assert!(now >= kept, "{now:?} after {kept:?}");
            kept = now;
        }
    }
    let ingest = Ingest::start(&mut to_aws(&aws, &args));
    until("all events", || aws.ids().len() == wanted);
    assert_eq!(ingest.end().status, Some(0));
    assert_eq!(aws.ids().len(), wanted);
    assert!(aws.count() > wanted, "nothing was repeated: it was never killed between a put and its place");
    assert_eq!(state(&path)["cursor"]["time"], time_of(3 * (POSTS - 1) + 1));
}

fn modstream_time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    assert_eq!(seconds, 1_767_607_500, "the only one that is needed");
    "2026-01-05T10:05:00Z".to_owned()
}

#[test]
fn a_place_is_kept_only_behind_what_is_acknowledged_and_nothing_is_read_that_has_no_room() {
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    let tried = Arc::new(AtomicBool::new(false));
    let trying = Arc::clone(&tried);
    let aws = Kinesis::start_with(move |_| {
        trying.store(true, Ordering::Release);
        if opened.load(Ordering::Acquire) { Fault::None } else { Fault::Throttles }
    });
    // More than there is room for: 40 MB of posts of 40 kB.
    let long = "x".repeat(40 << 10);
    let acts: Vec<Act> = (0..1_000).map(|number| Act::Frame(frame(number, "create", number, &long))).collect();
    let server = Jetstream::start(acts);
    let (folder, url) = (folder(), server.url());
    let path = folder.path().join("state.json");
    let mut ingest = Ingest::start(&mut to_aws(&aws, &of(&url, &["--state", arg(&path)])));
    until("a put", || tried.load(Ordering::Acquire));
    let peak = peak_memory(&ingest);
    assert!(!path.exists() && !ingest.is_over(), "{}", ingest.said());
    is_open.store(true, Ordering::Release);
    until("all posts", || aws.ids().len() == 1_000);
    assert!(peak < 120 << 20, "{peak} bytes");
    assert_eq!(ingest.end().status, Some(0));
    assert_eq!(state(&path)["cursor"]["time"], time_of(999));
}

/// The most memory that a process had so far, once it grows no more; none is known but on Linux.
fn peak_memory(ingest: &Ingest) -> u64 {
    let peak = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", ingest.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() << 10
    };
    let (begun, mut last) = (Instant::now(), 0);
    loop {
        assert!(begun.elapsed() < TIMEOUT, "it grows and grows");
        let now = peak();
        if now == last {
            return now;
        }
        last = now;
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_running_server_takes_them_with_a_key_and_not_without() {
    let folder = folder();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let key = server.beside(&["key", "create", "--role", "send", "--json"]).done();
    let key = key["key"].as_str().expect("text").to_owned();
    let posts = Jetstream::start(frames(0..30));
    let (url, serve, path) = (posts.url(), format!("http://{}", server.listen), folder.path().join("state.json"));
    let args = of(&url, &["--state", arg(&path), "--serve", &serve, "--limit", "30", "--json"]);
    let refused = Ingest::start(&mut ingest(&args)).finish();
    assert_eq!(refused.status, Some(1));
    assert_eq!(refused.stdout.lines().count(), 1, "{refused:?}");
    assert!(refused.stdout.contains("a key of the role send"), "{refused:?}");
    assert!(!path.exists(), "nothing is acknowledged");
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, format!("{key}\n")).expect("written");
    let line = Ingest::start(&mut ingest(&[&args[..], &["--key-file", arg(&key_file)]].concat())).finish().done();
    assert_eq!((&line["events"], &line["to"]), (&json!({ "created": 30 }), &json!(serve)));
    std::fs::remove_file(&path).expect("removed");
    // What comes again is taken as a repeat.
    let since = "2026-01-05T10:05:00Z";
    let again = [&args[..], &["--since", since]].concat();
    let line = Ingest::start(ingest(&again).env("MODSTREAM_KEY", &key)).finish().done();
    assert_eq!(line["events"], json!({ "created": 30 }));
    let tail = server.beside(&["tail", "comments", "--json", "--until-idle"]);
    assert_eq!(tail.lines().len(), 30);
}

#[test]
fn what_is_refused_for_good_ends_it_and_says_what_to_do() {
    let folder = folder();
    let path = folder.path().join("state.json");
    let to = ["--print"];
    let ran = |args: &[&str]| Ingest::start(&mut ingest(args)).finish();
    for (url, allowed, says) in [
        ("ws://127.0.0.1:9/subscribe", "10.0.0.1", "--allow-private 127.0.0.1"),
        ("wss://localhost:9/subscribe", "10.0.0.1", "no public address"),
        ("wss://169.254.169.254/subscribe", "10.0.0.1", "no public address"),
    ] {
        let ran = ran(&[&["bluesky", "--url", url, "--allow-private", allowed], &to[..]].concat());
        assert!(ran.status == Some(1) && ran.stderr.contains(says), "{url}: {ran:?}");
    }
    for (answer, says) in [
        (Answer::new(400, "cursor too old"), "--since"),
        (Answer::new(404, "nothing here"), "a Jetstream"),
        (Answer::new(301, "").header("Location", "ws://127.0.0.1:1/"), "which is not followed"),
    ] {
        let server = StubServer::start(move |_| answer.clone().into()).expect("a port");
        let url = server.url().replace("http", "ws");
        let ran = ran(&of(&url, &to));
        assert!(ran.status == Some(1) && ran.stderr.contains(says), "{ran:?}");
    }
    for (args, says) in [
        (&["--url", "wss://a.example/subscribe?compress=true", "--print"][..], "compress"),
        (&["--url", "wss://me:secret@a.example/subscribe", "--print"], "seen by every process"),
        (&["--url", "https://a.example/", "--print"], "wss://"),
        (&["--serve", "http://127.0.0.1:1"], "--state"),
        (&["--state", arg(&path)], "say where the comments go"),
        (&["--print", "--json"], "cannot be used with"),
        (&["--print", "--limit", "0"], "0"),
    ] {
        let ran = ran(&[&["bluesky"], args].concat());
        assert!(ran.status == Some(2) && (ran.stderr.clone() + &ran.stdout).contains(says), "{args:?}: {ran:?}");
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_asked_again_and_a_state_has_one_reader() {
    let answers = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&answers);
    let server = StubServer::start(move |_| {
        count.fetch_add(1, Ordering::AcqRel);
        Answer::new(429, "slow down").header("Retry-After", "1").into()
    })
    .expect("a port");
    let (folder, url) = (folder(), server.url().replace("http", "ws"));
    let (path, aws) = (folder.path().join("state.json"), Kinesis::start());
    let args = of(&url, &["--state", arg(&path)]);
    let begun = Instant::now();
    let first = Ingest::start(&mut to_aws(&aws, &args));
    first.wait_for("answers 429: slow down; it is asked again in 1.0 s");
    let second = Ingest::start(&mut to_aws(&aws, &args)).finish();
    assert!(second.status == Some(1) && second.stderr.contains("another `modstream ingest` works with"), "{second:?}");
    until("asked again", || answers.load(Ordering::Acquire) >= 2);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(first.end().status, Some(0), "it ends while it waits");
}
