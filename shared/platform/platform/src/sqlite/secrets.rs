use rusqlite::{OptionalExtension as _, params};

use super::{Database, DatabaseError};
use crate::{CallError, Secrets, Stage};

/// Secrets with their last two values.
#[derive(Clone, Debug)]
pub struct SqliteSecrets {
    database: Database,
}

impl SqliteSecrets {
    /// The secrets of a file.
    pub fn new(database: Database) -> Self {
        SqliteSecrets { database }
    }

    /// Gives a secret a new value; the one it has becomes the previous one.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn rotate(&self, id: &str, value: String) -> Result<(), DatabaseError> {
        let id = id.to_owned();
        self.database
            .write(move |connection| {
                let sql = "INSERT INTO secrets (id, current) VALUES (?1, ?2)
                           ON CONFLICT (id) DO UPDATE SET previous = current, current = excluded.current";
                connection.prepare_cached(sql)?.execute(params![id, value]).map(drop)
            })
            .await
    }

    /// Gives a secret its first value, unless it has one.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn begin(&self, id: &str, value: String) -> Result<(), DatabaseError> {
        let id = id.to_owned();
        self.database
            .write(move |connection| {
                let sql = "INSERT INTO secrets (id, current) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
                connection.prepare_cached(sql)?.execute(params![id, value]).map(drop)
            })
            .await
    }
}

impl Secrets for SqliteSecrets {
    async fn secret(&self, id: &str, stage: Stage) -> Result<Option<String>, CallError> {
        let sql = match stage {
            Stage::Current => "SELECT current FROM secrets WHERE id = ?1",
            Stage::Previous => "SELECT previous FROM secrets WHERE id = ?1",
        };
        let read = self.database.read(|connection| {
            let value =
                connection.prepare_cached(sql)?.query_row([id], |row| row.get::<_, Option<String>>(0)).optional()?;
            Ok(value.flatten())
        });
        read.map_err(|error| error.of_call("secrets", "GetSecretValue"))
    }
}
