//! GetObject, PutObject, DeleteObject, ListObjectsV2, ListObjectVersions.

use modstream_platform::aws::Clients;
use modstream_platform::{
    Bytes, CallErrorKind, Condition, ETag, Fetched, ObjectVersion, Objects, VersionCursor, VersionedObjects, Written,
};
use modstream_stub_server::{Answer, Reply, Request};

use crate::world::{LONG, SHORT, World, config, xml};

fn object(bytes: &[u8]) -> Answer {
    Answer::new(200, bytes).header("ETag", "\"tag-1\"")
}

fn refusal(status: u16, code: &str) -> Answer {
    xml(status, &format!("<Error><Code>{code}</Code><Message>the service's words</Message></Error>"))
}

fn tag(text: &str) -> ETag {
    ETag(text.to_owned())
}

fn only_request(world: &World) -> Request {
    let [request] = &world.server.requests()[..] else { panic!("one request") };
    request.clone()
}

#[tokio::test]
async fn an_object_comes_with_its_tag_from_a_path_style_address() {
    // By its name, not its number: of a number the SDK makes no host name anyway.
    let world = World::new([object(b"\x00\xffcontent")]);
    let url = format!("http://localhost:{}", world.server.address().port());
    let bucket = Clients::new(&config(&url), LONG).expect("has a region").objects("bucket");
    let fetched = bucket.get("models/r science/current.json", None).await.expect("answered");
    assert_eq!(fetched, Fetched::Object { bytes: b"\x00\xffcontent".to_vec(), etag: tag("\"tag-1\"") });
    let request = only_request(&world);
    assert_eq!(request.method, "GET");
    assert!(request.target.starts_with("/bucket/models/r%20science/current.json"), "{}", request.target);
    assert_eq!(request.header("if-none-match"), None);
}

#[tokio::test]
async fn an_object_that_still_has_its_tag_is_not_sent_again() {
    let world = World::new([Answer::new(304, "").header("ETag", "\"tag-1\"")]);
    let fetched = world.bucket().get("key", Some(&tag("\"tag-1\""))).await.expect("answered");
    assert_eq!(fetched, Fetched::NotModified);
    assert_eq!(only_request(&world).header("if-none-match"), Some("\"tag-1\""));
}

