//! Policies that a run may go by, as they are written.

/// What a run may go by instead of the environment's policy. Runs begin at 10:00 UTC, with comments of r/science and r/news.
pub(crate) const DOCUMENTS: [&str; 7] = [
    // Budgets: of a subreddit, and of all.
    r#"{"default": {"threshold": 0.5, "max_alerts_per_hour": 2}, "total": {"max_alerts_per_hour": 3}}"#,
    // Quiet hours by the clocks of another zone, and for one subreddit none. What labels say decides how urgent an alert is.
    r#"{"default": {"threshold": 0.5, "max_alerts_per_hour": 4, "severity": {"medium": 0.6, "high": 0.8}, "quiet_hours":
        {"from": "11:00", "to": "11:03", "time_zone": "Europe/Berlin", "keep": ["high"]}},
        "subreddits": {"News": {"quiet_hours": "none"}},
        "harm": {"weights": {"insult": 1, "threat": 0}, "alert": {"toxic": 0.006, "threat": "none", "insult": "none"},
            "severity": {"medium": 0.002, "high": 0.0046}}}"#,
    // Terms that always alert, an author who never does, exploration.
    r#"{"default": {"threshold": 0.95, "always": [{"includes": "my doctor says kumquat-serenade is a scam, NUMBER 1"}, "NUMBER 2"], "exempt_authors": ["KUMQUAT-SERENADE 12"],
        "exploration_share": 0.1, "max_alerts_per_hour": 2}}"#,
    // A breaker.
    r#"{"default": {"threshold": 0.4, "max_alerts_per_hour": 8}, "breaker": {"max_share": 0.3, "min_alerts": 5, "open_for": 2}}"#,
    // A subreddit at another base rate, its alerts in digests alone.
    r#"{"default": {"threshold": 1}, "subreddits": {"Science": {"threshold": 0.5, "base_rate": 0.6, "channels": ["digest"]}}}"#,
    // Alerts without digests, by precision and by share.
    r#"{"default": {"threshold": "precision>=0.6", "base_rate": 0.2, "channels": ["alerts"]},
        "subreddits": {"news": {"threshold": "share<=0.3", "base_rate": "none", "channels": ["alerts", "digest"]}}}"#,
    // A breaker that stays open, over a subreddit that never alerts.
    r#"{"name": "spring", "default": {"threshold": 0.5}, "subreddits": {"news": {"threshold": 1}},
        "breaker": {"max_share": 0.2, "min_alerts": 3, "window": 2, "open_for": 30}}"#,
];

/// A document by its number, counted around; the environment's policy without one.
pub(crate) fn document(number: Option<usize>) -> &'static str {
    number.map_or(ENVIRONMENT, |number| DOCUMENTS[number % DOCUMENTS.len()])
}

/// A document's name, which is part of the ids of its alerts.
pub(crate) fn name_of(document: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(document).expect("the documents of runs are JSON");
    document["name"].as_str().unwrap_or("default").to_owned()
}

/// Whether a document names labels: a run that goes by it scores with a harm model, too.
pub(crate) fn names_labels(document: &str) -> bool {
    let document: serde_json::Value = serde_json::from_str(document).expect("the documents of runs are JSON");
    document.get("harm").is_some()
}

/// What the environment's `POLICY` says, as a document.
const ENVIRONMENT: &str = r#"{"default": {"threshold": 0.5}}"#;
/// The environment's `POLICY`.
pub(crate) const POLICY: &str = "0.5";
