//! Checking a ledger without any secret, in one pass and constant memory.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::base::clock::Instant;
use crate::base::disk::{self, Document, IO};
use crate::base::fault::Fault;

use super::entry::{LINE_MAX, Line, array};
use super::seal;
use super::state::{State, Tip, parse};
use super::tree::Hash;
use super::{CHAIN, DAMAGED, EntryKind, LOG, SEAL, STATE_BYTES, STATE_FILE, TORN, TRUNCATED};

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
    /// How many breaks custodians acknowledged.
    pub reseals: u64,
}

/// What comes of holding a log against the state file beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Agreement {
    /// The state file is not there, or not readable for us.
    NotCompared,
    /// Both end with the same entry.
    Same,
    /// The log has so many entries more. One is what a crash leaves; the next opening takes it up.
    LogLonger(u64),
    /// The log lacks so many entries.
    LogShorter(u64),
    /// The entries that the state file knows are not those of the log.
    Differs,
}

/// Checks shape, links, seals and the pairing of intents of a whole ledger.
pub fn verify(source: impl Read) -> Result<Summary, Fault> {
    let mut records = Records::new(source);
    while records.next()?.is_some() {}
    records.summary()
}

/// Checks the ledger in a folder without locking it, and holds it against the state file beside it.
pub fn verify_folder(folder: &Path) -> Result<(Summary, Agreement), Fault> {
    // Before the log: lines that come while we read make it longer, never shorter.
    let state = disk::read_private(&folder.join(STATE_FILE), STATE_BYTES)
        .and_then(|bytes| State::newest(&bytes))
        .ok();
    let log = Document::open(&folder.join(LOG))?;
    let mut records = Records::new(log.reader());
    let mut at_state = None;
    while records.next()?.is_some() {
        if state.as_ref().is_some_and(|state| state.tip.tree.size() == records.tip.tree.size()) {
            at_state = Some(records.tip.tree.root());
        }
    }
    let summary = records.summary()?;
    let agreement = state.map_or(Agreement::NotCompared, |state| {
        let (known, found) = (state.tip.tree.size(), summary.entries);
        match at_state {
            None if known == 0 => Agreement::LogLonger(found),
            None => Agreement::LogShorter(known - found),
            Some(root) if root != state.tip.tree.root() || state.origin != summary.origin => {
                Agreement::Differs
            }
            Some(_) if found > known => Agreement::LogLonger(found - known),
            Some(_) => Agreement::Same,
        }
    });
    Ok((summary, agreement))
}

/// The lines of a ledger one after the other, each checked against all before it.
pub(super) struct Records<R> {
    source: BufReader<R>,
    bytes: Vec<u8>,
    pub(super) tip: Tip,
    /// The key that must have sealed the next line.
    key: Option<[u8; 32]>,
    session: u64,
    found: Option<Summary>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: R) -> Self {
        let source = BufReader::with_capacity(1 << 17, source);
        Self { source, bytes: Vec::new(), tip: Tip::default(), key: None, session: 0, found: None }
    }

    /// The next line; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Fault> {
        let index = self.tip.tree.size();
        self.bytes.clear();
        (&mut self.source)
            .take(LINE_MAX as u64 + 1)
            .read_until(b'\n', &mut self.bytes)
            .map_err(|e| IO.fault(format!("cannot read the ledger: {e}")))?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let Some((b'\n', bytes)) = self.bytes.split_last() else {
            return Err(if self.bytes.len() > LINE_MAX {
                DAMAGED.fault(format!("entry {index}: its line is longer than {LINE_MAX} bytes"))
            } else {
                TORN.fault(format!("entry {index}: its line ends in the middle"))
            });
        };
        let line = parse(bytes, index)?;
        self.tip.follow(bytes, &line)?;
        if line.session != index && line.session != self.session {
            return Err(CHAIN.fault(format!("entry {index}: it belongs to no session that may still write")));
        }
        self.session = line.session;
        let found = sum_up(&mut self.found, &line)?;
        let key = self.key.or_else(|| array(line.genesis?.1));
        let sealed = key
            .zip(array(line.seal))
            .is_some_and(|(key, it)| seal::verify(&key, &found.origin, line.sealed, &it));
        if !sealed {
            return Err(SEAL.fault(format!("entry {index}: its seal is wrong")));
        }
        self.key = array(line.next_key);
        Ok(Some(line))
    }

    /// What was found up to here; refuses a ledger without a first line.
    pub(super) fn summary(&self) -> Result<Summary, Fault> {
        let found = self.found.clone().ok_or_else(|| TRUNCATED.fault("the ledger is empty"))?;
        Ok(Summary {
            entries: self.tip.tree.size(),
            head: self.tip.leaf,
            root: self.tip.tree.root(),
            open: self.tip.open.iter().copied().collect(),
            ..found
        })
    }
}

/// Counts a line in.
fn sum_up<'a>(found: &'a mut Option<Summary>, line: &Line<'_>) -> Result<&'a Summary, Fault> {
    if let Some((origin, _)) = line.genesis {
        *found = Some(Summary {
            origin: origin.to_owned(),
            entries: 0,
            head: Hash::default(),
            root: Hash::default(),
            first: line.time,
            last: line.time,
            open: Vec::new(),
            sessions: 0,
            clock_steps_back: 0,
            last_step_back: None,
            reseals: 0,
        });
    }
    let found = found.as_mut().ok_or_else(|| DAMAGED.fault("the ledger has no genesis"))?;
    found.sessions += u64::from(line.envelope.is_some());
    found.reseals += u64::from(line.kind == EntryKind::Reseal);
    if line.time < found.last {
        found.clock_steps_back += 1;
        found.last_step_back = Some(line.index);
    }
    found.last = line.time;
    Ok(found)
}
