//! From decisions to what they say.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kinesis_batch::SourceRecord;
use modstream_decisions::{Case, Decisions, log};
use modstream_events::{
    Action, Alert, Comment, Decision, DeletedBy, Event, EventRef, Meets, ModelRef, OperatingPoint, PROBE_BODY,
    PolicyRef, SelfHarm, Severity, ids,
};
use modstream_feedback::{
    Beside, Claim, Judged, NoSuggestion, Pulled, Verdict, live, newest, of_newest_model, pull, read, standing, suggest,
};
use modstream_ledger::comments::Deletion;
use modstream_ledger::{AlertKey, Ledger, SCHEMA, sort_time};
use modstream_platform::Clock;
use modstream_platform::memory::{MemoryClock, MemoryObjects, MemoryStream, MemoryTable};
use modstream_platform::table::{Condition, Item, Key, Table as _};
use proptest::prelude::*;

const FORUM: &str = "urn:example:forum";

fn time() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().expect("a time")
}

fn comment_event(number: u32, body: &str) -> Event<'static, Comment<'static>> {
    let comment = Comment {
        id: Some(format!("c{number}").into()),
        subreddit: Some("science".into()),
        body: Some(body.to_owned().into()),
        ..Comment::default()
    };
    Event::new(ids::comment(FORUM, &format!("c{number}"), "1").to_string(), FORUM, time(), comment)
}

fn alert_event(number: u32, probability: f64, body: &str) -> Event<'static, Alert<'static>> {
    let Event { id, source, time, data: comment, .. } = comment_event(number, body);
    let alert = Alert {
        body_truncated: false,
        prediction_id: format!("p{number}").into(),
        version: None,
        comment_event: EventRef { source, id: id.clone(), time },
        comment,
        probability,
        log_odds: 0.0,
        severity: Severity::High,
        policy: PolicyRef { name: "default".into(), condition: "precision>=0.8".into() },
        terms: Vec::new(),
        model: ModelRef { name: "m".into(), version: "f".repeat(64).into() },
        operating_point: OperatingPoint { precision: 0.8, recall: 0.2, share: 0.05, base_rate: 0.2 },
        labels: None,
        harm_model: None,
        harm_support: None,
        not_judged: None,
        support: None,
        harm: None,
        meets: None,
        self_harm: None,
        matched: None,
        exploration: None,
        probe: false,
        links: None,
    };
    Event::new(ids::alert(FORUM, &id, "default").to_string(), "urn:modstream:publish-alerts", time, alert)
}

/// What stands after these actions, by moderators a, b, c, ...
fn after(actions: &[Action]) -> Option<Verdict> {
    let alert = alert_event(1, 0.9, "hm");
    let names = ["a", "b", "c", "d", "e", "f"];
    let events: Vec<_> = actions
        .iter()
        .zip(1..)
        .map(|(action, number)| Decision::about(&alert, *action, names[number as usize - 1], number).into_event(time()))
        .collect();
    // Any order, some twice.
    standing(events.iter().rev().chain(&events)).pop()
}

fn verdict(probability: f64, removed: bool) -> Verdict {
    let alert = alert_event(1, probability, "hm");
    let action = if removed { Action::Remove } else { Action::Keep };
    let event = Decision::about(&alert, action, "a", 1).into_event(time());
    standing([&event]).pop().expect("it stands")
}

fn explored(probability: f64, removed: bool, share: f64) -> Verdict {
    Verdict { propensity: share, ..verdict(probability, removed) }
}

#[test]
fn the_last_decision_stands_unless_it_takes_one_back() {
    use Action::{Keep, Remove, Undo};
    let stands = |actions: &[Action]| after(actions).map(|verdict| (verdict.removed, verdict.moderator));
    assert_eq!(stands(&[Remove]), Some((true, "a".to_owned())));
    assert_eq!(stands(&[Remove, Undo]), None);
    assert_eq!(stands(&[Remove, Undo, Keep]), Some((false, "c".to_owned())));
    assert_eq!(stands(&[Remove, Undo, Keep, Undo]), None);
    assert_eq!(stands(&[Remove, Undo, Keep, Undo, Remove]), Some((true, "e".to_owned())));
}

