//! The step that looks at the desk with a browser.

use std::fs;
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
    let log = checkout::local().join("logs/install.log");
    let driver = step("a browser", || tools::browser_driver(&chromium, &log))?;
    let modstream = simulate::build_with_the_command()?.binary("modstream")?.to_path_buf();
    let pictures = checkout::local().join("logs/desk");
    if pictures.exists() {
        fs::remove_dir_all(&pictures).with_context(|| format!("{} can't be removed", pictures.display()))?;
    }
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]).current_dir(checkout::root().join("tests/browser"));
    node.env("MODSTREAM_TEST_TOOLS", driver).env("MODSTREAM_TEST_PICTURES", &pictures);
    node.env("MODSTREAM_TEST_COMMAND", modstream);
    if let Chromium::Found(path) = chromium {
        node.env("MODSTREAM_TEST_BROWSER", path);
    }
    let status = command::shown(&mut node)?;
    interrupt::check()?;
    ensure!(status.success(), "the tests in the browser failed ({status})");
    println!("pictures are in {}", pictures.display());
    Ok(Ended::Passed)
}
