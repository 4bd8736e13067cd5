//! Calls to a [`Table`], repeated until they are answered or the deadline runs out.
//!
//! **An attempt without an answer may have written.** What the next one then finds is its own doing, and must not be taken for
//! another's:
//!
//! - [`put`] knows its item again by its content. So whoever wants to be one of many, puts something into it that is its own; and
//!   where others change the item afterwards, only they can tell, by what they leave of it.
//! - [`update`] knows again an update that sets or removes, as what it would do is done. One that adds to a number is
//!   **not repeated** after an attempt without an answer, since it might count twice: the error says so. For those there is
//! - [`transact`], which DynamoDB makes once by its token, and which is the way where what must be counted has an item of its own:
//!   put that if it is absent and count it, both or none.
//!
//! **What has expired is not there** for all that reads here, by the clock that is given, whether it is deleted yet or not.
//! Conditions see the table as it is: say [`Condition::vacant`] where an item that has expired does not count.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::backoff::Patience;
use super::objects::transient;
use super::{Cause, DeliveryError};
use crate::table::{
    Condition, Consistency, Item, Key, MAX_BATCH_KEYS, Operation, Outcome, Page, Query, Table, Transacted, Update,
    Write, digest,
};
use crate::{CallError, CallErrorKind, Clock};

/// Reads an item; none where there is none, or it has expired.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn get<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    key: &Key,
    consistency: Consistency,
) -> Result<Option<Item>, DeliveryError> {
    let asked = Asked::of(table, Operation::GetItem, &key.partition);
    let (item, _) = answered(clock, deadline, asked, || table.get(key, consistency)).await?;
    Ok(item.filter(|item| !item.has_expired(clock.now())))
}

/// Reads the items of any number of keys, as many a call as one takes. Of those that are missing or have expired there is none.
///
/// # Errors
/// [`DeliveryError`] where not all are looked up by the deadline.
pub async fn get_all<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    keys: &[Key],
    consistency: Consistency,
) -> Result<BTreeMap<Key, Item>, DeliveryError> {
    let mut patience = Patience::new(clock, deadline, keys.first().map_or("", |key| &key.partition));
    let distinct: std::collections::BTreeSet<&Key> = keys.iter().collect();
    let mut left: VecDeque<Key> = distinct.into_iter().cloned().collect();
    let (mut items, mut last) = (BTreeMap::new(), None);
    while !left.is_empty() {
        if !patience.is_left() {
            return Err(DeliveryError::out_of_time(last));
        }
        let call: Vec<Key> = left.drain(..left.len().min(MAX_BATCH_KEYS)).collect();
        let asked = Asked::of(table, Operation::BatchGetItem, "");
        match table.get_batch(&call, consistency).await {
            Ok(batch) => {
                let asked_for = call.len();
                items.extend(batch.items.into_iter().map(|item| (item.key.clone(), item)));
                if batch.unprocessed.is_empty() {
                    patience.succeeded();
                    continue;
                }
                let unprocessed = batch.unprocessed.len();
                last = Some(Cause::Entry {
                    code: "UnprocessedKeys".to_owned(),
                    message: format!("{unprocessed} of {asked_for} keys were not looked up"),
                });
                left.extend(batch.unprocessed);
                if unprocessed < asked_for {
                    // It goes on: a page was full, or a part was throttled.
                    patience.succeeded();
                }
            }
            Err(error) => {
                last = Some(asked.transient(error)?);
                left.extend(call);
            }
        }
        if !patience.wait().await {
            return Err(DeliveryError::out_of_time(last));
        }
    }
    let now = clock.now();
    items.retain(|_, item: &mut Item| !item.has_expired(now));
    Ok(items)
}

/// Reads a page of a query, without what has expired: a page may be empty and have a next one.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn query<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    query: &Query,
) -> Result<Page, DeliveryError> {
    let asked = Asked::of(table, Operation::Query, &query.partition);
    let (mut page, _) = answered(clock, deadline, asked, || table.query(query)).await?;
    let now = clock.now();
    page.items.retain(|item| !item.has_expired(now));
    Ok(page)
}

/// Reads all pages of a query, from its cursor on. It keeps all of their items: ask page by page where there may be many.
///
/// # Errors
/// [`DeliveryError`] where not all pages are answered by the deadline: half of the items would be none.
pub async fn query_all<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    of: &Query,
) -> Result<Vec<Item>, DeliveryError> {
    let (mut items, mut of) = (Vec::new(), of.clone());
    loop {
        let page = query(table, clock, deadline, &of).await?;
        items.extend(page.items);
        match page.next {
            None => return Ok(items),
            next if next == of.after => {
                let message = "a page that names itself as the next";
                let error = Operation::Query.error("table", CallErrorKind::OutcomeUnknown, message);
                return Err(DeliveryError::final_answer(Cause::Call(error)));
            }
            next => of.after = next,
        }
    }
}

/// Writes an item under a condition. An item that is found, and is the one to be written, counts as written, where an attempt
/// before had no answer.
///
/// # Errors
/// [`DeliveryError`] where it is not known by the deadline that the item is written, or that the condition fails.
pub async fn put<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    item: &Item,
    condition: &Condition,
) -> Result<Outcome<()>, DeliveryError> {
    let asked = Asked::of(table, Operation::PutItem, &item.key.partition);
    let (outcome, earlier) = answered(clock, deadline, asked, || table.put(item, condition)).await?;
    Ok(match outcome {
        Outcome::ConditionFailed(Some(found)) if earlier.may_have_written() && *found == *item => Outcome::Done(()),
        outcome => outcome,
    })
}