#[test]
fn a_claim_holds_where_it_lies_in_the_interval_of_what_was_observed() {
    let verdicts = |removed: usize, kept: usize, claimed: f64| {
        let all = (0..removed + kept).map(|n| verdict(claimed, n < removed));
        live(&all.collect::<Vec<_>>()).all
    };
    assert_eq!(verdicts(80, 20, 0.8).claim(), Claim::Holds);
    assert_eq!(verdicts(50, 50, 0.8).claim(), Claim::TooHigh);
    assert_eq!(verdicts(95, 5, 0.8).claim(), Claim::TooLow);
    assert_eq!(verdicts(10, 10, 0.9).claim(), Claim::TooFew);
    assert_eq!(live(&[]).all.claim(), Claim::TooFew);
}

#[test]
fn alerts_by_labels_alone_and_about_people_in_need_say_nothing_of_a_claimed_removal() {
    let decided = |meets: Option<Meets<'static>>, self_harm: bool| {
        let mut alert = alert_event(1, 0.2, "hm");
        alert.data.meets = meets;
        alert.data.self_harm = self_harm.then(|| SelfHarm { phrase: "x".into(), contacts: Vec::new() });
        let event = Decision::about(&alert, Action::Keep, "a", 1).into_event(time());
        standing([&event]).pop().expect("it stands")
    };
    let meets = |removal: bool| Some(Meets { removal, labels: vec!["threat".into()] });
    let all = [decided(meets(false), false), decided(meets(true), true), decided(None, true)];
    assert_eq!(
        all.each_ref().map(|verdict| verdict.beside),
        [Some(Beside::Labels), Some(Beside::SelfHarm), Some(Beside::SelfHarm)]
    );
    let claimed = [decided(meets(true), false), decided(None, false)];
    assert!(claimed.iter().all(Verdict::is_claimed) && !all.iter().any(Verdict::is_claimed));
    let found = live(&all.into_iter().chain(claimed).collect::<Vec<_>>());
    assert_eq!((found.all.observed.of, found.beside.of), (2, 3));
}

#[test]
fn explored_comments_stand_for_all_that_did_not_alert() {
    let alerted = (0..40).map(|n| verdict(0.9, n < 30));
    let asked = (0..20).map(|n| explored(0.1, n < 3, 0.1));
    let matched = Verdict { matched: Some("buy".to_owned()), ..verdict(0.2, true) };
    let found = live(&alerted.chain(asked).chain([matched]).collect::<Vec<_>>());
    assert_eq!((found.all.observed.part, found.all.observed.of), (30, 40));
    assert_eq!((found.matched.part, found.matched.of), (1, 1));
    let explored = found.explored.expect("some were asked about");
    // 3 of them for 30 that were missed, beside 31 that alerted, one by an always term.
    assert_eq!((explored.missed.part, explored.stand_for.round(), explored.caught), (3, 200.0, 31));
    let recall = explored.recall.expect("something was removed");
    assert!((recall.share - 31.0 / 61.0).abs() < 1e-9, "{recall:?}");
    // Wilson's interval of 3 of 20 is .052 to .360: from 10.5 to 72 were missed.
    assert!((recall.interval.low - 0.301).abs() < 2e-3 && (recall.interval.high - 0.748).abs() < 2e-3, "{recall:?}");
}

#[test]
fn what_was_caught_is_of_where_and_when_there_was_exploration() {
    let at = |hours: i64, subreddit: &str, verdict: Verdict| {
        let time = time() + jiff::SignedDuration::from_hours(hours);
        Verdict { time, subreddit: Some(subreddit.to_owned()), ..verdict }
    };
    let found = live(&[
        at(2, "science", explored(0.1, true, 0.1)),
        at(1, "Science", explored(0.1, false, 0.1)),
        at(1, "SCIENCE", verdict(0.9, true)),
        at(3, "science", verdict(0.9, true)),
        at(3, "science", verdict(0.9, false)),
        at(0, "science", verdict(0.9, true)),
        at(3, "askscience", verdict(0.9, true)),
        Verdict { subreddit: None, ..at(3, "", verdict(0.9, true)) },
    ]);
    let explored = found.explored.expect("some were asked about");
    assert_eq!((explored.caught, explored.subreddits), (2, 1));
    assert!((explored.recall.expect("some were removed").share - 2.0 / 12.0).abs() < 1e-9);
}

#[test]
fn where_nothing_was_removed_there_is_no_recall() {
    let found = live(&[explored(0.1, false, 0.1), verdict(0.9, false)]).explored.expect("one was asked about");
    assert_eq!((found.caught, found.recall), (0, None));
}

