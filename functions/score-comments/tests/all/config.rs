//! Settings.

use modstream_platform::environment::{Environment, VariableError};
use score_comments::Config;

const GOOD: [(&str, &str); 5] =
    [("PREDICTIONS_STREAM", "s"), ("BUCKET", "b"), ("MODEL_NAME", "m"), ("BASE_RATE", "0.05"), ("TOP_TERMS", "0")];

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
    assert_eq!(
        (config.predictions_stream.as_str(), config.bucket.as_str(), config.model_name.as_str()),
        ("s", "b", "m")
    );
    assert_eq!((config.base_rate.map(modstream_classifier::BaseRate::share), config.top_terms), (Some(0.05), 0));
    assert_eq!(read_with("BASE_RATE", None).expect("good settings").base_rate, None);
    assert_eq!(read_with("TOP_TERMS", Some("")).expect("good settings").top_terms, 5);
}

#[test]
fn a_missing_setting_says_what_to_set() {
    for (name, to) in [
        (
            "PREDICTIONS_STREAM",
            "the name of the stream that predictions go to, for example PREDICTIONS_STREAM=modstream-predictions",
        ),
        (
            "BUCKET",
            "the name of the bucket that holds models and quarantine, for example BUCKET=modstream-123456789012",
        ),
        ("MODEL_NAME", "the name of the model to score with, for example MODEL_NAME=rscience"),
    ] {
        for value in [None, Some(""), Some("  ")] {
            let error = read_with(name, value).expect_err(name).to_string();
            assert_eq!(error, format!("the environment variable {name} is missing: set it to {to}"));
        }
    }
}

#[test]
fn a_setting_that_is_none_says_what_it_holds_and_what_it_should() {
    let base_rate = "the share of comments that moderators remove, above 0 and below 1, for example BASE_RATE=0.05";
    let top_terms = "how many terms a prediction names, from 0 to 50, for example TOP_TERMS=5";
    for (name, values, to) in [
        ("BASE_RATE", ["0", "1", "-0.1", "5%", "NaN", "inf"], base_rate),
        ("TOP_TERMS", ["-1", "51", "five", "2.5", "1e1", "0x5"], top_terms),
    ] {
        for value in values {
            let error = read_with(name, Some(value)).expect_err(value).to_string();
            assert_eq!(error, format!("the environment variable {name} holds `{value}`: set it to {to}"));
        }
    }
}
