//! Calls that are repeated until they succeed, are refused for good, or the deadline runs out.
//!
//! A call that answers 200 may still have failed entries: those alone are tried again. Between attempts lies a [`Backoff`].
//! What an operator must fix ([`Denied`](crate::CallErrorKind::Denied)) and what would fail again the same way
//! ([`Invalid`](crate::CallErrorKind::Invalid)) ends a delivery at once. A call that is refused for an entry that it holds
//! ([`Refused`](crate::CallErrorKind::Refused)) is halved until that entry stands alone; the others are delivered.
//!
//! No call starts at or after the deadline, and no wait goes past it. A call that is under way is not cut off, so let the
//! deadline lie before the function's own by the longest a call may take.

mod backoff;
mod error;
pub mod items;
mod messages;
mod objects;
mod queue;
mod records;
mod secrets;
mod send;
mod versions;

pub use backoff::Backoff;
pub use error::{Cause, DeliveryError, Denied};
pub use messages::{Published, publish_all};
pub use objects::{PutIfAbsent, get, list, put, put_if_absent, put_where};
pub use records::{Delivery, put_all};
pub use secrets::secret;
pub use versions::{delete_version, get_version, list_versions};
