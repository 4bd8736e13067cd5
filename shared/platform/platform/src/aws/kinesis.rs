use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};

use super::boxed;
use super::error::Operation;
use crate::{CallError, PutOutcome, PutRecord, Stream};

const PUT_RECORDS: Operation = Operation { service: "kinesis", name: "PutRecords" };

/// A Kinesis data stream.
#[derive(Clone, Debug)]
pub struct KinesisStream {
    client: aws_sdk_kinesis::Client,
    name: String,
}

impl KinesisStream {
    /// Makes a stream of the one called `name` in the client's region and account.
    pub fn new(client: aws_sdk_kinesis::Client, name: impl Into<String>) -> Self {
        KinesisStream { client, name: name.into() }
    }
}

impl Stream for KinesisStream {
    fn name(&self) -> &str {
        &self.name
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        let entries = records
            .iter()
            .map(|record| {
                let PutRecord { partition_key, data } = record;
                let entry =
                    PutRecordsRequestEntry::builder().data(Blob::new(data.clone())).partition_key(partition_key);
                entry.build().map_err(|error| PUT_RECORDS.unbuildable(&error))
            })
            .collect::<Result<_, _>>()?;
        let call = self.client.put_records().stream_name(&self.name).set_records(Some(entries));
        let answer = boxed(call.send()).await;
        let answer = answer.map_err(|error| PUT_RECORDS.failed_for_an_entry(&error))?;
        Ok(answer.records.into_iter().map(outcome).collect())
    }
}

fn outcome(entry: PutRecordsResultEntry) -> PutOutcome {
    let PutRecordsResultEntry { sequence_number, shard_id, error_code, error_message, .. } = entry;
    match (shard_id, sequence_number, error_code) {
        (Some(shard_id), Some(sequence_number), None) => PutOutcome::Stored { shard_id, sequence_number },
        (_, _, code) => PutOutcome::Failed {
            code: code.unwrap_or_else(|| "NoOutcome".to_owned()),
            message: error_message.unwrap_or_else(|| "the service gave no reason".to_owned()),
        },
    }
}
