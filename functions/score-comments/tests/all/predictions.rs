//! What a prediction says.

use modstream_events::ids;

use crate::{Fixture, comment, config, number, payload};

#[tokio::test(start_paused = true)]
async fn a_prediction_carries_its_comment_its_model_and_an_id_of_both() {
    let (fixture, version) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 5)).await.expect("starts");
    fixture.handle(&function, &payload(&[comment("Is it so?")])).await;
    let event = &fixture.on_stream()[0];
    assert_eq!(event["id"], ids::prediction("urn:example:forum", "e-1", &version).to_string());
    assert_eq!(
        (&event["type"], &event["source"]),
        (&"modstream.prediction.v1".into(), &"urn:modstream:score-comments".into())
    );
    let data = &event["data"];
    assert_eq!(data["comment"], serde_json::json!({ "id": "c1", "body": "Is it so?" }));
    assert_eq!(
        data["comment_event"],
        serde_json::json!({ "source": "urn:example:forum", "id": "e-1", "time": "2026-01-05T10:00:00Z" })
    );
    assert_eq!(data["model"], serde_json::json!({ "name": "rscience", "version": version }));
    assert_eq!(fixture.predictions.records()[0].partition_key, "c1");
}

#[tokio::test(start_paused = true)]
async fn intercept_terms_and_rest_add_up_to_the_log_odds_however_many_terms_are_named() {
    let text = "lol my doctor said this is a scam, and I wonder if anything here is true?";
    for top_terms in [0, 1, 5, 50] {
        let event = &Fixture::predict(&config(None, top_terms), &[text]).await[0];
        let terms = event["data"]["terms"].as_array().expect("a list");
        assert!(terms.len() <= top_terms && (top_terms == 0 || !terms.is_empty()));
        let sum: f64 = terms.iter().map(|term| number(term, "/contribution")).sum();
        let sum = sum + number(event, "/data/intercept") + number(event, "/data/other");
        assert!((sum - number(event, "/data/log_odds")).abs() < 1e-9, "{top_terms} terms");
        let probability = 1.0 / (1.0 + (-number(event, "/data/log_odds")).exp());
        assert!((probability - number(event, "/data/probability")).abs() < 1e-12);
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_without_a_letter_or_a_digit_is_scored_and_said_to_be_nothing_to_judge() {
    let bodies = ["", "\u{1F44D}", "![gif](giphy|abc)", "&amp;#x200B;", "ok", "7", "see https://example.org"];
    let predictions = Fixture::predict(&config(None, 0), &bodies).await;
    let not_judged: Vec<Option<&str>> =
        predictions.iter().map(|event| event["data"].get("not_judged").and_then(serde_json::Value::as_str)).collect();
    let nothing = Some("no_text");
    assert_eq!(not_judged, [nothing, nothing, nothing, nothing, None, None, None]);
    assert!(predictions.iter().all(|event| event["data"]["probability"].is_f64()));
}

#[tokio::test(start_paused = true)]
async fn a_comment_unlike_all_that_the_model_learned_from_is_scored_and_said_to_be_so() {
    let german = "Das ist doch v\u{F6}lliger Unsinn und hat mit der Studie nichts zu tun.";
    let bodies = ["ok", "Yes.", german, "What a waste of money", "This was not even about mice, was it?"];
    let predictions = Fixture::predict(&config(None, 0), &bodies).await;
    let support: Vec<Option<&str>> =
        predictions.iter().map(|event| event["data"].get("support").and_then(serde_json::Value::as_str)).collect();
    assert_eq!(support, [Some("shorter"), Some("shorter"), Some("unknown_words"), None, None]);
    assert!(predictions.iter().all(|event| event["data"]["probability"].is_f64()));
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_place_of_a_text_is_no_text_to_judge() {
    let bodies = ["[removed]", "\\[deleted by user\\]", "[ Removed by Reddit ]", "why was it [removed]?"];
    let predictions = Fixture::predict(&config(None, 0), &bodies).await;
    let not_judged: Vec<Option<&str>> =
        predictions.iter().map(|event| event["data"].get("not_judged").and_then(serde_json::Value::as_str)).collect();
    let placeholder = Some("placeholder");
    assert_eq!(not_judged, [placeholder, placeholder, placeholder, None]);
}

#[tokio::test(start_paused = true)]
async fn a_comment_whose_event_has_no_time_that_is_read_is_scored_as_of_its_arrival() {
    let (fixture, _) = Fixture::with_model().await;
    let function = fixture.start(&config(None, 0)).await.expect("starts");
    let event: serde_json::Value = serde_json::from_slice(&comment("so")).expect("JSON");
    let timed = |time: Option<serde_json::Value>| {
        let mut event = event.clone();
        match time {
            Some(time) => event["time"] = time,
            None => drop(event.as_object_mut().and_then(|event| event.remove("time"))),
        }
        event.to_string().into_bytes()
    };
    let records = [
        timed(None),
        timed(Some(serde_json::Value::Null)),
        timed(Some("yesterday".into())),
        timed(Some(serde_json::json!({}))),
        timed(Some(1_767_600_000.into())),
        timed(Some(1_767_600_000_250_u64.into())),
        timed(Some("2026-01-05T08:00:00".into())),
        timed(Some("2026-01-05T09:00:00.5+01:00".into())),
    ];
    assert!(fixture.handle(&function, &payload(&records)).await.batch_item_failures.is_empty());
    let times: Vec<String> =
        fixture.on_stream().iter().map(|event| event["data"]["comment_event"]["time"].to_string()).collect();
    let (arrived, said) = ("\"2026-01-05T10:00:00Z\"", "\"2026-01-05T08:00:00Z\"");
    let as_it_stands = "\"2026-01-05T08:00:00.5Z\"";
    assert_eq!(times, [arrived, arrived, arrived, arrived, said, said, said, as_it_stands]);
}
