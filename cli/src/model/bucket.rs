//! `modstream model`: models in a system's bucket.

use plain_text::noun_of;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use futures_util::future::join_all;
use jiff::Timestamp;
use modstream_classifier::artifact::{HeadEntry, Manifest};
use modstream_events::Cause;
use modstream_in_use::history::{Change, Prepared};
use modstream_in_use::models::{PREFIX, Place, Pointer, StoreError, model_of};
use modstream_in_use::policies::PolicyStore;
use modstream_platform::aws::SystemClock;
use serde_json::{Value, json};

use crate::common::args::name;
use crate::common::aws_args::InBucketArgs;
use crate::common::cause::{CauseArgs, change_in_json, in_json, in_words};
use crate::common::connection::deadline;
use crate::common::deployment::Deployment;
use crate::common::display::{one_line, print, short_version};
use crate::common::reached::{HERE, Reached, place_of};
use crate::common::runtime::block_on;
use crate::common::usage::Usage;
use crate::model::embedded;
use crate::model::promises::{Unmet, unmet_if_known};
use crate::policy::table;
use crate::serve::data::{HARM_MODEL_NAME, MODEL_NAME};

/// Which models the functions score with: a version is in use where they look for models of its name. A model with labels takes the
/// place of the harm model, another that of the model of removals.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScoringArgs {
    /// The name of the models that the functions score with, where --deployment does not say it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODEL_NAME", value_parser = name)]
    pub(crate) model_name: Option<String>,
    /// The name of the harm models that they score with, where --deployment does not say it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_HARM_MODEL_NAME", value_parser = name)]
    pub(crate) harm_model_name: Option<String>,
    /// What `terraform output -json` prints, in a file; `-` is standard input. The functions themselves are asked, too
    #[arg(long, value_name = "FILE")]
    pub(crate) deployment: Option<PathBuf>,
}

/// What is known of the name of the models that functions score with in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// Nobody said it.
    Unknown,
    /// The functions score without such a model.
    Without,
    /// The models of this name.
    As(String),
}

impl Named {
    fn of(name: Option<String>) -> Self {
        match name {
            None => Named::Unknown,
            Some(name) if name.is_empty() => Named::Without,
            Some(name) => Named::As(name),
        }
    }

    /// Whether models of this name may be in use.
    fn may_be(&self, name: &str) -> bool {
        match self {
            Named::Unknown => true,
            Named::Without => false,
            Named::As(known) => known == name,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Named::As(name) => Some(name),
            Named::Unknown | Named::Without => None,
        }
    }
}

/// The names of the models that functions score with.
struct Scoring {
    removal: Named,
    harm: Named,
}

impl Scoring {
    fn of(&self, place: Place) -> &Named {
        match place {
            Place::Removal => &self.removal,
            Place::Harm => &self.harm,
        }
    }
}

impl ScoringArgs {
    /// The names of the models that the functions score with, where they are known: the functions' own settings, or else what
    /// Terraform or the environment says.
    async fn names(&self, system: &Reached, bucket: &str) -> anyhow::Result<Scoring> {
        let given =
            || Scoring { removal: Named::of(self.model_name.clone()), harm: Named::of(self.harm_model_name.clone()) };
        let (file, connection) = match (&self.deployment, system) {
            (Some(_), Reached::Here(_)) => {
                return Err(Usage::error("--deployment is of a system on AWS: leave it out, or leave --data out"));
            }
            // What the folder's own process scores with is known.
            (None, Reached::Here(data)) => {
                let noted = |note: &str, given: &Option<String>| {
                    anyhow::Ok(Named::of(data.database.note(note)?.or_else(|| given.clone())))
                };
                return Ok(Scoring {
                    removal: noted(MODEL_NAME, &self.model_name)?,
                    harm: noted(HARM_MODEL_NAME, &self.harm_model_name)?,
                });
            }
            (None, Reached::Aws(_)) => return Ok(given()),
            (Some(file), Reached::Aws(connection)) => (file, connection),
        };
        let deployment = Deployment::read(file)?;
        ensure!(
            deployment.bucket == bucket,
            "the deployment's bucket is {}, not {bucket}: say --bucket {}",
            deployment.bucket,
            deployment.bucket
        );
        // Whoever may not look at functions goes by what Terraform set.
        let set = match (deployment.function(score_comments::NAME), connection.lambda(FUNCTION_TIMEOUT)) {
            (Ok(function), Ok(lambda)) => Box::pin(lambda.function(function)).await.ok(),
            _ => None,
        };
        let variables = set.map(|found| found["Environment"]["Variables"].clone());
        let variable = |name: &str| variables.as_ref().and_then(|all| Some(all[name].as_str()?.trim().to_owned()));
        let removal = variable("MODEL_NAME").filter(|name| !name.is_empty()).unwrap_or(deployment.model_name);
        // Functions whose settings are known and have no such name score without.
        let harm = match &variables {
            Some(_) => variable("HARM_MODEL_NAME").unwrap_or_default(),
            None => deployment.harm_model_name.unwrap_or_default(),
        };
        Ok(Scoring { removal: Named::As(removal), harm: Named::of(Some(harm)) })
    }
}

