//! Bytes as people and formats write them: hex, base64, base64url, and digests.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use memchr::memchr;
use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit as _, UniversalHash as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::fault::{Class, Code, Fault};

/// A digest that is not written as `sha256:` and 64 hexadecimal digits.
pub const DIGEST: Code = Code::new("usage.digest", Class::Usage, "a digest is not written as sha256:HEX");

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    hex_into(&mut text, bytes);
    text.into_iter().map(char::from).collect()
}

/// Appends lower-case hexadecimal.
pub fn hex_into(text: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Reads hexadecimal of either case; nothing else, not even white space.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads canonical base64 with padding; `None` for anything else.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Reads what [`from_base64`] reads with white space anywhere, in time that depends on it: for public text, of which there
/// may be much.
pub fn from_public_base64(text: &str) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (line, below) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
        digits.extend_from_slice(line.trim_ascii());
        rest = below;
    }
    // white space within a line is rare, and no digit
    from_digits(&digits).or_else(|| {
        digits.retain(|digit| !digit.is_ascii_whitespace());
        from_digits(&digits)
    })
}

/// Reads digits of base64 in groups of four, the last one padded.
fn from_digits(digits: &[u8]) -> Option<Vec<u8>> {
    let padding = digits.iter().rev().take(2).take_while(|digit| **digit == b'=').count();
    let (groups, []) = digits.as_chunks::<4>() else { return None };
    let mut bytes = vec![0; groups.len() * 3];
    let mut seen = 0;
    let [first, second, third, fourth] = &SEXTETS;
    let value = |table: &[u32; 256], digit| table.get(usize::from(digit)).copied().unwrap_or(NO_SEXTET);
    let mut decode = |[a, b, c, d]: [u8; 4], three: &mut [u8; 3]| {
        let bits = value(first, a) | value(second, b) | value(third, c) | value(fourth, d);
        seen |= bits;
        [_, three[0], three[1], three[2]] = bits.to_be_bytes();
    };
    let (triples, _) = bytes.as_chunks_mut::<3>();
    if let (Some((last, groups)), Some((end, triples))) = (groups.split_last(), triples.split_last_mut()) {
        groups.iter().zip(triples).for_each(|(group, three)| decode(*group, three));
        let mut last = *last;
        last.iter_mut().rev().take(padding).for_each(|digit| *digit = b'A');
        decode(last, end);
    }
    let is_canonical = bytes.iter().rev().take(padding).all(|byte| *byte == 0);
    bytes.truncate(bytes.len() - padding);
    (seen < NO_SEXTET && is_canonical).then_some(bytes)
}

/// A bit that stands in the table for everything that is no digit, and in no group of digits.
const NO_SEXTET: u32 = 1 << 31;

/// The values of the digits of base64, each where it stands in a group of four.
static SEXTETS: [[u32; 256]; 4] = [sextets(18), sextets(12), sextets(6), sextets(0)];

const fn sextets(shift: u32) -> [u32; 256] {
    let mut table = [NO_SEXTET; 256];
    let mut digits: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while let [digit, rest @ ..] = digits {
        if let Some((place, _)) = table.split_at_mut(*digit as usize).1.split_first_mut() {
            *place = value << shift;
        }
        (digits, value) = (rest, value + 1);
    }
    table
}

/// Base64url without padding (RFC 4648, section 5; what JOSE uses).
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Reads canonical base64url without padding; `None` for anything else.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Reads base64 as careless readers do: of either alphabet, padded or not, with white space anywhere, and bits that are left
/// over dropped. For public text: what a strict reader refuses may still be what another one takes.
pub fn from_careless_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches(|c: char| c == '=' || c.is_ascii_whitespace()).bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ if digit.is_ascii_whitespace() => continue,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.extend((bits >> count).to_be_bytes().last());
        }
    }
    Some(bytes)
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes 32 bytes that are a digest already.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Digest {
    type Err = Fault;

    /// Reads `sha256:HEX`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let bytes = text.strip_prefix("sha256:").and_then(from_hex).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            DIGEST
                .fault(format!("'{text}' is not a digest"))
                .hint("a digest is written sha256: and 64 hexadecimal digits, as `fedroot review` prints it")
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

/// The digest of the list of these digests, as [`list_of`] writes it.
pub fn digest_of_list<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hash = Sha256::new();
    for digest in digests {
        hash.update(list_of(std::slice::from_ref(digest)));
    }
    Digest(hash.finalize().into())
}

/// Digests as a list that people and `sha256sum` read: 64 hexadecimal digits and a line feed each, in order.
pub fn list_of(digests: &[Digest]) -> String {
    digests
        .iter()
        .fold(String::with_capacity(digests.len() * 65), |list, digest| list + &hex(digest.as_bytes()) + "\n")
}

/// Hashes with SHA-384 (FIPS 180-4) what comes piece by piece; yields lower-case hexadecimal, as `sha384sum` writes it.
#[derive(Default)]
pub struct Sha384Sum(sha2::Sha384);

impl Sha384Sum {
    /// Takes the next piece in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// A stream whose bytes are hashed on their way through, in either direction.
pub struct Hashing<S> {
    inner: S,
    hash: Sha256,
    length: u64,
}

impl<S> Hashing<S> {
    /// Starts with an empty hash.
    pub fn new(inner: S) -> Self {
        Self { inner, hash: Sha256::new(), length: 0 }
    }

    /// The digest and the number of bytes that went through.
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.hash.finalize().into()), self.length)
    }

    fn count(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
    }
}

