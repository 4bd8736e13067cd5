//! How steps of `cargo xtask test` end.

use serde::{Deserialize, Serialize};

/// How a step ended, or that it has not been run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ended {
    Passed,
    /// Something of the step could not be run here.
    InPart,
    LeftOut,
    Failed,
    NotRun,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.pad(match self {
            Ended::Passed => "passed",
            Ended::InPart => "passed in part",
            Ended::LeftOut => "left out",
            Ended::Failed => "failed",
            Ended::NotRun => "not run",
        })
    }
}

/// Whether `CI` is set: then nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| !ci.is_empty())
}
