//! `cargo xtask bench-peers`: modstream beside other text classifiers, in one run on one core.

mod bench;
mod classifier;
mod report;
mod size;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::cargo::{DEMO, DEMO_COMMAND};
use crate::progress::step;
use crate::{cargo, checkout, command, interrupt, tools};
use bench::Bench;
use classifier::Classifier;
use report::{Compared, LeftOut, Measured, Report, Speed, Split};

/// The peers as `bench/peers` names them. The statistics are computed with what scikit-learn brings.
const PEERS: [(&str, &str); 4] = [
    ("talk", "the talk's"),
    (STATISTICS, "scikit-learn"),
    ("fasttext", "fastText"),
    ("vowpal-wabbit", "Vowpal Wabbit"),
];
/// The peer whose Python has what the statistics are computed with.
pub(crate) const STATISTICS: &str = "scikit-learn";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask bench-peers --input removals.csv --folds 5        every comment is in one test fold
  cargo xtask bench-peers --train earlier.csv --test later.csv --runs 9 --json

A file is CSV with columns `body` and `removed` (0, 1, true or false); other columns are not looked at.
The peers are installed into .local/ on first use; they need Python 3.11 to 3.13 and about 1 GB.")]
pub(crate) struct BenchPeersArgs {
    /// Comments to train on
    #[arg(long, value_name = "FILE", requires = "test")]
    train: Option<PathBuf>,
    /// Comments to test on
    #[arg(long, value_name = "FILE", requires = "train")]
    test: Option<PathBuf>,
    /// Comments to split into folds, each tested on by what the others trained
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train", "test"], required_unless_present = "train")]
    input: Option<PathBuf>,
    /// How many folds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    #[arg(conflicts_with_all = ["train", "test"])]
    folds: u8,
    /// How often speed and time to the first prediction are measured; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    runs: u8,
    /// Print one line of JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the tables as Markdown
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(args: &BenchPeersArgs) -> anyhow::Result<ExitCode> {
    let (python, _) = tools::python()?;
    let parent = checkout::local().join("peers");
    fs::create_dir_all(&parent).with_context(|| format!("{} can't be made", parent.display()))?;
    // It holds comments, so it goes with this run.
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&parent).context("no folder for this run")?;
    let bench = Bench::new(python, folder.path());
    let split = step("reading the comments", || bench.prepare(&args.files()))?;

    let modstream = step("building modstream", build)?;
    let mut classifiers = vec![Classifier::modstream(modstream)];
    let mut left_out = Vec::new();
    let mut statistics = None;
    for (name, title) in PEERS {
        match step(&format!("installing {title}"), || tools::peer(name, &checkout::local().join("logs/install.log"))) {
            Ok(venv) => {
                if name == STATISTICS {
                    statistics = Some(venv.program("python"));
                }
                classifiers.push(Classifier::peer(name, title, &venv)?);
            }
            Err(error) if name == STATISTICS || error.is::<interrupt::Interrupted>() => return Err(error),
            Err(error) => left_out.push(LeftOut::not_installed(title, &error)),
        }
    }
    let statistics = statistics.context("the statistics have no Python")?;

    let mut training = Vec::new();
    let mut able = Vec::new();
    for classifier in classifiers {
        let name = format!("{}: training and scoring", classifier.title);
        match step(&name, || train_and_score(&bench, &classifier, &split)) {
            Ok(trained) => {
                training.push(trained);
                able.push(classifier);
            }
            // The first is modstream.
            Err(error) if able.is_empty() || interrupt::check().is_err() => return Err(error),
            Err(_) => left_out.push(LeftOut::failed(classifier.title)),
        }
    }
    let classifiers = able;
    let mut runs: Vec<Vec<Speed>> = vec![Vec::new(); classifiers.len()];
    let big = step("comments for a second of modstream", || bench.repeated(&classifiers[0]))?;
    // In turns, so that a machine that is busy for a while is busy for all.
    for number in 1..=args.runs {
        step(&format!("speed: run {number} of {}", args.runs), || {
            classifiers.iter().zip(&mut runs).try_for_each(|(classifier, runs)| {
                runs.push(bench.speed(classifier, &big)?);
                Ok(())
            })
        })?;
    }
    let names: Vec<&str> = classifiers.iter().map(|classifier| classifier.name).collect();
    let mut compared = step("comparing", || bench.compare(&statistics, split.test.len(), &names))?;
    let peers = measured(&classifiers, &training, &runs, &mut compared, folder.path())?;
    let report = Report { split, runs: args.runs, one_core: bench.is_pinned(), peers, left_out };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.text(args.markdown));
    }
    Ok(ExitCode::SUCCESS)
}

