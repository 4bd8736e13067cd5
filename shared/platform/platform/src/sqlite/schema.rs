//! The file's form. Its `user_version` says which of these steps it has had.

use std::path::Path;

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;

/// What says that a file is ours ([`application_id`](https://www.sqlite.org/pragma.html#pragma_application_id)): `mods`.
const APPLICATION_ID: i64 = 0x6d6f_6473;

/// What brings the file from one form to the next. A step that was released never changes.
const STEPS: [&str; 2] = [
    // Objects have no earlier versions: what is written over or deleted is gone. An id is never used again, so it names a version.
    "CREATE TABLE objects (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        etag BLOB NOT NULL,
        written INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT;
    -- A stream's records lie in a table of their own, records_<id>, which only grows at its end.
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        shards INTEGER NOT NULL
    ) STRICT;
    -- How far a reader of a stream has come: what it did and its place here are one transaction.
    CREATE TABLE checkpoints (
        stream INTEGER NOT NULL REFERENCES streams (id),
        reader TEXT NOT NULL,
        shard INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (stream, reader, shard)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE secrets (
        id TEXT PRIMARY KEY,
        current TEXT NOT NULL,
        previous TEXT
    ) STRICT, WITHOUT ROWID;
    -- What a process that serves the folder tells the commands beside it.
    CREATE TABLE notes (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;",
    // A table's indexes are kept as they were declared when its entries were made. Attributes are JSON.
    "CREATE TABLE tables (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        indexes TEXT NOT NULL
    ) STRICT;
    CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        of INTEGER NOT NULL REFERENCES tables (id),
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        attributes TEXT NOT NULL,
        expires_at INTEGER,
        UNIQUE (of, partition, sort)
    ) STRICT;
    CREATE INDEX expiring ON items (of, expires_at) WHERE expires_at IS NOT NULL;
    -- Where an item stands in an index: by its key there, then by its own.
    CREATE TABLE places (
        of INTEGER NOT NULL REFERENCES tables (id),
        place_index TEXT NOT NULL,
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        item_partition TEXT NOT NULL,
        item_sort TEXT NOT NULL,
        item INTEGER NOT NULL REFERENCES items (id),
        PRIMARY KEY (of, place_index, partition, sort, item_partition, item_sort)
    ) STRICT, WITHOUT ROWID;
    -- The transactions that are not made again.
    CREATE TABLE tokens (
        of INTEGER NOT NULL REFERENCES tables (id),
        token TEXT NOT NULL,
        writes BLOB NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (of, token)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX forgotten ON tokens (of, until);",
];

/// The newest form.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

/// The form of a file, which is at most the newest.
pub(super) fn form(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let number = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(|error| unreadable(path, error))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned(), found: "it is a SQLite file of another program" });
    }
    match number("user_version")? {
        found if found > NEWEST => Err(OpenError::Newer { path: path.to_owned(), found, known: NEWEST }),
        found => Ok(found),
    }
}

/// What is said of a file that is there, and can't be read.
pub(super) fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            OpenError::Foreign { path: path.to_owned(), found: "it is no SQLite file, or is damaged at its beginning" }
        }
        _ => OpenError::Database { path: path.to_owned(), error: error.into() },
    }
}

/// Says in a new file that it is ours. It has no form yet.
pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Brings the file to the newest form, in one transaction.
pub(super) fn bring_up_to_date(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", NEWEST)?;
    transaction.commit()
}
