//! `cargo xtask up | down | demo`: the system on LocalStack.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::infra::{Infra, Options, Outputs, Switched};
use crate::package::{self, Built};
use crate::progress::step;
use crate::stack::{Stack, Status};
use crate::{cargo, checkout, command, deploy, interrupt, tested, tools};

/// Where a stack listens.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Port {
    /// The port that LocalStack listens on, at 127.0.0.1
    #[arg(long, value_name = "PORT", default_value_t = 4566, value_parser = clap::value_parser!(u16).range(1024..))]
    port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    port: Port,
    #[command(flatten)]
    system: SystemArgs,
}

/// How the system is set up.
#[derive(Clone, Debug, Args)]
struct SystemArgs {
    /// Which comments alert: a probability (`0.8`), or `precision>=0.9`, or `share<=0.05`
    #[arg(long, value_name = "POLICY", default_value = "0.7")]
    policy: String,
    /// The folder of a model [default: the one that the command carries]
    #[arg(long, value_name = "DIR")]
    model: Option<std::path::PathBuf>,
    /// The share of your comments that moderators remove [default: the training data's]
    #[arg(long, value_name = "SHARE")]
    base_rate: Option<String>,
    /// With functions and command as `cargo xtask test` built them
    #[arg(long, hide = true)]
    as_tested: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask demo                                      ten comments a second, alerts as they come
  cargo xtask demo --comments 600 --json --port 4810    a minute of them, one line of JSON
  cargo xtask demo --input my.jsonl --policy 'precision>=0.7' --base-rate 0.05")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    port: Port,
    #[command(flatten)]
    system: SystemArgs,
    /// Comments: CSV with a column `body`, or JSON Lines; plain, gzip or zstd [default: sample comments]
    #[arg(long, value_name = "FILE")]
    input: Option<std::path::PathBuf>,
    /// How many comments to send; rows repeat where the file has fewer [default: 300, of a file every row]
    #[arg(long, value_name = "N")]
    comments: Option<u64>,
    /// Comments a second
    #[arg(long, value_name = "N", conflicts_with = "fast")]
    rate: Option<String>,
    /// As fast as it goes
    #[arg(long)]
    fast: bool,
    /// Print one line of JSON at the end, and nothing else on standard output
    #[arg(long)]
    json: bool,
    /// Leave everything up at the end; `cargo xtask down` ends it
    #[arg(long)]
    keep: bool,
}

/// Sets the system up and leaves it running, mappings and schedule on.
pub(crate) fn up(args: &UpArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::on(args.port.port);
    let _claim = stack.claim()?;
    let running = stack.status();
    let result: anyhow::Result<(Outputs, String)> = (|| {
        let system = System::build(&stack, &args.system)?;
        let deployed = if let Status::Up(pid) = running {
            eprintln!("a stack is up on port {} already (process {pid}): it is brought up to date", stack.port());
            system.apply(Switched::All)?
        } else {
            start(&stack)?;
            system.apply(Switched::Off)?
        };
        step("sample comments into the bucket", || {
            system.modstream(&[
                "corpus",
                "push",
                "--bucket",
                deployed.text("bucket")?,
                "--key",
                deployed.text("corpus_key")?,
            ])
        })?;
        if let Status::Up(_) = running {
            // Terraform leaves code alone.
            deploy::to_stack(&stack, &system.built)?;
        } else {
            step("mappings and schedule on", || system.infra()?.apply(&system.built, &system.options, Switched::All))?;
        }
        let desk = system.desk_link(&deployed)?;
        Ok((deployed, desk))
    })();
    match result {
        Ok((deployed, desk)) => {
            let (port, endpoint) = (stack.port(), stack.endpoint());
            println!("modstream is up at {endpoint}: comments come by the minute; alerts where {}", args.system.policy);
            println!("\n  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_ENDPOINT_URL={endpoint}");
            for line in deployed.text("environment")?.lines() {
                println!("  {line}");
            }
            println!("  {} tail alerts\n", built_command()?.display());
            println!("{}", desk_line(&desk));
            println!("cargo xtask down --port {port} ends it");
            Ok(ExitCode::SUCCESS)
        }
        // What was running before stays.
        Err(error) if matches!(running, Status::Up(_)) => {
            Err(error.context("the stack is up, and not all of it is up to date: run `cargo xtask up` again"))
        }
        Err(error) => Err(ended(&stack, error)),
    }
}

fn desk_line(link: &str) -> String {
    format!("the desk, this link signs in once: {link}")
}

/// The command `modstream` that was built for stacks.
fn built_command() -> anyhow::Result<std::path::PathBuf> {
    Ok(cargo::target()?.join("packages/modstream"))
}

