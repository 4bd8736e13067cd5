use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const FORMAT: &str = "%Y-%m-%dT%H";
const SECONDS: i64 = 3_600;

/// An hour of UTC, as it stands in keys: `2026-01-05T10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hour {
    /// Hours since 1970.
    number: i64,
}

/// A text that is no hour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hour such as 2026-01-05T10")]
pub struct NoHour(String);

impl Hour {
    /// The hour of a time.
    pub fn of(time: Timestamp) -> Self {
        let before_a_second = i64::from(time.subsec_nanosecond() < 0);
        Hour { number: (time.as_second() - before_a_second).div_euclid(SECONDS) }
    }

    /// When it begins.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.number * SECONDS).unwrap_or(Timestamp::MIN)
    }

    /// The hour after.
    #[must_use]
    pub fn next(self) -> Self {
        Hour { number: self.number + 1 }
    }

    /// All hours that have a part in `[from, to)`.
    pub fn between(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Hour> {
        let last = Hour::of(to.saturating_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN));
        (Hour::of(from).number..=last.number).map(|number| Hour { number })
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.start().strftime(FORMAT).fmt(to)
    }
}

impl FromStr for Hour {
    type Err = NoHour;

    fn from_str(text: &str) -> Result<Self, NoHour> {
        let time = DateTime::strptime("%Y-%m-%dT%H:%M", format!("{text}:00"));
        let time = time.and_then(|time| TimeZone::UTC.to_timestamp(time));
        // Also refuses other spellings of it.
        time.map(Hour::of).ok().filter(|hour| hour.to_string() == text).ok_or_else(|| NoHour(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn an_hour_reads_as_it_is_written_and_knows_its_neighbours() {
        for text in ["2026-01-05T10", "1969-12-31T23", "2024-02-29T00"] {
            let hour: Hour = text.parse().expect(text);
            assert_eq!(hour.to_string(), text);
            assert_eq!(Hour::of(hour.start()), hour);
            assert_eq!(Hour::of(hour.next().start() - jiff::SignedDuration::from_nanos(1)), hour);
        }
        for text in
            ["", "2026-01-05", "2026-01-05T24", "2026-1-05T10", "2026-01-05T10:00", "2026-02-30T10", " 2026-01-05T10"]
        {
            assert!(text.parse::<Hour>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_has_each_hour_that_it_touches() {
        let hours =
            |from: &str, to: &str| Hour::between(time(from), time(to)).map(|hour| hour.to_string()).collect::<Vec<_>>();
        assert_eq!(hours("2026-01-05T09:59:00Z", "2026-01-05T11:00:00Z"), ["2026-01-05T09", "2026-01-05T10"]);
        assert_eq!(hours("2026-01-05T10:00:00Z", "2026-01-05T10:05:00Z"), ["2026-01-05T10"]);
        assert_eq!(hours("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"), [""; 0]);
    }
}
