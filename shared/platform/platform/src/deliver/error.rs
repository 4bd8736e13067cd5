use crate::CallError;

/// Something that was not delivered, and is worth delivering again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{cause}", if *.deadline_passed { "the deadline ran out; " } else { "" })]
pub struct DeliveryError {
    /// The last thing that went wrong.
    pub cause: Cause,
    /// Whether there was no time left to try again. Otherwise trying again at once is of no use.
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

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// There was no attempt.
    #[error("not tried: raise the function's timeout or lower its batch size")]
    NotTried,
    /// The call failed as a whole.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The call succeeded, this entry did not.
    #[error("{code}: {message}")]
    Entry {
        /// The service's error code.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The service answered for another number of entries than it was sent.
    #[error("{outcomes} outcomes for {entries} entries: what was done is unknown")]
    OutcomeCount {
        /// How many it was sent.
        entries: usize,
        /// How many it answered for.
        outcomes: usize,
    },
    /// No stream takes a record with such a key.
    #[error("a partition key of {characters} characters: give the record one of 1 to 256")]
    InvalidKey {
        /// Its length.
        characters: usize,
    },
    /// A write without a condition was refused for its condition.
    #[error("the object store refused a condition that was not set")]
    UnexpectedCondition,
}
