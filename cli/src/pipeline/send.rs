//! `modstream send`: how live comments enter.

use plain_text::counted;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use clap::builder::{ArgPredicate, NonEmptyStringValueParser};
use jiff::Timestamp;
use modstream_corpus::{OpenError, PlaceholderCounts, Placeholders};
use modstream_intake::{DEFAULT_SOURCE, Events, Held, Versions};
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::{Delivery, DeliveryError, put_all};
use modstream_platform::{MAX_PUT_BYTES, MAX_PUT_RECORDS, PutRecord, Stream};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::common::args::rate;
use crate::common::aws_args::source;
use crate::common::connection::deadline;
use crate::common::display::print;
use crate::common::input::{self, STANDARD_INPUT};
use crate::common::interrupt::Interrupts;
use crate::common::progress::Progress;
use crate::common::reached::{HERE, ReachArgs, Reached, place_of};
use crate::common::reading::FormatArgs;
use crate::common::runtime::block_on;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream send --input comments.csv
  tail -F feed.jsonl | modstream send --source urn:example:forum

Sending a file again sends the same events: consumers drop them by their ids. A comment that has `edited`, or whose `id` comes
again with another text, is sent as edited. What stands in place of a text that is gone, such as [removed], is no edit: such rows
are left out and counted. A comment without an `id` is known by the file's name, its line and its text; one
without `created_utc` has the time of --time.
A line that can't be sent is named, the rest is sent, and the status is 1 at the end.")]
pub(crate) struct SendArgs {
    /// The comments' stream
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", value_parser = NonEmptyStringValueParser::new(), required = false, required_unless_present = "data", default_value_if("data", ArgPredicate::IsPresent, HERE))]
    pub(crate) stream: String,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: standard input]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Names the system that the comments' ids are of, a URI: the same comment of the same source is the same event
    #[arg(long, value_name = "URI", default_value = DEFAULT_SOURCE, value_parser = source)]
    pub(crate) source: String,
    /// The time of comments without `created_utc` [default: the file's; of standard input now]
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<Timestamp>,
    /// Comments a second [default: as fast as it goes]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Send no line before this one; they are read, since the versions of comments follow from all that came before
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    pub(crate) from_line: u64,
    /// A text that stands in place of one that is gone, beside `[removed]` and its kind; may be repeated
    #[arg(long = "placeholder", value_name = "TEXT")]
    pub(crate) placeholders: Vec<String>,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How many comments wait to be sent. A row has at most 16 MiB.
const MAX_WAITING_ROWS: usize = MAX_PUT_RECORDS;
/// How many bad lines a line of JSON names.
const NAMED_LINES: usize = 100;
/// How much time a producer that was slow may catch up on.
const MAX_CATCH_UP: Duration = Duration::from_secs(1);

impl SendArgs {
    /// The file to read; none is standard input.
    fn file(&self) -> Option<&Path> {
        self.input.as_deref().filter(|path| !input::is_standard_input(path))
    }

    /// Runs `modstream send`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let sent = block_on(async {
            // Before anything is read: what is wrong here is found at once.
            let system = Reached::open(&self.reach).await?;
            let interrupts = Interrupts::listen()?;
            let rows = rows(&self)?;
            let stream = system.comments_to_send(&self.stream);
            let mut sending = Sending::new(&self, &stream);
            let started = Instant::now();
            sending.all(rows, &interrupts).await?;
            Ok((sending.sent, started.elapsed()))
        })?;
        finish(&self, &sent.0, sent.1)
    }
}

/// A line, and what it holds, or what is wrong with it.
type Read = (u64, Result<Held, String>);

