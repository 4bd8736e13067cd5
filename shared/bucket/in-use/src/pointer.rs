//! The object that names the version in use.

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use serde::{Deserialize, Serialize};

/// The pointer's content.
#[derive(Serialize, Deserialize)]
struct Current {
    version: String,
    /// The version before, for a new reader that can't use this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
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

/// Whether the version before is written into the pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    #[cfg(feature = "policies")]
    Kept,
    #[cfg(feature = "models")]
    Dropped,
}

/// A version is a SHA-256 in hexadecimal.
pub(crate) fn is_version(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The key of a file of a model's version.
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
            let Current { version, previous } = serde_json::from_slice(&bytes)
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
    condition: Condition,
    /// The version it named; none where there was no pointer, or an unreadable one.
    pub(crate) version: Option<String>,
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
            let version = serde_json::from_slice(&bytes).ok().map(|Current { version, .. }| version);
            Found { condition: Condition::Matches(etag), version }
        }
        Fetched::NotModified | Fetched::Missing => Found { condition: Condition::Absent, version: None },
    })
}

/// Moves the pointer at `key` to `version`, if nobody else moved it since it was `found`.
pub(crate) async fn move_to<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    key: &str,
    found: &Found,
    version: &str,
    previous: Previous,
) -> Result<(), PointerError> {
    let previous = match previous {
        // Pushed again, a version is not the one before itself.
        #[cfg(feature = "policies")]
        Previous::Kept => found.version.clone().filter(|before| before != version),
        #[cfg(feature = "models")]
        Previous::Dropped => None,
    };
    let current = serde_json::to_vec(&Current { version: version.to_owned(), previous })
        .map_err(|error| PointerError::Malformed { detail: error.to_string() })?;
    if put_where(objects, clock, deadline, key, current, &found.condition).await?.is_some() {
        return Ok(());
    }
    // Refused because it moved; if it moved to this version, by us or another, all is well.
    match read(objects, clock, deadline, key, None).await? {
        Pointer::To { version: now, .. } if now == version => Ok(()),
        _ => Err(PointerError::Moved),
    }
}
