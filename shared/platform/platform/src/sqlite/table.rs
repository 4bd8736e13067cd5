use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rusqlite::types::{Type, Value as Parameter};
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::{Database, DatabaseError};
use crate::CallError;
use crate::table::{
    Batch, Condition, Consistency, Cursor, Decided, Direction, Flaw, Index, Item, Key, MAX_BATCH_BYTES, MAX_PAGE_BYTES,
    Operation, Outcome, Page, Query, Schema, Source, TOKEN_SECONDS, Table, Transacted, Update, Value, Write,
    check_condition, check_item, check_key, check_keys, check_query, check_token, check_update, check_writes,
    decide_delete, decide_put, decide_transaction, decide_update, digest,
};

/// A table in a file. All reads see all that was written before, those of an index, too.
///
/// What has expired stays until it is [swept](Self::sweep).
#[derive(Clone, Debug)]
pub struct SqliteTable {
    database: Database,
    name: String,
    id: i64,
    schema: Schema,
}

/// What the errors of calls name as the service.
const SERVICE: &str = "table";

impl SqliteTable {
    /// The table called `name` of a file, which is made where there is none. Where it had other indexes, they are made anew.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn open(database: Database, name: impl Into<String>, schema: Schema) -> Result<Self, DatabaseError> {
        let name = name.into();
        let declared = declared(schema);
        let called = name.clone();
        let known = database.read(|connection| table(connection, &called))?;
        let id = match known {
            Some((id, indexes)) if indexes == declared => id,
            _ => database.write(move |connection| make(connection, &called, schema, &declared)).await?,
        };
        Ok(SqliteTable { database, name, id, schema })
    }

    /// Deletes up to `most` items that have expired, the oldest first, and says how many are gone.
    ///
    /// # Errors
    /// Where it can't be written.
    pub async fn sweep(&self, most: usize) -> Result<usize, DatabaseError> {
        let (now, rows) = (self.database.now().as_second(), self.rows());
        self.database
            .write(move |connection| {
                let sql = "SELECT partition, sort FROM items WHERE of = ?1 AND expires_at <= ?2
                           ORDER BY expires_at LIMIT ?3";
                let mut statement = connection.prepare_cached(sql)?;
                let expired = statement.query_map(params![rows.of, now, most], |row| {
                    Ok(Key::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?))
                })?;
                let expired: Vec<Key> = expired.collect::<Result<_, _>>()?;
                for key in &expired {
                    let found = rows.found(connection, key)?;
                    rows.write(connection, found.as_ref(), key, None)?;
                }
                Ok(expired.len())
            })
            .await
    }

    fn rows(&self) -> Rows {
        Rows { of: self.id, schema: self.schema }
    }

    /// Reads what is committed.
    fn read<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Connection, Rows) -> rusqlite::Result<T>,
    ) -> Result<T, CallError> {
        let read = self.database.read(|connection| work(connection, self.rows()));
        read.map_err(|error| error.of_call(SERVICE, operation.name()))
    }

    /// Has work done by the connection that writes.
    async fn write<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Connection, Rows) -> rusqlite::Result<Result<T, Flaw>> + Send + 'static,
    ) -> Result<T, CallError> {
        let rows = self.rows();
        let written = self.database.write(move |connection| work(connection, rows)).await;
        let written = written.map_err(|error| error.of_call(SERVICE, operation.name()))?;
        written.map_err(|flaw| flaw.of(SERVICE, operation))
    }
}

/// What of the schema is kept: the names by which entries were made.
fn declared(schema: Schema) -> String {
    let mut declared = String::new();
    for Index { name, partition, sort, .. } in schema.indexes {
        let _ = writeln!(declared, "{name}\t{partition}\t{sort}");
    }
    declared
}

