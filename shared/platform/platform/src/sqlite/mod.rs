//! A world in one file on this machine: what `modstream serve` runs on.
//!
//! [`Database`] is the file. One thread writes: what waits when it begins is one transaction, and whoever asked is answered
//! after its commit, so an answer stands also after the power fails, and a hundred answers cost one write to the disk. Readers
//! have connections of their own and wait for nobody (SQLite's
//! [write-ahead log](https://www.sqlite.org/wal.html)).
//!
//! One process holds the folder's lock and runs the functions ([`Role::Serve`]); operators' commands work beside it
//! ([`Role::Beside`]).

mod database;
mod error;
mod lock;
mod objects;
mod schema;
mod secrets;
mod stream;
mod table;
mod topic;
mod unit;
mod writer;

use std::sync::Arc;

use jiff::Timestamp;

pub use database::{Database, Role, Size};
pub use error::{DatabaseError, OpenError};
pub use objects::SqliteObjects;
pub use rusqlite;
pub use secrets::SqliteSecrets;
pub use stream::{Beginning, Behind, Identified, Identity, SqliteStream};
pub use table::SqliteTable;
pub use topic::{Published, SqliteTopic};
pub use unit::Unit;

/// What says the time at which something was written. It orders nothing: it may jump.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
