//! The ledger: encrypted, hash-chained, append-only. Anyone checks it without a secret; only auditors read it; who
//! appends cannot read. `docs/formats/ledger.md` says what stands in the files.
//!
//! No key use without a durable entry: [`Ledger::intend`] gives a [`SignPermit`] only after the intent is on the medium,
//! and whoever uses a key asks for one. The outcome follows; where it does not, everybody sees an open intent.
//!
//! The lines form a chain and a Merkle tree (RFC 6962) by the same hash, and each is sealed with Ed25519 under a key of
//! its own that is forgotten: what was written cannot be rewritten by who takes the machine later. That nothing is
//! missing at the end shows only against something that left the machine.

mod auditors;
mod chain;
mod compose;
mod cursor;
mod entry;
mod evidence;
pub mod export;
mod kind;
mod note;
mod parallel;
mod permit;
mod proof;
mod read;
mod records;
mod recover;
mod seal;
mod session;
mod state;
#[cfg(test)]
mod tests;
pub mod tiles;
mod tree;
mod witness;
mod writer;

pub use auditors::{Challenge, REWRAPPED_BYTES_MAX, Rewrapped, answer, digest, rewrap};
pub use chain::{
    Agreement, BREAKS_MAX, Break, Checked, Summary, fitting, open_log, verify, verify_chain, verify_copy,
    verify_document, verify_folder, verify_since,
};
pub use entry::Measure;
pub use evidence::{Evidence, Proved, Trust, prove};
pub use kind::EntryKind;
pub use note::{Checkpoint, NOTE_BYTES_MAX, Note, VerifierKey};
pub use permit::SignPermit;
pub use read::{Body, Entry, Reader, read, read_with};
pub use recover::{Recovered, Recovery, recover};
pub use state::Bound;
pub use tree::root_of;
pub use witness::{Request, Witness};
pub use writer::{Appended, KEEP, Ledger};

/// Somebody who can read the ledger: an X25519 recipient of age (C2SP age).
pub use crate::base::recipient::Recipient as Auditor;

use crate::base::append::SLOT;
use crate::base::fault::{Class, Code};

/// A ledger is there already.
pub const EXISTS: Code = Code::new("ledger.exists", Class::Environment, "the folder holds a ledger already");
/// There is no ledger, or its log is gone.
pub const MISSING: Code = Code::new("ledger.missing", Class::Ledger, "the ledger, or its log, is not there");
/// A line is not one, or a file is not the one that was opened.
pub const DAMAGED: Code =
    Code::new("ledger.damaged", Class::Ledger, "a line or a file of the ledger is damaged");
/// A seal is wrong.
pub const SEAL: Code = Code::new("ledger.seal", Class::Ledger, "the seal of an entry is wrong");
/// A line does not follow the one before.
pub const CHAIN: Code =
    Code::new("ledger.chain", Class::Ledger, "an entry does not follow the one before it");
/// An outcome belongs to no open intent, or too many intents are open.
pub const PAIR: Code =
    Code::new("ledger.pair", Class::Ledger, "an intent and what closes it do not belong together");
/// Lines that were there are missing.
pub const TRUNCATED: Code =
    Code::new("ledger.truncated", Class::Ledger, "entries are missing at the end of the ledger");
/// The last line is incomplete.
pub const TORN: Code = Code::new("ledger.torn", Class::Ledger, "the ledger ends in the middle of a line");
/// The state file is lost, damaged or old.
pub const STATE: Code =
    Code::new("ledger.state", Class::Ledger, "the state file is lost, damaged, or older than the ledger");
/// An earlier write failed.
pub const POISONED: Code =
    Code::new("ledger.poisoned", Class::Ledger, "an earlier write failed, and nothing is written after it");
/// The clock is behind the ledger.
pub const CLOCK: Code =
    Code::new("ledger.clock", Class::Refused, "the clock is behind the last entry of the ledger");
/// There are no auditors, or too many, or one cannot be used.
pub const AUDITOR: Code =
    Code::new("ledger.auditor", Class::Usage, "there are no auditors, too many, or one cannot be used");
/// The auditors are not those of the ledger.
pub const AUDITORS: Code =
    Code::new("ledger.auditors", Class::Ledger, "the auditors are not those that the ledger knows");
/// A text cannot name a ledger.
pub const ORIGIN: Code = Code::new("ledger.origin", Class::Usage, "a text cannot name a ledger");
/// An entry does not fit into a line.
pub const TOO_LARGE: Code =
    Code::new("ledger.too-large", Class::Usage, "an entry does not fit into one line");

/// Two histories under one name.
pub const FORK: Code =
    Code::new("ledger.fork", Class::Ledger, "a checkpoint and the ledger tell two different histories");
/// A checkpoint cannot be read, or nobody trusted signed it.
pub const NOTE: Code = Code::new(
    "ledger.note",
    Class::Refused,
    "a checkpoint cannot be read, or its signature is missing or wrong",
);
/// A proof does not prove it.
pub const PROOF: Code =
    Code::new("ledger.proof", Class::Refused, "a proof cannot be read, or does not prove what it should");
