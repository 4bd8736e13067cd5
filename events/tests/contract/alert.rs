use modstream_events::{Alert, Event, MAX_BODY_CHARS, PolicyRef, Prediction, Severity};

use crate::whole_events::{alert_event, comment_event, prediction_event};

/// What SNS takes.
const MESSAGE_BYTES: usize = 256 << 10;

fn alert_on(body: &str) -> Alert<'_> {
    let mut prediction: Prediction<'_> = prediction_event().data;
    prediction.comment.body = Some(body.into());
    let policy = PolicyRef { name: "default".into(), condition: "precision>=0.9".into() };
    Alert::new(prediction, "p-1".into(), Severity::High, policy)
}

#[test]
fn an_alert_cuts_the_body_after_2000_characters_wherever_their_bytes_end() {
    for character in ["a", "é", "—", "😀", "\u{0}", "\"", "e\u{301}"] {
        let per_unit = character.chars().count();
        for (characters, cut) in
            [(0, false), (MAX_BODY_CHARS - 2, false), (MAX_BODY_CHARS, false), (MAX_BODY_CHARS + 2, true)]
        {
            let body = character.repeat(characters / per_unit);
            let alert = alert_on(&body);
            let kept = alert.comment.body().expect("a body");
            assert_eq!(alert.body_truncated, cut, "{character:?} {characters}");
            assert_eq!(kept.chars().count(), characters.min(MAX_BODY_CHARS), "{character:?}");
            assert!(body.starts_with(kept));
        }
    }
    let mixed = format!("{}😀é", "a".repeat(MAX_BODY_CHARS - 1));
    assert!(alert_on(&mixed).comment.body().expect("a body").ends_with("a😀"));
}

#[test]
fn a_body_that_the_alert_owns_is_cut_the_same() {
    let mut prediction = prediction_event().data;
    prediction.comment.body = Some("é".repeat(MAX_BODY_CHARS + 1).into());
    let alert = Alert::new(prediction, "p-1".into(), Severity::Low, alert_event().data.policy);
    assert_eq!((alert.comment.body().expect("a body").chars().count(), alert.body_truncated), (MAX_BODY_CHARS, true));
}

#[test]
fn a_comment_without_a_body_makes_an_alert_without_one() {
    let mut prediction = prediction_event().data;
    prediction.comment.body = None;
    let alert = Alert::new(prediction, "p-1".into(), Severity::Low, alert_event().data.policy);
    assert_eq!((alert.comment.body, alert.body_truncated), (None, false));
}

#[test]
fn the_largest_body_of_the_worst_characters_fits_a_message() {
    for character in ["\u{1}", "\u{1f}", "\"", "\\", "😀", "\u{10ffff}", "\u{2028}", "\u{7f}"] {
        let body = character.repeat((1 << 20) / character.len());
        let event = Event::new("a-1", "urn:modstream:publish-alerts", comment_event().time, alert_on(&body));
        let bytes = event.encode().len();
        assert!(bytes < MESSAGE_BYTES, "{character:?}: {bytes} bytes");
    }
}

#[test]
fn an_alert_keeps_what_the_prediction_says() {
    let (prediction, alert) = (prediction_event(), alert_event().data);
    assert_eq!(alert.prediction_id, prediction.id);
    let said = prediction.data;
    assert_eq!(alert.comment, said.comment);
    assert_eq!(alert.comment_event, said.comment_event);
    assert_eq!((alert.probability, alert.log_odds), (said.probability, said.log_odds));
    assert_eq!((alert.terms, alert.model), (said.terms, said.model));
    assert_eq!(alert.operating_point, said.operating_point);
}
