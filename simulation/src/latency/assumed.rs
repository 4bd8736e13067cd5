//! What the simulation of latency assumes of AWS: each number with its source, or called assumed.

use std::f64::consts::TAU;
use std::time::Duration;

/// How long something takes: lognormal, as latencies of such services roughly are, by its median and its 99th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takes {
    /// Half of the calls take no longer, in milliseconds.
    pub median: f64,
    /// Ninety-nine of a hundred take no longer, in milliseconds.
    pub p99: f64,
}

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326;

impl Takes {
    const fn ms(median: f64, p99: f64) -> Self {
        Takes { median, p99 }
    }

    pub(super) fn sample(self, random: &mut fastrand::Rng) -> Duration {
        // Box and Muller's way to a normal number; 1 - f64() is never 0.
        let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos();
        let sigma = (self.p99 / self.median).ln() / Z99;
        Duration::from_secs_f64(self.median / 1e3 * (sigma * normal).exp())
    }
}

/// How often Lambda reads a shard: once a second
/// ([Polling and batching streams](https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html)).
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// One GetRecords call. Assumed.
pub const GET_RECORDS: Takes = Takes::ms(15.0, 60.0);
/// From PutRecords to a consumer with enhanced fan-out: 70 ms on average
/// ([Reading data](https://docs.aws.amazon.com/streams/latest/dev/building-consumers.html)).
pub const FAN_OUT: Duration = Duration::from_millis(70);
/// What Lambda takes around an invocation: the payload's way there and the answer's back. Assumed.
pub const INVOKE: Takes = Takes::ms(10.0, 50.0);
/// One PutRecords call. Assumed.
pub const PUT_RECORDS: Takes = Takes::ms(20.0, 100.0);
/// One PublishBatch call. Assumed.
pub const PUBLISH_BATCH: Takes = Takes::ms(25.0, 120.0);
/// One GetObject call. Assumed.
pub const GET_OBJECT: Takes = Takes::ms(25.0, 120.0);
/// One PutObject call. Assumed.
pub const PUT_OBJECT: Takes = Takes::ms(30.0, 120.0);
/// One GetItem call, or a page of a query. Assumed: AWS says "single-digit milliseconds"
/// ([DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html)).
pub const GET_ITEM: Takes = Takes::ms(4.0, 20.0);
/// The default median of a call that writes an item, in milliseconds. Assumed, as before.
pub const WRITE_ITEM_MEDIAN: f64 = 6.0;
/// Its 99th percentile, in medians. Assumed.
const WRITE_ITEM_TAIL: f64 = 5.0;

/// One call that writes an item, with this median.
pub(super) const fn write_item(median: f64) -> Takes {
    Takes::ms(median, median * WRITE_ITEM_TAIL)
}

/// Records a second that a shard takes
/// ([quotas](https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html)).
pub const SHARD_RECORDS: f64 = 1_000.0;
/// Bytes a second that a shard takes, keys included (the same page). What it did not take within a second it takes at once:
/// assumed.
pub const SHARD_BYTES: f64 = 1_048_576.0;

/// The memory that gives a function one vCPU, in MB
/// ([memory](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)).
const ONE_CPU: f64 = 1_769.0;
/// Megabytes of `score-comments`, as `infra/` has them.
pub const SCORE_MEMORY: f64 = 512.0;
/// Megabytes of `publish-alerts`, as `infra/` has them.
pub const PUBLISH_MEMORY: f64 = 256.0;
/// CPU time of a comment in `score-comments`, in seconds: docs/performance.md, a payload of 1,000 sample comments in 15 ms.
pub const SCORE_CPU: f64 = 15e-6;
/// CPU time of a prediction in `publish-alerts`, in seconds: docs/performance.md, 22,000 comments a CPU-second on the whole road,
/// of which 9 % look at predictions, and half of 12 % read payloads.
pub const PUBLISH_CPU: f64 = 0.15 / 22_000.0;
/// CPU time of a call to a service (signature, TLS, HTTP), in seconds. Assumed.
pub const CALL_CPU: f64 = 200e-6;

/// How long a function of this memory is busy with so much CPU time.
pub(super) fn on(memory: f64, cpu: f64) -> f64 {
    cpu * (ONE_CPU / memory).max(1.0)
}
