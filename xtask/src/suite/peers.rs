//! The step that runs the tests of `bench/peers`. No run takes it that does not name it: nothing but `cargo xtask bench-peers`
//! depends on what they test.

use std::process::Command;

use super::ended::{Ended, in_ci};
use crate::peers::STATISTICS;
use crate::{checkout, command, tools};

/// Runs the tests: with the Python that has what all of them need, if that is installed or nothing may be left out; else
/// those that need nothing.
pub(crate) fn run() -> anyhow::Result<Ended> {
    let log = checkout::local().join("logs/install.log");
    let (python, ended) = if in_ci() || tools::has_peer(STATISTICS) {
        (tools::peer(STATISTICS, &log)?.program("python"), Ended::Passed)
    } else {
        match tools::python() {
            Ok((python, _)) => (python, Ended::InPart),
            Err(missing) => {
                println!("left out, for want of {missing}");
                return Ok(Ended::LeftOut);
            }
        }
    };
    let mut unittest = Command::new(python);
    unittest.args(["-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."]);
    unittest.current_dir(checkout::root().join("bench/peers"));
    command::logged(&mut unittest, &checkout::local().join("logs/peers-tests.log"))?;
    if ended == Ended::InPart {
        println!("those of metrics left out, for want of scikit-learn; `cargo xtask bench-peers` installs it");
    }
    Ok(ended)
}
