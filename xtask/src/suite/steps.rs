//! The steps of `cargo xtask test`: which there are and which of them a run takes is said here alone.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::documentation;
use super::ended::Ended;
use super::settings::Settings;
use super::{browser, clients, infra, local_stack, peers, rust};
use crate::{cargo, command, costs, interrupt, layers, simulate};

/// A step.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) taken: Taken,
    pub(super) lane: Lane,
    pub(super) run: fn(Settings) -> anyhow::Result<Ended>,
}

/// Which runs take a step that is not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Every run, one with `--quick` as well: what one runs while working.
    Always,
    /// Every run without `--quick`.
    ByDefault,
    /// No run that does not name it.
    WhenNamed,
}

/// What else goes on while a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Steps of this lane are run one after another.
    First,
    /// Beside the first lane, once [`CLIPPY`] has built what they run: these steps wait most of their time.
    Beside,
}

/// The step that builds what the others run.
pub(super) const CLIPPY: &str = "clippy";

/// All steps, in the order in which they are run.
pub(super) const STEPS: [Step; 15] = [
    first("format", Taken::Always, |_| passed(cargo::run(&["fmt", "--all", "--check"], &[]))),
    first("layers", Taken::Always, |_| passed(layers::check())),
    first("costs", Taken::Always, |_| passed(costs::check())),
    first("infra", Taken::ByDefault, |_| infra::run()),
    first(CLIPPY, Taken::Always, |settings| passed(rust::clippy(settings))),
    first("tests", Taken::Always, |settings| passed(rust::tests(settings))),
    first("documentation", Taken::ByDefault, |_| passed(documentation::make_and_test())),
    first("simulation", Taken::ByDefault, |_| passed(simulate::test())),
    first("demo", Taken::ByDefault, |_| passed(demo())),
    first("docs-check", Taken::ByDefault, |_| passed(this_program(&["docs-check"]))),
    beside("local-stack", local_stack::run),
    beside("local-demo", |_| passed(this_program(&LOCAL_DEMO))),
    beside("browser", |_| browser::run()),
    beside("clients", |_| clients::run()),
    first("peers", Taken::WhenNamed, |_| peers::run()),
];

const fn first(name: &'static str, taken: Taken, run: fn(Settings) -> anyhow::Result<Ended>) -> Step {
    Step { name, taken, lane: Lane::First, run }
}

const fn beside(name: &'static str, run: fn(Settings) -> anyhow::Result<Ended>) -> Step {
    Step { name, taken: Taken::ByDefault, lane: Lane::Beside, run }
}

fn passed(result: anyhow::Result<()>) -> anyhow::Result<Ended> {
    result.map(|()| Ended::Passed)
}

/// `cargo demo`, as the simulation's step built it.
fn demo() -> anyhow::Result<()> {
    const ARGS: [&str; 5] = ["demo", "--fast", "--comments", "600", "--json"];
    let status = command::shown(Command::new(simulate::build_with_the_command()?.binary("modstream")?).args(ARGS))?;
    interrupt::check()?;
    ensure!(status.success(), "failed ({status}); to repeat it: cargo {}", ARGS.join(" "));
    Ok(())
}

/// `cargo xtask demo` with the programs of the tests, which are built already.
const LOCAL_DEMO: [&str; 8] = ["demo", "--fast", "--comments", "600", "--json", "--port", "4810", "--as-tested"];

/// Runs another command of `cargo xtask`.
fn this_program(args: &[&str]) -> anyhow::Result<()> {
    let mut this = Command::new(std::env::current_exe().context("this program's own path")?);
    let status = command::shown(this.args(args))?;
    interrupt::check()?;
    ensure!(status.success(), "failed ({status}); to repeat it: cargo xtask {}", args.join(" "));
    Ok(())
}
