//! The generator over the memory world. Time is virtual.

mod config;
mod corpus;
mod schedule;

use std::time::Duration;

use generate_comments::{Config, GenerateComments, GenerateError, Generated};
use jiff::Timestamp;
use modstream_events::{Comment, Event};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream};
use modstream_platform::{Clock, Condition, Objects};

/// The function and what it works on.
struct Fixture {
    function: GenerateComments<MemoryStream, MemoryObjects, MemoryClock>,
    comments: MemoryStream,
    objects: MemoryObjects,
    clock: MemoryClock,
}

/// What stands on the stream.
#[derive(Clone, Debug, PartialEq)]
struct Arrived {
    id: String,
    row: String,
    time: Timestamp,
    /// Seconds after the start.
    after: f64,
}

const START: &str = "2026-01-05T10:00:30Z";
const CORPUS: &str = "corpus.jsonl";

fn config(rate: f64, corpus_key: &str) -> Config {
    Config {
        comments_stream: "comments".to_owned(),
        bucket: "bucket".to_owned(),
        corpus_key: corpus_key.to_owned(),
        rate,
        spread_seconds: 60.0,
    }
}

impl Fixture {
    /// `rate` comments a second, spread over a minute, from a corpus of so many rows: r0, r1, ...
    async fn new(rate: f64, rows: usize) -> Self {
        let clock = MemoryClock::starting_at(START.parse().expect("a time"));
        let (comments, objects) = (MemoryStream::new("comments", 1, clock), MemoryObjects::new());
        let function = GenerateComments::new(config(rate, CORPUS), comments.clone(), objects.clone(), clock);
        let fixture = Fixture { function, comments, objects, clock };
        let rows = (0..rows).map(|row| format!("{{\"id\":\"r{row}\",\"body\":\"Is it so?\"}}\n"));
        fixture.put_corpus(rows.collect::<String>().as_bytes()).await;
        fixture
    }

    /// The same, configured for another corpus.
    fn reading(self, corpus_key: &str) -> Self {
        let function =
            GenerateComments::new(config(1.0, corpus_key), self.comments.clone(), self.objects.clone(), self.clock);
        Fixture { function, ..self }
    }

    async fn put_corpus(&self, bytes: &[u8]) {
        self.put(CORPUS, bytes).await;
    }

    async fn put(&self, key: &str, bytes: &[u8]) {
        self.objects.put(key, bytes.to_vec().into(), Condition::Always).await.expect("the bucket takes it");
    }

    async fn generate(&self, payload: &str) -> Result<Generated, GenerateError> {
        self.generate_within(payload, Duration::from_secs(840)).await
    }

    async fn generate_within(&self, payload: &str, time: Duration) -> Result<Generated, GenerateError> {
        let deadline = self.clock.now() + time;
        let generated = self.function.handle(payload.as_bytes(), "request-1", deadline).await;
        // tokio's timers tick in milliseconds.
        assert!(self.clock.now() <= deadline + Duration::from_millis(1), "it ends by its deadline");
        generated
    }

    /// Everything on the stream, in order.
    fn arrived(&self) -> Vec<Arrived> {
        let start: Timestamp = START.parse().expect("a time");
        let records = self.comments.records();
        let all = records.iter().map(|record| {
            let event: Event<'_, Comment<'_>> = Event::decode(&record.data).expect("a comment event");
            Arrived {
                id: event.id.to_string(),
                row: event.data.id.expect("rows have ids").into_owned(),
                time: event.time,
                after: record.arrived.duration_since(start).as_secs_f64(),
            }
        });
        all.collect()
    }

    fn rows(&self) -> Vec<String> {
        self.arrived().into_iter().map(|arrived| arrived.row).collect()
    }
}

fn scheduled(id: &str, time: &str) -> String {
    format!(r#"{{"version":"0","id":"{id}","detail-type":"Scheduled Event","time":"{time}","detail":{{}}}}"#)
}
