//! The command `modstream`, run as a user runs it.

mod bias;
mod checks;
mod command;
mod compare;
mod demo;
mod desk;
mod forms;
mod input;
mod learning;
mod load;
mod models;
mod policy;
mod replay;
mod usage;
