//! `modstream policy push` and `show`: the document of policies in a system's bucket.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use modstream_in_use::history::Prepared;
use modstream_in_use::models::Place;
use modstream_in_use::policies::{PolicyStore, version_of};
use modstream_platform::aws::SystemClock;
use modstream_policy::{Policies, Problems};
use serde_json::json;

use super::table;
use crate::common::args::name;
use crate::common::aws_args::InBucketArgs;
use crate::common::cause::{CauseArgs, change_in_json, in_json, in_words};
use crate::common::connection::deadline;
use crate::common::display::{one_line, print, short_version};
use crate::common::input;
use crate::common::reached::{Reached, place_of};
use crate::common::runtime::block_on;
use crate::model::bucket::in_use_manifest;
use crate::model::promises::{Unmet, unmet_if_known};

/// `modstream policy`, of a system's bucket.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyInBucketCommand {
    /// Put a document into the bucket and into use; publish-alerts notices within a minute
    Push(PolicyPushArgs),
    /// Show the document in use
    Show(InBucketArgs),
}

impl PolicyInBucketCommand {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            PolicyInBucketCommand::Push(args) => args.system.json,
            PolicyInBucketCommand::Show(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream policy push policies.toml
  modstream policy push policies.toml --reason 'fewer alerts at night' --by maja

Who pushes policies and why is kept in the bucket, below policies/history/.")]
pub(crate) struct PolicyPushArgs {
    /// The document: TOML, or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The name of the model in use, to warn where a policy asks for more than it can promise
    #[arg(long, value_name = "NAME", env = "MODSTREAM_MODEL_NAME", value_parser = name)]
    pub(crate) model_name: Option<String>,
    /// The name of the harm model in use, where the bucket has several: labels that a document names must be its
    #[arg(long, value_name = "NAME", env = "MODSTREAM_HARM_MODEL_NAME", value_parser = name)]
    pub(crate) harm_model_name: Option<String>,
    #[command(flatten)]
    pub(crate) cause: CauseArgs,
    #[command(flatten)]
    pub(crate) system: InBucketArgs,
}

impl PolicyInBucketCommand {
    /// Runs `modstream policy push|show`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            match &self {
                PolicyInBucketCommand::Push(args) => push(args).await,
                PolicyInBucketCommand::Show(args) => show(args).await,
            }
        })
    }
}

/// Says what is wrong with the document.
fn refused(args: &PolicyPushArgs, problems: &Problems) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!args.system.json, "{}: {problems}", input::name(&args.file));
    eprint!("{}", table::wrong(&args.file, problems));
    Ok(ExitCode::FAILURE)
}

async fn push(args: &PolicyPushArgs) -> anyhow::Result<ExitCode> {
    let policies = match table::read(&args.file)? {
        Ok(policies) => policies,
        Err(problems) => return refused(args, &problems),
    };
    let system = Reached::open(&args.system.reach).await?;
    let bucket = args.system.bucket.bucket.as_str();
    let policies = match with_labels_in_use(policies, args, &system).await? {
        Ok(policies) => policies,
        Err(problems) => return refused(args, &problems),
    };
    let objects = system.objects(bucket);
    let store = PolicyStore::new(&objects, &SystemClock, deadline());
    let cause = args.cause.cause(&system).await;
    let version = version_of(&policies);
    let prepared = Box::pin(store.prepare(&policies, &cause)).await;
    let before = match prepared.with_context(|| place_of("the bucket", bucket))? {
        Prepared::InUse => Some(version.clone()),
        Prepared::Move(prepared) => {
            let commit = Box::pin(store.commit(&prepared));
            let made = Box::pin(args.cause.make(&system, prepared.event(), commit)).await;
            made.with_context(|| place_of("the bucket", bucket))?;
            prepared.before().map(str::to_owned)
        }
    };
    let in_use = in_use_manifest(&system, bucket, Place::Removal, args.model_name.as_deref()).await;
    let found = in_use.and_then(|manifest| manifest.map(|it| Unmet::of(&policies, &it, None)).transpose());
    let unmet = unmet_if_known(found);
    if args.system.json {
        let out_of_reach = unmet.as_ref().map(Unmet::in_json);
        let cause = in_json(&cause);
        let line = json!({
            "bucket": bucket, "version": version, "before": before, "out_of_reach": out_of_reach,
            "begin_with_mark": table::marks_in_json(&policies),
            "never_found": table::never_found_in_json(&policies), "cause": cause,
        });
        print(&format!("{line}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let short = short_version(&version);
    let state = match &before {
        Some(before) if *before == version => "they are in use already".to_owned(),
        Some(before) => {
            format!("in place of version {}; publish-alerts notices within a minute", short_version(before))
        }
        None => "in place of the function's POLICY; publish-alerts notices within a minute".to_owned(),
    };
    print(&format!("policies version {short} are in {place}\n{state}\n", place = place_of("the bucket", bucket)))?;
    table::warn_of_terms(&policies);
    unmet.iter().for_each(Unmet::warn);
    Ok(ExitCode::SUCCESS)
}

/// The same policies, where the harm model in use has the labels that they name.
async fn with_labels_in_use(
    policies: Policies,
    args: &PolicyPushArgs,
    system: &Reached,
) -> anyhow::Result<Result<Policies, Problems>> {
    if policies.named_labels().is_empty() {
        return Ok(Ok(policies));
    }
    let name = args.harm_model_name.as_deref();
    let harm = in_use_manifest(system, args.system.bucket.bucket.as_str(), Place::Harm, name).await;
    table::with_labels_of(policies, &args.file, harm.context("which harm model is in use")?.as_ref())
}

async fn show(args: &InBucketArgs) -> anyhow::Result<ExitCode> {
    let system = Reached::open(&args.reach).await?;
    let bucket = args.bucket.bucket.as_str();
    let objects = system.bucket(bucket);
    let store = PolicyStore::new(&objects, &SystemClock, deadline());
    let current = Box::pin(store.current()).await.with_context(|| place_of("the bucket", bucket))?;
    let change = Box::pin(store.last_change()).await.with_context(|| place_of("the bucket", bucket))?;
    let text = match (current, args.json) {
        (Some((version, policies)), true) => {
            let (policies, change) = (table::in_json(&policies), change.as_ref().map(change_in_json));
            let line = json!({ "bucket": bucket, "version": version, "policies": policies, "change": change });
            format!("{line}\n")
        }
        (None, true) => format!("{}\n", json!({ "bucket": bucket, "version": null })),
        (Some((version, policies)), false) => {
            let since = change.map_or_else(String::new, |change| {
                let time = change.time.strftime("%Y-%m-%d %H:%M UTC");
                format!("in use since {time}, {}\n", in_words(&change.cause()))
            });
            format!(
                "version {} in {}\n{since}{}",
                short_version(&version),
                one_line(&place_of("the bucket", bucket)),
                table::table(&policies)
            )
        }
        (None, false) => format!(
            "{} has no policies: {} holds; push some: modstream policy push FILE\n",
            one_line(&place_of("the bucket", bucket)),
            if args.reach.data.is_some() { "probability 0.7" } else { "the function's POLICY" }
        ),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
