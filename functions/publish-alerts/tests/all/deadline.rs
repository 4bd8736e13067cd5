//! When time runs out.

use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use modstream_platform::Clock;
use modstream_platform::memory::{Filter, MemoryClock, MemoryObjects, MemoryTopic};
use publish_alerts::PublishAlerts;

use crate::{START, config, encode, payload, prediction, table, time};

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

/// A clock by which each look takes some time.
#[derive(Clone)]
pub(crate) struct Ticking {
    from: MemoryClock,
    start: Timestamp,
    looks: Arc<AtomicIsize>,
    tick: Duration,
}

impl Ticking {
    pub(crate) fn new(from: MemoryClock, tick: Duration) -> Self {
        Ticking { from, start: from.now(), looks: Arc::default(), tick }
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let looks = u32::try_from(self.looks.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX);
        self.start + self.tick * looks
    }

    async fn sleep(&self, duration: Duration) {
        self.from.sleep(duration).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_time_for_comes_again_and_what_was_decided_is_published() {
    let topic = MemoryTopic::new("alerts");
    let inbox = topic.subscribe(Filter::new());
    let clock = Jumping { looks: Arc::new(AtomicIsize::new(isize::MAX)), jump: Duration::from_secs(6) };
    let deadline = clock.now() + Duration::from_secs(10);
    let table = table(MemoryClock::starting_at(time()));
    let function = PublishAlerts::new(&config("0"), topic, table, MemoryObjects::new(), clock.clone());

    let records = (0..50).map(|n| {
        let mut prediction = prediction();
        prediction.comment_event.id = format!("e-{n}").into();
        encode(&prediction)
    });
    clock.looks.store(40, Ordering::Relaxed);
    let response = function.handle(&payload(&records.collect::<Vec<_>>()), deadline).await.expect("a batch");
    let [failure] = &response.batch_item_failures[..] else { panic!("{response:?}") };
    let published = std::iter::from_fn(|| inbox.try_receive()).count();
    assert!((10..40).contains(&published), "{published}");
    assert_eq!(failure.item_identifier, format!("49{published:054}"));
}
