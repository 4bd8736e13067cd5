//! How long comments take at a rate: the real scorer and publisher over shards in virtual time, with what Lambda, Kinesis, S3,
//! DynamoDB and SNS take sampled from a seed ([`assumed`]).
//!
//! Shards do not wait for one another, in Kinesis or here, so a few of many are simulated, each by itself. Nothing fails, and
//! every environment is warm.

pub mod assumed;
mod report;
mod samples;
mod services;
mod shard;

use std::time::Duration;

use rayon::prelude::*;

pub use report::Report;
use samples::Samples;
use shard::Seen;

/// What is simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Comments a second, over all shards.
    pub rate: f64,
    /// Of each of the two streams.
    pub shards: u64,
    /// How long comments come.
    pub seconds: u64,
    /// The most records of a batch of `score-comments`.
    pub batch_size: usize,
    /// How long a batch of `score-comments` waits for more.
    pub window: Duration,
    /// The most records of a batch of `publish-alerts`.
    pub publish_batch_size: usize,
    /// How many batches of a shard `publish-alerts` has under way at once.
    pub parallelization_factor: usize,
    /// The share of comments that alert.
    pub alert_share: f64,
    /// Whether both functions read by enhanced fan-out.
    pub fan_out: bool,
    /// The median of a write of an item, in milliseconds.
    pub write_item_ms: f64,
    /// What all chance follows from.
    pub seed: u64,
}

impl Default for Settings {
    /// As `infra/` sets the mappings up, at 1,000 comments a second over four shards.
    fn default() -> Self {
        Settings {
            rate: 1_000.0,
            shards: 4,
            seconds: 60,
            batch_size: 500,
            window: Duration::from_secs(1),
            publish_batch_size: 100,
            parallelization_factor: 1,
            alert_share: 0.05,
            fan_out: false,
            write_item_ms: assumed::WRITE_ITEM_MEDIAN,
            seed: 0,
        }
    }
}

impl Settings {
    /// How many comments come on the shards that are simulated.
    pub fn simulated_comments(&self) -> u64 {
        let shards = self.shards.min(MOST_SHARDS) as f64;
        (self.rate * self.seconds as f64 / self.shards as f64 * shards).round() as u64
    }
}

/// What alerts: `infra/`'s policy.
const POLICY: &str = "0.7";
const LEAST_PROBABILITY: f64 = 0.7;
/// More of the same would say nothing new.
const MOST_SHARDS: u64 = 4;

/// Simulates up to four of the shards.
pub fn simulate(settings: &Settings) -> Report {
    let samples = Samples::read(settings.alert_share);
    let shards: Vec<(u64, Vec<Duration>)> = (0..).zip(due(settings)).collect();
    let seen: Vec<Seen> =
        shards.par_iter().map(|(number, due)| shard::simulate(settings, &samples, *number, due)).collect();
    Report::of(settings.clone(), &seen)
}

/// When comments are due on each shard: at an even rate overall, each on a shard of chance, as keys have it.
fn due(settings: &Settings) -> Vec<Vec<Duration>> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let mut due = vec![Vec::new(); settings.shards.min(MOST_SHARDS) as usize];
    let comments = (settings.rate * settings.seconds as f64).round().max(1.0) as u64;
    for number in 0..comments {
        let shard = random.u64(..settings.shards) as usize;
        if let Some(due) = due.get_mut(shard) {
            due.push(Duration::from_secs_f64(number as f64 / settings.rate));
        }
    }
    due
}
