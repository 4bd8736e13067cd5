//! Deciding, undoing, being late; and the numbers.

use std::time::Duration;

use jiff::SignedDuration;
use modstream_decisions::{
    Case, DecideError, DecideOutcome, Decisions, Log, NoModerator, Recorded, Standing, Subject, Swept, lately, log,
    numbers,
};
use modstream_events::{Action, Alert, Decision, Event, ids};
use modstream_ledger::{AlertKey, Entry, Kind, Ledger, SCHEMA};
use modstream_platform::Clock as _;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream, MemoryTable};
use modstream_platform::table::{Condition, Item, Key, Operation, Table as _};
use proportions::{Interval, Proportion};
use world::{ALERT_ID, events, time};

mod world;

struct Fixture {
    table: MemoryTable,
    objects: MemoryObjects,
    stream: MemoryStream,
    clock: MemoryClock,
    key: AlertKey,
}

impl Fixture {
    fn new() -> Self {
        let clock = MemoryClock::starting_at(time("2026-01-05T10:05:00Z"));
        let table = MemoryTable::new("table", SCHEMA, clock);
        let key = world::made(&table).key;
        let stream = MemoryStream::new("decisions", 1, clock);
        Fixture { table, objects: MemoryObjects::new(), stream, clock, key }
    }

    fn decisions(&self) -> Decisions<'_, MemoryTable, MemoryStream, MemoryClock> {
        Decisions::new(&self.table, &self.stream, &self.clock, self.clock.now() + Duration::from_secs(20))
    }

    async fn decide(&self, action: Action, who: &str, after: Option<u32>) -> Result<DecideOutcome, DecideError> {
        let (entry, log) = (self.entry().await, self.log().await);
        let alert: Event<'_, Alert<'_>> = Event::decode(&entry.event).expect("an alert");
        self.decisions().decide(Case { entry: &entry, alert: &alert, log: &log }, action, who, after).await
    }

    async fn entry(&self) -> Entry {
        let ledger = Ledger::new(&self.table, &self.clock, self.clock.now() + Duration::from_secs(20));
        ledger.entry(&self.key).await.expect("readable").expect("there")
    }

    async fn log(&self) -> Log {
        let deadline = self.clock.now() + Duration::from_secs(20);
        log(&self.table, &self.clock, deadline, &self.key).await.expect("readable")
    }

    /// Whether the alert waits for a decision.
    async fn waits(&self) -> bool {
        let ledger = Ledger::new(&self.table, &self.clock, self.clock.now() + Duration::from_secs(20));
        ledger.waiting(None).await.expect("a page").found.iter().any(|waiting| waiting.key == self.key)
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        self.stream.records().iter().map(|record| record.data.clone()).collect()
    }
}

