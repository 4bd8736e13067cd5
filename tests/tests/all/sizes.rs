//! Records at the limit.

use modstream_events::{Comment, MAX_RECORD_BYTES};
use modstream_platform::CallErrorKind;
use modstream_tests::{Fault, MemoryWorld, Operation, System, Which, comment, event_of, install, model_files};
use serde_json::Value;

use crate::{put, put_comment, put_corpus, scored, smoothly};

#[tokio::test(start_paused = true)]
async fn a_prediction_over_one_mebibyte_is_quarantined_as_too_large_and_the_batch_goes_on() {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    let of_length = |length: usize| event_of(1, Comment { body: Some("x".repeat(length).into()), ..comment(1) });
    let room = MAX_RECORD_BYTES - of_length(0).len() - "k".len();
    put_comment(&world, 0).await;
    put(&world, Which::Comments, "k", of_length(room)).await;
    put_comment(&world, 2).await;
    let system = System::new(world, &[]);
    assert_eq!(system.score().await, smoothly());
    let audit = scored(&system).await;
    assert_eq!(audit.predictions.len(), 2);
    let kept: Vec<_> = audit.comments.iter().filter_map(|record| audit.quarantined("comments", record)).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["data"]["reason"], "too_large");
    assert!(kept[0]["data"]["detail"].as_str().is_some_and(|detail| detail.contains("1048576")));
}

/// A row that no record holds, and one that fits.
async fn put_large_corpus(world: &MemoryWorld) {
    let large = "x".repeat(1 << 20);
    let rows = format!("{{\"id\":\"a\",\"body\":\"{large}\"}}\n{{\"id\":\"b\",\"body\":\"short\"}}\n");
    put_corpus(world, rows.as_bytes()).await;
}

const BOTH: &str = r#"{"id":"e","time":"2026-01-05T10:00:00Z","comments":2,"offset":0}"#;

#[tokio::test(start_paused = true)]
async fn a_corpus_row_that_can_be_neither_sent_nor_kept_counts_as_unsent() {
    let world = MemoryWorld::new(1, 100);
    put_large_corpus(&world).await;
    let system = System::new(world, &[]);
    system.faults.next(Operation::PutObject, [Fault::Fails(CallErrorKind::Denied)]);
    let error = system.generate(BOTH, "r").await.expect_err("one is lost otherwise");
    let said = "1 of 2 comments were not sent: s3 PutObject: missing or not permitted: planned; it takes s3:PutObject on \
                quarantine/comments/unsent/";
    assert!(error.starts_with(said), "{error}");
    let generated = system.generate(BOTH, "r").await.expect("the retry keeps it");
    assert_eq!((generated.comments, generated.quarantined), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_corpus_row_over_one_mebibyte_is_kept_as_unsent_and_the_others_are_sent() {
    let world = MemoryWorld::new(1, 100);
    put_large_corpus(&world).await;
    let system = System::new(world, &[]);
    for _ in 0..2 {
        let generated = system.generate(BOTH, "r").await.expect("generates");
        assert_eq!((generated.comments, generated.quarantined), (1, 1));
    }
    let audit = modstream_tests::Audit::of(&system.world).await;
    let id = modstream_events::ids::generated_comment("e", 0).to_string();
    let (key, contents) = audit.objects.iter().next().expect("one object");
    assert_eq!((audit.objects.len(), key.as_str()), (1, format!("quarantine/comments/unsent/{id}.json").as_str()));
    assert_eq!(contents[0], contents[1], "a repeat overwrites itself");
    let entry: Value = serde_json::from_slice(&contents[0]).expect("an event");
    assert_eq!(
        (entry["data"]["reason"].as_str(), entry["data"]["origin"]["partition_key"].as_str()),
        (Some("too_large"), Some("a"))
    );
}
