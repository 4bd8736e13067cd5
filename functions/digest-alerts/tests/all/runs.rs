//! Runs, one after another and again.

use std::collections::BTreeMap;
use std::time::Duration;

use digest_alerts::{DigestError, DigestRules, Links};
use modstream_events::{Comment, PROBE_BODY, Severity};
use modstream_ledger::Withholding;
use modstream_ledger::digests::{Digest, Late};
use modstream_platform::Clock;
use modstream_platform::table::{Condition, Item, Key, Operation, Table as _};

use crate::fixture::{Fate, World, alert, comment, time};

#[tokio::test(start_paused = true)]
async fn a_window_is_one_digest_a_subreddit_and_what_comes_late_is_in_the_next() {
    let world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8), ("b", "10:04:59", 0.95), ("c", "10:05:00", 0.7)]).await;
    let pics = Comment { subreddit: Some("pics".into()), ..comment("p") };
    world.record(&alert(pics, time("10:02:00"), 0.6), Fate::Sent).await;
    let digested = world.run("10:06:00").await.expect("runs");
    assert_eq!((digested.start, digested.end), (time("10:00:00"), time("10:05:00")));
    assert_eq!((digested.digests, digested.alerts, digested.refused), (2, 3, 0));
    let inbox = world.inbox();
    let [pics, science] = &inbox[..] else { panic!("two: {inbox:?}") };
    assert_eq!(pics.subject.as_deref(), Some("r/pics: 1 alert (10:00-10:05 UTC)"));
    assert_eq!(science.subject.as_deref(), Some("r/science: 2 alerts (10:00-10:05 UTC)"));
    let attributes = BTreeMap::from([("severity".into(), "high".into()), ("subreddit".into(), "science".into())]);
    assert_eq!(science.attributes, attributes);
    assert_eq!(science.by_protocol["sms"], "r/science 10:00-10:05 UTC: 2 alerts");

    world.record_all(&[("late", "10:03:00", 0.9), ("later", "09:51:00", 0.65)]).await;
    world.run("10:11:00").await.expect("runs");
    assert_eq!(world.subjects(), ["r/science: 3 alerts (10:05-10:10 UTC)"]);
    let all = ["a", "b", "c", "p", "late", "later"];
    assert_eq!(world.covered(&all).await, [vec!["p"], vec!["b", "a"], vec!["late", "c", "later"]]);
    let last = world.digests().await.pop().expect("three digests");
    assert_eq!(last.late, Some(Late { count: 2, oldest: time("09:51:00") }));
    assert_eq!(last.severity, Severity::High);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_nothing_happened() {
    let world = World::new();
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 0);
    // Too early, too old, or about to come.
    let too_old = ("old", "2026-01-04T10:04:59Z", 0.9);
    world.record_all(&[too_old, ("next", "10:05:00", 0.9)]).await;
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 0);
    assert!(world.inbox().is_empty() && world.digests().await.is_empty());
    assert!(world.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_repeat_sends_nothing_from_memory_or_anew() {
    let mut world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8)]).await;
    world.run("10:06:00").await.expect("runs");
    assert_eq!(world.inbox().len(), 1);
    for _ in 0..2 {
        // What came since belongs to the next digest: there is one a window.
        world.record_all(&[("b", "10:01:00", 0.8)]).await;
        assert_eq!(world.run("10:06:00").await.expect("runs").digests, 0);
        world.restart();
    }
    assert!(world.inbox().is_empty());
    world.run("10:11:00").await.expect("runs");
    // A repeat that comes after a later run finds nothing left either.
    world.restart();
    world.run("10:06:00").await.expect("runs");
    assert_eq!(world.inbox().len(), 1);
    assert_eq!(world.covered(&["a", "b"]).await, [["a"], ["b"]]);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_after_a_later_run_of_another_hour_covers_nothing_again() {
    let mut world = World::new();
    world.record_all(&[("a", "10:57:00", 0.8)]).await;
    // Nothing ran at 11:01, so 11:06 takes what is left. Then the retry of 11:01 comes.
    world.clock.sleep(Duration::from_secs(3_600)).await;
    assert_eq!(world.run("11:06:00").await.expect("runs").alerts, 1);
    world.restart();
    // What comes for its window then is too late for it.
    world.record_all(&[("b", "10:58:00", 0.8)]).await;
    assert_eq!(world.run("11:01:00").await.expect("runs").digests, 0);
    assert_eq!(world.run("11:11:00").await.expect("runs").alerts, 1);
    assert_eq!(world.covered(&["a", "b"]).await, [["a"], ["b"]]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_goes_on_as_it_was() {
    let mut world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8)]).await;
    world.switch_topic(false);
    let error = world.run("10:06:00").await.expect_err("fails").to_string();
    assert!(error.starts_with("1 of 1 digest was not sent: sns PublishBatch: missing or not permitted"), "{error}");
    world.record_all(&[("b", "10:01:00", 0.8)]).await;
    world.switch_topic(true);
    world.restart();
    assert_eq!(world.run("10:06:00").await.expect("runs").alerts, 1);
    assert_eq!(world.subjects(), ["r/science: 1 alert (10:00-10:05 UTC)"]);
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 0);

    // Where the retries are used up, a later run goes on.
    world.switch_topic(false);
    world.run("10:11:00").await.expect_err("fails");
    world.record_all(&[("c", "10:11:00", 0.8)]).await;
    world.switch_topic(true);
    world.run("10:16:00").await.expect("runs");
    assert_eq!(world.subjects().len(), 2);
    assert_eq!(world.covered(&["a", "b", "c"]).await, [["a"], ["b"], ["c"]]);
}

