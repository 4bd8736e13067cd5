//! Models in a bucket: `models/<name>/<version>/...`, which never change, and `models/<name>/current.json`, the pointer to the
//! one in use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use modstream_classifier::artifact::{ArtifactError, FileEntry, MANIFEST, Manifest, ModelFiles};
use modstream_classifier::{BaseRate, Model, REMOVAL};
use modstream_events::Cause;
use modstream_platform::deliver::{DeliveryError, get, put_if_absent};
use modstream_platform::{Clock, ETag, Fetched, Objects};
use modstream_telemetry::{
    base_rate_assumed, harm_model_loaded, harm_model_missing, harm_model_refused, model_loaded, model_refused,
};
use tokio::sync::Mutex;

use crate::follower::{Follower, Source};
use crate::history::{self, Change, Move, Prepared, Subject};
use crate::pointer::{self, PointerError, is_version, model_file};

pub use crate::pointer::Pointer;

/// The prefix of all models.
pub const PREFIX: &str = "models/";

/// The name and version of the model whose manifest has this key; none where it is another object's. The manifest is written
/// last, so a model with one is whole.
pub fn model_of(key: &str) -> Option<(&str, &str)> {
    let (name, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
    let version = rest.strip_suffix(MANIFEST)?.strip_suffix('/')?;
    is_version(version).then_some((name, version))
}

/// What can go wrong between a bucket and a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The bucket has no such object.
    #[error("the bucket has no object {key}; {hint}")]
    Missing {
        /// The object's key.
        key: String,
        /// What to do.
        hint: &'static str,
    },
    /// `current.json` is no pointer.
    #[error("{key} is no pointer to a model ({detail}); promote a model again")]
    Pointer {
        /// The object's key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// The manifest at a version's key has another version.
    #[error("the manifest under {key} has the version {found}: push the model again")]
    Misplaced {
        /// The object's key.
        key: String,
        /// What it says.
        found: String,
    },
    /// Somebody else promoted a model at the same time.
    #[error("{key} was moved by somebody else meanwhile: look which version is in use, and promote again")]
    Moved {
        /// The object's key.
        key: String,
    },
    /// The model takes another place than it is asked for in.
    #[error("the model {name} {found}, and models called {name} are in use as {wanted}: give it a name of its own")]
    Misfit {
        /// The model's name.
        name: String,
        /// What it is.
        found: Found,
        /// What is wanted.
        wanted: Place,
    },
    /// The model itself is refused.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A call failed.
    #[error("models/ of the bucket: {0}")]
    Delivery(#[from] DeliveryError),
}

/// What the functions use a model for. It follows from the model's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The model says how likely moderators remove a comment: there is no scoring without one.
    Removal,
    /// The model says which labels a comment has, and so how harmful it is: scoring goes on without one.
    Harm,
}

impl Place {
    /// The place that the model of this manifest takes.
    pub fn of(manifest: &Manifest) -> Self {
        match &manifest.heads[..] {
            [head] if head.label == REMOVAL => Place::Removal,
            _ => Place::Harm,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Place::Removal => "models of removals",
            Place::Harm => "harm models",
        })
    }
}

/// What a model is, for an error: its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found(String);

