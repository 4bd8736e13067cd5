//! `modstream forget`: what a person wrote, removed from a system's bucket and table.

use plain_text::{agree, counted};
use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use jiff::{SignedDuration, Timestamp};
use modstream_forget::{Area, Mode, Person, Progress, Summary, forget};
use modstream_platform::Clock as _;
use modstream_platform::aws::SystemClock;
use serde_json::{Map, Value, json};

use crate::common::aws_args::{BucketArgs, TableArgs};
use crate::common::connection::{Connection, failed};
use crate::common::display::{one_line, print};
use crate::common::reached::{ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::common::usage::Usage;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whose").required(true)), after_help = "Examples:
  modstream forget --author some_name --dry-run
  modstream forget --comment k3f9a01

Removed are texts in archive, quarantine, ledger and batches that were given up, in every version of an object. The streams' own
copies expire by themselves; the command says when, and is to be run once more then. Stopped half-way, run it again; after an
error --from goes on where it had come to. It asks before it removes anything; without a terminal it needs --yes.")]
pub(crate) struct ForgetArgs {
    /// Forget all comments of this author, the name exactly as it stands in comments
    #[arg(long, value_name = "NAME", group = "whose", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) author: Option<String>,
    /// Forget this comment, by the forum's id
    #[arg(long, value_name = "ID", group = "whose", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) comment: Option<String>,
    /// Go on behind this key of the bucket, up to which a run that failed says that it had come
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(crate) from: Option<String>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove without asking first; needed where there is no terminal to ask on
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) bucket: BucketArgs,
    #[command(flatten)]
    pub(crate) table: TableArgs,
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
    pub(crate) reach: ReachArgs,
}

impl ForgetArgs {
    /// Runs `modstream forget`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (person, who) = match (&self.author, &self.comment) {
            (Some(name), _) => (Person::Author(name.clone()), format!("the author {}", one_line(name))),
            (None, Some(id)) => (Person::Comment(id.clone()), format!("the comment {}", one_line(id))),
            (None, None) => return Err(Usage::error("say --author NAME or --comment ID")),
        };
        if !self.dry_run && !self.yes {
            confirm(&who, (&self.table.table, &self.bucket.bucket))?;
        }
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Remove };
        let (summary, kept) = block_on(async {
            let system = Reached::open(&self.reach).await?;
            let names = [&self.comments_stream, &self.predictions_stream].into_iter().flatten();
            let (mut streams, mut backups, mut beyond) = (Vec::new(), None, BEYOND_AWS);
            match &system {
                Reached::Aws(connection) => {
                    backups = Box::pin(restorable(connection, &self.table.table)).await?;
                    for name in names {
                        let until = Box::pin(expiry(connection, name)).await?;
                        streams.push(Copies { stream: name.clone(), until });
                    }
                }
                Reached::Here(data) => {
                    let until = SystemClock.now().saturating_add(data.keeps_for()?).unwrap_or(Timestamp::MAX);
                    streams.extend(data.streams().map(|(name, _)| Copies { stream: name.to_owned(), until }));
                    beyond = BEYOND_THE_FOLDER;
                }
            }
            // An answer that is lost does no harm here, so the SDK may try again by itself.
            let (table, bucket) = (system.table(&self.table.table), system.bucket(&self.bucket.bucket));
            let mut progress = Progress { up_to: self.from.clone() };
            let summary = Box::pin(forget((&table, &bucket), &SystemClock, &person, mode, &mut progress)).await;
            let summary = summary.map_err(|error| match &progress.up_to {
                Some(key) => anyhow::anyhow!("{error}; to go on where it stopped, say --from '{}'", one_line(key)),
                None => anyhow::anyhow!("{error}; run the command again"),
            })?;
            let log_holds = match &system {
                Reached::Here(data) if !self.dry_run => !data.database.empty_log()?,
                Reached::Here(_) | Reached::Aws(_) => false,
            };
            anyhow::Ok((summary, Kept { streams, backups, log_holds, beyond }))
        })?;
        if summary.is_empty() && self.from.is_none() {
            bail!("{}", nothing(&summary, &who));
        }
        if self.json {
            print(&format!("{}\n", as_json(&summary, &kept, self.dry_run)))?;
        } else {
            print(&as_text(&summary, &kept, &who, self.dry_run))?;
        }
        Ok(if summary.unclear.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A key below which comments lie.
fn key(text: &str) -> Result<String, String> {
    match Area::of_key(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a key of the bucket, as the error of the run before says it".to_owned()),
    }
}

/// Asks whether to remove what can't be brought back.
fn confirm(who: &str, from: (&str, &str)) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Usage::error(format!(
            "nothing was removed: what is removed of {who} can't be brought back, and there is no terminal to ask on; say \
             --yes to remove it, or --dry-run to see what it is"
        )));
    }
    eprint!("{}", question(who, from));
    ensure!(is_yes(io::stdin().lock())?, "nothing was removed");
    Ok(())
}

