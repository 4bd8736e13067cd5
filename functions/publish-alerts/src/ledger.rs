//! What is known of each alert: two objects that never change, under `alerts/<hour of the comment event>/<alert id>/`.
//!
//! `requested.json` is the alert event, written before it is published; `sent.json` is written after. Requested and not sent
//! means: send now. Lambda runs one batch at a time a shard, and a comment's predictions share a shard, so nobody else is
//! about to.

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, PutIfAbsent, get, put, put_if_absent};
use modstream_platform::{Clock, Fetched, Objects};
use named_mutations::is_on;
use serde::{Deserialize, Serialize};

/// An alert's two objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The alert event.
    pub requested: String,
    /// A [`Sent`].
    pub sent: String,
}

impl Keys {
    /// Of the alert `id` about the comment event of `time`.
    pub fn new(time: Timestamp, id: &str) -> Self {
        let hour = time.strftime("%Y-%m-%dT%H");
        Keys { requested: format!("alerts/{hour}/{id}/requested.json"), sent: format!("alerts/{hour}/{id}/sent.json") }
    }
}

/// The content of `sent.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When the topic took it.
    pub time: Timestamp,
    /// The topic's id of the message.
    pub message_id: String,
}

/// What to do about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Publish this event.
    Publish(Vec<u8>),
    /// Nothing: it was published before.
    Nothing,
}

/// The ledger of a bucket.
#[derive(Debug)]
pub(crate) struct Ledger<'a, O, C> {
    pub(crate) objects: &'a O,
    pub(crate) clock: &'a C,
    pub(crate) deadline: Timestamp,
}

impl<O: Objects, C: Clock> Ledger<'_, O, C> {
    /// Records the wish to publish `event`. What an earlier delivery wished for is what is published.
    pub(crate) async fn request(&self, keys: &Keys, event: Vec<u8>) -> Result<Next, DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        if put_if_absent(objects, clock, deadline, &keys.requested, event.clone()).await? == PutIfAbsent::Written {
            return Ok(Next::Publish(event));
        }
        let sent = get(objects, clock, deadline, &keys.sent, None).await?;
        if matches!(sent, Fetched::Object { .. }) && !is_on("ignore-sent") {
            return Ok(Next::Nothing);
        }
        match get(objects, clock, deadline, &keys.requested, None).await? {
            Fetched::Object { bytes, .. } if !is_on("publish-own-text") => Ok(Next::Publish(bytes)),
            // It was there a moment ago; without it, what we have is as good.
            _ => Ok(Next::Publish(event)),
        }
    }

    /// Records that the topic took it.
    pub(crate) async fn sent(&self, keys: &Keys, message_id: String) -> Result<(), DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        let sent = Sent { time: clock.now(), message_id };
        let bytes = serde_json::to_vec(&sent).unwrap_or_default();
        if is_on("overwrite-ledger") {
            return put(objects, clock, deadline, &keys.sent, bytes).await.map(drop);
        }
        put_if_absent(objects, clock, deadline, &keys.sent, bytes).await.map(drop)
    }
}
