//! What a simulation of latency shows.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::assumed::{self, Takes};
use super::shard::{Invocation, Seen};
use super::{MOST_SHARDS, Settings};

/// What was seen.
pub struct Report {
    settings: Settings,
    shards: usize,
    to_prediction: Vec<Duration>,
    to_alert: Vec<Duration>,
    functions: [Function; 2],
    /// By how much more comments waited to get onto their stream, a second.
    producers_lag: f64,
    refused: u64,
    writes: u64,
}

/// One function, over all simulated shards.
struct Function {
    name: &'static str,
    /// Batches under way at once, a shard.
    lanes: usize,
    /// A second and a shard.
    invocations: f64,
    mean_records: f64,
    /// Of the time, its shard waits for it.
    busy: f64,
    mean_run: Duration,
    most_age: Duration,
    /// By how much its iterator age grows, a second.
    lag: f64,
}

/// A lag that grows by less than this a second is none.
const NO_LAG: f64 = 0.02;

impl Report {
    pub(super) fn of(settings: Settings, seen: &[Seen]) -> Self {
        let sorted = |of: fn(&Seen) -> &Vec<Duration>| {
            let mut all: Vec<Duration> = seen.iter().flat_map(of).copied().collect();
            all.sort();
            all
        };
        let seconds = settings.seconds as f64;
        let worst = |lags: Vec<f64>| lags.into_iter().fold(0.0, f64::max);
        let function = |name, lanes: usize, of: fn(&Seen) -> &Vec<Invocation>| {
            // What is worked off afterwards says nothing about the rate.
            let all: Vec<&Invocation> = seen.iter().flat_map(of).filter(|it| it.at.as_secs_f64() < seconds).collect();
            let count = all.len().max(1) as f64;
            let sum = |of: fn(&Invocation) -> Duration| all.iter().map(|it| of(it)).sum::<Duration>();
            let ages = |seen: &Seen| of(seen).iter().map(|it| (it.at, it.age)).collect::<Vec<_>>();
            Function {
                name,
                lanes,
                invocations: all.len() as f64 / seconds / seen.len() as f64,
                mean_records: all.iter().map(|it| it.records as f64).sum::<f64>() / count,
                busy: sum(|it| it.took).as_secs_f64() / seconds / (seen.len() * lanes) as f64,
                mean_run: sum(|it| it.ran).div_f64(count),
                most_age: all.iter().map(|it| it.age).max().unwrap_or_default(),
                lag: worst(seen.iter().map(|seen| growth(&ages(seen), seconds)).collect()),
            }
        };
        Report {
            shards: seen.len(),
            to_prediction: sorted(|seen| &seen.to_prediction),
            to_alert: sorted(|seen| &seen.to_alert),
            functions: [
                function(score_comments::NAME, 1, |seen| &seen.scored),
                function(publish_alerts::NAME, settings.parallelization_factor, |seen| &seen.published),
            ],
            producers_lag: worst(seen.iter().map(|seen| growth(&seen.waited, seconds)).collect()),
            refused: seen.iter().map(|seen| seen.refused).sum(),
            writes: seen.iter().map(|seen| seen.writes).sum(),
            settings,
        }
    }

    /// Whether the rate is kept up with: nothing falls behind.
    pub fn keeps_up(&self) -> bool {
        self.behind().is_empty()
    }

    /// The latency from when a comment is due to its prediction that a share of all stays within.
    pub fn to_prediction(&self, share: f64) -> Duration {
        at(&self.to_prediction, share)
    }

    /// And to its alert.
    pub fn to_alert(&self, share: f64) -> Duration {
        at(&self.to_alert, share)
    }

    /// What falls behind, each as a sentence.
    fn behind(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let rate = self.settings.rate / self.settings.shards as f64;
        if self.producers_lag > NO_LAG {
            sentences.push(format!(
                "the stream of comments falls behind: {rate:.0} comments a second a shard are more than a shard takes, and \
                 producers wait longer by {:.2} s a second; more shards help",
                self.producers_lag
            ));
        }
        let [score, publish] = &self.functions;
        if score.lag > NO_LAG {
            let why = if self.refused > 0 {
                "the shards of predictions refuse records (1 MiB or 1,000 records a second each); more shards help"
            } else {
                "it has more to do than time; more shards help, or more memory"
            };
            sentences.push(format!(
                "{} falls behind: its iterator age grows by {:.2} s a second; {why}",
                score.name, score.lag
            ));
        }
        if publish.lag > NO_LAG {
            sentences.push(format!(
                "{} falls behind: its iterator age grows by {:.2} s a second; a larger --parallelization-factor helps, a policy \
                 with fewer alerts, or more shards",
                publish.name, publish.lag
            ));
        }
        sentences
    }
}

