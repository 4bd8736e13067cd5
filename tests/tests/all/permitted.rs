//! Functions do with the table what Terraform permits them, and all of it.

use std::collections::BTreeSet;
use std::time::Duration;

use digest_alerts::DigestRules;
use jiff::Timestamp;
use modstream_decisions::{Announced, Decisions};
use modstream_events::{Cause, DeletedBy};
use modstream_ledger::limits::Breakers;
use modstream_ledger::{AlertKey, Ledger, List};
use modstream_links::Claim;
use modstream_platform::memory::{MemoryStream, MemoryTopic};
use modstream_platform::table::{Consistency, Key, Table as _};
use modstream_platform::{CallErrorKind, Clock as _};
use modstream_tests::{Fault, MadeUp, MemoryWorld, Operation, Permission, Permitted, System, Uses, Which, World as _};
use uuid::Uuid;

use crate::pages::Pages;
use crate::{digest_function, put, put_prediction, smoothly};

/// A budget of two alerts, and a breaker that opens at the fourth.
const POLICIES: &str =
    "[default]\nthreshold = 0.5\nmax_alerts_per_hour = 2\n[breaker]\nmax_share = 0.01\nmin_alerts = 4";

#[tokio::test(start_paused = true)]
async fn functions_are_permitted_what_they_do_and_no_more() {
    let system = System::new(MemoryWorld::new(1, 100), &[]);
    crate::denied::push(&system.world, POLICIES).await;
    publishes(&system).await;
    digests(&system).await;
    shows_and_decides(&system).await;
    opens_a_breaker(&system).await;
    sweeps(&system).await;

    let unused: Vec<String> = Permission::all().difference(&system.uses.so_far()).map(Permission::to_string).collect();
    assert_eq!(unused, [""; 0], "infra/access.json permits it, and no scenario uses it");
}

/// Three alerts, one of them beyond the budget, and one about a comment that is deleted; and a comment that is missed.
async fn publishes(system: &System<MemoryWorld>) {
    for number in 0..3 {
        put_prediction(&system.world, number, 0.9).await;
    }
    assert_eq!(system.publish().await, smoothly());
    let missed = MadeUp::new(9);
    for event in [
        MadeUp::new(2).deleted_event(DeletedBy::Author),
        missed.reported_event(1),
        missed.deleted_event(DeletedBy::Moderator),
    ] {
        put(&system.world, Which::Predictions, "k2", event).await;
    }
    assert_eq!(system.publish().await, smoothly());
}

