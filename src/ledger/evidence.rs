//! Proofs as files (C2SP tlog-proof): that an entry is in the ledger, and, where it is opened, what it says.
//!
//! The extra data of the proof is the line, and for an opened entry the blind and the plaintext of its commitment; between
//! them, for one document of a batch, its place in the list that the entry has the root of. Nothing in it is trusted: the
//! line is what the proof of inclusion is for, and the rest must fit its commitment.

use std::collections::BTreeSet;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::base::bytes::{Digest, base64, from_base64};
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::recipient::Identities;

use super::chain::survey;
use super::entry::{Line, array};
use super::proof::{Plan, Whole, root_of};
use super::records::{Records, Seals};
use super::session::{Opening, open, unwrap};
use super::tree::{Hash, leaf};
use super::{Checkpoint, EntryKind, FORK, Ledger, NO_ENTRY, Note, PROOF, SEALED, TRUNCATED, VerifierKey};

const FIRST: &str = "c2sp.org/tlog-proof@v1\n";
/// More hashes than a tree of 2^63 leaves needs.
const PATH_MAX: usize = 63;
/// What the place of a document begins with. The plaintext that may stand there instead is JSON, and begins otherwise.
const DOCUMENT: &str = "document ";

/// That an entry is in the ledger, with its line and what opens it, as a file that stands for itself.
pub struct Evidence {
    pub(super) note: Note,
    pub(super) index: u64,
    pub(super) path: Vec<Hash>,
    pub(super) line: Vec<u8>,
    pub(super) opening: Option<Opening>,
    pub(super) document: Option<Place>,
}

/// Where a document stands among those of a batch, and the proof of it (RFC 6962, section 2.1.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    index: u64,
    path: Vec<Hash>,
}

/// What a proof says once it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// The entry.
    pub index: u64,
    /// What it records.
    pub kind: EntryKind,
    /// The time that it claims.
    pub time: Instant,
    /// The intent that it closes.
    pub re: Option<u64>,
    /// What it says, where the proof opens it.
    pub body: Option<Value>,
    /// Which document of a batch the proof is of.
    pub document: Option<Place>,
}

impl Proved {
    /// Whether the entry records the signature of the document with this digest.
    pub fn is_of(&self, document: Digest) -> bool {
        let Some(body) = self.body.as_ref().filter(|_| self.kind == EntryKind::Outcome) else { return false };
        let says = |name: &str| body.get(name).and_then(Value::as_str);
        let is_it = match &self.document {
            None => says("artefact") == Some(document.to_string().as_str()),
            Some(place) => {
                let count = body.get("count").and_then(Value::as_u64).unwrap_or_default();
                let root = root_of(place.index, count, leaf(document.as_bytes()), &place.path);
                root.is_some() && root == says("root").and_then(array)
            }
        };
        is_it && says("result") == Some("signed")
    }
}

impl Evidence {
    /// The file.
    pub fn text(&self) -> String {
        let mut extra = self.line.clone();
        if let Some(opening) = &self.opening {
            extra.extend(format!("\n{}\n", base64(&opening.blind)).as_bytes());
            if let Some(Place { index, path }) = &self.document {
                let path = path.iter().flat_map(|hash| [" ".to_owned(), base64(hash)]);
                extra.extend(format!("{DOCUMENT}{index}{}\n", path.collect::<String>()).as_bytes());
            }
            extra.extend(opening.plaintext.iter());
        }
        let (path, note) = (lines(&self.path), self.note.text());
        format!("{FIRST}extra {}\nindex {}\n{path}\n{note}", base64(&extra), self.index)
    }

