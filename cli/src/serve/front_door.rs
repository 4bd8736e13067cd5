//! The front door, over a data folder: who is let in, and by which models and policies they are answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use hyper::http::request::Parts;
use jiff::Timestamp;
use modstream_classifier::BaseRate;
use modstream_gateway::keys::{KeyRecord, KeyStore, Role, presented, read_file};
use modstream_gateway::{Answered, Gateway, Judging, Models, Quotas, Refusal, Request, Route, Settings};
use modstream_in_use::models::{Following as FollowingModel, FollowingHarm, InUse, ModelStore};
use modstream_in_use::policies::Following as FollowingPolicies;
use modstream_platform::deliver::{DeliveryError, put};
use modstream_platform::sqlite::SqliteObjects;
use modstream_platform::{Clock as _, SystemClock};
use modstream_policy::Policies;
use modstream_telemetry::request_refused;
use publish_alerts::Severities;

use crate::common::args::or_default;
use crate::model::embedded;
use crate::pipeline::functions::ModelNames;

/// The model with labels that is built in. It answers for its names where comments are scored with another harm model, or none.
const HARM: &str = "harm";
/// How long what an answer needs is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A body above this is answered on a thread of its own, so that nobody waits for it.
const LARGE_BYTES: usize = 16 << 10;

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

/// Who is let in where there is no key yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithoutKeys {
    /// Everybody who is on this machine.
    LetIn,
    /// Nobody: others reach the port.
    Refuse,
}

/// What answers at the front door.
pub(super) struct FrontDoor {
    gateway: Gateway,
    objects: SqliteObjects,
    removal: FollowingModel<SqliteObjects, SystemClock>,
    harm: Option<FollowingHarm<SqliteObjects, SystemClock>>,
    built_in: Arc<InUse>,
    policies: FollowingPolicies,
    quotas: Quotas,
    file_keys: Vec<KeyRecord>,
    without_keys: WithoutKeys,
    address: Address,
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

impl FrontDoor {
    /// Starts it over a folder whose models are in use.
    ///
    /// # Errors
    /// Where a label is to answer that no model has, or the model in use can't be loaded.
    pub(super) async fn start(
        prepared: Prepared,
        objects: SqliteObjects,
        (names, base_rate): (&ModelNames, Option<BaseRate>),
        (without_keys, address): (WithoutKeys, Address),
    ) -> anyhow::Result<Self> {
        let Prepared { settings, file, coral_secrets, file_keys } = prepared;
        let store = |name: &str| ModelStore::new(objects.clone(), SystemClock, name);
        let removal = FollowingModel::start_beside(store(&names.removal), base_rate, deadline()).await?;
        let harm = match &names.harm {
            Some(name) => Some(FollowingHarm::start(store(name), deadline()).await),
            None => None,
        };
        let (model, manifest) = embedded::model_files(Some(Path::new(HARM)))?.load()?;
        let built_in = Arc::new(InUse { model, name: manifest.name, version: manifest.version });
        settings.check(&models(&removal, harm.as_ref(), &built_in).await).map_err(|error| match &file {
            Some(path) => in_file(path, &error),
            None => error.into(),
        })?;
        Ok(FrontDoor {
            gateway: Gateway::new(settings, coral_secrets),
            objects,
            removal,
            harm,
            built_in,
            policies: FollowingPolicies::new(Policies::of(&or_default(None), Severities::default())),
            quotas: Quotas::default(),
            file_keys,
            without_keys,
            address,
        })
    }

    /// A request's head, as the front door sees it.
    pub(super) fn asked(&self, head: &Parts) -> Request {
        let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: std::collections::BTreeMap<String, String> =
            head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let address = match &self.address {
            Address::Said(address) => address.clone(),
            Address::AsAsked(otherwise) => asked_at(&headers).unwrap_or_else(|| otherwise.clone()),
        };
        Request { query: head.uri.query().unwrap_or_default().to_owned(), headers, body: Vec::new(), address }
    }

    /// Whether there is any key: of the file, or made before.
    pub(super) async fn has_keys(&self) -> anyhow::Result<bool> {
        Ok(!self.file_keys.is_empty() || self.store().any().await?)
    }

    /// Lets a request in, by its key.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) async fn admit(&self, route: Route, request: &Request) -> Result<(), Refusal> {
        let admitted = self.admit_by_key(route, request).await;
        if let Err((refusal, key)) = admitted {
            request_refused(route.path(), key.as_deref(), refusal.reason());
            return Err(refusal);
        }
        // Comments come in more forms, and are looked at where they are taken.
        if route == Route::Comments { Ok(()) } else { self.gateway.take(route, request) }
    }

