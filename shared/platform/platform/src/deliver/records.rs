use jiff::Timestamp;
use named_mutations::is_on;

use super::queue::Limits;
use super::send::{Answer, Service, send_all};
use super::{Cause, DeliveryError};
use crate::{
    CallError, Clock, MAX_KEY_CHARS, MAX_PUT_BYTES, MAX_PUT_RECORDS, MAX_RECORD_BYTES, PutOutcome, PutRecord, Stream,
};

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The record is on the stream.
    Stored {
        /// The shard that took it.
        shard_id: String,
        /// The record's place in the shard.
        sequence_number: String,
    },
    /// The record is larger than [`MAX_RECORD_BYTES`], so that no stream takes it. It was not sent.
    TooLarge {
        /// The record's size, partition key included.
        bytes: usize,
    },
    /// The stream refuses the record for what it holds, and always will.
    Refused {
        /// The service's words.
        message: String,
    },
    /// The record was not delivered now. After a call without an answer it may be on the stream all the same.
    Failed(DeliveryError),
}

impl From<DeliveryError> for Delivery {
    fn from(error: DeliveryError) -> Self {
        Delivery::Failed(error)
    }
}

/// Puts all records on a stream, and returns what became of each, in order.
///
/// Records of one key arrive in order. [PutRecords](https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html)
/// does not promise that: some records of a call may fail while later ones are stored. So a call carries at most one record
/// a key, and a key's next record waits for the acknowledgement of the one before. A call is filled from the other keys, up to
/// 500 records and 5 MiB; failed records go into the next call, before later ones.
///
/// A record with a key that no stream takes fails alone ([`Cause::InvalidKey`]), as one that is too large does, and as one does for which
/// the service refuses a whole call.
pub async fn put_all<S: Stream, C: Clock>(
    stream: &S,
    clock: &C,
    deadline: Timestamp,
    records: Vec<PutRecord>,
) -> Vec<Delivery> {
    send_all(&Records(stream), clock, deadline, records).await
}

struct Records<'a, S>(&'a S);

impl<S: Stream> Service for Records<'_, S> {
    const LIMITS: Limits = Limits { entries: MAX_PUT_RECORDS, bytes: MAX_PUT_BYTES };
    type Entry = PutRecord;
    type Settled = Delivery;

    fn key(record: &PutRecord) -> &str {
        if is_on("mix-keys") {
            return std::str::from_utf8(&record.data).unwrap_or_default();
        }
        &record.partition_key
    }

    fn size(record: &PutRecord) -> usize {
        record.size()
    }

    fn unfit(record: &PutRecord) -> Option<Delivery> {
        let (bytes, characters) = (record.size(), record.partition_key.chars().count());
        if bytes > MAX_RECORD_BYTES {
            return Some(Delivery::TooLarge { bytes });
        }
        let fits = (1..=MAX_KEY_CHARS).contains(&characters);
        (!fits).then(|| Delivery::Failed(DeliveryError::final_answer(Cause::InvalidKey { characters })))
    }

    fn refused(error: CallError) -> Delivery {
        Delivery::Refused { message: error.message }
    }

    async fn call(&self, records: &[PutRecord]) -> Result<Vec<Answer<Delivery>>, CallError> {
        Ok(self.0.put_records(records).await?.into_iter().map(answer).collect())
    }
}

fn answer(outcome: PutOutcome) -> Answer<Delivery> {
    match outcome {
        PutOutcome::Stored { shard_id, sequence_number } => {
            Answer::Settled(Delivery::Stored { shard_id, sequence_number })
        }
        PutOutcome::Failed { code, message } => Answer::Again { code, message },
    }
}
