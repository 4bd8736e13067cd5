use jiff::Timestamp;
use modstream_events::DeletedBy;
use modstream_platform::deliver::{DeliveryError, PutIfAbsent, get, put_if_absent, put_where};
use modstream_platform::{Bytes, Clock, Condition, Fetched, Objects};
use serde::{Deserialize, Serialize};

use crate::comments::Deletion;
use crate::keys::{Hour, Keys, missed_key};
use crate::redact::{Redaction, redact};

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

/// The content of `superseded.json`: the comment has a later version, so the alert is about an earlier text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// When this was noticed.
    pub time: Timestamp,
    /// The comment event of the later version.
    pub by: String,
}

/// The content of `withdrawn.json`: the comment is gone, so there is nothing to decide about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// When the deletion came here.
    pub time: Timestamp,
    /// Who deleted the comment.
    pub by: DeletedBy,
}

/// A comment that was reported, that a moderator of the forum removed, and about which there was no alert: it was missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// When the deletion came here.
    pub time: Timestamp,
    /// The comment's subreddit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subreddit: Option<String>,
    /// How often it was reported.
    pub reports: usize,
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
    /// A later version of the comment came before this one.
    Superseded,
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
            Withholding::Superseded => "superseded",
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
        for settled in [&keys.sent, &keys.withheld, &keys.withdrawn] {
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

    /// Records that the comment has a later version.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn supersede(&self, keys: &Keys, by: &str) -> Result<(), DeliveryError> {
        let superseded = Superseded { time: self.clock.now(), by: by.to_owned() };
        self.settle(&keys.superseded, serde_json::to_vec(&superseded).unwrap_or_default()).await
    }

    /// Records that the comment is gone, and takes what was written out of the alert. Of an alert that was not requested there is
    /// nothing to withdraw: whoever requests it looks afterwards whether the comment is gone.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn withdraw(&self, keys: &Keys, deletion: &Deletion) -> Result<(), DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        if get(objects, clock, deadline, &keys.requested, None).await? == Fetched::Missing {
            return Ok(());
        }
        let withdrawn = Withdrawn { time: deletion.time, by: deletion.by };
        self.settle(&keys.withdrawn, serde_json::to_vec(&withdrawn).unwrap_or_default()).await?;
        self.redact(&keys.requested).await
    }

    /// Records that the comment was reported, by the id of the report's event.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn report(&self, keys: &Keys, report: &str) -> Result<(), DeliveryError> {
        self.settle(&keys.reported(report), b"{}".to_vec()).await
    }

    /// Records that the comment of this key was missed.
    ///
    /// # Errors
    /// Where it is not known by the deadline that it is recorded.
    pub async fn missed(&self, comment_key: &str, missed: &Missed) -> Result<(), DeliveryError> {
        let bytes = serde_json::to_vec(missed).unwrap_or_default();
        self.settle(&missed_key(Hour::of(missed.time), comment_key), bytes).await
    }

    async fn redact(&self, key: &str) -> Result<(), DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        loop {
            let Fetched::Object { bytes, etag } = get(objects, clock, deadline, key, None).await? else {
                return Ok(());
            };
            // What is no alert is not ours to change.
            let Ok(mut event) = serde_json::from_slice(&bytes) else { return Ok(()) };
            if redact(&mut event, clock.now()) != Some(Redaction::Removed) {
                return Ok(());
            }
            let unchanged = Condition::Matches(etag);
            if put_where(objects, clock, deadline, key, event.to_string(), &unchanged).await?.is_some() {
                return Ok(());
            }
        }
    }

    async fn settle(&self, key: &str, bytes: Vec<u8>) -> Result<(), DeliveryError> {
        let Ledger { objects, clock, deadline } = *self;
        put_if_absent(objects, clock, deadline, key, bytes).await.map(drop)
    }
}
