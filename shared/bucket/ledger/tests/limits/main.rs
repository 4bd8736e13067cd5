//! Budgets and breakers, whatever becomes of single calls.

mod crashes;
mod own_writes;