/// Refuses to promote a model under a name that the functions do not look at.
fn check_scoring(scoring: &Scoring, place: Place, name: &str) -> anyhow::Result<()> {
    let (variable, option) = match place {
        Place::Removal => ("model_name", "--model-name"),
        Place::Harm => ("harm_model_name", "--harm-model-name"),
    };
    let other = match place {
        Place::Removal => Place::Harm,
        Place::Harm => Place::Removal,
    };
    ensure!(
        scoring.of(other).name() != Some(name),
        "the functions score with {} called {name}, and this one is of the {}: train it under another name",
        kind(other),
        kind(place)
    );
    let kind = kind(place);
    match scoring.of(place) {
        Named::As(scoring) if scoring != name => bail!(
            "the functions score with {kind} called {scoring}, and this one is called {name}: promoted, it would not be in \
             use. Promote one called {scoring}, or have the functions score with {name}: apply Terraform with -var \
             {variable}={name}, then promote with {option} {name}"
        ),
        Named::Without => bail!(
            "the functions score without {kind}: promoted, it would not be in use. Have them score with {name}: apply Terraform \
             with -var {variable}={name}, or start `modstream serve` with --harm-model, then promote it"
        ),
        Named::As(_) | Named::Unknown => Ok(()),
    }
}

/// What models of a place are called where people read it.
fn kind(place: Place) -> &'static str {
    match place {
        Place::Removal => "models",
        Place::Harm => "harm models",
    }
}

/// `modstream model`, of a system's bucket.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Bring a model into the bucket; it is not in use before it is promoted
    Push(PushArgs),
    /// Make a version the one in use; functions notice within a minute
    Promote(PromoteArgs),
    /// Show what models the bucket has, and which are in use
    List(ListArgs),
}

impl ModelsCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            ModelsCommand::Push(args) => args.system.json,
            ModelsCommand::Promote(args) => args.system.json,
            ModelsCommand::List(args) => args.system.json,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model push --promote             the model built in, for a first try
  modstream model push harm --promote        the one built in that gives labels of harm
  modstream model push models/ours           under the name it was trained with
  modstream model push models/ours --promote --reason 'wins 14 alerts on last week' --by maja

With --promote, the name must be that of the models which the functions score with: --deployment or --model-name says it.")]
pub(crate) struct PushArgs {
    /// The folder of a model, or the name of one that is built in [default: rscience, trained on r/science]
    #[arg(value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,
    /// Also make this version the one in use
    #[arg(long)]
    pub(crate) promote: bool,
    #[command(flatten)]
    pub(crate) scoring: ScoringArgs,
    #[command(flatten)]
    pub(crate) cause: CauseArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream model promote c76d9689cf7f
  modstream model promote c76d9689cf7f --reason 'the new one misses spam' --by maja

Who promotes a version and why is kept in the bucket, below models/NAME/history/.")]
pub(crate) struct PromoteArgs {
    /// The version, or its first digits, at least 8
    #[arg(value_name = "VERSION", value_parser = version)]
    pub(crate) version: String,
    /// The model's name [default: that of the models which the functions score with, or the only one there is]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) scoring: ScoringArgs,
    #[command(flatten)]
    pub(crate) cause: CauseArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only the models of this name
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) scoring: ScoringArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

fn version(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err("a version is 64 hex digits, or the first of them, at least 8; `modstream model list` shows them"
            .to_owned())
    }
}

