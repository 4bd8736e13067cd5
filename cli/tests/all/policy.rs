//! `modstream policy check`.

use crate::command::{Folder, repository};

fn sample(name: &str) -> String {
    repository("events/samples").join(name).to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_good_document_is_shown_with_the_rules_that_follow() {
    let run = Folder::new().run(&["policy", "check", &sample("policies.toml")]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let wanted = "\
policies default

                threshold       base rate  medium, high  an hour  quiet hours                             goes to         and
  all others    precision>=0.8  5 %        0.5, 0.8      20       none                                    alerts, digest  never: u/AutoModerator; explores 1 %
  r/askscience  precision>=0.8  5 %        0.5, 0.8      20       none                                    digest          never: u/AutoModerator; explores 1 %
  r/science     precision>=0.7  32 %       0.5, 0.8      20       22:00 to 07:00 (Europe/Berlin), not high  alerts, digest  always: miracle cure | telegram.me/; never: u/AutoModerator; explores 1 %

all together at most 100 alerts an hour
the breaker opens where more than 20 % of comments alert over 5 minutes, 50 alerts at least; for 60 minutes
";
    // Whatever the columns' widths are.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&run.stdout), words(wanted), "{}", run.stdout);
}

#[test]
fn what_is_wrong_is_named_line_by_line() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 2\nmax_alerts_per_hour = 0\n[subreddits.\"r/science\"]\n");
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("p.toml: line 2: default.threshold: `2` is no policy: write"), "{lines:?}");
    assert!(lines[1].starts_with("p.toml: line 3: default.max_alerts_per_hour: it is 0: write channels"), "{lines:?}");
    assert!(lines[2].ends_with("write `science`"), "{lines:?}");
    let json = folder.run(&["policy", "check", "p.toml", "--json"]);
    assert_eq!((json.status, json.json()["problems"].as_array().map(Vec::len)), (Some(1), Some(3)));
    let missing = folder.run(&["policy", "check", "none.toml"]);
    assert!(missing.status == Some(1) && missing.stderr.contains("none.toml"), "{}", missing.stderr);
}

#[test]
fn a_subreddit_that_no_comment_is_of_is_a_warning() {
    let folder = Folder::new();
    folder.file("p.toml", "[default]\nthreshold = 0.7\n[subreddits.Science]\n[subreddits.scince]\n");
    let run = folder.run(&["policy", "check", "p.toml", "--against", &sample("comments.jsonl")]);
    assert_eq!(run.status, Some(0));
    assert_eq!(run.stderr, "warning: no comment of the file is of r/scince: look at how its name is written\n");
    let json = folder.run(&["policy", "check", "p.toml", "--against", &sample("comments.jsonl"), "--json"]).json();
    assert_eq!(json["unknown_subreddits"], serde_json::json!(["scince"]));
    assert_eq!(json["policies"]["default"]["threshold"], "0.7");
}
