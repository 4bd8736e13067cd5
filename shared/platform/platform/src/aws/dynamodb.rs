use std::collections::{BTreeMap, HashMap};
use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, KeysAndAttributes, PointInTimeRecoveryStatus, Put,
    ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as TransactUpdate,
};

use super::boxed;
use super::error::{Operation as SdkOperation, status};
use crate::table::{
    Action, Batch, Condition, Consistency, Cursor, Direction, EXPIRES, Expiry, Flaw, Item, Key, Operation, Outcome,
    PARTITION, Page, Query, Reason, SORT, Schema, SortRange, Source, Table, Transacted, Update, Value, Write,
    check_condition, check_item, check_key, check_keys, check_query, check_token, check_update, check_writes,
    decide_update,
};
use crate::{CallError, CallErrorKind};

const SERVICE: &str = "dynamodb";

/// What is found where a condition fails comes with the answer.
const RETURNED: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// The most days for which a table can be restored, and those of a table where nobody chose.
const MAX_RECOVERY_DAYS: u32 = 35;

/// A DynamoDB table, whose keys are the texts [`PARTITION`] and [`SORT`].
///
/// All names and values go as placeholders, so that no name meets one of
/// [DynamoDB's words](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html).
#[derive(Clone, Debug)]
pub struct DynamoTable {
    client: aws_sdk_dynamodb::Client,
    name: String,
    schema: Schema,
}

/// An item as the SDK has it.
type Attributes = HashMap<String, AttributeValue>;

impl DynamoTable {
    /// Makes a table of the one called `name` in the client's region and account, which has these indexes.
    pub fn new(client: aws_sdk_dynamodb::Client, name: impl Into<String>, schema: Schema) -> Self {
        DynamoTable { client, name: name.into(), schema }
    }

    /// For how many days the table can be restored as it was at any second of them, and so what is taken out of it lives on;
    /// none where it can't
    /// ([point-in-time recovery](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html)).
    ///
    /// # Errors
    /// Where DynamoDB doesn't say.
    pub async fn recovery_days(&self) -> Result<Option<u32>, CallError> {
        const OPERATION: SdkOperation = SdkOperation { service: SERVICE, name: "DescribeContinuousBackups" };
        let answer = boxed(self.client.describe_continuous_backups().table_name(&self.name).send()).await;
        let answer = answer.map_err(|error| OPERATION.failed(&error))?;
        let recovery = answer.continuous_backups_description.and_then(|it| it.point_in_time_recovery_description);
        let Some(recovery) = recovery else { return Ok(None) };
        if recovery.point_in_time_recovery_status != Some(PointInTimeRecoveryStatus::Enabled) {
            return Ok(None);
        }
        let days = recovery.recovery_period_in_days.and_then(|days| u32::try_from(days).ok());
        Ok(Some(days.unwrap_or(MAX_RECOVERY_DAYS)))
    }

    fn error(operation: Operation, kind: CallErrorKind, message: impl Into<String>) -> CallError {
        operation.error(SERVICE, kind, message)
    }

    /// The error of a whole call.
    fn failed<E>(&self, operation: Operation, error: &SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failed = SdkOperation { service: SERVICE, name: operation.name() }.failed(error);
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = meta.and_then(ProvideErrorMetadata::code).unwrap_or_default();
        let words = meta.and_then(ProvideErrorMetadata::message).unwrap_or_default();
        // After such an answer a write may be done
        // (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
        if operation.writes() && status(error).is_some_and(|status| status >= 500) {
            return CallError { kind: CallErrorKind::OutcomeUnknown, ..failed };
        }
        let Some((kind, hint)) = self.meaning(code, words) else { return failed };
        let message = if hint.is_empty() { failed.message } else { format!("{}: {hint}", failed.message) };
        CallError { kind, message, ..failed }
    }

