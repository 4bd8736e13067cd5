//! `modstream serve`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use clap::Args;
use console::style;
use jiff::SignedDuration;
use modstream_classifier::artifact::Manifest;
use modstream_decisions::moderator;
use modstream_desk::{Access, SESSION_HOURS, Site, SiteSettings};
use modstream_gateway::WithoutKeys;
use modstream_in_use::models::{ModelStore, Pointer};
use modstream_in_use::policies::PolicyStore;
use modstream_links::{Claim, FORUM, Keys};
use modstream_platform::sqlite::Role;
use modstream_platform::{Clock as _, SystemClock};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;
use uuid::Uuid;

use super::bodies::Bodies;
use super::data::{DESK_URL, DataFolder, HARM_MODEL_NAME, KEEP_HOURS, LINK_KEY, MODEL_NAME};
use super::front_door::{Address, Door, FrontDoorArgs, Prepared};
use super::http::{Hosts, Server, host_of, url_of};
use super::logging::{self, Level};
use super::mail::MailArgs;
use super::metrics::Metrics;
use super::work::{Retention, Work, WorkSettings};
use crate::common::args::{HarmArgs, ModelArgs};
use crate::common::display::print;
use crate::common::input::check_read_once;
use crate::common::interrupt::Interrupts;
use crate::common::runtime::block_on;
use crate::model::embedded;
use crate::pipeline::functions::{FUNCTION_TIMEOUT, ModelNames, bring_model};
use crate::policy::table;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream serve --data /var/lib/modstream
  curl -H 'content-type: application/x-ndjson' --data-binary @comments.jsonl http://127.0.0.1:8080/v1/comments
  modstream tail alerts --data /var/lib/modstream
  modstream key create --role check --data /var/lib/modstream

All data is in one file of the folder. What is answered with 202 is on the disk; a process that is killed goes on where it was.
On loopback it asks for no key until there is one; at another address nobody is let in without. TLS is a proxy's.")]
pub(crate) struct ServeArgs {
    /// The folder of the data; it is made where it is not there
    #[arg(long, value_name = "DIR", default_value = "modstream-data")]
    pub(crate) data: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
    /// The address that moderators open, where a proxy stands before this [default: that of --listen]
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub(crate) url: Option<String>,
    /// The document of policies to go by: TOML, or JSON [default: what is in use, or alerts from probability 0.7 on]
    #[arg(long, value_name = "FILE")]
    pub(crate) policies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// For whom the sign-in link is that is printed
    #[arg(long, value_name = "NAME", default_value = "you", value_parser = moderator)]
    pub(crate) moderator: String,
    /// How many hours comments, predictions and alerts stay on their streams; a comment that is sent again is known so long
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=87_600))]
    pub(crate) keep_hours: u32,
    /// How many days comments stay in the archive
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(crate) archive_days: u32,
    #[command(flatten)]
    door: FrontDoorArgs,
    #[command(flatten)]
    mail: MailArgs,
    /// How much is said on standard error
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log: Level,
    /// Print one line of JSON when it is ready, and log as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is said where nobody may ask yet.
const NO_KEYS: &str =
    "  keys      none yet, so nobody may send or check: modstream key create --role send,check --data DIR\n";

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let said = "it listens at an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 for all, or [::1]:8080";
    text.parse().map_err(|_| said.to_owned())
}

/// What to do about an address that can't be listened at.
fn unheard(address: SocketAddr, error: &io::Error) -> String {
    let what_to_do = match error.kind() {
        io::ErrorKind::AddrInUse => "say --listen with another port, or 0 for a free one",
        io::ErrorKind::PermissionDenied => "say --listen with a port from 1024 on, and let a proxy have the other",
        io::ErrorKind::AddrNotAvailable => "it is none of this machine's addresses; 0.0.0.0 and [::] stand for all",
        _ => "say another address with --listen",
    };
    format!("{address} can't be listened at: {what_to_do}")
}

fn web_address(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("an address begins with http:// or https://, such as https://mod.example.org".to_owned()),
    }
}

