//! What `modstream ingest` takes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use modstream_sources::{Origin, bluesky};
use url::Url;

use super::dial::Dialer;
use super::listen::{Secrets, Taking, webhook_secret};
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
    /// What is sent here over HTTP: CloudEvents, comments, and webhooks of a Discourse
    Http(HttpArgs),
}

impl IngestCommand {
    /// Runs `modstream ingest`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            IngestCommand::Bluesky(args) => args.run(),
            IngestCommand::Mastodon(args) => args.run(),
            IngestCommand::Discourse(args) => args.run(Api::Discourse),
            IngestCommand::Lemmy(args) => args.run(Api::Lemmy),
            IngestCommand::Http(args) => args.run(),
        }
    }

    pub(crate) fn wants_json(&self) -> bool {
        match self {
            IngestCommand::Bluesky(args) => args.to.json,
            IngestCommand::Mastodon(args) => args.to.json,
            IngestCommand::Discourse(args) | IngestCommand::Lemmy(args) => args.to.json,
            IngestCommand::Http(args) => args.to.json,
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

/// How far a source came.
#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// The file that says how far it came, and from where it goes on; it is made where there is none
    #[arg(long, value_name = "FILE", required_unless_present = "print")]
    state: Option<PathBuf>,
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
    pub(super) async fn open(&self, name: &'static str, source: &str, state: &StateArgs) -> anyhow::Result<Run> {
        let (state, cursor) = run::open(state.state.as_deref(), source)?;
        Ok(Run { state, cursor, ..self.stateless(name, Duration::ZERO).await? })
    }

    /// Opens the way to where events go. The source may take so long to end.
    async fn stateless(&self, name: &'static str, ending: Duration) -> anyhow::Result<Run> {
        let sink = self.sink().await?;
        Ok(Run { name, sink, state: None, cursor: None, limit: self.limit, json: self.json, ending })
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
    state: StateArgs,
    #[command(flatten)]
    pub(super) to: ToArgs,
}

impl BlueskyArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            let (dialer, origin) = (self.to.dialer(), self.to.origin(bluesky::SOURCE, None));
            // Times are the same at every Jetstream.
            let run = self.to.open("bluesky", "bluesky", &self.state).await?;
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
    state: StateArgs,
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
            let run = self.to.open("mastodon", &format!("mastodon {address}{scope}"), &self.state).await?;
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
    state: StateArgs,
    #[command(flatten)]
    to: ToArgs,
}

impl ForumArgs {
    fn run(self, api: Api) -> anyhow::Result<ExitCode> {
        block_on(async {
            let address = self.url.as_str().trim_end_matches('/');
            let (dialer, origin) = (self.to.dialer(), self.to.origin(address, None));
            let run = self.to.open(api.name(), &format!("{} {address}", api.name()), &self.state).await?;
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

/// The variables that hold the secrets of those who send.
const LISTEN_KEY: &str = "MODSTREAM_LISTEN_KEY";
const WEBHOOK_SECRET: &str = "MODSTREAM_WEBHOOK_SECRET";
const DISCOURSE_SECRET: &str = "MODSTREAM_DISCOURSE_SECRET";

/// How long requests that are under way have to end.
const HTTP_ENDING: Duration = Duration::from_secs(10);

/// `modstream ingest http`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream ingest http --stream comments
  modstream ingest http --listen 0.0.0.0:8090 --listen-key-file key --stream comments
  modstream ingest http --discourse-url https://forum.example --discourse-secret-file secret --stream comments

Senders POST to /v1/comments what `modstream serve` takes there (docs/serve.md), and are answered with 202 once it is where it goes; a
Discourse's webhooks go to /discourse. It goes on until it is ended (Ctrl-C, SIGTERM). docs/sources.md says more.")]
pub(crate) struct HttpArgs {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// A file with the key that senders have [default: what MODSTREAM_LISTEN_KEY says; on loopback none is needed]
    #[arg(long, value_name = "FILE")]
    listen_key_file: Option<PathBuf>,
    /// A file with the secret of Standard Webhooks (`whsec_...`) that signs requests [default: what MODSTREAM_WEBHOOK_SECRET says]
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// The address of the Discourse whose webhooks are taken at /discourse
    #[arg(long, value_name = "URL", value_parser = http_url)]
    discourse_url: Option<Url>,
    /// A file with the secret that its webhooks are signed with [default: what MODSTREAM_DISCOURSE_SECRET says]
    #[arg(long, value_name = "FILE", requires = "discourse_url")]
    discourse_secret_file: Option<PathBuf>,
    #[command(flatten)]
    to: ToArgs,
}

impl HttpArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let secrets = self.secrets()?;
        let is_open = secrets.key.is_none() && secrets.webhook.is_none();
        if is_open && !self.listen.ip().is_loopback() {
            return Err(Usage::error(format!(
                "everybody could send to {}: say --listen-key-file or --webhook-secret-file, or listen on 127.0.0.1",
                self.listen
            )));
        }
        block_on(tokio::task::LocalSet::new().run_until(async {
            let address = self.discourse_url.as_ref().map_or("", |url| url.as_str().trim_end_matches('/'));
            let taking = Taking { secrets, source: self.to.source.clone(), discourse: self.to.origin(address, None) };
            let run = self.to.stateless("http", HTTP_ENDING).await?;
            let listener = tokio::net::TcpListener::bind(self.listen).await;
            // Not the system's error itself: where an address is in use, that is none of standard output's.
            let listener =
                listener.map_err(|error| anyhow::anyhow!("{} can't be listened on: {error}", self.listen))?;
            eprintln!("modstream ingest listens: POST http://{}/v1/comments", listener.local_addr()?);
            run.all(|feed, _| super::listen::read(feed, listener, taking)).await
        }))
    }

    fn secrets(&self) -> anyhow::Result<Secrets> {
        let webhook = secret(self.webhook_secret_file.as_deref(), WEBHOOK_SECRET)?;
        let webhook = webhook.map(|text| {
            webhook_secret(&text).context("the secret of Standard Webhooks is `whsec_` and base64 behind it")
        });
        let discourse = match &self.discourse_url {
            None => None,
            Some(_) => Some(secret(self.discourse_secret_file.as_deref(), DISCOURSE_SECRET)?.ok_or_else(|| {
                Usage::error(format!(
                    "say the secret that the webhooks are signed with: --discourse-secret-file, or {DISCOURSE_SECRET}"
                ))
            })?),
        };
        let key = secret(self.listen_key_file.as_deref(), LISTEN_KEY)?;
        Ok(Secrets { key, webhook: webhook.transpose()?, discourse })
    }
}
