//! Digests over the memory world.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use modstream_events::Severity;
use modstream_ledger::digests::{Closed, Closing, Digest, Digests, Head, WaitingSince, Window, WithheldCount};
use modstream_ledger::{AlertKey, Withholding};
use modstream_platform::Clock;
use modstream_platform::memory::{MemoryClock, MemoryTable};

use crate::world::{clock, table};

fn time(text: &str) -> Timestamp {
    format!("2026-01-05T{text}:00Z").parse().expect("a time")
}

fn window(start: &str) -> Window {
    let start = time(start);
    Window { start, end: start + SignedDuration::from_mins(5) }
}

fn key(id: &str) -> AlertKey {
    AlertKey { comment: "c".to_owned(), id: id.to_owned() }
}

fn digest(window: Window, alerts: &[&str]) -> Digest {
    let why = WithheldCount { reason: Withholding::Budget, detail: "the budget is 20 an hour".to_owned(), count: 1 };
    Digest {
        subreddit: Some("science".to_owned()),
        start: window.start,
        end: window.end,
        severity: Severity::High,
        count: alerts.len(),
        alerts: alerts.iter().map(|id| key(id)).collect(),
        withheld: vec![why],
        late: None,
        from_quiet_hours: 0,
        exploration_count: 0,
        explorations: Vec::new(),
    }
}

fn closing(window: Window, alerts: &[&str]) -> Closing {
    Closing {
        window,
        digests: vec![digest(window, alerts)],
        taken: alerts.iter().map(|id| (window.start, key(id))).collect(),
        waiting: BTreeMap::new(),
        still_waiting: BTreeMap::new(),
    }
}

fn digests<'a>(table: &'a MemoryTable, clock: &'a MemoryClock) -> Digests<'a, MemoryTable, MemoryClock> {
    Digests::new(table, clock, clock.now() + SignedDuration::from_secs(600))
}

#[tokio::test(start_paused = true)]
async fn windows_are_closed_one_after_another_by_whoever_comes_first() {
    let clock = clock();
    let table = table(clock);
    let digests = digests(&table, &clock);
    let head = digests.head().await.expect("readable");
    assert_eq!(head, Head::default());
    let first = window("10:00");
    assert_eq!(digests.close(&head, &closing(first, &["a", "b"])).await, Ok(Closed::Ours));
    // A run that began at the same place finds that it is behind, and what it would have written does not count.
    for of in [closing(first, &["a", "x"]), closing(window("10:05"), &["a", "y"])] {
        assert_eq!(digests.close(&head, &of).await, Ok(Closed::Behind));
    }
    let taken = digests.taken(&[(first.start, first.end)]).await.expect("readable");
    assert_eq!(taken.into_iter().map(|key| key.id).collect::<Vec<_>>(), ["a", "b"]);
    let head = digests.head().await.expect("readable");
    assert_eq!(head.end, Some(first.end));
    assert_eq!(digests.close(&head, &closing(window("10:05"), &["y"])).await, Ok(Closed::Ours));
    assert_eq!(digests.taken(&[(first.start, window("10:05").end)]).await.expect("readable").len(), 3);
    assert_eq!(digests.digest(first, 0).await.expect("readable"), Some(digest(first, &["a", "b"])));
    assert_eq!(digests.digest(first, 1).await, Ok(None));
    assert_eq!(digests.digest(window("10:10"), 0).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_first_is_what_is_recorded_and_a_window_is_unsent_until_all_are() {
    let clock = clock();
    let table = table(clock);
    let digests = digests(&table, &clock);
    let of = closing(window("10:00"), &["a"]);
    digests.close(&Head::default(), &of).await.expect("closes");
    let [unsent] = &digests.unsent().await.expect("readable")[..] else { panic!("one window") };
    let [stored] = &digests.digests(unsent).await.expect("readable")[..] else { panic!("one digest") };
    assert_eq!((stored.is_sent, stored.position), (false, 0));
    digests.mark_sent(stored, "message-1").await.expect("recorded");
    digests.mark_sent(stored, "message-2").await.expect("there already");
    // The same attempt once more, as a run that is repeated makes it, takes nothing back.
    assert_eq!(digests.close(&Head::default(), &of).await, Ok(Closed::Ours));
    assert!(digests.digests(unsent).await.expect("readable")[0].is_sent);
    let ids = table.items().iter().filter(|item| item.text("message_id") == Some("message-1")).count();
    assert_eq!(ids, 1);
    digests.all_sent(unsent).await.expect("recorded");
    assert_eq!(digests.unsent().await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_known_from_the_first_window_on_that_left_some() {
    let clock = clock();
    let table = table(clock);
    let digests = digests(&table, &clock);
    let mut head = Head::default();
    for (start, id) in [("10:00", "a"), ("10:05", "b"), ("10:10", "c")] {
        let window = window(start);
        let since = WaitingSince { window: window.to_string(), alerts: true };
        let mut still_waiting = head.waiting.clone();
        still_waiting.entry("science".to_owned()).or_insert(since);
        let of = Closing {
            digests: Vec::new(),
            waiting: BTreeMap::from([("science".to_owned(), vec![key(id)])]),
            still_waiting,
            ..closing(window, &[id])
        };
        assert_eq!(digests.close(&head, &of).await, Ok(Closed::Ours));
        head = digests.head().await.expect("readable");
    }
    let ids = async |since: &WaitingSince| {
        let waiting = digests.waiting("science", since).await.expect("readable");
        waiting.into_iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&head.waiting["science"]).await, ["a", "b", "c"]);
    assert_eq!(ids(&WaitingSince { window: window("10:05").to_string(), alerts: true }).await, ["b", "c"]);
    assert!(digests.waiting("pics", &head.waiting["science"]).await.expect("readable").is_empty());
}

#[test]
fn a_windows_name_reads_as_it_is_written() {
    for text in ["2026-01-05T10:00-5m", "2026-01-05T23:59-1440m"] {
        assert_eq!(text.parse::<Window>().expect(text).to_string(), text);
    }
    for text in ["", "2026-01-05T10:00", "2026-01-05T10:00-05m", "2026-01-05T10:00-5", "x-5m", "2026-1-05T10:00-5m"] {
        assert!(text.parse::<Window>().is_err(), "{text}");
    }
}