fn table(connection: &Connection, name: &str) -> rusqlite::Result<Option<(i64, String)>> {
    let sql = "SELECT id, indexes FROM tables WHERE name = ?1";
    connection.query_row(sql, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Makes a table, or its indexes anew.
fn make(connection: &Connection, name: &str, schema: Schema, declared: &str) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO tables (name, indexes) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET indexes = excluded.indexes RETURNING id";
    let of: i64 = connection.query_row(sql, params![name, declared], |row| row.get(0))?;
    connection.execute("DELETE FROM places WHERE of = ?1", [of])?;
    let rows = Rows { of, schema };
    let mut statement =
        connection.prepare("SELECT partition, sort, attributes, expires_at, id FROM items WHERE of = ?1")?;
    let mut found = statement.query([of])?;
    while let Some(row) = found.next()? {
        let item = item(row)?;
        for index in schema.indexes {
            if let Some(place) = index.key(&item) {
                rows.place(connection, index, &place, &item.key, row.get(4)?)?;
            }
        }
    }
    Ok(of)
}

/// The rows of a table.
#[derive(Clone, Copy)]
struct Rows {
    of: i64,
    schema: Schema,
}

impl Rows {
    fn found(self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<Item>> {
        let sql = "SELECT partition, sort, attributes, expires_at FROM items
                   WHERE of = ?1 AND partition = ?2 AND sort = ?3";
        connection.prepare_cached(sql)?.query_row(params![self.of, key.partition, key.sort], item).optional()
    }

    /// Writes an item in the place of the one that was found, or deletes that.
    fn write(
        self,
        connection: &Connection,
        found: Option<&Item>,
        key: &Key,
        item: Option<&Item>,
    ) -> rusqlite::Result<()> {
        let placed = |item: Option<&Item>| -> Vec<Option<Key>> {
            self.schema.indexes.iter().map(|index| item.and_then(|item| index.key(item))).collect()
        };
        let (before, after) = (placed(found), placed(item));
        for ((index, before), after) in self.schema.indexes.iter().zip(&before).zip(&after) {
            if let Some(place) = before.as_ref().filter(|_| before != after) {
                let sql = "DELETE FROM places WHERE of = ?1 AND place_index = ?2 AND partition = ?3 AND sort = ?4
                           AND item_partition = ?5 AND item_sort = ?6";
                let place = params![self.of, index.name, place.partition, place.sort, key.partition, key.sort];
                connection.prepare_cached(sql)?.execute(place)?;
            }
        }
        let Some(item) = item else {
            let sql = "DELETE FROM items WHERE of = ?1 AND partition = ?2 AND sort = ?3";
            connection.prepare_cached(sql)?.execute(params![self.of, key.partition, key.sort])?;
            return Ok(());
        };
        let sql = "INSERT INTO items (of, partition, sort, attributes, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (of, partition, sort)
                   DO UPDATE SET attributes = excluded.attributes, expires_at = excluded.expires_at RETURNING id";
        let row = params![self.of, key.partition, key.sort, kept(item), item.expires_at];
        let id: i64 = connection.prepare_cached(sql)?.query_row(row, |row| row.get(0))?;
        for ((index, before), after) in self.schema.indexes.iter().zip(&before).zip(&after) {
            if let Some(place) = after.as_ref().filter(|_| before != after) {
                self.place(connection, index, place, key, id)?;
            }
        }
        Ok(())
    }

    fn place(self, connection: &Connection, index: &Index, place: &Key, key: &Key, id: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO places (of, place_index, partition, sort, item_partition, item_sort, item)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let place = params![self.of, index.name, place.partition, place.sort, key.partition, key.sort, id];
        connection.prepare_cached(sql)?.execute(place).map(drop)
    }

    fn query(self, connection: &Connection, query: &Query) -> rusqlite::Result<Page> {
        let index = match query.source {
            Source::Table(_) => None,
            Source::Index(name) => self.schema.index(name),
        };
        let (sql, parameters) = self.select(query, index);
        let most = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let (mut page, mut bytes) = (Page::default(), 0);
        let mut last = None;
        loop {
            if page.items.len() == most {
                page.next = last;
                return Ok(page);
            }
            let Some(row) = rows.next()? else { return Ok(page) };
            let item = item(row)?;
            let item = match index {
                None => item,
                Some(index) => index.projected(&item),
            };
            bytes += item.size();
            if bytes > MAX_PAGE_BYTES && !page.items.is_empty() {
                page.next = last;
                return Ok(page);
            }
            let index_key = match index {
                Some(_) => Some(Key::new(&query.partition, row.get::<_, String>(4)?)),
                None => None,
            };
            last = Some(Cursor { key: item.key.clone(), index_key });
            page.items.push(item);
        }
    }

    /// The statement of a query, and its parameters: items' keys, attributes and expiry, and in an index the sort key there.
    fn select(self, query: &Query, index: Option<&Index>) -> (String, Vec<Parameter>) {
        let text = |text: &str| Parameter::Text(text.to_owned());
        let mut parameters = vec![Parameter::Integer(self.of), text(&query.partition)];
        let (mut sql, of_place) = match index {
            None => {
                let sql = "SELECT i.partition, i.sort, i.attributes, i.expires_at FROM items i
                           WHERE i.of = ?1 AND i.partition = ?2";
                (sql.to_owned(), ["i.sort"].as_slice())
            }
            Some(index) => {
                parameters.push(text(index.name));
                let sql = "SELECT i.partition, i.sort, i.attributes, i.expires_at, p.sort FROM places p
                           JOIN items i ON i.id = p.item WHERE p.of = ?1 AND p.partition = ?2 AND p.place_index = ?3";
                (sql.to_owned(), ["p.sort", "p.item_partition", "p.item_sort"].as_slice())
            }
        };
        let mut ask = |sql: &mut String, columns: &[&str], sign: &str, values: Vec<String>| {
            let first = parameters.len() + 1;
            let marks: Vec<String> = (first..first + values.len()).map(|mark| format!("?{mark}")).collect();
            let _ = write!(sql, " AND ({}) {sign} ({})", columns.join(", "), marks.join(", "));
            parameters.extend(values.into_iter().map(Parameter::Text));
        };
        let (from, to) = query.range.half_open();
        ask(&mut sql, &of_place[..1], ">=", vec![from]);
        if let Some(to) = to {
            ask(&mut sql, &of_place[..1], "<", vec![to]);
        }
        let (sign, order) = match query.direction {
            Direction::Ascending => (">", "ASC"),
            Direction::Descending => ("<", "DESC"),
        };
        if let Some(Cursor { key, index_key }) = &query.after {
            let place = match index_key {
                None => vec![key.sort.clone()],
                Some(place) => vec![place.sort.clone(), key.partition.clone(), key.sort.clone()],
            };
            ask(&mut sql, of_place, sign, place);
        }
        let order: Vec<String> = of_place.iter().map(|column| format!("{column} {order}")).collect();
        let _ = write!(sql, " ORDER BY {}", order.join(", "));
        (sql, parameters)
    }
}

/// An attribute's value, as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept<'a> {
    Number(i64),
    Text(Cow<'a, str>),
    Bytes { base64: String },
}

fn kept(item: &Item) -> String {
    let kept = item.attributes.iter().map(|(name, value)| {
        let value = match value {
            Value::Number(number) => Kept::Number(*number),
            Value::Text(text) => Kept::Text(text.into()),
            Value::Bytes(bytes) => Kept::Bytes { base64: STANDARD_NO_PAD.encode(bytes) },
        };
        (name, value)
    });
    // Names are texts, and so is all that has a name.
    serde_json::to_string(&kept.collect::<BTreeMap<_, _>>()).unwrap_or_default()
}

/// The item of a row: partition key, sort key, attributes, expiry.
fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    const ATTRIBUTES: usize = 2;
    let unread = |error| rusqlite::Error::FromSqlConversionFailure(ATTRIBUTES, Type::Text, error);
    let kept: BTreeMap<String, Kept<'_>> =
        serde_json::from_str(row.get_ref(ATTRIBUTES)?.as_str()?).map_err(|error| unread(error.into()))?;
    let value = |(name, value)| {
        let value = match value {
            Kept::Number(number) => Value::Number(number),
            Kept::Text(text) => Value::Text(text.into_owned()),
            Kept::Bytes { base64 } => {
                Value::Bytes(STANDARD_NO_PAD.decode(base64).map_err(|error| unread(error.into()))?.into())
            }
        };
        Ok((name, value))
    };
    let attributes = kept.into_iter().map(value).collect::<rusqlite::Result<_>>()?;
    let key = Key::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?);
    Ok(Item { key, attributes, expires_at: row.get(3)? })
}

