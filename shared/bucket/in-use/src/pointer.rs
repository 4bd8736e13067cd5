//! The object that names the version in use.

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use serde::{Deserialize, Deserializer, Serialize};

use crate::history::Change;

/// The pointer's content.
#[derive(Serialize, Deserialize)]
struct Current {
    version: String,
    /// The version before, for a new reader that can't use this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// Who moved it here. One that can't be read is none: what is in use does not hang on it.
    #[serde(default, deserialize_with = "none_if_unreadable", skip_serializing_if = "Option::is_none")]
    change: Option<Change>,
}

fn none_if_unreadable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Change>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
}

/// What a pointer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The pointer names the version that it named before.
    Unchanged,
    /// There is no pointer.
    Missing,
    /// The pointer names a version.
    To {
        /// The version in use.
        version: String,
        /// The version that was in use before.
        previous: Option<String>,
        /// The tag of the pointer's object.
        tag: ETag,
    },
}

/// What can go wrong with a pointer.
#[derive(Debug)]
pub(crate) enum PointerError {
    /// The object is no pointer.
    Malformed { detail: String },
    /// Somebody else moved it meanwhile.
    Moved,
    /// A call failed.
    Delivery(DeliveryError),
}

impl From<DeliveryError> for PointerError {
    fn from(error: DeliveryError) -> Self {
        PointerError::Delivery(error)
    }
}

/// A version is a SHA-256 in hexadecimal.
pub(crate) fn is_version(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The key of a file of a model's version.
#[cfg(any(feature = "models", feature = "policies"))]
pub(crate) fn model_file(name: &str, version: &str, file: &str) -> String {
    format!("models/{name}/{version}/{file}")
}

/// Reads the pointer at `key`, unless it still has the tag `known`.
pub(crate) async fn read<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    known: Option<&ETag>,
) -> Result<Pointer, PointerError> {
    match get(objects, clock, deadline, key, known).await? {
        Fetched::NotModified => Ok(Pointer::Unchanged),
        Fetched::Missing => Ok(Pointer::Missing),
        Fetched::Object { bytes, etag } => {
            let Current { version, previous, .. } = serde_json::from_slice(&bytes)
                .map_err(|error| PointerError::Malformed { detail: error.to_string() })?;
            if !is_version(&version) {
                return Err(PointerError::Malformed { detail: "a version has 64 hex digits".to_owned() });
            }
            Ok(Pointer::To { version, previous: previous.filter(|previous| is_version(previous)), tag: etag })
        }
    }
}

/// A pointer as it was found, to be moved from there.
pub(crate) struct Found {
    pub(crate) condition: Condition,
    /// The version it named; none where there was no pointer, or an unreadable one.
    pub(crate) version: Option<String>,
    /// Who moved it there; none where that is not known.
    pub(crate) change: Option<Change>,
}

/// Looks where the pointer at `key` points, however damaged it is.
pub(crate) async fn find<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
) -> Result<Found, DeliveryError> {
    Ok(match get(objects, clock, deadline, key, None).await? {
        Fetched::Object { bytes, etag } => {
            let current: Option<Current> = serde_json::from_slice(&bytes).ok();
            let (version, change) = current.map_or((None, None), |current| (Some(current.version), current.change));
            Found { condition: Condition::Matches(etag), version, change }
        }
        Fetched::NotModified | Fetched::Missing => Found { condition: Condition::Absent, version: None, change: None },
    })
}

/// Where a pointer is to point, and who wants it.
pub(crate) struct Target<'a> {
    pub(crate) version: &'a str,
    pub(crate) previous: Option<&'a str>,
    pub(crate) change: &'a Change,
}

/// Moves the pointer at `key`, if it is still as it was when `condition` was made. Whether it was moved by this; else somebody
/// moved it to the same version.
pub(crate) async fn move_to<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    condition: &Condition,
    target: &Target<'_>,
) -> Result<bool, PointerError> {
    let Target { version, previous, change } = *target;
    let (version, previous) = (version.to_owned(), previous.map(str::to_owned));
    let current = serde_json::to_vec(&Current { version, previous, change: Some(change.clone()) })
        .map_err(|error| PointerError::Malformed { detail: error.to_string() })?;
    if put_where(objects, clock, deadline, key, current.clone(), condition).await?.is_some() {
        return Ok(true);
    }
    // Refused because it moved. A call of ours that got no answer may have moved it.
    let Fetched::Object { bytes, .. } = get(objects, clock, deadline, key, None).await? else {
        return Err(PointerError::Moved);
    };
    if bytes == current {
        return Ok(true);
    }
    match serde_json::from_slice(&bytes) {
        Ok(Current { version, .. }) if version == target.version => Ok(false),
        _ => Err(PointerError::Moved),
    }
}
