//! The simulation of latency repeats itself, and knobs move what they should.

use std::time::Duration;

use modstream_simulation::latency::{Report, Settings, simulate};

fn small() -> Settings {
    Settings { rate: 100.0, shards: 1, seconds: 20, ..Settings::default() }
}

fn percentiles(report: &Report) -> [Duration; 4] {
    [report.to_prediction(0.5), report.to_prediction(0.99), report.to_alert(0.5), report.to_alert(0.99)]
}

#[test]
fn a_seed_gives_the_same_text_again_and_another_seed_another() {
    let settings = Settings { shards: 2, ..small() };
    let text = simulate(&settings).to_string();
    assert_eq!(simulate(&settings).to_string(), text);
    let other = simulate(&Settings { seed: 1, ..settings }).to_string();
    assert_ne!(other.replace("seed 1", "seed 0"), text);
}

#[test]
fn what_the_shards_take_is_kept_up_with_each_comment_in_time() {
    let report = simulate(&small());
    assert!(report.keeps_up(), "{report}");
    assert!(report.to_string().contains("it keeps up\n"), "{report}");
    let [prediction, slow_prediction, alert, slow_alert] = percentiles(&report);
    // A poll, a window, a batch; an alert another poll and a batch later.
    assert!(prediction > Duration::from_millis(500) && slow_prediction < Duration::from_secs(4), "{report}");
    assert!(alert > prediction + Duration::from_millis(200) && slow_alert < Duration::from_secs(6), "{report}");
}

#[test]
fn a_publisher_with_too_much_to_do_is_said_to_fall_behind_and_what_helps_does() {
    let busy = Settings { rate: 250.0, alert_share: 0.5, seconds: 20, ..small() };
    let report = simulate(&busy);
    assert!(!report.keeps_up(), "{report}");
    let text = report.to_string();
    assert!(text.contains("publish-alerts falls behind: its iterator age grows by 0."), "{text}");
    assert!(text.contains("--parallelization-factor") && !text.contains("it keeps up"), "{text}");
    let helped = simulate(&Settings { parallelization_factor: 8, ..busy.clone() });
    assert!(helped.keeps_up(), "{helped}");
    let fewer = simulate(&Settings { alert_share: 0.001, ..busy });
    assert!(fewer.keeps_up(), "{fewer}");
}

#[test]
fn more_than_a_shard_of_either_stream_takes_falls_behind() {
    // 1 MiB of predictions a second are fewer than 1,000.
    let report = simulate(&Settings { rate: 900.0, alert_share: 0.0, seconds: 12, ..small() }).to_string();
    assert!(report.contains("score-comments falls behind") && report.contains("refuse records"), "{report}");
    let report = simulate(&Settings { rate: 1_200.0, alert_share: 0.0, seconds: 12, ..small() }).to_string();
    assert!(report.contains("the stream of comments falls behind: 1200 comments a second a shard"), "{report}");
}

#[test]
fn latency_grows_with_the_batching_window_and_shrinks_where_records_are_pushed() {
    let window = |seconds| simulate(&Settings { window: Duration::from_secs(seconds), ..small() });
    let medians: Vec<Duration> = [0, 1, 4].map(|seconds| window(seconds).to_prediction(0.5)).into();
    assert!(medians.is_sorted_by(|shorter, longer| *shorter + Duration::from_millis(200) < *longer), "{medians:?}");
    let pushed = simulate(&Settings { fan_out: true, ..small() });
    let polled = simulate(&small());
    assert!(pushed.to_alert(0.5) + Duration::from_millis(300) < polled.to_alert(0.5), "{polled}\n{pushed}");
}
