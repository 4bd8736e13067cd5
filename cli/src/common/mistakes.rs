//! What is said of a command line that can't be read, where clap alone does not know what to do about it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The commands that a build without AWS lacks, with the command that they stand below.
pub(crate) const ONLY_WITH_AWS: [&str; 22] = [
    "backup",
    "breaker",
    "corpus",
    "decide",
    "decisions",
    "desk-link",
    "feedback",
    "forget",
    "function",
    "ingest",
    "key",
    "model list",
    "model promote",
    "model push",
    "policy push",
    "policy show",
    "probe",
    "redrive",
    "send",
    "serve",
    "subscribe",
    "tail",
];

/// The options of other commands that a build without AWS lacks.
pub(crate) const OPTIONS_ONLY_WITH_AWS: [&str; 13] = [
    "--bucket",
    "--comments-stream",
    "--data",
    "--deployment",
    "--endpoint-url",
    "--from",
    "--keep-queue",
    "--profile",
    "--region",
    "--replace-corpus",
    "--stream",
    "--table",
    "--to",
];

/// What this build lacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lacks {
    commands: &'static [&'static str],
    options: &'static [&'static str],
}

impl Lacks {
    /// What a build without AWS lacks.
    const AWS: Lacks = Lacks { commands: &ONLY_WITH_AWS, options: &OPTIONS_ONLY_WITH_AWS };
    const NOTHING: Lacks = Lacks { commands: &[], options: &[] };
    /// What this build lacks.
    pub(crate) const THIS_BUILD: Lacks = if cfg!(feature = "aws") { Lacks::NOTHING } else { Lacks::AWS };
}

/// The error with what to do about it.
pub(crate) fn explained(
    error: clap::Error,
    command_line: &clap::Command,
    args: &[OsString],
    lacks: Lacks,
) -> clap::Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => lacking_command(&error, command_line, args, lacks).unwrap_or(error),
        ErrorKind::UnknownArgument => lacking_option(&error, lacks).unwrap_or(error),
        ErrorKind::MissingRequiredArgument => with_setup(error, command_line, args),
        _ => error,
    }
}

fn lacking_command(
    error: &clap::Error,
    command_line: &clap::Command,
    args: &[OsString],
    lacks: Lacks,
) -> Option<clap::Error> {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let (_, above) = leaf(command_line, args);
    let path = if above.is_empty() { name.clone() } else { format!("{above} {name}") };
    lacks.commands.contains(&path.as_str()).then(|| lacking(&format!("the command `{path}`")))
}

fn lacking_option(error: &clap::Error, lacks: Lacks) -> Option<clap::Error> {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidArg) else { return None };
    lacks.options.contains(&name.as_str()).then(|| lacking(&format!("the option `{name}`")))
}

fn lacking(what: &str) -> clap::Error {
    let text = format!(
        "this build of modstream lacks {what}, since it was built without AWS (--no-default-features).\n\n  To build it with \
         AWS: `cargo build --release`, or `cargo install --path cli`\n"
    );
    clap::Error::raw(ErrorKind::InvalidSubcommand, text)
}

/// Says, where something is missing that a system's environment holds, how a shell gets it.
#[cfg(feature = "aws")]
fn with_setup(mut error: clap::Error, command_line: &clap::Command, args: &[OsString]) -> clap::Error {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return error };
    let (command, _) = leaf(command_line, args);
    let variable = |missing: &String| {
        let long = missing.strip_prefix("--")?.split([' ', '=']).next()?;
        let arg = command.get_arguments().find(|arg| arg.get_long() == Some(long))?;
        Some(arg.get_env()?.to_string_lossy().into_owned())
    };
    let variables: Vec<String> = missing.iter().filter_map(variable).collect();
    if let Some(variables) = (!variables.is_empty()).then(|| variables.join(", ")) {
        let tip = super::usage::set_up(&variables).into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

#[cfg(not(feature = "aws"))]
fn with_setup(error: clap::Error, _: &clap::Command, _: &[OsString]) -> clap::Error {
    error
}

/// The command that is named last on a command line, and its path below `modstream`.
fn leaf<'a>(command_line: &'a clap::Command, args: &[OsString]) -> (&'a clap::Command, String) {
    let (mut command, mut path) = (command_line, Vec::new());
    for arg in args.iter().skip(1) {
        let Some(below) = command.find_subcommand(arg) else { break };
        command = below;
        path.push(below.get_name());
    }
    (command, path.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &[&str], lacks: Lacks) -> (String, i32) {
        let command_line = clap::Command::new("modstream")
            .subcommand_required(true)
            .subcommand(clap::Command::new("demo"))
            .subcommand(clap::Command::new("model").subcommand(clap::Command::new("thresholds")));
        let args: Vec<OsString> = ["modstream"].iter().chain(args).map(OsString::from).collect();
        let error = command_line.clone().try_get_matches_from(&args).expect_err("not understood");
        let error = explained(error, &command_line, &args, lacks);
        (error.to_string(), error.exit_code())
    }

    #[test]
    fn a_build_without_aws_says_what_it_lacks_and_how_to_get_it() {
        for (args, what) in [
            (&["send", "--input", "x"][..], "the command `send`"),
            (&["model", "push"], "the command `model push`"),
            (&["demo", "--deployment", "x"], "the option `--deployment`"),
        ] {
            let (text, status) = said(args, Lacks::AWS);
            for part in [what, "without AWS", "cargo build --release", "cargo install --path cli"] {
                assert!(text.contains(part), "{part} is missing in {text}");
            }
            assert_eq!(status, 2);
        }
    }

    #[test]
    fn what_no_build_has_is_left_to_clap() {
        for args in [&["sendd"][..], &["model", "sned"], &["demo", "--deploy", "x"]] {
            assert_eq!(said(args, Lacks::AWS), said(args, Lacks::NOTHING), "{args:?}");
        }
        let (text, status) = said(&["send"], Lacks::NOTHING);
        assert!(!text.contains("without AWS") && status == 2, "{text}");
    }
}
