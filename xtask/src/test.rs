//! `cargo xtask test`.

use std::time::Instant;

use crate::{arrows, cargo};

type Step = (&'static str, fn() -> anyhow::Result<()>);

const STEPS: [Step; 6] = [
    ("format", || cargo::run(&["fmt", "--all", "--check"], &[])),
    ("clippy", || {
        cargo::run(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"],
            &[],
        )
    }),
    ("crate boundaries", arrows::check),
    ("tests", tests),
    ("doc tests", || cargo::run(&["test", "--workspace", "--all-features", "--doc", "--quiet"], &[])),
    ("documentation", || {
        cargo::run(
            &["doc", "--workspace", "--all-features", "--no-deps", "--quiet"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        )
    }),
];

pub(crate) fn run() -> anyhow::Result<()> {
    let all = Instant::now();
    for (name, step) in STEPS {
        println!("== {name}");
        let started = Instant::now();
        step().map_err(|error| error.context(name))?;
        println!("== {name}: passed in {:.0} s\n", started.elapsed().as_secs_f64());
    }
    println!("all passed in {:.0} s", all.elapsed().as_secs_f64());
    Ok(())
}

fn tests() -> anyhow::Result<()> {
    if cargo::has("nextest") {
        return cargo::run(&["nextest", "run", "--workspace", "--all-features"], &[]);
    }
    println!("cargo-nextest is not here, `cargo test` runs them (`cargo install cargo-nextest --locked` gets it)");
    cargo::run(&["test", "--workspace", "--all-features", "--all-targets"], &[])
}
