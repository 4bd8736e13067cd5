//! What a demo or a load is asked to do, and what it works with.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use modstream_classifier::BaseRate;
use modstream_classifier::artifact::Manifest;
use modstream_policy::Policies;
use publish_alerts::Policy;

use crate::common::args::{HarmArgs, MAX_COMMENTS, ModelArgs, or_default, rate};
#[cfg(feature = "aws")]
use crate::common::aws_args::DeployedArgs;
use crate::common::display::short_version;
use crate::common::input::{self, check_read_once};
use crate::common::reading::FormatArgs;
use crate::model::promises::{OutOfReach, Promises, Unmet};
use crate::pipeline::corpus::Corpus;
use crate::pipeline::functions::Models;
use crate::pipeline::screen::Plan;
use crate::pipeline::system::Schedule;
use crate::policy::table;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream demo                                       ten comments a second, alerts as they come
  modstream demo --fast --comments 600 --json          as fast as it goes, one line of JSON
  modstream demo --input my.jsonl --policy 'precision>=0.7' --base-rate 0.05
  modstream demo --policies policies.toml")]
pub(crate) struct DemoArgs {
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// How many comments to send; rows repeat where the file has fewer [default: 300, of a file every row]
    ///
    /// All that happened is kept in memory until the end, to check it: about 5 KB a comment.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_COMMENTS))]
    pub(crate) comments: Option<u64>,
    /// Comments a second
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = rate, conflicts_with = "fast")]
    pub(crate) rate: f64,
    /// Send comments as fast as it goes
    #[arg(long)]
    pub(crate) fast: bool,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7, or what is deployed]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    /// The document of policies to go by, in place of --policy: TOML, or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub(crate) policies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// What the ids of the schedule's events begin with: two runs with the same make the same events
    #[arg(long, value_name = "ID", hide = true)]
    pub(crate) schedule_id: Option<String>,
    /// When the schedule begins, as events tell it
    #[arg(long, value_name = "TIME", hide = true)]
    pub(crate) schedule_time: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) deployed: DeployedArgs,
}

impl DemoArgs {
    /// The policies that were asked for, for these models.
    pub(crate) fn policies(&self, models: &Models) -> anyhow::Result<Policies> {
        let harm = models.harm.as_ref().map(|(_, manifest)| manifest);
        table::named_or(self.policies.as_deref(), &or_default(self.policy.as_ref()), harm)
    }
}

/// How many sample comments a demo sends that is not told otherwise.
const SAMPLE_RUN: u64 = 300;

/// What a demo works with, read before anything is done.
pub(crate) struct Prepared {
    pub(crate) models: Models,
    pub(crate) corpus: Corpus,
    pub(crate) comments: u64,
}

impl Prepared {
    pub(crate) fn new(args: &DemoArgs) -> anyhow::Result<Self> {
        let read = args.input.iter().chain(&args.policies);
        #[cfg(feature = "aws")]
        let read = read.chain(&args.deployed.deployment);
        check_read_once(read.map(PathBuf::as_path))?;
        let models = Models::read(args.model.model.as_deref(), &args.harm)?;
        // All sample comments go into a deployment's bucket: its corpus is the same for any number of comments.
        let most = if args.input.is_some() { args.comments.unwrap_or(MAX_COMMENTS) } else { MAX_COMMENTS };
        let corpus = Corpus::read(args.input.as_deref(), args.format.options(), most)?;
        let comments = args.comments.unwrap_or(if args.input.is_some() { corpus.rows } else { SAMPLE_RUN });
        Ok(Prepared { models, corpus, comments })
    }

    /// The plan under a policy and a base rate; `id` is what the events' ids begin with, if nobody said it.
    pub(crate) fn plan(
        &self,
        args: &DemoArgs,
        policies: Policies,
        base_rate: Option<BaseRate>,
        share_note: &'static str,
        id: &str,
    ) -> anyhow::Result<Plan> {
        let promises = Promises::of(&self.models.manifest, base_rate)?;
        let document = args.policies.as_deref();
        let out_of_reach = match document {
            None => OutOfReach::find(policies.default.threshold, &promises).map(|it| it.in_words("", "this model")),
            Some(_) => Unmet::of(&policies, &self.models.manifest, base_rate)?.in_words(),
        };
        Ok(Plan {
            schedule: Schedule {
                id: args.schedule_id.clone().unwrap_or_else(|| id.to_owned()),
                time: args.schedule_time,
                comments: self.comments,
                rate: (!args.fast).then_some(args.rate),
            },
            rows: self.corpus.rows,
            out_of_reach,
            condition: document.map_or_else(|| policies.default.threshold.to_string(), input::name),
            is_document: document.is_some(),
            harm_model: self
                .models
                .harm
                .as_ref()
                .map(|(_, Manifest { name, version, .. })| format!("{name} {}", short_version(version))),
            policies,
            model: self.models.manifest.clone(),
            share: promises.assumed.share(),
            share_note: base_rate.is_none().then_some(share_note),
            json: args.json,
        })
    }
}