    /// What an error means that is DynamoDB's own, and what to do about it.
    fn meaning(&self, code: &str, words: &str) -> Option<(CallErrorKind, String)> {
        let DynamoTable { name, .. } = self;
        let says = |any: &[&str]| any.iter().any(|some| words.contains(some));
        Some(match code {
            "ResourceNotFoundException" => {
                let hint = format!(
                    "there is no table `{name}` in this region and account, or it is still being created or restored: \
                     `aws dynamodb describe-table --table-name {name}` says which; wait until it is ACTIVE, or apply infra/"
                );
                (CallErrorKind::Denied, hint)
            }
            "ValidationException" if says(&["backfilling"]) => {
                (CallErrorKind::Unavailable, "the index is still being made".to_owned())
            }
            "ValidationException" if says(&["does not have the specified index"]) => {
                (CallErrorKind::Denied, format!("`{name}` is another table, or an older one: apply infra/"))
            }
            "ValidationException"
                if says(&[
                    "does not match the schema",
                    "Type mismatch for key",
                    "Missing the key",
                    "required keys was not given a value",
                    "Query condition missed key schema element",
                    "Query key condition not supported",
                ]) =>
            {
                let hint = format!(
                    "`{name}` has other keys than the texts `{PARTITION}` and `{SORT}`: name the table that infra/ made"
                );
                (CallErrorKind::Denied, hint)
            }
            "ValidationException" if says(&["Item size"]) => (CallErrorKind::Refused, String::new()),
            "TransactionConflictException" | "TransactionInProgressException" | "ReplicatedWriteConflictException" => {
                (CallErrorKind::Unavailable, String::new())
            }
            "IdempotentParameterMismatchException" => (CallErrorKind::Invalid, String::new()),
            _ => return None,
        })
    }

    /// An item of an answer.
    fn item(&self, operation: Operation, attributes: Attributes) -> Result<Item, CallError> {
        read(attributes).map_err(|why| {
            let message = format!("an item of the table `{}` is none that is written here: {why}", self.name);
            Self::error(operation, CallErrorKind::Invalid, message)
        })
    }

    /// The item that was found where a condition failed; none where there was none.
    fn found(&self, operation: Operation, item: Option<Attributes>) -> Result<Option<Box<Item>>, CallError> {
        item.map(|item| self.item(operation, item).map(Box::new)).transpose()
    }

    /// What an update came to whose condition failed, or what it needs beside it.
    fn update_failed(
        &self,
        found: Option<Box<Item>>,
        key: &Key,
        update: &Update,
        condition: &Condition,
    ) -> Result<Outcome<Item>, Flaw> {
        // What holds of this very item was asked of it, too: so the update can't be made of it, which this says.
        match decide_update(self.schema, found.as_deref(), key, update, condition)? {
            Outcome::ConditionFailed(_) => Ok(Outcome::ConditionFailed(found)),
            Outcome::Done(_) => Err(Flaw::invalid("a condition failed that holds of what was found")),
        }
    }

    fn transact_item(&self, write: &Write) -> Result<TransactWriteItem, BuildError> {
        let mut expressions = Expressions::default();
        let item = TransactWriteItem::builder();
        Ok(match write {
            Write::Put { item: put, condition } => {
                let condition = expressions.condition(condition);
                let put = Put::builder().table_name(&self.name).set_item(Some(written(put)));
                let put = put.set_condition_expression(condition).return_values_on_condition_check_failure(RETURNED);
                let put = put.set_expression_attribute_names(expressions.names());
                item.put(put.set_expression_attribute_values(expressions.values()).build()?)
            }
            Write::Update { key, update, condition } => {
                let (condition, update) = (expressions.update_condition(update, condition), expressions.update(update));
                let call = TransactUpdate::builder().table_name(&self.name).set_key(Some(key_attributes(key)));
                let call = call.update_expression(update).set_condition_expression(condition);
                let call = call.return_values_on_condition_check_failure(RETURNED);
                let call = call.set_expression_attribute_names(expressions.names());
                item.update(call.set_expression_attribute_values(expressions.values()).build()?)
            }
            Write::Delete { key, condition } => {
                let condition = expressions.condition(condition);
                let call = Delete::builder().table_name(&self.name).set_key(Some(key_attributes(key)));
                let call = call.set_condition_expression(condition).return_values_on_condition_check_failure(RETURNED);
                let call = call.set_expression_attribute_names(expressions.names());
                item.delete(call.set_expression_attribute_values(expressions.values()).build()?)
            }
            Write::Check { key, condition } => {
                // A condition that always holds is one that DynamoDB has no words for.
                let condition = expressions.condition(condition).unwrap_or_else(|| {
                    let key = expressions.name(PARTITION);
                    format!("attribute_exists({key}) OR attribute_not_exists({key})")
                });
                let call = ConditionCheck::builder().table_name(&self.name).set_key(Some(key_attributes(key)));
                let call = call.condition_expression(condition).return_values_on_condition_check_failure(RETURNED);
                let call = call.set_expression_attribute_names(expressions.names());
                item.condition_check(call.set_expression_attribute_values(expressions.values()).build()?)
            }
        }
        .build())
    }

