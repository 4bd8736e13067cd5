//! A comment event's bytes in, a prediction event's bytes out. Pure.

use jiff::Timestamp;
use modstream_classifier::Scratch;
use modstream_events::{BadRecord, Comment, Event, EventRef, ModelRef, NotJudged, Prediction, ids};
use modstream_in_use::models::InUse;
use normal_form::has_text;

use crate::SOURCE;

pub(crate) fn predict(
    in_use: &InUse,
    data: &[u8],
    top_terms: usize,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, BadRecord> {
    let event: Event<'_, Comment<'_>> = Event::decode(data)?;
    let body = event.data.body()?;
    let not_judged = (!has_text(body)).then_some(NotJudged::NoText);
    let explanation = in_use.model.explain(body, top_terms, scratch);
    let id = ids::prediction(&event.source, &event.id, &in_use.version);
    let prediction = Prediction {
        comment: event.data,
        comment_event: EventRef { source: event.source, id: event.id, time: event.time },
        probability: explanation.score.probability(),
        log_odds: explanation.score.log_odds.0,
        intercept: explanation.intercept,
        terms: explanation.terms,
        other: explanation.other,
        model: ModelRef { name: in_use.name.as_str().into(), version: in_use.version.as_str().into() },
        operating_point: in_use.model.operating_point(explanation.score),
        not_judged,
    };
    Ok(Event::new(id.to_string(), SOURCE, now, prediction).encode())
}
