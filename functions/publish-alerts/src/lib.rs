//! The stream `predictions` → the policy → the ledger → the topic `alerts`.
//!
//! An alert is requested in the ledger, published, and recorded as sent, in that order, so it is published at least once, and
//! again only after a call whose outcome is unknown. Its id knows the comment event and the policy, not the model: a new model
//! never alerts twice.

mod config;
mod policy;

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use jiff::Timestamp;
use kinesis_batch::{Batch, BatchResponse, Fault, Handler, Outcome, PayloadError, Record};
use modstream_events::{Alert, BadRecord, Event, Prediction, Reason, ids};
use modstream_ledger::{Keys, Ledger, Next};
use modstream_platform::deliver::{DeliveryError, Published, publish_all};
use modstream_platform::{Clock, MAX_PUBLISH_MESSAGES, Message, Objects, Topic};
use modstream_telemetry::{alert_resumed, batch_handled};
use named_mutations::is_on;

pub use config::{Config, Severities};
pub use policy::{Condition, Policy, PolicyError};

/// The function's name; its events' `source` is `urn:modstream:publish-alerts`.
pub const NAME: &str = "publish-alerts";
const SOURCE: &str = "urn:modstream:publish-alerts";

/// The function.
#[derive(Debug)]
pub struct PublishAlerts<T, O, C> {
    alerts: T,
    objects: O,
    clock: C,
    policy: Policy,
    severities: Severities,
}

impl<T: Topic, O: Objects, C: Clock> PublishAlerts<T, O, C> {
    /// The function over its topic and bucket.
    pub fn new(config: &Config, alerts: T, objects: O, clock: C) -> Self {
        PublishAlerts { alerts, objects, clock, policy: config.policy.clone(), severities: config.severities }
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
        let now = self.clock.now();
        let take_until = now + deadline.duration_since(now) / 2;
        let report = kinesis_batch::handle(&batch, &Publishing { function: self, take_until, deadline }).await;
        batch_handled(NAME, &batch, &report);
        Ok(report.response())
    }
}

/// An alert on its way.
struct Pending {
    id: String,
    keys: Keys,
    event: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

/// What subscriptions filter by. SNS refuses an attribute without a value.
fn attributes(alert: &Alert<'_>) -> BTreeMap<String, String> {
    let all = [
        ("severity", Some(alert.severity.as_str())),
        ("subreddit", alert.comment.subreddit.as_deref()),
        ("model_version", Some(alert.model.version.as_ref())),
    ];
    let set = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    set.filter(|(_, value)| !value.is_empty()).collect()
}

/// One batch.
struct Publishing<'a, T, O, C> {
    function: &'a PublishAlerts<T, O, C>,
    /// Half of the time is for deciding, the rest for publishing.
    take_until: Timestamp,
    deadline: Timestamp,
}

type Delivered = Outcome<BadRecord, DeliveryError>;

