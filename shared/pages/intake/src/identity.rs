//! What makes a comment's event the one that came before.

use jiff::Timestamp;
use modstream_events::{CommentEvent, ids};
use modstream_platform::PutRecord;
use uuid::Uuid;

/// The identity of an event. By the ids alone a second deletion of a comment, which came back in between, would pass for the first
/// one again; it has another time.
pub(crate) fn of(source: &str, id: &str, deleted: Option<Timestamp>) -> [u8; 16] {
    let deleted = deleted.map(|time| time.to_string()).unwrap_or_default();
    let mut name = Vec::with_capacity(source.len() + id.len() + deleted.len() + 2);
    for part in [source, id, &deleted] {
        name.extend_from_slice(part.as_bytes());
        // No JSON text of ours holds this byte, so no two lists of parts share a name.
        name.push(0xFF);
    }
    Uuid::new_v5(&ids::NAMESPACE, &name).into_bytes()
}

/// The identity of a comment's event.
pub fn of_event(event: &CommentEvent<'_>) -> [u8; 16] {
    match event {
        CommentEvent::Created(event) => of(&event.source, &event.id, None),
        CommentEvent::Edited(event) => of(&event.source, &event.id, None),
        CommentEvent::Reported(event) => of(&event.source, &event.id, None),
        CommentEvent::Deleted(event) => of(&event.source, &event.id, Some(event.time)),
    }
}

/// The identity of a record of the stream of comments; none where it is no event.
pub fn of_record(record: &PutRecord) -> Option<[u8; 16]> {
    CommentEvent::decode(&record.data).ok().as_ref().map(of_event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_part_another_boundary_another_time_is_another_identity() {
        let time = |seconds| Some(Timestamp::from_second(seconds).expect("a time"));
        let all =
            [of("a", "b", None), of("ab", "", None), of("", "ab", None), of("a", "b", time(1)), of("a", "b", time(2))];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(of("a", "b", None), all[0]);
    }
}
