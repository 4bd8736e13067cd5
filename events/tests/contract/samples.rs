//! The files of `samples/`: they follow from the types, and hold what the README says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modstream_events::{Comment, Event, EventRef, ModelRef, OperatingPoint, Prediction, Reason, Term, ids};
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use crate::golden;
use crate::whole_events::{FORUM, MODEL_VERSION, time};

/// A record as [Lambda](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html) sends it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    kinesis: Kinesis,
    event_source: &'static str,
    event_version: &'static str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    invoke_identity_arn: &'static str,
    aws_region: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis {
    kinesis_schema_version: &'static str,
    partition_key: String,
    sequence_number: String,
    data: String,
    approximate_arrival_timestamp: f64,
}

#[derive(Serialize)]
struct Payload {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

/// The payload of a stream's records, each a partition key and its data, as base64.
fn payload(stream: &str, records: Vec<(String, String)>) -> Payload {
    let record = |(index, (partition_key, data)): (usize, (String, String))| {
        let sequence_number = format!("4966{:052}", 7_305_112_208_u64 * 16 * (index as u64 + 1));
        Record {
            event_id: format!("shardId-000000000000:{sequence_number}"),
            kinesis: Kinesis {
                kinesis_schema_version: "1.0",
                partition_key,
                sequence_number,
                data,
                approximate_arrival_timestamp: 1_767_607_200.5 + index as f64 / 8.0,
            },
            event_source: "aws:kinesis",
            event_version: "1.0",
            event_name: "aws:kinesis:record",
            invoke_identity_arn: "arn:aws:iam::123456789012:role/modstream",
            aws_region: "us-east-1",
            event_source_arn: format!("arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"),
        }
    };
    Payload { records: records.into_iter().enumerate().map(record).collect() }
}

/// Id, subreddit, author, body and score of made-up comments.
const COMMENTS: [(&str, &str, &str, &str, i64); 5] = [
    ("n0a1001", "askscience", "quiet_isotope", "Does the half-life change under pressure, or only the chemistry?", 41),
    (
        "n0a1002",
        "science",
        "fern_and_moss",
        "The abstract says mice. Nobody in this thread opened the paper, \"as usual\".",
        12,
    ),
    (
        "n0a1003",
        "science",
        "bold_claims_daily",
        "Wake up!!! They HIDE the cure. Search my channel and see for yourself",
        -17,
    ),
    (
        "n0a1004",
        "askhistorians",
        "archive_mouse",
        "See Table 3 in the census of 1871:\n\n> 214 looms, 9 of them idle\n\nso no, the mill was not empty.",
        88,
    ),
    ("n0a1005", "askscience", "söhnke_b", "lol first 😂", -4),
];

fn comment_event(index: usize) -> Event<'static, Comment<'static>> {
    let (id, subreddit, author, body, score) = COMMENTS[index];
    let comment = Comment {
        id: Some(id.into()),
        parent_id: Some("t3_n0a000".into()),
        link_id: Some("t3_n0a000".into()),
        subreddit: Some(subreddit.into()),
        author: Some(author.into()),
        body: Some(body.into()),
        created_utc: Some(1_767_607_190 + index as i64),
        edited: None,
        score: Some(score),
        permalink: Some(format!("/r/{subreddit}/comments/n0a000/_/{id}/").into()),
    };
    let at = time("2026-01-05T10:00:00Z") + std::time::Duration::from_millis(100 * index as u64);
    Event::new(ids::comment(FORUM, id, "1").to_string(), FORUM, at, comment)
}

fn encoded_comment(index: usize) -> (String, String) {
    (COMMENTS[index].0.to_owned(), STANDARD.encode(comment_event(index).encode()))
}

fn comments_batch() -> Payload {
    payload("comments", (0..COMMENTS.len()).map(encoded_comment).collect())
}

/// Records of a batch in order; the bad ones with their reason.
fn comments_with_bad_ones() -> Vec<(Option<Reason>, (String, String))> {
    let text = String::from_utf8(comment_event(2).encode()).expect("UTF-8");
    let bad = |reason: Reason, data: &[u8]| (Some(reason), (format!("bad-{reason}"), STANDARD.encode(data)));
    let mut without_body = comment_event(2);
    without_body.data.body = None;
    vec![
        (None, encoded_comment(0)),
        bad(Reason::NotJson, b"hello, is this the moderation stream?"),
        bad(Reason::NotUtf8, &[0xFF, 0xFE, b'{', 0]),
        (None, encoded_comment(1)),
        bad(Reason::KplAggregate, &[0xF3, 0x89, 0x9A, 0xC2, 0x0A, 0x01, b'a']),
        bad(Reason::NotAnEvent, &serde_json::to_vec(&comment_event(2).data).expect("serialises")),
        bad(Reason::UnknownVersion, text.replace("modstream.comment.v1", "modstream.comment.v2").as_bytes()),
        bad(Reason::WrongType, &prediction_event(0).encode()),
        bad(
            Reason::InvalidData,
            text.replace("\"body\":\"Wake up!!!", "\"body\":true,\"title\":\"Wake up!!!").as_bytes(),
        ),
        bad(Reason::MissingBody, &without_body.encode()),
        (Some(Reason::NotBase64), ("bad-not_base64".to_owned(), "not base64!".to_owned())),
        (None, encoded_comment(3)),
    ]
}

fn comments_batch_bad() -> Payload {
    payload("comments", comments_with_bad_ones().into_iter().map(|(_, record)| record).collect())
}

/// What a model makes of a comment; numbers as they come out of one, rounded.
struct Score {
    comment: usize,
    probability: f64,
    log_odds: f64,
    terms: [(&'static str, f64); 3],
    other: f64,
    point: (f64, f64, f64),
}

const INTERCEPT: f64 = -2.4;
const SCORES: [Score; 3] = [
    Score {
        comment: 0,
        probability: 0.0356,
        log_odds: -3.3,
        terms: [("half-life", -0.55), ("length", -0.31), ("?", -0.2)],
        other: 0.16,
        point: (0.11, 0.98, 0.89),
    },
    Score {
        comment: 2,
        probability: 0.9707,
        log_odds: 3.5,
        terms: [("!!!", 2.1), ("wake up", 1.85), ("my channel", 1.25)],
        other: 0.7,
        point: (0.93, 0.14, 0.015),
    },
    Score {
        comment: 4,
        probability: 0.4256,
        log_odds: -0.3,
        terms: [("lol", 0.9), ("first", 0.72), ("length", 0.4)],
        other: 0.08,
        point: (0.38, 0.52, 0.137),
    },
];

fn prediction_event(index: usize) -> Event<'static, Prediction<'static>> {
    let score = &SCORES[index];
    let comment = comment_event(score.comment);
    let id = ids::prediction(&comment.source, &comment.id, MODEL_VERSION).to_string();
    let (precision, recall, share) = score.point;
    let at = time("2026-01-05T10:00:01Z");
    let prediction = Prediction {
        version: None,
        comment_event: EventRef { source: comment.source, id: comment.id, time: comment.time },
        comment: comment.data,
        probability: score.probability,
        log_odds: score.log_odds,
        intercept: INTERCEPT,
        terms: score.terms.map(|(term, contribution)| Term { term: term.into(), contribution }).to_vec(),
        other: score.other,
        model: ModelRef { name: "rscience".into(), version: MODEL_VERSION.into() },
        operating_point: OperatingPoint { precision, recall, share, base_rate: 0.1 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
    };
    Event::new(id, "urn:modstream:score-comments", at, prediction)
}

fn predictions_batch() -> Payload {
    let key = |index: usize| COMMENTS[SCORES[index].comment].0.to_owned();
    payload(
        "predictions",
        (0..SCORES.len()).map(|index| (key(index), STANDARD.encode(prediction_event(index).encode()))).collect(),
    )
}

#[test]
fn the_batches_are_what_the_types_give() {
    golden::check("samples/comments-batch.json", &golden::pretty(&comments_batch()));
    golden::check("samples/comments-batch-bad.json", &golden::pretty(&comments_batch_bad()));
    golden::check("samples/predictions-batch.json", &golden::pretty(&predictions_batch()));
}

#[test]
fn the_invocations_of_generate_comments_are_what_the_readme_says() {
    golden::check("samples/generate.json", "{\"comments\":10,\"offset\":0,\"spread_seconds\":0}\n");
    // As in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html.
    let mut scheduled = json!({
        "version": "0",
        "id": "0b1c7d52-6a3e-4f0d-9c58-2e7f41d3a960",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-05T10:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/modstream-generate-comments"],
        "detail": {}
    });
    scheduled.sort_all_objects();
    golden::check("samples/schedule.json", &golden::pretty(&scheduled));
}

/// The data of a sample's records.
fn data_of(payload: &Payload) -> Vec<Vec<u8>> {
    payload.records.iter().map(|record| STANDARD.decode(&record.kinesis.data).unwrap_or_default()).collect()
}

#[test]
fn every_comment_of_the_batch_can_be_scored() {
    let records = data_of(&comments_batch());
    assert_eq!(records.len(), 5);
    for record in &records {
        let event: Event<'_, Comment<'_>> = Event::decode(record).expect("decodes");
        event.data.body().expect("a body");
    }
}

#[test]
fn every_bad_record_of_the_batch_is_bad_as_its_key_says() {
    let wanted: Vec<Option<Reason>> = comments_with_bad_ones().into_iter().map(|(reason, _)| reason).collect();
    let records = data_of(&comments_batch_bad());
    assert_eq!(records.len(), wanted.len());
    for (record, wanted) in records.iter().zip(wanted) {
        // Data that is no base64 never gets as far as here.
        if wanted != Some(Reason::NotBase64) {
            let found = Event::<Comment<'_>>::decode(record).and_then(|event| event.data.body().map(drop));
            assert_eq!(found.err().map(|bad| bad.reason), wanted);
        }
    }
}

#[test]
fn one_prediction_of_the_batch_is_clearly_high() {
    let records = data_of(&predictions_batch());
    let mut high = 0;
    for record in &records {
        let Prediction { probability, log_odds, intercept, terms, other, operating_point, .. } =
            Event::decode(record).expect("decodes").data;
        let sum = intercept + terms.iter().map(|term| term.contribution).sum::<f64>() + other;
        assert!((sum - log_odds).abs() < 1e-9, "{sum} is not {log_odds}");
        assert!((1.0 / (1.0 + (-log_odds).exp()) - probability).abs() < 1e-4, "{probability}");
        high += usize::from(probability >= 0.9 && operating_point.precision >= 0.9);
    }
    assert_eq!((records.len(), high), (3, 1));
}

#[test]
fn the_sample_comments_are_420_of_which_139_were_removed() {
    let path = format!("{}/samples/comments.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(path).expect("the sample is there");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let removed = rows.iter().filter(|row| row["removed"] == true).count();
    assert_eq!((rows.len(), removed), (420, 139));
    for row in &rows {
        let comment: Comment<'_> = Comment::deserialize(row).expect("a comment");
        comment.body().expect("a body");
    }
}
