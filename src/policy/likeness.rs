//! What looks alike: names that a person takes for one another, and characters that show nothing.

/// Letters of other scripts and the Latin ones they pass for.
const LOOKALIKES: &[(char, &str)] = &[
    ('a', "аαɑａ"),
    ('b', "Ьｂᖯ"),
    ('c', "сϲᴄｃ"),
    ('d', "ԁｄᑯ"),
    ('e', "еҽ℮ｅ"),
    ('g', "ɡցｇ"),
    ('h', "һհℎｈ"),
    ('i', "іıɩιӏｉ"),
    ('j', "јϳｊ"),
    ('k', "кκｋ"),
    ('l', "1|IІӀǀｌⅼ"),
    ('m', "мｍ"),
    ('n', "ոռｎ"),
    ('o', "0оοσօ௦०ｏ"),
    ('p', "рρϱｐ"),
    ('q', "ԛգｑ"),
    ('r', "гᴦｒ"),
    ('s', "ѕｓƽ"),
    ('t', "тτｔ"),
    ('u', "υսʋｕ"),
    ('v', "νѵｖ"),
    ('w', "ԝѡա\u{3c9}ｗ"),
    ('x', "хχ×ｘ"),
    ('y', "уүγｙ"),
    ('z', "ᴢｚ"),
    ('/', "⁄∕／"),
    ('.', "．。․"),
    ('-', "‐‑‒–−－"),
    (':', "：∶"),
];

/// Whether a character shows nothing, or turns the direction of what follows.
pub(super) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    }
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}'
        // variation selectors, and marks of shorthand and of music that show nothing
        | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // what private use shows, nobody else knows
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
        || c.is_control()
}

/// How a character is called that cannot be shown.
pub(crate) fn code_point(c: char) -> String {
    format!("U+{:04X}", c as u32)
}

/// The first such character.
pub(crate) fn first_invisible(text: &str) -> Option<char> {
    // many bytes at a time, and most texts have none that such a character begins with
    if !text.bytes().fold(false, |any, byte| any | begins_invisible(byte)) {
        return None;
    }
    let suspects = text.bytes().enumerate().filter(|(_, byte)| begins_invisible(*byte));
    let mut suspects = suspects.filter_map(|(at, _)| text.get(at..)?.chars().next());
    suspects.find(|c| is_invisible(*c))
}

/// Whether such a character may begin with this byte. Bit by bit: branches would keep it from the vector unit.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators branch")]
fn begins_invisible(byte: u8) -> bool {
    ((byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r'))
        | (byte == 0x7F)
        | (byte == 0xC2)
        | (byte == 0xCD)
        | (byte == 0xD8)
        | (0xE1..=0xE3).contains(&byte)
        | (byte == 0xEE)
        | (byte == 0xEF)
        | (byte == 0xF0)
        | (byte == 0xF3)
        | (byte == 0xF4)
}

/// Whether a text has nothing but what is printed in ASCII, and no space; it is looked at many bytes at a time.
pub(super) fn is_graphic(text: &str) -> bool {
    text.bytes().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic())
}

/// What is left of a URI once everything is gone that people overlook. Two names with one skeleton pass for each other.
pub(super) fn skeleton(uri: &str) -> Vec<u8> {
    let uri = uri.trim();
    let is_plain = is_graphic(uri) && !uri.contains('%');
    let mut text = if is_plain {
        uri.to_owned()
    } else {
        unescaped(uri).chars().filter(|c| !is_invisible(*c)).collect()
    };
    if let Some(rest) = text.strip_prefix("http:") {
        text = format!("https:{rest}");
    }
    if is_plain {
        text.make_ascii_lowercase();
    } else {
        text = text.chars().filter(|c| !is_mark(*c)).map(latin).collect::<String>().to_lowercase();
    }
    replace(&mut text, &[(":443/", "/"), (":80/", "/"), ("./", "/")]);
    text.truncate(text.trim_end_matches(['/', '#', '?', '.']).len());
    replace(&mut text, &[("rn", "m"), ("vv", "w")]);
    let mut strokes = text.into_bytes();
    for byte in &mut strokes {
        *byte = match *byte {
            b'1' | b'i' => b'l',
            b'0' => b'o',
            byte => byte,
        };
    }
    strokes
}

/// Replaces what is mostly not there.
fn replace(text: &mut String, all: &[(&str, &str)]) {
    for (from, to) in all {
        if text.contains(from) {
            *text = text.replace(from, to);
        }
    }
}

/// Percent escapes resolved where they stand for printable ASCII.
fn unescaped(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte =
            part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii_graphic);
        if let Some(byte) = byte {
            text.push(char::from(byte));
            text.push_str(part.get(2..).unwrap_or_default());
        } else {
            text.push('%');
            text.push_str(part);
        }
    }
    text
}

fn latin(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let found = LOOKALIKES.iter().find(|(_, others)| others.contains(c));
    found.map_or(c, |(plain, _)| *plain)
}

const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
}

/// Whether one word mixes Latin letters with Greek or Cyrillic ones, or others that pass for them.
pub(super) fn mixes_scripts(text: &str) -> bool {
    // to take words apart costs much, and hardly any text has one
    !text.is_ascii() && may_mix(text) && has_mixed_word(text)
}

