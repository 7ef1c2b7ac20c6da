//! Going on after a break: what a crash left is closed off and named; what was lost or changed is acknowledged by people.
//! The log only grows, and nothing that was written is taken away.

use std::path::Path;

use rand_core::CryptoRng;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::base::append::{Growing, SLOT, Slots};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::{self, Document, IO, Lock};
use crate::base::fault::{Class, Fault};
use crate::base::random::Random;

use super::chain::verify_document;
use super::compose::Draft;
use super::entry::{Line, Measure, Repair};
use super::records::Records;
use super::seal::Seed;
use super::session::Session;
use super::state::State;
use super::writer::{as_damage, check_clock, last_time};
use super::{
    AUDITORS, Auditor, CHAIN, DAMAGED, EntryKind, LOCK, LOG, Ledger, MISSING, STATE, STATE_FILE, TORN,
    TRUNCATED,
};

/// Of more bytes behind the last entry it is not asked whether they are what a crash leaves.
const TAIL_BYTES_MAX: u64 = 1 << 24;
const COPY: &str = "put a copy of the log there, from a mirror or a backup, then run this again";
const ACKNOWLEDGE: &str = "look for the missing entries in mirrors and backups; then go on from what is there with \
    `fedroot ledger recover --acknowledge --reason TEXT`, which every later check will tell";

/// What recovering did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recovered {
    /// Nothing: log and state agree.
    Nothing,
    /// The entry that a crash had left was taken up.
    TakenUp(u64),
    /// The bytes of a torn write were closed off, and this entry names them.
    ClosedOff {
        /// The recovery entry.
        index: u64,
        /// The bytes and their SHA-256.
        junk: Measure,
    },
    /// A break was acknowledged, and this entry begins anew.
    Resealed {
        /// The reseal entry.
        index: u64,
        /// Entries and root that the state file knew, where it could be read.
        known: Option<Measure>,
        /// What stands before it and is no entry.
        junk: Option<Measure>,
    },
}

/// What is to be recovered, by whom.
pub struct Recovery<'a> {
    /// The folder of the ledger.
    pub folder: &'a Path,
    /// The name that the ledger must have.
    pub origin: &'a str,
    /// Who reads from here on.
    pub auditors: &'a [Auditor],
    /// What a new entry says besides what was found.
    pub about: &'a Map<String, Value>,
    /// Whether people acknowledge that entries are lost or changed, or that the clock was ahead of the right time.
    pub acknowledge: bool,
    /// The time.
    pub now: Instant,
    /// What is to be durable before a reseal with this index is: the line of a journal, whose digest comes back.
    pub before: &'a dyn Fn(u64) -> Result<Option<Digest>, Fault>,
}

/// What stands behind the last entry that the state knows.
enum Finding {
    Nothing,
    /// The next line; its line feed may lack.
    Line {
        is_ended: bool,
    },
    /// A recovery that the state does not know yet; its line feed may lack.
    Closed {
        junk: Measure,
        line: Vec<u8>,
        is_ended: bool,
    },
    /// What a torn write leaves.
    Torn(Vec<u8>),
    Broken(Fault),
}

