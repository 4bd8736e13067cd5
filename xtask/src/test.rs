//! `cargo xtask test`.

use std::time::Instant;

use anyhow::ensure;
use clap::Args;

use crate::{arrows, browser_tests, cargo, interrupt, local_tests, peers, simulate};

type Step = (&'static str, fn(&TestArgs) -> anyhow::Result<Ended>);

const STEPS: [Step; 10] = [
    ("format", |_| passed(cargo::run(&["fmt", "--all", "--check"], &[]))),
    ("clippy", |_| {
        passed(cargo::run(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"],
            &[],
        ))
    }),
    ("crate-boundaries", |_| passed(arrows::check())),
    ("tests", |_| passed(tests())),
    ("simulation", |_| passed(simulate::test())),
    ("doc-tests", |_| passed(cargo::run(&["test", "--workspace", "--all-features", "--doc", "--quiet"], &[]))),
    ("documentation", |_| {
        passed(cargo::run(
            &["doc", "--workspace", "--all-features", "--no-deps", "--quiet"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ))
    }),
    ("browser", |_| browser_tests::run()),
    ("peers", |_| peers::python_tests::run()),
    ("local-stack", |args| local_tests::run(if args.full { 10_000 } else { 1_000 })),
];

/// How a step ended that did not fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    /// Something of it could not be run here.
    InPart,
    LeftOut,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Ended::Passed => "passed",
            Ended::InPart => "passed in part",
            Ended::LeftOut => "left out",
        })
    }
}

fn passed(result: anyhow::Result<()>) -> anyhow::Result<Ended> {
    result.map(|()| Ended::Passed)
}

/// Whether `CI` is set: then nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| !ci.is_empty())
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only these steps [default: all]
    #[arg(value_name = "STEP", value_parser = STEPS.map(|(name, _)| name))]
    steps: Vec<String>,
    /// More of it: 10,000 comments for each fault on the local stack instead of 1,000
    #[arg(long)]
    full: bool,
}

pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let all = Instant::now();
    let mut not_all = Vec::new();
    let chosen = |name: &str| args.steps.is_empty() || args.steps.iter().any(|step| step == name);
    for (name, step) in STEPS.into_iter().filter(|(name, _)| chosen(name)) {
        interrupt::check()?;
        println!("== {name}");
        let started = Instant::now();
        let ended = step(args).map_err(|error| error.context(name))?;
        if ended != Ended::Passed {
            ensure!(!in_ci(), "{name} {ended}; with CI set, nothing may be left out");
            not_all.push(name);
        }
        println!("== {name}: {ended} in {:.0} s\n", started.elapsed().as_secs_f64());
    }
    let seconds = all.elapsed().as_secs_f64();
    let verdict = match &not_all[..] {
        [] => "all passed".to_owned(),
        some => format!("passed, but for what was left out of {}", some.join(" and ")),
    };
    println!("{verdict} in {seconds:.0} s");
    Ok(())
}

fn tests() -> anyhow::Result<()> {
    if cargo::has("nextest") {
        return cargo::run(&["nextest", "run", "--workspace", "--all-features"], &[]);
    }
    println!("cargo-nextest is not here, `cargo test` runs them (`cargo install cargo-nextest --locked` gets it)");
    cargo::run(&["test", "--workspace", "--all-features", "--all-targets"], &[])
}
