//! The confidential part: one random key per session, wrapped once with age to the auditors; under it, one key per line.
//!
//! Who appends holds the session's key in memory only, and cannot read what earlier sessions wrote.

use std::io::{Read, Write};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::base::bytes::{equal, from_base64};
use crate::base::fault::Fault;
use crate::base::recipient::Identities;
use crate::base::secret::Secret;

use super::entry::{Line, array};
use super::seal::derive;
use super::tree::Hash;
use super::{AUDITOR, Auditor, TOO_LARGE};
const RECORD: &[u8] = b"fedroot-ledger/v1 record";
/// Plaintexts are filled up to a multiple of this, so that their length says little.
const BLOCK: usize = 256;
/// More would crowd the line that carries the session key.
const AUDITORS_MAX: usize = 16;

/// The digest of a list of auditors, whatever its order.
pub(super) fn digest(auditors: &[Auditor]) -> Hash {
    let mut names: Vec<String> = auditors.iter().map(|auditor| format!("{auditor}\n")).collect();
    names.sort();
    names.dedup();
    Sha256::digest(names.concat()).into()
}

/// A session: from opening the ledger to closing it.
pub(super) struct Session {
    key: Secret<[u8; 32]>,
    envelope: Vec<u8>,
    /// The digest of the list of auditors.
    pub(super) auditors: Hash,
    /// The index of its first line, once that is written.
    pub(super) first: Option<u64>,
}

impl Session {
    /// Begins with a random key that only these auditors can get back.
    pub(super) fn begin(key: [u8; 32], auditors: &[Auditor]) -> Result<Self, Fault> {
        if !(1..=AUDITORS_MAX).contains(&auditors.len()) {
            return Err(AUDITOR
                .fault(format!("{} auditors were named", auditors.len()))
                .hint(format!("name at least one and at most {AUDITORS_MAX}")));
        }
        let key = Secret::new(key);
        let envelope = wrap(key.expose(), auditors)?;
        Ok(Self { key, envelope, auditors: digest(auditors), first: None })
    }

    /// What the first line of the session carries, and no other.
    pub(super) fn envelope(&self) -> Option<&[u8]> {
        self.first.is_none().then_some(&self.envelope)
    }

    /// Encrypts a body for the line with this public part.
    pub(super) fn encrypt(&self, salt: &[u8; 16], public: &[u8], body: &Value) -> Result<Sealed, Fault> {
        let mut plaintext = Zeroizing::new(body.to_string().into_bytes());
        let padding = plaintext.len().next_multiple_of(BLOCK).max(BLOCK) - plaintext.len();
        plaintext.extend(std::iter::repeat_n(b' ', padding));
        let keys = RecordKeys::derive(&self.key, salt);
        let ciphertext =
            keys.cipher().encrypt(&[0; 12].into(), Payload { msg: &plaintext, aad: public }).map_err(
                |_| TOO_LARGE.fault(format!("an entry of {} bytes cannot be encrypted", plaintext.len())),
            )?;
        let opening = Opening { blind: keys.blind, plaintext };
        Ok(Sealed { commitment: opening.commitment(), ciphertext, opening })
    }
}

/// A body, encrypted, and the commitment to it.
pub(super) struct Sealed {
    pub(super) commitment: [u8; 32],
    pub(super) ciphertext: Vec<u8>,
    pub(super) opening: Opening,
}

/// What opens one entry to somebody else, and no other entry.
pub(super) struct Opening {
    pub(super) blind: [u8; 32],
    pub(super) plaintext: Zeroizing<Vec<u8>>,
}

impl Opening {
    /// ChaCha20-Poly1305 does not commit to its key; this does, and opens one line without opening another.
    pub(super) fn commitment(&self) -> [u8; 32] {
        // HMAC fills a key up to a block with zeros itself (RFC 2104, section 2).
        let block =
            Zeroizing::new(std::array::from_fn::<u8, 64, _>(|i| self.blind.get(i).copied().unwrap_or(0)));
        <Hmac<Sha256> as KeyInit>::new((&*block).into())
            .chain_update(self.plaintext.as_slice())
            .finalize()
            .into_bytes()
            .into()
    }

    /// The body, when this opens exactly this line.
    pub(super) fn body(&self, line: &Line<'_>) -> Option<Value> {
        let is_it = equal(&self.commitment(), &array::<32>(line.commitment)?);
        if is_it { serde_json::from_slice(&self.plaintext).ok() } else { None }
    }
}

/// A secret for these auditors: a binary age file.
pub(super) fn wrap(secret: &[u8], auditors: &[Auditor]) -> Result<Vec<u8>, Fault> {
    let wrap = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let recipients = auditors.iter().map(Auditor::as_age);
        let mut envelope = Vec::new();
        let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut envelope)?;
        writer.write_all(secret)?;
        writer.finish()?;
        Ok(envelope)
    };
    wrap().map_err(|why| AUDITOR.fault(format!("a key cannot be wrapped for the auditors: {why}")))
}

/// The session key from an envelope; `None` when none of the identities opens it.
pub(super) fn unwrap(envelope: &str, identities: &Identities) -> Option<Secret<[u8; 32]>> {
    let envelope = from_base64(envelope)?;
    let decryptor = age::Decryptor::new_buffered(envelope.as_slice()).ok()?;
    let reader = decryptor.decrypt(identities.iter()).ok()?;
    let mut key = Zeroizing::new(Vec::with_capacity(33));
    reader.take(33).read_to_end(&mut key).ok()?;
    key.as_slice().try_into().map(Secret::new).ok()
}

/// Opens the body of a line; `None` when key, public part, ciphertext and commitment do not belong together.
pub(super) fn decrypt(key: &Secret<[u8; 32]>, line: &Line<'_>) -> Option<Value> {
    open(key, line)?.body(line)
}

/// What opens a line; the commitment is for the caller to check.
pub(super) fn open(key: &Secret<[u8; 32]>, line: &Line<'_>) -> Option<Opening> {
    let keys = RecordKeys::derive(key, &array(line.salt)?);
    let ciphertext = from_base64(line.ciphertext)?;
    let payload = Payload { msg: &ciphertext, aad: line.public };
    let plaintext = Zeroizing::new(keys.cipher().decrypt(&[0; 12].into(), payload).ok()?);
    Some(Opening { blind: keys.blind, plaintext })
}

/// The key and the blinding of one line, from the session key and the line's salt.
#[derive(Zeroize, ZeroizeOnDrop)]
struct RecordKeys {
    key: [u8; 32],
    blind: [u8; 32],
}

impl RecordKeys {
    fn derive(session: &Secret<[u8; 32]>, salt: &[u8; 16]) -> Self {
        let [key, blind] = derive(session.expose(), Some(salt), RECORD);
        Self { key, blind }
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.key.into())
    }
}
