//! A comment event's bytes in, a prediction event's bytes out. Pure.
//!
//! A later version of a comment is scored like a comment. That one is deleted or reported goes on as it came: behind the
//! predictions of the comment, which has the same partition key.

use jiff::Timestamp;
use modstream_classifier::{Scratch, not_judged};
use modstream_events::{BadRecord, CommentEvent, CommentVersion, Event, EventRef, ModelRef, Prediction, ids};
use modstream_in_use::models::InUse;

use crate::SOURCE;

pub(crate) fn predict(
    in_use: &InUse,
    data: &[u8],
    arrived: Timestamp,
    top_terms: usize,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, BadRecord> {
    let Some(said) = CommentEvent::decode_arrived(data, arrived)?.into_version() else { return Ok(data.to_vec()) };
    let CommentVersion { source, event_id, time, comment, version } = said;
    let body = comment.body()?;
    let not_judged = not_judged(body);
    let explanation = in_use.model.explain(body, top_terms, scratch);
    let id = ids::prediction(&source, &event_id, &in_use.version);
    let prediction = Prediction {
        comment,
        comment_event: EventRef { source, id: event_id, time },
        version,
        probability: explanation.score.probability(),
        log_odds: explanation.score.log_odds.0,
        intercept: explanation.intercept,
        terms: explanation.terms,
        other: explanation.other,
        model: ModelRef { name: in_use.name.as_str().into(), version: in_use.version.as_str().into() },
        operating_point: in_use.model.operating_point(explanation.score),
        not_judged,
        support: explanation.outside,
    };
    Ok(Event::new(id.to_string(), SOURCE, now, prediction).encode())
}