/// How long a function's settings are waited for.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How many manifests are read at a time.
const CONCURRENT_MANIFEST_READS: usize = 8;

impl ModelsCommand {
    /// Runs `modstream model push|promote|list`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match &self {
                ModelsCommand::Push(args) => push(args).await,
                ModelsCommand::Promote(args) => promote(args).await,
                ModelsCommand::List(args) => list(args).await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn push(args: &PushArgs) -> anyhow::Result<()> {
    let files = embedded::model_files(args.model.as_deref())?;
    let (_, manifest) = embedded::check_any(&files, args.model.as_deref())?;
    let Manifest { name, version, .. } = &manifest;
    let place = Place::of(&manifest);
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.names(&system, bucket).await?;
    if args.promote {
        check_scoring(&scoring, place, name)?;
        check_labels(&system, bucket, &manifest).await?;
    }
    let scoring = scoring.of(place);
    let store = system.models(bucket, name);
    // Also says at once where the bucket can't be reached.
    let before = in_use(&system, bucket, name).await?;
    Box::pin(store.push(&files, deadline())).await.with_context(|| place_of("the bucket", bucket))?;
    let cause = match args.promote {
        true => Some(promoted(&system, bucket, name, version, &args.cause).await?.1),
        false => None,
    };
    let is_in_use = scoring.may_be(name) && (args.promote || before.as_ref() == Some(version));
    let unmet = if args.promote { unmet_if_known(unmet(&system, bucket, &manifest).await) } else { None };
    if args.system.json {
        let mut line = json!({
            "name": name,
            "version": version,
            "bucket": bucket,
            "in_use": is_in_use,
            "before": before,
        });
        if let Some(cause) = &cause {
            line["out_of_reach"] = unmet.as_ref().map(Unmet::in_json).into();
            line["functions"] = scoring.name().into();
            line["cause"] = in_json(cause);
        }
        return Ok(print(&format!("{line}\n"))?);
    }
    let short = short_version(version);
    let state = match (&before, args.promote, scoring) {
        (_, _, Named::As(scoring)) if scoring != name => {
            format!("not in use: the functions score with {} called {scoring}", kind(place))
        }
        (_, _, Named::Without) => format!("not in use: the functions score without {}", kind(place)),
        (Some(before), _, _) if before == version => "it is in use already".to_owned(),
        (before, true, _) => moved(before.as_deref(), version),
        (_, false, _) => {
            format!("not in use yet: modstream model promote {short} --name {name} {say}", say = say(bucket))
        }
    };
    print(&format!("{name} version {version} is in {place}\n{state}\n", place = place_of("the bucket", bucket)))?;
    unmet.iter().for_each(Unmet::warn);
    if args.promote {
        note_unknown(scoring, place, name);
    }
    Ok(())
}

/// Brings a version into use, in the name of whoever runs this. The version that was in use before, and what is recorded.
pub(crate) async fn promoted(
    system: &Reached,
    bucket: &str,
    name: &str,
    version: &str,
    args: &CauseArgs,
) -> anyhow::Result<(Option<String>, Cause<'static>)> {
    let store = system.models(bucket, name);
    let cause = args.cause(system).await;
    let prepared = Box::pin(store.prepare(version, &cause, deadline())).await;
    let before = match prepared.with_context(|| place_of("the bucket", bucket))? {
        Prepared::InUse => Some(version.to_owned()),
        Prepared::Move(prepared) => {
            let commit = Box::pin(store.commit(&prepared, deadline()));
            let made = Box::pin(args.make(system, prepared.event(), commit)).await;
            made.with_context(|| place_of("the bucket", bucket))?;
            prepared.before().map(str::to_owned)
        }
    };
    Ok((before, cause))
}

/// Says where it is not known whether the functions look at this model at all.
fn note_unknown(scoring: &Named, place: Place, name: &str) {
    let option = match place {
        Place::Removal => "--model-name",
        Place::Harm => "--harm-model-name",
    };
    if *scoring == Named::Unknown {
        eprintln!(
            "in use where the functions score with {} called {name}: which they do is not known here; --deployment FILE \
             or {option} NAME says it",
            kind(place)
        );
    }
}

/// Refuses a harm model without a label that the policies in use name: what they say of it would hold of nothing.
async fn check_labels(system: &Reached, bucket: &str, manifest: &Manifest) -> anyhow::Result<()> {
    if Place::of(manifest) != Place::Harm {
        return Ok(());
    }
    let objects = system.bucket(bucket);
    let current = Box::pin(PolicyStore::new(&objects, &SystemClock, deadline()).current()).await;
    let Some((version, policies)) = current.with_context(|| place_of("the bucket", bucket))? else { return Ok(()) };
    let problems = table::unknown_labels(&policies, Some(manifest));
    ensure!(
        problems.0.is_empty(),
        "the policies in use, {} version {}, need labels that this model does not have: {problems}; promote one that has them, or \
         push policies without them first (`modstream policy push FILE`)",
        policies.name,
        short_version(&version)
    );
    Ok(())
}

async fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.names(&system, bucket).await?;
    let models = models(&system, bucket, args.name.as_deref()).await?;
    // A version says itself which model it is of, unless its first digits are those of several.
    let has_it = |versions: &[(String, Timestamp)]| versions.iter().any(|(it, _)| it.starts_with(&args.version));
    let mut names: Vec<&str> =
        models.iter().filter(|(_, versions)| has_it(versions)).map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        names = models.keys().map(String::as_str).collect();
    }
    let scored = scoring.removal.name();
    let named = args.name.as_deref().or_else(|| scored.filter(|_| names.len() != 1));
    let name = match (named, names.as_slice()) {
        (Some(name), _) => name.to_owned(),
        (None, [name]) => (*name).to_owned(),
        (None, []) => {
            bail!("{place} has no models: push one with `modstream model push`", place = place_of("the bucket", bucket))
        }
        (None, several) => {
            bail!(
                "{place} has models of several names: say --name, one of {}",
                several.join(", "),
                place = place_of("the bucket", bucket)
            )
        }
    };
    let version = whole_version(&args.version, &name, bucket, models.get(&name))?;
    let manifest = Box::pin(system.models_to_read(bucket, &name).manifest(&version, deadline())).await;
    let manifest = manifest.with_context(|| place_of("the bucket", bucket))?;
    let place = Place::of(&manifest);
    check_scoring(&scoring, place, &name)?;
    let scoring = scoring.of(place);
    check_labels(&system, bucket, &manifest).await?;
    let (before, cause) = promoted(&system, bucket, &name, &version, &args.cause).await?;
    let unmet = unmet_if_known(unmet(&system, bucket, &manifest).await);
    if args.system.json {
        let out_of_reach = unmet.as_ref().map(Unmet::in_json);
        let line = json!({
            "name": name,
            "version": version,
            "bucket": bucket,
            "before": before,
            "out_of_reach": out_of_reach,
            "functions": scoring.name(),
            "cause": in_json(&cause),
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    print(&format!("{name}: {}\n", moved(before.as_deref(), &version)))?;
    unmet.iter().for_each(Unmet::warn);
    note_unknown(scoring, place, &name);
    Ok(())
}

/// Says in words from which version to which the pointer moved.
fn moved(before: Option<&str>, version: &str) -> String {
    let to = short_version(version);
    match before {
        Some(before) if before == version => format!("version {to} is in use already"),
        Some(before) => {
            let from = short_version(before);
            format!("from version {from} to {to}; functions notice within a minute")
        }
        None => format!("version {to} is in use; there was none before"),
    }
}

/// The one version that begins with `prefix`.
fn whole_version(
    prefix: &str,
    name: &str,
    bucket: &str,
    versions: Option<&Vec<(String, Timestamp)>>,
) -> anyhow::Result<String> {
    let all: Vec<&str> = versions.into_iter().flatten().map(|(version, _)| version.as_str()).collect();
    if all.is_empty() {
        bail!(
            "{place} has no model called {name}: push one with `modstream model push`",
            place = place_of("the bucket", bucket)
        );
    }
    match all.iter().copied().filter(|version| version.starts_with(prefix)).collect::<Vec<_>>()[..] {
        [version] => Ok(version.to_owned()),
        [] => bail!(
            "{name} has no version {prefix} in {place}; there are {}",
            short(&all),
            place = place_of("the bucket", bucket)
        ),
        ref several => bail!("several versions of {name} begin with {prefix}: {}; say more digits", several.join(", ")),
    }
}

/// The versions as an error names them, newest first, no more than it can hold.
fn short(versions: &[&str]) -> String {
    const NAMED_VERSIONS: usize = 10;
    let named: Vec<&str> = versions.iter().take(NAMED_VERSIONS).copied().map(short_version).collect();
    let mut text = named.join(", ");
    if versions.len() > NAMED_VERSIONS {
        text += &format!(" and {} older", versions.len() - NAMED_VERSIONS);
    }
    text
}

/// Models by name, each version with when it was pushed, newest first.
type Models = BTreeMap<String, Vec<(String, Timestamp)>>;

/// The options that name the system again.
fn say(bucket: &str) -> String {
    if bucket == HERE { "--data DIR".to_owned() } else { format!("--bucket {bucket}") }
}

async fn models(system: &Reached, bucket: &str, name: Option<&str>) -> anyhow::Result<Models> {
    let prefix = name.map_or_else(|| PREFIX.to_owned(), |name| format!("{PREFIX}{name}/"));
    let keys = system.bucket(bucket).list_written(&prefix).await;
    let keys = keys.with_context(|| format!("{place} can't be listed", place = place_of("the bucket", bucket)))?;
    let mut models = Models::new();
    for (key, written) in &keys {
        if let Some((name, version)) = model_of(key) {
            models.entry(name.to_owned()).or_default().push((version.to_owned(), *written));
        }
    }
    for versions in models.values_mut() {
        versions.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
    }
    Ok(models)
}

/// The version in use.
async fn in_use(system: &Reached, bucket: &str, name: &str) -> anyhow::Result<Option<String>> {
    let store = system.models_to_read(bucket, name);
    match Box::pin(store.pointer(None, deadline())).await {
        Ok(Pointer::To { version, .. }) => Ok(Some(version)),
        // A pointer that can't be read is moved like any other.
        Ok(Pointer::Unchanged | Pointer::Missing) | Err(StoreError::Missing { .. } | StoreError::Pointer { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| place_of("the bucket", bucket)),
    }
}

/// The manifest of the model in use in a place; none where no model is. Without a name it is that of the only one in use there.
pub(crate) async fn in_use_manifest(
    system: &Reached,
    bucket: &str,
    place: Place,
    name: Option<&str>,
) -> anyhow::Result<Option<Manifest>> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => models(system, bucket, None).await?.into_keys().collect(),
    };
    let mut found = Vec::new();
    for name in names {
        if let Some(version) = in_use(system, bucket, &name).await? {
            let store = system.models_to_read(bucket, &name);
            let manifest = Box::pin(store.manifest(&version, deadline())).await;
            found.push(manifest.with_context(|| place_of("the bucket", bucket))?);
        }
    }
    found.retain(|manifest| Place::of(manifest) == place);
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => {
            let names: Vec<&str> = found.iter().map(|manifest| manifest.name.as_str()).collect();
            bail!(
                "{place} has {kind} of several names in use: {}",
                names.join(", "),
                place = place_of("the bucket", bucket),
                kind = kind(place)
            );
        }
    }
}

