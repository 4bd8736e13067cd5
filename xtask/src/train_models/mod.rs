//! `cargo xtask train-models`: the shipped models, made again from what they were trained on.

mod harm;
mod neutral;
mod rscience;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use modstream_classifier::artifact::{self, ModelFiles};

use crate::checkout;
use crate::progress::step;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask train-models --check             both models come out as they are shipped, to the byte
  cargo xtask train-models harm                train one anew, in its place
  cargo xtask train-models harm --output /tmp/m --neutral left-out --one-in 4
                                               what our neutral sentences change, by a quarter of the texts

The texts are no part of the repository. Where they are not, this says so and does nothing.")]
pub(crate) struct TrainModelsArgs {
    /// Which models [default: all]
    #[arg(value_name = "MODEL", value_enum)]
    models: Vec<Shipped>,
    /// Write nothing: fail where a model is not, to the byte, what is shipped
    #[arg(long)]
    check: bool,
    /// The folder of the texts [default: `shared/data` beside a folder that the checkout is in]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder to write the model to, in place of `models/NAME`; of one model
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// What becomes of our neutral sentences about groups of people, of which `harm` learns
    #[arg(long, value_enum, default_value = "learned", requires = "output")]
    neutral: Neutral,
    /// Take one text in N, for a look at what a change of the recipe does
    #[arg(long, value_name = "N", default_value = "1", requires = "output")]
    one_in: NonZeroUsize,
}

/// What becomes of neutral sentences about groups of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Neutral {
    /// They are learned from, as in the shipped model
    Learned,
    /// They are left out, so that what they change shows
    LeftOut,
}

/// How the recipe of a model is changed, to see what that does.
#[derive(Clone, Copy, Debug)]
struct Change {
    neutral: Neutral,
    one_in: NonZeroUsize,
}

/// A model that is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shipped {
    /// What moderators of r/science removed
    Rscience,
    /// What harms: toxic, threat and their kind
    Harm,
}

impl Shipped {
    fn name(self) -> &'static str {
        match self {
            Shipped::Rscience => "rscience",
            Shipped::Harm => "harm",
        }
    }

    /// The file of texts that the model is trained on.
    fn texts(self) -> &'static str {
        match self {
            Shipped::Rscience => "rscience_train.csv",
            Shipped::Harm => "harm_train.jsonl.gz",
        }
    }

    /// Trains the model into a folder.
    fn train(self, texts: &Path, folder: &Path, change: Change) -> anyhow::Result<()> {
        match self {
            Shipped::Rscience => rscience::train_into(texts, folder, change),
            Shipped::Harm => harm::train_into(texts, folder, change),
        }
    }
}

/// Runs `cargo xtask train-models`.
pub(crate) fn run(args: &TrainModelsArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.output.is_none() || args.models.len() == 1,
        "--output is the folder of one model: name it, such as `cargo xtask train-models harm --output DIR`"
    );
    let change = Change { neutral: args.neutral, one_in: args.one_in };
    let models = if args.models.is_empty() { Shipped::value_variants() } else { &args.models };
    let root = checkout::root();
    let data = match &args.data {
        Some(data) => Some(data.clone()),
        None => root.ancestors().skip(1).map(|folder| folder.join("shared/data")).find(|data| data.is_dir()),
    };
    let mut differing = Vec::new();
    for model in models {
        let texts = data.as_deref().map(|data| data.join(model.texts())).filter(|texts| texts.is_file());
        let Some(texts) = texts else {
            println!("skipped: {} needs {}, which is not on this machine", model.name(), model.texts());
            continue;
        };
        let shipped = root.join("models").join(model.name());
        let train = |folder: &Path| step(&format!("training {}", model.name()), || model.train(&texts, folder, change));
        if args.check {
            let folder = tempfile::tempdir()?;
            train(folder.path())?;
            match differences(folder.path(), &shipped)? {
                None => println!("{}: as it is shipped, to the byte", model.name()),
                Some(difference) => {
                    println!("{}: {difference}", model.name());
                    differing.push(model.name());
                }
            }
        } else {
            let folder = args.output.as_deref().unwrap_or(&shipped);
            train(folder)?;
            println!("{}: version {}", model.name(), version(folder)?);
        }
    }
    anyhow::ensure!(
        differing.is_empty(),
        "{} came out otherwise; where that is meant, `cargo xtask train-models {}` ships what comes out",
        differing.join(" and "),
        differing.join(" ")
    );
    Ok(())
}

fn version(folder: &Path) -> anyhow::Result<String> {
    Ok(ModelFiles::read(folder)?.load()?.1.version)
}

/// How a model differs from the shipped one, if a byte of it does.
fn differences(made: &Path, shipped: &Path) -> anyhow::Result<Option<String>> {
    let mut differing = Vec::new();
    for name in [artifact::TENSORS, artifact::CARD, artifact::MANIFEST] {
        // What is not there is as different as can be.
        if fs::read(made.join(name))? != fs::read(shipped.join(name)).unwrap_or_default() {
            differing.push(name);
        }
    }
    if differing.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("version {}, and not that which is shipped: {} differ", version(made)?, differing.join(", "))))
}
