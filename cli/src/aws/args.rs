//! The command line of what reaches AWS.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use modstream_events::{Action, Reason, Severity};

use crate::args::{moderator, name, rate};

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
    /// The same, in the region of a topic where no other is said.
    pub(crate) fn at_topic(&self, arn: &str) -> Self {
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned);
        ConnectionArgs { region: self.region.clone().or(region), ..self.clone() }
    }
}

/// What a demo on a deployed system takes.
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
        let DeployedArgs { connection, replace_corpus, keep_queue, .. } = self;
        let ConnectionArgs { endpoint_url, profile, region } = connection;
        let given = [
            ("--endpoint-url", endpoint_url.is_some()),
            ("--profile", profile.is_some()),
            ("--region", region.is_some()),
            ("--replace-corpus", *replace_corpus),
            ("--keep-queue", *keep_queue),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                anyhow::bail!("{flag} goes with --deployment FILE; without, the demo runs in this process")
            }
            None => Ok(()),
        }
    }
}

/// A system's bucket.
#[derive(Clone, Debug, Args)]
pub(crate) struct BucketArgs {
    /// The system's bucket
    #[arg(long, value_name = "NAME", env = "MODSTREAM_BUCKET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) bucket: String,
}

/// The model that a system scores with.
#[derive(Clone, Debug, Args)]
pub(crate) struct NameArgs {
    /// The model's name
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODEL_NAME", value_parser = name)]
    pub(crate) name: Option<String>,
}

/// `modstream model`, of a system's bucket.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Bring a model into the bucket; it is not in use before it is promoted
    Push(PushArgs),
    /// Make a version the one in use; functions notice within a minute
    Promote(PromoteArgs),
    /// Show what models the bucket has, and which are in use
    List(ListArgs),
}

