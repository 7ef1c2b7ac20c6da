//! Checking a ledger without any secret, in one pass and constant memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;

use super::entry::Measure;
use super::evidence::check_mark;
use super::parallel;
use super::records::{Records, Seals};
use super::state::State;
use super::tree::Hash;
use super::{EntryKind, LOG, MISSING, Note, STATE_BYTES, STATE_FILE};

/// What a check of a ledger found. It says that the lines are consistent with each other, never that they are all: a
/// copy without its last lines is consistent too, until it is held against a checkpoint from elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summary {
    /// The name of the ledger.
    pub origin: String,
    /// The number of entries.
    pub entries: u64,
    /// The leaf hash of the last line.
    pub head: [u8; 32],
    /// The root of the Merkle tree over all lines (RFC 6962, section 2.1).
    pub root: [u8; 32],
    /// The time that the first entry claims.
    pub first: Instant,
    /// The time that the last entry claims.
    pub last: Instant,
    /// The intents without an outcome, in order.
    pub open: Vec<u64>,
    /// How many sessions wrote it.
    pub sessions: u64,
    /// How many entries claim an earlier time than the one before.
    pub clock_steps_back: u64,
    /// The last of those entries.
    pub last_step_back: Option<u64>,
    /// How often a torn write was closed off.
    pub recoveries: u64,
    /// How many breaks custodians acknowledged.
    pub reseals: u64,
    /// The recoveries and reseals, in order; of more than [`BREAKS_MAX`], the last.
    pub breaks: Vec<Break>,
}

/// So many recoveries and reseals are told one by one.
pub const BREAKS_MAX: usize = 128;

/// A place where the ledger did not simply go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Break {
    /// The entry that tells of it: a recovery or a reseal.
    pub index: u64,
    /// Which of both.
    pub kind: EntryKind,
    /// The time that it claims.
    pub time: Instant,
    /// On reseal: the entries and the root that the writer knew, where it still knew them.
    pub known: Option<Measure>,
    /// The bytes before it that are no entry, and their SHA-256.
    pub junk: Option<Measure>,
}

/// What comes of holding a log against the state file beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Agreement {
    /// The state file is not there, or not readable for us.
    NotCompared,
    /// Both end with the same entry.
    Same,
    /// The log has so many entries more: one is what a crash leaves, and the next opening takes it up; more, what somebody
    /// else is writing.
    LogLonger(u64),
    /// The log has so many entries more than a state file that stays as it is: an old copy.
    StateOlder(u64),
    /// The log lacks so many entries.
    LogShorter(u64),
    /// The entries that the state file knows are not those of the log.
    Differs,
}

/// Checks shape, links, seals and the pairing of intents of a whole ledger.
pub fn verify(source: impl Read) -> Result<Summary, Fault> {
    Records::new(source).run()
}

/// Checks the same but for the seals: as fast as the bytes can be hashed, and enough below a checkpoint that is trusted.
pub fn verify_chain(source: impl Read) -> Result<Summary, Fault> {
    Records::with(source, Seals::Never).run()
}

/// Checks a whole ledger with all cores.
pub fn verify_document(log: &Document) -> Result<Summary, Fault> {
    Ok(survey(log, &BTreeSet::new())?.0)
}

/// Opens the log of the ledger in a folder, to read it.
///
/// # Errors
/// [`MISSING`]: it is not there.
pub fn open_log(folder: &Path) -> Result<Document, Fault> {
    let path = folder.join(LOG);
    if !disk::exists(&path) {
        return Err(MISSING
            .fault(format!("the ledger is gone: {} is not there", path.display()))
            .hint("put a copy of it there, from a mirror or a backup, and tell an auditor"));
    }
    Document::open(&path)
}

/// Checks the ledger in a folder without locking it, and holds it against the state file beside it.
pub fn verify_folder(folder: &Path) -> Result<(Summary, Agreement), Fault> {
    let (summary, agreement, _) = survey_folder(folder, BTreeSet::new())?;
    Ok((summary, agreement))
}

/// What comes of a check against checkpoints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// What the ledger is.
    pub summary: Summary,
    /// How it agrees with the state file.
    pub agreement: Agreement,
    /// Up to so many entries it is complete, by the largest of the checkpoints from elsewhere.
    pub complete: Option<u64>,
    /// The checkpoints kept beside the ledger from which it goes on.
    pub kept: Vec<Note>,
    /// Those that speak of entries which were lost when people acknowledged a break.
    pub lost: Vec<Note>,
}

