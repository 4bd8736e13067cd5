//! A push or a promotion whose answer is lost is known as one's own; somebody else's is not taken for it.

use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use modstream_classifier::artifact::ModelFiles;
use modstream_in_use::models::{ModelStore, Pointer};
use modstream_in_use::policies::{PolicyStore, StoreError, version_of};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, CallError, CallErrorKind, Condition, ETag, Fetched, Objects, Written};
use modstream_policy::Policies;

/// A bucket that takes each write, and loses the answers of some. Before the first conditional write of a pointer somebody else
/// may write it.
struct Lossy {
    inner: MemoryObjects,
    /// The next one last.
    lost: Mutex<Vec<bool>>,
    others: Mutex<Option<Bytes>>,
}

impl Lossy {
    /// Of so many writes, those lose their answers whose bits are set.
    fn new(inner: &MemoryObjects, bits: u32, writes: u32, others: Option<Bytes>) -> Self {
        let lost = (0..writes).map(|write| bits >> write & 1 == 1).collect();
        Lossy { inner: inner.clone(), lost: Mutex::new(lost), others: Mutex::new(others) }
    }
}

impl Objects for Lossy {
    async fn get(&self, key: &str, unless: Option<&ETag>) -> Result<Fetched, CallError> {
        self.inner.get(key, unless).await
    }

    async fn put(&self, key: &str, bytes: Bytes, condition: Condition) -> Result<Written, CallError> {
        let others = if key.ends_with("current.json") { self.others.lock().expect("no panic").take() } else { None };
        if let Some(others) = others {
            self.inner.put(key, others, Condition::Always).await?;
        }
        let written = self.inner.put(key, bytes, condition).await?;
        if self.lost.lock().expect("no panic").pop().unwrap_or_default() {
            let (kind, message) = (CallErrorKind::OutcomeUnknown, "planned".to_owned());
            return Err(CallError { service: "s3", operation: "PutObject", kind, message });
        }
        Ok(written)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, CallError> {
        self.inner.list(prefix).await
    }
}

fn clock() -> MemoryClock {
    MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"))
}

fn policies(threshold: &str) -> Policies {
    Policies::parse(&format!("[default]\nthreshold = {threshold}")).expect("good policies")
}

#[tokio::test(start_paused = true)]
async fn policies_are_pushed_once_whatever_answers_are_lost_and_never_over_somebody_elses() {
    let clock = clock();
    let (first, second, theirs) = (policies("0.7"), policies("0.8"), policies("0.9"));
    for bits in 0..32 {
        let inner = MemoryObjects::new();
        let store = |bits| Lossy::new(&inner, bits, 5, None);
        let objects = store(bits);
        let pushed = PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&first).await.expect("pushes");
        assert_eq!(pushed, (version_of(&first), None));
        let objects = store(bits);
        let pushed = PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&second).await.expect("pushes");
        assert_eq!(pushed, (version_of(&second), Some(version_of(&first))));
        assert_eq!(inner.versions("policies/current.json").len(), 2, "{bits:b}");

        let moved = format!("{{\"version\":\"{}\"}}", version_of(&theirs)).into_bytes();
        let objects = Lossy::new(&inner, bits, 5, Some(moved.into()));
        let refused = PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&first).await;
        assert!(matches!(refused, Err(StoreError::Moved)), "{bits:b}: {refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_is_promoted_whatever_answers_are_lost() {
    let files = ModelFiles::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/rscience"));
    let files = files.expect("the model is there");
    for bits in [0, 1, 0b1010, 0b11_1111] {
        let inner = MemoryObjects::new();
        let store = ModelStore::new(Lossy::new(&inner, bits, 6, None), clock(), "rscience");
        let version = store.push(&files, Timestamp::MAX).await.expect("pushes").version;
        assert_eq!(store.promote(&version, Timestamp::MAX).await.expect("promotes"), None);
        let pointer = store.pointer(None, Timestamp::MAX).await.expect("reads");
        assert!(matches!(pointer, Pointer::To { version: named, .. } if named == version), "{bits:b}");
    }
}
