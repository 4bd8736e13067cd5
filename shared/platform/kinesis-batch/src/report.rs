use crate::{BatchResponse, Fault};

/// What became of a batch.
///
/// `skipped`, `delivered` and `quarantined` cover the records before the failure, or all of them: what comes after it is
/// sent again and counted then, so sums over reports count each record once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<B, E> {
    /// How many records the batch held.
    pub records: usize,
    /// How many records there was nothing to do for.
    pub skipped: usize,
    /// How many records were delivered.
    pub delivered: usize,
    /// The records that were kept elsewhere, in order.
    pub quarantined: Vec<Quarantined<B>>,
    /// The first record, by position, that must be sent again.
    pub failure: Option<Failure<E>>,
}

/// A record that can never be handled, and is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<B> {
    /// The record's sequence number.
    pub sequence_number: String,
    /// What is wrong with the record.
    pub fault: Fault<B>,
}

/// The record a batch comes back from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<E> {
    /// The record's sequence number.
    pub sequence_number: String,
    /// Why the record is not done.
    pub cause: Cause<E>,
}

/// Why a record is not done. In every case the response names it, and Lambda sends it and all that follow again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause<E> {
    /// [`Handler::has_time`](crate::Handler::has_time) said no: nothing was tried for this record.
    ///
    /// What to do: nothing, if it is rare: the repeat has all its time. If every batch ends so, give the function more time
    /// or memory, or the mapping a smaller batch. A repeat uses up one of the mapping's
    /// [retry attempts](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html), and progress does
    /// not renew them.
    #[error("no time was left to take this record: give the function more time, or the mapping smaller batches")]
    OutOfTime,
    /// [`Handler::deliver`](crate::Handler::deliver) gave [`Outcome::Transient`](crate::Outcome::Transient) for it.
    ///
    /// What to do: look at the error. Retries belong inside `deliver`; what it still can't deliver waits for the next
    /// invocation. What can never be delivered is no failure: answer it with [`Outcome::Bad`](crate::Outcome::Bad).
    #[error("the record could not be delivered: {0}")]
    Deliver(E),
    /// The record can never be handled, and [`Handler::quarantine`](crate::Handler::quarantine) could not keep it.
    ///
    /// What to do: see that the place where bad records go can be written. Until then the shard stands still, so that
    /// nothing is dropped silently.
    #[error("the record is bad and could not be quarantined: {0}")]
    Quarantine(E),
    /// `has_time` panicked.
    ///
    /// What to do: mend the handler. The record is not at fault, so it is not quarantined.
    #[error("`has_time` panicked at {}", place.as_deref().unwrap_or("an unknown place"))]
    HasTimePanicked {
        /// Where it panicked, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// `deliver` panicked: the first of the items. Which of them went out is unknown, so all count as not delivered.
    ///
    /// What to do: mend the handler; a batch that makes it panic each time blocks its shard until the mapping gives it up.
    /// Whatever depends on one record's data belongs in `prepare`, where a panic costs that record only.
    #[error("`deliver` panicked at {}", place.as_deref().unwrap_or("an unknown place"))]
    DeliverPanicked {
        /// Where it panicked, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// `quarantine` panicked over the record.
    ///
    /// What to do: mend the handler; the shard stands still until then.
    #[error("`quarantine` panicked at {}", place.as_deref().unwrap_or("an unknown place"))]
    QuarantinePanicked {
        /// Where it panicked, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// `deliver` broke its word, one outcome an item: the first item without one; with too many, the first item.
    ///
    /// What to do: mend the handler: it must give an outcome for every item up to the first transient one.
    #[error("`deliver` gave {outcomes} outcomes for {items} items: it must give one for each")]
    OutcomeCount {
        /// How many items `deliver` was given.
        items: usize,
        /// How many outcomes came back.
        outcomes: usize,
    },
}

impl<B, E> Report<B, E> {
    /// How many records, from the first on, are done: delivered, skipped or quarantined. The rest comes again, so a
    /// [window's](crate::Window) state is folded over just these.
    pub fn settled(&self) -> usize {
        self.skipped + self.delivered + self.quarantined.len()
    }

    /// The response that Lambda is to be answered. Where the mapping has a tumbling window, add its state:
    /// [`BatchResponse::with_state`].
    pub fn response(&self) -> BatchResponse {
        self.failure
            .as_ref()
            .map_or_else(BatchResponse::success, |failure| BatchResponse::failed_from(&failure.sequence_number))
    }
}
