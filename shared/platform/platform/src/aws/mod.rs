//! The AWS world: [`KinesisStream`], [`S3Objects`], [`DynamoTable`], [`SnsTopic`], [`SecretsManager`] and [`SystemClock`]
//! over the AWS SDK, the feature `aws`.
//!
//! A method is one request. The SDK's own retries are off: [`deliver`](crate::deliver) tries again, within the function's
//! deadline, and after a retry of the SDK's the last error would hide that an earlier attempt may have succeeded. Every
//! request has a time limit, which the SDK sets none for.
//!
//! ```no_run
//! use modstream_platform::aws::{Settings, connect};
//!
//! # async fn example() -> Result<(), modstream_platform::aws::ConnectError> {
//! let clients = connect(Settings::default()).await?;
//! let comments = clients.stream("modstream-comments");
//! let bucket = clients.objects("modstream-123456789012");
//! # Ok(())
//! # }
//! ```

mod clients;
mod dynamodb;
mod error;
mod kinesis;
mod s3;
mod secrets;
mod sns;

pub use crate::clock::SystemClock;
pub use clients::{Clients, ConnectError, Settings, connect};
pub use dynamodb::DynamoTable;
pub use error::call_error;
pub use kinesis::KinesisStream;
pub use s3::S3Objects;
pub use secrets::SecretsManager;
pub use sns::SnsTopic;

use std::pin::Pin;

/// Boxes a call: the SDK's futures are large and deeply nested, and a caller's own need not be.
fn boxed<'a, T>(call: impl Future<Output = T> + Send + 'a) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(call)
}
