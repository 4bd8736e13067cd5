use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::payload::detail;

/// A window's state: a JSON object, of 1 MB at most for a shard. Past that Lambda ends the window early.
pub type State = Map<String, Value>;

/// The tumbling window that a batch belongs to, where the mapping has one
/// ([stateful processing](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html)).
///
/// Lambda carries a state from one invocation of a window to the next:
///
/// - Every answer must hold a state, that of a batch without records and of a failed one too
///   ([`BatchResponse::with_state`](crate::BatchResponse::with_state)). Lambda takes an answer without one for a failed
///   invocation.
/// - State and failures stand in one answer. Fold into the state what is done, and nothing of what comes again:
///   [`Report::settled`](crate::Report::settled) says where the line is.
/// - A function error answers no state. AWS documents no more than that a record is handled at least once, and perhaps out
///   of order the second time. So a state that must be exact remembers what it has counted, such as the last sequence
///   number, and effects outside it must stand a repeat.
/// - With [`is_final_invoke`](Window::is_final_invoke) the window ends: the state goes to where it is wanted, and Lambda
///   drops it. If that invocation fails, the shard waits until one succeeds.
/// - Bounds follow the records' arrival. A shard that ends by resharding closes its window; its children begin afresh.
#[derive(Clone, Debug, PartialEq)]
pub struct Window<'a> {
    /// The first moment of the window, in RFC 3339.
    pub start: Cow<'a, str>,
    /// The first moment after the window, in RFC 3339.
    pub end: Cow<'a, str>,
    /// The state that the invocation before answered; empty at the window's beginning.
    pub state: State,
    /// The shard's id; empty if Lambda leaves it out.
    pub shard_id: Cow<'a, str>,
    /// The stream's ARN; empty if Lambda leaves it out.
    pub event_source_arn: Cow<'a, str>,
    /// Whether nothing follows in this window, so that the state with this batch is the result.
    pub is_final_invoke: bool,
    /// Whether the state grew too large, so that the window was ended before its time. The next invocation begins with an
    /// empty state.
    pub is_terminated_early: bool,
}

impl Window<'_> {
    /// The state as a type of yours; its default, while the state is empty.
    ///
    /// # Errors
    /// [`StateError::OtherForm`] where the state is not what the type reads.
    pub fn state_as<S: DeserializeOwned + Default>(&self) -> Result<S, StateError> {
        if self.state.is_empty() {
            return Ok(S::default());
        }
        serde_json::from_value(Value::Object(self.state.clone()))
            .map_err(|error| StateError::OtherForm { detail: detail(&error) })
    }
}

/// A window's state can't be read or answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The state is not what the type reads.
    ///
    /// What to do: a version of the function that wrote another form is the usual reason. Read both for as long as a window
    /// lasts (a default for what is new), or begin with an empty state and count the window as incomplete.
    #[error("the window's state has another form: {detail}; read the old form too until its windows have ended")]
    OtherForm {
        /// What is missing or where it differs; quotes no value.
        detail: String,
    },
    /// The value does not become a JSON object.
    ///
    /// What to do: answer with a struct, or with a map whose keys are text.
    #[error("a window's state must become a JSON object: use a struct, or a map whose keys are text")]
    NotAnObject,
}
