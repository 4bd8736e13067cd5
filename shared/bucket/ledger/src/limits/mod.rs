//! How many alerts may be published: budgets and the breaker, as items of a table.
//!
//! | partition | sort key | item | written |
//! |---|---|---|---|
//! | `budget#<hour>` | the subreddit, or `_all` | how many places are taken | with the `place` of the alert that takes one |
//! | `breakers` | `<day>/<number>` | an [`Opened`], and who opened it | when too many comments alert |
//! | | | that the message about it was sent | after that |
//! | | | the event `modstream.breaker-closed.v1` | when somebody closes it before its time |
//!
//! A place is counted and noted at its alert in one transaction, in the budget of the subreddit and in that of all together. So no
//! more alerts are published than there are places, and no place is lost, whatever the number of shards, repeats and crashes.

mod band;
mod breakers;
mod budgets;
mod message;
mod scope;
mod watch;

pub use breakers::{Breakers, Closing, Known, Opened};
pub use budgets::{Budget, Budgets, Request, Slot};
pub use message::{BreakerOpened, message_about};
pub use scope::Scope;
pub use watch::Watch;
