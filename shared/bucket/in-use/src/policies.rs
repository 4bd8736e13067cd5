//! Policies in a bucket: `policies/<SHA-256>.json`, which never change, and `policies/current.json`, the pointer to those in
//! use.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Cause;
use modstream_platform::deliver::{DeliveryError, get, put_if_absent};
use modstream_platform::{Clock, ETag, Fetched, Objects};
use modstream_policy::{Policies, Problems};
use modstream_telemetry::{policy_loaded, policy_refused};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::follower::{Follower, Source};
use crate::history::{self, Change, Move, Prepared, Subject};
use crate::pointer::{self, PointerError};

pub use crate::pointer::Pointer;

/// The prefix of all policies.
pub const PREFIX: &str = "policies/";
/// The key of the pointer.
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
    hex::encode(Sha256::digest(bytes))
}

/// What can go wrong between a bucket and policies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The bucket has no such object.
    #[error("the bucket has no object {key}; push the policies again")]
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
        /// What is wrong with the document.
        problems: Problems,
    },
    /// Somebody else pushed policies at the same time.
    #[error("{POINTER} was moved by somebody else meanwhile: look which policies are in use, and push again")]
    Moved,
    /// A call failed.
    #[error("policies/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

impl From<PointerError> for StoreError {
    fn from(error: PointerError) -> Self {
        match error {
            PointerError::Malformed { detail } => StoreError::Pointer { detail },
            PointerError::Moved => StoreError::Moved,
            PointerError::Delivery(error) => StoreError::Delivery(error),
        }
    }
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
        Ok(pointer::read(self.objects, self.clock, self.deadline, POINTER, known).await?)
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

    /// Puts policies into the bucket, and makes ready to bring them into use, for whoever wants it and why.
    ///
    /// # Errors
    /// Where there is no answer before the deadline.
    pub async fn prepare(&self, policies: &Policies, cause: &Cause<'_>) -> Result<Prepared, StoreError> {
        let PolicyStore { objects, clock, deadline } = *self;
        let version = version_of(policies);
        let prepared = history::prepare(objects, clock, deadline, Subject::Policies, &version, cause).await?;
        put_if_absent(objects, clock, deadline, &key_of(&version), policies.canonical()).await?;
        Ok(prepared)
    }

    /// Brings them into use, if nobody else pushed others meanwhile. Whether this move was made; else somebody else pushed the
    /// same.
    ///
    /// # Errors
    /// Where others were pushed meanwhile, or there is no answer before the deadline.
    pub async fn commit(&self, prepared: &Move) -> Result<bool, StoreError> {
        Ok(history::commit(self.objects, self.clock, self.deadline, prepared).await?)
    }

    /// Puts policies into the bucket and makes them those in use, in nobody's name and without a reason: for systems in memory,
    /// and tests. Their version, and the one that was in use before.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare) and [`commit`](Self::commit).
    pub async fn push(&self, policies: &Policies) -> Result<(String, Option<String>), StoreError> {
        let version = version_of(policies);
        match self.prepare(policies, &Cause::default()).await? {
            Prepared::InUse => Ok((version.clone(), Some(version))),
            Prepared::Move(prepared) => {
                self.commit(&prepared).await?;
                Ok((version, prepared.before().map(str::to_owned)))
            }
        }
    }

    /// Who pushed those in use, and why; none where that is not known.
    ///
    /// # Errors
    /// Where there is no answer before the deadline.
    pub async fn last_change(&self) -> Result<Option<Change>, StoreError> {
        Ok(history::last(self.objects, self.clock, self.deadline, &Subject::Policies).await?)
    }
}

impl<O: Objects, C: Clock> Source for PolicyStore<'_, O, C> {
    type Version = InUse;
    type Error = StoreError;

    async fn pointer(&self, known: Option<&ETag>) -> Result<Pointer, StoreError> {
        PolicyStore::pointer(self, known).await
    }

    async fn load(&self, version: &str) -> Result<InUse, StoreError> {
        let policies = PolicyStore::load(self, version).await?;
        Ok(InUse { policies, version: version.to_owned() })
    }

    fn is_of_a_call(error: &StoreError) -> bool {
        matches!(error, StoreError::Delivery(_))
    }
}

/// The pointer is asked for at most this often.
const CHECK_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// A look at the pointer, and a load, take at most this long: the batch waits, and there are policies to go on with.
const CHECK_TIME: Duration = Duration::from_secs(3);

/// What the version is called where the bucket has no document.
const ENVIRONMENT: &str = "environment";

/// Policies, and their version.
#[derive(Debug)]
pub struct InUse {
    /// The policies.
    pub policies: Policies,
    /// Their SHA-256; `environment` where the bucket has no document.
    pub version: String,
}

/// The policies in use, which change when others are pushed.
#[derive(Debug)]
pub struct Following {
    without_document: Arc<InUse>,
    follower: Mutex<Follower<InUse>>,
}

impl Following {
    /// Follows a bucket's document; `without_document` is for a bucket that has none.
    pub fn new(without_document: Policies) -> Self {
        let without_document = Arc::new(InUse { policies: without_document, version: ENVIRONMENT.to_owned() });
        Following { without_document, follower: Mutex::new(Follower::new()) }
    }

    /// The policies for a batch. Every half minute it looks whether others were pushed; those that can't be used are refused,
    /// and looked at again half a minute later. Where the document is taken away, `without_document` holds again.
    ///
    /// # Errors
    /// Where it is not known yet whether the bucket has a document: whoever guessed might alert by other rules.
    pub async fn snapshot<O: Objects, C: Clock>(
        &self,
        objects: &O,
        clock: &C,
        deadline: Timestamp,
    ) -> Result<Arc<InUse>, StoreError> {
        let mut follower = self.follower.lock().await;
        let now = clock.now();
        if follower.is_due(now, CHECK_EVERY) {
            let check_until = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
            let until = if follower.is_new() { deadline } else { check_until };
            let before = follower.version().map(str::to_owned);
            let followed = follower.follow(&PolicyStore::new(objects, clock, until)).await;
            let in_use = follower.in_use().unwrap_or(&self.without_document);
            if follower.version() != before.as_deref() {
                policy_loaded(&in_use.version, &in_use.policies.name);
            }
            if let Err(error) = followed {
                if follower.is_new() && matches!(error, StoreError::Delivery(_)) {
                    return Err(error);
                }
                policy_refused(&in_use.version, &error.to_string());
            }
            follower.checked_at(now);
        }
        Ok(Arc::clone(follower.in_use().unwrap_or(&self.without_document)))
    }
}
