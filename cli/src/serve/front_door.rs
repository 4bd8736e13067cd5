//! The front door, over a data folder: who is let in, and by which models and policies they are answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use hyper::http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use modstream_classifier::BaseRate;
use modstream_gateway::keys::{KeyRecord, read_file};
use modstream_gateway::{
    Done, FrontDoor, NotReady, Put, Refusal, Request, Route, Settings, Setup, Sink, ToPut, Trouble, Turned,
    WithoutKeys, asked_at,
};
use modstream_in_use::models::InUse;
use modstream_platform::sqlite::{Identified, SqliteObjects, SqliteStream};
use modstream_platform::{Clock as _, SystemClock};
use modstream_policy::Policies;
use modstream_telemetry::request_refused;
use publish_alerts::Severities;

use super::data::DataFolder;
use super::messages::headers;
use crate::common::args::or_default;
use crate::model::embedded;
use crate::pipeline::functions::ModelNames;

/// The model with labels that is built in. It answers for its names where comments are scored with another harm model, or none.
const HARM: &str = "harm";
/// How long what an answer needs is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How the front door is set up.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The front door")]
pub(crate) struct FrontDoorArgs {
    /// Which label answers for which of Perspective's and OpenAI's names: TOML [default: the labels of harm]
    #[arg(long, value_name = "FILE")]
    pub(crate) front_door: Option<PathBuf>,
    /// Keys besides those of `modstream key`: a line each, ROLES KEY, such as `check,feedback` and a key
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The secrets by which Coral signs, a line each
    #[arg(long, value_name = "FILE")]
    pub(crate) coral_secret_file: Option<PathBuf>,
}

/// What answers at the front door.
pub(super) struct Door {
    door: FrontDoor<SqliteObjects, SystemClock>,
    comments: Comments,
    address: Address,
}

/// The stream of comments, which knows what it holds.
struct Comments(SqliteStream);

impl Sink for Comments {
    async fn put(&self, entries: Vec<ToPut>, _deadline: Timestamp) -> Vec<Put> {
        let number = entries.len();
        let identified =
            entries.into_iter().map(|ToPut { identity, record }| Identified { record, identity: Some(identity) });
        match self.0.put_identified(identified.collect()).await {
            Ok(is_new) => is_new.into_iter().map(|is_new| if is_new { Put::New } else { Put::Repeated }).collect(),
            Err(error) => {
                // Whoever sends to a machine of their own is told what is wrong with it.
                let trouble = Trouble { told: error.to_string().into(), cause: None };
                vec![Put::Failed(Refusal::Unavailable(trouble)); number]
            }
        }
    }
}

/// The address that documents say of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The operator says it.
    Said(String),
    /// It is how the server was asked; this where that is none.
    AsAsked(String),
}

/// What is to be read before anything is made.
pub(super) struct Prepared {
    settings: Settings,
    /// Where the settings are from.
    file: Option<PathBuf>,
    coral_secrets: Vec<String>,
    file_keys: Vec<KeyRecord>,
}

/// A problem with what stands in a file.
fn in_file(path: &Path, problem: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{}: {problem}", path.display())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

impl FrontDoorArgs {
    /// Reads the files that it is set up by.
    ///
    /// # Errors
    /// Where one can't be read, or is none; the error says where.
    pub(super) fn prepare(&self) -> anyhow::Result<Prepared> {
        let settings = match &self.front_door {
            Some(path) => Settings::parse(&read(path)?).map_err(|error| in_file(path, &error))?,
            None => Settings::parse("")?,
        };
        let file_keys = match &self.key_file {
            Some(path) => {
                let keys = read_file(&read(path)?, SystemClock.now()).map_err(|problem| in_file(path, &problem))?;
                anyhow::ensure!(!keys.is_empty(), "{} has no key: a line is ROLES KEY", path.display());
                keys
            }
            None => Vec::new(),
        };
        let coral_secrets = match &self.coral_secret_file {
            Some(path) => {
                let text = read(path)?;
                let secrets: Vec<String> =
                    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
                anyhow::ensure!(
                    !secrets.is_empty(),
                    "{} has no secret: put Coral's signing secret there",
                    path.display()
                );
                secrets
            }
            None => Vec::new(),
        };
        Ok(Prepared { settings, file: self.front_door.clone(), coral_secrets, file_keys })
    }
}

impl Door {
    /// Starts it over a folder whose models are in use.
    ///
    /// # Errors
    /// Where a label is to answer that no model has, or the model in use can't be loaded.
    pub(super) async fn start(
        prepared: Prepared,
        data: &DataFolder,
        (names, base_rate): (&ModelNames, Option<BaseRate>),
        (without_keys, address): (WithoutKeys, Address),
    ) -> anyhow::Result<Self> {
        let Prepared { settings, file, coral_secrets, file_keys } = prepared;
        let (model, manifest) = embedded::model_files(Some(Path::new(HARM)))?.load()?;
        let setup = Setup {
            settings,
            coral_secrets,
            file_keys,
            without_keys,
            // A record is read from the file, in some microseconds.
            keys_remembered: SignedDuration::ZERO,
            removal: names.removal.clone(),
            harm: names.harm.clone(),
            base_rate,
            built_in: Some(Arc::new(InUse { model, name: manifest.name, version: manifest.version })),
            without_document: Policies::of(&or_default(None), Severities::default()),
        };
        let door = FrontDoor::new(setup, data.objects.clone(), SystemClock);
        Box::pin(door.start(deadline())).await.map_err(|error| match (&error, &file) {
            (NotReady::Settings(problem), Some(path)) => in_file(path, problem),
            _ => error.into(),
        })?;
        Ok(Door { door, comments: Comments(data.comments.clone()), address })
    }

    /// A request's head, as the front door sees it.
    pub(super) fn asked(&self, head: &Parts) -> Request {
        let headers = headers(head);
        let address = match &self.address {
            Address::Said(address) => address.clone(),
            Address::AsAsked(otherwise) => asked_at(&headers).unwrap_or_else(|| otherwise.clone()),
        };
        Request { query: head.uri.query().unwrap_or_default().to_owned(), headers, body: Vec::new(), address }
    }

    /// Whether there is any key: of the file, or made before.
    pub(super) async fn has_keys(&self) -> anyhow::Result<bool> {
        Ok(self.door.has_keys(deadline()).await?)
    }

    /// Lets a request in, by its key.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) async fn admit(&self, route: Route, method: &str, request: &Request) -> Result<(), Refusal> {
        match self.door.admit(route, method, request, deadline()).await {
            Ok(_) => Ok(()),
            Err(Turned { refusal, key }) => {
                request_refused(route.path(), key.as_deref(), refusal.reason());
                Err(refusal)
            }
        }
    }

    /// Answers a request that was let in, by the models and the policies that are in use.
    pub(super) async fn answer(&self, route: Route, request: Request) -> Done {
        self.door.answer(route, request, &self.comments, deadline()).await
    }
}

fn deadline() -> Timestamp {
    SystemClock.now() + ANSWER_TIMEOUT
}
