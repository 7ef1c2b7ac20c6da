//! Which characters XML 1.0 (fifth edition) allows, and where.

/// White space of XML: four characters, no more.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The production `Char`.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The production `NameStartChar` without the colon.
fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// The production `NameChar` without the colon.
fn continues_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether `text` is an `NCName`: what an `ID`, a prefix or a local name must be.
pub fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(starts_name) && chars.all(continues_name)
}

/// Whether `text` can stand behind the `#` of a reference: a name, but for a digit at its start, which old `ID`s have.
pub(super) fn is_fragment(text: &str) -> bool {
    !text.is_empty() && text.chars().all(continues_name)
}

/// Whether a byte stands in names as it is. A table: names are most of what a tokenizer looks at byte by byte.
fn is_plain(byte: u8) -> bool {
    static PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte: u8 = 0;
        while byte < u8::MAX {
            if let Some((is_plain, _)) = plain.split_at_mut(byte as usize).1.split_first_mut() {
                *is_plain = matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.');
            }
            byte += 1;
        }
        plain
    };
    PLAIN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// A run of bytes that may be a qualified name.
pub(super) struct Run {
    pub(super) length: usize,
    pub(super) colon: Option<usize>,
    /// There are bytes outside ASCII, which have yet to be looked up in the tables.
    foreign: bool,
}

impl Run {
    /// The longest run that `bytes` begins with, up to a second colon.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let end = |from: usize| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len())
        };
        let mut run = Self { length: end(0), colon: None, foreign: false };
        loop {
            match bytes.get(run.length) {
                Some(b':') if run.colon.is_none() => run.colon = Some(run.length),
                Some(0x80..) => run.foreign = true,
                _ => return run,
            }
            run.length = end(run.length + 1);
        }
    }

    /// Whether `text`, which is this run, is a `QName`.
    pub(super) fn is_qname(&self, text: &str) -> bool {
        let (prefix, local) = match self.colon {
            Some(colon) => (text.get(..colon), text.get(colon + 1..).unwrap_or_default()),
            None => (None, text),
        };
        let is_name = |part: &str| match part.as_bytes() {
            _ if self.foreign => is_ncname(part),
            [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => true,
            _ => false,
        };
        is_name(local) && prefix.is_none_or(is_name)
    }
}

/// Whether any of these bytes stands in the text. Sixteen at a time, some of them twice, become one look of the vector unit
/// each; branches would keep them from it.
pub(super) fn any<const N: usize>(text: &str, odd: [u8; N]) -> bool {
    let is_odd = |byte: &u8| odd.iter().fold(0, |any, odd| any | u8::from(byte == odd));
    let look = |block: &[u8; 16]| block.iter().fold(0, |any, byte| any | is_odd(byte)) != 0;
    let bytes = text.as_bytes();
    match bytes.last_chunk() {
        Some(last) => bytes.as_chunks().0.iter().any(look) || look(last),
        None => bytes.iter().any(|byte| is_odd(byte) != 0),
    }
}

/// Whether there may be a carriage return or a character that XML forbids, in one vectorised look at all of the text.
pub(super) fn has_controls(text: &str) -> bool {
    text.bytes().fold(false, |any, b| any | is_suspect(b))
}

/// The place of the first character XML forbids everywhere.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators branch")]
pub(super) fn forbidden(text: &str) -> Option<usize> {
    if !text.bytes().fold(false, |any, b| any | (is_suspect(b) & (b != b'\r'))) {
        return None;
    }
    let control = text.bytes().position(|b| b < 0x20 && !is_space(b));
    let noncharacter = memchr::memchr_iter(NONCHARACTER_LEAD, text.as_bytes())
        .find(|at| text.get(*at..).and_then(|rest| rest.chars().next()).is_some_and(|c| !is_char(c)));
    control.into_iter().chain(noncharacter).min()
}

/// Control characters, and what begins the two noncharacters. Bit by bit: branches would keep it from the vector unit.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators branch")]
fn is_suspect(b: u8) -> bool {
    ((b < 0x20) & (b != b'\t') & (b != b'\n')) | (b == NONCHARACTER_LEAD)
}

/// The first byte of U+FFFE and U+FFFF in UTF-8.
const NONCHARACTER_LEAD: u8 = 0xEF;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_tables() {
        for good in ["a", "_1", "é", "a-b.c", "Ω", "a·", "日本", "\u{10000}x"] {
            assert!(is_ncname(good), "{good}");
        }
        for bad in [
            "",
            "1a",
            "-a",
            ".a",
            "a:b",
            "a b",
            "·a",
            "\u{300}a",
            "×",
            "÷",
            "a\u{2000}",
            "\u{F0000}",
            "\u{37E}",
        ] {
            assert!(!is_ncname(bad), "{bad}");
        }
    }

    #[test]
    fn forbidden_characters_are_found_wherever_they_stand() {
        assert_eq!(forbidden("plain \t\r\n é ﬀ \u{FFFD}\u{10FFFF}"), None);
        for bad in ["\0", "\u{1}", "\u{b}", "\u{1f}", "\u{FFFE}", "\u{FFFF}"] {
            assert_eq!(forbidden(&format!("ﬀ{bad}\0")), Some(3), "{bad:?}");
        }
    }
}
