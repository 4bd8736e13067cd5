//! The Terraform of `infra/`, applied to a stack.
//!
//! Terraform runs on a copy: a backend or variables that a user keeps in `infra/` belong to their own deployment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::package::{Built, architecture};
use crate::stack::{REGION, Stack};
use crate::tools::{providers, terraform};
use crate::{checkout, command};

/// What a deployment is to be like; what is not set is Terraform's default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) policy: Option<String>,
    pub(crate) base_rate: Option<String>,
    pub(crate) model_name: Option<String>,
    /// Other variables, by name.
    pub(crate) others: Vec<(&'static str, Value)>,
}

/// What is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switched {
    /// Nothing: model and corpus are not there yet.
    Off,
    /// The event source mappings.
    Mappings,
    /// Mappings and schedule.
    All,
}

/// The module, on its way to a stack.
pub(crate) struct Infra<'a> {
    stack: &'a Stack,
    folder: PathBuf,
    log: PathBuf,
}

impl<'a> Infra<'a> {
    /// Copies the module and gets its provider.
    pub(crate) fn prepare(stack: &'a Stack) -> anyhow::Result<Self> {
        let infra = Infra { stack, folder: stack.folder().join("infra"), log: stack.log("terraform") };
        let from = checkout::root().join("infra");
        fs::create_dir_all(&infra.folder).with_context(|| format!("{} can't be made", infra.folder.display()))?;
        for entry in fs::read_dir(&from).with_context(|| format!("{} can't be read", from.display()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if (name.ends_with(".tf") && name != "backend.tf" && !name.contains("override"))
                || [".terraform.lock.hcl", "access.json", "indexes.json"].contains(&name.as_str())
            {
                fs::copy(&path, infra.folder.join(&name)).with_context(|| format!("{name} can't be copied"))?;
            }
        }
        let mut init = infra.terraform(&["init", "-input=false", "-no-color", "-lockfile=readonly"])?;
        providers().configure(&mut init)?;
        command::logged(&mut init, &infra.log).context(
            "Terraform can't get the AWS provider: it needs its registry, or a mirror in the folder that TF_PLUGIN_DIR names",
        )?;
        Ok(infra)
    }

    /// Applies the module. What is switched on follows an apply within seconds: Terraform need not look at everything again.
    pub(crate) fn apply(&self, built: &Built, options: &Options, switched: Switched) -> anyhow::Result<()> {
        self.variables(&built.packages, options, switched)?;
        let refresh = if switched == Switched::Off { "-refresh=true" } else { "-refresh=false" };
        let mut apply = self.terraform(&["apply", "-input=false", "-no-color", "-auto-approve", refresh])?;
        apply.arg(VARIABLES);
        command::logged(&mut apply, &self.log)
    }

    /// Fails where another apply would change anything.
    pub(crate) fn check_settled(&self) -> anyhow::Result<()> {
        let mut plan = self.terraform(&["plan", "-input=false", "-no-color", "-detailed-exitcode"])?;
        plan.arg(VARIABLES);
        command::logged(&mut plan, &self.log).context("the plan is not empty")
    }

    /// Fails unless a plan with this variable is refused in these words.
    pub(crate) fn check_refused(&self, variable: &str, words: &str) -> anyhow::Result<()> {
        // What is refused is refused whatever is deployed: looking at all of it would take most of the time.
        let mut plan = self.terraform(&["plan", "-input=false", "-no-color", "-refresh=false", VARIABLES, "-var"])?;
        let error = match command::logged(plan.arg(variable), &self.log) {
            Ok(()) => bail!("{variable} is not refused"),
            Err(error) => format!("{error:#}"),
        };
        // Terraform breaks its lines, with bars in front.
        let said: Vec<&str> = error.split_whitespace().filter(|word| *word != "│").collect();
        ensure!(said.join(" ").contains(words), "{variable} is refused, but not with `{words}`: {error}");
        Ok(())
    }

    /// What the module gave: `terraform output -json`.
    pub(crate) fn outputs(&self) -> anyhow::Result<Outputs> {
        let said = command::captured(&mut self.terraform(&["output", "-json", "-no-color"])?, &self.log)?;
        let file = self.stack.deployment();
        fs::write(&file, &said).with_context(|| format!("{} can't be written", file.display()))?;
        Ok(Outputs { file, json: serde_json::from_str(&said).context("terraform output can't be read")? })
    }

    /// Takes everything down that the module made.
    pub(crate) fn destroy(&self) -> anyhow::Result<()> {
        let mut destroy = self.terraform(&["destroy", "-input=false", "-no-color", "-auto-approve"])?;
        destroy.arg(VARIABLES);
        command::logged(&mut destroy, &self.log)?;
        let left = command::captured(&mut self.terraform(&["state", "list"])?, &self.log)?;
        ensure!(left.trim().is_empty(), "still there after terraform destroy: {left}");
        Ok(())
    }

    fn variables(&self, packages: &Path, options: &Options, switched: Switched) -> anyhow::Result<()> {
        let Options { policy, base_rate, model_name, others } = options;
        let mut variables = json!({
            "endpoint": self.stack.endpoint(),
            "region": REGION,
            "expected_region": REGION,
            "expected_account_id": ACCOUNT,
            "architecture": architecture(),
            "packages": packages,
            "mappings_enabled": switched != Switched::Off,
            "schedule_enabled": switched == Switched::All,
            // A browser has no AWS credentials.
            "desk_access": "signed-link",
            // Nobody but this machine reaches it.
            "front_door_enabled": true,
        });
        let optional = [("policy", policy), ("base_rate", base_rate), ("model_name", model_name)];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            variables[name] = json!(value);
        }
        for (name, value) in others {
            variables[*name] = value.clone();
        }
        let file = self.folder.join("stack.tfvars.json");
        fs::write(&file, serde_json::to_vec_pretty(&variables)?)
            .with_context(|| format!("{} can't be written", file.display()))
    }

