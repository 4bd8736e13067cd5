//! Mastodon, by a server of this machine with a stream and a timeline.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::process::{Ingest, Kinesis, arg, ingest, state, to_aws, until};
use crate::server::folder;

const TOKEN: &str = "token-of-an-account";

#[derive(Default)]
struct State {
    /// All statuses, in the order of their ids.
    timeline: Vec<Value>,
    /// What each open stream is still to be sent.
    streams: Vec<Vec<String>>,
    /// Every request, by its path and query.
    asked: Vec<String>,
    /// Whether streams end at once.
    is_ending: bool,
}

#[derive(Clone)]
struct Mastodon {
    port: u16,
    state: Arc<Mutex<State>>,
}

fn status(id: u64, text: &str) -> Value {
    json!({
        "id": id.to_string(), "created_at": "2026-01-05T10:00:00.000Z", "visibility": "public", "spoiler_text": "", "reblog": null,
        "edited_at": null, "content": format!("<p>{text}</p>"), "account": { "acct": "maja" },
    })
}

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

impl Mastodon {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Mastodon { port: listener.local_addr().expect("known").port(), state: Arc::default() };
        let shared = server.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let server = shared.clone();
                // A connection that ends badly is the client's to notice.
                std::thread::spawn(move || server.serve(connection));
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().expect("not poisoned"))
    }

    /// Somebody writes a status.
    fn post(&self, id: u64, text: &str) {
        let status = status(id, text);
        self.with(|state| {
            state.timeline.push(status.clone());
            for stream in &mut state.streams {
                stream.push(event("update", &status.to_string()));
            }
        });
    }

    /// The streams say this.
    fn say(&self, text: &str) {
        self.with(|state| state.streams.iter_mut().for_each(|stream| stream.push(text.to_owned())));
    }

    /// All streams break off.
    fn break_off(&self) {
        self.with(|state| state.is_ending = true);
        until("the streams end", || self.with(|state| state.streams.iter().all(Vec::is_empty)));
    }

    fn open_streams(&self) -> usize {
        self.with(|state| state.asked.iter().filter(|path| path.contains("/streaming/")).count())
    }

    fn serve(&self, mut connection: TcpStream) -> Option<()> {
        let mut reading = BufReader::new(connection.try_clone().ok()?);
        let (mut line, mut is_let_in) = (String::new(), false);
        reading.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        loop {
            line.clear();
            reading.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            is_let_in |= line.trim().eq_ignore_ascii_case(&format!("authorization: Bearer {TOKEN}"));
        }
        let mut answer = |status: u16, body: &str| {
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            connection.write_all(head.as_bytes()).ok()
        };
        if !is_let_in {
            return answer(401, "{\"error\":\"The access token is invalid\"}");
        }
        self.with(|state| state.asked.push(path.clone()));
        if let Some((_, query)) = path.split_once("/api/v1/timelines/public?min_id=") {
            let known: u64 = query.split('&').next()?.parse().ok()?;
            let body = self.with(|state| {
                let id = |status: &&Value| {
                    status["id"].as_str().and_then(|id| id.parse::<u64>().ok()).is_some_and(|id| id > known)
                };
                let mut page: Vec<&Value> = state.timeline.iter().filter(id).take(40).collect();
                page.reverse();
                json!(page).to_string()
            });
            return answer(200, &body);
        }
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n:)\n\n").ok()?;
        let own = self.with(|state| {
            state.is_ending = false;
            state.streams.push(Vec::new());
            state.streams.len() - 1
        });
        loop {
            let (texts, is_ending) = self.with(|state| (std::mem::take(&mut state.streams[own]), state.is_ending));
            for text in texts {
                connection.write_all(text.as_bytes()).ok()?;
            }
            if is_ending {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
            connection.write_all(b":thump\n").ok()?;
        }
    }
}

fn of<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["mastodon", "--url", url, "--allow-private", "127.0.0.1"], more].concat()
}

