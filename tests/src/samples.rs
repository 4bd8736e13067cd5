use std::path::Path;

use modstream_events::{Comment, Event, EventRef, ModelRef, OperatingPoint, Prediction, Term, ids};

/// The forum that made-up comments come from.
pub const SOURCE: &str = "urn:example:forum";
/// Stands in every made-up body and author: it must stay out of logs.
pub const PRIVATE: &str = "kumquat-serenade";
/// When made-up comments were written.
const TIME: &str = "2026-01-05T09:59:30Z";

/// The project's sample comments, as a corpus.
pub fn samples_file() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/samples/comments.jsonl");
    std::fs::read(path).expect("the samples are there")
}

/// A made-up comment; `number` names it.
pub fn comment(number: usize) -> Comment<'static> {
    Comment {
        id: Some(format!("c{number}").into()),
        subreddit: Some("science".into()),
        author: Some(format!("{PRIVATE} {number}").into()),
        body: Some(format!("My doctor says {PRIVATE} is a scam, number {number}, lol!").into()),
        ..Comment::default()
    }
}

/// The id of the comment event of a made-up comment.
pub fn comment_event_id(number: usize) -> String {
    ids::sent_comment(SOURCE, &format!("c{number}")).to_string()
}

/// The record of a made-up comment.
pub fn comment_event(number: usize) -> Vec<u8> {
    event_of(number, comment(number))
}

/// The record of this comment, under the event id of a made-up one.
pub fn event_of(number: usize, comment: Comment<'_>) -> Vec<u8> {
    Event::new(comment_event_id(number), SOURCE, TIME.parse().expect("a time"), comment).encode()
}

/// The record of a prediction for a made-up comment.
pub fn prediction_event(number: usize, probability: f64) -> Vec<u8> {
    let version = "0".repeat(64);
    let id = ids::prediction(SOURCE, &comment_event_id(number), &version);
    let time = TIME.parse().expect("a time");
    let prediction = Prediction {
        comment: comment(number),
        comment_event: EventRef { source: SOURCE.into(), id: comment_event_id(number).into(), time },
        probability,
        log_odds: 0.0,
        intercept: -0.5,
        terms: vec![Term { term: "scam".into(), contribution: 0.5 }],
        other: 0.0,
        model: ModelRef { name: "made-up".into(), version: version.into() },
        operating_point: OperatingPoint {
            precision: probability,
            recall: 0.5,
            share: 1.0 - probability,
            base_rate: 0.3,
        },
    };
    Event::new(id.to_string(), "urn:modstream:score-comments", time, prediction).encode()
}
