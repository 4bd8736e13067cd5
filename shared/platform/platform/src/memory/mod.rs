//! A world in this process: streams, objects, topics, tables and a clock that behave as the services do where a function can tell,
//! and an event source mapping that runs a function over a stream.
//!
//! Everything is cheap to clone; clones share their content. Limits are enforced as the services enforce them.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use modstream_platform::deliver::{Published, put_all, publish_all};
//! use modstream_platform::memory::{Config, EventSource, Filter, FunctionError, MemoryClock, MemoryStream, MemoryTopic};
//! use modstream_platform::{Clock, Message, PutRecord};
//! use kinesis_batch::{Batch, BatchResponse};
//! use std::time::Duration;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! let clock = MemoryClock::system();
//! let deadline = clock.now() + Duration::from_secs(5);
//! let comments = MemoryStream::new("comments", 2, clock);
//! let record = PutRecord { partition_key: "k3f9a01".into(), data: b"Is the sample large enough?".to_vec() };
//! put_all(&comments, &clock, deadline, vec![record]).await;
//!
//! let alerts = MemoryTopic::new("alerts");
//! let inbox = alerts.subscribe(Filter::from([("severity".into(), vec!["high".into()])]));
//!
//! // A function: the payload's bytes in, the response's bytes out.
//! let alert = |payload: Vec<u8>| {
//!     let alerts = alerts.clone();
//!     async move {
//!         let batch = Batch::parse(&payload).map_err(|error| FunctionError(error.to_string()))?;
//!         let messages = batch.records.iter().enumerate().map(|(n, record)| Message {
//!             id: n.to_string(),
//!             body: record.partition_key.to_string(),
//!             attributes: BTreeMap::from([("severity".into(), "high".into())]),
//!             ..Message::default()
//!         });
//!         let published = publish_all(&alerts, &clock, deadline, messages.collect()).await;
//!         let failed = published.iter().position(|one| matches!(one, Published::Failed(_)));
//!         let response = failed.map_or_else(BatchResponse::success, |position| {
//!             BatchResponse::failed_from(batch.records[position].sequence_number.as_ref())
//!         });
//!         serde_json::to_vec(&response).map_err(|error| FunctionError(error.to_string()))
//!     }
//! };
//!
//! let statistics = EventSource::new(comments, clock, Config::for_function("alert")).run_until_drained(alert).await;
//! assert_eq!((statistics.batches, statistics.records, statistics.retries), (1, 1, 0));
//! assert_eq!(inbox.receive().await.body, "k3f9a01");
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```

mod clock;
mod objects;
mod secrets;
mod stream;
mod table;
mod topic;

pub use clock::MemoryClock;
pub use objects::MemoryObjects;
pub use secrets::MemorySecrets;
pub use stream::MemoryStream;
pub use table::MemoryTable;
pub use topic::{Filter, MemoryTopic, Notification, Subscription};

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::event_source::{FunctionError, OnBatchFailure, Statistics, StreamRecord};

/// The settings of this world's [`EventSource`].
pub type Config = crate::event_source::Config<MemoryObjects>;
/// The mapping of a [`MemoryStream`].
pub type EventSource<C> = crate::event_source::EventSource<MemoryStream, MemoryObjects, C>;

/// Locks a mutex. No lock here is held over anything that panics, so a poisoned one still guards a sound value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
