//! Keeping the ledger over time and beyond one machine: auditors, mirrors, witnesses.

use std::path::Path;

use super::audit::{audit, deliver, fresh, note};
use crate::base::append;
use crate::base::bytes::{Digest, from_hex, hex};
use crate::base::clock::Instant;
use crate::base::disk::{self, CHANGED, Document, Lock};
use crate::base::fault::Fault;
use crate::base::random::{self, Random};
use crate::base::recipient::Identities;
use crate::base::secret::Secret;
use crate::custody::Vault;
use crate::ledger::{
    self, Auditor, FORK, LOG, NOTE, NOTE_BYTES_MAX, Note, REWRAPPED_BYTES_MAX, Request, Rewrapped,
    VerifierKey, Witness,
};

/// Writes the challenge for a future auditor.
pub fn challenge(vault: &Vault<'_>, auditor: &Auditor, output: &Path) -> Result<(), Fault> {
    let mut pending = fresh(output)?;
    let file = vault.challenge(auditor)?;
    std::io::Write::write_all(&mut pending, &file).map_err(|e| disk::fault("write", output, &e))?;
    pending.publish()
}

/// Opens a challenge.
pub fn answer_challenge(file: &Path, identities: &Identities) -> Result<String, Fault> {
    ledger::answer(&disk::read(file, NOTE_BYTES_MAX)?, identities).map_err(|fault| fault.at(file.display()))
}

/// Wraps old sessions for other auditors. Gives the numbers of sessions that were wrapped, and that there are.
pub fn rewrap(
    vault: &crate::custody::Catalogue,
    identities: &Identities,
    auditors: &[Auditor],
    output: &Path,
) -> Result<(u64, u64), Fault> {
    let mut pending = fresh(output)?;
    let log = ledger::open_log(&vault.ledger_folder())?;
    let counts = ledger::rewrap(log.reader(), identities, auditors, &mut pending)?;
    if counts.0 == 0 {
        return Err(ledger::SEALED
            .fault("the identity opens no session of this ledger; nothing was written")
            .hint("give the identity of somebody who is an auditor"));
    }
    pending.publish()?;
    Ok(counts)
}

/// Reads a file of rewrapped sessions.
pub fn rewrapped(path: &Path) -> Result<Rewrapped, Fault> {
    Rewrapped::parse(&disk::read(path, REWRAPPED_BYTES_MAX)?).map_err(|fault| fault.at(path.display()))
}

/// Brings a copy of the log on another medium up to date; it must be a beginning of the log. Gives the bytes added.
pub fn mirror(vault: &Vault<'_>, folder: &Path) -> Result<(ledger::Summary, u64), Fault> {
    let summary = audit(vault, &[])?.summary;
    disk::create_folder(folder)?;
    let path = folder.join(LOG);
    // The vault is locked: nobody writes to its log meanwhile.
    let log = ledger::open_log(&vault.ledger_folder())?;
    let added = append::extend(&path, &log).map_err(|fault| {
        if fault.code() != &CHANGED {
            return fault;
        }
        FORK.fault(fault.message())
            .but("nothing was written")
            .hint("ledger and mirror tell two histories: keep both, and show them to an auditor")
    })?;
    Ok((summary, added))
}

/// Writes a request to a witness for the newest checkpoint that was kept, or for a new one.
pub fn witness_request(vault: &mut Vault<'_>, old: Option<u64>, output: &Path) -> Result<Request, Fault> {
    let pending = fresh(output)?;
    let log = ledger::open_log(&vault.ledger_folder())?;
    let kept = ledger::fitting(&log, vault.checkpoints()?)?;
    let newest = match kept.last() {
        Some(note) => note.clone(),
        None => vault.checkpoint(Some("for a witness"))?,
    };
    let is_signed =
        |note: &&Note| note.signers().count() > 1 && note.checkpoint.size < newest.checkpoint.size;
    let old = old.unwrap_or_else(|| kept.iter().rfind(is_signed).map_or(0, |note| note.checkpoint.size));
    let request = Request::new(&log, &newest, old)?;
    deliver(Some(pending), Some(output), &request.text())?;
    Ok(request)
}

/// Signs a request as the witness whose memory this folder is: a key, and the last checkpoint of each ledger.
pub fn witness_sign(
    request: &Path,
    folder: &Path,
    name: &str,
    log: Option<&Path>,
    output: &Path,
    now: Instant,
) -> Result<(Note, VerifierKey, Option<u64>), Fault> {
    if name.is_empty() || name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control()) {
        return Err(NOTE
            .fault(format!("'{name}' cannot name a witness"))
            .hint("take letters, digits and . - /"));
    }
    let pending = fresh(output)?;
    let asked =
        Request::parse(&disk::read(request, NOTE_BYTES_MAX)?).map_err(|fault| fault.at(request.display()))?;
    if let Some(log) = log {
        asked.note.check_against(&Document::open(log)?)?;
    }
    disk::create_folder(folder)?;
    disk::check_private(folder)?;
    let _lock = Lock::take(&folder.join("lock"))?;
    let witness = Witness::new(name, &witness_key(&folder.join("key"))?);
    let origin = Digest::of(asked.note.checkpoint.origin.as_bytes());
    let memory = folder.join(format!("{}.note", hex(origin.as_bytes())));
    let last = if disk::exists(&memory) { Some(note(&memory)?.checkpoint) } else { None };
    let signed = witness.sign(&asked, last.as_ref(), now)?;
    // Remembered before it leaves: no second history is ever signed.
    disk::replace(&memory, signed.text().as_bytes())?;
    deliver(Some(pending), Some(output), &signed.text())?;
    Ok((signed, witness.key(), last.map(|last| last.size)))
}

fn witness_key(path: &Path) -> Result<Secret<[u8; 32]>, Fault> {
    if !disk::exists(path) {
        let secret = Secret::new(random::system().array::<32>());
        disk::create(path, Secret::new(hex(secret.expose())).expose().as_bytes())?;
        return Ok(secret);
    }
    let text = Secret::new(disk::read_private(path, 1024)?);
    let text = str::from_utf8(text.expose()).unwrap_or_default().trim_end();
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Secret::new).ok_or_else(|| NOTE.fault(format!("{} holds no key of a witness", path.display())))
}

/// Keeps what a witness sent back beside the ledger. Gives the checkpoint's size and the time that the witness states.
pub fn witness_add(
    vault: &Vault<'_>,
    reply: &Path,
    key: &VerifierKey,
) -> Result<(u64, Option<Instant>), Fault> {
    let bytes = disk::read(reply, NOTE_BYTES_MAX)?;
    for kept in vault.checkpoints()?.into_iter().rev() {
        let size = kept.checkpoint.size;
        if let Some(joined) = kept.with_reply(&bytes)
            && let Ok(time) = key.check(&joined)
        {
            vault.keep(&joined)?;
            return Ok((size, time));
        }
    }
    Err(NOTE
        .fault(format!(
            "{} signs none of the checkpoints kept beside this ledger with the key of {}",
            reply.display(),
            key.name()
        ))
        .hint("`fedroot ledger witness request` says which checkpoint is to be signed"))
}
