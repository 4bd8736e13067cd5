use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::unit::{self, Unit};
use super::{Database, DatabaseError};
use crate::event_source::{ACCOUNT, REGION, Reader, Source, SourceShard, StreamRecord};
use crate::shards::{check, equal_ranges, hash, sequence_number, shard_id};
use crate::{CallError, PutOutcome, PutRecord, Stream};

/// What makes a record the one that came before: a stream holds one of each identity, within what it keeps. None where a record is
/// always another.
pub type Identity = fn(&PutRecord) -> Option<[u8; 16]>;

/// A stream of a file. A key goes to the shard that owns its MD5, as in the memory world.
///
/// A record that some reader has not come to is kept, however old it is. A shard is read in one lane, since its checkpoint is one
/// place: a stream that is to be read by several at once has several shards.
#[derive(Clone, Debug)]
pub struct SqliteStream {
    shared: Arc<Shared>,
    identity: Option<Identity>,
    writes: Writes,
}

/// A record, and what makes it the one that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The record.
    pub record: PutRecord,
    /// The identity; none where the record is always another.
    pub identity: Option<[u8; 16]>,
}

/// When what is put on a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    /// What is put is on the disk when the call is answered.
    AtOnce,
    /// What an invocation puts is written in one transaction with its checkpoint.
    WithCheckpoint,
}

/// A stream, as all its handles share it.
#[derive(Debug)]
pub(super) struct Shared {
    name: String,
    arn: String,
    id: i64,
    shards: Vec<RangeInclusive<u128>>,
    database: Database,
    sql: Sql,
}

/// The statements that name the stream's own table.
#[derive(Debug)]
struct Sql {
    insert: String,
    find: String,
    read: String,
    last: String,
    waiting: String,
    unread: String,
    kept_from: String,
    trim: String,
}

impl Sql {
    fn of(id: i64) -> Self {
        let table = format!("records_{id}");
        Sql {
            insert: format!(
                "INSERT INTO {table} (shard, arrived, key, identity, data) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING"
            ),
            find: format!("SELECT number FROM {table} WHERE identity = ?1"),
            read: format!("SELECT number, shard, arrived, key, data FROM {table} WHERE number > ?1 ORDER BY number"),
            last: format!("SELECT max(number) FROM {table}"),
            waiting: format!(
                "SELECT coalesce(sum(waiting), 0), min(first) FROM (
                    SELECT count(*) AS waiting, min(arrived) AS first
                    FROM checkpoints JOIN {table} USING (shard)
                    WHERE stream = {id} AND reader = ?1 AND {table}.number > checkpoints.number
                 )"
            ),
            unread: format!(
                "SELECT min({table}.number) FROM checkpoints JOIN {table} USING (shard)
                 WHERE stream = {id} AND {table}.number > checkpoints.number"
            ),
            kept_from: format!("SELECT number FROM {table} WHERE arrived >= ?1 ORDER BY number LIMIT 1"),
            trim: format!(
                "DELETE FROM {table} WHERE number IN
                 (SELECT number FROM {table} WHERE number < ?1 ORDER BY number LIMIT ?2)"
            ),
        }
    }
}

/// A record that is about to be written.
#[derive(Debug)]
pub(super) struct Put {
    shard: usize,
    key: String,
    identity: Option<[u8; 16]>,
    data: Vec<u8>,
}

/// How far a reader is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many records it has not come to.
    pub records: u64,
    /// How long the first of them has waited.
    pub age: Duration,
}

/// How long it is waited where a checkpoint can't be read.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What a payload carries here, which a machine's memory holds several times for each reader: some copies of the records, and what
/// is made of them.
const MAX_PAYLOAD_BYTES: usize = 2 << 20;
/// What is read at once, but for the record that goes beyond it: in base64, a payload carries no more.
const MAX_READ_BYTES: usize = MAX_PAYLOAD_BYTES / 4 * 3;

/// Where a new reader of a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// With the oldest record that is kept.
    Oldest,
    /// With what comes from now on.
    Now,
}

