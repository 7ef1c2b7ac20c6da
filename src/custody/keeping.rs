//! Keeping the ledger: what is done to it rather than recorded in it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::vault::{PROGRAM, operator_json};
use super::{Catalogue, Operator, Vault};
use crate::base::clock::Clock;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::ledger::{self, EntryKind, Evidence, NOTE_BYTES_MAX, Note, Recovered, Recovery};

impl Vault<'_> {
    /// Recovers the ledger of a vault that cannot be opened. Entries that are lost or changed want to be acknowledged.
    pub fn recover(
        folder: &Path,
        operator: &Operator,
        clock: &dyn Clock,
        acknowledge: bool,
        reason: Option<&str>,
    ) -> Result<Recovered, Fault> {
        let catalogue = Catalogue::open(folder)?;
        let about = about("recover", operator, &json!({ "reason": reason }));
        let recovery = Recovery {
            folder: &catalogue.ledger_folder(),
            origin: &catalogue.configuration().origin,
            auditors: &catalogue.auditors()?,
            about: &about,
            acknowledge,
            now: clock.now(),
        };
        ledger::recover(&recovery, Box::new(random::system())).map_err(|fault| fault.but("nothing was changed"))
    }
}

impl Vault<'_> {
    /// Signs a checkpoint of all entries and records that it leaves. What was recorded before is covered, the record of the
    /// checkpoint itself is not.
    pub fn checkpoint(&mut self, reason: Option<&str>) -> Result<Note, Fault> {
        let note = self.ledger.checkpoint();
        let body = about("checkpoint", &self.operator, &json!({ "note": note.text(), "reason": reason }));
        self.ledger.append(EntryKind::Checkpoint, None, &body.into(), self.clock.now())?;
        self.keep(&note)?;
        Ok(note)
    }

    /// Keeps a checkpoint beside the ledger, with all signatures that are known for it.
    pub fn keep(&self, note: &Note) -> Result<(), Fault> {
        let path = self.catalogue.checkpoint_path(note.checkpoint.size);
        if let Some(folder) = path.parent() {
            disk::create_folder(folder)?;
        }
        let mut whole = note.clone();
        if disk::exists(&path) {
            let kept = Note::parse(&disk::read_private(&path, NOTE_BYTES_MAX)?).map_err(|it| it.at(path.display()))?;
            whole = kept.joined(note)?;
        }
        disk::replace(&path, whole.text().as_bytes())
    }

    /// A checkpoint of all entries that is not recorded: it leaves only as part of a proof.
    pub fn passing_checkpoint(&self) -> Note {
        self.ledger.checkpoint()
    }

    /// Answers an auditor: an entry with his nonce at the live end of the ledger, proved and opened.
    pub fn answer(&mut self, nonce: &str) -> Result<Evidence, Fault> {
        let body = about("audit", &self.operator, &json!({ "nonce": nonce }));
        self.ledger.append(EntryKind::Audit, None, &body.into(), self.clock.now())?;
        self.evidence()
    }

    /// The proof of the entry written last, which opens it.
    pub fn evidence(&mut self) -> Result<Evidence, Fault> {
        self.ledger.evidence().ok_or_else(|| ledger::PROOF.fault("nothing was recorded that could be proved"))
    }
}

/// What an entry about the ledger says: the act, more, and who did it.
fn about(act: &str, operator: &Operator, more: &Value) -> Map<String, Value> {
    let mut body = Map::from_iter([("act".into(), act.into())]);
    body.extend(more.as_object().cloned().unwrap_or_default());
    body.extend([("operator".into(), operator_json(operator)), ("program".into(), PROGRAM.into())]);
    body
}
