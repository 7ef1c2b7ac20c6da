//! Writing the ledger, one durable line at a time, under an exclusive lock.

use std::path::Path;

use rand_core::CryptoRng;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base::append::{Growing, SLOT, Slots};
use crate::base::bytes::{Digest, digest_of_list};
use crate::base::clock::Instant;
use crate::base::disk::{self, CHANGED, Lock};
use crate::base::fault::Fault;
use crate::base::random::Random;

use super::compose::{Draft, compose};
use super::entry::{LINE_MAX, is_origin};
use super::seal::Seed;
use super::session::{Opening, Session};
use super::state::{Bound, OPEN_MAX, State, parse};
use super::tree::{Hash, leaf, root_of};
use super::{
    AUDITORS, Auditor, CLOCK, DAMAGED, EXISTS, EntryKind, LOCK, LOG, MISSING, ORIGIN, PAIR, POISONED, STATE,
    STATE_BYTES, STATE_FILE, SignPermit, TORN, TRUNCATED,
};

/// The way out of every disagreement between log and state.
pub const KEEP: &str =
    "keep both files as they are, show them to an auditor, then run `fedroot ledger recover`";
const RECOVER: &str = "run `fedroot ledger recover`, which keeps the torn bytes and names them";
const NOTHING: &str = "nothing was signed";

/// A ledger open for writing. It holds the lock of its folder until it is dropped.
pub struct Ledger {
    pub(super) log: Growing,
    pub(super) slots: Slots,
    pub(super) state: State,
    pub(super) last: Instant,
    pub(super) session: Session,
    pub(super) random: Box<dyn CryptoRng + Send>,
    pub(super) adopted: Option<u64>,
    pub(super) poisoned: bool,
    pub(super) newest: Option<Newest>,
    pub(super) _lock: Lock,
}

/// The line written last, as long as it is the last: what a proof of it needs.
pub(super) struct Newest {
    pub(super) line: Vec<u8>,
    pub(super) opening: Opening,
    /// The proof of inclusion in the tree that the line completes (RFC 6962, section 2.1.1).
    pub(super) path: Vec<Hash>,
}

/// Where an entry stands now, durably.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appended {
    /// Its index.
    pub index: u64,
    /// The leaf hash of its line (RFC 6962, section 2.1).
    pub leaf: [u8; 32],
}

