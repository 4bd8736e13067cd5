//! The stream `comments` → the models → the stream `predictions`: one prediction a comment.
//!
//! A batch is scored with one snapshot of the model of removals, and one of the harm model, if there is one: labels are added
//! where they can be, and nothing waits for them. Bad records go to quarantine, the rest is delivered in order, and the
//! response names the first record that must come again ([`kinesis_batch`] has the rules).

mod config;
mod predict;

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use kinesis_batch::{Batch, BatchResponse, Fault, Handler, Outcome, PayloadError, Record};
use modstream_events::{BadRecord, Reason};
use modstream_in_use::models::{Following, FollowingHarm, ModelStore, StoreError};
use modstream_platform::deliver::{Delivery, DeliveryError, put_all};
use modstream_platform::{Clock, Objects, PutRecord, Stream};
use modstream_telemetry::batch_handled;

pub use config::Config;
use predict::{Models, Scratches};

/// The function's name; its events' `source` is `urn:modstream:score-comments`.
pub const NAME: &str = "score-comments";
const SOURCE: &str = "urn:modstream:score-comments";

/// The function can't start without a model.
#[derive(Debug, thiserror::Error)]
#[error("no model to score with: {0}")]
pub struct StartError(#[from] StoreError);

/// The function.
#[derive(Debug)]
pub struct ScoreComments<S, O, C> {
    predictions: S,
    objects: O,
    clock: C,
    models: Following<O, C>,
    harm: Option<FollowingHarm<O, C>>,
    top_terms: usize,
    /// The buffers of batches before: what they hold of words need not be found again.
    scratches: Mutex<Vec<Scratches>>,
}

impl<S: Stream, O: Objects + Clone, C: Clock + Clone> ScoreComments<S, O, C> {
    /// Loads the models in use.
    ///
    /// # Errors
    /// Where there is none of removals, or it is refused: the function must not start then. A harm model may be missing.
    pub async fn start(
        config: &Config,
        predictions: S,
        objects: O,
        clock: C,
        deadline: Timestamp,
    ) -> Result<Self, StartError> {
        let store = ModelStore::new(objects.clone(), clock.clone(), config.model_name.clone());
        let models = Following::start(store, config.base_rate, deadline).await?;
        let harm = match &config.harm_model_name {
            Some(name) => {
                let store = ModelStore::new(objects.clone(), clock.clone(), name.clone());
                Some(FollowingHarm::start(store, deadline).await)
            }
            None => None,
        };
        let (top_terms, scratches) = (config.top_terms, Mutex::default());
        Ok(ScoreComments { predictions, objects, clock, models, harm, top_terms, scratches })
    }

    /// Handles one invocation: a Kinesis payload in, the partial batch response out. Everything is done by `deadline`.
    ///
    /// # Errors
    /// Where the payload is no batch of Kinesis records.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<BatchResponse, PayloadError> {
        let batch = Batch::parse(payload)?;
        if batch.records.is_empty() {
            return Ok(BatchResponse::success());
        }
        let removal = self.models.snapshot(deadline).await;
        let harm = match &self.harm {
            Some(harm) => harm.snapshot(deadline).await,
            None => None,
        };
        let models = Models { removal: &removal, harm: harm.as_deref(), top_terms: self.top_terms };
        let now = self.clock.now();
        let take_until = now + deadline.duration_since(now) / 2;
        let scratches = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = Mutex::new(scratches().pop().unwrap_or_default());
        let work = Scoring { function: self, models, scratch, take_until, deadline };
        let report = kinesis_batch::handle(&batch, &work).await;
        // Those of a batch whose last record panicked are gone: nobody knows what they hold.
        scratches().extend(work.scratch.into_inner());
        batch_handled(NAME, &batch, &report);
        Ok(report.response())
    }
}

/// What scoring one batch of comments needs.
struct Scoring<'a, S, O, C> {
    function: &'a ScoreComments<S, O, C>,
    models: Models<'a>,
    scratch: Mutex<Scratches>,
    /// Half of the time is for scoring, the rest for sending.
    take_until: Timestamp,
    deadline: Timestamp,
}

impl<S: Stream, O: Objects, C: Clock> Handler for Scoring<'_, S, O, C> {
    type Item = PutRecord;
    type Bad = BadRecord;
    type Error = DeliveryError;

    fn has_time(&self, _: &Record<'_>) -> bool {
        self.function.clock.now() < self.take_until
    }

    fn prepare(&self, record: &Record<'_>, data: &[u8]) -> Result<Option<PutRecord>, BadRecord> {
        let mut scratch = self.scratch.lock().unwrap_or_else(|poisoned| {
            // A panic over an earlier record left the buffers in an unknown state.
            self.scratch.clear_poison();
            let mut scratch = poisoned.into_inner();
            *scratch = Scratches::default();
            scratch
        });
        let now = self.function.clock.now();
        let data = predict::predict(&self.models, data, modstream_quarantine::arrived(record), now, &mut scratch)?;
        Ok(Some(PutRecord { partition_key: record.partition_key.clone().into_owned(), data }))
    }

    async fn deliver(&self, predictions: Vec<PutRecord>) -> Vec<Outcome<BadRecord, DeliveryError>> {
        let ScoreComments { predictions: stream, clock, .. } = self.function;
        let deliveries = put_all(stream, clock, self.deadline, predictions).await;
        deliveries
            .into_iter()
            .map(|delivery| match delivery {
                Delivery::Stored { .. } => Outcome::Done,
                Delivery::TooLarge { bytes } => Outcome::Bad(BadRecord::too_large(bytes)),
                Delivery::Refused { message } => Outcome::Bad(BadRecord::new(
                    Reason::Refused,
                    format!("the stream refuses the prediction: {message}"),
                )),
                Delivery::Failed(error) => Outcome::Transient(error),
            })
            .collect()
    }

    async fn quarantine(&self, record: &Record<'_>, fault: &Fault<BadRecord>) -> Result<(), DeliveryError> {
        let ScoreComments { objects, clock, .. } = self.function;
        modstream_quarantine::keep_record(objects, clock, self.deadline, SOURCE, record, fault).await
    }
}
