use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Data, Event, NoPrevious, Reason, Versioned, ids, object};

/// A record that can never be handled, kept whole with the reason. One object a record, at
/// `quarantine/<stream>/<shard>/<sequence number>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quarantined<'a> {
    /// Where the record stood.
    #[serde(borrow, deserialize_with = "object::only")]
    pub origin: Origin<'a>,
    /// What is wrong with it.
    pub reason: Reason,
    /// The same as a sentence.
    #[serde(borrow)]
    pub detail: Cow<'a, str>,
    /// The record's data, as base64; as it came where it is none.
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}

/// A record's place on a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin<'a> {
    /// The stream's name.
    #[serde(borrow)]
    pub stream: Cow<'a, str>,
    /// The shard's id; `unsent` for what never got onto the stream.
    #[serde(borrow)]
    pub shard_id: Cow<'a, str>,
    /// The record's sequence number; the event's id for what never got onto the stream.
    #[serde(borrow)]
    pub sequence_number: Cow<'a, str>,
    /// The record's partition key.
    #[serde(borrow)]
    pub partition_key: Cow<'a, str>,
    /// When the stream took it.
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))]
    pub arrived: Timestamp,
}

impl Data for Quarantined<'_> {
    const TYPE: &'static str = "modstream.quarantined.v1";
    /// An object, not a record: it holds records that are too large, and as base64.
    const MAX_BYTES: usize = usize::MAX;
}

impl<'a> Versioned<'a> for Quarantined<'a> {
    type Previous = NoPrevious;

    fn upcast(previous: NoPrevious) -> Self {
        match previous {}
    }
}

impl<'a> Quarantined<'a> {
    /// The event of this entry. It depends on the record alone, so a repeat writes the same bytes.
    pub fn into_event(self, source: impl Into<Cow<'a, str>>) -> Event<'a, Self> {
        let Origin { stream, shard_id, sequence_number, arrived, .. } = &self.origin;
        let id = ids::quarantined(stream, shard_id, sequence_number);
        Event::new(id.to_string(), source, *arrived, self)
    }

    /// Where the entry lies in the bucket: `quarantine/<stream>/<shard>/<sequence number>.json`.
    pub fn key(&self) -> String {
        let Origin { stream, shard_id, sequence_number, .. } = &self.origin;
        format!("quarantine/{stream}/{shard_id}/{sequence_number}.json")
    }
}
