//! The payload: what Lambda sends, and what comes back from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kinesis_batch::{Batch, NotBase64, PayloadError, SourceRecord, StateError, payload};
use proptest::prelude::*;

/// The form of AWS's sample event (numbers and text are made up).
const FROM_LAMBDA: &str = r#"{
  "Records": [
    {
      "kinesis": {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "k3f9a01",
        "sequenceNumber": "49545115243490985018280067714973144582180062593244200961",
        "data": "SGVsbG8=",
        "approximateArrivalTimestamp": 1767607200.987
      },
      "eventSource": "aws:kinesis",
      "eventVersion": "1.0",
      "eventID": "shardId-000000000006:49545115243490985018280067714973144582180062593244200961",
      "eventName": "aws:kinesis:record",
      "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
      "awsRegion": "eu-central-1",
      "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/comments"
    }
  ]
}"#;

#[test]
fn what_lambda_sends_is_read_without_a_copy() {
    let batch = Batch::parse(FROM_LAMBDA.as_bytes()).unwrap();
    let [record] = &batch.records[..] else { panic!("one record") };
    assert_eq!(record.stream(), "comments");
    assert_eq!(record.shard_id, "shardId-000000000006");
    assert_eq!(record.sequence_number, "49545115243490985018280067714973144582180062593244200961");
    assert_eq!(record.partition_key, "k3f9a01");
    assert!((record.arrived_seconds - 1_767_607_200.987).abs() < 1e-6);
    let mut data = b"what the record before left".to_vec();
    record.decode_into(&mut data).unwrap();
    assert_eq!(data, b"Hello");
    assert!(matches!(record.encoded, Cow::Borrowed(_)));
    assert!(matches!(record.shard_id, Cow::Borrowed(_)));
}

