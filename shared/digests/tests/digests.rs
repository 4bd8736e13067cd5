//! Digests over the memory world.

use std::time::Duration;

use jiff::Timestamp;
use modstream_digests::{Covered, Digests, DigestsError, Entry, Keys, Late, Next, Requested, Withheld};
use modstream_events::Severity;
use modstream_ledger::{Hour, Withholding};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Clock, Condition, Objects};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn digest() -> Requested {
    let hour = Hour::of(time("2026-01-05T10:00:00Z"));
    Requested {
        subreddit: Some("science".to_owned()),
        start: time("2026-01-05T10:00:00Z"),
        end: time("2026-01-05T10:05:00Z"),
        severity: Severity::High,
        alerts: vec![Covered { hour, id: "a".to_owned() }, Covered { hour, id: "b".to_owned() }],
        withheld: vec![Withheld {
            reason: Withholding::Budget,
            detail: "the budget is 20 an hour".to_owned(),
            count: 1,
        }],
        late: Some(Late { count: 1, oldest: time("2026-01-05T09:41:00Z") }),
        from_quiet_hours: 0,
        explorations: vec![Covered { hour, id: "c".to_owned() }],
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_requested_first_is_sent_once() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::starting_at(time("2026-01-05T10:06:00Z")));
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let hour = Hour::of(digest().start);
    let other = Requested { alerts: Vec::new(), ..digest() };
    assert_eq!(digests.request(hour, "d", digest()).await, Ok(Next::GoOn(digest())));
    assert_eq!(digests.request(hour, "d", other.clone()).await, Ok(Next::GoOn(digest())));
    assert_eq!(digests.sent(hour, "d").await, Ok(None));
    digests.mark_sent(hour, "d", "message-1".to_owned()).await.expect("recorded");
    digests.mark_sent(hour, "d", "message-2".to_owned()).await.expect("recorded");
    assert_eq!(digests.request(hour, "d", other).await, Ok(Next::Nothing));
    assert_eq!(digests.sent(hour, "d").await.expect("readable").expect("sent").message_id, "message-1");
    let keys = Keys::new(hour, "d");
    assert_eq!(keys.requested, "digests/2026-01-05T10/d/requested.json");
    assert_eq!(objects.versions(&keys.requested).len() + objects.versions(&keys.sent).len(), 2);
    assert_eq!((digest().published(), digest().withheld(), digest().covered().count()), (1, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_listing_has_the_hours_it_was_asked_for_over_midnight() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::starting_at(time("2026-01-05T10:06:00Z")));
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let hour = |text: &str| text.parse::<Hour>().expect("an hour");
    for (at, id) in [("2026-01-04T22", "x"), ("2026-01-04T23", "a"), ("2026-01-05T00", "b"), ("2026-01-05T02", "y")] {
        digests.request(hour(at), id, digest()).await.expect("recorded");
    }
    digests.mark_sent(hour("2026-01-05T00"), "b", "m".to_owned()).await.expect("recorded");
    for key in ["digests/2026-01-05T00/readme.txt", "digests/2026-01-05Tx/c/sent.json", "digests/2026-01-05T00/c/x"] {
        objects.put(key, Vec::new(), Condition::Always).await.expect("written");
    }
    let found = digests.between(hour("2026-01-04T23"), hour("2026-01-05T01")).await.expect("a listing");
    let entry = |at: &str, id: &str, is_sent| Entry { hour: hour(at), id: id.to_owned(), is_sent };
    assert_eq!(found, [entry("2026-01-04T23", "a", false), entry("2026-01-05T00", "b", true)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_digest_is_named() {
    let (objects, clock) = (MemoryObjects::new(), MemoryClock::starting_at(time("2026-01-05T10:06:00Z")));
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let hour = Hour::of(digest().start);
    objects.put(&Keys::new(hour, "d").requested, b"{}".to_vec(), Condition::Always).await.expect("written");
    let error = digests.requested(hour, "d").await.expect_err("unreadable");
    assert!(matches!(error, DigestsError::Unreadable { .. }));
    assert!(error.to_string().starts_with("digests/2026-01-05T10/d/requested.json is no digest: "), "{error}");
}
