//! Deterministic ids: UUIDv5 ([RFC 9562, section 5.5](https://www.rfc-editor.org/rfc/rfc9562#section-5.5)) under [`NAMESPACE`].
//!
//! The name that is hashed is the compact JSON array of the kind and its parts, so no two lists of parts share one and any
//! language computes the same id:
//!
//! ```
//! use modstream_events::ids;
//! use uuid::Uuid;
//!
//! let name = br#"["modstream.alert.v1","urn:example:forum","42","default"]"#;
//! assert_eq!(ids::alert("urn:example:forum", "42", "default"), Uuid::new_v5(&ids::NAMESPACE, name));
//! ```

use jiff::Timestamp;
use uuid::Uuid;

/// The namespace of every modstream id. It never changes.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x5d2b_6c1e_0f4a_5b7e_9c3d_81a4_e6f7_2b90);

// What a hashed name begins with: the type of the event in its first version. A later version keeps it, so that a repeat in
// that version has the id of what it repeats.
const COMMENT: &str = "modstream.comment.v1";
const COMMENT_DELETED: &str = "modstream.comment-deleted.v1";
const COMMENT_REPORTED: &str = "modstream.comment-reported.v1";
const PREDICTION: &str = "modstream.prediction.v1";
const ALERT: &str = "modstream.alert.v1";
const DECISION: &str = "modstream.decision.v1";
const DIGEST: &str = "modstream.digest.v1";
const MODEL_PROMOTED: &str = "modstream.model-promoted.v1";
const POLICIES_CHANGED: &str = "modstream.policies-changed.v1";
const BREAKER_CLOSED: &str = "modstream.breaker-closed.v1";
const QUARANTINED: &str = "modstream.quarantined.v1";

fn id(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = Vec::with_capacity(192);
    name.push(b'[');
    write_string(&mut name, kind);
    for part in parts {
        name.push(b',');
        write_string(&mut name, part);
    }
    name.push(b']');
    Uuid::new_v5(&NAMESPACE, &name)
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serialises into memory");
}

/// The comment event at `index` of what the schedule event `schedule_event_id` generated.
pub fn generated_comment(schedule_event_id: &str, index: u64) -> Uuid {
    id(COMMENT, &["generated", schedule_event_id, &index.to_string()])
}

/// The event of one version of a comment: `source` names the system that the comment comes from, `comment_id` is that system's
/// id, and `version` its revision or an [`edit_version`], else a [`text_version`].
pub fn comment(source: &str, comment_id: &str, version: &str) -> Uuid {
    id(COMMENT, &["version", source, comment_id, version])
}

/// The version of a comment whose forum tells none: a hash of its text, and how many earlier versions of the comment, but for
/// the latest, had the same text. So a text that comes again at once is a repeat, and one that comes back after another is new.
pub fn text_version(text: &str, earlier: u32) -> String {
    id(COMMENT, &["text", text, &earlier.to_string()]).to_string()
}

/// The version of a comment whose forum tells when it was edited: that time in seconds since 1970, a `+`, and the [`text_version`]
/// among the texts of that time, since two edits may share a time that is rounded.
pub fn edit_version(edited: i64, text_version: &str) -> String {
    format!("{edited}+{text_version}")
}

/// A comment, whatever its version: what all that is known of it is filed under.
pub fn comment_key(source: &str, comment_id: &str) -> Uuid {
    id(COMMENT, &["comment", source, comment_id])
}

/// The event that says that a comment is gone.
pub fn comment_deleted(source: &str, comment_id: &str) -> Uuid {
    id(COMMENT_DELETED, &[source, comment_id])
}

/// The event that says that somebody reported a comment; a person who reports twice is counted once.
pub fn comment_reported(source: &str, comment_id: &str, reporter: &str) -> Uuid {
    id(COMMENT_REPORTED, &[source, comment_id, reporter])
}

/// The prediction of one model version for one comment event.
pub fn prediction(comment_source: &str, comment_event_id: &str, model_version: &str) -> Uuid {
    id(PREDICTION, &[comment_source, comment_event_id, model_version])
}

/// The alert of one policy for one comment event: no model version in it, so a new model never alerts twice.
pub fn alert(comment_source: &str, comment_event_id: &str, policy_name: &str) -> Uuid {
    id(ALERT, &[comment_source, comment_event_id, policy_name])
}

/// The question about one comment event that meets no policy and is asked about all the same; apart from [`alert`], so that a
/// later model can still alert.
pub fn exploration(comment_source: &str, comment_event_id: &str, policy_name: &str) -> Uuid {
    id(ALERT, &["exploration", comment_source, comment_event_id, policy_name])
}

