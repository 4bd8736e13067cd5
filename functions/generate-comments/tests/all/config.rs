//! Settings.

use generate_comments::Config;
use modstream_platform::environment::{Environment, VariableError};

const GOOD: [(&str, &str); 5] =
    [("COMMENTS_STREAM", "s"), ("BUCKET", "b"), ("CORPUS_KEY", "c"), ("RATE", "2.5"), ("SPREAD_SECONDS", "0")];

/// Reads good settings with one in place of its own.
fn read_with(name: &str, value: Option<&str>) -> Result<Config, VariableError> {
    let lookup = |wanted: &str| {
        let good = GOOD.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        if wanted == name { value.map(str::to_owned) } else { good }
    };
    Config::read(Environment::new(&lookup))
}

#[test]
fn settings_are_read_and_what_may_be_left_out_has_a_default() {
    let config = read_with("", None).expect("good settings");
    assert_eq!((config.comments_stream.as_str(), config.bucket.as_str(), config.corpus_key.as_str()), ("s", "b", "c"));
    assert_eq!((config.rate, config.spread_seconds), (2.5, 0.0));
    assert_eq!(read_with("RATE", None).expect("good settings").rate, 10.0);
    assert_eq!(read_with("SPREAD_SECONDS", None).expect("good settings").spread_seconds, 60.0);
}

#[test]
fn a_missing_setting_says_what_to_set() {
    for (name, to) in [
        (
            "COMMENTS_STREAM",
            "the name of the stream that comments go to, for example COMMENTS_STREAM=modstream-comments",
        ),
        ("BUCKET", "the name of the bucket that holds the corpus, for example BUCKET=modstream-123456789012"),
        ("CORPUS_KEY", "the key of the object with sample comments, for example CORPUS_KEY=corpus/comments.jsonl"),
    ] {
        for value in [None, Some(""), Some("  ")] {
            let error = read_with(name, value).expect_err(name).to_string();
            assert_eq!(error, format!("the environment variable {name} is missing: set it to {to}"));
        }
    }
}

#[test]
fn a_setting_that_is_none_says_what_it_holds_and_what_it_should() {
    let rate = "comments a second, from 0.02 to 10000, for example RATE=10";
    let spread = "seconds from 0 to 840, below the function's timeout, for example SPREAD_SECONDS=60";
    for (name, values, to) in [
        ("RATE", ["0", "-1", "ten", "NaN", "inf", "10001"], rate),
        ("SPREAD_SECONDS", ["-1", "841", "1m", "NaN", "inf", "1,5"], spread),
    ] {
        for value in values {
            let error = read_with(name, Some(value)).expect_err(value).to_string();
            assert_eq!(error, format!("the environment variable {name} holds `{value}`: set it to {to}"));
        }
    }
}
