//! `modstream tail`: what comes, as it comes.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use modstream_events::{
    Alert, BadRecord, BreakerClosed, CommentEvent, Decision, Event, ModelPromoted, PoliciesChanged, PredictionEvent,
    Severity,
};
use modstream_ledger::limits::BreakerOpened;
use modstream_platform::sqlite::{Published, SqliteStream};

use crate::common::aws_args::{Level, Since, since, subreddit, topic_arn, topic_name};
use crate::common::connection::Connection;
use crate::common::display::{self, print};
use crate::common::interrupt::Interrupts;
use crate::common::reached::{HERE, Kind, ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::pipeline::queue::{Queue, filter, own_name};
use crate::pipeline::stream::{From, Reader};
use crate::serve::data::DataFolder;

#[derive(Debug, Subcommand)]
pub(crate) enum TailCommand {
    /// Show comments as they come
    Comments(TailCommentsArgs),
    /// Show predictions as they come
    Predictions(TailPredictionsArgs),
    /// Show decisions as they come, and changes of what is in use
    Decisions(TailDecisionsArgs),
    /// Show alerts as they come; on AWS through a queue of its own that is removed at the end
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
    /// Show all there is, and end when nothing is left to process; of a data folder
    #[arg(long, requires = "data", help_heading = "On one machine")]
    pub(crate) until_idle: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream tail comments --data /var/lib/modstream --json")]
pub(crate) struct TailCommentsArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) stream: String,
    /// From when on: `now`, a time ago such as `10m` or `2h`, or `TRIM_HORIZON` for all that the stream still holds
    #[arg(long, value_name = "WHEN", default_value = "now", default_value_if("until_idle", "true", "TRIM_HORIZON"), value_parser = since)]
    pub(crate) since: Since,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream tail predictions --since 10m
  modstream tail predictions --since TRIM_HORIZON --json | jq .data.probability
  modstream tail predictions --data /var/lib/modstream --json --until-idle")]
pub(crate) struct TailPredictionsArgs {
    /// The predictions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_PREDICTIONS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) stream: String,
    /// From when on: `now`, a time ago such as `10m` or `2h`, or `TRIM_HORIZON` for all that the stream still holds
    #[arg(long, value_name = "WHEN", default_value = "now", default_value_if("until_idle", "true", "TRIM_HORIZON"), value_parser = since)]
    pub(crate) since: Since,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream tail decisions --data /var/lib/modstream --json --until-idle")]
pub(crate) struct TailDecisionsArgs {
    /// The decisions' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_DECISIONS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) stream: String,
    /// From when on: `now`, a time ago such as `10m` or `2h`, or `TRIM_HORIZON` for all that the stream still holds
    #[arg(long, value_name = "WHEN", default_value = "now", default_value_if("until_idle", "true", "TRIM_HORIZON"), value_parser = since)]
    pub(crate) since: Since,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TailAlertsArgs {
    /// The alerts' topic
    #[arg(long, value_name = "ARN", env = "MODSTREAM_ALERTS_TOPIC_ARN", value_parser = topic_arn, required = false, required_unless_present = "data")]
    pub(crate) topic: Option<String>,
    /// From when on, of a data folder: `now`, a time ago such as `10m` or `2h`, or `TRIM_HORIZON` for all that it still holds
    #[arg(long, value_name = "WHEN", default_value = "now", default_value_if("until_idle", "true", "TRIM_HORIZON"), value_parser = since, requires = "data", help_heading = "On one machine")]
    pub(crate) since: Since,
    /// Only of this severity; may be given again
    #[arg(long, value_name = "LEVEL")]
    pub(crate) severity: Vec<Level>,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How often a stream's shards are looked at: each takes five looks a second, of all its readers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often shards are looked at while there is more to catch up on.
const CATCH_UP_EVERY: Duration = Duration::from_millis(250);
/// How long a receive waits: one that waits long is one call instead of many.
const RECEIVE_WAIT: Duration = Duration::from_secs(20);
/// How long the queue keeps what nobody takes: as short as SQS allows, since the queue is for this alone.
const QUEUE_RETENTION: Duration = Duration::from_secs(60);
/// How many records of a data folder are read at once.
const RECORDS_PER_READ: usize = 500;

impl TailCommand {
    /// Runs `modstream tail`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match &self {
                TailCommand::Comments(args) => {
                    let TailCommentsArgs { stream, since, shown, reach } = args;
                    tail(Kind::Comments, stream, *since, shown, reach, comment).await
                }
                TailCommand::Predictions(args) => {
                    let TailPredictionsArgs { stream, since, shown, reach } = args;
                    tail(Kind::Predictions, stream, *since, shown, reach, prediction).await
                }
                TailCommand::Decisions(args) => {
                    let TailDecisionsArgs { stream, since, shown, reach } = args;
                    tail(Kind::Decisions, stream, *since, shown, reach, decision).await
                }
                TailCommand::Alerts(args) => alerts(args).await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Shows a record.
type Show = fn(&mut Shown<'_>, &[u8]) -> io::Result<Result<(), BadRecord>>;

async fn tail(
    kind: Kind,
    stream: &str,
    since: Since,
    args: &ShownArgs,
    reach: &ReachArgs,
    show: Show,
) -> anyhow::Result<()> {
    let system = Reached::open(reach).await?;
    let interrupts = Interrupts::listen()?;
    let mut shown = Shown::new(args);
    let mut tell = |place: &str, data: &[u8]| -> io::Result<bool> {
        if let Err(bad) = show(&mut shown, data)? {
            eprintln!("{place}: {}", display::one_line(&bad.detail));
        }
        Ok(shown.is_enough())
    };
    let work = async {
        match &system {
            Reached::Here(data) => {
                let stream = match kind {
                    Kind::Comments => &data.comments,
                    Kind::Predictions => &data.predictions,
                    Kind::Decisions => &data.decisions,
                };
                of_folder(data, stream, since, args.until_idle, &mut tell).await
            }
            Reached::Aws(connection) => of_stream(connection, stream, since, &mut tell).await,
        }
    };
    tokio::select! {
        biased;
        () = interrupts.asked() => Ok(()),
        ended = work => ended,
    }
}

/// Shows what comes on a stream of AWS.
async fn of_stream(
    connection: &Connection,
    stream: &str,
    since: Since,
    tell: &mut impl FnMut(&str, &[u8]) -> io::Result<bool>,
) -> anyhow::Result<()> {
    let from = match since {
        Since::Now => From::Now,
        Since::Ago(ago) => From::At(Timestamp::now() - ago),
        Since::Horizon => From::Horizon,
    };
    let mut reader = Reader::open(connection.kinesis(), stream, from).await?;
    loop {
        let page = reader.read().await?;
        for record in &page.records {
            if tell(&record.place, &record.data)? {
                return Ok(());
            }
        }
        tokio::time::sleep(if page.is_at_end { LOOK_EVERY } else { CATCH_UP_EVERY }).await;
    }
}

/// Shows what comes on a stream of a data folder.
async fn of_folder(
    data: &DataFolder,
    stream: &SqliteStream,
    since: Since,
    until_idle: bool,
    tell: &mut impl FnMut(&str, &[u8]) -> io::Result<bool>,
) -> anyhow::Result<()> {
    let begins = match since {
        Since::Now | Since::Horizon => Timestamp::MIN,
        Since::Ago(ago) => Timestamp::now() - ago,
    };
    let mut after = if since == Since::Now { stream.last()? } else { None };
    loop {
        // This is asked before reading, so that what is done by then is read.
        let is_idle = until_idle && is_idle(data)?;
        let records = stream.records(after.as_deref(), RECORDS_PER_READ)?;
        for (_, record) in &records {
            if record.arrived >= begins && tell(&record.sequence_number, &record.data)? {
                return Ok(());
            }
            after = Some(record.sequence_number.clone());
        }
        if !records.is_empty() {
            continue;
        }
        if is_idle {
            return Ok(());
        }
        let is_more = || stream.records(after.as_deref(), 1).map_or(true, |records| !records.is_empty());
        tokio::select! {
            () = data.database.changed(is_more) => {}
            // Whether all is done is looked at, too.
            () = tokio::time::sleep(CATCH_UP_EVERY), if until_idle => {}
        }
    }
}

/// Whether a folder's functions have done all that they have to.
fn is_idle(data: &DataFolder) -> anyhow::Result<bool> {
    // In this order: what the first is done with, the second has before it.
    for (stream, function) in [(&data.comments, score_comments::NAME), (&data.predictions, publish_alerts::NAME)] {
        let behind = stream.behind()?;
        let waiting = match behind.iter().find(|(reader, _)| reader == function) {
            Some((_, behind)) => behind.records,
            None => stream.count()?,
        };
        if waiting == 0 {
            continue;
        }
        if !data.database.is_served()? {
            bail!(
                "{waiting} records wait for {function}, and nobody works on them: start `modstream serve --data {}`",
                data.database.folder().display()
            );
        }
        return Ok(false);
    }
    Ok(true)
}

async fn alerts(args: &TailAlertsArgs) -> anyhow::Result<()> {
    let severities: Vec<&str> = args.severity.iter().map(|level| Severity::from(*level).as_str()).collect();
    let system = Reached::open(&args.reach.at_topic(args.topic.as_deref())).await?;
    match (&system, &args.topic) {
        (Reached::Here(data), _) => {
            let interrupts = Interrupts::listen()?;
            let mut shown = Shown::new(&args.shown);
            let mut tell = |place: &str, data: &[u8]| -> io::Result<bool> {
                match serde_json::from_slice::<Published>(data) {
                    Ok(alert) if shown.wants_message(&alert, &severities) => shown.alert(alert.body.as_bytes())?,
                    Ok(_) => {}
                    Err(error) => eprintln!("{place}: {error}"),
                }
                Ok(shown.is_enough())
            };
            let work = of_folder(data, data.alerts.outbox(), args.since, args.shown.until_idle, &mut tell);
            tokio::select! {
                biased;
                () = interrupts.asked() => Ok(()),
                ended = work => ended,
            }
        }
        (Reached::Aws(connection), Some(topic)) => alerts_of_topic(args, connection, topic, &severities).await,
        (Reached::Aws(_), None) => bail!("say --topic ARN, or --data DIR"),
    }
}

async fn alerts_of_topic(
    args: &TailAlertsArgs,
    connection: &Connection,
    topic: &str,
    severities: &[&str],
) -> anyhow::Result<()> {
    let interrupts = Interrupts::listen()?;
    let filter = filter(&args.shown.subreddit, severities);
    let name = own_name(topic, "tail");
    let queue = Queue::subscribed(connection, topic, name, QUEUE_RETENTION, filter.as_ref()).await?;
    eprintln!("alerts of {} from now on, through the queue {}", topic_name(topic), queue.name);
    let mut shown = Shown::new(&args.shown);
    let work = async {
        loop {
            for alert in queue.receive(RECEIVE_WAIT).await? {
                shown.alert(alert.body.as_bytes())?;
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

fn comment(shown: &mut Shown<'_>, data: &[u8]) -> io::Result<Result<(), BadRecord>> {
    let event = match CommentEvent::decode(data) {
        Ok(event) => event,
        Err(bad) => return Ok(Err(bad)),
    };
    match &event {
        CommentEvent::Created(event) => {
            let text = |json| if json { line(event) } else { display::comment(event, &event.data) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
        }
        CommentEvent::Edited(event) => {
            let comment = &event.data.comment;
            let text = |json| if json { line(event) } else { display::comment(event, comment) };
            shown.print_of(comment.subreddit.as_deref(), text)?;
        }
        CommentEvent::Deleted(event) => {
            let text = |json| if json { line(event) } else { display::deleted(event) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
        }
        CommentEvent::Reported(event) => {
            let text = |json| if json { line(event) } else { display::reported(event) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
        }
    }
    Ok(Ok(()))
}

fn prediction(shown: &mut Shown<'_>, data: &[u8]) -> io::Result<Result<(), BadRecord>> {
    let event = match PredictionEvent::decode(data) {
        Ok(event) => event,
        Err(bad) => return Ok(Err(bad)),
    };
    match &event {
        PredictionEvent::Predicted(event) => {
            let text = |json| if json { line(event) } else { display::prediction(event) };
            shown.print_of(event.data.comment.subreddit.as_deref(), text)?;
        }
        PredictionEvent::Deleted(event) => {
            let text = |json| if json { line(event) } else { display::deleted(event) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
        }
        PredictionEvent::Reported(event) => {
            let text = |json| if json { line(event) } else { display::reported(event) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
        }
        // Decisions may share the stream: they are no predictions, and nothing is wrong with them.
        PredictionEvent::Beside(_) => {}
    }
    Ok(Ok(()))
}

/// Shows what the stream of decisions carries: decisions, and changes of what is in use.
fn decision(shown: &mut Shown<'_>, data: &[u8]) -> io::Result<Result<(), BadRecord>> {
    let bad = match Event::<Decision<'_>>::decode(data) {
        Ok(event) => {
            let text = |json| if json { line(&event) } else { display::decision(&event) };
            shown.print_of(event.data.subreddit.as_deref(), text)?;
            return Ok(Ok(()));
        }
        Err(bad) => bad,
    };
    if let Ok(event) = Event::<ModelPromoted<'_>>::decode(data) {
        shown
            .print_of(None, |json| if json { line(&event) } else { display::change(&event, "a model was promoted") })?;
    } else if let Ok(event) = Event::<PoliciesChanged<'_>>::decode(data) {
        shown.print_of(
            None,
            |json| if json { line(&event) } else { display::change(&event, "policies were changed") },
        )?;
    } else if let Ok(event) = Event::<BreakerClosed<'_>>::decode(data) {
        shown
            .print_of(None, |json| if json { line(&event) } else { display::change(&event, "a breaker was closed") })?;
    } else {
        return Ok(Err(bad));
    }
    Ok(Ok(()))
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

    /// Whether a message of the outbox is one that a subscription would let through.
    fn wants_message(&self, message: &Published, severities: &[&str]) -> bool {
        let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
        let is_severe = attribute("severity").is_some_and(|severity| severities.contains(&severity));
        (severities.is_empty() || is_severe) && self.wants(attribute("subreddit"))
    }

    /// Shows what a topic carries: an alert, or that alerts are held back.
    fn alert(&mut self, body: &[u8]) -> io::Result<()> {
        match (Event::<Alert<'_>>::decode(body), Event::<BreakerOpened<'_>>::decode(body)) {
            (Ok(event), _) => self.print(|json| if json { line(&event) } else { display::alert(&event) }),
            (_, Ok(event)) => self.print(|json| if json { line(&event) } else { display::breaker(&event) }),
            (Err(bad), _) => {
                eprintln!("a message that is no alert: {}", display::one_line(&bad.detail));
                Ok(())
            }
        }
    }

    fn print_of(&mut self, subreddit: Option<&str>, text: impl FnOnce(bool) -> String) -> io::Result<()> {
        if self.wants(subreddit) { self.print(text) } else { Ok(()) }
    }

    fn print(&mut self, text: impl FnOnce(bool) -> String) -> io::Result<()> {
        self.count += 1;
        print(&text(self.args.json))
    }

    fn is_enough(&self) -> bool {
        self.args.limit.is_some_and(|limit| self.count >= limit)
    }
}
