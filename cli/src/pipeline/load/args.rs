//! What a load is asked to do.

use std::path::PathBuf;

use clap::Args;
use publish_alerts::Policy;

use super::slo::Slo;
use crate::common::args::{HarmArgs, MAX_COMMENTS, ModelArgs};
#[cfg(feature = "aws")]
use crate::common::aws_args::DeployedArgs;
use crate::common::reading::FormatArgs;
use crate::common::usage::Usage;
use crate::pipeline::prepared::DemoArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  modstream load --rate 2000 --seconds 60
  modstream load --rate 2000 --seconds 60 --slo p99=2s --slo prediction.p95=1500ms --json
  modstream load --scale                               ten times the comments, and what that costs

The status is 1 where the rate is not sustained, an objective is missed, or a promise is broken.")]
pub(crate) struct LoadArgs {
    /// Comments a second, held whatever the system does
    #[arg(long, value_name = "N", default_value_t = 100.0, value_parser = rate)]
    pub(crate) rate: f64,
    /// For how many seconds comments come
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// An objective: `p99=2s` from comment to alert, `prediction.p99=1s` to its prediction; may be given again
    ///
    /// p50, p95, p99 or max, and a time such as 500ms or 2s.
    #[arg(long, value_name = "OBJECTIVE", value_parser = Slo::parse)]
    pub(crate) slo: Vec<Slo>,
    /// Take N comments and then ten times as many through, and compare CPU time [default N: 5000]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "5000")]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=MAX_COMMENTS / 10))]
    #[arg(conflicts_with_all = ["rate", "seconds", "slo"])]
    pub(crate) scale: Option<u64>,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments, built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05` [default: 0.7, or what is deployed]
    #[arg(long, value_name = "POLICY", value_parser = Policy::parse)]
    pub(crate) policy: Option<Policy>,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) harm: HarmArgs,
    /// Print one line of JSON at the end, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) deployed: DeployedArgs,
}

impl LoadArgs {
    /// How many comments come. It is an error where memory would not hold them.
    pub(crate) fn comments(&self) -> anyhow::Result<u64> {
        let comments = (self.rate * f64::from(self.seconds)).round().max(1.0) as u64;
        if comments > MAX_COMMENTS {
            return Err(Usage::error(format!(
                "{} a second for {} s are {comments} comments: what happens to each is kept in memory until the end, at most \
                 {MAX_COMMENTS}; give a lower --rate or fewer --seconds",
                self.rate, self.seconds
            )));
        }
        Ok(comments)
    }

    /// The demo that sends the same comments.
    pub(crate) fn demo(&self, comments: u64) -> DemoArgs {
        let LoadArgs { rate, input, policy, model, harm, json, format, .. } = self;
        DemoArgs {
            input: input.clone(),
            comments: Some(comments),
            rate: *rate,
            fast: false,
            policy: policy.clone(),
            policies: None,
            model: ModelArgs { model: model.model.clone(), base_rate: model.base_rate },
            harm: harm.clone(),
            json: *json,
            schedule_id: None,
            schedule_time: None,
            format: format.clone(),
            #[cfg(feature = "aws")]
            deployed: self.deployed.clone(),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=1_000_000.0).contains(rate));
    rate.ok_or_else(|| "a rate is a number of comments a second from 0.01 to 1000000, such as 2000".to_owned())
}
