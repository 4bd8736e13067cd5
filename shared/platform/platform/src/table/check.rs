//! What every world asks of a call before it makes it, and what a write does with the item that was found.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, Condition, Cursor, EXPIRES, Expiry, Index, Item, Key, MAX_BATCH_KEYS, MAX_ITEM_BYTES, MAX_NAME_BYTES,
    MAX_PARTITION_BYTES, MAX_SORT_BYTES, MAX_TERMS, MAX_TOKEN_CHARS, MAX_TRANSACT_BYTES, MAX_TRANSACT_WRITES,
    Operation, Outcome, PARTITION, Query, Reason, SORT, Schema, SortRange, Source, Update, Value, Write,
};
use crate::{CallError, CallErrorKind};

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    kind: CallErrorKind,
    message: String,
}

impl Flaw {
    /// It is in what is to be written or asked: other data will do.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Flaw { kind: CallErrorKind::Refused, message: message.into() }
    }

    /// It is in the program that makes the call.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Flaw { kind: CallErrorKind::Invalid, message: message.into() }
    }

    /// The flaw of one of a transaction's writes.
    pub(crate) fn of_write(self, index: usize) -> Self {
        Flaw { message: format!("write {} of the transaction: {}", index + 1, self.message), ..self }
    }

    /// The flaw as a world's error.
    pub(crate) fn of(self, service: &'static str, operation: Operation) -> CallError {
        operation.error(service, self.kind, self.message)
    }
}

type Checked = Result<(), Flaw>;

/// A text is bounded as a part of a key is.
fn check_key_text(what: &str, text: &str, most: usize) -> Checked {
    match text.len() {
        0 => Err(Flaw::refused(format!("{what} is empty: it holds 1 to {most} bytes"))),
        bytes if bytes > most => Err(Flaw::refused(format!("{what} has {bytes} bytes: it holds at most {most}"))),
        _ => Ok(()),
    }
}

pub(crate) fn check_key(key: &Key) -> Checked {
    check_key_text("the partition key", &key.partition, MAX_PARTITION_BYTES)?;
    check_key_text("the sort key", &key.sort, MAX_SORT_BYTES)
}

pub(crate) fn check_keys(keys: &[Key]) -> Checked {
    if keys.is_empty() || keys.len() > MAX_BATCH_KEYS {
        return Err(Flaw::invalid(format!("{} keys: a call reads 1 to {MAX_BATCH_KEYS}", keys.len())));
    }
    keys.iter().try_for_each(check_key)?;
    if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
        return Err(Flaw::invalid("a key stands twice among those to read"));
    }
    Ok(())
}

fn check_name(name: &str) -> Checked {
    if [PARTITION, SORT, EXPIRES].contains(&name) {
        return Err(Flaw::invalid(format!("`{name}` is no attribute: it is the item's own key or expiry")));
    }
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        let bytes = name.len();
        return Err(Flaw::invalid(format!("an attribute's name has {bytes} bytes: it has 1 to {MAX_NAME_BYTES}")));
    }
    Ok(())
}

/// What indexes ask of the attributes that they are by.
fn check_index_key(index: &Index, item: &Item) -> Checked {
    for (name, most) in [(index.partition, MAX_PARTITION_BYTES), (index.sort, MAX_SORT_BYTES)] {
        match item.attributes.get(name) {
            None => {}
            Some(Value::Text(text)) => {
                check_key_text(&format!("the attribute `{name}`, a key of the index `{}`,", index.name), text, most)?;
            }
            Some(other) => {
                return Err(Flaw::refused(format!(
                    "the attribute `{name}` is {}, and as a key of the index `{}` it must be a text",
                    other.described(),
                    index.name
                )));
            }
        }
    }
    Ok(())
}

pub(crate) fn check_item(schema: Schema, item: &Item) -> Checked {
    check_key(&item.key)?;
    item.attributes.keys().try_for_each(|name| check_name(name))?;
    schema.indexes.iter().try_for_each(|index| check_index_key(index, item))?;
    let bytes = item.size();
    if bytes > MAX_ITEM_BYTES {
        return Err(Flaw::refused(format!("the item has {bytes} bytes: an item holds at most {MAX_ITEM_BYTES}")));
    }
    Ok(())
}

pub(crate) fn check_condition(condition: &Condition) -> Checked {
    let terms = condition.terms();
    if terms > MAX_TERMS {
        return Err(Flaw::invalid(format!("a condition of {terms} terms: it has at most {MAX_TERMS}")));
    }
    check_terms(condition)
}

