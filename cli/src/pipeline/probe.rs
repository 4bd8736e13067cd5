//! `modstream probe`: a comment that always alerts, to see that the whole pipeline works.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use modstream_events::{Alert, Comment, Event, PROBE_BODY, PROBE_SOURCE, ids};
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::{Delivery, put_all};
use modstream_platform::{Clock as _, PutRecord};
use serde_json::json;

use crate::common::aws_args::{ConnectionArgs, seconds, subreddit, topic_arn, topic_name};
use crate::common::connection::{Connection, deadline};
use crate::common::display::print;
use crate::common::interrupt::Interrupts;
use crate::common::runtime::block_on;
use crate::pipeline::queue::{Queue, own_name};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream probe --subreddit science     puts it on the stream
  modstream probe --wait                  and waits for its alert: status 1 where none comes

The probe's text alerts whatever the policies say, is never held back, and counts in no budget and no share.")]
pub(crate) struct ProbeArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) stream: String,
    /// The probe's subreddit: subscriptions filter by it
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    pub(crate) subreddit: Option<String>,
    /// Wait for its alert on the alerts' topic, a minute or as long as said; the status is 1 where none comes
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

fn wait(text: &str) -> Result<Duration, String> {
    match seconds(text).and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("write how long, from 1s to 24h: `90s` or `2m`".to_owned()),
    }
}

/// How long the queue keeps an alert: it is for one alone.
const QUEUE_RETENTION: Duration = Duration::from_secs(60);
/// The longest that SQS waits for a message.
const MAX_RECEIVE_WAIT: Duration = Duration::from_secs(20);

impl ProbeArgs {
    /// Runs `modstream probe`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            // The command line lets no wait through without a topic.
            let (Some(wait), Some(topic)) = (self.wait, self.topic.as_deref()) else {
                let connection = Connection::open(&self.connection).await?;
                let (id, _) = put(&self, &connection).await?;
                if self.json {
                    return Ok(print(&format!("{}\n", json!({ "stream": self.stream, "comment_event": id })))?);
                }
                said(&self, &id)?;
                return Ok(print("its alert has the attribute probe=true and severity high: --wait waits for it\n")?);
            };
            let connection = Connection::open(&self.connection.at_topic(topic)).await?;
            let interrupts = Interrupts::listen()?;
            // Before the probe, or its alert could come first.
            let filter = json!({ "probe": ["true"] });
            let name = own_name(topic, "probe");
            let queue = Queue::subscribed(&connection, topic, name, QUEUE_RETENTION, Some(&filter)).await?;
            let ended = tokio::select! {
                biased;
                () = interrupts.asked() => Err(anyhow::anyhow!("interrupted: whether its alert comes is not known")),
                ended = Box::pin(put_and_wait(&self, &connection, &queue, wait, topic)) => ended,
            };
            let removed = queue.remove().await;
            ended.and(removed)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn put_and_wait(
    args: &ProbeArgs,
    connection: &Connection,
    queue: &Queue,
    wait: Duration,
    topic: &str,
) -> anyhow::Result<()> {
    let (id, put_at) = put(args, connection).await?;
    if !args.json {
        said(args, &id)?;
    }
    let until = tokio::time::Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        ensure!(
            !left.is_zero(),
            "no alert about the probe came to {} within {} s: look at the iterator age of score-comments and \
             publish-alerts, then at their logs",
            topic_name(topic),
            wait.as_secs()
        );
        // SQS counts whole seconds.
        for message in queue.receive(left.min(MAX_RECEIVE_WAIT).max(Duration::from_secs(1))).await? {
            // Others send probes, too.
            let Ok(alert) = Event::<Alert<'_>>::decode(message.body.as_bytes()) else { continue };
            if alert.data.comment_event.id != id {
                continue;
            }
            let seconds = message.at.duration_since(put_at).as_secs_f64().max(0.0);
            if args.json {
                let line = json!({
                    "stream": args.stream,
                    "comment_event": id,
                    "alert": alert.id,
                    "seconds": (seconds * 1000.0).round() / 1000.0,
                });
                return Ok(print(&format!("{line}\n"))?);
            }
            return Ok(print(&format!("its alert came after {seconds:.1} s: the whole pipeline works\n"))?);
        }
    }
}

/// Puts a probe on the stream, and returns its event's id and when it was put.
async fn put(args: &ProbeArgs, connection: &Connection) -> anyhow::Result<(String, Timestamp)> {
    let stream = connection.clients().stream(&args.stream);
    let now = SystemClock.now();
    // Each probe is a comment of its own, so each alerts.
    let comment_id = format!("probe-{}", now.as_nanosecond());
    let id = ids::comment(PROBE_SOURCE, &comment_id, &ids::text_version(PROBE_BODY, 0)).to_string();
    let comment = Comment {
        id: Some(comment_id.as_str().into()),
        subreddit: args.subreddit.as_deref().map(Into::into),
        body: Some(PROBE_BODY.into()),
        created_utc: Some(now.as_second()),
        ..Comment::default()
    };
    let data = Event::new(id.clone(), PROBE_SOURCE, now, comment).encode();
    let record = PutRecord { partition_key: comment_id.clone(), data };
    let delivered = Box::pin(put_all(&stream, &SystemClock, deadline(), vec![record])).await;
    match delivered.into_iter().next() {
        Some(Delivery::Stored { .. }) => Ok((id, now)),
        Some(Delivery::Failed(error)) => {
            Err(error).with_context(|| format!("the stream {} takes no probe", args.stream))
        }
        Some(Delivery::Refused { message }) => bail!("the stream {} takes no probe: {message}", args.stream),
        Some(Delivery::TooLarge { .. }) | None => bail!("the stream {} takes no probe", args.stream),
    }
}

fn said(args: &ProbeArgs, id: &str) -> std::io::Result<()> {
    print(&format!("a probe is on {}, comment event {id}\n", args.stream))
}
