//! `cargo xtask deploy`: new code for functions that Terraform made; `cargo xtask package`: the code it makes them with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::package::{self, Built, FUNCTIONS, OPTIONAL, architecture};
use crate::progress::step;
use crate::stack::Stack;
use crate::tools::{self, Venv};
use crate::{cargo, checkout, command};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask deploy                                    all functions, to the account of your AWS credentials
  cargo xtask deploy score-comments                     one of them
  cargo xtask deploy --endpoint-url http://127.0.0.1:4566 --allow-dirty

Credentials and region come from the usual places (AWS_PROFILE, AWS_REGION, ...). docs/deploy.md tells the whole way.")]
pub(crate) struct DeployArgs {
    /// Which functions [default: all]
    #[arg(value_name = "FUNCTION", value_parser = FUNCTIONS)]
    functions: Vec<String>,
    /// One address for all services instead of AWS: a local stack's
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Cargo's profile to build with; a local stack's functions are a debug build
    #[arg(long, value_name = "NAME", default_value = "deploy", conflicts_with = "endpoint_url")]
    profile: String,
    /// Deploy what is not committed
    #[arg(long)]
    allow_dirty: bool,
    /// What `terraform output -json` printed [default: it is asked, in infra/; of a local stack, its own]
    #[arg(long, value_name = "FILE")]
    deployment: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  cargo xtask package && terraform -chdir=infra apply")]
pub(crate) struct PackageArgs {
    /// The functions' architecture; `architecture` in infra/ must be the same
    #[arg(long, value_name = "NAME", default_value = "arm64", value_parser = ["arm64", "x86_64"])]
    architecture: String,
    /// Cargo's profile to build with
    #[arg(long, value_name = "NAME", default_value = "deploy")]
    profile: String,
}

/// Builds the packages that Terraform makes the functions with.
pub(crate) fn make_packages(args: &PackageArgs) -> anyhow::Result<ExitCode> {
    check_buildable(&args.architecture)?;
    let log = checkout::local().join("logs/deploy.log");
    let cargo_lambda = step("cargo lambda and zig", || tools::zig(&log))?;
    let packages = cargo::target()?.join("lambda");
    step(&format!("building for {}, profile {}", args.architecture, args.profile), || {
        let (profile, architecture) = (&args.profile, &args.architecture);
        let mut build = lambda_build(&cargo_lambda, profile, architecture, &FUNCTIONS, &packages)?;
        command::logged(build.args(["--output-format", "zip"]), &log)
    })?;
    if packages != checkout::root().join("target/lambda") {
        let file = checkout::root().join("infra/packages.auto.tfvars");
        fs::write(&file, format!("packages = {}\n", Value::from(packages.to_string_lossy())))
            .with_context(|| format!("{} can't be written", file.display()))?;
        println!("{} tells Terraform where they are", file.display());
    }
    for function in FUNCTIONS {
        println!("{}", packages.join(function).join("bootstrap.zip").display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Where functions run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Machine {
    /// This machine, with its own C library.
    Own,
    /// Lambda's machine, whose C library is older.
    Lambda,
}

/// A function as it is deployed.
#[derive(Debug, Deserialize)]
struct Deployed {
    arn: String,
    architecture: String,
    code_sha256: String,
}

/// Deploys all functions to a stack of this checkout, as they are built.
pub(crate) fn to_stack(stack: &Stack, built: &Built) -> anyhow::Result<()> {
    let args = DeployArgs {
        functions: Vec::new(),
        endpoint_url: Some(stack.endpoint()),
        profile: String::new(),
        allow_dirty: true,
        deployment: None,
    };
    deploy(&args, Some(built))
}

pub(crate) fn run(args: &DeployArgs) -> anyhow::Result<ExitCode> {
    deploy(args, None).map(|()| ExitCode::SUCCESS)
}

/// Deploys functions: to a local stack those that are built for it, and else what cargo-lambda builds.
fn deploy(args: &DeployArgs, built: Option<&Built>) -> anyhow::Result<()> {
    if !args.allow_dirty {
        check_clean()?;
    }
    let log = checkout::local().join("logs/deploy.log");
    let target = Target::of(args)?;
    let chosen = chosen(&args.functions, &target.names)?;
    let cargo_lambda = step("cargo lambda", || match target.machine() {
        Machine::Own => tools::cargo_lambda(&log),
        Machine::Lambda => tools::zig(&log),
    })?;
    let own;
    let built = match built {
        Some(built) => built,
        None => {
            own = step("building functions and command for this machine", || package::build(&log))?;
            &own
        }
    };
    let modstream = &built.modstream;
    let before = step("what is deployed", || {
        chosen.iter().map(|name| target.look_at(modstream, name, &log)).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let architecture = one_architecture(&chosen, &before)?;
    // Not where packages lie: `cargo lambda deploy` might take one of those.
    let folder = cargo::target()?.join("lambda-deploy");
    match target.machine() {
        Machine::Own => {
            check_own(architecture)?;
            built.unpack(&chosen, &folder)?;
        }
        Machine::Lambda => {
            check_buildable(architecture)?;
            let name = format!("building {} for {architecture}, profile {}", chosen.join(", "), args.profile);
            step(&name, || build(&cargo_lambda, &args.profile, architecture, &chosen, &folder, &log))?;
        }
    }
    let mut done: Vec<&str> = Vec::new();
    for (name, before) in chosen.iter().zip(&before) {
        let deployed = step(&format!("deploying {name}"), || {
            target.deploy(&cargo_lambda, name, &folder, &log)?;
            target.look_at(modstream, name, &log)
        });
        let after = deployed.with_context(|| match done.len() {
            0 => format!("{name} may or may not have new code, the others have not"),
            _ => format!("deployed: {}; not yet: {name} and what follows it. To go on, run it again", done.join(", ")),
        })?;
        let changed = if after.code_sha256 == before.code_sha256 { "the same code as before" } else { "new code" };
        println!("{:32} {changed}, SHA-256 {}", target.names[*name].as_str().unwrap_or(name), after.code_sha256);
        done.push(name);
    }
    Ok(())
}

/// The functions to deploy, of those that Terraform made. Whoever reads starts first: it must know what its writer is going to write.
fn chosen(asked: &[String], names: &Value) -> anyhow::Result<Vec<&'static str>> {
    let is_there = |name: &str| names[name].is_string();
    if let Some(missing) = asked.iter().find(|name| !is_there(name)) {
        bail!(
            "{missing} is not deployed: `terraform apply` in infra/ makes it, where its variable says so (docs/deploy.md)"
        );
    }
    let is_meant = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    Ok(FUNCTIONS.into_iter().rev().filter(|name| is_meant(name) && is_there(name)).collect())
}

fn check_clean() -> anyhow::Result<()> {
    let status = command::asked(Command::new("git").args(["status", "--porcelain"]).current_dir(checkout::root()));
    match status {
        None => bail!(
            "this is no git checkout, so nobody could tell later what was deployed; --allow-dirty deploys it anyway"
        ),
        Some(changes) if !changes.is_empty() => bail!(
            "not everything is committed, so nobody could tell later what was deployed: commit it, or use --allow-dirty:\n{}",
            command::tail(&changes)
        ),
        Some(_) => Ok(()),
    }
}

/// Where functions are deployed to.
struct Target {
    /// The stack, if it is one of this checkout.
    stack: Option<Stack>,
    endpoint_url: Option<String>,
    region: String,
    names: Value,
    account: String,
}

impl Target {
    fn of(args: &DeployArgs) -> anyhow::Result<Self> {
        let endpoint_url = args.endpoint_url.clone();
        let stack = endpoint_url.as_deref().and_then(own_stack);
        let outputs = match (&args.deployment, &stack) {
            (Some(file), _) => read(file)?,
            (None, Some(stack)) => read(&stack.deployment())?,
            (None, None) => {
                let (terraform, _) = tools::terraform()?;
                let mut output = Command::new(terraform);
                output.args(["output", "-json"]).current_dir(checkout::root().join("infra"));
                command::asked(&mut output).context(
                    "terraform output does not work in infra/: run `terraform init` there, or hand what it prints elsewhere \
                     over with --deployment FILE",
                )?
            }
        };
        let outputs: Value = serde_json::from_str(&outputs).context("terraform output -json can't be read")?;
        let names = outputs["functions"]["value"].clone();
        ensure!(
            FUNCTIONS.iter().all(|name| names[name].is_string() || OPTIONAL.contains(name)),
            "not all functions are deployed yet: `terraform apply` in infra/ makes them (docs/deploy.md)"
        );
        let region = outputs["region"]["value"].as_str().unwrap_or_default().to_owned();
        let account = outputs["account_id"]["value"].as_str().unwrap_or_default().to_owned();
        Ok(Target { stack, endpoint_url, region, names, account })
    }

    /// A stack runs functions on this machine.
    fn machine(&self) -> Machine {
        if self.endpoint_url.is_some() { Machine::Own } else { Machine::Lambda }
    }

    fn reach(&self, command: &mut Command) {
        if let Some(stack) = &self.stack {
            stack.reach(command);
        }
        // What `cargo xtask up` says to export must not lead a release to a local stack.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_ENDPOINT_URL")) {
                command.env_remove(name);
            }
        }
        if let Some(endpoint_url) = &self.endpoint_url {
            command.env("AWS_ENDPOINT_URL", endpoint_url);
        }
        command.env("AWS_REGION", &self.region);
    }

    fn look_at(&self, modstream: &Path, function: &str, log: &Path) -> anyhow::Result<Deployed> {
        let mut command = Command::new(modstream);
        self.reach(&mut command);
        let name = self.names[function].as_str().unwrap_or(function);
        let said = command::captured(command.args(["function", name, "--json"]), log);
        let said = said.map_err(|error| command::said_in_json(error, log))?;
        let deployed: Deployed =
            serde_json::from_str(&said).with_context(|| format!("what is deployed as {name} can't be read"))?;
        ensure!(
            account(&deployed.arn) == self.account,
            "these credentials are of account {}, and what Terraform made is in account {}: set AWS_PROFILE",
            account(&deployed.arn),
            self.account
        );
        Ok(deployed)
    }

    fn deploy(&self, cargo_lambda: &Venv, function: &str, built: &Path, log: &Path) -> anyhow::Result<()> {
        let mut command = lambda(cargo_lambda, "deploy")?;
        self.reach(&mut command);
        command.args(["--binary-name", function, "--lambda-dir"]).arg(built);
        command.args(["--region", &self.region, "--output-format", "json"]);
        if let Some(endpoint_url) = &self.endpoint_url {
            command.args(["--endpoint-url", endpoint_url]);
        }
        command::logged(command.arg(self.names[function].as_str().unwrap_or(function)), log)
    }
}

/// The account in a function's ARN.
fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// The stack of this checkout that listens there.
fn own_stack(endpoint_url: &str) -> Option<Stack> {
    Stack::all().into_iter().find(|stack| stack.endpoint() == endpoint_url.trim_end_matches('/'))
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))
}

fn one_architecture<'a>(names: &[&str], deployed: &'a [Deployed]) -> anyhow::Result<&'a str> {
    let (first, others) = deployed.split_first().context("no function to deploy")?;
    for (name, other) in names.iter().skip(1).zip(others) {
        ensure!(
            other.architecture == first.architecture,
            "{} is {}, and {name} is {}: deploy them one by one",
            names[0],
            first.architecture,
            other.architecture
        );
    }
    Ok(&first.architecture)
}

