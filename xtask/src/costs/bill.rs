//! The lines of a month's bill.

use counted_calls::counted;

use super::assumed::{Assumed, Batches, Price, Rate};

pub(super) const HOURS: f64 = 730.0;
const SECONDS: f64 = HOURS * 3_600.0;
const MINUTES: f64 = HOURS * 60.0;
/// How long the archive is kept by default.
const ARCHIVE_SECONDS: f64 = 30.0 * 24.0 * 3_600.0;
/// How many comments an object of the archive holds at most: a Lambda payload is 6 MB.
const COMMENTS_AN_OBJECT: f64 = 5_000.0;
/// A batch of the archive waits for half a minute.
const OBJECTS_A_SHARD_MINUTE: f64 = 2.0;
/// Digests come every five minutes.
const RUNS: f64 = MINUTES / 5.0;
/// Kinesis counts records in steps of this many bytes.
const PUT_UNIT_BYTES: f64 = 25.0 * 1024.0;
/// A PublishBatch takes this many messages.
const MESSAGES_A_CALL: f64 = 10.0;
const GB: f64 = 1e9;

/// How many comments alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Alerts {
    FiveInAHundred,
    OneInAThousand,
}

impl Alerts {
    fn share(self) -> f64 {
        match self {
            Alerts::FiveInAHundred => 0.05,
            Alerts::OneInAThousand => 0.001,
        }
    }
}

/// A line: what is paid for, how much of it there is, and what that costs.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) price: String,
    pub(super) quantity: String,
    pub(super) usd: f64,
}

/// A month's bill.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    pub(super) lines: Vec<Line>,
    /// Millions of comments.
    pub(super) millions: f64,
    /// What the table's growth adds to each later month.
    pub(super) growth: f64,
    /// What it would be more if SNS billed each message of a call.
    pub(super) by_message: f64,
}

impl Bill {
    pub(super) fn total(&self) -> f64 {
        self.lines.iter().map(|line| line.usd).sum()
    }

    pub(super) fn a_million(&self) -> f64 {
        self.total() / self.millions
    }

    pub(super) fn scoring_a_million(&self) -> f64 {
        self.of("`score-comments`") / self.millions
    }

    /// What the lines that name this cost together.
    pub(super) fn of(&self, part: &str) -> f64 {
        self.lines.iter().filter(|line| line.what.contains(part)).map(|line| line.usd).sum()
    }

