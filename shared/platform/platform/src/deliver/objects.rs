use jiff::Timestamp;

use super::backoff::Patience;
use super::{Cause, DeliveryError};
use crate::{Bytes, CallError, Clock, Condition, DeletableObjects, ETag, Fetched, Objects, Written};

/// The answer to [`put_if_absent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutIfAbsent {
    /// This call wrote the object.
    Written,
    /// The key held an object already: another's, or this call's own, which an attempt without an answer wrote.
    Existed,
}

/// Writes an object where there is none, and never over one
/// ([conditional writes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)).
///
/// While another write of the key is under way (409) it asks again.
///
/// # Errors
/// [`DeliveryError`] where it is not known by the deadline that the object is there.
pub async fn put_if_absent<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    bytes: impl Into<Bytes>,
) -> Result<PutIfAbsent, DeliveryError> {
    Ok(match write(objects, clock, deadline, key, bytes.into(), &Condition::Absent).await? {
        Settled::Done(_) => PutIfAbsent::Written,
        Settled::ConditionFailed => PutIfAbsent::Existed,
    })
}

/// Writes an object, over whatever the key holds.
///
/// # Errors
/// [`DeliveryError`] where the object is not written by the deadline, or not known to be.
pub async fn put<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    bytes: impl Into<Bytes>,
) -> Result<ETag, DeliveryError> {
    match write(objects, clock, deadline, key, bytes.into(), &Condition::Always).await? {
        Settled::Done(etag) => Ok(etag),
        Settled::ConditionFailed => Err(DeliveryError::final_answer(Cause::UnexpectedCondition)),
    }
}

/// Writes an object under a condition. Returns no tag where the condition does not hold.
///
/// After a call without an answer the condition may fail because of that very call: look at what is there.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn put_where<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    bytes: impl Into<Bytes>,
    condition: &Condition,
) -> Result<Option<ETag>, DeliveryError> {
    Ok(match write(objects, clock, deadline, key, bytes.into(), condition).await? {
        Settled::Done(etag) => Some(etag),
        Settled::ConditionFailed => None,
    })
}

/// Reads an object, unless it still has the tag `unless`.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline. That the object is not there is an answer.
pub async fn get<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    unless: Option<&ETag>,
) -> Result<Fetched, DeliveryError> {
    tried(clock, deadline, key, || objects.get(key, unless)).await
}

/// Deletes an object. A call without an answer is repeated, which does no harm.
///
/// # Errors
/// [`DeliveryError`] where the object is not known by the deadline to be gone.
pub async fn delete<O: DeletableObjects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
) -> Result<(), DeliveryError> {
    tried(clock, deadline, key, || objects.delete(key)).await
}

/// Lists all keys that start with `prefix`, in order.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn list<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    prefix: &str,
) -> Result<Vec<String>, DeliveryError> {
    tried(clock, deadline, prefix, || objects.list(prefix)).await
}

/// Makes a call that may be repeated, until it is answered.
pub(super) async fn tried<T, C: Clock, F: Future<Output = Result<T, CallError>>>(
    clock: &C,
    deadline: Timestamp,
    key: &str,
    call: impl Fn() -> F,
) -> Result<T, DeliveryError> {
    let mut patience = Patience::new(clock, deadline, key);
    let mut last = None;
    while patience.is_left() {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => last = Some(transient(error)?),
        }
        if !patience.wait().await {
            break;
        }
    }
    Err(DeliveryError::out_of_time(last))
}

enum Settled {
    Done(ETag),
    ConditionFailed,
}

async fn write<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    bytes: Bytes,
    condition: &Condition,
) -> Result<Settled, DeliveryError> {
    let mut patience = Patience::new(clock, deadline, key);
    let mut last = None;
    while patience.is_left() {
        match objects.put(key, bytes.clone(), condition.clone()).await {
            Ok(Written::Done(etag)) => return Ok(Settled::Done(etag)),
            Ok(Written::ConditionFailed) => return Ok(Settled::ConditionFailed),
            Ok(Written::Conflict) => last = Some(conflict()),
            Err(error) => last = Some(transient(error)?),
        }
        if !patience.wait().await {
            break;
        }
    }
    Err(DeliveryError::out_of_time(last))
}

fn transient(error: CallError) -> Result<Cause, DeliveryError> {
    if error.kind.is_transient() {
        Ok(Cause::Call(error))
    } else {
        Err(DeliveryError::final_answer(Cause::Call(error)))
    }
}

fn conflict() -> Cause {
    Cause::Entry {
        code: "ConditionalRequestConflict".to_owned(),
        message: "another write of the key is under way".to_owned(),
    }
}
