//! The digest of what an entity says, by which it is compared with what was signed last; `docs/formats/vault.md` specifies it.

use sha2::{Digest as _, Sha256};

use super::MD;
use crate::format::xml::{StartTag, dsig};

/// Bytes that are digested at a time.
const PIECE_BYTES: usize = 4 * 1024;

/// A digest in the making.
#[derive(Default)]
pub(super) struct Content {
    hash: Sha256,
    /// What it takes next: few large pieces cost less than many small ones.
    unhashed: Vec<u8>,
}

impl Content {
    /// Takes a start tag in; what signing sets at the root is no change.
    pub(super) fn start(&mut self, tag: StartTag<'_>) {
        name_into(&mut self.unhashed, tag.namespace(), tag.local());
        let is_set = |namespace: &str, name: &str| {
            tag.depth() == 0 && namespace.is_empty() && ["ID", "validUntil", "cacheDuration"].contains(&name)
        };
        for (namespace, name, value) in tag.said().filter(|(namespace, name, _)| !is_set(namespace, name)) {
            name_into(&mut self.unhashed, namespace, name);
            self.unhashed.extend_from_slice(value.as_bytes());
            self.unhashed.push(0);
        }
        self.absorb(&[1]);
    }

    /// Takes bytes in.
    pub(super) fn absorb(&mut self, bytes: &[u8]) {
        self.unhashed.extend_from_slice(bytes);
        if self.unhashed.len() >= PIECE_BYTES {
            self.hash.update(&self.unhashed);
            self.unhashed.clear();
        }
    }

    /// Begins as this one, which goes on being what it is.
    pub(super) fn begin(&mut self, with: &Self) {
        self.hash.clone_from(&with.hash);
        self.unhashed.extend_from_slice(&with.unhashed);
    }

    /// The beginning of the digest, as the record has it; then it begins anew.
    pub(super) fn finish(&mut self) -> [u8; 16] {
        self.hash.update(&self.unhashed);
        self.unhashed.clear();
        let digest = self.hash.finalize_reset();
        digest.first_chunk().copied().unwrap_or_default()
    }
}

/// The namespaces that fill most of a document stand for one byte that no namespace begins with.
pub(super) fn name_into(bytes: &mut Vec<u8>, namespace: &str, local: &str) {
    match namespace {
        "" => bytes.push(3),
        MD => bytes.push(4),
        dsig::NS => bytes.push(5),
        _ => bytes.extend_from_slice(namespace.as_bytes()),
    }
    bytes.push(0);
    bytes.extend_from_slice(local.as_bytes());
    bytes.push(0);
}
