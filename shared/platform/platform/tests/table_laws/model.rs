//! Random calls, to a table and to a plain map that is changed as the trait's words say.

use std::collections::{BTreeMap, BTreeSet};

use modstream_platform::table::{
    Action, Condition, Consistency, Direction, Expiry, Item, Key, Outcome, Query, Reason, SortRange, Table, Transacted,
    Update, Value, Write,
};
use modstream_platform::{CallError, CallErrorKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Subject;

/// The attributes by which [`SCHEMA`](super::SCHEMA) has indexes hold texts here, and others anything.
const INDEXED: [&str; 3] = ["status", "order", "name"];
const OTHERS: [&str; 3] = ["size", "data", "a.b"];
const PARTITIONS: [&str; 2] = ["a", "b"];
const SORTS: [&str; 6] = ["1", "10", "2", "é", "e", "\u{10ffff}"];

#[derive(Clone, Debug)]
enum Call {
    Get(Key),
    GetBatch(BTreeSet<Key>),
    Put(Item, Condition),
    Update(Key, Update, Condition),
    Delete(Key, Condition),
    Transact(Vec<Write>),
    Query(Query),
}

fn sort() -> impl Strategy<Value = String> {
    prop::sample::select(&SORTS[..]).prop_map(str::to_owned)
}

fn a_key() -> impl Strategy<Value = Key> {
    (prop::sample::select(&PARTITIONS[..]), sort()).prop_map(|(partition, sort)| Key::new(partition, sort))
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(&["open", "shut", "o", "é"][..]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -2..3_i64, 1 => prop::sample::select(&[i64::MIN, i64::MAX][..])]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        number().prop_map(Value::Number),
        text().prop_map(|text| Value::Bytes(text.into())),
    ]
}

/// An attribute and what it may hold.
fn attribute() -> impl Strategy<Value = (String, Value)> {
    prop_oneof![
        (prop::sample::select(&INDEXED[..]), text()).prop_map(|(name, text)| (name.to_owned(), Value::Text(text))),
        (prop::sample::select(&OTHERS[..]), value()).prop_map(|(name, value)| (name.to_owned(), value)),
    ]
}

fn expiry() -> impl Strategy<Value = Option<i64>> {
    prop::option::of(1..4_i64)
}

fn an_item() -> impl Strategy<Value = Item> {
    (a_key(), prop::collection::vec(attribute(), 0..5), expiry()).prop_map(|(key, attributes, expires_at)| Item {
        key,
        attributes: attributes.into_iter().collect(),
        expires_at,
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let name = || attribute().prop_map(|(name, _)| name);
    let term = prop_oneof![
        3 => Just(Condition::Always),
        1 => Just(Condition::Absent),
        1 => Just(Condition::Present),
        1 => (0..4_i64).prop_map(Condition::Vacant),
        2 => attribute().prop_map(|(name, value)| Condition::Equals(name, value)),
        1 => attribute().prop_map(|(name, value)| Condition::LessThan(name, value)),
        1 => name().prop_map(Condition::Missing),
    ];
    term.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            prop::collection::vec(inner, 1..3).prop_map(Condition::Any),
        ]
    })
}

fn action() -> impl Strategy<Value = (String, Action)> {
    let other = || prop::sample::select(&OTHERS[..]).prop_map(str::to_owned);
    prop_oneof![
        attribute().prop_map(|(name, value)| (name, Action::Set(value))),
        attribute().prop_map(|(name, _)| (name, Action::Remove)),
        (other(), number()).prop_map(|(name, number)| (name, Action::Add(number))),
    ]
}

