use futures_util::{StreamExt, stream};

use crate::panics::{Panicked, catch, catch_future};
use crate::{Batch, Cause, Failure, NotBase64, Quarantined, Record, Report};

/// How many quarantine writes are under way at once.
const QUARANTINE_WRITES: usize = 16;

/// What a function does with its records.
///
/// [`prepare`](Handler::prepare) decides, [`deliver`](Handler::deliver) and [`quarantine`](Handler::quarantine) act. All
/// get a shared reference: [`handle`] may have several quarantine writes under way at once.
pub trait Handler: Send + Sync {
    /// What a record becomes.
    type Item: Send;
    /// Why a record can never be handled.
    type Bad: Send + Sync;
    /// Why delivering, or keeping a bad record, failed this time.
    type Error: Send;

    /// Whether there is time left to take this record. Asked before each, in order, so it should cost no more than a look
    /// at the clock. After the first `false` no further record is taken: what was taken is delivered, and the response
    /// names this record, so that it and the rest come again ([`Cause::OutOfTime`]).
    ///
    /// Leave enough for delivering what was taken: half of what Lambda gives is a good start. A function that runs into
    /// Lambda's [timeout](https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html) answers nothing, and
    /// the whole batch comes again. Without this method there is always time.
    fn has_time(&self, record: &Record<'_>) -> bool {
        let _ = record;
        true
    }

