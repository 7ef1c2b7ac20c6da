//! The proofs of a batch: for each document that the ledger has it, in a file that is named by the document's digest. What
//! the profile wants proved is kept only with a proof that holds, and is published after it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::Trust;
use super::documents::Documents;
use super::index::{self, Gone};
use crate::artefact::{PROOF_ENDING, PROOFS, proof_name};
use crate::base::below::Below;
use crate::base::bytes::Digest;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::staging::Staging;
use crate::custody::Vault;
use crate::ledger::{Evidence, LOG};

/// A name below it that no proof has.
pub(super) const ANY: &str = "proofs/any";
/// More than a proof of a batch's outcome has.
const BYTES_MAX: u64 = 64 * 1024;
/// More than a document of a batch has.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;
/// About what one has.
pub(super) const BYTES: u64 = 8 * 1024;

/// The proofs that stand, held against the ledger.
pub(super) struct Proofs {
    log: Document,
    /// Whether the ledger is the one that a checkpoint speaks of: a batch has one for all its proofs.
    notes: Mutex<HashMap<Digest, bool>>,
}

impl Proofs {
    pub(super) fn of(vault: &Vault<'_>) -> Result<Self, Fault> {
        let log = Document::open(&vault.ledger_folder().join(LOG))?;
        Ok(Self { log, notes: Mutex::default() })
    }

    /// Whether the proof of a document stands in a folder, and holds.
    pub(super) fn holds(&self, folder: &Below, document: &Digest) -> bool {
        let Ok(bytes) = folder.read(&proof_name(document), BYTES_MAX) else { return false };
        let Ok((evidence, proved)) = Evidence::parse(&bytes) else { return false };
        proved.is_of(*document) && self.is_ours(&evidence)
    }

    fn is_ours(&self, evidence: &Evidence) -> bool {
        let note = Digest::of(evidence.note().text().as_bytes());
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let check = || Trust { log: Some(&self.log), ..Trust::default() }.check(evidence).is_ok();
        *notes.entry(note).or_insert_with(check)
    }
}

/// Writes the proofs of what was signed, and gives them their names: none of it is out without its own.
pub(super) fn publish(evidence: Evidence, documents: &[Digest], staging: &Staging) -> Result<(), Fault> {
    let names: Vec<String> = documents.iter().map(proof_name).collect();
    let mut proof = evidence.of_documents(documents);
    for (place, name) in names.iter().enumerate() {
        staging.discard(name)?;
        staging.write(name, proof(place).as_bytes())?;
    }
    staging.settle()?;
    names.into_iter().try_for_each(|name| staging.publish(&[name]))
}

/// The document of which a file in the folder of proofs has the name of one.
fn of_a_digest(file: &str) -> Option<Digest> {
    format!("sha256:{}", file.strip_suffix(PROOF_ENDING)?).parse().ok()
}

/// Whether a path below the folder of the batch is that of a proof.
pub(super) fn is_one(path: &str) -> bool {
    let name = path.strip_prefix(PROOFS).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| of_a_digest(name).is_some())
}

/// Takes proofs away whose documents do not stand any more.
pub(super) fn clear(staging: &Staging, documents: &Documents, gone: &[Gone]) -> Result<(), Fault> {
    let mut wanted = HashSet::new();
    for document in documents.iter() {
        wanted.extend(document?.file.map(|(digest, _)| digest));
    }
    let left = gone.iter().flat_map(|gone| &gone.names);
    let left = left.filter_map(|name| index::digest(staging.folder(), name, DOCUMENT_BYTES_MAX));
    wanted.extend(left);
    let Ok(found) = staging.folder().names(PROOFS) else { return Ok(()) };
    let found = found.iter().filter_map(|file| of_a_digest(file)).filter(|digest| !wanted.contains(digest));
    found.map(|digest| proof_name(&digest)).try_for_each(|name| staging.remove(&name))
}
