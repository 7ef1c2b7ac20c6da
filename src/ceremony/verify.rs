//! Verify: a stranger's view of a signed document. No vault, no secret, no trust in what the document says of its key.

use std::path::Path;

use crate::artefact::{Kind, Verified};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::jose::{Jwk, JwkSet};
use crate::format::{json, private, x509};
use crate::key::PublicKey;

use super::TRUST;

const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the keys to trust from a file: public keys and certificates in PEM, one behind the other, or a JWK or a JWK set.
pub fn trust(path: &Path) -> Result<Vec<PublicKey>, Fault> {
    let at = |fault: Fault| fault.at(path.display());
    let text = String::from_utf8(disk::read(path, KEY_FILE_BYTES_MAX)?).unwrap_or_default();
    private::refuse_text(&text).map_err(at)?;
    let keys =
        if text.trim_start().starts_with('{') { json_keys(&text) } else { pem_keys(&text) }.map_err(at)?;
    if keys.is_empty() {
        return Err(at(TRUST
            .fault("it holds no key that can be trusted: no PUBLIC KEY or CERTIFICATE in PEM, no JWK")
            .hint("`fedroot key export LINE` writes one, and so does `openssl pkey -pubout`")));
    }
    Ok(keys)
}

/// A JWK, or the keys of a set that can be used here.
fn json_keys(text: &str) -> Result<Vec<PublicKey>, Fault> {
    let value = json::read(text.as_bytes(), json::Numbers::Any, &json::Limits::default())?;
    if value.get("keys").is_some() {
        return Ok(JwkSet::read(&value)?.keys.iter().map(|jwk| jwk.key().clone()).collect());
    }
    Ok(vec![Jwk::read(&value)?.key().clone()])
}

fn pem_keys(text: &str) -> Result<Vec<PublicKey>, Fault> {
    let mut keys = Vec::new();
    for (start, _) in text.match_indices("-----BEGIN ") {
        let block = text.get(start..).unwrap_or_default();
        let end = block
            .find("-----END ")
            .and_then(|end| Some(end + block.get(end..)?.find('\n').unwrap_or(block.len() - end)));
        let block = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
        if block.starts_with("-----BEGIN CERTIFICATE-----") {
            keys.push(x509::public_key(block)?);
        } else if block.starts_with("-----BEGIN PUBLIC KEY-----") {
            keys.push(PublicKey::from_pem(block)?);
        }
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
