//! Models in a bucket: `models/<name>/<version>/...`, which never change, and `models/<name>/current.json`, the pointer to the
//! one in use.

use jiff::Timestamp;
use modstream_classifier::Model;
use modstream_classifier::artifact::{ArtifactError, FileEntry, MANIFEST, Manifest, ModelFiles};
use modstream_platform::deliver::{DeliveryError, get, put_if_absent, put_where};
use modstream_platform::{Clock, Condition, ETag, Fetched, Objects};
use serde::{Deserialize, Serialize};

/// Where all models lie.
pub const PREFIX: &str = "models/";

/// The name and version of the model whose manifest has this key; none where it is another object's. The manifest is written
/// last, so a model with one is whole.
pub fn model_of(key: &str) -> Option<(&str, &str)> {
    let (name, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
    let version = rest.strip_suffix(MANIFEST)?.strip_suffix('/')?;
    is_version(version).then_some((name, version))
}

fn is_version(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The content of `current.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The version in use.
    pub version: String,
}

/// What can go wrong between a bucket and a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No object, or no permission to know.
    #[error(
        "the bucket has no object {key}, or it may not be read (S3 answers 403 for both without s3:ListBucket); {hint}"
    )]
    Missing {
        /// The object's key.
        key: String,
        /// What to do.
        hint: &'static str,
    },
    /// `current.json` is no pointer.
    #[error("{key} is no pointer to a model ({detail}); promote a model again")]
    Pointer {
        /// The object's key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// The manifest at a version's key has another version.
    #[error("the manifest under {key} has the version {found}: push the model again")]
    Misplaced {
        /// The object's key.
        key: String,
        /// What it says.
        found: String,
    },
    /// Somebody else promoted a model at the same time.
    #[error("{key} was moved by somebody else meanwhile: look which version is in use, and promote again")]
    Moved {
        /// The object's key.
        key: String,
    },
    /// The model itself is refused.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A call failed.
    #[error("models/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

const PUSH_HINT: &str = "push a model and promote it";

/// A bucket's models of one name.
#[derive(Clone, Debug)]
pub struct ModelStore<O, C> {
    objects: O,
    clock: C,
    name: String,
}

/// The answer to [`ModelStore::current`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// It points where it did.
    Unchanged,
    /// It points to a version.
    To(Current, ETag),
}

impl<O: Objects, C: Clock> ModelStore<O, C> {
    /// The models called `name`.
    pub fn new(objects: O, clock: C, name: impl Into<String>) -> Self {
        ModelStore { objects, clock, name: name.into() }
    }

    /// The models' name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pointer's key.
    pub fn pointer_key(&self) -> String {
        format!("models/{}/current.json", self.name)
    }

    fn file_key(&self, version: &str, file: &str) -> String {
        format!("models/{}/{version}/{file}", self.name)
    }

    /// Reads the pointer, unless it still has the tag `known`.
    ///
    /// # Errors
    /// Where it is missing, no pointer, or not answered before the deadline.
    pub async fn current(&self, known: Option<&ETag>, deadline: Timestamp) -> Result<Pointer, StoreError> {
        let key = self.pointer_key();
        match get(&self.objects, &self.clock, deadline, &key, known).await? {
            Fetched::NotModified => Ok(Pointer::Unchanged),
            Fetched::Missing => Err(StoreError::Missing { key, hint: PUSH_HINT }),
            Fetched::Object { bytes, etag } => {
                let current: Current = serde_json::from_slice(&bytes)
                    .map_err(|error| StoreError::Pointer { key: key.clone(), detail: error.to_string() })?;
                if !is_version(&current.version) {
                    return Err(StoreError::Pointer { key, detail: "a version has 64 hex digits".to_owned() });
                }
                Ok(Pointer::To(current, etag))
            }
        }
    }

    /// Reads a version's manifest; the other files stay where they are.
    ///
    /// # Errors
    /// Where it is missing, no manifest, or of another version.
    pub async fn manifest(&self, version: &str, deadline: Timestamp) -> Result<Manifest, StoreError> {
        Ok(self.manifest_file(version, deadline).await?.0)
    }

    /// A version's manifest, and its bytes.
    async fn manifest_file(&self, version: &str, deadline: Timestamp) -> Result<(Manifest, Vec<u8>), StoreError> {
        let key = self.file_key(version, MANIFEST);
        let bytes = self.read(&key, deadline).await?;
        let manifest = Manifest::from_bytes(&bytes)?;
        if manifest.version != version {
            return Err(StoreError::Misplaced { key, found: manifest.version });
        }
        Ok((manifest, bytes))
    }

    /// Loads and checks a version.
    ///
    /// # Errors
    /// Where a file is missing or not what the manifest says, or the manifest is of another version.
    pub async fn load(&self, version: &str, deadline: Timestamp) -> Result<(Model, Manifest), StoreError> {
        let (manifest, bytes) = self.manifest_file(version, deadline).await?;
        let mut others = Vec::with_capacity(manifest.files.len());
        for FileEntry { path, .. } in manifest.files {
            let file = self.read(&self.file_key(version, &path), deadline).await?;
            others.push((path, file));
        }
        Ok(ModelFiles::new(bytes, others).load()?)
    }

    async fn read(&self, key: &str, deadline: Timestamp) -> Result<Vec<u8>, StoreError> {
        match get(&self.objects, &self.clock, deadline, key, None).await? {
            Fetched::Object { bytes, .. } => Ok(bytes),
            Fetched::NotModified | Fetched::Missing => {
                Err(StoreError::Missing { key: key.to_owned(), hint: PUSH_HINT })
            }
        }
    }

    /// Puts a model into the bucket, the manifest last; what is there already stays. It is not in use before it is promoted.
    ///
    /// # Errors
    /// Where the model is not sound, or a write did not succeed before the deadline.
    pub async fn push(&self, files: &ModelFiles, deadline: Timestamp) -> Result<Manifest, StoreError> {
        let (_, manifest) = files.load()?;
        for (name, bytes) in files.iter() {
            let key = self.file_key(&manifest.version, name);
            put_if_absent(&self.objects, &self.clock, deadline, &key, bytes.to_vec()).await?;
        }
        Ok(manifest)
    }

    /// Makes a version the one in use, if nobody else moves the pointer meanwhile. The version that was in use before; none
    /// where there was none, or no readable pointer.
    ///
    /// # Errors
    /// Where that version can't be loaded, another was promoted meanwhile, or there is no answer before the deadline.
    pub async fn promote(&self, version: &str, deadline: Timestamp) -> Result<Option<String>, StoreError> {
        let key = self.pointer_key();
        let (before, in_use) = match get(&self.objects, &self.clock, deadline, &key, None).await? {
            Fetched::Object { bytes, etag } => {
                let in_use = serde_json::from_slice(&bytes).ok().map(|Current { version }| version);
                (Condition::Matches(etag), in_use)
            }
            Fetched::NotModified | Fetched::Missing => (Condition::Absent, None),
        };
        self.load(version, deadline).await?;
        let current = Current { version: version.to_owned() };
        let bytes = serde_json::to_vec(&current)
            .map_err(|error| StoreError::Pointer { key: key.clone(), detail: error.to_string() })?;
        if put_where(&self.objects, &self.clock, deadline, &key, bytes, &before).await?.is_some() {
            return Ok(in_use);
        }
        // Refused because it moved; if it moved to this version, by us or another, all is well.
        match self.current(None, deadline).await? {
            Pointer::To(found, _) if found.version == version => Ok(in_use),
            _ => Err(StoreError::Moved { key }),
        }
    }
}
