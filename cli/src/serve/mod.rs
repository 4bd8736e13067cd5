//! The whole system on one machine, over one file: `modstream serve`, and what works beside it.

mod args;
pub(crate) mod bodies;
pub(crate) mod data;
mod front_door;
pub(crate) mod http;
mod identity;
pub(crate) mod intake;
mod logging;
mod mail;
mod metrics;
mod work;

pub(crate) use args::ServeArgs;
