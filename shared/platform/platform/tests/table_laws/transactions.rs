use modstream_platform::CallErrorKind::{Invalid, Refused};
use modstream_platform::table::{Condition, Item, Key, MAX_TRANSACT_WRITES, Reason, Table, Transacted, Update, Write};

use super::{Subject, found, item, key, kind, put, token};

fn writes(count: usize) -> Vec<Write> {
    let update = |n: usize| Update::new().add("count", i64::try_from(n).expect("small"));
    let write = |n: usize| Write::Update { key: key(&n.to_string()), update: update(n), condition: Condition::Always };
    (0..count).map(write).collect()
}

/// One of each kind, all of which can be done.
async fn of_each_kind<T: Table>(table: &T) -> Vec<Write> {
    put(table, &item("old").with("status", "open").with("order", "a")).await;
    put(table, &item("gone")).await;
    put(table, &item("checked").with("limit", 5)).await;
    vec![
        Write::Put { item: item("new").with("status", "open").with("order", "b"), condition: Condition::Absent },
        Write::Update {
            key: key("old"),
            update: Update::new().set("status", "decided").add("count", 1),
            condition: Condition::equals("status", "open"),
        },
        Write::Delete { key: key("gone"), condition: Condition::Present },
        Write::Check { key: key("checked"), condition: Condition::less_than("limit", 6) },
    ]
}

pub(crate) async fn a_transaction_is_all_or_nothing<T: Table>(Subject { table, .. }: &Subject<T>) {
    let writes = of_each_kind(table).await;
    for spoilt in 0..writes.len() {
        let mut writes = writes.clone();
        match &mut writes[spoilt] {
            Write::Put { condition, .. } => *condition = Condition::Present,
            Write::Update { condition, .. } | Write::Delete { condition, .. } | Write::Check { condition, .. } => {
                *condition = Condition::Absent;
            }
        }
        let answer = table.transact(&token(table, &format!("spoilt-{spoilt}")), &writes).await;
        assert!(matches!(answer, Ok(Transacted::Cancelled(_))), "{answer:?}");
        assert_eq!(found(table, &key("new")).await, None);
        assert_eq!(found(table, &key("old")).await.expect("there").text("status"), Some("open"));
        assert!(found(table, &key("gone")).await.is_some());
    }
    assert_eq!(table.transact(&token(table, "all"), &writes).await, Ok(Transacted::Done));
    assert!(found(table, &key("new")).await.is_some());
    let old = found(table, &key("old")).await.expect("there");
    assert_eq!((old.text("status"), old.number("count")), (Some("decided"), Some(1)));
    assert_eq!(found(table, &key("gone")).await, None);
    assert_eq!(found(table, &key("checked")).await, Some(item("checked").with("limit", 5)));
    let open = super::sorts(table, &modstream_platform::table::Query::index("by-status", "open")).await;
    assert_eq!(open, ["new"]);
}

pub(crate) async fn a_transaction_says_why_it_was_cancelled<T: Table>(Subject { table, .. }: &Subject<T>) {
    let mut writes = of_each_kind(table).await;
    put(table, &item("new").with("by", "another")).await;
    writes[2] = Write::Delete { key: key("none"), condition: Condition::Present };
    let failed = |found: Option<Item>| Reason::ConditionFailed(found.map(Box::new));
    let reasons = vec![failed(Some(item("new").with("by", "another"))), Reason::None, failed(None), Reason::None];
    assert_eq!(table.transact(&token(table, "t"), &writes).await, Ok(Transacted::Cancelled(reasons)));
    // What was cancelled is tried anew under its token.
    table.delete(&key("new"), &Condition::Always).await.expect("deleted");
    put(table, &item("none")).await;
    assert_eq!(table.transact(&token(table, "t"), &writes).await, Ok(Transacted::Done));
}

pub(crate) async fn a_repeated_token_does_nothing_again<T: Table>(Subject { table, .. }: &Subject<T>) {
    let writes = writes(3);
    for _ in 0..3 {
        assert_eq!(table.transact(&token(table, "once"), &writes).await, Ok(Transacted::Done));
    }
    assert_eq!(found(table, &key("2")).await, Some(item("2").with("count", 2)));
    assert_eq!(kind(table.transact(&token(table, "once"), &writes[1..]).await), Invalid);
    assert_eq!(table.transact(&token(table, "twice"), &writes).await, Ok(Transacted::Done));
    assert_eq!(found(table, &key("2")).await, Some(item("2").with("count", 4)));
}

pub(crate) async fn a_transaction_has_its_limits<T: Table>(Subject { table, .. }: &Subject<T>) {
    assert_eq!(table.transact(&token(table, "t1"), &writes(MAX_TRANSACT_WRITES)).await, Ok(Transacted::Done));
    assert_eq!(kind(table.transact(&token(table, "t2"), &writes(MAX_TRANSACT_WRITES + 1)).await), Invalid);
    assert_eq!(kind(table.transact(&token(table, "t3"), &[]).await), Invalid);
    assert_eq!(kind(table.transact("", &writes(1)).await), Invalid);
    assert_eq!(kind(table.transact(&"t".repeat(37), &writes(1)).await), Invalid);
    let twice = [writes(1), vec![Write::Delete { key: key("0"), condition: Condition::Always }]].concat();
    assert_eq!(kind(table.transact(&token(table, "t4"), &twice).await), Invalid);
    let unconditional = Write::Check { key: key("0"), condition: Condition::Always };
    assert_eq!(kind(table.transact(&token(table, "t5"), &[unconditional]).await), Invalid);
    let large = |n: usize| Write::Put {
        item: Item::new(Key::new("large", n.to_string())).with("data", "x".repeat(390 << 10)),
        condition: Condition::Always,
    };
    assert_eq!(kind(table.transact(&token(table, "t6"), &(0..11).map(large).collect::<Vec<_>>()).await), Refused);
    assert_eq!(found(table, &Key::new("large", "0")).await, None);
    assert_eq!(
        table.transact(&token(table, "t7"), &(0..10).map(large).collect::<Vec<_>>()).await,
        Ok(Transacted::Done)
    );
    // What one of them refuses cancels all, and the answer says which.
    put(table, &item("text").with("count", "none")).await;
    let mut bad = writes(2);
    bad.push(Write::Update { key: key("text"), update: Update::new().add("count", 1), condition: Condition::Always });
    let error = table.transact(&token(table, "t8"), &bad).await.expect_err("refused");
    assert_eq!(error.kind, Refused);
    assert!(error.message.contains("write 3 of the transaction"), "{error}");
    assert_eq!(found(table, &key("1")).await, Some(item("1").with("count", 1)));
}
