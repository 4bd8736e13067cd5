//! A comment event's bytes in, a prediction event's bytes out. Pure.
//!
//! A later version of a comment is scored like a comment. That one is deleted or reported goes on as it came: behind the
//! predictions of the comment, which has the same partition key.

use jiff::Timestamp;
use modstream_classifier::{Scratch, not_judged};
use modstream_events::{BadRecord, CommentEvent, CommentVersion, Event, EventRef, ModelRef, Prediction, ids};
use modstream_in_use::models::InUse;

use crate::SOURCE;

/// The models that a batch is scored with.
pub(crate) struct Models<'a> {
    /// The model that says how likely moderators remove a comment.
    pub(crate) removal: &'a InUse,
    /// The model that gives labels, where there is one.
    pub(crate) harm: Option<&'a InUse>,
    /// How many terms a prediction names.
    pub(crate) top_terms: usize,
}

/// What each of the models needs while it scores.
#[derive(Debug, Default)]
pub(crate) struct Scratches {
    removal: Scratch,
    harm: Scratch,
}

pub(crate) fn predict(
    models: &Models<'_>,
    data: &[u8],
    arrived: Timestamp,
    now: Timestamp,
    scratches: &mut Scratches,
) -> Result<Vec<u8>, BadRecord> {
    let Some(said) = CommentEvent::decode_arrived(data, arrived)?.into_version() else { return Ok(data.to_vec()) };
    let CommentVersion { source, event_id, time, comment, version } = said;
    let Models { removal, harm, top_terms } = *models;
    let body = comment.body()?;
    let not_judged = not_judged(body);
    let explanation = removal.model.explain(body, top_terms, &mut scratches.removal);
    // Of a comment with nothing to judge no label is true or false.
    let harm = harm.filter(|_| not_judged.is_none());
    let said = harm.map(|harm| harm.model.label_predictions(body, top_terms, &mut scratches.harm));
    let (labels, harm_support) = match said {
        Some(Ok(labels)) => (Some(labels), None),
        Some(Err(outside)) => (None, Some(outside)),
        None => (None, None),
    };
    let id = ids::prediction(&source, &event_id, &removal.version);
    let prediction = Prediction {
        comment,
        comment_event: EventRef { source, id: event_id, time },
        version,
        probability: explanation.score.probability(),
        log_odds: explanation.score.log_odds.0,
        intercept: explanation.intercept,
        terms: explanation.terms,
        other: explanation.other,
        model: named(removal),
        operating_point: removal.model.operating_point(explanation.score),
        labels,
        harm_model: harm.map(named),
        harm_support,
        not_judged,
        support: explanation.outside,
    };
    Ok(Event::new(id.to_string(), SOURCE, now, prediction).encode())
}

fn named(in_use: &InUse) -> ModelRef<'_> {
    ModelRef { name: in_use.name.as_str().into(), version: in_use.version.as_str().into() }
}