    /// What a transaction that was cancelled came to.
    fn cancelled(&self, writes: &[Write], reasons: Vec<CancellationReason>) -> Result<Transacted, CallError> {
        const OPERATION: Operation = Operation::TransactWriteItems;
        if reasons.len() != writes.len() {
            let message = format!("{} reasons for {} writes", reasons.len(), writes.len());
            return Err(Self::error(OPERATION, CallErrorKind::Unavailable, message));
        }
        let (mut told, mut error) = (Vec::with_capacity(writes.len()), None);
        for (index, (write, reason)) in writes.iter().zip(reasons).enumerate() {
            let CancellationReason { item, code, message, .. } = reason;
            let words = message.unwrap_or_default();
            told.push(match code.as_deref().unwrap_or("None") {
                "None" => Reason::None,
                "ConditionalCheckFailed" => {
                    let found = self.found(OPERATION, item)?;
                    match write {
                        Write::Update { key, update, condition } => {
                            match self.update_failed(found, key, update, condition) {
                                Ok(Outcome::ConditionFailed(found)) => Reason::ConditionFailed(found),
                                Ok(Outcome::Done(_)) => Reason::None,
                                Err(flaw) => {
                                    error.get_or_insert(flaw.of_write(index).of(SERVICE, OPERATION));
                                    Reason::None
                                }
                            }
                        }
                        _ => Reason::ConditionFailed(found),
                    }
                }
                code => {
                    let kind = match code {
                        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => {
                            CallErrorKind::Unavailable
                        }
                        "ValidationError" => CallErrorKind::Refused,
                        _ => CallErrorKind::Invalid,
                    };
                    let message = format!("write {} of the transaction: {code}: {words}", index + 1);
                    error.get_or_insert(Self::error(OPERATION, kind, message));
                    Reason::None
                }
            });
        }
        match error {
            // A condition that fails is the answer, whatever else was in the way.
            Some(error) if told.iter().all(|reason| *reason == Reason::None) => Err(error),
            _ => Ok(Transacted::Cancelled(told)),
        }
    }
}

/// The error of a request that was not even built.
fn unbuildable(operation: Operation, error: &BuildError) -> CallError {
    SdkOperation { service: SERVICE, name: operation.name() }.unbuildable(error)
}

