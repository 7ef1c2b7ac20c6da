//! Witnesses: machines that remember how large a ledger was, and sign only what goes on from there (C2SP tlog-witness).

use std::collections::BTreeSet;

use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::secret::Secret;

use super::chain::survey;
use super::entry::array;
use super::evidence::{check_mark, lines};
use super::note::{Signature, cosign};
use super::proof::{Plan, is_consistent};
use super::records::{Records, Seals};
use super::seal::Seed;
use super::tree::Hash;
use super::{Checkpoint, FORK, NO_ENTRY, NOTE, Note, PROOF, VerifierKey};

const PATH_MAX: usize = 63;

/// The body of an `add-checkpoint` request: a checkpoint, and the proof that it goes on from an older size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The size that the witness is expected to know.
    pub old: u64,
    proof: Vec<Hash>,
    /// The checkpoint to be signed.
    pub note: Note,
}

impl Request {
    /// Makes a request from a log that holds the checkpoint.
    pub fn new(log: &Document, note: &Note, old: u64) -> Result<Self, Fault> {
        let size = note.checkpoint.size;
        let missing =
            || NO_ENTRY.fault(format!("there is no size {old} before the checkpoint of {size} entries"));
        let mut plan = Plan::consistency(old, size).ok_or_else(missing)?;
        let mut records = Records::with(log.reader(), Seals::Never);
        while records.tip.tree.size() < size {
            let more = records.next(|line, tip| plan.push(line.index, tip.leaf))?;
            more.ok_or_else(missing)?;
        }
        Ok(Self { old, proof: plan.proof().ok_or_else(missing)?, note: note.clone() })
    }

    /// The request as it is sent or carried.
    pub fn text(&self) -> String {
        format!("old {}\n{}\n{}", self.old, lines(&self.proof), self.note.text())
    }

    /// Reads a request, and nothing but a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let wrong = || {
            NOTE.fault("it is not a request to a witness: old size, proof, an empty line and a checkpoint were expected")
                .hint("`fedroot ledger witness request` writes one")
        };
        let text = str::from_utf8(bytes).map_err(|_| wrong())?;
        let (head, note) = text.split_once("\n\n").ok_or_else(wrong)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or_else(wrong)?;
        let old = old.parse::<u64>().ok().filter(|read| read.to_string() == old).ok_or_else(wrong)?;
        let proof: Vec<Hash> = lines.map(array).collect::<Option<_>>().ok_or_else(wrong)?;
        if proof.len() > PATH_MAX {
            return Err(wrong());
        }
        Ok(Self { old, proof, note: Note::parse(note.as_bytes())? })
    }
}

/// A witness: its name and its key.
pub struct Witness {
    name: String,
    seed: Seed,
}

impl Witness {
    /// Takes up a witness with its secret.
    pub fn new(name: &str, secret: &Secret<[u8; 32]>) -> Self {
        Self { name: name.to_owned(), seed: Seed::new(*secret.expose()) }
    }

    /// What others trust it by.
    pub fn key(&self) -> VerifierKey {
        VerifierKey::witness(&self.name, self.seed.public())
    }

    /// Signs a checkpoint that goes on from the last one it signed for this ledger. What comes back must be durable, as the
    /// last one, before it leaves.
    pub fn sign(&self, request: &Request, last: Option<&Checkpoint>, now: Instant) -> Result<Note, Fault> {
        let new = &request.note.checkpoint;
        let (known, root) = last.map_or((0, Hash::default()), |last| (last.size, last.root));
        if last.is_some_and(|last| last.origin != new.origin) {
            return Err(FORK.fault("the checkpoint remembered is of another ledger"));
        }
        if new.size < known {
            return Err(FORK
                .fault(format!(
                    "{} had {known} entries when this witness last signed, and now {}",
                    new.origin, new.size
                ))
                .hint("entries were taken away: do not trust the ledger, and tell its auditors"));
        }
        if new.size == known && new.root != root {
            return Err(FORK
                .fault(format!("{} had other {known} entries when this witness last signed", new.origin))
                .hint("there are two histories: keep both checkpoints, and tell the auditors"));
        }
        if request.old != known {
            return Err(PROOF
                .fault(format!(
                    "the request goes on from {} entries, and this witness knows {known}",
                    request.old
                ))
                .hint(format!("make it again with `fedroot ledger witness request --old {known}`")));
        }
        if !is_consistent((known, root), (new.size, new.root), &request.proof) {
            return Err(FORK
                .fault(format!(
                    "the {} entries do not go on from the {known} that this witness signed",
                    new.size
                ))
                .hint("there are two histories: keep both checkpoints, and tell the auditors"));
        }
        let mut note = request.note.clone();
        note.signatures.push(cosign(new, &self.name, &self.seed, now));
        Ok(note)
    }
}

impl Note {
    /// This note with signature lines that a witness sent back: lines alone, or a whole note.
    pub fn with_reply(self, reply: &[u8]) -> Option<Self> {
        if let Ok(other) = Self::parse(reply) {
            return self.joined(&other).ok();
        }
        let text = str::from_utf8(reply).ok()?.strip_suffix('\n')?;
        let signatures = text.split('\n').map(Signature::parse).collect::<Option<_>>()?;
        let other = Self { checkpoint: self.checkpoint.clone(), signatures };
        self.joined(&other).ok()
    }

    /// Refuses a checkpoint that the key of its seal, as this log holds it, did not sign.
    pub fn check_against(&self, log: &Document) -> Result<(), Fault> {
        let (summary, marks) = survey(log, &BTreeSet::from([self.checkpoint.size]))?;
        check_mark(self, &summary.origin, summary.entries, &marks)
    }
}
