//! The lines of the record of what was signed last; `docs/formats/vault.md` specifies them.

use std::borrow::Cow;
use std::iter;

use super::print::{OF_NOTHING, PARTS};
use super::{Facts, Print};

/// So many parts were told apart by earlier versions, in hexadecimal.
pub(super) const PARTS_BEFORE: usize = 6;

/// Writes the line of an entity, or of another item.
pub(super) fn line_into(line: &mut Vec<u8>, name: &str, print: &Print) {
    line.clear();
    line.extend_from_slice(b"entity");
    for digest in iter::once(u128::from_be_bytes(print.content)).chain(print.parts) {
        line.push(b' ');
        digest_into(line, digest);
    }
    line.push(b' ');
    // neither does a text fail to be JSON, nor a vector to take it
    let _ = serde_json::to_writer(&mut *line, name);
    line.push(b'\n');
}

/// What a line of a record says.
pub(super) enum Line<'a> {
    Entity(Cow<'a, str>, Print),
    Facts(Facts),
    End(usize),
}

impl<'a> Line<'a> {
    /// Of a record of now, or of an earlier version.
    pub(super) fn parse(line: &'a str, is_of_now: bool) -> Option<Self> {
        let (what, mut rest) = line.split_once(' ')?;
        match what {
            "entity" => {
                let (mut digests, mut parts) = ([OF_NOTHING; 1 + PARTS.len()], [OF_NOTHING; PARTS.len()]);
                let told = digests.len().min(if is_of_now { usize::MAX } else { 1 + PARTS_BEFORE });
                for digest in digests.iter_mut().take(told) {
                    let (digits, behind) = rest.split_once(' ')?;
                    *digest = if is_of_now { parsed(digits)? } else { parsed_before(digits)? };
                    rest = behind;
                }
                let (content, told) = digests.split_first()?;
                parts.copy_from_slice(told);
                Some(Self::Entity(text(rest)?, Print { content: content.to_be_bytes(), parts }))
            }
            "facts" => serde_json::from_str(rest).ok().map(Self::Facts),
            "end" => rest.parse().ok().map(Self::End),
            _ => None,
        }
    }
}

/// The digits of base64url (RFC 4648, section 5): 22 of them are a digest, and the last one says two bits.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Stands for the digest of nothing.
const NOTHING: &str = "-";

fn digest_into(line: &mut Vec<u8>, digest: u128) {
    if digest == OF_NOTHING {
        return line.extend_from_slice(NOTHING.as_bytes());
    }
    let six = |bits: u128| usize::try_from(bits & 63).ok().and_then(|place| DIGITS.get(place)).copied();
    line.extend((2..=122).rev().step_by(6).filter_map(|behind| six(digest >> behind)));
    line.extend(six(digest << 4));
}

/// What such digits say.
fn parsed(digits: &str) -> Option<u128> {
    if digits == NOTHING {
        return Some(OF_NOTHING);
    }
    let (most, last) = digits.split_at_checked(21)?;
    let last = said(last, 1, 6, &VALUES)?;
    (last.trailing_zeros() >= 4).then_some(said(most, 21, 6, &VALUES)? << 2 | last >> 4)
}

/// What the hexadecimal digits of an earlier version say: of the whole, or of the beginning of a part's.
fn parsed_before(digits: &str) -> Option<u128> {
    match digits.len() {
        32 => said(digits, 32, 4, &HEX_VALUES),
        _ => said(digits, 16, 4, &HEX_VALUES).map(|beginning| beginning << 64),
    }
}

/// The number that so many digits of so many bits each say. All of them are looked at: there are two hundred in each line.
fn said(digits: &str, count: usize, bits: u32, values: &[u8; 256]) -> Option<u128> {
    let mut seen = 0;
    let number = digits.bytes().fold(0, |number, digit| {
        let value = values.get(usize::from(digit)).copied().unwrap_or(NO_VALUE);
        seen |= value;
        number << bits | u128::from(value)
    });
    (seen < NO_VALUE && digits.len() == count).then_some(number)
}

/// A bit that stands for everything that is no digit.
const NO_VALUE: u8 = 1 << 6;

/// The values of the digits.
static VALUES: [u8; 256] = values(DIGITS);
static HEX_VALUES: [u8; 256] = values(b"0123456789abcdef");

const fn values(mut digits: &[u8]) -> [u8; 256] {
    let mut table = [NO_VALUE; 256];
    let mut value = 0;
    while let [digit, rest @ ..] = digits {
        if let Some((place, _)) = table.split_at_mut(*digit as usize).1.split_first_mut() {
            *place = value;
        }
        (digits, value) = (rest, value + 1);
    }
    table
}

/// What a JSON string says; most say what stands between their quotes.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain.filter(|text| !text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'))) {
        Some(text) => Some(Cow::Borrowed(text)),
        None => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::base64url;

    #[test]
    fn digests_come_back_as_they_were_and_in_one_form_only() {
        for digest in [0, 1, 3, 4, u128::MAX, 1 << 127, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let mut line = Vec::new();
            digest_into(&mut line, digest);
            let text = str::from_utf8(&line).unwrap();
            assert_eq!(parsed(text), Some(digest), "{text}");
            let told = if digest == 0 { "-".into() } else { base64url(&digest.to_be_bytes()) };
            assert_eq!(text, told);
        }
        let whole = "AAAAAAAAAAAAAAAAAAAAAA";
        for bad in [
            "",
            "--",
            "A",
            &whole[1..],
            &format!("{whole}A"),
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAA=A",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }
}