impl BenchPeersArgs {
    /// The files, as the step that reads them takes them.
    fn files(&self) -> Vec<std::ffi::OsString> {
        let mut files = Vec::new();
        for (flag, file) in [("--train", &self.train), ("--test", &self.test), ("--input", &self.input)] {
            if let Some(file) = file {
                files.extend([flag.into(), file.into()]);
            }
        }
        files.extend(["--folds".into(), self.folds.to_string().into()]);
        files
    }
}

/// The command as `cargo demo` makes it, optimised as a release, but for what operates a system on AWS.
fn build() -> anyhow::Result<PathBuf> {
    let args = [&["build"], &DEMO_COMMAND[..]].concat();
    command::logged(&mut cargo::command(&args), &checkout::local().join("logs/build.log"))?;
    Ok(cargo::target()?.join(DEMO).join("modstream"))
}

/// The CPU time of training and the most memory of scoring, on the first fold.
struct Trained {
    cpu_seconds: f64,
    peak_memory: u64,
}

fn train_and_score(bench: &Bench<'_>, classifier: &Classifier, split: &Split) -> anyhow::Result<Trained> {
    let mut first = None;
    for fold in 0..split.test.len() {
        let cpu_seconds = bench.train(classifier, fold)?;
        let peak_memory = bench.score(classifier, fold)?;
        first.get_or_insert(Trained { cpu_seconds, peak_memory });
    }
    first.context("there is no fold")
}

fn measured(
    classifiers: &[Classifier],
    training: &[Trained],
    runs: &[Vec<Speed>],
    compared: &mut BTreeMap<String, Compared>,
    folder: &Path,
) -> anyhow::Result<Vec<Measured>> {
    let each = classifiers.iter().zip(training).zip(runs);
    each.map(|((classifier, trained), runs)| {
        let name = classifier.name;
        let speed = Speed::median(runs);
        Ok(Measured {
            peer: name,
            title: classifier.title,
            quality: compared.remove(name).with_context(|| format!("{name} was not compared"))?,
            peak_memory: speed.peak_memory.unwrap_or(trained.peak_memory),
            speed,
            training_cpu_seconds: trained.cpu_seconds,
            model_bytes: size::of(&classifier.model(folder, 0))?,
            installed_bytes: classifier.installed_bytes()?,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: BenchPeersArgs,
    }

    fn parsed(line: &str) -> Result<BenchPeersArgs, clap::error::ErrorKind> {
        let words = std::iter::once("bench-peers").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.kind())
    }

    #[test]
    fn it_takes_two_files_or_one_and_its_folds() {
        let two = parsed("--train a.csv --test b.csv --runs 9 --json").expect("two files");
        assert_eq!(two.files(), ["--train", "a.csv", "--test", "b.csv", "--folds", "5"]);
        assert_eq!((two.runs, two.json), (9, true));
        let one = parsed("--input a.csv --folds 3").expect("one file");
        assert_eq!(one.files(), ["--input", "a.csv", "--folds", "3"]);
        for line in [
            "",
            "--train a.csv",
            "--test b.csv",
            "--input a.csv --test b.csv",
            "--train a.csv --test b.csv --folds 3",
            "--input a.csv --folds 1",
            "--input a.csv --runs 0",
            "--input a.csv --json --markdown",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
