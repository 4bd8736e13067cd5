use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use modstream_events::Severity;
use named_mutations::is_on;

/// The hours in which no alert is published by itself, by the clocks of a time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// The first quiet minute.
    pub from: Time,
    /// The minute after the last quiet one.
    pub to: Time,
    /// The time zone whose clocks are meant.
    pub time_zone: TimeZone,
    /// The severities that are published all the same.
    pub keep: Vec<Severity>,
}

impl QuietHours {
    /// Whether `time` is in the quiet hours.
    pub fn hold_at(&self, time: Timestamp) -> bool {
        let clock = time.to_zoned(self.time_zone.clone()).time();
        if self.from <= self.to { (self.from..self.to).contains(&clock) } else { clock >= self.from || clock < self.to }
    }

    /// Whether an alert of this time and severity waits for the digest.
    pub fn withhold(&self, time: Timestamp, severity: Severity) -> bool {
        let is_kept = self.keep.contains(&severity) && !is_on("keep-none-in-quiet-hours");
        !is_kept && self.hold_at(time) && !is_on("wake-in-quiet-hours")
    }

    /// The quiet hours in words: `22:00 to 07:00 (Europe/Berlin)`.
    pub fn in_words(&self) -> String {
        let clock = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
        let zone = self.time_zone.iana_name().unwrap_or("UTC");
        format!("{} to {} ({zone})", clock(self.from), clock(self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str, zone: &str) -> QuietHours {
        QuietHours {
            from: from.parse().expect("a time"),
            to: to.parse().expect("a time"),
            time_zone: TimeZone::get(zone).expect("a zone"),
            keep: vec![Severity::High],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn they_go_over_midnight_by_the_clocks_of_their_zone_in_summer_and_winter() {
        let night = hours("22:00", "07:00", "Europe/Berlin");
        for (time, quiet) in [
            ("2026-01-05T20:59:59Z", false),
            ("2026-01-05T21:00:00Z", true),
            ("2026-01-06T05:59:59Z", true),
            ("2026-01-06T06:00:00Z", false),
            // Summer: an hour earlier.
            ("2026-07-05T20:00:00Z", true),
            ("2026-07-06T05:00:00Z", false),
        ] {
            assert_eq!(night.hold_at(at(time)), quiet, "{time}");
        }
        let lunch = hours("12:00", "13:00", "UTC");
        assert!(lunch.hold_at(at("2026-01-05T12:00:00Z")) && !lunch.hold_at(at("2026-01-05T13:00:00Z")));
        assert_eq!(night.in_words(), "22:00 to 07:00 (Europe/Berlin)");
    }

    #[test]
    fn what_is_kept_is_published_all_the_same() {
        let night = hours("22:00", "07:00", "UTC");
        let midnight = at("2026-01-05T00:00:00Z");
        assert!(night.withhold(midnight, Severity::Medium) && !night.withhold(midnight, Severity::High));
        assert!(!night.withhold(at("2026-01-05T12:00:00Z"), Severity::Low));
    }
}