impl<T: Topic, O: Objects, C: Clock> Handler for Publishing<'_, T, O, C> {
    type Item = Pending;
    type Bad = BadRecord;
    type Error = DeliveryError;

    fn has_time(&self, _: &Record<'_>) -> bool {
        self.function.clock.now() < self.take_until
    }

    fn prepare(&self, _: &Record<'_>, data: &[u8]) -> Result<Option<Pending>, BadRecord> {
        let PublishAlerts { policy, severities, clock, .. } = self.function;
        let event: Event<'_, Prediction<'_>> = Event::decode(data)?;
        let prediction = event.data;
        if !policy.is_met_by(&prediction) {
            return Ok(None);
        }
        let comment_event = &prediction.comment_event;
        let name = if is_on("alert-by-model") { &prediction.model.version } else { policy.name.as_str() };
        let id = ids::alert(&comment_event.source, &comment_event.id, name).to_string();
        let keys = Keys::new(comment_event.time, &id);
        let severity = severities.of(prediction.probability);
        let alert = Alert::new(prediction, event.id, severity, policy.to_ref());
        let attributes = attributes(&alert);
        let event = Event::new(id.clone(), SOURCE, clock.now(), alert).encode();
        Ok(Some(Pending { id, keys, event, attributes }))
    }

    async fn deliver(&self, alerts: Vec<Pending>) -> Vec<Delivered> {
        // Repeats of an alert within the batch share the first one's fate.
        let mut first_of: HashMap<String, usize> = HashMap::new();
        let mut distinct: Vec<Pending> = Vec::with_capacity(alerts.len());
        let mut position: Vec<usize> = Vec::with_capacity(alerts.len());
        for alert in alerts {
            let next = distinct.len();
            let first = *first_of.entry(alert.id.clone()).or_insert(next);
            position.push(first);
            if first == next {
                distinct.push(alert);
            }
        }
        let mut fates: Vec<Delivered> = Vec::with_capacity(distinct.len());
        let mut rest = distinct.into_iter();
        loop {
            let group: Vec<Pending> = rest.by_ref().take(MAX_PUBLISH_MESSAGES).collect();
            // Lambda sends everything after the first failure again.
            if group.is_empty() || fates.iter().any(|fate| matches!(fate, Outcome::Transient(_))) {
                break;
            }
            fates.extend(self.publish(group).await);
        }
        position.into_iter().map_while(|first| fates.get(first).cloned()).collect()
    }

    async fn quarantine(&self, record: &Record<'_>, fault: &Fault<BadRecord>) -> Result<(), DeliveryError> {
        let PublishAlerts { objects, clock, .. } = self.function;
        modstream_quarantine::keep_record(objects, clock, self.deadline, SOURCE, record, fault).await
    }
}

impl<T: Topic, O: Objects, C: Clock> Publishing<'_, T, O, C> {
    /// Takes a group of different alerts, one call's worth, all the way.
    async fn publish(&self, group: Vec<Pending>) -> Vec<Delivered> {
        let PublishAlerts { alerts, objects, clock, .. } = self.function;
        let ledger = Ledger::new(objects, clock, self.deadline);
        if is_on("send-before-ledger") {
            let early = group.iter().map(|Pending { id, event, attributes, .. }| Message {
                id: id.clone(),
                body: String::from_utf8_lossy(event).into_owned(),
                attributes: attributes.clone(),
                ..Message::default()
            });
            publish_all(alerts, clock, self.deadline, early.collect()).await;
        }
        let requests = group.into_iter().map(|alert| async {
            let Pending { id, keys, event, attributes } = alert;
            let own = event.clone();
            let next = ledger.request(&keys, event).await;
            let message = next.map(|next| match next {
                Next::GoOn(bytes) => {
                    let mut attributes = attributes;
                    if bytes != own {
                        alert_resumed(&id);
                        // Another model may have requested it: attributes must say what the text says.
                        if let Ok(requested) = Event::<'_, Alert<'_>>::decode(&bytes) {
                            attributes = self::attributes(&requested.data);
                        }
                    }
                    let body = String::from_utf8_lossy(&bytes).into_owned();
                    Some(Message { id, body, attributes, ..Message::default() })
                }
                Next::Nothing => None,
            });
            (keys, message)
        });
        let mut keys = Vec::new();
        let mut messages = Vec::new();
        // An alert's fate, where it is known before the call; else it is one of `messages`.
        let mut known: Vec<Option<Delivered>> = Vec::new();
        for (key, message) in join_all(requests).await {
            known.push(match message {
                Ok(Some(message)) => {
                    keys.push(key);
                    messages.push(message);
                    None
                }
                Ok(None) => Some(Outcome::Done),
                Err(error) => Some(Outcome::Transient(error)),
            });
        }
        let published = publish_all(alerts, clock, self.deadline, messages).await;
        let records = keys.iter().zip(published).map(|(keys, published)| async {
            match published {
                Published::Accepted { message_id } => match ledger.sent(keys, message_id).await {
                    Ok(()) => Outcome::Done,
                    Err(error) => Outcome::Transient(error),
                },
                Published::Refused { code, message } => Outcome::Bad(BadRecord::new(
                    Reason::Refused,
                    format!("the topic refuses the alert: {code}: {message}"),
                )),
                Published::Failed(error) => Outcome::Transient(error),
            }
        });
        let mut answered = join_all(records).await.into_iter();
        known.into_iter().map_while(|fate| fate.or_else(|| answered.next())).collect()
    }
}