/// A digest whose alerts waited through quiet hours.
async fn digests(system: &System<MemoryWorld>) {
    let clock = system.world.clock();
    let table = Permitted::of(digest_alerts::NAME, system.world.table(), &system.uses);
    let function = digest_function(MemoryTopic::new("digests"), table, clock);
    for (due, quiet, alerts) in [("10:06:00", true, 0), ("10:11:00", false, 2)] {
        let payload = format!(r#"{{"time":"{}"}}"#, time(due));
        let deadline = clock.now() + Duration::from_secs(20);
        let rules = |_: &str, _| DigestRules { quiet, ..DigestRules::default() };
        let digested = function.handle(payload.as_bytes(), deadline, rules).await.expect("a digest");
        assert_eq!(digested.alerts, alerts, "{due}");
    }
}

/// All that pages offer; what is decided is sent once more by a browser that got no answer.
async fn shows_and_decides(system: &System<MemoryWorld>) {
    let (table, clock) = (system.world.table(), system.world.clock());
    let pages = Pages::over(&table, clock, &system.uses);
    let ledger = Ledger::new(&table, &clock, Timestamp::MAX);
    let between = (time("10:00:00"), time("11:00:00"));
    let alerts = ledger.made_between(List::Standing, between, None).await.expect("lists").found;
    let [by_link, at_desk]: [AlertKey; 2] =
        alerts.into_iter().map(|alert| alert.key).collect::<Vec<_>>().try_into().expect("two alerts");

    let link = pages.link_to(&by_link);
    assert_eq!(pages.get(&link).await.status, 200);
    for _ in 0..2 {
        assert_eq!(pages.post(&link, "moderator=ana&action=remove&after=0").await.status, 303);
        assert_eq!(pages.post("/decide", &pages.form(&at_desk, 0)).await.status, 303);
    }
    assert_eq!(pages.stream.len(), 2);
    let digest = pages.link(&Claim::Digest { start: time("10:05:00"), minutes: 5, position: 0 });
    let sign_in = pages.link(&Claim::SignIn { id: Uuid::from_u128(1), moderator: "ana".to_owned() });
    assert_eq!(pages.post(&sign_in, "").await.status, 303);
    for (path, shown) in [
        (link, ", lol!"),
        (digest, ", lol!"),
        ("/".to_owned(), "Missed</dt><dd>1<"),
        (format!("/alert/{at_desk}"), ", lol!"),
    ] {
        let page = pages.get(&path).await;
        assert!(page.status == 200 && page.body.contains(shown), "{path}: {}", page.body);
    }
}

/// A breaker that is open when the next batch comes.
async fn opens_a_breaker(system: &System<MemoryWorld>) {
    for number in 3..5 {
        put_prediction(&system.world, number, 0.9).await;
        assert_eq!(system.publish().await, smoothly());
    }
}

/// The event of an operator who closes the breaker gets to its stream in spite of all.
async fn sweeps(system: &System<MemoryWorld>) {
    let (table, objects, clock) = (system.world.table(), system.world.objects(), system.world.clock());
    let deadline = clock.now() + Duration::from_secs(20);
    let stream = MemoryStream::new("decisions", 1, clock);
    let breakers = Breakers::new(&table, &clock, deadline);
    let closing = breakers.closing(&Cause::default()).await.expect("it answers");
    assert_eq!(closing.len(), 1);
    system.faults.next(Operation::PutRecords, [Fault::Fails(CallErrorKind::Invalid)]);
    let announced = Decisions::new(&table, &system.faults.over(stream.clone()), &clock, deadline)
        .announce(closing[0].event(), breakers.close_one(&closing[0]))
        .await;
    assert_eq!(announced, Ok(Announced::Unsent));
    let table = Permitted::of(digest_alerts::NAME, table, &system.uses);
    let swept = Decisions::new(&table, &stream, &clock, deadline).sweep(&objects).await.expect("sweeps");
    assert_eq!((swept.sent, swept.dropped, swept.left, stream.len()), (1, 0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_no_statement_allows_is_denied_and_no_use() {
    let world = MemoryWorld::new(1, 100);
    let key = |partition: &str| Key::new(partition, "s");
    let uses = Uses::default();
    let mut used = BTreeSet::new();
    for (function, partition, is_allowed) in [
        ("publish-alerts", "comment#c", true),
        ("publish-alerts", "outbox", false),
        ("publish-alerts", "comments", false),
        ("take-decisions", "outbox", true),
        ("take-decisions", "window#w", true),
        ("take-decisions", "missed", false),
        ("take-decisions", "sign-in#s", false),
        ("show-desk", "outbox", true),
        ("show-desk", "window#w", false),
        ("show-desk", "breakers", false),
        ("digest-alerts", "digests", true),
        ("digest-alerts", "comment#c", false),
        ("digest-alerts", "known#k", false),
        ("digest-alerts", "window#w", false),
    ] {
        let table = Permitted::of(function, world.table(), &uses);
        let got = table.get(&key(partition), Consistency::Consistent).await;
        assert_eq!(got.is_ok(), is_allowed, "{function}, {partition}: {got:?}");
        if is_allowed {
            let partitions = partition.split_inclusive('#').next().expect("a part");
            let pattern = if partitions.ends_with('#') { format!("{partitions}*") } else { partitions.to_owned() };
            used.insert(format!("{function}: GetItem of {pattern}"));
        }
    }
    assert_eq!(uses.so_far().iter().map(Permission::to_string).collect::<BTreeSet<_>>(), used);
}

fn time(text: &str) -> Timestamp {
    format!("2026-01-05T{text}Z").parse().expect("a time")
}