/// What is asked before anything is removed: it names all that it is removed from.
fn question(who: &str, (table, bucket): (&str, &str)) -> String {
    format!(
        "Remove all of {who} from the table {} and the bucket {}? It can't be brought back. [y/N] ",
        one_line(table),
        one_line(bucket)
    )
}

/// Whether the first line says yes.
fn is_yes(mut answer: impl BufRead) -> io::Result<bool> {
    let mut line = String::new();
    answer.read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// What holds copies for a while yet.
struct Kept {
    streams: Vec<Copies>,
    /// Until when the table can be restored as it is now; none where it can't be.
    backups: Option<Timestamp>,
    /// Whether the file's write-ahead log may hold what was removed.
    log_holds: bool,
    /// What is not looked at.
    beyond: &'static str,
}

/// What is not looked at on AWS.
const BEYOND_AWS: &str = "Alerts that nobody took stay in their queue for up to 14 days. What subscribers got, and your own files below corpus/, is \
     not looked at.";
/// What is not looked at beside a data folder.
const BEYOND_THE_FOLDER: &str = "Backups, emails that were sent and your own files are not looked at.";
/// What is said where the write-ahead log can't be emptied now.
const LOG_HOLDS: &str =
    "Somebody reads the file just now, so its write-ahead log may hold what was removed until `serve` is started anew.";

/// A stream's own copies.
struct Copies {
    stream: String,
    /// When the last copy that the stream holds now is gone.
    until: Timestamp,
}

async fn restorable(connection: &Connection, table: &str) -> anyhow::Result<Option<Timestamp>> {
    let days = connection.table(table).recovery_days().await;
    let days = days.with_context(|| format!("for how long the table {table} can be restored can't be read"))?;
    let until = |days| SystemClock.now().saturating_add(SignedDuration::from_hours(24 * i64::from(days)));
    Ok(days.map(|days| until(days).unwrap_or(Timestamp::MAX)))
}

async fn expiry(connection: &Connection, stream: &str) -> anyhow::Result<Timestamp> {
    let call = connection.kinesis().describe_stream_summary().stream_name(stream);
    let answer = call.send().await.map_err(failed("kinesis", "DescribeStreamSummary"));
    let answer = answer.with_context(|| format!("how long the stream {stream} keeps its records can't be read"))?;
    let hours = answer.stream_description_summary.map_or(24, |summary| summary.retention_period_hours);
    Ok(SystemClock.now().saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MAX))
}

fn nothing(summary: &Summary, who: &str) -> String {
    let mut said = format!(
        "nothing of {who} was found in {} of objects and alerts, and nothing was written; names and ids count exactly as they \
         stand in comments",
        counted(summary.looked_at, "version")
    );
    if !summary.unclear.is_empty() {
        let _ = write!(said, "; {}", unclear(summary));
    }
    said
}

fn unclear(summary: &Summary) -> String {
    let mut said = format!("{} must be looked at by hand:", counted(summary.unclear.len(), "version"));
    for unclear in &summary.unclear {
        let _ = write!(said, "\n  {} ({}): {}", one_line(&unclear.key), unclear.version_id, unclear.why);
    }
    said
}

fn as_text(summary: &Summary, Kept { streams, backups, log_holds, beyond }: &Kept, who: &str, dry_run: bool) -> String {
    let what = if dry_run { "what would be removed" } else { "removed" };
    let mut said = format!("{who}: {what}\n\n  place          objects  records  versions\n");
    for (place, counts) in &summary.places {
        let _ = writeln!(
            said,
            "  {:<12} {:>9} {:>8} {:>9}",
            place.prefix(),
            counts.objects,
            counts.records,
            counts.versions
        );
    }
    let _ = writeln!(
        said,
        "\n{} of objects and alerts {} looked at.",
        counted(summary.looked_at, "version"),
        agree(summary.looked_at, "was", "were")
    );
    for Copies { stream, until } in streams {
        let until = until.strftime("%Y-%m-%d %H:%M UTC");
        let _ = writeln!(said, "The stream {stream} may hold copies until {until}: run the command again after that.");
    }
    if streams.is_empty() {
        said.push_str("The streams hold copies for as long as they keep records: run the command again after that.\n");
    }
    if let Some(until) = backups {
        let until = until.strftime("%Y-%m-%d %H:%M UTC");
        let _ = writeln!(said, "The table can be restored as it was before, with their text in it, until {until}.");
    }
    if *log_holds {
        let _ = writeln!(said, "{LOG_HOLDS}");
    }
    let _ = writeln!(said, "{beyond}");
    if !summary.unclear.is_empty() {
        let _ = writeln!(said, "{}", unclear(summary));
    }
    said
}

