//! The tip of a ledger, and the state file that remembers it with the seed of the next seal.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::base::append::SLOT;
use crate::base::bytes::{Digest, base64, equal};
use crate::base::fault::Fault;

use super::EntryKind;
use super::entry::{Line, Measure, array, is_origin};
use super::seal::{self, Seed};
use super::tree::{Hash, Tree, leaf};
use super::{CHAIN, DAMAGED, PAIR, SEAL, STATE};

/// The most intents that may be open at once: what the state file has room for, and a bound for every verifier.
pub(super) const OPEN_MAX: usize = 128;

const MAGIC: &[u8; 16] = b"fedroot-state/v1";
const ORIGIN_MAX: usize = 255;
const CHECKED: usize = SLOT - 32;

/// Where a ledger ends: what the next line must follow.
#[derive(Clone, Default)]
pub(super) struct Tip {
    pub(super) tree: Tree,
    /// The leaf hash of the last line; zeros before the first.
    pub(super) leaf: Hash,
    /// Intents without an outcome.
    pub(super) open: BTreeSet<u64>,
    /// One more than the index of the newest entry that changes what is known of keys; 0 before the first.
    pub(super) marked: u64,
}

impl Tip {
    /// Refuses a line that is not the next one: its index, its link and what it closes must fit. The seal is for the
    /// caller to check.
    pub(super) fn check(&self, line: &Line<'_>) -> Result<(), Fault> {
        let index = self.tree.size();
        if line.index != index {
            return Err(
                CHAIN.fault(format!("entry {index}: the line there says that it is entry {}", line.index))
            );
        }
        if line.prev != base64(&self.leaf) {
            return Err(CHAIN.fault(format!("entry {index}: it does not follow the line before it")));
        }
        if let Some(re) = line.re.filter(|re| !self.open.contains(re)) {
            return Err(
                PAIR.fault(format!("entry {index}: it closes entry {re}, which is not an open intent"))
            );
        }
        if line.kind == EntryKind::Intent && self.open.len() >= OPEN_MAX {
            return Err(PAIR.fault(format!("entry {index}: more than {OPEN_MAX} intents are open")));
        }
        Ok(())
    }

    /// Takes a line that passed the check.
    pub(super) fn follow(&mut self, bytes: &[u8], line: &Line<'_>) {
        if let Some(re) = line.re {
            self.open.remove(&re);
        }
        if line.kind == EntryKind::Intent {
            self.open.insert(line.index);
        }
        if line.kind.is_marked() {
            self.marked = line.index + 1;
        }
        self.leaf = leaf(bytes);
        self.tree.push(self.leaf);
    }
}

/// Takes a line apart, or says at which byte that fails.
pub(super) fn parse(bytes: &[u8], index: u64) -> Result<Line<'_>, Fault> {
    Line::parse(bytes).map_err(|at| {
        DAMAGED.fault(format!("entry {index}: not a line of ledger format 1, from its byte {at} on"))
    })
}

/// The digest of the journal up to the line of an entry, as whoever recorded that entry told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bound {
    /// The entry.
    pub entry: u64,
    /// The digest.
    pub digest: Digest,
}

/// All that the writer must remember between two lines.
pub(super) struct State {
    /// Counts the writes of the state file.
    pub(super) generation: u64,
    /// The length of the log.
    pub(super) bytes: u64,
    pub(super) auditors: Hash,
    pub(super) origin: String,
    pub(super) seed: Seed,
    pub(super) tip: Tip,
    pub(super) bound: Option<Bound>,
}

impl State {
    /// Before the first line.
    pub(super) fn new(origin: &str, auditors: Hash, seed: Seed) -> Self {
        let (origin, tip) = (origin.to_owned(), Tip::default());
        Self { generation: 0, bytes: 0, auditors, origin, seed, tip, bound: None }
    }

    /// The same entries in the next write of the state file.
    pub(super) fn again(&self) -> Self {
        Self {
            generation: self.generation + 1,
            bytes: self.bytes,
            auditors: self.auditors,
            origin: self.origin.clone(),
            seed: Seed::new(*self.seed.expose()),
            tip: self.tip.clone(),
            bound: self.bound,
        }
    }