impl SqliteStream {
    /// Opens a stream; makes it, with so many shards, where it is not there.
    ///
    /// # Errors
    /// Where it can't be made.
    pub async fn open(database: &Database, name: &str, shards: usize) -> Result<Self, DatabaseError> {
        let owned = name.to_owned();
        let (id, shards) = database
            .write(move |connection| {
                let sql = "SELECT id, shards FROM streams WHERE name = ?1";
                let found = connection.query_row(sql, [&owned], |row| Ok((row.get(0)?, row.get(1)?)));
                if let Some(found) = found.optional()? {
                    return Ok(found);
                }
                let shards = shards.max(1);
                connection.execute("INSERT INTO streams (name, shards) VALUES (?1, ?2)", params![owned, shards])?;
                let id = connection.last_insert_rowid();
                // A number is never used again, also where all records are gone: checkpoints name them.
                connection.execute_batch(&format!(
                    "CREATE TABLE records_{id} (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        shard INTEGER NOT NULL,
                        arrived INTEGER NOT NULL,
                        key TEXT NOT NULL,
                        identity BLOB,
                        data BLOB NOT NULL
                    ) STRICT;
                    CREATE UNIQUE INDEX identities_{id} ON records_{id} (identity) WHERE identity IS NOT NULL;"
                ))?;
                Ok((id, shards))
            })
            .await?;
        let shared = Shared {
            name: name.to_owned(),
            arn: format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"),
            id,
            shards: equal_ranges(shards).collect(),
            database: database.clone(),
            sql: Sql::of(id),
        };
        Ok(SqliteStream { shared: Arc::new(shared), identity: None, writes: Writes::AtOnce })
    }

    /// The same stream, to which a record with an identity that it holds is not added again: whoever puts it is told the place of
    /// the one that is there.
    #[must_use]
    pub fn identified_by(&self, identity: Identity) -> Self {
        SqliteStream { identity: Some(identity), ..self.clone() }
    }

    /// The same stream, to which what an invocation of a mapping of this world puts is added when the invocation is done, in one
    /// transaction with its checkpoint: one that is cut short, and comes again, adds nothing twice. The places of such records are
    /// not known when they are put.
    #[must_use]
    pub fn with_checkpoint(&self) -> Self {
        SqliteStream { writes: Writes::WithCheckpoint, ..self.clone() }
    }

    /// Puts records whose identities are known, in one transaction, and returns whether each is new: of a repeat nothing is added.
    /// There may be any number, each of the size that a stream takes.
    ///
    /// # Errors
    /// Where they can't be written: then none is.
    pub async fn put_identified(&self, records: Vec<Identified>) -> Result<Vec<bool>, DatabaseError> {
        let put = |Identified { record: PutRecord { partition_key, data }, identity }| Put {
            shard: self.shared.shard(&partition_key),
            key: partition_key,
            identity,
            data,
        };
        let puts: Vec<Put> = records.into_iter().map(put).collect();
        let shared = Arc::clone(&self.shared);
        let work = move |connection: &Connection| {
            let last = connection.query_row(&shared.sql.last, [], |row| row.get::<_, Option<i64>>(0))?;
            let mut newest = last.unwrap_or_default();
            let placed = shared.insert(connection, &puts)?;
            let is_new = placed.into_iter().map(|(_, number)| {
                let is_new = number > newest;
                newest = newest.max(number);
                is_new
            });
            Ok(is_new.collect())
        };
        self.shared.database.write(work).await
    }

    /// How many records there ever were: it only grows.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn count(&self) -> Result<u64, DatabaseError> {
        let table = format!("records_{}", self.shared.id);
        self.shared.database.read(|connection| {
            let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
            let count: Option<i64> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
            Ok(count.unwrap_or_default().unsigned_abs())
        })
    }

    /// The ids of the shards, in order.
    pub fn shard_ids(&self) -> Vec<String> {
        (0..self.shared.shards.len()).map(shard_id).collect()
    }

    /// Reads up to `limit` records of all shards, in the order in which they were taken: those after a sequence number, or from the
    /// oldest that is kept. Each comes with the position of its shard.
    ///
    /// # Errors
    /// Where they can't be read.
    pub fn records(&self, after: Option<&str>, limit: usize) -> Result<Vec<(usize, Arc<StreamRecord>)>, DatabaseError> {
        self.shared.read(after, limit, |_, _| true)
    }

    /// The place of the last record; none where there never was one.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn last(&self) -> Result<Option<String>, DatabaseError> {
        let Shared { database, sql, .. } = &*self.shared;
        database.read(|connection| {
            let last: Option<i64> = connection.prepare_cached(&sql.last)?.query_row([], |row| row.get(0))?;
            Ok(last.map(place))
        })
    }

    /// Makes a reader known before it reads, so that nothing is trimmed that it has not come to. One that is known goes on where it
    /// was.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn begin(&self, function: &str, beginning: Beginning) -> Result<(), DatabaseError> {
        let (stream, shards) = (self.shared.id, self.shared.shards.len());
        let (function, last) = (function.to_owned(), self.shared.sql.last.clone());
        let work = move |connection: &Connection| {
            let number = match beginning {
                Beginning::Oldest => 0,
                Beginning::Now => {
                    connection.query_row(&last, [], |row| row.get::<_, Option<i64>>(0))?.unwrap_or_default()
                }
            };
            for shard in 0..shards {
                let sql = "INSERT INTO checkpoints (stream, reader, shard, number) VALUES (?1, ?2, ?3, ?4)
                           ON CONFLICT DO NOTHING";
                connection.execute(sql, params![stream, function, shard, number])?;
            }
            Ok(())
        };
        self.shared.database.write(work).await
    }

    /// Forgets a reader that is no more: what it had not come to may be trimmed.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn forget(&self, function: &str) -> Result<(), DatabaseError> {
        let (stream, function) = (self.shared.id, function.to_owned());
        let sql = "DELETE FROM checkpoints WHERE stream = ?1 AND reader = ?2";
        self.shared.database.write(move |connection| connection.execute(sql, params![stream, function]).map(drop)).await
    }

    /// How far each function that reads the stream is behind, by its name.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn behind(&self) -> Result<Vec<(String, Behind)>, DatabaseError> {
        let Shared { database, sql, id, .. } = &*self.shared;
        let now = database.now();
        database.read(|connection| {
            let sql_of_readers = "SELECT DISTINCT reader FROM checkpoints WHERE stream = ?1 ORDER BY reader";
            let mut statement = connection.prepare_cached(sql_of_readers)?;
            let readers = statement.query_map([id], |row| row.get::<_, String>(0))?;
            let mut all = Vec::new();
            for reader in readers {
                let reader = reader?;
                let behind = connection.prepare_cached(&sql.waiting)?.query_row([&reader], |row| {
                    let arrived: Option<i64> = row.get(1)?;
                    let age = arrived.and_then(|arrived| Timestamp::from_millisecond(arrived).ok());
                    let age = age.map_or(SignedDuration::ZERO, |arrived| now.duration_since(arrived));
                    Ok(Behind { records: row.get(0)?, age: Duration::try_from(age).unwrap_or_default() })
                })?;
                all.push((reader, behind));
            }
            Ok(all)
        })
    }

    /// Drops up to `most` of the oldest records, of those that arrived before `before` and that every reader has come to. Returns
    /// how many are gone.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn trim(&self, before: Timestamp, most: usize) -> Result<usize, DatabaseError> {
        let Shared { sql, database, .. } = &*self.shared;
        let [kept_from, last, unread, trim] = [&sql.kept_from, &sql.last, &sql.unread, &sql.trim].map(Clone::clone);
        let before = before.as_millisecond();
        let work = move |connection: &Connection| {
            let kept_from: Option<i64> = connection.query_row(&kept_from, [before], |row| row.get(0)).optional()?;
            // Else all are old enough.
            let last: Option<i64> = connection.query_row(&last, [], |row| row.get(0))?;
            let Some(end) = kept_from.or(last.map(|last| last + 1)) else { return Ok(0) };
            let unread: Option<i64> = connection.query_row(&unread, [], |row| row.get(0))?;
            connection.execute(&trim, params![unread.map_or(end, |unread| end.min(unread)), most])
        };
        database.write(work).await
    }
}

