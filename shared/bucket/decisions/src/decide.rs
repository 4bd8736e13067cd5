use jiff::Timestamp;
use modstream_events::{Action, Alert, Decision, Event};
use modstream_platform::deliver::{Claimed, Delivery, DeliveryError, claim, delete, get, put, put_all};
use modstream_platform::{Bytes, Clock, DeletableObjects, Fetched, PutRecord, Stream};
use modstream_telemetry::{decision_recorded, decision_unsent};

use crate::log::{self, AlertKey, Log, LogError, MAX_DECISIONS_PER_ALERT, Standing};
use crate::moderator::{NoModerator, moderator};
use crate::sweep::unsent_key;

/// The decisions of a bucket and their stream.
#[derive(Clone, Copy, Debug)]
pub struct Decisions<'a, O, S, C> {
    pub(crate) objects: &'a O,
    pub(crate) stream: &'a S,
    pub(crate) clock: &'a C,
    pub(crate) deadline: Timestamp,
}

/// What became of a moderator's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecideOutcome {
    /// The decision is the alert's last: written now, or by an earlier try.
    Done {
        /// The alert's log.
        log: Log,
        /// Whether the decision was there already.
        repeated: bool,
    },
    /// Nothing is changed: the log went on since the moderator looked, or somebody else's decision stands.
    Behind {
        /// The alert's log.
        log: Log,
    },
    /// Nothing is changed: no decision stands that could be taken back.
    NothingToUndo {
        /// The alert's log.
        log: Log,
    },
}

impl DecideOutcome {
    /// The alert's log as it is now.
    pub fn log(&self) -> &Log {
        match self {
            DecideOutcome::Done { log, .. } | DecideOutcome::Behind { log } | DecideOutcome::NothingToUndo { log } => {
                log
            }
        }
    }
}

/// Why it is not known what became of it, or it can't be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// The name is none.
    #[error(transparent)]
    Moderator(#[from] NoModerator),
    /// The log is full.
    #[error("there are {MAX_DECISIONS_PER_ALERT} decisions about the alert: no more are taken")]
    TooMany,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A write failed. Deciding again does no harm.
    #[error("the decision may not be recorded, try again: {0}")]
    Delivery(#[from] DeliveryError),
}

impl<'a, O: DeletableObjects, S: Stream, C: Clock> Decisions<'a, O, S, C> {
    /// The decisions in `objects`, which go to `stream`; no call starts after `deadline`.
    pub fn new(objects: &'a O, stream: &'a S, clock: &'a C, deadline: Timestamp) -> Self {
        Decisions { objects, stream, clock, deadline }
    }

    /// The log of an alert.
    ///
    /// # Errors
    /// Where it can't be read, or there is no answer by the deadline.
    pub async fn log(&self, place: AlertKey<'_>) -> Result<Log, LogError> {
        log::read(self.objects, self.clock, self.deadline, place).await
    }

    /// Records that `who` wants `action`, as the decision that follows number `after`: what the moderator saw last, 0 where that
    /// was nothing. Without it, the log's last.
    ///
    /// The first decision about an alert wins. Until it is undone, others change nothing. The same again by the same moderator
    /// is answered as done, and sent where it may not have been: trying again is safe.
    ///
    /// # Errors
    /// Where it is not known what became of it.
    pub async fn decide(
        &self,
        alert: &Event<'_, Alert<'_>>,
        action: Action,
        who: &str,
        after: Option<u32>,
    ) -> Result<DecideOutcome, DecideError> {
        let who = moderator(who)?;
        let place = AlertKey::of_alert(alert);
        let log = self.log(place).await?;
        let last = log.last_number();
        let after = match after {
            Some(after) => after,
            None if log.last().is_some_and(|recorded| recorded.says(action, &who)) => last.saturating_sub(1),
            None => last,
        };
        if after != last {
            return Ok(self.settled(place, log, after.saturating_add(1), action, &who).await);
        }
        match (action, log.standing()) {
            (Action::Undo, Standing::Undecided) => return Ok(DecideOutcome::NothingToUndo { log }),
            (Action::Remove | Action::Keep, Standing::Decided(_)) => return Ok(DecideOutcome::Behind { log }),
            _ => {}
        }
        // What the log's objects say is for anybody to write who may write there.
        let number = last.saturating_add(1);
        if number > MAX_DECISIONS_PER_ALERT {
            return Err(DecideError::TooMany);
        }
        let event = Decision::about(alert, action, &who, number).into_event(self.clock.now());
        let event = Bytes::from(event.encode());
        if !self.record(place, number, &event).await? {
            let log = self.log(place).await?;
            return Ok(self.settled(place, log, number, action, &who).await);
        }
        decision_recorded(&alert.id, number, action.as_str());
        self.send(place, number, &event).await;
        Ok(DecideOutcome::Done { log: self.log(place).await?, repeated: false })
    }

    /// What to say where the log has a decision of this number, or will never have.
    async fn settled(&self, place: AlertKey<'_>, log: Log, number: u32, action: Action, who: &str) -> DecideOutcome {
        let own = log.get(number).filter(|recorded| recorded.says(action, who) && number == log.last_number());
        let Some(own) = own.map(|own| own.bytes().to_vec()) else { return DecideOutcome::Behind { log } };
        let entry = unsent_key(place.alert_id, number, &own);
        // Where even this is not known, the sweep sees to it.
        if let Ok(Fetched::Object { .. }) = get(self.objects, self.clock, self.deadline, &entry, None).await {
            self.send(place, number, &own).await;
        }
        DecideOutcome::Done { log, repeated: true }
    }

    /// Whether the decision is in the log now; else another one has its number.
    async fn record(&self, place: AlertKey<'_>, number: u32, event: &Bytes) -> Result<bool, DecideError> {
        let Decisions { objects, clock, deadline, .. } = *self;
        let entry = unsent_key(place.alert_id, number, event);
        put(objects, clock, deadline, &entry, event.clone()).await?;
        let is_ours = claim(objects, clock, deadline, &place.key(number), event.clone()).await? == Claimed::Ours;
        if !is_ours {
            // Where it stays, the sweep drops it.
            let _ = delete(objects, clock, deadline, &entry).await;
        }
        Ok(is_ours)
    }

    /// Puts it on the stream, and it is no longer unsent. What fails here is the sweep's.
    async fn send(&self, place: AlertKey<'_>, number: u32, event: &[u8]) {
        let Decisions { objects, stream, clock, deadline } = *self;
        let record = PutRecord { partition_key: place.alert_id.to_owned(), data: event.to_vec() };
        match put_all(stream, clock, deadline, vec![record]).await.pop() {
            Some(Delivery::Stored { .. }) => {
                let _ = delete(objects, clock, deadline, &unsent_key(place.alert_id, number, event)).await;
            }
            Some(Delivery::Failed(error)) => decision_unsent(place.alert_id, number, &error),
            Some(Delivery::Refused { message }) => decision_unsent(place.alert_id, number, &message),
            Some(Delivery::TooLarge { bytes }) => {
                decision_unsent(place.alert_id, number, &format_args!("{bytes} bytes are more than a record holds"));
            }
            None => {}
        }
    }
}
