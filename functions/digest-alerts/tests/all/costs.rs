//! What a run reads and writes, which is paid for.

use counted_calls::{assert_counted, counted};
use jiff::SignedDuration;

use crate::fixture::{Fate, World, alert, comment, time};

/// The read and write units of a run in a deployment that has had so many alerts in every window of a day.
async fn units(alerts: u32) -> (f64, f64) {
    let world = World::new();
    let now = time("10:05:00");
    let between = SignedDuration::from_mins(5) / alerts.max(1).cast_signed();
    let record = async |name: &str, from_minutes_ago: i64, until_minutes_ago: i64| {
        let until = now - SignedDuration::from_mins(until_minutes_ago);
        let mut at = now - SignedDuration::from_mins(from_minutes_ago);
        let mut number = 0;
        while alerts > 0 && at < until {
            world.record(&alert(comment(&format!("{name}{number}")), at, 0.8), Fate::Sent).await;
            (at, number) = (at + between, number + 1);
        }
    };
    // A run looks again at the quarter of an hour before, and at what is 1, 6 and 23 hours old: the rest of the day it leaves.
    for hours in [23, 6, 1] {
        record(&format!("h{hours}-"), hours * 60 + 30, hours * 60 - 10).await;
    }
    record("before", 35, 5).await;
    world.run("10:01:00").await.expect("runs");
    record("new", 5, 0).await;
    world.table.reset_usage();
    let digested = world.run("10:06:00").await.expect("runs");
    assert_eq!(digested.alerts as u32, alerts);
    let usage = world.table.reset_usage();
    println!("{alerts} alerts a window: {usage:?}");
    (usage.read.units(), usage.write_units as f64)
}

#[tokio::test(start_paused = true)]
async fn a_run_is_paid_by_what_is_new_and_as_the_bill_says() {
    let (few, many) = (100.0, 300.0);
    let (reads, writes) = units(100).await;
    let (more_reads, more_writes) = units(300).await;
    // A line through both: what a run costs, and what each alert adds.
    let line = |one: f64, other: f64| {
        let each = (other - one) / (many - few);
        (one - few * each, each)
    };
    for (kind, (run, each)) in [("read", line(reads, more_reads)), ("write", line(writes, more_writes))] {
        println!("{kind} units: {run} a run, {each} an alert");
        let said = |alerts: f64| {
            counted(&format!("/digest-alerts/{kind}_units_a_run"))
                + alerts * counted(&format!("/digest-alerts/{kind}_units_an_alert"))
        };
        assert!(run + few * each <= said(few) && run + many * each <= said(many), "{kind}: more than the bill says");
        assert_counted(&format!("/digest-alerts/{kind}_units_an_alert"), each);
        assert_counted(&format!("/digest-alerts/{kind}_units_a_run"), run);
    }
}
