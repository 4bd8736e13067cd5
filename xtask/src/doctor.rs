//! `cargo xtask doctor`: what is here, what is missing, and how to get it.

use std::process::{Command, ExitCode};

use crate::stack::{Stack, Status};
use crate::tools::{self, Missing, Providers};
use crate::{cargo, checkout, command};

/// What is installed on first use, by its folder.
const INSTALLED: [&str; 8] = [
    "localstack",
    "kinesis-local",
    "browser",
    "clients",
    "clients-python",
    "devvit",
    "cargo-lambda",
    "cargo-lambda-zig",
];

/// Says what is here and what is missing; fails where something is missing that tests or the local stack need.
pub(crate) fn run() -> ExitCode {
    let mut missing = 0;
    let mut say = |what: &str, found: Result<String, Missing>| match found {
        Ok(found) => println!("  ok       {what:16} {found}"),
        Err(Missing { tool: _, found, hint }) => {
            missing += 1;
            println!("  missing  {what:16} {found}; {hint}");
        }
    };
    println!("For `cargo demo` and `cargo xtask test`:");
    say("Rust", rust());
    println!("\nFor the desk's tests in a browser:");
    let chromium = tools::Chromium::choose().map(|chromium| match chromium {
        tools::Chromium::Packaged => "from npm, kept in .local/tools".to_owned(),
        tools::Chromium::Found(path) => path.display().to_string(),
    });
    say("Chromium", chromium);
    println!("\nFor the local stack (`cargo xtask up`, `demo`, and its tests), and for clients of the front door:");
    say("Python", tools::python().map(|(path, exact)| format!("{exact} ({})", path.display())));
    say("Node.js and npm", tools::npm().map(|(_, node)| node));
    say("Terraform", tools::terraform().map(|(_, version)| version));
    let provider = match tools::providers() {
        Providers::Registry => "from Terraform's registry, kept in .local/cache".to_owned(),
        Providers::Mirror(folder) => format!("from the mirror in {}", folder.display()),
    };
    say("AWS provider", Ok(provider));
    println!("\nNot needed:");
    let (is_here, docker) = docker();
    println!("  {is_here:8} {:16} {docker}", "Docker");
    let nextest =
        if cargo::has("nextest") { ("ok", "runs the tests") } else { ("absent", "`cargo test` runs the tests") };
    println!("  {:8} {:16} {}", nextest.0, "cargo-nextest", nextest.1);
    println!("\nInstalled on first use, into {}:", checkout::local().display());
    for tool in INSTALLED {
        let is_there = checkout::local().join("tools").join(tool).join("installed-from").is_file();
        println!("  {:8} {tool}", if is_there { "there" } else { "not yet" });
    }
    let stacks = Stack::all();
    if !stacks.is_empty() {
        println!("\nStacks of this checkout:");
    }
    for stack in stacks {
        let port = stack.port();
        match stack.status() {
            Status::Up(pid) => println!("  up       port {port}, process {pid}"),
            Status::LeftOver | Status::Down => {
                println!("  ended    port {port}: `cargo xtask down --port {port}` removes what it left");
            }
        }
    }
    if missing == 0 {
        return ExitCode::SUCCESS;
    }
    println!("\n{missing} missing");
    ExitCode::FAILURE
}

fn rust() -> Result<String, Missing> {
    command::asked(Command::new("rustc").arg("--version")).ok_or(Missing {
        tool: "Rust",
        found: "rustc can't be run".to_owned(),
        hint: "install Rust 1.94.1 or newer (rustup.rs)",
    })
}

/// A client alone can't run anything.
fn docker() -> (&'static str, String) {
    match command::asked(Command::new("docker").args(["version", "--format", "{{.Server.Version}}"])) {
        Some(version) => ("ok", format!("engine {version}: infra/local/compose.yaml is another way")),
        None if command::asked(Command::new("docker").arg("--version")).is_some() => {
            ("absent", "the client is here, no engine answers: that is not Docker".to_owned())
        }
        None => ("absent", "the local stack runs without it".to_owned()),
    }
}
