//! The workflows run every step of `cargo xtask test`, by names that there are.

use std::collections::BTreeSet;
use std::fs;

use clap::{CommandFactory as _, Parser as _};

use crate::{Xtask, checkout};

/// The lines that jobs run.
fn commands() -> Vec<String> {
    let path = checkout::root().join(".github/workflows/ci.yml");
    let text = fs::read_to_string(path).expect("the workflow can be read");
    text.lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("run: "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_step_of_the_tests_is_run_by_a_job() {
    let run: Vec<String> = commands().into_iter().filter(|line| line.starts_with("cargo xtask ")).collect();
    for line in &run {
        if let Err(error) = Xtask::try_parse_from(line.split_whitespace().skip(1)) {
            panic!("{line}: {error}");
        }
    }
    let steps = run.iter().filter_map(|line| line.strip_prefix("cargo xtask test "));
    let named: BTreeSet<&str> = steps.flat_map(str::split_whitespace).collect();
    let xtask = Xtask::command();
    let test = xtask.find_subcommand("test").expect("`test` is a command");
    let argument = test.get_arguments().find(|argument| argument.get_id() == "steps").expect("`test` takes steps");
    let there_are = argument.get_possible_values();
    let there_are: BTreeSet<&str> = there_are.iter().map(clap::builder::PossibleValue::get_name).collect();
    assert_eq!(named, there_are);
}
