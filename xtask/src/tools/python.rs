use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::{Missing, once, version};
use crate::{checkout, command};

/// The minor versions of Python 3 that the locks install on.
const SUPPORTED_MINORS: std::ops::RangeInclusive<u32> = 11..=13;
const HINT: &str = "install Python 3.11, 3.12 or 3.13 with its venv module (python.org, or your system's packages: \
                    python3 and python3-venv)";

/// A Python that the lock installs on, and its version.
pub(crate) fn python() -> Result<(PathBuf, String), Missing> {
    let mut found = Vec::new();
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python"] {
        let script = "import sys, venv, ensurepip; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
        let Some(said) = command::asked(Command::new(name).args(["-c", script])) else {
            if let Some(version) = command::asked(Command::new(name).arg("--version")) {
                found.push(format!("{name} is {version} without venv"));
            }
            continue;
        };
        if let [path, exact] = said.lines().collect::<Vec<_>>()[..] {
            if version(exact).is_some_and(|(major, minor)| major == 3 && SUPPORTED_MINORS.contains(&minor)) {
                return Ok((path.into(), exact.to_owned()));
            }
            found.push(format!("{name} is Python {exact}"));
        }
    }
    let found = if found.is_empty() { "none is here".to_owned() } else { found.join(", ") };
    Err(Missing { tool: "Python", found, hint: HINT })
}

/// A virtual environment under `.local/tools`.
pub(crate) struct Venv(PathBuf);

impl Venv {
    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// The path to search programs in, the environment's before others.
    pub(crate) fn search_path(&self) -> anyhow::Result<std::ffi::OsString> {
        let others = env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.0.join("bin")).chain(env::split_paths(&others));
        env::join_paths(all).context("PATH can't be set")
    }

    /// The folder of the environment's packages.
    pub(crate) fn packages(&self) -> anyhow::Result<PathBuf> {
        let folders = fs::read_dir(self.0.join("lib")).context("a virtual environment has a folder lib")?;
        let mut packages = folders.flatten().map(|folder| folder.path().join("site-packages"));
        packages.find(|folder| folder.is_dir()).with_context(|| format!("{} has no packages", self.0.display()))
    }
}

/// LocalStack with this project's executor.
pub(crate) fn local_stack(log: &Path) -> anyhow::Result<Venv> {
    let local = checkout::root().join("infra/local");
    // What builds the others comes first.
    let locks = ["requirements-build.txt", "requirements.txt"].map(|lock| local.join(lock));
    venv("localstack", &locks, Some(&local.join("executor")), log)
}

/// `cargo lambda`, to send functions to a local stack.
pub(crate) fn cargo_lambda(log: &Path) -> anyhow::Result<Venv> {
    let local = checkout::root().join("infra/local");
    venv("cargo-lambda", &[local.join("requirements-cargo-lambda.txt")], None, log)
}

/// `cargo lambda` with zig, which links for another machine's C library.
pub(crate) fn zig(log: &Path) -> anyhow::Result<Venv> {
    let local = checkout::root().join("infra/local");
    let locks = [local.join("requirements-cargo-lambda.txt"), local.join("requirements-zig.txt")];
    venv("cargo-lambda-zig", &locks, None, log)
}

/// Clients of the front door, and what tries its OpenAPI document.
pub(crate) fn clients_in_python(log: &Path) -> anyhow::Result<Venv> {
    venv("clients-python", &[checkout::root().join("tests/clients/requirements.txt")], None, log)
}

/// A classifier to compare with, by its name in `bench/peers`.
pub(crate) fn peer(name: &str, log: &Path) -> anyhow::Result<Venv> {
    let lock = checkout::root().join("bench/peers/requirements").join(name).with_extension("txt");
    venv(&format!("peer-{name}"), &[lock], None, log)
}

/// Whether such a classifier is installed, from whichever lock.
pub(crate) fn has_peer(name: &str) -> bool {
    checkout::local().join("tools").join(format!("peer-{name}")).join("installed-from").is_file()
}

fn venv(name: &str, locks: &[PathBuf], package: Option<&Path>, log: &Path) -> anyhow::Result<Venv> {
    let (python, exact) = python()?;
    let folder = checkout::local().join("tools").join(name);
    let mut inputs = vec![exact.into_bytes(), python.as_os_str().as_encoded_bytes().to_vec()];
    for file in locks.iter().cloned().chain(package.map(sources).transpose()?.unwrap_or_default()) {
        inputs.push(fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?);
    }
    once(&folder, &inputs, |folder| {
        command::logged(Command::new(&python).arg("-m").arg("venv").arg(folder), log)?;
        let pip = |args: &[&OsStr], what: &Path| {
            let mut command = Command::new(folder.join("bin/python"));
            command.args(["-m", "pip", "install", "--no-deps", "--disable-pip-version-check", "--no-input"]);
            command.args(args).arg(what).env("PIP_CACHE_DIR", checkout::local().join("cache/pip"));
            command::logged(&mut command, log)
        };
        for lock in locks {
            pip(&["--no-build-isolation", "--require-hashes", "-r"].map(OsStr::new), lock)?;
        }
        if let Some(package) = package {
            pip(&["--no-build-isolation"].map(OsStr::new), package)?;
        }
        Ok(())
    })
    .with_context(|| format!("{name} can't be installed into {}", folder.display()))?;
    Ok(Venv(folder))
}

/// The files that a package is built from.
fn sources(package: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![package.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))? {
            let path = entry?.path();
            if !path.is_dir() {
                files.push(path);
            } else if path.file_name().is_some_and(|name| name != "__pycache__" && name != "tests") {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
