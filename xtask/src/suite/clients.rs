//! The step that has other people's clients ask the front door, the app for Reddit send to it, and Bluesky's SDK read what
//! `modstream ingest` reads.

use std::path::Path;
use std::process::Command;

use super::ended::{Ended, in_ci};
use crate::progress::step;
use crate::{checkout, command, interrupt, tested, tools};

/// Runs `tests/clients` and the tests of `examples/devvit`, or says what they lack.
pub(crate) fn run() -> anyhow::Result<Ended> {
    let missing = [tools::python().err(), tools::npm().err()];
    if let Some(missing) = missing.into_iter().flatten().next().filter(|_| !in_ci()) {
        println!("left out, for want of {missing}");
        return Ok(Ended::LeftOut);
    }
    let log = checkout::local().join("logs/install.log");
    let python = step("clients in Python", || tools::clients_in_python(&log))?;
    let node = step("clients in JavaScript", || tools::clients_in_javascript(&log))?;
    let reddit_app = step("the app for Reddit", || tools::reddit_app(&log))?;
    let programs = step("the tests' programs", || tested::build(&[]))?;
    let modstream = programs.binary("modstream")?;
    let mut unittest = Command::new(python.program("python"));
    unittest.args(["-B", "-m", "unittest", "--verbose", "test_clients", "test_sources"]);
    unittest.current_dir(checkout::root().join("tests/clients"));
    unittest.env("MODSTREAM_TEST_COMMAND", modstream).env("MODSTREAM_TEST_TOOLS", node);
    let status = command::shown(&mut unittest)?;
    interrupt::check()?;
    anyhow::ensure!(status.success(), "the clients' tests failed ({status})");
    build_and_test(&reddit_app, modstream)?;
    Ok(Ended::Passed)
}

/// Builds the app for Reddit and runs its tests, against this `modstream`, too.
fn build_and_test(reddit_app: &Path, modstream: &Path) -> anyhow::Result<()> {
    let (npm, _) = tools::npm()?;
    for script in ["build", "test"] {
        let mut run = Command::new(&npm);
        run.args(["run", "--silent", script]).current_dir(reddit_app);
        run.env("MODSTREAM_TEST_COMMAND", modstream);
        run.env("MODSTREAM_TEST_SCHEMAS", checkout::root().join("events/schemas"));
        let status = command::shown(&mut run)?;
        interrupt::check()?;
        anyhow::ensure!(status.success(), "`npm run {script}` of the app for Reddit failed ({status})");
    }
    Ok(())
}