#[tokio::test]
async fn a_missing_object_is_an_answer() {
    for answer in [refusal(404, "NoSuchKey"), refusal(404, "NotFound"), Answer::new(404, "")] {
        let world = World::new([answer.clone()]);
        assert_eq!(world.bucket().get("key", None).await, Ok(Fetched::Missing), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_certainly_no_missing_object_is_an_error() {
    use CallErrorKind::{Denied, Invalid, Unavailable};
    // S3 says 403 of what may not be read, whether it is there or not.
    let world = World::new([Answer::new(403, "")]);
    assert_eq!(world.bucket().get("key", None).await.expect_err("refused").kind, Denied);
    for (status, code, kind) in [
        (403, "AccessDenied", Denied),
        (403, "AllAccessDisabled", Denied),
        (404, "NoSuchBucket", Denied),
        (403, "InvalidAccessKeyId", Denied),
        (403, "SignatureDoesNotMatch", Denied),
        (400, "ExpiredToken", Denied),
        (301, "PermanentRedirect", Denied),
        (503, "SlowDown", Unavailable),
        (500, "InternalError", Unavailable),
        (400, "RequestTimeout", Unavailable),
        (400, "KeyTooLongError", Invalid),
    ] {
        let world = World::new([refusal(status, code)]);
        let error = world.bucket().get("key", None).await.expect_err("refused");
        assert_eq!((error.kind, error.message), (kind, format!("{code}: the service's words")), "{status} {code}");
        assert_eq!((error.service, error.operation), ("s3", "GetObject"));
        assert_eq!(world.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn half_an_object_is_none() {
    let content = vec![b'x'; 10_000];
    let world = World::new([Reply::BreakOff(object(&content))]);
    let error = world.bucket().get("key", None).await.expect_err("half");
    assert_eq!(error.kind, CallErrorKind::OutcomeUnknown, "{error}");

    let world = World::with_call_timeout(SHORT, [Reply::Stall(object(&content))]);
    let bucket = world.bucket();
    let fetched = tokio::time::timeout(LONG, bucket.get("key", None)).await;
    let error = fetched.expect("ends").expect_err("half");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (CallErrorKind::OutcomeUnknown, "the answer was not complete within 0.3 s")
    );
}

#[tokio::test]
async fn a_condition_goes_with_the_request() {
    for (condition, if_none_match, if_match) in [
        (Condition::Always, None, None),
        (Condition::Absent, Some("*"), None),
        (Condition::Matches(tag("\"tag-0\"")), None, Some("\"tag-0\"")),
    ] {
        let world = World::new([object(b"")]);
        let written = world.bucket().put("key", Bytes::from_static(b"content"), condition.clone()).await;
        assert_eq!(written, Ok(Written::Done(tag("\"tag-1\""))), "{condition:?}");
        let request = only_request(&world);
        assert_eq!((request.method.as_str(), request.text().as_str()), ("PUT", "content"));
        assert_eq!((request.header("if-none-match"), request.header("if-match")), (if_none_match, if_match));
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_and_a_write_under_way_are_answers() {
    let matches = || Condition::Matches(tag("\"tag-0\""));
    for (answer, condition, written) in [
        (refusal(412, "PreconditionFailed"), Condition::Absent, Written::ConditionFailed),
        (refusal(412, "PreconditionFailed"), matches(), Written::ConditionFailed),
        (refusal(404, "NoSuchKey"), matches(), Written::ConditionFailed),
        (refusal(409, "ConditionalRequestConflict"), Condition::Absent, Written::Conflict),
    ] {
        let world = World::new([answer.clone()]);
        assert_eq!(world.bucket().put("key", Bytes::new(), condition).await, Ok(written), "{answer:?}");
    }
}

#[tokio::test]
async fn a_put_that_may_not_be_or_gets_no_answer_is_an_error() {
    for (reply, kind) in [
        (refusal(403, "AccessDenied").into(), CallErrorKind::Denied),
        (refusal(404, "NoSuchBucket").into(), CallErrorKind::Denied),
        (refusal(503, "SlowDown").into(), CallErrorKind::Unavailable),
        (Reply::HangUp, CallErrorKind::OutcomeUnknown),
        (Answer::new(200, "").into(), CallErrorKind::OutcomeUnknown),
    ] {
        let world = World::new([reply]);
        let error =
            world.bucket().put("key", Bytes::from_static(b"content"), Condition::Absent).await.expect_err("refused");
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.operation, "PutObject");
    }
}

fn page(keys: &[&str], next: Option<&str>) -> Answer {
    let contents: String = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let next = next.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    let (truncated, count) = (next.is_some(), keys.len());
    let next = next.unwrap_or_default();
    let head = format!("<KeyCount>{count}</KeyCount><IsTruncated>{truncated}</IsTruncated>");
    xml(200, &format!("<ListBucketResult>{head}{contents}{next}</ListBucketResult>"))
}

#[tokio::test]
async fn a_list_goes_on_to_its_last_page() {
    let world = World::new([page(&["a/1", "a/2"], Some("token-1")), page(&["a/3"], None)]);
    assert_eq!(world.bucket().list("a/").await, Ok(vec!["a/1".to_owned(), "a/2".into(), "a/3".into()]));
    let targets: Vec<String> = world.server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets.len(), 2);
    assert!(targets.iter().all(|target| target.contains("prefix=a%2F")), "{targets:?}");
    assert!(targets[1].contains("continuation-token=token-1"), "{targets:?}");
}

#[tokio::test]
async fn a_list_is_whole_or_an_error() {
    for (second, kind) in [
        (refusal(503, "SlowDown"), CallErrorKind::Unavailable),
        (refusal(403, "AccessDenied"), CallErrorKind::Denied),
        (xml(200, "<ListBucketResult><Contents>"), CallErrorKind::OutcomeUnknown),
        (
            xml(
                200,
                "<ListBucketResult><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a/2</Key>",
            ),
            CallErrorKind::OutcomeUnknown,
        ),
    ] {
        let world = World::new([page(&["a/1"], Some("token-1")), second]);
        let error = world.bucket().list("a/").await.expect_err("half a list");
        assert_eq!((error.kind, error.operation), (kind, "ListObjectsV2"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_list_is_empty() {
    let world = World::new([page(&[], None)]);
    assert_eq!(world.bucket().list("nothing/").await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_list_can_say_when_each_object_was_written() {
    let contents = "<Contents><Key>a/1</Key><LastModified>2026-01-05T10:00:00.000Z</LastModified></Contents>";
    let head = "<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>";
    let world = World::new([xml(200, &format!("<ListBucketResult>{head}{contents}</ListBucketResult>"))]);
    let written = "2026-01-05T10:00:00Z".parse().expect("a time");
    assert_eq!(world.bucket().list_written("a/").await, Ok(vec![("a/1".to_owned(), written)]));
}

fn versions_page(entries: &str, next: Option<(&str, &str)>) -> Answer {
    let markers = next.map(|(key, version)| {
        format!("<NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{version}</NextVersionIdMarker>")
    });
    let head = format!("<IsTruncated>{}</IsTruncated>{}", markers.is_some(), markers.unwrap_or_default());
    xml(200, &format!("<ListVersionsResult>{head}{entries}</ListVersionsResult>"))
}

fn version_entry(key: &str, id: &str, is_latest: bool) -> String {
    let etag = "<ETag>&quot;tag-1&quot;</ETag>";
    format!("<Version><Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{is_latest}</IsLatest>{etag}</Version>")
}

fn deletion_entry(key: &str, id: &str, is_latest: bool) -> String {
    let inner = format!("<Key>{key}</Key><VersionId>{id}</VersionId><IsLatest>{is_latest}</IsLatest>");
    format!("<DeleteMarker>{inner}</DeleteMarker>")
}

#[tokio::test]
async fn versions_are_listed_to_the_last_page_the_newest_of_a_key_first() {
    let first =
        [version_entry("a/1", "v2", true), version_entry("a/2", "v1", false), deletion_entry("a/2", "v2", true)];
    let world = World::new([
        versions_page(&first.concat(), Some(("a/2", "v1"))),
        versions_page(&version_entry("a/2", "v0", false), None),
    ]);
    let bucket = world.bucket();
    let first = bucket.list_versions("a/", None).await.expect("answered");
    let next = VersionCursor { key: "a/2".to_owned(), version_id: Some("v1".to_owned()) };
    assert_eq!(first.next, Some(next.clone()));
    let second = bucket.list_versions("a/", Some(&next)).await.expect("answered");
    assert_eq!(second.next, None);
    let listed = [first.versions, second.versions].concat();
    let version = |key: &str, id: &str, is_latest, etag: Option<&str>| ObjectVersion {
        key: key.to_owned(),
        version_id: id.to_owned(),
        is_latest,
        etag: etag.map(tag),
    };
    let etag = Some("\"tag-1\"");
    assert_eq!(
        listed,
        [
            version("a/1", "v2", true, etag),
            version("a/2", "v2", true, None),
            version("a/2", "v1", false, etag),
            version("a/2", "v0", false, etag),
        ]
    );
    let targets: Vec<String> = world.server.requests().into_iter().map(|request| request.target).collect();
    assert!(targets[1].contains("key-marker=a%2F2") && targets[1].contains("version-id-marker=v1"), "{targets:?}");
}

#[tokio::test]
async fn a_list_of_versions_is_whole_or_an_error() {
    for (answer, kind) in [
        (refusal(403, "AccessDenied"), CallErrorKind::Denied),
        (xml(200, "<ListVersionsResult><Version>"), CallErrorKind::OutcomeUnknown),
        (
            xml(200, "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>"),
            CallErrorKind::OutcomeUnknown,
        ),
    ] {
        let error = World::new([answer]).bucket().list_versions("a/", None).await.expect_err("half a list");
        assert_eq!((error.kind, error.operation), (kind, "ListObjectVersions"), "{error}");
    }
}

#[tokio::test]
async fn a_version_is_read_and_deleted_by_its_id_and_without_permission_it_is_an_error() {
    let world = World::new([object(b"content"), refusal(404, "NoSuchVersion"), Answer::new(204, "")]);
    let bucket = world.bucket();
    assert_eq!(bucket.get_version("key", "v1").await, Ok(Some(b"content".to_vec())));
    assert_eq!(bucket.get_version("key", "v1").await, Ok(None));
    assert_eq!(bucket.delete_version("key", "v1").await, Ok(()));
    let requests = world.server.requests();
    assert!(requests.iter().all(|request| request.target.contains("versionId=v1")));
    assert_eq!(requests.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["GET", "GET", "DELETE"]);

    let world = World::new([refusal(403, "AccessDenied"), refusal(403, "AccessDenied")]);
    let bucket = world.bucket();
    // Were it missing, text would stay and nobody would know.
    assert_eq!(bucket.get_version("key", "v1").await.expect_err("refused").kind, CallErrorKind::Denied);
    assert_eq!(bucket.delete_version("key", "v1").await.expect_err("refused").kind, CallErrorKind::Denied);
}
