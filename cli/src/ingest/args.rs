//! What `modstream ingest` takes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use modstream_sources::{Origin, bluesky};
use url::Url;

use super::dial::Dialer;
use super::mastodon::{Server, TOKEN, Which};
use super::poll::{Api, Forum};
use super::run::{self, Run};
use super::sink::{ServeStream, Sink};
use super::state::Cursor;
use crate::common::aws_args::{source, subreddit, time};
use crate::common::reached::{HERE, ReachArgs, Reached};
use crate::common::runtime::block_on;
use crate::common::usage::{Usage, set_up};

#[derive(Debug, Subcommand)]
pub(crate) enum IngestCommand {
    /// Posts of Bluesky, by Jetstream
    Bluesky(BlueskyArgs),
    /// Public statuses of a Mastodon, by its stream
    Mastodon(MastodonArgs),
    /// Posts of a Discourse, by its list of the newest
    Discourse(ForumArgs),
    /// Comments of a Lemmy, by its list of the newest
    Lemmy(ForumArgs),
}

impl IngestCommand {
    /// Runs `modstream ingest`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            IngestCommand::Bluesky(args) => args.run(),
            IngestCommand::Mastodon(args) => args.run(),
            IngestCommand::Discourse(args) => args.run(Api::Discourse),
            IngestCommand::Lemmy(args) => args.run(Api::Lemmy),
        }
    }

    pub(crate) fn wants_json(&self) -> bool {
        match self {
            IngestCommand::Bluesky(args) => args.to.json,
            IngestCommand::Mastodon(args) => args.to.json,
            IngestCommand::Discourse(args) | IngestCommand::Lemmy(args) => args.to.json,
        }
    }
}

/// Where comments go, how far that came, and what may be asked for them.
#[derive(Debug, Args)]
pub(super) struct ToArgs {
    /// The comments' stream on AWS
    #[arg(long, value_name = "NAME", env = "MODSTREAM_COMMENTS_STREAM", help_heading = "To")]
    stream: Option<String>,
    /// A running `modstream serve`, by its address
    #[arg(long, value_name = "URL", value_parser = http_url, conflicts_with_all = ["print", "data"], help_heading = "To")]
    serve: Option<Url>,
    /// A file with the key that the server asks for, of the role send [default: what MODSTREAM_KEY says]
    #[arg(long, value_name = "FILE", requires = "serve", help_heading = "To")]
    key_file: Option<PathBuf>,
    /// Write the events to standard output, a line each, and put them nowhere
    #[arg(long, visible_alias = "dry-run", conflicts_with_all = ["data", "json"], help_heading = "To")]
    print: bool,
    /// The file that says how far it came, and from where it goes on; it is made where there is none
    #[arg(long, value_name = "FILE", required_unless_present = "print")]
    state: Option<PathBuf>,
    /// Names the system that the comments' ids are of, a URI [default: that of the source]
    #[arg(long, value_name = "URI", value_parser = source)]
    source: Option<String>,
    /// The community that all comments are of [default: what the source says of each]
    #[arg(long, value_name = "NAME", value_parser = subreddit)]
    community: Option<String>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// A host or an address of your own network, which may be asked, also without encryption; may be given again
    #[arg(long, value_name = "HOST")]
    allow_private: Vec<String>,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    reach: ReachArgs,
}

/// The variable that holds the key of a server.
const KEY: &str = "MODSTREAM_KEY";

impl ToArgs {
    /// What connects to servers of others.
    pub(super) fn dialer(&self) -> Dialer {
        Dialer::of_others(&self.allow_private)
    }

    /// The comments' source and community.
    pub(super) fn origin(&self, source: &str, community: Option<&str>) -> Origin {
        Origin {
            source: self.source.clone().unwrap_or_else(|| source.to_owned()),
            community: self.community.clone().or_else(|| community.map(str::to_owned)),
        }
    }

    /// Opens the state of a source, called so in it, and the way to where events go.
    pub(super) async fn open(&self, name: &'static str, source: &str) -> anyhow::Result<Run> {
        let (state, cursor) = run::open(self.state.as_deref(), source)?;
        let sink = self.sink().await?;
        Ok(Run { name, sink, state, cursor, limit: self.limit, json: self.json })
    }

    async fn sink(&self) -> anyhow::Result<Sink> {
        if self.print {
            return Ok(Sink::Print);
        }
        if let Some(url) = &self.serve {
            let key = secret(self.key_file.as_deref(), KEY)?;
            return Ok(Sink::Serve(Box::new(ServeStream::new(url, key, Dialer::of_ours(&self.allow_private)))));
        }
        let name = match (&self.reach.data, &self.stream) {
            (Some(_), _) => HERE,
            (None, Some(name)) if !name.is_empty() => name,
            _ => {
                return Err(Usage::error(format!(
                    "say where the comments go: --serve URL for a running `modstream serve`, --data DIR for its folder, --stream \
                     NAME for AWS, or --print; {}",
                    set_up("MODSTREAM_COMMENTS_STREAM")
                )));
            }
        };
        Ok(Sink::Stream(Reached::open(&self.reach).await?.comments_to_send(name)))
    }
}

/// A secret out of a file, or out of a variable; none where neither says one. It is no argument, which every process sees.
pub(super) fn secret(file: Option<&Path>, variable: &str) -> anyhow::Result<Option<String>> {
    let (text, place) = match file {
        Some(path) => {
            let place = path.display().to_string();
            (std::fs::read_to_string(path).with_context(|| format!("{place} can't be read"))?, place)
        }
        None => match std::env::var(variable) {
            Ok(text) => (text, variable.to_owned()),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => anyhow::bail!("{variable} is no text"),
        },
    };
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        anyhow::bail!("{place} holds no key: one is a single line of letters, digits and signs");
    }
    Ok(Some(text.to_owned()))
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    url_of(text, ["https", "http"])
}