fn triple(architecture: &str) -> anyhow::Result<&'static str> {
    match architecture {
        "arm64" => Ok("aarch64-unknown-linux-gnu"),
        "x86_64" => Ok("x86_64-unknown-linux-gnu"),
        other => bail!("the functions are {other}: only arm64 and x86_64 can be built"),
    }
}

/// Refuses functions that a local stack could not run on this machine.
fn check_own(wanted: &str) -> anyhow::Result<()> {
    ensure!(
        wanted == architecture(),
        "the functions are {wanted}, and a local stack runs them on this machine, which is {}: build packages for it, and \
         apply infra/ with -var architecture={}",
        architecture(),
        architecture()
    );
    Ok(())
}

/// Refuses what could only fail after minutes, or on Lambda.
fn check_buildable(wanted: &str) -> anyhow::Result<()> {
    let triple = triple(wanted)?;
    let libraries = command::asked(Command::new("rustc").args(["--print", "target-libdir", "--target", triple]));
    ensure!(
        libraries.is_some_and(|folder| Path::new(&folder).is_dir()),
        "the functions are {wanted}, and Rust has no standard library for {triple} here: `rustup target add {triple}`"
    );
    Ok(())
}

fn lambda(venv: &Venv, subcommand: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(venv.program("cargo-lambda"));
    command.args(["lambda", subcommand]).current_dir(checkout::root()).env("PATH", venv.search_path()?);
    Ok(command)
}