/// Recovers a ledger whose log and state disagree.
pub fn recover(recovery: &Recovery<'_>, mut random: Box<dyn CryptoRng + Send>) -> Result<Recovered, Fault> {
    let folder = recovery.folder;
    let (path, state_path) = (folder.join(LOG), folder.join(STATE_FILE));
    disk::check_private(folder)?;
    let session = Session::begin(random.array(), recovery.auditors)?;
    let lock = Lock::take(&folder.join(LOCK))?;
    if !disk::exists(&path) {
        return Err(MISSING.fault(format!("{} is gone", path.display())).hint(COPY));
    }
    let log = Growing::open(&path).map_err(as_damage)?;
    let (state, trouble) = match read_state(&state_path) {
        Ok(state) if state.origin != recovery.origin => {
            return Err(STATE
                .fault(format!("the state file belongs to the ledger {}", state.origin))
                .hint("put the state file of this ledger back, or move this one away and run this again"));
        }
        Ok(state) => match look(&path, &log, &state)? {
            Finding::Broken(trouble) => (Some(state), trouble.at(path.display())),
            Finding::Nothing if recovery.acknowledge => {
                // All that people may still have to acknowledge is that the clock was ahead.
                match check_clock(last_time(&log, &state)?, recovery.now) {
                    Ok(()) => return Ok(Recovered::Nothing),
                    Err(trouble) => (Some(state), trouble),
                }
            }
            finding => return mend(finding, attach(recovery, log, state, session, random, lock)?, recovery),
        },
        Err(fault) if fault.code() == &STATE => (None, fault.at(state_path.display())),
        Err(fault) => return Err(fault),
    };
    if !recovery.acknowledge {
        return Err(trouble.hint(ACKNOWLEDGE));
    }
    let (found, end, last) = longest(&path, recovery.origin)?;
    let journal = (recovery.before)(found.tree.size())?;
    let known = state.as_ref().map(|it| Measure { count: it.tip.tree.size(), hash: it.tip.tree.root() });
    if state.is_none() {
        disk::replace(&state_path, &[0; 2 * SLOT])?;
    }
    let fresh = State {
        generation: state.map_or(0, |state| state.generation),
        bytes: end,
        tip: found,
        ..State::new(recovery.origin, session.auditors, Seed::new(random.array()))
    };
    let (lead, junk) = measure(&log, end)?;
    let slots = Slots::open(&state_path).map_err(as_damage)?;
    let mut ledger = Ledger::at((log, slots, fresh), last, session, random, lock);
    let repair = Repair { key: Some(ledger.state.seed.public()), known, junk };
    let body = describe(recovery, trouble.message());
    let draft = Draft { repair, journal, ..Draft::new(EntryKind::Reseal, &body, recovery.now) };
    let index = ledger.record_behind(&draft, lead, Some(0))?.index;
    Ok(Recovered::Resealed { index, known, junk })
}

fn read_state(path: &Path) -> Result<State, Fault> {
    if !disk::exists(path) {
        return Err(STATE.fault("it is gone"));
    }
    State::newest(&Zeroizing::new(Slots::open(path).map_err(as_damage)?.read()?))
}

fn attach(
    recovery: &Recovery<'_>,
    log: Growing,
    state: State,
    session: Session,
    random: Box<dyn CryptoRng + Send>,
    lock: Lock,
) -> Result<Ledger, Fault> {
    if state.auditors != session.auditors {
        return Err(AUDITORS.fault("the auditors named are not those that the ledger knows"));
    }
    let slots = Slots::open(&recovery.folder.join(STATE_FILE)).map_err(as_damage)?;
    let last = last_time(&log, &state)?;
    Ok(Ledger::at((log, slots, state), last, session, random, lock))
}

/// Looks at a log and its state, and where their ends agree at all between.
fn look(path: &Path, log: &Growing, state: &State) -> Result<Finding, Fault> {
    let found = examine(log, state)?;
    if !matches!(found, Finding::Nothing) {
        return Ok(found);
    }
    match verify_document(&Document::open(path)?) {
        Ok(_) => Ok(found),
        Err(fault) if fault.code().class == Class::Ledger => Ok(Finding::Broken(fault)),
        Err(fault) => Err(fault),
    }
}

/// Looks at what a log has beyond its state.
fn examine(log: &Growing, state: &State) -> Result<Finding, Fault> {
    match last_time(log, state) {
        Ok(_) => {}
        Err(fault) if fault.code() == &TRUNCATED || fault.code() == &DAMAGED => {
            return Ok(Finding::Broken(fault));
        }
        Err(fault) => return Err(fault),
    }
    let extra = log.length() - state.bytes;
    let Some(count) = usize::try_from(extra).ok().filter(|_| extra <= TAIL_BYTES_MAX) else {
        let why = format!("{extra} bytes stand behind the last entry that this machine knows");
        return Ok(Finding::Broken(STATE.fault(why)));
    };
    let tail = log.settle(state.bytes, count).map_err(as_damage)?;
    if tail.is_empty() {
        return Ok(Finding::Nothing);
    }
    let is_ended = tail.ends_with(b"\n");
    let lines: Vec<&[u8]> = tail.strip_suffix(b"\n").unwrap_or(&tail).split(|&b| b == b'\n').collect();
    if lines.first().is_some_and(|line| state.after(line, None).is_ok()) {
        let more = lines.len() - 1;
        return Ok(if more == 0 {
            Finding::Line { is_ended }
        } else {
            Finding::Broken(
                STATE.fault(format!("the state file is older: {more} more lines follow the next entry")),
            )
        });
    }
    if let Some((line, before)) = lines.split_last() {
        let junk = tail.get(..before.iter().map(|line| line.len() + 1).sum()).unwrap_or_default();
        let junk = Measure { count: junk.len() as u64, hash: Sha256::digest(junk).into() };
        if junk.count > 0 && state.after(line, Some(junk)).is_ok() {
            return Ok(Finding::Closed { junk, line: line.to_vec(), is_ended });
        }
    }
    if lines.iter().any(|line| Line::parse(line).is_ok()) {
        let why = "entries that this machine has not written stand behind the last that it knows";
        return Ok(Finding::Broken(CHAIN.fault(why)));
    }
    Ok(Finding::Torn(tail))
}

