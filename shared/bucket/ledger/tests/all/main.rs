//! Alerts and digests in the memory world.

mod alerts;
mod digests;
mod own_writes;
mod world;