    async fn admit_by_key(&self, route: Route, request: &Request) -> Result<(), (Refusal, Option<String>)> {
        let Some(role) = route.role() else { return Ok(()) };
        let unknown = |error: anyhow::Error| (Refusal::Unavailable(format!("the keys can't be read ({error})")), None);
        let presented = presented(request);
        let found = match &presented {
            Some(key) => self.find(key).await.map_err(unknown)?,
            None => None,
        };
        let Some(key) = found else {
            if self.without_keys == WithoutKeys::LetIn && !self.has_keys().await.map_err(unknown)? {
                return self.within_quota("", None, role);
            }
            return Err((if presented.is_some() { Refusal::UnknownKey } else { Refusal::NoKey }, None));
        };
        if !key.roles.contains(&role) {
            return Err((Refusal::NotFor(role), Some(key.id)));
        }
        self.within_quota(&key.id, Some(key.per_minute), role)
    }

    /// Takes a request from its key's quota, and what says how a text should be judged from one of its own, too: it is learned from.
    fn within_quota(&self, id: &str, per_minute: Option<u32>, role: Role) -> Result<(), (Refusal, Option<String>)> {
        let now = SystemClock.now();
        let named = || Some(id).filter(|id| !id.is_empty()).map(str::to_owned);
        let feedback = (role == Role::Feedback).then(|| self.gateway.settings().feedback_per_minute());
        let quotas = [(format!("feedback {id}"), feedback), (id.to_owned(), per_minute)];
        for (of, per_minute) in quotas {
            if let Some(per_minute) = per_minute {
                self.quotas.take(&of, per_minute, now).map_err(|wait| (Refusal::OverQuota(wait), named()))?;
            }
        }
        Ok(())
    }

    async fn find(&self, key: &str) -> anyhow::Result<Option<KeyRecord>> {
        // All of them are compared: how long it takes says nothing of which one it is.
        let mut found = None;
        for record in &self.file_keys {
            if record.is_of(key) {
                found = Some(record.clone());
            }
        }
        match found {
            Some(record) => Ok(Some(record)),
            None => Ok(self.store().find(key).await?),
        }
    }

    fn store(&self) -> KeyStore<'_, SqliteObjects, SystemClock> {
        KeyStore::new(&self.objects, &SystemClock, deadline())
    }

    /// Answers a request that was let in, by the models and the policies that are in use.
    ///
    /// # Errors
    /// Where it is not known yet which policies hold.
    pub(super) async fn answer(self: &Arc<Self>, route: Route, request: Request) -> Result<Answered, Refusal> {
        let models = models(&self.removal, self.harm.as_ref(), &self.built_in).await;
        let policies = Box::pin(self.policies.snapshot(&self.objects, &SystemClock, deadline())).await;
        let policies = policies.map_err(|error| Refusal::Unavailable(error.to_string()))?;
        let door = Arc::clone(self);
        let is_large = request.body.len() > LARGE_BYTES;
        let work = move || {
            let judging = Judging { models: &models, policies: &policies };
            door.gateway.answer(route, &request, &judging, SystemClock.now())
        };
        if !is_large {
            return Ok(work());
        }
        let answered = tokio::task::spawn_blocking(work).await;
        answered.map_err(|_| Refusal::Unavailable("it could not be answered".to_owned()))
    }

    /// Keeps what somebody says that a text should have got.
    pub(super) async fn keep(&self, key: &str, content: Vec<u8>) -> Result<(), DeliveryError> {
        put(&self.objects, &SystemClock, deadline(), key, content).await.map(drop)
    }
}

/// The models that answer: those in use, and the one that is built in unless another of its name is in use.
async fn models(
    removal: &FollowingModel<SqliteObjects, SystemClock>,
    harm: Option<&FollowingHarm<SqliteObjects, SystemClock>>,
    built_in: &Arc<InUse>,
) -> Models {
    let harm = match harm {
        Some(harm) => harm.snapshot(deadline()).await,
        None => None,
    };
    let is_replaced = harm.as_ref().is_some_and(|harm| harm.name == built_in.name);
    let built_in = Some(built_in).filter(|_| !is_replaced);
    let labelled = harm.iter().chain(built_in).map(Arc::clone).collect();
    Models { removal: removal.snapshot(deadline()).await, labelled, harm }
}

fn deadline() -> Timestamp {
    SystemClock.now() + ANSWER_TIMEOUT
}

/// The address at which the server was asked, where that is a host and nothing else: a document repeats it.
fn asked_at(headers: &std::collections::BTreeMap<String, String>) -> Option<String> {
    let host = headers.get("host")?;
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    is_host.then(|| format!("{}://{host}", if is_https { "https" } else { "http" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_repeats_a_host_and_nothing_else() {
        let at = |host: &str, proto: &str| {
            let headers = [("host", host), ("x-forwarded-proto", proto)];
            asked_at(&headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
        };
        assert_eq!(at("127.0.0.1:8080", "").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(at("[::1]:8080", "http").as_deref(), Some("http://[::1]:8080"));
        assert_eq!(at("mod.example.org", "https").as_deref(), Some("https://mod.example.org"));
        for host in ["", "a/b", "a b", "a\"b", "user@host"] {
            assert_eq!(at(host, "https"), None, "{host}");
        }
    }
}