/// Builds `<function>/bootstrap` in a folder with cargo-lambda, and checks what it built.
fn build(
    cargo_lambda: &Venv,
    profile: &str,
    architecture: &str,
    functions: &[&str],
    folder: &Path,
    log: &Path,
) -> anyhow::Result<()> {
    command::logged(&mut lambda_build(cargo_lambda, profile, architecture, functions, folder)?, log)?;
    for function in functions {
        let program = folder.join(function).join("bootstrap");
        let found = machine(&fs::read(&program).with_context(|| format!("{} was not built", program.display()))?);
        ensure!(
            found == Some(architecture),
            "{} is built for {}, and the function is {architecture}: nothing was deployed",
            program.display(),
            found.unwrap_or("another machine")
        );
    }
    Ok(())
}

fn lambda_build(
    cargo_lambda: &Venv,
    profile: &str,
    architecture: &str,
    functions: &[&str],
    folder: &Path,
) -> anyhow::Result<Command> {
    let mut build = lambda(cargo_lambda, "build")?;
    build.args(["--profile", profile, "--target", triple(architecture)?, "--lambda-dir"]).arg(folder);
    // Cargo-lambda's own way is to build with zig.
    build.env_remove("CARGO_LAMBDA_COMPILER");
    for function in functions {
        build.args(["--package", function]);
    }
    Ok(build)
}

