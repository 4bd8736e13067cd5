//! A function as it is deployed.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use crate::common::aws_args::ConnectionArgs;
use crate::common::connection::Connection;
use crate::common::display::print;
use crate::common::runtime::block_on;

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

/// How long the call may take.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

impl FunctionArgs {
    /// Runs `modstream function`.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        block_on(async {
            let connection = Connection::open(&self.connection).await?;
            let found = Box::pin(connection.lambda(READ_TIMEOUT)?.function(&self.name)).await?;
            let architecture = found["Architectures"][0].as_str().unwrap_or("x86_64");
            let sha = found["CodeSha256"].as_str().unwrap_or_default();
            let modified = found["LastModified"].as_str().unwrap_or_default();
            if self.json {
                let line = json!({
                    "name": self.name,
                    "arn": found["FunctionArn"],
                    "architecture": architecture,
                    "code_sha256": sha,
                    "last_modified": modified,
                    "memory_mb": found["MemorySize"],
                    "timeout_seconds": found["Timeout"],
                });
                print(&format!("{line}\n"))?;
            } else {
                let (memory, timeout) = (&found["MemorySize"], &found["Timeout"]);
                print(&format!(
                    "{}: {architecture}, {memory} MB, {timeout} s; code of {modified}, SHA-256 {sha}\n",
                    self.name
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
