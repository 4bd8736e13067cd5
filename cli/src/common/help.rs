//! The commands by topic, as `modstream --help` shows them: clap knows no headings for commands.

use std::fmt::Write as _;

/// The topics with their commands, in the order in which help shows them.
pub(crate) const TOPICS: [(&str, &[&str]); 7] = [
    ("Models", &["train", "evaluate", "score", "explain", "model"]),
    ("Policies", &["policy", "breaker"]),
    ("Decisions", &["desk", "desk-link", "decide", "decisions", "feedback"]),
    ("Pipeline", &["demo", "serve", "load", "send", "ingest", "tail", "probe", "corpus"]),
    ("Replay", &["replay"]),
    ("Operate", &["subscribe", "key", "redrive", "forget", "backup", "function"]),
    ("Other", &["completions", "help"]),
];

/// The command `help`, which clap adds when it builds a command line.
const HELP: (&str, &str) = ("help", "Print this message, or the help of a command");

/// The command line with a help that shows its commands by topic.
pub(crate) fn by_topic(command: clap::Command) -> clap::Command {
    let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut commands: Vec<(String, String)> = visible
        .map(|command| {
            (command.get_name().to_owned(), command.get_about().map(ToString::to_string).unwrap_or_default())
        })
        .collect();
    commands.push((HELP.0.to_owned(), HELP.1.to_owned()));
    let width = commands.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let (header, literal) = (*command.get_styles().get_header(), *command.get_styles().get_literal());
    let mut text = String::new();
    for (topic, names) in TOPICS {
        let known = names.iter().filter_map(|name| commands.iter().find(|(found, _)| found == name));
        let lines: String = known.fold(String::new(), |mut lines, (name, about)| {
            // Writing into a String can't fail.
            let _ = writeln!(lines, "  {literal}{name:width$}{literal:#}  {about}");
            lines
        });
        if !lines.is_empty() {
            let _ = writeln!(text, "{header}{topic}:{header:#}\n{lines}");
        }
    }
    command.help_template(format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}\
         {header}Options:{header:#}\n{{options}}{{after-help}}"
    ))
}
