use std::fmt::Debug;

use kinesis_batch::{Batch, SourceRecord, payload};
use modstream_events::{
    Comment, CommentDeleted, CommentEdited, CommentReported, Event, MAX_RECORD_BYTES, Prediction, Versioned,
};
use serde::Serialize;

/// Any bytes as a payload, and as a record's data: they decode or are refused, and what decodes encodes to what decodes to the
/// same.
pub fn record(input: &[u8]) {
    events(input);
    let Ok(batch) = Batch::parse(input) else { return };
    let mut data = Vec::new();
    let decoded: Vec<_> = batch
        .records
        .iter()
        .filter_map(|record| record.decode_into(&mut data).ok().map(|()| (record, data.clone())))
        .collect();
    let sources = decoded.iter().map(|(record, data)| SourceRecord {
        event_source_arn: &record.event_source_arn,
        shard_id: &record.shard_id,
        sequence_number: &record.sequence_number,
        partition_key: &record.partition_key,
        arrived_seconds: record.arrived_seconds,
        data,
    });
    let encoded = payload::encode(&sources.collect::<Vec<_>>());
    let again = Batch::parse(&encoded).expect("an encoded payload is one");
    assert_eq!(again.records.len(), decoded.len());
    for (again, (record, bytes)) in again.records.iter().zip(&decoded) {
        assert_eq!(again, *record);
        assert!(record.event_source_arn.ends_with(record.stream()));
        again.decode_into(&mut data).expect("encoded data is base64");
        assert_eq!(&data, bytes);
        events(bytes);
    }
}

fn events(bytes: &[u8]) {
    if let Some(encoded) = encoded::<Comment<'_>>(bytes) {
        comes_back::<Comment<'_>>(bytes, &encoded);
    }
    if let Some(encoded) = encoded::<CommentEdited<'_>>(bytes) {
        comes_back::<CommentEdited<'_>>(bytes, &encoded);
    }
    if let Some(encoded) = encoded::<CommentDeleted<'_>>(bytes) {
        comes_back::<CommentDeleted<'_>>(bytes, &encoded);
    }
    if let Some(encoded) = encoded::<CommentReported<'_>>(bytes) {
        comes_back::<CommentReported<'_>>(bytes, &encoded);
    }
    if let Some(encoded) = encoded::<Prediction<'_>>(bytes) {
        comes_back::<Prediction<'_>>(bytes, &encoded);
    }
}

fn encoded<'a, T: Versioned<'a> + Serialize>(bytes: &'a [u8]) -> Option<Vec<u8>> {
    match Event::<T>::decode(bytes) {
        Ok(event) => Some(event.encode()),
        Err(bad) => {
            assert!(!bad.detail.is_empty(), "{bytes:?}");
            None
        }
    }
}

fn comes_back<'a, T: Versioned<'a> + Serialize + PartialEq + Debug>(bytes: &'a [u8], encoded: &'a [u8]) {
    // What may be left out is written out.
    if encoded.len() > MAX_RECORD_BYTES {
        return;
    }
    let event = Event::<T>::decode(bytes).expect("it decoded before");
    let again = Event::<T>::decode(encoded).expect("an encoded event is one");
    assert_eq!(again, event);
    assert_eq!(again.encode(), encoded);
}