impl ModelsCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            ModelsCommand::Push(args) => args.json,
            ModelsCommand::Promote(args) => args.json,
            ModelsCommand::List(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model push --promote             the model built in, for a first try
  modstream model push models/ours           under the name it was trained with")]
pub(crate) struct PushArgs {
    /// The folder of a model [default: the one built in, trained on r/science]
    #[arg(value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Make it the one in use
    #[arg(long)]
    pub(crate) promote: bool,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream model promote c76d9689cf7f")]
pub(crate) struct PromoteArgs {
    /// The version, or its first digits, at least 8
    #[arg(value_name = "VERSION", value_parser = version)]
    pub(crate) version: String,
    #[command(flatten)]
    pub(crate) name: NameArgs,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) name: NameArgs,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// `modstream policy`, of a system's bucket.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyInBucketCommand {
    /// Put a document into the bucket and into use; publish-alerts notices within a minute
    Push(PolicyPushArgs),
    /// Show the document in use
    Show(PolicyShowArgs),
}

impl PolicyInBucketCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            PolicyInBucketCommand::Push(args) => args.json,
            PolicyInBucketCommand::Show(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream policy push policies.toml")]
pub(crate) struct PolicyPushArgs {
    /// The document: TOML, or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyShowArgs {
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// `modstream breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Publish alerts again, before the breaker closes by itself
    Close(BreakerArgs),
    /// Show the breakers of today and yesterday
    Show(BreakerArgs),
}

impl BreakerCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            BreakerCommand::Close(args) | BreakerCommand::Show(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BreakerArgs {
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream probe --subreddit science     puts it on the stream
  modstream probe --wait                  and waits for its alert: status 1 where none comes

The probe's text alerts whatever the policies say, is never withheld, and counts in no budget and no share.")]
pub(crate) struct ProbeArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) stream: String,
    /// The subreddit it is of: subscriptions filter by it
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    pub(crate) subreddit: Option<String>,
    /// Names the system that it comes from, a URI
    #[arg(long, value_name = "URI", default_value = "urn:modstream:probe", value_parser = source)]
    pub(crate) source: String,
    /// Wait for its alert on the alerts' topic, for a minute or so long; the status is 1 where none comes
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "1m", value_parser = wait, requires = "topic")]
    pub(crate) wait: Option<Duration>,
    /// The alerts' topic
    #[arg(long, value_name = "ARN", env = "MODSTREAM_ALERTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) topic: Option<String>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream function modstream-score-comments")]
pub(crate) struct FunctionArgs {
    /// The function's name there
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// Put comments where the generator reads them, over what is there
    Push(CorpusPushArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CorpusPushArgs {
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// The object's key
    #[arg(long, value_name = "KEY", default_value = "corpus/comments.jsonl", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) key: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decide d704ed39-889c-5b22-b41b-2e4fb9283bff remove --moderator maja
  modstream decide https://example.org/a/AQHB... undo --moderator maja

Of a link only what it names is used: your AWS credentials are what lets you decide. The first decision about an alert stands
until it is undone; the status is 1 where nothing was changed.")]
pub(crate) struct DecideArgs {
    /// The alert's id, or a link to it
    #[arg(value_name = "ALERT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) alert: String,
    /// `remove`, `keep` or `undo`
    #[arg(value_name = "ACTION")]
    pub(crate) action: Action,
    /// Who decides: a pseudonym of at most 40 characters
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODERATOR", value_parser = moderator)]
    pub(crate) moderator: String,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// The decisions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_DECISIONS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) decisions_stream: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream desk-link --moderator maja --hours 4

The link is printed and kept nowhere. It signs in once; give it to that moderator alone.")]
pub(crate) struct DeskLinkArgs {
    /// Who signs in: a pseudonym of at most 40 characters
    #[arg(long, value_name = "NAME", value_parser = moderator)]
    pub(crate) moderator: String,
    /// How long the link can be used
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=72))]
    pub(crate) hours: u32,
    /// The desk's address
    #[arg(long, value_name = "URL", env = "MODSTREAM_DESK_URL", value_parser = endpoint_url)]
    pub(crate) desk_url: String,
    /// The secret that signs links, by its name or ARN
    #[arg(long, value_name = "ARN", env = "MODSTREAM_LINK_KEY_SECRET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) link_key_secret: String,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whose").required(true)), after_help = "Examples:
  modstream forget --author some_name --dry-run
  modstream forget --comment k3f9a01

Removed are texts in archive, quarantine, ledger and batches that were given up, in every version of an object. The streams' own
copies expire by themselves; the command says when, and is to be run once more then. Stopped half-way, run it again.")]
pub(crate) struct ForgetArgs {
    /// Forget all comments of this author, the name exactly as it stands in comments
    #[arg(long, value_name = "NAME", group = "whose", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) author: Option<String>,
    /// Forget this comment, by the forum's id
    #[arg(long, value_name = "ID", group = "whose", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) comment: Option<String>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// The comments' stream, to say when its copies expire
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) comments_stream: Option<String>,
    /// The predictions' stream, to say when its copies expire
    #[arg(long, value_name = "NAME", env = "MODSTREAM_PREDICTIONS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) predictions_stream: Option<String>,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// `modstream decisions`.
#[derive(Debug, Subcommand)]
pub(crate) enum DecisionsCommand {
    /// Write what moderators decided about which comment into a file, to train on and to look at
    Pull(PullArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream decisions pull --output decisions.jsonl
  modstream evaluate --live decisions.jsonl
  modstream policy suggest --decisions decisions.jsonl --precision 0.8
  modstream train --input removals.csv --decisions decisions.jsonl --output models/ours

A line a comment: its text, the verdict that stands, and the decision with what the model had claimed. Texts come from the
archive, or from the ledger where that is older. Only alerts were judged, and the comments that a policy's exploration_share
picked; `propensity` says how probable it was to be asked about.")]
pub(crate) struct PullArgs {
    /// The file to write; one there is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Decisions from then on: a time, or so long ago (`7d`) [default: all]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Decisions before then [default: now]
    #[arg(long, value_name = "WHEN", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// The comments' stream, as the archive names it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) comments_stream: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream send --input comments.csv
  tail -F feed.jsonl | modstream send --source urn:example:forum

Sending a file again sends the same events: consumers drop them by their ids. A comment without an `id` is known by the file's
name, its line and its text; one without `created_utc` has the time of --time.
A line that can't be sent is named, the rest is sent, and the status is 1 at the end.")]
pub(crate) struct SendArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) stream: String,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Names the system that the comments' ids are of, a URI: the same comment of the same source is the same event
    #[arg(long, value_name = "URI", default_value = "urn:modstream:send", value_parser = source)]
    pub(crate) source: String,
    /// The time of comments without `created_utc` [default: the file's; of standard input now, so a repeat alerts again]
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<Timestamp>,
    /// Comments a second [default: as fast as it goes]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Go on from this line
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    pub(crate) from_line: u64,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("to").required(true)), after_help = "Examples:
  modstream subscribe --sqs arn:aws:sqs:eu-central-1:123456789012:moderators --allow
  modstream subscribe --https https://example.org/alerts --subreddit science --severity high --severity medium
  modstream subscribe --email mods@example.org --subreddit science

A queue and a webhook get alerts, one by one. Email and SMS get digests, one a subreddit and window: SNS takes an email
subscription away that gets more than ten messages a second. A digest's severity is the highest of its alerts.

A repeat changes the subscription that is there. Filters hold from a few seconds to 15 minutes later.")]
pub(crate) struct SubscribeArgs {
    /// The alerts' topic
    #[arg(long, value_name = "ARN", env = "MODSTREAM_ALERTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) topic: Option<String>,
    /// The digests' topic, for --email and --sms
    #[arg(long, value_name = "ARN", env = "MODSTREAM_DIGESTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) digests_topic: Option<String>,
    /// A queue that gets the alerts, an event each
    #[arg(long, value_name = "ARN_OR_URL", group = "to", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) sqs: Option<String>,
    /// A webhook that gets the alerts, in SNS' envelope; it must confirm the subscription first
    #[arg(long, value_name = "URL", group = "to", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) https: Option<String>,
    /// An address that gets digests; who reads it must confirm the subscription first
    #[arg(long, value_name = "ADDRESS", group = "to", value_parser = email)]
    pub(crate) email: Option<String>,
    /// A phone that gets digests: the counts, and a link
    #[arg(long, value_name = "NUMBER", group = "to", value_parser = phone)]
    pub(crate) sms: Option<String>,
    /// Only what is of this subreddit, in its exact case; may be given again
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    pub(crate) subreddit: Vec<String>,
    /// Only what is of this severity; may be given again
    #[arg(long, value_name = "LEVEL")]
    pub(crate) severity: Vec<Level>,
    /// The queue that keeps what the subscriber does not take; without one they end with SNS' retries
    #[arg(long, value_name = "ARN", env = "MODSTREAM_UNDELIVERED_QUEUE_ARN", value_parser = queue_arn)]
    pub(crate) undelivered: Option<String>,
    /// Let the topic send to the queue, by a statement more in the queue's policy
    #[arg(long, requires = "sqs")]
    pub(crate) allow: bool,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
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

#[derive(Debug, Subcommand)]
pub(crate) enum TailCommand {
    /// Show predictions as they come
    Predictions(TailPredictionsArgs),
    /// Show alerts as they come, through a queue of its own that is removed at the end
    Alerts(TailAlertsArgs),
}

impl TailCommand {
    /// An error is told on standard error in any case: standard output holds events.
    pub(crate) fn wants_json(&self) -> bool {
        false
    }
}

/// What is shown of what comes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ShownArgs {
    /// Only of this subreddit, in its exact case; may be given again
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    pub(crate) subreddit: Vec<String>,
    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Print each event, a line of JSON each
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream tail predictions --since 10m
  modstream tail predictions --since TRIM_HORIZON --json | jq .data.probability")]
pub(crate) struct TailPredictionsArgs {
    /// The predictions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_PREDICTIONS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) stream: String,
    /// From when on: `now`, a time ago such as `10m` or `2h`, or `TRIM_HORIZON` for all that the stream still holds
    #[arg(long, value_name = "WHEN", default_value = "now", value_parser = since)]
    pub(crate) since: Since,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TailAlertsArgs {
    /// The alerts' topic
    #[arg(long, value_name = "ARN", env = "MODSTREAM_ALERTS_TOPIC_ARN", value_parser = topic_arn)]
    pub(crate) topic: String,
    /// Only of this severity; may be given again
    #[arg(long, value_name = "LEVEL")]
    pub(crate) severity: Vec<Level>,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// What a replay of a system takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReplayedArgs {
    /// Replay the archive of a system from then on: a time such as `2026-01-05T10:00:00Z`, or a time ago such as `7d`
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) from: Option<Timestamp>,
    /// Until then [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) to: Option<Timestamp>,
    /// Read the stream itself in place of the archive, as far back as it keeps records
    #[arg(long, conflicts_with = "input", help_heading = "AWS")]
    pub(crate) stream: bool,
    #[command(flatten)]
    pub(crate) comments: CommentsStreamArgs,
    /// The system's bucket: the archive, and the alerts there were
    #[arg(long, value_name = "NAME", env = "MODSTREAM_BUCKET", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) bucket: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl ReplayedArgs {
    /// Refuses what means nothing for files.
    pub(crate) fn needs_no_files(&self) -> anyhow::Result<()> {
        let ConnectionArgs { endpoint_url, profile, region } = &self.connection;
        let given = [
            ("--endpoint-url", endpoint_url.is_some()),
            ("--profile", profile.is_some()),
            ("--region", region.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => anyhow::bail!("{flag} goes with --from or --stream; --input reads files"),
            None => Ok(()),
        }
    }
}

/// A system's stream of comments, where a command can do without.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CommentsStreamArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), help_heading = "AWS")]
    pub(crate) comments_stream: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream redrive --dry-run                        what would come back
  modstream redrive --given-up --since 2h
  modstream redrive --quarantine --reason panicked

Each record comes back once: a mark below redriven/ says so. Stopped between a record and its mark, the next run repeats the
record, with the same ids: consumers drop it. Records come behind what was sent meanwhile.
The status is 1 where something failed or an object is not ours; records that are still bad are named and stay.")]
pub(crate) struct RedriveArgs {
    /// Only quarantined records [default: these and batches]
    #[arg(long)]
    pub(crate) quarantine: bool,
    /// Only batches that Lambda gave up [default: these and quarantined records]
    #[arg(long)]
    pub(crate) given_up: bool,
    /// Only this object
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Only records quarantined for this reason, such as `panicked`
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "given_up")]
    pub(crate) reason: Option<Reason>,
    /// Only what was set aside from then on: a time, or a time ago such as `2h`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Look and say, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Put back also records that are still bad
    #[arg(long)]
    pub(crate) force: bool,
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) comments_stream: String,
    /// The predictions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_PREDICTIONS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) predictions_stream: String,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

fn reason(text: &str) -> Result<Reason, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        "a reason stands in the quarantined object at `data.reason`, such as `not_json`, `missing_body` or `panicked`"
            .to_owned()
    })
}

/// A time, or a time ago.
fn time(text: &str) -> Result<Timestamp, String> {
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

fn since(text: &str) -> Result<Since, String> {
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
fn seconds(text: &str) -> Option<i64> {
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

fn wait(text: &str) -> Result<Duration, String> {
    match seconds(text).and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("write how long, from 1s to 24h: `90s` or `2m`".to_owned()),
    }
}

fn endpoint_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("an address begins with http:// or https://, such as http://127.0.0.1:4566".to_owned()),
    }
}

fn version(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err("a version is 64 hex digits, or the first of them, at least 8; `modstream model list` shows them"
            .to_owned())
    }
}