/// There is no such entry.
pub const NO_ENTRY: Code =
    Code::new("ledger.no-entry", Class::Usage, "the ledger has no entry with this number");
/// An entry cannot be opened.
pub const SEALED: Code = Code::new("ledger.sealed", Class::Secret, "no identity given opens the entry");

/// The codes of this room.
pub const CODES: &[&Code] = &[
    &EXISTS, &MISSING, &DAMAGED, &SEAL, &CHAIN, &PAIR, &TRUNCATED, &TORN, &STATE, &POISONED, &CLOCK,
    &AUDITOR, &AUDITORS, &ORIGIN, &TOO_LARGE, &FORK, &NOTE, &PROOF, &NO_ENTRY, &SEALED,
];

/// What the state file of a ledger tells who may not act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Newest {
    /// The newest entry that changes what is known of keys; none before the first.
    pub marked: Option<u64>,
    /// The digest of the journal, up to the line of the entry that it names: `marked`, or the one before that.
    pub bound: Option<Bound>,
}

/// Reads it; nothing, where there is no whole state file. A line that a crash left between the log and the state file counts:
/// whoever acts next takes it up.
pub fn newest(folder: &std::path::Path) -> Option<Newest> {
    let bytes = crate::base::disk::read_private(&folder.join(STATE_FILE), STATE_BYTES).ok()?;
    let state = state::State::newest(&zeroize::Zeroizing::new(bytes)).ok()?;
    let marked = left(folder, &state).unwrap_or(state.tip.marked);
    Some(Newest { marked: marked.checked_sub(1), bound: state.bound })
}

/// Refuses a clock that is behind the last entry of the ledger in a folder; nothing, where that entry is not known.
pub fn check_clock(
    folder: &std::path::Path,
    now: crate::base::clock::Instant,
) -> Result<(), crate::base::fault::Fault> {
    last_time(folder).or(Ok(now)).and_then(|last| writer::check_clock(last, now))
}

/// What stands in the way of the next entry, as far as it shows without touching anything: the state file, the end of the log,
/// the clock.
///
/// # Errors
/// That.
pub fn check_next(
    folder: &std::path::Path,
    now: crate::base::clock::Instant,
) -> Result<(), crate::base::fault::Fault> {
    if !crate::base::disk::exists(&folder.join(STATE_FILE)) {
        return Err(STATE.fault("the ledger's state is gone: nothing can be signed").hint(
            "put ledger/state back; where it is lost: `fedroot ledger recover --acknowledge --reason TEXT`",
        ));
    }
    writer::check_clock(last_time(folder)?, now)
}

fn last_time(folder: &std::path::Path) -> Result<crate::base::clock::Instant, crate::base::fault::Fault> {
    let bytes = crate::base::disk::read_private(&folder.join(STATE_FILE), STATE_BYTES)?;
    let state = state::State::newest(&zeroize::Zeroizing::new(bytes))?;
    writer::last_time(&crate::base::append::Growing::open(&folder.join(LOG))?, &state)
}

/// What the one whole line behind those of the state file marks, where there is one that follows them.
fn left(folder: &std::path::Path, state: &state::State) -> Option<u64> {
    let log = crate::base::append::Growing::open(&folder.join(LOG)).ok()?;
    let extra = usize::try_from(log.length().checked_sub(state.bytes)?).ok()?;
    if extra == 0 || extra > entry::LINE_MAX + 1 {
        return None;
    }
    let bytes = log.read(state.bytes, extra).ok()?;
    let line = bytes.strip_suffix(b"\n").filter(|line| !line.contains(&b'\n'))?;
    Some(state.after(line, None).ok()?.tip.marked)
}

/// Forgets the digest of the journal, which was made anew: whoever acts next keeps another. Only under the lock.
pub fn unbind(
    _: &crate::base::disk::Lock,
    folder: &std::path::Path,
) -> Result<(), crate::base::fault::Fault> {
    let slots = crate::base::append::Slots::open(&folder.join(STATE_FILE))?;
    let state = state::State::newest(&zeroize::Zeroizing::new(slots.read()?))?;
    let next = state::State { bound: None, ..state.again() };
    slots.turn(next.is_second(), &next.encode())
}

/// Keeps every writer away from the ledger in this folder until the lock is dropped.
pub fn lock(folder: &std::path::Path) -> Result<crate::base::disk::Lock, crate::base::fault::Fault> {
    crate::base::disk::Lock::take(&folder.join(LOCK))
}

/// The name of the log in the folder of a ledger: the file that others may have.
pub const LOG: &str = "ledger.jsonl";
/// The folder of the checkpoints that left the machine.
pub const CHECKPOINTS: &str = "checkpoints";
const STATE_FILE: &str = "state";
const LOCK: &str = "lock";
const STATE_BYTES: u64 = 2 * SLOT as u64;
