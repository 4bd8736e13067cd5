//! Programs that the local stack, a deployment, the tests in a browser and the comparison with peers need: found on the machine, or installed into `.local/tools`, pinned.

mod browser;
mod install;
mod node;
mod python;
mod terraform;

use crate::checkout;

pub(crate) use browser::{Chromium, browser_driver};
pub(crate) use install::once;
pub(crate) use node::{clients_in_javascript, kinesis_local, npm, reddit_app};
pub(crate) use python::{Venv, cargo_lambda, clients_in_python, has_peer, local_stack, peer, python, zig};
pub(crate) use terraform::{Providers, providers, terraform};

/// A program that is needed and not here, or not the right one.
#[derive(Debug)]
pub(crate) struct Missing {
    /// The program's name.
    pub(crate) tool: &'static str,
    /// What was found instead.
    pub(crate) found: String,
    /// How to get the program.
    pub(crate) hint: &'static str,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}; {}", self.tool, self.found, self.hint)
    }
}

impl std::error::Error for Missing {}

/// Begins to install what the tests need besides Rust, so that it is there when its step comes.
pub(crate) fn install_in_the_background() {
    std::thread::spawn(|| {
        let log = checkout::local().join("logs/install.log");
        // What fails here fails again in its step, which says why.
        let _ = local_stack(&log);
        let _ = kinesis_local(&log);
        let _ = cargo_lambda(&log);
        if let Ok(chromium) = Chromium::choose() {
            let _ = browser_driver(&chromium, &log);
        }
    });
}

/// The first number of a version such as `v20.11.1` and the second.
fn version(text: &str) -> Option<(u32, u32)> {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(version("Terraform v1.11.4\non linux_amd64"), Some((1, 11)));
        assert_eq!(version("v20.20.2"), Some((20, 20)));
        assert_eq!(version("11.19.1"), Some((11, 19)));
        assert_eq!((version("none"), version("7")), (None, None));
    }
}
