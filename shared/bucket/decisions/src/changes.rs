//! What operators change, on the decisions' stream: the model in use, the policies in use, an open breaker.

use jiff::Timestamp;
use modstream_events::{BreakerClosed, Event};
use modstream_in_use::history::{self, Outcome};
use modstream_ledger::limits::Breakers;
use modstream_platform::deliver::{Delivery, DeliveryError, items, put_all};
use modstream_platform::table::{Condition, Table};
use modstream_platform::{Clock, Objects, PutRecord, Stream};
use sha2::{Digest as _, Sha256};

use crate::Decisions;
use crate::item::{in_outbox, outbox_key};

/// The record of an event about a change. Consumers go by the events' numbers, as with decisions, so any key will do that a
/// repeat has, too.
pub(crate) fn record(event: &[u8]) -> PutRecord {
    PutRecord { partition_key: format!("change-{}", &hex::encode(Sha256::digest(event))[..16]), data: event.to_vec() }
}

/// What became of the change that an event is about, and when it was wanted; none where it is no such event.
pub(crate) async fn outcome<B: Table, O: Objects, C: Clock>(
    (table, objects): (&B, &O),
    clock: &C,
    deadline: Timestamp,
    event: &[u8],
) -> Result<Option<(Outcome, Timestamp)>, DeliveryError> {
    let Ok(closed) = Event::<BreakerClosed<'_>>::decode(event) else {
        return history::outcome(objects, clock, deadline, event).await;
    };
    let outcome = match Breakers::new(table, clock, deadline).closed_by(&closed.data.breaker).await? {
        Some(bytes) if bytes == event => Outcome::Made,
        Some(_) => Outcome::Lost,
        None => Outcome::Open,
    };
    Ok(Some((outcome, closed.time)))
}

/// How an announced change went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The change was made, and its event is on the stream.
    Sent,
    /// The change was made. The next sweep puts its event on the stream.
    Unsent,
    /// The change was not made: somebody else was first.
    NotMade,
}

impl<B: Table, S: Stream, C: Clock> Decisions<'_, B, S, C> {
    /// Makes a change by `make`, and puts its event on the stream, with an outbox entry around both: wherever a process ends in
    /// between, the stream gets the event of each change that was made, and of no other.
    ///
    /// `event` is one that `modstream-in-use` or `modstream-ledger` made for the change; `make` says whether this very change
    /// was made.
    ///
    /// # Errors
    /// Where the entry can't be written, in which case nothing is made, or where `make` fails.
    pub async fn announce<E: From<DeliveryError>>(
        &self,
        event: &[u8],
        make: impl Future<Output = Result<bool, E>>,
    ) -> Result<Announced, E> {
        let Decisions { table, stream, clock, deadline } = *self;
        let record = record(event);
        let entry = in_outbox(outbox_key(clock.now(), &record.partition_key), event);
        items::put(table, clock, deadline, &entry, &Condition::Always).await?;
        // Where it stays, the sweep drops it, or sends it again under the same id.
        let done = async || drop(items::delete(table, clock, deadline, &entry.key, &Condition::Always).await);
        if !make.await? {
            done().await;
            return Ok(Announced::NotMade);
        }
        match put_all(stream, clock, deadline, vec![record]).await.pop() {
            Some(Delivery::Stored { .. }) => {
                done().await;
                Ok(Announced::Sent)
            }
            _ => Ok(Announced::Unsent),
        }
    }
}
