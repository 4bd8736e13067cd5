//! The step that runs on a local stack of its own: the executor's tests, and the deployed system's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use super::ended::Ended;
use super::settings::Settings;
use super::{browser, fault_counts};
use crate::cargo::Programs;
use crate::infra::{Infra, Options, Outputs, Switched};
use crate::package::{self, Built};
use crate::progress::step;
use crate::stack::{self, Stack, Status};
use crate::tools::{self, Chromium, Missing, Venv};
use crate::{checkout, command, deploy, tested};

/// Runs the tests, or says what they lack.
pub(super) fn run(settings: Settings) -> anyhow::Result<Ended> {
    let missing = missing();
    if !missing.is_empty() {
        for tool in &missing {
            println!("left out, for want of {tool}");
        }
        return Ok(Ended::LeftOut);
    }
    let log = checkout::local().join("logs/install.log");
    let venv = step("LocalStack", || tools::local_stack(&log))?;
    let kinesis_local = step("Kinesis for it", || tools::kinesis_local(&log))?;
    let cargo_lambda = step("cargo lambda", || tools::cargo_lambda(&log))?;
    step("the executor's tests", || executor(&venv))?;
    let programs = step("the tests' programs", || tested::build(&[]))?;
    let built = step("packing functions and command", || package::pack(&programs))?;
    clear_left_over()?;
    let stack = Stack::on(stack::free_port()?);
    let _claim = stack.claim()?;
    stack.mark_for_tests()?;
    let tools = Tools { venv: &venv, kinesis_local: &kinesis_local, cargo_lambda: &cargo_lambda };
    let result = on(&stack, &tools, &programs, &built, settings.comments_per_fault());
    let logs = checkout::local().join("logs/test");
    stack.keep_logs(&logs);
    let ended = step("ending LocalStack", || stack.end());
    match (result, ended) {
        (Ok(()), ended) => ended.map(|_| Ended::Passed),
        (Err(error), Ok(_)) => Err(error.context(format!("the local stack's logs are in {}", logs.display()))),
        (Err(error), Err(left)) => Err(error.context(format!("and the stack can't be ended: {left:#}"))),
    }
}

/// What the tests lack.
fn missing() -> Vec<Missing> {
    let found = [tools::python().err(), tools::npm().err(), tools::terraform().err()];
    found.into_iter().flatten().collect()
}

fn executor(venv: &Venv) -> anyhow::Result<()> {
    let tests = checkout::root().join("infra/local/executor/tests");
    let mut unittest = Command::new(venv.program("python"));
    unittest.args(["-B", "-m", "unittest", "discover", "-s"]).arg(tests);
    command::logged(&mut unittest, &checkout::local().join("logs/executor-tests.log"))
}

/// Signs in at the stack's desk with a browser, and decides there.
fn in_a_browser(stack: &Stack, built: &Built, deployed: &Outputs) -> anyhow::Result<()> {
    let chromium = match Chromium::choose() {
        Ok(chromium) => chromium,
        Err(missing) => {
            println!("left out, for want of {missing}");
            return Ok(());
        }
    };
    let mut link = Command::new(&built.modstream);
    stack.reach(&mut link);
    link.args(["desk-link", "--moderator", "maja", "--desk-url", deployed.text("desk_url")?]);
    link.args(["--link-key-secret", deployed.text("link_key_secret")?]);
    let said = command::captured(&mut link, &stack.log("modstream"))?;
    let link = said.split_whitespace().find(|word| word.starts_with("http")).context("desk-link printed no link")?;
    let mut node = browser::tests(&chromium, &["stack.js"])?;
    node.env("MODSTREAM_TEST_SIGN_IN", link);
    command::logged(&mut node, &checkout::local().join("logs/tests-browser-on-stack.log"))
}

/// Each run takes a port of its own, so nobody else would ever clear what a run left that was killed.
fn clear_left_over() -> anyhow::Result<()> {
    for stack in Stack::all().into_iter().filter(Stack::is_for_tests) {
        if let Ok(_claim) = stack.claim() {
            stack.end()?;
        }
    }
    Ok(())
}

