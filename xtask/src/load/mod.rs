//! `cargo xtask load`: comments at a constant rate, in one process, on a local stack, or to `modstream serve`.

mod http;
mod serve;

use std::fs::File;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serve::Slo;

use crate::cargo::{DEMO, DEMO_COMMAND};
use crate::progress::step;
use crate::stack::{Stack, Status};
use crate::{cargo, checkout, command};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask load --rate 2000 --seconds 60 --slo p99=2s     in one process
  cargo xtask load --scale                                   ten times the comments, and what that costs
  cargo xtask load --serve --rate 1000 --slo p99=250ms       over HTTP to `modstream serve`, with its memory
  cargo xtask load --http --rate 500 --slo p99=20ms          texts to be checked over HTTP, with the CPU time of each
  cargo xtask load --http --rate 200 --peer                  the same of a server of FastAPI, beside it
  cargo xtask up && cargo xtask load --local --rate 20 --seconds 60 --json

The status is 1 where the rate is not sustained, an objective is missed, or a promise is broken.")]
pub(crate) struct LoadArgs {
    /// On the stack that `cargo xtask up` left running, in place of one process
    #[arg(long, conflicts_with_all = ["scale", "policy", "input"])]
    local: bool,
    /// To `modstream serve`, over HTTP, in place of one process: on one machine's file
    #[arg(long, conflicts_with_all = ["local", "scale", "policy", "input"])]
    serve: bool,
    /// Texts to be checked, over HTTP to `modstream serve`: by `comments:analyze`, 300 bytes each
    #[arg(long, conflicts_with_all = ["local", "serve", "scale", "policy", "input"])]
    http: bool,
    /// Also ask a server of FastAPI around scikit-learn's classifier the same, one after the other
    #[arg(long, requires = "http")]
    peer: bool,
    /// The port of that stack
    #[arg(long, value_name = "PORT", default_value_t = 4566, value_parser = clap::value_parser!(u16).range(1024..))]
    #[arg(requires = "local")]
    port: u16,
    /// Comments a second, held whatever the system does [default: 100; with --serve 1000, with --http 500]
    #[arg(long, value_name = "N")]
    rate: Option<String>,
    /// How long comments come [default: 10; with --serve and --http 30]
    #[arg(long, value_name = "N")]
    seconds: Option<String>,
    /// An objective: `p99=2s` from comment to alert, `prediction.p99=1s` to its prediction; may be given again
    #[arg(long, value_name = "OBJECTIVE")]
    slo: Vec<String>,
    /// Compare the CPU time of N comments and of ten times as many [default N: 5000]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "5000")]
    scale: Option<String>,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments]
    #[arg(long, value_name = "FILE")]
    input: Option<String>,
    /// Which comments alert [default: 0.7]; a stack has its own
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Print one line of JSON at the end, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

/// What is asked of `modstream serve`, over HTTP.
struct OverHttp {
    /// How many a second.
    rate: f64,
    seconds: f64,
    slos: Vec<Slo>,
}

impl LoadArgs {
    fn over_http(&self, default_rate: &str) -> anyhow::Result<OverHttp> {
        let rate: f64 = self.rate.as_deref().unwrap_or(default_rate).parse().context("--rate is a number")?;
        let seconds: f64 = self.seconds.as_deref().unwrap_or("30").parse().context("--seconds is a number")?;
        ensure!(rate > 0.0 && seconds > 0.0 && rate * seconds < 1e8, "--rate and --seconds are numbers above zero");
        let slos = self.slo.iter().map(|slo| Slo::parse(slo)).collect::<anyhow::Result<Vec<Slo>>>()?;
        Ok(OverHttp { rate, seconds, slos })
    }
}

pub(crate) fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    if args.http {
        return http::run(args);
    }
    if args.serve {
        return serve::run(args);
    }
    // A stack is claimed until the end: nobody takes it down meanwhile.
    let (mut command, _claim) = if args.local {
        let (command, claim) = on_stack(args.port)?;
        (command, Some(claim))
    } else {
        (in_process()?, None)
    };
    let options = [
        ("--rate", &args.rate),
        ("--seconds", &args.seconds),
        ("--scale", &args.scale),
        ("--input", &args.input),
        ("--policy", &args.policy),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    for slo in &args.slo {
        command.args(["--slo", slo]);
    }
    if args.json {
        command.arg("--json");
    }
    let status = command::shown(&mut command)?;
    Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Numbers are of an optimised build, without the AWS SDK: as `cargo demo` builds it.
fn in_process() -> anyhow::Result<Command> {
    let log = checkout::local().join("logs/build.log");
    step("building modstream", || {
        command::logged(&mut cargo::command(&[&["build"], &DEMO_COMMAND[..]].concat()), &log)
    })?;
    let mut command = Command::new(cargo::target()?.join(DEMO).join("modstream"));
    command.arg("load");
    Ok(command)
}

/// The command that `up` built, on what it set up.
fn on_stack(port: u16) -> anyhow::Result<(Command, File)> {
    let stack = Stack::on(port);
    let claim = stack.claim()?;
    let deployment = stack.deployment();
    if !matches!(stack.status(), Status::Up(_)) || !deployment.exists() {
        bail!("no stack is up on port {port}: start one with `cargo xtask up --port {port}`");
    }
    let mut command = Command::new(cargo::target()?.join("packages/modstream"));
    stack.reach(&mut command);
    command.arg("load").arg("--deployment").arg(deployment);
    Ok((command, claim))
}
