//! A proxy between a function and the local stack, which fails calls as told.

mod publish_batch;
mod put_records;
mod refusal;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use modstream_stub_server::{Answer, Reply, Request, StubServer};

use super::process;
use crate::faults::Operation;
pub use refusal::Refusal;

/// A call of a function's.
pub struct Call<'a> {
    /// The function, as it is deployed.
    pub function: &'a str,
    /// What is called, where it is one of these.
    pub operation: Option<Operation>,
    /// The request itself.
    pub request: &'a Request,
}

/// What a call meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// It is refused, and does nothing.
    Refused(Refusal),
    /// It does everything, and the answer is lost; half of it where it is an object.
    AnswerLost,
    /// These entries of a batch fail, by position; the list repeats. Other calls pass.
    EntriesFail(Vec<bool>),
    /// The function is killed before the call has an effect.
    KilledBefore,
    /// The function is killed after it, and gets no answer.
    KilledAfter,
}

/// Says what a call meets. It is asked from several threads.
pub type Plan = dyn Fn(&Call<'_>) -> Mishap + Send + Sync;

/// A function's way to the local stack.
pub(super) struct Proxy {
    server: StubServer,
}

/// How often what happened: `calls`, `calls failed in part`, `entries failed`, `answers lost`; of a function `<function> refused`
/// and `<function> killed`; and what the stack itself refused, such as `PublishBatch answered 404`.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Proxy {
    /// One of `function`, which is called `name` on the stack, to the stack at `to`.
    pub(super) fn start(to: SocketAddr, function: &str, name: &str, plan: &Arc<Plan>, tally: &Tally) -> Self {
        let (function, name, plan, tally) = (function.to_owned(), name.to_owned(), Arc::clone(plan), tally.clone());
        let server = StubServer::unrecorded(move |request| {
            let call = Call { function: &function, operation: operation(request), request };
            tally.count("calls", 1);
            pass(&call, plan(&call), to, &name, &tally)
        });
        Proxy { server: server.expect("a free port") }
    }

    /// Its address, as a URL.
    pub(super) fn url(&self) -> String {
        self.server.url()
    }
}

impl Tally {
    /// How often this was counted.
    pub fn of(&self, what: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied().unwrap_or_default()
    }

    fn count(&self, what: &str, times: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what.to_owned()).or_default() += times as u64;
    }
}

fn pass(call: &Call<'_>, mishap: Mishap, to: SocketAddr, name: &str, tally: &Tally) -> Reply {
    let forward = |request: &Request| {
        // What the stack does not answer, the function is not told either.
        let answer = request.forward(to).ok()?;
        if let Some(operation) = call.operation.filter(|_| answer.status() >= 400) {
            tally.count(&format!("{operation:?} answered {}", answer.status()), 1);
        }
        Some(answer)
    };
    let kill = || {
        let killed = process::kill(name, to.port());
        tally.count(&format!("{} killed", call.function), usize::from(killed > 0));
        Reply::HangUp
    };
    match mishap {
        Mishap::None => forward(call.request).map_or(Reply::HangUp, Reply::Answer),
        Mishap::Refused(refusal) => {
            tally.count(&format!("{} refused", call.function), 1);
            refusal.answer(call.operation).into()
        }
        Mishap::AnswerLost => {
            tally.count("answers lost", 1);
            match forward(call.request) {
                Some(answer) if call.operation == Some(Operation::GetObject) => Reply::BreakOff(answer),
                _ => Reply::HangUp,
            }
        }
        Mishap::EntriesFail(pattern) => in_part(call, &pattern, forward, tally),
        Mishap::KilledBefore => kill(),
        Mishap::KilledAfter => {
            forward(call.request);
            kill()
        }
    }
}

fn in_part(call: &Call<'_>, pattern: &[bool], forward: impl Fn(&Request) -> Option<Answer>, tally: &Tally) -> Reply {
    let parts = match call.operation {
        Some(Operation::PutRecords) => put_records::split(call.request, pattern),
        Some(Operation::PublishBatch) => publish_batch::split(call.request, pattern),
        _ => None,
    };
    let Some(parts) = parts else { return forward(call.request).map_or(Reply::HangUp, Reply::Answer) };
    let answer = match &parts.rest {
        Some(rest) => forward(rest),
        None => Some((parts.nothing)()),
    };
    let Some(answer) = answer else { return Reply::HangUp };
    if answer.status() != 200 {
        return answer.into();
    }
    tally.count("entries failed", parts.failed);
    tally.count("calls failed in part", 1);
    (parts.merge)(answer).into()
}

/// A batch, some of whose entries fail.
struct Parts {
    /// How many fail.
    failed: usize,
    /// The call with the others; none where all fail.
    rest: Option<Request>,
    /// The answer to a call without entries.
    nothing: fn() -> Answer,
    /// Adds those that fail to the others' answer.
    merge: Box<dyn Fn(Answer) -> Answer>,
}

/// Which of so many entries fail.
fn failing(pattern: &[bool], entries: usize) -> Vec<bool> {
    pattern.iter().copied().cycle().take(entries).collect()
}

fn operation(request: &Request) -> Option<Operation> {
    match request.method.as_str() {
        "POST" if request.header("x-amz-target").is_some_and(|target| target.ends_with(".PutRecords")) => {
            Some(Operation::PutRecords)
        }
        "POST" if request.body.starts_with(b"Action=PublishBatch&") => Some(Operation::PublishBatch),
        "POST" => match request.header("x-amz-target")?.strip_prefix("DynamoDB_20120810.")? {
            "GetItem" | "BatchGetItem" | "Query" => Some(Operation::ReadItems),
            "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems" => Some(Operation::WriteItems),
            _ => None,
        },
        "PUT" => Some(Operation::PutObject),
        "GET" if !request.target.contains("list-type=2") => Some(Operation::GetObject),
        _ => None,
    }
}