/// Checks the ledger in a folder, and holds it against checkpoints from elsewhere and those kept beside it: it must go on
/// from each of them.
pub fn verify_since(folder: &Path, since: &[Note], beside: Vec<Note>) -> Result<Checked, Fault> {
    let sizes = since.iter().chain(&beside).map(|note| note.checkpoint.size).collect();
    let (summary, agreement, marks) = survey_folder(folder, sizes)?;
    for note in since {
        check_mark(note, &summary.origin, summary.entries, &marks)?;
    }
    let complete = since.iter().map(|note| note.checkpoint.size).max();
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for note in beside {
        let is_behind = |it: &Break| it.kind == EntryKind::Reseal && it.index < note.checkpoint.size;
        match check_mark(&note, &summary.origin, summary.entries, &marks) {
            Ok(()) => kept.push(note),
            Err(_) if summary.breaks.iter().any(is_behind) => lost.push(note),
            Err(fault) => return Err(fault),
        }
    }
    Ok(Checked { summary, agreement, complete, kept, lost })
}

/// Checks a copy of a ledger, which has no state beside it, and holds it against checkpoints from elsewhere.
pub fn verify_copy(log: &Document, since: &[Note]) -> Result<Checked, Fault> {
    let (summary, marks) = survey(log, &since.iter().map(|note| note.checkpoint.size).collect())?;
    for note in since {
        check_mark(note, &summary.origin, summary.entries, &marks)?;
    }
    let complete = since.iter().map(|note| note.checkpoint.size).max();
    Ok(Checked { summary, agreement: Agreement::NotCompared, complete, kept: vec![], lost: vec![] })
}

/// Those of the checkpoints that a log goes on from; seals are not checked.
pub fn fitting(log: &Document, mut notes: Vec<Note>) -> Result<Vec<Note>, Fault> {
    let sizes = notes.iter().map(|note| note.checkpoint.size).collect();
    let marks = walk(&mut Records::with(log.reader(), Seals::Never), &sizes, &mut |_| ())?;
    notes.retain(|note| {
        marks.get(&note.checkpoint.size).is_some_and(|mark| mark.root == note.checkpoint.root)
    });
    Ok(notes)
}

/// What a ledger was at one size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) root: Hash,
    /// The key that seals the next entry, and checkpoints of this size.
    pub(super) key: [u8; 32],
}

/// What a ledger was at several sizes.
pub(super) type Marks = BTreeMap<u64, Mark>;

/// [`verify_folder`], and what the ledger was at these sizes.
pub(super) fn survey_folder(
    folder: &Path,
    mut sizes: BTreeSet<u64>,
) -> Result<(Summary, Agreement, Marks), Fault> {
    // Before the log: lines that come while we read make it longer, never shorter.
    let read_state = || {
        let bytes = disk::read_private(&folder.join(STATE_FILE), STATE_BYTES).ok()?;
        State::newest(&bytes).ok()
    };
    let state = read_state();
    let log = open_log(folder)?;
    sizes.extend(state.as_ref().map(|state| state.tip.tree.size()));
    let (summary, marks) = survey(&log, &sizes)?;
    let agreement = state.map_or(Agreement::NotCompared, |state| {
        let (known, found) = (state.tip.tree.size(), summary.entries);
        let longer = |by| {
            let is_moving = || read_state().is_none_or(|now| now.generation != state.generation);
            if by == 1 || is_moving() { Agreement::LogLonger(by) } else { Agreement::StateOlder(by) }
        };
        match marks.get(&known) {
            None if known == 0 => longer(found),
            None => Agreement::LogShorter(known - found),
            Some(mark) if mark.root != state.tip.tree.root() || state.origin != summary.origin => {
                Agreement::Differs
            }
            Some(_) if found > known => longer(found - known),
            Some(_) => Agreement::Same,
        }
    });
    Ok((summary, agreement, marks))
}

/// Checks a whole ledger with all cores, and notes what it was at these sizes.
pub(super) fn survey(log: &Document, sizes: &BTreeSet<u64>) -> Result<(Summary, Marks), Fault> {
    let quick = parallel::check(|check| {
        let mut records = Records::with(log.reader(), Seals::Later(Vec::new()));
        let marks = walk(&mut records, sizes, check)?;
        Ok((records.summary()?, marks))
    });
    if let Some(found) = quick {
        return Ok(found);
    }
    // Something is wrong: entry by entry, to say what and where, and which bytes a later entry accounts for.
    let mut records = Records::new(log.reader());
    let marks = walk(&mut records, sizes, &mut |_| ())?;
    Ok((records.summary()?, marks))
}

fn walk<R: Read>(
    records: &mut Records<R>,
    sizes: &BTreeSet<u64>,
    check: &mut dyn FnMut(Vec<parallel::Sealed>),
) -> Result<Marks, Fault> {
    let mut marks = Marks::new();
    while let Some(size) = records.next(|_, tip| tip.tree.size())? {
        if sizes.contains(&size) {
            // Without a look at the seals there is no key, and nobody asks for it.
            let key = records.key.unwrap_or_default();
            marks.insert(size, Mark { root: records.tip.tree.root(), key });
        }
        if let Some(batch) = records.batch() {
            check(batch);
        }
    }
    check(records.rest());
    Ok(marks)
}
