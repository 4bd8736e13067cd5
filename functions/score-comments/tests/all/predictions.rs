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
    let bodies = ["", "\u{1F44D}", "![gif](giphy|abc)", "&#x200B;", "ok", "7", "see https://example.org"];
    let predictions = Fixture::predict(&config(None, 0), &bodies).await;
    let not_judged: Vec<Option<&str>> =
        predictions.iter().map(|event| event["data"].get("not_judged").and_then(serde_json::Value::as_str)).collect();
    let nothing = Some("no_text");
    assert_eq!(not_judged, [nothing, nothing, nothing, nothing, None, None, None]);
    assert!(predictions.iter().all(|event| event["data"]["probability"].is_f64()));
}
