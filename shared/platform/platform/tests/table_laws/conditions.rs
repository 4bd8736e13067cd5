use futures_util::future::join_all;
use modstream_platform::Bytes;
use modstream_platform::table::{Condition, Item, Outcome, Table, Update, Value};

use super::{Subject, found, item, key, put};

fn equals(name: &str, value: impl Into<Value>) -> Condition {
    Condition::equals(name, value)
}

fn less(name: &str, value: impl Into<Value>) -> Condition {
    Condition::less_than(name, value)
}

fn failed<T>(found: Option<&Item>) -> Outcome<T> {
    Outcome::ConditionFailed(found.cloned().map(Box::new))
}

pub(crate) async fn a_condition_that_fails_brings_what_was_found<T: Table>(Subject { table, .. }: &Subject<T>) {
    let there = item("1").with("status", "open").with("size", 3);
    put(table, &there).await;
    let update = Update::new().set("status", "decided");
    let open = Condition::equals("status", "closed");
    assert_eq!(table.put(&item("1"), &Condition::Absent).await, Ok(failed(Some(&there))));
    assert_eq!(table.update(&key("1"), &update, &open).await, Ok(failed(Some(&there))));
    assert_eq!(table.delete(&key("1"), &open).await, Ok(failed(Some(&there))));
    assert_eq!(table.put(&item("2"), &Condition::Present).await, Ok(failed(None)));
    assert_eq!(table.update(&key("2"), &update, &Condition::Present).await, Ok(failed(None)));
    assert_eq!(table.delete(&key("2"), &Condition::Present).await, Ok(failed(None)));
    assert_eq!((found(table, &key("1")).await, found(table, &key("2")).await), (Some(there), None));
}

pub(crate) async fn each_condition_holds_of_what_it_says<T: Table>(Subject { table, .. }: &Subject<T>) {
    let there = Item { expires_at: Some(100), ..item("1") }
        .with("text", "m")
        .with("number", 10)
        .with("negative", -5)
        .with("bytes", Bytes::from_static(b"m"));
    put(table, &there).await;
    // Of each, whether it holds of the item, and whether it does where there is none.
    let cases = [
        (Condition::Always, true, true),
        (Condition::Absent, false, true),
        (Condition::Present, true, false),
        (Condition::Vacant(100), true, true),
        (Condition::Vacant(99), false, true),
        (equals("text", "m"), true, false),
        (equals("text", "n"), false, false),
        (equals("text", 10), false, false),
        (equals("number", 10), true, false),
        (equals("number", "10"), false, false),
        (equals("negative", -5), true, false),
        (equals("bytes", Bytes::from_static(b"m")), true, false),
        (equals("bytes", "m"), false, false),
        (equals("none", "m"), false, false),
        (less("text", "n"), true, false),
        (less("text", "m"), false, false),
        (less("text", 100), false, false),
        (less("number", 11), true, false),
        (less("number", 9), false, false),
        (less("negative", -4), true, false),
        (less("negative", -40), false, false),
        (less("number", "9"), false, false),
        (less("bytes", Bytes::from_static(b"n")), true, false),
        (less("none", 100), false, false),
        (Condition::missing("none"), true, true),
        (Condition::missing("text"), false, true),
        (Condition::All(vec![]), true, true),
        (Condition::All(vec![equals("text", "m"), equals("number", 10)]), true, false),
        (Condition::All(vec![equals("text", "m"), equals("number", 11)]), false, false),
        (Condition::Any(vec![equals("text", "x"), equals("number", 10)]), true, false),
        (Condition::Any(vec![equals("text", "x"), equals("number", 11)]), false, false),
        (Condition::Any(vec![Condition::All(vec![]), equals("text", "x")]), true, true),
        (Condition::Absent.or(less("number", 11)), true, true),
        (Condition::Present.and(Condition::missing("none")).and(less("number", 11)), true, false),
        // The sides of an `or` within an `and` stay together.
        (Condition::Absent.or(Condition::Present).and(equals("text", "x")), false, false),
    ];
    for (condition, of_item, of_none) in cases {
        let kept = table.put(&there, &condition).await;
        let expected = if of_item { Outcome::Done(()) } else { failed(Some(&there)) };
        assert_eq!(kept, Ok(expected), "{condition:?}");
        let gone = table.delete(&key("none"), &condition).await;
        let expected = if of_none { Outcome::Done(()) } else { failed(None) };
        assert_eq!(gone, Ok(expected), "{condition:?} where there is none");
    }
}

pub(crate) async fn of_many_that_want_to_be_first_one_is<T: Table>(Subject { table, .. }: &Subject<T>) {
    let items: Vec<Item> = (0..20).map(|by| item("1").with("by", by)).collect();
    let answers = join_all(items.iter().map(|item| table.put(item, &Condition::Absent))).await;
    let first = found(table, &key("1")).await.expect("one is there");
    for (item, answer) in items.iter().zip(answers) {
        let expected = if *item == first { Outcome::Done(()) } else { failed(Some(&first)) };
        assert_eq!(answer, Ok(expected));
    }
}
