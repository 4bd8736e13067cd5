//! The command `modstream`, run as a user runs it.

mod command;
mod demo;
mod load;
mod models;
mod replay;