impl ServeArgs {
    /// Runs `modstream serve`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // A panic's message may quote a comment.
        kinesis_batch::install_panic_hook();
        check_read_once(self.policies.iter().map(PathBuf::as_path))?;
        let door = self.door.prepare()?;
        logging::install(self.log, self.json);
        block_on(async { LocalSet::new().run_until(Box::pin(self.open(door))).await })
    }

    /// Serves until an end is asked for. It must run within a `LocalSet`.
    async fn open(&self, door: Prepared) -> anyhow::Result<ExitCode> {
        let interrupts = Interrupts::listen()?;
        // Before anything is made: a port that is taken is found at once.
        let bound = TcpListener::bind(self.listen).await;
        let listener = bound.map_err(|error| {
            let said = unheard(self.listen, &error);
            anyhow::Error::from(error).context(said)
        })?;
        let address = listener.local_addr()?;
        let url = self.url.clone().unwrap_or_else(|| url_of(address));
        let data = DataFolder::open(&self.data, Role::Serve).await?;
        data.secrets.begin(LINK_KEY, key()?).await?;
        data.database.leave_note(DESK_URL, url.clone()).await?;
        data.database.leave_note(KEEP_HOURS, self.keep_hours.to_string()).await?;
        let removal = self.bring_model(&data).await?;
        let harm = self.bring_harm_model(&data, &removal).await?;
        self.bring_policies(&data, harm.as_deref()).await?;
        let models = ModelNames { removal, harm };

        let without_keys = if address.ip().is_loopback() { WithoutKeys::LetIn } else { WithoutKeys::Refuse };
        let said = match &self.url {
            Some(url) => Address::Said(url.clone()),
            None => Address::AsAsked(url.clone()),
        };
        let judges = (&models, self.model.base_rate);
        let door = Door::start(door, &data, judges, (without_keys, said)).await?;
        let hint = match without_keys {
            WithoutKeys::Refuse if !door.has_keys().await? => NO_KEYS,
            WithoutKeys::Refuse | WithoutKeys::LetIn => "",
        };

        let (stop, stopped) = watch::channel(false);
        let (metrics, works) = (Arc::new(Metrics::default()), Arc::new(AtomicBool::new(false)));
        let hours = |hours: u32| SignedDuration::from_hours(i64::from(hours));
        let settings = WorkSettings {
            models,
            base_rate: self.model.base_rate,
            desk_url: url.clone(),
            retention: Retention { streams: hours(self.keep_hours), archive: hours(24 * self.archive_days) },
            mail: self.mail.clone(),
        };
        let begun = work(&data, &metrics, &works, settings, stopped.clone()).await;
        // Where the file is damaged, whoever reads it says what that looks like from there.
        let ended = begun.map_err(|error| match data.database.trouble() {
            Some(trouble) => anyhow::Error::from(trouble).context(data.database.path().display().to_string()),
            None => error,
        })?;
        let keys = Keys::new(data.secrets.clone(), SystemClock, LINK_KEY);
        let signer = keys.signer(SystemClock.now() + FUNCTION_TIMEOUT).await?;
        let claim = Claim::SignIn { id: Uuid::new_v4(), moderator: self.moderator.clone() };
        let expires = SystemClock.now() + SignedDuration::from_hours(SESSION_HOURS);
        let desk = signer.link(&url, &claim, expires).context("a sign-in is always a link")?;
        let settings = SiteSettings { links: true, desk: Some(Access::SignedLink), forum: FORUM.to_owned() };
        let site = Site::new(data.table.clone(), data.decisions.clone(), SystemClock, settings);
        let hosts = Hosts { named: host_of(&url).to_owned(), port: address.port() };
        let bodies = Bodies::new();
        let server = Server { data: data.clone(), site, keys, metrics, hosts, works, bodies, door };
        let serving = tokio::task::spawn_local(server.serve(listener, stopped));
        self.tell(address, &desk, hint)?;

        let mut ended = ended;
        let failed = tokio::select! {
            biased;
            () = interrupts.asked() => None,
            ended = &mut ended => Some(ended),
        };
        // Nobody waits for an end that was asked for twice: what is acknowledged is on the disk.
        tokio::task::spawn_local({
            let interrupts = interrupts.clone();
            async move {
                interrupts.asked_twice().await;
                std::process::exit(130);
            }
        });
        stop.send_replace(true);
        let _ = serving.await;
        if failed.is_some() {
            bail!("the functions ended, which they never do by themselves: the log says more; start again");
        }
        let _ = ended.await;
        Ok(ExitCode::SUCCESS)
    }

    /// Brings the model into use that was asked for; without one, the one in use stays, or the one built in is the first. Returns
    /// the name of the models to score with.
    async fn bring_model(&self, data: &DataFolder) -> anyhow::Result<String> {
        let known = data.database.note(MODEL_NAME)?;
        if let (None, Some(name)) = (&self.model.model, &known) {
            return Ok(name.clone());
        }
        let files = embedded::model_files(self.model.model.as_deref())?;
        let (_, manifest) = embedded::check(&files, self.model.model.as_deref())?;
        Box::pin(bring_model(&files, &manifest, data.objects.clone(), SystemClock)).await?;
        let Manifest { name, .. } = manifest;
        data.database.leave_note(MODEL_NAME, name.clone()).await?;
        Ok(name)
    }

    /// The same of the harm model. Returns the name of those to score with; none where none is wanted.
    async fn bring_harm_model(&self, data: &DataFolder, removal: &str) -> anyhow::Result<Option<String>> {
        let known = data.database.note(HARM_MODEL_NAME)?;
        if let (None, Some(name)) = (&self.harm.harm_model, &known) {
            return Ok(Some(name.clone()).filter(|name| !name.is_empty()));
        }
        let found = embedded::harm(&self.harm)?;
        let name = found.as_ref().map(|(_, manifest)| manifest.name.clone());
        if name.as_deref() == Some(removal) {
            bail!("both models are called {removal}, and a name keeps one of the two: train one under another name");
        }
        if let Some((files, manifest)) = &found {
            Box::pin(bring_model(files, manifest, data.objects.clone(), SystemClock)).await?;
        }
        data.database.leave_note(HARM_MODEL_NAME, name.clone().unwrap_or_default()).await?;
        Ok(name)
    }

    async fn bring_policies(&self, data: &DataFolder, harm: Option<&str>) -> anyhow::Result<()> {
        let Some(path) = self.policies.as_deref() else { return Ok(()) };
        let policies = table::read(path)?
            .map_err(|problems| anyhow::anyhow!("{}: {problems}", crate::common::input::name(path)))?;
        let deadline = SystemClock.now() + FUNCTION_TIMEOUT;
        let manifest = match harm {
            Some(name) => {
                let store = ModelStore::new(data.objects.clone(), SystemClock, name);
                match store.pointer(None, deadline).await? {
                    Pointer::To { version, .. } => Some(store.manifest(&version, deadline).await?),
                    Pointer::Unchanged | Pointer::Missing => None,
                }
            }
            None => None,
        };
        let policies = table::with_labels_of(policies, path, manifest.as_ref())?
            .map_err(|problems| anyhow::anyhow!("{}: {problems}", crate::common::input::name(path)))?;
        PolicyStore::new(&data.objects, &SystemClock, deadline).push(&policies).await?;
        Ok(())
    }

    fn tell(&self, address: SocketAddr, desk: &str, keys: &str) -> anyhow::Result<()> {
        let folder = std::fs::canonicalize(&self.data).unwrap_or_else(|_| self.data.clone());
        let text = if self.json {
            format!("{}\n", json!({ "listen": address.to_string(), "desk": desk, "data": folder }))
        } else {
            format!(
                "modstream serves {}\n  comments  POST http://{address}/v1/comments\n  checks    POST http://{address}/v1/check, \
                 /v1alpha1/comments:analyze, /v1/moderations\n  desk      {}  (signs {} in, once)\n  \
                 health    http://{address}/healthz, /readyz, /metrics\n{keys}Ctrl-C ends it.\n",
                folder.display(),
                style(desk).underlined(),
                self.moderator,
            )
        };
        Ok(print(&text)?)
    }
}

