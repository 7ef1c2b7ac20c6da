//! Keeping the ledger: what is done to it rather than recorded in it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::entries;
use super::journal::What;
use super::rebuild;
use super::{Catalogue, Operator, UNPROVED, Vault};
use crate::base::clock::Clock;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::ledger::{
    self, Auditor, Challenge, EntryKind, Evidence, NOTE_BYTES_MAX, Note, Recovered, Recovery,
};

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
        let now = clock.now();
        let before = |entry| rebuild::resealed(catalogue.folder(), entry, now);
        let about = about("recover", operator, &json!({ "reason": reason }));
        let with = |auditors: &[Auditor]| {
            let recovery = Recovery {
                folder: &catalogue.ledger_folder(),
                origin: &catalogue.configuration().origin,
                auditors,
                about: &about,
                acknowledge,
                now,
                before: &before,
            };
            ledger::recover(&recovery, Box::new(random::system()))
                .map_err(|fault| fault.but("nothing was changed"))
        };
        match (with(&catalogue.auditors()?), catalogue.auditors_next()?) {
            (Err(fault), Some(next)) if fault.code() == &ledger::AUDITORS => with(&next),
            (done, _) => done,
        }
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

    /// The intents whose outcome is not known: a crash came between.
    pub fn open_intents(&self) -> impl Iterator<Item = u64> {
        self.ledger.open_intents()
    }

    /// Closes the open intents with the outcome that nobody knows, and what a person says about them.
    pub fn close_intents(&mut self, reason: &str) -> Result<(), Fault> {
        let open: Vec<u64> = self.ledger.open_intents().collect();
        for intent in open {
            let body = about("recover", &self.operator, &json!({"result": "unknown", "reason": reason}));
            let now = self.clock.now();
            self.note(EntryKind::Outcome, Some(intent), What::Unknown { intent }, body.into(), None, now)?;
        }
        Ok(())
    }

    /// Keeps a checkpoint beside the ledger, with all signatures that are known for it.
    pub fn keep(&self, note: &Note) -> Result<(), Fault> {
        let path = self.catalogue.checkpoint_path(&note.checkpoint);
        if let Some(folder) = path.parent() {
            disk::create_folder(folder)?;
        }
        let mut whole = note.clone();
        if disk::exists(&path) {
            let kept = Note::parse(&disk::read_private(&path, NOTE_BYTES_MAX)?)
                .map_err(|it| it.at(path.display()))?;
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

    /// Asks a future auditor to show that he can decrypt: the file is for him.
    pub fn challenge(&self, auditor: &Auditor) -> Result<Vec<u8>, Fault> {
        self.allow_auditor(auditor)?;
        let challenge = Challenge::new(auditor, &mut random::system())?;
        let path = self.catalogue.challenge_path(auditor);
        if let Some(folder) = path.parent() {
            disk::create_folder(folder)?;
        }
        disk::replace(&path, format!("{}\n", challenge.digest).as_bytes())?;
        Ok(challenge.file)
    }

    /// Adds an auditor who answered his challenge.
    pub fn add_auditor(
        &mut self,
        auditor: &Auditor,
        answer: &str,
        reason: Option<&str>,
    ) -> Result<(), Fault> {
        self.allow_auditor(auditor)?;
        let path = self.catalogue.challenge_path(auditor);
        if !disk::exists(&path) {
            return Err(UNPROVED
                .fault(format!("no challenge was made for {auditor}"))
                .hint("make one: `fedroot ledger auditors add RECIPIENT --output FILE`"));
        }
        let asked = String::from_utf8(disk::read_private(&path, 1024)?).unwrap_or_default();
        if asked.trim_end() != ledger::digest(auditor, answer.trim()).to_string() {
            return Err(UNPROVED
                .fault(format!("the answer is not that of the challenge for {auditor}"))
                .hint(
                    "the auditor opens the challenge: `fedroot ledger auditors answer FILE --identity FILE`",
                ));
        }
        let mut next = self.catalogue.configuration().auditors.clone();
        next.push(auditor.to_string());
        self.change_auditors(next, &json!({"added": auditor.to_string(), "reason": reason}))?;
        disk::remove(&path)
    }

    /// Removes an auditor: what is written from here on is not for him.
    pub fn remove_auditor(&mut self, auditor: &Auditor, reason: Option<&str>) -> Result<(), Fault> {
        let name = auditor.to_string();
        let mut next = self.catalogue.configuration().auditors.clone();
        next.retain(|it| *it != name);
        if next.len() == self.catalogue.configuration().auditors.len() {
            return Err(ledger::AUDITOR
                .fault(format!("{name} is not an auditor"))
                .hint("`fedroot ledger auditors list` shows who is"));
        }
        if next.is_empty() {
            return Err(ledger::AUDITOR
                .fault("the last auditor cannot be removed: nobody could read the ledger")
                .hint("add another one first"));
        }
        self.change_auditors(next, &json!({"removed": name, "reason": reason}))
    }

    fn allow_auditor(&self, auditor: &Auditor) -> Result<(), Fault> {
        if self.catalogue.configuration().auditors.contains(&auditor.to_string()) {
            return Err(ledger::AUDITOR.fault(format!("{auditor} is an auditor already")));
        }
        Ok(())
    }

    /// First the plan, then the ledger's state, then the entry, then the plan is what is: opening the vault after a crash
    /// at any place goes on or goes back.
    fn change_auditors(&mut self, next: Vec<String>, more: &Value) -> Result<(), Fault> {
        let mut configuration = self.catalogue.configuration().clone();
        configuration.auditors_next = Some(next);
        self.catalogue.configure(configuration)?;
        let auditors = self.catalogue.auditors_next()?.unwrap_or_default();
        self.ledger.change_auditors(&auditors)?;
        self.appoint(more)
    }

    /// Ends a change of the auditors that was cut short, where the ledger's state has or has not taken it.
    pub(super) fn settle_auditors(&mut self, is_changed: bool) -> Result<(), Fault> {
        if is_changed {
            return self.appoint(&json!({"after": "a change that was cut short"}));
        }
        let mut configuration = self.catalogue.configuration().clone();
        configuration.auditors_next = None;
        self.catalogue.configure(configuration)
    }

    fn appoint(&mut self, more: &Value) -> Result<(), Fault> {
        let mut configuration = self.catalogue.configuration().clone();
        let Some(next) = configuration.auditors_next.take() else { return Ok(()) };
        configuration.auditors.clone_from(&next);
        let mut body = about("auditors", &self.operator, more);
        body.insert("auditors".into(), next.into());
        self.ledger.append(EntryKind::Config, None, &body.into(), self.clock.now())?;
        self.catalogue.configure(configuration)
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
    entries::sign_off(&mut body, operator);
    body
}
