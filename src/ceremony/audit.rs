//! Auditing: anyone checks the ledger, auditors read it.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Class, Fault};
use crate::base::recipient::Identities;
use crate::base::text::counted;
use crate::custody::{Catalogue, Noted, Vault};
use crate::ledger::{self, NOTE_BYTES_MAX};

pub use crate::custody::Rebuilt;
pub use crate::ledger::{
    Agreement, Body, Break, Checked, Entry, EntryKind, Evidence, Measure, Note, Proved, Recovered, Rewrapped,
    Summary, Trust, VerifierKey,
};

/// Larger proofs are refused unread: a line, its opening, and a checkpoint.
const PROOF_BYTES_MAX: u64 = 512 * 1024;

/// Checks the ledger of a vault, holds it against the state beside it, the checkpoints kept beside it, and those given.
/// Needs no secret. Complete it is by what is given only.
pub fn audit(catalogue: &Catalogue, since: &[Note]) -> Result<Checked, Fault> {
    let checked = ledger::verify_since(&catalogue.ledger_folder(), since, catalogue.checkpoints()?).map_err(
        |fault| {
            let is_bare = fault.code().class == Class::Ledger && fault.way_out().is_none();
            if is_bare { fault.hint(ledger::KEEP) } else { fault }
        },
    )?;
    match checked.agreement {
        Agreement::LogShorter(missing) => Err(ledger::TRUNCATED
            .fault(format!(
                "the ledger lacks {} that this machine has written",
                counted(missing, "entry", "entries")
            ))
            .hint(ledger::KEEP)),
        Agreement::Differs => Err(ledger::STATE
            .fault("the ledger is not the one that this machine has written")
            .hint(ledger::KEEP)),
        Agreement::StateOlder(more) => Err(ledger::STATE
            .fault(format!(
                "the state file is older than the ledger, which has {more} entries that it does not know"
            ))
            .hint(ledger::KEEP)),
        Agreement::Same | Agreement::LogLonger(_) | Agreement::NotCompared => Ok(checked),
    }
}

/// Checks a copy of a ledger, by whoever has one: a file, or the folder of a mirror.
pub fn audit_copy(path: &Path, since: &[Note]) -> Result<Checked, Fault> {
    ledger::verify_copy(&copy(path)?, since).map_err(|fault| fault.at(path.display()))
}

/// A copy of a ledger: a file, or the folder of a mirror.
pub fn copy(path: &Path) -> Result<Document, Fault> {
    if disk::is_folder(path) { ledger::open_log(path) } else { Document::open(path) }
}

/// Reads a checkpoint.
pub fn note(path: &Path) -> Result<Note, Fault> {
    Note::parse(&disk::read(path, NOTE_BYTES_MAX)?).map_err(|fault| fault.at(path.display()))
}

/// Signs and records a checkpoint, and lets it go once that is durable.
pub fn checkpoint(vault: &mut Vault<'_>, output: Option<&Path>, reason: Option<&str>) -> Result<Note, Fault> {
    let pending = output.map(fresh).transpose()?;
    let note = vault.checkpoint(reason)?;
    deliver(pending, output, &note.text())?;
    Ok(note)
}

/// Proves an entry; with identities, and opens it.
pub fn prove(
    vault: &Vault<'_>,
    index: u64,
    identities: Option<&Identities>,
    output: &Path,
) -> Result<Evidence, Fault> {
    let pending = fresh(output)?;
    let newest = vault.passing_checkpoint();
    let entries = newest.checkpoint.size;
    if index >= entries {
        return Err(ledger::NO_ENTRY
            .fault(format!(
                "there is no entry {index}: the ledger has {entries}, the last is {}",
                entries - 1
            ))
            .hint("`fedroot ledger show` tells the number of each"));
    }
    let log = ledger::open_log(&vault.ledger_folder())?;
    let kept =
        ledger::fitting(&log, vault.checkpoints()?)?.into_iter().rfind(|note| note.checkpoint.size > index);
    let note = kept.unwrap_or(newest);
    let evidence = ledger::prove(&log, &note, index, identities)?;
    deliver(Some(pending), Some(output), &evidence.text())?;
    Ok(evidence)
}

/// Answers an auditor's challenge with an entry at the live end.
pub fn answer(vault: &mut Vault<'_>, nonce: &str, output: &Path) -> Result<Evidence, Fault> {
    let pending = fresh(output)?;
    let evidence = vault.answer(nonce)?;
    deliver(Some(pending), Some(output), &evidence.text())?;
    Ok(evidence)
}