/// The decision of this number about one alert.
pub fn decision(alert_id: &str, number: u32) -> Uuid {
    id(DECISION, &[alert_id, &number.to_string()])
}

/// The digest of one subreddit and window; the empty name stands for comments without a subreddit.
pub fn digest(subreddit: &str, start: Timestamp, end: Timestamp) -> Uuid {
    id(DIGEST, &[subreddit, &start.to_string(), &end.to_string()])
}

/// The promotion of this number of models of one name. The time keeps the promotions of two systems apart, which number theirs
/// alike; so it does below.
pub fn model_promoted(name: &str, number: u32, version: &str, time: Timestamp) -> Uuid {
    id(MODEL_PROMOTED, &[name, &number.to_string(), version, &time.to_string()])
}

/// The change of this number of the policies in use.
pub fn policies_changed(number: u32, version: &str, time: Timestamp) -> Uuid {
    id(POLICIES_CHANGED, &[&number.to_string(), version, &time.to_string()])
}

/// The end that somebody put to a breaker, which is named by the day on which it opened and its number on that day.
pub fn breaker_closed(breaker: &str, time: Timestamp) -> Uuid {
    id(BREAKER_CLOSED, &[breaker, &time.to_string()])
}

/// The quarantine entry of one record.
pub fn quarantined(stream: &str, shard_id: &str, sequence_number: &str) -> Uuid {
    id(QUARANTINED, &[stream, shard_id, sequence_number])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_what_they_always_were() {
        let all = [
            generated_comment("schedule-1", 7),
            comment("urn:example:forum", "k3f9a01", "1767607500"),
            prediction("urn:example:forum", "k3f9a01", "abc"),
            alert("urn:example:forum", "k3f9a01", "default"),
            quarantined("comments", "shardId-000000000000", "49"),
            exploration("urn:example:forum", "k3f9a01", "default"),
            decision("d704ed39-889c-5b22-b41b-2e4fb9283bff", 1),
            digest("science", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(5)),
            comment("urn:example:forum", "k3f9a01", &text_version("lol", 0)),
            comment_key("urn:example:forum", "k3f9a01"),
            comment_deleted("urn:example:forum", "k3f9a01"),
            comment_reported("urn:example:forum", "k3f9a01", "9f2c"),
            comment("urn:example:forum", "k3f9a01", &edit_version(1_767_607_500, &text_version("lol", 0))),
        ]
        .map(|id| id.to_string());
        assert_eq!(all, EVER);
    }

    /// Consumers drop repeats by these: a change here doubles every alert once.
    const EVER: [&str; 13] = [
        "d4c52ac8-10fc-534c-be69-773755663b39",
        "361ac0d2-1b82-505e-b259-7b4337ec4742",
        "f5bb99b3-e555-52e8-9d8c-d621d9e35ee1",
        "d704ed39-889c-5b22-b41b-2e4fb9283bff",
        "9aaf366e-914f-5fdc-bb19-8a81db2c4da0",
        "786f6606-3356-5e11-b8b3-08740e7b008b",
        "e4e42eaf-e5f6-53e0-85f6-36858ad762d9",
        "6c4e27cd-95c8-50fb-aa43-81118a33a92f",
        "f0ade649-0fcf-5483-b2cf-f988c0262514",
        "9668f631-51b3-57e2-a240-628cc2d26208",
        "85a26107-2bd3-58af-ad9e-9188d7b0ae4b",
        "d25ce7cb-e2ff-50e4-9e77-d496983085b3",
        "7a914566-6329-5b18-ab5d-19d395a6ff00",
    ];

    #[test]
    fn ids_of_changes_are_what_they_always_were() {
        let all = [
            model_promoted("rscience", 1, "abc", Timestamp::UNIX_EPOCH),
            policies_changed(1, "abc", Timestamp::UNIX_EPOCH),
            breaker_closed("breakers/2026-01-05/0000-_all", Timestamp::UNIX_EPOCH),
        ]
        .map(|id| id.to_string());
        let ever = [
            "070274ea-769a-519d-9ff1-c116195354cb",
            "642f2adb-79d2-5714-890a-66d0246ec2d5",
            "8a941c4e-3f1c-5eb1-a88b-85ac17e4fe82",
        ];
        assert_eq!(all, ever);
    }

    proptest! {
        #[test]
        fn moving_a_boundary_between_parts_changes_the_id(a in ".{0,8}", b in ".{1,8}", policy in ".{0,8}") {
            prop_assert_ne!(alert(&a, &b, &policy), alert(&format!("{a}{b}"), "", &policy));
            prop_assert_ne!(prediction(&a, &b, &policy), alert(&a, &b, &policy));
        }
    }
}