/// What the policies in use ask that a version of a model can't promise; none where the bucket has no policies.
async fn unmet(system: &Reached, bucket: &str, manifest: &Manifest) -> anyhow::Result<Option<Unmet>> {
    if Place::of(manifest) != Place::Removal {
        return Ok(None);
    }
    let objects = system.bucket(bucket);
    let policies = Box::pin(PolicyStore::new(&objects, &SystemClock, deadline()).current()).await?;
    let Some((_, policies)) = policies else { return Ok(None) };
    Unmet::of(&policies, manifest, None).map(Some)
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.names(&system, bucket).await?;
    let models = models(&system, bucket, args.name.as_deref()).await?;
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    let mut rows = Vec::new();
    for (name, versions) in &models {
        let store = system.models_to_read(bucket, name);
        let promoted = in_use(&system, bucket, name).await?;
        let change = Box::pin(store.last_change(deadline())).await.with_context(|| place_of("the bucket", bucket))?;
        for some in versions.chunks(CONCURRENT_MANIFEST_READS) {
            let manifests = some.iter().map(|(version, _)| Box::pin(store.manifest(version, deadline())));
            for ((version, pushed), manifest) in some.iter().zip(join_all(manifests).await) {
                let is_promoted = promoted.as_ref() == Some(version);
                // What can't be read is of the place that others of its name take.
                let place = manifest.as_ref().ok().map(Place::of).or_else(|| places.get(name.as_str()).copied());
                if let Some(place) = place {
                    places.entry(name).or_insert(place);
                }
                let is_scored_with = scoring.of(place.unwrap_or(Place::Removal)).may_be(name);
                let state = match (is_promoted, is_scored_with) {
                    (false, _) => State::Pushed,
                    (true, false) => State::Promoted,
                    (true, true) => State::InUse,
                };
                let change = change.clone().filter(|_| is_promoted);
                rows.push(Row { name, version, pushed: *pushed, state, change, manifest });
            }
        }
    }
    if args.system.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        let line = json!({
            "bucket": bucket,
            "functions": scoring.removal.name(),
            "harm_functions": scoring.harm.name(),
            "models": rows,
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    if rows.is_empty() {
        let called = args.name.as_ref().map_or_else(String::new, |name| format!(" called {name}"));
        return Ok(print(&format!(
            "{place} has no model{called}; push one: modstream model push {say}\n",
            place = place_of("the bucket", bucket),
            say = say(bucket)
        ))?);
    }
    let mut text = String::new();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    for name in &names {
        let place = places.get(name).copied().unwrap_or(Place::Removal);
        let what = match place {
            Place::Removal => "",
            Place::Harm => " for labels of harm",
        };
        text += &match scoring.of(place) {
            Named::As(scoring) if scoring == name => format!("{name}, which the functions score with{what}\n"),
            Named::As(_) | Named::Without => format!("{name}, which the functions do not score with\n"),
            Named::Unknown => format!("{name}\n"),
        };
        for row in rows.iter().filter(|row| row.name == *name) {
            text += &row.text();
        }
    }
    let of_removals = names.iter().filter(|name| places.get(*name) != Some(&Place::Harm)).count();
    text += &match &scoring.removal {
        Named::As(scoring) if !names.contains(scoring.as_str()) && args.name.is_none() => format!(
            "the functions score with models called {scoring}, and the bucket has none: push one with `modstream model push`\n"
        ),
        Named::Unknown if of_removals > 1 => {
            "which of these names the functions score with is not known here: --deployment FILE or \
                                    --model-name NAME says it\n"
                .to_owned()
        }
        _ => String::new(),
    };
    Ok(print(&text)?)
}

/// What is known of a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is in the bucket.
    Pushed,
    /// It is the promoted one of its name, which the functions do not score with.
    Promoted,
    /// It is the promoted one of its name, which the functions score with as far as is known.
    InUse,
}

/// A version in a list.
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    pushed: Timestamp,
    state: State,
    /// Who promoted it, where it is promoted.
    change: Option<Change>,
    manifest: Result<Manifest, StoreError>,
}