impl<S: std::io::Read> std::io::Read for Hashing<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<S: std::io::Write> std::io::Write for Hashing<S> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.count(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// A stream that gets a tag on its way through: two readings with one key have the same tag when they are the same bytes.
///
/// The tag is a one-time authenticator (Poly1305, RFC 8439, section 2.5). Whoever does not know the key changes `n` bytes
/// unseen with a chance of at most n/2^103; so the key is drawn for one pair of readings and told to nobody.
pub struct Tagging<S> {
    inner: S,
    tag: Poly1305,
    /// The beginning of a piece.
    begun: Vec<u8>,
}

const BLOCK: usize = 16;
/// What the tag takes at a time: four blocks at once cost half of what they cost one by one.
const PIECE: usize = 4 * BLOCK;

impl<S> Tagging<S> {
    /// Starts under this key.
    pub fn new(inner: S, key: &[u8; 32]) -> Self {
        Self { inner, tag: Poly1305::new(key.into()), begun: Vec::with_capacity(PIECE) }
    }

    /// The tag, and the stream.
    pub fn finish(self) -> ([u8; BLOCK], S) {
        (self.tag.compute_unpadded(&self.begun).into(), self.inner)
    }

    fn count(&mut self, mut bytes: &[u8]) {
        if !self.begun.is_empty() {
            let (head, rest) = bytes.split_at(bytes.len().min(PIECE - self.begun.len()));
            self.begun.extend_from_slice(head);
            if self.begun.len() < PIECE {
                return;
            }
            self.tag.update_padded(&self.begun);
            self.begun.clear();
            bytes = rest;
        }
        let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % PIECE);
        self.tag.update_padded(whole);
        self.begun.extend_from_slice(rest);
    }
}

impl<S: std::io::Read> std::io::Read for Tagging<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_refuses_the_rest() {
        assert_eq!(hex(&[0, 0x7f, 0xff]), "007fff");
        assert_eq!(from_hex("007FfF"), Some(vec![0, 0x7f, 0xff]));
        for wrong in ["0", "0g", " 00", "00 ", "+1"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn careless_base64_is_what_any_reader_takes() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", &[0xfb, 0xff, 0xfe, 0x3e], &[0; 48]] {
            let (padded, url) = (base64(bytes), base64url(bytes));
            let broken = padded.chars().flat_map(|c| [c, '\n']).collect::<String>();
            for text in [&padded, &url, &format!("{url}="), &format!(" {padded} "), &broken] {
                assert_eq!(from_careless_base64(text).as_deref(), Some(bytes), "{text}");
            }
        }
        assert_eq!(from_careless_base64("YR"), Some(b"a".to_vec()), "bits left over");
        for wrong in ["YQ=A", "Y.Q", "{}", "ä"] {
            assert_eq!(from_careless_base64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn digests_are_read_only_as_they_are_written() {
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for wrong in
            ["", "sha256:", "sha256:00", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
        {
            assert_eq!(wrong.parse::<Digest>().unwrap_err().code(), &DIGEST, "{wrong}");
        }
    }

    #[test]
    fn a_list_is_hexadecimal_lines() {
        assert_eq!(list_of(&[]), "");
        let list = list_of(&[Digest::from_bytes([1; 32]), Digest::from_bytes([0xab; 32])]);
        assert_eq!(list, format!("{}\n{}\n", "01".repeat(32), "ab".repeat(32)));
    }

    #[test]
    fn tags_depend_on_the_bytes_and_not_on_how_they_are_read() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let tag = |bytes: &[u8], piece: usize| {
            let mut tagging = Tagging::new(bytes, &[7; 32]);
            while std::io::Read::read(&mut tagging, &mut vec![0; piece]).unwrap() > 0 {}
            tagging.finish().0
        };
        for piece in [1, 3, 15, 16, 17, 33, 63, 64, 65, 100, 999, 4096] {
            assert_eq!(tag(&bytes, piece), tag(&bytes, 1000), "{piece}");
        }
        for at in [0, 15, 16, 500, 999] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(tag(&other, 64), tag(&bytes, 64), "{at}");
        }
        assert_ne!(tag(&bytes[..999], 64), tag(&bytes, 64));
        assert_ne!(tag(&[&bytes[..], &[0]].concat(), 64), tag(&bytes, 64));
    }

    #[test]
    fn base64_is_canonical() {
        assert_eq!(base64(b"fedroot"), "ZmVkcm9vdA==");
        assert_eq!(from_base64("ZmVkcm9vdA==").as_deref(), Some(&b"fedroot"[..]));
        for wrong in ["ZmVkcm9vdA", "ZmVkcm9vdB==", "ZmVk cm9vdA==", "ZmVkcm9vdA==\n"] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
        for text in ["", "ZmVk cm9v\n dA==", "\tZmVkcm9v\r\ndA = =\x0c"] {
            let dense: String = text.split_ascii_whitespace().collect();
            assert!(from_base64(&dense).is_some(), "{text}");
            assert_eq!(from_public_base64(text), from_base64(&dense), "{text}");
        }
        for wrong in
            ["ZmVkcm9vdA", "ZmVkcm9vdB==", "ZmVkcm9=", "Z===", "====", "=", "Zm=k", "Zm-_", "Zmé", "\u{a0}"]
        {
            assert_eq!(from_base64(wrong), None, "{wrong}");
            assert_eq!(from_public_base64(wrong), None, "{wrong}");
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for length in 0..200 {
            let text = base64(&bytes[length..5 * length]);
            assert_eq!(from_public_base64(&text).as_deref(), Some(&bytes[length..5 * length]));
        }
        assert_eq!(from_base64url("_-8").as_deref(), Some(&[0xff, 0xef][..]));
        for wrong in ["_-8=", "_-9", "/+8", "_-8\n", " _-8", "_", "_-8.", "_\u{2d}\u{fe00}8"] {
            assert_eq!(from_base64url(wrong), None, "{wrong}");
        }
    }
}