/// Changes an item under a condition. An item that is found as the update would leave it counts as changed, where an attempt
/// before had no answer.
///
/// # Errors
/// [`DeliveryError`] where it is not known by the deadline that the item is changed, or that the condition fails; and at the first
/// attempt without an answer, where the update adds to a number.
pub async fn update<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    key: &Key,
    update: &Update,
    condition: &Condition,
) -> Result<Outcome<Item>, DeliveryError> {
    let asked = Asked::of(table, Operation::UpdateItem, &key.partition);
    let asked = Asked { repeats_unknown: update.is_repeatable(), ..asked };
    let (outcome, earlier) = answered(clock, deadline, asked, || table.update(key, update, condition)).await?;
    Ok(match outcome {
        Outcome::ConditionFailed(Some(found)) if earlier.may_have_written() && update.is_in(&found) => {
            Outcome::Done(*found)
        }
        outcome => outcome,
    })
}

/// Deletes an item under a condition. That there is none counts as deleted, where an attempt before had no answer.
///
/// # Errors
/// [`DeliveryError`] where it is not known by the deadline that the item is gone, or that the condition fails.
pub async fn delete<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    key: &Key,
    condition: &Condition,
) -> Result<Outcome<()>, DeliveryError> {
    let asked = Asked::of(table, Operation::DeleteItem, &key.partition);
    let (outcome, earlier) = answered(clock, deadline, asked, || table.delete(key, condition)).await?;
    Ok(match outcome {
        Outcome::ConditionFailed(None) if earlier.may_have_written() => Outcome::Done(()),
        outcome => outcome,
    })
}

/// Makes all writes, or none.
///
/// The intent says what they are for, such as the id of the alert that is requested. The same writes for the same intent are made
/// once within ten minutes, however often they are asked for; other writes, or another intent, are another transaction. So an
/// intent never stands twice for writes that are to be made twice. What must be made once for longer than that needs a condition
/// that fails the second time.
///
/// # Errors
/// [`DeliveryError`] where it is not known by the deadline that all is written, or that nothing is.
pub async fn transact<T: Table, C: Clock>(
    table: &T,
    clock: &C,
    deadline: Timestamp,
    intent: &str,
    writes: &[Write],
) -> Result<Transacted, DeliveryError> {
    // It says the intent and all that is to be written, and where, so that no two transactions of an account share one.
    let token = hex::encode(digest(&(table.name(), intent, writes)));
    let asked = Asked::of(table, Operation::TransactWriteItems, intent);
    let (answer, _) = answered(clock, deadline, asked, || table.transact(&token, writes)).await?;
    Ok(answer)
}

/// A call that is repeated.
#[derive(Clone, Copy)]
struct Asked<'a> {
    operation: Operation,
    table: &'a str,
    /// What the waits are drawn from.
    seed: &'a str,
    /// Whether it is repeated after an attempt without an answer.
    repeats_unknown: bool,
}

/// What came of the attempts before the one that was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Earlier {
    /// They did nothing.
    Nothing,
    /// One of them had no answer.
    Unknown,
}

impl Earlier {
    fn may_have_written(self) -> bool {
        self == Earlier::Unknown
    }
}

impl<'a> Asked<'a> {
    fn of<T: Table>(table: &'a T, operation: Operation, seed: &'a str) -> Self {
        Asked { operation, table: table.name(), seed, repeats_unknown: true }
    }

    /// What the call needs, as IAM names it.
    fn permission(self) -> &'static str {
        match self.operation {
            Operation::GetItem => "dynamodb:GetItem",
            Operation::BatchGetItem => "dynamodb:BatchGetItem",
            Operation::Query => "dynamodb:Query (on the table, and on its indexes)",
            Operation::PutItem => "dynamodb:PutItem",
            Operation::UpdateItem => "dynamodb:UpdateItem",
            Operation::DeleteItem => "dynamodb:DeleteItem",
            // What the transactions here write: none deletes, and none only checks.
            Operation::TransactWriteItems => "dynamodb:PutItem and dynamodb:UpdateItem",
        }
    }

    fn transient(self, error: CallError) -> Result<Cause, DeliveryError> {
        transient(error, (self.permission(), self.table))
    }
}

/// Makes a call until it is answered.
async fn answered<A, C: Clock, F: Future<Output = Result<A, CallError>>>(
    clock: &C,
    deadline: Timestamp,
    asked: Asked<'_>,
    call: impl Fn() -> F,
) -> Result<(A, Earlier), DeliveryError> {
    let mut patience = Patience::new(clock, deadline, asked.seed);
    let (mut last, mut earlier) = (None, Earlier::Nothing);
    while patience.is_left() {
        match call().await {
            Ok(answer) => return Ok((answer, earlier)),
            Err(error) => {
                if error.kind == CallErrorKind::OutcomeUnknown {
                    if !asked.repeats_unknown {
                        return Err(DeliveryError::final_answer(Cause::Call(error)));
                    }
                    earlier = Earlier::Unknown;
                }
                last = Some(asked.transient(error)?);
            }
        }
        if !patience.wait().await {
            break;
        }
    }
    Err(DeliveryError::out_of_time(last))
}
