//! What several commands take. What one takes stands with it.

use std::path::PathBuf;

use clap::Args;
use modstream_classifier::BaseRate;
use publish_alerts::{Condition, Policy};

/// What every command that uses a model takes.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The folder of a model, or the name of one that is built in [default: rscience, trained on r/science]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<PathBuf>,
    /// The share of your comments that moderators remove [default: the training data's]
    ///
    /// Probabilities and precision depend on it: a model trained where a third is removed is far too sure where one in fifty
    /// is.
    #[arg(long, value_name = "SHARE", value_parser = base_rate)]
    pub(crate) base_rate: Option<BaseRate>,
}

/// Which model says how harmful comments are, beside the one that says how likely moderators remove them.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct HarmArgs {
    /// The model whose labels say how harmful a comment is: a folder, the name of one that is built in, or `none` [default: harm]
    #[arg(long, value_name = "MODEL")]
    pub(crate) harm_model: Option<PathBuf>,
}

/// The most comments of a demo, which keeps all of them in memory.
pub(crate) const MAX_COMMENTS: u64 = 1_000_000;

/// Which comments alert where nobody says it.
pub(crate) const DEFAULT_CONDITION: Condition = Condition::Probability(0.7);

pub(crate) fn or_default(policy: Option<&Policy>) -> Policy {
    policy.cloned().unwrap_or_else(|| Policy { name: "default".to_owned(), condition: DEFAULT_CONDITION })
}

pub(crate) fn base_rate(text: &str) -> Result<BaseRate, String> {
    let share = text.parse().map_err(|_| "a base rate is a share above 0 and below 1, such as 0.05".to_owned())?;
    BaseRate::new(share).map_err(|error| error.to_string())
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.01..=10_000.0).contains(rate));
    rate.ok_or_else(|| "a rate is a number of comments a second from 0.01 to 10000, such as 10".to_owned())
}

/// A model's name is part of keys in a bucket.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with no dot".to_owned())
    }
}