    /// Decides about one record, without effects. `Ok(None)` says that there is nothing to do for it.
    ///
    /// # Errors
    /// Where the record can never be handled. It goes to [`quarantine`](Handler::quarantine), as it does on a panic.
    fn prepare(&self, record: &Record<'_>, data: &[u8]) -> Result<Option<Self::Item>, Self::Bad>;

    /// Delivers all items of a batch in order, retrying inside: exactly one outcome an item, in order; what comes after the
    /// first [`Outcome::Transient`] may be left out. It is not called without items.
    fn deliver(&self, items: Vec<Self::Item>) -> impl Future<Output = Vec<Outcome<Self::Bad, Self::Error>>> + Send;

    /// Keeps a record that can never be handled. A repeat must overwrite what an earlier call kept.
    fn quarantine(
        &self,
        record: &Record<'_>,
        fault: &Fault<Self::Bad>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What became of an item. Whether an error may pass is the handler's to know: a throttled call may, a message that the
/// receiver refuses for its content never will. When in doubt it is transient: that loses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<B, E> {
    /// The item is delivered.
    Done,
    /// The item can never be delivered: its record goes to quarantine.
    Bad(B),
    /// The item can't be delivered now: its record and all that follow are to be sent again.
    Transient(E),
}

/// Why a record goes to quarantine. Keep it whole, with this reason, so that it can be put back after a fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault<B> {
    /// The record's data is no base64: look at whoever made the payload, since Lambda always encodes it.
    NotBase64,
    /// [`Handler::prepare`] panicked over it: a bug of the handler, to be found by this record.
    Panicked {
        /// Where it panicked, as `file:line:column`, if the panic hook of this crate is installed.
        place: Option<String>,
    },
    /// The handler found this: look at whoever wrote the record.
    Bad(B),
}

/// Handles a batch by the rules of this crate; never fails and never panics. Answer Lambda with [`Report::response`].
///
/// Records are prepared, in order, while there is time; then all items are delivered at once; then the bad records before
/// the first failure are quarantined, up to 16 at a time, their results looked at in order. Bad records after it are left
/// for the repeat.
pub async fn handle<H: Handler>(batch: &Batch<'_>, handler: &H) -> Report<H::Bad, H::Error> {
    let Prepared { items, positions, mut faults, stop: not_taken } = prepare(batch, handler);
    let Delivered { done, bad, stop: undelivered } = deliver(handler, items, &positions).await;
    // Only what was taken is delivered, so a failure of that comes first.
    let mut stop = undelivered.or(not_taken);
    faults.extend(bad);
    faults.sort_by_key(|(position, _)| *position);
    if let Some(stop) = &stop {
        faults.retain(|(position, _)| *position < stop.position);
    }
    let (kept, failed) = quarantine(batch, handler, &faults).await;
    // Only bad records before the stop were written, so this one comes before it.
    stop = failed.or(stop);
    faults.truncate(kept);

    let settled = stop.as_ref().map_or(batch.records.len(), |stop| stop.position);
    let sequence_number = |position: usize| batch.records[position].sequence_number.to_string();
    let delivered = done.partition_point(|position| *position < settled);
    Report {
        records: batch.records.len(),
        // Every record before the failure is one of the three.
        skipped: settled - delivered - faults.len(),
        delivered,
        quarantined: faults
            .into_iter()
            .map(|(position, fault)| Quarantined { sequence_number: sequence_number(position), fault })
            .collect(),
        failure: stop.map(|Stop { position, cause }| Failure { sequence_number: sequence_number(position), cause }),
    }
}

/// Where a batch stops: the position of the first record that is not done.
struct Stop<E> {
    position: usize,
    cause: Cause<E>,
}

struct Prepared<I, B, E> {
    items: Vec<I>,
    /// Where each item's record stands.
    positions: Vec<usize>,
    faults: Vec<(usize, Fault<B>)>,
    /// The first record that was not taken.
    stop: Option<Stop<E>>,
}

fn prepare<H: Handler>(batch: &Batch<'_>, handler: &H) -> Prepared<H::Item, H::Bad, H::Error> {
    let mut prepared = Prepared { items: Vec::new(), positions: Vec::new(), faults: Vec::new(), stop: None };
    let mut data = Vec::new();
    for (position, record) in batch.records.iter().enumerate() {
        let cause = match catch(|| handler.has_time(record)) {
            Ok(true) => None,
            Ok(false) => Some(Cause::OutOfTime),
            Err(Panicked { place }) => Some(Cause::HasTimePanicked { place }),
        };
        if let Some(cause) = cause {
            prepared.stop = Some(Stop { position, cause });
            break;
        }
        match prepare_one(handler, record, &mut data) {
            Ok(Some(item)) => {
                prepared.items.push(item);
                prepared.positions.push(position);
            }
            Ok(None) => {}
            Err(fault) => prepared.faults.push((position, fault)),
        }
    }
    prepared
}

fn prepare_one<H: Handler>(
    handler: &H,
    record: &Record<'_>,
    data: &mut Vec<u8>,
) -> Result<Option<H::Item>, Fault<H::Bad>> {
    record.decode_into(data).map_err(|NotBase64| Fault::NotBase64)?;
    match catch(|| handler.prepare(record, data)) {
        Ok(decided) => decided.map_err(Fault::Bad),
        Err(Panicked { place }) => Err(Fault::Panicked { place }),
    }
}

struct Delivered<B, E> {
    /// Positions, in order.
    done: Vec<usize>,
    bad: Vec<(usize, Fault<B>)>,
    stop: Option<Stop<E>>,
}

async fn deliver<H: Handler>(handler: &H, items: Vec<H::Item>, positions: &[usize]) -> Delivered<H::Bad, H::Error> {
    let mut delivered = Delivered { done: Vec::new(), bad: Vec::new(), stop: None };
    let Some(&first) = positions.first() else {
        return delivered;
    };
    // The call itself may panic before there is a future.
    let outcomes = match catch_future(async { handler.deliver(items).await }).await {
        Ok(outcomes) => outcomes,
        Err(Panicked { place }) => {
            delivered.stop = Some(Stop { position: first, cause: Cause::DeliverPanicked { place } });
            return delivered;
        }
    };
    let miscounted = Cause::OutcomeCount { items: positions.len(), outcomes: outcomes.len() };
    if outcomes.len() > positions.len() {
        // Which outcome is whose? Nobody knows, so none counts.
        delivered.stop = Some(Stop { position: first, cause: miscounted });
        return delivered;
    }
    let unanswered = positions.get(outcomes.len()).copied();
    for (&position, outcome) in positions.iter().zip(outcomes) {
        match outcome {
            Outcome::Done => delivered.done.push(position),
            Outcome::Bad(bad) => delivered.bad.push((position, Fault::Bad(bad))),
            Outcome::Transient(error) => {
                delivered.stop = Some(Stop { position, cause: Cause::Deliver(error) });
                return delivered;
            }
        }
    }
    delivered.stop = unanswered.map(|position| Stop { position, cause: miscounted });
    delivered
}

/// Writes the bad records, in order: how many are kept, and the first that isn't.
async fn quarantine<H: Handler>(
    batch: &Batch<'_>,
    handler: &H,
    faults: &[(usize, Fault<H::Bad>)],
) -> (usize, Option<Stop<H::Error>>) {
    let mut writes = Vec::with_capacity(faults.len());
    for (position, fault) in faults {
        writes.push(keep(handler, &batch.records[*position], *position, fault));
    }
    let mut writes = stream::iter(writes).buffered(QUARANTINE_WRITES);
    let mut kept = 0;
    while let Some(written) = writes.next().await {
        match written {
            Ok(()) => kept += 1,
            Err(stop) => return (kept, Some(stop)),
        }
    }
    (kept, None)
}

async fn keep<H: Handler>(
    handler: &H,
    record: &Record<'_>,
    position: usize,
    fault: &Fault<H::Bad>,
) -> Result<(), Stop<H::Error>> {
    let cause = match catch_future(async { handler.quarantine(record, fault).await }).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => Cause::Quarantine(error),
        Err(Panicked { place }) => Cause::QuarantinePanicked { place },
    };
    Err(Stop { position, cause })
}
