//! The step that looks at the desk with a browser.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::ended::Ended;
use crate::progress::step;
use crate::tools::{self, Chromium};
use crate::{checkout, command, interrupt, simulate};

/// Runs the browser's tests, or says what they lack.
pub(crate) fn run() -> anyhow::Result<Ended> {
    let chromium = match Chromium::choose() {
        Ok(chromium) => chromium,
        Err(missing) => {
            println!("left out, for want of {missing}");
            return Ok(Ended::LeftOut);
        }
    };
    let pictures = pictures();
    if pictures.exists() {
        fs::remove_dir_all(&pictures).with_context(|| format!("{} can't be removed", pictures.display()))?;
    }
    let mut node = tests(&chromium, &[])?;
    node.env("MODSTREAM_TEST_COMMAND", simulate::build_with_the_command()?.binary("modstream")?);
    let status = command::shown(&mut node)?;
    interrupt::check()?;
    ensure!(status.success(), "the tests in the browser failed ({status})");
    println!("pictures are in {}", pictures.display());
    Ok(Ended::Passed)
}

fn pictures() -> PathBuf {
    checkout::local().join("logs/desk")
}

/// What runs these files of `tests/browser`; without any, all that are tests by their name.
pub(super) fn tests(chromium: &Chromium, files: &[&str]) -> anyhow::Result<Command> {
    let log = checkout::local().join("logs/install.log");
    let driver = step("a browser", || tools::browser_driver(chromium, &log))?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).args(files).current_dir(checkout::root().join("tests/browser"));
    node.env("MODSTREAM_TEST_TOOLS", driver).env("MODSTREAM_TEST_PICTURES", pictures());
    if let Chromium::Found(path) = chromium {
        node.env("MODSTREAM_TEST_BROWSER", path);
    }
    Ok(node)
}
