use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};

use super::lock;
use crate::{
    Bytes, CallError, Condition, ETag, Fetched, ObjectVersion, Objects, VersionCursor, VersionPage, VersionedObjects,
    Written,
};

/// The versions of a page, as S3 lists them.
const PAGE_VERSIONS: usize = 1_000;

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
    bytes: Bytes,
    etag: ETag,
}

impl MemoryObjects {
    /// Makes an empty bucket.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every content that the key has had, oldest first; none if it never had one.
    pub fn versions(&self, key: &str) -> Vec<Vec<u8>> {
        let versions = lock(&self.versions);
        versions.get(key).into_iter().flatten().map(|version| version.bytes.to_vec()).collect()
    }

    fn write(&self, key: &str, bytes: Bytes, condition: &Condition) -> Written {
        let etag = etag_of(&bytes);
        let mut versions = lock(&self.versions);
        let current = versions.get(key).and_then(|all| all.last()).map(|version| &version.etag);
        let holds = match condition {
            Condition::Always => true,
            Condition::Absent => current.is_none(),
            Condition::Matches(etag) => current == Some(etag),
        };
        if !holds {
            return Written::ConditionFailed;
        }
        let id = self.written.fetch_add(1, Ordering::Relaxed);
        versions.entry(key.to_owned()).or_default().push(Version { id, bytes, etag: etag.clone() });
        Written::Done(etag)
    }
}

fn etag_of(bytes: &[u8]) -> ETag {
    ETag(hex::encode(Md5::digest(bytes)))
}

impl Objects for MemoryObjects {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let versions = lock(&self.versions);
        Ok(match versions.get(key).and_then(|all| all.last()) {
            None => Fetched::Missing,
            Some(Version { etag, .. }) if unless == Some(etag) => Fetched::NotModified,
            Some(Version { bytes, etag, .. }) => Fetched::Object { bytes: bytes.to_vec(), etag: etag.clone() },
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        Ok(self.write(key, bytes, &condition))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        let versions = lock(&self.versions);
        let from_prefix = versions.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let keys = from_prefix.take_while(|(key, _)| key.starts_with(prefix));
        Ok(keys.map(|(key, _)| key.clone()).collect())
    }
}

impl VersionedObjects for MemoryObjects {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        let versions = lock(&self.versions);
        let from = after.map_or(prefix, |after| after.key.as_str().max(prefix));
        let keys = versions.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        let all = keys.take_while(|(key, _)| key.starts_with(prefix)).flat_map(|(key, all)| {
            let newest = all.last().map(|version| version.id);
            let is_behind = move |version: &&Version| match after {
                Some(after) if after.key == *key => {
                    // The newest come first, so that what is behind a version is older.
                    after.version_id.as_ref().is_some_and(|id| id.parse().is_ok_and(|id: u64| version.id < id))
                }
                _ => true,
            };
            all.iter().rev().filter(is_behind).map(move |version| ObjectVersion {
                key: key.clone(),
                version_id: version.id.to_string(),
                is_latest: newest == Some(version.id),
                etag: Some(version.etag.clone()),
            })
        });
        let mut versions: Vec<ObjectVersion> = all.take(PAGE_VERSIONS + 1).collect();
        let is_last = versions.len() <= PAGE_VERSIONS;
        versions.truncate(PAGE_VERSIONS);
        let next = versions.last().filter(|_| !is_last);
        let next = next.map(|last| VersionCursor { key: last.key.clone(), version_id: Some(last.version_id.clone()) });
        Ok(VersionPage { versions, next })
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        let versions = lock(&self.versions);
        let version = versions.get(key).and_then(|all| all.iter().find(|version| version.id.to_string() == version_id));
        Ok(version.map(|version| version.bytes.to_vec()))
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
