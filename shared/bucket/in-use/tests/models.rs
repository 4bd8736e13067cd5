//! Models in a bucket.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use modstream_classifier::Scratch;
use modstream_classifier::artifact::{self, MANIFEST, Manifest, ModelFiles, TENSORS};
use modstream_events::{Cause, Event, ModelPromoted};
use modstream_in_use::history::Prepared;
use modstream_in_use::models::{Following, FollowingHarm, ModelStore, Place, Pointer, StoreError, model_of};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, Clock, Condition, Fetched, Objects};

type Store = ModelStore<MemoryObjects, MemoryClock>;

fn model_files() -> ModelFiles {
    ModelFiles::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/rscience"))
        .expect("the model is there")
}

/// A model that differs by its card alone, and so has another version.
fn another_model() -> ModelFiles {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = model_files();
    let file = |wanted: &str| files.iter().find(|(name, _)| *name == wanted).expect("a model has it").1;
    let manifest = Manifest::from_bytes(file(MANIFEST)).expect("a manifest");
    let vocabulary = manifest.vocabulary(file(TENSORS)).expect("arrays");
    artifact::write(folder.path(), manifest, &vocabulary, |_| "Another card.\n".to_owned()).expect("writes");
    ModelFiles::read(folder.path()).expect("reads")
}

fn store() -> (Store, MemoryObjects, Timestamp) {
    let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
    let objects = MemoryObjects::new();
    (ModelStore::new(objects.clone(), clock, "rscience"), objects, clock.now() + Duration::from_secs(10))
}

