//! What an alert costs: calls to the table, and units that are billed.

use std::sync::Arc;

use counted_calls::{assert_calls, assert_counted};
use modstream_events::{Comment, LabelPrediction, ModelRef, Term};
use modstream_links::{LinkMaker, Signer};
use modstream_platform::table::Operation;

use super::*;

/// Alerts about the sample comments, as they come from the shipped models. Most are made by the model of removals, and no label is
/// near an alert.
fn predictions() -> Vec<Prediction<'static>> {
    let samples = include_str!("../../../../events/samples/comments.jsonl");
    let mut random = fastrand::Rng::with_seed(7);
    let prediction = |line: &str| {
        let comment: Comment<'_> = serde_json::from_str(line).expect("a comment");
        let id = uuid::Uuid::from_u128(random.u128(..)).to_string();
        let mut digits = |one_of: u32| f64::from(random.u32(..)) / f64::from(u32::MAX) / f64::from(one_of);
        let words: Vec<String> =
            comment.body.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        let term = |at: usize, contribution: f64| Term {
            term: words.get(at * 3).map_or("of the", String::as_str).to_owned().into(),
            contribution,
        };
        Prediction {
            comment_event: EventRef { source: "urn:modstream:generate-comments".into(), id: id.into(), time: time() },
            probability: digits(1),
            log_odds: digits(1),
            intercept: digits(1),
            terms: (0..4)
                .map(|at| term(at, digits(1)))
                .chain([Term::of_form("123 characters, 2 question marks", 0.123_456_789)])
                .collect(),
            model: ModelRef { name: "rscience".into(), version: "0123456789abcdef".repeat(4).into() },
            operating_point: OperatingPoint {
                precision: digits(1),
                recall: digits(1),
                share: digits(1),
                base_rate: digits(2),
            },
            comment: comment.into_owned(),
            labels: Some(LABELS.map(|name| label(name, &mut digits)).into()),
            harm_model: Some(ModelRef { name: "harm".into(), version: "fedcba9876543210".repeat(4).into() }),
            ..prediction()
        }
    };
    samples.lines().map(prediction).collect()
}

const LABELS: [&str; 6] = ["toxic", "severe_toxic", "obscene", "insult", "threat", "identity_attack"];

fn label(name: &'static str, digits: &mut impl FnMut(u32) -> f64) -> LabelPrediction<'static> {
    LabelPrediction {
        label: name.into(),
        probability: digits(100),
        log_odds: -digits(1),
        intercept: -digits(1),
        terms: Vec::new(),
        other: digits(1),
        false_alarms: 0.1 + digits(2),
    }
}

fn encoded(predictions: &[Prediction<'static>]) -> Vec<Vec<u8>> {
    let events = predictions.iter().enumerate().map(|(number, prediction)| {
        let id = uuid::Uuid::from_u128(0x9e37_79b9_7f4a_7c15 * number as u128).to_string();
        Event::new(id, "urn:modstream:score-comments", time(), prediction.clone()).encode()
    });
    events.collect()
}

#[tokio::test(start_paused = true)]
async fn an_alert_costs_under_five_write_units_and_three_calls_to_the_table() {
    let mut fixture = Fixture::new("0");
    let signer = Arc::new(Signer::new(&[1; 32], None).expect("a key"));
    let base = "https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws";
    fixture.function = fixture.function.with_links(Some(LinkMaker::new(base, signer)));
    let mut units = Vec::new();
    for record in encoded(&predictions()) {
        assert_eq!(fixture.handle(&[record]).await, SUCCESS);
        let usage = fixture.table.reset_usage();
        // It is made, what happened to its comment is looked up, and it is recorded as sent.
        let calls = usage.calls.iter().map(|(operation, calls)| (operation.name(), *calls));
        assert_calls("/publish-alerts/calls_an_alert", calls);
        assert_counted("/publish-alerts/read_units_an_alert", usage.read.units());
        units.push(usage.write_units);
    }
    let (alerts, total) = (units.len() as u64, units.iter().sum::<u64>());
    let within = units.iter().filter(|units| **units <= 4).count() as u64;
    let stored = fixture.table.stored_bytes() as f64 / alerts as f64;
    println!("{alerts} alerts, {total} units, {within} of them within 4, {stored:.0} bytes stored an alert");
    assert_counted("/publish-alerts/write_units_an_alert", total as f64 / alerts as f64);
    assert_counted("/publish-alerts/stored_bytes_an_alert", stored);
    // A comment of more than some 400 characters takes a kilobyte more, each time that it is written.
    assert!(within * 100 >= alerts * 70 && units.iter().all(|units| *units <= 6), "{within} of {alerts}: {units:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_by_rules_is_one_write() {
    let fixture = Fixture::new("1");
    let policies =
        modstream_policy::Policies::parse("[default]\nthreshold = 0\nchannels = [\"digest\"]").expect("good");
    let deadline = fixture.clock.now() + Duration::from_secs(10);
    let store = modstream_in_use::policies::PolicyStore::new(&fixture.objects, &fixture.clock, deadline);
    store.push(&policies).await.expect("it is pushed");
    assert_eq!(fixture.handle(&encoded(&predictions()[..1])).await, SUCCESS);
    let usage = fixture.table.usage();
    assert_eq!((usage.write_units, usage.calls_of(Operation::PutItem), usage.total_calls()), (3, 1, 2));
}