/// Mends what a crash can leave, which needs nobody's leave.
fn mend(finding: Finding, mut ledger: Ledger, recovery: &Recovery<'_>) -> Result<Recovered, Fault> {
    let index = ledger.len();
    match finding {
        Finding::Nothing | Finding::Broken(_) => Ok(Recovered::Nothing),
        Finding::Line { is_ended } => {
            if !is_ended {
                ledger.log.append(b"\n").map_err(as_damage)?;
            }
            ledger.adopt()?;
            Ok(Recovered::TakenUp(index))
        }
        Finding::Closed { junk, line, is_ended } => {
            if !is_ended {
                ledger.log.append(b"\n").map_err(as_damage)?;
            }
            let next = ledger.state.after(&line, Some(junk))?;
            ledger.remember(next)?;
            Ok(Recovered::TakenUp(index))
        }
        Finding::Torn(mut tail) => {
            let lead: &[u8] = if tail.ends_with(b"\n") { b"" } else { b"\n" };
            tail.extend(lead);
            let junk = Measure { count: tail.len() as u64, hash: Sha256::digest(&tail).into() };
            let body = describe(recovery, TORN.meaning);
            let repair = Repair { junk: Some(junk), ..Repair::default() };
            let draft = Draft { repair, ..Draft::new(EntryKind::Recovery, &body, recovery.now) };
            ledger.record_behind(&draft, lead, Some(0))?;
            Ok(Recovered::ClosedOff { index, junk })
        }
    }
}

/// The longest beginning of a log that is a ledger: its tip, its end in bytes, and its last time.
fn longest(path: &Path, origin: &str) -> Result<(super::state::Tip, u64, Instant), Fault> {
    let document = Document::open(path)?;
    let mut records = Records::new(document.reader());
    while match records.next(|_, _| ()) {
        Err(fault) if fault.code() == &IO => return Err(fault),
        Ok(found) => found.is_some(),
        Err(_) => false,
    } {}
    let summary = records.summary().map_err(|fault| fault.at(path.display()).hint(COPY))?;
    if summary.origin != origin {
        return Err(DAMAGED.fault(format!("{} is the ledger {}", path.display(), summary.origin)).hint(COPY));
    }
    Ok((records.tip, records.end, summary.last))
}

/// What ends the bytes from here to the end of a log, and their number and hash with that.
fn measure(log: &Growing, from: u64) -> Result<(&'static [u8], Option<Measure>), Fault> {
    let (mut hash, mut at, mut last) = (Sha256::new(), from, None);
    while at < log.length() {
        let count = usize::try_from(log.length() - at).unwrap_or(usize::MAX).min(1 << 16);
        let bytes = log.read(at, count)?;
        hash.update(&bytes);
        last = bytes.last().copied();
        at += bytes.len() as u64;
    }
    let lead: &[u8] = if last.is_some_and(|byte| byte != b'\n') { b"\n" } else { b"" };
    hash.update(lead);
    let count = at - from + lead.len() as u64;
    Ok((lead, (count > 0).then(|| Measure { count, hash: hash.finalize().into() })))
}

fn describe(recovery: &Recovery<'_>, found: &str) -> Value {
    let mut body = recovery.about.clone();
    body.insert("found".into(), found.into());
    body.insert("auditors".into(), recovery.auditors.iter().map(ToString::to_string).collect());
    body.into()
}
