use crate::{BatchResponse, Fault};

/// What became of a batch.
///
/// `skipped`, `delivered` and `quarantined` cover the records before the failure, or all of them: what comes after it is
/// sent again and counted then, so sums over reports count each record once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<B, E> {
    /// How many records the batch held.
    pub records: usize,
    /// How many there was nothing to do for.
    pub skipped: usize,
    /// How many were delivered.
    pub delivered: usize,
    /// The records that were kept elsewhere, in order.
    pub quarantined: Vec<Quarantined<B>>,
    /// The first record, by position, that must be sent again.
    pub failure: Option<Failure<E>>,
}

/// A record that can never be handled, and is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<B> {
    /// Its sequence number.
    pub sequence_number: String,
    /// What is wrong with it.
    pub fault: Fault<B>,
}

/// The record a batch comes back from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<E> {
    /// Its sequence number.
    pub sequence_number: String,
    /// Why it is not done.
    pub cause: Cause<E>,
}

/// Why a record is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause<E> {
    /// It was not delivered.
    #[error("not delivered: {0}")]
    Deliver(E),
    /// It can never be handled, and could not be kept.
    #[error("bad record, not quarantined: {0}")]
    Quarantine(E),
    /// Delivering panicked: the first of the items.
    #[error("delivering panicked at {}", place.as_deref().unwrap_or("an unknown place"))]
    DeliverPanicked {
        /// Where, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// Keeping it panicked.
    #[error("quarantine panicked at {}", place.as_deref().unwrap_or("an unknown place"))]
    QuarantinePanicked {
        /// Where, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// The handler's `deliver` broke its word, one outcome an item: the first item without one; with too many, the first
    /// item.
    #[error("{outcomes} outcomes for {items} items: the handler's `deliver` must give one an item")]
    OutcomeCount {
        /// How many items it was given.
        items: usize,
        /// How many outcomes came back.
        outcomes: usize,
    },
}

impl<B, E> Report<B, E> {
    /// What to answer Lambda.
    pub fn response(&self) -> BatchResponse {
        self.failure
            .as_ref()
            .map_or_else(BatchResponse::success, |failure| BatchResponse::failed_from(&failure.sequence_number))
    }
}
