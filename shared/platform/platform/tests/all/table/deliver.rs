//! Calls to a table that are repeated, and know their own writes again.

use std::time::Duration;

use modstream_platform::deliver::{Cause, DeliveryError, items};
use modstream_platform::memory::{MemoryClock, MemoryTable};
use modstream_platform::table::{
    Condition, Consistency, Item, Key, Operation, Outcome, Query, Table as _, Transacted, Update, Write,
};
use modstream_platform::{CallErrorKind, Clock as _};
use proptest::prelude::*;

use super::planned::PlannedTable;
use crate::table_laws::{SCHEMA, found, item, key, put};
use crate::world::{Call, after, clock, run};

/// Longer than any plan here takes.
const LONG: Duration = Duration::from_secs(600);

fn planned(clock: MemoryClock, plan: impl IntoIterator<Item = Call>) -> PlannedTable {
    PlannedTable::new(MemoryTable::new("planned", SCHEMA, clock), plan)
}

/// What comes before an answer: nothing done, done without an answer, and neither done nor answered.
fn before_an_answer() -> [Vec<Call>; 4] {
    let unavailable = || Call::Fails(CallErrorKind::Unavailable);
    let not_done = || Call::Fails(CallErrorKind::OutcomeUnknown);
    [
        vec![],
        vec![unavailable(), unavailable()],
        vec![not_done(), unavailable()],
        vec![Call::AnswerLost, unavailable(), Call::AnswerLost],
    ]
}

