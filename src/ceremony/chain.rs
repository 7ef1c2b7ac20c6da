//! Verify a trust chain: a stranger's view of what a federation says of an entity. No vault, no secret, no network.

use std::io::Read;
use std::path::Path;

use super::{TRUST, trust};
use crate::artefact::openid::{Anchor, Chain, Link, Statement, verify_chain as verify};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::format::json::{self, Limits, Numbers, Value};

const FILE_BYTES_MAX: u64 = 8 << 20;

/// Verifies the statements of one chain at a time, with what is trusted of its anchor: files that hold a JWK, a JWK set, an anchor's
/// configuration, or public keys and certificates in PEM; and the anchor's historical keys.
///
/// # Errors
///
/// Those of [`verify`] and of the readers, with the file in front.
pub fn verify_chain(
    documents: &[Document],
    trusted: &[impl AsRef<Path>],
    historical: Option<&Path>,
    at: Instant,
) -> Result<Chain, Fault> {
    let mut anchor = Anchor::default();
    for path in trusted.iter().map(AsRef::as_ref) {
        let text = text(disk::read(path, FILE_BYTES_MAX)?).map_err(|fault| fault.at(path.display()))?;
        if text.contains("-----BEGIN ") {
            anchor.trust_keys(&trust(path)?)?;
        } else {
            anchor.trust(path.display(), &text)?;
        }
    }
    if let Some(path) = historical {
        let text = text(disk::read(path, FILE_BYTES_MAX)?).map_err(|fault| fault.at(path.display()))?;
        anchor.history(&text).map_err(|fault| fault.at(path.display()))?;
    }
    let mut links = Vec::new();
    for document in documents {
        links.extend(read(document).map_err(|fault| fault.at(document.name()))?);
    }
    verify(&links, &anchor, at)
}

/// The statements of a file: one compact JWS, or a JSON array of them (OpenID Federation 1.0, section 4.3).
fn read(document: &Document) -> Result<Vec<Link>, Fault> {
    let mut bytes = Vec::new();
    let mut source = document.reader().take(FILE_BYTES_MAX + 1);
    source.read_to_end(&mut bytes).map_err(|e| disk::fault("read", document.name().as_ref(), &e))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(disk::TOO_LARGE.fault(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = text(bytes)?;
    let link = |place: String, text: &str| -> Result<Link, Fault> {
        Ok(Link { place, statement: Statement::read(text)? })
    };
    if !text.trim_ascii_start().starts_with('[') {
        return Ok(vec![link(document.name().to_owned(), &text)?]);
    }
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let chain = json::read(text.trim_ascii().as_bytes(), Numbers::Whole, &limits)?;
    let entries = chain.as_array().map_or(&[][..], Vec::as_slice);
    let numbered = entries.iter().enumerate().map(|(n, entry)| {
        let text = entry.as_str().ok_or_else(|| json::MALFORMED.fault("a chain is an array of strings"));
        text.and_then(|text| link(format!("{}[{n}]", document.name()), text))
            .map_err(|fault| fault.at(format!("[{n}]")))
    });
    numbered.collect()
}

fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|_| TRUST.fault("it is not text"))
}

/// The metadata of a chain's subject as text that people read.
pub fn pretty(metadata: &json::Map<String, Value>) -> String {
    serde_json::to_string_pretty(metadata).unwrap_or_default()
}