/// An event's source is a URI reference, and goes on into other events.
fn source(text: &str) -> Result<String, String> {
    let fits = (1..=1_024).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("a source is a URI such as urn:example:forum".to_owned()) }
}

fn topic_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "sns", _, _, topic] if !topic.is_empty() => Ok(text.to_owned()),
        _ => Err("a topic's ARN looks like arn:aws:sns:eu-central-1:123456789012:modstream-alerts".to_owned()),
    }
}

fn email(text: &str) -> Result<String, String> {
    let parts = text.split_once('@');
    let is_address = parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    if is_address && text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("an address looks like mods@example.org".to_owned())
}

fn phone(text: &str) -> Result<String, String> {
    // E.164, as SNS wants it.
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(number);
    }
    Err("a number begins with + and the country, such as +4915112345678".to_owned())
}

fn queue_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", _, _, name] if !name.is_empty() && !name.ends_with(".fifo") => Ok(text.to_owned()),
        _ => {
            Err("a standard queue's ARN looks like arn:aws:sqs:eu-central-1:123456789012:modstream-alerts-undelivered"
                .to_owned())
        }
    }
}

/// As it stands in comments: people write `r/science` too.
fn subreddit(text: &str) -> Result<String, String> {
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
    fn what_is_no_address_version_source_or_topic_is_refused() {
        assert!(endpoint_url("127.0.0.1:4566").is_err() && endpoint_url("http://127.0.0.1:4566").is_ok());
        assert!(version("c76d968").is_err() && version("C76D9689").is_ok() && version("zzzzzzzzz").is_err());
        assert!(source("").is_err() && source("a b").is_err() && source("urn:example:forum").is_ok());
        assert!(topic_arn("modstream-alerts").is_err());
        assert!(topic_arn("arn:aws:sns:us-east-1:000000000000:modstream-alerts").is_ok());
        assert_eq!(subreddit("r/science"), Ok("science".to_owned()));
    }
}
