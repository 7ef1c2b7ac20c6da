//! Checkpoints as signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature): read strictly, written one way.

use sha2::{Digest as _, Sha256};

use crate::base::bytes::{Digest, base64, from_base64};
use crate::base::clock::Instant;
use crate::base::fault::Fault;

use super::entry::{array, is_origin};
use super::tree::Hash;
use super::{FORK, NOTE, seal};

/// Larger notes are refused unread.
pub const NOTE_BYTES_MAX: u64 = 64 * 1024;
/// C2SP signed-note: at least 16 must be accepted.
const SIGNATURES_MAX: usize = 64;
const ED25519: u8 = 0x01;
const COSIGNATURE: u8 = 0x04;

/// What a ledger was at one size: what a checkpoint states.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The name of the ledger.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of the Merkle tree over them (RFC 6962, section 2.1).
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64(&self.root))
    }

    /// The digest of the text, which people can read to each other as words.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// The name of the key that signs it: of the seal of the entry after it.
    pub(super) fn key_name(&self) -> String {
        format!("{}/seal/{}", self.origin, self.size)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let canonical = size.parse::<u64>().ok().filter(|read| read.to_string() == size)?;
        let found = Self { origin: origin.to_owned(), size: canonical, root: array(root)? };
        // Extension lines are not recommended, and ours have none.
        (lines.next().is_none() && is_origin(origin)).then_some(found)
    }
}

/// A line below a note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Signature {
    pub(super) name: String,
    /// The key's identifier and the signature.
    pub(super) bytes: Vec<u8>,
}

/// A checkpoint with the signatures below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// What is signed.
    pub checkpoint: Checkpoint,
    pub(super) signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note, and nothing but a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        Self::read(bytes).ok_or_else(|| {
            NOTE.fault(
                "it is not a checkpoint: origin, size, root, an empty line and signatures were expected",
            )
            .hint("`fedroot ledger checkpoint` writes one; give the file as it came")
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok().filter(|_| bytes.len() as u64 <= NOTE_BYTES_MAX)?;
        let end = text.rfind("\n\n")? + 1;
        let (body, below) = (text.get(..end)?, text.get(end + 1..)?);
        let checkpoint = Checkpoint::parse(body)?;
        let lines = below.strip_suffix('\n')?.split('\n');
        let signatures: Vec<_> = lines.map(Signature::parse).collect::<Option<_>>()?;
        (signatures.len() <= SIGNATURES_MAX).then_some(Self { checkpoint, signatures })
    }

    /// The note as it is written.
    pub fn text(&self) -> String {
        let below: String = self.signatures.iter().map(Signature::text).collect();
        format!("{}\n{below}", self.checkpoint.text())
    }

    /// A note signed with a seal key.
    pub(super) fn sealed(checkpoint: Checkpoint, seed: &seal::Seed) -> Self {
        let name = checkpoint.key_name();
        let signature = seed.sign_whole(checkpoint.text().as_bytes());
        let bytes = [&key_id(&name, ED25519, &seed.public())[..], &signature].concat();
        Self { checkpoint, signatures: vec![Signature { name, bytes }] }
    }

    /// Refuses a note that this seal key did not sign.
    pub(super) fn check_seal(&self, key: &[u8; 32]) -> Result<(), Fault> {
        let vkey = VerifierKey { name: self.checkpoint.key_name(), kind: ED25519, key: *key };
        vkey.check(self).map(|_| ())
    }

    /// This note with the signatures of another one of the same checkpoint.
    pub fn joined(mut self, other: &Self) -> Result<Self, Fault> {
        if self.checkpoint != other.checkpoint {
            return Err(FORK.fault(format!(
                "two different checkpoints of {} entries are to be joined",
                self.checkpoint.size
            )));
        }
        for signature in &other.signatures {
            if !self.signatures.contains(signature) {
                self.signatures.push(signature.clone());
            }
        }
        Ok(self)
    }

    /// Who signed it, as they call themselves.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.name.as_str())
    }
}

