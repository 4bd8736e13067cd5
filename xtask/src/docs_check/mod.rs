//! `cargo xtask docs-check`: what the documents show is what the commands print, and what they name is there.

mod commands;
mod compare;
mod document;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use similar::TextDiff;

use self::commands::{Checked, Invocation, Modstream, Place, invocations, xtask_understands};
use self::document::{Block, Document, Example, Mention};
use crate::checkout;

/// The README is read by everybody, and this long at most.
const MAX_README_BYTES: usize = 9_000;
/// What a block may be: `console` is a command with its output, and run.
const LANGUAGES: [&str; 8] = ["console", "sh", "text", "toml", "hcl", "json", "csv", "rust"];

#[derive(Debug, Default, Args)]
pub(crate) struct DocsCheckArgs {
    /// Write what the commands print into the documents
    #[arg(long)]
    write: bool,
    /// These documents alone [default: all]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What a document is checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Says what is: everything is checked.
    Present,
    /// Says what was, as decisions and a change log do: links alone.
    Past,
}

impl Kind {
    fn of(file: &str) -> Self {
        let is_past = (file.starts_with("docs/decisions/") && file != "docs/decisions/README.md")
            || file.ends_with("CHANGELOG.md")
            || file.starts_with("models/");
        if is_past { Kind::Past } else { Kind::Present }
    }
}

/// The programs whose commands documents show.
struct Programs<'a> {
    modstream: &'a Modstream,
    xtask: &'a clap::Command,
}

/// What was found in all documents.
#[derive(Default)]
struct Found {
    problems: Vec<String>,
    /// How many commands were run.
    run: usize,
    /// How many blocks were not run, by reason.
    not_run: BTreeMap<String, usize>,
    /// How many command lines were checked, and how many need a build that is not there.
    understood: usize,
    unknown: usize,
    links: usize,
    paths: usize,
    measured: usize,
    written: Vec<String>,
}

impl Found {
    fn problem(&mut self, file: &str, line: usize, problem: impl std::fmt::Display) {
        self.problems.push(format!("{file}:{line}: {problem}"));
    }
}

/// Checks the documents, which name commands of `xtask`, this command line.
pub(crate) fn run(args: &DocsCheckArgs, xtask: &clap::Command) -> anyhow::Result<()> {
    let root = checkout::root();
    let modstream = Modstream::build()?;
    let programs = Programs { modstream: &modstream, xtask };
    let tracked = tracked(&root)?;
    let mut found = Found::default();
    for file in &tracked {
        let is_asked = args.files.is_empty() || args.files.iter().any(|asked| asked.as_path() == Path::new(file));
        if file.ends_with(".md") && is_asked {
            let source = std::fs::read_to_string(root.join(file)).with_context(|| file.clone())?;
            if let Some(corrected) = check(file, &source, &tracked, &programs, args.write, &mut found)? {
                std::fs::write(root.join(file), corrected).with_context(|| file.clone())?;
                found.written.push(file.clone());
            }
        }
    }
    tell(&found, &modstream);
    ensure!(found.problems.is_empty(), "{} of the documents' statements do not hold", found.problems.len());
    Ok(())
}

/// What git has, and what it would take.
fn tracked(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().context("git can't be started")?;
    ensure!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let files = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    // What was removed and not committed is no file any more.
    Ok(files.into_iter().filter(|file| root.join(file).exists()).collect())
}

fn tell(found: &Found, modstream: &Modstream) {
    for problem in &found.problems {
        println!("{problem}");
    }
    println!("{} commands run, their output compared", found.run);
    for (reason, blocks) in &found.not_run {
        println!("{blocks} blocks not run: {reason}");
    }
    println!("{} command lines understood, {} links and {} paths there", found.understood, found.links, found.paths);
    match modstream.full() {
        Some(file) => println!("the build with all commands is {}", file.display()),
        None if found.unknown == 0 => {}
        None => println!("{} command lines not checked: they need the build with AWS (`cargo build`)", found.unknown),
    }
    println!("{} places with numbers that were measured once, not checked", found.measured);
    for file in &found.written {
        println!("{file}: written");
    }
}

