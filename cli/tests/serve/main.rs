//! The system on one machine: `modstream serve`, and the commands beside it, run as a user runs them.

mod backup;
mod crashes;
mod desk;
mod front_door;
mod ingest;
mod intake;
mod mail;
mod operators;
mod oracle;
mod running;
mod server;
