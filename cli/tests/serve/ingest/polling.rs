//! Discourse and Lemmy, by servers of this machine that list comments as theirs do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use modstream_stub_server::{Answer, Reply, Request, StubServer};
use serde_json::{Value, json};

use super::process::{Ingest, Kinesis, arg, ingest, state, to_aws, until};
use crate::server::folder;

/// A forum, by the numbers of its comments.
#[derive(Clone)]
struct Forum {
    comments: Arc<Mutex<BTreeMap<u64, Value>>>,
    server: Arc<StubServer>,
    /// How many requests it answers with 429 before the others.
    busy: Arc<AtomicU64>,
    /// What is shown to nobody, and not gone.
    hidden: Arc<Mutex<Vec<u64>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Discourse,
    Lemmy,
}

const BOTH: [Api; 2] = [Api::Discourse, Api::Lemmy];

fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let query = request.target.split_once('?')?.1;
    query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn page(comments: &BTreeMap<u64, Value>, hidden: &[u64], api: Api, request: &Request) -> Value {
    let seen = comments.iter().rev().filter(|(number, _)| !hidden.contains(number));
    match api {
        Api::Discourse => {
            let before: u64 = query(request, "before").map_or(u64::MAX, |text| text.parse().expect("a number"));
            let reach = before.saturating_sub(50);
            let all: Vec<&Value> = seen
                .filter(|(number, _)| **number <= before && (before == u64::MAX || **number > reach))
                .map(|(_, post)| post)
                .take(50)
                .collect();
            json!({ "latest_posts": all })
        }
        Api::Lemmy => {
            let number: usize = query(request, "page").expect("a page").parse().expect("a number");
            let all: Vec<&Value> = seen.map(|(_, view)| view).skip(50 * (number - 1)).take(50).collect();
            json!({ "comments": all })
        }
    }
}

impl Forum {
    fn start(api: Api) -> Self {
        let (comments, busy) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(AtomicU64::new(0)));
        let hidden = Arc::new(Mutex::new(Vec::new()));
        let (held, is_busy, unseen) = (Arc::clone(&comments), Arc::clone(&busy), Arc::clone(&hidden));
        let server = StubServer::start(move |request| {
            if is_busy.load(Ordering::Acquire) > 0 {
                is_busy.fetch_sub(1, Ordering::AcqRel);
                return Answer::new(429, "too many").header("Retry-After", "1").into();
            }
            answer(&held.lock().expect("not poisoned"), &unseen.lock().expect("not poisoned"), api, request)
        });
        Forum { comments, server: Arc::new(server.expect("a port")), busy, hidden }
    }

    fn put(&self, api: Api, number: u64, text: &str) {
        let comment = match api {
            Api::Discourse => json!({
                "id": number, "username": "maja", "created_at": "2026-01-05T10:00:00.000Z", "updated_at": "2026-01-05T10:02:00.000Z",
                "raw": text, "cooked": format!("<p>{text}</p>"), "post_number": number, "post_type": 1, "topic_id": 17, "version": 1,
            }),
            Api::Lemmy => json!({
                "comment": { "id": number, "post_id": 17, "content": text, "removed": false, "deleted": false,
                    "published": "2026-01-05T10:00:00.123456Z", "path": format!("0.{number}") },
                "creator": { "name": "maja", "local": true }, "community": { "name": "tides", "local": true }, "counts": { "score": 1 },
            }),
        };
        self.comments.lock().expect("not poisoned").insert(number, comment);
    }

    fn remove(&self, number: u64) {
        self.comments.lock().expect("not poisoned").remove(&number);
    }

    fn hide(&self, number: u64) {
        self.hidden.lock().expect("not poisoned").push(number);
    }

    /// How often its newest page was asked for.
    fn rounds(&self) -> usize {
        let is_first = |request: &&Request| match query(request, "page") {
            Some(page) => page == "1",
            None => request.target == "/posts.json",
        };
        self.server.requests().iter().filter(is_first).count()
    }
}

