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
const HEAD_DIGITS: usize = 40;

/// Whether text holds one, with the line before it or behind it.
pub(super) fn is_in(text: &str) -> bool {
    holds(text.as_bytes())
}

/// Whether a comment holds one: there are no two dashes in a row in it.
pub(super) fn is_in_comment(text: &str) -> bool {
    FINDER.find(text.as_bytes()).is_some() && text.contains("BEGIN")
}

/// The names of attributes that hold one.
pub(super) fn in_attributes(tag: StartTag<'_>) -> impl Iterator<Item = &str> {
    let raw = tag.raw().as_bytes();
    let may_hold = FIRST.find(raw).is_some() || memchr::memchr(b'&', raw).is_some();
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

/// Whether text is a private key in base64, without a line around it, or holds one as a JSON Web Key.
fn is_bare(text: &str) -> bool {
    let start = text.trim_ascii_start();
    let head = start.get(..HEAD_DIGITS).filter(|head| head.starts_with('M'));
    head.and_then(from_public_base64).is_some_and(|head| private::is_der(&head))
        || memchr::memchr(b'{', text.as_bytes()).is_some() && private::refuse_text(text).is_err()
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
}

impl Pieces {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.tail.clear();
    }

    /// Whether the pieces, up to this one, hold a private key; it is told once.
    pub(super) fn holds_with(&mut self, text: &str) -> bool {
        let (is_bare, text) = (is_bare(text), text.as_bytes());
        let head = text.get(..LINE_BYTES).unwrap_or(text);
        let goes_on = !self.tail.is_empty();
        self.tail.extend_from_slice(head);
        if goes_on && holds(&self.tail) || is_bare || holds(text) {
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
        for bad in [
            format!("\n  {body}\n"),
            pem.replace("PRIVATE KEY", "PRIVATE  KEY"),
            pem.replace("BEGIN PRIVATE", "BEGIN\nPRIVATE"),
            format!("see {jwk}."),
            "PuTTY-User-Key-File-3: x\nPrivate-Lines: 1\n".to_owned(),
        ] {
            assert!(Pieces::default().holds_with(&bad), "{bad}");
        }
        let public = jwk.replace(", \"d\": \"AA\"", "");
        for good in ["MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBHBqOBTFYFjdAySjYN8pNgebkKMa", "{", &public, "M"] {
            assert!(!Pieces::default().holds_with(good), "{good}");
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
