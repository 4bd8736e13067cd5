//! Comments in from forums: `modstream ingest`. What they say is read by `modstream-sources`; here is how it is got, and how far it
//! came.

mod args;
mod bluesky;
mod dial;
mod feed;
mod http;
mod listen;
mod mastodon;
mod poll;
mod run;
mod sink;
mod state;

pub(crate) use args::IngestCommand;
