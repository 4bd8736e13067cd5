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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_was_said_is_left_and_nothing_of_who_was_in_need() {
        let mut event = json!({ "data": {
            "comment": { "id": "c1", "subreddit": "science", "author": "somebody", "body": "I want to end my life" },
            "severity": "high", "harm": 0.7, "matched": "end my", "version": "a hash",
            "terms": [{ "term": "life", "contribution": 1.0 }],
            "labels": [{ "label": "threat", "probability": 0.7, "terms": [{ "term": "end my", "contribution": 2.0 }], "other": 1.0 }],
            "meets": { "removal": false, "labels": ["threat"] },
            "self_harm": { "phrase": "end my life", "contacts": [] },
        } });
        assert_eq!(redact(&mut event, Timestamp::UNIX_EPOCH), Some(Redaction::Removed));
        let data = &event["data"];
        assert_eq!(data["comment"], json!({ "id": "c1", "subreddit": "science" }));
        assert_eq!(data["labels"], json!([{ "label": "threat", "probability": 0.7, "terms": [], "other": 1.0 }]));
        assert_eq!((&data["terms"], &data["severity"], &data["harm"]), (&json!([]), &json!("high"), &json!(0.7)));
        let text = event.to_string();
        for gone in ["somebody", "life", "end my", "a hash", "self_harm"] {
            assert!(!text.contains(gone), "{gone} is left in {text}");
        }
        assert_eq!(redact(&mut event, Timestamp::UNIX_EPOCH), Some(Redaction::Before));
    }
}
