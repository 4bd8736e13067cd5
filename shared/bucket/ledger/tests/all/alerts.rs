//! Alerts over the memory world.

use std::time::Duration;

use modstream_events::{DeletedBy, Outside, Severity};
use modstream_ledger::comments::{Deletion, Version};
use modstream_ledger::{AlertKey, Fate, InQueue, Kind, LedgerError, List, Next, Withholding, with_decision};
use modstream_platform::Clock;
use modstream_platform::table::{Condition, Item, Table as _, Transacted};

use crate::world::{alert, clock, ledger, request, table, time};

#[tokio::test(start_paused = true)]
async fn what_was_made_first_goes_on_until_it_is_sent() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let first = alert("e-1", time(), Severity::High);
    let (key, next) = request(&ledger, &first).await;
    assert_eq!(next, Next::GoOn);
    let (_, next) = request(&ledger, &alert("e-1", time() + Duration::from_secs(60), Severity::Low)).await;
    let Next::Resume(entry) = next else { panic!("{next:?}") };
    assert_eq!((entry.event, entry.made, entry.fate), (first.encode(), time(), Fate::Requested));
    ledger.sent(&key, "message-1").await.expect("recorded");
    ledger.sent(&key, "message-2").await.expect("there already");
    let (_, next) = request(&ledger, &first).await;
    let Next::Nothing(entry) = next else { panic!("{next:?}") };
    assert!(matches!(&entry.fate, Fate::Sent(sent) if sent.message_id == "message-1" && sent.time == time()));
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_settled_for_good_and_says_why() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let (key, _) = request(&ledger, &alert("e-1", time(), Severity::High)).await;
    ledger.withhold(&key, Withholding::Budget, "20 an hour").await.expect("recorded");
    ledger.withhold(&key, Withholding::Breaker, "open").await.expect("there already");
    let entry = ledger.entry(&key).await.expect("readable").expect("there");
    let why = entry.withheld().expect("withheld");
    assert_eq!((why.reason, why.detail.as_str()), (Withholding::Budget, "20 an hour"));
    // An attempt without an answer may have published it.
    ledger.sent(&key, "m").await.expect("recorded");
    assert!(matches!(ledger.entry(&key).await, Ok(Some(entry)) if matches!(entry.fate, Fate::Sent(_))));

    let event = alert("e-2", time(), Severity::High);
    let key = AlertKey::of_alert(&event);
    let why = Some((Withholding::Channel, "by digest alone"));
    assert_eq!(ledger.request(&key, &event, &event.encode(), why).await, Ok(Next::GoOn));
    assert_eq!(ledger.entry(&key).await.expect("readable").expect("there").withheld().expect("withheld").time, time());
}

#[tokio::test(start_paused = true)]
async fn what_was_never_made_is_not_changed_into_something() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let key = AlertKey::of_alert(&alert("e-1", time(), Severity::High));
    ledger.sent(&key, "m").await.expect("nothing to do");
    ledger.supersede(&key, "e-2").await.expect("nothing to do");
    assert_eq!(table.items(), []);
}