fn socket_url(text: &str) -> Result<Url, String> {
    let url = url_of(text, ["wss", "ws"])?;
    // Compressed frames need a dictionary that is of a version of the server's.
    if url.query_pairs().any(|(name, value)| name == "compress" && value == "true") {
        return Err("frames are read as they are: leave out compress=true".to_owned());
    }
    if url.query_pairs().any(|(name, _)| name == "cursor") {
        return Err("the place is that of --state, or --since: leave out cursor".to_owned());
    }
    Ok(url)
}

fn url_of(text: &str, schemes: [&str; 2]) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| url.host().is_some() && schemes.contains(&url.scheme()));
    let url = url.ok_or_else(|| format!("an address begins with {}://, such as {0}://forum.example", schemes[0]))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name or a password in an address is seen by every process: leave it out".to_owned());
    }
    Ok(url)
}

/// `modstream ingest bluesky`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream ingest bluesky --print --limit 100
  modstream ingest bluesky --state bluesky.json --serve http://127.0.0.1:8080

It goes on until it is ended (Ctrl-C, SIGTERM), and says once a minute what came. A restart goes on where it was: what comes twice
then has the same ids. docs/sources.md says what is taken, and what is not.")]
pub(crate) struct BlueskyArgs {
    /// A Jetstream: `/subscribe` of its first version
    #[arg(long, value_name = "URL", default_value = super::bluesky::DEFAULT_URL, value_parser = socket_url)]
    url: Url,
    /// Where there is no state yet, begin at this time, or so long ago (`2h`) [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    #[command(flatten)]
    pub(super) to: ToArgs,
}

impl BlueskyArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            let (dialer, origin) = (self.to.dialer(), self.to.origin(bluesky::SOURCE, None));
            // Times are the same at every Jetstream.
            let run = self.to.open("bluesky", "bluesky").await?;
            run.all(|feed, cursor: Option<Cursor>| {
                let (dialer, url, origin) = (&dialer, &self.url, &origin);
                super::bluesky::read(feed, dialer, url, origin, cursor, self.since)
            })
            .await
        })
    }
}

/// `modstream ingest mastodon`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  MODSTREAM_MASTODON_TOKEN=... modstream ingest mastodon --url https://mastodon.example --print
  modstream ingest mastodon --url https://mastodon.example --local --token-file token --state mastodon.json --serve http://127.0.0.1:8080

It goes on until it is ended (Ctrl-C, SIGTERM). What came while it did not run is read from the timeline; edits and deletions are
known by the stream alone. docs/sources.md says what is taken, and what is not.")]
pub(crate) struct MastodonArgs {
    /// The server's address
    #[arg(long, value_name = "URL", value_parser = http_url)]
    url: Url,
    /// Where the server's stream is, where it is elsewhere: `configuration.urls.streaming` of its /api/v2/instance, with https://
    #[arg(long, value_name = "URL", value_parser = http_url)]
    streaming_url: Option<Url>,
    /// Only statuses of the server's own people
    #[arg(long)]
    local: bool,
    /// A file with an access token [default: what MODSTREAM_MASTODON_TOKEN says]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    to: ToArgs,
}

impl MastodonArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            let address = self.url.as_str().trim_end_matches('/');
            let (dialer, origin) = (self.to.dialer(), self.to.origin(address, self.url.host_str()));
            let token = secret(self.token_file.as_deref(), TOKEN)?;
            let which = if self.local { Which::Local } else { Which::All };
            let scope = if self.local { " local" } else { "" };
            let run = self.to.open("mastodon", &format!("mastodon {address}{scope}")).await?;
            run.all(|feed, cursor| {
                let server = Server {
                    url: &self.url,
                    streaming: self.streaming_url.as_ref().unwrap_or(&self.url),
                    which,
                    token: token.as_deref(),
                    origin: &origin,
                    dialer: &dialer,
                };
                super::mastodon::read(feed, server, cursor)
            })
            .await
        })
    }
}

/// `modstream ingest discourse` and `modstream ingest lemmy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream ingest discourse --url https://forum.example --print
  modstream ingest lemmy --url https://lemmy.example --state lemmy.json --serve http://127.0.0.1:8080

It begins with the newest page, and goes on until it is ended (Ctrl-C, SIGTERM). The newest comments are looked through again each
time: one whose text has changed is sent as edited, and one that is gone as deleted. A forum that answers 429 is left alone for as
long as it says. docs/sources.md says what is taken, and what is not.")]
pub(crate) struct ForumArgs {
    /// The forum's address
    #[arg(long, value_name = "URL", value_parser = http_url)]
    url: Url,
    /// How many seconds the forum is left alone after it was asked
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,
    /// How many of the newest comments are looked through for edits and deletions each time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rescan: u64,
    #[command(flatten)]
    to: ToArgs,
}

impl ForumArgs {
    fn run(self, api: Api) -> anyhow::Result<ExitCode> {
        block_on(async {
            let address = self.url.as_str().trim_end_matches('/');
            let (dialer, origin) = (self.to.dialer(), self.to.origin(address, None));
            let run = self.to.open(api.name(), &format!("{} {address}", api.name())).await?;
            run.all(|feed, cursor| {
                let forum = Forum {
                    api,
                    url: &self.url,
                    origin: &origin,
                    dialer: &dialer,
                    every: Duration::from_secs(self.every),
                    rescan: usize::try_from(self.rescan).unwrap_or(usize::MAX),
                };
                super::poll::read(feed, forum, cursor)
            })
            .await
        })
    }
}