#[tokio::test(start_paused = true)]
async fn at_most_ten_messages_go_out_in_two_seconds_and_the_rest_after_the_deadline() {
    let world = World::new();
    for number in 0..35 {
        let comment = Comment { subreddit: Some(format!("s{number:02}").into()), ..comment(&format!("c{number}")) };
        world.record(&alert(comment, time("10:01:00"), 0.8), Fate::Sent).await;
    }
    let within = Duration::from_secs(5);
    let error = world.run_with("10:06:00", within, |_, _| DigestRules::default()).await.expect_err("no time");
    assert!(matches!(error, DigestError::Unsent { unsent: 5, digests: 35, .. }), "{error}");
    assert_eq!(world.inbox().len(), 30);
    let sizes: Vec<usize> = world.calls().iter().map(|(_, messages)| *messages).collect();
    assert_eq!(sizes, [10, 10, 10]);
    let apart = world.calls().windows(2).all(|pair| pair[1].0.duration_since(pair[0].0).as_secs() >= 2);
    assert!(apart, "{:?}", world.calls());
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 5);
    assert_eq!(world.inbox().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn quiet_hours_put_digests_off_and_some_subreddits_get_none() {
    let world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8), ("b", "10:06:00", 0.8)]).await;
    let pics = Comment { subreddit: Some("pics".into()), ..comment("p") };
    world.record(&alert(pics, time("10:02:00"), 0.6), Fate::Sent).await;
    let rules = |subreddit: &str, at| DigestRules {
        quiet: subreddit == "science" && at < time("10:12:00"),
        leave_out: subreddit == "pics",
    };
    let within = Duration::from_secs(60);
    for scheduled_for in ["10:06:00", "10:11:00"] {
        assert_eq!(world.run_with(scheduled_for, within, rules).await.expect("runs").digests, 0);
    }
    world.record_all(&[("c", "10:12:00", 0.8)]).await;
    assert_eq!(world.run_with("10:16:00", within, rules).await.expect("runs").alerts, 3);
    let all = world.digests().await;
    let [digest] = &all[..] else { panic!("one: {all:?}") };
    assert_eq!((digest.from_quiet_hours, digest.late), (2, None));
    assert!(world.inbox()[0].body.contains("\n2 waited for the end of the quiet hours.\n"));
}

#[tokio::test(start_paused = true)]
async fn alerts_held_back_are_counted_by_reason_probes_not_at_all_and_explorations_apart() {
    let world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8)]).await;
    for id in ["w1", "w2"] {
        let why = Fate::Withheld(Withholding::Budget, "the budget is 20 an hour");
        world.record(&alert(comment(id), time("10:01:00"), 0.7), why).await;
    }
    let mut probe = alert(Comment { body: Some(PROBE_BODY.into()), ..comment("probe") }, time("10:02:00"), 0.99);
    probe.data.probe = true;
    world.record(&probe, Fate::Sent).await;
    let mut exploration = alert(comment("x"), time("10:03:00"), 0.1);
    exploration.data.exploration = Some(0.01);
    world.record(&exploration, Fate::Withheld(Withholding::Exploration, "")).await;
    world.run("10:06:00").await.expect("runs");
    let inbox = world.inbox();
    assert_eq!(inbox[0].subject.as_deref(), Some("r/science: 1 alert, 2 more held back (10:00-10:05 UTC)"));
    for line in ["\n2 of the 3 were held back: the budget is 20 an hour.\n", "\n1 more comment was picked at random, "]
    {
        assert!(inbox[0].body.contains(line), "{}", inbox[0].body);
    }
    assert_eq!(world.covered(&["a", "w1", "w2", "x", "probe"]).await.concat().len(), 4);

    // An exploration alone is no reason for a message. It goes with the next.
    let mut exploration = alert(comment("y"), time("10:06:00"), 0.1);
    exploration.data.exploration = Some(0.01);
    world.record(&exploration, Fate::Withheld(Withholding::Exploration, "")).await;
    assert_eq!(world.run("10:11:00").await.expect("runs").digests, 0);
    world.record_all(&[("b", "10:11:00", 0.8)]).await;
    world.run("10:16:00").await.expect("runs");
    assert_eq!(world.covered(&["b", "y"]).await[1], ["b", "y"]);
    assert_eq!(world.digests().await[1].late, None);
}