    /// The state after a line, which must be the next one in every respect, its seal included. `junk` is what stands
    /// between the state's last line and this one.
    pub(super) fn after(&self, bytes: &[u8], junk: Option<Measure>) -> Result<Self, Fault> {
        let index = self.tip.tree.size();
        let line = parse(bytes, index)?;
        let mut tip = self.tip.clone();
        tip.check(&line)?;
        tip.follow(bytes, &line);
        if line.repair.junk != junk {
            return Err(DAMAGED.fault(format!("entry {index}: it names other bytes than those before it")));
        }
        let (key, seed) = (self.seed.public(), self.seed.next());
        let is_ours =
            line.genesis.is_none_or(|genesis| genesis == (self.origin.as_str(), base64(&key).as_str()))
                && line.repair.key.is_none_or(|fresh| fresh == key)
                && line.next_key == base64(&seed.public())
                && array(line.seal).is_some_and(|it| seal::verify(&key, &self.origin, line.sealed, &it));
        if !is_ours {
            return Err(SEAL.fault(format!("entry {index}: its seal is not of this ledger")));
        }
        let bytes = self.bytes + junk.map_or(0, |junk| junk.count) + bytes.len() as u64 + 1;
        Ok(Self { bytes, seed, tip, ..self.again() })
    }

    /// Whether this generation belongs into the second slot.
    pub(super) fn is_second(&self) -> bool {
        self.generation % 2 == 1
    }

    /// The bytes of a slot (docs/formats/ledger.md, "The state file").
    pub(super) fn encode(&self) -> Zeroizing<[u8; SLOT]> {
        let mut slot = Zeroizing::new([0; SLOT]);
        let mut rest = slot.as_mut_slice();
        let mut put = |bytes: &[u8], room: usize| {
            if let Some((head, tail)) = std::mem::take(&mut rest).split_at_mut_checked(room) {
                head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                rest = tail;
            }
        };
        put(MAGIC, 16);
        for number in [self.generation, self.tip.tree.size(), self.bytes] {
            put(&number.to_be_bytes(), 8);
        }
        for hash in [&self.auditors, &self.tip.leaf, self.seed.expose()] {
            put(hash, 32);
        }
        put(&[u8::try_from(self.origin.len()).unwrap_or_default()], 1);
        put(self.origin.as_bytes(), ORIGIN_MAX);
        put(self.tip.tree.peaks().as_flattened(), 32 * Tree::PEAKS_MAX);
        put(&(self.tip.open.len() as u64).to_be_bytes(), 8);
        for index in &self.tip.open {
            put(&index.to_be_bytes(), 8);
        }
        put(&self.tip.marked.to_be_bytes(), 8);
        if let Some(bound) = self.bound {
            put(&(bound.entry + 1).to_be_bytes(), 8);
            put(bound.digest.as_bytes(), 32);
        }
        if let Some((checked, sum)) = slot.split_last_chunk_mut::<32>() {
            *sum = checksum(checked);
        }
        slot
    }

    /// Reads a slot; `None` unless it is whole and stands where its generation belongs.
    fn decode(slot: &[u8], is_second: bool) -> Option<Self> {
        let (checked, sum) = slot.split_last_chunk::<32>().filter(|(checked, _)| checked.len() == CHECKED)?;
        let mut rest = checked;
        if !equal(sum, &checksum(checked)) || &take::<16>(&mut rest)? != MAGIC {
            return None;
        }
        let number = |rest: &mut &[u8]| take(rest).map(u64::from_be_bytes);
        let (generation, size, bytes) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let (auditors, leaf) = (take(&mut rest)?, take(&mut rest)?);
        let seed = Seed::new(take(&mut rest)?);
        let [length] = take(&mut rest)?;
        let origin = take::<ORIGIN_MAX>(&mut rest)?;
        let origin =
            str::from_utf8(origin.get(..usize::from(length))?).ok().filter(|text| is_origin(text))?;
        let mut peaks = Vec::new();
        for place in 0..Tree::PEAKS_MAX {
            let peak = take(&mut rest)?;
            if place < size.count_ones() as usize {
                peaks.push(peak);
            }
        }
        let count = number(&mut rest).filter(|&count| count <= OPEN_MAX as u64)?;
        let open = (0..count).map(|_| number(&mut rest)).collect::<Option<_>>()?;
        let marked = number(&mut rest).filter(|marked| *marked <= size)?;
        // Zeros where an older version of this program wrote it: it bound nothing.
        let (entry, digest) = (number(&mut rest)?.checked_sub(1), Digest::from_bytes(take(&mut rest)?));
        let bound = entry.map(|entry| Bound { entry, digest });
        let tip = Tip { tree: Tree::resume(size, peaks)?, leaf, open, marked };
        let state = Self { generation, bytes, auditors, origin: origin.to_owned(), seed, tip, bound };
        (state.is_second() == is_second).then_some(state)
    }

