//! Private keys in metadata: in whatever form somebody pasted one.

use std::sync::LazyLock;

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use memchr::memmem::Finder;

use crate::base::bytes::from_public_base64;
use crate::base::text::is_armoured;
use crate::format::private;
use crate::format::xml::StartTag;

/// What only the lines around a private key say: in PEM, and in the armour of OpenPGP (RFC 9580, section 6.2).
const WORDS: &str = "PRIVATE KEY";
const ENDS: [&str; 2] = ["-----", " BLOCK-----"];
/// The longest of them.
const LINE_BYTES: usize = WORDS.len() + " BLOCK-----".len();

/// What stands in every tag with such words, unless references hide it.
static FIRST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PRIVATE"));
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(WORDS));
/// What only a key in the format of PuTTY has.
static PUTTY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("Private-Lines:"));
/// What only the private half of an RSA key has, where .NET wrote it as XML and somebody pasted that as text.
static DOTNET: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("<InverseQ>"));
/// So many digits of base64 tell what they begin with.
const HEAD_DIGITS: usize = 24;
/// Shorter texts hold none: the shortest begins `{"kty":"oct"`.
const KEY_BYTES_MIN: usize = 12;
/// So much of a text is looked at in one piece, and so much of it once more with what follows: no key is longer.
const WHOLE_BYTES_MAX: usize = 128 * 1024;
const KEY_BYTES_MAX: usize = 16 * 1024;

/// Whether text holds one, with the line before it or behind it or without any.
pub(super) fn is_in(text: &str) -> bool {
    holds(text.as_bytes()) || is_bare(text)
}

/// Whether a comment holds one: there are no two dashes in a row in it.
pub(super) fn is_in_comment(text: &str) -> bool {
    FINDER.find(text.as_bytes()).is_some() && text.contains("BEGIN") || is_bare(text)
}

/// The names of attributes that hold one.
pub(super) fn in_attributes(tag: StartTag<'_>) -> impl Iterator<Item = &str> {
    let raw = tag.raw().as_bytes();
    let may_hold = FIRST.find(raw).is_some() || memchr::memchr2(b'&', b'{', raw).is_some() || is_encoded(raw);
    let held = tag.said().filter(move |(_, _, value)| may_hold && is_in(value));
    held.map(|(_, name, _)| name)
}

fn holds(text: &[u8]) -> bool {
    let behind = |at: usize| text.get(at + WORDS.len()..).unwrap_or_default();
    FINDER.find_iter(text).any(|at| ENDS.iter().any(|end| behind(at).starts_with(end.as_bytes())))
        || FIRST.find(text).is_some() && is_armoured(text)
        || PUTTY.find(text).is_some()
        || DOTNET.find(text).is_some()
}

/// Whether text holds one without a line around it: in base64, or as a JSON Web Key.
fn is_bare(text: &str) -> bool {
    is_encoded(text.as_bytes())
        || memchr::memchr(b'{', text.as_bytes()).is_some() && private::refuse_text(text).is_err()
}

/// Whether the base64 of one begins at any word of a text, whatever stands before it.
fn is_encoded(text: &[u8]) -> bool {
    let words = memchr::memchr_iter(b'M', text).filter_map(|at| {
        let (before, from) = text.split_at_checked(at)?;
        before.last().is_none_or(|last| !last.is_ascii_alphanumeric()).then_some(from)
    });
    words.into_iter().any(|from| {
        let digits = from.iter().filter(|byte| !byte.is_ascii_whitespace()).take(HEAD_DIGITS);
        let head: String = digits.copied().map(char::from).collect();
        from_public_base64(&head).is_some_and(|head| private::is_der(&head))
    })
}

/// Whether base64 is one, without any line around it. Its shape tells: nothing of it is read.
pub(super) fn is(text: &str) -> bool {
    from_public_base64(text).and_then(|der| tags(&der)).is_some_and(|tags| {
        use Tag::{Integer, OctetString, Sequence};
        match tags.as_slice() {
            // PKCS#8 and its encrypted form (RFC 5958, sections 2 and 3), SEC 1 (RFC 5915)
            [Integer, Sequence, OctetString, ..] | [Sequence, OctetString] | [Integer, OctetString, ..] => {
                true
            }
            // PKCS#1 (RFC 8017, appendix A.1.2): the public half has two
            numbers => numbers.len() >= 9 && numbers.iter().take(9).all(|tag| *tag == Integer),
        }
    })
}