/// Ends a stack.
pub(crate) fn down(args: Port) -> anyhow::Result<ExitCode> {
    let stack = Stack::on(args.port);
    let _claim = stack.claim()?;
    let status = stack.status();
    if status == Status::Down {
        let others: Vec<String> = Stack::all().iter().map(|stack| stack.port().to_string()).collect();
        let hint = if others.is_empty() {
            "there is none of this checkout".to_owned()
        } else {
            format!("this checkout has one on port {}", others.join(" and "))
        };
        println!("no stack on port {}; {hint}", stack.port());
        return Ok(ExitCode::SUCCESS);
    }
    let ran = step("ending LocalStack", || stack.end())?;
    println!(
        "{} port {}",
        if ran { "ended the stack on" } else { "removed what a stack left behind of" },
        stack.port()
    );
    Ok(ExitCode::SUCCESS)
}

/// Sets the system up, sends comments through it, shows the alerts, and takes it all down.
pub(crate) fn demo(args: &DemoArgs) -> ExitCode {
    match run_demo(args) {
        Ok(status) => status,
        Err(error) if args.json => {
            println!("{}", serde_json::json!({ "error": one_line(&format!("{error:#}")) }));
            status_of(&error)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            status_of(&error)
        }
    }
}

fn status_of(error: &anyhow::Error) -> ExitCode {
    if error.is::<interrupt::Interrupted>() { ExitCode::from(130) } else { ExitCode::FAILURE }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn run_demo(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let stack = Stack::on(args.port.port);
    let _claim = stack.claim()?;
    if let Status::Up(pid) = stack.status() {
        let port = stack.port();
        bail!(
            "a stack is up on port {port} already (process {pid}): end it with `cargo xtask down --port {port}`, or choose \
             another port with --port"
        );
    }
    stack.check_port()?;
    let result = (|| {
        let system = System::build(&stack, &args.system)?;
        step("the same in memory", || system.rehearse(args))?;
        start(&stack)?;
        let deployed = system.apply(Switched::Off)?;
        step("mappings on", || system.infra()?.apply(&system.built, &system.options, Switched::Mappings))?;
        // Before the demo: what it says at its end is the last of standard output.
        let desk = if args.keep { Some(system.desk_link(&deployed)?) } else { None };
        Ok((system.demo(args, &deployed)?, desk))
    })();
    match result {
        Ok((status, Some(desk))) => {
            let (port, endpoint) = (stack.port(), stack.endpoint());
            eprintln!("{}", desk_line(&desk));
            eprintln!(
                "left up at {endpoint} (region us-east-1, keys test/test): cargo xtask down --port {port} ends it"
            );
            Ok(status)
        }
        Ok((status, None)) => {
            if status != ExitCode::SUCCESS {
                let logs = logs_of(&stack);
                stack.keep_logs(&logs);
                eprintln!("the stack's logs are in {}", logs.display());
            }
            // The demo has said its line: whatever comes now goes beside it.
            if let Err(left) = step("ending LocalStack", || stack.end()) {
                eprintln!("error: the stack can't be ended: {left:#}");
                return Ok(ExitCode::FAILURE);
            }
            Ok(status)
        }
        Err(error) => Err(ended(&stack, error)),
    }
}

/// Where a stack's logs stay when it is gone.
fn logs_of(stack: &Stack) -> std::path::PathBuf {
    checkout::local().join("logs").join(stack.port().to_string())
}

/// Ends a stack whose setting up failed; the logs go to `.local/logs`, where the error says they are.
fn ended(stack: &Stack, error: anyhow::Error) -> anyhow::Error {
    let logs = logs_of(stack);
    let kept = stack.keep_logs(&logs);
    match stack.end() {
        Ok(_) if error.is::<interrupt::Interrupted>() => error,
        Ok(_) if kept => {
            let text = format!("{error:#}")
                .replace(&*stack.log("").parent().unwrap_or(&logs).to_string_lossy(), &logs.to_string_lossy());
            anyhow::anyhow!("{text}\n(nothing of it is left running; its logs are in {})", logs.display())
        }
        Ok(_) => error,
        Err(left) => error.context(format!("and the stack can't be ended: {left:#}")),
    }
}

fn start(stack: &Stack) -> anyhow::Result<()> {
    if stack.status() == Status::LeftOver {
        step("removing what an earlier stack left behind", || stack.end())?;
    }
    stack.check_port()?;
    let log = checkout::local().join("logs/install.log");
    let venv = step("LocalStack", || tools::local_stack(&log))?;
    let kinesis_local = step("Kinesis for it", || tools::kinesis_local(&log))?;
    step(&format!("starting LocalStack on port {}", stack.port()), || stack.start(&venv, &kinesis_local))
}

/// The system, built, on its way to a stack.
struct System<'a> {
    stack: &'a Stack,
    args: &'a SystemArgs,
    built: Built,
    options: Options,
}

