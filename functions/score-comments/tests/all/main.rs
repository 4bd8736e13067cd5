//! The scorer over the memory world. Time is virtual.

mod base_rate;
mod config;
mod deadline;
mod labels;
mod payload;
mod predictions;
mod start;

use std::path::Path;
use std::time::Duration;

use kinesis_batch::{BatchResponse, SourceRecord, payload as payloads};
use modstream_classifier::BaseRate;
use modstream_classifier::artifact::ModelFiles;
use modstream_events::{Comment, Event, Prediction};
use modstream_in_use::models::ModelStore;
use modstream_platform::Clock;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream};
use score_comments::{Config, ScoreComments, StartError};

const START: &str = "2026-01-05T10:00:00Z";
const TIME: Duration = Duration::from_secs(10);

fn model_files() -> ModelFiles {
    ModelFiles::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/rscience")).expect("the model is there")
}

fn config(base_rate: Option<f64>, top_terms: usize) -> Config {
    Config {
        predictions_stream: "predictions".to_owned(),
        bucket: "bucket".to_owned(),
        model_name: "rscience".to_owned(),
        harm_model_name: None,
        base_rate: base_rate.map(|share| BaseRate::new(share).expect("a share")),
        top_terms,
    }
}

/// What the function works on.
struct Fixture {
    predictions: MemoryStream,
    objects: MemoryObjects,
    clock: MemoryClock,
}

type Function = ScoreComments<MemoryStream, MemoryObjects, MemoryClock>;

impl Fixture {
    /// With a bucket that holds no model.
    fn bare() -> Self {
        let clock = MemoryClock::starting_at(START.parse().expect("a time"));
        Fixture { predictions: MemoryStream::new("predictions", 1, clock), objects: MemoryObjects::new(), clock }
    }

    /// With a model promoted; its version.
    async fn with_model() -> (Self, String) {
        let fixture = Self::bare();
        let store = ModelStore::new(fixture.objects.clone(), fixture.clock, "rscience");
        let deadline = fixture.clock.now() + TIME;
        let version = store.push(&model_files(), deadline).await.expect("pushes").version;
        store.promote(&version, deadline).await.expect("promotes");
        (fixture, version)
    }

    async fn start(&self, config: &Config) -> Result<Function, StartError> {
        let (predictions, objects) = (self.predictions.clone(), self.objects.clone());
        ScoreComments::start(config, predictions, objects, self.clock, self.clock.now() + TIME).await
    }

    async fn handle(&self, function: &Function, payload: &[u8]) -> BatchResponse {
        function.handle(payload, self.clock.now() + TIME).await.expect("a batch")
    }

    /// The predictions for these texts, as JSON.
    async fn predict(config: &Config, bodies: &[&str]) -> Vec<serde_json::Value> {
        let (fixture, _) = Self::with_model().await;
        let function = fixture.start(config).await.expect("starts");
        let records: Vec<Vec<u8>> = bodies.iter().map(|body| comment(body)).collect();
        assert!(fixture.handle(&function, &payload(&records)).await.batch_item_failures.is_empty());
        fixture.on_stream()
    }

    fn on_stream(&self) -> Vec<serde_json::Value> {
        let records = self.predictions.records();
        let decoded = records.iter().map(|record| {
            let _: Event<'_, Prediction<'_>> = Event::decode(&record.data).expect("a prediction event");
            serde_json::from_slice(&record.data).expect("JSON")
        });
        decoded.collect()
    }
}

fn comment(body: &str) -> Vec<u8> {
    let comment = Comment { id: Some("c1".into()), body: Some(body.into()), ..Comment::default() };
    Event::new("e-1", "urn:example:forum", START.parse().expect("a time"), comment).encode()
}

fn payload(records: &[Vec<u8>]) -> Vec<u8> {
    let numbers: Vec<String> = (0..records.len()).map(|number| format!("49{number:054}")).collect();
    let records = records.iter().zip(&numbers).map(|(data, sequence_number)| SourceRecord {
        event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/comments",
        shard_id: "shardId-000000000000",
        sequence_number,
        partition_key: "c1",
        arrived_seconds: 1_767_607_200.0,
        data,
    });
    payloads::encode(&records.collect::<Vec<_>>())
}

fn number(event: &serde_json::Value, pointer: &str) -> f64 {
    event.pointer(pointer).and_then(serde_json::Value::as_f64).expect("a number")
}