fn told(log: &Log) -> Vec<(u32, Action, &str)> {
    log.all().iter().map(|recorded| (recorded.number, recorded.action, recorded.moderator.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_wins_and_the_second_sees_what_was_decided() {
    let fixture = Fixture::new();
    let first = fixture.decide(Action::Remove, "ana", Some(0)).await.expect("decides");
    assert!(matches!(&first, DecideOutcome::Done { repeated: false, .. }), "{first:?}");
    for (action, after) in
        [(Action::Keep, Some(0)), (Action::Remove, Some(0)), (Action::Keep, None), (Action::Keep, Some(7))]
    {
        let second = fixture.decide(action, "ben", after).await.expect("answers");
        let DecideOutcome::Behind { log } = &second else { panic!("{second:?}") };
        let Standing::Decided(decision) = log.standing() else { panic!("{log:?}") };
        assert_eq!((decision.action, decision.moderator.as_str(), decision.number), (Action::Remove, "ana", 1));
    }
    let record = &fixture.stream.records()[0];
    let event: Event<'_, Decision<'_>> = Event::decode(&record.data).expect("a decision");
    assert_eq!(
        (event.id.as_ref(), record.partition_key.as_str()),
        (ids::decision(ALERT_ID, 1).to_string().as_str(), ALERT_ID)
    );
    assert_eq!((fixture.sent(), events(&fixture.table, "outbox")), (vec![record.data.clone()], Vec::new()));
    assert_eq!(events(&fixture.table, "decision#"), fixture.sent());
}

#[tokio::test(start_paused = true)]
async fn the_same_again_is_done_and_nothing_is_written() {
    let fixture = Fixture::new();
    for (repeated, after) in [(false, Some(0)), (true, Some(0)), (true, None)] {
        let outcome = fixture.decide(Action::Keep, " ana ", after).await.expect("decides");
        assert!(matches!(&outcome, DecideOutcome::Done { repeated: is, .. } if *is == repeated), "{outcome:?}");
    }
    assert_eq!(fixture.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_undo_opens_the_question_again_for_everybody() {
    let fixture = Fixture::new();
    let nothing = fixture.decide(Action::Undo, "ben", None).await.expect("answers");
    assert!(matches!(nothing, DecideOutcome::NothingToUndo { .. }));
    fixture.decide(Action::Remove, "ana", Some(0)).await.expect("decides");
    // A page that is older than the decision does not undo it.
    let old = fixture.decide(Action::Undo, "ben", Some(0)).await.expect("answers");
    assert!(matches!(old, DecideOutcome::Behind { .. }));
    for repeated in [false, true] {
        let undone = fixture.decide(Action::Undo, "ben", Some(1)).await.expect("undoes");
        assert!(matches!(&undone, DecideOutcome::Done { repeated: is, .. } if *is == repeated), "{undone:?}");
        assert_eq!(undone.log().standing(), Standing::Undecided);
    }
    // The form of the first decision, sent once more, does not decide again.
    let reused = fixture.decide(Action::Remove, "ana", Some(0)).await.expect("answers");
    assert!(matches!(reused, DecideOutcome::Behind { .. }));
    let again = fixture.decide(Action::Keep, "ben", Some(2)).await.expect("decides");
    assert_eq!(told(again.log()), [(1, Action::Remove, "ana"), (2, Action::Undo, "ben"), (3, Action::Keep, "ben")]);
    assert_eq!(fixture.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_none_decides_nothing() {
    let fixture = Fixture::new();
    let long = "x".repeat(41);
    for (name, error) in [("", NoModerator::Empty), (long.as_str(), NoModerator::TooLong { chars: 41 })] {
        assert_eq!(fixture.decide(Action::Keep, name, None).await, Err(DecideError::Moderator(error)));
    }
    assert!(events(&fixture.table, "decision#").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_sends_what_stayed_and_leaves_what_is_neither_a_decision_nor_a_change() {
    let fixture = Fixture::new();
    fixture.decide(Action::Remove, "ana", Some(0)).await.expect("decides");
    let sent = fixture.sent().remove(0);
    // As a crash leaves it, and something else.
    for (name, bytes) in [("a", sent.clone()), ("d", b"{}".to_vec())] {
        let item = Item::new(Key::new("outbox", name)).with("event", bytes);
        fixture.table.put(&item, &Condition::Absent).await.expect("puts");
    }
    fixture.table.reset_usage();
    assert_eq!(fixture.decisions().sweep(&fixture.objects).await, Ok(Swept { sent: 1, dropped: 0, left: 1 }));
    assert_eq!(fixture.table.reset_usage().calls_of(Operation::Query), 1);
    assert_eq!(fixture.sent(), [sent.clone(), sent]);
    fixture.clock.sleep(Duration::from_secs(3_601)).await;
    assert_eq!(fixture.decisions().sweep(&fixture.objects).await, Ok(Swept { sent: 0, dropped: 0, left: 1 }));
    fixture.table.delete(&Key::new("outbox", "d"), &Condition::Always).await.expect("deletes");
    assert_eq!(fixture.decisions().sweep(&fixture.objects).await, Ok(Swept::default()));
}

#[tokio::test(start_paused = true)]
async fn a_decision_takes_the_alert_out_of_the_queue_and_an_undo_brings_it_back_unless_its_comment_changed() {
    let fixture = Fixture::new();
    assert!(fixture.waits().await);
    for (number, action, waits) in [(1, Action::Keep, false), (2, Action::Undo, true), (3, Action::Remove, false)] {
        fixture.decide(action, "ana", None).await.expect("decides");
        let entry = fixture.entry().await;
        assert_eq!((entry.decisions, entry.is_decided(), fixture.waits().await), (number, !waits, waits));
    }
    // The comment is edited between the look and the undo.
    let (seen, log) = (fixture.entry().await, fixture.log().await);
    let ledger = Ledger::new(&fixture.table, &fixture.clock, fixture.clock.now() + Duration::from_secs(20));
    ledger.supersede(&fixture.key, "e-2").await.expect("recorded");
    let alert: Event<'_, Alert<'_>> = Event::decode(&seen.event).expect("an alert");
    let case = Case { entry: &seen, alert: &alert, log: &log };
    let undone = fixture.decisions().decide(case, Action::Undo, "ana", Some(3)).await.expect("undoes");
    assert!(matches!(undone, DecideOutcome::Done { repeated: false, .. }));
    assert_eq!((fixture.entry().await.decisions, fixture.waits().await), (4, false));
}

#[tokio::test(start_paused = true)]
async fn a_decision_takes_three_calls() {
    let fixture = Fixture::new();
    let (entry, log) = (fixture.entry().await, fixture.log().await);
    let alert: Event<'_, Alert<'_>> = Event::decode(&entry.event).expect("an alert");
    fixture.table.reset_usage();
    let case = Case { entry: &entry, alert: &alert, log: &log };
    fixture.decisions().decide(case, Action::Keep, "ana", Some(0)).await.expect("decides");
    let usage = fixture.table.reset_usage();
    // The third is the stream's.
    assert_eq!((usage.calls_of(Operation::TransactWriteItems), usage.calls_of(Operation::DeleteItem)), (1, 1));
    assert_eq!((usage.total_calls(), fixture.sent().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn decisions_are_listed_by_time_the_newest_and_no_more_than_are_asked_for() {
    let fixture = Fixture::new();
    for action in [Action::Keep, Action::Undo, Action::Remove] {
        fixture.decide(action, "ana", None).await.expect("decides");
        fixture.clock.sleep(Duration::from_secs(60)).await;
    }
    let deadline = fixture.clock.now() + Duration::from_secs(20);
    for (since, most, numbers, is_cut) in [
        ("2026-01-05T10:00:00Z", 10, vec![1, 2, 3], false),
        ("2026-01-05T10:00:00Z", 2, vec![2, 3], true),
        ("2026-01-05T10:05:30Z", 10, vec![2, 3], false),
    ] {
        let lately = lately(&fixture.table, &fixture.clock, deadline, time(since), most).await.expect("answers");
        let [(key, subject, log)] = &lately.alerts[..] else { panic!("{lately:?}") };
        let found: Vec<u32> = log.all().iter().map(|recorded| recorded.number).collect();
        assert_eq!((key, found, lately.is_cut), (&fixture.key, numbers, is_cut));
        assert_eq!((subject.reason.as_str(), subject.kind), ("coins", Kind::Alert));
    }
}

fn logged(entries: &[(Action, &str, i64)]) -> Log {
    let recorded = entries.iter().zip(1..).map(|((action, who, minutes), number)| Recorded {
        number,
        action: *action,
        moderator: (*who).to_owned(),
        time: time("2026-01-05T10:00:00Z") + SignedDuration::from_mins(*minutes),
    });
    Log::from(recorded.collect::<Vec<_>>())
}

#[test]
fn the_numbers_are_of_what_stands_and_probes_count_nowhere() {
    use Action::{Keep, Remove, Undo};
    let bytes = world::alert();
    let subject = Subject::of(&Event::decode(&bytes).expect("an alert"));
    assert_eq!(
        (subject.subreddit.as_str(), subject.policy.as_str(), subject.reason.as_str()),
        ("science", "default, precision>=0.8", "coins")
    );
    let of = |subreddit: &str| Subject { subreddit: subreddit.to_owned(), ..subject.clone() };
    let all = [
        (of("science"), logged(&[(Remove, "ana", 2)])),
        (of("science"), logged(&[(Keep, "ana", 4)])),
        (of("science"), logged(&[(Remove, "ana", 1), (Undo, "ben", 2), (Remove, "ben", 3)])),
        (of("space"), logged(&[(Remove, "ana", 10), (Undo, "ben", 12)])),
        (of("space"), logged(&[(Remove, "ana", 10), (Undo, "ana", 12), (Keep, "ana", 13)])),
        (of("space"), logged(&[])),
        (Subject { kind: Kind::Probe, ..of("space") }, logged(&[(Remove, "ana", 1)])),
        (Subject { kind: Kind::Exploration, ..of("space") }, logged(&[(Keep, "ana", 30)])),
    ];
    let numbers = numbers(all.iter().map(|(subject, log)| (subject, log)));
    assert_eq!(numbers.precision, Proportion { part: 2, of: 4 });
    let by: Vec<_> = numbers.by_subreddit.iter().map(|group| (group.name.as_str(), group.precision)).collect();
    assert_eq!(by, [("science", Proportion { part: 2, of: 3 }), ("space", Proportion { part: 0, of: 1 })]);
    assert_eq!(numbers.by_reason[0].name, "coins");
    // Of eight decisions ben took back two of ana's.
    assert_eq!(numbers.agreement, Proportion { part: 6, of: 8 });
    // 1, 2, 4, 10, 10, 30.
    assert_eq!(numbers.time_to_decision, Some(SignedDuration::from_mins(7)));
    let Interval { low, high } = numbers.precision.wilson().expect("some");
    assert!((low - 0.150_036).abs() < 1e-5 && (high - 0.849_964).abs() < 1e-5, "{low} to {high}");
    assert_eq!(modstream_decisions::numbers([]).time_to_decision, None);
}
