//! `modstream tail`: what comes, as it comes.

use std::process::ExitCode;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use modstream_events::{Alert, Event, PredictionEvent, Severity};
use modstream_ledger::limits::BreakerOpened;

use crate::common::aws_args::{ConnectionArgs, Level, Since, since, subreddit, topic_arn, topic_name};
use crate::common::connection::Connection;
use crate::common::display::{self, print};
use crate::common::interrupt::Interrupts;
use crate::common::runtime::block_on;
use crate::pipeline::queue::{Queue, filter, own_name};
use crate::pipeline::stream::{From, Reader};

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
    /// End after this many
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

/// How often a stream's shards are looked at: each takes five looks a second, of all its readers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often shards are looked at while there is more to catch up on.
const CATCH_UP_EVERY: Duration = Duration::from_millis(250);
/// How long a receive waits: one that waits long is one call instead of many.
const RECEIVE_WAIT: Duration = Duration::from_secs(20);
/// How long the queue keeps what nobody takes: as short as SQS allows, since the queue is for this alone.
const QUEUE_RETENTION: Duration = Duration::from_secs(60);

impl TailCommand {
    /// Runs `modstream tail`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match &self {
                TailCommand::Predictions(args) => predictions(args).await,
                TailCommand::Alerts(args) => alerts(args).await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn predictions(args: &TailPredictionsArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.connection).await?;
    let interrupts = Interrupts::listen()?;
    let from = match args.since {
        Since::Now => From::Now,
        Since::Ago(ago) => From::At(Timestamp::now() - ago),
        Since::Horizon => From::Horizon,
    };
    let mut shown = Shown::new(&args.shown);
    let work = async {
        let mut reader = Reader::open(connection.kinesis(), &args.stream, from).await?;
        loop {
            let page = reader.read().await?;
            for record in &page.records {
                match PredictionEvent::decode(&record.data) {
                    Ok(PredictionEvent::Predicted(event)) => {
                        let subreddit = event.data.comment.subreddit.as_deref();
                        if shown.wants(subreddit) {
                            shown.print(|json| if json { line(&event) } else { display::prediction(&event) })?;
                        }
                    }
                    Ok(PredictionEvent::Deleted(event)) => {
                        if shown.wants(event.data.subreddit.as_deref()) {
                            shown.print(|json| if json { line(&event) } else { display::deleted(&event) })?;
                        }
                    }
                    Ok(PredictionEvent::Reported(event)) => {
                        if shown.wants(event.data.subreddit.as_deref()) {
                            shown.print(|json| if json { line(&event) } else { display::reported(&event) })?;
                        }
                    }
                    Err(bad) => eprintln!("{}: {}", record.place, display::one_line(&bad.detail)),
                }
                if shown.is_enough() {
                    return Ok(());
                }
            }
            tokio::time::sleep(if page.is_at_end { LOOK_EVERY } else { CATCH_UP_EVERY }).await;
        }
    };
    tokio::select! {
        biased;
        () = interrupts.asked() => Ok(()),
        ended = work => ended,
    }
}

async fn alerts(args: &TailAlertsArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.connection.at_topic(&args.topic)).await?;
    let interrupts = Interrupts::listen()?;
    let severities: Vec<&str> = args.severity.iter().map(|level| Severity::from(*level).as_str()).collect();
    let filter = filter(&args.shown.subreddit, &severities);
    let name = own_name(&args.topic, "tail");
    let queue = Queue::subscribed(&connection, &args.topic, name, QUEUE_RETENTION, filter.as_ref()).await?;
    eprintln!("alerts of {} from now on, through the queue {}", topic_name(&args.topic), queue.name);
    let mut shown = Shown::new(&args.shown);
    let work = async {
        loop {
            for alert in queue.receive(RECEIVE_WAIT).await? {
                let body = alert.body.as_bytes();
                match (Event::<Alert<'_>>::decode(body), Event::<BreakerOpened<'_>>::decode(body)) {
                    (Ok(event), _) => shown.print(|json| if json { line(&event) } else { display::alert(&event) })?,
                    (_, Ok(event)) => shown.print(|json| if json { line(&event) } else { display::breaker(&event) })?,
                    (Err(bad), _) => eprintln!("a message that is no alert: {}", display::one_line(&bad.detail)),
                }
                if shown.is_enough() {
                    return Ok(());
                }
            }
        }
    };
    let ended = tokio::select! {
        biased;
        () = interrupts.asked() => Ok(()),
        ended = work => ended,
    };
    // Also where the work failed, and where nobody reads on.
    let removed = queue.remove().await;
    ended.and(removed)
}

/// An event as one line of JSON, however its producer wrote it.
fn line<T: serde::Serialize + modstream_events::Data>(event: &Event<'_, T>) -> String {
    let mut line = String::from_utf8_lossy(&event.encode()).into_owned();
    line.push('\n');
    line
}

struct Shown<'a> {
    args: &'a ShownArgs,
    count: u64,
}

impl<'a> Shown<'a> {
    fn new(args: &'a ShownArgs) -> Self {
        Shown { args, count: 0 }
    }

    fn wants(&self, subreddit: Option<&str>) -> bool {
        let wanted = &self.args.subreddit;
        wanted.is_empty() || subreddit.is_some_and(|name| wanted.iter().any(|wanted| wanted == name))
    }

    fn print(&mut self, text: impl FnOnce(bool) -> String) -> std::io::Result<()> {
        self.count += 1;
        print(&text(self.args.json))
    }

    fn is_enough(&self) -> bool {
        self.args.limit.is_some_and(|limit| self.count >= limit)
    }
}
