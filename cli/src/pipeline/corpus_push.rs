//! Sample comments in a system's bucket.

use plain_text::{agree, counted};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use modstream_platform::aws::SystemClock;
use modstream_platform::deliver::{get, put_where};
use modstream_platform::{Condition, Fetched};
use serde_json::json;

use crate::common::aws_args::ConnectionArgs;
use crate::common::connection::{Connection, deadline};
use crate::common::display::print;
use crate::common::reading::FormatArgs;
use crate::common::runtime::block_on;
use crate::pipeline::corpus::Corpus;

#[derive(Debug, Subcommand)]
pub(crate) enum CorpusCommand {
    /// Put comments where the generator reads them, over what is there
    Push(CorpusPushArgs),
}

impl CorpusCommand {
    /// Runs `modstream corpus`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            CorpusCommand::Push(args) => args.run(),
        }
    }

    pub(crate) fn wants_json(&self) -> bool {
        match self {
            CorpusCommand::Push(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CorpusPushArgs {
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// The system's bucket
    #[arg(long, value_name = "NAME", env = "MODSTREAM_BUCKET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) bucket: String,
    /// The object's key
    #[arg(long, value_name = "KEY", default_value = "corpus/comments.jsonl", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) key: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl CorpusPushArgs {
    /// Runs `modstream corpus push`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let corpus = Corpus::read(self.input.as_deref(), self.format.options(), u64::MAX)?;
        let rows = corpus.rows;
        let (bucket, key) = (self.bucket.as_str(), self.key.as_str());
        let placed = block_on(async {
            let connection = Connection::open(&self.connection).await?;
            place(&connection, bucket, key, corpus, rows, true).await
        })?;
        if self.json {
            let line = json!({ "bucket": bucket, "key": key, "comments": rows, "changed": placed != Placed::WasThere });
            print(&format!("{line}\n"))?;
        } else {
            let how = match placed {
                Placed::WasThere => agree(rows, "it was there already", "they were there already"),
                Placed::Written => agree(rows, "it is there now", "they are there now"),
                Placed::Replaced => agree(rows, "it is there now, over others", "they are there now, over others"),
            };
            print(&format!("{} under {key} of the bucket {bucket}: {how}\n", counted(rows, "comment")))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What became of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// The object held the comments already.
    WasThere,
    Written,
    Replaced,
}

/// Puts comments where the generator reads them, so that the first `used` rows are these.
pub(crate) async fn place(
    connection: &Connection,
    bucket: &str,
    key: &str,
    corpus: Corpus,
    used: u64,
    replace: bool,
) -> anyhow::Result<Placed> {
    let Corpus { bytes, rows } = corpus;
    let at = || format!("{key} of the bucket {bucket}");
    let found =
        Box::pin(get(&connection.bucket(bucket), &SystemClock, deadline(), key, None)).await.with_context(at)?;
    let (condition, placed) = match found {
        Fetched::Object { bytes: found, etag } => {
            // Rows behind the last one that is used don't matter.
            if found == bytes || (used <= rows && found.starts_with(&bytes)) {
                return Ok(Placed::WasThere);
            }
            if !replace {
                bail!("{} holds other comments: say --replace-corpus to put these in their place", at());
            }
            (Condition::Matches(etag), Placed::Replaced)
        }
        Fetched::NotModified | Fetched::Missing => (Condition::Absent, Placed::Written),
    };
    let objects = connection.clients().objects(bucket);
    let written = Box::pin(put_where(&objects, &SystemClock, deadline(), key, bytes, &condition)).await;
    if written.with_context(at)?.is_none() {
        bail!("{} was written by somebody else meanwhile: run the command again", at());
    }
    Ok(placed)
}