fn update() -> impl Strategy<Value = Update> {
    let expiry = prop_oneof![
        3 => Just(Expiry::Kept),
        1 => (1..4_i64).prop_map(Expiry::At),
    ];
    (prop::collection::vec(action(), 1..4), expiry)
        .prop_map(|(actions, expiry)| Update { actions: actions.into_iter().collect(), expiry })
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (an_item(), condition()).prop_map(|(item, condition)| Write::Put { item, condition }),
        (a_key(), update(), condition()).prop_map(|(key, update, condition)| Write::Update { key, update, condition }),
        (a_key(), condition()).prop_map(|(key, condition)| Write::Delete { key, condition }),
        (a_key(), condition()).prop_map(|(key, condition)| {
            // A check must ask for something.
            Write::Check { key, condition: condition.and(Condition::Any(vec![Condition::Absent, Condition::Present])) }
        }),
    ]
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    prop::collection::vec(write(), 1..4).prop_map(|writes| {
        let mut keys = BTreeSet::new();
        writes.into_iter().filter(|write| keys.insert(write.key().clone())).collect()
    })
}

fn range() -> impl Strategy<Value = SortRange> {
    prop_oneof![
        Just(SortRange::All),
        sort().prop_map(SortRange::Prefix),
        sort().prop_map(SortRange::Before),
        sort().prop_map(SortRange::UpTo),
        sort().prop_map(SortRange::After),
        sort().prop_map(SortRange::From),
        (sort(), sort()).prop_map(|(one, other)| {
            if one <= other { SortRange::Between(one, other) } else { SortRange::Between(other, one) }
        }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let of = prop_oneof![
        2 => prop::sample::select(&PARTITIONS[..]).prop_map(|partition| Query::table(partition, Consistency::Consistent)),
        1 => text().prop_map(|status| Query::index("by-status", status)),
        1 => text().prop_map(|name| Query::index("by-name", name)),
    ];
    (of, range(), any::<bool>(), prop::option::of(1..5_u32)).prop_map(|(query, range, is_descending, limit)| {
        let query = Query { limit, ..query.range(range) };
        if is_descending { query.descending() } else { query }
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        1 => a_key().prop_map(Call::Get),
        1 => prop::collection::btree_set(a_key(), 1..5).prop_map(Call::GetBatch),
        4 => (an_item(), condition()).prop_map(|(item, condition)| Call::Put(item, condition)),
        3 => (a_key(), update(), condition()).prop_map(|(key, update, condition)| Call::Update(key, update, condition)),
        1 => (a_key(), condition()).prop_map(|(key, condition)| Call::Delete(key, condition)),
        2 => writes().prop_map(Call::Transact),
        3 => query().prop_map(Call::Query),
    ]
}

/// The plain map.
type Model = BTreeMap<Key, Item>;

fn so(condition: &Condition, item: Option<&Item>) -> bool {
    let of = |name: &str| item.and_then(|item| item.attributes.get(name).cloned());
    match condition {
        Condition::Always => true,
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::Vacant(now) => match item {
            None => true,
            Some(Item { expires_at: Some(at), .. }) => at <= now,
            Some(_) => false,
        },
        Condition::Equals(name, value) => of(name).as_ref() == Some(value),
        Condition::LessThan(name, value) => match (of(name), value.clone()) {
            (Some(Value::Text(one)), Value::Text(other)) => one.as_bytes() < other.as_bytes(),
            (Some(Value::Number(one)), Value::Number(other)) => one < other,
            (Some(Value::Bytes(one)), Value::Bytes(other)) => one < other,
            _ => false,
        },
        Condition::Missing(name) => of(name).is_none(),
        Condition::All(of) => !of.iter().any(|one| !so(one, item)),
        Condition::Any(of) => of.iter().any(|one| so(one, item)),
    }
}

/// What an update makes of an item; none where it can't add.
fn updated(key: &Key, update: &Update, found: Option<&Item>) -> Option<Item> {
    let mut item = found.cloned().unwrap_or(Item::new(key.clone()));
    for (name, action) in update.actions.clone() {
        let old = item.attributes.remove(&name);
        let new = match (action, old) {
            (Action::Set(value), _) => Some(value),
            (Action::Remove, _) => None,
            (Action::Add(number), None) => Some(Value::Number(number)),
            (Action::Add(number), Some(Value::Number(old))) => Some(Value::Number(old.checked_add(number)?)),
            (Action::Add(_), Some(_)) => return None,
        };
        item.attributes.extend(new.map(|new| (name, new)));
    }
    match update.expiry {
        Expiry::Kept => {}
        Expiry::At(at) => item.expires_at = Some(at),
    }
    Some(item)
}

/// What one write does: the item afterwards, none where there is none then. An error where it is refused.
fn wrote(write: &Write, found: Option<&Item>) -> Result<Outcome<Option<Item>>, ()> {
    let (condition, takes_away) = match write {
        Write::Put { condition, .. } | Write::Delete { condition, .. } | Write::Check { condition, .. } => {
            (condition, false)
        }
        Write::Update { update, condition, .. } => {
            let takes_away = |action: &Action| matches!(action, Action::Remove);
            let is_set = matches!(update.expiry, Expiry::At(_));
            (condition, !is_set && update.actions.values().all(takes_away))
        }
    };
    if !so(condition, found) || (takes_away && found.is_none()) {
        return Ok(Outcome::ConditionFailed(found.cloned().map(Box::new)));
    }
    Ok(Outcome::Done(match write {
        Write::Put { item, .. } => Some(item.clone()),
        Write::Update { key, update, .. } => Some(updated(key, update, found).ok_or(())?),
        Write::Delete { .. } => None,
        Write::Check { .. } => found.cloned(),
    }))
}

fn apply(model: &mut Model, key: &Key, item: Option<Item>) {
    match item {
        Some(item) => drop(model.insert(key.clone(), item)),
        None => drop(model.remove(key)),
    }
}

/// The model's answer to one write.
fn write_alone(model: &mut Model, write: &Write) -> Result<Outcome<Option<Item>>, ()> {
    let answer = wrote(write, model.get(write.key()))?;
    if let Outcome::Done(item) = &answer {
        apply(model, write.key(), item.clone());
    }
    Ok(answer)
}

fn transacted(model: &mut Model, writes: &[Write]) -> Result<Transacted, ()> {
    let answers: Vec<_> = writes.iter().map(|write| wrote(write, model.get(write.key()))).collect();
    let reasons: Vec<Reason> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Outcome::ConditionFailed(found)) => Reason::ConditionFailed(found.clone()),
            _ => Reason::None,
        })
        .collect();
    if reasons.iter().any(|reason| *reason != Reason::None) {
        return Ok(Transacted::Cancelled(reasons));
    }
    let answers: Vec<_> = answers.into_iter().collect::<Result<_, ()>>()?;
    for (write, answer) in writes.iter().zip(answers) {
        if let Outcome::Done(item) = answer {
            apply(model, write.key(), item);
        }
    }
    Ok(Transacted::Done)
}

