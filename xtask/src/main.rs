//! `cargo xtask`: what needs a checkout.

mod arrows;
mod cargo;
mod test;

use clap::{Parser, Subcommand};

/// What needs a checkout of modstream.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that must pass: format, clippy, crate boundaries, tests, doc tests, documentation
    Test,
}

fn main() -> anyhow::Result<()> {
    match Xtask::parse().command {
        Command::Test => test::run(),
    }
}
