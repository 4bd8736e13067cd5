//! The documentation's pages and its examples, of crates as the tests built them.
//!
//! `cargo doc` would first check every dependency anew, which takes as long as a third of the tests' build. `cargo test --doc`
//! hands rustdoc what is built already, so this program stands in as cargo's rustdoc: it has rustdoc make a crate's pages before
//! rustdoc tests the crate's examples.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

use crate::{cargo, tested};

/// Where the pages go: the variable by which this program knows that it stands in for rustdoc.
const PAGES: &str = "MODSTREAM_XTASK_PAGES";

/// Makes the pages, fails on a warning of rustdoc's, and runs the examples.
pub(super) fn make_and_test() -> anyhow::Result<()> {
    let pages = cargo::target()?.join("doc");
    let this = std::env::current_exe().context("this program's own path")?;
    let mut cargo = cargo::command(&[&["test", "--doc", "--quiet"], &tested::SELECTION[..]].concat());
    cargo.envs(tested::ENVIRONMENT).env("RUSTDOC", this).env(PAGES, &pages);
    let status = crate::command::shown(&mut cargo)?;
    crate::interrupt::check()?;
    ensure!(status.success(), "rustdoc failed ({status}); to repeat it: cargo xtask test documentation");
    println!("the pages are in {}", pages.display());
    Ok(())
}

/// Where cargo calls this program as its rustdoc: does as rustdoc does, after the pages where examples are tested.
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    let pages = std::env::var_os(PAGES)?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut runs = vec![args.clone()];
    if let Some(args) = for_pages(&args, &pages) {
        runs.insert(0, args);
    }
    for args in runs {
        match Command::new("rustdoc").args(args).status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Some(
                    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
                );
            }
            Err(error) => {
                eprintln!("error: rustdoc can't be run: {error}");
                return Some(ExitCode::FAILURE);
            }
        }
    }
    Some(ExitCode::SUCCESS)
}

/// The arguments that make a crate's pages, from those that test its examples.
fn for_pages(args: &[OsString], pages: &OsStr) -> Option<Vec<OsString>> {
    args.iter().find(|arg| *arg == "--test")?;
    let mut all = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--test" | "--no-run" | "--nocapture") => {}
            // With a value.
            Some("--test-run-directory" | "--test-args" | "--test-runtool" | "--test-runtool-arg") => drop(args.next()),
            _ => all.push(arg.clone()),
        }
    }
    all.extend(["-D".into(), "warnings".into(), "--out-dir".into(), pages.into()]);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_made_from_what_the_examples_are_tested_with() {
        let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let tested =
            args("--crate-name a --test src/lib.rs --test-run-directory /a --extern b=b.rlib --test-args --quiet");
        let pages = for_pages(&tested, OsStr::new("/doc")).expect("a crate");
        assert_eq!(pages, args("--crate-name a src/lib.rs --extern b=b.rlib -D warnings --out-dir /doc"));
        assert_eq!(for_pages(&args("-vV"), OsStr::new("/doc")), None);
    }
}