impl Table for SqliteTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn get(&self, key: &Key, _: Consistency) -> Result<Option<Item>, CallError> {
        const OPERATION: Operation = Operation::GetItem;
        check_key(key).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        self.read(OPERATION, |connection, rows| rows.found(connection, key))
    }

    async fn get_batch(&self, keys: &[Key], _: Consistency) -> Result<Batch, CallError> {
        const OPERATION: Operation = Operation::BatchGetItem;
        check_keys(keys).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        self.read(OPERATION, |connection, rows| {
            let (mut batch, mut bytes) = (Batch::default(), 0);
            for key in keys {
                let found = rows.found(connection, key)?;
                bytes += found.as_ref().map_or(0, Item::size);
                if bytes > MAX_BATCH_BYTES {
                    batch.unprocessed.push(key.clone());
                } else {
                    batch.items.extend(found);
                }
            }
            Ok(batch)
        })
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        const OPERATION: Operation = Operation::Query;
        check_query(self.schema, query).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        self.read(OPERATION, |connection, rows| rows.query(connection, query))
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        const OPERATION: Operation = Operation::PutItem;
        let checked = check_item(self.schema, item).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let (item, condition) = (item.clone(), condition.clone());
        self.write(OPERATION, move |connection, rows| {
            let found = rows.found(connection, &item.key)?;
            let decided = decide_put(found.as_ref(), &condition);
            if decided == Outcome::Done(()) {
                rows.write(connection, found.as_ref(), &item.key, Some(&item))?;
            }
            Ok(Ok(decided))
        })
        .await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        const OPERATION: Operation = Operation::UpdateItem;
        let checked = check_key(key).and_then(|()| check_update(self.schema, update));
        let checked = checked.and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let (key, update, condition) = (key.clone(), update.clone(), condition.clone());
        self.write(OPERATION, move |connection, rows| {
            let found = rows.found(connection, &key)?;
            let decided = decide_update(rows.schema, found.as_ref(), &key, &update, &condition);
            if let Ok(Outcome::Done(item)) = &decided {
                rows.write(connection, found.as_ref(), &key, Some(item))?;
            }
            Ok(decided)
        })
        .await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        const OPERATION: Operation = Operation::DeleteItem;
        let checked = check_key(key).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let (key, condition) = (key.clone(), condition.clone());
        self.write(OPERATION, move |connection, rows| {
            let found = rows.found(connection, &key)?;
            let decided = decide_delete(found.as_ref(), &condition);
            if decided == Outcome::Done(()) && found.is_some() {
                rows.write(connection, found.as_ref(), &key, None)?;
            }
            Ok(Ok(decided))
        })
        .await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        const OPERATION: Operation = Operation::TransactWriteItems;
        let checked = check_token(token).and_then(|()| check_writes(self.schema, writes));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let (token, writes, now) = (token.to_owned(), writes.to_vec(), self.database.now().as_second());
        self.write(OPERATION, move |connection, rows| transact(connection, rows, &token, &writes, now)).await
    }
}