fn as_json(summary: &Summary, Kept { streams, backups, .. }: &Kept, dry_run: bool) -> Value {
    let places: Map<String, Value> = summary
        .places
        .iter()
        .map(|(place, counts)| {
            let counts = json!({ "objects": counts.objects, "records": counts.records, "versions": counts.versions });
            (place.prefix().to_owned(), counts)
        })
        .collect();
    let streams: Vec<Value> =
        streams.iter().map(|copies| json!({ "stream": copies.stream, "copies_until": copies.until })).collect();
    let unclear: Vec<Value> =
        summary.unclear.iter().map(|it| json!({ "key": it.key, "version_id": it.version_id, "why": it.why })).collect();
    json!({
        "dry_run": dry_run,
        "places": places,
        "looked_at": summary.looked_at,
        "streams": streams,
        "table_restorable_until": backups,
        "unclear": unclear,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_forget::{Area, Counts, Unclear};

    fn summary() -> Summary {
        let places = [
            (Area::Archive, Counts { objects: 2, records: 3, versions: 2 }),
            (Area::GivenUp, Counts { objects: 1, records: 0, versions: 4 }),
        ];
        Summary { places: places.into(), unclear: Vec::new(), looked_at: 17 }
    }

    fn kept() -> Kept {
        let time = |text: &str| text.parse().expect("a time");
        let until = time("2026-01-06T10:00:00Z");
        let streams = vec![Copies { stream: "modstream-comments".to_owned(), until }];
        Kept { streams, backups: Some(time("2026-02-09T10:00:00Z")), log_holds: false, beyond: BEYOND_AWS }
    }

    #[test]
    fn what_was_removed_is_said_by_place_and_when_the_rest_expires() {
        let said = as_text(&summary(), &kept(), "the author bob", false);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "the author bob: removed");
        assert_eq!(lines[2], "  place          objects  records  versions");
        assert_eq!(lines[3], "  archive/             2        3         2");
        assert_eq!(lines[4], "  aws/lambda/          1        0         4");
        assert!(said.contains("The stream modstream-comments may hold copies until 2026-01-06 10:00 UTC"), "{said}");
        assert!(
            said.contains("The table can be restored as it was before, with their text in it, until 2026-02-09 10:00")
        );
        let none = Kept { backups: None, ..kept() };
        assert!(!as_text(&summary(), &none, "the author bob", false).contains("restored"));
        assert_eq!(as_json(&summary(), &none, false)["table_restorable_until"], Value::Null);
        assert!(!said.contains(LOG_HOLDS) && said.ends_with(&format!("{BEYOND_AWS}\n")), "{said}");
        let held = as_text(&summary(), &Kept { log_holds: true, beyond: BEYOND_THE_FOLDER, ..kept() }, "bob", false);
        assert!(held.ends_with(&format!("{LOG_HOLDS}\n{BEYOND_THE_FOLDER}\n")), "{held}");
    }

    #[test]
    fn the_question_names_the_table_and_the_bucket() {
        assert_eq!(
            question("the author bob", ("modstream-state", "modstream-1")),
            "Remove all of the author bob from the table modstream-state and the bucket modstream-1? It can't be brought \
             back. [y/N] "
        );
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in
            [("y\n", true), ("Yes\r\n", true), ("", false), ("\n", false), ("n\n", false), ("no\ny\n", false)]
        {
            assert_eq!(is_yes(answer.as_bytes()).expect("reads"), expected, "{answer:?}");
        }
    }

    #[test]
    fn without_a_match_it_says_so_and_also_what_it_could_not_read() {
        let unclear = Unclear { key: "archive/x".into(), version_id: "v".into(), why: "it is damaged".into() };
        let none = Summary { unclear: vec![unclear], looked_at: 5, ..Summary::default() };
        let said = nothing(&none, "the comment k1");
        assert!(said.starts_with("nothing of the comment k1 was found in 5 versions of objects and alerts"), "{said}");
        assert!(said.contains("archive/x (v): it is damaged"), "{said}");
    }
}
