use crate::CallError;

/// The reason why something was not delivered that is worth delivering again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{cause}", if *.deadline_passed { "the deadline ran out; " } else { "" })]
pub struct DeliveryError {
    /// The last cause.
    pub cause: Cause,
    /// Whether no time was left to try again. If some was, trying again at once is of no use.
    pub deadline_passed: bool,
}

impl DeliveryError {
    pub(super) fn final_answer(cause: Cause) -> Self {
        DeliveryError { cause, deadline_passed: false }
    }

    pub(super) fn out_of_time(last: Option<Cause>) -> Self {
        DeliveryError { cause: last.unwrap_or(Cause::NotTried), deadline_passed: true }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// There was no attempt.
    #[error("not tried: raise the function's timeout, or lower its batch size")]
    NotTried,
    /// The call failed as a whole.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The caller may not make the call, or what it is about is not there. The call changed nothing, and what the bucket or the
    /// table holds is not known.
    #[error(transparent)]
    Denied(Box<Denied>),
    /// The call succeeded, and this entry of it failed.
    #[error("{code}: {message}")]
    Entry {
        /// The service's error code.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The service answered for another number of entries than the call sent.
    #[error("{outcomes} outcomes for {entries} entries: what was done is unknown")]
    OutcomeCount {
        /// How many entries the call sent.
        entries: usize,
        /// How many entries the service answered for.
        outcomes: usize,
    },
    /// The record has a partition key that no stream takes.
    #[error("the partition key has {characters} characters: give the record one of 1 to 256")]
    InvalidKey {
        /// The key's length.
        characters: usize,
    },
    /// A write without a condition was refused for its condition.
    #[error("the object store refused a condition that was not set")]
    UnexpectedCondition,
}

/// A call that the caller may not make, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}; it takes {permission} on {on}")]
pub struct Denied {
    /// The call.
    pub call: CallError,
    /// The permission that it takes.
    pub permission: &'static str,
    /// The object's key, the listing's prefix, or the name of the secret or the table.
    pub on: String,
}