/// Checks a document, and returns what it should be where it was to be written and differs.
fn check(
    file: &str,
    source: &str,
    tracked: &[String],
    programs: &Programs<'_>,
    write: bool,
    found: &mut Found,
) -> anyhow::Result<Option<String>> {
    let document = Document::parse(source);
    for link in &document.links {
        check_link(file, source, link, found)?;
    }
    if Kind::of(file) == Kind::Past {
        return Ok(None);
    }
    if file == "README.md" && source.len() > MAX_README_BYTES {
        found.problem(file, 1, format_args!("{} bytes; it has room for {MAX_README_BYTES}", source.len()));
    }
    for Mention { line, text } in &document.measured {
        found.measured += 1;
        if !has_date(text) {
            found.problem(file, *line, "measured when? A date is missing");
        }
    }
    for code in &document.code {
        check_path(file, code, tracked, found)?;
        check_lines(file, code.line, &code.text, programs, found);
    }
    let place = Place::new(programs.modstream)?;
    let mut corrected = String::new();
    let mut kept = 0;
    for block in &document.blocks {
        if let Some(text) = check_block(file, block, programs, &place, write, found)? {
            corrected.push_str(&source[kept..block.range.start]);
            corrected.push_str(&text);
            kept = block.range.end;
        }
    }
    corrected.push_str(&source[kept..]);
    Ok((corrected != source).then_some(corrected))
}

fn check_block(
    file: &str,
    block: &Block,
    programs: &Programs<'_>,
    place: &Place,
    write: bool,
    found: &mut Found,
) -> anyhow::Result<Option<String>> {
    match block.language.as_str() {
        "console" => {}
        "sh" => {
            check_lines(file, block.line, &block.text, programs, found);
            return Ok(None);
        }
        "" => {
            found.problem(file, block.line, format_args!("a block of what? One of {}", LANGUAGES.join(", ")));
            return Ok(None);
        }
        language if LANGUAGES.contains(&language) => return Ok(None),
        language => {
            found.problem(file, block.line, format_args!("{language} is none of {}", LANGUAGES.join(", ")));
            return Ok(None);
        }
    }
    let examples = match block.examples() {
        Ok(examples) => examples,
        Err(problem) => {
            found.problem(file, block.line, problem);
            return Ok(None);
        }
    };
    if let Some(reason) = &block.not_run {
        *found.not_run.entry(reason.clone()).or_default() += 1;
        for example in &examples {
            check_lines(file, example.line, &example.command, programs, found);
        }
        return Ok(None);
    }
    let mut text = String::new();
    for Example { command, line, output } in &examples {
        writeln!(text, "$ {command}")?;
        let mut lines = output.clone();
        if Place::runs(command) {
            found.run += 1;
            let printed = place.run(command, output.len()).with_context(|| format!("{file}:{line}: {command}"))?;
            let printed: Vec<&str> = printed.iter().map(String::as_str).collect();
            if !compare::agrees(output, &printed) {
                match compare::corrected(output, &printed) {
                    Some(corrected) if write => lines = corrected,
                    // With its elisions: only what is wrong is shown.
                    Some(corrected) => {
                        found.problem(file, *line, format_args!("{command} prints:\n{}", diff(output, &corrected)));
                    }
                    None => {
                        let said = diff(output, &printed);
                        let how = "a line between elisions is gone, mend it by hand";
                        found.problem(file, *line, format_args!("{command} prints ({how}):\n{said}"));
                    }
                }
            }
        } else {
            found.problem(file, *line, format_args!("`{command}` is not run: say why, `<!-- not run: ... -->`"));
        }
        for line in lines {
            writeln!(text, "{line}")?;
        }
    }
    Ok((write && text != block.text).then_some(text))
}