    /// Reads a proof and checks that it fits together. Whether its checkpoint is to be trusted is another question.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Proved), Fault> {
        let text = str::from_utf8(bytes).map_err(|_| PROOF.fault("it is not a proof: it is not text"))?;
        let evidence = Self::read(text)?.ok_or_else(|| {
            PROOF
                .fault("it is not a proof in the format c2sp.org/tlog-proof@v1 with an entry of a ledger")
                .hint("`fedroot ledger prove` and `disclose` write one; give the file as it came")
        })?;
        let proved = evidence.proved()?;
        Ok((evidence, proved))
    }

    fn read(text: &str) -> Result<Option<Self>, Fault> {
        let Some((head, note)) = text.strip_prefix(FIRST).and_then(|rest| rest.split_once("\n\n")) else {
            return Ok(None);
        };
        let note = Note::parse(note.as_bytes())?;
        let read = || {
            let mut lines = head.split('\n');
            let extra = from_base64(lines.next()?.strip_prefix("extra ")?)?;
            let index = number(lines.next()?.strip_prefix("index ")?)?;
            let path = path(lines)?;
            let mut parts = extra.splitn(3, |&byte| byte == b'\n');
            let line = parts.next()?.to_vec();
            let (opening, document) = match (parts.next(), parts.next()) {
                (None, _) => (None, None),
                (Some(_), None) => return None,
                (Some(blind), Some(rest)) => {
                    let blind = array(str::from_utf8(blind).ok()?)?;
                    let (document, plaintext) = place(rest)?;
                    (Some(Opening { blind, plaintext: Zeroizing::new(plaintext.to_vec()) }), document)
                }
            };
            Some(Self { note: note.clone(), index, path, line, opening, document })
        };
        Ok(read())
    }

    fn proved(&self) -> Result<Proved, Fault> {
        let line =
            Line::parse(&self.line).map_err(|_| PROOF.fault("the proof holds no entry of a ledger"))?;
        let checkpoint = &self.note.checkpoint;
        let root = root_of(self.index, checkpoint.size, leaf(&self.line), &self.path);
        if line.index != self.index || root != Some(checkpoint.root) {
            return Err(PROOF.fault(format!(
                "entry {} is not in the ledger that the checkpoint of {} entries speaks of",
                self.index, checkpoint.size
            )));
        }
        let body = match &self.opening {
            None => None,
            Some(opening) => Some(opening.body(&line).ok_or_else(|| {
                PROOF.fault(format!("what is disclosed is not what entry {} says", self.index))
            })?),
        };
        let document = self.document.clone();
        Ok(Proved { index: line.index, kind: line.kind, time: line.time, re: line.re, body, document })
    }

    /// The proofs of the documents of a batch, from that of its outcome: in the order of the list that the outcome has the
    /// root of.
    pub fn of_documents(mut self, documents: &[Digest]) -> impl FnMut(usize) -> String + use<> {
        let tree = Whole::new(documents);
        move |place| {
            self.document = Some(Place { index: place as u64, path: tree.path(place) });
            self.text()
        }
    }

    /// The checkpoint that the proof leads to.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.note.checkpoint
    }

    /// The note of that checkpoint.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Leaves out what opens the entry.
    pub fn close(&mut self) {
        (self.opening, self.document) = (None, None);
    }
}

/// A number, as it is written here.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|read: &u64| read.to_string() == text)
}

fn path<'a>(hashes: impl Iterator<Item = &'a str>) -> Option<Vec<Hash>> {
    let path: Vec<Hash> = hashes.take(PATH_MAX + 1).map(array).collect::<Option<_>>()?;
    (path.len() <= PATH_MAX).then_some(path)
}

/// The place of a document, where there is one, and what follows it.
fn place(bytes: &[u8]) -> Option<(Option<Place>, &[u8])> {
    let Some(rest) = bytes.strip_prefix(DOCUMENT.as_bytes()) else { return Some((None, bytes)) };
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let mut words = str::from_utf8(rest.get(..end)?).ok()?.split(' ');
    let place = Place { index: number(words.next()?)?, path: path(words)? };
    Some((Some(place), rest.get(end + 1..)?))
}

/// Hashes, one to a line.
pub(super) fn lines(hashes: &[Hash]) -> String {
    hashes.iter().flat_map(|hash| [base64(hash), "\n".to_owned()]).collect()
}

/// What a proof is held against.
#[derive(Default)]
pub struct Trust<'a> {
    /// Checkpoints that came over another channel.
    pub notes: &'a [Note],
    /// Keys of witnesses or logs.
    pub keys: &'a [VerifierKey],
    /// A copy of the ledger.
    pub log: Option<&'a Document>,
}

impl Trust<'_> {
    /// Refuses a proof whose checkpoint nothing trusted speaks for. Everything that is given has to agree.
    pub fn check(&self, evidence: &Evidence) -> Result<(), Fault> {
        let note = &evidence.note;
        let checkpoint = &note.checkpoint;
        let mut agreed = 0;
        for trusted in self.notes.iter().map(|note| &note.checkpoint) {
            if trusted.origin == checkpoint.origin && trusted.size == checkpoint.size {
                same(trusted, checkpoint)?;
                agreed += 1;
            }
        }
        for key in self.keys {
            key.check(note)?;
            agreed += 1;
        }
        if let Some(log) = self.log {
            check_against(log, std::slice::from_ref(note))?;
            agreed += 1;
        }
        if agreed > 0 {
            return Ok(());
        }
        Err(PROOF
            .fault(format!("nothing that is trusted speaks for the checkpoint of {} entries", checkpoint.size))
            .hint("give a checkpoint of this size that came over another channel, a copy of the ledger, or a witness's key"))
    }
}