impl Table for DynamoTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn get(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, CallError> {
        const OPERATION: Operation = Operation::GetItem;
        check_key(key).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let call = self.client.get_item().table_name(&self.name).set_key(Some(key_attributes(key)));
        let answer = boxed(call.consistent_read(consistency == Consistency::Consistent).send()).await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        answer.item.map(|item| self.item(OPERATION, item)).transpose()
    }

    async fn get_batch(&self, keys: &[Key], consistency: Consistency) -> Result<Batch, CallError> {
        const OPERATION: Operation = Operation::BatchGetItem;
        check_keys(keys).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let asked = KeysAndAttributes::builder().set_keys(Some(keys.iter().map(key_attributes).collect()));
        let asked = asked.consistent_read(consistency == Consistency::Consistent).build();
        let asked = asked.map_err(|error| unbuildable(OPERATION, &error))?;
        let answer = boxed(self.client.batch_get_item().request_items(&self.name, asked).send()).await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        let items = answer.responses.and_then(|mut tables| tables.remove(&self.name)).unwrap_or_default();
        let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
        Ok(Batch {
            items: items.into_iter().map(|item| self.item(OPERATION, item)).collect::<Result<_, _>>()?,
            unprocessed: left
                .map_or_else(Vec::new, |left| left.keys)
                .into_iter()
                .map(|key| self.item(OPERATION, key).map(|item| item.key))
                .collect::<Result<_, _>>()?,
        })
    }

    async fn query(&self, query: &Query) -> Result<Page, CallError> {
        const OPERATION: Operation = Operation::Query;
        check_query(self.schema, query).map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let call = self.client.query().table_name(&self.name);
        let (call, index) = match query.source {
            Source::Table(consistency) => (call.consistent_read(consistency == Consistency::Consistent), None),
            Source::Index(name) => (call.index_name(name), self.schema.index(name)),
        };
        let (partition, sort) = index.map_or((PARTITION, SORT), |index| (index.partition, index.sort));
        let mut expressions = Expressions::default();
        let call = call.key_condition_expression(expressions.key_condition(query, partition, sort));
        let call = call.set_expression_attribute_names(expressions.names());
        let call = call.set_expression_attribute_values(expressions.values());
        let call = call.scan_index_forward(query.direction == Direction::Ascending);
        // More than a page holds is as many as it holds.
        let call = call.set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)));
        let after = query.after.as_ref().map(|Cursor { key, index_key }| {
            let mut start = key_attributes(key);
            if let Some(Key { partition: in_partition, sort: at }) = index_key {
                start.insert(partition.to_owned(), AttributeValue::S(in_partition.clone()));
                start.insert(sort.to_owned(), AttributeValue::S(at.clone()));
            }
            start
        });
        let answer = boxed(call.set_exclusive_start_key(after).send()).await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        let items = answer.items.unwrap_or_default().into_iter();
        let items = items.map(|item| self.item(OPERATION, item)).collect::<Result<_, _>>()?;
        let last = answer.last_evaluated_key.filter(|last| !last.is_empty());
        let last = last.map(|last| self.item(OPERATION, last)).transpose()?;
        let next = last.map(|item| Cursor { index_key: index.and_then(|index| index.key(&item)), key: item.key });
        Ok(Page { items, next })
    }

    async fn put(&self, item: &Item, condition: &Condition) -> Result<Outcome<()>, CallError> {
        const OPERATION: Operation = Operation::PutItem;
        let checked = check_item(self.schema, item).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let mut expressions = Expressions::default();
        let call = self.client.put_item().table_name(&self.name).set_item(Some(written(item)));
        let call = call.set_condition_expression(expressions.condition(condition));
        let call = call.set_expression_attribute_names(expressions.names());
        let call = call.set_expression_attribute_values(expressions.values());
        match boxed(call.return_values_on_condition_check_failure(RETURNED).send()).await {
            Ok(_) => Ok(Outcome::Done(())),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Outcome::ConditionFailed(self.found(OPERATION, failed.item.clone())?))
                }
                _ => Err(self.failed(OPERATION, &error)),
            },
        }
    }

    async fn update(&self, key: &Key, update: &Update, condition: &Condition) -> Result<Outcome<Item>, CallError> {
        const OPERATION: Operation = Operation::UpdateItem;
        let checked = check_key(key).and_then(|()| check_update(self.schema, update));
        let checked = checked.and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let mut expressions = Expressions::default();
        let call = self.client.update_item().table_name(&self.name).set_key(Some(key_attributes(key)));
        let call = call.set_condition_expression(expressions.update_condition(update, condition));
        let call = call.update_expression(expressions.update(update));
        let call = call.set_expression_attribute_names(expressions.names());
        let call = call.set_expression_attribute_values(expressions.values());
        let call = call.return_values(ReturnValue::AllNew).return_values_on_condition_check_failure(RETURNED);
        match boxed(call.send()).await {
            Ok(answer) => {
                let missing = || Self::error(OPERATION, CallErrorKind::OutcomeUnknown, "an answer without the item");
                Ok(Outcome::Done(self.item(OPERATION, answer.attributes.ok_or_else(missing)?)?))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let found = self.found(OPERATION, failed.item.clone())?;
                    self.update_failed(found, key, update, condition).map_err(|flaw| flaw.of(SERVICE, OPERATION))
                }
                _ => Err(self.failed(OPERATION, &error)),
            },
        }
    }

    async fn delete(&self, key: &Key, condition: &Condition) -> Result<Outcome<()>, CallError> {
        const OPERATION: Operation = Operation::DeleteItem;
        let checked = check_key(key).and_then(|()| check_condition(condition));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let mut expressions = Expressions::default();
        let call = self.client.delete_item().table_name(&self.name).set_key(Some(key_attributes(key)));
        let call = call.set_condition_expression(expressions.condition(condition));
        let call = call.set_expression_attribute_names(expressions.names());
        let call = call.set_expression_attribute_values(expressions.values());
        match boxed(call.return_values_on_condition_check_failure(RETURNED).send()).await {
            Ok(_) => Ok(Outcome::Done(())),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Outcome::ConditionFailed(self.found(OPERATION, failed.item.clone())?))
                }
                _ => Err(self.failed(OPERATION, &error)),
            },
        }
    }

    async fn transact(&self, token: &str, writes: &[Write]) -> Result<Transacted, CallError> {
        const OPERATION: Operation = Operation::TransactWriteItems;
        let checked = check_token(token).and_then(|()| check_writes(self.schema, writes));
        checked.map_err(|flaw| flaw.of(SERVICE, OPERATION))?;
        let items = writes.iter().map(|write| self.transact_item(write)).collect::<Result<_, _>>();
        let items = items.map_err(|error| unbuildable(OPERATION, &error))?;
        let call = self.client.transact_write_items().client_request_token(token).set_transact_items(Some(items));
        match boxed(call.send()).await {
            Ok(_) => Ok(Transacted::Done),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    self.cancelled(writes, cancelled.cancellation_reasons().to_vec())
                }
                _ => Err(self.failed(OPERATION, &error)),
            },
        }
    }
}