/// Starts the functions on a thread of their own, so that scoring holds up no answer. Returns what tells when they ended.
async fn work(
    data: &DataFolder,
    metrics: &Arc<Metrics>,
    works: &Arc<AtomicBool>,
    settings: WorkSettings,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<oneshot::Receiver<()>> {
    let (data, metrics, works) = (data.clone(), Arc::clone(metrics), Arc::clone(works));
    let (tell_started, started) = oneshot::channel::<anyhow::Result<()>>();
    let (tell_ended, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("functions".to_owned());
    thread.spawn(move || {
        // Dropped when the thread ends, also where it panics: that tells.
        let _ended = tell_ended;
        let worked = block_on(async {
            let work = match Box::pin(Work::start(data, metrics, &settings)).await {
                Ok(work) => work,
                Err(error) => {
                    let _ = tell_started.send(Err(error));
                    return Ok(());
                }
            };
            works.store(true, Ordering::Release);
            let _ = tell_started.send(Ok(()));
            work.run(stopped).await;
            Ok(())
        });
        works.store(false, Ordering::Release);
        drop(worked);
    })?;
    started.await.context("the functions did not start")??;
    Ok(ended)
}

/// A key that nobody can guess.
fn key() -> anyhow::Result<String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(key.iter().map(|byte| format!("{byte:02x}")).collect())
}
