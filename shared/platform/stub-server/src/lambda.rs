use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Answer, Reply, Request, StubServer, WAIT_TIMEOUT, lock};

/// Lambda's [Runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), for one bootstrap.
#[derive(Debug)]
pub struct Lambda {
    server: StubServer,
    events: Sender<Event>,
    ends: Mutex<Receiver<(String, Ended)>>,
}

#[derive(Debug)]
struct Event {
    request_id: String,
    deadline: SystemTime,
    payload: Vec<u8>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The function answered with a response.
    Response(serde_json::Value),
    /// The function answered with an error.
    Error {
        /// The error's `errorType`.
        error_type: String,
        /// The error's `errorMessage`.
        message: String,
    },
}

impl Lambda {
    /// Starts an API that has no invocation yet.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn start() -> io::Result<Self> {
        let (events, waiting) = channel();
        let (ended, ends) = channel();
        let (waiting, ended) = (Arc::new(Mutex::new(waiting)), Mutex::new(ended));
        let server = StubServer::start(move |request| match request.target.rsplit('/').next() {
            // The API waits as Lambda does; without a sender left no event can come.
            Some("next") => lock(&waiting).recv().map_or(Reply::Silence, |event| next(&event)),
            Some(end) => {
                if let Some(end) = read_end(request, end) {
                    // Nobody waits for an invocation that was given up.
                    let _ = lock(&ended).send(end);
                }
                Answer::new(202, *b"{\"status\":\"OK\"}").into()
            }
            None => Answer::new(404, *b"").into(),
        })?;
        Ok(Lambda { server, events, ends: Mutex::new(ends) })
    }

    /// The address that `AWS_LAMBDA_RUNTIME_API` must hold.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// Waits until the bootstrap asks for its first invocation.
    pub fn wait_until_started(&self) {
        self.server.wait_for(|request| request.target.ends_with("/next"));
    }

    /// Queues an invocation that has this much time.
    pub fn send(&self, request_id: &str, time: Duration, payload: &[u8]) {
        let deadline = SystemTime::now() + time;
        let event = Event { request_id: request_id.to_owned(), deadline, payload: payload.to_vec() };
        // The receiver lives in the server, which serves until the process ends.
        let _ = self.events.send(event);
    }

    /// Waits for the end of the oldest invocation that was not waited for yet.
    ///
    /// # Panics
    /// Panics where no invocation ends within [`WAIT_TIMEOUT`].
    pub fn wait_for_end(&self) -> (String, Ended) {
        lock(&self.ends).recv_timeout(WAIT_TIMEOUT).unwrap_or_else(|_| panic!("no answer within {WAIT_TIMEOUT:?}"))
    }

    /// Invokes the function and waits for the invocation's end.
    ///
    /// # Panics
    /// Panics where no invocation ends within [`WAIT_TIMEOUT`].
    pub fn invoke(&self, request_id: &str, payload: &[u8]) -> Ended {
        self.send(request_id, Duration::from_secs(60), payload);
        let (ended, end) = self.wait_for_end();
        assert_eq!(ended, request_id, "another invocation ended");
        end
    }
}

fn next(event: &Event) -> Reply {
    let deadline = event.deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Answer::new(200, event.payload.clone())
        .header("Lambda-Runtime-Aws-Request-Id", &event.request_id)
        .header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:stub")
        .into()
}

fn read_end(request: &Request, end: &str) -> Option<(String, Ended)> {
    let request_id = request.target.rsplit('/').nth(1)?.to_owned();
    let body = serde_json::from_slice(&request.body).unwrap_or(serde_json::Value::Null);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match end {
        "response" => Some((request_id, Ended::Response(body))),
        "error" => Some((request_id, Ended::Error { error_type: text("errorType"), message: text("errorMessage") })),
        _ => None,
    }
}
