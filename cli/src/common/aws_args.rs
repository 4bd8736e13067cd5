//! What several commands that reach AWS take.

use std::path::PathBuf;

use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use modstream_events::{MAX_NAME_BYTES, Severity};

use super::reached::{HERE, ReachArgs};
use super::usage::Usage;

/// How to reach AWS.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConnectionArgs {
    /// One address for all services instead of AWS, for example http://127.0.0.1:4566 [default: AWS_ENDPOINT_URL, or AWS]
    #[arg(long, value_name = "URL", value_parser = endpoint_url, help_heading = "AWS")]
    pub(crate) endpoint_url: Option<String>,
    /// The profile of your AWS configuration [default: AWS_PROFILE, or `default`]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) profile: Option<String>,
    /// The region [default: AWS_REGION, or the profile's]
    #[arg(long, value_name = "REGION", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) region: Option<String>,
}

impl ConnectionArgs {
    /// The options that are given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        let options = [
            ("--endpoint-url", self.endpoint_url.is_some()),
            ("--profile", self.profile.is_some()),
            ("--region", self.region.is_some()),
        ];
        options.into_iter().filter_map(|(option, is_given)| is_given.then_some(option))
    }

    /// The same, in the region of a topic where no other is said.
    pub(crate) fn at_topic(&self, arn: &str) -> Self {
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned);
        ConnectionArgs { region: self.region.clone().or(region), ..self.clone() }
    }
}

/// What a demo or a load on a deployed system takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DeployedArgs {
    /// Run on a deployed system: a file with what `terraform output -json` prints; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "AWS")]
    pub(crate) deployment: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    /// Replace the deployment's sample comments where they are others
    #[arg(long, help_heading = "AWS")]
    pub(crate) replace_corpus: bool,
    /// Leave a queue behind that holds every alert, called `<prefix>-demo`
    #[arg(long, help_heading = "AWS")]
    pub(crate) keep_queue: bool,
}

impl DeployedArgs {
    /// Refuses what means nothing in memory.
    pub(crate) fn needs_no_deployment(&self) -> anyhow::Result<()> {
        let mut given = (self.connection.given())
            .chain(self.replace_corpus.then_some("--replace-corpus"))
            .chain(self.keep_queue.then_some("--keep-queue"));
        match given.next() {
            Some(flag) => Err(Usage::error(format!(
                "{flag} goes with --deployment FILE; without it, everything runs in this process"
            ))),
            None => Ok(()),
        }
    }
}

/// A system's bucket; a data folder has one.
#[derive(Clone, Debug, Args)]
pub(crate) struct BucketArgs {
    /// The system's bucket
    #[arg(long, value_name = "NAME", env = "MODSTREAM_BUCKET", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) bucket: String,
}

/// A system's table; a data folder has one.
#[derive(Clone, Debug, Args)]
pub(crate) struct TableArgs {
    /// The system's table
    #[arg(long, value_name = "NAME", env = "MODSTREAM_TABLE", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) table: String,
}

/// What a command on a system's table takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct InTableArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// What a command on a system's bucket takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct InBucketArgs {
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    Low,
    Medium,
    High,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Severity::Low,
            Level::Medium => Severity::Medium,
            Level::High => Severity::High,
        }
    }
}

/// A time, or a time ago.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    match since(text) {
        Ok(Since::Ago(ago)) => Ok(Timestamp::now() - ago),
        Ok(Since::Now) => Ok(Timestamp::now()),
        Ok(Since::Horizon) | Err(_) => {
            Err("write a time such as `2026-01-05T10:00:00Z`, or a time ago such as `90s`, `10m`, `2h` or `7d`"
                .to_owned())
        }
    }
}

/// From when on a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Now,
    Ago(SignedDuration),
    /// All that the stream still holds.
    Horizon,
}

pub(crate) fn since(text: &str) -> Result<Since, String> {
    let wrong = || "write `now`, a time ago such as `90s`, `10m` or `2h`, or `TRIM_HORIZON`".to_owned();
    match text.to_ascii_lowercase().as_str() {
        "now" | "latest" => Ok(Since::Now),
        "trim_horizon" => Ok(Since::Horizon),
        // A stream keeps records for a year at most.
        text => match seconds(text) {
            Some(ago @ 0..=31_622_400) => Ok(Since::Ago(SignedDuration::from_secs(ago))),
            _ => Err(wrong()),
        },
    }
}

/// Seconds of `90s`, `10m`, `2h` or `7d`.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

pub(crate) fn endpoint_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("an address begins with http:// or https://, such as http://127.0.0.1:4566".to_owned()),
    }
}

/// An event's source is a URI reference, and goes on into other events.
pub(crate) fn source(text: &str) -> Result<String, String> {
    let fits = (1..=MAX_NAME_BYTES).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("a source is a URI such as urn:example:forum".to_owned()) }
}

pub(crate) fn topic_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "sns", _, _, topic] if !topic.is_empty() => Ok(text.to_owned()),
        _ => Err("a topic's ARN looks like arn:aws:sns:eu-central-1:123456789012:modstream-alerts".to_owned()),
    }
}

/// The name of a topic, of its ARN.
pub(crate) fn topic_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// As it stands in comments: people write `r/science` too.
pub(crate) fn subreddit(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("r/").unwrap_or(text);
    if name.is_empty() { Err("a subreddit has a name, such as science".to_owned()) } else { Ok(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_is_now_a_time_ago_or_all() {
        assert_eq!(since("now"), Ok(Since::Now));
        assert_eq!(since("TRIM_HORIZON"), Ok(Since::Horizon));
        assert_eq!(since("10m"), Ok(Since::Ago(SignedDuration::from_secs(600))));
        for text in ["", "m", "10", "-1m", "10 minutes", "9999999999999999999h", "2é"] {
            assert!(since(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_source_or_topic_is_refused() {
        assert!(endpoint_url("127.0.0.1:4566").is_err() && endpoint_url("http://127.0.0.1:4566").is_ok());
        assert!(source("").is_err() && source("a b").is_err() && source("urn:example:forum").is_ok());
        assert!(topic_arn("modstream-alerts").is_err());
        assert!(topic_arn("arn:aws:sns:us-east-1:000000000000:modstream-alerts").is_ok());
        assert_eq!(subreddit("r/science"), Ok("science".to_owned()));
    }
}