fn place(number: i64) -> String {
    sequence_number(u128::try_from(number).unwrap_or_default())
}

/// The number of a place that this world wrote; zero, which is before all, for any other.
fn number(place: &str) -> i64 {
    place.strip_prefix("49").and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

impl Shared {
    /// The shard that owns a key.
    fn shard(&self, key: &str) -> usize {
        let hash = hash(key);
        // They own every hash.
        self.shards.iter().position(|hashes| hashes.contains(&hash)).unwrap_or_default()
    }

    fn prepare(&self, records: &[PutRecord], identity: Option<Identity>) -> Vec<Put> {
        let put = |record: &PutRecord| Put {
            shard: self.shard(&record.partition_key),
            key: record.partition_key.clone(),
            identity: identity.and_then(|identity| identity(record)),
            data: record.data.clone(),
        };
        records.iter().map(put).collect()
    }

    /// Writes records within a transaction, and returns their places: of a repeat, that of what it repeats.
    fn insert(&self, connection: &Connection, puts: &[Put]) -> rusqlite::Result<Vec<(usize, i64)>> {
        let now = self.database.now().as_millisecond();
        let mut insert = connection.prepare_cached(&self.sql.insert)?;
        let place = |put: &Put| {
            let Put { shard, key, identity, data } = put;
            let identity = identity.as_ref().map(|identity| &identity[..]);
            if insert.execute(params![shard, now, key, identity, data])? > 0 {
                return Ok((*shard, connection.last_insert_rowid()));
            }
            let there = connection.prepare_cached(&self.sql.find)?.query_row([identity], |row| row.get(0))?;
            Ok((*shard, there))
        };
        puts.iter().map(place).collect()
    }

    fn read(
        &self,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(usize, &str) -> bool,
    ) -> Result<Vec<(usize, Arc<StreamRecord>)>, DatabaseError> {
        let after = after.map_or(0, number);
        self.database.read(|connection| {
            let mut statement = connection.prepare_cached(&self.sql.read)?;
            let mut rows = statement.query([after])?;
            let (mut records, mut bytes) = (Vec::new(), 0);
            while records.len() < limit
                && bytes < MAX_READ_BYTES
                && let Some(row) = rows.next()?
            {
                let shard: usize = row.get(1)?;
                // What is not wanted is not copied.
                if wanted(shard, row.get_ref(3)?.as_str()?) {
                    let record = record(row)?;
                    bytes += record.data.len();
                    records.push((shard, Arc::new(record)));
                }
            }
            Ok(records)
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<StreamRecord> {
    Ok(StreamRecord {
        sequence_number: place(row.get(0)?),
        arrived: Timestamp::from_millisecond(row.get(2)?).unwrap_or_default(),
        partition_key: row.get(3)?,
        data: row.get(4)?,
    })
}

impl Stream for SqliteStream {
    fn name(&self) -> &str {
        &self.shared.name
    }

    async fn put_records(&self, records: &[PutRecord]) -> Result<Vec<PutOutcome>, CallError> {
        check(records)?;
        let mut puts = self.shared.prepare(records, self.identity);
        if self.writes == Writes::WithCheckpoint {
            let stored =
                |put: &Put| PutOutcome::Stored { shard_id: shard_id(put.shard), sequence_number: String::new() };
            let outcomes = puts.iter().map(stored).collect();
            match unit::gather(&self.shared, puts) {
                None => return Ok(outcomes),
                // Nobody's invocation: it is written like everything else.
                Some(back) => puts = back,
            }
        }
        let shared = Arc::clone(&self.shared);
        let written = self.shared.database.write(move |connection| shared.insert(connection, &puts)).await;
        let written = written.map_err(|error| error.of_call("stream", "PutRecords"))?;
        let stored = |(shard, number)| PutOutcome::Stored { shard_id: shard_id(shard), sequence_number: place(number) };
        Ok(written.into_iter().map(stored).collect())
    }
}

impl Source for SqliteStream {
    type Gathered = Unit;

    fn arn(&self) -> &str {
        &self.shared.arn
    }

    fn max_payload_bytes(&self) -> usize {
        MAX_PAYLOAD_BYTES
    }

    fn keeps_for(&self) -> Duration {
        Duration::MAX
    }

    fn shards(&self) -> Vec<SourceShard> {
        self.shared.shards.iter().map(|_| SourceShard { parents: Vec::new(), is_open: true }).collect()
    }

    fn read_where(
        &self,
        shard: usize,
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<Arc<StreamRecord>> {
        let read = self.shared.read(after, limit, |of, key| of == shard && wanted(key));
        read.unwrap_or_default().into_iter().map(|(_, record)| record).collect()
    }

    async fn changed(&self, is_so: impl FnMut() -> bool) {
        self.shared.database.changed(is_so).await;
    }

    fn lanes(&self, _: usize) -> usize {
        1
    }

    async fn checkpoint(&self, reader: Reader<'_>) -> Option<String> {
        let Shared { database, id, .. } = &*self.shared;
        loop {
            let read = database.read(|connection| {
                let sql = "SELECT number FROM checkpoints WHERE stream = ?1 AND reader = ?2 AND shard = ?3";
                let mut statement = connection.prepare_cached(sql)?;
                statement.query_row(params![id, reader.function, reader.shard], |row| row.get::<_, i64>(0)).optional()
            });
            match read {
                Ok(number) => return number.map(place),
                Err(_) => tokio::time::sleep(LOOK_AGAIN_AFTER).await,
            }
        }
    }

    async fn gathering<T>(&self, invocation: impl Future<Output = T>) -> (T, Unit) {
        unit::gathering(invocation).await
    }

    async fn done(&self, reader: Reader<'_>, up_to: &str, gathered: Unit) -> bool {
        let (stream, function, shard) = (self.shared.id, reader.function.to_owned(), reader.shard);
        let up_to = number(up_to);
        let work = move |connection: &Connection| {
            for (stream, puts) in &gathered.puts {
                stream.insert(connection, puts)?;
            }
            let sql = "INSERT INTO checkpoints (stream, reader, shard, number) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET number = excluded.number";
            connection.prepare_cached(sql)?.execute(params![stream, function, shard, up_to]).map(drop)
        };
        self.shared.database.write(work).await.is_ok()
    }
}
