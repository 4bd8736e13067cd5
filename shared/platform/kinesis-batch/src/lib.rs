//! A batch of Kinesis records in a Lambda function: from the payload to the partial batch response.
//!
//! A stream's event source mapping sends the records of one shard, in order, and looks at the answer
//! ([Using AWS Lambda with Kinesis](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html),
//! [partial batch response](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html)).
//! With `ReportBatchItemFailures` on, Lambda sets its checkpoint to the **lowest** failed sequence number and sends
//! everything from there on again. From that follow the rules of [`handle`]:
//!
//! 1. Records are decided about in order ([`Handler::prepare`]) and delivered in order ([`Handler::deliver`]).
//! 2. A record that can never be handled does not block its shard: it is kept elsewhere ([`Handler::quarantine`]) and the
//!    batch goes on. A [`Fault`] says why: no base64, a panic while it was handled, or what the handler found.
//! 3. The response names one record: the first, by position, that was neither delivered, kept nor skipped. What stands
//!    before it is never sent again; everything from it on is, so a repeat must do no harm.
//! 4. No record is lost: an outcome that is missing, or a panic while delivering, is a failure of the first record
//!    concerned. Each [`Cause`] says what to do about it.
//! 5. No record is taken when the time left won't do ([`Handler::has_time`]): what was taken is delivered and answered, in
//!    place of a [timeout](https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html) after which the whole
//!    batch comes again. The crate knows no clock: the handler asks its own.
//! 6. A mapping with a
//!    [tumbling window](https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html) has its state read and
//!    answered beside the failures ([`Window`], [`BatchResponse::with_state`]).
//!
//! What Lambda does with a batch that never succeeds is the mapping's to say: retries, age, split, and
//! [where it goes then](https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
//!
//! A payload borrows from its bytes, and data stays base64 until a record is looked at, so one broken record does not
//! cost the batch.
//!
//! ```
//! use kinesis_batch::{Batch, Fault, Handler, Outcome, Record, SourceRecord, handle, payload};
//!
//! /// Sends numbers somewhere; what is no number goes to quarantine.
//! struct Numbers;
//!
//! #[derive(Debug)]
//! struct NoNumber;
//!
//! impl Handler for Numbers {
//!     type Item = u64;
//!     type Bad = NoNumber;
//!     type Error = std::io::Error;
//!
//!     fn prepare(&self, _record: &Record<'_>, data: &[u8]) -> Result<Option<u64>, NoNumber> {
//!         let text = std::str::from_utf8(data).map_err(|_| NoNumber)?;
//!         let number: u64 = text.parse().map_err(|_| NoNumber)?;
//!         Ok((number != 0).then_some(number))
//!     }
//!
//!     async fn deliver(&self, items: Vec<u64>) -> Vec<Outcome<NoNumber, std::io::Error>> {
//!         items
//!             .into_iter()
//!             .map(|number| match number {
//!                 ..100 => Outcome::Done,
//!                 _ => Outcome::Transient(std::io::Error::other("busy")),
//!             })
//!             .collect()
//!     }
//!
//!     async fn quarantine(&self, _record: &Record<'_>, _fault: &Fault<NoNumber>) -> Result<(), std::io::Error> {
//!         Ok(())
//!     }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let data: [&[u8]; 5] = [b"7", b"0", b"seven", b"700", b"8"];
//! let numbers = ["101", "102", "103", "104", "105"];
//! let records = data.iter().zip(numbers).map(|(data, sequence_number)| SourceRecord {
//!     event_source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/numbers",
//!     shard_id: "shardId-000000000000",
//!     sequence_number,
//!     partition_key: "k",
//!     arrived_seconds: 1_767_607_200.25,
//!     data,
//! });
//! let payload = payload::encode(&records.collect::<Vec<_>>());
//!
//! let batch = Batch::parse(&payload)?;
//! let report = handle(&batch, &Numbers).await;
//!
//! assert_eq!((report.delivered, report.skipped, report.quarantined.len()), (1, 1, 1));
//! let answer = serde_json::to_string(&report.response())?;
//! assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"104"}]}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod handle;
mod panics;
pub mod payload;
mod report;
mod response;
mod window;

pub use handle::{Fault, Handler, Outcome, handle};
pub use panics::{Panicked, catch, catch_future, install_panic_hook};
pub use payload::{Batch, NotBase64, PayloadError, Record, SourceRecord};
pub use report::{Cause, Failure, Quarantined, Report};
pub use response::{BatchResponse, ItemFailure};
pub use window::{State, StateError, Window};

/// The README's code is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
