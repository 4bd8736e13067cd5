//! Deciding, undoing, being late; and the numbers.

use std::time::Duration;

use jiff::SignedDuration;
use modstream_decisions::{
    AlertKey, DecideError, DecideOutcome, Decisions, Log, NoModerator, Recorded, Standing, Subject, Swept,
    UNSENT_PREFIX, numbers,
};
use modstream_events::{Action, Alert, Decision, Event, ids};
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream};
use modstream_platform::{Clock as _, DeletableObjects as _, Objects as _};
use proportions::{Interval, Proportion};
use world::{ALERT_ID, keys, time};

mod world;

struct Fixture {
    objects: MemoryObjects,
    stream: MemoryStream,
    clock: MemoryClock,
    alert: Vec<u8>,
}

impl Fixture {
    fn new() -> Self {
        let clock = MemoryClock::starting_at(time("2026-01-05T10:05:00Z"));
        Fixture {
            objects: MemoryObjects::new(),
            stream: MemoryStream::new("decisions", 1, clock),
            clock,
            alert: world::alert(),
        }
    }

    fn decisions(&self) -> Decisions<'_, MemoryObjects, MemoryStream, MemoryClock> {
        Decisions::new(&self.objects, &self.stream, &self.clock, self.clock.now() + Duration::from_secs(20))
    }

    async fn decide(&self, action: Action, who: &str, after: Option<u32>) -> Result<DecideOutcome, DecideError> {
        let alert: Event<'_, Alert<'_>> = Event::decode(&self.alert).expect("an alert");
        self.decisions().decide(&alert, action, who, after).await
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
    assert_eq!((fixture.sent().len(), keys(&fixture.objects, UNSENT_PREFIX)), (1, Vec::new()));
    assert_eq!(keys(&fixture.objects, "decisions/"), [format!("decisions/2026-01-05T10/{ALERT_ID}/0001.json")]);
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
    assert!(keys(&fixture.objects, "").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_sends_what_counts_drops_what_lost_and_waits_for_the_rest() {
    let fixture = Fixture::new();
    fixture.decide(Action::Remove, "ana", Some(0)).await.expect("decides");
    let sent = fixture.sent().remove(0);
    // Its outbox entry as a crash leaves it, one that lost, and one that may still be about to be written.
    let other = |moderator, number| {
        let alert: Event<'_, Alert<'_>> = Event::decode(&fixture.alert).expect("an alert");
        Decision::about(&alert, Action::Keep, moderator, number).into_event(fixture.clock.now()).encode()
    };
    let entries = [("a", sent.clone()), ("b", other("ben", 1)), ("c", other("ben", 2)), ("d", b"{}".to_vec())];
    for (name, bytes) in entries {
        fixture
            .objects
            .put(&format!("{UNSENT_PREFIX}{name}.json"), bytes.into(), modstream_platform::Condition::Always)
            .await
            .expect("puts");
    }
    assert_eq!(fixture.decisions().sweep().await, Ok(Swept { sent: 1, dropped: 1, left: 2 }));
    assert_eq!(fixture.sent(), [sent.clone(), sent]);
    fixture.clock.sleep(Duration::from_secs(3_601)).await;
    assert_eq!(fixture.decisions().sweep().await, Ok(Swept { sent: 0, dropped: 1, left: 1 }));
    fixture.objects.delete(&format!("{UNSENT_PREFIX}d.json")).await.expect("deletes");
    assert_eq!(fixture.decisions().sweep().await, Ok(Swept::default()));
}

#[test]
fn a_logs_keys_say_what_they_are_about() {
    let hour = "2026-01-05T10".parse().expect("an hour");
    let place = AlertKey { hour, alert_id: "abc" };
    assert_eq!(AlertKey::of_key("decisions/2026-01-05T10/abc/0012.json"), Some((place, 12)));
    for key in ["decisions/2026-01-05T10/abc/12.json", "decisions/2026-01-05T10/abc", "decisions/abc/0001.json"] {
        assert_eq!(AlertKey::of_key(key), None, "{key}");
    }
    let key = "decisions-unsent/2026-01-05T10/abc/0001.json";
    assert_eq!((AlertKey::of_key(key), AlertKey::of_key("decisions/2026-01-05T10/abc/x/0001.json")), (None, None));
}

fn log(entries: &[(Action, &str, i64)]) -> Log {
    let bytes = world::alert();
    let alert: Event<'_, Alert<'_>> = Event::decode(&bytes).expect("an alert");
    let recorded = entries.iter().zip(1..).map(|((action, who, minutes), number)| {
        let at = time("2026-01-05T10:00:00Z") + SignedDuration::from_mins(*minutes);
        Recorded::read(Decision::about(&alert, *action, who, number).into_event(at).encode()).expect("a decision")
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
        (of("science"), log(&[(Remove, "ana", 2)])),
        (of("science"), log(&[(Keep, "ana", 4)])),
        (of("science"), log(&[(Remove, "ana", 1), (Undo, "ben", 2), (Remove, "ben", 3)])),
        (of("space"), log(&[(Remove, "ana", 10), (Undo, "ben", 12)])),
        (of("space"), log(&[(Remove, "ana", 10), (Undo, "ana", 12), (Keep, "ana", 13)])),
        (of("space"), log(&[])),
        (Subject { probe: true, ..of("space") }, log(&[(Remove, "ana", 1)])),
        (Subject { exploration: true, ..of("space") }, log(&[(Keep, "ana", 30)])),
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

#[tokio::test(start_paused = true)]
async fn the_number_of_a_logs_last_object_says_whether_it_stands_at_a_decision() {
    let fixture = Fixture::new();
    assert!(!AlertKey::is_decided(0));
    for action in [Action::Keep, Action::Undo, Action::Remove, Action::Undo, Action::Undo, Action::Keep, Action::Remove]
    {
        let outcome = fixture.decide(action, "ana", None).await.expect("decides");
        let log = outcome.log();
        assert_eq!(AlertKey::is_decided(log.last_number()), log.standing().decided().is_some(), "{log:?}");
    }
}
