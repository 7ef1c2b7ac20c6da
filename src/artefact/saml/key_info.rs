//! What tells the keys of metadata apart: everything by which consumers find them, in its order.

use sha2::{Digest as _, Sha256};

use super::content::name_into;
use crate::base::bytes::Digest;
use crate::format::xml::StartTag;

/// Elements that hold texts for people, and no base64.
const NAMES: [&str; 4] = ["KeyName", "MgmtData", "X509IssuerName", "X509SubjectName"];

/// Follows a `ds:KeyInfo`, once one is open.
#[derive(Default)]
pub(super) struct KeyInfo {
    /// How deep it is, and what it told so far.
    open: Option<(usize, Sha256)>,
    said: Vec<u8>,
    /// Whether a name is open, of which the blanks count, and whether it has begun.
    name: Option<bool>,
}

impl KeyInfo {
    /// One begins here, unless one is open: `ds:KeyInfo` stands in `ds:KeyInfo`, too.
    pub(super) fn begin(&mut self, depth: usize) {
        self.open.get_or_insert_with(|| (depth, Sha256::new()));
    }

    pub(super) fn start(&mut self, tag: StartTag<'_>) {
        let Some((_, hash)) = &mut self.open else { return };
        self.name = NAMES.contains(&tag.local()).then_some(false);
        self.said.clear();
        name_into(&mut self.said, tag.namespace(), tag.local());
        for (namespace, name, value) in tag.said() {
            name_into(&mut self.said, namespace, name);
            self.said.extend_from_slice(value.as_bytes());
            self.said.push(0);
        }
        self.said.push(1);
        hash.update(&self.said);
    }

    /// White space does not count, as base64 is folded as people like; in a name each counts as a blank.
    pub(super) fn text(&mut self, text: &str) {
        let Some((_, hash)) = &mut self.open else { return };
        for (place, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if place > 0 && self.name == Some(true) {
                hash.update(" ");
            }
            if !word.is_empty() {
                hash.update(word);
                self.name = self.name.map(|_| true);
            }
        }
    }

    /// A certificate counts by its key.
    pub(super) fn certificate(&mut self, key: &Digest) {
        if let Some((_, hash)) = &mut self.open {
            hash.update(key.as_bytes());
        }
    }

    /// An element ends; once it is the outermost, what all of it told.
    pub(super) fn end(&mut self, depth: usize) -> Option<[u8; 32]> {
        self.name = None;
        if let Some((_, hash)) = &mut self.open {
            hash.update([2]);
        }
        let (_, hash) = self.open.take_if(|(started, _)| *started == depth)?;
        Some(hash.finalize().into())
    }
}