fn check_terms(condition: &Condition) -> Checked {
    match condition {
        Condition::Always | Condition::Absent | Condition::Present | Condition::Vacant(_) => Ok(()),
        Condition::Equals(name, _) | Condition::LessThan(name, _) | Condition::Missing(name) => check_name(name),
        Condition::Any(any) if any.is_empty() => Err(Flaw::invalid("a condition asks for any of nothing")),
        Condition::All(of) | Condition::Any(of) => of.iter().try_for_each(check_terms),
    }
}

pub(crate) fn check_update(schema: Schema, update: &Update) -> Checked {
    if update.actions.is_empty() && update.expiry == Expiry::Kept {
        return Err(Flaw::invalid("an update that changes nothing"));
    }
    if update.actions.len() > MAX_TERMS {
        let actions = update.actions.len();
        return Err(Flaw::invalid(format!("an update of {actions} attributes: it changes at most {MAX_TERMS}")));
    }
    update.actions.keys().try_for_each(|name| check_name(name))?;
    // What the update leaves there where nothing was: an index asks the same of it whatever was there.
    let is_key = |name: &str| schema.indexes.iter().any(|index| name == index.partition || name == index.sort);
    let left = update.actions.iter().filter(|(name, _)| is_key(name)).filter_map(|(name, action)| {
        let value = match action {
            Action::Set(value) => value.clone(),
            Action::Add(number) => Value::Number(*number),
            Action::Remove => return None,
        };
        Some((name.clone(), value))
    });
    let left = Item { attributes: left.collect(), ..Item::new(Key::new("", "")) };
    schema.indexes.iter().try_for_each(|index| check_index_key(index, &left))
}

pub(crate) fn check_query(schema: Schema, query: &Query) -> Checked {
    if let Source::Index(name) = query.source
        && schema.index(name).is_none()
    {
        return Err(Flaw::invalid(format!("the table has no index `{name}`")));
    }
    if query.limit == Some(0) {
        return Err(Flaw::invalid("a page of no items: ask for 1 or more"));
    }
    check_key_text("the partition key", &query.partition, MAX_PARTITION_BYTES)?;
    let may_be_empty = matches!(query.range, SortRange::Prefix(_));
    for text in query.range.texts().filter(|text| !(may_be_empty && text.is_empty())) {
        check_key_text("a bound of the sort key", text, MAX_SORT_BYTES)?;
    }
    if let SortRange::Between(first, last) = &query.range
        && first > last
    {
        return Err(Flaw::invalid("a range of sort keys ends before it begins"));
    }
    query.after.as_ref().map_or(Ok(()), |cursor| check_cursor(query, cursor))
}

/// A cursor may come back from a browser, so it is checked as data.
fn check_cursor(query: &Query, cursor: &Cursor) -> Checked {
    check_key(&cursor.key)?;
    let place = match (query.source, &cursor.index_key) {
        (Source::Table(_), None) => &cursor.key,
        (Source::Index(_), Some(index_key)) => {
            check_key(index_key)?;
            index_key
        }
        _ => return Err(Flaw::refused("the page's cursor is of another query: begin again without one")),
    };
    let (from, to) = query.range.half_open();
    let is_in = place.partition == query.partition && place.sort >= from && to.is_none_or(|to| place.sort < to);
    if is_in {
        Ok(())
    } else {
        Err(Flaw::refused("the page's cursor is outside of the query: begin again without one"))
    }
}

pub(crate) fn check_token(token: &str) -> Checked {
    let characters = token.chars().count();
    if (1..=MAX_TOKEN_CHARS).contains(&characters) {
        Ok(())
    } else {
        Err(Flaw::invalid(format!("a token of {characters} characters: it has 1 to {MAX_TOKEN_CHARS}")))
    }
}

pub(crate) fn check_writes(schema: Schema, writes: &[Write]) -> Checked {
    if writes.is_empty() || writes.len() > MAX_TRANSACT_WRITES {
        let count = writes.len();
        return Err(Flaw::invalid(format!("{count} writes: a transaction has 1 to {MAX_TRANSACT_WRITES}")));
    }
    for (index, write) in writes.iter().enumerate() {
        check_write(schema, write).map_err(|flaw| flaw.of_write(index))?;
    }
    if writes.iter().map(Write::key).collect::<BTreeSet<_>>().len() < writes.len() {
        return Err(Flaw::invalid("a transaction writes one key twice"));
    }
    let put = writes.iter().map(|write| if let Write::Put { item, .. } = write { item.size() } else { 0 }).sum();
    check_transaction_size(put)
}

