//! `modstream replay` of a system: comments of its archive or its stream, beside the alerts in its ledger.

use plain_text::counted;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use modstream_archive::{Content, Key, PREFIX};
use modstream_events::{Alert, Event, Term};
use modstream_ledger::{AlertKey, Hour, LedgerError, List};
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::list;
use modstream_platform::sqlite::SqliteStream;
use modstream_platform::table::Table;
use modstream_platform::{Clock, Objects};

use super::args::{ReplayArgs, ReplayedArgs};
use super::compare::{against, compare};
use super::sides::{
    CommentOutcome, CommentOutcomes, EventKey, Item, Known, LeftOut, Raised, Side, Source, Was, event_key,
};
use crate::common::connection::{deadline, failed};
use crate::common::output::OutputFile;
use crate::common::reached::{HERE, Kind, Reached};
use crate::common::runtime::block_on;
use crate::common::usage::{Usage, set_up};
use crate::pipeline::stream::{From, Reader};

/// How many records of a data folder are read at once.
const RECORDS_PER_READ: usize = 500;
/// How often shards are looked at: each takes five looks a second, of all its readers.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(args: &ReplayArgs, page: Option<&OutputFile>) -> anyhow::Result<ExitCode> {
    let ReplayedArgs { from, to, stream, comments, bucket, table, reach } = &args.deployed;
    let now = Timestamp::now();
    let to = to.unwrap_or(now);
    if from.is_none() && !stream {
        let ways = "what is to be replayed? Say --input FILE, --from TIME for the archive, or --stream";
        return Err(Usage::error(ways));
    }
    if let Some(from) = from {
        let is_before = *from < to;
        if !is_before {
            return Err(Usage::error(format!("--from {from} is not before {to}: no comment can lie between them")));
        }
    }
    let (name, bucket, table) = match &reach.data {
        // A data folder has one of each, whatever the environment says of another system.
        Some(_) => (Some(Kind::Comments.name()), Some(HERE), Some(HERE)),
        None => (comments.comments_stream.as_deref(), bucket.as_deref(), table.as_deref()),
    };
    let name = name.ok_or_else(|| {
        Usage::error(format!("whose comments? Say --comments-stream; {}", set_up("MODSTREAM_COMMENTS_STREAM")))
    })?;
    let is_compared = args.against_model.is_some() || args.against_policy.is_some();
    if bucket.is_none() && !stream {
        let setup = set_up("MODSTREAM_BUCKET");
        return Err(Usage::error(format!("the archive lies in the system's bucket: say --bucket; {setup}")));
    }
    if table.is_none() && !is_compared {
        let setup = set_up("MODSTREAM_TABLE");
        return Err(Usage::error(format!("the alerts there were lie in the system's table: say --table; {setup}")));
    }
    let since = from.map_or_else(|| "its beginning".to_owned(), |from| from.to_string());
    let title = |of: &str| format!("{of} {name} from {since} to {to}");
    block_on(async {
        let system = Reached::open(reach).await?;
        let objects = bucket.map(|bucket| system.objects(bucket));
        let ledger = table.filter(|_| !is_compared).map(|table| system.table(table));
        if let (true, title) = (*stream, title("the stream")) {
            let connection = match &system {
                Reached::Aws(connection) => connection,
                Reached::Here(data) => {
                    let mut source =
                        Kept { stream: data.comments.clone(), after: None, from: *from, to, waiting: VecDeque::new() };
                    return Box::pin(against_what_was(args, page, &title, &mut source, ledger)).await;
                }
            };
            let mut source = Live::open(connection.kinesis(), name, *from, to).await?;
            return Box::pin(against_what_was(args, page, &title, &mut source, ledger)).await;
        }
        let (Some(from), Some(objects)) = (from, objects) else { return Err(Usage::error("say --from and --bucket")) };
        let begins = first_hour_after(&objects, &SystemClock, name, *from).await?;
        let reader = modstream_archive::Reader::open(&objects, &SystemClock, name, *from, to).await;
        let mut source = Archived { reader: reader.context("the archive")?, forgotten: 0, begins, first: None };
        Box::pin(against_what_was(args, page, &title("the archive of"), &mut source, ledger)).await
    })
}

/// Compares with the ledger, else with the model and the policy that are named.
async fn against_what_was<B: Table>(
    args: &ReplayArgs,
    page: Option<&OutputFile>,
    title: &str,
    source: &mut impl Source,
    ledger: Option<B>,
) -> anyhow::Result<ExitCode> {
    match ledger {
        Some(table) => compare(args, page, title, source, Ledger::new(table, SystemClock)).await,
        None => compare(args, page, title, source, against(args)?).await,
    }
}

