//! What help shows, and what is said of a command line that can't be understood.

use std::collections::BTreeSet;

use crate::command::Folder;

/// The commands of a help, by topic, in its order.
fn topics(help: &str) -> Vec<(String, Vec<String>)> {
    let mut topics: Vec<(String, Vec<String>)> = Vec::new();
    for line in help.lines() {
        let command = line.strip_prefix("  ").filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        match (line.strip_suffix(':'), command, topics.last_mut()) {
            (Some(topic), _, _) if !topic.is_empty() => topics.push((topic.to_owned(), Vec::new())),
            (_, Some(command), Some((_, commands))) => {
                commands.push(command.split_whitespace().next().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    topics
}

#[test]
fn help_shows_every_command_once_under_its_topic() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]);
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
    let topics = topics(&help.stdout);
    let mut names: Vec<&str> = topics.iter().map(|(topic, _)| topic.as_str()).collect();
    names.dedup();
    let mut wanted = vec!["Models", "Policies", "Decisions", "Pipeline", "Replay", "Operate", "Other", "Options"];
    if cfg!(not(feature = "aws")) {
        wanted.retain(|topic| *topic != "Operate");
    }
    assert_eq!(names, wanted, "{}", help.stdout);
    let shown: Vec<String> = topics.into_iter().flat_map(|(_, commands)| commands).collect();
    let different: BTreeSet<&String> = shown.iter().collect();
    assert_eq!(different.len(), shown.len(), "{shown:?}");
    // The shell's completions know every command, too.
    let known = folder.run(&["completions", "fish"]).stdout;
    let known: BTreeSet<String> = known
        .lines()
        .filter(|line| line.contains("__fish_modstream_needs_command"))
        .filter_map(|line| line.split_once(" -a \"")?.1.split('"').next().map(str::to_owned))
        .collect();
    assert_eq!(different.into_iter().cloned().collect::<BTreeSet<_>>(), known);
    assert!(!help.stdout.contains('\u{1b}'), "colours only on a terminal");
}

#[test]
fn what_cant_be_understood_ends_with_2_also_with_json() {
    let folder = Folder::new();
    for args in [
        &["demo", "--rate", "0"][..],
        &["demo", "--rat", "5"],
        &["train", "--input", "x"],
        &["nothing"],
        &["evaluate"],
        &["load", "--rate", "1000000", "--seconds", "3600"],
        &["train", "--input", "-", "--output", "out", "--decisions", "-"],
    ] {
        let run = folder.run(args);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{args:?}: {}", run.stderr);
        let run = folder.run(&[args, &["--json"]].concat());
        let error = run.json()["error"].as_str().expect("an error").to_owned();
        assert!(run.status == Some(2) && !error.starts_with("error"), "{args:?}: {error}");
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_names_what_it_lacks() {
    let folder = Folder::new();
    for (args, what) in [
        (&["send"][..], "`send`"),
        (&["model", "push"], "`model push`"),
        (&["demo", "--deployment", "x"], "`--deployment`"),
    ] {
        let run = folder.run(args);
        assert!(run.status == Some(2) && run.stdout.is_empty(), "{args:?}");
        for part in [what, "without AWS", "cargo install --path cli"] {
            assert!(run.stderr.contains(part), "{part} is missing in {}", run.stderr);
        }
    }
}
