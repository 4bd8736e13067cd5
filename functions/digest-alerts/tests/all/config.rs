//! Settings.

use digest_alerts::Config;
use jiff::SignedDuration;
use modstream_platform::environment::{Environment, VariableError};

fn read_with(name: &str, value: Option<&str>) -> Result<Config, VariableError> {
    let good = [
        ("DIGESTS_TOPIC_ARN", "t"),
        ("TABLE", "state"),
        ("BUCKET", "b"),
        ("WINDOW_MINUTES", "10"),
        ("LATENESS_SECONDS", "0"),
    ];
    let lookup = |wanted: &str| {
        let good = good.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        if wanted == name { value.map(str::to_owned) } else { good }
    };
    Config::read(Environment::new(&lookup))
}

#[test]
fn settings_are_read_and_what_may_be_left_out_has_a_default() {
    let config = read_with("", None).expect("good settings");
    assert_eq!((config.digests_topic_arn.as_str(), config.table.as_str(), config.bucket.as_str()), ("t", "state", "b"));
    assert_eq!((config.window, config.allowed_lateness), (SignedDuration::from_mins(10), SignedDuration::ZERO));
    assert_eq!(read_with("WINDOW_MINUTES", None).expect("good").window, SignedDuration::from_mins(5));
    assert_eq!(config.forum, "https://www.reddit.com");
    let own = read_with("FORUM_URL", Some("https://forum.example/")).expect("good");
    assert_eq!(own.forum, "https://forum.example");
    assert_eq!(read_with("LATENESS_SECONDS", None).expect("good").allowed_lateness, SignedDuration::from_mins(1));
}

#[test]
fn a_setting_that_is_none_says_what_to_set() {
    for (name, value, part) in [
        ("DIGESTS_TOPIC_ARN", None, "set it to the ARN of the topic that digests go to"),
        ("FORUM_URL", Some("forum.example"), "set it to the forum's address"),
        ("TABLE", None, "set it to the name of the table that holds the ledger"),
        ("BUCKET", Some(" "), "set it to the name of the bucket that holds the policies"),
        ("WINDOW_MINUTES", Some("0"), "holds `0`: set it to whole minutes from 1 to 1440"),
        ("WINDOW_MINUTES", Some("1.5"), "whole minutes"),
        ("WINDOW_MINUTES", Some("1441"), "whole minutes"),
        ("LATENESS_SECONDS", Some("-1"), "whole seconds from 0 to 3600"),
        ("LATENESS_SECONDS", Some("3601"), "whole seconds from 0 to 3600"),
    ] {
        let error = read_with(name, value).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains(part), "{error}");
    }
}
