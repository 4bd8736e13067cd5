//! `modstream model`: models in a system's bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use futures_util::future::join_all;
use jiff::Timestamp;
use modstream_classifier::artifact::Manifest;
use modstream_in_use::models::{PREFIX, Pointer, StoreError, model_of};
use modstream_in_use::policies::PolicyStore;
use modstream_platform::aws::SystemClock;
use serde_json::{Value, json};

use crate::common::args::name;
use crate::common::aws_args::InBucketArgs;
use crate::common::connection::{Connection, deadline};
use crate::common::display::{one_line, print, short_version};
use crate::common::runtime::block_on;
use crate::model::embedded;
use crate::model::promises::{Unmet, unmet_if_known};

/// The model that a system scores with.
#[derive(Clone, Debug, Args)]
pub(crate) struct NameArgs {
    /// The model's name
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODEL_NAME", value_parser = name)]
    pub(crate) name: Option<String>,
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
  modstream model push models/ours           under the name it was trained with")]
pub(crate) struct PushArgs {
    /// The folder of a model [default: the one built in, trained on r/science]
    #[arg(value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Also make this version the one in use
    #[arg(long)]
    pub(crate) promote: bool,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream model promote c76d9689cf7f")]
pub(crate) struct PromoteArgs {
    /// The version, or its first digits, at least 8
    #[arg(value_name = "VERSION", value_parser = version)]
    pub(crate) version: String,
    #[command(flatten)]
    pub(crate) name: NameArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) name: NameArgs,
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
    let connection = Connection::open(&args.system.connection).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let store = connection.models(bucket, name);
    // Also says at once where the bucket can't be reached.
    let before = in_use(&connection, bucket, name).await?;
    Box::pin(store.push(&files, deadline())).await.with_context(|| format!("the bucket {bucket}"))?;
    if args.promote {
        Box::pin(store.promote(version, deadline())).await.with_context(|| format!("the bucket {bucket}"))?;
    }
    let is_in_use = args.promote || before.as_ref() == Some(version);
    let unmet = if args.promote { unmet_if_known(unmet(&connection, bucket, name, version).await) } else { None };
    if args.system.json {
        let mut line = json!({
            "name": name,
            "version": version,
            "bucket": bucket,
            "in_use": is_in_use,
            "before": before,
        });
        if args.promote {
            line["out_of_reach"] = unmet.as_ref().map(Unmet::in_json).into();
        }
        return Ok(print(&format!("{line}\n"))?);
    }
    let short = short_version(version);
    let state = match (&before, args.promote) {
        (Some(before), _) if before == version => "it is in use already".to_owned(),
        (before, true) => moved(before.as_deref(), version),
        (_, false) => format!("not in use yet: modstream model promote {short} --name {name} --bucket {bucket}"),
    };
    print(&format!("{name} version {version} is in the bucket {bucket}\n{state}\n"))?;
    unmet.iter().for_each(Unmet::warn);
    Ok(())
}

async fn promote(args: &PromoteArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.system.connection).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let models = models(&connection, bucket, args.name.name.as_deref()).await?;
    let names: Vec<&str> = models.keys().map(String::as_str).collect();
    let name = match (&args.name.name, names.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [name]) => (*name).to_owned(),
        (None, []) => bail!("the bucket {bucket} has no models: push one with `modstream model push`"),
        (None, several) => {
            bail!("the bucket {bucket} has models of several names: say --name, one of {}", several.join(", "))
        }
    };
    let version = whole_version(&args.version, &name, bucket, models.get(&name))?;
    let store = connection.models(bucket, &name);
    let promoted = Box::pin(store.promote(&version, deadline())).await;
    let before = promoted.with_context(|| format!("the bucket {bucket}"))?;
    let unmet = unmet_if_known(unmet(&connection, bucket, &name, &version).await);
    if args.system.json {
        let out_of_reach = unmet.as_ref().map(Unmet::in_json);
        let line = json!({
            "name": name,
            "version": version,
            "bucket": bucket,
            "before": before,
            "out_of_reach": out_of_reach,
        });
        return Ok(print(&format!("{line}\n"))?);
    }
    print(&format!("{name}: {}\n", moved(before.as_deref(), &version)))?;
    unmet.iter().for_each(Unmet::warn);
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
        bail!("the bucket {bucket} has no model called {name}: push one with `modstream model push`");
    }
    match all.iter().copied().filter(|version| version.starts_with(prefix)).collect::<Vec<_>>()[..] {
        [version] => Ok(version.to_owned()),
        [] => bail!("{name} has no version {prefix} in the bucket {bucket}; there are {}", short(&all)),
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

async fn models(connection: &Connection, bucket: &str, name: Option<&str>) -> anyhow::Result<Models> {
    let prefix = name.map_or_else(|| PREFIX.to_owned(), |name| format!("{PREFIX}{name}/"));
    let keys = connection.bucket(bucket).list_written(&prefix).await;
    let keys = keys.with_context(|| format!("the bucket {bucket} can't be listed"))?;
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
async fn in_use(connection: &Connection, bucket: &str, name: &str) -> anyhow::Result<Option<String>> {
    let store = connection.models_to_read(bucket, name);
    match Box::pin(store.pointer(None, deadline())).await {
        Ok(Pointer::To { version, .. }) => Ok(Some(version)),
        // A pointer that can't be read is moved like any other.
        Ok(Pointer::Unchanged | Pointer::Missing) | Err(StoreError::Missing { .. } | StoreError::Pointer { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("the bucket {bucket}")),
    }
}

/// The manifest of the model in use; none where no model is. Without a name it is that of the only model in use.
pub(crate) async fn in_use_manifest(
    connection: &Connection,
    bucket: &str,
    name: Option<&str>,
) -> anyhow::Result<Option<Manifest>> {
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => models(connection, bucket, None).await?.into_keys().collect(),
    };
    let mut found = Vec::new();
    for name in names {
        if let Some(version) = in_use(connection, bucket, &name).await? {
            found.push((name, version));
        }
    }
    let (name, version) = match found.as_slice() {
        [] => return Ok(None),
        [one] => one,
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            bail!("the bucket {bucket} has models of several names in use: {}", names.join(", "));
        }
    };
    let store = connection.models_to_read(bucket, name);
    let manifest = Box::pin(store.manifest(version, deadline())).await;
    Ok(Some(manifest.with_context(|| format!("the bucket {bucket}"))?))
}

/// What the policies in use ask that a version of a model can't promise; none where the bucket has no policies.
async fn unmet(connection: &Connection, bucket: &str, name: &str, version: &str) -> anyhow::Result<Option<Unmet>> {
    let objects = connection.bucket(bucket);
    let policies = Box::pin(PolicyStore::new(&objects, &SystemClock, deadline()).current()).await?;
    let Some((_, policies)) = policies else { return Ok(None) };
    let store = connection.models_to_read(bucket, name);
    let manifest = Box::pin(store.manifest(version, deadline())).await?;
    Unmet::of(&policies, &manifest, None).map(Some)
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let connection = Connection::open(&args.system.connection).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let models = models(&connection, bucket, args.name.name.as_deref()).await?;
    let mut rows = Vec::new();
    for (name, versions) in &models {
        let current = in_use(&connection, bucket, name).await?;
        let store = connection.models_to_read(bucket, name);
        for some in versions.chunks(CONCURRENT_MANIFEST_READS) {
            let manifests = some.iter().map(|(version, _)| Box::pin(store.manifest(version, deadline())));
            for ((version, pushed), manifest) in some.iter().zip(join_all(manifests).await) {
                let is_in_use = current.as_ref() == Some(version);
                rows.push(Row { name, version, pushed: *pushed, is_in_use, manifest });
            }
        }
    }
    if args.system.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        return Ok(print(&format!("{}\n", json!({ "bucket": bucket, "models": rows })))?);
    }
    if rows.is_empty() {
        let called = args.name.name.as_ref().map_or_else(String::new, |name| format!(" called {name}"));
        return Ok(print(&format!(
            "the bucket {bucket} has no model{called}; push one: modstream model push --bucket {bucket}\n"
        ))?);
    }
    let mut text = String::new();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    for name in names {
        text += &format!("{name}\n");
        for row in rows.iter().filter(|row| row.name == name) {
            text += &row.text();
        }
    }
    Ok(print(&text)?)
}

