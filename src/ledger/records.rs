//! The lines of a ledger one after the other, each checked against all before it, in one pass and constant memory.
//!
//! A line that is not the next entry in every respect is junk, and so is all that follows it, until a recovery or a reseal
//! names length and hash of all of it. Junk that nothing names is the fault of its first line.

use std::io::{BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};

use crate::base::disk::IO;
use crate::base::fault::Fault;

use super::chain::{BREAKS_MAX, Break, Summary};
use super::entry::{LINE_MAX, Line, Measure, array};
use super::parallel::{BATCH_BYTES, Sealed};
use super::state::{Tip, parse};
use super::tree::Hash;
use super::{CHAIN, DAMAGED, EntryKind, SEAL, TORN, TRUNCATED, seal};

/// When seals are checked.
pub(super) enum Seals {
    /// Each with its line.
    Now,
    /// By whoever takes the batches.
    Later(Vec<Sealed>),
    /// Not at all.
    Never,
}

/// What no entry accounts for yet.
pub(super) struct Junk {
    first: Fault,
    count: u64,
    hash: Sha256,
}

impl Junk {
    fn measure(&self) -> Measure {
        Measure { count: self.count, hash: self.hash.clone().finalize().into() }
    }
}

/// A ledger being read.
pub(super) struct Records<R> {
    source: BufReader<R>,
    bytes: Vec<u8>,
    pub(super) tip: Tip,
    /// The key that must seal the next line, unless it brings its own; `None` where seals are not checked.
    pub(super) key: Option<[u8; 32]>,
    session: u64,
    found: Option<Summary>,
    seals: Seals,
    waiting: usize,
    junk: Option<Junk>,
    /// The bytes up to the end of the last entry.
    pub(super) end: u64,
    is_inside_line: bool,
}

impl<R: Read> Records<R> {
    /// Reads and checks everything.
    pub(super) fn new(source: R) -> Self {
        Self::with(source, Seals::Now)
    }

    /// Reads, and checks seals so.
    pub(super) fn with(source: R, seals: Seals) -> Self {
        Self {
            source: BufReader::with_capacity(1 << 17, source),
            bytes: Vec::new(),
            tip: Tip::default(),
            key: None,
            session: 0,
            found: None,
            seals,
            waiting: 0,
            junk: None,
            end: 0,
            is_inside_line: false,
        }
    }

    /// Reads to the end.
    pub(super) fn run(mut self) -> Result<Summary, Fault> {
        while self.next(|_, _| ())?.is_some() {}
        self.summary()
    }

    /// Shows the next entry, with the tip that it makes; `None` after the last.
    pub(super) fn next<T>(&mut self, see: impl FnOnce(&Line<'_>, &Tip) -> T) -> Result<Option<T>, Fault> {
        loop {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            (&mut self.source)
                .take(LINE_MAX as u64 + 1)
                .read_until(b'\n', &mut bytes)
                .map_err(|e| IO.fault(format!("cannot read the ledger: {e}")))?;
            if bytes.is_empty() {
                return match self.junk.take() {
                    Some(junk) => Err(junk.first),
                    None => Ok(None),
                };
            }
            match self.accept(&bytes) {
                Ok(line) => {
                    let seen = see(&line, &self.tip);
                    self.bytes = bytes;
                    return Ok(Some(seen));
                }
                Err(fault) => {
                    self.is_inside_line = !bytes.ends_with(b"\n");
                    let junk =
                        self.junk.get_or_insert_with(|| Junk { first: fault, count: 0, hash: Sha256::new() });
                    junk.count += bytes.len() as u64;
                    junk.hash.update(&bytes);
                    self.bytes = bytes;
                }
            }
        }
    }

    /// Takes a line as the next entry. A refusal changes nothing.
    fn accept<'a>(&mut self, whole: &'a [u8]) -> Result<Line<'a>, Fault> {
        let index = self.tip.tree.size();
        let Some((b'\n', bytes)) = whole.split_last().filter(|_| !self.is_inside_line) else {
            return Err(if whole.len() > LINE_MAX || self.is_inside_line {
                DAMAGED.fault(format!("entry {index}: its line is longer than {LINE_MAX} bytes"))
            } else {
                TORN.fault(format!("entry {index}: its line ends in the middle"))
            });
        };
        let line = parse(bytes, index)?;
        self.tip.check(&line)?;
        if line.session != index && line.session != self.session {
            return Err(CHAIN.fault(format!("entry {index}: it belongs to no session that may still write")));
        }
        let junk = self.junk.as_ref().map(Junk::measure);
        if line.repair.junk != junk {
            return Err(DAMAGED.fault(format!("entry {index}: it names other bytes than those before it")));
        }
        self.check_seal(&line)?;
        self.tip.follow(bytes, &line);
        self.session = line.session;
        self.key = if matches!(self.seals, Seals::Never) { None } else { array(line.next_key) };
        self.end += junk.map_or(0, |junk| junk.count) + whole.len() as u64;
        self.junk = None;
        sum_up(&mut self.found, &line);
        Ok(line)
    }

    fn check_seal(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        // Keys and seals are not even decoded where nobody looks at them: that took an eighth of the time.
        if matches!(self.seals, Seals::Never) && (self.found.is_some() || line.genesis.is_some()) {
            return Ok(());
        }
        let index = line.index;
        let fresh = line.repair.key.or_else(|| array(line.genesis?.1));
        let origin =
            line.genesis.map(|(origin, _)| origin).or(self.found.as_ref().map(|found| found.origin.as_str()));
        let (Some(key), Some(origin), Some(seal)) = (fresh.or(self.key), origin, array(line.seal)) else {
            return Err(DAMAGED.fault(format!("entry {index}: the ledger has no genesis")));
        };
        match &mut self.seals {
            Seals::Never => Ok(()),
            Seals::Now if seal::verify(&key, origin, line.sealed, &seal) => Ok(()),
            Seals::Now => Err(SEAL.fault(format!("entry {index}: its seal is wrong"))),
            Seals::Later(batch) => {
                let message = seal::message(origin, line.sealed);
                self.waiting += message.len();
                batch.push(Sealed { key, seal, message });
                Ok(())
            }
        }
    }

    /// The seals that wait to be checked, once they are enough to hand over.
    pub(super) fn batch(&mut self) -> Option<Vec<Sealed>> {
        (self.waiting >= BATCH_BYTES).then(|| self.rest())
    }

    /// All seals that wait to be checked.
    pub(super) fn rest(&mut self) -> Vec<Sealed> {
        self.waiting = 0;
        if let Seals::Later(batch) = &mut self.seals { std::mem::take(batch) } else { Vec::new() }
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
fn sum_up(found: &mut Option<Summary>, line: &Line<'_>) {
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
            recoveries: 0,
            reseals: 0,
            breaks: Vec::new(),
        });
    }
    let Some(found) = found else { return };
    found.sessions += u64::from(line.envelope.is_some());
    found.recoveries += u64::from(line.kind == EntryKind::Recovery);
    found.reseals += u64::from(line.kind == EntryKind::Reseal);
    if line.kind.is_repair() {
        if found.breaks.len() == BREAKS_MAX {
            found.breaks.remove(0);
        }
        let (known, junk) = (line.repair.known, line.repair.junk);
        found.breaks.push(Break { index: line.index, kind: line.kind, time: line.time, known, junk });
    }
    if line.time < found.last {
        found.clock_steps_back += 1;
        found.last_step_back = Some(line.index);
    }
    found.last = line.time;
}