/// Reads a proof, checks it, and holds its checkpoint against what is trusted.
pub fn check_proof(path: &Path, trust: &Trust<'_>) -> Result<(Evidence, Proved), Fault> {
    let (evidence, proved) =
        Evidence::parse(&disk::read(path, PROOF_BYTES_MAX)?).map_err(|fault| fault.at(path.display()))?;
    trust.check(&evidence).map_err(|fault| fault.at(path.display()))?;
    Ok((evidence, proved))
}

/// Refuses a proof that is not of the signature of this document.
pub fn check_artefact(proved: &Proved, document: &Document) -> Result<(), Fault> {
    let digest = document.digest()?;
    if proved.body.is_none() {
        return Err(ledger::PROOF
            .fault(format!(
                "the proof does not open entry {}, so it says nothing of a document",
                proved.index
            ))
            .hint("take the proof that `fedroot sign` wrote, or one by `fedroot ledger disclose`"));
    }
    if proved.is_of(digest) {
        return Ok(());
    }
    Err(ledger::PROOF
        .fault(format!("entry {} does not record the signature of {}", proved.index, document.name()))
        .hint("the document was changed after it was signed, or the proof belongs to another one"))
}

/// Refuses a proof that opens nothing, or an answer to another nonce.
pub fn check_disclosure(proved: &Proved, nonce: Option<&str>) -> Result<(), Fault> {
    let body = proved.body.as_ref().ok_or_else(|| {
        ledger::PROOF
            .fault(format!("the proof does not open entry {}", proved.index))
            .hint("take one that `fedroot ledger disclose` wrote")
    })?;
    let Some(nonce) = nonce else { return Ok(()) };
    if proved.kind == EntryKind::Audit && body.get("nonce").and_then(Value::as_str) == Some(nonce) {
        return Ok(());
    }
    Err(ledger::PROOF.fault(format!("entry {} does not answer this nonce", proved.index)))
}

/// A file that shall appear once everything is durable.
///
/// # Errors
/// It is there already, or it cannot be made.
pub fn fresh(path: &Path) -> Result<Pending, Fault> {
    if disk::is_folder(path) {
        return Err(disk::EXISTS
            .fault(format!("{} is a folder", path.display()))
            .hint("name a new file in it with --output"));
    }
    if disk::exists(path) {
        return Err(disk::EXISTS
            .fault(format!("{} exists already", path.display()))
            .hint("name another file with --output, or move the old one away"));
    }
    Pending::beside(path)
}

pub(super) fn deliver(pending: Option<Pending>, path: Option<&Path>, text: &str) -> Result<(), Fault> {
    let (Some(mut pending), Some(path)) = (pending, path) else { return Ok(()) };
    pending.write_all(text.as_bytes()).map_err(|e| disk::fault("write", path, &e))?;
    pending.publish()
}

/// Makes the journal of a vault anew from what the ledger says, or compares the two.
///
/// # Errors
/// No identity opens an entry that has a line; when comparing, [`JOURNAL`](crate::custody::JOURNAL): the two differ.
pub fn rebuild(catalogue: &mut Catalogue, identities: &Identities, compare: bool) -> Result<Rebuilt, Fault> {
    catalogue.rebuild_journal(compare, |catalogue| {
        let (mut lines, mut failed) = (Vec::new(), None);
        read_ledger(catalogue, identities, &mut |entry| match noted(&entry) {
            Ok(line) => lines.extend(line),
            Err(fault) => failed = failed.take().or(Some(fault)),
        })?;
        failed.map_or(Ok(lines), |fault| Err(fault.but("the journal stands as it was")))
    })
}

/// The line of the journal that an entry has.
fn noted(entry: &Entry) -> Result<Option<Noted>, Fault> {
    let Body::Open(body) = &entry.body else {
        return Err(ledger::SEALED
            .fault(format!("no identity opens entry {}", entry.index))
            .hint("another auditor can read it, or `fedroot ledger rewrap`"));
    };
    match Noted::from_entry(body).transpose() {
        Ok(None) if entry.kind == EntryKind::Reseal => Ok(Some(Noted::resealed(entry.index, entry.time))),
        line => line.map_err(|fault| fault.at(format_args!("entry {}", entry.index))),
    }
}

/// Reads every entry with an auditor's identities, checking on the way.
pub fn read_ledger(
    catalogue: &Catalogue,
    identities: &Identities,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, Fault> {
    read_log(&log(catalogue)?, identities, None, visit)
}

/// The log of a vault's ledger.
pub fn log(catalogue: &Catalogue) -> Result<Document, Fault> {
    ledger::open_log(&catalogue.ledger_folder())
}

/// The same from a log, with sessions that were rewrapped for these identities.
pub fn read_log(
    log: &Document,
    identities: &Identities,
    rewrapped: Option<&Rewrapped>,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, Fault> {
    let mut reader = ledger::read_with(log.reader(), identities, rewrapped);
    for entry in &mut reader {
        visit(entry?);
    }
    reader.summary()
}
