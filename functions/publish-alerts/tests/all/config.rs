//! Settings.

use modstream_platform::environment::{Environment, VariableError};
use publish_alerts::{Condition, Config, Severities};

const GOOD: [(&str, &str); 6] = [
    ("ALERTS_TOPIC_ARN", "arn"),
    ("TABLE", "t"),
    ("BUCKET", "b"),
    ("POLICY", "precision>=0.9"),
    ("SEVERITY_HIGH", "0.8"),
    ("SEVERITY_MEDIUM", "0.6"),
];

/// Reads good settings with some in place of their own; `None` is not set.
fn read_with(changes: &[(&str, Option<&str>)]) -> Result<Config, VariableError> {
    let lookup = |wanted: &str| {
        let changed = changes.iter().find(|(name, _)| *name == wanted);
        let good = || GOOD.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        changed.map_or_else(good, |(_, value)| *value).map(str::to_owned)
    };
    Config::read(Environment::new(&lookup))
}

#[test]
fn settings_are_read_and_severities_have_defaults() {
    let config = read_with(&[]).expect("good settings");
    assert_eq!((config.alerts_topic_arn.as_str(), config.table.as_str(), config.bucket.as_str()), ("arn", "t", "b"));
    assert_eq!((config.policy.name.as_str(), config.policy.condition), ("default", Condition::Precision(0.9)));
    assert_eq!(config.severities, Severities { high: 0.8, medium: 0.6 });
    let unset =
        |high| read_with(&[("SEVERITY_HIGH", high), ("SEVERITY_MEDIUM", None)]).expect("good settings").severities;
    assert_eq!(unset(None), Severities { high: 0.9, medium: 0.7 });
    assert_eq!(unset(Some("0.5")), Severities { high: 0.5, medium: 0.5 }, "medium never lies above high");
}

#[test]
fn a_missing_setting_says_what_to_set() {
    for (name, to) in [
        (
            "ALERTS_TOPIC_ARN",
            "the ARN of the topic that alerts go to, for example ALERTS_TOPIC_ARN=arn:aws:sns:eu-central-1:123456789012:modstream-alerts",
        ),
        ("TABLE", "the name of the table that holds the ledger, for example TABLE=modstream-state"),
        (
            "BUCKET",
            "the name of the bucket that holds policies and quarantine, for example BUCKET=modstream-123456789012",
        ),
        ("POLICY", "a probability, a precision or a share of comments, for example POLICY=precision>=0.9"),
    ] {
        for value in [None, Some(""), Some(" \t")] {
            let error = read_with(&[(name, value)]).expect_err(name).to_string();
            assert_eq!(error, format!("the environment variable {name} is missing: set it to {to}"));
        }
    }
}

#[test]
fn a_setting_that_is_none_says_what_it_holds_and_what_it_should() {
    let policy = "a probability, a precision or a share of comments, for example POLICY=precision>=0.9";
    let high = "the probability that makes an alert urgent, from 0 to 1, for example SEVERITY_HIGH=0.9";
    let medium = "a probability from 0 to 1, at most SEVERITY_HIGH, for example SEVERITY_MEDIUM=0.7";
    for (name, values, to) in [
        ("POLICY", ["80%", "1.1", "precision>0.9", "recall>=0.5"], policy),
        ("SEVERITY_HIGH", ["1.01", "-0.1", "NaN", "high"], high),
        ("SEVERITY_MEDIUM", ["0.81", "-0.1", "NaN", "70%"], medium),
    ] {
        for value in values {
            let error = read_with(&[(name, Some(value))]).expect_err(value).to_string();
            assert_eq!(error, format!("the environment variable {name} holds `{value}`: set it to {to}"));
        }
    }
}