#[tokio::test(start_paused = true)]
async fn a_message_shows_the_strongest_as_the_ledger_has_them_then() {
    let world = World::new();
    let ids: Vec<String> = (0..25).map(|number| format!("c{number:02}")).collect();
    for (number, id) in ids.iter().enumerate() {
        let at = if number < 3 { "09:51:00" } else { "10:02:00" };
        world.record(&alert(comment(id), time(at), 0.7 + number as f64 / 100.0), Fate::Sent).await;
    }
    world.record_all(&[("next", "10:05:10", 0.99)]).await;
    world.table.reset_usage();
    assert_eq!(world.run("10:06:00").await.expect("runs").alerts, 25);
    // Ten alerts are read, at once.
    assert_eq!(world.table.usage().calls_of(Operation::BatchGetItem), 1);
    let body = &world.inbox()[0].body;
    assert!(body.contains("comment c24 is") && body.contains("comment c15 is") && !body.contains("c14"), "{body}");
    assert_eq!(world.run("10:11:00").await.expect("runs").alerts, 1);
    assert!(world.inbox()[0].body.contains("comment next is"));
}

/// What a run asked the table for, and how much it read.
async fn cost_of_a_run(world: &World, scheduled_for: &str) -> (u64, f64) {
    world.table.reset_usage();
    world.run(scheduled_for).await.expect("runs");
    let usage = world.table.reset_usage();
    (usage.total_calls(), usage.read.units())
}

