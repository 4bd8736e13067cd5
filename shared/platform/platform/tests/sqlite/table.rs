//! The laws of tables over a file, and what only a file can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use modstream_platform::sqlite::{Database, Role, SqliteTable};
use modstream_platform::table::{
    Condition, Consistency, Index, Item, Key, Outcome, Page, Projection, Query, SORT, Schema, Table, Transacted,
    Update, Write,
};
use modstream_platform::{CallError, CallErrorKind};
use tempfile::TempDir;

use crate::table_laws::{SCHEMA, Subject, found, item, key, put, sorts, table_laws};
use crate::{folder, serve};

table_laws!(table);

/// A table whose folder goes with it.
struct Kept {
    table: SqliteTable,
    _folder: TempDir,
}

async fn table() -> Option<Subject<Kept>> {
    let folder = folder();
    let table = SqliteTable::open(serve(folder.path()), "laws", SCHEMA).await.expect("opens");
    // Each write waits for the disk.
    Some(Subject { cases: 32, ..Subject::new(Kept { table, _folder: folder }) })
}

impl Table for Kept {
    fn name(&self) -> &str {
        self.table.name()
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        self.table.get(key, consistency).await
    }

    async fn get_batch(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<modstream_platform::table::Batch, CallError> {
        self.table.get_batch(keys, consistency).await
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        self.table.query(query).await
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.table.put(item, condition).await
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        self.table.update(key, update, condition).await
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        self.table.delete(key, condition).await
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        self.table.transact(token, writes).await
    }
}

#[tokio::test]
async fn what_was_answered_is_there_when_the_file_is_opened_again_and_tables_do_not_mix() {
    let folder = folder();
    let whole = item("1").with("name", "n").with("bytes", vec![0_u8, 255]).with("n", i64::MIN);
    {
        let database = serve(folder.path());
        for name in ["one", "other"] {
            let table = SqliteTable::open(database.clone(), name, SCHEMA).await.expect("opens");
            put(&table, &whole.clone().with("of", name)).await;
            let writes = [Write::Put { item: item("2").with("name", "n"), condition: Condition::Always }];
            assert_eq!(table.transact("token", &writes).await, Ok(Transacted::Done));
        }
    }
    let database = serve(folder.path());
    let one = SqliteTable::open(database.clone(), "one", SCHEMA).await.expect("opens");
    assert_eq!(found(&one, &key("1")).await, Some(whole.with("of", "one")));
    assert_eq!(sorts(&one, &Query::index("by-name", "n")).await, ["1", "2"]);
    // A token is remembered, too.
    let other = [Write::Delete { key: key("2"), condition: Condition::Always }];
    assert_eq!(one.transact("token", &other).await.expect_err("used").kind, CallErrorKind::Invalid);
    one.delete(&key("1"), &Condition::Always).await.expect("deleted");
    let other = SqliteTable::open(database, "other", SCHEMA).await.expect("opens");
    assert_eq!(sorts(&other, &Query::index("by-name", "n")).await, ["1", "2"]);
}

#[tokio::test]
async fn an_index_that_is_declared_later_has_what_was_there_before() {
    const LATER: Schema =
        Schema { indexes: &[Index { name: "by-team", partition: "team", sort: SORT, projection: Projection::All }] };
    let folder = folder();
    let database = serve(folder.path());
    let table = SqliteTable::open(database.clone(), "t", SCHEMA).await.expect("opens");
    for n in 0..5 {
        put(&table, &item(&n.to_string()).with("team", "a").with("name", "n")).await;
    }
    let table = SqliteTable::open(database.clone(), "t", LATER).await.expect("opens");
    assert_eq!(sorts(&table, &Query::index("by-team", "a")).await, ["0", "1", "2", "3", "4"]);
    table.delete(&key("3"), &Condition::Always).await.expect("deleted");
    let table = SqliteTable::open(database, "t", SCHEMA).await.expect("opens");
    assert_eq!(sorts(&table, &Query::index("by-name", "n")).await, ["0", "1", "2", "4"]);
}

#[tokio::test]
async fn what_has_expired_goes_some_at_a_time_and_tokens_are_forgotten() {
    let folder = folder();
    let seconds = Arc::new(AtomicI64::new(1_000));
    let clock = Arc::clone(&seconds);
    let now = Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).expect("a time"));
    let database = Database::open_at(folder.path(), Role::Serve, now).expect("opens");
    let table = SqliteTable::open(database, "t", SCHEMA).await.expect("opens");
    for n in 0..5 {
        put(&table, &Item { expires_at: Some(1_100 + n), ..item(&n.to_string()).with("name", "n") }).await;
    }
    put(&table, &item("kept").with("name", "n")).await;
    let add = [Write::Update { key: key("sum"), update: Update::new().add("n", 1), condition: Condition::Always }];
    for _ in 0..2 {
        assert_eq!(table.transact("token", &add).await, Ok(Transacted::Done));
    }
    assert_eq!(table.sweep(10).await, Ok(0));
    seconds.store(1_103, Ordering::Relaxed);
    assert_eq!((table.sweep(3).await, table.sweep(3).await, table.sweep(3).await), (Ok(3), Ok(1), Ok(0)));
    assert_eq!(sorts(&table, &Query::index("by-name", "n")).await, ["4", "kept"]);
    seconds.store(1_600, Ordering::Relaxed);
    assert_eq!(table.transact("token", &add).await, Ok(Transacted::Done));
    assert_eq!(found(&table, &key("sum")).await.and_then(|item| item.number("n")), Some(2));
}