fn answer(comments: &BTreeMap<u64, Value>, hidden: &[u64], api: Api, request: &Request) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    let one: Option<u64> = match api {
        Api::Discourse => path.strip_prefix("/posts/").and_then(|rest| rest.strip_suffix(".json")?.parse().ok()),
        Api::Lemmy if path == "/api/v3/comment" => query(request, "id").and_then(|id| id.parse().ok()),
        Api::Lemmy => None,
    };
    let found = |value: &Value| Answer::new(200, value.to_string()).into();
    match one {
        Some(number) if hidden.contains(&number) => Answer::new(403, "{}").into(),
        Some(number) => match (comments.get(&number), api) {
            (None, _) => Answer::new(404, "{}").into(),
            (Some(post), Api::Discourse) => found(post),
            (Some(view), Api::Lemmy) => found(&json!({ "comment_view": view })),
        },
        None if path == "/posts.json" || path == "/api/v3/comment/list" => found(&page(comments, hidden, api, request)),
        None => Answer::new(404, "no such page").into(),
    }
}

fn of<'a>(api: Api, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let name = if api == Api::Discourse { "discourse" } else { "lemmy" };
    [&[name, "--url", url, "--allow-private", "127.0.0.1", "--every", "1"], more].concat()
}

fn kinds(events: &[Value]) -> Vec<(&str, String)> {
    let kind = |event: &Value| match event["type"].as_str() {
        Some("modstream.comment.v1") => "created",
        Some("modstream.comment-edited.v1") => "edited",
        Some("modstream.comment-deleted.v1") => "deleted",
        other => panic!("{other:?}"),
    };
    let id =
        |event: &Value| event["data"].get("comment").unwrap_or(&event["data"])["id"].as_str().expect("text").to_owned();
    events.iter().map(|event| (kind(event), id(event))).collect()
}

#[test]
fn comments_come_once_edits_and_deletions_follow_and_a_restart_goes_on() {
    for api in BOTH {
        let (forum, aws, folder) = (Forum::start(api), Kinesis::start(), folder());
        for number in 1..=8 {
            forum.put(api, number, &format!("comment {number}"));
        }
        let (path, url) = (folder.path().join("state.json"), forum.server.url());
        let args = of(api, &url, &["--state", arg(&path), "--json"]);
        let first = Ingest::start(&mut to_aws(&aws, &args));
        until("all comments", || aws.count() == 8);
        forum.put(api, 3, "another text");
        forum.put(api, 9, "a new one");
        forum.put(api, 10, " ");
        until("the edit", || aws.count() == 10);
        forum.remove(4);
        forum.hide(5);
        until("the deletion", || aws.count() == 11);
        let rounds = forum.rounds();
        until("rounds without anything new", || forum.rounds() >= rounds + 2);
        let line = first.end().done();
        assert_eq!(line["events"], json!({ "created": 9, "deleted": 1, "edited": 1 }), "{api:?}");
        assert_eq!(line["skipped"], json!({ "no_text": 1, "not_public": 1 }), "{api:?}: each is counted once");
        let all = aws.events();
        assert_eq!(all[0]["source"], url);
        let numbers: Vec<(&str, String)> = (1..=8).map(|number| ("created", number.to_string())).collect();
        assert_eq!(kinds(&all)[..8], numbers, "oldest first");
        let mut then = kinds(&all[8..]);
        then.sort();
        assert_eq!(then, [("created", "9".to_owned()), ("deleted", "4".to_owned()), ("edited", "3".to_owned())]);
        // While nobody looked, more than a page of comments came, one changed, and one went.
        for number in 11..=90 {
            forum.put(api, number, &format!("comment {number}"));
        }
        forum.put(api, 7, "changed meanwhile");
        forum.remove(8);
        let second = Ingest::start(&mut to_aws(&aws, &args));
        until("what came meanwhile", || aws.count() == 11 + 80 + 2);
        let line = second.end().done();
        assert_eq!(line["events"], json!({ "created": 80, "deleted": 1, "edited": 1 }), "{api:?}");
        assert_eq!(aws.ids().len(), aws.count(), "nothing came twice");
        assert_eq!(state(&path)["cursor"]["posts"]["newest"], 90);
    }
}

