//! What moderators decided about alerts.
//!
//! An alert's log is items beside its own: decision events, numbered from 0001. So of two people at once one is first, and the
//! other sees what was decided ([`Decisions::decide`]). A decision is taken back by another one, `undo`; [`Log::standing`] is what
//! the log adds up to. The index `decided` lists decisions by time ([`lately`]).
//!
//! Each decision also goes to a stream, at least once, under one id. A process may end between the two, so there is an outbox: one
//! transaction writes the decision, counts it at its alert, which leaves the queue or returns to it, and puts the event into the
//! partition `outbox`. Then the stream takes it, and it leaves the outbox. So what is in there is to be sent, and
//! [`Decisions::sweep`] sends what stayed.
//!
//! What operators change, such as the model in use, goes to the stream in the same way ([`Decisions::announce`]); but its log is
//! the history beside the pointer in the bucket, or the breaker's item. There the entry is written before, and the sweep drops it
//! where the change was not made. What is sent late comes after later ones: whoever reads the stream goes by the numbers.

mod changes;
mod decide;
mod item;
mod log;
mod moderator;
mod numbers;
mod sweep;

pub use changes::Announced;
pub use decide::{Case, DecideError, DecideOutcome, Decisions};
pub use log::{Log, LogError, MAX_DECISIONS_PER_ALERT, Recorded, Standing, last_of, log};
pub use moderator::{NoModerator, moderator};
pub use numbers::{Lately, NamedPrecision, Numbers, Subject, lately, numbers};
pub use sweep::Swept;
