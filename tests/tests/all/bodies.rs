//! Comments without text.

use modstream_events::Comment;
use modstream_tests::{MemoryWorld, System, Which, comment, event_of, install, model_files};

use crate::{put, put_corpus, scored, smoothly};

#[tokio::test(start_paused = true)]
async fn an_empty_or_blank_body_is_scored_and_a_missing_or_null_one_quarantined() {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    for (number, body) in ["", " ", "\n\t", "\u{a0}\u{3000}"].into_iter().enumerate() {
        let comment = Comment { body: Some(body.into()), ..comment(number) };
        put(&world, Which::Comments, "k", event_of(number, comment)).await;
    }
    let missing = event_of(10, Comment { body: None, ..comment(10) });
    let null = String::from_utf8(event_of(11, Comment { body: None, ..comment(11) })).expect("text");
    put(&world, Which::Comments, "k", missing).await;
    put(&world, Which::Comments, "k", null.replacen("\"data\":{", "\"data\":{\"body\":null,", 1).into_bytes()).await;
    let system = System::new(world, &[]);
    assert_eq!(system.score().await, smoothly());
    let audit = scored(&system).await;
    assert_eq!(audit.predictions.len(), 4);
    let kept: Vec<_> = audit.comments.iter().filter_map(|record| audit.quarantined("comments", record)).collect();
    assert_eq!(
        kept.iter().map(|entry| entry["data"]["reason"].as_str()).collect::<Vec<_>>(),
        [Some("missing_body"); 2]
    );
}

#[tokio::test(start_paused = true)]
async fn what_scoring_does_not_need_costs_no_comment_its_score() {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    let odd = [
        r#""body":"half of an emoji \ud83d""#,
        r#""body":"b","author_flair_text":"\ud83d","\udc00":1"#,
        r#""body":"b","id":5977,"parent_id":240311,"link_id":12345678901234567890123,"author":12.5"#,
        r#""body":"b","author":{"name":"a"},"subreddit":false,"permalink":[1]"#,
        r#""body":"b","score":"low","created_utc":"2026-01-05T10:00:00","edited":true"#,
        r#""body":"b","score":1e300,"created_utc":1767607200000,"edited":"\ud83d""#,
        r#""body":"b","score":NaN,"created_utc":-Infinity"#,
    ];
    for (number, fields) in odd.into_iter().enumerate() {
        let event = String::from_utf8(event_of(number, Comment::default())).expect("text");
        put(
            &world,
            Which::Comments,
            "k",
            event.replacen("\"data\":{", &format!("\"data\":{{{fields}"), 1).into_bytes(),
        )
        .await;
    }
    let system = System::new(world, &[]);
    assert_eq!(system.score().await, smoothly());
    let audit = scored(&system).await;
    assert_eq!((audit.predictions.len(), audit.objects.len()), (odd.len(), 0));
}

#[tokio::test(start_paused = true)]
async fn the_generator_drops_no_comment_for_its_body() {
    let world = MemoryWorld::new(1, 100);
    install(&world, &model_files()).await;
    let corpus = concat!(
        "{\"id\":\"a\",\"body\":\"\"}\n",
        "{\"id\":\"b\",\"body\":\"  \"}\n",
        "{\"id\":\"c\",\"body\":null}\n",
        "{\"id\":\"d\"}\n",
        "{\"id\":\"e\",\"body\":\"Is it so?\"}\n",
        "{}\n",
    );
    put_corpus(&world, corpus.as_bytes()).await;
    let system = System::new(world, &[]);
    let generated = system.generate(r#"{"id":"e","comments":6,"offset":0}"#, "r").await.expect("generates");
    assert_eq!((generated.comments, generated.quarantined), (6, 0));
    system.score().await;
    let audit = scored(&system).await;
    assert_eq!((audit.comments.len(), audit.predictions.len(), audit.objects.len()), (6, 3, 3));
}
