//! What follows from a function's answer.

use modstream_platform::Stream;
use modstream_platform::memory::{Config, EventSource, FunctionError, MemoryStream, OnBatchFailure};
use proptest::prelude::*;

use super::{broken, config, data, done, failed_from, run_over, sequence_number, stream_of};
use crate::world::{Log, clock, record, run};

#[tokio::test(start_paused = true)]
async fn everything_from_the_lowest_failed_record_on_is_sent_again() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1", "2", "3", "4"]).await;
    let (got, statistics) = run_over(stream, clock, config(), |invocation, payload| {
        if invocation > 0 {
            return done();
        }
        let item = |position| serde_json::json!({ "itemIdentifier": sequence_number(payload, position) });
        Ok(serde_json::json!({ "batchItemFailures": [item(4), item(2), item(3)] }).to_string().into_bytes())
    })
    .await;
    assert_eq!(got, [vec!["0", "1", "2", "3", "4"], vec!["2", "3", "4"]]);
    assert_eq!((statistics.batches, statistics.records, statistics.retries), (1, 5, 1));
}

#[tokio::test(start_paused = true)]
async fn an_empty_or_null_list_or_response_is_a_success() {
    for response in [r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, "{}", "null", ""] {
        let clock = clock();
        let stream = stream_of(clock, &["0"]).await;
        let (got, _) = run_over(stream, clock, config(), |_, _| Ok(response.into())).await;
        assert_eq!(got.len(), 1, "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_or_empty_identifier_fails_the_whole_batch() {
    for item in [r#"{"itemIdentifier":"1"}"#, r#"{"itemIdentifier":""}"#, r#"{"itemIdentifier":null}"#, "{}"] {
        let clock = clock();
        let stream = stream_of(clock, &["0", "1"]).await;
        let (got, _) = run_over(stream, clock, config(), |invocation, payload| {
            let known = sequence_number(payload, 1);
            let response = format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"{known}"}},{item}]}}"#);
            if invocation == 0 { Ok(response.into()) } else { done() }
        })
        .await;
        assert_eq!(got, [["0", "1"], ["0", "1"]], "{item}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_of_another_form_fails_the_whole_batch() {
    for response in ["no json", "[]", "\"done\"", r#"{"batchItemFailures":"all"}"#] {
        let clock = clock();
        let stream = stream_of(clock, &["0", "1"]).await;
        let answer = |invocation, _: &[u8]| if invocation == 0 { Ok(response.into()) } else { done() };
        let (got, _) = run_over(stream, clock, config(), answer).await;
        assert_eq!(got, [["0", "1"], ["0", "1"]], "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_error_sends_the_whole_batch_again() {
    let clock = clock();
    let stream = stream_of(clock, &["0", "1"]).await;
    let (got, statistics) = run_over(stream, clock, config(), |n, _| if n < 2 { broken() } else { done() }).await;
    assert_eq!(got, [["0", "1"]; 3]);
    assert_eq!((statistics.batches, statistics.retries), (1, 2));
    assert_eq!(statistics.last_function_error, Some(FunctionError("broken".into())));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_function_is_a_function_error() {
    let clock = clock();
    let stream = stream_of(clock, &["0"]).await;
    let log = Log::default();
    let function = |_: Vec<u8>| {
        let invocation = log.push(());
        assert_ne!(invocation, 1, "before there is a future");
        async move {
            assert_ne!(invocation, 2, "within the future");
            done()
        }
    };
    let statistics = EventSource::new(stream, clock, config()).run_until_drained(function).await;
    assert_eq!((log.entries().len(), statistics.retries), (3, 2));
    assert_eq!(statistics.last_function_error.unwrap().to_string(), "the function panicked");
}

proptest! {
    #[test]
    fn whatever_the_function_answers_for_a_while_each_shard_is_done_in_order(
        keys in prop::collection::vec("[a-h]", 0..40),
        shards in 1..4_usize,
        batch_size in 1..9_usize,
        bisect in any::<bool>(),
        answers in prop::collection::vec(0..12_usize, 0..30),
    ) {
        run(async {
            let clock = clock();
            let stream = MemoryStream::new("comments", shards, clock);
            for (n, key) in keys.iter().enumerate() {
                stream.put_records(&[record(key, n.to_string())]).await.unwrap();
            }
            let on_batch_failure = if bisect { OnBatchFailure::Bisect } else { OnBatchFailure::Retry };
            let config = Config { batch_size, on_batch_failure, ..config() };
            let finished = Log::default();
            let (invocations, statistics) = run_over(stream.clone(), clock, config, |n, payload| {
                let texts = data(payload);
                // 0 to 8: everything before that record; 9: function error; 10: unknown identifier; else all.
                let (done_here, answer) = match answers.get(n) {
                    Some(&at @ 0..=8) if at < texts.len() => (at, failed_from(payload, at)),
                    Some(9) => (0, broken()),
                    Some(10) => (0, Ok(br#"{"batchItemFailures":[{"itemIdentifier":"?"}]}"#.to_vec())),
                    _ => (texts.len(), done()),
                };
                for text in &texts[..done_here] {
                    finished.push(text.clone());
                }
                answer
            })
            .await;
            // No record twice, none lost, each shard's in order.
            let finished = finished.entries();
            prop_assert_eq!(finished.len(), keys.len());
            for shard in stream.shard_ids() {
                let on_shard: Vec<String> = stream
                    .get_records(&shard, None, usize::MAX)
                    .unwrap()
                    .iter()
                    .map(|record| String::from_utf8(record.data.clone()).unwrap())
                    .collect();
                let in_order: Vec<String> = finished.iter().filter(|text| on_shard.contains(text)).cloned().collect();
                prop_assert_eq!(&in_order, &on_shard);
            }
            prop_assert_eq!(statistics.records as usize, keys.len());
            prop_assert_eq!(statistics.discarded_records, 0);
            prop_assert!(statistics.retries <= invocations.len() as u64);
            Ok(())
        })?;
    }
}
