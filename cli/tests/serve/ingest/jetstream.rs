//! A Jetstream that replays frames, by the lexicon of `app.bsky.feed.post`.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

/// What the server does in its turn.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Frame(Value),
    /// A text that need not be JSON.
    Text(String),
    Binary(Vec<u8>),
    /// The first half of a frame, and then the end of the connection.
    Cut(Value),
    /// The connection ends, as for a consumer that is too slow.
    Close(&'static str),
}

/// What was asked, connection by connection: the query.
type Asked = Arc<Mutex<Vec<String>>>;

pub(crate) struct Jetstream {
    port: u16,
    asked: Asked,
    acts: Arc<Mutex<Vec<Act>>>,
}

/// The time of a frame, by its number: some of them a second, and all of the last minutes.
pub(crate) fn time_of(number: u64) -> i64 {
    let begun = 1_767_607_500_000_000;
    begun + i64::try_from(number).expect("small") * 250_000
}

/// A frame about a post, which is numbered by its record key.
pub(crate) fn frame(number: u64, operation: &str, post: u64, text: &str) -> Value {
    let mut commit = json!({
        "rev": format!("3l3qo2{}", tid_of(number)), "operation": operation, "collection": "app.bsky.feed.post", "rkey": format!("3l{post:011}"),
    });
    if operation != "delete" {
        commit["record"] = json!({ "$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-01-05T10:00:00Z", "langs": ["en"] });
        commit["cid"] = json!("bafyreidwaivazkwu67xztlmuobx35hs2lnfh3kolmgfmucldvhd3sgzcqi");
    }
    json!({ "did": format!("did:plc:a{}", post % 7), "time_us": time_of(number), "kind": "commit", "commit": commit })
}

/// Seven digits of a timestamp identifier.
fn tid_of(number: u64) -> String {
    let digits = b"234567abcdefghijklmnopqrstuvwxyz";
    (0..7).rev().map(|place| char::from(digits[usize::try_from(number >> (5 * place) & 31).expect("small")])).collect()
}

impl Jetstream {
    /// Starts a server that sends each connection all frames from its cursor on, and then holds it open. What it does beside is
    /// done once, by the first connection that comes to it.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        Self::start_paced(acts, Duration::ZERO)
    }

    /// The same, with a pause before each frame.
    pub(crate) fn start_paced(acts: Vec<Act>, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("known").port();
        let (asked, acts) = (Asked::default(), Arc::new(Mutex::new(acts)));
        let (shared, known) = (Arc::clone(&acts), Arc::clone(&asked));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (acts, asked) = (Arc::clone(&shared), Arc::clone(&known));
                // A connection that ends badly is the client's to notice.
                std::thread::spawn(move || serve(connection, &acts, &asked, pause));
            }
        });
        Jetstream { port, asked, acts }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/subscribe", self.port)
    }

    /// The cursors that were asked for, connection by connection.
    pub(crate) fn cursors(&self) -> Vec<Option<i64>> {
        self.asked.lock().expect("not poisoned").iter().map(|query| cursor_of(query)).collect()
    }

    pub(crate) fn queries(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Goes on with these.
    pub(crate) fn push(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().expect("not poisoned").extend(acts);
    }
}

fn cursor_of(query: &str) -> Option<i64> {
    query.split('&').find_map(|part| part.strip_prefix("cursor="))?.parse().ok()
}

#[expect(clippy::result_large_err, reason = "an error is an answer, as the library has it")]
fn serve(connection: TcpStream, acts: &Mutex<Vec<Act>>, asked: &Asked, pause: Duration) -> Option<()> {
    let mut query = String::new();
    let greet = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        query = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let mut socket = accept_hdr(connection, greet).ok()?;
    let cursor = cursor_of(&query);
    asked.lock().expect("not poisoned").push(query);
    let mut next = 0;
    loop {
        let act = {
            let mut acts = acts.lock().expect("not poisoned");
            let act = acts.get(next).cloned();
            // What is done once.
            if matches!(act, Some(Act::Cut(_) | Act::Close(_))) {
                acts.remove(next);
            } else if act.is_some() {
                next += 1;
            }
            act
        };
        match act {
            // More may be pushed. A client that is gone is noticed by the next frame.
            None => {
                std::thread::sleep(Duration::from_millis(5));
                socket.send(Message::Pong(Vec::new().into())).ok()?;
            }
            Some(Act::Frame(frame)) => {
                if cursor.is_some_and(|cursor| frame["time_us"].as_i64().is_some_and(|time| time < cursor)) {
                    continue;
                }
                std::thread::sleep(pause);
                socket.send(Message::Text(frame.to_string().into())).ok()?;
            }
            Some(Act::Text(text)) => socket.send(Message::Text(text.into())).ok()?,
            Some(Act::Binary(bytes)) => socket.send(Message::Binary(bytes.into())).ok()?,
            Some(Act::Cut(frame)) => return cut(&mut socket, &frame),
            Some(Act::Close(reason)) => {
                let code = tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode::Policy;
                let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code, reason: reason.into() };
                socket.close(Some(frame)).ok()?;
                while socket.read().is_ok() {}
                return None;
            }
        }
    }
}

/// Writes the head of a frame, half of what it announces, and no more.
fn cut(socket: &mut WebSocket<TcpStream>, frame: &Value) -> Option<()> {
    use std::io::Write as _;
    let text = frame.to_string();
    let length = u16::try_from(text.len()).ok()?;
    let mut bytes = vec![0x81, 126];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&text.as_bytes()[..text.len() / 2]);
    socket.get_mut().write_all(&bytes).ok()
}