/// All that a query finds, with the sort key by which it is in order.
fn found(model: &Model, query: &Query) -> Vec<(String, Item)> {
    use modstream_platform::table::Source;
    let is_in = |sort: &str| match &query.range {
        SortRange::All => true,
        SortRange::Prefix(prefix) => sort.starts_with(prefix.as_str()),
        SortRange::Before(end) => sort < end.as_str(),
        SortRange::UpTo(last) => sort <= last.as_str(),
        SortRange::After(before) => sort > before.as_str(),
        SortRange::From(first) => sort >= first.as_str(),
        SortRange::Between(first, last) => sort >= first.as_str() && sort <= last.as_str(),
    };
    let placed = model.values().filter_map(|item| {
        let (partition, sort, item) = match query.source {
            Source::Table(_) => (Some(item.key.partition.as_str()), Some(item.key.sort.as_str()), item.clone()),
            Source::Index("by-name") => (item.text("name"), Some(item.key.sort.as_str()), item.clone()),
            Source::Index(_) => {
                let mut held = item.clone();
                held.attributes.retain(|name, _| ["status", "order", "size"].contains(&name.as_str()));
                (item.text("status"), item.text("order"), held)
            }
        };
        (partition? == query.partition && is_in(sort?)).then(|| (sort.unwrap_or_default().to_owned(), item))
    });
    let mut found: Vec<_> = placed.collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    if query.direction == Direction::Descending {
        found.reverse();
    }
    found
}

