//! Windows against a naive fold, in any order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use modstream_windows::{Closed, LengthError, Sliding, Tumbling, Window, Windowing, Windows};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn seconds(number: i64) -> SignedDuration {
    SignedDuration::from_secs(number)
}

fn window(start: i64, end: i64) -> Window {
    Window { start: at(start), end: at(end) }
}

/// What comes: an event, or the time on a clock.
#[derive(Clone, Debug)]
enum Step {
    Event { key: u8, time: i64 },
    Clock(i64),
}

fn step() -> impl Strategy<Value = Step> {
    // Around 1970, on boundaries and off them.
    let time = prop_oneof![-40..40_i64, (-4..4_i64).prop_map(|number| number * 10)];
    prop_oneof![
        4 => (0..3_u8, time.clone()).prop_map(|(key, time)| Step::Event { key, time }),
        1 => time.prop_map(Step::Clock),
    ]
}

/// Every window there may be, asked one by one whether it has the time.
fn naive_windows(length: i64, step: i64, time: i64) -> BTreeSet<Window> {
    let all = (-200..200).map(|number| window(number * step, number * step + length));
    all.filter(|window| window.contains(at(time))).collect()
}

proptest! {
    #[test]
    fn a_time_is_in_the_windows_that_contain_it(length in 1..30_i64, step in 1..30_i64, time in -90..90_i64) {
        let sliding = Sliding::new(seconds(length), seconds(step)).expect("lengths");
        let found: Vec<Window> = sliding.windows(at(time)).collect();
        prop_assert!(found.is_sorted());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), naive_windows(length, step, time));
        let tumbling = Tumbling::new(seconds(length)).expect("a length");
        let one: Vec<Window> = tumbling.windows(at(time)).collect();
        prop_assert_eq!(&one, &naive_windows(length, length, time).into_iter().collect::<Vec<_>>());
        let ended = tumbling.ended_by(at(time));
        prop_assert!(ended.end <= at(time) && at(time) < ended.end + seconds(length));
    }

    #[test]
    fn in_any_order_each_on_time_value_is_in_its_windows_and_each_late_one_counts(
        steps in prop::collection::vec(step(), 0..60),
        length in 1..25_i64,
        step in 1..25_i64,
        lateness in 0..15_i64,
        clocked in any::<bool>(),
    ) {
        let sliding = Sliding::new(seconds(length), seconds(step)).expect("lengths");
        let mut windows: Windows<u8, Vec<usize>, Sliding> = Windows::new(sliding, seconds(lateness));
        let mut emitted: Vec<Closed<u8, Vec<usize>>> = Vec::new();
        // The naive way: the highest time seen so far, and every window asked.
        let mut seen: Option<i64> = None;
        let mut expected: BTreeMap<(Window, u8), Vec<usize>> = BTreeMap::new();
        let mut late: BTreeMap<Window, u64> = BTreeMap::new();
        for (number, one) in steps.iter().enumerate() {
            let time = match *one {
                Step::Clock(time) => time,
                Step::Event { key, time } => {
                    let mut counts = (0, 0);
                    for window in naive_windows(length, step, time) {
                        if seen.is_some_and(|seen| window.end <= at(seen - lateness)) {
                            *late.entry(window).or_default() += 1;
                            counts.1 += 1;
                        } else {
                            expected.entry((window, key)).or_default().push(number);
                            counts.0 += 1;
                        }
                    }
                    let added = windows.add(&key, at(time), |all| all.push(number));
                    prop_assert_eq!((added.folded, added.late), counts);
                    time
                }
            };
            // Where only a clock moves the watermark, events do not.
            if clocked && matches!(one, Step::Event { .. }) {
                continue;
            }
            seen = seen.max(Some(time));
            let closed = windows.advance(at(time));
            let watermark = at(seen.expect("a time was seen") - lateness);
            prop_assert_eq!(windows.watermark(), Some(watermark));
            prop_assert!(closed.iter().all(|closed| closed.window.end <= watermark));
            // Nothing that may close is held back.
            let due = expected.keys().filter(|(window, _)| window.end <= watermark).count();
            emitted.extend(closed);
            prop_assert_eq!(emitted.len(), due);
        }
        prop_assert_eq!(windows.take_late(), late);
        prop_assert!(windows.take_late().is_empty());
        emitted.extend(windows.advance(at(1_000)));
        prop_assert!(emitted.iter().map(|one| one.window.end).is_sorted());
        let count = emitted.len();
        let found: BTreeMap<_, _> = emitted.into_iter().map(|one| ((one.window, one.key), one.value)).collect();
        prop_assert_eq!(found.len(), count, "nothing is emitted twice");
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn boundaries_belong_to_the_window_that_begins_there_before_1970_too() {
    let tumbling = Tumbling::new(seconds(300)).expect("a length");
    assert_eq!(tumbling.window(at(0)), window(0, 300));
    assert_eq!(tumbling.window(at(-1)), window(-300, 0));
    assert_eq!(tumbling.window(at(-300)), window(-300, 0));
    assert_eq!(tumbling.window(at(0) - SignedDuration::from_nanos(1)), window(-300, 0));
    assert_eq!(tumbling.ended_by(at(300)), window(0, 300));
    assert_eq!(tumbling.ended_by(at(299)), window(-300, 0));
}

#[test]
fn the_ends_of_time_are_cut_off_and_break_nothing() {
    let day = Sliding::new(SignedDuration::from_hours(24 * 365), SignedDuration::from_hours(24)).expect("lengths");
    let mut windows: Windows<(), u32, Sliding> = Windows::new(day, SignedDuration::MAX);
    for time in [Timestamp::MIN, Timestamp::MAX] {
        windows.add(&(), time, |count| *count += 1);
    }
    assert!(windows.advance(Timestamp::MAX).is_empty());
    assert_eq!(windows.watermark(), Some(Timestamp::MIN));
}

#[test]
fn lengths_of_nothing_are_refused_with_what_they_must_be() {
    for (length, step) in [(0, 1), (1, 0), (-1, 1), (1, -1)] {
        let (length, step) = (seconds(length), seconds(step));
        assert_eq!(Sliding::new(length, step), Err(LengthError { length, step }));
    }
    let error = Tumbling::new(seconds(0)).expect_err("nothing").to_string();
    assert_eq!(error, "windows of 0s every 0s are impossible: both durations must be above zero");
}
