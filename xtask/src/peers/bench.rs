//! The steps of `bench/peers/bench.py`, run on one core.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::classifier::{Classifier, script};
use super::report::{Compared, Speed, Split};
use crate::{checkout, command};

/// What keeps libraries to one core that would take every one.
const ONE_THREAD: [(&str, &str); 4] =
    [("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "1")];

/// What a program took.
#[derive(Deserialize)]
struct Watched {
    first_line_seconds: f64,
    cpu_seconds: f64,
    peak_memory: u64,
}

/// What a peer measured inside.
#[derive(Deserialize)]
struct Inside {
    one_by_one: f64,
    batched: f64,
}

#[derive(Deserialize)]
struct Written {
    comments: u64,
}

/// The test comments many times over.
pub(super) struct Repeated {
    path: PathBuf,
    comments: u64,
}

pub(super) struct Bench<'a> {
    /// The Python without any package.
    python: PathBuf,
    folder: &'a Path,
    log: PathBuf,
    pinned: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(python: PathBuf, folder: &'a Path) -> Self {
        let pinned = command::asked(Command::new("taskset").args(["-c", "0", "true"])).is_some();
        Self { python, folder, log: checkout::local().join("logs/peers.log"), pinned }
    }

    /// Whether everything is held on one core.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// Reads and splits the comments, or says in a sentence why it can't.
    pub(super) fn prepare(&self, files: &[OsString]) -> anyhow::Result<Split> {
        let mut args = files.to_vec();
        args.extend(["--output".into(), self.folder.into()]);
        self.run(&self.python, "prepare", &args).map_err(|error| command::said_in_json(error, &self.log))
    }

    /// Trains on a fold and returns the CPU seconds.
    pub(super) fn train(&self, classifier: &Classifier, fold: usize) -> anyhow::Result<f64> {
        let model = classifier.model(self.folder, fold);
        let line = classifier.train(&model, &self.file(fold, "train.csv"));
        Ok(self.watch(line, Path::new("/dev/null"))?.cpu_seconds)
    }

    /// Writes the probabilities of a fold's test comments and returns the most memory that took.
    pub(super) fn score(&self, classifier: &Classifier, fold: usize) -> anyhow::Result<u64> {
        let model = classifier.model(self.folder, fold);
        let line = classifier.score(&model, &self.file(fold, "test.csv"));
        let output = self.file(fold, &format!("{}.jsonl", classifier.name));
        Ok(self.watch(line, &output)?.peak_memory)
    }

    /// Comments that take a classifier more than a second.
    pub(super) fn repeated(&self, classifier: &Classifier) -> anyhow::Result<Repeated> {
        let pilot = self.repeat(20)?;
        let seconds = self.watch(self.score_line(classifier, &pilot.path), Path::new("/dev/null"))?.cpu_seconds;
        let times = 20.0 * 1.5 / seconds.max(0.01);
        self.repeat(times.ceil() as u64)
    }

    fn repeat(&self, times: u64) -> anyhow::Result<Repeated> {
        let path = self.file(0, "repeated.csv");
        let args = [
            "--input".into(),
            self.file(0, "test.csv").into_os_string(),
            "--output".into(),
            path.clone().into_os_string(),
            "--times".into(),
            times.to_string().into(),
        ];
        let written: Written = self.run(&self.python, "repeat", &args)?;
        Ok(Repeated { path, comments: written.comments })
    }

    /// A run on the first fold: of a peer inside a process that holds model and texts, of modstream the whole process.
    pub(super) fn speed(&self, classifier: &Classifier, repeated: &Repeated) -> anyhow::Result<Speed> {
        let one = self.watch(self.score_line(classifier, &self.file(0, "one.csv")), Path::new("/dev/null"))?;
        let first_prediction_seconds = one.first_line_seconds;
        let Some(python) = classifier.python() else {
            let all = self.watch(self.score_line(classifier, &repeated.path), Path::new("/dev/null"))?;
            return Ok(Speed {
                one_by_one: repeated.comments as f64 / all.cpu_seconds,
                batched: None,
                first_prediction_seconds,
                peak_memory: Some(all.peak_memory),
            });
        };
        let args = [
            "--peer".into(),
            classifier.name.into(),
            "--model".into(),
            classifier.model(self.folder, 0).into_os_string(),
            "--input".into(),
            self.file(0, "test.csv").into_os_string(),
        ];
        let Inside { one_by_one, batched } = self.run(python, "speed", &args)?;
        Ok(Speed { one_by_one, batched: Some(batched), first_prediction_seconds, peak_memory: None })
    }

    /// Metrics of all, and intervals of their differences to the first.
    pub(super) fn compare(
        &self,
        python: &Path,
        folds: usize,
        names: &[&str],
    ) -> anyhow::Result<BTreeMap<String, Compared>> {
        let mut args = vec!["--folder".into(), self.folder.into(), "--folds".into(), folds.to_string().into()];
        args.extend(names.iter().map(OsString::from));
        self.run(python, "compare", &args)
    }

    fn file(&self, fold: usize, name: &str) -> PathBuf {
        self.folder.join(fold.to_string()).join(name)
    }

    fn score_line(&self, classifier: &Classifier, input: &Path) -> Vec<OsString> {
        classifier.score(&classifier.model(self.folder, 0), input)
    }

    fn watch(&self, line: Vec<OsString>, output: &Path) -> anyhow::Result<Watched> {
        let mut args: Vec<OsString> = vec!["--output".into(), output.into(), "--".into()];
        args.extend(line);
        self.run(&self.python, "watch", &args)
    }

    fn run<T: DeserializeOwned>(&self, python: &Path, step: &str, args: &[OsString]) -> anyhow::Result<T> {
        let mut command = if self.pinned { Command::new("taskset") } else { Command::new(python) };
        if self.pinned {
            command.args(["-c", "0"]).arg(python);
        }
        // Without -B, Python would write into the checkout.
        command.arg("-B").arg(script()).arg(step).args(args.iter().map(AsRef::<OsStr>::as_ref));
        let said = command::captured(command.envs(ONE_THREAD), &self.log)?;
        serde_json::from_str(said.trim()).with_context(|| format!("bench.py {step} can't be understood"))
    }
}