impl Signature {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, text) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let is_name = |c: char| c != '+' && !c.is_whitespace() && !c.is_control();
        let bytes = from_base64(text).filter(|bytes| bytes.len() > 4)?;
        (!name.is_empty() && name.chars().all(is_name)).then(|| Self { name: name.to_owned(), bytes })
    }

    pub(super) fn text(&self) -> String {
        format!("\u{2014} {} {}\n", self.name, base64(&self.bytes))
    }
}

fn key_id(name: &str, kind: u8, key: &[u8]) -> [u8; 4] {
    let hash: Hash =
        Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key).finalize().into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// A key to trust: a log's, or a witness's (C2SP signed-note, "Verifier keys").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    name: String,
    kind: u8,
    key: [u8; 32],
}

impl VerifierKey {
    /// Reads `NAME+ID+KEY`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let read = || {
            let (name, rest) = text.split_once('+')?;
            let (id, key) = rest.split_once('+')?;
            let key = from_base64(key)?;
            let (&kind, key) = key.split_first().filter(|(kind, _)| [ED25519, COSIGNATURE].contains(kind))?;
            let found = Self { name: name.to_owned(), kind, key: key.try_into().ok()? };
            (found.to_string() == text && id.len() == 8).then_some(found)
        };
        read().ok_or_else(|| {
            NOTE.fault(format!("'{text}' is not the key of a log or witness"))
                .hint("it is written NAME+ID+KEY, as `fedroot ledger witness sign` prints it")
        })
    }

    /// The key of a witness.
    pub(super) fn witness(name: &str, key: [u8; 32]) -> Self {
        Self { name: name.to_owned(), kind: COSIGNATURE, key }
    }

    /// Who it belongs to.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, &self.key)
    }

    /// Refuses a note that this key did not sign. For a witness, the time that it states.
    pub fn check(&self, note: &Note) -> Result<Option<Instant>, Fault> {
        let ours =
            note.signatures.iter().filter(|it| it.name == self.name && it.bytes.starts_with(&self.id()));
        let (mut found, mut time) = (false, None);
        for signature in ours {
            let rest = signature.bytes.get(4..).unwrap_or_default();
            time = self.verify(&note.checkpoint, rest).map_err(|()| {
                NOTE.fault(format!("the signature of {} below the checkpoint is wrong", self.name))
                    .hint("the checkpoint was changed, or belongs to another ledger: do not trust it")
            })?;
            found = true;
        }
        if found {
            return Ok(time);
        }
        Err(NOTE
            .fault(format!("the checkpoint is not signed by {}", self.name))
            .hint("give the key, or the ledger, that belongs to it"))
    }

    /// The time that a good signature states, where it states one.
    fn verify(&self, checkpoint: &Checkpoint, signature: &[u8]) -> Result<Option<Instant>, ()> {
        let is_good = |text: &str, signature: &[u8]| {
            signature.try_into().is_ok_and(|signature| seal::is_good(&self.key, text.as_bytes(), signature))
        };
        let text = checkpoint.text();
        if self.kind == ED25519 {
            return if is_good(&text, signature) { Ok(None) } else { Err(()) };
        }
        let (time, signature) = signature.split_first_chunk::<8>().ok_or(())?;
        let time = i64::try_from(u64::from_be_bytes(*time)).map_err(|_| ())?;
        let instant = Instant::from_unix(time).map_err(|_| ())?;
        if is_good(&cosigned(time, &text), signature) { Ok(Some(instant)) } else { Err(()) }
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = crate::base::bytes::hex(&self.id());
        write!(f, "{}+{id}+{}", self.name, base64(&[&[self.kind][..], &self.key].concat()))
    }
}