proptest! {
    #[test]
    fn a_recall_lies_in_its_interval(
        rows in prop::collection::vec((any::<bool>(), 1..20_u32), 1..40),
        caught in 0..40_usize,
    ) {
        let asked = rows.iter().map(|(removed, part)| explored(0.1, *removed, f64::from(*part) / 200.0));
        let all: Vec<Verdict> = asked.chain((0..caught).map(|_| verdict(0.9, true))).collect();
        match live(&all).explored.expect("some were asked about").recall {
            Some(recall) => {
                let (low, high) = (recall.interval.low, recall.interval.high);
                prop_assert!(0.0 <= low && low <= recall.share && recall.share <= high && high <= 1.0, "{:?}", recall);
            }
            None => prop_assert!(all.iter().all(|verdict| !verdict.removed)),
        }
    }

    #[test]
    fn the_days_are_all_alerts_in_order(hours in prop::collection::vec((0..2_000_i64, any::<bool>()), 1..60)) {
        let at = |hours: i64| time() + jiff::SignedDuration::from_hours(hours);
        let all: Vec<Verdict> =
            hours.iter().map(|(hours, removed)| Verdict { alerted: at(*hours), ..verdict(0.9, *removed) }).collect();
        let days = live(&all).days;
        prop_assert!(days.is_sorted_by(|(one, _), (other, _)| one < other), "{:?}", days);
        for (name, day) in &days {
            let alerts = all.iter().filter(|verdict| verdict.alerted.to_string().starts_with(name.as_str()));
            let counted: proportions::Proportion = alerts.map(|verdict| verdict.removed).collect();
            prop_assert_eq!(day.observed, counted);
        }
        prop_assert_eq!(days.iter().map(|(_, day)| day.observed.of).sum::<u64>(), all.len() as u64);
    }
}

#[test]
fn a_day_has_alerts_alone() {
    let matched = Verdict { matched: Some("buy".to_owned()), ..verdict(0.2, true) };
    let days = live(&[explored(0.1, true, 0.1), matched, verdict(0.9, true)]).days;
    assert_eq!(days.iter().map(|(day, of)| (day.as_str(), of.observed.of)).collect::<Vec<_>>(), [("2026-01-05", 1)]);
}

#[test]
fn a_threshold_goes_by_the_model_version_of_the_newest_alert() {
    let of = |version: &str, alerted: u64, decided: u64| Verdict {
        model_version: version.to_owned(),
        alerted: time() + Duration::from_secs(alerted),
        decided: time() + Duration::from_secs(decided),
        ..verdict(0.9, true)
    };
    // The old one's backlog is decided last.
    let (kept, others) = of_newest_model(vec![of("old", 1, 9), of("new", 2, 3), of("old", 0, 1), of("new", 1, 4)]);
    assert_eq!((kept.len(), others), (2, 2));
    assert!(kept.iter().all(|verdict| verdict.model_version == "new"));
    assert_eq!(of_newest_model(Vec::new()), (Vec::new(), 0));
}