/// When the archive's first hour begins, where that is after `from`: a young archive has nothing before.
async fn first_hour_after<O: Objects, C: Clock>(
    objects: &O,
    clock: &C,
    stream: &str,
    from: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    let hour = hour_of(from);
    let listed = async |prefix: &str| list(objects, clock, deadline(), prefix).await.context("the archive");
    // The whole archive is listed only where this hour has nothing.
    if !listed(&format!("{PREFIX}{stream}/{hour}/")).await?.is_empty() {
        return Ok(None);
    }
    let all = listed(&format!("{PREFIX}{stream}/")).await?;
    let first = all.iter().filter_map(|key| Key::parse(key)).map(|key| key.hour).min();
    match first {
        None => bail!("the archive of the stream {stream} is empty: replay the stream itself with --stream, or files"),
        Some(first) if first > hour => Ok(first.parse().ok().map(Hour::start)),
        Some(_) => Ok(None),
    }
}

fn hour_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H").to_string()
}

/// Comments of the archive.
struct Archived<'a, O, C> {
    reader: modstream_archive::Reader<'a, O, C>,
    forgotten: u64,
    /// When the archive's first hour begins, where that is after what was asked for.
    begins: Option<Timestamp>,
    /// When the first of its records arrived.
    first: Option<Timestamp>,
}

impl<O: Objects, C: Clock> Source for Archived<'_, O, C> {
    async fn next(&mut self) -> anyhow::Result<Option<Item>> {
        while let Some(stored) = self.reader.next().await.context("the archive")? {
            let arrived = stored.record.arrived;
            self.first = Some(self.first.map_or(arrived, |first| first.min(arrived)));
            match stored.record.content {
                Content::Data(data) => {
                    let (partition_key, arrived) = (stored.record.partition_key, Some(arrived));
                    return Ok(Some(Item { data, partition_key, arrived, removed: None }));
                }
                Content::Forgotten(_) => self.forgotten += 1,
            }
        }
        Ok(None)
    }

    fn left_out(&self) -> LeftOut {
        let unreadable = self.reader.unreadable().iter();
        LeftOut {
            unreadable: unreadable.map(|object| (object.key.clone(), object.error.to_string())).collect(),
            without_text: self.forgotten,
            begins: self.begins.map(|begins| self.first.unwrap_or(begins)),
            ..LeftOut::default()
        }
    }
}

/// Comments that the stream still has.
struct Live {
    reader: Reader,
    to: Timestamp,
    waiting: VecDeque<Item>,
    is_end: bool,
}

impl Live {
    async fn open(
        client: aws_sdk_kinesis::Client,
        name: &str,
        from: Option<Timestamp>,
        to: Timestamp,
    ) -> anyhow::Result<Self> {
        let summary = Box::pin(client.describe_stream_summary().stream_name(name).send()).await;
        let summary = summary.map_err(failed("kinesis", "DescribeStreamSummary"));
        let summary = summary.with_context(|| format!("the stream {name}"))?;
        let hours = summary.stream_description_summary.map_or(24, |summary| summary.retention_period_hours);
        let oldest = Timestamp::now() - SignedDuration::from_hours(i64::from(hours));
        if let Some(from) = from
            && from < oldest
        {
            bail!(
                "the stream {name} keeps records for {}: say a later --from, or replay the archive, without --stream",
                counted(hours, "hour")
            );
        }
        let reader = Reader::open(client, name, from.map_or(From::Horizon, From::At)).await?;
        Ok(Live { reader, to, waiting: VecDeque::new(), is_end: false })
    }
}

impl Source for Live {
    async fn next(&mut self) -> anyhow::Result<Option<Item>> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Ok(Some(item));
            }
            if self.is_end {
                return Ok(None);
            }
            let page = self.reader.read().await?;
            let wanted = page.records.into_iter().filter(|record| record.arrived < self.to);
            // The place does as a key: what a function makes of a comment does not depend on it.
            self.waiting.extend(wanted.map(|record| Item {
                partition_key: record.place.chars().take(modstream_platform::MAX_KEY_CHARS).collect(),
                arrived: Some(record.arrived),
                data: record.data,
                removed: None,
            }));
            let read_until = Timestamp::now().checked_sub(page.behind);
            self.is_end = page.is_at_end || read_until.is_ok_and(|until| until > self.to);
            if self.waiting.is_empty() && !self.is_end {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    fn left_out(&self) -> LeftOut {
        LeftOut::default()
    }
}

/// Comments that the stream of a data folder still has.
struct Kept {
    stream: SqliteStream,
    after: Option<String>,
    from: Option<Timestamp>,
    to: Timestamp,
    waiting: VecDeque<Item>,
}

