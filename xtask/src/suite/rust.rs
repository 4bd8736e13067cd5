//! What of the tests is Rust alone.

use std::fs;

use anyhow::Context as _;

use super::settings::Settings;
use crate::{cargo, checkout, tested};

/// Which tests `--quick` runs: those of the simulation compute for minutes.
const NO_SIMULATION: &str = "not package(modstream-simulation)";

/// Builds everything for the tests, and fails on a warning of Clippy's.
pub(super) fn clippy(settings: Settings) -> anyhow::Result<()> {
    tested::build(if settings.timings { &["--timings"] } else { &[] })?;
    if settings.timings {
        let kept = checkout::local().join("logs/clippy-timings.html");
        fs::create_dir_all(checkout::local().join("logs"))?;
        fs::copy(cargo::target()?.join("cargo-timings/cargo-timing.html"), &kept)
            .with_context(|| format!("{} can't be written", kept.display()))?;
        println!("which crate took how long: {}", kept.display());
    }
    Ok(())
}

/// Runs the tests that need nothing but Rust.
pub(super) fn tests(settings: Settings) -> anyhow::Result<()> {
    let runner: &[&str] = if cargo::has("nextest") {
        if settings.quick { &["nextest", "run", "-E", NO_SIMULATION] } else { &["nextest", "run"] }
    } else {
        println!("cargo-nextest is not here, `cargo test` runs them (`cargo install cargo-nextest --locked` gets it)");
        &["test", "--all-targets"]
    };
    let environment = [&tested::ENVIRONMENT[..], &[("MODSTREAM_KILLS", settings.kills())][..]].concat();
    cargo::run(&[runner, &tested::SELECTION].concat(), &environment)
}