#[test]
fn what_comes_between_two_streams_is_read_from_the_timeline_once() {
    let (server, aws, folder) = (Mastodon::start(), Kinesis::start(), folder());
    server.post(1, "before anybody read");
    let (path, token, url) = (folder.path().join("state.json"), folder.path().join("token"), server.url());
    std::fs::write(&token, format!("{TOKEN}\n")).expect("written");
    let args = of(&url, &["--state", arg(&path), "--token-file", arg(&token), "--json"]);
    let first = Ingest::start(&mut to_aws(&aws, &args));
    until("a stream", || server.open_streams() == 1);
    server.post(2, "two");
    server.say(&event("status.update", &{
        let mut edited = status(1, "edited");
        edited["edited_at"] = json!("2026-01-05T10:01:00.000Z");
        edited.to_string()
    }));
    server.say(&event("delete", "1"));
    server.say(&event("update", "{\"id\":"));
    server.say(&event("update", &"x".repeat(2 << 20)));
    until("three events", || aws.count() == 3);
    server.break_off();
    // Nobody reads now, until the stream is opened again: more than a page.
    for id in 3..=100 {
        server.post(id, &format!("number {id}"));
    }
    until("a second stream", || server.open_streams() == 2);
    until("all statuses", || aws.ids().len() == 101);
    let line = first.end().done();
    assert_eq!(line["events"], json!({ "created": 99, "deleted": 1, "edited": 1 }));
    assert_eq!((&line["skipped"], &line["interruptions"]), (&json!({ "not_json": 1, "too_large": 1 }), &json!(1)));
    assert_eq!(state(&path)["cursor"], json!({ "status": "100" }));
    server.post(101, "while it did not run");
    let second = Ingest::start(&mut to_aws(&aws, &args));
    until("the last one", || aws.ids().len() == 102);
    assert_eq!(second.end().done()["events"], json!({ "created": 1 }));
    let last = aws.events().pop().expect("an event");
    let source = (&last["source"], &last["data"]["subreddit"], &last["data"]["body"]);
    assert_eq!(source, (&json!(url), &json!("127.0.0.1"), &json!("while it did not run")));
}

#[test]
fn killed_it_says_what_was_not_acknowledged_again() {
    let (server, aws, folder) = (Mastodon::start(), Kinesis::start(), folder());
    let (path, url) = (folder.path().join("state.json"), server.url());
    let args = of(&url, &["--state", arg(&path)]);
    let start = || Ingest::start(to_aws(&aws, &args).env("MODSTREAM_MASTODON_TOKEN", TOKEN));
    // A place to go on from.
    let first = start();
    until("a stream", || server.open_streams() == 1);
    server.post(1, "one");
    until("the first", || aws.count() == 1);
    assert_eq!(first.end().status, Some(0));
    for round in 0..4_u64 {
        let ingest = start();
        until("a stream", || server.with(|state| state.asked.len()) > usize::try_from(round).expect("small"));
        for id in 0..20 {
            server.post(2 + 20 * round + id, "more");
        }
        let before = aws.count();
        until("some more", || aws.count() > before);
        ingest.kill();
    }
    let ingest = start();
    until("all", || aws.ids().len() == 81);
    assert_eq!(ingest.end().status, Some(0));
    assert!(aws.count() > 81, "it was never killed between a put and its place");
}

#[test]
fn without_a_token_it_says_what_the_server_wants_and_no_line_holds_the_token() {
    let server = Mastodon::start();
    let url = server.url();
    let ran = Ingest::start(&mut ingest(&of(&url, &["--print"]))).finish();
    assert!(ran.status == Some(1) && ran.stderr.contains("MODSTREAM_MASTODON_TOKEN"), "{ran:?}");
    let ran = Ingest::start(ingest(&of(&url, &["--print"])).env("MODSTREAM_MASTODON_TOKEN", "wrong-token")).finish();
    assert!(ran.status == Some(1) && ran.stderr.contains("The access token is invalid"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("wrong-token"));
    let ran = Ingest::start(ingest(&of(&url, &["--print"])).env("MODSTREAM_MASTODON_TOKEN", "two\nlines")).finish();
    assert!(ran.status == Some(1) && ran.stderr.contains("MODSTREAM_MASTODON_TOKEN holds no key"), "{ran:?}");
    assert_eq!(server.with(|state| state.asked.len()), 0);
}