/// Reads on a thread of its own: a pipe that is slow holds up nothing that came before.
fn rows(args: &SendArgs) -> anyhow::Result<mpsc::Receiver<Read>> {
    let name = args.file().and_then(Path::file_name);
    let mut reading = Events {
        source: args.source.clone(),
        name: name.map_or_else(|| STANDARD_INPUT.to_owned(), |name| name.to_string_lossy().into_owned()),
        time: args.time.or_else(|| written(args.file()?)).unwrap_or_else(Timestamp::now),
        versions: Versions::default(),
        options: args.format.options(),
        placeholders: Placeholders::and(&args.placeholders),
    };
    let (rows, waiting) = mpsc::channel(MAX_WAITING_ROWS);
    let (file, from_line) = (args.file().map(Path::to_owned), args.from_line);
    let options = reading.options.clone();
    let (opened, is_open) = std::sync::mpsc::channel::<Option<OpenError>>();
    std::thread::spawn(move || {
        let reader = match &file {
            Some(path) => input::comments(path, options),
            None => {
                // Opening waits for the first line.
                let _ = opened.send(None);
                input::comments_of_standard_input(options)
            }
        };
        let reader = match reader {
            Ok(reader) => reader,
            Err(OpenError::Empty { .. }) if file.is_none() => return,
            Err(error) => {
                let text = error.to_string();
                if opened.send(Some(error)).is_err() {
                    let _ = rows.blocking_send((0, Err(text)));
                }
                return;
            }
        };
        let _ = opened.send(None);
        for row in reader {
            let read = match row {
                // It is read all the same: which version a later text is follows from those before it.
                Ok(row) if row.line < from_line => {
                    let _ = reading.event(row);
                    continue;
                }
                Ok(row) => (row.line, reading.event(row).map_err(|error| error.to_string())),
                Err(error) if error.line < from_line && !error.is_fatal() => continue,
                Err(error) => (error.line, Err(error.to_string())),
            };
            // Nobody takes it: sending has ended.
            if rows.blocking_send(read).is_err() {
                return;
            }
        }
    });
    match is_open.recv() {
        Ok(Some(error)) => Err(error.into()),
        _ => Ok(waiting),
    }
}

/// When a file was written last.
fn written(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// What became of the comments.
#[derive(Default)]
struct Sent {
    comments: u64,
    bad: Vec<(u64, String)>,
    /// What was left out since a placeholder stands in place of its text.
    left_out: PlaceholderCounts,
    /// How many lines were not sent, also those that are not named.
    not_sent: u64,
    /// The first line that is not dealt with, where sending stopped before the end.
    next_line: Option<u64>,
    is_interrupted: bool,
    /// Why it stopped, where nobody asked for it.
    stopped_by: Option<DeliveryError>,
}

struct Sending<'a, S> {
    stream: &'a S,
    rate: Option<f64>,
    progress: Progress,
    sent: Sent,
}

impl<'a, S: Stream> Sending<'a, S> {
    fn new(args: &SendArgs, stream: &'a S) -> Self {
        Sending { stream, rate: args.rate, progress: Progress::new("sending", None), sent: Sent::default() }
    }

    async fn all(&mut self, mut rows: mpsc::Receiver<Read>, interrupts: &Interrupts) -> anyhow::Result<()> {
        let mut pace = Pace::new(self.rate);
        let mut batch = Batch::default();
        // Taken, and not due or without room in the batch.
        let mut next: Option<Read> = None;
        loop {
            let read = match next.take() {
                Some(read) => Some(read),
                None if batch.is_empty() => tokio::select! {
                    biased;
                    () = interrupts.asked() => {
                        self.sent.is_interrupted = true;
                        // Where the file has more lines, they are waiting by now.
                        self.sent.next_line = rows.try_recv().ok().map(|(line, _)| line);
                        return Ok(());
                    }
                    read = rows.recv() => read,
                },
                // What has come is sent; what comes meanwhile goes into the next call.
                None => rows.try_recv().ok(),
            };
            let Some((line, held)) = read else {
                if batch.is_empty() {
                    return Ok(());
                }
                if !self.send(&mut batch).await {
                    return Ok(());
                }
                continue;
            };
            let ready = match held {
                Ok(Held::Comment(ready)) => ready,
                Ok(Held::Placeholder(form)) => {
                    self.sent.left_out.add(form);
                    continue;
                }
                Err(error) => {
                    self.refuse(line, error);
                    continue;
                }
            };
            let wait = pace.wait();
            if !batch.is_empty() && (!batch.has_room_for(&ready.record) || wait.is_some()) {
                next = Some((line, Ok(Held::Comment(ready))));
                if !self.send(&mut batch).await {
                    return Ok(());
                }
                if interrupts.is_asked() {
                    (self.sent.is_interrupted, self.sent.next_line) = (true, Some(line));
                    return Ok(());
                }
                continue;
            }
            if let Some(wait) = wait {
                tokio::select! {
                    biased;
                    () = interrupts.asked() => {
                        (self.sent.is_interrupted, self.sent.next_line) = (true, Some(line));
                        return Ok(());
                    }
                    () = tokio::time::sleep(wait) => {}
                }
            }
            pace.took_one();
            batch.push(line, ready.record);
        }
    }

