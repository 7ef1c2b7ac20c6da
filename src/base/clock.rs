//! Time as a value: instants, spans, and the one place that reads the machine's clock.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

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

    /// Reads an `xs:dateTime` (XML Schema part 2, section 3.2.7) as other software does that checks documents against their
    /// schema; fractions of a second are dropped, a time without a zone and a year that is not of four digits are refused.
    pub fn parse_xml(text: &str) -> Result<Self, Fault> {
        let wrong = || TIME.fault(format!("'{text}' is not a time")).hint("write it as 2026-11-22T07:15:47Z");
        let (day, clock) = text.trim_matches(XML_SPACE).split_once('T').ok_or_else(wrong)?;
        let [year, month, day] = numbers(day, '-', [4, 2, 2]).ok_or_else(wrong)?;
        let (clock, east) = without_zone(clock).ok_or_else(wrong)?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2]).ok_or_else(wrong)?;
        let is_whole = fraction.bytes().all(|digit| digit == b'0');
        let is_midnight = (hour, minute, second) == (24, 0, 0) && is_whole;
        let is_clock = hour < 24 && minute < 60 && second < 60 && is_digits(fraction);
        let narrow = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
        let ((Ok(year), Ok(month), Ok(day)), true) = (narrow, is_midnight || is_clock) else {
            return Err(wrong());
        };
        let date = Date::new(year, month, day).map_err(|_| wrong())?;
        let midnight = date.to_zoned(TimeZone::UTC).map_err(|_| wrong())?.timestamp().as_second();
        Self::from_unix(midnight + hour * 3_600 + minute * 60 + second - east)
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

    /// Reads an `xs:duration` (XML Schema part 2, section 3.2.6) with the limits of [`Span::parse`]; fractions of a second
    /// are dropped.
    pub fn parse_xml(text: &str) -> Result<Self, Fault> {
        let text = text.trim_matches(XML_SPACE);
        let (days, clock) = text.split_once('T').map_or((text, None), |(days, clock)| (days, Some(clock)));
        let is_xml = !days.contains('W')
            && days.strip_prefix('P').is_some_and(|days| in_order(days, "YMD"))
            && clock.is_none_or(|clock| !clock.is_empty() && in_order(clock, "HMS"));
        if !is_xml && !text.starts_with('-') {
            return Err(TIME
                .fault(format!("'{text}' is not a duration: xs:duration was expected"))
                .hint("write it as P14D, PT6H or P1DT12H"));
        }
        Self::parse(text)
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

/// White space that XML Schema takes off the ends of such values.
const XML_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Three numbers of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (place, length) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == length && is_digits(part))?;
        *place = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// A time of day without its zone, and how many seconds that is east of UTC.
fn without_zone(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let (clock, zone) = clock.split_at_checked(clock.len().checked_sub(6)?)?;
    let [hours, minutes, _] = numbers(&format!("{}:00", zone.get(1..)?), ':', [2, 2, 2])?;
    let is_zone = minutes < 60 && hours * 60 + minutes <= 14 * 60;
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    is_zone.then_some((clock, sign * (hours * 3_600 + minutes * 60)))
}

/// Whether there are only numbers, each with one of these units behind it, and the units in this order; the last unit, if it
/// is that of seconds, may have a fraction.
fn in_order(text: &str, units: &str) -> bool {
    let mut units = units.chars();
    text.split_inclusive(|c: char| c.is_ascii_uppercase()).all(|part| {
        let mut number = part.chars();
        let Some(unit) = number.next_back().filter(|unit| units.any(|own| own == *unit)) else {
            return false;
        };
        let number = number.as_str();
        match number.split_once('.') {
            Some((whole, fraction)) => unit == 'S' && is_digits(whole) && is_digits(fraction),
            None => is_digits(number),
        }
    })
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
    fn schema_values_are_read_as_the_schema_has_them() {
        for (text, shown) in [
            ("2026-11-22T07:15:47Z", "2026-11-22T07:15:47Z"),
            (" 2026-11-22T07:15:47.999Z\n", "2026-11-22T07:15:47Z"),
            ("2026-11-22T08:15:47+01:00", "2026-11-22T07:15:47Z"),
            ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00Z"),
            ("2026-12-31T24:00:00.0-14:00", "2027-01-01T14:00:00Z"),
        ] {
            assert_eq!(Instant::parse_xml(text).unwrap().to_string(), shown, "{text}");
        }
        for wrong in [
            "",
            "2026-12-08T00:00:60Z",
            "2026-12-08T24:00:01Z",
            "2026-12-08T24:00:00.1Z",
            "2026-12-08T00:60:00Z",
            "2026-12-08t00:00:00z",
            "2026-12-08T00:00:00z",
            "2026-12-08 00:00:00Z",
            "2026-12-08T00:00Z",
            "2026-12-08T00:00:00",
            "2026-12-08T00:00:00.Z",
            "2026-12-08T00:00:00,5Z",
            "2026-12-08T00:00:00+0100",
            "2026-12-08T00:00:00+14:01",
            "2026-12-08T00:00:00é:00",
            "2026-02-29T00:00:00Z",
            "20261208T000000Z",
            "-2026-12-08T00:00:00Z",
            "+2026-12-08T00:00:00Z",
            "12026-12-08T00:00:00Z",
            "2026-12-+8T00:00:00Z",
            "2026-12-08T00:00:00[UTC]",
        ] {
            assert_eq!(Instant::parse_xml(wrong).unwrap_err().code(), &TIME, "{wrong}");
        }
        for (text, seconds) in
            [("P14D", 1_209_600), (" PT6H ", 21_600), ("P0Y0M0DT0H1M30.000S", 90), ("P1DT12H30M5S", 131_405)]
        {
            assert_eq!(Span::parse_xml(text).unwrap().seconds(), seconds, "{text}");
        }
        for wrong in [
            "", "P", "PT", "P1DT", "PT6.5H", "PT6,5S", "P1W", "P1D1W", "pt6h", "PT6h", "PT1M1H", "P1H",
            "PT1D", "P1M", "P1Y", "-P1D", "+P1D", "PT0S", "P0D", "PT.5S", "PT5.S", "P1D T6H", "P1DT6H3",
            "P-1D",
        ] {
            assert_eq!(Span::parse_xml(wrong).unwrap_err().code(), &TIME, "{wrong}");
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
