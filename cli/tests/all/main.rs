//! The command `modstream`, run as a user runs it.

mod command;
mod demo;
mod learning;
mod desk;
mod load;
mod models;
mod policy;
mod replay;
