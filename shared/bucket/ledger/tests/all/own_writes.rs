//! A write whose answer is lost is known as one's own, and another's is not taken for it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use modstream_events::{DeletedBy, Severity};
use modstream_ledger::comments::{Deletion, Version};
use modstream_ledger::digests::{Closed, Closing, Digests, Head, Window};
use modstream_ledger::{AlertKey, Fate, Next, Withholding};
use modstream_platform::Clock;
use proptest::prelude::*;

use crate::world::{self, Mishap, Planned, alert, ledger, table};

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

proptest! {
    #[test]
    fn a_window_is_closed_by_one_attempt_and_that_knows_it(plan in plan()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let digests = Digests::new(&planned, &clock, Timestamp::MAX);
            let window = Window { start: clock.now(), end: clock.now() + SignedDuration::from_mins(5) };
            let closing = |id: &str| Closing {
                window,
                digests: Vec::new(),
                taken: vec![(window.start, AlertKey { comment: "c".to_owned(), id: id.to_owned() })],
                waiting: BTreeMap::new(),
                still_waiting: BTreeMap::new(),
            };
            let [one, other] = ["a", "b"].map(closing);
            prop_assert_eq!(digests.close(&Head::default(), &one).await, Ok(Closed::Ours));
            prop_assert_eq!(digests.close(&Head::default(), &other).await, Ok(Closed::Behind));
            let taken = digests.taken(&[(window.start, window.end)]).await.unwrap();
            prop_assert_eq!(taken.into_iter().map(|key| key.id).collect::<Vec<_>>(), ["a"]);
            Ok(())
        })?;
    }

    /// Whatever call fails or gets no answer, an alert goes on as it is, and what is recorded is there once.
    #[test]
    fn an_alert_goes_on_with_its_own_request_and_keeps_what_is_recorded(plan in plan(), rules in any::<bool>()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let ledger = ledger(&planned, &clock);
            let event = alert("e-1", clock.now(), Severity::High);
            let key = AlertKey::of_alert(&event);
            let why = rules.then_some((Withholding::Channel, "why"));
            let next = ledger.request(&key, &event, &event.encode(), why).await.unwrap();
            prop_assert_eq!(next, Next::GoOn);
            if !rules {
                ledger.sent(&key, "m").await.unwrap();
            }
            let entry = ledger.entry(&key).await.unwrap().unwrap();
            match &entry.fate {
                Fate::Sent(sent) => prop_assert!(!rules && sent.message_id == "m"),
                Fate::Withheld(why) => prop_assert!(rules && why.reason == Withholding::Channel),
                Fate::Requested => prop_assert!(false, "it is settled"),
            }
            let nothing = ledger.request(&key, &event, &event.encode(), None).await.unwrap();
            prop_assert!(matches!(nothing, Next::Nothing(_)));
            ledger.report(&entry, 3).await.unwrap();
            ledger.supersede(&key, "e-2").await.unwrap();
            let deletion =
                Deletion { time: clock.now(), by: DeletedBy::Moderator, event: ("d".to_owned(), clock.now()) };
            ledger.withdraw(&entry, &deletion).await.unwrap();
            let after = ledger.entry(&key).await.unwrap().unwrap();
            prop_assert_eq!((after.reports, after.is_open(), after.fate == entry.fate), (3, false, true));
            prop_assert!(!String::from_utf8_lossy(&after.event).contains("copper"));
            prop_assert_eq!(inner.items().len(), 1);
            Ok(())
        })?;
    }

    #[test]
    fn a_record_has_what_each_change_notes_once(plan in plan()) {
        run(async {
            let clock = world::clock();
            let inner = table(clock);
            let planned = Planned::new(&inner, plan);
            let ledger = ledger(&planned, &clock);
            for number in [1, 2, 2, 3] {
                let (comment_event, name) = (format!("e-{number}"), number.to_string());
                let version = Version { comment_event, name, time: clock.now() };
                ledger.change("c", |record| record.note_version(version.clone())).await.unwrap();
            }
            let record = ledger.record("c").await.unwrap();
            let names: Vec<&str> = record.versions.iter().map(|version| version.name.as_str()).collect();
            prop_assert_eq!(names, ["1", "2", "3"]);
            Ok(())
        })?;
    }
}

/// What becomes of the first writes.
fn plan() -> impl Strategy<Value = Vec<Option<Mishap>>> {
    let mishap = prop_oneof![Just(Mishap::Fails), Just(Mishap::Lost), Just(Mishap::AnswerLost)];
    prop::collection::vec(prop::option::of(mishap), 0..8)
}
