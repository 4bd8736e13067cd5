use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, PutIfAbsent, get, put_if_absent};
use modstream_platform::{Bytes, Clock, Fetched, Objects};
use serde::{Deserialize, Serialize};

use crate::keys::Keys;

/// The content of `sent.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When the topic took it.
    pub time: Timestamp,
    /// The topic's id of the message.
    pub message_id: String,
}

/// The content of `withheld.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// When it was decided.
    pub time: Timestamp,
    /// Why the alert is withheld.
    pub reason: Withholding,
    /// The same as a sentence, for whoever reads the digest.
    pub detail: String,
}

/// Why an alert is not published by itself. It is in the digest and at the desk all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withholding {
    /// The hour's budget is spent.
    Budget,
    /// The breaker is open.
    Breaker,
    /// The subreddit's quiet hours.
    QuietHours,
    /// The policy sends its alerts by digest alone.
    Channel,
    /// The comment meets no policy: it is asked about to learn what such comments are like.
    Exploration,
}

impl Withholding {
    /// The reason as it stands in `withheld.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Withholding::Budget => "budget",
            Withholding::Breaker => "breaker",
            Withholding::QuietHours => "quiet_hours",
            Withholding::Channel => "channel",
            Withholding::Exploration => "exploration",
        }
    }
}

/// What to do about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Publish or withhold the event.
    GoOn,
    /// Publish or withhold this event, which an earlier attempt requested and may have gone on with.
    Resume(Bytes),
    /// There is nothing to do: the alert was published or withheld before.
    Nothing,
}

/// The ledger of a bucket.
#[derive(Debug)]
pub struct Ledger<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> Ledger<'a, O, C> {
    /// The ledger in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        Ledger { objects, clock, deadline }
    }

    /// Records the wish to publish `event`. What an earlier delivery wished for is what is published.
    ///
    /// # Errors
    /// Where it is not known by the deadline that the wish is recorded.
    pub async fn request(&self, keys: &Keys, event: impl Into<Bytes>) -> Result<Next, DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        let event = event.into();
        if put_if_absent(objects, clock, deadline, &keys.requested, event.clone()).await? == PutIfAbsent::Written {
            return Ok(Next::GoOn);
        }
        for settled in [&keys.sent, &keys.withheld] {
            let found = get(objects, clock, deadline, settled, None).await?;
            if matches!(found, Fetched::Object { .. }) {
                return Ok(Next::Nothing);
            }
        }
        match get(objects, clock, deadline, &keys.requested, None).await? {
            Fetched::Object { bytes, .. } => Ok(Next::Resume(bytes.into())),
            // It was there a moment ago; without it, what we have is as good.
            _ => Ok(Next::Resume(event)),
        }
    }

    /// Records that the topic took it.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn sent(&self, keys: &Keys, message_id: String) -> Result<(), DeliveryError> {
        let sent = Sent { time: self.clock.now(), message_id };
        self.settle(&keys.sent, serde_json::to_vec(&sent).unwrap_or_default()).await
    }

    /// Records that it is not published by itself, and why.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn withhold(&self, keys: &Keys, reason: Withholding, detail: String) -> Result<(), DeliveryError> {
        let withheld = Withheld { time: self.clock.now(), reason, detail };
        self.settle(&keys.withheld, serde_json::to_vec(&withheld).unwrap_or_default()).await
    }

    async fn settle(&self, key: &str, bytes: Vec<u8>) -> Result<(), DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        put_if_absent(objects, clock, deadline, key, bytes).await.map(drop)
    }
}
