//! Moves in the life of a key: one entry of the ledger, one line of the journal, and then what follows from it.

use serde_json::{Value, json};

use super::journal::{self, Noted, What};
use super::vault::{Prompt, Ready};
use super::work::{self, Certifier, Stopped};
use super::{Catalogue, Document, Vault, entries, lists};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line};
use crate::ledger::{Appended, EntryKind, SignPermit};
use crate::lifecycle::{Answers, Lists, Move, Receipt, Source, Stage, Step};
use crate::policy::Confirmed;

/// A move that was asked about and is confirmed.
pub struct Advance<'a> {
    /// Of which key.
    pub key: KeyId,
    /// The move.
    pub step: Step,
    /// The three answers to it.
    pub answers: &'a Answers,
    /// Who else agreed; a claim.
    pub with: &'a [String],
    /// The confirmation of exactly this request.
    pub confirmed: Confirmed,
}

impl Vault<'_> {
    /// Makes a move: the entry is durable before anything follows from it. Of a key that is destroyed, the sealed file is
    /// overwritten and removed after it; opening the vault goes on with that where a crash came between.
    ///
    /// # Errors
    /// The first no of the answers; whatever hinders the ledger. Nothing was moved then.
    pub fn advance(&mut self, advance: &Advance<'_>) -> Result<u64, Fault> {
        let Advance { key, step, answers, .. } = advance;
        answers.check()?;
        if step.wants_right_clock() {
            self.ledger.check_clock(step.at)?;
        }
        let mut history = self.catalogue.history(&key.line)?;
        let from = history.state(key)?.stage;
        let standing_down = history.active().filter(|active| *active != key.version);
        history.apply(step.clone())?;
        let to = history.state(key)?.stage;
        let makes_room = to == Stage::Active && from != Stage::Active;
        let mut body = json!({
            "act": step.act.name(),
            "key": key.to_string(),
            "from": from.name(),
            "to": to.name(),
            "retiring": standing_down.filter(|_| makes_room).map(|version| key.line.version(version).to_string()),
            "request": advance.confirmed.request().to_string(),
            "confirmed": advance.confirmed.how(),
            "with": advance.with,
            "answers": [&answers.policy.reason, &answers.safety.reason, &answers.time.reason],
        });
        if let (Move::Destroy, Some(members)) = (step.act, body.as_object_mut()) {
            members.insert("sealed".into(), self.catalogue.record(key)?.sealed_digest().into());
        }
        let entry =
            self.note(EntryKind::Stage, None, What::moved(key, step), body, step.reason.as_deref(), step.at)?;
        self.forget_destroyed()?;
        Ok(entry)
    }

    /// Takes a receipt: exactly this artefact was seen. It has to be one that lists keys of the line, or of a batch for which
    /// such a one stands: `of`. Yields its entry, and whether it is new: the same receipt is taken once.
    pub fn observe(
        &mut self,
        line: &Line,
        receipt: &Receipt,
        of: Option<Digest>,
        reason: Option<&str>,
        now: Instant,
    ) -> Result<(u64, bool), Fault> {
        let (from, said) = source(receipt);
        let what = What::Seen {
            line: line.to_string(),
            digest: receipt.digest.to_string(),
            of: of.map(|of| of.to_string()),
            seen: receipt.seen.to_string(),
            from,
            said,
        };
        if let Some(noted) = self.catalogue.journal()?.of(line).find(|noted| noted.what == what) {
            return Ok((noted.entry, false));
        }
        self.note(EntryKind::Receipt, None, what, json!({"act": "observe"}), reason, now)
            .map(|entry| (entry, true))
    }

    /// Notes a document that an adopted key signed before it was adopted, with the receipt of it.
    pub fn note_elsewhere(
        &mut self,
        key: &KeyId,
        kind: &str,
        (name, expires): (&str, Option<Instant>),
        receipt: &Receipt,
        reason: Option<&str>,
    ) -> Result<u64, Fault> {
        let (channel, lists) = self.catalogue.channel_for(&key.line, kind)?;
        // the vault had no other key of the line then
        let lists = if let Lists::Keys(_) = lists { Lists::Keys([key.version].into()) } else { lists };
        let (from, said) = source(receipt);
        let what = What::Elsewhere {
            key: key.to_string(),
            kind: kind.to_owned(),
            channel,
            document: Document::new(name, receipt.digest, expires, &lists),
            seen: receipt.seen.to_string(),
            from,
            said,
        };
        let body = json!({"act": "observe", "before_adoption": true});
        self.note(EntryKind::Receipt, None, what, body, reason, self.clock.now())
    }

    /// Gives a key another certificate: the key is opened to sign it. A refusal, whatever its cause, is on record.
    pub fn certify(
        &mut self,
        key: &KeyId,
        certify: Certifier<'_>,
        confirmed: &Confirmed,
        reason: Option<&str>,
        prompt: &mut dyn Prompt,
    ) -> Result<u64, Fault> {
        let ready = self.catalogue.record(key).and_then(|record| {
            let unsigned = certify(&record.public()?)?;
            let sealed = self.catalogue.sealed(&record)?;
            let opener = work::opener(&record, key, prompt)?;
            self.may_intend()?;
            Ok((Ready { record, sealed, opener }, unsigned))
        });
        let (Ready { record, sealed, opener }, unsigned) = ready.map_err(|fault| {
            let about = json!({"key": key.to_string(), "reason": reason});
            self.deny("renew-certificate", &about, fault.but("no certificate was made"))
        })?;
        let octets = Digest::of(unsigned.octets());
        let body = json!({
            "act": "renew-certificate",
            "key": key.to_string(),
            "request": confirmed.request().to_string(),
            "confirmed": confirmed.how(),
        });
        let body = entries::with_operator(body, reason, &self.operator);
        let now = self.clock.now();
        let permit = self.ledger.intend(&key.to_string(), &octets, &body, now)?;
        let intent = permit.index();
        let certificate = match work::certify(&permit, &record, &sealed, opener, unsigned) {
            Ok(certificate) => certificate,
            Err(stopped) => {
                let fault = stop(&mut self.catalogue, permit, stopped, self.clock.now())?;
                return Err(fault.but("no certificate was made"));
            }
        };
        let document = certificate_of(&certificate.pem, certificate.until);
        let outcome = json!({"result": "certified", "certificate": document.digest});
        let what = What::Certified { key: key.to_string(), certificate: document };
        close(&mut self.catalogue, permit, what, outcome, self.clock.now())?;
        disk::replace(&self.catalogue.path(key, "cert.pem"), &certificate.pem).map_err(|fault| {
            fault.but(&format!("the certificate is recorded as entry {intent}, and not kept: make another"))
        })?;
        Ok(intent)
    }

    /// Writes a line of the journal and the entry that it belongs to; `re`: the intent that this closes.
    pub(super) fn note(
        &mut self,
        kind: EntryKind,
        re: Option<u64>,
        what: What,
        body: Value,
        reason: Option<&str>,
        now: Instant,
    ) -> Result<u64, Fault> {
        let what = lists::fit(what, &self.catalogue.ledger_folder())?;
        let noted = Noted { entry: self.ledger.len(), time: self.ledger.time(now).to_string(), what };
        let body = entries::with_operator(body, reason, &self.operator);
        enter(&mut self.catalogue, &noted, body, |body, journal| {
            self.ledger.append_noted(kind, re, body, Some(journal), now)
        })
    }

    /// Refuses what would hinder an intent and its outcome: a clock that is behind, intents that are open, a disk without room
    /// for the line of the outcome.
    pub(super) fn may_intend(&self) -> Result<(), Fault> {
        self.ledger.may_intend(self.clock.now())?;
        self.catalogue.journal()?.reserve()
    }

    /// Overwrites and removes the sealed files of keys that the ledger has as destroyed.
    pub(super) fn forget_destroyed(&self) -> Result<(), Fault> {
        for noted in self.catalogue.journal()?.lines() {
            let What::Moved { key, act, .. } = &noted.what else { continue };
            if act == Move::Destroy.name() {
                let path = self.catalogue.path(&key.parse()?, "key.age");
                if disk::exists(&path) {
                    disk::destroy(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Where an artefact was seen, or who says so.
fn source(receipt: &Receipt) -> (Option<String>, Option<String>) {
    match &receipt.from {
        Source::Point(url) => (Some(url.clone()), None),
        Source::Said(words) => (None, Some(words.clone())),
    }
}

/// A certificate as the journal has it: it introduces its own key.
pub(super) fn certificate_of(pem: &[u8], until: Option<Instant>) -> Document {
    Document::new("certificate", Digest::of(pem), until, &Lists::Own)
}

/// Closes an intent with a line of the journal. Where that fails, the intent stays open: a key was used, or may have been.
pub(super) fn close(
    catalogue: &mut Catalogue,
    permit: SignPermit<'_>,
    what: What,
    outcome: Value,
    now: Instant,
) -> Result<(), Fault> {
    let what = lists::fit(what, &catalogue.ledger_folder())?;
    let (entry, intent) = (permit.outcome_index(), permit.index());
    let noted = Noted { entry, time: permit.outcome_time(now).to_string(), what };
    let closed = enter(catalogue, &noted, outcome, |body, journal| permit.outcome_noted(body, journal, now));
    closed.map(drop).map_err(|fault| {
        fault
            .but(&format!("what became of entry {intent} is not on record, and it stays open"))
            .hint("see to the disk, then close it: `fedroot ledger recover --reason TEXT`")
    })
}

/// Closes an intent of which nothing came: with a denial where the key was not opened, else with an outcome. Yields why.
pub(super) fn stop(
    catalogue: &mut Catalogue,
    permit: SignPermit<'_>,
    stopped: Stopped,
    now: Instant,
) -> Result<Fault, Fault> {
    let Stopped { fault, was_open } = stopped;
    if was_open {
        close(catalogue, permit, What::Nothing {}, entries::failed(&fault), now)?;
    } else {
        permit.denied(&entries::refused(&fault), now)?;
    }
    Ok(fault)
}

/// An entry that has a line in the journal: the line is durable first and stands inside the entry as well, from which an auditor
/// makes the journal anew; then comes the entry, with the digest of the journal; then the line holds.
fn enter(
    catalogue: &mut Catalogue,
    noted: &Noted,
    mut body: Value,
    append: impl FnOnce(&Value, Digest) -> Result<Appended, Fault>,
) -> Result<u64, Fault> {
    let line = serde_json::to_value(noted).map_err(|e| journal::damaged(&e.to_string()))?;
    if let Some(members) = body.as_object_mut() {
        members.insert(journal::MEMBER.into(), line);
    }
    let journal = catalogue.journal_mut()?;
    let digest = journal.write(noted)?;
    let entry = append(&body, digest)?.index;
    journal.hold();
    Ok(entry)
}