fn key_attributes(key: &Key) -> Attributes {
    Attributes::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition.clone())),
        (SORT.to_owned(), AttributeValue::S(key.sort.clone())),
    ])
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn value_of(value: &Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text.clone()),
        Value::Number(of) => number(*of),
        Value::Bytes(bytes) => AttributeValue::B(Blob::new(bytes.to_vec())),
    }
}

fn written(item: &Item) -> Attributes {
    let mut attributes = key_attributes(&item.key);
    attributes.extend(item.expires_at.map(|at| (EXPIRES.to_owned(), number(at))));
    attributes.extend(item.attributes.iter().map(|(name, value)| (name.clone(), value_of(value))));
    attributes
}

/// Reads an item, or says what in it is none of ours.
fn read(mut attributes: Attributes) -> Result<Item, String> {
    let mut key = |name: &str| match attributes.remove(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(format!("its `{name}` is no text")),
    };
    let key = Key { partition: key(PARTITION)?, sort: key(SORT)? };
    let whole = |name: &str, digits: &str| {
        digits.parse::<i64>().map_err(|_| format!("its `{name}` is {digits}, and no whole number of 64 bits"))
    };
    let expires_at = match attributes.remove(EXPIRES) {
        None => None,
        Some(AttributeValue::N(digits)) => Some(whole(EXPIRES, &digits)?),
        Some(_) => return Err(format!("its `{EXPIRES}` is no number")),
    };
    let value = |(name, value): (String, AttributeValue)| {
        let value = match value {
            AttributeValue::S(text) => Value::Text(text),
            AttributeValue::N(digits) => Value::Number(whole(&name, &digits)?),
            AttributeValue::B(bytes) => Value::Bytes(bytes.into_inner().into()),
            _ => return Err(format!("its `{name}` is neither text, number nor bytes")),
        };
        Ok((name, value))
    };
    let attributes = attributes.into_iter().map(value).collect::<Result<BTreeMap<_, _>, String>>()?;
    Ok(Item { key, attributes, expires_at })
}

