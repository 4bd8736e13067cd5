//! `modstream ingest` against servers of this machine that speak as the real ones do.

mod bluesky;
mod http;
mod jetstream;
mod mastodon;
mod polling;
mod process;
