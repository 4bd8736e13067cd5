use modstream_events::{BadRecord, Event, MAX_RECORD_BYTES, Quarantined, Reason, ids};
use serde_json::Value;

use crate::whole_events::{comment_event, quarantined_event};

/// Every reason, and the word for it.
const REASONS: [(Reason, &str); 13] = [
    (Reason::NotBase64, "not_base64"),
    (Reason::KplAggregate, "kpl_aggregate"),
    (Reason::NotUtf8, "not_utf8"),
    (Reason::NotJson, "not_json"),
    (Reason::NotAnEvent, "not_an_event"),
    (Reason::WrongSpecVersion, "wrong_spec_version"),
    (Reason::WrongType, "wrong_type"),
    (Reason::UnknownVersion, "unknown_version"),
    (Reason::InvalidData, "invalid_data"),
    (Reason::MissingBody, "missing_body"),
    (Reason::TooLarge, "too_large"),
    (Reason::Panicked, "panicked"),
    (Reason::Refused, "refused"),
];

#[test]
fn an_entry_lies_at_its_place_on_the_stream() {
    assert_eq!(
        quarantined_event().data.key(),
        "quarantine/comments/shardId-000000000000/49590338271490256608559692538361571095921575989136588898.json"
    );
}

#[test]
fn an_entrys_event_follows_from_the_record_alone() {
    let entry = quarantined_event().data;
    let (first, again) = (entry.clone().into_event("urn:x"), entry.clone().into_event("urn:x"));
    assert_eq!(first.encode(), again.encode());
    assert_eq!(first.time, entry.origin.arrived);
    let origin = &entry.origin;
    assert_eq!(first.id, ids::quarantined(&origin.stream, &origin.shard_id, &origin.sequence_number).to_string());
}

#[test]
fn another_place_is_another_entry() {
    let entry = quarantined_event().data;
    let moves: [fn(&mut Quarantined<'static>); 3] = [
        |entry| entry.origin.stream = "predictions".into(),
        |entry| entry.origin.shard_id = "shardId-000000000001".into(),
        |entry| entry.origin.sequence_number = "1".into(),
    ];
    for change in moves {
        let mut other = entry.clone();
        change(&mut other);
        assert_ne!(other.key(), entry.key());
        assert_ne!(other.into_event("urn:x").id, entry.clone().into_event("urn:x").id);
    }
}

#[test]
fn a_record_that_is_too_large_still_makes_an_entry_that_reads_back() {
    let mut entry = quarantined_event().data;
    entry.reason = Reason::TooLarge;
    entry.payload = "A".repeat(2 * MAX_RECORD_BYTES).into();
    let bytes = entry.clone().into_event("urn:x").encode();
    let back: Event<'_, Quarantined<'_>> = Event::decode(&bytes).expect("an entry of any size decodes");
    assert_eq!(back.data, entry);
}

#[test]
fn a_reason_has_one_word_in_events_logs_and_metrics() {
    for (reason, word) in REASONS {
        assert_eq!(serde_json::to_value(reason).expect("serialises"), Value::from(word));
        assert_eq!((reason.as_str(), reason.to_string().as_str()), (word, word));
        assert_eq!(BadRecord::new(reason, "why").to_string(), format!("{word}: why"));
    }
}

#[test]
fn ids_follow_from_what_an_event_is_about() {
    let comment = comment_event();
    let id = |id: uuid::Uuid| id.to_string();
    assert_eq!(comment.id, id(ids::comment(&comment.source, "k3f9a01", "1")));
    assert_ne!(id(ids::prediction("s", "c", "m")), id(ids::prediction("s", "c", "n")), "another model version");
    assert_ne!(id(ids::alert("s", "c", "p")), id(ids::alert("s", "c", "q")), "another policy");
    assert_ne!(id(ids::alert("s", "c", "p")), id(ids::alert("t", "c", "p")), "another source");
    assert_ne!(id(ids::generated_comment("e", 1)), id(ids::generated_comment("e", 2)), "another index");
}
