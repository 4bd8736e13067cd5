//! What Lambda sends.

use modstream_platform::{Clock, Objects};

use crate::{Fixture, TIME, comment, config, payload};

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_no_batch_is_an_error_that_says_what_to_check() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 5)).await.expect("starts");
    for (sent, said) in [
        ("not json", "the payload is no JSON (line 1, column 2): invoke the function with a Kinesis event"),
        ("[]", "the payload is no Kinesis event: a value of another type than expected"),
        (
            "{}",
            "the payload is no Kinesis event: missing field `Records` at line 1 column 2; check that the event source mapping names a Kinesis stream",
        ),
    ] {
        let error = function.handle(sent.as_bytes(), fixture.clock.now() + TIME).await.expect_err(said).to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_records_is_done() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 5)).await.expect("starts");
    assert!(fixture.handle(&function, &payload(&[])).await.batch_item_failures.is_empty());
}

#[tokio::test(start_paused = true)]
async fn data_that_is_no_base64_is_quarantined_as_it_came_and_the_batch_goes_on() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 5)).await.expect("starts");
    let text = payload(&[b"\xFB\xEF\xBE\xFB\xEF\xBE".to_vec(), comment("Is it so?")]);
    let broken = String::from_utf8(text).expect("text").replacen("++++++++", "+++!", 1);
    assert!(fixture.handle(&function, broken.as_bytes()).await.batch_item_failures.is_empty());
    assert_eq!(fixture.on_stream().len(), 1);
    let keys = fixture.objects.list("quarantine/").await.expect("lists");
    assert_eq!(keys, [format!("quarantine/comments/shardId-000000000000/49{:054}.json", 0)]);
    let kept: serde_json::Value = serde_json::from_slice(&fixture.objects.versions(&keys[0])[0]).expect("an event");
    assert_eq!((&kept["data"]["reason"], &kept["data"]["payload"]), (&"not_base64".into(), &"+++!".into()));
}
