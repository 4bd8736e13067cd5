//! Digests over the memory world.

use std::time::Duration;

use jiff::Timestamp;
use modstream_events::Severity;
use modstream_ledger::digests::{Covered, Digest, Digests, DigestsError, Late, Withheld, window_key};
use modstream_ledger::{Hour, Sent, Withholding};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, Clock, Condition, Objects};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn hour(text: &str) -> Hour {
    text.parse().expect("an hour")
}

fn digest() -> Digest {
    let hour = hour("2026-01-05T10");
    Digest {
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

fn world() -> (MemoryObjects, MemoryClock) {
    (MemoryObjects::new(), MemoryClock::starting_at(time("2026-01-05T10:06:00Z")))
}

#[tokio::test(start_paused = true)]
async fn a_window_has_the_digests_of_whoever_closed_it_first() {
    let (objects, clock) = world();
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let Digest { start, end, .. } = digest();
    let key = window_key(start, end);
    assert_eq!(key, "digests/2026-01-05T10/1000-5m.json");
    assert_eq!(digests.window(&key).await, Ok(None));
    let pics = Digest { subreddit: Some("pics".to_owned()), ..digest() };
    let both = vec![pics, digest()];
    assert_eq!(digests.close(start, end, both.clone()).await, Ok(both.clone()));
    assert_eq!(digests.close(start, end, Vec::new()).await, Ok(both.clone()));
    assert_eq!(digests.window(&key).await, Ok(Some(both)));
    assert_eq!(objects.versions(&key).len(), 1);
    assert_eq!((digest().published(), digest().withheld(), digest().covered().count()), (1, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_first_is_what_is_recorded() {
    let (objects, clock) = world();
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let hour = digest().hour();
    digests.mark_sent(hour, "d", "message-1".to_owned()).await.expect("recorded");
    digests.mark_sent(hour, "d", "message-2".to_owned()).await.expect("recorded");
    let [content] = &objects.versions("digests/2026-01-05T10/d/sent.json")[..] else { panic!("written once") };
    let sent: Sent = serde_json::from_slice(content).expect("when, and the message");
    assert_eq!(sent.message_id, "message-1");
}

#[tokio::test(start_paused = true)]
async fn a_listing_has_the_hours_it_was_asked_for_over_midnight() {
    let (objects, clock) = world();
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    for start in ["2026-01-04T22:55:00Z", "2026-01-04T23:00:00Z", "2026-01-05T00:05:00Z", "2026-01-05T02:00:00Z"] {
        digests.close(time(start), time(start) + Duration::from_secs(300), Vec::new()).await.expect("closed");
    }
    for (at, id) in [("2026-01-04T22", "x"), ("2026-01-05T00", "b"), ("2026-01-05T02", "y")] {
        digests.mark_sent(hour(at), id, "m".to_owned()).await.expect("recorded");
    }
    for name in ["readme.txt", "c/x", "-5m.json", "0000-m.json", "0010-5m.json/x", "a/b/sent.json"] {
        let key = format!("digests/2026-01-05T00/{name}");
        objects.put(&key, Bytes::new(), Condition::Always).await.expect("written");
    }
    objects.put("digests/2026-01-05Tx/c/sent.json", Bytes::new(), Condition::Always).await.expect("written");
    let found = digests.between(hour("2026-01-04T23"), hour("2026-01-05T01")).await.expect("a listing");
    assert_eq!(found.windows, ["digests/2026-01-04T23/2300-5m.json", "digests/2026-01-05T00/0005-5m.json"]);
    assert_eq!(found.sent.into_iter().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_digest_is_named() {
    let (objects, clock) = world();
    let digests = Digests::new(&objects, &clock, clock.now() + Duration::from_secs(10));
    let Digest { start, end, .. } = digest();
    let key = window_key(start, end);
    objects.put(&key, Bytes::from_static(b"{}"), Condition::Always).await.expect("written");
    let error = digests.close(start, end, vec![digest()]).await.expect_err("unreadable");
    assert!(matches!(error, DigestsError::Unreadable { .. }));
    assert!(error.to_string().starts_with(&format!("{key} is not what digests have there: ")), "{error}");
}
