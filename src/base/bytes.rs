//! Bytes as people and formats write them: hex, base64, base64url, and digests.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::fault::{Class, Code, Fault};

/// A digest that is not written as `sha256:` and 64 hexadecimal digits.
pub const DIGEST: Code = Code::new("usage.digest", Class::Usage, "a digest is not written as sha256:HEX");

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    })
}

/// Reads hexadecimal of either case; nothing else, not even white space.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads canonical base64 with padding; `None` for anything else.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Base64url without padding (RFC 4648, section 5; what JOSE uses).
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Reads canonical base64url without padding; `None` for anything else.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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
    fn base64_is_canonical() {
        assert_eq!(base64(b"fedroot"), "ZmVkcm9vdA==");
        assert_eq!(from_base64("ZmVkcm9vdA==").as_deref(), Some(&b"fedroot"[..]));
        for wrong in ["ZmVkcm9vdA", "ZmVkcm9vdB==", "ZmVk cm9vdA==", "ZmVkcm9vdA==\n"] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
        assert_eq!(from_base64url("_-8").as_deref(), Some(&[0xff, 0xef][..]));
        for wrong in ["_-8=", "_-9", "/+8", "_-8\n", " _-8", "_", "_-8.", "_\u{2d}\u{fe00}8"] {
            assert_eq!(from_base64url(wrong), None, "{wrong}");
        }
    }
}