    /// The newer of the two slots of a state file.
    pub(super) fn newest(file: &[u8]) -> Result<Self, Fault> {
        let (slots, rest) = file.as_chunks::<SLOT>();
        let found = match slots {
            [first, second] if rest.is_empty() => [Self::decode(first, false), Self::decode(second, true)]
                .into_iter()
                .flatten()
                .max_by_key(|s| s.generation),
            _ => None,
        };
        found.ok_or_else(|| STATE.fault("neither half of the state file is whole"))
    }
}

fn checksum(checked: &[u8]) -> Hash {
    use sha2::Digest as _;
    sha2::Sha256::digest(checked).into()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut state = State::new("fed.example.org/ledger", [1; 32], Seed::new([2; 32]));
        for index in 0..300_u64 {
            state.tip.tree.push([index.to_be_bytes()[7]; 32]);
        }
        state.generation = 301;
        state.bytes = 123_456;
        state.tip.leaf = [3; 32];
        state.tip.open = (0..OPEN_MAX as u64).map(|i| i * 2).collect();
        state.tip.marked = 300;
        state.bound = Some(Bound { entry: 299, digest: Digest::from_bytes([4; 32]) });
        state
    }

    fn file(second: &[u8]) -> Vec<u8> {
        [&[0; SLOT][..], second].concat()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let state = state();
        let read = State::newest(&file(&*state.encode())).unwrap();
        assert_eq!((read.generation, read.bytes, read.auditors), (301, 123_456, [1; 32]));
        assert_eq!((read.origin.as_str(), read.seed.expose()), ("fed.example.org/ledger", &[2; 32]));
        assert_eq!(
            (&read.tip.tree, read.tip.leaf, &read.tip.open),
            (&state.tip.tree, [3; 32], &state.tip.open)
        );
        assert_eq!((read.tip.marked, read.bound), (300, state.bound));
    }

    #[test]
    fn the_newer_whole_slot_counts() {
        let mut state = state();
        let second = state.encode();
        state.generation = 300;
        let first = state.encode();
        let both = [first.as_slice(), second.as_slice()].concat();
        assert_eq!(State::newest(&both).unwrap().generation, 301);
        let mut torn = both.clone();
        torn[SLOT + 512..].fill(0);
        assert_eq!(State::newest(&torn).unwrap().generation, 300);
    }

    #[test]
    fn anything_else_is_refused() {
        let slot = state().encode();
        let refused = |file: &[u8]| State::newest(file).is_err_and(|fault| fault.code() == &STATE);
        for at in 0..SLOT {
            let mut wrong = file(&*slot);
            wrong[SLOT + at] ^= 1;
            assert!(refused(&wrong), "byte {at}");
        }
        assert!(refused(&[slot.as_slice(), &[0; SLOT]].concat()), "the other place");
        assert!(refused(&[]));
        assert!(refused(&[0; 2 * SLOT]));
        assert!(refused(&file(&*slot)[1..]));
        assert!(refused(&[file(&*slot), vec![0]].concat()));
    }

    #[test]
    fn the_largest_state_fits() {
        let used =
            16 + 3 * 8 + 3 * 32 + 1 + ORIGIN_MAX + 32 * Tree::PEAKS_MAX + 8 + 8 * OPEN_MAX + 8 + 8 + 32;
        assert!(used <= CHECKED, "{used}");
    }
}
