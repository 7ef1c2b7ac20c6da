//! Time as a value: instants, spans, and the one place that reads the machine's clock.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::fault::{Class, Code, Fault};
use super::text::counted;

/// Text that is not a time, or not a duration.
pub const TIME: Code = Code::new("usage.time", Class::Usage, "a time or duration could not be read");

/// A point in time with a resolution of one second, always UTC, written as `2026-11-22T07:15:47Z` (RFC 3339).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Instant(Timestamp);

impl Instant {
    /// Reads an RFC 3339 time or an `xs:dateTime`; fractions of a second are dropped, a time without a zone is refused.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim_ascii();
        let read: Timestamp = text.parse().map_err(|_| {
            if text.starts_with("9999-12-3") {
                return TIME
                    .fault(format!("'{text}' is later than can be counted with here"))
                    .hint("take 9999-12-30T00:00:00Z or earlier");
            }
            TIME.fault(format!("'{text}' is not a time")).hint("write it as 2026-11-22T07:15:47Z")
        })?;
        Self::from_unix(read.as_second())
    }

    /// The instant so many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Result<Self, Fault> {
        Timestamp::from_second(seconds)
            .map(Self)
            .map_err(|_| TIME.fault(format!("{seconds} seconds are outside the calendar")))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// This instant later by a span.
    pub fn after(self, span: Span) -> Result<Self, Fault> {
        Self::from_unix(self.unix().saturating_add(span.seconds()))
    }

    /// The signed number of seconds from `earlier` to this instant.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.unix() - earlier.unix()
    }
}

impl FromStr for Instant {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// A length of time in whole seconds, written as an ISO 8601 duration such as `P14D` or `PT6H`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(SignedDuration);

impl Span {
    /// So many seconds.
    pub const fn of_seconds(seconds: i64) -> Self {
        Self(SignedDuration::from_secs(seconds))
    }

    /// So many days of 24 hours.
    pub const fn of_days(days: i64) -> Self {
        Self::of_seconds(days * 86_400)
    }

    /// Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds. Months and years have no fixed length and
    /// are refused, and so is nothing at all, a negative duration, or one above a thousand years.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            TIME.fault(format!("'{text}' is not a duration: {why}")).hint("write it as P14D, PT6H or P1DT12H")
        };
        let span: jiff::Span = text.parse().map_err(|_| wrong("ISO 8601 was expected"))?;
        if !text.starts_with('P') {
            return Err(wrong("it has to begin with P"));
        }
        if span.get_years() != 0 || span.get_months() != 0 {
            return Err(wrong("months and years differ in length"));
        }
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let clock = i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
        match days * 86_400 + clock {
            seconds if seconds <= 0 => Err(wrong("it has to be above zero")),
            seconds if seconds > 365_250 * 86_400 => Err(wrong("it is above a thousand years")),
            seconds => Ok(Self::of_seconds(seconds)),
        }
    }

    /// For people: the two largest units of it that are not zero at the beginning, such as `13 days 23 hours`.
    pub fn in_words(self) -> String {
        let seconds = self.seconds().unsigned_abs();
        let units = [
            (seconds / 86_400, "day", "days"),
            (seconds / 3_600 % 24, "hour", "hours"),
            (seconds / 60 % 60, "minute", "minutes"),
            (seconds % 60, "second", "seconds"),
        ];
        let largest = units.iter().position(|(count, ..)| *count > 0).unwrap_or(units.len() - 1);
        let shown = units.iter().skip(largest).take(2).filter(|(count, ..)| *count > 0 || seconds == 0);
        shown.map(|(count, one, many)| counted(*count, one, many)).collect::<Vec<_>>().join(" ")
    }

    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        self.0.as_secs()
    }
}

impl FromStr for Span {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.seconds() / 86_400, self.seconds() % 86_400);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if rest > 0 || days == 0 {
            f.write_str("T")?;
        }
        for (count, unit) in [(rest / 3_600, 'H'), (rest / 60 % 60, 'M'), (rest % 60, 'S')] {
            if count > 0 || (unit == 'S' && self.seconds() == 0) {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// Tells the time. Nothing below `cli` reads a clock by itself.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Instant;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Instant {
        let now = Timestamp::now();
        Instant::from_unix(now.as_second()).unwrap_or(Instant(now))
    }
}

/// A clock that stands still, for tests and for planning.
pub struct FixedClock(pub Instant);

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc_seconds() {
        for (text, shown) in [
            ("2026-11-22T07:15:47Z", "2026-11-22T07:15:47Z"),
            ("2026-11-22T07:15:47.999Z", "2026-11-22T07:15:47Z"),
            ("2026-11-22T08:15:47+01:00", "2026-11-22T07:15:47Z"),
        ] {
            assert_eq!(Instant::parse(text).unwrap().to_string(), shown);
        }
        for wrong in ["", "2026-11-22", "2026-11-22T07:15:47", "yesterday", "99999-01-01T00:00:00Z"] {
            assert_eq!(Instant::parse(wrong).unwrap_err().code(), &TIME, "{wrong}");
        }
    }

    #[test]
    fn spans_are_iso_8601_without_months() {
        for text in ["P14D", "PT6H", "P1DT12H30M5S", "PT1S"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Span::parse("P2W").unwrap(), Span::of_days(14));
        for wrong in ["", "P", "P1M", "P1Y", "14d", "-P1D", "PT0S", "P9999999D", "2 weeks"] {
            assert_eq!(Span::parse(wrong).unwrap_err().code(), &TIME, "{wrong}");
        }
    }

    #[test]
    fn people_read_spans_in_words() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (60, "1 minute"),
            (3_661, "1 hour 1 minute"),
            (86_400 + 59, "1 day"),
            (1_209_599, "13 days 23 hours"),
        ] {
            assert_eq!(Span::of_seconds(seconds).in_words(), words);
        }
    }

    #[test]
    fn instants_and_spans_add_up() {
        let start = Instant::parse("2026-02-27T00:00:00Z").unwrap();
        let end = start.after(Span::of_days(2)).unwrap();
        assert_eq!(end.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(end.seconds_since(start), 172_800);
    }
}
