use jiff::Timestamp;
use modstream_events::{Action, Alert, Decision, Event, ids};
use modstream_ledger::{AlertKey, Entry, InQueue, with_decision};
use modstream_platform::deliver::{Delivery, DeliveryError, items, put_all};
use modstream_platform::table::{Condition, Consistency, Key, Reason, Table, Transacted, Write};
use modstream_platform::{Clock, PutRecord, Stream};
use modstream_telemetry::{decision_recorded, decision_unsent};

use crate::item::{EVENT, in_outbox, item, outbox_key};
use crate::log::{self, Log, LogError, MAX_DECISIONS_PER_ALERT, Recorded, Standing};
use crate::moderator::{NoModerator, moderator};

/// The decisions of a table and their stream.
#[derive(Clone, Copy, Debug)]
pub struct Decisions<'a, B, S, C> {
    pub(crate) table: &'a B,
    pub(crate) stream: &'a S,
    pub(crate) clock: &'a C,
    pub(crate) deadline: Timestamp,
}

/// An alert to decide about, as whoever decides has read it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The alert.
    pub entry: &'a Entry,
    /// The alert's event.
    pub alert: &'a Event<'a, Alert<'a>>,
    /// The alert's log.
    pub log: &'a Log,
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
    /// The alert is not there any more.
    #[error("there is no such alert any more")]
    NoAlert,
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A write failed. Deciding again does no harm.
    #[error("the decision may not be recorded, try again: {0}")]
    Delivery(#[from] DeliveryError),
}

/// What became of the attempt to record a decision.
enum Recording {
    Done,
    /// The alert went on meanwhile: another decision has the number.
    Behind,
    /// The alert's comment has another text by now, or is gone.
    NotOpen,
}

impl<'a, B: Table, S: Stream, C: Clock> Decisions<'a, B, S, C> {
    /// The decisions in `table`, which go to `stream`; no call starts after `deadline`.
    pub fn new(table: &'a B, stream: &'a S, clock: &'a C, deadline: Timestamp) -> Self {
        Decisions { table, stream, clock, deadline }
    }

    /// Records that `who` wants `action`, as the decision that follows number `after`: what the moderator saw last, 0 where that
    /// was nothing. Without it, the log's last.
    ///
    /// The first decision about an alert wins. Until it is undone, others change nothing. The same again by the same moderator
    /// is answered as done, and sent where it may not have been: trying again is safe.
    ///
    /// It makes three calls where nothing goes wrong: all that is recorded is one transaction, the stream takes the event, and its
    /// entry leaves the outbox.
    ///
    /// # Errors
    /// Where it is not known what became of it.
    pub async fn decide(
        &self,
        case: Case<'_>,
        action: Action,
        who: &str,
        after: Option<u32>,
    ) -> Result<DecideOutcome, DecideError> {
        let who = moderator(who)?;
        let Case { entry, alert, log } = case;
        let last = log.last_number();
        let after = match after {
            Some(after) => after,
            None if log.last().is_some_and(|recorded| recorded.says(action, &who)) => last.saturating_sub(1),
            None => last,
        };
        if after != last {
            return Ok(self.settled(&entry.key, log.clone(), after.saturating_add(1), action, &who).await);
        }
        match (action, log.standing()) {
            (Action::Undo, Standing::Undecided) => return Ok(DecideOutcome::NothingToUndo { log: log.clone() }),
            (Action::Remove | Action::Keep, Standing::Decided(_)) => {
                return Ok(DecideOutcome::Behind { log: log.clone() });
            }
            _ => {}
        }
        // What the items say is for anybody to write who may write there.
        let number = last.saturating_add(1);
        if number > MAX_DECISIONS_PER_ALERT {
            return Err(DecideError::TooMany);
        }
        let event = Decision::about(alert, action, &who, number).into_event(self.clock.now());
        let encoded = event.encode();
        let mut queue = match action {
            Action::Undo if entry.is_open() => InQueue::Returns,
            Action::Undo => InQueue::StaysOut,
            Action::Remove | Action::Keep => InQueue::Leaves,
        };
        loop {
            match self.record(case, (&event, &encoded), queue).await? {
                Recording::Done => break,
                Recording::NotOpen => queue = InQueue::StaysOut,
                Recording::Behind => {
                    let log = log::log(self.table, self.clock, self.deadline, &entry.key).await?;
                    return Ok(self.settled(&entry.key, log, number, action, &who).await);
                }
            }
        }
        decision_recorded(&alert.id, number, action.as_str());
        let recorded = Recorded { number, action, moderator: who.clone(), time: event.time };
        self.send(&entry.key, number, outbox_key(event.time, &event.id), encoded).await;
        Ok(DecideOutcome::Done { log: log.and(recorded), repeated: false })
    }

