//! Models promoted, well or badly, while comments flow.

use std::time::Duration;

use modstream_classifier::artifact::{MANIFEST, Manifest, ModelFiles, TENSORS};
use modstream_platform::{Condition, Objects, PutRecord, Stream};
use modstream_tests::{
    Audit, Fault, MODEL_NAME, MemoryWorld, Operation, System, Which, World, comment, event_of, harsher, install,
    model_files,
};
use serde_json::Value;

use crate::{put_comment, scored, smoothly};

/// Which model scored each comment, by the order of the comments.
fn versions(audit: &Audit) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for record in &audit.predictions {
        let event: Value = serde_json::from_slice(&record.data).expect("an event");
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
        let number = text("/data/comment/id")[1..].parse().expect("a number");
        found.push((number, text("/data/model/version")));
    }
    found.sort();
    found.into_iter().map(|(_, version)| version).collect()
}

async fn sleep(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn system() -> (System<MemoryWorld>, String) {
    let world = MemoryWorld::new(1, 100);
    let version = install(&world, &model_files()).await;
    (System::new(world, &[]), version)
}

async fn write(world: &MemoryWorld, key: String, bytes: Vec<u8>) {
    world.objects().put(&key, bytes.into(), Condition::Always).await.expect("the bucket takes it");
}

async fn point(world: &MemoryWorld, content: String) {
    write(world, format!("models/{MODEL_NAME}/current.json"), content.into_bytes()).await;
}

#[tokio::test(start_paused = true)]
async fn a_promoted_model_is_used_within_a_minute_and_not_asked_for_more_often() {
    let (system, first) = system().await;
    let mut second = String::new();
    let feed = async {
        put_comment(&system.world, 0).await;
        sleep(30).await;
        second = install(&system.world, &harsher(&model_files(), 1.0)).await;
        put_comment(&system.world, 1).await;
        sleep(29).await;
        put_comment(&system.world, 2).await;
        sleep(2).await;
        put_comment(&system.world, 3).await;
    };
    assert_eq!(system.score_while(feed).await, smoothly());
    assert_eq!(versions(&scored(&system).await), [first.clone(), first.clone(), first, second]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_scored_by_one_model_however_long_it_takes() {
    let (system, first) = system().await;
    let feed = async {
        put_comment(&system.world, 0).await;
        sleep(55).await;
        // Each record waits for the one before; the calls fail till long after the pointer is moved and due to be looked at.
        system.faults.down(Operation::PutRecords, Duration::from_secs(12));
        let records = (1..20)
            .map(|number| PutRecord { partition_key: "one key".to_owned(), data: event_of(number, comment(number)) });
        let records: Vec<PutRecord> = records.collect();
        system.world.stream(Which::Comments).put_records(&records).await.expect("put");
        sleep(1).await;
        install(&system.world, &harsher(&model_files(), 1.0)).await;
    };
    assert_eq!(system.score_while(feed).await, smoothly());
    assert_eq!(versions(&scored(&system).await), vec![first; 20]);
}

/// A way to spoil a promotion; the files are another model's.
type Spoil = fn(&ModelFiles) -> (Vec<(String, Vec<u8>)>, String);

fn named(files: &ModelFiles) -> Vec<(String, Vec<u8>)> {
    files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

fn version_of(files: &ModelFiles) -> String {
    let (_, manifest) = files.iter().find(|(name, _)| *name == MANIFEST).expect("a model has one");
    Manifest::from_bytes(manifest).expect("a manifest").version
}

fn pointer(version: &str) -> String {
    format!("{{\"version\":\"{version}\"}}")
}

fn flipped(files: &ModelFiles, name: &str) -> (Vec<(String, Vec<u8>)>, String) {
    let mut all = named(files);
    for (_, bytes) in all.iter_mut().filter(|(file, _)| file == name) {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    (all, pointer(&version_of(files)))
}

fn lacking(files: &ModelFiles, name: &str) -> (Vec<(String, Vec<u8>)>, String) {
    let mut all = named(files);
    all.retain(|(file, _)| file != name);
    (all, pointer(&version_of(files)))
}

const SPOILED: [(&str, Spoil); 9] = [
    ("a bit of the weights is flipped", |files| flipped(files, TENSORS)),
    ("a bit of the manifest is flipped", |files| flipped(files, MANIFEST)),
    ("the weights are missing", |files| lacking(files, TENSORS)),
    ("the manifest is missing", |files| lacking(files, MANIFEST)),
    ("the pointer is garbage", |_| (Vec::new(), "not json".to_owned())),
    ("the pointer is empty", |_| (Vec::new(), String::new())),
    ("the pointer names no version", |_| (Vec::new(), pointer("latest"))),
    ("the pointer leads out of the folder", |_| (Vec::new(), pointer(&format!("{}x", "../".repeat(21))))),
    ("the pointer names a version that is not there", |_| (Vec::new(), pointer(&"ab".repeat(32)))),
];

#[tokio::test(start_paused = true)]
async fn a_bad_model_is_refused_and_the_old_one_stays_until_a_good_one_is_promoted() {
    for (what, spoil) in SPOILED {
        let (system, first) = system().await;
        let mut good = String::new();
        let feed = async {
            put_comment(&system.world, 0).await;
            sleep(1).await;
            let (files, current) = spoil(&harsher(&model_files(), 1.0));
            let version = version_of(&harsher(&model_files(), 1.0));
            for (name, bytes) in files {
                write(&system.world, format!("models/{MODEL_NAME}/{version}/{name}"), bytes).await;
            }
            point(&system.world, current).await;
            for number in 1..4 {
                sleep(61).await;
                put_comment(&system.world, number).await;
            }
            sleep(1).await;
            good = install(&system.world, &harsher(&model_files(), 2.0)).await;
            sleep(61).await;
            put_comment(&system.world, 4).await;
        };
        assert_eq!(system.score_while(feed).await, smoothly(), "{what}");
        let found = versions(&scored(&system).await);
        assert_eq!(found, [first.clone(), first.clone(), first.clone(), first, good], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pointer_that_moves_back_is_followed_too() {
    let (system, first) = system().await;
    let files = model_files();
    let mut second = String::new();
    let feed = async {
        put_comment(&system.world, 0).await;
        sleep(1).await;
        second = install(&system.world, &harsher(&files, 1.0)).await;
        sleep(61).await;
        put_comment(&system.world, 1).await;
        sleep(1).await;
        assert_eq!(install(&system.world, &files).await, first);
        sleep(61).await;
        put_comment(&system.world, 2).await;
    };
    system.score_while(feed).await;
    assert_eq!(versions(&scored(&system).await), [first.clone(), second, first]);
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_promoted_the_pointer_is_all_that_is_read() {
    let (system, _) = system().await;
    let mut after_start = 0;
    let feed = async {
        put_comment(&system.world, 0).await;
        sleep(1).await;
        after_start = system.faults.steps();
        for number in 1..11 {
            sleep(61).await;
            put_comment(&system.world, number).await;
        }
    };
    system.score_while(feed).await;
    // A batch: one put; a look at the pointer: one get. Two steps each.
    assert_eq!(system.faults.steps() - after_start, 10 * 4);
}

#[tokio::test(start_paused = true)]
async fn without_a_model_the_function_does_not_start_and_says_what_to_do_and_comments_wait() {
    let world = MemoryWorld::new(1, 100);
    let system = System::new(world, &[]);
    put_comment(&system.world, 0).await;
    let feed = async {
        sleep(30).await;
        install(&system.world, &model_files()).await;
    };
    let drained = system.score_while(feed).await;
    let said =
        "no model to score with: the bucket has no object models/rscience/current.json; push a model and promote it";
    assert_eq!(drained.last_error.as_deref(), Some(said));
    assert_eq!(drained.given_up, 0);
    assert_eq!(scored(&system).await.predictions.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_scorer_that_cannot_reach_the_bucket_at_its_start_tries_until_it_can() {
    let (system, _) = system().await;
    put_comment(&system.world, 0).await;
    system.faults.next(Operation::GetObject, vec![Fault::Fails(modstream_platform::CallErrorKind::Unavailable); 5]);
    assert_eq!(system.score().await, smoothly());
    assert_eq!(scored(&system).await.predictions.len(), 1);
}