#[test]
fn of_a_comment_the_newest_decision_counts_wherever_it_stands() {
    let judged = |comment: &str, alert: &str, seconds: u64, removed: bool| {
        let decided = time() + Duration::from_secs(seconds);
        let (comment_event_id, alert_id) = (comment.to_owned(), alert.to_owned());
        let decision = Verdict { comment_event_id, alert_id, decided, ..verdict(0.9, removed) };
        Judged::new(&comment_event(1, "this").data, decision).expect("it has a text")
    };
    let found = newest([judged("a", "1", 5, true), judged("a", "2", 3, false), judged("b", "3", 1, false)]);
    assert_eq!(found.iter().map(|judged| judged.removed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn groups_have_names_and_the_most_decided_comes_first() {
    let of = |subreddit: &str| Verdict { subreddit: Some(subreddit.to_owned()), ..verdict(0.95, true) };
    let found = live(&[of("a"), of("b"), of("b"), Verdict { subreddit: None, ..verdict(1.0, true) }]);
    let names: Vec<&str> = found.subreddits.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b", "(none)", "a"]);
    assert_eq!(found.policies[0].0, "default precision>=0.8");
    assert_eq!(found.models[0].0, "m ffffffffffff");
    assert_eq!(
        found.bins.iter().map(|(name, group)| (name.as_str(), group.observed.of)).collect::<Vec<_>>(),
        [("0.9-1.0", 4)]
    );
}

#[test]
fn the_lowest_threshold_that_keeps_the_promise_is_suggested() {
    // Above .8 all are removed, below every other one.
    let all: Vec<Verdict> = (0..200)
        .map(|n| {
            if n < 100 {
                verdict(0.8 + f64::from(n) / 1000.0, true)
            } else {
                verdict(0.5 + f64::from(n) / 1000.0, n % 2 == 0)
            }
        })
        .collect();
    let found = suggest(&all, 0.9).expect("one keeps it");
    assert!((0.6..0.8).contains(&found.probability) && !found.at_the_end, "{found:?}");
    assert!(found.observed.wilson().expect("some").low >= 0.9);
    let easy = suggest(&all, 0.5).expect("all keep it");
    assert!(easy.at_the_end && (easy.kept - 1.0).abs() < 1e-9, "{easy:?}");
    assert!(matches!(suggest(&all, 0.999), Err(NoSuggestion::NoThreshold { .. })));
    assert_eq!(suggest(&all[..10], 0.5), Err(NoSuggestion::TooFew { found: 10 }));
    let too_few = NoSuggestion::TooFew { found: 10 }.to_string();
    assert!(too_few.contains("run `modstream decisions pull` again"), "{too_few}");
    let never_alerted: Vec<Verdict> = (0..100).map(|_| explored(0.1, true, 0.5)).collect();
    assert_eq!(suggest(&never_alerted, 0.5), Err(NoSuggestion::TooFew { found: 0 }));
}

proptest! {
    #[test]
    fn the_numbers_are_of_the_threshold_as_it_is_written(
        rows in prop::collection::vec((0.899..0.901_f64, any::<bool>()), 30..100),
        promised in 0.05..0.6_f64,
    ) {
        let all: Vec<Verdict> = rows.iter().map(|(probability, removed)| verdict(*probability, *removed)).collect();
        if let Ok(found) = suggest(&all, promised) {
            let written = found.probability.to_string();
            let least: f64 = written.parse().expect("a number");
            prop_assert!(written.len() <= 6, "{}", written);
            let up = rows.iter().filter(|(probability, _)| *probability >= least).map(|(_, removed)| *removed);
            prop_assert_eq!(found.observed, up.collect());
        }
    }

    #[test]
    fn what_is_suggested_keeps_the_promise_and_a_step_lower_does_not(
        rows in prop::collection::vec((0..20_u32, any::<bool>()), 30..200),
        promised in 0.05..0.95_f64,
    ) {
        let all: Vec<Verdict> =
            rows.iter().map(|(step, removed)| verdict(f64::from(*step) / 20.0, *removed)).collect();
        let low = |from: f64| {
            let up: proportions::Proportion =
                all.iter().filter(|verdict| verdict.probability >= from).map(|verdict| verdict.removed).collect();
            if up.of < 30 { 0.0 } else { up.wilson().map_or(0.0, |interval| interval.low) }
        };
        let keeps: Vec<u32> = (0..20).filter(|step| rows.iter().any(|row| row.0 == *step) && low(f64::from(*step) / 20.0) >= promised).collect();
        match suggest(&all, promised) {
            Ok(found) => prop_assert_eq!(Some(found.probability), keeps.first().map(|step| f64::from(*step) / 20.0)),
            Err(_) => prop_assert!(keeps.is_empty()),
        }
    }
}

#[test]
fn a_file_of_judged_comments_reads_as_it_was_written_and_a_bad_line_is_named() {
    let comment = comment_event(1, "so it is").data;
    let judged = modstream_feedback::Judged::new(&comment, verdict(0.9, true)).expect("it has a text");
    let line = serde_json::to_string(&judged).expect("serialises");
    assert_eq!(read(format!("{line}\n\n{line}\n").as_bytes()).expect("readable"), [judged.clone(), judged]);
    let twice = line.replacen('{', "{\"removed\":true,", 1);
    let error = read(format!("{line}\n{twice}\n").as_bytes()).expect_err("two verdicts").to_string();
    let second = twice.match_indices("\"removed\":").nth(1).map_or(0, |(at, _)| at + 1);
    assert_eq!(
        error,
        format!("line 2: `removed` stands there twice, at columns 2 and {second} of the line; keep one of them")
    );
    let error = read(format!("{line}\n{{\"body\":\"x\"}}\n").as_bytes()).expect_err("no decision").to_string();
    assert!(error.starts_with("line 2 is no judged comment") && error.contains("decisions pull"), "{error}");
}

/// A table, a bucket and a clock.
struct World {
    table: MemoryTable,
    objects: MemoryObjects,
    stream: MemoryStream,
    clock: MemoryClock,
}

impl World {
    fn at(now: Timestamp) -> Self {
        let clock = MemoryClock::starting_at(now);
        let (objects, stream) = (MemoryObjects::new(), MemoryStream::new("decisions", 1, clock));
        World { table: MemoryTable::new("table", SCHEMA, clock), objects, stream, clock }
    }

    fn ledger(&self) -> Ledger<'_, MemoryTable, MemoryClock> {
        Ledger::new(&self.table, &self.clock, Timestamp::MAX)
    }

    async fn record(&self, alert: &Event<'_, Alert<'_>>) {
        let key = AlertKey::of_alert(alert);
        self.ledger().request(&key, alert, &alert.encode(), None).await.expect("recorded");
    }

    async fn decide(&self, alert: &Event<'_, Alert<'_>>, action: Action, at: Timestamp) {
        let entry = self.ledger().entry(&AlertKey::of_alert(alert)).await.expect("readable").expect("there");
        let clock = MemoryClock::starting_at(at);
        let log = log(&self.table, &clock, Timestamp::MAX, &entry.key).await.expect("readable");
        let case = Case { entry: &entry, alert, log: &log };
        let decisions = Decisions::new(&self.table, &self.stream, &clock, Timestamp::MAX);
        decisions.decide(case, action, "violet", None).await.expect("decided");
    }

    async fn pull(&self, from: Timestamp, to: Timestamp) -> Pulled {
        pull((&self.table, &self.objects), &self.clock, "comments", from, to).await.expect("read")
    }
}

async fn archive(objects: &MemoryObjects, clock: &MemoryClock, event: &Event<'_, Comment<'_>>) {
    let record = SourceRecord {
        shard_id: "shardId-000000000000",
        sequence_number: "1",
        partition_key: "c1",
        data: &event.encode(),
        arrived_seconds: time().as_second() as f64,
        event_source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/comments",
    };
    let payload = kinesis_batch::payload::encode(&[record]);
    let batch = kinesis_batch::Batch::parse(&payload).expect("a batch");
    let deadline = clock.now() + Duration::from_secs(10);
    modstream_archive::write(objects, clock, deadline, &batch.records).await.expect("archived");
}

#[tokio::test(start_paused = true)]
async fn decisions_are_joined_with_the_ledger_and_with_the_archive_where_that_has_no_whole_text() {
    let world = World::at(time());
    archive(&world.objects, &world.clock, &comment_event(1, "in the archive")).await;
    let cut = |number: u32| {
        let alert = alert_event(number, 0.8, "cut");
        Event { data: Alert { body_truncated: true, ..alert.data.clone() }, ..alert }
    };
    let alerts = [
        cut(1),
        alert_event(2, 0.8, "in the ledger"),
        cut(3),
        alert_event(4, 0.8, "undone"),
        alert_event(5, 0.8, "decided later"),
        alert_event(6, 0.8, "decided before"),
    ];
    for alert in &alerts {
        world.record(alert).await;
        let seconds = match alert.data.comment.id.as_deref() {
            Some("c5") => 7_200,
            Some("c6") => -60,
            _ => 60,
        };
        world.decide(alert, Action::Remove, time() + SignedDuration::from_secs(seconds)).await;
    }
    world.decide(&alerts[3], Action::Undo, time() + Duration::from_secs(90)).await;
    let broken = Item::new(Key::new("comment#x", "decision#x#0001"))
        .with("in_decided", "decided")
        .with("decided", sort_time(time()));
    world.table.put(&broken, &Condition::Absent).await.expect("written");

    let pulled = world.pull(time(), time() + Duration::from_secs(3_600)).await;
    let mut texts: Vec<&str> = pulled.judged.iter().map(|judged| judged.body.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["in the archive", "in the ledger"]);
    assert_eq!((pulled.undone, pulled.without_text, pulled.from_archive), (1, 1, 1));
    assert_eq!(pulled.unreadable.len(), 1, "{:?}", pulled.unreadable);
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_was_deleted_since_does_not_come_back_from_the_archive() {
    for (by, is_taken) in [
        (DeletedBy::Author, false),
        (DeletedBy::Account, false),
        (DeletedBy::Unknown, false),
        (DeletedBy::Moderator, true),
    ] {
        let world = World::at(time());
        archive(&world.objects, &world.clock, &comment_event(1, "so it is")).await;
        let alert = alert_event(1, 0.9, "so it is");
        world.record(&alert).await;
        world.decide(&alert, Action::Remove, time() + Duration::from_secs(60)).await;
        let time = time() + SignedDuration::from_hours(1);
        let deletion = Deletion { time, by, event: ("d1".to_owned(), time) };
        let entry = world.ledger().entry(&AlertKey::of_alert(&alert)).await.expect("readable").expect("there");
        world.ledger().withdraw(&entry, &deletion).await.expect("recorded");
        let pulled = world.pull(Timestamp::MIN, Timestamp::MAX).await;
        let counts = (pulled.judged.len(), pulled.without_text);
        assert_eq!(counts, if is_taken { (1, 0) } else { (0, 1) }, "{by:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_costs_by_the_decisions_that_it_is_about() {
    let world = World::at(time());
    for number in 0..300 {
        let alert = alert_event(number, 0.8, "a text");
        world.record(&alert).await;
        let days = if number < 290 { -20 } else { 0 };
        world.decide(&alert, Action::Keep, time() + SignedDuration::from_hours(24 * days)).await;
    }
    world.table.reset_usage();
    assert_eq!(world.pull(time(), Timestamp::MAX).await.judged.len(), 10);
    let usage = world.table.reset_usage();
    // The index, the decisions, and their texts.
    assert_eq!(usage.total_calls(), 3, "{usage:?}");
}

#[tokio::test(start_paused = true)]
async fn a_decided_probe_is_nothing_to_learn_from() {
    let world = World::at(time());
    let probe = |number: u32| {
        let alert = alert_event(number, 0.9, PROBE_BODY);
        Event { data: Alert { probe: true, ..alert.data.clone() }, ..alert }
    };
    for alert in [alert_event(1, 0.9, "a comment"), probe(2)] {
        world.record(&alert).await;
        world.decide(&alert, Action::Remove, time() + Duration::from_secs(60)).await;
    }
    let pulled = world.pull(time(), time() + Duration::from_secs(3_600)).await;
    let texts: Vec<&str> = pulled.judged.iter().map(|judged| judged.body.as_str()).collect();
    assert_eq!((texts, pulled.probes, pulled.undone), (vec!["a comment"], 1, 0));
}

#[test]
fn no_verdict_stands_about_a_probe() {
    let alert = alert_event(1, 0.9, PROBE_BODY);
    let alert = Event { data: Alert { probe: true, ..alert.data.clone() }, ..alert };
    assert_eq!(standing([&Decision::about(&alert, Action::Remove, "a", 1).into_event(time())]), []);
}

#[tokio::test(start_paused = true)]
async fn explored_comments_that_wait_for_a_decision_are_counted() {
    let world = World::at(time() + Duration::from_secs(3_600));
    let withheld = async |number: u32, exploration: Option<f64>| {
        let alert = alert_event(number, 0.1, "hm");
        let alert = Event { data: Alert { exploration, ..alert.data.clone() }, ..alert };
        world.record(&alert).await;
        alert
    };
    let mut alerts = Vec::new();
    for number in 1..=3 {
        alerts.push(withheld(number, Some(0.1)).await);
    }
    withheld(4, None).await;
    let waiting = async || {
        let pulled = world.pull(Timestamp::MIN, world.clock.now()).await;
        (pulled.judged.len(), pulled.waiting)
    };
    assert_eq!(waiting().await, (0, 0), "without one that is decided nothing is said about what is missed");
    world.decide(&alerts[0], Action::Keep, time() + Duration::from_secs(60)).await;
    assert_eq!(waiting().await, (1, 2));
    world.decide(&alerts[1], Action::Keep, time() + Duration::from_secs(60)).await;
    world.decide(&alerts[1], Action::Undo, time() + Duration::from_secs(70)).await;
    assert_eq!(waiting().await, (1, 2));
}