#[tokio::test(start_paused = true)]
async fn lists_have_what_waits_by_urgency_and_what_was_made_by_time_and_nothing_that_is_past() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let minute = |minutes: u64| time() + Duration::from_secs(60 * minutes);
    let made = [
        ("low", 0, Severity::Low),
        ("younger", 3, Severity::High),
        ("older", 1, Severity::High),
        ("edited", 2, Severity::High),
        ("decided", 4, Severity::High),
        ("gone", 5, Severity::Medium),
        ("reported", 6, Severity::Medium),
        ("medium", 5, Severity::Medium),
    ];
    let mut keys = std::collections::BTreeMap::new();
    for (id, minutes, severity) in made {
        keys.insert(id, request(&ledger, &alert(id, minute(minutes), severity)).await.0);
    }
    let entry = async |id: &str| ledger.entry(&keys[id]).await.expect("readable").expect("there");
    ledger.supersede(&keys["edited"], "e-9").await.expect("recorded");
    let deletion = Deletion { time: minute(9), by: DeletedBy::Author, event: ("d".to_owned(), minute(9)) };
    ledger.withdraw(&entry("gone").await, &deletion).await.expect("recorded");
    ledger.report(&entry("reported").await, 2).await.expect("recorded");
    ledger.report(&entry("reported").await, 1).await.expect("fewer say nothing");
    assert_eq!(entry("reported").await.reports, 2);
    let decision = with_decision(&keys["decided"], 0, InQueue::Leaves);
    assert_eq!(table.transact("t", &[decision]).await, Ok(Transacted::Done));

    let id = |key: &AlertKey| *keys.iter().find(|(_, known)| *known == key).expect("known").0;
    let waiting = ledger.waiting(None).await.expect("a page");
    let waiting: Vec<&str> = waiting.found.iter().map(|waiting| id(&waiting.key)).collect();
    assert_eq!(waiting, ["older", "younger", "reported", "medium", "low"]);
    let listed = ledger.made_between(List::Standing, (minute(1), minute(6)), None).await.expect("a page").found;
    let ids: Vec<&str> = listed.iter().map(|listed| id(&listed.key)).collect();
    assert_eq!(ids, ["older", "younger", "decided", "medium"]);
    assert_eq!(
        (listed[0].subreddit.as_deref(), listed[0].severity, listed[0].probability, listed[0].kind),
        (Some("science"), Severity::High, 0.9, Kind::Alert)
    );
    let gone = entry("gone").await;
    assert!(!String::from_utf8_lossy(&gone.event).contains("copper") && gone.withdrawn.is_some());

    // Whoever is to be forgotten is found in both lists.
    for (list, expected) in [(List::Standing, 6), (List::Superseded, 1), (List::Withdrawn, 0)] {
        for (person, count) in
            [((Some("copper"), None), expected), ((Some("iron"), None), 0), ((None, Some("c1")), expected)]
        {
            assert_eq!(
                ledger.maybe_of(person, list, None).await.expect("a page").found.len(),
                count,
                "{list:?} {person:?}"
            );
        }
    }
    ledger.redact(&entry("edited").await).await.expect("done");
    assert!(ledger.maybe_of((Some("copper"), None), List::Superseded, None).await.expect("a page").found.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_guess_that_a_policy_goes_by_waits_for_none_and_one_beside_which_something_else_alerts_for_all() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let mut by_term = alert("term", time(), Severity::Low);
    (by_term.data.support, by_term.data.matched) = (Some(Outside::Shorter), Some("a term".into()));
    let mut harmful = alert("harm", time() + Duration::from_secs(1), Severity::Low);
    harmful.data.harm = Some(0.2);
    let mut by_policy = alert("policy", time() + Duration::from_secs(2), Severity::Low);
    by_policy.data.support = Some(Outside::Shorter);
    let mut expected = Vec::new();
    for event in [&by_policy, &harmful, &by_term] {
        expected.push(request(&ledger, event).await.0);
    }
    let waiting = ledger.waiting(None).await.expect("a page").found;
    assert_eq!(waiting.into_iter().map(|waiting| waiting.key).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_record_keeps_what_fits_and_of_two_that_change_it_at_once_both_are_in_it() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    for number in 0..120 {
        let version = Version {
            comment_event: format!("{number}-{}", "x".repeat(9_000)),
            name: number.to_string(),
            time: time(),
        };
        ledger.change("c", |record| record.note_version(version.clone())).await.expect("written");
    }
    let record = ledger.record("c").await.expect("readable");
    assert!(record.versions.len() > 20 && record.versions.last().expect("some").name == "119");

    let (one, other) = tokio::join!(
        ledger.change("d", |record| record.note_report("a")),
        ledger.change("d", |record| record.note_report("b")),
    );
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(ledger.record("d").await.expect("readable").reports.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_item_of_another_form_is_named() {
    let clock = clock();
    let table = table(clock);
    let ledger = ledger(&table, &clock);
    let key = AlertKey { comment: "c".to_owned(), id: "a".to_owned() };
    table.put(&Item::new(key.item()), &Condition::Always).await.expect("written");
    let error = ledger.entry(&key).await.expect_err("no event in it");
    assert!(matches!(&error, LedgerError::Unreadable { key: named, .. } if *named == key.item()), "{error}");
    let (found, unreadable) = ledger.entries(&[key]).await.expect("answers");
    assert_eq!((found.len(), unreadable.len()), (0, 1));
    assert!(clock.now() >= time());
}
