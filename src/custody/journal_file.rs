//! The file of the journal: read at each use, without what is only outstanding; written line by line, before the ledger.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::journal::{NAME, Noted, What, damaged};
use super::lists;
use crate::base::append::Growing;
use crate::base::bytes::Digest;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line};
use crate::ledger::{Bound, Newest};
use crate::lifecycle::Kind;

/// So much is read at once.
const BLOCK: usize = 1 << 18;
/// No line is longer: it stands in an entry as well.
const LINE_MAX: u64 = 1 << 16;

/// What the state file of the ledger knows of the journal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marked {
    /// The newest entry that has a line; none, as long as no entry has. And the digest up to a line, where it keeps one.
    Known(Option<u64>, Option<Bound>),
    /// The state is not there: every line holds.
    Unknown,
}

impl From<Option<Newest>> for Marked {
    fn from(newest: Option<Newest>) -> Self {
        newest.map_or(Self::Unknown, |newest| Self::Known(newest.marked, newest.bound))
    }
}

/// The journal, as far as it holds. Of a million signatures only where they stand is kept: what the life of keys depends on is
/// few lines, and the rest is read when somebody asks what is outstanding.
#[derive(Default)]
pub struct Journal {
    path: PathBuf,
    document: Option<disk::Document>,
    lines: Vec<Noted>,
    of_line: HashMap<String, Vec<usize>>,
    plain: HashMap<String, Vec<Place>>,
    /// The entry and the time of the last line.
    newest: Option<(u64, String)>,
    /// Over the lines that hold.
    hash: Sha256,
    /// Whether the file ends with a line whose entry never came, or that is torn.
    is_loose: bool,
    /// The line whose entry is about to come.
    written: Option<Parsed>,
}

/// Where a plain signature stands.
#[derive(Clone, Copy)]
struct Place {
    /// How many lines are before it that are none.
    before: usize,
    offset: u64,
    length: usize,
}

/// A line as the first look takes it, and the hash over the lines that hold, with it.
struct Parsed {
    found: Found,
    hash: Sha256,
}

enum Found {
    Known(Box<Noted>),
    /// A plain signature: the key line, the entry, the time.
    Plain(String, u64, String, Place),
}

impl Found {
    /// Reads a line; why it is none, where it is none.
    fn of(bytes: &[u8], place: Place) -> Result<Self, String> {
        let line = bytes.strip_suffix(b"\n").ok_or("torn")?;
        Ok(match plain(line) {
            Some((entry, time, name)) => Self::Plain(name.to_owned(), entry, time.to_owned(), place),
            None => Self::Known(serde_json::from_slice(line).map_err(|e| e.to_string())?),
        })
    }

    const fn entry(&self) -> u64 {
        match self {
            Self::Known(noted) => noted.entry,
            Self::Plain(_, entry, ..) => *entry,
        }
    }

    /// The last entry before it that holds, where this closes off what a crash left.
    fn voids(&self) -> Option<u64> {
        match self {
            Self::Known(noted) => (noted.what == What::Void {}).then_some(noted.entry),
            Self::Plain(..) => None,
        }
    }
}

/// The end of what was read so far: the last line, and why something behind it is none. A later line shows what they are.
#[derive(Default)]
pub(super) struct Tail {
    last: Option<Parsed>,
    wrong: Option<Wrong>,
}

/// Why something is no line.
struct Wrong {
    why: String,
    /// Whether it has no end.
    is_torn: bool,
}

impl Tail {
    /// The last line that holds, once a void has closed off what follows it. What a crash left behind it may be a line, torn
    /// bytes, and the beginning of another void.
    fn voided(&mut self, entry: u64) -> Option<Parsed> {
        let was_wrong = self.wrong.take().is_some();
        self.last.take().filter(|last| was_wrong && last.found.entry() <= entry)
    }
}

/// Entry, time and key line of a signature, as this program writes them, whose documents tell of no other key line and take
/// the place of no other.
fn plain(line: &[u8]) -> Option<(u64, &str, &str)> {
    let text = str::from_utf8(line).ok()?;
    let (entry, rest) = text.strip_prefix("{\"entry\":")?.split_once(",\"time\":\"")?;
    let (time, rest) = rest.split_once("\",\"what\":{\"signed\":{\"key\":\"")?;
    let (name, rest) = rest.split_once('#')?;
    let (kind, rest) = rest.split_once("\",\"kind\":\"")?.1.split_once('"')?;
    let has = |member: &str| memchr::memmem::find(rest.as_bytes(), member.as_bytes()).is_some();
    let is_plain = rest.ends_with("}}}") && !has("\"carries\":") && !has("\"kind\":");
    (is_plain && !Kind::takes_place(kind)).then_some((entry.parse().ok()?, time, name))
}