    /// The bill of a month at a rate.
    pub(super) fn of_month(assumed: &Assumed, rate: &Rate, alerts: Alerts) -> Self {
        let prices = &assumed.prices;
        let (comments_a_second, shards) = (f64::from(rate.comments_a_second), f64::from(rate.shards));
        let comments = comments_a_second * SECONDS;
        let alerting = comments * alerts.share();
        let publish = match alerts {
            Alerts::FiveInAHundred => rate.publish,
            Alerts::OneInAThousand => rate.publish_few_alerts,
        };
        let mut lines = Lines(Vec::new());

        let streams = counted("/deployed/streams");
        let hours = format!("{streams} × {shards} × {HOURS}");
        lines.add("Kinesis, shard hours", &prices.shard_hour, streams * shards * HOURS, hours);
        let put_units = |bytes: &str| (counted(bytes) / PUT_UNIT_BYTES).ceil();
        let units = put_units("/score-comments/comment_bytes") + put_units("/score-comments/prediction_bytes");
        lines.add(
            "Kinesis, put payload units",
            &prices.put_unit,
            units * comments,
            format!("{units} × {}", many(comments)),
        );

        let invocations = |batches: Batches| batches.batches_a_shard_second * shards * SECONDS;
        let objects = (OBJECTS_A_SHARD_MINUTE * shards * MINUTES).max(comments / COMMENTS_AN_OBJECT);
        let runs = if rate.digest_seconds.is_some() { RUNS } else { 0.0 };
        let (scored, published) = (invocations(rate.score), invocations(publish));
        let a_shard = |batches: Batches| format!("{} a shard a second: ", batches.batches_a_shard_second);
        lines.add("Lambda, requests of `score-comments`", &prices.request, scored, a_shard(rate.score) + &many(scored));
        lines.add(
            "Lambda, requests of `publish-alerts`",
            &prices.request,
            published,
            a_shard(publish) + &many(published),
        );
        lines.add("Lambda, requests of `archive-comments`", &prices.request, objects, many(objects));
        let mut time = |what, memory: f64, ms: f64, invocations: f64| {
            let gb_seconds = memory * ms / 1e3 * invocations;
            lines.add(what, &prices.gb_second, gb_seconds, format!("{} ms: {} GB-s", grouped(ms, 0), many(gb_seconds)));
        };
        time("Lambda, time of `score-comments`, 0.5 GB", 0.5, rate.score.ms, scored);
        time("Lambda, time of `publish-alerts`, 0.25 GB", 0.25, publish.ms, published);
        time("Lambda, time of `archive-comments`, 0.25 GB", 0.25, rate.archive_ms, objects);
        if let Some(seconds) = rate.digest_seconds {
            time("Lambda, time of `digest-alerts`, 0.25 GB", 0.25, seconds * 1e3, runs);
        }

        lines.add("S3, a put a batch of the archive", &prices.put, objects, many(objects));
        let kept = counted("/archive-comments/stored_bytes_a_comment") * comments_a_second * ARCHIVE_SECONDS / GB;
        lines.add("S3, 30 days of the archive", &prices.stored_object, kept, format!("{} GB", grouped(kept, 0)));
        let looks = 2.0 * shards * MINUTES;
        lines.add("S3, a look a minute at model and policies", &prices.get, looks, many(looks));

        let writes = counted("/publish-alerts/write_units_an_alert");
        let quantity = format!("{writes} × {}", many(alerting));
        lines.add(
            "DynamoDB, writing an alert (made, listed twice, sent)",
            &prices.write_unit,
            writes * alerting,
            quantity,
        );
        let reads = counted("/publish-alerts/read_units_an_alert");
        let quantity = format!("{reads} × {}", many(alerting));
        lines.add("DynamoDB, reading what happened to its comment", &prices.read_unit, reads * alerting, quantity);
        if runs > 0.0 {
            let units = |of: &str| {
                counted(&format!("/digest-alerts/{of}_units_a_run")) * runs
                    + counted(&format!("/digest-alerts/{of}_units_an_alert")) * alerting
            };
            let (read, written) = (units("read"), units("write"));
            lines.add("DynamoDB, what digests read", &prices.read_unit, read, many(read));
            lines.add("DynamoDB, what digests write", &prices.write_unit, written, many(written));
        }
        let grown = counted("/publish-alerts/stored_bytes_an_alert") * alerting / GB;
        let half = format!("half of {} GB", grouped(grown, 1));
        lines.add("DynamoDB, the first month's alerts", &prices.stored_item, grown / 2.0, half.clone());
        lines.add("DynamoDB, a copy of them to restore", &prices.recoverable_item, grown / 2.0, half);

        // A call takes up to ten alerts of one batch: of each batch that has any, one is begun, and one more with each tenth.
        let calls = alerting / MESSAGES_A_CALL + (1.0 - 1.0 / MESSAGES_A_CALL) * alerting.min(published);
        lines.add("SNS, publishing alerts", &prices.publish, calls, many(calls));

        let secrets = counted("/deployed/secrets");
        lines.add("Secrets Manager, the key of the links", &prices.secret, secrets, secrets.to_string());
        let alarms = counted("/deployed/alarms");
        lines.add("CloudWatch, alarms", &prices.alarm, alarms, alarms.to_string());
        let logged = [
            ("score-comments", scored),
            ("publish-alerts", published),
            ("archive-comments", objects),
            ("digest-alerts", runs),
        ];
        let bytes = logged.map(|(function, runs)| counted(&format!("/{function}/log_bytes")) * runs);
        let logged = bytes.iter().sum::<f64>() / GB;
        lines.add("CloudWatch, logs", &prices.log, logged, format!("{logged:.1} GB"));

        Bill {
            lines: lines.0,
            millions: comments / 1e6,
            growth: prices.stored_item.of(grown) + prices.recoverable_item.of(grown),
            by_message: prices.publish.of(alerting - calls),
        }
    }
}

struct Lines(Vec<Line>);

impl Lines {
    fn add(&mut self, what: &'static str, price: &Price, units: f64, quantity: String) {
        self.0.push(Line { what, price: price.shown(), quantity, usd: price.of(units) });
    }
}

/// A number with its thousands apart.
pub(super) fn grouped(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    let point = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (place, digit) in text[..point].char_indices() {
        if place > 0 && (point - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &text[point..]
}

/// A number as tables show it.
pub(super) fn many(number: f64) -> String {
    if number >= 1e8 {
        format!("{} M", grouped(number / 1e6, 0))
    } else if number >= 1e6 {
        format!("{:.1} M", number / 1e6)
    } else {
        grouped(number, 0)
    }
}