/// The tags of what a sequence in DER consists of.
fn tags(der: &[u8]) -> Option<Vec<Tag>> {
    let mut inner = SliceReader::new(AnyRef::from_der(der).ok()?.value()).ok()?;
    let mut tags = Vec::new();
    while !inner.is_finished() && tags.len() < 16 {
        tags.push(AnyRef::decode(&mut inner).ok()?.tag());
    }
    Some(tags)
}

/// The elements in which a public key is written number by number, whatever their namespace: XML Signature, XKMS, .NET.
const PAIRS: [&str; 2] = ["RSAKeyValue", "RSAKeyPair"];
const VALUE: &str = "KeyValue";
/// The numbers that only the private half of an RSA key has; a public DSA key has the first two, too.
const PRIMES: [&str; 2] = ["P", "Q"];
const EXPONENTS: [&str; 4] = ["D", "DP", "DQ", "InverseQ"];

/// Looks for such numbers.
#[derive(Default)]
pub(super) struct Numbers {
    /// How deep the key is that is open, and whether it is one of RSA.
    open: Option<(usize, bool)>,
}

impl Numbers {
    /// Takes a start tag in. Yields whether a number of a private key begins; of each key it is told once.
    pub(super) fn start(&mut self, tag: StartTag<'_>) -> bool {
        let local = tag.local();
        let is_pair = PAIRS.contains(&local);
        if is_pair || local == VALUE && self.open.is_none() {
            let depth = self.open.map_or(tag.depth(), |(depth, _)| depth);
            self.open = Some((depth, is_pair));
            return false;
        }
        let is_private =
            |(_, is_rsa): &mut _| EXPONENTS.contains(&local) || *is_rsa && PRIMES.contains(&local);
        self.open.take_if(is_private).is_some()
    }

    /// Takes the end of an element at a depth in.
    pub(super) fn end(&mut self, depth: usize) {
        self.open.take_if(|(open, _)| *open == depth);
    }
}

/// Looks at a text that comes in pieces.
#[derive(Default)]
pub(super) struct Pieces {
    /// The end of those before.
    tail: Vec<u8>,
    /// The text of the element so far; of a long one, its end.
    whole: String,
    /// Whether what stood there before holds a private key without a line around it.
    is_bare: bool,
}