impl Journal {
    /// Reads the journal of a vault.
    ///
    /// # Errors
    /// [`JOURNAL`]: it is damaged, or older or newer than the ledger, or not the one that the ledger's state file knows.
    pub(super) fn read(vault: &Path, marked: Marked) -> Result<Self, Fault> {
        let mut journal = Self::of_vault(vault);
        let read = journal.load().and_then(|tail| journal.end(tail, marked));
        read.map_err(|fault| fault.at(journal.path.display()))?;
        Ok(journal)
    }

    /// The journal of a vault, unread.
    pub(super) fn of_vault(vault: &Path) -> Self {
        Self { path: vault.join(NAME), ..Self::default() }
    }

    /// Takes every line but what may be loose at the end.
    pub(super) fn load(&mut self) -> Result<Tail, Fault> {
        let mut tail = Tail::default();
        let Some(document) = self.open()? else { return Ok(tail) };
        let mut reader = BufReader::with_capacity(BLOCK, document.reader());
        let (mut bytes, mut offset, mut number) = (Vec::new(), 0, 0);
        loop {
            bytes.clear();
            let length =
                reader.read_until(b'\n', &mut bytes).map_err(|e| disk::fault("read", &self.path, &e))?;
            if length == 0 {
                drop(reader);
                self.document = Some(document);
                return Ok(tail);
            }
            number += 1;
            let found = Found::of(&bytes, Place { before: 0, offset, length });
            offset += length as u64;
            match (found.map(|found| (found.voids(), found)), &tail.wrong) {
                (Ok((Some(entry), _)), _) => self.take(tail.voided(entry)),
                (Ok(_), Some(wrong)) => return Err(damaged(&wrong.why)),
                (Ok((None, found)), None) => {
                    self.take(tail.last.take());
                    tail.last = Some(self.followed_by(found, &bytes));
                }
                (Err(_), Some(_)) => {}
                (Err(why), None) => {
                    let is_torn = !bytes.ends_with(b"\n");
                    tail.wrong = Some(Wrong { why: format!("line {number}: {why}"), is_torn });
                }
            }
        }
    }

    /// Decides on the end: what a crash leaves there is loose, and everything else must be what the ledger's state knows.
    pub(super) fn end(&mut self, tail: Tail, marked: Marked) -> Result<(), Fault> {
        let Tail { last, wrong } = tail;
        let Marked::Known(marked, bound) = marked else {
            // Nothing tells how much there should be: only a line without its end is surely what a crash left.
            self.take(last);
            self.is_loose = wrong.is_some();
            return wrong.filter(|wrong| !wrong.is_torn).map_or(Ok(()), |wrong| Err(damaged(&wrong.why)));
        };
        let before = self.digest();
        let is_bound = bound.is_none_or(|bound| Some(bound.entry) == marked);
        let is_known = |digest: Digest| bound.is_some_and(|bound| bound.digest == digest);
        let is_late = |last: &Parsed| marked.is_none_or(|marked| last.found.entry() > marked);
        match last {
            Some(last) if is_late(&last) || is_bound && is_known(before) => self.is_loose = true,
            last => self.take(last),
        }
        self.is_loose |= wrong.is_some();
        let newest = self.newest.as_ref().map(|(entry, _)| *entry);
        if newest != marked {
            return Err(damaged(&match (newest, marked, wrong) {
                (_, _, Some(wrong)) => wrong.why,
                (newest, Some(marked), _) if newest.is_none_or(|newest| newest < marked) => format!(
                    "it is an old copy: the ledger has entry {marked}, and it ends with {}",
                    newest.map_or_else(|| "nothing".to_owned(), |newest| format!("entry {newest}"))
                ),
                _ => "it knows more than the ledger: entries are missing there".to_owned(),
            }));
        }
        // Of a line that a crash left in the log, the state file knows nothing yet.
        let digest = if is_bound { self.digest() } else { before };
        match bound {
            Some(bound) if bound.digest != digest => {
                Err(damaged("it is not the one that the ledger's state file knows: a line was changed"))
            }
            _ => Ok(()),
        }
    }

