//! A schedule → sample comments of a corpus → the stream `comments`.
//!
//! Ids and times follow from the schedule event, so a repeated invocation sends the same events. Comments are spread over the
//! minute: a burst is no stream. A comment that can't be sent is tried again until the deadline; then the invocation fails with
//! a count, and Lambda's asynchronous retry sends all of them again.

mod config;
mod corpus;
mod plan;

use plain_text::agree;
use std::time::Duration;

use jiff::Timestamp;
use modstream_corpus::Comment;
use modstream_events::{BadRecord, Event, Reason, ids};
use modstream_platform::deliver::{Cause, Delivery, DeliveryError, put_all};
use modstream_platform::{Clock, MAX_KEY_CHARS, Objects, PutRecord, Stream};
use modstream_quarantine::{Unsent, keep_unsent};
use modstream_telemetry::{comments_generated, comments_unsent};
use serde::Serialize;

pub use config::Config;
use corpus::Corpus;
pub use corpus::CorpusError;
use plan::Plan;
pub use plan::{Invocation, InvocationError};

/// The function's name.
pub const NAME: &str = "generate-comments";
/// The `source` of the function's events.
pub const SOURCE: &str = "urn:modstream:generate-comments";

/// The function.
#[derive(Debug)]
pub struct GenerateComments<S, O, C> {
    comments: S,
    objects: O,
    clock: C,
    config: Config,
    corpus: Corpus,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// How many comment events it put on the stream.
    pub comments: u64,
    /// How many comment events no record can hold; they lie in quarantine.
    pub quarantined: u64,
}

/// Why an invocation failed. A repeat sends the same events.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The payload can't be planned.
    #[error(transparent)]
    Invocation(#[from] InvocationError),
    /// The corpus can't be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Not all comments were sent.
    #[error("{unsent} of {comments} {} not sent: {cause}", agree(*comments, "comment was", "comments were"))]
    Unsent {
        /// How many comments were not sent.
        unsent: u64,
        /// How many comments there were to send.
        comments: u64,
        /// Why the first of them was not sent.
        cause: DeliveryError,
    },
}

impl<S: Stream, O: Objects, C: Clock> GenerateComments<S, O, C> {
    /// The function over its stream and bucket.
    pub fn new(config: Config, comments: S, objects: O, clock: C) -> Self {
        GenerateComments { comments, objects, clock, config, corpus: Corpus::default() }
    }

    /// Handles one invocation. Everything is done by `deadline`.
    ///
    /// # Errors
    /// Where payload or corpus can't be used, or not all comments were sent.
    pub async fn handle(
        &self,
        payload: &[u8],
        request_id: &str,
        deadline: Timestamp,
    ) -> Result<Generated, GenerateError> {
        let invocation = Invocation::parse(payload)?;
        let rows = self.corpus.rows(&self.objects, &self.clock, &self.config.corpus_key, deadline).await?;
        let start = self.clock.now();
        let plan = invocation.plan(request_id, start, &self.config, rows.len())?;
        let mut generated = Generated { comments: 0, quarantined: 0 };
        let mut unsent: Option<(u64, DeliveryError)> = None;
        let mut next = 0;
        while next < plan.comments {
            let since = |start| Duration::try_from(self.clock.now().duration_since(start)).unwrap_or_default();
            let left = Duration::try_from(deadline.duration_since(start)).unwrap_or_default();
            if plan.delay(next) >= left {
                // What is to be sent after the deadline can't be waited for.
                let error = DeliveryError { cause: Cause::NotTried, deadline_passed: true };
                unsent.get_or_insert((0, error)).0 += plan.comments - next;
                break;
            }
            if let Some(wait) = plan.delay(next).checked_sub(since(start)).filter(|wait| !wait.is_zero()) {
                self.clock.sleep(wait).await;
            }
            // While a call is under way the time of others comes: calls grow with the rate.
            let now = since(start).max(plan.delay(next));
            // Bounded, so that a burst of any size is built and sent piece by piece.
            let indices =
                (next..plan.comments).take(MAX_COMMENTS_AT_ONCE).take_while(|&index| plan.delay(index) <= now);
            let events: Vec<CommentEvent> =
                indices.map(|index| CommentEvent::new(&plan, index, &rows[plan.row(index)])).collect();
            next += events.len() as u64;
            self.send(events, deadline, &mut generated, &mut unsent).await;
        }
        match unsent {
            None => {
                comments_generated(&plan.schedule_event, generated.comments as usize, generated.quarantined as usize);
                Ok(generated)
            }
            Some((unsent, cause)) => {
                comments_unsent(&plan.schedule_event, unsent as usize, plan.comments as usize, &cause.to_string());
                Err(GenerateError::Unsent { unsent, comments: plan.comments, cause })
            }
        }
    }

    async fn send(
        &self,
        events: Vec<CommentEvent>,
        deadline: Timestamp,
        generated: &mut Generated,
        unsent: &mut Option<(u64, DeliveryError)>,
    ) {
        let records = events.iter().map(|event| event.record.clone()).collect();
        let deliveries = put_all(&self.comments, &self.clock, deadline, records).await;
        for (event, delivery) in events.iter().zip(deliveries) {
            let failed = match delivery {
                Delivery::Stored { .. } => {
                    generated.comments += 1;
                    None
                }
                delivery @ (Delivery::TooLarge { .. } | Delivery::Refused { .. }) => {
                    let bad = match delivery {
                        Delivery::Refused { message } => {
                            BadRecord::new(Reason::Refused, format!("the stream refuses the comment: {message}"))
                        }
                        _ => BadRecord::too_large(event.record.size()),
                    };
                    let unsent = Unsent {
                        stream: self.comments.name(),
                        id: &event.id,
                        time: event.time,
                        partition_key: &event.record.partition_key,
                        data: &event.record.data,
                    };
                    let kept = keep_unsent(&self.objects, &self.clock, deadline, SOURCE, unsent, bad).await;
                    generated.quarantined += u64::from(kept.is_ok());
                    kept.err()
                }
                Delivery::Failed(error) => Some(error),
            };
            if let Some(error) = failed {
                unsent.get_or_insert((0, error)).0 += 1;
            }
        }
    }
}

/// The most comments whose events are made before they are sent.
const MAX_COMMENTS_AT_ONCE: usize = 5_000;

/// A comment event, ready to be sent.
struct CommentEvent {
    id: String,
    time: Timestamp,
    record: PutRecord,
}

impl CommentEvent {
    fn new(plan: &Plan, index: u64, row: &Comment<'static>) -> Self {
        let id = ids::generated_comment(&plan.schedule_event, index).to_string();
        let time = plan.time(index);
        let mut comment = row.clone();
        comment.created_utc.get_or_insert(time.as_second());
        let key = comment.id.get_or_insert_with(|| id.clone().into());
        let partition_key =
            if (1..=MAX_KEY_CHARS).contains(&key.chars().count()) { key.clone().into_owned() } else { id.clone() };
        let data = Event::new(id.as_str(), SOURCE, time, comment).encode();
        CommentEvent { id, time, record: PutRecord { partition_key, data } }
    }
}