impl Pieces {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.tail.clear();
    }

    /// Whether the text that ends here holds a private key without a line around it. References cut it into pieces, so only
    /// all of it tells.
    pub(super) fn end(&mut self) -> bool {
        if self.whole.len() < KEY_BYTES_MIN {
            self.whole.clear();
            return false; // as between most elements
        }
        let is_bare = std::mem::take(&mut self.is_bare) || is_bare(&self.whole);
        self.whole.clear();
        is_bare
    }

    /// Takes a piece in that is nothing but blanks.
    pub(super) fn blank(&mut self, blanks: &str) {
        self.clear(); // no line of a key has two in a row
        if !self.whole.is_empty() {
            self.join(blanks);
        }
    }

    fn join(&mut self, text: &str) {
        if self.whole.len() + text.len() > WHOLE_BYTES_MAX {
            self.is_bare |= is_bare(&self.whole);
            let end = self.whole.len();
            let kept = (end.saturating_sub(KEY_BYTES_MAX)..end).find(|at| self.whole.is_char_boundary(*at));
            self.whole.drain(..kept.unwrap_or(end));
        }
        self.whole.push_str(text);
    }

    /// Whether the pieces, up to this one, hold a private key with a line around it; it is told once.
    pub(super) fn holds_with(&mut self, text: &str) -> bool {
        self.join(text);
        let text = text.as_bytes();
        let head = text.get(..LINE_BYTES).unwrap_or(text);
        let goes_on = !self.tail.is_empty();
        self.tail.extend_from_slice(head);
        if goes_on && holds(&self.tail) || holds(text) {
            self.tail.clear();
            return true;
        }
        if text.len() > head.len() {
            self.tail.clear();
            self.tail.extend_from_slice(text.get(text.len() - LINE_BYTES + 1..).unwrap_or_default());
        }
        let surplus = self.tail.len().saturating_sub(LINE_BYTES - 1);
        self.tail.drain(..surplus);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_line_around_it_is_told_by_its_shape() {
        let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        assert!(is(&body(include_str!("../../../tests/keys/p384.pem"))));
        assert!(is(&body(include_str!("../../../tests/keys/rsa4096.pem"))));
        // PKCS#1 with small numbers, SEC 1, an encrypted PKCS#8; the public half in PKCS#1, and a SubjectPublicKeyInfo
        for (der, is_one) in [
            ("MBsCAQACAQMCAQMCAQMCAQMCAQMCAQMCAQMCAQM=", true),
            ("MAYCAQEEAQU=", true),
            ("MAgwAwYBKgQBBQ==", true),
            ("MAYCAQMCAQM=", false),
            ("MAkwAwYBKgMCAAU=", false),
            ("", false),
            ("AAAA", false),
        ] {
            assert_eq!(is(der), is_one, "{der}");
        }
    }

    #[test]
    fn a_key_is_found_however_carelessly_it_was_pasted() {
        let pem = include_str!("../../../tests/keys/p384.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let jwk = r#"{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}"#;
        let folded = body.as_bytes().chunks(16).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>();
        for bad in [
            format!("\n  {body}\n"),
            format!("key: {body}"),
            format!("data:application/pkcs8;base64,{body}"),
            format!("the key\r\n{}", folded.join("\r\n  ")),
            pem.replace("PRIVATE KEY", "PRIVATE  KEY"),
            pem.replace("BEGIN PRIVATE", "BEGIN\nPRIVATE"),
            format!("see {jwk}."),
            "PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\n".to_owned(),
        ] {
            assert!(holds(&[&bad]), "{bad}");
            // a reference is a piece of its own
            let singly: Vec<&str> = bad.split_inclusive(|_| true).collect();
            assert!(holds(&singly), "{bad}");
        }
        let public = jwk.replace(", \"d\": \"AA\"", "");
        for good in ["MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBHBqOBTFYFjdAySjYN8pNgebkKMa", "{", &public, "M"] {
            assert!(!holds(&[good]), "{good}");
        }
    }

    /// Whether a text in these pieces does.
    fn holds(text: &[&str]) -> bool {
        let mut pieces = Pieces::default();
        let mut is_armoured = false;
        for piece in text {
            if piece.len() > 1 && piece.trim_ascii().is_empty() {
                pieces.blank(piece);
            } else {
                is_armoured |= pieces.holds_with(piece);
            }
        }
        pieces.end() || is_armoured
    }

    #[test]
    fn a_key_is_found_wherever_it_stands_in_a_long_text() {
        let key = r#"{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA"}"#;
        for before in [32_760, WHOLE_BYTES_MAX / 2 - 10, WHOLE_BYTES_MAX / 2, 150_000] {
            let text = format!("{}{key}{}", "ä".repeat(before), "ä".repeat(100_000));
            let text: Vec<char> = text.chars().collect();
            let windows: Vec<String> = text.chunks(32_768).map(String::from_iter).collect();
            let windows: Vec<&str> = windows.iter().map(String::as_str).collect();
            assert!(holds(&windows), "{before}");
            let mut pieces = Pieces::default();
            for window in windows {
                pieces.holds_with(&window.replace('d', "D"));
                assert!(pieces.whole.len() <= WHOLE_BYTES_MAX);
            }
            assert!(!pieces.end(), "{before}");
        }
    }

    #[test]
    fn a_key_is_found_wherever_its_pieces_are_cut() {
        for key in ["-----BEGIN RSA PRIVATE KEY-----", "-----END PGP PRIVATE KEY BLOCK-----"] {
            let text = format!("some text before it {key} and behind");
            for first in 1..text.len() {
                for second in [first, (first + 3).min(text.len())] {
                    let mut pieces = Pieces::default();
                    let cut = [&text[..first], &text[first..second], &text[second..]];
                    assert_eq!(cut.iter().filter(|piece| pieces.holds_with(piece)).count(), 1, "{cut:?}");
                }
            }
        }
        let mut pieces = Pieces::default();
        for prose in ["never send us your PRIVATE KEY", ", nor a PRIVATE KEY BLOCK", "", "- ", "PRIVATE"] {
            assert!(!pieces.holds_with(prose), "{prose}");
        }
    }
}