fn diff<T: std::borrow::Borrow<str>>(shown: &[String], printed: &[T]) -> String {
    let (shown, printed) = (shown.join("\n"), printed.join("\n"));
    let diff = TextDiff::from_lines(shown.trim_end(), printed.trim_end());
    diff.unified_diff().header("shown", "printed").missing_newline_hint(false).to_string()
}

/// Checks the commands of a script that is not run.
fn check_lines(file: &str, line: usize, script: &str, programs: &Programs<'_>, found: &mut Found) {
    for invocation in invocations(script) {
        let (checked, name, arguments) = match &invocation {
            Invocation::Modstream(arguments) => (programs.modstream.understands(arguments), "modstream", arguments),
            Invocation::Xtask(arguments) => (xtask_understands(programs.xtask, arguments), "cargo xtask", arguments),
        };
        match checked {
            Checked::Understood => found.understood += 1,
            Checked::NeedsFullBuild => found.unknown += 1,
            Checked::Wrong(said) => found.problem(file, line, format_args!("{name} {}: {said}", arguments.join(" "))),
        }
    }
}

/// Whether a link leads to a file that is there, and to a heading of it. What leads out of the checkout is not looked at.
fn check_link(file: &str, source: &str, link: &Mention, found: &mut Found) -> anyhow::Result<()> {
    let is_elsewhere = link.text.contains("://") || link.text.starts_with("mailto:");
    if is_elsewhere {
        return Ok(());
    }
    found.links += 1;
    let (path, heading) = link.text.split_once('#').unwrap_or((&link.text, ""));
    let target = checkout::root().join(Path::new(file).parent().unwrap_or(Path::new(""))).join(path);
    if !path.is_empty() && !target.exists() {
        found.problem(file, link.line, format_args!("{path} is not there"));
    } else if !heading.is_empty() {
        let text = if path.is_empty() { source.to_owned() } else { std::fs::read_to_string(&target)? };
        if !Document::parse(&text).anchors.contains(heading) {
            found.problem(file, link.line, format_args!("{} has no heading #{heading}", target.display()));
        }
    }
    Ok(())
}

/// Whether a path in inline code is there: one that begins with a folder of the checkout. A path with a variable part is none
/// of a file, and what git ignores is made later.
fn check_path(file: &str, code: &Mention, tracked: &[String], found: &mut Found) -> anyhow::Result<()> {
    let path = code.text.trim_end_matches('/');
    let is_path = path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    let in_checkout = path.split_once('/').is_some_and(|(first, _)| {
        tracked.iter().any(|file| file.strip_prefix(first).is_some_and(|rest| rest.starts_with('/')))
    });
    if !is_path || !in_checkout {
        return Ok(());
    }
    found.paths += 1;
    let root = checkout::root();
    if root.join(path).exists() {
        return Ok(());
    }
    let ignored = Command::new("git").args(["check-ignore", "--quiet", path]).current_dir(&root).status();
    match ignored.context("git can't be started")?.code() {
        Some(0) => {}
        Some(1) => found.problem(file, code.line, format_args!("{path} is not there")),
        _ => bail!("git check-ignore failed for {path}"),
    }
    Ok(())
}

/// Whether a text has a date such as 2026-11-25.
fn has_date(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == '-')).any(|word| {
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        parts == [4, 2, 2]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_has_a_date() {
        assert!(has_date("two-core virtual machine, 2026-11-25; `time x`"));
        assert!(!has_date("two-core virtual machine, in 2026; `--shards 2`"));
    }

    #[test]
    fn decisions_and_change_logs_may_name_what_is_gone() {
        assert_eq!(Kind::of("docs/decisions/0003-walls.md"), Kind::Past);
        assert_eq!(Kind::of("shared/kinesis-batch/CHANGELOG.md"), Kind::Past);
        assert_eq!(Kind::of("docs/decisions/README.md"), Kind::Present);
        assert_eq!(Kind::of("README.md"), Kind::Present);
    }
}