fn same(trusted: &Checkpoint, other: &Checkpoint) -> Result<(), Fault> {
    if trusted == other {
        return Ok(());
    }
    Err(FORK.fault(format!(
        "two checkpoints of {} with {} entries have different roots: there are two histories",
        other.origin, other.size
    )))
}

/// Holds notes against a ledger: name, size, root, and the signature of the seal key of that size.
pub(super) fn check_against(log: &Document, notes: &[Note]) -> Result<(), Fault> {
    let sizes: BTreeSet<u64> = notes.iter().map(|note| note.checkpoint.size).collect();
    let (summary, marks) = survey(log, &sizes)?;
    for note in notes {
        check_mark(note, &summary.origin, summary.entries, &marks)?;
    }
    Ok(())
}

/// The same, when the ledger has been read already.
pub(super) fn check_mark(
    note: &Note,
    origin: &str,
    entries: u64,
    marks: &super::chain::Marks,
) -> Result<(), Fault> {
    let found = &note.checkpoint;
    if found.origin != origin {
        return Err(FORK
            .fault(format!("the checkpoint is of the ledger {}, and this is {origin}", found.origin))
            .hint("name the checkpoint that belongs to this ledger"));
    }
    let Some(mark) = marks.get(&found.size) else {
        return Err(TRUNCATED
            .fault(format!("the checkpoint knows {} entries, and the ledger has {entries}", found.size))
            .hint("entries are missing: look for them in mirrors and backups, and tell an auditor"));
    };
    if mark.root != found.root {
        return Err(FORK
            .fault(format!("the first {} entries are not those that the checkpoint speaks of", found.size))
            .hint("there are two histories: keep both, and tell an auditor"));
    }
    note.check_seal(&mark.key)
}

/// Proves an entry against a checkpoint, from a log that holds both; with identities the proof opens it.
pub fn prove(
    log: &Document,
    note: &Note,
    index: u64,
    identities: Option<&Identities>,
) -> Result<Evidence, Fault> {
    check_against(log, std::slice::from_ref(note))?;
    let size = note.checkpoint.size;
    let missing = || {
        NO_ENTRY
            .fault(format!(
                "entry {index} is not among the {size} that the checkpoint covers, the first being entry 0"
            ))
            .hint("make a newer checkpoint with `fedroot ledger checkpoint`, or name one with --checkpoint")
    };
    let mut plan = Plan::inclusion(index, size).ok_or_else(missing)?;
    let mut records = Records::with(log.reader(), Seals::Never);
    let (mut key, mut line, mut opening, mut at) = (None, Vec::new(), None, 0);
    while at < size {
        let more = records.next(|it, tip| {
            plan.push(it.index, tip.leaf);
            if let (Some(envelope), Some(identities)) = (it.envelope, identities) {
                key = unwrap(envelope, identities);
            }
            if it.index == index {
                line = it.whole.to_vec();
                opening = key.as_ref().and_then(|key| open(key, it));
            }
        })?;
        if more.is_none() {
            break;
        }
        at += 1;
    }
    if identities.is_some() && opening.is_none() {
        return Err(SEALED
            .fault(format!("the identity does not open entry {index}"))
            .hint("give the identity of somebody who was an auditor when it was written"));
    }
    let path = plan.proof().ok_or_else(missing)?;
    Ok(Evidence { note: note.clone(), index, path, line, opening, document: None })
}

impl Ledger {
    /// A checkpoint of all entries, signed by the key of the next seal.
    pub fn checkpoint(&self) -> Note {
        let (origin, size, root) = (self.origin().to_owned(), self.len(), self.root());
        Note::sealed(Checkpoint { origin, size, root }, &self.state.seed)
    }

    /// The proof of the entry written last, which opens it. `None` before anything was written, and after a fault.
    pub fn evidence(&mut self) -> Option<Evidence> {
        let note = self.checkpoint();
        let newest = self.newest.take()?;
        let line = newest.line.strip_suffix(b"\n").unwrap_or(&newest.line).to_vec();
        let (index, path, opening) = (self.len() - 1, newest.path, Some(newest.opening));
        Some(Evidence { note, index, path, line, opening, document: None })
    }
}