impl Source for Kept {
    async fn next(&mut self) -> anyhow::Result<Option<Item>> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Ok(Some(item));
            }
            let records = self.stream.records(self.after.as_deref(), RECORDS_PER_READ)?;
            let Some((_, last)) = records.last() else { return Ok(None) };
            self.after = Some(last.sequence_number.clone());
            let is_wanted = |arrived: Timestamp| self.from.is_none_or(|from| arrived >= from) && arrived < self.to;
            let wanted = records.into_iter().filter(|(_, record)| is_wanted(record.arrived));
            self.waiting.extend(wanted.map(|(_, record)| Item {
                partition_key: record.partition_key.clone(),
                arrived: Some(record.arrived),
                data: record.data.clone(),
                removed: None,
            }));
        }
    }

    fn left_out(&self) -> LeftOut {
        LeftOut::default()
    }
}

/// How long after a comment arrives the alert about it is looked for: as long as a stream keeps records where nobody says
/// otherwise, so a publisher that was behind is found.
const ALERTED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The alerts there were, of the ledger. An hour is read when the first comment is replayed whose alert may lie in it, and kept.
struct Ledger<B, C> {
    table: B,
    clock: C,
    hours: HashSet<Hour>,
    alerts: HashMap<EventKey, CommentOutcome>,
    models: BTreeSet<String>,
    conditions: BTreeSet<String>,
    unreadable: Vec<(String, String)>,
}

impl<B: Table, C: Clock> Ledger<B, C> {
    fn new(table: B, clock: C) -> Self {
        let (hours, alerts, models, conditions, unreadable) = Default::default();
        Ledger { table, clock, hours, alerts, models, conditions, unreadable }
    }

    async fn read(&mut self, hours: Vec<Hour>) -> anyhow::Result<()> {
        for hour in hours {
            for list in List::ALL {
                let mut after = None;
                loop {
                    let ledger = modstream_ledger::Ledger::new(&self.table, &self.clock, deadline());
                    let between = (hour.start(), hour.next().start());
                    let page = ledger.made_between(list, between, after).await.context("the ledger")?;
                    let keys: Vec<AlertKey> = page.found.into_iter().map(|alert| alert.key).collect();
                    let (entries, unreadable) = ledger.entries(&keys).await.context("the ledger")?;
                    let named = |error: LedgerError| ("the ledger".to_owned(), error.to_string());
                    self.unreadable.extend(unreadable.into_iter().map(named));
                    for (key, entry) in entries {
                        match Event::<Alert<'_>>::decode(&entry.event) {
                            Ok(event) => self.add(event.data),
                            Err(bad) => self.unreadable.push((key.to_string(), bad.to_string())),
                        }
                    }
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, alert: Alert<'_>) {
        // It met no policy, and was asked about all the same.
        if alert.exploration.is_some() {
            return;
        }
        let version: String = alert.model.version.chars().take(12).collect();
        self.models.insert(format!("{} {version}", alert.model.name));
        let condition = alert.policy.condition.into_owned();
        self.conditions.insert(condition.clone());
        let terms = alert.terms.into_iter().map(Term::into_owned).collect();
        let outcome = CommentOutcome {
            share: None,
            probability: alert.probability,
            terms,
            alert: Some(Raised { severity: alert.severity, condition }),
        };
        // A comment that alerted under two policies is one.
        let of = alert.comment_event;
        self.alerts.entry(event_key(&of.source, &of.id)).or_insert(outcome);
    }
}

impl<B: Table, C: Clock> Was for Ledger<B, C> {
    async fn outcomes(&mut self, comments: &[Known], _: &[Item]) -> anyhow::Result<CommentOutcomes> {
        let now = self.clock.now();
        // The hour of the comment's arrival is looked at in any case.
        let until = |arrived: Timestamp| {
            let latest = arrived.checked_add(ALERTED_WITHIN).unwrap_or(Timestamp::MAX).min(now);
            latest.max(arrived.checked_add(SignedDuration::from_secs(1)).unwrap_or(arrived))
        };
        let hours: BTreeSet<Hour> =
            comments.iter().flat_map(|comment| Hour::between(comment.arrived, until(comment.arrived))).collect();
        let hours: Vec<Hour> = hours.into_iter().filter(|hour| self.hours.insert(*hour)).collect();
        self.read(hours).await?;
        let known = comments.iter().filter_map(|comment| Some((comment.key, self.alerts.get(&comment.key)?.clone())));
        Ok(known.collect())
    }

    fn side(&self) -> Side {
        let several = |all: &BTreeSet<String>, what: &str| match all.len() {
            0 => "-".to_owned(),
            1 => all.first().cloned().unwrap_or_default(),
            count => format!("{count} {what}"),
        };
        Side {
            name: format!("alerts there were ({})", several(&self.models, "models")),
            condition: several(&self.conditions, "policies"),
            model: None,
        }
    }

    fn unreadable(&self) -> &[(String, String)] {
        &self.unreadable
    }
}
