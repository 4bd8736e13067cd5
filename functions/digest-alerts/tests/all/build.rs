//! What digests cover, in any order and whatever the rules are.

use std::collections::BTreeSet;

use digest_alerts::DigestRules;
use digest_alerts::digest::{Candidate, Run, build};
use jiff::{SignedDuration, Timestamp};
use modstream_events::Severity;
use modstream_ledger::{AlertKey, Urgency};
use modstream_windows::Tumbling;
use proptest::prelude::*;

use crate::fixture::time;

fn run(scheduled_for: Timestamp) -> Run {
    let windowing = Tumbling::new(SignedDuration::from_mins(5)).expect("a length");
    Run { scheduled_for, windowing, allowed_lateness: SignedDuration::from_secs(60) }
}

#[test]
fn a_run_closes_the_newest_window_that_has_waited_long_enough() {
    for (scheduled_for, start) in [
        ("10:05:59", "09:55:00"),
        ("10:06:00", "10:00:00"),
        ("10:10:59", "10:00:00"),
        ("10:11:00", "10:05:00"),
        ("2026-01-05T00:00:30Z", "2026-01-04T23:50:00Z"),
    ] {
        assert_eq!(run(time(scheduled_for)).window().start, time(start), "{scheduled_for}");
    }
}

#[test]
fn a_digest_has_somebody_in_need_first_then_the_most_harmful_and_not_the_likeliest_removed() {
    let candidate = |id: &str, probability: f64, urgency: Urgency| Candidate {
        alert: AlertKey { comment: "c".to_owned(), id: id.to_owned() },
        subreddit: None,
        time: time("10:01:00"),
        severity: Severity::Low,
        probability,
        urgency,
        is_exploration: false,
        withheld: None,
    };
    let all = [
        candidate("joke", 0.99, Urgency::Harm(0.001)),
        candidate("threat", 0.1, Urgency::Harm(0.93)),
        candidate("need", 0.01, Urgency::SelfHarm),
        candidate("unlabelled", 0.7, Urgency::Unknown),
    ];
    let digests = build(run(time("10:06:00")), &all, &|_: &str, _| DigestRules { quiet: false, leave_out: false });
    let order: Vec<&str> = digests[0].alerts.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(order, ["need", "threat", "unlabelled", "joke"]);
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let subreddit = prop_oneof![Just(None), Just(Some("a".to_owned())), Just(Some("b".to_owned()))];
    (subreddit, 0..3_600_i64, 0..10_u8, any::<bool>(), any::<u32>()).prop_map(
        |(subreddit, second, tenths, is_exploration, id)| Candidate {
            alert: AlertKey { comment: "c".to_owned(), id: format!("{id}") },
            subreddit,
            time: time("10:00:00") + SignedDuration::from_secs(second),
            severity: [Severity::Low, Severity::Medium, Severity::High][usize::from(tenths / 4)],
            probability: f64::from(tenths) / 10.0,
            urgency: Urgency::Unknown,
            is_exploration: is_exploration && tenths < 3,
            withheld: None,
        },
    )
}

proptest! {
    /// The naive way: a digest a run, of whatever is left.
    #[test]
    fn each_alert_is_in_one_digest_at_the_first_run_that_may_have_it(
        all in prop::collection::vec(candidate(), 0..40),
        arrivals in prop::collection::vec(0..14_usize, 40),
        quiet in prop::collection::btree_set(0..14_usize, 0..6),
    ) {
        let time_of = |number: usize| time("10:06:00") + SignedDuration::from_mins(5 * number as i64);
        let is_quiet = |at: Timestamp| quiet.iter().any(|number| time_of(*number) <= at && at < time_of(number + 1));
        let rules = |subreddit: &str, at: Timestamp| DigestRules {
            quiet: subreddit == "a" && is_quiet(at),
            leave_out: false,
        };
        let mut covered: BTreeSet<String> = BTreeSet::new();
        for number in 0..14 {
            let left: Vec<Candidate> = all
                .iter()
                .zip(&arrivals)
                .filter(|(one, arrival)| **arrival <= number && !covered.contains(&one.alert.id))
                .map(|(one, _)| one.clone())
                .collect();
            let run = run(time_of(number));
            let digests = build(run, &left, &rules);
            let names: BTreeSet<_> = digests.iter().map(|digest| digest.subreddit.clone()).collect();
            prop_assert_eq!(names.len(), digests.len(), "one a subreddit");
            for digest in &digests {
                prop_assert!(digest.count > 0);
                prop_assert_eq!((digest.count, digest.exploration_count), (digest.alerts.len(), digest.explorations.len()));
                let ids: BTreeSet<&str> = digest.alerts.iter().chain(&digest.explorations).map(|alert| alert.id.as_str()).collect();
                let expected: BTreeSet<&str> = left
                    .iter()
                    .filter(|one| one.subreddit == digest.subreddit && one.time < run.window().end)
                    .map(|one| one.alert.id.as_str())
                    .collect();
                prop_assert_eq!(&ids, &expected);
                let strength = |covered: &AlertKey| {
                    let one = left.iter().find(|one| one.alert.id == covered.id);
                    one.map(|one| one.probability)
                };
                prop_assert!(digest.alerts.iter().map(strength).is_sorted_by(|one, next| one >= next));
                let before = left.iter().filter(|one| {
                    one.subreddit == digest.subreddit && one.time < run.window().start && !one.is_exploration
                });
                let late = digest.late.map_or(0, |late| late.count);
                prop_assert_eq!(late + digest.from_quiet_hours, before.count());
                covered.extend(ids.into_iter().map(str::to_owned));
            }
            // Where there is no digest, there was no reason for one.
            for one in left.iter().filter(|one| one.time < run.window().end && !one.is_exploration) {
                let is_off = one.subreddit.as_deref() == Some("a") && is_quiet(run.scheduled_for);
                prop_assert!(is_off || covered.contains(&one.alert.id));
            }
        }
    }
}
