//! A function as it is deployed.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use crate::common::aws_args::ConnectionArgs;
use crate::common::connection::failed;
use crate::common::connection::{Connection, block_on};
use crate::common::display::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  modstream function modstream-score-comments")]
pub(crate) struct FunctionArgs {
    /// The function's name in Lambda
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: String,
    /// Print one line of JSON, and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl FunctionArgs {
    /// Runs `modstream function`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            let connection = Connection::open(&self.connection).await?;
            let call = connection.lambda(PATIENCE).get_function_configuration().function_name(&self.name);
            let found = Box::pin(call.send()).await.map_err(failed("lambda", "GetFunctionConfiguration"))?;
            let architecture = found.architectures().first().map_or("x86_64", |architecture| architecture.as_str());
            let sha = found.code_sha256().unwrap_or_default();
            let modified = found.last_modified().unwrap_or_default();
            if self.json {
                let line = json!({
                    "name": self.name,
                    "arn": found.function_arn(),
                    "architecture": architecture,
                    "code_sha256": sha,
                    "last_modified": modified,
                    "memory_mb": found.memory_size(),
                    "timeout_seconds": found.timeout(),
                });
                print(&format!("{line}\n"))?;
            } else {
                let (memory, timeout) = (found.memory_size().unwrap_or_default(), found.timeout().unwrap_or_default());
                print(&format!(
                    "{}: {architecture}, {memory} MB, {timeout} s; code of {modified}, SHA-256 {sha}\n",
                    self.name
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