/// Whether a condition holds of anything.
fn always_holds(condition: &Condition) -> bool {
    match condition {
        Condition::Always => true,
        Condition::All(all) => all.iter().all(always_holds),
        Condition::Any(any) => any.iter().any(always_holds),
        _ => false,
    }
}

/// Expressions that share their placeholders.
#[derive(Default)]
struct Expressions {
    names: BTreeMap<String, String>,
    values: Attributes,
}

/// An expression. DynamoDB refuses parentheses that it does not need.
enum Term {
    /// It stands for itself.
    One(String),
    /// These, joined by AND.
    And(Vec<String>),
    /// These, joined by OR.
    Or(Vec<String>),
}

impl Term {
    /// These, joined by AND; none where there are none.
    fn all(terms: Vec<Term>) -> Option<Term> {
        Self::joined(terms, |parts| Term::And(parts.into_iter().flat_map(Term::among_all).collect()))
    }

    /// These, joined by OR; none where there are none.
    fn any(terms: Vec<Term>) -> Option<Term> {
        Self::joined(terms, |parts| Term::Or(parts.into_iter().flat_map(Term::among_any).collect()))
    }

    fn joined(mut terms: Vec<Term>, join: impl Fn(Vec<Term>) -> Term) -> Option<Term> {
        if terms.len() > 1 { Some(join(terms)) } else { terms.pop() }
    }

    /// Its parts, as they stand among others that are joined by AND.
    fn among_all(self) -> Vec<String> {
        match self {
            Term::And(all) => all,
            Term::One(one) => vec![one],
            Term::Or(any) => vec![format!("({})", any.join(" OR "))],
        }
    }

    /// Its parts, as they stand among others that are joined by OR.
    fn among_any(self) -> Vec<String> {
        match self {
            Term::Or(any) => any,
            Term::One(one) => vec![one],
            Term::And(all) => vec![format!("({})", all.join(" AND "))],
        }
    }

    fn written(self) -> String {
        match self {
            Term::One(one) => one,
            Term::And(all) => all.join(" AND "),
            Term::Or(any) => any.join(" OR "),
        }
    }
}

impl Expressions {
    fn names(&self) -> Option<HashMap<String, String>> {
        let names = self.names.iter().map(|(name, placeholder)| (placeholder.clone(), name.clone()));
        (!self.names.is_empty()).then(|| names.collect())
    }

    fn values(&self) -> Option<Attributes> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    /// The placeholder of a name.
    fn name(&mut self, name: &str) -> String {
        let next = format!("#n{}", self.names.len());
        self.names.entry(name.to_owned()).or_insert(next).clone()
    }

    /// The placeholder of a value.
    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    fn condition(&mut self, condition: &Condition) -> Option<String> {
        self.term(condition).map(Term::written)
    }

