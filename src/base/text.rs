//! The one render boundary: what a terminal may safely show.

use std::fmt;

use super::recipient::SECRET_PREFIX;

/// Shows foreign text on one line with everything escaped that a terminal or a reader could take for something else:
/// control characters, escapes, bidirectional overrides, format and invisible characters, line and paragraph separators,
/// private-use and unassigned code points. A backslash is doubled, so that an escape cannot be forged. Letters of any
/// script, quotes and spaces stay as they are.
pub fn visible(text: &str) -> Visible<'_> {
    Visible { text, is_value: false }
}

/// The same of a value on a line where two spaces stand between it and what we say about it: of spaces that follow one another,
/// only the first stays.
pub fn visible_value(text: &str) -> Visible<'_> {
    Visible { text, is_value: true }
}

/// Text on its way to a terminal; see [`visible`].
pub struct Visible<'a> {
    text: &'a str,
    is_value: bool,
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let mut buffer = [0; 4];
        let mut is_behind_space = false;
        for c in self.text.chars() {
            match c {
                ' ' if is_behind_space && self.is_value => write!(f, "{}", c.escape_unicode())?,
                '"' | '\'' => f.write_char(c)?,
                ' '..='~' if c != '\\' => f.write_char(c)?,
                _ if looks_like_nothing(c) => write!(f, "{}", c.escape_unicode())?,
                // A combining mark is escaped only where it starts a text, hence the space in front.
                _ => {
                    let escaped = c.encode_utf8(&mut buffer).escape_debug().to_string();
                    if escaped.starts_with("\\u") && is_mark(c) {
                        f.write_char(c)?;
                    } else {
                        f.write_str(&escaped)?;
                    }
                }
            }
            is_behind_space = c == ' ';
        }
        Ok(())
    }
}

/// Whether a text holds a private key with lines around it, as PEM, OpenPGP, SSH and PuTTY write one, however carelessly these
/// were copied; or an age identity.
pub fn holds_private_key(text: &str) -> bool {
    const ENDS: [&[u8]; 3] = [b" KEY-----", b" KEY BLOCK-----", b"-LINES:"];
    let text = text.as_bytes();
    let ends = |behind: &[u8]| ENDS.iter().any(|end| begins(behind, end));
    each_private(text).any(|(before, behind)| ends(behind) || is_label(before))
        || memchr::memchr2_iter(b'K', b'k', text).any(|at| {
            let start = at.checked_sub(SECRET_PREFIX.len() - "KEY-".len());
            start
                .and_then(|start| text.get(start..))
                .is_some_and(|from| begins(from, SECRET_PREFIX.as_bytes()))
        })
}

/// Whether `PRIVATE` stands in a line of armour: four dashes at least, `BEGIN` or `END`, and words only in between.
pub fn is_armoured(text: &[u8]) -> bool {
    each_private(text).any(|(before, _)| is_label(before))
}

/// What stands before and behind each `PRIVATE`, in whatever case. Of its letters V is the rarest.
fn each_private(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    const WORD: &[u8] = b"PRIVATE";
    const BEFORE_V: usize = 3;
    memchr::memchr2_iter(b'V', b'v', text).filter_map(|at| {
        let (before, from) = text.split_at_checked(at.checked_sub(BEFORE_V)?)?;
        begins(from, WORD).then(|| (before, from.get(WORD.len()..).unwrap_or_default()))
    })
}

fn begins(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

/// Whether what stands before `PRIVATE` ends like a line of armour up to there.
fn is_label(before: &[u8]) -> bool {
    const LABEL_BYTES: usize = 80;
    let before = before.get(before.len().saturating_sub(LABEL_BYTES)..).unwrap_or_default();
    // A no-break space has no octets of ASCII.
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || !byte.is_ascii();
    let start = before.iter().rposition(|byte| !is_word(byte)).map_or(0, |at| at + 1);
    let (dashes, label) = before.split_at(start);
    let label = label.to_ascii_uppercase();
    let has = |word: &[u8]| label.windows(word.len()).any(|part| part == word);
    dashes.ends_with(b"----") && (has(b"BEGIN") || has(b"END"))
}

/// What a typed reader says of a wrong value, without the value: that may be a secret which strayed there.
pub fn without_value(message: &str) -> String {
    let starts = ["invalid type: ", "invalid value: ", "unknown variant "];
    let Some(start) = starts.into_iter().find(|start| message.starts_with(start)) else {
        return message.to_owned();
    };
    let rest = message.get(start.len()..).unwrap_or_default();
    let kind = rest.split(['"', '`', ',']).next().unwrap_or_default();
    let expected = message.rfind(", expected ").and_then(|at| message.get(at..)).unwrap_or_default();
    format!("{}{expected}", [start, kind].concat().trim_end())
}

/// A number of things, as people say it: `1 entry`, `2 entries`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3, and a dot at the beginning: no name is
/// `.` or `..`, and none is hidden or means something to a web server, such as `.htaccess`.
pub fn percent_encoded(text: &str) -> String {
    use fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && at > 0) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Reads what is percent-encoded (RFC 3986, section 2.1). What is not stays as it is.
pub fn percent_decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let encoded = digit(behind.first()).zip(digit(behind.get(1))).filter(|_| *first == b'%');
        let encoded = encoded.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        bytes.push(encoded.unwrap_or(*first));
        rest = if encoded.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether only its being a combining mark makes the standard library escape this character at the start of a text.
fn is_mark(c: char) -> bool {
    !format!(" {c}").escape_debug().to_string().contains('\\')
}

/// Characters that the standard library counts as printable and that show nothing, or nothing of their own.
fn looks_like_nothing(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fffc}' | '\u{e0100}'..='\u{e01ef}')
}

