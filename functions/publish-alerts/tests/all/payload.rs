//! What Lambda sends.

use std::time::Duration;

use modstream_platform::Clock;

use crate::{Fixture, SUCCESS, encode, payload, prediction};

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_no_batch_is_an_error_that_says_what_to_check() {
    let fixture = Fixture::new("0");
    for (sent, said) in [
        ("not json", "the payload is no JSON (line 1, column 2): invoke the function with a Kinesis event"),
        (
            "{}",
            "the payload is no Kinesis event: missing field `Records` at line 1 column 2; check that the event source mapping names a Kinesis stream",
        ),
    ] {
        let deadline = fixture.clock.now() + Duration::from_secs(10);
        let error = fixture.function.handle(sent.as_bytes(), deadline).await.expect_err(said);
        assert_eq!(error.to_string(), said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_records_is_done() {
    assert_eq!(Fixture::new("0").handle(&[]).await, SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn data_that_is_no_base64_is_quarantined_and_the_batch_goes_on() {
    let fixture = Fixture::new("0");
    let marker = b"\xFB\xEF\xBE\xFB\xEF\xBE".to_vec();
    let text = String::from_utf8(payload(&[marker, encode(&prediction())])).expect("text");
    let broken = text.replacen("++++++++", "+++!", 1);
    assert_ne!(text, broken);
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    let response = fixture.function.handle(broken.as_bytes(), deadline).await.expect("a batch");
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(fixture.quarantined().await[0].0, "not_base64");
    assert!(fixture.inbox.try_receive().is_some());
}
