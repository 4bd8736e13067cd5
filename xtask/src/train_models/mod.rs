//! `cargo xtask train-models`: the shipped models, made again from what they were trained on.

mod harm;
mod neutral;
mod rscience;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use modstream_classifier::artifact::{self, ModelFiles};

use crate::checkout;
use crate::progress::step;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask train-models --check             both models come out as they are shipped, to the byte
  cargo xtask train-models harm                train one anew, in its place

The texts are no part of the repository. Where they are not, this says so and does nothing.")]
pub(crate) struct TrainModelsArgs {
    /// Which models [default: all]
    #[arg(value_name = "MODEL", value_enum)]
    models: Vec<Shipped>,
    /// Write nothing: fail where a model is not, to the byte, what is shipped
    #[arg(long)]
    check: bool,
    /// The folder of the texts [default: ../shared/data beside the checkout's folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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
    fn train(self, texts: &Path, folder: &Path) -> anyhow::Result<()> {
        match self {
            Shipped::Rscience => rscience::train_into(texts, folder),
            Shipped::Harm => harm::train_into(texts, folder),
        }
    }
}

/// Runs `cargo xtask train-models`.
pub(crate) fn run(args: &TrainModelsArgs) -> anyhow::Result<()> {
    let models = if args.models.is_empty() { Shipped::value_variants() } else { &args.models };
    let root = checkout::root();
    let data = match &args.data {
        Some(data) => Some(data.clone()),
        None => root.ancestors().skip(1).map(|folder| folder.join("shared/data")).find(|data| data.is_dir()),
    };
    for model in models {
        let texts = data.as_deref().map(|data| data.join(model.texts())).filter(|texts| texts.is_file());
        let Some(texts) = texts else {
            println!("skipped: {} needs {}, which is not on this machine", model.name(), model.texts());
            continue;
        };
        let shipped = root.join("models").join(model.name());
        let train = |folder: &Path| step(&format!("training {}", model.name()), || model.train(&texts, folder));
        if args.check {
            let folder = tempfile::tempdir()?;
            train(folder.path())?;
            compare(folder.path(), &shipped)?;
            println!("{}: as it is shipped, to the byte", model.name());
        } else {
            train(&shipped)?;
            println!("{}: version {}", model.name(), version(&shipped)?);
        }
    }
    Ok(())
}

fn version(folder: &Path) -> anyhow::Result<String> {
    Ok(ModelFiles::read(folder)?.load()?.1.version)
}

/// Fails where a file of a model differs from the shipped one.
fn compare(made: &Path, shipped: &Path) -> anyhow::Result<()> {
    let differing = [artifact::TENSORS, artifact::CARD, artifact::MANIFEST].into_iter().filter(|name| {
        let [made, shipped] = [made, shipped].map(|folder| fs::read(folder.join(name)).ok());
        made.is_none() || made != shipped
    });
    let differing: Vec<&str> = differing.collect();
    anyhow::ensure!(
        differing.is_empty(),
        "{}: {} came out otherwise; where that is meant, `cargo xtask train-models {}` ships what comes out",
        shipped.display(),
        differing.join(", "),
        shipped.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    );
    Ok(())
}
