//! Reading a line strictly, from left to right.

use super::entry::{Measure, array};

/// The largest number that every JSON reader keeps exactly (RFC 8259, section 6).
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// The number of bytes that a base64 text stands for.
pub(super) fn decoded_length(base64: &str) -> usize {
    base64.len() / 4 * 3 - base64.bytes().rev().take_while(|&b| b == b'=').count()
}

/// A place in a line, moving from left to right.
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first byte.
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// What lies behind.
    pub(super) fn passed(&self) -> &'a [u8] {
        self.line.get(..self.at).unwrap_or_default()
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Option<()> {
        self.rest().is_empty().then_some(())
    }

    /// Exactly this.
    pub(super) fn literal(&mut self, text: &str) -> Option<()> {
        self.rest().starts_with(text.as_bytes()).then(|| self.at += text.len())
    }

    /// A decimal number as every JSON reader keeps it.
    pub(super) fn number(&mut self) -> Option<u64> {
        let rest = self.rest();
        let digits = rest.iter().take(17).take_while(|b| b.is_ascii_digit()).count();
        let text = str::from_utf8(rest.get(..digits)?).ok()?;
        let number = text.parse().ok().filter(|&number| number <= NUMBER_MAX)?;
        if digits > 1 && text.starts_with('0') {
            return None;
        }
        self.at += digits;
        Some(number)
    }

    /// A text in quotes, without escapes.
    pub(super) fn quoted(&mut self) -> Option<&'a str> {
        let inner = self.rest().strip_prefix(b"\"")?;
        let text = inner.get(..memchr::memchr(b'"', inner)?)?;
        let text = str::from_utf8(text).ok()?;
        self.at += text.len() + 2;
        Some(text)
    }

    /// Canonical base64 with padding (RFC 4648, section 4): the unused bits of the last digit are zero.
    pub(super) fn base64(&mut self) -> Option<&'a str> {
        let start = self.at;
        let text = self.quoted()?;
        let digits = text.trim_end_matches('=').as_bytes();
        let unused = match text.len() - digits.len() {
            0 => 0,
            1 => 0b11,
            2 => 0b1111,
            _ => return self.stop_at(start),
        };
        let last = digits.last().copied().and_then(sextet)?;
        // No early end, for the same speed whatever stands there.
        let all = digits.iter().fold(true, |all, &b| all & is_digit(b));
        if all && text.len() % 4 == 0 && last & unused == 0 { Some(text) } else { self.stop_at(start) }
    }

    /// Canonical base64 of so many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a str> {
        let start = self.at;
        let text = self.base64()?;
        if decoded_length(text) == count { Some(text) } else { self.stop_at(start) }
    }

    /// `[COUNT,"HASH"]`: a number and 32 bytes.
    pub(super) fn measure(&mut self) -> Option<Measure> {
        self.literal("[")?;
        let count = self.number()?;
        self.literal(",")?;
        let hash = array(self.bytes(32)?)?;
        self.literal("]")?;
        Some(Measure { count, hash })
    }

    fn stop_at<T>(&mut self, at: usize) -> Option<T> {
        self.at = at;
        None
    }
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "branches would keep the compiler from looking at many bytes at once"
)]
fn is_digit(b: u8) -> bool {
    b.is_ascii_alphanumeric() | (b == b'+') | (b == b'/')
}

fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
