//! The commands that operate a system on AWS, against servers of this machine.

mod breaker;
mod changes;
mod command;
mod demo;
mod forget;
mod function;
mod harm;
mod keys;
mod model;
mod policy;
mod probe;
mod reach;
mod redrive;
mod replay;
mod send;
mod services;
mod subscribe;
mod table;
mod tail;
mod waiting;
