//! A local HTTP server for tests, which answers, hangs up or stays silent as told ([`StubServer`]); on it Lambda's
//! Runtime API ([`Lambda`], [`Bootstrap`]) and as much of DynamoDB, S3, Kinesis, SNS and Secrets Manager as a function
//! needs ([`FakeAws`]).
//!
//! It uses threads and blocking calls, so that a test's own runtime, real or paused, has no part in it.

mod aws;
mod cases;
mod dynamodb;
mod forward;
mod http;
mod lambda;
mod process;
mod server;
mod url;

pub use aws::{CALLER_ARN, FakeAws};
pub use cases::{Case, cases};
pub use http::{Answer, Reply, Request};
pub use lambda::{Ended, Lambda};
pub use process::{Bootstrap, Finished};
pub use server::StubServer;
pub use url::url_request;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest wait for a request, a line or an end. Nothing here takes as long, so a wait that reaches it has failed.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
