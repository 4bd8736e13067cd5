use std::path::Path;

use jiff::Timestamp;
use modstream_events::{
    Comment, CommentDeleted, CommentEdited, CommentReported, DeletedBy, Event, EventRef, ModelRef, OperatingPoint,
    Prediction, Term, ids,
};

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
    MadeUp::new(number).comment()
}

/// The id of the comment event of a made-up comment.
pub fn comment_event_id(number: usize) -> String {
    ids::comment(SOURCE, &format!("c{number}"), "1").to_string()
}

/// The record of a made-up comment.
pub fn comment_event(number: usize) -> Vec<u8> {
    MadeUp::new(number).comment_event()
}

/// The record of this comment, under the event id of a made-up one.
pub fn event_of(number: usize, comment: Comment<'_>) -> Vec<u8> {
    event_at(number, MadeUp::new(number).time, comment)
}

fn event_at(number: usize, time: Timestamp, comment: Comment<'_>) -> Vec<u8> {
    Event::new(comment_event_id(number), SOURCE, time, comment).encode()
}

/// The record of a prediction for a made-up comment.
pub fn prediction_event(number: usize, probability: f64) -> Vec<u8> {
    MadeUp::new(number).prediction_event(probability)
}

/// A made-up comment, with what some scenarios choose.
#[derive(Clone, Copy, Debug)]
pub struct MadeUp {
    /// The comment's number, which names it.
    pub number: usize,
    /// The subreddit where the comment was written.
    pub subreddit: &'static str,
    /// When the comment was written.
    pub time: Timestamp,
}

impl MadeUp {
    /// The one of this number as all others are.
    pub fn new(number: usize) -> Self {
        MadeUp { number, subreddit: "science", time: TIME.parse().expect("a time") }
    }

    /// The comment.
    pub fn comment(self) -> Comment<'static> {
        let MadeUp { number, subreddit, .. } = self;
        Comment {
            id: Some(format!("c{number}").into()),
            subreddit: Some(subreddit.into()),
            author: Some(format!("{PRIVATE} {number}").into()),
            body: Some(format!("My doctor says {PRIVATE} is a scam, number {number}, lol!").into()),
            ..Comment::default()
        }
    }

    /// The record of a later version: an even one is harmless, an odd one says what the comment said and more.
    pub fn edited_event(self, version: u32) -> Vec<u8> {
        let MadeUp { number, time, .. } = self;
        let body = if version.is_multiple_of(2) {
            format!("How large was the control group of study {number}? The paper says little about version {version}.")
        } else {
            format!("My doctor says {PRIVATE} is a scam, number {number}, lol! And again, {version} times.")
        };
        let comment = Comment { body: Some(body.into()), ..self.comment() };
        let edited = CommentEdited { comment, version: version.to_string().into() };
        Event::new(self.version_event_id(version), SOURCE, time, edited).encode()
    }

    /// The id of the comment event of a later version.
    pub fn version_event_id(self, version: u32) -> String {
        ids::comment(SOURCE, &format!("c{}", self.number), &format!("edit {version}")).to_string()
    }

    /// The record that says that the comment is gone.
    pub fn deleted_event(self, by: DeletedBy) -> Vec<u8> {
        let id = format!("c{}", self.number);
        let event = ids::comment_deleted(SOURCE, &id).to_string();
        let deleted = CommentDeleted { id: id.into(), subreddit: Some(self.subreddit.into()), by };
        Event::new(event, SOURCE, self.time, deleted).encode()
    }

    /// The record that says that somebody reported the comment.
    pub fn reported_event(self, reporter: u32) -> Vec<u8> {
        let (id, reporter) = (format!("c{}", self.number), format!("reporter {reporter}"));
        let event = ids::comment_reported(SOURCE, &id, &reporter).to_string();
        let reported = CommentReported {
            id: id.into(),
            subreddit: Some(self.subreddit.into()),
            reporter: Some(reporter.into()),
            reason: Some("rude".into()),
        };
        Event::new(event, SOURCE, self.time, reported).encode()
    }

    /// Its record.
    pub fn comment_event(self) -> Vec<u8> {
        event_at(self.number, self.time, self.comment())
    }

    /// The record of a prediction for it.
    pub fn prediction_event(self, probability: f64) -> Vec<u8> {
        let MadeUp { number, time, .. } = self;
        let version = "0".repeat(64);
        let id = ids::prediction(SOURCE, &comment_event_id(number), &version);
        let prediction = Prediction {
            comment: self.comment(),
            comment_event: EventRef { source: SOURCE.into(), id: comment_event_id(number).into(), time },
            version: None,
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
            labels: None,
            harm_model: None,
            harm_support: None,
            not_judged: None,
            support: None,
        };
        Event::new(id.to_string(), "urn:modstream:score-comments", time, prediction).encode()
    }

    /// What all that is known of the comment is filed under.
    pub fn comment_key(self) -> String {
        ids::comment_key(SOURCE, &format!("c{}", self.number)).to_string()
    }

    /// The id of its alert, under the policies that are called `default`.
    pub fn alert_id(self) -> String {
        ids::alert(SOURCE, &comment_event_id(self.number), "default").to_string()
    }
}