#[test]
fn a_batch_without_records_is_valid() {
    assert_eq!(Batch::parse(br#"{"Records":[]}"#).unwrap().records, []);
}

#[test]
fn data_that_is_no_base64_costs_that_record_only() {
    let payload = FROM_LAMBDA.replace("SGVsbG8=", "not base64!");
    let batch = Batch::parse(payload.as_bytes()).unwrap();
    let mut data = b"stale".to_vec();
    assert_eq!(batch.records[0].decode_into(&mut data), Err(NotBase64));
    assert_eq!(data, b"");
}

#[test]
fn an_event_of_another_source_is_named_so() {
    let events = [
        r#"{"detail-type":"Scheduled Event"}"#,
        r#"{"Records":[{"eventSource":"aws:sqs","body":"a secret"}]}"#,
        r#"{"Records":[{"dynamodb":{},"eventID":"1","eventSourceARN":"arn"}]}"#,
        r#"{"Records":"a secret"}"#,
        r#""a secret""#,
    ];
    for event in events {
        let error = Batch::parse(event.as_bytes()).unwrap_err();
        assert!(matches!(error, PayloadError::NotKinesis { .. }), "{event}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("event source mapping"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn a_payload_that_is_no_json_is_named_so() {
    for bytes in [&b""[..], b"{", b"<xml/>", b"{\"Records\":[]} and more"] {
        let error = Batch::parse(bytes).unwrap_err();
        assert!(matches!(error, PayloadError::NotJson { .. }), "{error:?}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_is_read(
        records in prop::collection::vec(
            ("[a-zA-Z0-9_.-]{1,20}", "shardId-[0-9]{12}", "[0-9]{1,56}", any::<String>(), 0..4_000_000_000_000_u64,
             prop::collection::vec(any::<u8>(), 0..200)),
            0..8,
        )
    ) {
        let arns: Vec<String> = records.iter().map(|r| format!("arn:aws:kinesis:eu-central-1:123456789012:stream/{}", r.0)).collect();
        let sources: Vec<SourceRecord<'_>> = records.iter().zip(&arns).map(|((_, shard, number, key, millis, data), arn)| SourceRecord {
            event_source_arn: arn,
            shard_id: shard,
            sequence_number: number,
            partition_key: key,
            arrived_seconds: *millis as f64 / 1000.0,
            data,
        }).collect();
        let payload = payload::encode(&sources);
        let batch = Batch::parse(&payload).unwrap();
        prop_assert_eq!(batch.records.len(), sources.len());
        let mut data = Vec::new();
        for ((read, source), (name, ..)) in batch.records.iter().zip(&sources).zip(&records) {
            prop_assert_eq!(&read.event_source_arn, source.event_source_arn);
            prop_assert_eq!(read.stream(), name);
            prop_assert_eq!(&read.shard_id, source.shard_id);
            prop_assert_eq!(&read.sequence_number, source.sequence_number);
            prop_assert_eq!(&read.partition_key, source.partition_key);
            prop_assert!((read.arrived_seconds - source.arrived_seconds).abs() < 1e-5);
            read.decode_into(&mut data).unwrap();
            prop_assert_eq!(&data[..], source.data);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..900_usize, to in any::<u8>()) {
        let _ = Batch::parse(&bytes);
        let mut payload = FROM_LAMBDA.as_bytes().to_vec();
        let at = at % payload.len();
        payload[at] = to;
        if let Ok(batch) = Batch::parse(&payload) {
            let mut data = Vec::new();
            for record in &batch.records {
                let _ = record.decode_into(&mut data);
                record.stream();
            }
        }
    }
}

/// The form of AWS's sample event of a window.
fn in_a_window(rest: &str) -> String {
    let records = FROM_LAMBDA.trim_end().trim_end_matches('}').trim_end();
    format!(r#"{records}, "window": {{ "start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:02:00Z" }}{rest}}}"#)
}

#[test]
fn a_window_is_read_with_its_state() {
    let payload = in_a_window(
        r#", "state": { "1": 282, "2": 715 }, "shardId": "shardId-000000000006",
        "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/comments",
        "isFinalInvokeForWindow": true, "isWindowTerminatedEarly": false"#,
    );
    let batch = Batch::parse(payload.as_bytes()).unwrap();
    assert_eq!(batch.records.len(), 1);
    let window = batch.window.unwrap();
    assert_eq!((&*window.start, &*window.end), ("2026-01-05T10:00:00Z", "2026-01-05T10:02:00Z"));
    assert_eq!(window.shard_id, "shardId-000000000006");
    assert_eq!(window.event_source_arn, "arn:aws:kinesis:eu-central-1:123456789012:stream/comments");
    assert!(matches!(window.shard_id, Cow::Borrowed(_)) && matches!(window.start, Cow::Borrowed(_)));
    assert_eq!((window.is_final_invoke, window.is_terminated_early), (true, false));
    let counts: BTreeMap<String, u64> = window.state_as().unwrap();
    assert_eq!(counts, BTreeMap::from([("1".to_owned(), 282), ("2".to_owned(), 715)]));
}

#[test]
fn a_window_begins_with_an_empty_state() {
    for rest in ["", r#", "state": {}"#, r#", "state": null"#] {
        let payload = in_a_window(rest);
        let window = Batch::parse(payload.as_bytes()).unwrap().window.unwrap();
        assert_eq!(window.state_as::<BTreeMap<String, u64>>(), Ok(BTreeMap::new()), "{rest}");
        assert!(!window.is_final_invoke && !window.is_terminated_early);
    }
}

#[test]
fn a_state_of_another_form_is_named_so_and_not_quoted() {
    let payload = in_a_window(r#", "state": { "1": "a secret" }"#);
    let window = Batch::parse(payload.as_bytes()).unwrap().window.unwrap();
    let error = window.state_as::<BTreeMap<String, u64>>().unwrap_err();
    assert!(matches!(error, StateError::OtherForm { .. }), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_batch_without_a_window_has_none() {
    assert_eq!(Batch::parse(FROM_LAMBDA.as_bytes()).unwrap().window, None);
}