    /// Sends a batch, and says whether to go on.
    async fn send(&mut self, batch: &mut Batch) -> bool {
        let Batch { lines, records, .. } = std::mem::take(batch);
        let deliveries = Box::pin(put_all(self.stream, &SystemClock, deadline(), records)).await;
        for (line, delivery) in lines.into_iter().zip(deliveries) {
            match delivery {
                Delivery::Stored { .. } => {
                    self.sent.comments += 1;
                    self.progress.step();
                }
                Delivery::TooLarge { bytes } => {
                    self.refuse(line, format!("the event has {bytes} bytes, a record at most 1 MiB"));
                }
                Delivery::Refused { message } => self.refuse(line, format!("the stream refuses the event: {message}")),
                Delivery::Failed(error) => {
                    self.sent.next_line.get_or_insert(line);
                    self.sent.stopped_by.get_or_insert(error);
                }
            }
        }
        self.sent.stopped_by.is_none()
    }

    fn refuse(&mut self, line: u64, error: String) {
        eprintln!("line {line}: {error}");
        self.sent.not_sent += 1;
        if self.sent.bad.len() < NAMED_LINES {
            self.sent.bad.push((line, error));
        }
    }
}

/// What goes into one delivery: memory is bounded by a call's limits.
#[derive(Default)]
struct Batch {
    lines: Vec<u64>,
    records: Vec<PutRecord>,
    bytes: usize,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn has_room_for(&self, record: &PutRecord) -> bool {
        self.lines.len() < MAX_PUT_RECORDS && self.bytes + record.size() <= MAX_PUT_BYTES
    }

    fn push(&mut self, line: u64, record: PutRecord) {
        self.bytes += record.size();
        self.lines.push(line);
        self.records.push(record);
    }
}

/// The pace of sending: so many comments a second.
struct Pace {
    rate: Option<f64>,
    next: Instant,
}

impl Pace {
    fn new(rate: Option<f64>) -> Self {
        Pace { rate, next: Instant::now() }
    }

    /// How long until the next is due.
    fn wait(&self) -> Option<Duration> {
        self.rate?;
        self.next.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    fn took_one(&mut self) {
        if let Some(rate) = self.rate {
            let earliest = Instant::now().checked_sub(MAX_CATCH_UP).unwrap_or(self.next);
            self.next = self.next.max(earliest) + Duration::from_secs_f64(1.0 / rate);
        }
    }
}

fn finish(args: &SendArgs, sent: &Sent, took: Duration) -> anyhow::Result<ExitCode> {
    let Sent { comments, bad, left_out, not_sent, next_line, is_interrupted, stopped_by } = sent;
    let go_on = next_line.map(|line| format!("go on with --from-line {line}; what is sent twice has the same ids"));
    if args.json {
        let bad: Vec<Value> = bad.iter().map(|(line, error)| json!({ "line": line, "error": error })).collect();
        let mut line = json!({
            "stream": args.stream,
            "sent": comments,
            "not_sent": not_sent,
            "bad": bad,
            "placeholders": left_out,
            "interrupted": is_interrupted,
            "next_line": next_line,
            "seconds": took.as_secs_f64(),
        });
        if let Some(error) = stopped_by {
            line["error"] = format!("{} takes no more: {error}", place_of("the stream", &args.stream)).into();
        }
        print(&format!("{line}\n"))?;
    } else {
        let comments = counted(*comments, "comment");
        print(&format!("{comments} sent to {} in {:.1} s\n", args.stream, took.as_secs_f64()))?;
        if left_out.count() > 0 {
            print(&format!("{} left out, whose texts are gone: {left_out}\n", counted(left_out.count(), "comment")))?;
        }
        if *not_sent > 0 {
            print(&format!("{not_sent} not sent: their lines are named above\n"))?;
        }
        if let (true, Some(go_on)) = (*is_interrupted, &go_on) {
            print(&format!("stopped; {go_on}\n"))?;
        }
        if let Some(error) = stopped_by {
            let go_on = go_on.unwrap_or_default();
            return Err(anyhow::anyhow!("{error}; {go_on}"))
                .with_context(|| format!("{} takes no more", place_of("the stream", &args.stream)));
        }
    }
    Ok(match (is_interrupted, stopped_by.is_none() && *not_sent == 0) {
        (true, _) => ExitCode::from(130),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}
