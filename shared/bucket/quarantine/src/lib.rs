//! Where records go that can never be handled: one object each, at `quarantine/<stream>/<shard>/<sequence number>.json`, a
//! [`Quarantined`] event with payload, reason and position. It depends on the record alone, so a repeat overwrites itself.
//!
//! [`redrive`] puts them back on their stream after a fix.

pub mod redrive;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kinesis_batch::{Fault, Record};
use modstream_events::{BadRecord, Origin, Quarantined, Reason};
use modstream_platform::deliver::{DeliveryError, put};
use modstream_platform::{Clock, Objects};

/// The shard that is named for what never got onto its stream.
pub const UNSENT: &str = "unsent";

/// Keeps a record of a batch. `source` names the function.
///
/// # Errors
/// Where the object could not be written before the deadline.
pub async fn keep_record<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    source: &str,
    record: &Record<'_>,
    fault: &Fault<BadRecord>,
) -> Result<(), DeliveryError> {
    let BadRecord { reason, detail } = describe(fault);
    let entry = Quarantined {
        origin: Origin {
            stream: record.stream().into(),
            shard_id: record.shard_id.as_ref().into(),
            sequence_number: record.sequence_number.as_ref().into(),
            partition_key: record.partition_key.as_ref().into(),
            arrived: arrived(record),
        },
        reason,
        detail: detail.into(),
        payload: Cow::Borrowed(&record.encoded),
    };
    keep(objects, clock, deadline, source, entry).await
}

/// An event that its stream can't take.
#[derive(Clone, Copy, Debug)]
pub struct Unsent<'a> {
    /// The name of the stream.
    pub stream: &'a str,
    /// The event's id.
    pub id: &'a str,
    /// The event's time.
    pub time: Timestamp,
    /// The key it would have had.
    pub partition_key: &'a str,
    /// The event's bytes.
    pub data: &'a [u8],
}

/// Keeps an event that its stream can't take. `source` names the function.
///
/// # Errors
/// Where the object could not be written before the deadline.
pub async fn keep_unsent<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    source: &str,
    event: Unsent<'_>,
    bad: BadRecord,
) -> Result<(), DeliveryError> {
    let entry = Quarantined {
        origin: Origin {
            stream: event.stream.into(),
            shard_id: UNSENT.into(),
            sequence_number: event.id.into(),
            partition_key: event.partition_key.into(),
            arrived: event.time,
        },
        reason: bad.reason,
        detail: bad.detail.into(),
        payload: STANDARD.encode(event.data).into(),
    };
    keep(objects, clock, deadline, source, entry).await
}

async fn keep<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    source: &str,
    entry: Quarantined<'_>,
) -> Result<(), DeliveryError> {
    let key = entry.key();
    let reason = entry.reason;
    let event = entry.into_event(source);
    put(objects, clock, deadline, &key, event.encode()).await?;
    let Origin { stream, shard_id, sequence_number, .. } = &event.data.origin;
    modstream_telemetry::record_quarantined(stream, shard_id, sequence_number, reason.as_str());
    Ok(())
}

fn describe(fault: &Fault<BadRecord>) -> BadRecord {
    match fault {
        Fault::Bad(bad) => bad.clone(),
        Fault::NotBase64 => {
            BadRecord::new(Reason::NotBase64, "the record's data is no base64; `payload` holds it as it came")
        }
        Fault::Panicked { place } => BadRecord::new(
            Reason::Panicked,
            format!("handling it panicked at {}: please report it", place.as_deref().unwrap_or("an unknown place")),
        ),
    }
}

/// When the stream took a record, to the millisecond; 1970 where that is no time.
pub fn arrived(record: &Record<'_>) -> Timestamp {
    timestamp(record.arrived_seconds)
}

/// Seconds since 1970, to the millisecond; the epoch itself where they are no time.
fn timestamp(seconds: f64) -> Timestamp {
    let milliseconds = (seconds * 1e3).round();
    if milliseconds.abs() < 1e15 {
        Timestamp::from_millisecond(milliseconds as i64).unwrap_or_default()
    } else {
        Timestamp::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_events::Event;
    use modstream_platform::Fetched;
    use modstream_platform::memory::{MemoryClock, MemoryObjects};

    fn record(data: &str) -> Record<'_> {
        Record {
            event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/comments".into(),
            shard_id: "shardId-000000000001".into(),
            sequence_number: "42".into(),
            partition_key: "k1".into(),
            arrived_seconds: 1_767_607_200.25,
            encoded: data.into(),
        }
    }

    #[tokio::test]
    async fn an_entry_holds_payload_reason_and_position_and_a_repeat_overwrites_itself() {
        let (objects, clock) = (MemoryObjects::new(), MemoryClock::system());
        let deadline = clock.now() + std::time::Duration::from_secs(5);
        let fault = Fault::Bad(BadRecord::new(Reason::NotJson, "no JSON, at line 1 column 2"));
        for _ in 0..2 {
            keep_record(&objects, &clock, deadline, "urn:modstream:test", &record("AAEC"), &fault).await.expect("kept");
        }
        let keys = objects.list("quarantine/").await.expect("lists");
        assert_eq!(keys, ["quarantine/comments/shardId-000000000001/42.json"]);
        let versions = objects.versions(&keys[0]);
        assert_eq!(versions[0], versions[1]);
        let Ok(Fetched::Object { bytes, .. }) = objects.get(&keys[0], None).await else { panic!("it is there") };
        let event: Event<'_, Quarantined<'_>> = Event::decode(&bytes).expect("an event");
        assert_eq!((event.data.payload.as_ref(), event.data.reason), ("AAEC", Reason::NotJson));
        assert_eq!(event.data.origin.arrived.to_string(), "2026-01-05T10:00:00.25Z");
    }

    #[test]
    fn any_arrival_time_is_a_time() {
        for seconds in [f64::NAN, f64::INFINITY, -1e300, 1e300, -1.0, 0.0] {
            timestamp(seconds);
        }
    }
}
