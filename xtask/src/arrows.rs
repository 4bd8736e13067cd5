//! Who may depend on whom: the house's walls, checked.

use anyhow::ensure;

use crate::cargo;

/// A package, and names (or their beginnings, with a dash at the end) of packages that it must not link.
const WALLS: &[(&str, &[&str])] = &[
    ("modstream-events", &["modstream-", "kinesis-batch", "tokio", "aws-", "linfa"]),
    ("kinesis-batch", &["modstream-", "tokio", "aws-"]),
    ("modstream-classifier", &["modstream-platform", "modstream-trainer", "tokio", "aws-", "linfa"]),
    ("modstream-trainer", &["modstream-platform", "tokio", "aws-"]),
    ("modstream-corpus", &["modstream-platform", "modstream-classifier", "tokio", "aws-"]),
    // A page of plain data.
    ("modstream-report", &["modstream-", "tokio", "aws-", "linfa"]),
    // Times and values, whatever they are of.
    ("modstream-windows", &["modstream-", "kinesis-batch", "tokio", "aws-", "linfa"]),
    ("modstream-platform", &["modstream-", "aws-"]),
    // Objects and what their names tell; their contents are for whoever reads them.
    ("modstream-ledger", &["modstream-events", "modstream-classifier", "aws-"]),
    // Pure: whoever has a prediction can judge it.
    ("modstream-policy", &["modstream-platform", "modstream-classifier", "tokio", "aws-"]),
    // What decisions say, whoever took them.
    ("modstream-feedback", &["modstream-classifier", "modstream-trainer", "publish-alerts", "linfa", "aws-"]),
    ("modstream-links", &["modstream-classifier", "modstream-decisions", "modstream-desk", "aws-"]),
    ("modstream-decisions", &["modstream-classifier", "modstream-desk", "modstream-links", "aws-"]),
    // Pages and what stands behind them; the functions only give it to Lambda.
    ("modstream-desk", &["modstream-classifier", "publish-alerts", "hyper", "aws-"]),
    // Records, whatever they hold.
    ("modstream-archive", &["modstream-events", "modstream-classifier", "aws-"]),
    ("modstream-forget", &["modstream-classifier", "generate-comments", "score-comments", "publish-alerts", "aws-"]),
    ("generate-comments", &["score-comments", "publish-alerts", "modstream-classifier", "linfa", "aws-"]),
    ("score-comments", &["generate-comments", "publish-alerts", "modstream-trainer", "linfa", "aws-"]),
    ("publish-alerts", &["generate-comments", "score-comments", "modstream-classifier", "linfa", "aws-"]),
    ("archive-comments", &["generate-comments", "score-comments", "publish-alerts", "modstream-events", "aws-"]),
    (
        "digest-alerts",
        &["generate-comments", "score-comments", "publish-alerts", "modstream-classifier", "linfa", "aws-"],
    ),
    ("take-decisions", &["show-desk", "publish-alerts", "modstream-classifier", "linfa", "aws-"]),
    ("show-desk", &["take-decisions", "publish-alerts", "modstream-classifier", "linfa", "aws-"]),
    // The stable half of `fuzz/`.
    ("modstream-fuzz-checks", &["modstream-platform", "modstream-trainer", "tokio", "aws-", "linfa", "libfuzzer-sys"]),
    // What `cargo demo` builds.
    ("modstream", &["aws-"]),
];

pub(crate) fn check() -> anyhow::Result<()> {
    for &(package, forbidden) in WALLS {
        let tree = cargo::output(&[
            "tree",
            "--package",
            package,
            "--no-default-features",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])?;
        for dependency in tree.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
            let breaks = forbidden
                .iter()
                .any(|name| dependency == *name || (name.ends_with('-') && dependency.starts_with(name)));
            ensure!(!breaks, "{package} links {dependency}, which it must not");
        }
        println!("{package}: links none of {}", forbidden.join(", "));
    }
    Ok(())
}