fn cosigned(time: i64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The signature of a witness (C2SP tlog-cosignature, Ed25519).
pub(super) fn cosign(checkpoint: &Checkpoint, name: &str, seed: &seal::Seed, now: Instant) -> Signature {
    let key = VerifierKey::witness(name, seed.public());
    let time = now.unix().max(0);
    let signature = seed.sign_whole(cosigned(time, &checkpoint.text()).as_bytes());
    let bytes = [&key.id()[..], &time.to_be_bytes(), &signature].concat();
    Signature { name: name.to_owned(), bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::seal::Seed;

    fn note() -> Note {
        let checkpoint = Checkpoint { origin: "fed.example.org/ledger".into(), size: 42, root: [7; 32] };
        Note::sealed(checkpoint, &Seed::new([1; 32]))
    }

    fn key() -> [u8; 32] {
        Seed::new([1; 32]).public()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let note = note();
        assert_eq!(Note::parse(note.text().as_bytes()).unwrap(), note);
        assert!(note.text().starts_with("fed.example.org/ledger\n42\nBwcHBw"), "{}", note.text());
        assert!(note.text().contains("\n\n\u{2014} fed.example.org/ledger/seal/42 "));
        note.check_seal(&key()).unwrap();
    }

    #[test]
    fn the_published_example_of_a_key_is_read() {
        // golang.org/x/mod/sumdb/note, example of the package's documentation.
        let key =
            VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        assert_eq!((key.name(), key.kind), ("PeterNeumann", ED25519));
        for wrong in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
        ] {
            assert_eq!(VerifierKey::parse(wrong).unwrap_err().code(), &NOTE, "{wrong}");
        }
    }

    #[test]
    fn only_the_right_key_and_text_pass() {
        let good = note();
        good.check_seal(&Seed::new([2; 32]).public()).unwrap_err();
        let mut other = good.clone();
        other.checkpoint.size = 43;
        other.check_seal(&key()).unwrap_err();
        for byte in 4..good.signatures[0].bytes.len() {
            let mut bad = good.clone();
            bad.signatures[0].bytes[byte] ^= 1;
            assert_eq!(bad.check_seal(&key()).unwrap_err().code(), &NOTE);
        }
    }

    #[test]
    fn witnesses_state_a_time() {
        let (mut note, seed) = (note(), Seed::new([3; 32]));
        let now = Instant::from_unix(1_795_324_020).unwrap();
        let key = VerifierKey::witness("witness.example/w1", seed.public());
        key.check(&note).unwrap_err();
        note.signatures.push(cosign(&note.checkpoint, "witness.example/w1", &seed, now));
        assert_eq!(key.check(&note).unwrap(), Some(now));
        assert_eq!(VerifierKey::parse(&key.to_string()).unwrap(), key);
        note.signatures[1].bytes[8] ^= 1;
        key.check(&note).unwrap_err();
    }

    #[test]
    fn anything_else_is_refused() {
        let text = note().text();
        for (old, new) in [
            ("42", "042"),
            ("42", "+42"),
            ("42", ""),
            ("42", "4 2"),
            ("\n\n", "\n"),
            ("\n\n", "\n\n\n"),
            ("\u{2014} ", "- "),
            ("fed.example.org/ledger\n", "\n"),
            ("fed.example", "fed example"),
            ("BwcH", "Bwc"),
            ("=\n\n", "=\nextension\n\n"),
            ("/seal/42 ", "/seal+42 "),
            ("/seal/42 ", "/seal/42  "),
        ] {
            let bad = text.replacen(old, new, 1);
            assert_ne!(bad, text, "{old:?}");
            assert_eq!(Note::parse(bad.as_bytes()).unwrap_err().code(), &NOTE, "{old:?} → {new:?}");
        }
        for length in 0..text.len() {
            assert!(Note::parse(&text.as_bytes()[..length]).is_err(), "{length}");
        }
        assert!(Note::parse(&[text.as_bytes(), b"\n"].concat()).is_err());
    }
}
