use jiff::Timestamp;
use serde_json::{Value, json};

/// What a comment keeps: what it is, where, and when; nothing of who or what was said.
const KEPT_OF_A_COMMENT: [&str; 6] = ["id", "parent_id", "link_id", "subreddit", "created_utc", "edited"];

/// What became of an alert's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// What was written is taken out.
    Removed,
    /// It was taken out before.
    Before,
}

/// Takes what a person wrote out of an alert's event, and marks it `forgotten` with the time. Ids, subreddit, times, severity,
/// policy and model stay: without its item an alert would go out again. None where this is no alert.
pub fn redact(event: &mut Value, now: Timestamp) -> Option<Redaction> {
    let data = event.get_mut("data")?.as_object_mut()?;
    if data.contains_key("forgotten") {
        return Some(Redaction::Before);
    }
    data.get_mut("comment")?.as_object_mut()?.retain(|name, _| KEPT_OF_A_COMMENT.contains(&name.as_str()));
    // Terms are words of the text; so is the always-alert term that it contains.
    data.insert("terms".to_owned(), json!([]));
    data.remove("matched");
    // So is the phrase; and that somebody was in need is about them.
    data.remove("self_harm");
    for label in data.get_mut("labels").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(label) = label.as_object_mut() {
            label.insert("terms".to_owned(), json!([]));
        }
    }
    // It may be a hash of the text.
    data.remove("version");
    data.insert("forgotten".to_owned(), json!(now));
    Some(Redaction::Removed)
}

/// An alert's event without what a person wrote; none where there is nothing to take out, or this is no alert.
pub(crate) fn redacted(event: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(event).ok()?;
    (redact(&mut event, now) == Some(Redaction::Removed)).then(|| event.to_string().into_bytes())
}