impl Found {
    fn of(manifest: &Manifest) -> Self {
        let labels: Vec<&str> = manifest.heads.iter().map(|head| head.label.as_str()).collect();
        Found(match Place::of(manifest) {
            Place::Removal => "says how likely moderators remove a comment".to_owned(),
            Place::Harm => format!("has the labels {}", labels.join(", ")),
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// Refuses a model that takes another place.
fn fits(manifest: &Manifest, wanted: Place) -> Result<(), StoreError> {
    if Place::of(manifest) == wanted {
        return Ok(());
    }
    Err(StoreError::Misfit { name: manifest.name.clone(), found: Found::of(manifest), wanted })
}

impl StoreError {
    fn of_pointer(key: String, error: PointerError) -> Self {
        match error {
            PointerError::Malformed { detail } => StoreError::Pointer { key, detail },
            PointerError::Moved => StoreError::Moved { key },
            PointerError::Delivery(error) => StoreError::Delivery(error),
        }
    }
}

const PUSH_HINT: &str = "push a model and promote it";

/// A bucket's models of one name.
#[derive(Clone, Debug)]
pub struct ModelStore<O, C> {
    objects: O,
    clock: C,
    name: String,
}

impl<O: Objects, C: Clock> ModelStore<O, C> {
    /// The models called `name`.
    pub fn new(objects: O, clock: C, name: impl Into<String>) -> Self {
        ModelStore { objects, clock, name: name.into() }
    }

    /// The models' name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pointer's key.
    pub fn pointer_key(&self) -> String {
        self.subject().pointer()
    }

    fn file_key(&self, version: &str, file: &str) -> String {
        model_file(&self.name, version, file)
    }

    /// Reads the pointer, unless it still has the tag `known`. A missing pointer is an error: there is no scoring without a
    /// model.
    ///
    /// # Errors
    /// Where it is missing, no pointer, or not answered before the deadline.
    pub async fn pointer(&self, known: Option<&ETag>, deadline: Timestamp) -> Result<Pointer, StoreError> {
        let key = self.pointer_key();
        match pointer::read(&self.objects, &self.clock, deadline, &key, known).await {
            Ok(Pointer::Missing) => Err(StoreError::Missing { key, hint: PUSH_HINT }),
            Ok(pointer) => Ok(pointer),
            Err(error) => Err(StoreError::of_pointer(key, error)),
        }
    }

    /// Reads a version's manifest; the other files stay where they are.
    ///
    /// # Errors
    /// Where it is missing, no manifest, or of another version.
    pub async fn manifest(&self, version: &str, deadline: Timestamp) -> Result<Manifest, StoreError> {
        Ok(self.manifest_file(version, deadline).await?.0)
    }

    /// A version's manifest, and its bytes.
    async fn manifest_file(&self, version: &str, deadline: Timestamp) -> Result<(Manifest, Vec<u8>), StoreError> {
        let key = self.file_key(version, MANIFEST);
        let bytes = self.read(&key, deadline).await?;
        let manifest = Manifest::from_bytes(&bytes)?;
        if manifest.version != version {
            return Err(StoreError::Misplaced { key, found: manifest.version });
        }
        Ok((manifest, bytes))
    }

    /// Loads and checks a version.
    ///
    /// # Errors
    /// Where a file is missing or not what the manifest says, or the manifest is of another version.
    pub async fn load(&self, version: &str, deadline: Timestamp) -> Result<(Model, Manifest), StoreError> {
        let (manifest, bytes) = self.manifest_file(version, deadline).await?;
        let mut others = Vec::with_capacity(manifest.files.len());
        for FileEntry { path, .. } in manifest.files {
            let file = self.read(&self.file_key(version, &path), deadline).await?;
            others.push((path, file));
        }
        Ok(ModelFiles::new(bytes, others).load()?)
    }

    async fn read(&self, key: &str, deadline: Timestamp) -> Result<Vec<u8>, StoreError> {
        match get(&self.objects, &self.clock, deadline, key, None).await? {
            Fetched::Object { bytes, .. } => Ok(bytes),
            Fetched::NotModified | Fetched::Missing => {
                Err(StoreError::Missing { key: key.to_owned(), hint: PUSH_HINT })
            }
        }
    }

    /// Puts a model into the bucket, the manifest last; what is there already stays. It is not in use before it is promoted.
    ///
    /// # Errors
    /// Where the model is not sound, or a write did not succeed before the deadline.
    pub async fn push(&self, files: &ModelFiles, deadline: Timestamp) -> Result<Manifest, StoreError> {
        let (_, manifest) = files.load()?;
        for (name, bytes) in files.iter() {
            let key = self.file_key(&manifest.version, name);
            put_if_absent(&self.objects, &self.clock, deadline, &key, bytes.to_vec()).await?;
        }
        Ok(manifest)
    }

    /// Makes ready to bring a version into use, for whoever wants it and why.
    ///
    /// # Errors
    /// Where that version can't be loaded, takes another place than the one in use, or there is no answer before the deadline.
    pub async fn prepare(&self, version: &str, cause: &Cause<'_>, deadline: Timestamp) -> Result<Prepared, StoreError> {
        let prepared = history::prepare(&self.objects, &self.clock, deadline, self.subject(), version, cause).await?;
        let (_, manifest) = self.load(version, deadline).await?;
        if let Prepared::Move(prepared) = &prepared
            && let Some(before) = prepared.before()
        {
            // What followers of this name look for. A version that can't be read says nothing of it.
            match self.manifest(before, deadline).await {
                Ok(before) => fits(&manifest, Place::of(&before))?,
                Err(error @ StoreError::Delivery(_)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(prepared)
    }

    /// Brings it into use, if nobody else promoted another meanwhile. Whether this move was made; else somebody else promoted
    /// the same version.
    ///
    /// # Errors
    /// Where another was promoted meanwhile, or there is no answer before the deadline.
    pub async fn commit(&self, prepared: &Move, deadline: Timestamp) -> Result<bool, StoreError> {
        let made = history::commit(&self.objects, &self.clock, deadline, prepared).await;
        made.map_err(|error| StoreError::of_pointer(self.pointer_key(), error))
    }

    /// Makes a version the one in use, in nobody's name and without a reason: for systems in memory, and tests. The version
    /// that was in use before; none where there was none, or no readable pointer.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare) and [`commit`](Self::commit).
    pub async fn promote(&self, version: &str, deadline: Timestamp) -> Result<Option<String>, StoreError> {
        match self.prepare(version, &Cause::default(), deadline).await? {
            Prepared::InUse => Ok(Some(version.to_owned())),
            Prepared::Move(prepared) => {
                self.commit(&prepared, deadline).await?;
                Ok(prepared.before().map(str::to_owned))
            }
        }
    }

    /// Who promoted the version in use, and why; none where that is not known.
    ///
    /// # Errors
    /// Where there is no answer before the deadline.
    pub async fn last_change(&self, deadline: Timestamp) -> Result<Option<Change>, StoreError> {
        Ok(history::last(&self.objects, &self.clock, deadline, &self.subject()).await?)
    }

    fn subject(&self) -> Subject {
        Subject::Model(self.name.clone())
    }
}

/// The pointer is asked for at most this often.
const CHECK_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// A look at the pointer, and a load, take at most this long: the batch waits, and can be scored with the model there is.
const CHECK_TIME: Duration = Duration::from_secs(3);

/// A model, and how predictions name it.
#[derive(Debug)]
pub struct InUse {
    /// The model, at the base rate of the deployment.
    pub model: Model,
    /// The model's name.
    pub name: String,
    /// The model's version.
    pub version: String,
}

/// The model in use, which changes when another is promoted.
#[derive(Debug)]
pub struct Following<O, C> {
    store: ModelStore<O, C>,
    base_rate: Option<BaseRate>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    follower: Follower<InUse>,
    /// The model in use: the follower's, which has one since the start.
    in_use: Arc<InUse>,
}

/// A store until a deadline, as the follower asks it.
struct Until<'a, O, C> {
    store: &'a ModelStore<O, C>,
    base_rate: Option<BaseRate>,
    deadline: Timestamp,
}

impl<O: Objects, C: Clock> Source for Until<'_, O, C> {
    type Version = InUse;
    type Error = StoreError;

    async fn pointer(&self, known: Option<&ETag>) -> Result<Pointer, StoreError> {
        self.store.pointer(known, self.deadline).await
    }

    async fn load(&self, version: &str) -> Result<InUse, StoreError> {
        let (mut model, manifest) = self.store.load(version, self.deadline).await?;
        fits(&manifest, Place::Removal)?;
        if let Some(base_rate) = self.base_rate {
            model = model.at_base_rate(base_rate);
        }
        model_loaded(self.store.name(), version, model.base_rate().share());
        Ok(InUse { model, name: self.store.name().to_owned(), version: manifest.version })
    }

    fn is_of_a_call(error: &StoreError) -> bool {
        matches!(error, StoreError::Delivery(_))
    }
}

impl<O: Objects, C: Clock> Following<O, C> {
    /// Loads the model in use, and follows the pointer from then on. Its probabilities are at `base_rate`; without one, at
    /// that of its training data.
    ///
    /// # Errors
    /// Where there is no model to score with.
    pub async fn start(
        store: ModelStore<O, C>,
        base_rate: Option<BaseRate>,
        deadline: Timestamp,
    ) -> Result<Self, StoreError> {
        let following = Self::start_beside(store, base_rate, deadline).await?;
        if base_rate.is_none() {
            base_rate_assumed(following.state.lock().await.in_use.model.base_rate().share());
        }
        Ok(following)
    }

    /// The same beside another of this process, which said already what is to be said of the base rate.
    ///
    /// # Errors
    /// Where there is no model to score with.
    pub async fn start_beside(
        store: ModelStore<O, C>,
        base_rate: Option<BaseRate>,
        deadline: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut follower = Follower::new();
        follower.follow(&Until { store: &store, base_rate, deadline }).await?;
        let Some(in_use) = follower.in_use().cloned() else {
            // Nothing was named that the answer could equal.
            let detail = "an answer without content".to_owned();
            return Err(StoreError::Pointer { key: store.pointer_key(), detail });
        };
        follower.checked_at(store.clock.now());
        Ok(Following { store, base_rate, state: Mutex::new(State { follower, in_use }) })
    }

    /// The model to score a batch with. Once a minute it looks whether another was promoted; one that can't be loaded is
    /// refused, and looked at again a minute later.
    pub async fn snapshot(&self, deadline: Timestamp) -> Arc<InUse> {
        let mut state = self.state.lock().await;
        let now = self.store.clock.now();
        if state.follower.is_due(now, CHECK_EVERY) {
            state.follower.checked_at(now);
            self.look(&mut state, now, deadline).await;
        }
        Arc::clone(&state.in_use)
    }

    async fn look(&self, state: &mut State, now: Timestamp, deadline: Timestamp) {
        let deadline = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
        let source = Until { store: &self.store, base_rate: self.base_rate, deadline };
        match state.follower.follow(&source).await {
            Ok(()) => {
                if let Some(in_use) = state.follower.in_use() {
                    state.in_use = Arc::clone(in_use);
                }
            }
            Err(error) => model_refused(&state.in_use.version, &error.to_string()),
        }
    }
}

/// The harm model in use, if there is one, which changes when another is promoted.
///
/// It is never in the way of scoring: one that is missing, damaged or refused, or a bucket that does not answer, leaves in use what
/// was, which may be none.
#[derive(Debug)]
pub struct FollowingHarm<O, C> {
    store: ModelStore<O, C>,
    follower: Mutex<Follower<InUse>>,
}

/// A store of harm models until a deadline, as the follower asks it.
struct HarmUntil<'a, O, C> {
    store: &'a ModelStore<O, C>,
    deadline: Timestamp,
}

impl<O: Objects, C: Clock> Source for HarmUntil<'_, O, C> {
    type Version = InUse;
    type Error = StoreError;

    async fn pointer(&self, known: Option<&ETag>) -> Result<Pointer, StoreError> {
        let ModelStore { objects, clock, .. } = self.store;
        let key = self.store.pointer_key();
        let read = pointer::read(objects, clock, self.deadline, &key, known).await;
        read.map_err(|error| StoreError::of_pointer(key, error))
    }

    async fn load(&self, version: &str) -> Result<InUse, StoreError> {
        let (model, manifest) = self.store.load(version, self.deadline).await?;
        fits(&manifest, Place::Harm)?;
        harm_model_loaded(self.store.name(), version, model.labels().len());
        Ok(InUse { model, name: self.store.name().to_owned(), version: manifest.version })
    }

    fn is_of_a_call(error: &StoreError) -> bool {
        matches!(error, StoreError::Delivery(_))
    }
}

impl<O: Objects, C: Clock> FollowingHarm<O, C> {
    /// Loads the harm model in use, if there is one that can be, and follows the pointer from then on.
    pub async fn start(store: ModelStore<O, C>, deadline: Timestamp) -> Self {
        let following = FollowingHarm { store, follower: Mutex::new(Follower::new()) };
        following.snapshot(deadline).await;
        following
    }

    /// The harm model to score a batch with; none where there is none. Once a minute it looks whether another was promoted.
    pub async fn snapshot(&self, deadline: Timestamp) -> Option<Arc<InUse>> {
        let mut follower = self.follower.lock().await;
        let now = self.store.clock.now();
        if follower.is_due(now, CHECK_EVERY) {
            let (is_new, had_one) = (follower.is_new(), follower.in_use().is_some());
            follower.checked_at(now);
            let deadline = now.checked_add(CHECK_TIME).map_or(deadline, |until| until.min(deadline));
            match follower.follow(&HarmUntil { store: &self.store, deadline }).await {
                Ok(()) if follower.in_use().is_none() && (is_new || had_one) => harm_model_missing(self.store.name()),
                Ok(()) => {}
                Err(error) => harm_model_refused(follower.version(), &error.to_string()),
            }
        }
        follower.in_use().cloned()
    }
}
