//! Verify: a stranger's view of a signed document. No vault, no secret, no trust in what the document says of its key.

use std::path::Path;

use crate::artefact::{Kind, Verified};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::jose::JwkSet;
use crate::format::json::{self, Limits, Numbers};
use crate::format::x509;
use crate::key::PublicKey;

use super::TRUST;

const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the keys to trust from a file: public keys and certificates, in PEM, one behind the other; a JWK set, or one JWK.
pub fn trust(path: &Path) -> Result<Vec<PublicKey>, Fault> {
    let at = |fault: Fault| fault.at(path.display());
    let text = String::from_utf8(disk::read(path, KEY_FILE_BYTES_MAX)?).unwrap_or_default();
    let mut keys = Vec::new();
    if text.trim_ascii_start().starts_with('{') {
        let value = json::read(text.as_bytes(), Numbers::Whole, &Limits::default()).map_err(at)?;
        let is_one = value.get("kty").is_some();
        let set = if is_one { JwkSet::read_keys(&[value]) } else { JwkSet::read(&value) };
        keys.extend(set.map_err(at)?.keys.iter().map(|jwk| jwk.key().clone()));
    }
    for (start, _) in text.match_indices("-----BEGIN ") {
        let block = text.get(start..).unwrap_or_default();
        let end = block
            .find("-----END ")
            .and_then(|end| Some(end + block.get(end..)?.find('\n').unwrap_or(block.len() - end)));
        let block = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
        if block.starts_with("-----BEGIN CERTIFICATE-----") {
            keys.push(x509::public_key(block).map_err(at)?);
        } else if block.starts_with("-----BEGIN PUBLIC KEY-----") {
            keys.push(PublicKey::from_pem(block).map_err(at)?);
        }
    }
    if keys.is_empty() {
        return Err(at(TRUST
            .fault("it holds neither a PUBLIC KEY nor a CERTIFICATE in PEM, and no JWK set")
            .hint("`fedroot key export LINE` writes one, and so does `openssl pkey -pubout`")));
    }
    Ok(keys)
}

/// Verifies a document with the trusted keys, at a time.
pub fn verify(
    kind: &dyn Kind,
    document: &Document,
    trust: &[PublicKey],
    at: Instant,
) -> Result<Verified, Fault> {
    let verified = kind.verify(document, trust)?;
    verified.check_valid(at).map_err(|fault| fault.at(document.name()))?;
    Ok(verified)
}
