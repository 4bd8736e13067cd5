//! Policies that no comment can meet, since the model promises less than they ask: the log says so.

use std::time::Duration;

use jiff::Timestamp;
use modstream_in_use::policies::PolicyStore;
use modstream_platform::memory::MemoryObjects;
use modstream_platform::{Objects as _, VersionedObjects as _};
use modstream_policy::Policies;
use modstream_tests::{MODEL_NAME, MemoryWorld, System, World, install, model_files};

use crate::logged::Logged;
use crate::{put_comment, smoothly};

/// The default is out of the shipped model's reach where 5 % of comments are removed, r/science's rules are not.
const DOCUMENT: &str = "[default]\nthreshold = \"precision>=0.9\"\nbase_rate = 0.05\n\
                        [subreddits.science]\nthreshold = \"share<=0.02\"";

async fn push(world: &MemoryWorld, text: &str) {
    let policies = Policies::parse(text).expect("good policies");
    let (objects, clock) = (world.objects(), world.clock());
    PolicyStore::new(&objects, &clock, Timestamp::MAX).push(&policies).await.expect("it is pushed");
}

async fn system(document: &str) -> System<MemoryWorld> {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    push(&world, document).await;
    System::new(world, &[])
}

async fn delete(objects: &MemoryObjects, key: &str) {
    for version in objects.list_versions(key, None).await.expect("the bucket lists").versions {
        objects.delete_version(&version.key, &version.version_id).await.expect("the bucket deletes");
    }
}

/// Scores and publishes a comment of this number, and more than a minute later one of the next.
async fn run(system: &System<MemoryWorld>, number: usize) {
    for number in [number, number + 1] {
        put_comment(&system.world, number).await;
        assert_eq!(system.score().await, smoothly());
        assert_eq!(system.publish().await, smoothly());
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_out_of_the_models_reach_is_said_once_a_document_and_model() {
    let system = system(DOCUMENT).await;
    let log = Logged::start();
    run(&system, 0).await;
    let text = log.text();
    let said: Vec<&str> = text.lines().filter(|line| line.contains("event=\"policy_out_of_reach\"")).collect();
    assert_eq!(said.len(), 1, "{text}");
    for part in ["scope=\"default\"", "asked=precision>=0.9", "base_rate=0.05", "best_precision=0.5"] {
        assert!(said[0].contains(part), "{part} is missing in {}", said[0]);
    }
    assert!(!text.contains("policy_reach_unknown"), "{text}");
    // Another document is another question.
    push(&system.world, &DOCUMENT.replace("0.9", "0.8")).await;
    run(&system, 2).await;
    assert_eq!(log.text().matches("event=\"policy_out_of_reach\"").count(), 2, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn what_a_model_promises_is_not_known_without_its_manifest_and_alerts_go_on() {
    let system = system(DOCUMENT).await;
    let manifests = system.world.objects().list(&format!("models/{MODEL_NAME}/")).await.expect("the bucket lists");
    let log = Logged::start();
    put_comment(&system.world, 0).await;
    assert_eq!(system.score().await, smoothly());
    for key in manifests.iter().filter(|key| key.ends_with("manifest.json")) {
        delete(&system.world.objects(), key).await;
    }
    assert_eq!(system.publish().await, smoothly());
    assert_eq!(log.text().matches("event=\"policy_reach_unknown\"").count(), 1, "{}", log.text());
    assert!(!log.text().contains("policy_out_of_reach"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_probabilities_asks_for_no_promise() {
    let system = system("[default]\nthreshold = 1.0").await;
    let log = Logged::start();
    run(&system, 0).await;
    assert!(log.text().contains("event=\"policy_loaded\""), "{}", log.text());
    assert!(!log.text().contains("reach"), "{}", log.text());
}
