//! Command lines that can be read and make no sense.

/// A command line that makes no sense. The command ends with status 2, as where the line can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

impl Usage {
    /// An error that says what is wrong and what to write instead.
    pub(crate) fn error(text: impl Into<String>) -> anyhow::Error {
        Usage(text.into()).into()
    }
}

/// The line that tells a shell everything about a system that Terraform has deployed.
#[cfg(feature = "aws")]
pub(crate) const SETUP: &str = "eval \"$(terraform -chdir=infra output -raw environment)\"";

/// What to do where the shell does not know the system.
#[cfg(feature = "aws")]
pub(crate) fn set_up(variable: &str) -> String {
    format!("{variable} is not set in this shell; this line sets all that commands need: {SETUP}")
}
