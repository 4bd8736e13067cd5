//! `/v1/check`: what would become of a comment, and why.

use jiff::Timestamp;
use modstream_classifier::Scratch;
use modstream_events::{Comment, Event, Prediction, ids};
use modstream_intake::DEFAULT_SOURCE;
use serde::Serialize;

use crate::http::parameter;
use crate::judging::{Judging, LabelScore, Verdict, unsent};
use crate::route::ours;
use crate::{Request, Response, read};

const SOURCE: &str = "urn:modstream:check";

/// The answer.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CheckResponse<'a> {
    /// The prediction event that the comment would get.
    prediction: Event<'a, Prediction<'a>>,
    /// What all models with labels say, explained whole. The prediction has the labels of the harm model that comments are scored
    /// with.
    labels: Vec<LabelScore>,
    /// What the policies say.
    judgement: Verdict,
}

/// Answers a request: a comment, under the field names of `/v1/comments`.
pub(crate) fn check(request: &Request, judging: &Judging<'_>, now: Timestamp, scratch: &mut Scratch) -> Response {
    let comment: Comment<'static> = match read::json::<Owned>(&request.body) {
        Ok(Owned(comment)) => comment,
        Err(problem) => return ours(400, "body", &format!("the body is no comment: {problem}")),
    };
    let body = match comment.body() {
        Ok(body) => body.to_owned(),
        Err(_) => return ours(400, "missing_body", "the comment has no `body`: it is the text to check"),
    };
    // A prediction has the id that it gets when the comment is sent.
    let source = parameter(&request.query, "source").filter(|source| !source.is_empty());
    let source = source.as_deref().unwrap_or(DEFAULT_SOURCE);
    let own = comment.id.as_deref().unwrap_or_default();
    let event_id = ids::comment(source, own, &ids::text_version(&body, 0)).to_string();
    let labels = judging.labels(&body, scratch);
    let prediction = judging.predict(comment, unsent(source, event_id, now), scratch);
    let judgement = judging.verdict(&prediction);
    let event = &prediction.comment_event;
    let id = ids::prediction(&event.source, &event.id, &prediction.model.version).to_string();
    let prediction = Event::new(id, SOURCE, now, prediction);
    Response::json(200, &CheckResponse { prediction, labels, judgement }).with("x-modstream-model", judging.models())
}

/// A comment that borrows nothing of what it is read from.
struct Owned(Comment<'static>);

impl<'de> serde::Deserialize<'de> for Owned {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Comment::deserialize(from).map(|comment| Owned(comment.into_owned()))
    }
}