fn check_write(schema: Schema, write: &Write) -> Checked {
    match write {
        Write::Put { item, condition } => {
            check_item(schema, item)?;
            check_condition(condition)
        }
        Write::Update { key, update, condition } => {
            check_key(key)?;
            check_update(schema, update)?;
            check_condition(condition)
        }
        Write::Delete { key, condition } => {
            check_key(key)?;
            check_condition(condition)
        }
        Write::Check { key, condition } => {
            check_key(key)?;
            check_condition(condition)?;
            if condition.terms() == 0 {
                return Err(Flaw::invalid("a check without a condition"));
            }
            Ok(())
        }
    }
}

fn check_transaction_size(bytes: usize) -> Checked {
    if bytes <= MAX_TRANSACT_BYTES {
        return Ok(());
    }
    Err(Flaw::refused(format!("the transaction's items have {bytes} bytes: they have at most {MAX_TRANSACT_BYTES}")))
}

fn failed<T>(found: Option<&Item>) -> Outcome<T> {
    Outcome::ConditionFailed(found.cloned().map(Box::new))
}

/// What a put that was checked does with the item that it finds.
pub(crate) fn decide_put(found: Option<&Item>, condition: &Condition) -> Outcome<()> {
    if condition.holds(found) { Outcome::Done(()) } else { failed(found) }
}

/// What a deletion that was checked does with the item that it finds.
pub(crate) fn decide_delete(found: Option<&Item>, condition: &Condition) -> Outcome<()> {
    decide_put(found, condition)
}

/// What an update that was checked makes of the item that it finds.
pub(crate) fn decide_update(
    schema: Schema,
    found: Option<&Item>,
    key: &Key,
    update: &Update,
    condition: &Condition,
) -> Result<Outcome<Item>, Flaw> {
    let makes_one = found.is_none() && update.only_removes();
    if makes_one || !condition.holds(found) {
        return Ok(failed(found));
    }
    let item = update.applied(key, found)?;
    check_item(schema, &item)?;
    Ok(Outcome::Done(item))
}

/// What becomes of a transaction.
pub(crate) enum Decided<'a> {
    /// All is written: each key's item afterwards, none where it is deleted. What was only checked is not here.
    Changes(BTreeMap<&'a Key, Option<Item>>),
    /// Nothing is written.
    Cancelled(Vec<Reason>),
}

/// What a transaction that was checked does with the items that it finds.
pub(crate) fn decide_transaction(
    schema: Schema,
    writes: &[Write],
    found: impl Fn(&Key) -> Option<Item>,
) -> Result<Decided<'_>, Flaw> {
    let mut after = BTreeMap::new();
    let mut reasons = Vec::with_capacity(writes.len());
    let mut flaw = None;
    for (index, write) in writes.iter().enumerate() {
        let found = found(write.key());
        let found = found.as_ref();
        let decided = match write {
            Write::Put { item, condition } => done(decide_put(found, condition), Some(Some(item.clone()))),
            Write::Delete { condition, .. } => done(decide_delete(found, condition), Some(None)),
            Write::Check { condition, .. } => done(decide_put(found, condition), None),
            Write::Update { key, update, condition } => match decide_update(schema, found, key, update, condition) {
                Ok(Outcome::Done(item)) => Outcome::Done(Some(Some(item))),
                Ok(Outcome::ConditionFailed(found)) => Outcome::ConditionFailed(found),
                Err(error) => {
                    flaw = flaw.or(Some(error.of_write(index)));
                    Outcome::Done(None)
                }
            },
        };
        reasons.push(match decided {
            Outcome::Done(change) => {
                if let Some(item) = change {
                    after.insert(write.key(), item);
                }
                Reason::None
            }
            Outcome::ConditionFailed(found) => Reason::ConditionFailed(found),
        });
    }
    if reasons.iter().any(|reason| *reason != Reason::None) {
        return Ok(Decided::Cancelled(reasons));
    }
    if let Some(flaw) = flaw {
        return Err(flaw);
    }
    check_transaction_size(after.values().flatten().map(Item::size).sum())?;
    Ok(Decided::Changes(after))
}

/// The outcome, with what is to be written where the condition holds.
fn done<T>(outcome: Outcome<()>, change: T) -> Outcome<T> {
    match outcome {
        Outcome::Done(()) => Outcome::Done(change),
        Outcome::ConditionFailed(found) => Outcome::ConditionFailed(found),
    }
}
