//! `modstream send`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use modstream_events::ids;
use modstream_stub_server::{Answer, FakeAws, Reply, Request};
use serde_json::Value;

use crate::command::{Aws, Run};

fn send(aws: &FakeAws, args: &[&str], stdin: &str) -> Run {
    Aws::at(&aws.url()).run_with(&[&["send", "--stream", "comments"], args].concat(), stdin.as_bytes())
}

fn events(aws: &FakeAws) -> Vec<Value> {
    aws.records("comments").iter().map(|(_, data)| serde_json::from_slice(data).expect("JSON")).collect()
}

fn is_put(request: &Request) -> bool {
    request.header("x-amz-target").is_some_and(|target| target.ends_with(".PutRecords"))
}

#[test]
fn comments_become_events_of_their_source_id_and_time() {
    let aws = FakeAws::start().expect("a port");
    let csv = "id,subreddit,body,created_utc\nk1,science,hello,1700000000\nk2,science,\"two\nlines\",1700000001\n";
    let sent = send(&aws, &["--source", "urn:example:forum", "--json"], csv).done();
    assert_eq!((&sent["sent"], &sent["not_sent"], &sent["stream"]), (&2.into(), &0.into(), &"comments".into()));
    let (events, keys) = (events(&aws), aws.records("comments"));
    assert_eq!(events[0]["id"], ids::comment("urn:example:forum", "k1", &ids::text_version("hello", 0)).to_string());
    assert_eq!(
        (&events[0]["source"], &events[0]["type"]),
        (&"urn:example:forum".into(), &"modstream.comment.v1".into())
    );
    assert_eq!(events[0]["time"], "2023-11-14T22:13:20Z");
    assert_eq!((&events[1]["data"]["body"], keys[1].0.as_str()), (&"two\nlines".into(), "k2"));
}

#[test]
fn a_repeat_sends_the_same_events_also_of_comments_without_id_or_time() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.jsonl"), "{\"body\":\"lol\"}\n{\"body\":\"lol\"}\n").expect("written");
    std::fs::create_dir(folder.path().join("later")).expect("made");
    let of = |input: &str| {
        let aws = FakeAws::start().expect("a port");
        let run = Aws::at(&aws.url()).run_in(folder.path(), &["send", "--stream", "comments", "--input", input], b"");
        assert_eq!(run.status, Some(0), "{run:?}");
        events(&aws)
    };
    let first = of("a.jsonl");
    assert_eq!(first, of("a.jsonl"));
    assert_ne!(first[0]["id"], first[1]["id"], "two comments of one text are two");
    assert_eq!(first[0]["data"]["id"], first[0]["id"], "the partition key stands in the comment");
    std::fs::rename(folder.path().join("a.jsonl"), folder.path().join("later/a.jsonl")).expect("moved");
    assert_eq!(first, of("later/a.jsonl"), "a file that was moved is the same");
}

