//! What holds of every table, whichever world it is of. Each program that includes this hands over its tables.

mod conditions;
mod limits;
mod model;
mod pages;
mod transactions;
mod updates;

use std::collections::BTreeSet;

use modstream_platform::table::{
    Condition, Consistency, Index, Item, Key, MAX_ITEM_BYTES, Outcome, Projection, Query, SORT, Schema, Table,
};
use modstream_platform::{Bytes, CallErrorKind};

pub(crate) use conditions::*;
pub(crate) use limits::*;
pub(crate) use model::*;
pub(crate) use pages::*;
pub(crate) use transactions::*;
pub(crate) use updates::*;

/// The schema of all tables here. The attributes' names are words that DynamoDB keeps for itself.
pub(crate) const SCHEMA: Schema = Schema {
    indexes: &[
        Index { name: "by-status", partition: "status", sort: "order", projection: Projection::Only(&["size"]) },
        Index { name: "by-name", partition: "name", sort: SORT, projection: Projection::All },
    ],
};

/// Makes a test of each law. `$table` makes an empty table with [`SCHEMA`], or none where there is no such world here.
macro_rules! table_laws {
    ($table:path) => {
        table_laws! { @each $table;
            an_item_comes_back_as_it_was_put,
            names_may_be_any_words,
            a_batch_has_what_is_there,
            an_index_has_what_it_is_by_and_nothing_else,
            an_items_change_moves_it_in_the_index,
            what_has_expired_is_still_found,
            a_condition_that_fails_brings_what_was_found,
            each_condition_holds_of_what_it_says,
            of_many_that_want_to_be_first_one_is,
            what_is_too_large_is_refused_and_what_just_fits_is_not,
            keys_have_their_limits,
            what_no_call_may_ask_is_invalid,
            an_index_takes_no_key_that_it_cant_hold,
            an_update_changes_what_it_names_and_returns_the_item,
            an_update_that_only_removes_makes_no_item,
            what_cant_be_added_is_refused,
            concurrent_additions_all_count,
            pages_together_are_all_items_once,
            a_range_has_its_items_in_both_directions,
            a_page_ends_at_its_bytes,
            a_cursor_goes_on_whatever_came_and_went,
            a_cursor_of_another_query_is_refused,
            a_transaction_is_all_or_nothing,
            a_transaction_says_why_it_was_cancelled,
            a_repeated_token_does_nothing_again,
            a_transaction_has_its_limits,
        }

        #[test]
        fn a_table_does_what_a_model_of_it_does() {
            crate::table_laws::check_against_a_model(|| $table());
        }
    };
    (@each $table:path; $($law:ident,)*) => {
        $(
            #[tokio::test]
            async fn $law() {
                if let Some(table) = $table().await {
                    crate::table_laws::$law(&table).await;
                }
            }
        )*
    };
}
pub(crate) use table_laws;

/// A table, and what is particular about it.
pub(crate) struct Subject<T> {
    pub(crate) table: T,
    /// The largest item that it is sure to take.
    pub(crate) largest: usize,
    /// How many runs a property gets.
    pub(crate) cases: u32,
}

impl<T> Subject<T> {
    pub(crate) fn new(table: T) -> Self {
        Subject { table, largest: MAX_ITEM_BYTES, cases: 128 }
    }
}

pub(crate) fn key(sort: &str) -> Key {
    Key::new("p", sort)
}

pub(crate) fn item(sort: &str) -> Item {
    Item::new(key(sort))
}

pub(crate) async fn put<T: Table>(table: &T, item: &Item) {
    assert_eq!(table.put(item, &Condition::Always).await, Ok(Outcome::Done(())));
}

pub(crate) async fn found<T: Table>(table: &T, key: &Key) -> Option<Item> {
    table.get(key, Consistency::Consistent).await.expect("an answer")
}

/// A token of this table's: an account knows each once.
pub(crate) fn token<T: Table>(table: &T, of: &str) -> String {
    let name = table.name();
    format!("{of}-{}", &name[name.len().saturating_sub(20)..])
}

/// The sort keys of the items of a query's first page.
pub(crate) async fn sorts<T: Table>(table: &T, query: &Query) -> Vec<String> {
    let page = table.query(query).await.expect("a page");
    page.items.into_iter().map(|item| item.key.sort).collect()
}

pub(crate) fn kind<A: std::fmt::Debug>(answer: Result<A, modstream_platform::CallError>) -> CallErrorKind {
    answer.expect_err("no such call").kind
}

pub(crate) async fn an_item_comes_back_as_it_was_put<T: Table>(Subject { table, .. }: &Subject<T>) {
    assert_eq!(found(table, &key("1")).await, None);
    let whole = Item {
        expires_at: Some(4_102_444_800),
        ..item("1")
            .with("text", "é \u{10ffff} \"\\")
            .with("empty", "")
            .with("least", i64::MIN)
            .with("most", i64::MAX)
            .with("bytes", Bytes::from_static(&[0, 159, 146, 150]))
            .with("none", Bytes::new())
    };
    put(table, &whole).await;
    assert_eq!(found(table, &key("1")).await.as_ref(), Some(&whole));
    assert_eq!(table.get(&key("1"), Consistency::Eventual).await, Ok(Some(whole)));
    // A put replaces all of it.
    put(table, &item("1")).await;
    assert_eq!(found(table, &key("1")).await, Some(item("1")));
    assert_eq!(table.delete(&key("1"), &Condition::Always).await, Ok(Outcome::Done(())));
    assert_eq!(found(table, &key("1")).await, None);
    assert_eq!(table.delete(&key("1"), &Condition::Always).await, Ok(Outcome::Done(())));
}