#[tokio::test(start_paused = true)]
async fn a_run_costs_what_is_new_whatever_a_month_of_history_holds() {
    let mut costs = Vec::new();
    for alerts_before in [0, 5_000] {
        let world = World::new();
        let first = time("2025-12-05T00:00:00Z");
        for number in 0..alerts_before {
            let at = first + jiff::SignedDuration::from_mins(8 * number);
            world.record(&alert(comment(&format!("h{number}")), at, 0.8), Fate::Sent).await;
        }
        world.run("10:01:00").await.expect("runs");
        world.record_all(&[("a", "10:01:00", 0.8), ("b", "10:02:00", 0.8)]).await;
        costs.push(cost_of_a_run(&world, "10:06:00").await);
    }
    let [(calls, units), (calls_with_history, units_with_history)] = costs[..] else { panic!("two worlds") };
    println!("{calls} calls and {units} units without, {calls_with_history} and {units_with_history} with history");
    assert!(calls <= 20 && units <= 20.0, "{calls} calls, {units} units");
    // Of what is looked at again there is a little where there is history.
    assert!(
        calls_with_history <= calls + 4 && units_with_history <= units + 10.0,
        "{calls_with_history} {units_with_history}"
    );
    let silent = cost_of_a_run(&World::new(), "10:06:00").await;
    assert!(silent.0 <= 9, "{silent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_the_index_late_is_in_a_digest_however_late_and_in_one() {
    for lag_minutes in [1, 14, 47, 200, 1_000] {
        let world = World::new();
        world.run("10:01:00").await.expect("runs");
        world.record_all(&[("early", "10:01:00", 0.8)]).await;
        world.table.hold_back();
        world.record_all(&[("late", "10:02:00", 0.9)]).await;
        let start = time("10:06:00");
        for run in 0..300_i64 {
            let due = start + jiff::SignedDuration::from_mins(5 * run);
            if due.duration_since(start).as_mins() >= lag_minutes {
                world.table.let_go();
            }
            world.run(&due.to_string()).await.expect("runs");
        }
        assert_eq!(world.covered(&["early", "late"]).await, [["early"], ["late"]], "after {lag_minutes} minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn quiet_hours_of_a_night_cost_what_waits_and_nothing_is_lost_over_them() {
    let world = World::new();
    let rules =
        |subreddit: &str, at| DigestRules { quiet: subreddit == "science" && at < time("18:00:00"), leave_out: false };
    let within = Duration::from_secs(60);
    let (mut at, mut number) = (time("10:01:00"), 0);
    let mut told = 0;
    while at < time("18:10:00") {
        let id = format!("n{number}");
        world.record_all(&[(&id, &at.to_string(), 0.8)]).await;
        number += 1;
        at += jiff::SignedDuration::from_mins(5);
        told += world.run_with(&at.to_string(), within, rules).await.expect("runs").alerts;
    }
    let digests = world.digests().await;
    let waited = digests.iter().map(|digest| digest.from_quiet_hours).max();
    assert!(waited.is_some_and(|waited| waited > 90), "{waited:?}");
    assert_eq!(told, number);
    assert_eq!(digests.iter().map(|digest| digest.count).sum::<usize>(), told);
}

#[tokio::test(start_paused = true)]
async fn what_cant_be_read_stops_no_digest() {
    let world = World::new();
    world.record_all(&[("a", "10:00:00", 0.8)]).await;
    let broken = [
        Item::new(Key::new("comment#x", "alert#broken"))
            .with("in_made", "made")
            .with("made", "2026-01-05T10:01:00.000000000Z"),
        Item::new(Key::new("known#2026-01-05T10:00", "2026-01-05T09:55-5m#x#000000")).with("alerts", b"{".to_vec()),
        Item::new(Key::new("known#2026-01-05T10:00", "x")).with("alerts", "x"),
    ];
    for item in broken {
        world.table.put(&item, &Condition::Always).await.expect("written");
    }
    assert_eq!(world.run("10:06:00").await.expect("runs").alerts, 1);
    assert_eq!(world.subjects(), ["r/science: 1 alert (10:00-10:05 UTC)"]);
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_none_says_what_to_send() {
    let world = World::new();
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 0);
    let error = digest_alerts::Invocation::parse(b"[1]").expect_err("none").to_string();
    assert!(error.contains(r#"{"time":"2026-01-05T10:06:00Z"}"#), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_panics_costs_itself_alone_and_goes_out_after_a_fix() {
    let page = |digest: &Digest, _| {
        assert_ne!(digest.subreddit.as_deref(), Some("pics"), "a bug");
        None
    };
    let mut world = World::with_links(Links::new(Box::new(|_, _| None), Box::new(page)));
    world.record_all(&[("a", "10:00:00", 0.8)]).await;
    for (id, subreddit) in [("p", "pics"), ("z", "zoo")] {
        let comment = Comment { subreddit: Some(subreddit.into()), ..comment(id) };
        world.record(&alert(comment, time("10:02:00"), 0.8), Fate::Sent).await;
    }
    let digested = world.run("10:06:00").await.expect("the others go out");
    assert_eq!((digested.digests, digested.alerts, digested.panicked), (2, 2, 1));
    assert_eq!(world.subjects().len(), 2);
    assert_eq!(serde_json::to_value(digested).expect("JSON")["panicked"], 1);
    // The runs to come try again.
    assert_eq!(world.run("10:11:00").await.expect("runs").panicked, 1);
    assert!(world.inbox().is_empty());
    world.restart();
    assert_eq!(world.run("10:16:00").await.expect("runs").digests, 1);
    assert_eq!(world.subjects(), ["r/pics: 1 alert (10:00-10:05 UTC)"]);
}

#[tokio::test(start_paused = true)]
async fn whatever_people_write_a_digest_is_text_that_a_topic_takes() {
    let world = World::new();
    let odd = "a\u{0}b\u{8}c\u{B}d\u{1F}e\u{7F}f\u{85}g\u{D7FF}h\u{E000}i\u{FFFE}j\u{FFFF}k\u{1FFFE}l\r\n\tm";
    let odd = |_: &str| Some(std::borrow::Cow::Borrowed(odd));
    let comment =
        Comment { subreddit: odd("s"), body: odd("b"), author: odd("a"), permalink: odd("p"), ..comment("odd") };
    world.record(&alert(comment, time("10:00:00"), 0.8), Fate::Sent).await;
    assert_eq!(world.run("10:06:00").await.expect("runs").digests, 1);
    let message = world.inbox().remove(0);
    let texts = [&message.body, &message.by_protocol["sms"], &message.attributes["subreddit"]];
    let is_taken =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    for text in texts {
        assert!(text.chars().all(is_taken), "{text:?}");
    }
}
