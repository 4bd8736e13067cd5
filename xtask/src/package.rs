//! The functions, built for this machine and zipped as Terraform and Lambda take them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use zip::write::SimpleFileOptions;

use crate::{cargo, checkout, command};

/// The functions, each before those that read what it writes.
pub(crate) const FUNCTIONS: [&str; 7] = [
    "generate-comments",
    "score-comments",
    "publish-alerts",
    "archive-comments",
    "digest-alerts",
    "take-decisions",
    "show-desk",
];

/// What was built.
pub(crate) struct Built {
    /// `<function>/bootstrap.zip` for each function.
    pub(crate) packages: PathBuf,
    /// The command `modstream`.
    pub(crate) modstream: PathBuf,
}

/// Cargo's profile for what runs on a local stack.
pub(crate) const LOCAL: &str = "local";

/// Builds functions and command for a local stack, where `cargo lambda build` for this machine finds them built.
pub(crate) fn build(log: &Path) -> anyhow::Result<Built> {
    let host = host()?;
    let mut args = vec!["build", "--profile", LOCAL, "--target", &host, "--package", "modstream"];
    for function in FUNCTIONS {
        args.extend(["--package", function]);
    }
    command::logged(&mut cargo::command(&args), log)?;
    let built = checkout::target()?.join(&host).join(LOCAL);
    let packages = checkout::target()?.join("packages");
    for function in FUNCTIONS {
        package(&built.join(function), &packages.join(function).join("bootstrap.zip"))?;
    }
    // `cargo lambda build` moves away what it finds built.
    let modstream = packages.join("modstream");
    let part = modstream.with_extension(format!("{}.part", std::process::id()));
    fs::copy(built.join("modstream"), &part).with_context(|| format!("{} can't be written", part.display()))?;
    fs::rename(&part, &modstream).with_context(|| format!("{} can't be written", modstream.display()))?;
    Ok(Built { packages, modstream })
}

/// This machine's target, as Rust calls it.
pub(crate) fn host() -> anyhow::Result<String> {
    let said = command::asked(Command::new("rustc").args(["--version", "--verbose"])).context("rustc can't be run")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(host.to_owned())
}

/// Writes a program as `bootstrap` into a zip. The same program gives the same bytes.
fn package(program: &Path, zip: &Path) -> anyhow::Result<()> {
    let mut program_file = File::open(program).with_context(|| format!("{} can't be read", program.display()))?;
    if let Some(folder) = zip.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    // Another run may read it at this moment.
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
