//! Which rows, when.

use std::time::Duration;

use generate_comments::Generated;

use crate::{Fixture, scheduled};

#[tokio::test(start_paused = true)]
async fn a_schedule_event_sends_rate_times_sixty_rows_and_the_next_minute_goes_on_from_there() {
    let fixture = Fixture::new(0.05, 7).await;
    for minute in 0..5 {
        let payload = scheduled(&format!("e-{minute}"), &format!("2026-01-05T10:0{minute}:00Z"));
        let generated = fixture.generate(&payload).await.expect("generates");
        assert_eq!(generated, Generated { comments: 3, quarantined: 0 });
    }
    let rows: Vec<usize> = fixture.rows().iter().map(|row| row[1..].parse().expect("a number")).collect();
    assert_eq!(rows.len(), 15);
    assert!(rows.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 7), "{rows:?}");
}

#[tokio::test(start_paused = true)]
async fn comments_are_spread_over_the_minute_and_never_come_in_a_burst() {
    let fixture = Fixture::new(10.0, 420).await;
    fixture.generate(&scheduled("e-1", "2026-01-05T10:00:00Z")).await.expect("generates");
    let arrived = fixture.arrived();
    assert_eq!(arrived.len(), 600);
    for second in 0..60 {
        let within = |after: f64| (f64::from(second)..f64::from(second + 1)).contains(&after);
        let count = arrived.iter().filter(|one| within(one.after)).count();
        assert!((8..=12).contains(&count), "{count} comments in second {second}");
    }
    let times: Vec<_> = arrived.iter().map(|one| one.time).collect();
    assert_eq!(times[0].to_string(), "2026-01-05T10:00:00Z", "times follow the schedule, not the clock");
    assert_eq!(times[599].to_string(), "2026-01-05T10:00:59.9Z");
    assert!(times.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn a_payload_says_how_many_from_where_and_how_fast() {
    let fixture = Fixture::new(10.0, 5).await;
    fixture.generate(r#"{"id":"e-1","comments":4,"offset":3,"spread_seconds":2}"#).await.expect("generates");
    let arrived = fixture.arrived();
    assert_eq!(arrived.iter().map(|one| one.row.as_str()).collect::<Vec<_>>(), ["r3", "r4", "r0", "r1"]);
    assert_eq!(arrived.iter().map(|one| one.after).collect::<Vec<_>>(), [0.0, 0.5, 1.0, 1.5]);
}

#[tokio::test(start_paused = true)]
async fn a_spread_of_zero_is_a_burst() {
    let fixture = Fixture::new(10.0, 5).await;
    fixture.generate(r#"{"comments":1200,"spread_seconds":0}"#).await.expect("generates");
    let arrived = fixture.arrived();
    assert_eq!((arrived.len(), arrived.last().map(|last| last.after)), (1200, Some(0.0)));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_an_invocation_sends_the_same_events() {
    for payload in [scheduled("e-1", "2026-01-05T10:00:00Z"), r#"{"time":"2026-01-05T10:00:00Z"}"#.to_owned()] {
        let fixture = Fixture::new(1.0, 7).await;
        for _ in 0..2 {
            fixture.generate(&payload).await.expect("generates");
        }
        let data: Vec<_> = fixture.comments.records().iter().map(|record| record.data.clone()).collect();
        assert_eq!(data[..60], data[60..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_without_a_time_still_sends_the_same_comments_under_the_same_ids() {
    let fixture = Fixture::new(1.0, 7).await;
    for _ in 0..2 {
        fixture.generate("{}").await.expect("generates");
    }
    let named: Vec<_> = fixture.arrived().into_iter().map(|one| (one.id, one.row)).collect();
    assert_eq!(named[..60], named[60..]);
}

#[tokio::test(start_paused = true)]
async fn what_the_time_does_not_suffice_for_is_counted_by_the_deadline() {
    let fixture = Fixture::new(1.0, 7).await;
    let payload = scheduled("e-1", "2026-01-05T10:00:00Z");
    let error = fixture.generate_within(&payload, Duration::from_secs(30)).await.expect_err("too little time");
    assert_eq!(fixture.arrived().len(), 30);
    let said = "30 of 60 comments were not sent: the deadline ran out; not tried: ";
    assert!(error.to_string().starts_with(said), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_none_is_refused_with_an_example_and_nothing_is_sent() {
    let fixture = Fixture::new(1.0, 7).await;
    for (payload, said) in [
        ("", "send a scheduled event, or an object such as {\"comments\":600,\"offset\":0,\"spread_seconds\":60}"),
        ("[]", "send a scheduled event"),
        ("7", "send a scheduled event"),
        (r#"{"comments":"many"}"#, "send a scheduled event"),
        (r#"{"comments":-1}"#, "send a scheduled event"),
        (r#"{"time":"yesterday"}"#, "send a scheduled event"),
        (
            r#"{"spread_seconds":841}"#,
            "`spread_seconds` is 841: it must be from 0 to 840, below the function's timeout",
        ),
    ] {
        let error = fixture.generate(payload).await.expect_err(payload).to_string();
        assert!(error.contains(said), "{payload}: {error}");
    }
    assert!(fixture.arrived().is_empty());
}
