//! `cargo xtask test`.

use std::time::Instant;

use clap::Args;

use crate::{arrows, cargo, interrupt, local_tests};

type Step = (&'static str, fn() -> anyhow::Result<()>);

const LOCAL_STACK: &str = "local-stack";

const STEPS: [Step; 7] = [
    ("format", || cargo::run(&["fmt", "--all", "--check"], &[])),
    ("clippy", || {
        cargo::run(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"],
            &[],
        )
    }),
    ("crate-boundaries", arrows::check),
    ("tests", tests),
    ("doc-tests", || cargo::run(&["test", "--workspace", "--all-features", "--doc", "--quiet"], &[])),
    ("documentation", || {
        cargo::run(
            &["doc", "--workspace", "--all-features", "--no-deps", "--quiet"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        )
    }),
    (LOCAL_STACK, local_tests::run),
];

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only these steps [default: all]
    #[arg(value_name = "STEP", value_parser = STEPS.map(|(name, _)| name))]
    steps: Vec<String>,
}

pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let all = Instant::now();
    let mut everything = true;
    let chosen = |name: &str| args.steps.is_empty() || args.steps.iter().any(|step| step == name);
    for (name, step) in STEPS.into_iter().filter(|(name, _)| chosen(name)) {
        interrupt::check()?;
        println!("== {name}");
        let started = Instant::now();
        step().map_err(|error| error.context(name))?;
        let left_out = name == LOCAL_STACK && !local_tests::missing().is_empty();
        let verdict = if left_out { "left out" } else { "passed" };
        everything &= !left_out;
        println!("== {name}: {verdict} in {:.0} s\n", started.elapsed().as_secs_f64());
    }
    let seconds = all.elapsed().as_secs_f64();
    let verdict = if everything { "all passed" } else { "passed, but for the local stack, which was left out" };
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
