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
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
        || c.is_control()
}

/// The first such character.
pub(super) fn first_invisible(text: &str) -> Option<char> {
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
        | (byte == 0xEF)
        | (byte == 0xF3)
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

/// Whether one word mixes Latin letters with Greek or Cyrillic ones.
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
            0xCD..=0xD6 => other = true,
            0x80.. => {}
            _ => (latin, other) = (false, false),
        }
        latin && other
    })
}

fn has_mixed_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| {
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        let other = word
            .chars()
            .any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{531}'..='\u{588}'));
        latin && other
    })
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
        assert!(mixes_scripts("University of \u{41e}xford"));
        for fine in ["Οικονομικό Πανεπιστήμιο IdP", "МГУ", "Łódź", "東京 University"]
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
}