/// Whether bytes that such letters begin with stand beside Latin letters, and nothing in ASCII parts them that is no letter.
fn may_mix(text: &str) -> bool {
    let (mut latin, mut other) = (false, false);
    text.bytes().any(|byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => latin = true,
            0xC9 | 0xCD..=0xD6 | 0xE1 | 0xE2 | 0xEA | 0xEF | 0xF0 => other = true,
            0x80.. => {}
            _ => (latin, other) = (false, false),
        }
        latin && other
    })
}

fn has_mixed_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| {
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        latin && word.chars().any(|c| is_of_another_script(c) || is_styled(c) || matches!(c, 'ɑ' | 'ɡ'))
    })
}

/// Scripts with letters that pass for Latin ones: Greek, Cyrillic, Armenian, Cherokee.
const fn is_of_another_script(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{531}'..='\u{588}'
        | '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}')
}

/// Latin letters in another form: small capitals, letterlike symbols, in circles, full width, mathematical.
const fn is_styled(c: char) -> bool {
    matches!(c, '\u{1d00}'..='\u{1d2b}' | '\u{210a}'..='\u{2113}' | '\u{2115}' | '\u{2119}'..='\u{211d}'
        | '\u{2124}' | '\u{2128}' | '\u{212c}'..='\u{2134}' | '\u{2160}'..='\u{217f}' | '\u{249c}'..='\u{24e9}'
        | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}

/// The Latin name that a text passes for, if not one of its letters says that it is of another script.
pub(super) fn passes_for(text: &str) -> Option<String> {
    const LETTERS_MIN: usize = 4; // shorter words of such letters only are many
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) || text.is_ascii() {
        return None;
    }
    let lower = text.to_lowercase();
    let mut letters = 0;
    for c in lower.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        if !is_of_another_script(c) || latin(c) == c {
            return None;
        }
    }
    (letters >= LETTERS_MIN).then(|| lower.chars().map(latin).collect())
}

/// The first character that looks like a plain space, a plain letter or nothing, and is none.
pub(super) fn first_odd(text: &str) -> Option<char> {
    let is_odd = |c: char| {
        matches!(c, '\r' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}')
            || is_styled(c)
    };
    let may_be = |byte: u8| matches!(byte, b'\r' | 0xC2 | 0xE1 | 0xE2 | 0xEF | 0xF0);
    text.bytes().any(may_be).then(|| text.chars().find(|c| is_odd(*c)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_for_each_other_has_one_skeleton() {
        let name = "https://idp.example.org/idp";
        for other in [
            "https://idp.ex\u{430}mple.org/idp",
            "https://idp.exarnple.org/idp",
            "https://idp.examp1e.org/idp",
            "https://IDP.example.org/idp/",
            "http://idp.example.org:443/%69dp",
            "https://idp.exam\u{200b}ple.org/idp#",
            "https://idp.example\u{ff0e}org/idp ",
            "https://idp.exa\u{301}mple.org./idp",
        ] {
            assert_eq!(skeleton(name), skeleton(other), "{other}");
        }
        assert_ne!(skeleton(name), skeleton("https://idp2.example.org/idp"));
        assert_ne!(skeleton(name), skeleton("https://idp.example.net/idp"));
    }

    #[test]
    fn nothing_invisible_is_passed_over_unseen() {
        for c in (char::MIN..=char::MAX).filter(|c| is_invisible(*c)) {
            assert_eq!(first_invisible(&format!("aé{c}z")), Some(c), "{c:?}");
        }
        assert_eq!(first_invisible("plain \t\r\n é Ω Ж 東京 ‐ \u{10348}"), None);
    }

    #[test]
    fn words_of_two_scripts_are_seen_and_texts_of_two_scripts_are_not() {
        for mixed in [
            "University of \u{41e}xford",
            "\u{ff25}xample",
            "Ex\u{251}mple",
            "\u{1d404}xample",
            "Ex\u{13aa}mple",
            "\u{212f}xample",
        ] {
            assert!(mixes_scripts(mixed), "{mixed}");
        }
        for fine in
            ["Οικονομικό Πανεπιστήμιο IdP", "МГУ", "Łódź", "東京 University", "Université – Lyon", "Koŋkɔmba"]
        {
            assert!(!mixes_scripts(fine), "{fine}");
        }
    }
    #[test]
    fn no_mixed_word_is_passed_over() {
        let letters = ['a', 'Z', '1', ' ', 'é', 'α', 'я', 'Օ', '–', '\u{301}', '\u{345}'];
        let longer = |text: &String| letters.map(|c| format!("{text}{c}"));
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts.iter().flat_map(longer).collect();
            for text in &texts {
                assert_eq!(mixes_scripts(text), has_mixed_word(text), "{text}");
            }
        }
        assert!(texts.iter().any(|text| has_mixed_word(text)));
    }

    #[test]
    fn a_word_of_another_script_that_spells_a_latin_name_is_seen() {
        assert_eq!(passes_for("РауРаӏ").as_deref(), Some("paypai"));
        assert_eq!(passes_for("ОХО РАУ").as_deref(), Some("oxo pay"));
        for fine in ["PayPal", "МГУ", "Московский университет", "Αθήνα", "東京", "1234", "– –", "Ünï"]
        {
            assert_eq!(passes_for(fine), None, "{fine}");
        }
        for (odd, c) in [
            ("A\u{a0}B", '\u{a0}'),
            ("A\rB", '\r'),
            ("\u{ff21}\u{ff22}", '\u{ff21}'),
            ("\u{1d400}", '\u{1d400}'),
        ] {
            assert_eq!(first_odd(odd), Some(c));
        }
        assert_eq!(first_odd("Université – “Lyon”\u{3000}東京"), None);
    }
}
