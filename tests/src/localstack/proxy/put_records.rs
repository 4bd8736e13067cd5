//! Kinesis' PutRecords: JSON, with an outcome an entry, in order.

use modstream_stub_server::{Answer, Request};
use serde_json::{Value, json};

use super::{Parts, failing};

pub(super) fn split(request: &Request, pattern: &[bool]) -> Option<Parts> {
    let mut call: Value = serde_json::from_slice(&request.body).ok()?;
    let records = call["Records"].as_array()?.clone();
    let fails = failing(pattern, records.len());
    let failed = fails.iter().filter(|fails| **fails).count();
    if failed == 0 {
        return None;
    }
    let others: Vec<Value> = records.into_iter().zip(&fails).filter(|(_, fails)| !**fails).map(|it| it.0).collect();
    let rest = (!others.is_empty()).then(|| {
        call["Records"] = Value::Array(others);
        Request { body: call.to_string().into_bytes(), ..request.clone() }
    });
    let merge = move |answer: Answer| merged(&answer, &fails).unwrap_or(answer);
    Some(Parts { failed, rest, nothing, merge: Box::new(merge) })
}

fn nothing() -> Answer {
    let answer = json!({ "FailedRecordCount": 0, "Records": [] });
    Answer::new(200, answer.to_string()).header("content-type", "application/x-amz-json-1.1")
}

fn merged(answer: &Answer, fails: &[bool]) -> Option<Answer> {
    let mut said: Value = serde_json::from_slice(answer.body()).ok()?;
    let mut others = said["Records"].as_array()?.clone().into_iter();
    let failure = json!({
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded for this shard, by plan.",
    });
    let outcomes = fails.iter().map(|fails| if *fails { Some(failure.clone()) } else { others.next() });
    let outcomes: Vec<Value> = outcomes.collect::<Option<_>>()?;
    let failed = outcomes.iter().filter(|outcome| outcome["ErrorCode"].is_string()).count();
    said["FailedRecordCount"] = json!(failed);
    said["Records"] = Value::Array(outcomes);
    Some(answer.clone().with_body(said.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Request {
        let records: Vec<Value> =
            (0..4).map(|number| json!({ "Data": "YQ==", "PartitionKey": format!("k{number}") })).collect();
        let body = json!({ "StreamName": "s", "Records": records }).to_string().into_bytes();
        Request { method: "POST".to_owned(), target: "/".to_owned(), headers: Vec::new(), body }
    }

    #[test]
    fn entries_that_fail_are_not_sent_on_and_have_their_place_in_the_answer() {
        let parts = split(&call(), &[false, true, false]).expect("one fails");
        let rest: Value = serde_json::from_slice(&parts.rest.expect("the others").body).expect("JSON");
        let keys: Vec<&str> =
            rest["Records"].as_array().expect("a list").iter().filter_map(|it| it["PartitionKey"].as_str()).collect();
        assert_eq!((parts.failed, keys, &rest["StreamName"]), (1, vec!["k0", "k2", "k3"], &json!("s")));
        let stored = json!({ "ShardId": "s-0", "SequenceNumber": "1" });
        let lost = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "its own" });
        let answer = Answer::new(200, json!({ "Records": [stored, lost, stored] }).to_string());
        let said: Value = serde_json::from_slice((parts.merge)(answer).body()).expect("JSON");
        assert_eq!(said["FailedRecordCount"], 2);
        assert_eq!((&said["Records"][0], &said["Records"][2], &said["Records"][3]), (&stored, &lost, &stored));
        assert_eq!(said["Records"][1]["ErrorCode"], "ProvisionedThroughputExceededException");
    }

    #[test]
    fn where_all_fail_nothing_is_sent_on_and_where_none_does_the_call_passes() {
        let parts = split(&call(), &[true]).expect("all fail");
        assert_eq!((parts.failed, parts.rest.is_none()), (4, true));
        let said: Value = serde_json::from_slice((parts.merge)((parts.nothing)()).body()).expect("JSON");
        assert_eq!((&said["FailedRecordCount"], said["Records"].as_array().map(Vec::len)), (&json!(4), Some(4)));
        assert!(split(&call(), &[false]).is_none() && split(&call(), &[]).is_none());
    }
}
