//! `modstream tail`: what comes, as it comes.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use modstream_events::{Alert, Event, Prediction, Severity};
use modstream_limits::BreakerOpened;

use super::args::{ShownArgs, Since, TailAlertsArgs, TailCommand, TailPredictionsArgs};
use super::queue::{Queue, filter, own_name, topic_name};
use super::stream::{From, Reader};
use super::{Connection, block_on};
use crate::display::{self, print};
use crate::interrupt::Interrupts;

/// How often a stream's shards are looked at: each takes five looks a second, of all its readers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Behind the end it goes faster.
const CATCH_UP_EVERY: Duration = Duration::from_millis(250);
/// A receive that waits long is one call instead of many.
const RECEIVE_WAIT: Duration = Duration::from_secs(20);
/// The queue is for this alone: what nobody took by then is gone, the shortest SQS has.
const RETENTION: Duration = Duration::from_secs(60);

pub(crate) fn run(command: &TailCommand) -> anyhow::Result<ExitCode> {
    block_on(async {
        match command {
            TailCommand::Predictions(args) => predictions(args).await,
            TailCommand::Alerts(args) => alerts(args).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
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
                match Event::<Prediction<'_>>::decode(&record.data) {
                    Ok(event) => {
                        let subreddit = event.data.comment.subreddit.as_deref();
                        if shown.wants(subreddit) {
                            shown.print(|json| if json { line(&event) } else { display::prediction(&event) })?;
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
    let queue = Queue::subscribed(&connection, &args.topic, name, RETENTION, filter.as_ref()).await?;
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
