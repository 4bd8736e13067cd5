//! How much may be asked in a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// What each caller has asked of late. A caller may ask for a minute's worth at once, and then as fast as the quota fills again.
#[derive(Debug, Default)]
pub struct Quotas {
    /// When each would have its whole quota again.
    full: Mutex<HashMap<String, Timestamp>>,
}

/// How many callers are remembered before those are forgotten that have their whole quota again.
const REMEMBERED: usize = 10_000;
const MINUTE: Duration = Duration::from_secs(60);

impl Quotas {
    /// Takes one request from a caller's quota.
    ///
    /// # Errors
    /// How long to wait, where nothing is left. Nothing is taken then.
    pub fn take(&self, caller: &str, per_minute: u32, now: Timestamp) -> Result<(), Duration> {
        let one = MINUTE / per_minute.max(1);
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let until = full.get(caller).copied().filter(|until| *until > now).unwrap_or(now);
        let Some(taken) = until.checked_add(one).ok() else { return Ok(()) };
        let over = Duration::try_from(taken.duration_since(now)).unwrap_or_default().saturating_sub(MINUTE);
        // Rounding may leave a trace of a minute that is not over it.
        if over > one / 2 {
            return Err(over);
        }
        if full.len() >= REMEMBERED {
            full.retain(|_, until| *until > now);
        }
        full.insert(caller.to_owned(), taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_as_fast_as_it_fills() {
        let quotas = Quotas::default();
        assert!((0..60).all(|_| quotas.take("a", 60, at(0)).is_ok()));
        let wait = quotas.take("a", 60, at(0)).expect_err("nothing is left");
        assert_eq!(wait, Duration::from_secs(1));
        assert!(quotas.take("b", 60, at(0)).is_ok(), "another's quota is another's");
        assert!(quotas.take("a", 60, at(999)).is_ok() || quotas.take("a", 60, at(1_000)).is_ok());
        assert!((0..60).all(|_| quotas.take("a", 60, at(200_000)).is_ok()));
    }

    proptest! {
        #[test]
        fn whoever_asks_however_gets_no_more_than_the_quota_and_a_minutes_worth(
            per_minute in 1_u32..500,
            steps in prop::collection::vec(0_i64..400, 1..400),
        ) {
            let quotas = Quotas::default();
            let (mut now, mut taken) = (0, 0_i64);
            for step in steps {
                now += step;
                taken += i64::from(quotas.take("a", per_minute, at(now)).is_ok());
            }
            let most = i64::from(per_minute) + i64::from(per_minute) * now / 60_000 + 1;
            prop_assert!(taken <= most, "{taken} of {most}");
        }

        #[test]
        fn whoever_waits_as_long_as_was_said_is_let_in(per_minute in 1_u32..2_000) {
            let quotas = Quotas::default();
            let mut now = at(0);
            for _ in 0..per_minute + 20 {
                if let Err(wait) = quotas.take("a", per_minute, now) {
                    now += SignedDuration::try_from(wait).expect("short");
                    prop_assert!(quotas.take("a", per_minute, now).is_ok());
                }
            }
        }
    }
}
