//! The front door: what is asked before a comment is posted, and answered at once.
//!
//! Plain [`Request`]s to plain [`Response`]s, in the words of whoever asks. `modstream serve` gives them to HTTP, and the function
//! `answer-checks` to a function URL: each has a [`FrontDoor`] over its bucket.
//!
//! | route | whose shape | role of the key |
//! |---|---|---|
//! | `POST /v1/check` | ours: prediction, labels, what the policies say | check |
//! | `POST /v1/comments` | ours: comments, or their events | send |
//! | `POST /v1alpha1/comments:analyze` | Perspective's | check |
//! | `POST /v1alpha1/comments:suggestscore` | Perspective's | feedback |
//! | `GET /$discovery/rest` | Google's discovery document of those two | none |
//! | `POST /coral/moderate` | Coral's external moderation phase | none: it is signed |
//! | `POST /v1/moderations` | OpenAI's | check |
//! | `GET /openapi.json` | OpenAPI 3.1 of all of them | none |
//!
//! A [`Route`] says who may ask ([`Route::role`], [`keys`], [`Quotas`]) and refuses in its caller's own form
//! ([`Route::refuse`]); the [`Gateway`] answers. It decides by [`Settings`] which label of which model answers for which name:
//! what nothing measures is refused, or said to be unmapped.

mod check;
mod comments;
mod coral;
mod door;
mod feedback;
mod gateway;
mod http;
mod judging;
pub mod keys;
mod openai;
#[cfg(feature = "schema")]
pub mod openapi;
mod perspective;
mod quotas;
mod read;
mod route;
mod settings;
mod text;
mod trouble;

pub use comments::{OnStream, Outcome, Put, Sink, Tally, ToPut, take as take_comments};
pub use door::{Done, FrontDoor, Setup, Turned, WithoutKeys, asked_at};
pub use feedback::{PREFIX as FEEDBACK_PREFIX, read as read_feedback};
pub use gateway::{Answered, Gateway, Stored};
pub use http::{Request, Response};
pub use judging::{Judging, Models};
pub use quotas::Quotas;
pub use route::{Refusal, Route, unknown};
pub use settings::{Settings, SettingsError};
pub use trouble::{NotReady, Trouble};
