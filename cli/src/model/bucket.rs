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
use modstream_in_use::models::{PREFIX, Pointer, StoreError, model_of};
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
use crate::serve::data::MODEL_NAME;

/// Which model the functions score with: a version is in use where they look for models of its name.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScoringArgs {
    /// The name of the models that the functions score with, where --deployment does not say it
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODEL_NAME", value_parser = name)]
    pub(crate) model_name: Option<String>,
    /// What `terraform output -json` prints, in a file; `-` is standard input. The functions themselves are asked, too
    #[arg(long, value_name = "FILE")]
    pub(crate) deployment: Option<PathBuf>,
}

impl ScoringArgs {
    /// The name of the models that the functions score with, where that is known: the functions' own setting, or else what
    /// Terraform or the environment says.
    async fn name(&self, system: &Reached, bucket: &str) -> anyhow::Result<Option<String>> {
        let (file, connection) = match (&self.deployment, system) {
            (Some(_), Reached::Here(_)) => {
                return Err(Usage::error("--deployment is of a system on AWS: leave it out, or leave --data out"));
            }
            // What the folder's own process scores with is known.
            (None, Reached::Here(data)) => {
                return Ok(data.database.note(MODEL_NAME)?.or_else(|| self.model_name.clone()));
            }
            (None, Reached::Aws(_)) => return Ok(self.model_name.clone()),
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
        let set =
            set.and_then(|found| Some(found["Environment"]["Variables"]["MODEL_NAME"].as_str()?.trim().to_owned()));
        Ok(Some(set.filter(|name| !name.is_empty()).unwrap_or(deployment.model_name)))
    }
}

/// Refuses to promote a model under a name that the functions do not look at.
fn check_scoring(scoring: Option<&str>, name: &str) -> anyhow::Result<()> {
    match scoring {
        Some(scoring) if scoring != name => bail!(
            "the functions score with models called {scoring}, and this one is called {name}: promoted, it would not be in \
             use. Promote one called {scoring}, or have the functions score with {name}: apply Terraform with -var \
             model_name={name}, then promote with --model-name {name}"
        ),
        _ => Ok(()),
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
  modstream model push models/ours           under the name it was trained with
  modstream model push models/ours --promote --reason 'wins 14 alerts on last week' --by maja

With --promote, the name must be that of the models which the functions score with: --deployment or --model-name says it.")]
pub(crate) struct PushArgs {
    /// The folder of a model [default: the one built in, trained on r/science]
    #[arg(value_name = "DIR")]
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
    let (_, manifest) = embedded::check(&files, args.model.as_deref())?;
    let Manifest { name, version, .. } = &manifest;
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.name(&system, bucket).await?;
    if args.promote {
        check_scoring(scoring.as_deref(), name)?;
    }
    let store = system.models(bucket, name);
    // Also says at once where the bucket can't be reached.
    let before = in_use(&system, bucket, name).await?;
    Box::pin(store.push(&files, deadline())).await.with_context(|| place_of("the bucket", bucket))?;
    let cause = match args.promote {
        true => Some(promoted(&system, bucket, name, version, &args.cause).await?.1),
        false => None,
    };
    let is_scored_with = scoring.as_ref().is_none_or(|scoring| scoring == name);
    let is_in_use = is_scored_with && (args.promote || before.as_ref() == Some(version));
    let unmet = if args.promote { unmet_if_known(unmet(&system, bucket, name, version).await) } else { None };
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
            line["functions"] = scoring.into();
            line["cause"] = in_json(cause);
        }
        return Ok(print(&format!("{line}\n"))?);
    }
    let short = short_version(version);
    let state = match (&before, args.promote, &scoring) {
        (_, _, Some(scoring)) if scoring != name => {
            format!("not in use: the functions score with models called {scoring}")
        }
        (Some(before), _, _) if before == version => "it is in use already".to_owned(),
        (before, true, _) => moved(before.as_deref(), version),
        (_, false, _) => {
            format!("not in use yet: modstream model promote {short} --name {name} {say}", say = say(bucket))
        }
    };
    print(&format!("{name} version {version} is in {place}\n{state}\n", place = place_of("the bucket", bucket)))?;
    unmet.iter().for_each(Unmet::warn);
    if args.promote {
        note_unknown(scoring.as_deref(), name);
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
fn note_unknown(scoring: Option<&str>, name: &str) {
    if scoring.is_none() {
        eprintln!(
            "in use where the functions score with models called {name}: which they do is not known here; --deployment FILE \
             or --model-name NAME says it"
        );
    }
}

async fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.name(&system, bucket).await?;
    let named = args.name.as_deref().or(scoring.as_deref());
    if let Some(name) = named {
        check_scoring(scoring.as_deref(), name)?;
    }
    let models = models(&system, bucket, named).await?;
    let names: Vec<&str> = models.keys().map(String::as_str).collect();
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
    let (before, cause) = promoted(&system, bucket, &name, &version, &args.cause).await?;
    let unmet = unmet_if_known(unmet(&system, bucket, &name, &version).await);
    if args.system.json {
        let out_of_reach = unmet.as_ref().map(Unmet::in_json);
        let line = json!({
            "name": name,
            "version": version,
            "bucket": bucket,
            "before": before,
            "out_of_reach": out_of_reach,
            "functions": scoring,
            "cause": in_json(&cause),
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    print(&format!("{name}: {}\n", moved(before.as_deref(), &version)))?;
    unmet.iter().for_each(Unmet::warn);
    note_unknown(scoring.as_deref(), &name);
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

/// The manifest of the model in use; none where no model is. Without a name it is that of the only model in use.
pub(crate) async fn in_use_manifest(
    system: &Reached,
    bucket: &str,
    name: Option<&str>,
) -> anyhow::Result<Option<Manifest>> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => models(system, bucket, None).await?.into_keys().collect(),
    };
    let mut found = Vec::new();
    for name in names {
        if let Some(version) = in_use(system, bucket, &name).await? {
            found.push((name, version));
        }
    }
    let (name, version) = match found.as_slice() {
        [] => return Ok(None),
        [one] => one,
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            bail!(
                "{place} has models of several names in use: {}",
                names.join(", "),
                place = place_of("the bucket", bucket)
            );
        }
    };
    let store = system.models_to_read(bucket, name);
    let manifest = Box::pin(store.manifest(version, deadline())).await;
    Ok(Some(manifest.with_context(|| place_of("the bucket", bucket))?))
}

/// What the policies in use ask that a version of a model can't promise; none where the bucket has no policies.
async fn unmet(system: &Reached, bucket: &str, name: &str, version: &str) -> anyhow::Result<Option<Unmet>> {
    let objects = system.bucket(bucket);
    let policies = Box::pin(PolicyStore::new(&objects, &SystemClock, deadline()).current()).await?;
    let Some((_, policies)) = policies else { return Ok(None) };
    let store = system.models_to_read(bucket, name);
    let manifest = Box::pin(store.manifest(version, deadline())).await?;
    Unmet::of(&policies, &manifest, None).map(Some)
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let scoring = args.scoring.name(&system, bucket).await?;
    let models = models(&system, bucket, args.name.as_deref()).await?;
    let mut rows = Vec::new();
    for (name, versions) in &models {
        let store = system.models_to_read(bucket, name);
        let promoted = in_use(&system, bucket, name).await?;
        let change = Box::pin(store.last_change(deadline())).await.with_context(|| place_of("the bucket", bucket))?;
        let is_scored_with = scoring.as_ref().is_none_or(|scoring| scoring == name);
        for some in versions.chunks(CONCURRENT_MANIFEST_READS) {
            let manifests = some.iter().map(|(version, _)| Box::pin(store.manifest(version, deadline())));
            for ((version, pushed), manifest) in some.iter().zip(join_all(manifests).await) {
                let is_promoted = promoted.as_ref() == Some(version);
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
        let line = json!({ "bucket": bucket, "functions": scoring, "models": rows });
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
        text += &match &scoring {
            Some(scoring) if scoring == name => format!("{name}, which the functions score with\n"),
            Some(_) => format!("{name}, which the functions do not score with\n"),
            None => format!("{name}\n"),
        };
        for row in rows.iter().filter(|row| row.name == *name) {
            text += &row.text();
        }
    }
    text += &match &scoring {
        Some(scoring) if !names.contains(scoring.as_str()) && args.name.is_none() => format!(
            "the functions score with models called {scoring}, and the bucket has none: push one with `modstream model push`\n"
        ),
        None if names.len() > 1 => {
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