#[test]
fn a_dash_is_standard_input() {
    let sent = |args: &[&str], stdin: &str| {
        let aws = FakeAws::start().expect("a port");
        send(&aws, &[args, &["--time", "2026-01-05T10:00:00Z", "--json"]].concat(), stdin).done();
        events(&aws)
    };
    let row = "{\"body\":\"lol\"}\n";
    assert_eq!(sent(&["--input", "-"], row), sent(&[], row));
    let aws = FakeAws::start().expect("a port");
    let corpus = ["corpus", "push", "--bucket", "bucket", "--input", "-", "--json"];
    assert_eq!(Aws::at(&aws.url()).run_with(&corpus, row.as_bytes()).done()["comments"], 1);
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_sent() {
    let aws = FakeAws::start().expect("a port");
    let large = format!("{{\"body\":\"{}\"}}", "x".repeat(1 << 20));
    let lines =
        format!("{{\"body\":\"a\"}}\nnot json\n{{\"id\":\"b\"}}\n{large}\n{{\"body\":7}}\n{{\"body\":\"d\"}}\n");
    let run = send(&aws, &["--json"], &lines);
    assert_eq!(run.status, Some(1));
    let line = run.json();
    let bad: Vec<u64> = line["bad"].as_array().expect("a list").iter().filter_map(|it| it["line"].as_u64()).collect();
    assert_eq!((&line["sent"], &line["not_sent"]), (&2.into(), &4.into()));
    assert_eq!((bad.len(), [2, 3, 4, 5].iter().all(|wanted| bad.contains(wanted))), (4, true), "{bad:?}");
    assert!(run.stderr.contains("line 2: ") && run.stderr.contains("line 4: the event has"), "{}", run.stderr);
    let bodies: Vec<Value> = events(&aws).iter().map(|event| event["data"]["body"].clone()).collect();
    assert_eq!(bodies, ["a", "d"]);
}

#[test]
fn what_a_call_leaves_out_is_sent_again_and_comments_of_one_key_keep_their_order() {
    let calls = Mutex::new(Vec::new());
    let calls: &'static Mutex<Vec<Vec<String>>> = Box::leak(Box::new(calls));
    let aws = FakeAws::start_with(move |request| {
        if !is_put(request) {
            return None;
        }
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let keys: Vec<String> =
            body["Records"].as_array().expect("a list").iter().map(|it| it["PartitionKey"].to_string()).collect();
        let mut calls = calls.lock().expect("not poisoned");
        calls.push(keys.clone());
        // Every first call loses its second half.
        let failed = if calls.len() == 1 { keys.len() / 2 } else { 0 };
        let entries: Vec<String> = (0..keys.len())
            .map(|index| {
                if index < keys.len() - failed {
                    format!("{{\"ShardId\":\"shardId-000000000000\",\"SequenceNumber\":\"49{index}\"}}")
                } else {
                    "{\"ErrorCode\":\"ProvisionedThroughputExceededException\",\"ErrorMessage\":\"slow down\"}"
                        .to_owned()
                }
            })
            .collect();
        let answer = format!("{{\"FailedRecordCount\":{failed},\"Records\":[{}]}}", entries.join(","));
        Some(Reply::from(Answer::new(200, answer).header("Content-Type", "application/x-amz-json-1.1")))
    });
    let aws = aws.expect("a port");
    let lines: String = (0..40).map(|n| format!("{{\"id\":\"k{}\",\"body\":\"{n}\"}}\n", n % 10)).collect();
    let sent = send(&aws, &["--json"], &lines).done();
    assert_eq!((&sent["sent"], &sent["not_sent"]), (&40.into(), &0.into()));
    let calls = calls.lock().expect("not poisoned");
    assert!(calls.len() > 4, "{calls:?}");
    for call in calls.iter() {
        let mut keys = call.clone();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), call.len(), "a key stands in a call once");
    }
}

#[test]
fn where_the_stream_takes_nothing_it_is_said_with_the_line_to_go_on_from() {
    let aws = FakeAws::start_with(|request| {
        let answer = r#"{"__type":"ResourceNotFoundException","message":"Stream comments not found."}"#;
        is_put(request).then(|| Answer::new(400, answer).header("Content-Type", "application/x-amz-json-1.1").into())
    });
    let aws = aws.expect("a port");
    let csv = "body\na\nb\nc\n";
    let run = send(&aws, &["--json", "--from-line", "3"], csv);
    let error = run.error();
    assert!(error.contains("the stream comments takes no more") && error.contains("not found"), "{error}");
    assert_eq!((&run.json()["next_line"], &run.json()["sent"]), (&3.into(), &0.into()));
    let run = send(&aws, &[], csv);
    assert!(run.status == Some(1) && run.stderr.contains("--from-line 2"), "{run:?}");
}

#[test]
fn lines_before_the_one_to_go_on_from_are_left_out() {
    let aws = FakeAws::start().expect("a port");
    send(&aws, &["--from-line", "3", "--json"], "body\na\nb\nc\n").done();
    let bodies: Vec<Value> = events(&aws).iter().map(|event| event["data"]["body"].clone()).collect();
    assert_eq!(bodies, ["b", "c"]);
}

#[test]
fn whatever_line_it_goes_on_from_the_events_are_the_same() {
    let lines = [
        r#"{"id":"k","body":"a"}"#,
        r#"{"id":"k","body":"b"}"#,
        r#"{"id":"k","body":"a"}"#,
        r#"{"id":"m","body":"a","edited":"2026-01-05"}"#,
        r#"{"id":"m","body":"b","edited":"2026-01-05"}"#,
        r#"{"id":"m","body":"a","edited":"2026-01-05"}"#,
        r#"{"id":"k","body":"b"}"#,
    ];
    let from = |line: usize| {
        let aws = FakeAws::start().expect("a port");
        let args = ["--from-line", &line.to_string(), "--time", "2026-01-05T10:00:00Z", "--json"];
        send(&aws, &args, &lines.join("\n")).done();
        events(&aws)
    };
    // Comments of two partition keys come in no order between them.
    let of = |events: &[Value], id: &str| -> Vec<Value> {
        events.iter().filter(|event| event["data"]["comment"]["id"] == id).cloned().collect()
    };
    let all = from(1);
    let ids: std::collections::BTreeSet<&str> = all.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), lines.len(), "{all:?}");
    for line in 2..=lines.len() {
        let rest = from(line);
        assert_eq!(rest.len(), lines.len() + 1 - line, "from line {line}");
        for id in ["k", "m"] {
            assert!(of(&all, id).ends_with(&of(&rest, id)), "from line {line}: {rest:?}");
        }
    }
}

