//! The ceremonies of a plan as a calendar (RFC 5545): folded lines, and names that stay the same when the plan is made again.

use super::plan::Plan;
use super::timeline::said;
use crate::base::bytes::{Digest, hex};
use crate::base::clock::Instant;

/// The plan's ceremonies as an iCalendar object. An event's UID depends on the line and the time only, so that a plan that is
/// imported again replaces the events of the one before.
pub fn calendar(plan: &Plan) -> String {
    let mut text = String::new();
    put(&mut text, "BEGIN:VCALENDAR");
    put(&mut text, "VERSION:2.0");
    put(&mut text, "PRODID:-//fedroot//rotation//EN");
    put(&mut text, "CALSCALE:GREGORIAN");
    for ceremony in &plan.ceremonies {
        let name = Digest::of(format!("{}|{}", plan.line, ceremony.at).as_bytes());
        let name: String = hex(name.as_bytes()).chars().take(32).collect();
        let moves: Vec<_> =
            ceremony.moves.iter().map(|(act, version, _)| format!("{act} #{version}")).collect();
        let what = if moves.is_empty() { "sign".to_owned() } else { moves.join(", ") };
        put(&mut text, "BEGIN:VEVENT");
        put(&mut text, &format!("UID:{name}@fedroot"));
        put(&mut text, &format!("DTSTAMP:{}", utc(plan.from)));
        put(&mut text, &format!("DTSTART:{}", utc(ceremony.at)));
        put(&mut text, "DURATION:PT1H");
        put(&mut text, &format!("SUMMARY:{}", safe(&format!("{}: {what}", plan.line))));
        put(&mut text, &format!("DESCRIPTION:{}", safe(&format!("{}: {}", plan.line, said(ceremony)))));
        put(&mut text, "TRANSP:TRANSPARENT");
        put(&mut text, "END:VEVENT");
    }
    put(&mut text, "END:VCALENDAR");
    text
}

/// A time in basic format (RFC 5545, section 3.3.5).
fn utc(at: Instant) -> String {
    at.to_string().replace(['-', ':'], "")
}

/// Text escaped (RFC 5545, section 3.3.11).
fn safe(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A content line, folded after 75 octets (RFC 5545, section 3.1).
fn put(text: &mut String, line: &str) {
    let mut room = 75;
    for c in line.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = 74;
        }
        text.push(c);
        room -= c.len_utf8();
    }
    text.push_str("\r\n");
}
