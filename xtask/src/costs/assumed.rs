//! What the bill is computed from, besides what is counted: `docs/costs.toml`.

use anyhow::Context as _;
use serde::Deserialize;

use crate::checkout;

/// Prices, and what is assumed of each rate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assumed {
    pub(super) prices: Prices,
    pub(super) rates: Rates,
}

/// What is paid for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prices {
    pub(super) shard_hour: Price,
    pub(super) put_unit: Price,
    pub(super) request: Price,
    pub(super) gb_second: Price,
    pub(super) put: Price,
    pub(super) get: Price,
    pub(super) stored_object: Price,
    pub(super) write_unit: Price,
    pub(super) read_unit: Price,
    pub(super) stored_item: Price,
    pub(super) recoverable_item: Price,
    pub(super) publish: Price,
    pub(super) secret: Price,
    pub(super) alarm: Price,
    pub(super) log: Price,
}

impl Prices {
    /// All of them, as the documents list them.
    pub(super) fn all(&self) -> [&Price; 15] {
        let Prices { shard_hour, put_unit, request, gb_second, put, get, stored_object, .. } = self;
        let Prices { write_unit, read_unit, stored_item, recoverable_item, publish, secret, alarm, log, .. } = self;
        [
            shard_hour,
            put_unit,
            request,
            gb_second,
            put,
            get,
            stored_object,
            write_unit,
            read_unit,
            stored_item,
            recoverable_item,
            publish,
            secret,
            alarm,
            log,
        ]
    }
}

/// A price.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    usd: f64,
    /// For how many units it is.
    #[serde(default = "one")]
    per: u64,
    pub(super) unit: String,
    /// When the figure was looked up.
    pub(super) read: String,
    /// Where.
    pub(super) from: String,
}

fn one() -> u64 {
    1
}

impl Price {
    /// What so many units cost.
    pub(super) fn of(&self, units: f64) -> f64 {
        self.usd * units / self.per as f64
    }

    /// The price, as a table shows it.
    pub(super) fn shown(&self) -> String {
        let usd = if self.usd >= 0.001 { format!("{:.3}", self.usd) } else { format!("{:.10}", self.usd) };
        // Cents are always there, and what is below them where it says something.
        let cents = usd.find('.').map_or(usd.len(), |point| point + 3);
        let (head, tail) = usd.split_at(cents.min(usd.len()));
        let per = if self.per == 1 { "" } else { " a million" };
        format!("${head}{}{per}", tail.trim_end_matches('0'))
    }
}

/// The rates that the documents show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub(super) small: Rate,
    pub(super) large: Rate,
    pub(super) huge: Rate,
}

/// What is assumed of a rate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    pub(super) comments_a_second: u32,
    /// Shards of each stream.
    pub(super) shards: u32,
    pub(super) score: Batches,
    pub(super) publish: Batches,
    /// The same where few comments alert.
    pub(super) publish_few_alerts: Batches,
    pub(super) archive_ms: f64,
    /// How long a run of the digests takes; none where there are no digests.
    pub(super) digest_seconds: Option<f64>,
}

/// How often a function is invoked, and for how long.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batches {
    pub(super) batches_a_shard_second: f64,
    pub(super) ms: f64,
}

impl Assumed {
    /// Reads the file.
    pub(super) fn read() -> anyhow::Result<Self> {
        let path = checkout::root().join("docs/costs.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not what the bill needs", path.display()))
    }
}
