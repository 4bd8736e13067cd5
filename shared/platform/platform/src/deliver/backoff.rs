use std::time::Duration;

use jiff::Timestamp;

use crate::Clock;

/// Waiting times between attempts: exponential with full jitter
/// ([Exponential Backoff And Jitter](https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/)).
///
/// The n-th wait is drawn evenly from 0 to 50 ms times 2^n, and from 0 to 2 s at most. The draws follow from the seed alone: an
/// instance's ([`Clock::jitter`]), and what is attempted.
#[derive(Clone, Debug)]
pub struct Backoff {
    random: fastrand::Rng,
    failures: u32,
}

const BASE: Duration = Duration::from_millis(50);
const CAP: Duration = Duration::from_secs(2);

impl Backoff {
    /// Makes waiting times that are seeded by an instance and by the caller's data, for example its first partition key: other
    /// instances, and callers with other data, wait otherwise, and a test waits as it always did.
    pub fn seeded_by(instance: u64, data: &str) -> Self {
        // Any hash would do that is the same in every release; this is FNV-1a.
        let seed = data.bytes().fold(0xcbf2_9ce4_8422_2325_u64 ^ instance, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Backoff { random: fastrand::Rng::with_seed(seed), failures: 0 }
    }

    /// Returns the next wait, after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let most = BASE.saturating_mul(1 << self.failures.min(16)).min(CAP);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs_f64(self.random.f64() * most.as_secs_f64())
    }

    /// Begins with short waits again, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// The time left for one delivery, and the waits within it.
pub(super) struct Patience<'a, C> {
    clock: &'a C,
    deadline: Timestamp,
    backoff: Backoff,
}

impl<'a, C: Clock> Patience<'a, C> {
    pub(super) fn new(clock: &'a C, deadline: Timestamp, seed: &str) -> Self {
        Patience { clock, deadline, backoff: Backoff::seeded_by(clock.jitter(), seed) }
    }

    /// Whether there is time left for a call to begin.
    pub(super) fn is_left(&self) -> bool {
        self.clock.now() < self.deadline
    }

    /// Waits before the next attempt. Returns false, at once, if that would go past the deadline.
    pub(super) async fn wait(&mut self) -> bool {
        let wait = self.backoff.next_wait();
        let left = self.deadline.duration_since(self.clock.now());
        if Duration::try_from(left).is_ok_and(|left| wait < left) {
            self.clock.sleep(wait).await;
            return true;
        }
        false
    }

    pub(super) fn succeeded(&mut self) {
        self.backoff.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_no_faster_than_doubling_and_never_above_two_seconds(instance in any::<u64>(), seed in any::<String>()) {
            let mut backoff = Backoff::seeded_by(instance, &seed);
            for failure in 0..40 {
                let most = Duration::from_millis(50 << failure.min(6)).min(Duration::from_secs(2));
                prop_assert!(backoff.next_wait() <= most);
            }
        }

        #[test]
        fn one_instance_waits_the_same_for_the_same_data_and_another_does_not(
            (instance, another) in any::<(u64, u64)>(),
            seed in any::<String>(),
        ) {
            let waits = |instance| {
                let mut backoff = Backoff::seeded_by(instance, &seed);
                (0..10).map(|_| backoff.next_wait()).collect::<Vec<Duration>>()
            };
            prop_assert_eq!(waits(instance), waits(instance));
            prop_assert!(instance == another || waits(instance) != waits(another));
        }
    }

    #[test]
    fn other_data_waits_otherwise_and_waits_use_their_whole_range() {
        let firsts: Vec<Duration> = (0..1000).map(|n| Backoff::seeded_by(0, &format!("key {n}")).next_wait()).collect();
        for tenth in 0..10 {
            let within = firsts.iter().filter(|wait| wait.as_millis() / 5 == tenth).count();
            assert!((50..200).contains(&within), "{within} of 1000 waits in tenth {tenth}");
        }
    }

    #[test]
    fn a_success_starts_small_again() {
        let mut backoff = Backoff::seeded_by(0, "k");
        for _ in 0..10 {
            backoff.next_wait();
        }
        backoff.reset();
        assert!(backoff.next_wait() <= BASE);
    }
}
