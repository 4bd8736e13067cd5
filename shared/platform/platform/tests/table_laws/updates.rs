use futures_util::future::join_all;
use jiff::Timestamp;
use modstream_platform::Bytes;
use modstream_platform::CallErrorKind::Refused;
use modstream_platform::table::{Condition, Expiry, Item, Outcome, Table, Update};

use super::{Subject, found, item, key, kind, put};

pub(crate) async fn an_update_changes_what_it_names_and_returns_the_item<T: Table>(Subject { table, .. }: &Subject<T>) {
    let always = Condition::Always;
    let at: Timestamp = "2026-01-05T10:00:00.5Z".parse().expect("a time");
    let update = Update::new().set("status", "open").set("first", "a").add("count", 2).remove("none").expiring(at);
    let made = item("1").with("status", "open").with("first", "a").with("count", 2);
    let made = Item { expires_at: Some(at.as_second() + 1), ..made };
    assert_eq!(table.update(&key("1"), &update, &Condition::Absent).await, Ok(Outcome::Done(made.clone())));
    assert_eq!(found(table, &key("1")).await, Some(made));
    let update = Update::new().remove("status").add("count", -3);
    let changed = item("1").with("first", "a").with("count", -1);
    let changed = Item { expires_at: Some(at.as_second() + 1), ..changed };
    assert_eq!(table.update(&key("1"), &update, &always).await, Ok(Outcome::Done(changed.clone())));
    let later = Update { expiry: Expiry::At(at.as_second() + 9), ..Update::new() };
    let changed = Item { expires_at: Some(at.as_second() + 9), ..changed };
    assert_eq!(table.update(&key("1"), &later, &always).await, Ok(Outcome::Done(changed.clone())));
    assert_eq!(found(table, &key("1")).await, Some(changed));
}

pub(crate) async fn an_update_that_only_removes_makes_no_item<T: Table>(Subject { table, .. }: &Subject<T>) {
    let removes = Update::new().remove("status");
    assert_eq!(table.update(&key("1"), &removes, &Condition::Always).await, Ok(Outcome::ConditionFailed(None)));
    assert_eq!(found(table, &key("1")).await, None);
    put(table, &item("1").with("status", "open")).await;
    assert_eq!(table.update(&key("1"), &removes, &Condition::Always).await, Ok(Outcome::Done(item("1"))));
}

pub(crate) async fn what_cant_be_added_is_refused<T: Table>(Subject { table, .. }: &Subject<T>) {
    let there = item("1")
        .with("text", "m")
        .with("most", i64::MAX)
        .with("least", i64::MIN)
        .with("number", 1)
        .with("bytes", Bytes::from_static(b"m"));
    put(table, &there).await;
    let updates = [
        Update::new().add("text", 1),
        Update::new().add("bytes", 1),
        Update::new().add("most", 1),
        Update::new().add("least", -1),
        Update::new().add("number", i64::MAX),
    ];
    for update in &updates {
        let error = table.update(&key("1"), update, &Condition::Present).await.expect_err("refused");
        assert_eq!(error.kind, Refused, "{update:?}");
        assert!(error.message.contains("the attribute `"), "{error}");
        // A condition that fails comes before it.
        let answer = table.update(&key("1"), update, &Condition::Absent).await;
        assert_eq!(answer, Ok(Outcome::ConditionFailed(Some(Box::new(there.clone())))), "{update:?}");
    }
    assert_eq!(found(table, &key("1")).await, Some(there));
    for (name, number) in [("most", i64::MIN), ("least", i64::MAX), ("number", i64::MAX - 1), ("none", i64::MIN)] {
        let update = Update::new().add(name, number);
        assert!(matches!(table.update(&key("1"), &update, &Condition::Always).await, Ok(Outcome::Done(_))), "{name}");
    }
    let bad = table.update(&key("2"), &updates[0].clone().add("x", 1), &Condition::Always).await;
    assert!(matches!(bad, Ok(Outcome::Done(_))), "where there is no item, all of it can be added: {bad:?}");
    assert_eq!(kind(table.update(&key("2"), &Update::new().add("x", i64::MAX), &Condition::Always).await), Refused);
}

pub(crate) async fn concurrent_additions_all_count<T: Table>(Subject { table, .. }: &Subject<T>) {
    let updates: Vec<Update> = (0..20).map(|n| Update::new().add("count", n)).collect();
    let keys = key("1");
    let answers = join_all(updates.iter().map(|update| table.update(&keys, update, &Condition::Always))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Outcome::Done(_)))));
    let item = found(table, &key("1")).await.expect("there");
    assert_eq!(item.number("count"), Some(190));
}
