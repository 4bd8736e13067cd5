use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use modstream_events::{Decision, Event};
use modstream_in_use::history::Outcome;
use modstream_platform::deliver::{Delivery, items, put_all};
use modstream_platform::table::{Condition, Consistency, Item, Key, Query, Table};
use modstream_platform::{Clock, Objects, PutRecord, Stream};
use modstream_telemetry::decisions_swept;

use crate::item::{EVENT, OUTBOX};
use crate::log::LogError;
use crate::{Decisions, changes};

/// Longer than whoever announced a change can still be about to make it: Lambda ends a function after 15 minutes.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
const CONCURRENT_CALLS: usize = 16;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Events that went to the stream.
    pub sent: usize,
    /// Changes that were announced and never made.
    pub dropped: usize,
    /// Too young to tell, or not done in time: for the next sweep.
    pub left: usize,
}

/// What to do with an outbox entry.
enum Fate {
    Send { entry: Key, record: PutRecord },
    Drop { entry: Key },
    Leave,
}

impl<B: Table, S: Stream, C: Clock> Decisions<'_, B, S, C> {
    /// Sends what is in the outbox: decisions, and the changes of `objects` that operators made; drops the announcements of
    /// changes that came to nothing. For a schedule: every few minutes.
    ///
    /// # Errors
    /// Where the outbox can't be looked at. What can't be done about an entry is left for the next time.
    pub async fn sweep<O: Objects>(&self, objects: &O) -> Result<Swept, LogError> {
        let Decisions { table, stream: decisions, clock, deadline } = *self;
        // As it is: of what was just written nothing is to stay.
        let outbox = Query::table(OUTBOX, Consistency::Consistent);
        let entries = items::query_all(table, clock, deadline, &outbox).await?;
        if entries.is_empty() {
            return Ok(Swept::default());
        }
        let fates: Vec<Fate> =
            stream::iter(entries).map(|entry| self.fate(objects, entry)).buffered(CONCURRENT_CALLS).collect().await;
        let mut swept = Swept::default();
        let (mut sending, mut records, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for fate in fates {
            match fate {
                Fate::Send { entry, record } => {
                    sending.push(entry);
                    records.push(record);
                }
                Fate::Drop { entry } => {
                    swept.dropped += 1;
                    done.push(entry);
                }
                Fate::Leave => swept.left += 1,
            }
        }
        for (entry, delivery) in sending.into_iter().zip(put_all(decisions, clock, deadline, records).await) {
            if matches!(delivery, Delivery::Stored { .. }) {
                swept.sent += 1;
                done.push(entry);
            } else {
                swept.left += 1;
            }
        }
        let deleting = stream::iter(done)
            .map(async |entry: Key| items::delete(table, clock, deadline, &entry, &Condition::Always).await.is_ok());
        // One that stays is sent again at worst.
        let _: Vec<bool> = deleting.buffered(CONCURRENT_CALLS).collect().await;
        decisions_swept(swept.sent, swept.dropped, swept.left);
        Ok(swept)
    }

    async fn fate<O: Objects>(&self, objects: &O, entry: Item) -> Fate {
        let Some(bytes) = entry.bytes(EVENT).map(|bytes| bytes.to_vec()) else { return Fate::Leave };
        let entry = entry.key;
        if let Ok(event) = Event::<'_, Decision<'_>>::decode(&bytes) {
            let partition_key = event.data.alert_id.to_string();
            return Fate::Send { entry, record: PutRecord { partition_key, data: bytes } };
        }
        match changes::outcome((self.table, objects), self.clock, self.deadline, &bytes).await {
            Ok(Some((Outcome::Made, _))) => Fate::Send { entry, record: changes::record(&bytes) },
            Ok(Some((Outcome::Lost, _))) => Fate::Drop { entry },
            Ok(Some((Outcome::Open, time))) if self.clock.now().duration_since(time) > GRACE => Fate::Drop { entry },
            // What is neither a decision nor a change is somebody's to look at.
            Ok(Some((Outcome::Open, _)) | None) | Err(_) => Fate::Leave,
        }
    }
}
