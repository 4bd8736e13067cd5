//! The ledger over the memory world.

use std::time::Duration;

use jiff::Timestamp;
use modstream_ledger::{Fate, Hour, Keys, Ledger, LedgerError, Next, Reader, Withholding};
use modstream_platform::memory::{MemoryClock, MemoryObjects};
use modstream_platform::{Bytes, Clock, Condition, Objects};

fn time() -> Timestamp {
    "2026-01-05T10:59:59Z".parse().expect("a time")
}

struct Fixture {
    objects: MemoryObjects,
    clock: MemoryClock,
}

impl Fixture {
    fn new() -> Self {
        Fixture { objects: MemoryObjects::new(), clock: MemoryClock::starting_at(time()) }
    }

    fn ledger(&self) -> Ledger<'_, MemoryObjects, MemoryClock> {
        Ledger::new(&self.objects, &self.clock, self.clock.now() + Duration::from_secs(10))
    }

    fn reader(&self) -> Reader<'_, MemoryObjects, MemoryClock> {
        Reader::new(&self.objects, &self.clock, self.clock.now() + Duration::from_secs(10))
    }

    async fn fates(&self) -> Vec<(String, Fate)> {
        let entries = self.reader().hour(Hour::of(time())).await.expect("a listing");
        entries.into_iter().map(|entry| (entry.id, entry.fate)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_requested_first_goes_on_until_it_is_sent() {
    let fixture = Fixture::new();
    let (ledger, keys) = (fixture.ledger(), Keys::new(time(), "a"));
    assert_eq!(ledger.request(&keys, b"first".to_vec()).await, Ok(Next::GoOn));
    assert_eq!(ledger.request(&keys, b"second".to_vec()).await, Ok(Next::Resume(Bytes::from_static(b"first"))));
    ledger.sent(&keys, "message-1".to_owned()).await.expect("recorded");
    assert_eq!(ledger.request(&keys, b"third".to_vec()).await, Ok(Next::Nothing));
    let sent = fixture.reader().sent(Hour::of(time()), "a").await.expect("readable").expect("sent");
    assert_eq!((sent.time, sent.message_id.as_str()), (time(), "message-1"));
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_settled_for_good_and_says_why() {
    let fixture = Fixture::new();
    let (ledger, keys) = (fixture.ledger(), Keys::new(time(), "a"));
    ledger.request(&keys, b"event".to_vec()).await.expect("recorded");
    ledger.withhold(&keys, Withholding::Budget, "20 an hour".to_owned()).await.expect("recorded");
    ledger.withhold(&keys, Withholding::Breaker, "open".to_owned()).await.expect("there already");
    assert_eq!(ledger.request(&keys, b"event".to_vec()).await, Ok(Next::Nothing));
    let withheld = fixture.reader().withheld(Hour::of(time()), "a").await.expect("readable").expect("withheld");
    assert_eq!((withheld.reason, withheld.detail.as_str()), (Withholding::Budget, "20 an hour"));
}

#[tokio::test(start_paused = true)]
async fn a_listing_tells_each_alerts_fate_and_nothing_of_other_hours() {
    let fixture = Fixture::new();
    let ledger = fixture.ledger();
    for id in ["on-its-way", "withheld", "sent", "both"] {
        ledger.request(&Keys::new(time(), id), id).await.expect("recorded");
    }
    ledger.request(&Keys::new(time() + Duration::from_secs(1), "later"), Bytes::new()).await.expect("recorded");
    for id in ["withheld", "both"] {
        ledger.withhold(&Keys::new(time(), id), Withholding::Channel, String::new()).await.expect("recorded");
    }
    for id in ["sent", "both"] {
        ledger.sent(&Keys::new(time(), id), "m".to_owned()).await.expect("recorded");
    }
    let expected =
        [("both", Fate::Sent), ("on-its-way", Fate::Requested), ("sent", Fate::Sent), ("withheld", Fate::Withheld)];
    assert_eq!(fixture.fates().await, expected.map(|(id, fate)| (id.to_owned(), fate)));
    assert_eq!(fixture.reader().alert(Hour::of(time()), "both").await.expect("readable"), Some(b"both".to_vec()));
    assert_eq!(fixture.reader().alert(Hour::of(time()), "none").await.expect("an answer"), None);
}

#[tokio::test(start_paused = true)]
async fn an_object_of_another_form_is_named() {
    let fixture = Fixture::new();
    let key = Keys::new(time(), "a").sent;
    fixture.objects.put(&key, Bytes::from_static(b"{}"), Condition::Always).await.expect("written");
    let error = fixture.reader().sent(Hour::of(time()), "a").await.expect_err("no time in it");
    assert!(matches!(&error, LedgerError::Unreadable { key: named, .. } if *named == key), "{error}");
}
