//! `modstream decisions waiting`, and `modstream decide` of what it lists.

use jiff::{SignedDuration, Timestamp};
use modstream_events::{
    Alert, Comment, Event, EventRef, ModelRef, OperatingPoint, PolicyRef, Prediction, Severity, ids,
};
use modstream_stub_server::FakeAws;
use serde_json::{Value, json};

use crate::command::{Aws, Run};
use crate::table;

fn run(aws: &FakeAws, args: &[&str]) -> Run {
    Aws::at(&aws.url()).run(&[args, &table::TABLE].concat())
}

/// Puts an alert of so many days ago into the ledger: its name.
pub(crate) fn alert(aws: &FakeAws, days_ago: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    let id = days_ago.to_string();
    let prediction = Prediction {
        comment: Comment { author: Some("bob".into()), body: Some("Buy my coins".into()), ..Comment::default() },
        version: None,
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
        comment_event: EventRef { source: "urn:example:forum".into(), id: id.clone().into(), time },
        probability: 0.95,
        log_odds: 3.0,
        intercept: 0.0,
        terms: vec![],
        other: 0.0,
        model: ModelRef { name: "old".into(), version: "0".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.9, recall: 0.1, share: 0.1, base_rate: 0.3 },
    };
    let policy = PolicyRef { name: "default".into(), condition: "probability>=0.9".into() };
    let alert = Alert::new(prediction, "p".into(), Severity::High, policy);
    let alert_id = ids::alert("urn:example:forum", &id, "default").to_string();
    let event = Event::new(alert_id.as_str(), "urn:modstream:publish-alerts", time, alert);
    table::made(aws, &event).to_string()
}

#[test]
fn what_nobody_decided_is_listed_until_it_is_decided_and_again_when_that_is_undone() {
    let aws = table::services();
    let [young, old, oldest] = [1, 9, 40].map(|days| alert(&aws, days));
    let listed = |args: &[&str]| run(&aws, &[&["decisions", "waiting"], args].concat());
    let all = listed(&[]);
    assert_eq!((all.status, all.stdout), (Some(0), format!("{oldest}\n{old}\n{young}\n")));
    assert_eq!(all.stderr, "3 undecided alerts\n");
    assert_eq!(listed(&["--from", "50d", "--to", "20d"]).stdout, format!("{oldest}\n"));
    assert!(listed(&["--from", "1d", "--to", "2d", "--json"]).usage().contains("is not before"));

    let decide = |action: &str, args: &[&str]| {
        let given = ["decide", &old, action, "--moderator", "maja", "--decisions-stream", "decisions"];
        run(&aws, &[&given[..], args].concat())
    };
    // Its id alone is not found: it is older than what is searched.
    let (comment, id) = old.split_once('/').expect("a comment and an id");
    let error = run(&aws, &["decide", id, "keep", "--moderator", "maja", "--decisions-stream", "d", "--json"]).error();
    assert!(error.contains(id) && error.contains("modstream decisions waiting"), "{error}");
    let removed = decide("remove", &[]).stdout;
    assert!(
        removed.contains("remove stands") && removed.ends_with("the decision is recorded; the forum is not told\n"),
        "{removed}"
    );
    let again = decide("remove", &["--json"]).done();
    assert_eq!((&again["changed"], &again["forum_told"]), (&json!(false), &json!(false)));
    assert_eq!(listed(&[]).stdout, format!("{oldest}\n{young}\n"));
    let undone = decide("undo", &["--json"]).done();
    assert_eq!((&undone["stands"], &undone["forum_told"]), (&Value::Null, &Value::Null));
    let listed = listed(&["--json"]).done();
    let again = &listed["alerts"][1];
    assert_eq!((&listed["count"], &again["comment"], &again["id"]), (&json!(3), &json!(comment), &json!(id)));
    assert!(!decide("keep", &[]).stdout.contains("the forum"));
}