impl<'a> System<'a> {
    fn build(stack: &'a Stack, args: &'a SystemArgs) -> anyhow::Result<Self> {
        // What is missing is said before minutes of building.
        tools::terraform()?;
        tools::python()?;
        tools::npm()?;
        let options = Options {
            policy: Some(args.policy.clone()),
            base_rate: args.base_rate.clone(),
            model_name: args.model.as_deref().map(model_name).transpose()?,
            ..Options::default()
        };
        let log = checkout::local().join("logs/build.log");
        let built = step("building functions and command", || {
            if args.as_tested { package::pack(&tested::build(&[])?) } else { package::build(&log) }
        })?;
        Ok(System { stack, args, built, options })
    }

    fn infra(&self) -> anyhow::Result<Infra<'a>> {
        Infra::prepare(self.stack)
    }

    /// Provisions everything, and brings the model.
    fn apply(&self, switched: Switched) -> anyhow::Result<Outputs> {
        let infra = step("Terraform and its provider", || self.infra())?;
        step("applying infra/", || infra.apply(&self.built, &self.options, switched))?;
        let deployed = infra.outputs()?;
        step("models into the bucket", || {
            let mut push = vec!["model", "push", "--promote", "--bucket", deployed.text("bucket")?];
            let folder = self.args.model.as_deref().map(|folder| folder.to_string_lossy().into_owned());
            push.extend(folder.as_deref());
            self.modstream(&push)?;
            self.modstream(&["model", "push", "harm", "--promote", "--bucket", deployed.text("bucket")?])
        })?;
        Ok(deployed)
    }

    fn modstream(&self, args: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.built.modstream);
        self.stack.reach(&mut command);
        command::logged(command.args(args), &self.stack.log("modstream"))
    }

    /// A link that signs in at the desk.
    fn desk_link(&self, deployed: &Outputs) -> anyhow::Result<String> {
        let mut command = Command::new(&self.built.modstream);
        self.stack.reach(&mut command);
        command.args(["desk-link", "--moderator", "you", "--desk-url", deployed.text("desk_url")?]);
        command.args(["--link-key-secret", deployed.text("link_key_secret")?]);
        Ok(command::captured(&mut command, &self.stack.log("modstream"))?.trim().to_owned())
    }

    /// Runs the demo in memory: it finds what is wrong with input, policy or model in a moment.
    fn rehearse(&self, args: &DemoArgs) -> anyhow::Result<()> {
        let mut command = Command::new(&self.built.modstream);
        command.args(self.demo_args(args)).args(["--fast", "--json"]);
        let log = checkout::local().join("logs/rehearsal.log");
        let said = command::captured(&mut command, &log);
        said.map(drop).map_err(|error| command::said_in_json(error, &log))
    }

    fn demo(&self, args: &DemoArgs, deployed: &Outputs) -> anyhow::Result<ExitCode> {
        let mut command = Command::new(&self.built.modstream);
        self.stack.reach(&mut command);
        command.args(self.demo_args(args)).arg("--deployment").arg(&deployed.file);
        if let Some(rate) = &args.rate {
            command.args(["--rate", rate]);
        }
        for (given, flag) in [(args.fast, "--fast"), (args.json, "--json"), (args.keep, "--keep-queue")] {
            if given {
                command.arg(flag);
            }
        }
        let status = command::shown(&mut command)?;
        Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// The options that the demo takes in memory as well.
    fn demo_args(&self, args: &DemoArgs) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["demo".into(), "--policy".into(), self.args.policy.clone().into()];
        let mut option = |name: &str, value: Option<OsString>| {
            if let Some(value) = value {
                all.extend([name.into(), value]);
            }
        };
        option("--input", args.input.clone().map(Into::into));
        option("--comments", args.comments.map(|comments| comments.to_string().into()));
        option("--model", self.args.model.clone().map(Into::into));
        option("--base-rate", self.args.base_rate.clone().map(Into::into));
        all
    }
}

/// The name in a model's manifest.
fn model_name(folder: &std::path::Path) -> anyhow::Result<String> {
    let path = folder.join("manifest.json");
    let bytes = std::fs::read(&path)
        .with_context(|| format!("{} can't be read: --model takes the folder of a model", path.display()))?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))?;
    manifest["name"].as_str().map(str::to_owned).with_context(|| format!("{} names no model", path.display()))
}
