//! Writing the ledger, one durable line at a time, under an exclusive lock.

use std::path::Path;

use rand_core::CryptoRng;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::base::append::{Growing, SLOT, Slots};
use crate::base::bytes::{Digest, base64};
use crate::base::clock::Instant;
use crate::base::disk::{self, CHANGED, Lock};
use crate::base::fault::Fault;
use crate::base::random::Random;

use super::entry::{Head, LINE_MAX, is_origin};
use super::seal::Seed;
use super::session::{Sealed, Session};
use super::state::{OPEN_MAX, State, parse};
use super::tree::leaf;
use super::{
    AUDITORS, Auditor, CLOCK, DAMAGED, EXISTS, EntryKind, LOCK, LOG, MISSING, ORIGIN, PAIR, POISONED, STATE,
    STATE_BYTES, STATE_FILE, TOO_LARGE, TORN, TRUNCATED,
};

const KEEP: &str = "keep both files as they are and show them to an auditor";
const NOTHING: &str = "nothing was signed";

/// A ledger open for writing. It holds the lock of its folder until it is dropped.
pub struct Ledger {
    log: Growing,
    slots: Slots,
    state: State,
    last: Instant,
    session: Session,
    random: Box<dyn CryptoRng + Send>,
    adopted: Option<u64>,
    poisoned: bool,
    _lock: Lock,
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
        let line = compose(&state, &session, &random.array(), EntryKind::Genesis, None, body, now)?;
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
        let mut ledger =
            Self { log, slots, state, last, session, random, adopted: None, poisoned: false, _lock: lock };
        ledger.adopt().map_err(|fault| fault.at(ledger.log.path().display()).hint(KEEP))?;
        Ok(ledger)
    }

    /// Takes up the one line that a crash leaves between the log and the state file.
    fn adopt(&mut self) -> Result<(), Fault> {
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
        let next = self.state.after(line)?;
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
    /// closes. Time is a claim and may go back; the order is the index.
    pub fn append(
        &mut self,
        kind: EntryKind,
        re: Option<u64>,
        body: &Value,
        now: Instant,
    ) -> Result<Appended, Fault> {
        let fits = match re {
            Some(re) => kind.may_close() && self.state.tip.open.contains(&re),
            None => !kind.must_close() && !matches!(kind, EntryKind::Genesis | EntryKind::Intent),
        };
        if !fits {
            let re = re.map_or("nothing".to_owned(), |re| format!("entry {re}"));
            return Err(
                PAIR.fault(format!("an entry of kind {} cannot be appended to close {re}", kind.name()))
            );
        }
        self.record(kind, re, body, now, Some(0))
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
        let index = self.intent(key, octets, body, now).map_err(|fault| fault.but(NOTHING))?.index;
        Ok(SignPermit { ledger: self, index, key: key.to_owned(), octets: *octets, time: now, is_open: true })
    }

    fn intent(&mut self, key: &str, octets: &Digest, body: &Value, now: Instant) -> Result<Appended, Fault> {
        if now < self.last {
            return Err(CLOCK
                .fault(format!("the clock says {now}, and the last entry of the ledger is of {}", self.last))
                .hint("set the clock right (date -u shows it)"));
        }
        if self.state.tip.open.len() >= OPEN_MAX {
            return Err(PAIR
                .fault(format!("{OPEN_MAX} intents are open"))
                .hint("record what became of them before another key is used"));
        }
        let mut map =
            body.as_object().cloned().unwrap_or_else(|| Map::from_iter([("body".into(), body.clone())]));
        map.insert("key".into(), key.into());
        map.insert("octets".into(), octets.to_string().into());
        self.record(EntryKind::Intent, None, &map.into(), now, Some(LINE_MAX as u64 + 1))
    }

    /// Writes an entry durably. `spare` is the room to leave behind it; without it, room was set aside before.
    fn record(
        &mut self,
        kind: EntryKind,
        re: Option<u64>,
        body: &Value,
        now: Instant,
        spare: Option<u64>,
    ) -> Result<Appended, Fault> {
        if self.poisoned {
            return Err(POISONED
                .fault("an earlier write to the ledger failed")
                .hint("see to the disk, then run this again: opening checks what was written"));
        }
        let line = compose(&self.state, &self.session, &self.random.array(), kind, re, body, now)?;
        let next = self.state.after(line.strip_suffix(b"\n").unwrap_or_default())?;
        if let Some(spare) = spare {
            self.log.reserve(line.len() as u64 + spare)?;
        }
        let index = self.len();
        self.poisoned = true;
        self.log.append(&line).map_err(as_damage)?;
        self.remember(next)?;
        self.poisoned = false;
        self.last = now;
        self.session.first.get_or_insert(index);
        Ok(Appended { index, leaf: self.head() })
    }

    fn remember(&mut self, next: State) -> Result<(), Fault> {
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

    /// The intents without an outcome, in order.
    pub fn open_intents(&self) -> impl Iterator<Item = u64> {
        self.state.tip.open.iter().copied()
    }

    /// The entry that a crash had left unacknowledged and that opening the ledger took up.
    pub fn adopted(&self) -> Option<u64> {
        self.adopted
    }
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
fn last_time(log: &Growing, state: &State) -> Result<Instant, Fault> {
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

/// Writes and seals the line that follows a state, with its line feed.
pub(super) fn compose(
    state: &State,
    session: &Session,
    salt: &[u8; 16],
    kind: EntryKind,
    re: Option<u64>,
    body: &Value,
    now: Instant,
) -> Result<Vec<u8>, Fault> {
    if now.unix() < 0 {
        return Err(CLOCK
            .fault(format!("the clock says {now}"))
            .hint("set the clock right (date -u shows it)"));
    }
    let index = state.tip.tree.size();
    let genesis = (kind == EntryKind::Genesis).then(|| (state.origin.as_str(), state.seed.public()));
    let (prev, first) = (&state.tip.leaf, session.first.unwrap_or(index));
    let head =
        Head { index, kind, time: now, prev, genesis, re, session: first, envelope: session.envelope() }
            .text();
    let Sealed { commitment, ciphertext } = session.encrypt(salt, head.as_bytes(), body)?;
    let (n, c, x) = (base64(salt), base64(&commitment), base64(&ciphertext));
    let sealed =
        format!(r#"{head},"n":"{n}","c":"{c}","x":"{x}","pk":"{}""#, base64(&state.seed.next().public()));
    let seal = base64(&state.seed.sign(&state.origin, sealed.as_bytes()));
    let line = format!("{sealed},\"sig\":\"{seal}\"}}\n").into_bytes();
    if line.len() > LINE_MAX + 1 {
        return Err(TOO_LARGE
            .fault(format!("an entry of {} bytes does not fit into a line of {LINE_MAX}", line.len()))
            .hint("say less in it"));
    }
    Ok(line)
}

/// A file that somebody changed under us is damage to the ledger.
fn as_damage(fault: Fault) -> Fault {
    if fault.code() == &CHANGED { DAMAGED.fault(fault.message()).hint(KEEP) } else { fault }
}

/// The leave to use one key once, on exactly the octets of one digest: its intent is on the medium. It is used up by
/// [`outcome`](Self::outcome) or [`denied`](Self::denied); dropped, it records the outcome `{"result":"aborted"}`, so drop
/// it only when no signature leaves.
#[must_use = "record the outcome"]
pub struct SignPermit<'a> {
    ledger: &'a mut Ledger,
    index: u64,
    key: String,
    octets: Digest,
    time: Instant,
    is_open: bool,
}

impl SignPermit<'_> {
    /// The index of the intent.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The only key that may be used.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The digest of the only octets that may be signed.
    pub fn octets(&self) -> &Digest {
        &self.octets
    }

    /// Records what became of it. Where this fails, the intent stays open.
    pub fn outcome(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Outcome, body, now)
    }

    /// Records that the key was not used after all, and why.
    pub fn denied(self, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.close(EntryKind::Denied, body, now)
    }

    fn close(mut self, kind: EntryKind, body: &Value, now: Instant) -> Result<Appended, Fault> {
        self.is_open = false;
        self.ledger.record(kind, Some(self.index), body, now, None)
    }
}

impl Drop for SignPermit<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Where this fails, the intent stays open, and that is seen.
            let body = json!({ "result": "aborted" });
            let _ = self.ledger.record(EntryKind::Outcome, Some(self.index), &body, self.time, None);
        }
    }
}