impl Ledger {
    /// Begins a ledger in a folder, which is made when it is not there. `origin` names it for ever, as the origin of a
    /// C2SP tlog-checkpoint; `body` is what the genesis says.
    pub fn create(
        folder: &Path,
        origin: &str,
        auditors: &[Auditor],
        body: &Value,
        now: Instant,
        mut random: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, Fault> {
        if !is_origin(origin) {
            return Err(ORIGIN
                .fault(format!("'{origin}' cannot name a ledger"))
                .hint("write 1 to 255 letters, digits or . _ - : / such as fed.example.org/ledger/host-a"));
        }
        let session = Session::begin(random.array(), auditors)?;
        let state = State::new(origin, session.auditors, Seed::new(random.array()));
        let (line, _) =
            compose(&state, &session, &random.array(), &Draft::new(EntryKind::Genesis, body, now))?;
        disk::create_folder(folder)?;
        disk::check_private(folder)?;
        let lock = Lock::take(&folder.join(LOCK))?;
        if is_begun(folder)? {
            return Err(EXISTS
                .fault(format!("{} holds a ledger already", folder.display()))
                .hint("name another folder"));
        }
        disk::replace(&folder.join(STATE_FILE), &[state.encode().as_slice(), &[0; SLOT]].concat())?;
        disk::create(&folder.join(LOG), &line)?;
        // From here on the genesis is a line that a crash left, and is taken up like one.
        let mut ledger = Self::attach(folder, lock, session, random)?;
        ledger.session.first = ledger.adopted.take();
        Ok(ledger)
    }

    /// Opens a ledger to append to it. What it costs does not depend on how long the ledger is.
    ///
    /// The log must end where the state file says, with the line it knows. One whole line more is what a crash leaves
    /// between the two, and is taken up; everything else is refused, and nothing is repaired.
    pub fn open(
        folder: &Path,
        auditors: &[Auditor],
        mut random: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, Fault> {
        let open = || {
            if !is_begun(folder)? {
                return Err(MISSING
                    .fault(format!("{} holds no ledger", folder.display()))
                    .hint("check the path"));
            }
            let session = Session::begin(random.array(), auditors)?;
            disk::check_private(folder)?;
            let lock = Lock::take(&folder.join(LOCK))?;
            Self::attach(folder, lock, session, random)
        };
        open().map_err(|fault| fault.but(NOTHING))
    }

    /// A ledger whose log and state file are open, and whose last entry is of this time.
    pub(super) fn at(
        (log, slots, state): (Growing, Slots, State),
        last: Instant,
        session: Session,
        random: Box<dyn CryptoRng + Send>,
        lock: Lock,
    ) -> Self {
        Self {
            log,
            slots,
            state,
            last,
            session,
            random,
            adopted: None,
            poisoned: false,
            newest: None,
            _lock: lock,
        }
    }

    fn attach(
        folder: &Path,
        lock: Lock,
        session: Session,
        random: Box<dyn CryptoRng + Send>,
    ) -> Result<Self, Fault> {
        let (log, state_file) = (folder.join(LOG), folder.join(STATE_FILE));
        for (path, code) in [(&state_file, &STATE), (&log, &MISSING)] {
            if !disk::exists(path) {
                return Err(code.fault(format!("{} is gone", path.display())).hint(KEEP));
            }
        }
        let slots = Slots::open(&state_file).map_err(as_damage)?;
        let bytes = Zeroizing::new(slots.read()?);
        let state = State::newest(&bytes).map_err(|fault| fault.at(state_file.display()).hint(KEEP))?;
        if state.auditors != session.auditors {
            return Err(AUDITORS
                .fault("the auditors named are not those that the ledger knows")
                .hint("name the auditors that the ledger was told last"));
        }
        let log = Growing::open(&log).map_err(as_damage)?;
        let last = last_time(&log, &state).map_err(|fault| fault.at(log.path().display()).hint(KEEP))?;
        let mut ledger = Self::at((log, slots, state), last, session, random, lock);
        ledger.adopt().map_err(|fault| {
            let way_out = if fault.code() == &TORN { RECOVER } else { KEEP };
            fault.at(ledger.log.path().display()).hint(way_out)
        })?;
        Ok(ledger)
    }

    /// Takes up the one line that a crash leaves between the log and the state file.
    pub(super) fn adopt(&mut self) -> Result<(), Fault> {
        let extra = self.log.length() - self.state.bytes;
        if extra == 0 {
            // A crash may have left the seed before this one.
            return self.slots.erase(!self.state.is_second());
        }
        let window = usize::try_from(extra).unwrap_or(usize::MAX).min(LINE_MAX + 1);
        let bytes = self.log.settle(self.state.bytes, window).map_err(as_damage)?;
        let Some(end) = memchr::memchr(b'\n', &bytes) else {
            return Err(TORN.fault("it ends in the middle of a line, which was never acknowledged"));
        };
        let line = bytes.get(..end).unwrap_or_default();
        let next = self.state.after(line, None)?;
        if next.bytes != self.log.length() {
            return Err(STATE.fault(format!(
                "the state file is older: it knows {} entries and there are more",
                self.len()
            )));
        }
        self.last = parse(line, self.len())?.time;
        self.adopted = Some(self.len());
        self.remember(next)
    }

    /// Records something that is neither an intent nor the genesis. `re` names the intent that an outcome, or a denial,
    /// closes. It claims [`time`](Self::time); what a clock that is behind says stands in its body.
    pub fn append(
        &mut self,
        kind: EntryKind,
        re: Option<u64>,
        body: &Value,
        now: Instant,
    ) -> Result<Appended, Fault> {
        self.append_noted(kind, re, body, None, now)
    }

    /// The same with the digest of the journal up to the line of this entry, which the state file keeps.
    pub fn append_noted(
        &mut self,
        kind: EntryKind,
        re: Option<u64>,
        body: &Value,
        journal: Option<Digest>,
        now: Instant,
    ) -> Result<Appended, Fault> {
        let fits = match re {
            Some(re) => kind.may_close() && self.state.tip.open.contains(&re),
            None => {
                !kind.must_close()
                    && !kind.is_repair()
                    && !matches!(kind, EntryKind::Genesis | EntryKind::Intent)
            }
        };
        if !fits {
            let re = re.map_or("nothing".to_owned(), |re| format!("entry {re}"));
            return Err(
                PAIR.fault(format!("an entry of kind {} cannot be appended to close {re}", kind.name()))
            );
        }
        self.record(&Draft { re, journal, ..Draft::new(kind, body, now) }, Some(0))
    }

    /// Records that a key is about to be used on exactly these octets, and gives the permit to do so once that is on the
    /// medium, with room for the outcome. Refuses to go behind the time of the last entry.
    pub fn intend(
        &mut self,
        key: &str,
        octets: &Digest,
        body: &Value,
        now: Instant,
    ) -> Result<SignPermit<'_>, Fault> {
        self.intend_with(key, octets, &[], body, now)
    }

    /// The same with further octets that the key signs in the same act, for one document: the body names each.
    pub fn intend_with(
        &mut self,
        key: &str,
        octets: &Digest,
        also: &[Digest],
        body: &Value,
        now: Instant,
    ) -> Result<SignPermit<'_>, Fault> {
        let mut body = body.clone();
        if let (false, Some(members)) = (also.is_empty(), body.as_object_mut()) {
            members.insert("also".into(), also.iter().map(Digest::to_string).collect());
        }
        let intent = self.intent(key, None, octets, &body, now);
        let index = intent.map_err(|fault| fault.but(NOTHING))?.index;
        Ok(SignPermit::new(self, index, key, [&[*octets], also].concat()))
    }

