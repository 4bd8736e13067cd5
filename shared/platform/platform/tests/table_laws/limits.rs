use modstream_platform::CallErrorKind::{Invalid, Refused};
use modstream_platform::table::{
    Condition, Consistency, EXPIRES, Item, Key, MAX_BATCH_KEYS, MAX_ITEM_BYTES, MAX_PARTITION_BYTES, MAX_SORT_BYTES,
    MAX_TERMS, Outcome, PARTITION, Query, SORT, SortRange, Table, Update, Value,
};

use super::{Subject, found, item, key, kind, put};

/// An item of exactly this size.
fn sized(sort: &str, bytes: usize) -> Item {
    let empty = item(sort).with("data", "");
    let filled = bytes - empty.size();
    empty.with("data", "x".repeat(filled))
}

pub(crate) async fn what_is_too_large_is_refused_and_what_just_fits_is_not<T: Table>(
    Subject { table, largest, .. }: &Subject<T>,
) {
    let fits = sized("1", *largest);
    put(table, &fits).await;
    assert_eq!(found(table, &key("1")).await.as_ref(), Some(&fits));
    let too_large = sized("2", MAX_ITEM_BYTES + 1);
    let error = table.put(&too_large, &Condition::Always).await.expect_err("too large");
    assert_eq!((error.kind, error.operation), (Refused, "PutItem"));
    assert!(error.message.contains("409601") && error.message.contains("409600"), "{error}");
    assert_eq!(found(table, &key("2")).await, None);
    // An update that makes it so.
    let grows = Update::new().set("more", "x".repeat(MAX_ITEM_BYTES - largest));
    assert_eq!(kind(table.update(&key("1"), &grows, &Condition::Always).await), Refused);
    assert_eq!(found(table, &key("1")).await, Some(fits));
}

pub(crate) async fn keys_have_their_limits<T: Table>(Subject { table, .. }: &Subject<T>) {
    // Two bytes a character: a limit is of bytes.
    let of = |bytes: usize| "é".repeat(bytes / 2);
    let most = Key::new(of(MAX_PARTITION_BYTES), of(MAX_SORT_BYTES));
    put(table, &Item::new(most.clone())).await;
    assert_eq!(found(table, &most).await, Some(Item::new(most)));
    for bad in [
        Key::new("", "s"),
        Key::new("p", ""),
        Key::new(of(MAX_PARTITION_BYTES + 2), "s"),
        Key::new("p", of(MAX_SORT_BYTES + 2)),
    ] {
        let always = Condition::Always;
        assert_eq!(kind(table.get(&bad, Consistency::Consistent).await), Refused);
        assert_eq!(kind(table.get_batch(&[key("1"), bad.clone()], Consistency::Eventual).await), Refused);
        assert_eq!(kind(table.put(&Item::new(bad.clone()), &always).await), Refused);
        assert_eq!(kind(table.update(&bad, &Update::new().add("n", 1), &always).await), Refused);
        assert_eq!(kind(table.delete(&bad, &always).await), Refused);
    }
    assert_eq!(kind(table.query(&Query::table("", Consistency::Consistent)).await), Refused);
    let bound = Query::table("p", Consistency::Consistent).range(SortRange::From(of(MAX_SORT_BYTES + 2)));
    assert_eq!(kind(table.query(&bound).await), Refused);
}

pub(crate) async fn what_no_call_may_ask_is_invalid<T: Table>(Subject { table, .. }: &Subject<T>) {
    let always = Condition::Always;
    for name in ["", PARTITION, SORT, EXPIRES] {
        assert_eq!(kind(table.put(&item("1").with(name, 1), &always).await), Invalid, "{name}");
        assert_eq!(kind(table.update(&key("1"), &Update::new().set(name, 1), &always).await), Invalid, "{name}");
        assert_eq!(kind(table.put(&item("1"), &Condition::missing(name)).await), Invalid, "{name}");
    }
    let many = |count| Condition::Any(vec![Condition::missing("x"); count]);
    put(table, &item("1").with("x", 1)).await;
    assert!(matches!(table.put(&item("1"), &many(MAX_TERMS)).await, Ok(Outcome::ConditionFailed(_))));
    assert_eq!(kind(table.put(&item("1"), &many(MAX_TERMS + 1)).await), Invalid);
    assert_eq!(kind(table.put(&item("1"), &Condition::Any(Vec::new())).await), Invalid);
    let actions = |count: usize| (0..count).fold(Update::new(), |update, n| update.add(format!("n{n}"), 1));
    // The most actions, and the most terms of a condition, in one call.
    let largest = table.update(&key("1"), &actions(MAX_TERMS), &many(MAX_TERMS - 1).or(Condition::Present)).await;
    assert!(matches!(largest, Ok(Outcome::Done(_))), "{largest:?}");
    assert_eq!(kind(table.update(&key("1"), &actions(MAX_TERMS + 1), &always).await), Invalid);
    assert_eq!(kind(table.update(&key("1"), &Update::new(), &always).await), Invalid);
    let partition = Query::table("p", Consistency::Consistent);
    assert_eq!(kind(table.query(&partition.clone().limit(0)).await), Invalid);
    let backwards = SortRange::Between("b".into(), "a".into());
    assert_eq!(kind(table.query(&partition.range(backwards)).await), Invalid);
    assert_eq!(kind(table.query(&Query::index("none", "p")).await), Invalid);
    let keys: Vec<Key> = (0..=MAX_BATCH_KEYS).map(|n| key(&n.to_string())).collect();
    assert!(table.get_batch(&keys[1..], Consistency::Eventual).await.is_ok());
    for bad in [&keys[..], &[], &[key("1"), key("1")]] {
        assert_eq!(kind(table.get_batch(bad, Consistency::Eventual).await), Invalid);
    }
}

pub(crate) async fn an_index_takes_no_key_that_it_cant_hold<T: Table>(Subject { table, .. }: &Subject<T>) {
    let always = Condition::Always;
    let long = "x".repeat(MAX_SORT_BYTES + 1);
    for (name, value) in [
        ("status", Value::from("")),
        ("order", Value::from("")),
        ("status", Value::from(1)),
        ("order", Value::from(vec![1_u8])),
        ("order", Value::from(long)),
        ("status", Value::from("x".repeat(MAX_PARTITION_BYTES + 1))),
    ] {
        let error = table.put(&item("1").with(name, value.clone()), &always).await.expect_err("no key");
        assert_eq!(error.kind, Refused, "{name} {value:?}");
        assert!(error.message.contains(name) && error.message.contains("by-status"), "{error}");
        let update = Update::new().set(name, value.clone());
        assert_eq!(kind(table.update(&key("1"), &update, &always).await), Refused, "{name} {value:?}");
    }
    assert_eq!(found(table, &key("1")).await, None);
}