#[test]
fn two_texts_of_one_edit_time_are_two_versions() {
    for (first, second) in [
        (r#""2026-01-05""#, r#""2026-01-05""#),
        (r#""2026-01-05 10:00""#, r#""2026-01-05 10:00""#),
        ("1767607500100", "1767607500900"),
        ("1767607500", "1767607500"),
    ] {
        let aws = FakeAws::start().expect("a port");
        let row = |edited: &str, body: &str| format!("{{\"id\":\"k\",\"body\":\"{body}\",\"edited\":{edited}}}\n");
        let lines = [row(first, "fine"), row(second, "a threat"), row(second, "a threat")].concat();
        send(&aws, &["--json"], &lines).done();
        let events = events(&aws);
        let of = |number: usize| (&events[number]["id"], &events[number]["data"]["version"], &events[number]["type"]);
        assert_ne!(of(0).0, of(1).0, "{first}");
        assert_ne!(of(0).1, of(1).1, "{first}");
        assert_eq!(of(1), of(2), "a repeat is one");
        assert_eq!(of(0).2, "modstream.comment-edited.v1");
    }
}

#[test]
fn a_removal_is_no_edit_and_is_left_out_and_counted() {
    let aws = FakeAws::start().expect("a port");
    let rows = [
        r#"{"id":"k","body":"I will kill you"}"#,
        r#"{"id":"k","body":"[removed]"}"#,
        r#"{"id":"m","body":"\\[deleted by user\\]","edited":1767607500}"#,
        r#"{"id":"n","body":"[Beitrag entfernt]"}"#,
        r#"{"id":"k","body":"I will kill you"}"#,
        r#"{"id":"o","body":"why was this [removed]?"}"#,
    ];
    let args = ["--placeholder", "[Beitrag entfernt]", "--json"];
    let sent = send(&aws, &args, &rows.join("\n")).done();
    assert_eq!((&sent["sent"], &sent["not_sent"]), (&3.into(), &0.into()));
    let forms = serde_json::json!({ "[removed]": 1, "[deleted by user]": 1, "[beitrag entfernt]": 1 });
    assert_eq!(sent["placeholders"], forms);
    let events = events(&aws);
    let of_k = events.iter().filter(|event| event["data"]["id"] == "k").collect::<Vec<_>>();
    assert!(of_k.len() == 2 && of_k[0] == of_k[1], "the comment that comes again is a repeat: {events:?}");
    assert!(events.iter().all(|event| event["type"] == "modstream.comment.v1"), "{events:?}");
    let text = send(&aws, &[], "{\"body\":\"[removed]\"}\n");
    assert!(text.stdout.contains("1 comment left out, whose texts are gone: 1 [removed]"), "{}", text.stdout);
}

#[test]
fn they_come_at_the_rate_that_was_asked_for_and_an_interrupt_ends_in_order() {
    let aws = FakeAws::start().expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = (0..1_000).map(|n| format!("{{\"id\":\"k{n}\",\"body\":\"x\"}}\n")).collect();
    std::fs::write(folder.path().join("in.jsonl"), lines).expect("written");
    let started = Instant::now();
    let args = ["send", "--stream", "comments", "--input", "in.jsonl", "--rate", "20", "--json"];
    let child = Aws::at(&aws.url()).start(folder.path(), &args);
    while aws.records("comments").len() < 10 {
        assert!(started.elapsed() < Duration::from_secs(30), "nothing is sent");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(started.elapsed() >= Duration::from_millis(400), "ten at 20 a second take 0.45 s");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("signals");
    let run = Run::of(child);
    let (line, records) = (run.json(), aws.records("comments").len() as u64);
    assert_eq!((run.status, &line["interrupted"]), (Some(130), &true.into()));
    assert_eq!((&line["sent"], &line["next_line"]), (&records.into(), &(records + 1).into()), "{line}");
}

#[test]
fn a_pipe_that_is_slow_holds_nothing_up() {
    use std::io::Write as _;
    let aws = FakeAws::start().expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Aws::at(&aws.url()).start(folder.path(), &["send", "--stream", "comments", "--json"]);
    let mut pipe = child.stdin.take().expect("piped");
    for sent in 1..=2 {
        pipe.write_all(b"{\"body\":\"one\"}\n").expect("written");
        aws.wait_for(|_| true);
        let started = Instant::now();
        while aws.records("comments").len() < sent {
            assert!(started.elapsed() < Duration::from_secs(30), "it waits for more");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    drop(pipe);
    assert_eq!(Run::of(child).done()["sent"], 2);
}