    /// The digest of its lines that hold, with their line feeds.
    pub(super) fn digest(&self) -> Digest {
        Digest::from_bytes(self.hash.clone().finalize().into())
    }

    fn open(&self) -> Result<Option<disk::Document>, Fault> {
        disk::exists(&self.path).then(|| disk::Document::open_private(&self.path)).transpose()
    }

    /// A line behind those that hold.
    fn followed_by(&self, found: Found, bytes: &[u8]) -> Parsed {
        Parsed { found, hash: self.hash.clone().chain_update(bytes) }
    }

    /// Takes a line that holds, where there is one.
    fn take(&mut self, line: Option<Parsed>) {
        let Some(Parsed { found, hash }) = line else { return };
        self.hash = hash;
        match found {
            Found::Known(noted) => self.push(*noted),
            Found::Plain(line, entry, time, place) => {
                let before = self.lines.len();
                self.plain.entry(line).or_default().push(Place { before, ..place });
                self.newest = Some((entry, time));
            }
        }
    }

    fn push(&mut self, noted: Noted) {
        for line in noted.what.lines() {
            self.of_line.entry(line.to_owned()).or_default().push(self.lines.len());
        }
        self.newest = Some((noted.entry, noted.time.clone()));
        self.lines.push(noted);
    }

    /// Begins the journal of a new vault.
    pub(super) fn create(vault: &Path) -> Result<(), Fault> {
        disk::create(&vault.join(NAME), b"")
    }

