use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::{ACCOUNT, REGION, StreamRecord};

/// Why a batch is given up, in Lambda's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExpired,
}

impl Condition {
    fn as_str(self) -> &'static str {
        match self {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::RecordAgeExpired => "RecordAgeExpired",
        }
    }
}

/// How the last invocation of a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastAnswer {
    NotInvoked,
    Response,
    FunctionError,
}

/// A batch that is given up; it holds at least one record.
pub(super) struct Discarded<'a> {
    pub(super) function_name: &'a str,
    pub(super) stream_arn: &'a str,
    pub(super) shard_id: &'a str,
    pub(super) records: &'a [Arc<StreamRecord>],
    pub(super) payload: &'a [u8],
    pub(super) condition: Condition,
    pub(super) invocations: u32,
    pub(super) last_answer: LastAnswer,
    pub(super) now: Timestamp,
}

impl Discarded<'_> {
    /// The object's key, `aws/lambda/<function>/<shard>/<year>/<month>/<day>/<time>-<first sequence number>.json`: the
    /// prefix is Lambda's own,
    /// which has the mapping's id for the function's name, and an id of its own at the end.
    pub(super) fn key(&self) -> String {
        let Discarded { function_name, shard_id, .. } = self;
        let time = self.now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
        format!("aws/lambda/{function_name}/{shard_id}/{time}-{}.json", self.sequence_number(self.records.first()))
    }

    /// The [invocation record](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html) of an S3
    /// destination: it holds the whole payload, as text.
    pub(super) fn invocation_record(&self) -> Vec<u8> {
        let (first, last) = (self.records.first(), self.records.last());
        let arrived = |record: Option<&Arc<StreamRecord>>| record.map(|record| record.arrived.to_string());
        let response = match self.last_answer {
            LastAnswer::NotInvoked => None,
            LastAnswer::Response => Some(json!({ "statusCode": 200, "executedVersion": "$LATEST" })),
            LastAnswer::FunctionError => {
                Some(json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" }))
            }
        };
        let record = json!({
            "requestContext": {
                "requestId": format!("{}-{}", self.sequence_number(first), self.invocations),
                "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", self.function_name),
                "condition": self.condition.as_str(),
                "approximateInvokeCount": self.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": self.now.to_string(),
            "KinesisBatchInfo": {
                "shardId": self.shard_id,
                "startSequenceNumber": self.sequence_number(first),
                "endSequenceNumber": self.sequence_number(last),
                "approximateArrivalOfFirstRecord": arrived(first),
                "approximateArrivalOfLastRecord": arrived(last),
                "batchSize": self.records.len(),
                "streamArn": self.stream_arn,
            },
            "payload": String::from_utf8_lossy(self.payload),
        });
        record.to_string().into_bytes()
    }

    fn sequence_number<'r>(&self, record: Option<&'r Arc<StreamRecord>>) -> &'r str {
        record.map_or("", |record| &record.sequence_number)
    }
}
