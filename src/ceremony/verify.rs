//! Verify: a stranger's view of a signed document. No vault, no secret, no trust in what the document says of its key.

use std::path::Path;

use crate::artefact::{Kind, Verified};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::x509;
use crate::key::PublicKey;

use super::TRUST;

const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the key to trust from a file: a public key or a certificate, in PEM.
pub fn trust(path: &Path) -> Result<PublicKey, Fault> {
    let at = |fault: Fault| fault.at(path.display());
    let text = String::from_utf8(disk::read(path, KEY_FILE_BYTES_MAX)?).unwrap_or_default();
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return x509::public_key(&text).map_err(at);
    }
    if text.contains("-----BEGIN PUBLIC KEY-----") {
        return PublicKey::from_pem(&text).map_err(at);
    }
    Err(at(TRUST
        .fault("it holds neither a PUBLIC KEY nor a CERTIFICATE in PEM")
        .hint("`fedroot key export LINE` writes one, and so does `openssl pkey -pubout`")))
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
