use std::collections::BTreeSet;

use modstream_platform::CallErrorKind::Refused;
use modstream_platform::table::{
    Condition, Consistency, Cursor, Direction, Item, Key, MAX_PAGE_BYTES, Query, SortRange, Table,
};

use super::{Subject, item, key, kind, put, sorts};

/// Sort keys whose order is that of their bytes, and of no language.
const SORTS: [&str; 9] = ["\u{1}", "1", "10", "2", "Z", "a", "a#b", "é", "\u{10ffff}"];

async fn fill<T: Table>(table: &T) {
    for sort in SORTS {
        put(table, &item(sort).with("status", "open").with("order", "same").with("name", "n")).await;
        put(table, &Item::new(Key::new("other", sort))).await;
    }
}

/// All pages of a query.
async fn pages<T: Table>(table: &T, query: &Query) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = table.query(&query.clone().after(after)).await.expect("a page");
        pages.push(page.items.into_iter().map(|item| item.key.sort).collect());
        let Some(next) = page.next else { return pages };
        after = Some(next);
    }
}

pub(crate) async fn pages_together_are_all_items_once<T: Table>(Subject { table, .. }: &Subject<T>) {
    fill(table).await;
    let in_table = Query::table("p", Consistency::Consistent);
    let named = Query::index("by-name", "n");
    let open = Query::index("by-status", "open");
    for limit in [1, 2, 4, 9, 100] {
        for query in [in_table.clone(), named.clone(), in_table.clone().descending(), named.clone().descending()] {
            let all = pages(table, &query.clone().limit(limit)).await;
            assert!(all.iter().all(|page| page.len() <= limit as usize));
            let mut expected: Vec<&str> = SORTS.to_vec();
            if query.direction == Direction::Descending {
                expected.reverse();
            }
            assert_eq!(all.concat(), expected, "{query:?}");
        }
        // All have one sort key in this index: then the order is not said, but each comes once.
        for query in [open.clone().limit(limit), open.clone().limit(limit).descending()] {
            let all = pages(table, &query).await.concat();
            assert_eq!((all.len(), all.into_iter().collect::<BTreeSet<_>>()), (9, SORTS.map(str::to_owned).into()));
        }
    }
    assert_eq!(pages(table, &Query::table("none", Consistency::Eventual)).await, [Vec::<String>::new()]);
}

pub(crate) async fn a_range_has_its_items_in_both_directions<T: Table>(Subject { table, .. }: &Subject<T>) {
    fill(table).await;
    let owned = |text: &str| text.to_owned();
    let ranges: [(SortRange, &[&str]); 11] = [
        (SortRange::Prefix(owned("")), &SORTS),
        (SortRange::Prefix(owned("1")), &["1", "10"]),
        (SortRange::Prefix(owned("\u{10ffff}")), &["\u{10ffff}"]),
        (SortRange::Prefix(owned("none")), &[]),
        (SortRange::Before(owned("2")), &["\u{1}", "1", "10"]),
        (SortRange::UpTo(owned("2")), &["\u{1}", "1", "10", "2"]),
        (SortRange::After(owned("a")), &["a#b", "é", "\u{10ffff}"]),
        (SortRange::From(owned("a")), &["a", "a#b", "é", "\u{10ffff}"]),
        (SortRange::Between(owned("10"), owned("Z")), &["10", "2", "Z"]),
        (SortRange::Between(owned("a"), owned("a")), &["a"]),
        (SortRange::Between(owned("b"), owned("c")), &[]),
    ];
    for (range, expected) in ranges {
        for query in [Query::table("p", Consistency::Eventual), Query::index("by-name", "n")] {
            let query = query.range(range.clone());
            assert_eq!(sorts(table, &query).await, expected, "{query:?}");
            assert_eq!(pages(table, &query.clone().limit(1)).await.concat(), expected, "{query:?}");
            let reversed: Vec<&str> = expected.iter().rev().copied().collect();
            assert_eq!(sorts(table, &query.clone().descending()).await, reversed, "{query:?}");
            assert_eq!(pages(table, &query.clone().descending().limit(1)).await.concat(), reversed, "{query:?}");
        }
    }
}

pub(crate) async fn a_page_ends_at_its_bytes<T: Table>(Subject { table, .. }: &Subject<T>) {
    let size = 300 << 10;
    for sort in 0..8 {
        put(table, &item(&sort.to_string()).with("name", "n").with("data", "x".repeat(size))).await;
    }
    for query in [Query::table("p", Consistency::Consistent), Query::index("by-name", "n").descending()] {
        let all = pages(table, &query).await;
        // The item that passes the limit may still be in the page.
        assert!(all.iter().all(|page| page.len() * size <= MAX_PAGE_BYTES + size), "{all:?}");
        assert_eq!(all.concat().len(), 8);
    }
    // What the index holds of them is small.
    for sort in 0..8 {
        let whole = item(&sort.to_string()).with("status", "open").with("order", "o").with("data", "x".repeat(size));
        put(table, &whole).await;
    }
    assert_eq!(pages(table, &Query::index("by-status", "open")).await.concat().len(), 8);
}

pub(crate) async fn a_cursor_goes_on_whatever_came_and_went<T: Table>(Subject { table, .. }: &Subject<T>) {
    let put_at = async |sort: u32| put(table, &item(&format!("{sort:03}")).with("name", "n")).await;
    for query in [Query::table("p", Consistency::Consistent), Query::index("by-name", "n")] {
        for sort in (0..100).step_by(10) {
            put_at(sort).await;
        }
        let (mut seen, mut after, mut inserted) = (Vec::new(), None, 0);
        loop {
            let page = table.query(&query.clone().limit(2).after(after)).await.expect("a page");
            seen.extend(page.items.iter().map(|item| item.key.sort.clone()));
            let Some(next) = page.next else { break };
            // What the page ended at goes, and others come: before it, and behind it. A cursor survives being written down.
            table.delete(&next.key, &Condition::Always).await.expect("deleted");
            inserted += 1;
            put_at(inserted).await;
            put_at(90 + inserted).await;
            let written = serde_json::to_string(&next).expect("text");
            after = Some(serde_json::from_str::<Cursor>(&written).expect("a cursor"));
        }
        let steady: Vec<String> = (0..100).step_by(10).map(|sort| format!("{sort:03}")).collect();
        let of_those: Vec<String> = seen.iter().filter(|sort| steady.contains(sort)).cloned().collect();
        assert_eq!(of_those, steady, "each once, in order");
        assert!(seen.is_sorted() && seen.iter().collect::<BTreeSet<_>>().len() == seen.len(), "{seen:?}");
        for sort in 0..=100 {
            table.delete(&key(&format!("{sort:03}")), &Condition::Always).await.expect("deleted");
        }
    }
}

pub(crate) async fn a_cursor_of_another_query_is_refused<T: Table>(Subject { table, .. }: &Subject<T>) {
    fill(table).await;
    let in_table = Query::table("p", Consistency::Consistent);
    let named = Query::index("by-name", "n");
    let cursor = async |query: &Query| table.query(&query.clone().limit(1)).await.expect("a page").next;
    let (of_table, of_index) = (cursor(&in_table).await, cursor(&named).await);
    for query in [
        Query::table("other", Consistency::Consistent).after(of_table.clone()),
        in_table.clone().range(SortRange::From("a".into())).after(of_table.clone()),
        named.clone().after(of_table),
        in_table.after(of_index.clone()),
        Query::index("by-name", "m").after(of_index),
    ] {
        assert_eq!(kind(table.query(&query).await), Refused, "{query:?}");
    }
}
