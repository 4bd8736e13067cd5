use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use modstream_events::{Alert, Decision, Event, MAX_FIELD_CHARS, ids};
use modstream_platform::table::Key;
use serde::{Deserialize, Serialize};

/// What the sort keys of a comment's alerts begin with.
pub(crate) const ALERT: &str = "alert#";
/// The sort key of what happened to a comment.
pub(crate) const RECORD: &str = "record";
/// The partition of comments that were missed.
pub(crate) const MISSED: &str = "missed";

/// Names an alert: by its comment, and by its own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// The key of its comment ([`comment_key`]).
    pub comment: String,
    /// The alert's id.
    pub id: String,
}

/// A text that names no alert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no alert: it is the comment's key, a slash, and the alert's id")]
pub struct NoAlertKey(String);

/// What all that is known of a comment is kept under. An alert holds no more of a comment's id than [`MAX_FIELD_CHARS`], so no
/// more of it counts.
pub fn comment_key(source: &str, comment_id: &str) -> String {
    let end = comment_id.char_indices().nth(MAX_FIELD_CHARS).map_or(comment_id.len(), |(at, _)| at);
    ids::comment_key(source, &comment_id[..end]).to_string()
}

/// The same of a comment that may have no id: it is known by its event then.
pub fn comment_key_of(source: &str, comment_id: Option<&str>, comment_event_id: &str) -> String {
    comment_key(source, comment_id.filter(|id| !id.is_empty()).unwrap_or(comment_event_id))
}

impl AlertKey {
    /// The name of an alert.
    pub fn of_alert(alert: &Event<'_, Alert<'_>>) -> Self {
        let Alert { comment, comment_event, .. } = &alert.data;
        let comment = comment_key_of(&comment_event.source, comment.id.as_deref(), &comment_event.id);
        AlertKey { comment, id: alert.id.to_string() }
    }

    /// The name of the alert that a decision is about.
    pub fn of_decision(decision: &Decision<'_>) -> Self {
        let Decision { comment_event, comment_id, alert_id, .. } = decision;
        let comment = comment_key_of(&comment_event.source, comment_id.as_deref(), &comment_event.id);
        AlertKey { comment, id: alert_id.to_string() }
    }

    /// The key of the alert's item.
    pub fn item(&self) -> Key {
        Key::new(partition(&self.comment), format!("{ALERT}{}", self.id))
    }

    /// What the sort keys of the decisions about the alert begin with, in the partition of its item.
    pub fn decisions(&self) -> String {
        format!("decision#{}#", self.id)
    }

    /// The key of the decision of this number about the alert.
    pub fn decision(&self, number: u32) -> Key {
        Key::new(partition(&self.comment), format!("{}{number:04}", self.decisions()))
    }

    /// The alert whose item has this key, or about which this decision is; none where it is of something else.
    pub fn of_item(key: &Key) -> Option<Self> {
        let comment = key.partition.strip_prefix(COMMENT)?.to_owned();
        let id = match key.sort.strip_prefix(ALERT) {
            Some(id) => id,
            None => key.sort.strip_prefix("decision#")?.rsplit_once('#')?.0,
        };
        Some(AlertKey { comment, id: id.to_owned() })
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.comment, self.id)
    }
}

impl FromStr for AlertKey {
    type Err = NoAlertKey;

    fn from_str(text: &str) -> Result<Self, NoAlertKey> {
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '#']);
        let names = text.split_once('/').filter(|(comment, id)| is_name(comment) && is_name(id));
        let (comment, id) = names.ok_or_else(|| NoAlertKey(text.to_owned()))?;
        Ok(AlertKey { comment: comment.to_owned(), id: id.to_owned() })
    }
}

/// What the partition of all that is known of a comment begins with.
const COMMENT: &str = "comment#";

/// The partition of all that is known of a comment.
pub(crate) fn partition(comment: &str) -> String {
    format!("{COMMENT}{comment}")
}

pub(crate) fn record(comment: &str) -> Key {
    Key::new(partition(comment), RECORD)
}

/// A time as it stands in sort keys: in their order.
pub fn sort_time(time: Timestamp) -> String {
    format!("{}.{:09}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_sort_as_they_follow_each_other(one in 0_i64..4_000_000_000_000_000_000, other in 0_i64..4_000_000_000_000_000_000) {
            let [one, other] = [one, other].map(|at| Timestamp::from_nanosecond(at.into()).expect("a time"));
            prop_assert_eq!(sort_time(one).cmp(&sort_time(other)), one.cmp(&other));
            prop_assert_eq!(sort_time(one).parse::<Timestamp>().ok(), Some(one));
        }

        #[test]
        fn an_alerts_name_reads_as_it_is_written(comment in "[a-f0-9-]{1,36}", id in "[a-f0-9-]{1,36}", number in 1_u32..9_999) {
            let key = AlertKey { comment, id };
            prop_assert_eq!(key.to_string().parse(), Ok(key.clone()));
            prop_assert_eq!(AlertKey::of_item(&key.item()), Some(key.clone()));
            prop_assert_eq!(AlertKey::of_item(&key.decision(number)), Some(key));
        }
    }

    #[test]
    fn of_a_long_id_as_much_counts_as_an_alert_holds() {
        let long = "ä".repeat(MAX_FIELD_CHARS);
        assert_eq!(comment_key("s", &long), comment_key("s", &format!("{long}x")));
        assert_ne!(comment_key("s", &long), comment_key("s", &long[2..]));
        for none in [None, Some("")] {
            assert_eq!(comment_key_of("s", none, "e"), comment_key("s", "e"));
        }
        for text in ["", "a", "/", "a/", "/b", "a/b/c", "a#/b"] {
            assert!(text.parse::<AlertKey>().is_err(), "{text}");
        }
    }
}
