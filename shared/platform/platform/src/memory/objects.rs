use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};

use super::lock;
use crate::{
    Bytes, CallError, Condition, DeletableObjects, ETag, Fetched, ObjectVersion, Objects, VersionedObjects, Written,
};

/// A bucket with versioning on. A tag is the MD5 of the content in hexadecimal, as S3's is for a simple put.
///
/// A put is one step, so there is never a [`Written::Conflict`].
#[derive(Clone, Default)]
pub struct MemoryObjects {
    versions: Arc<Mutex<BTreeMap<String, Vec<Version>>>>,
    written: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Version {
    id: u64,
    /// The content and its tag; none marks a deletion.
    content: Option<(Bytes, ETag)>,
}

impl Version {
    fn etag(&self) -> Option<&ETag> {
        self.content.as_ref().map(|(_, etag)| etag)
    }
}

impl MemoryObjects {
    /// Makes an empty bucket.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every content that the key has had, oldest first; none if it never had one.
    pub fn versions(&self, key: &str) -> Vec<Vec<u8>> {
        let versions = lock(&self.versions);
        let all = versions.get(key).into_iter().flatten();
        all.filter_map(|version| Some(version.content.as_ref()?.0.to_vec())).collect()
    }

    fn write(&self, key: &str, bytes: Bytes, condition: &Condition) -> Written {
        let etag = etag_of(&bytes);
        let mut versions = lock(&self.versions);
        let current = versions.get(key).and_then(|all| all.last()).and_then(Version::etag);
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => current.is_none(),
            Condition::Matches(etag) => current == Some(etag),
        };
        if !holds {
            return Written::ConditionFailed;
        }
        let id = self.written.fetch_add(1, Ordering::Relaxed);
        versions.entry(key.to_owned()).or_default().push(Version { id, content: Some((bytes, etag.clone())) });
        Written::Done(etag)
    }
}

fn etag_of(bytes: &[u8]) -> ETag {
    ETag(hex::encode(Md5::digest(bytes)))
}

impl Objects for MemoryObjects {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let versions = lock(&self.versions);
        Ok(match versions.get(key).and_then(|all| all.last()).and_then(|version| version.content.as_ref()) {
            None => Fetched::Missing,
            Some((_, etag)) if unless == Some(etag) => Fetched::NotModified,
            Some((bytes, etag)) => Fetched::Object { bytes: bytes.to_vec(), etag: etag.clone() },
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        Ok(self.write(key, bytes, &condition))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let versions = lock(&self.versions);
        let from_prefix = versions.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let keys = from_prefix.take_while(|(key, _)| key.starts_with(prefix));
        let present = keys.filter(|(_, all)| all.last().is_some_and(|version| version.content.is_some()));
        Ok(present.map(|(key, _)| key.clone()).collect())
    }
}

impl DeletableObjects for MemoryObjects {
    async fn delete(&self, key: &str) -> Result<(), CallError> {
        let mut versions = lock(&self.versions);
        let Some(all) = versions.get_mut(key) else { return Ok(()) };
        if all.last().is_some_and(|version| version.content.is_some()) {
            all.push(Version { id: self.written.fetch_add(1, Ordering::Relaxed), content: None });
        }
        Ok(())
    }
}

impl VersionedObjects for MemoryObjects {
    async fn list_versions(&self, prefix: &str) -> Result<Vec<ObjectVersion>, CallError> {
        let versions = lock(&self.versions);
        let from_prefix = versions.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let keys = from_prefix.take_while(|(key, _)| key.starts_with(prefix));
        let all = keys.flat_map(|(key, all)| {
            let newest = all.last().map(|version| version.id);
            all.iter().rev().map(move |version| ObjectVersion {
                key: key.clone(),
                version_id: version.id.to_string(),
                is_latest: newest == Some(version.id),
                etag: version.etag().cloned(),
            })
        });
        Ok(all.collect())
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        let versions = lock(&self.versions);
        let version = versions.get(key).and_then(|all| all.iter().find(|version| version.id.to_string() == version_id));
        Ok(version.and_then(|version| Some(version.content.as_ref()?.0.to_vec())))
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        let mut versions = lock(&self.versions);
        if let Some(all) = versions.get_mut(key) {
            all.retain(|version| version.id.to_string() != version_id);
            if all.is_empty() {
                versions.remove(key);
            }
        }
        Ok(())
    }
}
