//! What a key signed and nobody published: an officer says so, the ledger has it with his name, and nothing waits for it.

use serde_json::json;

use super::journal::{Document, Noted, What};
use super::journal_file::Journal;
use super::{Catalogue, Vault};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::Line;
use crate::ledger::EntryKind;
use crate::lifecycle::{RECEIPT, Withheld};

/// What the journal has of documents of a line that were never published, and of those that were seen.
pub(super) fn of(journal: &Journal, line: &Line) -> Result<Withheld, Fault> {
    let mut withheld = Withheld::default();
    for noted in journal.of(line) {
        match &noted.what {
            What::Withheld { digest, .. } => withheld.say(digest.parse()?),
            What::Seen { digest, of, .. } => withheld.see(of.as_ref().unwrap_or(digest).parse()?),
            _ => {}
        }
    }
    Ok(withheld)
}

/// The documents that are out there, as far as is said and known.
pub(super) fn published<'a>(documents: &'a [Document], withheld: &Withheld) -> Vec<&'a Document> {
    documents.iter().filter(|document| !is_held(document, withheld)).collect()
}

/// Whether nobody has a document, as far as is said and known.
pub(super) fn is_held(document: &Document, withheld: &Withheld) -> bool {
    document.digest.parse().is_ok_and(|digest| withheld.holds(&digest))
}

impl Catalogue {
    /// When a document of this digest was signed by itself with a key of the line, or carries keys of it; nothing, where it did
    /// not.
    ///
    /// # Errors
    /// [`RECEIPT`]: it is of a batch, which is published together.
    pub fn signed_alone(&self, line: &Line, digest: &Digest) -> Result<Option<Instant>, Fault> {
        let (name, mut found) = (digest.to_string(), None);
        self.journal()?.each(Some(line), &mut |noted| {
            let What::Signed { documents, artefacts, .. } = &noted.what else { return Ok(()) };
            if !documents.iter().any(|document| document.digest == name) {
                return Ok(());
            }
            if artefacts.is_some() {
                return Err(RECEIPT
                    .fault(format!("{name} is one of a batch, and these are published together"))
                    .hint("wait until it has ended: nobody can tell the others apart from it"));
            }
            found = Some(noted.time()?);
            Ok(())
        })?;
        Ok(found)
    }

    /// When and where a document was seen first; nothing, where nobody saw it.
    pub fn seen(&self, line: &Line, digest: &Digest) -> Result<Option<String>, Fault> {
        let name = digest.to_string();
        let seen = self.journal()?.of(line).find_map(|noted| match &noted.what {
            What::Seen { digest, of, seen, from, .. } if of.as_ref().unwrap_or(digest) == &name => {
                Some(from.as_ref().map_or_else(|| seen.clone(), |from| format!("{seen} at {from}")))
            }
            _ => None,
        });
        Ok(seen)
    }

    /// Whether an officer says that a document was never published, and nobody saw it.
    pub fn is_withheld(&self, line: &Line, digest: &Digest) -> Result<bool, Fault> {
        Ok(of(self.journal()?, line)?.holds(digest))
    }
}

impl Vault<'_> {
    /// Notes that a document was never published, as whoever runs this says. Yields the entry, and whether it is new.
    pub fn withhold(
        &mut self,
        line: &Line,
        digest: &Digest,
        reason: &str,
        now: Instant,
    ) -> Result<(u64, bool), Fault> {
        let is_of = |noted: &&Noted| matches!(&noted.what, What::Withheld { digest: own, .. } if *own == digest.to_string());
        if let Some(noted) = self.catalogue.journal()?.of(line).find(is_of) {
            return Ok((noted.entry, false));
        }
        let (line, digest, said) = (line.to_string(), digest.to_string(), reason.to_owned());
        let what = What::Withheld { line, digest, said };
        let body = json!({"act": "withhold"});
        self.note(EntryKind::Receipt, None, what, body, Some(reason), now).map(|entry| (entry, true))
    }
}
