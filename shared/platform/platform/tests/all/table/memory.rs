//! The laws of tables over the memory world, and what only it can do.

use std::time::Duration;

use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{
    Condition, Consistency, HalfUnits, Item, Key, Operation, Query, Schema, Table as _, Transacted, Update, Write,
};

use crate::table_laws::{SCHEMA, Subject, found, item, key, put, sorts, table_laws};
use crate::world::clock;

async fn table() -> Option<Subject<MemoryTable>> {
    Some(Subject::new(MemoryTable::new("laws", SCHEMA, MemoryClock::system())))
}

table_laws!(table);

fn plain() -> MemoryTable {
    MemoryTable::new("plain", Schema::default(), MemoryClock::system())
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_there_until_it_is_swept() {
    let clock = clock();
    let table = MemoryTable::new("t", SCHEMA, clock);
    let at = clock.now() + Duration::from_secs(60);
    put(&table, &item("1").with("name", "n").expiring(at)).await;
    put(&table, &item("2").with("name", "n")).await;
    clock.sleep(Duration::from_secs(59)).await;
    assert_eq!(table.sweep(), 0);
    clock.sleep(Duration::from_secs(1)).await;
    let old = found(&table, &key("1")).await.expect("not yet deleted");
    assert!(old.has_expired(clock.now()) && !old.has_expired(at - Duration::from_secs(1)));
    assert_eq!((table.sweep(), table.sweep()), (1, 0));
    assert_eq!(found(&table, &key("1")).await, None);
    assert_eq!(sorts(&table, &Query::index("by-name", "n")).await, ["2"]);
}

#[tokio::test]
async fn eventual_reads_can_be_held_back_and_let_go_one_write_at_a_time() {
    let table = MemoryTable::new("t", SCHEMA, MemoryClock::system());
    put(&table, &item("1").with("name", "old")).await;
    table.hold_back();
    put(&table, &item("1").with("name", "new")).await;
    put(&table, &item("2").with("name", "new")).await;
    table.delete(&key("1"), &Condition::Always).await.expect("deleted");
    let eventual = async |sort: &str| {
        let item = table.get(&key(sort), Consistency::Eventual).await.expect("an answer");
        item.and_then(|item| item.text("name").map(str::to_owned))
    };
    let indexed = async |name: &str| sorts(&table, &Query::index("by-name", name)).await;
    // Consistent reads and conditions see all.
    assert_eq!(found(&table, &key("1")).await, None);
    assert_eq!(sorts(&table, &Query::table("p", Consistency::Consistent)).await, ["2"]);
    assert_eq!(sorts(&table, &Query::table("p", Consistency::Eventual)).await, ["1"]);
    assert_eq!((eventual("1").await.as_deref(), eventual("2").await), (Some("old"), None));
    assert_eq!((indexed("old").await, indexed("new").await), (vec!["1".to_owned()], vec![]));
    assert_eq!(table.catch_up(1), 2);
    assert_eq!((indexed("old").await, indexed("new").await), (vec![], vec!["1".to_owned()]));
    assert_eq!(table.catch_up(1), 1);
    assert_eq!(indexed("new").await, ["1", "2"]);
    assert_eq!(table.catch_up(9), 0);
    assert_eq!(indexed("new").await, ["2"]);
    put(&table, &item("3").with("name", "new")).await;
    assert_eq!(indexed("new").await, ["2"]);
    table.let_go();
    assert_eq!(indexed("new").await, ["2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_remembered_for_ten_minutes() {
    let clock = clock();
    let table = MemoryTable::new("t", SCHEMA, clock);
    let writes = [Write::Update { key: key("1"), update: Update::new().add("n", 1), condition: Condition::Always }];
    let count = async || {
        assert_eq!(table.transact("token", &writes).await, Ok(Transacted::Done));
        found(&table, &key("1")).await.and_then(|item| item.number("n"))
    };
    assert_eq!(count().await, Some(1));
    clock.sleep(Duration::from_secs(599)).await;
    assert_eq!(count().await, Some(1));
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(count().await, Some(2));
}

/// An item of exactly so many bytes.
fn sized(sort: &str, bytes: usize) -> Item {
    let empty = item(sort).with("data", "");
    let filled = bytes - empty.size();
    empty.with("data", "x".repeat(filled))
}

/// What a call costs, in write units and halves of read units.
async fn cost(table: &MemoryTable, call: impl Future<Output = ()>) -> (u64, u64) {
    table.reset_usage();
    call.await;
    let usage = table.usage();
    assert_eq!(usage.total_calls(), 1);
    (usage.write_units, usage.read.0)
}

#[tokio::test]
async fn calls_cost_what_dynamodb_would_bill() {
    let table = plain();
    let write = async |item: Item, condition: Condition| {
        cost(&table, async { drop(table.put(&item, &condition).await.expect("an answer")) }).await
    };
    assert_eq!(write(sized("1", 1024), Condition::Always).await, (1, 0));
    assert_eq!(write(sized("2", 1025), Condition::Always).await, (2, 0));
    // The larger of what was and what is.
    assert_eq!(write(sized("2", 10), Condition::Always).await, (2, 0));
    assert_eq!(write(sized("2", 4096), Condition::Always).await, (4, 0));
    // What fails costs as what it found, however large what it would have written.
    assert_eq!(write(sized("2", 9000), Condition::Absent).await, (4, 0));
    assert_eq!(write(sized("3", 9000), Condition::Present).await, (1, 0));
    let delete = async |sort: &str| {
        cost(&table, async { drop(table.delete(&key(sort), &Condition::Always).await.expect("an answer")) }).await
    };
    assert_eq!((delete("none").await, delete("2").await), ((1, 0), (4, 0)));
    let get = async |sort: &str, consistency| {
        cost(&table, async { drop(table.get(&key(sort), consistency).await.expect("an answer")) }).await
    };
    put(&table, &sized("4", 4097)).await;
    assert_eq!(get("4", Consistency::Consistent).await, (0, 4));
    assert_eq!(get("4", Consistency::Eventual).await, (0, 2));
    assert_eq!(get("none", Consistency::Eventual).await, (0, 1));
    // A query's items are added up before they are rounded.
    for n in 0..8 {
        put(&table, &Item { key: Key::new("q", n.to_string()), ..sized("1", 500) }).await;
    }
    let query = Query::table("q", Consistency::Consistent);
    assert_eq!(cost(&table, async { drop(table.query(&query).await.expect("a page")) }).await, (0, 2));
    let keys: Vec<Key> = (0..8).map(|n| Key::new("q", n.to_string())).collect();
    let batch = async { drop(table.get_batch(&keys, Consistency::Consistent).await.expect("a batch")) };
    assert_eq!(cost(&table, batch).await, (0, 16));
    assert_eq!(HalfUnits(3).units().to_bits(), 1.5_f64.to_bits());
}

#[tokio::test]
async fn an_index_costs_where_what_it_holds_changes() {
    let table = MemoryTable::new("t", SCHEMA, MemoryClock::system());
    let whole = item("1").with("status", "open").with("order", "a").with("data", "x".repeat(3000));
    let change = async |update: Update| {
        let call = async { drop(table.update(&key("1"), &update, &Condition::Always).await.expect("an answer")) };
        cost(&table, call).await.0
    };
    assert_eq!(cost(&table, put(&table, &whole)).await, (3 + 1, 0));
    assert_eq!(change(Update::new().set("data", "x".repeat(2000))).await, 3, "the index holds none of it");
    assert_eq!(change(Update::new().set("size", 1)).await, 2 + 1, "it holds this");
    assert_eq!(change(Update::new().set("status", "shut")).await, 2 + 2, "out of one place and into another");
    assert_eq!(change(Update::new().remove("status")).await, 2 + 1);
    // The other index holds all.
    assert_eq!(change(Update::new().set("name", "n")).await, 2 + 2);
    assert_eq!(change(Update::new().set("data", "y")).await, 2 + 2);
}

#[tokio::test]
async fn a_transaction_costs_double_and_again_only_reads() {
    let table = MemoryTable::new("t", SCHEMA, MemoryClock::system());
    put(&table, &sized("checked", 1500)).await;
    let writes = [
        Write::Put { item: item("1").with("name", "n"), condition: Condition::Absent },
        Write::Check { key: key("checked"), condition: Condition::Present },
    ];
    let transact = async |token: &str| {
        cost(&table, async { drop(table.transact(token, &writes).await.expect("an answer")) }).await
    };
    assert_eq!(transact("a").await, (2 + 1 + 4, 0));
    assert_eq!(transact("a").await, (0, 8));
    assert_eq!(transact("b").await, (2 + 4, 0), "cancelled: it costs all the same");
    assert_eq!(table.usage().calls_of(Operation::TransactWriteItems), 1);
}
