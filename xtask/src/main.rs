//! `cargo xtask`: what needs a checkout.

mod cargo;
mod checkout;
mod command;
mod costs;
mod deploy;
mod docs_check;
mod doctor;
mod infra;
mod interrupt;
mod layers;
mod load;
mod local;
mod package;
mod peers;
mod progress;
mod simulate;
mod stack;
mod suite;
mod tested;
mod tools;
mod train_models;
#[cfg(test)]
mod workflows;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// What needs a checkout of modstream.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that must pass: format, layers, Clippy, tests, documentation, the simulation, the desk in a browser, the demo, the local stack
    Test(suite::TestArgs),
    /// The floors with their crates; fails on an arrow between crates that runs up, or on what a crate must not link
    Layers,
    /// What the tests and the local stack need: what is here, what is missing, and how to get it
    Doctor,
    /// Run the system on LocalStack, without Docker, and leave it running: comments come by the minute
    Up(local::UpArgs),
    /// End a stack that `up` or `demo --keep` left running
    Down(local::Port),
    /// Set the system up on LocalStack, send comments through it, show the alerts, and take it all down
    Demo(local::DemoArgs),
    /// Send comments at a constant rate, in one process or on a stack, and measure how long they take
    Load(load::LoadArgs),
    /// Build the packages that Terraform makes the functions with
    Package(deploy::PackageArgs),
    /// Ship new code to functions that Terraform made, with `cargo lambda deploy`
    Deploy(deploy::DeployArgs),
    /// Run the real functions in memory under faults that follow from a seed, and check what they promise
    Simulate(simulate::SimulateArgs),
    /// Run the commands that the documents show and compare what they print; look for the files and options they name
    DocsCheck(docs_check::DocsCheckArgs),
    /// What a month on AWS costs, computed from counted calls, prices and assumptions
    Costs(costs::CostsArgs),
    /// Train the shipped models again from the texts that they were trained on, where those are on this machine
    TrainModels(train_models::TrainModelsArgs),
    /// Compare modstream with other text classifiers in one run: quality, speed, memory, size
    BenchPeers(peers::BenchPeersArgs),
}

fn main() -> ExitCode {
    if let Some(status) = suite::documentation::as_rustdoc() {
        return status;
    }
    let command = Xtask::parse().command;
    let result = interrupt::install().and_then(|()| match command {
        Command::Test(args) => suite::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Layers => layers::check().map(|()| ExitCode::SUCCESS),
        Command::Doctor => Ok(doctor::run()),
        Command::Up(args) => local::up(&args),
        Command::Down(port) => local::down(port),
        Command::Demo(args) => Ok(local::demo(&args)),
        Command::Load(args) => load::run(&args),
        Command::Package(args) => deploy::make_packages(&args),
        Command::Deploy(args) => deploy::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::DocsCheck(args) => docs_check::run(&args, &Xtask::command()).map(|()| ExitCode::SUCCESS),
        Command::Costs(args) => costs::run(&args).map(|()| ExitCode::SUCCESS),
        Command::BenchPeers(args) => peers::run(&args),
        Command::TrainModels(args) => train_models::run(&args).map(|()| ExitCode::SUCCESS),
    });
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        if error.is::<interrupt::Interrupted>() { ExitCode::from(130) } else { ExitCode::FAILURE }
    })
}