#[tokio::test(start_paused = true)]
async fn a_write_is_known_again_after_an_answer_that_was_lost() {
    for plan in before_an_answer() {
        let clock = clock();
        let deadline = after(&clock, LONG);
        let table = planned(clock, plan.clone());
        let wanted = item("1").with("by", "me");
        let done = items::put(&table, &clock, deadline, &wanted, &Condition::Absent).await;
        assert_eq!(done, Ok(Outcome::Done(())), "{plan:?}");

        let table = PlannedTable::new(table.inner, plan.clone());
        let update = Update::new().set("by", "you").remove("none");
        let changed = item("1").with("by", "you");
        let mine = Condition::equals("by", "me");
        let done = items::update(&table, &clock, deadline, &key("1"), &update, &mine).await;
        assert_eq!(done, Ok(Outcome::Done(changed)), "{plan:?}");

        let table = PlannedTable::new(table.inner, plan.clone());
        let writes = [
            Write::Put { item: item("2"), condition: Condition::Absent },
            Write::Update { key: key("1"), update: Update::new().add("n", 1), condition: Condition::Present },
        ];
        let done = items::transact(&table, &clock, deadline, "count 2", &writes).await;
        assert_eq!(done, Ok(Transacted::Done), "{plan:?}");
        assert_eq!(found(&table.inner, &key("1")).await.and_then(|item| item.number("n")), Some(1), "{plan:?}");

        let table = PlannedTable::new(table.inner, plan.clone());
        let done = items::delete(&table, &clock, deadline, &key("1"), &Condition::Present).await;
        assert_eq!(done, Ok(Outcome::Done(())), "{plan:?}");
        assert_eq!(found(&table.inner, &key("1")).await, None, "{plan:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_anothers_is_not_taken_for_ones_own() {
    for plan in
        [vec![], vec![Call::Fails(CallErrorKind::Unavailable)], vec![Call::Fails(CallErrorKind::OutcomeUnknown)]]
    {
        let clock = clock();
        let deadline = after(&clock, LONG);
        let planned = || planned(clock, plan.clone());
        let theirs = item("1").with("by", "them");
        let failed = || Outcome::ConditionFailed(Some(Box::new(theirs.clone())));
        let table = planned();
        put(&table.inner, &theirs).await;
        let mine = item("1").with("by", "me");
        assert_eq!(items::put(&table, &clock, deadline, &mine, &Condition::Absent).await, Ok(failed()), "{plan:?}");
        let table = planned();
        put(&table.inner, &theirs).await;
        let update = Update::new().set("by", "me");
        let answer = items::update(&table, &clock, deadline, &key("1"), &update, &Condition::missing("by")).await;
        assert!(matches!(answer, Ok(Outcome::ConditionFailed(_))), "{plan:?}");
        let table = planned();
        put(&table.inner, &theirs).await;
        let answer = items::delete(&table, &clock, deadline, &key("1"), &Condition::equals("by", "me")).await;
        assert_eq!(answer, Ok(failed()), "{plan:?}");
        let table = planned();
        let writes = [Write::Delete { key: key("1"), condition: Condition::Present }];
        let answer = items::transact(&table, &clock, deadline, "x", &writes).await;
        assert!(matches!(answer, Ok(Transacted::Cancelled(_))), "{plan:?}");
    }
    // Without an attempt that had no answer, an item that looks the same is another's.
    let clock = clock();
    let table = planned(clock, []);
    put(&table.inner, &item("1")).await;
    let answer = items::put(&table, &clock, after(&clock, LONG), &item("1"), &Condition::Absent).await;
    assert!(matches!(answer, Ok(Outcome::ConditionFailed(_))));
    let answer = items::delete(&table, &clock, after(&clock, LONG), &key("2"), &Condition::Present).await;
    assert_eq!(answer, Ok(Outcome::ConditionFailed(None)));
}

#[tokio::test(start_paused = true)]
async fn an_addition_is_not_repeated_where_it_may_be_done_but_where_nothing_was() {
    let clock = clock();
    let deadline = after(&clock, LONG);
    let add = Update::new().add("n", 1);
    for lost in [Call::AnswerLost, Call::Fails(CallErrorKind::OutcomeUnknown)] {
        let table = planned(clock, [lost]);
        let error = items::update(&table, &clock, deadline, &key("1"), &add, &Condition::Always).await;
        let DeliveryError { cause: Cause::Call(error), deadline_passed: false } = error.expect_err("not known") else {
            panic!("the call's own error");
        };
        assert_eq!(error.kind, CallErrorKind::OutcomeUnknown);
        assert!(table.calls(Operation::UpdateItem) <= 1);
    }
    let table = planned(clock, vec![Call::Fails(CallErrorKind::Unavailable); 3]);
    let done = items::update(&table, &clock, deadline, &key("1"), &add, &Condition::Always).await;
    assert_eq!(done, Ok(Outcome::Done(item("1").with("n", 1))));
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_not_read() {
    let clock = clock();
    let deadline = after(&clock, LONG);
    let table = planned(clock, []);
    for n in 0..4 {
        let item = item(&n.to_string()).with("name", "n");
        put(&table, &if n % 2 == 0 { item } else { item.expiring(clock.now()) }).await;
    }
    let consistent = Consistency::Consistent;
    let get = async |sort: &str| items::get(&table, &clock, deadline, &key(sort), consistent).await.expect("an answer");
    assert!(get("0").await.is_some() && get("1").await.is_none() && get("none").await.is_none());
    let keys: Vec<Key> = (0..5).map(|n| key(&n.to_string())).collect();
    let all = items::get_all(&table, &clock, deadline, &keys, consistent).await.expect("an answer");
    assert_eq!(all.into_keys().collect::<Vec<_>>(), [key("0"), key("2")]);
    for query in [Query::table("p", consistent).limit(1), Query::index("by-name", "n").limit(1)] {
        let second = items::query(&table, &clock, deadline, &query).await.expect("a page").next;
        let page = items::query(&table, &clock, deadline, &query.clone().after(second)).await.expect("a page");
        assert!(page.items.is_empty() && page.next.is_some());
        let all = items::query_all(&table, &clock, deadline, &query).await.expect("all");
        assert_eq!(all.into_iter().map(|item| item.key.sort).collect::<Vec<_>>(), ["0", "2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_looked_up_is_asked_again_until_all_is() {
    let clock = clock();
    let plan = [
        Call::EntriesFail(vec![true, false]),
        Call::Fails(CallErrorKind::Unavailable),
        Call::EntriesFail(vec![true]),
        Call::EntriesFail(vec![false, false, true]),
    ];
    let table = planned(clock, plan);
    let keys: Vec<Key> = (0..250).map(|n| key(&format!("{n:03}"))).collect();
    for key in keys.iter().step_by(2) {
        put(&table.inner, &Item::new(key.clone())).await;
    }
    let twice = [&keys[..], &keys[..]].concat();
    let all = items::get_all(&table, &clock, after(&clock, LONG), &twice, Consistency::Eventual).await.expect("all");
    assert!(all.keys().eq(keys.iter().step_by(2)));
    // None is ever looked up: that ends with the deadline.
    let table = planned(clock, vec![Call::EntriesFail(vec![true]); 100]);
    let error =
        items::get_all(&table, &clock, after(&clock, Duration::from_secs(20)), &keys[..1], Consistency::Eventual);
    let error = error.await.expect_err("never");
    assert!(error.deadline_passed && error.to_string().contains("UnprocessedKeys"), "{error}");
    assert_eq!(items::get_all(&table, &clock, clock.now(), &[], Consistency::Eventual).await, Ok([].into()));
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_must_mend_ends_at_once_and_names_the_permission() {
    let clock = clock();
    let table = planned(clock, [Call::Fails(CallErrorKind::Denied)]);
    let error = items::get(&table, &clock, after(&clock, LONG), &key("1"), Consistency::Eventual).await;
    let error = error.expect_err("denied").to_string();
    assert!(error.contains("dynamodb:GetItem on planned"), "{error}");
    let table = planned(clock, [Call::Fails(CallErrorKind::Refused)]);
    let error = items::put(&table, &clock, after(&clock, LONG), &item("1"), &Condition::Always).await;
    assert!(!error.expect_err("refused").deadline_passed);
    let table = planned(clock, vec![Call::Fails(CallErrorKind::Unavailable); 1000]);
    let start = clock.now();
    let error = items::put(&table, &clock, after(&clock, Duration::from_secs(9)), &item("1"), &Condition::Always).await;
    assert!(error.expect_err("no answer").deadline_passed && clock.now() <= start + Duration::from_secs(9));
}

fn fault() -> impl Strategy<Value = Call> {
    prop_oneof![
        Just(Call::AnswerLost),
        Just(Call::Fails(CallErrorKind::OutcomeUnknown)),
        Just(Call::Fails(CallErrorKind::Unavailable)),
        Just(Call::AnswersShort),
    ]
}

proptest! {
    /// Whatever fails, and however often each is asked for: each is counted once.
    #[test]
    fn what_is_made_once_is_counted_once(
        plan in prop::collection::vec(fault(), 0..60),
        asked in prop::collection::vec(0..6_usize, 1..20),
        short in prop::collection::vec(any::<bool>(), 20),
    ) {
        run(async {
            let clock = clock();
            let table = planned(clock, plan);
            for (n, short) in asked.iter().zip(short) {
                // An invocation that runs out of time is followed by another.
                let deadline = after(&clock, if short { Duration::from_millis(1) } else { LONG });
                let alert = format!("alert-{n}");
                let count = Update::new().add("n", 1);
                let writes = [
                    Write::Put { item: Item::new(Key::new("alert", &alert)), condition: Condition::Absent },
                    Write::Update { key: key("with"), update: count, condition: Condition::Always },
                ];
                let _ = items::transact(&table, &clock, deadline, &alert, &writes).await;
                clock.sleep(Duration::from_secs(200)).await;
            }
            let counted = found(&table.inner, &key("with")).await.map_or(0, |item| item.number("n").unwrap());
            let alerts = table.inner.query(&Query::table("alert", Consistency::Consistent)).await.unwrap().items.len();
            assert_eq!(counted, i64::try_from(alerts).unwrap());
        });
    }
}
