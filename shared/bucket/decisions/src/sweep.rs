use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use modstream_events::{Decision, Event};
use modstream_in_use::history::Outcome;
use modstream_platform::deliver::{Delivery, delete, get, list, put_all};
use modstream_platform::{Clock, DeletableObjects, Fetched, PutRecord, Stream};
use modstream_telemetry::decisions_swept;
use sha2::{Digest as _, Sha256};

use crate::log::{AlertKey, LogError};
use crate::{Decisions, changes};

/// The prefix of decisions that may not have reached the stream.
pub const UNSENT_PREFIX: &str = "decisions-unsent/";

/// Longer than whoever made an entry can still be about to write the log: Lambda ends a function after 15 minutes.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
const CONCURRENT_READS: usize = 16;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Decisions that went to the stream.
    pub sent: usize,
    /// Attempts that never became decisions.
    pub dropped: usize,
    /// Too young to tell, or not done in time: for the next sweep.
    pub left: usize,
}

/// The checksum tells two attempts at one number apart.
pub(crate) fn unsent_key(alert_id: &str, number: u32, event: &[u8]) -> String {
    let checksum = hex::encode(Sha256::digest(event));
    format!("{UNSENT_PREFIX}{alert_id}-{number:04}-{}.json", &checksum[..16])
}

/// What to do with an outbox entry.
enum Fate {
    Send { entry: String, record: PutRecord },
    Drop { entry: String },
    Leave,
    Gone,
}

impl<O: DeletableObjects, S: Stream, C: Clock> Decisions<'_, O, S, C> {
    /// Sends the decisions that are in a log and may not be on the stream, and the changes that operators made; drops attempts
    /// that came to nothing. For a schedule:
    /// every few minutes.
    ///
    /// # Errors
    /// Where the outbox can't be looked at. What can't be done about an entry is left for the next time.
    pub async fn sweep(&self) -> Result<Swept, LogError> {
        let Decisions { objects, stream: decisions, clock, deadline } = *self;
        let entries = list(objects, clock, deadline, UNSENT_PREFIX).await?;
        if entries.is_empty() {
            return Ok(Swept::default());
        }
        let fates: Vec<Fate> =
            stream::iter(entries).map(|entry| self.fate(entry)).buffered(CONCURRENT_READS).collect().await;
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
                Fate::Gone => {}
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
        let deleting =
            stream::iter(done).map(async |entry: String| delete(objects, clock, deadline, &entry).await.is_ok());
        // One that stays is looked at again, and sent again at worst.
        let _: Vec<bool> = deleting.buffered(CONCURRENT_READS).collect().await;
        decisions_swept(swept.sent, swept.dropped, swept.left);
        Ok(swept)
    }

    async fn fate(&self, entry: String) -> Fate {
        let Decisions { objects, clock, deadline, .. } = *self;
        let bytes = match get(objects, clock, deadline, &entry, None).await {
            Ok(Fetched::Object { bytes, .. }) => bytes,
            Ok(_) => return Fate::Gone,
            Err(_) => return Fate::Leave,
        };
        let Ok(event) = Event::<'_, Decision<'_>>::decode(&bytes) else {
            return self.fate_of_change(entry, bytes).await;
        };
        let place = AlertKey::of_decision(&event.data);
        match get(objects, clock, deadline, &place.key(event.data.number), None).await {
            Ok(Fetched::Object { bytes: logged, .. }) if logged == bytes => {
                let partition_key = place.alert_id.to_owned();
                Fate::Send { entry, record: PutRecord { partition_key, data: bytes } }
            }
            Ok(Fetched::Object { .. }) => Fate::Drop { entry },
            Ok(_) if clock.now().duration_since(event.time) > GRACE => Fate::Drop { entry },
            Ok(_) | Err(_) => Fate::Leave,
        }
    }

    /// The same of an event about a change that an operator made.
    async fn fate_of_change(&self, entry: String, bytes: Vec<u8>) -> Fate {
        match changes::outcome(self.objects, self.clock, self.deadline, &bytes).await {
            Ok(Some((Outcome::Made, _))) => Fate::Send { entry, record: changes::record(&bytes) },
            Ok(Some((Outcome::Lost, _))) => Fate::Drop { entry },
            Ok(Some((Outcome::Open, time))) if self.clock.now().duration_since(time) > GRACE => Fate::Drop { entry },
            // What is neither a decision nor a change is somebody's to look at.
            Ok(Some((Outcome::Open, _)) | None) | Err(_) => Fate::Leave,
        }
    }
}
