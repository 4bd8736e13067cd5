//! The contract of modstream: what travels on the streams and to moderators.
//!
//! Every event is a [CloudEvent 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) in structured
//! JSON, one event a Kinesis record. Its `type` carries the version: a new field is optional, any other change is a new
//! version, and events of earlier versions stay readable ([`Versioned`]). `schemas/` holds the JSON Schemas of these types,
//! `fixtures/` events of every version that there ever was, `samples/` payloads and comments to try the functions with.
//!
//! Ids are deterministic ([`ids`]), so a repeated step produces the event it produced before and consumers drop repeats.
//!
//! ```
//! use modstream_events::{Comment, Event, ids};
//!
//! let comment = Comment { id: Some("k3f9a01".into()), body: Some("Is the sample large enough?".into()), ..Comment::default() };
//! let version = ids::text_version("Is the sample large enough?", 0);
//! let id = ids::comment("urn:example:forum", "k3f9a01", &version);
//! let event = Event::new(id.to_string(), "urn:example:forum", "2026-01-05T10:00:00Z".parse()?, comment);
//! let record = event.encode();
//!
//! let back: Event<'_, Comment<'_>> = Event::decode(&record)?;
//! assert_eq!(back.data.body()?, "Is the sample large enough?");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alert;
mod bad_record;
mod borrow;
mod change;
mod comment;
mod data;
mod decision;
mod event;
mod feedback;
mod harm;
pub mod ids;
mod lenient;
mod lifecycle;
mod object;
mod outline;
mod owned;
mod prediction;
mod quarantined;
mod sizes;
mod versioned;

pub use alert::{Alert, Links, MAX_BODY_CHARS, MAX_FIELD_CHARS, PROBE_BODY, PROBE_SOURCE, PolicyRef, Severity};
pub use bad_record::{BadRecord, Reason};
pub use change::{BreakerClosed, CHANGES_SOURCE, Cause, MAX_REASON_CHARS, ModelPromoted, PoliciesChanged};
pub use comment::Comment;
pub use data::Data;
pub use decision::{Action, DECISIONS_SOURCE, Decision, MAX_MODERATOR_CHARS, NoAction};
pub use event::Event;
pub use feedback::Feedback;
pub use harm::{GET_HELP, LabelPrediction, Meets, SelfHarm};
pub use lifecycle::{
    CommentDeleted, CommentEdited, CommentEvent, CommentReported, CommentVersion, DecisionEvent, DeletedBy,
    PredictionEvent,
};
pub use prediction::{EventRef, ModelRef, NotJudged, OperatingPoint, Outside, Prediction, Term};
pub use quarantined::{Origin, Quarantined};
pub use sizes::{MAX_NAME_BYTES, MAX_RECORD_BYTES};
pub use versioned::{NoPrevious, Versioned, readable_types};