/// Words that DynamoDB keeps for itself, its own signs, and what is no identifier.
pub(crate) const NAMES: [&str; 14] =
    ["name", "status", "size", "data", "order", "value", "a.b", "a[0]", "#n0", ":v0", "é", "with space", "Set", "_"];

pub(crate) async fn names_may_be_any_words<T: Table>(Subject { table, .. }: &Subject<T>) {
    let mut whole = item("1");
    for name in NAMES {
        whole = whole.with(name, name);
    }
    put(table, &whole).await;
    for name in NAMES {
        let update = modstream_platform::table::Update::new().set(name, "other");
        let condition = Condition::equals(name, name).and(Condition::less_than(name, "\u{10ffff}"));
        whole = whole.with(name, "other");
        let updated = table.update(&key("1"), &update, &condition).await;
        assert_eq!(updated, Ok(Outcome::Done(whole.clone())), "{name}");
        let missing = table.put(&whole, &Condition::missing(name)).await;
        assert_eq!(missing, Ok(Outcome::ConditionFailed(Some(Box::new(whole.clone())))), "{name}");
    }
    assert_eq!(found(table, &key("1")).await, Some(whole));
}

pub(crate) async fn a_batch_has_what_is_there<T: Table>(Subject { table, .. }: &Subject<T>) {
    for sort in ["1", "2", "3"] {
        put(table, &item(sort).with("n", sort)).await;
    }
    let batch = table.get_batch(&[key("3"), key("none"), key("1")], Consistency::Consistent).await.expect("a batch");
    let items: BTreeSet<String> = batch.items.into_iter().map(|item| item.key.sort).collect();
    assert_eq!(items, ["1".to_owned(), "3".to_owned()].into());
    assert!(batch.unprocessed.is_empty());
}

pub(crate) async fn an_index_has_what_it_is_by_and_nothing_else<T: Table>(Subject { table, .. }: &Subject<T>) {
    let whole = item("1").with("status", "open").with("order", "b").with("size", 7).with("data", "left out");
    let whole = Item { expires_at: Some(4_102_444_800), ..whole };
    put(table, &whole).await;
    put(table, &item("2").with("status", "open").with("order", "a").with("name", "n")).await;
    // These lack one of the two, or both.
    put(table, &item("3").with("status", "open")).await;
    put(table, &item("4").with("order", "c")).await;
    put(table, &item("5")).await;
    let open = Query::index("by-status", "open");
    assert_eq!(sorts(table, &open).await, ["2", "1"]);
    assert_eq!(sorts(table, &open.clone().descending()).await, ["1", "2"]);
    let first = table.query(&open.descending().limit(1)).await.expect("a page").items;
    let held =
        Item { attributes: whole.attributes.clone().into_iter().filter(|(name, _)| name != "data").collect(), ..whole };
    assert_eq!(first, [held]);
    let named = table.query(&Query::index("by-name", "n")).await.expect("a page").items;
    assert_eq!(named, [item("2").with("status", "open").with("order", "a").with("name", "n")]);
    assert!(sorts(table, &Query::index("by-name", "other")).await.is_empty());
}

pub(crate) async fn an_items_change_moves_it_in_the_index<T: Table>(Subject { table, .. }: &Subject<T>) {
    use modstream_platform::table::Update;
    put(table, &item("1").with("status", "open").with("order", "a")).await;
    let decided = Update::new().set("status", "decided");
    table.update(&key("1"), &decided, &Condition::equals("status", "open")).await.expect("an answer");
    assert!(sorts(table, &Query::index("by-status", "open")).await.is_empty());
    assert_eq!(sorts(table, &Query::index("by-status", "decided")).await, ["1"]);
    table.update(&key("1"), &Update::new().remove("order"), &Condition::Always).await.expect("an answer");
    assert!(sorts(table, &Query::index("by-status", "decided")).await.is_empty());
    put(table, &item("1").with("status", "open").with("order", "b")).await;
    assert_eq!(sorts(table, &Query::index("by-status", "open")).await, ["1"]);
    table.delete(&key("1"), &Condition::Always).await.expect("an answer");
    assert!(sorts(table, &Query::index("by-status", "open")).await.is_empty());
}

pub(crate) async fn what_has_expired_is_still_found<T: Table>(Subject { table, .. }: &Subject<T>) {
    let old = Item { expires_at: Some(1_000_000_000), ..item("1") };
    put(table, &old).await;
    assert_eq!(found(table, &key("1")).await.as_ref(), Some(&old));
    assert_eq!(sorts(table, &Query::table("p", Consistency::Consistent)).await, ["1"]);
    let absent = table.put(&item("1"), &Condition::Absent).await;
    assert_eq!(absent, Ok(Outcome::ConditionFailed(Some(Box::new(old.clone())))));
    let early = table.put(&item("1"), &Condition::Vacant(999_999_999)).await;
    assert_eq!(early, Ok(Outcome::ConditionFailed(Some(Box::new(old)))));
    assert_eq!(table.put(&item("1"), &Condition::Vacant(1_000_000_000)).await, Ok(Outcome::Done(())));
    // What never expires is never vacant.
    let never = table.put(&item("1"), &Condition::Vacant(i64::MAX)).await;
    assert_eq!(never, Ok(Outcome::ConditionFailed(Some(Box::new(item("1"))))));
}