    /// The same for a batch: the permit is for exactly the octets with these digests, each once, and names the digest of their
    /// list. The root over the digests
    /// stands in the public part; the body names the digest of their list ([`digest_of_list`]) and how many they are. The list
    /// itself does not fit into a line: whoever asks keeps it.
    pub fn intend_batch(
        &mut self,
        key: &str,
        octets: &[Digest],
        body: &Value,
        now: Instant,
    ) -> Result<SignPermit<'_>, Fault> {
        let list = digest_of_list(octets);
        let mut body = body.clone();
        if let Some(members) = body.as_object_mut() {
            members.insert("count".into(), octets.len().into());
        }
        let intent = self.intent(key, Some(root_of(octets)), &list, &body, now);
        let index = intent.map_err(|fault| fault.but(NOTHING))?.index;
        Ok(SignPermit::new(self, index, key, vec![list]))
    }

    /// The time that an entry made now claims: never before the last one, whatever the clock says.
    pub fn time(&self, now: Instant) -> Instant {
        now.max(self.last)
    }

    /// Refuses a clock that is behind the last entry.
    pub fn check_clock(&self, now: Instant) -> Result<(), Fault> {
        check_clock(self.last, now)
    }

    /// Refuses a time before the last entry, and one intent more than may be open.
    pub fn may_intend(&self, now: Instant) -> Result<(), Fault> {
        self.check_clock(now)?;
        if self.state.tip.open.len() >= OPEN_MAX {
            return Err(PAIR
                .fault(format!("{OPEN_MAX} intents are open"))
                .hint("say what became of them: `fedroot ledger recover --reason TEXT`"));
        }
        Ok(())
    }

    fn intent(
        &mut self,
        key: &str,
        root: Option<Hash>,
        octets: &Digest,
        body: &Value,
        now: Instant,
    ) -> Result<Appended, Fault> {
        self.may_intend(now)?;
        let mut map =
            body.as_object().cloned().unwrap_or_else(|| Map::from_iter([("body".into(), body.clone())]));
        map.insert("key".into(), key.into());
        map.insert("octets".into(), octets.to_string().into());
        let body = map.into();
        let draft = Draft { root, ..Draft::new(EntryKind::Intent, &body, now) };
        self.record(&draft, Some(LINE_MAX as u64 + 1))
    }

    /// Writes an entry durably. `spare` is the room to leave behind it; without it, room was set aside before.
    pub(super) fn record(&mut self, draft: &Draft<'_>, spare: Option<u64>) -> Result<Appended, Fault> {
        self.record_behind(draft, b"", spare)
    }

    /// The same, with bytes in front of the line that belong to what is no entry.
    pub(super) fn record_behind(
        &mut self,
        draft: &Draft<'_>,
        lead: &[u8],
        spare: Option<u64>,
    ) -> Result<Appended, Fault> {
        if self.poisoned {
            return Err(POISONED
                .fault("an earlier write to the ledger failed")
                .hint("see to the disk, then run this again: opening checks what was written"));
        }
        let (claimed, told) = self.in_time(draft);
        let draft = Draft { now: claimed, body: told.as_ref().unwrap_or(draft.body), ..*draft };
        let (line, opening) = compose(&self.state, &self.session, &self.random.array(), &draft)?;
        let mut next = self.state.after(line.strip_suffix(b"\n").unwrap_or_default(), draft.repair.junk)?;
        let index = self.len();
        next.bound = draft.journal.map(|digest| Bound { entry: index, digest }).or(next.bound);
        if let Some(spare) = spare {
            self.log.reserve((lead.len() + line.len()) as u64 + spare)?;
        }
        self.poisoned = true;
        self.newest = None;
        self.log.append(&[lead, &line].concat()).map_err(as_damage)?;
        let path = self.state.tip.tree.path_of_next();
        self.remember(next)?;
        self.poisoned = false;
        self.newest = Some(Newest { line, opening, path });
        self.last = draft.now;
        self.session.first.get_or_insert(index);
        Ok(Appended { index, leaf: self.head() })
    }

    /// The time that an entry claims, and its body where that also tells what the clock said. Only people who begin anew lead
    /// the time back.
    fn in_time(&self, draft: &Draft<'_>) -> (Instant, Option<Value>) {
        if draft.now >= self.last || draft.kind == EntryKind::Reseal {
            return (draft.now, None);
        }
        let mut told = draft.body.clone();
        if let Some(members) = told.as_object_mut() {
            members.insert("clock".into(), draft.now.to_string().into());
        }
        (self.last, Some(told))
    }

    pub(super) fn remember(&mut self, next: State) -> Result<(), Fault> {
        self.slots.turn(next.is_second(), &next.encode()).map_err(as_damage)?;
        self.state = next;
        Ok(())
    }

    /// The name of the ledger.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The number of entries.
    #[expect(clippy::len_without_is_empty, reason = "an open ledger holds its genesis")]
    pub fn len(&self) -> u64 {
        self.state.tip.tree.size()
    }

    /// The leaf hash of the last line.
    pub fn head(&self) -> [u8; 32] {
        self.state.tip.leaf
    }

    /// The root of the Merkle tree over all lines (RFC 6962, section 2.1).
    pub fn root(&self) -> [u8; 32] {
        self.state.tip.tree.root()
    }

    /// The time that the last entry claims.
    pub fn last_time(&self) -> Instant {
        self.last
    }

    /// The newest entry that changes what is known of keys: an outcome, a stage, a receipt.
    pub fn marked(&self) -> Option<u64> {
        self.state.tip.marked.checked_sub(1)
    }

    /// The digest of the journal that the state file keeps.
    pub fn bound(&self) -> Option<Bound> {
        self.state.bound
    }

    /// Keeps the digest of the journal up to the line of the newest entry that has one, where a crash came before that, or an
    /// older version of this program kept none.
    pub fn bind(&mut self, digest: Digest) -> Result<(), Fault> {
        let bound = self.marked().map(|entry| Bound { entry, digest });
        if bound == self.state.bound {
            return Ok(());
        }
        self.remember(State { bound, ..self.state.again() })
    }

    /// The intents without an outcome, in order.
    pub fn open_intents(&self) -> impl Iterator<Item = u64> {
        self.state.tip.open.iter().copied()
    }

    /// The entry that a crash had left unacknowledged and that opening the ledger took up.
    pub fn adopted(&self) -> Option<u64> {
        self.adopted
    }
}

