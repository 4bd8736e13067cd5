//! Where events go: a stream, a running `modstream serve`, or standard output.

use std::time::Duration;

use anyhow::Context as _;
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::{CallError, CallErrorKind, PutOutcome, PutRecord, Stream};
use modstream_sources::Ready;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::dial::Dialer;
use super::http::{Answer, AskError, Asked, Refusal, ask};
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::interrupt::Interrupts;
use crate::common::reached::{AnyStream, place_of};

/// How long it is waited when nothing was taken for as long as a put is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what is being put may take when an end is asked for. What is not acknowledged then comes again.
const ENDING_TIMEOUT: Duration = Duration::from_secs(10);

/// Where events go.
pub(super) enum Sink {
    Stream(AnyStream),
    Serve(Box<ServeStream>),
    /// Standard output, a line each.
    Print,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Taken,
    TooLarge,
    Refused(String),
}

/// What became of a batch.
pub(super) enum Batch {
    /// Everything is taken, or refused for good.
    Done(Vec<Put>),
    /// An end was asked for before all was taken.
    Unfinished,
}

impl Sink {
    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Sink::Stream(stream @ AnyStream::Kinesis(_)) => stream.name().to_owned(),
            Sink::Stream(AnyStream::Here(_)) => place_of("the stream", crate::common::reached::HERE),
            Sink::Serve(serve) => serve.name.clone(),
            Sink::Print => "standard output".to_owned(),
        }
    }

    /// Puts events, in their order for each comment, for as long as it takes, unless an end is asked for.
    ///
    /// # Errors
    /// Where nothing is taken before a person acts.
    pub(super) async fn put(&self, events: Vec<Ready>, interrupts: &Interrupts) -> anyhow::Result<Batch> {
        match self {
            Sink::Print => {
                let mut lines = Vec::with_capacity(events.iter().map(|event| event.bytes.len() + 1).sum());
                for event in &events {
                    lines.extend_from_slice(&event.bytes);
                    lines.push(b'\n');
                }
                // An event's JSON is UTF-8.
                print(&String::from_utf8_lossy(&lines))?;
                Ok(Batch::Done(vec![Put::Taken; events.len()]))
            }
            Sink::Stream(stream) => put_on(stream, &self.name(), events, interrupts).await,
            Sink::Serve(stream) => put_on(&**stream, &self.name(), events, interrupts).await,
        }
    }
}

async fn put_on<S: Stream>(
    stream: &S,
    name: &str,
    events: Vec<Ready>,
    interrupts: &Interrupts,
) -> anyhow::Result<Batch> {
    let mut puts: Vec<Option<Put>> = vec![None; events.len()];
    let mut left: Vec<(usize, PutRecord)> = events
        .into_iter()
        .map(|Ready { partition_key, bytes, .. }| PutRecord { partition_key, data: bytes })
        .enumerate()
        .collect();
    while !left.is_empty() {
        let records = left.iter().map(|(_, record)| record.clone()).collect();
        let putting = Box::pin(put_all(stream, &SystemClock, deadline(), records));
        let deliveries = tokio::select! {
            biased;
            deliveries = putting => deliveries,
            () = ending(interrupts) => return Ok(Batch::Unfinished),
        };
        let mut failed = Vec::new();
        let mut cause = None;
        for ((place, record), delivery) in std::mem::take(&mut left).into_iter().zip(deliveries) {
            match delivery {
                Delivery::Stored { .. } => puts[place] = Some(Put::Taken),
                Delivery::TooLarge { .. } => puts[place] = Some(Put::TooLarge),
                Delivery::Refused { message } => puts[place] = Some(Put::Refused(message)),
                Delivery::Failed(error) if error.deadline_passed => {
                    cause = Some(error);
                    failed.push((place, record));
                }
                Delivery::Failed(error) => return Err(error).with_context(|| format!("{name} takes no more")),
            }
        }
        left = failed;
        if let Some(cause) = cause {
            eprintln!("{name} takes nothing for now, and what comes waits: {cause}");
            tokio::select! {
                biased;
                () = interrupts.asked() => return Ok(Batch::Unfinished),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
    Ok(Batch::Done(puts.into_iter().flatten().collect()))
}

/// Returns a while after an end was asked for, or when it is asked for again.
async fn ending(interrupts: &Interrupts) {
    interrupts.asked().await;
    tokio::select! {
        () = interrupts.asked_twice() => {}
        () = tokio::time::sleep(ENDING_TIMEOUT) => {}
    }
}

/// The comments of a running `modstream serve`, over HTTP. It drops repeats by their ids.
pub(super) struct ServeStream {
    name: String,
    comments: Url,
    key: Option<String>,
    dialer: Dialer,
}

impl ServeStream {
    pub(super) fn new(url: &Url, key: Option<String>, dialer: Dialer) -> Self {
        let mut comments = url.clone();
        comments.set_path(&format!("{}/v1/comments", url.path().trim_end_matches('/')));
        ServeStream { name: url.as_str().trim_end_matches('/').to_owned(), comments, key, dialer }
    }
}

/// What `/v1/comments` answers, as far as it is read here.
#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    refused: Vec<IgnoredAny>,
}

impl Stream for ServeStream {
    fn name(&self) -> &str {
        &self.name
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let mut body = vec![b'['];
        for record in records {
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(&record.data);
        }
        body.push(b']');
        let asked = Asked { token: self.key.as_deref(), body: Some(("application/cloudevents-batch+json", body)) };
        let failed = |kind, message| CallError { service: "serve", operation: "POST /v1/comments", kind, message };
        let answer = ask(&self.dialer, &self.comments, asked).await.map_err(|error| {
            let kind = match &error {
                AskError::Dial(error) if error.is_final() => CallErrorKind::Invalid,
                AskError::Dial(_) => CallErrorKind::Unavailable,
                AskError::BrokenOff { .. } | AskError::TooSlow { .. } => CallErrorKind::OutcomeUnknown,
            };
            failed(kind, error.to_string())
        })?;
        read(&answer, records.len()).map_err(|kind| {
            let message = match kind {
                CallErrorKind::Denied => {
                    format!(
                        "{}; it needs a key of the role send: --key-file, or MODSTREAM_KEY",
                        Refusal::of(&self.comments, &answer)
                    )
                }
                _ => Refusal::of(&self.comments, &answer).to_string(),
            };
            failed(kind, message)
        })
    }
}

fn read(answer: &Answer, records: usize) -> Result<Vec<PutOutcome>, CallErrorKind> {
    match answer.status {
        202 => {
            let answered: Answered = serde_json::from_slice(&answer.body).map_err(|_| CallErrorKind::Invalid)?;
            // Which of them it is shows when they are sent by themselves: what was taken is a repeat then.
            if !answered.refused.is_empty() {
                return Err(CallErrorKind::Refused);
            }
            let stored = PutOutcome::Stored { shard_id: String::new(), sequence_number: String::new() };
            Ok(vec![stored; records])
        }
        // Nothing of it is an event, or it is too much at once.
        400 | 413 => Err(CallErrorKind::Refused),
        401 | 403 => Err(CallErrorKind::Denied),
        408 | 425 | 429 | 500..=599 => Err(CallErrorKind::Unavailable),
        _ => Err(CallErrorKind::Invalid),
    }
}
