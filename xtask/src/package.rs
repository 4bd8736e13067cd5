//! The functions, built for this machine and zipped as Terraform and Lambda take them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use zip::write::SimpleFileOptions;

use crate::cargo::{Programs, TELLS_PROGRAMS};
use crate::{cargo, command};

/// The functions, each before those that read what it writes.
pub(crate) const FUNCTIONS: [&str; 8] = [
    "generate-comments",
    "answer-checks",
    "score-comments",
    "publish-alerts",
    "archive-comments",
    "digest-alerts",
    "take-decisions",
    "show-desk",
];

/// Those that a deployment may be without.
pub(crate) const OPTIONAL: [&str; 1] = ["answer-checks"];

/// What was built.
pub(crate) struct Built {
    /// `<function>/bootstrap.zip` for each function.
    pub(crate) packages: PathBuf,
    /// The command `modstream`.
    pub(crate) modstream: PathBuf,
}

/// Builds functions and command as they run on a local stack: in a debug build, since they wait for LocalStack most of the time.
pub(crate) fn build(log: &Path) -> anyhow::Result<Built> {
    let mut args = vec!["build", TELLS_PROGRAMS, "--package", "modstream"];
    for function in FUNCTIONS {
        args.extend(["--package", function]);
    }
    pack(&Programs::told(&command::captured(&mut cargo::command(&args), log)?))
}

/// Packs functions and command that are built.
pub(crate) fn pack(programs: &Programs) -> anyhow::Result<Built> {
    let packages = cargo::target()?.join("packages");
    for function in FUNCTIONS {
        package(programs.binary(function)?, &packages.join(function).join("bootstrap.zip"))?;
    }
    // Cargo puts the next build in the place of this one.
    let modstream = packages.join("modstream");
    copy(programs.binary("modstream")?, &modstream)?;
    Ok(Built { packages, modstream })
}

impl Built {
    /// Puts functions where `cargo lambda deploy` looks for them: `<function>/bootstrap` in a folder.
    pub(crate) fn unpack(&self, functions: &[&str], folder: &Path) -> anyhow::Result<()> {
        for function in functions {
            let zip = self.packages.join(function).join("bootstrap.zip");
            let zip = File::open(&zip).with_context(|| format!("{} can't be read", zip.display()))?;
            zip::ZipArchive::new(zip)?.extract(folder.join(function))?;
        }
        Ok(())
    }
}

/// Writes a program without what only a debugger reads, which is most of a debug build and would be sent to a local stack many
/// times. Says whether this machine can do that.
fn strip(program: &Path, to: &Path) -> bool {
    command::asked(Command::new("strip").arg("-o").arg(to).arg(program)).is_some()
}

/// Copies a program. Another run may read the copy at this moment.
fn copy(program: &Path, to: &Path) -> anyhow::Result<()> {
    let part = to.with_extension(format!("{}.part", std::process::id()));
    fs::copy(program, &part).with_context(|| format!("{} can't be written", part.display()))?;
    fs::rename(&part, to).with_context(|| format!("{} can't be written", to.display()))
}

/// Writes a program as `bootstrap` into a zip. The same program gives the same bytes.
fn package(program: &Path, zip: &Path) -> anyhow::Result<()> {
    if let Some(folder) = zip.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    let stripped = zip.with_extension(format!("{}.stripped", std::process::id()));
    let mut program_file = File::open(if strip(program, &stripped) { &stripped } else { program })
        .with_context(|| format!("{} can't be read", program.display()))?;
    // What is open can be read to its end.
    let _ = fs::remove_file(&stripped);
    // Another run may read the package at this moment.
    let part = zip.with_extension(format!("{}.part", std::process::id()));
    let mut writer = zip::ZipWriter::new(File::create(&part)?);
    let options = SimpleFileOptions::default()
        .unix_permissions(0o755)
        .compression_level(Some(1))
        .last_modified_time(zip::DateTime::default());
    writer.start_file("bootstrap", options)?;
    io::copy(&mut program_file, &mut writer)?;
    writer.finish()?;
    fs::rename(&part, zip).with_context(|| format!("{} can't be written", zip.display()))
}

/// This machine's architecture, as Lambda calls it.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_package_is_an_executable_bootstrap_and_the_same_program_gives_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("score-comments");
        fs::write(&program, "a program").expect("written");
        let zips = ["one/bootstrap.zip", "two/bootstrap.zip"].map(|name| folder.path().join(name));
        for zip in &zips {
            package(&program, zip).expect("packs");
        }
        assert_eq!(fs::read(&zips[0]).expect("there"), fs::read(&zips[1]).expect("there"));
        let mut archive = zip::ZipArchive::new(File::open(&zips[0]).expect("there")).expect("a zip");
        let mut entry = archive.by_name("bootstrap").expect("in it");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("reads");
        assert_eq!(text, "a program");
    }
}
