use jiff::Timestamp;

use modstream_telemetry::access_denied;

use super::backoff::Patience;
use super::{Cause, DeliveryError, Denied};
use crate::{Bytes, CallError, CallErrorKind, Clock, Condition, ETag, Fetched, Objects, Written};

/// What a call needs, as IAM names it.
pub(super) type Permission = &'static str;

const GET: Permission =
    "s3:GetObject (and s3:ListBucket on the bucket, without which S3 says the same of what is missing)";
const PUT: Permission = "s3:PutObject";
const LIST: Permission = "s3:ListBucket";

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
/// While another write of the key is under way (409) it asks again. It reads nothing, so it does not say whose the object is
/// that existed.
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

/// Writes an object under a condition. Returns no tag where the condition does not hold, and the object is not what was to be
/// written: after an attempt without an answer the condition may fail because of that very attempt.
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
    let bytes = bytes.into();
    Ok(match write(objects, clock, deadline, key, bytes.clone(), condition).await? {
        Settled::Done(etag) => Some(etag),
        Settled::ConditionFailed => match get(objects, clock, deadline, key, None).await? {
            Fetched::Object { bytes: found, etag } if found == bytes => Some(etag),
            _ => None,
        },
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
    tried(clock, deadline, (GET, key), || objects.get(key, unless)).await
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
    tried(clock, deadline, (LIST, prefix), || objects.list(prefix)).await
}

/// Makes a call that may be repeated, until it is answered. `needs` is the permission that it takes, and on what.
pub(super) async fn tried<T, C: Clock, F: Future<Output = Result<T, CallError>>>(
    clock: &C,
    deadline: Timestamp,
    needs: (Permission, &str),
    call: impl Fn() -> F,
) -> Result<T, DeliveryError> {
    let mut patience = Patience::new(clock, deadline, needs.1);
    let mut last = None;
    while patience.is_left() {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => last = Some(transient(error, needs)?),
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
            Err(error) => last = Some(transient(error, (PUT, key))?),
        }
        if !patience.wait().await {
            break;
        }
    }
    Err(DeliveryError::out_of_time(last))
}

/// What passes by itself; an error where the answer is final.
///
/// A permission that is missing now may be there in a minute, since IAM takes its time. It is not waited for here: each batch
/// would take all of its time, while what asks for it comes again by itself, as a batch, a run or a page does.
pub(super) fn transient(error: CallError, (permission, on): (Permission, &str)) -> Result<Cause, DeliveryError> {
    match error.kind {
        kind if kind.is_transient() => Ok(Cause::Call(error)),
        CallErrorKind::Denied => {
            // Of a key only the prefix is named: the rest is for nobody to count in a log.
            let prefix = on.split_inclusive('/').next().unwrap_or_default();
            access_denied(error.operation, prefix, permission, &error.message);
            Err(DeliveryError::final_answer(Cause::Denied(Box::new(Denied {
                call: error,
                permission,
                on: on.to_owned(),
            }))))
        }
        _ => Err(DeliveryError::final_answer(Cause::Call(error))),
    }
}

fn conflict() -> Cause {
    Cause::Entry {
        code: "ConditionalRequestConflict".to_owned(),
        message: "another write of the key is under way".to_owned(),
    }
}
