use jiff::Timestamp;

use super::DeliveryError;
use super::objects::tried;
use crate::{Clock, ObjectVersion, VersionCursor, VersionPage, VersionedObjects};

/// Lists versions of the keys that start with `prefix`, a page, from behind `after`: by key, the newest of a key first.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn list_versions<O: VersionedObjects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    prefix: &str,
    after: Option<&VersionCursor>,
) -> Result<VersionPage, DeliveryError> {
    tried(clock, deadline, ("s3:ListBucketVersions", prefix), || objects.list_versions(prefix, after)).await
}

/// Reads a version; none where there is no such version any more.
///
/// # Errors
/// [`DeliveryError`] where there is no answer by the deadline.
pub async fn get_version<O: VersionedObjects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    version: &ObjectVersion,
) -> Result<Option<Vec<u8>>, DeliveryError> {
    let ObjectVersion { key, version_id, .. } = version;
    tried(clock, deadline, ("s3:GetObjectVersion", key), || objects.get_version(key, version_id)).await
}

/// Deletes a version for good. A call without an answer is repeated, which does no harm.
///
/// # Errors
/// [`DeliveryError`] where the version is not known by the deadline to be gone.
pub async fn delete_version<O: VersionedObjects, C: Clock>(
    objects: &O,
    clock: &C,
    deadline: Timestamp,
    version: &ObjectVersion,
) -> Result<(), DeliveryError> {
    let ObjectVersion { key, version_id, .. } = version;
    tried(clock, deadline, ("s3:DeleteObjectVersion", key), || objects.delete_version(key, version_id)).await
}
