//! Versions that are deleted, and secrets.

use modstream_platform::deliver::{PutIfAbsent, delete_version, list_versions, put_if_absent, secret};
use modstream_platform::memory::{MemoryObjects, MemorySecrets};
use modstream_platform::{Clock as _, Fetched, Objects as _, Stage};

use crate::world::clock;

#[tokio::test]
async fn an_object_whose_versions_are_deleted_is_gone_and_the_key_is_free() {
    let (bucket, clock) = (MemoryObjects::new(), clock());
    let deadline = clock.now() + std::time::Duration::from_secs(5);
    for text in ["one", "two"] {
        let put = put_if_absent(&bucket, &clock, deadline, "k", text).await;
        assert_eq!(put, Ok(PutIfAbsent::Written));
        let versions = list_versions(&bucket, &clock, deadline, "k", None).await.expect("versions").versions;
        let [version] = &versions[..] else { panic!("one version: {versions:?}") };
        assert!(version.is_latest && version.etag.is_some());
        // A second time is no error.
        for _ in 0..2 {
            assert_eq!(delete_version(&bucket, &clock, deadline, version).await, Ok(()));
        }
        assert_eq!((bucket.get("k", None).await, bucket.list("").await), (Ok(Fetched::Missing), Ok(Vec::new())));
    }
}

#[tokio::test]
async fn a_secret_has_a_current_and_a_previous_value() {
    let (secrets, clock) = (MemorySecrets::new(), clock());
    let deadline = clock.now() + std::time::Duration::from_secs(5);
    let value = async |stage| secret(&secrets, &clock, deadline, "links", stage).await.expect("an answer");
    assert_eq!((value(Stage::Current).await, value(Stage::Previous).await), (None, None));
    secrets.rotate("links", "one");
    assert_eq!((value(Stage::Current).await.as_deref(), value(Stage::Previous).await), (Some("one"), None));
    secrets.rotate("links", "two");
    let both = (value(Stage::Current).await, value(Stage::Previous).await);
    assert_eq!(both, (Some("two".to_owned()), Some("one".to_owned())));
}
