//! How many alerts may be published: budgets and the breaker, as immutable objects of a bucket.
//!
//! | object | written | holds |
//! |---|---|---|
//! | `budgets/<hour>/<subreddit or _all>/<n>.json` | before an alert is published | the alert's id |
//! | `breakers/<day>/<number>-<scope>/opened.json` | when too many comments alert | an [`Opened`] |
//! | `breakers/<day>/<number>-<scope>/sent.json` | after the one message about it | a [`Sent`](crate::Sent) |
//! | `breakers/<day>/<number>-<scope>/closed.json` | when somebody closes it before its time | the event `modstream.breaker-closed.v1`, read as a [`Closed`] |
//!
//! An hour's budget is a row of numbered places. Whoever writes a place's object first has it, so no two alerts share one and
//! no more alerts are published than there are places, whatever the number of shards, repeats and crashes.

mod band;
mod breakers;
mod budgets;
mod message;
mod scope;
mod watch;

pub use breakers::{BREAKERS, Breakers, Closed, Closing, Known, Opened, closed_key};
pub use budgets::{BUDGETS, Budgets, Request, Slot};
pub use message::{BreakerOpened, message_about};
pub use scope::Scope;
pub use watch::Watch;