/// A version in a list.
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    pushed: Timestamp,
    is_in_use: bool,
    manifest: Result<Manifest, StoreError>,
}

impl Row<'_> {
    fn text(&self) -> String {
        let pushed = self.pushed.to_zoned(jiff::tz::TimeZone::system());
        let what = match &self.manifest {
            Ok(Manifest { training, metrics, .. }) => format!(
                "{:>9} comments, {:.1} % removed  ROC-AUC {:.3}",
                training.comments,
                training.removed as f64 / training.comments.max(1) as f64 * 100.0,
                metrics.roc_auc
            ),
            Err(error) => one_line(&error.to_string()),
        };
        let mark = if self.is_in_use { "in use" } else { "" };
        format!("  {:6}  {}  pushed {}  {what}\n", mark, short_version(self.version), pushed.strftime("%Y-%m-%d %H:%M"))
    }

    fn json(&self) -> Value {
        let mut line = json!({
            "name": self.name,
            "version": self.version,
            "pushed": self.pushed,
            "in_use": self.is_in_use,
        });
        match &self.manifest {
            Ok(Manifest { training, metrics, .. }) => {
                line["comments"] = training.comments.into();
                line["removed"] = training.removed.into();
                line["roc_auc"] = metrics.roc_auc.into();
                line["ece"] = metrics.ece.into();
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
