//! When time runs out.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::Clock;
use score_comments::ScoreComments;

use crate::{Fixture, START, TIME, comment, config, payload};

/// A clock that jumps, once it has been looked at so often.
#[derive(Clone)]
struct Jumping {
    looks: Arc<AtomicIsize>,
    jump: Duration,
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        let start: Timestamp = START.parse().expect("a time");
        if self.looks.fetch_sub(1, Ordering::Relaxed) > 0 { start } else { start + self.jump }
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_time_for_comes_again_and_what_was_scored_is_sent() {
    let (fixture, _) = Fixture::with_model().await;
    let clock = Jumping { looks: Arc::new(AtomicIsize::new(isize::MAX)), jump: TIME * 6 / 10 };
    let deadline = clock.now() + TIME;
    let (predictions, objects) = (fixture.predictions.clone(), fixture.objects.clone());
    let function =
        ScoreComments::start(&config(None, 5), predictions, objects, clock.clone(), deadline).await.expect("starts");

    let records: Vec<Vec<u8>> = (0..50).map(|n| comment(&format!("Is it {n}?"))).collect();
    clock.looks.store(40, Ordering::Relaxed);
    let response = function.handle(&payload(&records), deadline).await.expect("a batch");
    let [failure] = &response.batch_item_failures[..] else { panic!("{response:?}") };
    let scored = fixture.on_stream().len();
    assert!((10..40).contains(&scored), "{scored}");
    assert_eq!(failure.item_identifier, format!("49{scored:054}"));
}