    /// What to say where the log has a decision of this number, or will never have.
    async fn settled(&self, alert: &AlertKey, log: Log, number: u32, action: Action, who: &str) -> DecideOutcome {
        let own = log.get(number).filter(|recorded| recorded.says(action, who) && number == log.last_number());
        let Some(own) = own else { return DecideOutcome::Behind { log } };
        let entry = outbox_key(own.time, &ids::decision(&alert.id, number).to_string());
        // Where even this is not known, the sweep sees to it.
        let unsent = items::get(self.table, self.clock, self.deadline, &entry, Consistency::Consistent).await;
        if let Ok(Some(unsent)) = unsent
            && let Some(event) = unsent.bytes(EVENT)
        {
            self.send(alert, number, entry, event.to_vec()).await;
        }
        DecideOutcome::Done { log, repeated: true }
    }

    /// Writes a decision, what follows for its alert, and its entry in the outbox: all of it, or nothing.
    async fn record(
        &self,
        case: Case<'_>,
        (event, encoded): (&Event<'_, Decision<'_>>, &[u8]),
        queue: InQueue,
    ) -> Result<Recording, DecideError> {
        let Case { entry, alert, .. } = case;
        let number = event.data.number;
        let writes = [
            with_decision(&entry.key, number - 1, queue),
            Write::Put { item: item(&entry.key, alert, event, encoded), condition: Condition::Absent },
            Write::Put { item: in_outbox(outbox_key(event.time, &event.id), encoded), condition: Condition::Always },
        ];
        let intent = format!("{} {number}", entry.key);
        let reasons = match items::transact(self.table, self.clock, self.deadline, &intent, &writes).await? {
            Transacted::Done => return Ok(Recording::Done),
            Transacted::Cancelled(reasons) => reasons,
        };
        match reasons.into_iter().next() {
            Some(Reason::ConditionFailed(None)) => Err(DecideError::NoAlert),
            Some(Reason::ConditionFailed(Some(found))) if queue == InQueue::Returns => {
                // It is the number, or that the alert does not wait any more.
                let decisions = Entry::of_item(&found).map(|found| found.decisions);
                Ok(if decisions == Ok(number - 1) { Recording::NotOpen } else { Recording::Behind })
            }
            _ => Ok(Recording::Behind),
        }
    }

    /// Puts it on the stream, and it leaves the outbox. What fails here is the sweep's.
    async fn send(&self, alert: &AlertKey, number: u32, entry: Key, event: Vec<u8>) {
        let Decisions { table, stream, clock, deadline } = *self;
        let record = PutRecord { partition_key: alert.id.clone(), data: event };
        match put_all(stream, clock, deadline, vec![record]).await.pop() {
            Some(Delivery::Stored { .. }) => {
                let _ = items::delete(table, clock, deadline, &entry, &Condition::Always).await;
            }
            Some(Delivery::Failed(error)) => decision_unsent(&alert.id, number, &error),
            Some(Delivery::Refused { message }) => decision_unsent(&alert.id, number, &message),
            Some(Delivery::TooLarge { bytes }) => {
                decision_unsent(&alert.id, number, &format_args!("{bytes} bytes are more than a record holds"));
            }
            None => {}
        }
    }
}