/// The architecture of a Linux program, as Lambda calls it ([ELF](https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html), `e_machine`).
fn machine(program: &[u8]) -> Option<&'static str> {
    if !program.starts_with(b"\x7fELF") {
        return None;
    }
    match program.get(18..20)? {
        [0x3e, 0] => Some("x86_64"),
        [0xb7, 0] => Some("arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_machine_is_read_from_its_header() {
        let own = fs::read(std::env::current_exe().expect("a path")).expect("reads");
        if cfg!(target_os = "linux") {
            assert_eq!(machine(&own), Some(architecture()));
        }
        let mut other = own;
        other[18..20].copy_from_slice(&[0xf3, 0]);
        assert_eq!((machine(&other), machine(b"#!/bin/sh"), machine(b"\x7fELF")), (None, None, None));
    }

    #[test]
    fn what_a_deployment_is_without_is_not_deployed_and_is_named_by_who_asks_for_it() {
        let mut names = serde_json::json!({});
        for name in FUNCTIONS.into_iter().filter(|name| !OPTIONAL.contains(name)) {
            names[name] = format!("modstream-{name}").into();
        }
        let all = chosen(&[], &names).expect("some");
        assert_eq!((all.len(), all.last()), (FUNCTIONS.len() - 1, Some(&"generate-comments")));
        let error = chosen(&["answer-checks".to_owned()], &names).expect_err("it is not there");
        assert!(error.to_string().contains("answer-checks is not deployed"), "{error}");
        names["answer-checks"] = "modstream-answer-checks".into();
        assert_eq!(chosen(&["answer-checks".to_owned()], &names).expect("one"), ["answer-checks"]);
        assert_eq!(chosen(&[], &names).expect("all").len(), FUNCTIONS.len());
    }

    #[test]
    fn functions_of_two_architectures_are_not_built_at_once() {
        let deployed = |architecture: &str| Deployed {
            arn: String::new(),
            architecture: architecture.to_owned(),
            code_sha256: String::new(),
        };
        let error = one_architecture(&["a", "b"], &[deployed("arm64"), deployed("x86_64")]).expect_err("two");
        assert_eq!(error.to_string(), "a is arm64, and b is x86_64: deploy them one by one");
        assert_eq!(one_architecture(&["a"], &[deployed("arm64")]).expect("one"), "arm64");
    }

    #[test]
    fn the_account_is_the_fifth_part_of_an_arn() {
        assert_eq!(
            account("arn:aws:lambda:eu-central-1:123456789012:function:modstream-score-comments"),
            "123456789012"
        );
        assert_eq!(account("nonsense"), "");
    }

    #[test]
    fn a_local_stack_takes_this_machines_architecture_alone() {
        let other = if architecture() == "arm64" { "x86_64" } else { "arm64" };
        let error = check_own(other).expect_err("wrong").to_string();
        assert!(error.starts_with(&format!("the functions are {other}, and a local stack")), "{error}");
        check_own(architecture()).expect("right");
    }
}