fn transact(
    connection: &Connection,
    rows: Rows,
    token: &str,
    writes: &[Write],
    now: i64,
) -> rusqlite::Result<Result<Transacted, Flaw>> {
    connection.prepare_cached("DELETE FROM tokens WHERE of = ?1 AND until <= ?2")?.execute(params![rows.of, now])?;
    let digest = digest(&writes);
    let mut made = connection.prepare_cached("SELECT writes FROM tokens WHERE of = ?1 AND token = ?2")?;
    let made: Option<[u8; 16]> = made.query_row(params![rows.of, token], |row| row.get(0)).optional()?;
    if let Some(made) = made {
        let flaw = || Flaw::invalid("the token was used for other writes within the last 10 minutes");
        return Ok(if made == digest { Ok(Transacted::Done) } else { Err(flaw()) });
    }
    let mut found = BTreeMap::new();
    for write in writes {
        found.insert(write.key(), rows.found(connection, write.key())?);
    }
    let before = |key: &Key| found.get(key).and_then(Option::as_ref);
    let after = match decide_transaction(rows.schema, writes, |key| before(key).cloned()) {
        Ok(Decided::Changes(after)) => after,
        Ok(Decided::Cancelled(reasons)) => return Ok(Ok(Transacted::Cancelled(reasons))),
        Err(flaw) => return Ok(Err(flaw)),
    };
    for (key, item) in &after {
        rows.write(connection, before(key), key, item.as_ref())?;
    }
    let sql = "INSERT INTO tokens (of, token, writes, until) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![rows.of, token, digest, now + TOKEN_SECONDS])?;
    Ok(Ok(Transacted::Done))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::Role;
    use crate::table::{Projection, SORT};

    const SCHEMA: Schema =
        Schema { indexes: &[Index { name: "by-name", partition: "name", sort: SORT, projection: Projection::All }] };

    /// How SQLite finds what a query asks for, step by step.
    fn plan(table: &SqliteTable, query: &Query) -> String {
        let index = match query.source {
            Source::Table(_) => None,
            Source::Index(name) => SCHEMA.index(name),
        };
        let (sql, parameters) = table.rows().select(query, index);
        let steps = table.database.read(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = statement.query_map(params_from_iter(parameters), |row| row.get::<_, String>("detail"))?;
            steps.collect::<Result<Vec<_>, _>>()
        });
        steps.expect("a plan").join("; ")
    }

    /// Otherwise each page would sort all that is there.
    #[tokio::test]
    async fn every_query_goes_by_an_index_and_sorts_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(folder.path(), Role::Serve).expect("opens");
        let table = SqliteTable::open(database, "t", SCHEMA).await.expect("opens");
        let cursor = |index_key| Cursor { key: Key::new("p", "1"), index_key };
        let in_table = Query::table("p", Consistency::Consistent);
        let in_index = Query::index("by-name", "n");
        for (query, cursor) in [(in_table, cursor(None)), (in_index, cursor(Some(Key::new("n", "1"))))] {
            for query in [query.clone(), query.after(Some(cursor))] {
                for query in [query.clone(), query.descending()] {
                    let plan = plan(&table, &query);
                    assert!(plan.contains("SEARCH") && !plan.contains("SCAN") && !plan.contains("B-TREE"), "{plan}");
                }
            }
        }
    }
}
