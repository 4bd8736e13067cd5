//! What the file says, read as it lies there: SQL and JSON, and nothing of the code that wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// What a folder holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Every comment event, by its source and id, and how often it is there.
    pub(crate) comments: BTreeMap<(String, String), usize>,
    /// The comment events that predictions are about, and how often.
    pub(crate) predicted: BTreeMap<(String, String), usize>,
    /// The alerts on their way to subscribers, by id, and how often.
    pub(crate) alerts: BTreeMap<String, usize>,
    /// The alerts that the ledger says were requested, and those that it says were sent.
    pub(crate) requested: BTreeSet<String>,
    pub(crate) sent: BTreeSet<String>,
}

pub(crate) fn read(folder: &Path) -> Held {
    let path = folder.join("modstream.db");
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("opens");
    let sound: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(sound, "ok");
    let records = |stream: &str| -> Vec<Value> {
        let sql = "SELECT id FROM streams WHERE name = ?1";
        let Ok(id) = file.query_row(sql, [stream], |row| row.get::<_, i64>(0)) else { return Vec::new() };
        let sql = format!("SELECT data FROM records_{id} ORDER BY number");
        let mut statement = file.prepare(&sql).expect("SQL");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads");
        rows.map(|data| serde_json::from_slice(&data.expect("reads")).expect("JSON")).collect()
    };
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut held = Held::default();
    for event in records("comments") {
        *held.comments.entry((text(&event["source"]), text(&event["id"]))).or_default() += 1;
    }
    for event in records("predictions") {
        let about = &event["data"]["comment_event"];
        *held.predicted.entry((text(&about["source"]), text(&about["id"]))).or_default() += 1;
    }
    for message in records("alerts") {
        let event: Value = serde_json::from_str(message["body"].as_str().expect("text")).expect("JSON");
        *held.alerts.entry(text(&event["id"])).or_default() += 1;
    }
    let sql = "SELECT sort, attributes FROM items WHERE partition GLOB 'comment#*' AND sort GLOB 'alert#*'";
    let mut statement = file.prepare(sql).expect("SQL");
    let items = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    for item in items.expect("reads") {
        let (sort, attributes) = item.expect("reads");
        let id = sort.strip_prefix("alert#").expect("an alert").to_owned();
        let attributes: Value = serde_json::from_str(&attributes).expect("JSON");
        if attributes.get("sent").is_some() {
            held.sent.insert(id.clone());
        }
        held.requested.insert(id);
    }
    held
}

/// Asserts what holds at every moment: no id is there twice, nothing is about what is not there.
pub(crate) fn audit(held: &Held) {
    for (id, times) in held.comments.iter().chain(&held.predicted) {
        assert_eq!(*times, 1, "{id:?}");
    }
    for (id, times) in &held.alerts {
        assert_eq!(*times, 1, "{id}");
        assert!(held.requested.contains(id), "{id} goes out, and was never requested");
    }
    for id in held.predicted.keys() {
        assert!(held.comments.contains_key(id), "a prediction about no comment: {id:?}");
    }
    for id in &held.sent {
        assert!(held.alerts.contains_key(id), "{id} is said to be sent, and is not");
    }
}