/// By how much something grows a second: from the second fifth of the time, when it has found its pace, to the last.
fn growth(seen: &[(Duration, Duration)], seconds: f64) -> f64 {
    let mean = |fifth: f64| {
        let of_it = |at: &Duration| (at.as_secs_f64() / seconds * 5.0).floor() == fifth;
        let all: Vec<f64> = seen.iter().filter(|(at, _)| of_it(at)).map(|(_, value)| value.as_secs_f64()).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    };
    mean(1.0).zip(mean(4.0)).map_or(0.0, |(early, late)| (late - early) / (0.6 * seconds))
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

impl Display for Report {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Settings { rate, shards, seconds, alert_share, seed, .. } = self.settings;
        writeln!(
            to,
            "{rate} comments a second over {shards} shards a stream for {seconds} s, {} in 100 alert, seed {seed}",
            (alert_share * 1e4).round() / 1e2
        )?;
        if shards > MOST_SHARDS {
            writeln!(
                to,
                "{MOST_SHARDS} of the {shards} shards are simulated, at {:.0} a second each: shards do not wait for one another",
                rate / shards as f64
            )?;
        }
        self.assumptions(to)?;
        write!(to, "\n{:28}", "from when a comment is due")?;
        ["p50", "p95", "p99", "most"].iter().try_for_each(|name| write!(to, "{name:>10}"))?;
        for (name, sorted) in [("to its prediction", &self.to_prediction), ("to its alert", &self.to_alert)] {
            write!(to, "\n{name:28}")?;
            for share in [0.5, 0.95, 0.99, 1.0] {
                write!(to, "{:>10}", if sorted.is_empty() { "-".to_owned() } else { time(at(sorted, share)) })?;
            }
        }
        write!(to, "\n\n{:28}", "a shard")?;
        ["batches", "records", "a batch", "runs", "busy", "age"]
            .iter()
            .try_for_each(|name| write!(to, "{name:>10}"))?;
        for Function { name, lanes, invocations, mean_records, busy, mean_run, most_age, .. } in &self.functions {
            let name = if *lanes > 1 { format!("{name}, {lanes} at once") } else { (*name).to_owned() };
            let records = invocations * mean_records;
            write!(to, "\n{name:28}{invocations:>8.2}/s{records:>8.0}/s{mean_records:>10.1}{:>10}", time(*mean_run))?;
            write!(to, "{:>8.0} %{:>10}", busy * 100.0, time(*most_age))?;
        }
        let writes = self.writes as f64 / self.shards as f64 / seconds as f64 * shards as f64;
        writeln!(to, "\n\nover all shards {writes:.0} items a second are written to the ledger")?;
        if self.refused > 0 {
            writeln!(
                to,
                "the shards of predictions refused a record for the moment {} times; it was put again",
                self.refused
            )?;
        }
        let behind = self.behind();
        if behind.is_empty() {
            writeln!(to, "it keeps up")?;
        }
        behind.iter().try_for_each(|sentence| writeln!(to, "{sentence}"))
    }
}

impl Report {
    fn assumptions(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let Settings { batch_size, window, publish_batch_size, parallelization_factor, fan_out, .. } = self.settings;
        let takes = |Takes { median, p99 }: Takes| format!("{median:.0} ms, 1 in 100 over {p99:.0} ms");
        let cpu = |cpu: f64, memory: f64| format!("{:.0} µs on {memory} MB", assumed::on(memory, cpu) * 1e6);
        let read = if fan_out {
            format!("pushed, {:.0} ms (enhanced fan-out)", assumed::FAN_OUT.as_secs_f64() * 1e3)
        } else {
            format!("every {} s; GetRecords {}", assumed::POLL_INTERVAL.as_secs(), takes(assumed::GET_RECORDS))
        };
        let score = format!("up to {batch_size}, or what came within {}", time(window));
        let publish = format!("up to {publish_batch_size}, {parallelization_factor} at once a shard");
        let lines = [
            ("a shard is read", read),
            ("a batch of score-comments", score),
            ("a batch of publish-alerts", publish),
            ("around an invocation", takes(assumed::INVOKE)),
            ("PutRecords", takes(assumed::PUT_RECORDS)),
            ("GetItem", takes(assumed::GET_ITEM)),
            ("PutItem, UpdateItem", takes(assumed::write_item(self.settings.write_item_ms))),
            ("PublishBatch", takes(assumed::PUBLISH_BATCH)),
            ("CPU, scoring a comment", cpu(assumed::SCORE_CPU, assumed::SCORE_MEMORY)),
            ("CPU, reading a prediction", cpu(assumed::PUBLISH_CPU, assumed::PUBLISH_MEMORY)),
            (
                "CPU, a call",
                format!(
                    "{}, {}",
                    cpu(assumed::CALL_CPU, assumed::SCORE_MEMORY),
                    cpu(assumed::CALL_CPU, assumed::PUBLISH_MEMORY)
                ),
            ),
        ];
        writeln!(to, "\nassumed:")?;
        lines.iter().try_for_each(|(what, value)| writeln!(to, "  {what:28}{value}"))
    }
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.2} s") } else { format!("{:.0} ms", seconds * 1e3) }
}
