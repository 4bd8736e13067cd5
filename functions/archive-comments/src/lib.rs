//! The stream `comments` → the archive: one object a batch, all its records, whatever they hold.
//!
//! It judges nothing, so there is no quarantine here: what is no comment is archived as it came. A batch is archived whole or
//! comes again whole.

mod config;

use std::convert::Infallible;

use jiff::Timestamp;
use kinesis_batch::{Batch, BatchResponse, Cause, Failure, PayloadError, Report};
use modstream_archive::{WriteError, write};
use modstream_platform::deliver::PutIfAbsent;
use modstream_platform::{Clock, Objects};
use modstream_telemetry::{batch_archived, batch_handled};

pub use config::Config;

/// The function's name.
pub const NAME: &str = "archive-comments";

/// The function.
#[derive(Debug)]
pub struct ArchiveComments<O, C> {
    objects: O,
    clock: C,
}

impl<O: Objects, C: Clock> ArchiveComments<O, C> {
    /// The function over its bucket.
    pub fn new(objects: O, clock: C) -> Self {
        ArchiveComments { objects, clock }
    }

    /// Handles one invocation: a Kinesis payload in, the partial batch response out. Everything is done by `deadline`.
    ///
    /// # Errors
    /// Where the payload is no batch of Kinesis records.
    pub async fn handle(&self, payload: &[u8], deadline: Timestamp) -> Result<BatchResponse, PayloadError> {
        let batch = Batch::parse(payload)?;
        let Some(first) = batch.records.first() else {
            return Ok(BatchResponse::success());
        };
        let records = batch.records.len();
        let failed =
            |error| Failure { sequence_number: first.sequence_number.to_string(), cause: Cause::Deliver(error) };
        let written = write(&self.objects, &self.clock, deadline, &batch.records).await;
        let report: Report<Infallible, WriteError> = Report {
            records,
            skipped: 0,
            delivered: if written.is_ok() { records } else { 0 },
            quarantined: Vec::new(),
            failure: written.as_ref().err().cloned().map(failed),
        };
        if let Ok(archived) = written {
            let repeated = archived.outcome == PutIfAbsent::Existed;
            batch_archived(&archived.key, archived.bytes, repeated);
        }
        batch_handled(NAME, &batch, &report);
        Ok(report.response())
    }
}