    /// Closes off what a crash left. Only who holds the ledger's lock may.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        if !self.is_loose {
            return Ok(());
        }
        self.written = None;
        let mut file = Growing::open(&self.path)?;
        let is_torn = file
            .length()
            .checked_sub(1)
            .is_some_and(|last| file.read(last, 1).is_ok_and(|byte| byte != b"\n"));
        let (entry, time) = self.newest.clone().unwrap_or_default();
        let void = Noted { entry, time, what: What::Void {} }.to_line()?;
        file.append(format!("{}{void}", if is_torn { "\n" } else { "" }).as_bytes())?;
        self.is_loose = false;
        Ok(())
    }

    /// Sets room aside for a line, so that what a key did can be noted even when the disk is full by then.
    pub(super) fn reserve(&self) -> Result<(), Fault> {
        self.growing()?.reserve(LINE_MAX)
    }

    /// The file to append to; a vault from before there were journals gets one.
    fn growing(&self) -> Result<Growing, Fault> {
        if !disk::exists(&self.path) {
            disk::create(&self.path, b"")?;
        }
        Growing::open(&self.path)
    }

    /// Writes a line durably, before its entry, and yields the digest with it. It counts once [`hold`](Self::hold) is told that
    /// the entry came; whoever does not write the entry leaves it loose.
    pub(super) fn write(&mut self, noted: &Noted) -> Result<Digest, Fault> {
        self.settle()?;
        let (mut file, text) = (self.growing()?, noted.to_line()?);
        let place = Place { before: 0, offset: file.length(), length: text.len() };
        let found = Found::of(text.as_bytes(), place).map_err(|why| damaged(&why))?;
        file.append(text.as_bytes())?;
        if self.document.is_none() {
            self.document = self.open()?;
        }
        self.is_loose = true;
        let written = self.written.insert(self.followed_by(found, text.as_bytes()));
        Ok(Digest::from_bytes(written.hash.clone().finalize().into()))
    }

    /// The entry came: the line holds.
    pub(super) fn hold(&mut self) {
        self.is_loose = false;
        let written = self.written.take();
        self.take(written);
    }

    /// The lines about a key line, in order, without plain signatures.
    pub fn of(&self, line: &Line) -> impl Iterator<Item = &Noted> {
        let places = self.of_line.get(&line.to_string()).into_iter().flatten();
        places.filter_map(|place| self.lines.get(*place))
    }

    /// Every line, in order, without plain signatures.
    pub fn lines(&self) -> &[Noted] {
        &self.lines
    }

    /// The key lines that have a key, sorted.
    pub fn key_lines(&self) -> Vec<Line> {
        let made = self.lines.iter().filter_map(|noted| match &noted.what {
            What::Made { key, .. } => key.parse::<KeyId>().ok().map(|key| key.line),
            _ => None,
        });
        made.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// A line with all its documents: those that stand in a list beside the ledger, too.
    pub(super) fn whole<'a>(&self, noted: &'a Noted) -> Result<Cow<'a, Noted>, Fault> {
        lists::whole(noted, &self.ledger())
    }

    /// The ledger that it belongs to.
    fn ledger(&self) -> PathBuf {
        self.path.with_file_name("ledger")
    }

    /// Visits the lines about a key line, or all, in order, each with all its documents.
    ///
    /// # Errors
    /// [`JOURNAL`](super::JOURNAL): a line is damaged, or its list; those of the visitor.
    pub fn each(
        &self,
        line: Option<&Line>,
        visit: &mut dyn FnMut(&Noted) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.each_line(line, &mut |noted| visit(&*self.whole(noted)?))
    }

    /// The same as they stand in the file.
    pub(super) fn each_line(
        &self,
        line: Option<&Line>,
        visit: &mut dyn FnMut(&Noted) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let name = line.map(ToString::to_string);
        let of_line = name.as_ref().map(|name| self.of_line.get(name).map_or(&[][..], Vec::as_slice));
        let count = of_line.map_or(self.lines.len(), <[usize]>::len);
        let known = (0..count).filter_map(|at| of_line.map_or(Some(at), |places| places.get(at).copied()));
        let mut known = known.peekable();
        let mut places: Vec<Place> = match &name {
            Some(name) => self.plain.get(name).cloned().unwrap_or_default(),
            None => self.plain.values().flatten().copied().collect(),
        };
        places.sort_unstable_by_key(|place| place.offset);
        let mut window = (0, Vec::new());
        for place in places {
            while let Some(noted) = known.next_if(|at| *at < place.before).and_then(|at| self.lines.get(at)) {
                visit(noted)?;
            }
            visit(&self.plain_line(place, &mut window)?)?;
        }
        known.filter_map(|at| self.lines.get(at)).try_for_each(visit)
    }

    /// Reads a plain signature, through a window of the file.
    fn plain_line(&self, place: Place, (start, window): &mut (u64, Vec<u8>)) -> Result<Noted, Fault> {
        let within = |start: u64, window: &[u8]| {
            let from = usize::try_from(place.offset.checked_sub(start)?).ok()?;
            window.get(from..from.checked_add(place.length)?).map(<[u8]>::to_vec)
        };
        let line = match (within(*start, window), &self.document) {
            (Some(line), _) => line,
            (None, None) => return Err(damaged("it is gone").at(self.path.display())),
            (None, Some(document)) => {
                *start = place.offset;
                window.clear();
                let length = BLOCK.max(place.length) as u64;
                let read = document.reader_at(place.offset).take(length).read_to_end(window);
                read.map_err(|e| disk::fault("read", &self.path, &e))?;
                within(*start, window).unwrap_or_default()
            }
        };
        serde_json::from_slice(&line).map_err(|e| damaged(&e.to_string()).at(self.path.display()))
    }

    /// Whether it names a signed document of this digest, or a list beside the ledger does.
    ///
    /// # Errors
    /// [`JOURNAL`](super::JOURNAL): a line is damaged, or a list.
    pub fn knows(&self, digest: &Digest) -> Result<bool, Fault> {
        let mut is_known = false;
        self.each_line(None, &mut |line| {
            is_known = is_known || self.names(line, digest)?;
            Ok(())
        })?;
        Ok(is_known)
    }

    fn names(&self, line: &Noted, digest: &Digest) -> Result<bool, Fault> {
        if let What::Signed { artefacts: Some(list), .. } = &line.what {
            return lists::contains(&self.ledger(), &list.parse()?, digest);
        }
        let digest = digest.to_string();
        Ok(match &self.whole(line)?.what {
            What::Signed { documents, .. } => documents.iter().any(|document| document.digest == digest),
            What::Elsewhere { document, .. } => document.digest == digest,
            _ => false,
        })
    }

    /// What became of these intents nobody knows.
    pub fn unknown(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().filter_map(|line| match line.what {
            What::Unknown { intent } => Some(intent),
            _ => None,
        })
    }
}

/// Reads the journal as the state of the ledger knows it. Where others act meanwhile, the two are read again: only what
/// contradicts a state that stands still is a fault.
pub(super) fn consistent<T>(
    mut state: impl FnMut() -> Option<Newest>,
    mut read: impl FnMut(Marked) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut before = state();
    loop {
        let found = read(before.into());
        let after = if found.is_ok() { before } else { state() };
        if after == before {
            return found;
        }
        before = after;
    }
}
