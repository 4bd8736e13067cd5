use jiff::Timestamp;
use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Database, DatabaseError};
use crate::{
    Bytes, CallError, Condition, ETag, Fetched, ObjectVersion, Objects, VersionCursor, VersionPage, VersionedObjects,
    Written,
};

/// A bucket without versioning: what is written over or deleted is gone, so a key has one version at most. A tag is the MD5 of the
/// content in hexadecimal, as S3's is for a simple put.
///
/// A put is one step, so there is never a [`Written::Conflict`].
#[derive(Clone, Debug)]
pub struct SqliteObjects {
    database: Database,
}

/// The keys that are read at once: what else reads or writes waits for no more.
const PAGE_KEYS: usize = 1_000;

impl SqliteObjects {
    /// The bucket of a file.
    pub fn new(database: Database) -> Self {
        SqliteObjects { database }
    }

    /// Lists all keys that start with `prefix`, in order, with the time when each object was written.
    ///
    /// # Errors
    /// [`CallError`] where they can't be read.
    pub async fn list_written(&self, prefix: &str) -> Result<Vec<(String, Timestamp)>, CallError> {
        self.all("ListObjectsV2", prefix, "key, written", |row| {
            let (key, written): (String, i64) = (row.get(0)?, row.get(1)?);
            Ok((key.clone(), (key, Timestamp::from_millisecond(written).unwrap_or_default())))
        })
        .await
    }

    /// Deletes up to `most` objects whose keys start with `prefix` and that were written before `before`. Returns how many are gone.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn expire(&self, prefix: &str, before: Timestamp, most: usize) -> Result<usize, DatabaseError> {
        let (prefix, before) = (prefix.to_owned(), before.as_millisecond());
        self.database
            .write(move |connection| {
                // Of keys with a prefix, those behind the last character are none.
                let sql = "DELETE FROM objects WHERE id IN (
                               SELECT id FROM objects
                               WHERE key >= ?1 AND key < ?1 || char(1114111) AND written < ?2 ORDER BY key LIMIT ?3
                           )";
                connection.prepare_cached(sql)?.execute(params![prefix, before, most])
            })
            .await
    }

    fn read<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, CallError> {
        self.database.read(work).map_err(failed(operation))
    }

    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        self.database.write(work).await.map_err(failed(operation))
    }

    /// What `columns` says of the objects whose keys start with `prefix`, by key, from behind the key `after`; a page of them.
    fn page<T>(
        &self,
        operation: &'static str,
        prefix: &str,
        after: Option<&str>,
        columns: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(String, T)>,
    ) -> Result<Keys<T>, CallError> {
        let compared = if after.is_some() { ">" } else { ">=" };
        let sql = format!("SELECT {columns} FROM objects WHERE key {compared} ?1 ORDER BY key LIMIT ?2");
        let from = after.map_or(prefix, |after| after.max(prefix));
        let page: Vec<(String, T)> = self.read(operation, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params![from, PAGE_KEYS], |row| read(row))?.collect()
        })?;
        let is_last = page.len() < PAGE_KEYS;
        let next = page.last().map(|(key, _)| key.clone()).filter(|key| !is_last && key.starts_with(prefix));
        let entries = page.into_iter().take_while(|(key, _)| key.starts_with(prefix)).map(|(_, entry)| entry);
        Ok(Keys { entries: entries.collect(), next })
    }

    /// All of that, a page at a time: others get their turn between them.
    async fn all<T>(
        &self,
        operation: &'static str,
        prefix: &str,
        columns: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<(String, T)>,
    ) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let Keys { entries, next } = self.page(operation, prefix, after.as_deref(), columns, &read)?;
            all.extend(entries);
            if next.is_none() {
                return Ok(all);
            }
            after = next;
            tokio::task::yield_now().await;
        }
    }
}

/// A page of a listing.
struct Keys<T> {
    entries: Vec<T>,
    /// The key behind which the next page begins.
    next: Option<String>,
}

fn failed(operation: &'static str) -> impl Fn(DatabaseError) -> CallError {
    move |error| error.of_call("objects", operation)
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn etag(digest: &[u8]) -> ETag {
    ETag(hex::encode(digest))
}

impl Objects for SqliteObjects {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.read("GetObject", |connection| {
            let mut statement = connection.prepare_cached("SELECT etag, content FROM objects WHERE key = ?1")?;
            let found = statement.query_row([key], |row| {
                let etag = etag(row.get_ref(0)?.as_blob()?);
                if unless == Some(&etag) {
                    return Ok(Fetched::NotModified);
                }
                Ok(Fetched::Object { bytes: row.get(1)?, etag })
            });
            Ok(found.optional()?.unwrap_or(Fetched::Missing))
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        // Whoever writes waits for nobody's hash.
        let (key, digest, now) = (key.to_owned(), digest(&bytes), self.database.now().as_millisecond());
        self.write("PutObject", move |connection| {
            if condition != Condition::Always {
                let mut statement = connection.prepare_cached("SELECT etag FROM objects WHERE key = ?1")?;
                let there = statement.query_row([&key], |row| Ok(etag(row.get_ref(0)?.as_blob()?))).optional()?;
                let holds = match &condition {
                    Condition::Always => true,
                    Condition::Absent => there.is_none(),
                    Condition::Matches(etag) => there.as_ref() == Some(etag),
                };
                if !holds {
                    return Ok(Written::ConditionFailed);
                }
            }
            // A new row: its id names the version.
            let sql = "INSERT OR REPLACE INTO objects (key, etag, written, content) VALUES (?1, ?2, ?3, ?4)";
            connection.prepare_cached(sql)?.execute(params![key, digest, now, &bytes[..]])?;
            Ok(Written::Done(etag(&digest)))
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.all("ListObjectsV2", prefix, "key", |row| row.get(0).map(|key: String| (key.clone(), key))).await
    }
}

impl VersionedObjects for SqliteObjects {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        // A key has one version, so what is behind a version is behind its key.
        let after = after.map(|after| after.key.as_str());
        let page = self.page("ListObjectVersions", prefix, after, "key, id, etag", |row| {
            let key: String = row.get(0)?;
            let version_id = row.get::<_, i64>(1)?.to_string();
            let etag = Some(etag(row.get_ref(2)?.as_blob()?));
            Ok((key.clone(), ObjectVersion { key, version_id, is_latest: true, etag }))
        })?;
        let next = page.next.map(|key| VersionCursor { key, version_id: None });
        Ok(VersionPage { versions: page.entries, next })
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        let Ok(id) = version_id.parse::<i64>() else { return Ok(None) };
        self.read("GetObject", |connection| {
            let mut statement = connection.prepare_cached("SELECT content FROM objects WHERE id = ?1 AND key = ?2")?;
            statement.query_row(params![id, key], |row| row.get(0)).optional()
        })
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        let Ok(id) = version_id.parse::<i64>() else { return Ok(()) };
        let key = key.to_owned();
        self.write("DeleteObject", move |connection| {
            let sql = "DELETE FROM objects WHERE id = ?1 AND key = ?2";
            connection.prepare_cached(sql)?.execute(params![id, key]).map(drop)
        })
        .await
    }
}