    /// The term of a condition; none where it always holds. DynamoDB refuses placeholders that no expression has, so what is left
    /// away is not even looked at.
    fn term(&mut self, condition: &Condition) -> Option<Term> {
        if always_holds(condition) {
            return None;
        }
        Some(match condition {
            Condition::Always => return None,
            Condition::Absent => Term::One(format!("attribute_not_exists({})", self.name(PARTITION))),
            Condition::Present => Term::One(format!("attribute_exists({})", self.name(PARTITION))),
            Condition::Vacant(now) => {
                let expired = format!("{} <= {}", self.name(EXPIRES), self.value(number(*now)));
                Term::Or(vec![format!("attribute_not_exists({})", self.name(PARTITION)), expired])
            }
            Condition::Equals(name, value) => {
                Term::One(format!("{} = {}", self.name(name), self.value(value_of(value))))
            }
            Condition::LessThan(name, value) => {
                Term::One(format!("{} < {}", self.name(name), self.value(value_of(value))))
            }
            Condition::Missing(name) => Term::One(format!("attribute_not_exists({})", self.name(name))),
            Condition::All(all) => return Term::all(all.iter().filter_map(|one| self.term(one)).collect()),
            Condition::Any(any) => return Term::any(any.iter().filter_map(|one| self.term(one)).collect()),
        })
    }

    /// The condition of an update, with what it takes that the update can be made.
    fn update_condition(&mut self, update: &Update, condition: &Condition) -> Option<String> {
        let mut terms: Vec<Term> = self.term(condition).into_iter().collect();
        if update.only_removes() {
            terms.extend(self.term(&Condition::Present));
        }
        for (name, action) in &update.actions {
            let fits = match action {
                Action::Add(0) => format!("attribute_type({}, {})", self.name(name), self.text("N")),
                // Only of a number it can be so that it has a place between.
                Action::Add(added @ 1..) => {
                    format!("{} <= {}", self.name(name), self.value(number(i64::MAX - added)))
                }
                Action::Add(taken) => format!("{} >= {}", self.name(name), self.value(number(i64::MIN - taken))),
                Action::Set(_) | Action::Remove => continue,
            };
            terms.push(Term::Or(vec![format!("attribute_not_exists({})", self.name(name)), fits]));
        }
        Term::all(terms).map(Term::written)
    }

    fn update(&mut self, update: &Update) -> String {
        let (mut set, mut remove, mut add) = (Vec::new(), Vec::new(), Vec::new());
        for (name, action) in &update.actions {
            let name = self.name(name);
            match action {
                Action::Set(value) => set.push(format!("{name} = {}", self.value(value_of(value)))),
                Action::Remove => remove.push(name),
                Action::Add(added) => add.push(format!("{name} {}", self.value(number(*added)))),
            }
        }
        match update.expiry {
            Expiry::Kept => {}
            Expiry::At(at) => set.push(format!("{} = {}", self.name(EXPIRES), self.value(number(at)))),
        }
        let clauses = [("SET", set), ("REMOVE", remove), ("ADD", add)];
        let clauses = clauses.into_iter().filter(|(_, actions)| !actions.is_empty());
        clauses.map(|(clause, actions)| format!("{clause} {}", actions.join(", "))).collect::<Vec<_>>().join(" ")
    }

    fn key_condition(&mut self, query: &Query, partition: &str, sort: &str) -> String {
        let partition = format!("{} = {}", self.name(partition), self.text(&query.partition));
        let mut compare = |sign: &str, text: &str| Some(format!("{} {sign} {}", self.name(sort), self.text(text)));
        let range = match &query.range {
            SortRange::All => None,
            SortRange::Prefix(prefix) if prefix.is_empty() => None,
            SortRange::Prefix(prefix) => Some(format!("begins_with({}, {})", self.name(sort), self.text(prefix))),
            SortRange::Before(end) => compare("<", end),
            SortRange::UpTo(last) => compare("<=", last),
            SortRange::After(before) => compare(">", before),
            SortRange::From(first) => compare(">=", first),
            SortRange::Between(first, last) => {
                let (first, last) = (self.text(first), self.text(last));
                Some(format!("{} BETWEEN {first} AND {last}", self.name(sort)))
            }
        };
        range.map_or_else(|| partition.clone(), |range| format!("{partition} AND {range}"))
    }

    fn text(&mut self, text: &str) -> String {
        self.value(AttributeValue::S(text.to_owned()))
    }
}