    fn terraform(&self, args: &[&str]) -> anyhow::Result<Command> {
        let (program, _) = terraform()?;
        let mut command = Command::new(program);
        self.stack.reach(&mut command);
        command.args(args).current_dir(&self.folder);
        command.env("TF_IN_AUTOMATION", "1").env("CHECKPOINT_DISABLE", "1");
        Ok(command)
    }
}

/// The file of the stack's variables, as Terraform takes it.
const VARIABLES: &str = "-var-file=stack.tfvars.json";
/// The account that LocalStack is.
const ACCOUNT: &str = "000000000000";

/// What a deployment is called.
pub(crate) struct Outputs {
    /// The file that holds `terraform output -json`.
    pub(crate) file: PathBuf,
    json: Value,
}

impl Outputs {
    /// An output that is a text.
    pub(crate) fn text(&self, name: &str) -> anyhow::Result<&str> {
        self.json[name]["value"].as_str().with_context(|| format!("infra/ has no output `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What the provider calls the services of resources and data sources whose types begin so.
    const SERVICES: [(&str, &str); 12] = [
        ("aws_caller_identity", "sts"),
        ("aws_cloudwatch_event_", "events"),
        ("aws_cloudwatch_log_", "cloudwatchlogs"),
        ("aws_cloudwatch_metric_", "cloudwatch"),
        ("aws_dynamodb_", "dynamodb"),
        ("aws_iam_", "iam"),
        ("aws_kinesis_", "kinesis"),
        ("aws_lambda_", "lambda"),
        ("aws_s3_", "s3"),
        ("aws_secretsmanager_", "secretsmanager"),
        ("aws_sns_", "sns"),
        ("aws_sqs_", "sqs"),
    ];
    /// What the provider knows without asking a service.
    const OFFLINE: [&str; 2] = ["aws_partition", "aws_region"];

    #[test]
    fn the_variable_endpoint_is_the_address_of_every_service_that_is_used() {
        let mut used = BTreeSet::new();
        let mut addressed = BTreeSet::new();
        for entry in fs::read_dir(checkout::root().join("infra")).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "tf") {
                continue;
            }
            for line in fs::read_to_string(&path).expect("it reads").lines() {
                let block = line.strip_prefix("resource \"").or_else(|| line.strip_prefix("data \""));
                if let Some((kind, _)) = block.and_then(|rest| rest.split_once('"'))
                    && !OFFLINE.contains(&kind)
                {
                    let service = SERVICES.iter().find(|(beginning, _)| kind.starts_with(beginning));
                    used.insert(service.unwrap_or_else(|| panic!("whose is {kind}? Add it to SERVICES")).1.to_owned());
                }
                if let Some((service, "endpoints.value")) =
                    line.trim().split_once('=').map(|(a, b)| (a.trim(), b.trim()))
                {
                    addressed.insert(service.to_owned());
                }
            }
        }
        assert_eq!(addressed, used);
    }
}
