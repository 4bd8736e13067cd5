//! What moderators decided about alerts.
//!
//! An alert's log is `decisions/<hour in which the alert was made>/<alert id>/<number>.json`: decision events, numbered from
//! 0001, each put with `If-None-Match: *`. The hour is the alert's in the ledger, so the logs of the last days are found by
//! listing these days. So of two people at once one is first, and the other sees what was decided ([`Decisions::decide`]). A
//! decision is taken back by another one, `undo`; [`Log::standing`] is what the log adds up to.
//!
//! Each decision also goes to a stream, at least once, under one id. A process may end between the two, so there is an outbox:
//!
//! 1. `decisions-unsent/<alert id>-<number>-<checksum>.json` is put, the event's bytes;
//! 2. the log's object is put: now it counts;
//! 3. the stream takes it;
//! 4. the outbox entry is deleted.
//!
//! [`Decisions::sweep`] looks at entries that stayed: what the log holds, to the byte, is sent; what lost against another is
//! dropped. The checksum is of the event's bytes, so two attempts at one number have two entries, and dropping one never drops
//! the other. What operators change, such as the model in use, goes to the stream the same way ([`Decisions::announce`]): its
//! log is the history beside the pointer, or the breaker's `closed.json`. A decision that is sent late comes after later ones: whoever reads the stream goes by the numbers.

mod changes;
mod decide;
mod log;
mod moderator;
mod numbers;
mod sweep;

pub use changes::Announced;
pub use decide::{DecideError, DecideOutcome, Decisions};
pub use log::{AlertKey, Log, LogError, MAX_DECISIONS_PER_ALERT, PREFIX, Recorded, Standing};
pub use moderator::{NoModerator, moderator};
pub use numbers::{NamedPrecision, Numbers, Subject, numbers};
pub use sweep::{Swept, UNSENT_PREFIX};