/// Foreign text for HTML: nothing of it is markup, and what would show nothing is named.
pub fn html(text: &str) -> String {
    markup(&visible(text).to_string())
}

/// Our own text for HTML: its characters, and none of them markup.
pub fn markup(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Many texts in one, to be put in order: beside its own bytes each takes eight.
#[derive(Default)]
pub struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// The text at a place.
    pub fn get(&self, place: usize) -> &str {
        let start =
            place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(place).copied().unwrap_or_default();
        self.all.get(start..end).unwrap_or_default()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The places of the texts, in the order of these; those of equal ones in the order in which they were added.
    pub fn sorted(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.ends.len()).collect();
        places.sort_unstable_by(|one, other| self.get(*one).cmp(self.get(*other)).then(one.cmp(other)));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legitimate_text_is_unchanged() {
        for text in [
            "plain 'quoted' \"text\"",
            "Универзитет",
            "東京大学",
            "جامعة",
            "विश्वविद्यालय",
            "e\u{301}tude",
            "Ω ≠ ₿",
        ] {
            assert_eq!(visible(text).to_string(), text);
        }
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        for (text, shown) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{202e}lmx", "\\u{202e}lmx"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{2028}", "\\u{2028}"),
            ("\u{feff}bom", "\\u{feff}bom"),
            ("\u{e000}", "\\u{e000}"),
            ("\u{3164}", "\\u{3164}"),
            ("no-break\u{a0}space", "no-break\\u{a0}space"),
            ("\\u{1b}", "\\\\u{1b}"),
            ("\0\u{7f}", "\\0\\u{7f}"),
        ] {
            assert_eq!(visible(text).to_string(), shown);
        }
    }

    #[test]
    fn no_value_shows_two_spaces_in_a_row() {
        for (text, shown) in [
            ("a b  (from the profile)   c ", "a b \\u{20}(from the profile) \\u{20}\\u{20}c "),
            ("a\u{a0} \u{3000} (b)", "a\\u{a0} \\u{3000} (b)"),
            ("a \u{2800} \u{3164} b", "a \\u{2800} \\u{3164} b"),
        ] {
            assert_eq!(visible_value(text).to_string(), shown);
        }
        assert_eq!(visible("a  b").to_string(), "a  b");
    }

    #[test]
    fn a_typed_reader_does_not_repeat_values() {
        for (message, told) in [
            (
                "invalid type: string \"a, expected b\", expected a map",
                "invalid type: string, expected a map",
            ),
            ("invalid type: sequence, expected a map", "invalid type: sequence, expected a map"),
            ("invalid value: integer `5`, expected u32", "invalid value: integer, expected u32"),
            ("unknown variant `a`, expected `x509` or `jwt`", "unknown variant, expected `x509` or `jwt`"),
            ("missing field `keys`", "missing field `keys`"),
        ] {
            assert_eq!(without_value(message), told);
        }
    }

    #[test]
    fn nothing_foreign_is_markup() {
        assert_eq!(
            html("<img src=x onerror='a'>&\"\u{202e}"),
            "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;\\u{202e}"
        );
    }

    #[test]
    fn texts_stand_where_they_were_put_and_are_sorted_by_what_they_say() {
        let mut texts = Texts::default();
        for text in ["b", "", "ab", "b"] {
            texts.push(text);
        }
        assert_eq!((0..5).map(|place| texts.get(place)).collect::<Vec<_>>(), ["b", "", "ab", "b", ""]);
        assert_eq!(texts.sorted(), [1, 2, 0, 3]);
    }
}