/// Prints what is left of the kinds that no test's client lists, but for what tests made, and the log that LocalStack writes of
/// texts to phones; boto3 comes with LocalStack.
const LIST_LEFT: &str = "
import boto3, os
every = lambda service, call, key, field: [
    item[field] for page in boto3.client(service, region_name=os.environ['AWS_REGION']).get_paginator(call).paginate() for item in page[key]
]
left = [*every('iam', 'list_roles', 'Roles', 'RoleName'),
        *every('logs', 'describe_log_groups', 'logGroups', 'logGroupName'),
        *every('cloudwatch', 'describe_alarms', 'MetricAlarms', 'AlarmName'),
        *every('events', 'list_rules', 'Rules', 'Name'),
        *every('secretsmanager', 'list_secrets', 'SecretList', 'Name')]
print(*(name for name in left if 'modstream-test-' not in name and not name.startswith('sns/')), sep='\\n')
";

fn check_gone(stack: &Stack, venv: &Venv) -> anyhow::Result<()> {
    let mut python = Command::new(venv.program("python"));
    stack.reach(&mut python);
    let said = command::captured(python.args(["-c", LIST_LEFT]), &stack.log("left"))?;
    ensure!(said.trim().is_empty(), "after terraform destroy there is still:\n{said}");
    Ok(())
}

/// Variables of Terraform's, and in which words they are refused.
const REFUSED: [(&str, &str); 8] = [
    ("expected_account_id=123456789012", "set AWS_PROFILE, or correct the variable"),
    ("expected_region=eu-central-1", "set AWS_REGION or `region`, or correct the variable"),
    ("archive_days=0", "archive_days must be a whole number from 1, or null to keep the archive for ever"),
    ("recovery_days=36", "recovery_days must be a whole number from 1 to 35, or null to keep no copies of the table"),
    ("policy=share>=0.1", "policy must be a probability such as 0.8, or precision>=0.9, or share<=0.05"),
    ("front_door_concurrency=-1", "front_door_concurrency must be a whole number from 0 (nobody is answered), or null"),
    (
        "alert_subscriptions=[{protocol=\"email\",endpoint=\"somebody\"}]",
        "the endpoint of email is an address, for example moderators@example.org",
    ),
    (
        "alert_subscriptions=[{protocol=\"https\",endpoint=\"https://Hooks.Slack.com/services/T0/B0/x\"}]",
        "an incoming webhook of Slack, Discord, Teams or another chat can't confirm a subscription",
    ),
];

/// How many sample comments a second the schedule sends: enough to see it fire.
const COMMENTS_PER_SECOND: f64 = 4.0;

/// What is installed for the tests.
struct Tools<'a> {
    venv: &'a Venv,
    kinesis_local: &'a Path,
    cargo_lambda: &'a Venv,
}

/// Runs tests of a module, at least one.
fn run_tests(tests: &mut Command, module: &str) -> anyhow::Result<()> {
    let log = checkout::local().join("logs").join(format!("tests-{module}.log"));
    // The log is of this run alone: it tells how many tests there were.
    let _ = std::fs::remove_file(&log);
    command::logged(tests, &log)?;
    let said = std::fs::read_to_string(&log)?;
    ensure!(said.contains("test result: ok.") && !said.contains(" 0 passed"), "no test has run: {module}");
    Ok(())
}

