//! The share of comments that moderators remove.

use serde_json::Value;

use crate::{Fixture, config, model_files, number};

const TEXTS: [&str; 3] = ["lol this is dumb, my doctor is a scam", "What is the sample size?", ""];

fn point(event: &Value, field: &str) -> f64 {
    number(event, &format!("/data/operating_point/{field}"))
}

/// The share of comments removed in the training data.
fn training_share() -> f64 {
    let (_, manifest) = model_files().load().expect("a sound model");
    manifest.first_head().training.share()
}

fn log_odds_of(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

#[tokio::test(start_paused = true)]
async fn without_a_base_rate_the_training_datas_share_is_assumed() {
    for event in Fixture::predict(&config(None, 5), &TEXTS).await {
        assert!((point(&event, "base_rate") - training_share()).abs() < 1e-12);
    }
}

#[tokio::test(start_paused = true)]
async fn a_base_rate_shifts_the_log_odds_by_the_change_of_the_prior() {
    let trained = Fixture::predict(&config(None, 5), &TEXTS).await;
    let shifted = Fixture::predict(&config(Some(0.05), 5), &TEXTS).await;
    let wanted = log_odds_of(0.05) - log_odds_of(training_share());
    for (trained, shifted) in trained.iter().zip(&shifted) {
        let shift = number(shifted, "/data/log_odds") - number(trained, "/data/log_odds");
        assert!((shift - wanted).abs() < 1e-9, "{shift}");
        let (before, after) = (number(trained, "/data/probability"), number(shifted, "/data/probability"));
        assert!((log_odds_of(after) - log_odds_of(before) - wanted).abs() < 1e-9);
        assert!((number(shifted, "/data/intercept") - number(trained, "/data/intercept") - wanted).abs() < 1e-9);
    }
}

#[tokio::test(start_paused = true)]
async fn where_fewer_comments_are_removed_an_alert_is_less_precise_and_catches_as_many() {
    let trained = Fixture::predict(&config(None, 5), &TEXTS).await;
    let rare = Fixture::predict(&config(Some(0.05), 5), &TEXTS).await;
    for (trained, rare) in trained.iter().zip(&rare) {
        assert_eq!(point(rare, "base_rate"), 0.05);
        assert!(point(rare, "precision") < point(trained, "precision"));
        assert!(point(rare, "share") < point(trained, "share"));
        assert!((point(rare, "recall") - point(trained, "recall")).abs() < 1e-12);
    }
}
