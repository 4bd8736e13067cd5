//! The corpus object.

use crate::Fixture;

#[tokio::test(start_paused = true)]
async fn a_corpus_that_cannot_be_used_sends_nothing_and_says_what_to_do() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "corpus.jsonl: the file is empty; it needs a CSV header with a column `body`, or one JSON object a line"),
        (
            b"body\n",
            "corpus.jsonl, line 1: the line is not valid JSON; each line must hold one whole object; correct or remove the line",
        ),
        (
            b"{\"body\":\"a\"}\n\n{\"body\":7}\n",
            "corpus.jsonl, line 3: `body` is not text; correct that value; correct or remove the line",
        ),
        (
            b"{\"body\":\"a\"}\n{\"body\":\"b",
            "corpus.jsonl, line 2: the file ends inside this record and may be truncated; fetch it again, or drop the record; correct or remove the line",
        ),
        (
            b"{\n  \"body\": \"a\"\n}\n",
            "corpus.jsonl: this is JSON with objects of several lines; write one object a line: `jq -c . FILE` makes that, or `jq -c '.NAME[]' FILE` where the comments are a list of that name within an object",
        ),
        (
            b"PK\x03\x04",
            "corpus.jsonl: this is a zip archive or a spreadsheet, neither CSV nor JSON Lines; unpack it, or export the sheet as CSV",
        ),
    ];
    for (corpus, said) in cases {
        let fixture = Fixture::new(1.0, 1).await;
        fixture.put_corpus(corpus).await;
        assert_eq!(fixture.generate("{}").await.expect_err(said).to_string(), said);
        assert!(fixture.rows().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_corpus_with_a_header_alone_has_nothing_to_send() {
    let fixture = Fixture::new(1.0, 1).await.reading("corpus.csv");
    fixture.put("corpus.csv", b"id,body\n").await;
    let said = "the corpus has no comments: put a file with at least one under CORPUS_KEY";
    assert_eq!(fixture.generate("{}").await.expect_err("nothing to send").to_string(), said);
}

#[tokio::test(start_paused = true)]
async fn a_missing_corpus_is_an_error_that_says_what_to_do() {
    let fixture = Fixture::new(1.0, 1).await.reading("elsewhere.csv");
    let said = "the bucket has no object elsewhere.csv: put sample comments there";
    assert_eq!(fixture.generate("{}").await.expect_err("no corpus").to_string(), said);
    assert!(fixture.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replaced_corpus_is_picked_up_and_a_bad_one_is_not_forgotten_until_it_is_replaced() {
    let fixture = Fixture::new(1.0, 1).await;
    let one = r#"{"comments":1,"offset":0}"#;
    fixture.generate(one).await.expect("generates");
    fixture.put_corpus(b"{\"id\":\"new\",\"body\":\"a\"}\n").await;
    fixture.generate(one).await.expect("generates");
    fixture.put_corpus(b"{\"id\":\"bad\",\"body\":7}\n").await;
    for _ in 0..2 {
        fixture.generate(one).await.expect_err("a bad line");
    }
    fixture.put_corpus(b"{\"id\":\"good\",\"body\":\"a\"}\n").await;
    fixture.generate(one).await.expect("generates");
    assert_eq!(fixture.rows(), ["r0", "new", "good"]);
}

#[tokio::test(start_paused = true)]
async fn rows_without_an_id_or_with_one_that_is_no_partition_key_are_sent_under_the_events_id() {
    let fixture = Fixture::new(1.0, 1).await;
    let long = "x".repeat(257);
    let corpus = format!(
        "{{\"body\":\"a\"}}\n{{\"id\":\"\",\"body\":\"b\"}}\n{{\"id\":\"{long}\",\"body\":\"c\"}}\n{{\"id\":\"k\",\"body\":\"d\"}}\n"
    );
    fixture.put_corpus(corpus.as_bytes()).await;
    fixture.generate(r#"{"comments":4,"offset":0}"#).await.expect("generates");
    let arrived = fixture.arrived();
    let keys: Vec<_> = fixture.comments.records().iter().map(|record| record.partition_key.clone()).collect();
    assert_eq!(keys[..3], [0, 1, 2].map(|index: usize| arrived[index].id.clone()));
    assert_eq!(keys[3], "k");
}
