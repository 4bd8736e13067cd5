//! The step that has other people's clients ask the front door.

use std::process::Command;

use super::ended::{Ended, in_ci};
use crate::progress::step;
use crate::{checkout, command, interrupt, tested, tools};

/// Runs `tests/clients`, or says what it lacks.
pub(crate) fn run() -> anyhow::Result<Ended> {
    let missing = [tools::python().err(), tools::npm().err()];
    if let Some(missing) = missing.into_iter().flatten().next().filter(|_| !in_ci()) {
        println!("left out, for want of {missing}");
        return Ok(Ended::LeftOut);
    }
    let log = checkout::local().join("logs/install.log");
    let python = step("clients in Python", || tools::clients_in_python(&log))?;
    let node = step("clients in JavaScript", || tools::clients_in_javascript(&log))?;
    let programs = step("the tests' programs", || tested::build(&[]))?;
    let mut unittest = Command::new(python.program("python"));
    unittest.args(["-B", "-m", "unittest", "--verbose", "test_clients"]);
    unittest.current_dir(checkout::root().join("tests/clients"));
    unittest.env("MODSTREAM_TEST_COMMAND", programs.binary("modstream")?).env("MODSTREAM_TEST_TOOLS", node);
    let status = command::shown(&mut unittest)?;
    interrupt::check()?;
    anyhow::ensure!(status.success(), "the clients' tests failed ({status})");
    Ok(Ended::Passed)
}
