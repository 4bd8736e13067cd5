//! `modstream policy check`.

use serde_json::{Value, json};

use crate::command::{Folder, repository};

fn sample(name: &str) -> String {
    repository("events/samples").join(name).to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_good_document_is_shown_with_the_rules_that_follow() {
    let run = Folder::new().run(&["policy", "check", &sample("policies.toml")]);
    assert_eq!(run.status, Some(0));
    // The sample is for a better model than the one built in.
    let warning =
        "warning: no comment can meet precision>=0.8 (default, subreddits.askscience): where 5.0 % are removed";
    assert!(run.stderr.starts_with(warning) && run.stderr.lines().count() == 1, "{}", run.stderr);
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
    assert!(lines[2].ends_with("`science`"), "{lines:?}");
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
    assert_eq!(json["unknown_subreddits"], json!(["scince"]));
    assert_eq!(json["policies"]["default"]["threshold"], "0.7");
}

#[test]
fn a_policy_out_of_the_models_reach_is_a_warning_with_the_best_there_is() {
    let folder = Folder::new();
    let document = "[default]\nthreshold = \"precision>=0.99\"\nbase_rate = 0.05\n[subreddits.science]\n\
                    [subreddits.pics]\nthreshold = 0.9\n[subreddits.news]\nthreshold = \"share<=0\"\n";
    folder.file("p.toml", document);
    let run = folder.run(&["policy", "check", "p.toml"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let begins = "warning: no comment can meet precision>=0.99 (default, subreddits.science): where 5.0 % are removed, the model rscience ";
    assert!(lines[0].starts_with(begins) && lines[0].contains("promises a precision of 0."), "{lines:?}");
    assert!(lines[1].contains("share<=0 (subreddits.news)") && lines[1].contains("a share of 0.0"), "{lines:?}");

    let found = folder.run(&["policy", "check", "p.toml", "--json"]).json()["out_of_reach"].clone();
    let of = |at: usize, field: &str| found[at][field].clone();
    assert_eq!(
        (of(0, "subreddit"), of(0, "policy"), of(0, "base_rate")),
        (Value::Null, "precision>=0.99".into(), 0.05.into())
    );
    let names: Vec<Value> = (0..3).map(|at| of(at, "subreddit")).collect();
    assert_eq!((names, found.as_array().map(Vec::len)), (vec![Value::Null, "news".into(), "science".into()], Some(3)));
    // The same as the thresholds tell.
    let thresholds = folder.run(&["model", "thresholds", "--base-rate", "0.05", "--json"]).json();
    assert_eq!(found[0]["best"]["precision"], thresholds["best"]["precision"]);

    // A model that can is not warned about; neither is another base rate.
    folder.file("q.toml", "[default]\nthreshold = \"precision>=0.6\"\n");
    let reached = folder.run(&["policy", "check", "q.toml"]);
    assert_eq!((reached.status, reached.stderr.as_str()), (Some(0), ""));
    let rare = folder.run(&["policy", "check", "q.toml", "--base-rate", "0.01"]);
    assert!(rare.status == Some(0) && rare.stderr.contains("where 1.0 % are removed"), "{}", rare.stderr);
}
