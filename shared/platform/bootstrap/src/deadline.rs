use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest that one call of a function to a service takes.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The time that is left for the answer's way back.
const ANSWER: Duration = Duration::from_millis(500);
/// The time that Lambda gives a function to start.
const START: Duration = Duration::from_secs(10);

/// The time until which a call may begin while a function starts, so that it ends before Lambda ends the start.
pub(crate) fn of_start(now: Timestamp) -> Timestamp {
    now.saturating_add(START - CALL_TIMEOUT - ANSWER).unwrap_or(now)
}

/// The time until which a call may begin in an invocation: [`CALL_TIMEOUT`] and half a second before Lambda's own
/// deadline, but never more than a third of the time there is. With less than 16.5 s a call that gets no answer may so
/// run into Lambda's deadline; the batch then comes again, as after any failure.
pub(crate) fn of_invocation(now: Timestamp, lambdas: Timestamp) -> Timestamp {
    let left = lambdas.duration_since(now).max(SignedDuration::ZERO);
    let margin = SignedDuration::try_from(CALL_TIMEOUT + ANSWER).unwrap_or(SignedDuration::ZERO).min(left / 3);
    lambdas.saturating_sub(margin).unwrap_or(lambdas)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds of work before the deadline, of so many that Lambda gives.
    fn work(given: i64) -> i64 {
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        let lambdas = now + SignedDuration::from_millis(given);
        of_invocation(now, lambdas).duration_since(now).as_millis() as i64
    }

    #[test]
    fn a_call_that_starts_at_the_deadline_ends_half_a_second_before_lambdas() {
        assert_eq!((work(60_000), work(900_000)), (54_500, 894_500));
    }

    #[test]
    fn a_short_timeout_loses_a_third_and_no_more() {
        assert_eq!((work(16_500), work(3_000)), (11_000, 2_000));
    }

    #[test]
    fn a_deadline_that_has_passed_stays_passed() {
        assert_eq!((work(0), work(-5_000)), (0, -5_000));
    }

    #[test]
    fn a_start_that_fails_at_its_deadline_still_says_so_in_time() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            of_start(now).duration_since(now) + CALL_TIMEOUT.try_into().expect("fits"),
            SignedDuration::from_millis(9_500)
        );
    }
}
