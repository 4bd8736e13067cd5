//! The whole system on one machine, over one file: `modstream serve`, and what works beside it.

mod args;
pub(crate) mod bodies;
pub(crate) mod data;
mod front_door;
mod http;
mod logging;
mod mail;
pub(crate) mod messages;
mod metrics;
mod work;

pub(crate) use args::ServeArgs;
