use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;

use super::boxed;
use super::error::{Operation, chain, status};
use crate::listing::{Page, all_pages};
use crate::{
    Bytes, CallError, CallErrorKind, Condition, ETag, Fetched, ObjectVersion, Objects, VersionCursor, VersionPage,
    VersionedObjects, Written,
};

const GET: Operation = Operation { service: "s3", name: "GetObject" };
const PUT: Operation = Operation { service: "s3", name: "PutObject" };
const LIST: Operation = Operation { service: "s3", name: "ListObjectsV2" };
const LIST_VERSIONS: Operation = Operation { service: "s3", name: "ListObjectVersions" };
const DELETE: Operation = Operation { service: "s3", name: "DeleteObject" };

/// An S3 bucket.
///
/// A get that is answered 403 `AccessDenied` is [`Fetched::Missing`], as is 404: S3 says 403 of a missing object to a caller
/// without `s3:ListBucket` ([GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)), so a missing
/// permission to read can't be told from it. What is certainly no missing object, such as an expired token or a missing
/// bucket, is [`CallErrorKind::Denied`].
#[derive(Clone, Debug)]
pub struct S3Objects {
    client: aws_sdk_s3::Client,
    bucket: String,
    call_timeout: Duration,
}

impl S3Objects {
    /// Makes a bucket of the one called `bucket`. A get, its body included, takes `call_timeout` at most; other calls
    /// have the client's own limits.
    pub fn new(client: aws_sdk_s3::Client, bucket: impl Into<String>, call_timeout: Duration) -> Self {
        S3Objects { client, bucket: bucket.into(), call_timeout }
    }

    /// Lists all keys that start with `prefix`, in order, with the time when each object was written.
    ///
    /// S3 lists a page of 1,000 keys a request. Each page has its own time limit.
    ///
    /// # Errors
    /// [`CallError`] where a page is not answered, or breaks off.
    pub async fn list_written(&self, prefix: &str) -> Result<Vec<(String, Timestamp)>, CallError> {
        let objects = all_pages(LIST.service, LIST.name, async |after| {
            let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = boxed(call.set_continuation_token(after).send()).await.map_err(|error| LIST.failed(&error))?;
            // The SDK takes XML that ends anywhere for a shorter page.
            Ok(Page {
                entries: page.contents.unwrap_or_default(),
                announced: page.key_count.and_then(|count| usize::try_from(count).ok()),
                is_truncated: page.is_truncated,
                next: page.next_continuation_token,
            })
        });
        let keys = objects.await?.into_iter().filter_map(|object| {
            let written = object.last_modified.and_then(|at| Timestamp::new(at.secs(), 0).ok());
            Some((object.key?, written.unwrap_or_default()))
        });
        Ok(keys.collect())
    }

    async fn fetch(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        match boxed(call.set_if_none_match(unless.map(|etag| etag.0.clone())).send()).await {
            Ok(answer) => read(answer).await,
            Err(error) => {
                let fetched = status(&error).and_then(|status| Fetched::without_object(status, code(&error)));
                fetched.ok_or_else(|| GET.failed(&error))
            }
        }
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The most memory that is reserved on an answer's word alone.
const MAX_RESERVED_BYTES: usize = 64 << 20;

async fn read(answer: GetObjectOutput) -> Result<Fetched, CallError> {
    let Some(etag) = answer.e_tag.map(ETag) else {
        return Err(GET.error(CallErrorKind::OutcomeUnknown, "an answer without an ETag"));
    };
    let announced = answer.content_length.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(announced.min(MAX_RESERVED_BYTES));
    let mut body = answer.body;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            GET.error(CallErrorKind::OutcomeUnknown, format!("the object broke off: {}", chain(&error)))
        })?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Fetched::Object { bytes, etag })
}