/// The version the pointer names.
async fn current(store: &Store, deadline: Timestamp) -> String {
    match store.pointer(None, deadline).await {
        Ok(Pointer::To { version, .. }) => version,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pushed_model_loads_and_is_not_in_use_before_it_is_promoted() {
    let (store, _, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    let said = store.pointer(None, deadline).await.expect_err("none is promoted").to_string();
    assert!(said.ends_with("push a model and promote it"), "{said}");
    let (model, manifest) = store.load(&version, deadline).await.expect("loads");
    assert_eq!(manifest.version, version);
    let (same, _) = model_files().load().expect("loads");
    let score = |model: &modstream_classifier::Model| model.score("Is it so?", &mut Scratch::default()).probability();
    assert_eq!(score(&model), score(&same));
    store.promote(&version, deadline).await.expect("promotes");
    assert_eq!(current(&store, deadline).await, version);
}

#[tokio::test(start_paused = true)]
async fn a_pointer_that_did_not_move_is_not_read_again() {
    let (store, _, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    let Ok(Pointer::To { tag, .. }) = store.pointer(None, deadline).await else { panic!("it is promoted") };
    assert_eq!(store.pointer(Some(&tag), deadline).await.expect("answers"), Pointer::Unchanged);
    let other = store.push(&another_model(), deadline).await.expect("pushes").version;
    assert_eq!(
        store.pointer(Some(&tag), deadline).await.expect("answers"),
        Pointer::Unchanged,
        "pushing moves nothing"
    );
    store.promote(&other, deadline).await.expect("promotes");
    assert!(matches!(store.pointer(Some(&tag), deadline).await, Ok(Pointer::To { version, .. }) if version == other));
}

#[tokio::test(start_paused = true)]
async fn versions_lie_side_by_side_and_pushing_one_again_changes_nothing() {
    let (store, objects, deadline) = store();
    let (first, second) = (model_files(), another_model());
    let mut versions = Vec::new();
    for files in [&first, &second, &first] {
        versions.push(store.push(files, deadline).await.expect("pushes").version);
    }
    assert_eq!(versions[0], versions[2]);
    assert_ne!(versions[0], versions[1]);
    let keys = objects.list("models/").await.expect("lists");
    assert_eq!(keys.len(), 6);
    assert!(keys.iter().all(|key| objects.versions(key).len() == 1), "nothing was written twice");
}

fn harm_files() -> ModelFiles {
    ModelFiles::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models/harm")).expect("the model is there")
}

#[tokio::test(start_paused = true)]
async fn a_name_keeps_the_place_that_its_models_take_and_functions_load_none_of_the_other_place() {
    let (store, objects, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    let harm = store.push(&harm_files(), deadline).await.expect("pushes").version;
    let error = store.promote(&harm, deadline).await.expect_err("refused");
    assert!(matches!(error, StoreError::Misfit { wanted: Place::Removal, .. }), "{error}");
    let said = error.to_string();
    assert!(said.starts_with("the model harm has the labels toxic, severe_toxic, obscene, insult, threat"), "{said}");
    assert!(said.ends_with("are in use as models of removals: give it a name of its own"), "{said}");
    assert_eq!(current(&store, deadline).await, version);

    // Where none is in use a name is free; whoever follows it looks at what it is.
    let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
    let other = ModelStore::new(objects, clock, "other");
    let harm = other.push(&harm_files(), deadline).await.expect("pushes").version;
    other.promote(&harm, deadline).await.expect("promotes");
    let Err(error) = Following::start(other.clone(), None, deadline).await else {
        panic!("it is no model of removals")
    };
    assert!(matches!(error, StoreError::Misfit { wanted: Place::Removal, .. }), "{error}");
    assert!(FollowingHarm::start(other, deadline).await.snapshot(deadline).await.is_some());
    assert!(FollowingHarm::start(store, deadline).await.snapshot(deadline).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_harm_model_comes_and_goes_and_one_that_cannot_be_loaded_leaves_the_one_before() {
    let (_, objects, _) = store();
    let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
    let store = ModelStore::new(objects.clone(), clock, "harm");
    let until = || clock.now() + Duration::from_secs(10);
    let put = async |key: &str, bytes: &'static [u8]| {
        objects.put(key, Bytes::from_static(bytes), Condition::Always).await.expect("the bucket takes it");
    };
    // None is there yet.
    let following = FollowingHarm::start(store.clone(), until()).await;
    assert!(following.snapshot(until()).await.is_none());
    let version = store.push(&harm_files(), until()).await.expect("pushes").version;
    store.promote(&version, until()).await.expect("promotes");
    assert!(following.snapshot(until()).await.is_none(), "it is looked at once a minute");
    clock.sleep(Duration::from_secs(61)).await;
    let in_use = following.snapshot(until()).await.expect("it is in use");
    assert_eq!((in_use.name.as_str(), &in_use.version), ("harm", &version));
    // A pointer that says nothing, and one to a version that is not there.
    for bad in [
        b"no pointer".as_slice(),
        b"{\"version\":\"abababababababababababababababababababababababababababababababab\"}",
    ] {
        put("models/harm/current.json", bad).await;
        clock.sleep(Duration::from_secs(61)).await;
        assert_eq!(following.snapshot(until()).await.map(|it| it.version.clone()), Some(version.clone()));
        let anew = FollowingHarm::start(store.clone(), until()).await;
        assert!(anew.snapshot(until()).await.is_none(), "an instance that starts then has none");
    }
    // One that is damaged.
    put(&format!("models/harm/{version}/{TENSORS}"), b"damaged").await;
    let pointer = format!("{{\"version\":\"{version}\"}}");
    put("models/harm/current.json", pointer.into_bytes().leak()).await;
    let anew = FollowingHarm::start(store, until()).await;
    assert!(anew.snapshot(until()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sound_can_be_neither_pushed_nor_promoted() {
    let (store, objects, deadline) = store();
    let good = store.push(&model_files(), deadline).await.expect("pushes").version;
    store.promote(&good, deadline).await.expect("promotes");

    let files = another_model();
    let mut others: Vec<(String, Vec<u8>)> = files
        .iter()
        .filter(|(name, _)| *name != MANIFEST)
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    let manifest = files.iter().find(|(name, _)| *name == MANIFEST).expect("a model has one").1.to_vec();
    others[0].1[100] ^= 1;
    let damaged = ModelFiles::new(manifest, others);
    let before = objects.list("").await.expect("lists");
    assert!(matches!(store.push(&damaged, deadline).await, Err(StoreError::Artifact(_))));
    assert_eq!(objects.list("").await.expect("lists"), before, "nothing of it is in the bucket");

    let version = store.push(&files, deadline).await.expect("pushes").version;
    let key = format!("models/rscience/{version}/{TENSORS}");
    objects.put(&key, Bytes::from_static(b"damaged later"), Condition::Always).await.expect("the bucket takes it");
    let said = store.promote(&version, deadline).await.expect_err("it is damaged").to_string();
    assert!(said.contains("model.safetensors is not the file that manifest.json names"), "{said}");
    assert!(store.promote(&"ab".repeat(32), deadline).await.is_err(), "there is no such version");
    assert_eq!(current(&store, deadline).await, good);
}

#[tokio::test(start_paused = true)]
async fn a_manifest_under_another_versions_key_is_refused() {
    let (store, objects, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    let (elsewhere, files) = ("ab".repeat(32), model_files());
    for (name, bytes) in files.iter() {
        let key = format!("models/rscience/{elsewhere}/{name}");
        objects.put(&key, bytes.to_vec().into(), Condition::Always).await.expect("the bucket takes it");
    }
    let said = store.load(&elsewhere, deadline).await.expect_err("it is another's").to_string();
    assert_eq!(
        said,
        format!(
            "the manifest under models/rscience/{elsewhere}/manifest.json has the version {version}: push the model again"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn models_of_another_name_are_not_seen() {
    let (store, objects, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    let clock = MemoryClock::starting_at("2026-01-05T10:00:00Z".parse().expect("a time"));
    let other = ModelStore::new(objects, clock, "other");
    assert!(matches!(other.pointer(None, deadline).await, Err(StoreError::Missing { .. })));
    assert!(matches!(other.load(&version, deadline).await, Err(StoreError::Missing { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_promotion_says_what_was_in_use_before() {
    let (store, objects, deadline) = store();
    let first = store.push(&model_files(), deadline).await.expect("pushes").version;
    let second = store.push(&another_model(), deadline).await.expect("pushes").version;
    assert_eq!(store.promote(&first, deadline).await.expect("promotes"), None);
    assert_eq!(store.promote(&second, deadline).await.expect("promotes"), Some(first.clone()));
    assert_eq!(store.promote(&second, deadline).await.expect("promotes"), Some(second));
    objects
        .put(&store.pointer_key(), Bytes::from_static(b"no pointer"), Condition::Always)
        .await
        .expect("the bucket takes it");
    assert_eq!(store.promote(&first, deadline).await.expect("promotes"), None);
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_manifests_name_the_models_and_a_manifest_can_be_read_alone() {
    let (store, objects, deadline) = store();
    let version = store.push(&model_files(), deadline).await.expect("pushes").version;
    store.promote(&version, deadline).await.expect("promotes");
    let keys = objects.list("models/").await.expect("lists");
    let models: Vec<_> = keys.iter().filter_map(|key| model_of(key)).collect();
    assert_eq!(models, [("rscience", version.as_str())], "of {keys:?}");
    assert_eq!(store.manifest(&version, deadline).await.expect("reads").training.comments, 5688);
    assert!(matches!(store.manifest(&"ab".repeat(32), deadline).await, Err(StoreError::Missing { .. })));
    for other in ["models/ours/current.json", "models/ours/1234/manifest.json", "corpus/manifest.json"] {
        assert_eq!(model_of(other), None, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_promotion_is_in_the_history_or_in_the_pointer_whatever_was_done_to_the_pointer() {
    let (store, objects, deadline) = store();
    let first = store.push(&model_files(), deadline).await.expect("pushes").version;
    let second = store.push(&another_model(), deadline).await.expect("pushes").version;
    let promote = async |version: &str, by: &'static str| {
        let cause = Cause { by: Some(by.into()), ..Cause::default() };
        let prepared = store.prepare(version, &cause, deadline).await.expect("prepares");
        let Prepared::Move(prepared) = prepared else { panic!("{version} is in use") };
        store.commit(&prepared, deadline).await.expect("commits")
    };
    let put = async |key: &str, bytes: &'static str| {
        objects.put(key, Bytes::from_static(bytes.as_bytes()), Condition::Always).await.expect("the bucket takes it");
    };
    assert_eq!(store.last_change(deadline).await.expect("answers"), None);
    assert!(promote(&first, "ana").await && promote(&second, "ben").await);
    let last = store.last_change(deadline).await.expect("answers").expect("a change");
    assert_eq!((last.number, last.by.as_deref(), last.before), (2, Some("ben"), Some(first.clone())));

    // A change that can't be read is none, and the version is in use all the same.
    let damaged = format!("{{\"version\":\"{second}\",\"change\":{{\"number\":\"x\"}}}}");
    put(&store.pointer_key(), damaged.leak()).await;
    assert_eq!(current(&store, deadline).await, second);
    assert_eq!(store.last_change(deadline).await.expect("answers"), None);
    assert!(promote(&first, "cleo").await);
    // A pointer that is gone or was put back by hand does not write over what was.
    put(&store.pointer_key(), "no pointer").await;
    assert!(promote(&second, "dora").await);
    let history = objects.list("models/rscience/history/").await.expect("lists");
    let mut recorded = Vec::new();
    for key in &history {
        let Fetched::Object { bytes, .. } = objects.get(key, None).await.expect("reads") else { panic!("no {key}") };
        let event: Event<'_, ModelPromoted<'_>> = Event::decode(&bytes).expect("a promotion");
        recorded.push((event.data.number, event.data.cause.by.expect("a name").into_owned()));
    }
    let names = ["ana", "ben", "cleo", "dora"];
    assert_eq!(recorded, (1..).zip(names.map(str::to_owned)).collect::<Vec<_>>(), "{history:?}");
}