/// Says it as the model does: what is refused has no words.
fn told<A>(answer: Result<A, CallError>) -> Result<A, ()> {
    answer.map_err(|error| assert_eq!(error.kind, CallErrorKind::Refused, "{error}"))
}

async fn check<T: Table>(table: &T, model: &mut Model, call: &Call, token: &str) {
    match call {
        Call::Get(key) => {
            assert_eq!(table.get(key, Consistency::Consistent).await, Ok(model.get(key).cloned()));
        }
        Call::GetBatch(keys) => {
            let keys: Vec<Key> = keys.iter().cloned().collect();
            let mut batch = table.get_batch(&keys, Consistency::Consistent).await.expect("a batch");
            batch.items.sort_by(|one, other| one.key.cmp(&other.key));
            let expected: Vec<Item> = keys.iter().filter_map(|key| model.get(key).cloned()).collect();
            assert_eq!((batch.items, batch.unprocessed), (expected, Vec::new()));
        }
        Call::Put(item, condition) => {
            let write = Write::Put { item: item.clone(), condition: condition.clone() };
            let expected = write_alone(model, &write).map(emptied);
            assert_eq!(told(table.put(item, condition).await), expected);
        }
        Call::Update(key, update, condition) => {
            let write = Write::Update { key: key.clone(), update: update.clone(), condition: condition.clone() };
            let answer = told(table.update(key, update, condition).await);
            let answer = answer.map(|outcome| match outcome {
                Outcome::Done(item) => Outcome::Done(Some(item)),
                Outcome::ConditionFailed(found) => Outcome::ConditionFailed(found),
            });
            assert_eq!(answer, write_alone(model, &write));
        }
        Call::Delete(key, condition) => {
            let write = Write::Delete { key: key.clone(), condition: condition.clone() };
            let expected = write_alone(model, &write).map(emptied);
            assert_eq!(told(table.delete(key, condition).await), expected);
        }
        Call::Transact(writes) => {
            assert_eq!(told(table.transact(token, writes).await), transacted(model, writes));
        }
        Call::Query(query) => check_query(table, model, query).await,
    }
}

fn emptied(outcome: Outcome<Option<Item>>) -> Outcome<()> {
    match outcome {
        Outcome::Done(_) => Outcome::Done(()),
        Outcome::ConditionFailed(found) => Outcome::ConditionFailed(found),
    }
}

async fn check_query<T: Table>(table: &T, model: &Model, query: &Query) {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = table.query(&query.clone().after(after)).await.expect("a page");
        assert!(query.limit.is_none_or(|limit| page.items.len() <= limit as usize));
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected = found(model, query);
    let sort_of = |item: &Item| {
        let place = expected.iter().find(|(_, other)| other.key == item.key);
        place.map(|(sort, _)| sort.clone())
    };
    let order: Vec<_> = items.iter().map(sort_of).collect();
    assert_eq!(order, expected.iter().map(|(sort, _)| Some(sort.clone())).collect::<Vec<_>>(), "{query:?}");
    // Items of one sort key come in any order.
    let by_key = |items: Vec<Item>| -> Model { items.into_iter().map(|item| (item.key.clone(), item)).collect() };
    assert_eq!(by_key(items), by_key(expected.into_iter().map(|(_, item)| item).collect()), "{query:?}");
}

/// Makes random calls to tables, each run to an empty one.
pub(crate) fn check_against_a_model<T: Table, F: Future<Output = Option<Subject<T>>>>(subject: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let Some(first) = runtime.block_on(subject()) else { return };
    let mut runner = TestRunner::new(Config { cases: first.cases, ..Config::default() });
    let calls = prop::collection::vec(call(), 1..40);
    let result = runner.run(&calls, |calls| {
        runtime.block_on(async {
            let table = subject().await.expect("there was one before").table;
            let mut model = Model::new();
            for (number, call) in calls.iter().enumerate() {
                let token = super::token(&table, &number.to_string());
                check(&table, &mut model, call, &token).await;
            }
            for (key, item) in &model {
                assert_eq!(table.get(key, Consistency::Consistent).await.as_ref(), Ok(&Some(item.clone())));
            }
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