#[test]
fn killed_between_a_put_and_its_place_it_says_the_same_again() {
    for api in BOTH {
        let (forum, aws, folder) = (Forum::start(api), Kinesis::start(), folder());
        let (path, url) = (folder.path().join("state.json"), forum.server.url());
        let args = of(api, &url, &["--state", arg(&path)]);
        let mut number = 0;
        for _ in 0..4 {
            for _ in 0..30 {
                number += 1;
                forum.put(api, number, &format!("comment {number}"));
            }
            let ingest = Ingest::start(&mut to_aws(&aws, &args));
            let wanted = usize::try_from(number).expect("small");
            until("all so far", || aws.ids().len() >= wanted.min(50));
            ingest.kill();
        }
        let ingest = Ingest::start(&mut to_aws(&aws, &args));
        until("the newest", || aws.events().iter().any(|event| event["data"]["id"] == number.to_string().as_str()));
        assert_eq!(ingest.end().status, Some(0));
        // Each is the same however often it came.
        assert!(aws.ids().len() >= 50 && aws.count() > aws.ids().len());
    }
}

#[test]
fn a_forum_that_is_busy_or_mended_is_left_alone_and_one_that_is_none_ends_it() {
    for api in BOTH {
        let forum = Forum::start(api);
        forum.put(api, 1, "hello");
        forum.busy.store(2, Ordering::Release);
        let (url, begun) = (forum.server.url(), Instant::now());
        let ran = Ingest::start(&mut ingest(&of(api, &url, &["--print", "--limit", "1"]))).finish();
        assert_eq!(ran.lines().len(), 1);
        assert!(begun.elapsed() >= Duration::from_secs(2), "asked again too early");
        assert!(ran.stderr.contains("answers 429: too many; it is asked again in 1.0 s"), "{ran:?}");
        assert!(ran.stderr.contains("2 interruptions"), "{ran:?}");
        let nowhere = format!("{url}/folder");
        let ran = Ingest::start(&mut ingest(&of(api, &nowhere, &["--print"]))).finish();
        assert!(ran.status == Some(1) && ran.stderr.contains("answers 404: no such page"), "{ran:?}");
    }
    // A page of a proxy's, one that is cut short, one that is too long, and then the right one.
    let replies = [
        Answer::new(200, "<html>down for maintenance</html>").into(),
        Reply::BreakOff(Answer::new(200, "{\"latest_posts\":[]}")),
        Answer::new(200, vec![b' '; 9 << 20]).into(),
        Answer::new(200, r#"{"latest_posts":[{"id":7,"raw":"hello"}]}"#).into(),
    ];
    let server = StubServer::with_replies(replies).expect("a port");
    let url = server.url();
    let ran = Ingest::start(&mut ingest(&of(Api::Discourse, &url, &["--print", "--limit", "1"]))).finish();
    assert!(ran.stderr.contains("3 interruptions") && ran.lines().len() == 1, "{ran:?}");
    for part in ["no page of posts of Discourse", "breaks off"] {
        assert!(ran.stderr.contains(part), "{ran:?}");
    }
}

#[test]
fn an_address_without_encryption_or_of_a_private_network_is_not_fetched() {
    let forum = Forum::start(Api::Lemmy);
    for (url, says) in [
        (forum.server.url(), "would be asked without encryption"),
        (forum.server.url().replace("http:", "https:"), "no public address"),
        ("https://[::1]:9".to_owned(), "no public address"),
        ("https://nowhere.invalid".to_owned(), "can't be looked up"),
    ] {
        let mut ingest = Ingest::start(&mut ingest(&["lemmy", "--url", &url, "--print"]));
        ingest.wait_for(says);
        if url.contains("invalid") {
            assert!(!ingest.is_over(), "a name may be found later");
        } else {
            assert_eq!(ingest.finish().status, Some(1));
        }
    }
    assert_eq!(forum.server.requests(), []);
}