impl Objects for S3Objects {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        // The SDK's limits end where an answer's body begins.
        let Ok(fetched) = tokio::time::timeout(self.call_timeout, self.fetch(key, unless)).await else {
            let seconds = self.call_timeout.as_secs_f64();
            return Err(
                GET.error(CallErrorKind::OutcomeUnknown, format!("the answer was not complete within {seconds} s"))
            );
        };
        fetched
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let call = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        let matches = matches!(condition, Condition::Matches(_));
        let call = match condition {
            Condition::Always => call,
            Condition::Absent => call.if_none_match("*"),
            Condition::Matches(etag) => call.if_match(etag.0),
        };
        match boxed(call.send()).await {
            Ok(answer) => answer
                .e_tag
                .map(|etag| Written::Done(ETag(etag)))
                .ok_or_else(|| PUT.error(CallErrorKind::OutcomeUnknown, "an answer without an ETag")),
            Err(error) => match (status(&error), code(&error)) {
                (Some(412), _) => Ok(Written::ConditionFailed),
                (Some(409), _) => Ok(Written::Conflict),
                // An object that is gone has no tag that could match.
                (Some(404), Some("NoSuchKey")) if matches => Ok(Written::ConditionFailed),
                _ => Err(PUT.failed(&error)),
            },
        }
    }

    /// The keys come in the order of their bytes.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        Ok(self.list_written(prefix).await?.into_iter().map(|(key, _)| key).collect())
    }
}

impl S3Objects {
    async fn fetch_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key).version_id(version_id);
        match boxed(call.send()).await {
            Ok(answer) => match read(answer).await? {
                Fetched::Object { bytes, .. } => Ok(Some(bytes)),
                Fetched::NotModified | Fetched::Missing => Ok(None),
            },
            Err(error) => match (status(&error), code(&error)) {
                (Some(404), None | Some("NoSuchKey" | "NoSuchVersion" | "NotFound")) => Ok(None),
                _ => Err(GET.failed(&error)),
            },
        }
    }
}

impl VersionedObjects for S3Objects {
    async fn list_versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, CallError> {
        let call = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
        let call = call.set_key_marker(after.map(|after| after.key.clone()));
        let call = call.set_version_id_marker(after.and_then(|after| after.version_id.clone()));
        let page = boxed(call.send()).await.map_err(|error| LIST_VERSIONS.failed(&error))?;
        let written = page.versions.unwrap_or_default().into_iter().filter_map(|version| {
            let (Some(key), Some(version_id)) = (version.key, version.version_id) else { return None };
            let is_latest = version.is_latest.unwrap_or_default();
            Some(ObjectVersion { key, version_id, is_latest, etag: version.e_tag.map(ETag) })
        });
        let deleted = page.delete_markers.unwrap_or_default().into_iter().filter_map(|marker| {
            let (Some(key), Some(version_id)) = (marker.key, marker.version_id) else { return None };
            Some(ObjectVersion { key, version_id, is_latest: marker.is_latest.unwrap_or_default(), etag: None })
        });
        let page = Page {
            entries: written.chain(deleted).collect(),
            announced: None,
            is_truncated: page.is_truncated,
            next: page.next_key_marker.map(|key| VersionCursor { key, version_id: page.next_version_id_marker }),
        };
        let (mut versions, next): (Vec<ObjectVersion>, _) =
            page.whole(LIST_VERSIONS.service, LIST_VERSIONS.name, after)?;
        // A page has versions and deletions apart; each is in order. The sort is stable, and the newest comes first.
        versions.sort_by(|one, other| one.key.cmp(&other.key).then(other.is_latest.cmp(&one.is_latest)));
        Ok(VersionPage { versions, next })
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Option<Vec<u8>>, CallError> {
        let Ok(fetched) = tokio::time::timeout(self.call_timeout, self.fetch_version(key, version_id)).await else {
            let seconds = self.call_timeout.as_secs_f64();
            return Err(
                GET.error(CallErrorKind::OutcomeUnknown, format!("the answer was not complete within {seconds} s"))
            );
        };
        fetched
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), CallError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key).version_id(version_id);
        boxed(call.send()).await.map_err(|error| DELETE.failed(&error))?;
        Ok(())
    }
}
