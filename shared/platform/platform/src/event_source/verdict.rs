use std::sync::Arc;

use kinesis_batch::BatchResponse;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::StreamRecord;

/// Reads what a response says about a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// Everything before this position is done.
    FailedFrom(usize),
    /// The whole batch failed: the response is none, or names a record that is not there.
    Failed,
}

pub(super) fn of_response(response: &[u8], records: &[Arc<StreamRecord>]) -> Verdict {
    if response.is_empty() {
        return Verdict::Done;
    }
    let Some(response) = read(response) else {
        return Verdict::Failed;
    };
    let mut lowest = None;
    for failure in response.batch_item_failures {
        let Some(position) = records.iter().position(|record| record.sequence_number == failure.item_identifier) else {
            return Verdict::Failed;
        };
        lowest = Some(lowest.map_or(position, |lowest: usize| lowest.min(position)));
    }
    lowest.map_or(Verdict::Done, Verdict::FailedFrom)
}

/// Reads a response, which is an object or null. (serde would take a list for a struct, too.)
fn read(response: &[u8]) -> Option<BatchResponse> {
    match serde_json::from_slice::<Option<Map<String, Value>>>(response).ok()? {
        None => Some(BatchResponse::success()),
        Some(object) => BatchResponse::deserialize(Value::Object(object)).ok(),
    }
}
