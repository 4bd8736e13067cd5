//! Puts what was set aside back on the stream it came from, after a fix: quarantined records (`quarantine/...`) and batches
//! that Lambda gave up (`aws/lambda/...`, whole payload inside).
//!
//! Each record is put back once. A mark says so, an item `redriven#<object's key>` of the table, written after the record is on the
//! stream: whoever stops between the two repeats the record on the next run. That does no harm, since ids are computed from events: consumers drop
//! the repeat. A record that two objects hold, for example because two functions gave up the same batch, is put back for each.
//!
//! A record that the contract still calls bad stays where it is, and what is not of our form is left alone. Both are named.
//! Records of one key keep the order they have in their object, and objects of a shard that of their sequence numbers; they
//! come behind what was sent meanwhile.

mod mark;
mod redriven;
mod run;
mod set_aside;

pub use mark::{Mark, mark_key};
pub use redriven::{Left, Options, Redriven, Streams, Why};
pub use run::redrive;
pub use set_aside::{GIVEN_UP, INVOCATIONS, QUARANTINE};