fn on(stack: &Stack, tools: &Tools<'_>, programs: &Programs, built: &Built, comments: u32) -> anyhow::Result<()> {
    // All entries of such a call fail, or the call does.
    let faults = [("KINESIS_ERROR_PROBABILITY", "0.3")];
    step("starting LocalStack", || stack.start_with(tools.venv, tools.kinesis_local, &faults))?;
    step("tests: the laws of tables over DynamoDB", || {
        let mut tests = Command::new(programs.test("dynamodb")?);
        run_tests(tests.env("MODSTREAM_TEST_DYNAMODB", stack.endpoint()), "dynamodb")
    })?;
    let infra = step("Terraform and its provider", || Infra::prepare(stack))?;
    let subscription = json!({
        "protocol": "sqs",
        "endpoint": "arn:aws:sqs:us-east-1:000000000000:modstream-test-science",
        "subreddits": ["science"],
        "severities": ["high"],
    });
    let options = Options {
        policy: Some("0.7".to_owned()),
        others: vec![("alert_subscriptions", json!([subscription])), ("rate", json!(COMMENTS_PER_SECOND))],
        ..Options::default()
    };
    let apply = |switched| infra.apply(built, &options, switched);
    step("applying infra/", || apply(Switched::Off))?;
    step("its plan is empty", || infra.check_settled())?;
    step("what is refused before anything changes", || {
        for (variable, words) in REFUSED {
            infra.check_refused(variable, words)?;
        }
        Ok(())
    })?;
    let deployed = infra.outputs()?;
    let counts = stack.folder().join("counts.jsonl");
    let several = |name: &str, module: &str, threads: &str| {
        step(name, || {
            let mut tests = Command::new(programs.test("localstack")?);
            tests.args(["--ignored", "--test-threads", threads, module]);
            tests.env("MODSTREAM_TEST_ENDPOINT", stack.endpoint());
            tests.env("MODSTREAM_TEST_DEPLOYMENT", &deployed.file);
            tests.env("MODSTREAM_TEST_COMMAND", &built.modstream);
            tests.env("MODSTREAM_TEST_CARGO_LAMBDA", tools.cargo_lambda.program("cargo-lambda"));
            tests.env("MODSTREAM_TEST_PACKAGES", &built.packages);
            tests.env("MODSTREAM_TEST_COMMENTS", comments.to_string());
            tests.env("MODSTREAM_TEST_COUNTS", &counts);
            run_tests(&mut tests, module)
        })
    };
    let tests = |name: &str, module: &str| several(name, module, "1");
    tests("tests: before there is a model", "a_before_model")?;
    let bucket = deployed.text("bucket")?;
    step("model and corpus into the bucket", || {
        for args in [&["model", "push", "--promote"][..], &["corpus", "push"][..]] {
            let mut modstream = Command::new(&built.modstream);
            stack.reach(&mut modstream);
            command::logged(modstream.args(args).args(["--bucket", bucket]), &stack.log("modstream"))?;
        }
        Ok(())
    })?;
    step("mappings on", || apply(Switched::Mappings))?;
    tests("tests: mappings on", "b_running")?;
    tests("tests: the front door", "b_asked")?;
    tests("tests: digests and decisions", "b_decided")?;
    tests("tests: policies, budgets, the breaker, what is learned", "b_moderated")?;
    step("tests: the desk in a browser", || in_a_browser(stack, built, &deployed))?;
    // The faults wait most of their time, each in a world of its own. With many comments they would wait for one Kinesis.
    let threads = if comments > 1_000 { "1" } else { "8" };
    several(&format!("tests: faults, {comments} comments each"), "b_faults", threads)?;
    fault_counts::print(&counts)?;
    deploy::to_stack(stack, built).context("cargo xtask deploy")?;
    step("the plan after it is empty", || infra.check_settled())?;
    step("schedule on", || apply(Switched::All))?;
    tests("tests: schedule on", "c_scheduled")?;
    step("schedule off", || apply(Switched::Mappings))?;
    tests("tests: what all of it left behind", "d_kept")?;
    step("terraform destroy", || infra.destroy())?;
    tests("tests: destroyed", "e_destroyed")?;
    step("roles, log groups, alarms and rules are gone", || check_gone(stack, tools.venv))?;
    if let Status::Up(_) = stack.status() {
        return Ok(());
    }
    bail!("LocalStack ended before the tests did")
}