impl Row<'_> {
    fn text(&self) -> String {
        let local =
            |time: Timestamp| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
        let what = match &self.manifest {
            Ok(manifest) if Place::of(manifest) == Place::Harm => {
                let comments = manifest.training.comments;
                let labels: Vec<&str> = manifest.heads.iter().map(|head| head.label.as_str()).collect();
                format!("{comments:>9} {}, labels {}", noun_of(comments, "text"), one_line(&labels.join(", ")))
            }
            Ok(manifest) => {
                let HeadEntry { training, metrics, .. } = manifest.first_head();
                format!(
                    "{:>9} {}, {:.1} % removed  ROC-AUC {:.3}",
                    training.texts,
                    noun_of(training.texts, "comment"),
                    training.positives as f64 / training.texts.max(1) as f64 * 100.0,
                    metrics.roc_auc
                )
            }
            Err(error) => one_line(&error.to_string()),
        };
        let mark = match self.state {
            State::Pushed => "",
            State::Promoted => "chosen",
            State::InUse => "in use",
        };
        let mut text = format!("  {mark:6}  {}  pushed {}  {what}\n", short_version(self.version), local(self.pushed));
        if let Some(change) = &self.change {
            text += &format!("          promoted {} {}\n", local(change.time), in_words(&change.cause()));
        }
        text
    }

    fn json(&self) -> Value {
        let mut line = json!({
            "name": self.name,
            "version": self.version,
            "pushed": self.pushed,
            "in_use": self.state == State::InUse,
            "promoted": self.state != State::Pushed,
            "change": self.change.as_ref().map(change_in_json),
        });
        match &self.manifest {
            Ok(manifest) if Place::of(manifest) == Place::Harm => {
                line["comments"] = manifest.training.comments.into();
                let label = |head: &HeadEntry| {
                    json!({
                        "label": head.label,
                        "comments": head.training.texts,
                        "with_label": head.training.positives,
                        "roc_auc": head.metrics.roc_auc,
                        "ece": head.metrics.ece,
                    })
                };
                line["labels"] = manifest.heads.iter().map(label).collect();
            }
            Ok(manifest) => {
                let HeadEntry { training, metrics, .. } = manifest.first_head();
                line["comments"] = training.texts.into();
                line["removed"] = training.positives.into();
                line["roc_auc"] = metrics.roc_auc.into();
                line["ece"] = metrics.ece.into();
                line["ece_floor"] = json!(metrics.ece_floor);
            }
            Err(error) => line["error"] = error.to_string().into(),
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(all: &[&str]) -> Vec<(String, Timestamp)> {
        all.iter().map(|version| (format!("{version:0<64}"), Timestamp::UNIX_EPOCH)).collect()
    }

    #[test]
    fn the_first_digits_name_a_version_if_they_name_one() {
        let versions = versions(&["c76d9689aa", "c76d9689bb", "0123456789"]);
        let whole =
            |prefix: &str| whole_version(prefix, "ours", "bucket", Some(&versions)).map_err(|it| it.to_string());
        assert_eq!(whole("01234567"), Ok(format!("{:0<64}", "0123456789")));
        assert_eq!(whole(&versions[0].0), Ok(versions[0].0.clone()));
        let several = whole("c76d9689").expect_err("two");
        assert!(several.contains(&versions[0].0) && several.contains(&versions[1].0), "{several}");
        assert_eq!(
            whole("ffffffff"),
            Err(
                "ours has no version ffffffff in the bucket bucket; there are c76d9689aa00, c76d9689bb00, 012345678900"
                    .to_owned()
            )
        );
        let none = whole_version("ffffffff", "ours", "bucket", None).expect_err("none").to_string();
        assert!(none.contains("modstream model push"), "{none}");
    }

    #[test]
    fn a_version_is_hex_digits_and_enough_of_them() {
        assert!(version("c76d968").is_err() && version("C76D9689").is_ok() && version("zzzzzzzzz").is_err());
    }
}
