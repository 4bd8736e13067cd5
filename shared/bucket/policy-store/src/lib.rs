//! Policies in a bucket: `policies/<SHA-256>.json`, which never change, and `policies/current.json`, the pointer to those in
//! use.

mod following;

use jiff::Timestamp;
use modstream_platform::deliver::{DeliveryError, get, put_if_absent, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use modstream_policy::{Policies, Problems};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use following::{Following, InUse};

/// Where all policies lie.
pub const PREFIX: &str = "policies/";
/// The pointer.
pub const POINTER: &str = "policies/current.json";

/// The key of a version.
pub fn key_of(version: &str) -> String {
    format!("{PREFIX}{version}.json")
}

/// The version of policies: the SHA-256 of their one JSON text.
pub fn version_of(policies: &Policies) -> String {
    digest(&policies.canonical())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_version(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

#[derive(Serialize, Deserialize)]
struct Current {
    version: String,
    /// The one before, for whoever can't use this one and has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

/// What can go wrong between a bucket and policies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No object, or no permission to know.
    #[error(
        "the bucket has no object {key}, or it may not be read (S3 answers 403 for both without s3:ListBucket); push the \
         policies again"
    )]
    Missing {
        /// The object's key.
        key: String,
    },
    /// `current.json` is no pointer.
    #[error("{POINTER} is no pointer to policies ({detail}); push the policies again")]
    Pointer {
        /// What is wrong.
        detail: String,
    },
    /// The object has another content than its key says.
    #[error("{key} is not what its name says; push the policies again")]
    Damaged {
        /// The object's key.
        key: String,
    },
    /// The policies themselves are refused.
    #[error("{key}: {problems}")]
    Refused {
        /// The object's key.
        key: String,
        /// Why.
        problems: Problems,
    },
    /// Somebody else pushed policies at the same time.
    #[error("{POINTER} was moved by somebody else meanwhile: look which policies are in use, and push again")]
    Moved,
    /// A call failed.
    #[error("policies/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// Where the pointer points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// Where it did.
    Unchanged,
    /// Nowhere: there is none.
    Missing,
    /// To a version.
    To {
        /// Which.
        version: String,
        /// The one that was in use before.
        previous: Option<String>,
        /// The pointer's.
        tag: ETag,
    },
}

/// A bucket's policies.
#[derive(Clone, Copy, Debug)]
pub struct PolicyStore<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    deadline: Timestamp,
}

impl<'a, O: Objects, C: Clock> PolicyStore<'a, O, C> {
    /// The policies in `objects`; no call starts after `deadline`.
    pub fn new(objects: &'a O, clock: &'a C, deadline: Timestamp) -> Self {
        PolicyStore { objects, clock, deadline }
    }

    /// Reads the pointer, unless it still has the tag `known`.
    ///
    /// # Errors
    /// Where it is no pointer, or not answered before the deadline.
    pub async fn pointer(&self, known: Option<&ETag>) -> Result<Pointer, StoreError> {
        match get(self.objects, self.clock, self.deadline, POINTER, known).await? {
            Fetched::NotModified => Ok(Pointer::Unchanged),
            Fetched::Missing => Ok(Pointer::Missing),
            Fetched::Object { bytes, etag } => {
                let current: Current = serde_json::from_slice(&bytes)
                    .map_err(|error| StoreError::Pointer { detail: error.to_string() })?;
                let Current { version, previous } = current;
                if !is_version(&version) {
                    return Err(StoreError::Pointer { detail: "a version has 64 hex digits".to_owned() });
                }
                let previous = previous.filter(|previous| is_version(previous));
                Ok(Pointer::To { version, previous, tag: etag })
            }
        }
    }

    /// Loads and checks a version.
    ///
    /// # Errors
    /// Where it is missing, damaged or refused, or not answered before the deadline.
    pub async fn load(&self, version: &str) -> Result<Policies, StoreError> {
        let key = key_of(version);
        let bytes = match get(self.objects, self.clock, self.deadline, &key, None).await? {
            Fetched::Object { bytes, .. } => bytes,
            Fetched::NotModified | Fetched::Missing => return Err(StoreError::Missing { key }),
        };
        let text = std::str::from_utf8(&bytes).ok().filter(|_| digest(&bytes) == version);
        let Some(text) = text else { return Err(StoreError::Damaged { key }) };
        Policies::parse(text).map_err(|problems| StoreError::Refused { key, problems })
    }

    /// The policies in use; none where the pointer is missing.
    ///
    /// # Errors
    /// Where they can't be loaded.
    pub async fn current(&self) -> Result<Option<(String, Policies)>, StoreError> {
        match self.pointer(None).await? {
            Pointer::To { version, .. } => self.load(&version).await.map(|policies| Some((version, policies))),
            Pointer::Missing | Pointer::Unchanged => Ok(None),
        }
    }

    /// Puts policies into the bucket and makes them those in use, if nobody else moves the pointer meanwhile. Their version,
    /// and the one that was in use before.
    ///
    /// # Errors
    /// Where others were pushed meanwhile, or there is no answer before the deadline.
    pub async fn push(&self, policies: &Policies) -> Result<(String, Option<String>), StoreError> {
        let PolicyStore { objects, clock, deadline } = *self;
        let version = version_of(policies);
        let (condition, before) = match get(objects, clock, deadline, POINTER, None).await? {
            Fetched::Object { bytes, etag } => {
                let before = serde_json::from_slice(&bytes).ok().map(|Current { version, .. }| version);
                (Condition::Matches(etag), before)
            }
            Fetched::NotModified | Fetched::Missing => (Condition::Absent, None),
        };
        put_if_absent(objects, clock, deadline, &key_of(&version), policies.canonical()).await?;
        // Pushed again it is no version before itself.
        let previous = before.clone().filter(|before| *before != version);
        let current = serde_json::to_vec(&Current { version: version.clone(), previous });
        let current = current.map_err(|error| StoreError::Pointer { detail: error.to_string() })?;
        if put_where(objects, clock, deadline, POINTER, current, &condition).await?.is_none() {
            // Refused because it moved; if it moved to this version, by us or another, all is well.
            match self.pointer(None).await? {
                Pointer::To { version: found, .. } if found == version => {}
                _ => return Err(StoreError::Moved),
            }
        }
        Ok((version, before))
    }
}