/// Refuses a clock that is behind the time of the last entry.
pub(super) fn check_clock(last: Instant, now: Instant) -> Result<(), Fault> {
    if now >= last {
        return Ok(());
    }
    Err(CLOCK.fault(format!("the clock says {now}, and the last entry of the ledger is of {last}")).hint(
        "set the clock right (date -u shows it); where it is right, and was ahead before: \
         `fedroot ledger recover --acknowledge --reason TEXT`",
    ))
}

/// Whether a folder holds a ledger with any entry. A state of no entries without a log is what a beginning leaves that
/// was cut short.
fn is_begun(folder: &Path) -> Result<bool, Fault> {
    let state = folder.join(STATE_FILE);
    if disk::exists(&folder.join(LOG)) || !disk::exists(&state) {
        return Ok(disk::exists(&folder.join(LOG)));
    }
    let bytes = Zeroizing::new(disk::read_private(&state, STATE_BYTES)?);
    Ok(State::newest(&bytes).map_or(true, |state| state.tip.tree.size() > 0))
}

/// The time of the last line that the state knows, after checking that it is the one that it knows.
pub(super) fn last_time(log: &Growing, state: &State) -> Result<Instant, Fault> {
    let (known, found) = (state.bytes, log.length());
    if found < known {
        return Err(TRUNCATED.fault(format!("it has {found} bytes, and {known} were acknowledged")));
    }
    let Some(index) = state.tip.tree.size().checked_sub(1) else { return Instant::from_unix(0) };
    let window = usize::try_from(known).unwrap_or(usize::MAX).min(LINE_MAX + 2);
    let bytes = log.read(known - window as u64, window)?;
    let lines = bytes.strip_suffix(b"\n").unwrap_or_default();
    let start = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
    let line = lines.get(start..).unwrap_or_default();
    if leaf(line) != state.tip.leaf {
        return Err(DAMAGED.fault(format!("entry {index}, the last, is not the one that was written")));
    }
    Ok(parse(line, index)?.time)
}

/// A file that somebody changed under us is damage to the ledger.
pub(super) fn as_damage(fault: Fault) -> Fault {
    if fault.code() == &CHANGED { DAMAGED.fault(fault.message()).hint(KEEP) } else { fault }
}
