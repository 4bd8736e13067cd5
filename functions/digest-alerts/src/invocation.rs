use jiff::Timestamp;
use serde::Deserialize;

/// The payload: a [scheduled event](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html), of
/// which `time` counts, or an object by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Invocation {
    /// The time that the schedule called for; now where it is missing. A repeat must carry the same.
    pub time: Option<Timestamp>,
}

/// A payload that is no invocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the payload is no invocation ({0}): send a scheduled event, or an object such as {{\"time\":\"2026-01-05T10:06:00Z\"}}"
)]
pub struct InvocationError(String);

impl Invocation {
    /// Reads a payload.
    ///
    /// # Errors
    /// Where it is no object of this form.
    pub fn parse(payload: &[u8]) -> Result<Self, InvocationError> {
        serde_json::from_slice(payload).map_err(|error| InvocationError(error.to_string()))
    }
}
