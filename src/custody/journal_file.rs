//! The file of the journal: read at each use, without what is only outstanding; written line by line, before the ledger.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::JOURNAL;
use super::journal::{NAME, Noted, What, damaged};
use crate::base::append::Growing;
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::key::Line;
use crate::lifecycle::Kind;

/// So much is read at once.
const BLOCK: usize = 1 << 18;

/// The newest entry that has a line, as the ledger's state knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Marked {
    /// This one; none, as long as no entry has.
    Known(Option<u64>),
    /// The state is not there: every line holds.
    Unknown,
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
    /// Whether the file ends with a line whose entry never came, or that is torn.
    is_loose: bool,
}

/// Where a plain signature stands.
#[derive(Clone, Copy)]
struct Place {
    /// How many lines are before it that are none.
    before: usize,
    offset: u64,
    length: usize,
}

/// A line as the first look takes it.
enum Found {
    Known(Box<Noted>),
    /// A plain signature: the key line, the entry, the time.
    Plain(String, u64, String, Place),
    Wrong(String),
}

impl Found {
    fn of(bytes: &[u8], place: Place, number: usize) -> Self {
        let Some(line) = bytes.strip_suffix(b"\n") else { return Self::Wrong(TORN.to_owned()) };
        if let Some((entry, time, name)) = plain(line) {
            return Self::Plain(name.to_owned(), entry, time.to_owned(), place);
        }
        let known = |noted| Self::Known(Box::new(noted));
        serde_json::from_slice(line).map_or_else(|e| Self::Wrong(format!("line {number}: {e}")), known)
    }

    const fn entry(&self) -> Option<u64> {
        match self {
            Self::Known(noted) => Some(noted.entry),
            Self::Plain(_, entry, ..) => Some(*entry),
            Self::Wrong(_) => None,
        }
    }
}

const TORN: &str = "torn";

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
    /// [`JOURNAL`]: it is damaged, or older or newer than the ledger.
    pub(super) fn read(vault: &Path, marked: Marked) -> Result<Self, Fault> {
        let path = vault.join(NAME);
        let at = |fault: Fault| fault.at(path.display());
        let mut journal = Self { path: path.clone(), ..Self::default() };
        let document = journal.open()?;
        let mut before: Option<Found> = None;
        let (mut bytes, mut offset, mut number) = (Vec::new(), 0, 0);
        let mut reader = document.as_ref().map(|document| BufReader::with_capacity(BLOCK, document.reader()));
        while let Some(reader) = &mut reader {
            bytes.clear();
            let length = reader.read_until(b'\n', &mut bytes).map_err(|e| disk::fault("read", &path, &e))?;
            if length == 0 {
                break;
            }
            number += 1;
            let found = Found::of(&bytes, Place { before: 0, offset, length }, number);
            offset += length as u64;
            let is_void = matches!(&found, Found::Known(line) if line.what == What::Void {});
            if let Some(before) = before.take().filter(|_| !is_void) {
                journal.take(before).map_err(at)?;
            }
            before = (!is_void).then_some(found);
        }
        let later = |entry, marked: Option<u64>| marked.is_none_or(|marked| entry > marked);
        match (before, marked) {
            // What a crash leaves in front of the ledger's entry.
            (Some(Found::Wrong(why)), _) if why == TORN => journal.is_loose = true,
            (Some(last), Marked::Known(marked)) if last.entry().is_some_and(|entry| later(entry, marked)) => {
                journal.is_loose = true;
            }
            (Some(last), _) => journal.take(last).map_err(at)?,
            (None, _) => {}
        }
        drop(reader);
        journal.document = document;
        match (journal.newest.as_ref().map(|(entry, _)| *entry), marked) {
            (newest, Marked::Known(marked)) if newest != marked => {
                Err(at(damaged(&match (newest, marked) {
                    (newest, Some(marked)) if newest.is_none_or(|newest| newest < marked) => format!(
                        "it is an old copy: the ledger has entry {marked}, and it ends with {}",
                        newest.map_or_else(|| "nothing".to_owned(), |newest| format!("entry {newest}"))
                    ),
                    _ => "it knows more than the ledger: entries are missing there".to_owned(),
                })))
            }
            _ => Ok(journal),
        }
    }

    fn open(&self) -> Result<Option<disk::Document>, Fault> {
        disk::exists(&self.path).then(|| disk::Document::open_private(&self.path)).transpose()
    }

    /// Takes a line that holds.
    fn take(&mut self, found: Found) -> Result<(), Fault> {
        match found {
            Found::Known(noted) => self.push(*noted),
            Found::Plain(line, entry, time, place) => {
                let before = self.lines.len();
                self.plain.entry(line).or_default().push(Place { before, ..place });
                self.newest = Some((entry, time));
            }
            Found::Wrong(why) => return Err(damaged(&why)),
        }
        Ok(())
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

    /// Writes a line durably, before its entry. Whoever does not write the entry then leaves it loose.
    pub(super) fn write(&mut self, noted: &Noted) -> Result<(), Fault> {
        self.settle()?;
        if !disk::exists(&self.path) {
            disk::create(&self.path, b"")?;
        }
        let (mut file, text) = (Growing::open(&self.path)?, noted.to_line()?);
        let place = Place { before: 0, offset: file.length(), length: text.len() };
        file.append(text.as_bytes())?;
        if self.document.is_none() {
            self.document = self.open()?;
        }
        self.is_loose = true;
        self.take(Found::of(text.as_bytes(), place, 0))
    }

    /// The entry came: the line holds.
    pub(super) const fn hold(&mut self) {
        self.is_loose = false;
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

    /// Visits the lines about a key line, or all, in order.
    ///
    /// # Errors
    /// [`JOURNAL`]: a line is damaged; those of the visitor.
    pub fn each(
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

    /// Whether it names a signed document of this digest.
    ///
    /// # Errors
    /// [`JOURNAL`]: a line is damaged.
    pub fn knows(&self, digest: &Digest) -> Result<bool, Fault> {
        let (digest, mut is_known) = (digest.to_string(), false);
        self.each(None, &mut |line| {
            is_known |= match &line.what {
                What::Signed { documents, .. } => documents.iter().any(|document| document.digest == digest),
                What::Elsewhere { document, .. } => document.digest == digest,
                _ => false,
            };
            Ok(())
        })?;
        Ok(is_known)
    }

    /// Whether these are all its lines.
    fn is(&self, lines: &[Noted]) -> Result<bool, Fault> {
        let (mut expected, mut is_same) = (lines.iter(), true);
        self.each(None, &mut |line| {
            is_same &= expected.next() == Some(line);
            Ok(())
        })?;
        Ok(is_same && expected.next().is_none())
    }

    /// What became of these intents nobody knows.
    pub fn unknown(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().filter_map(|line| match line.what {
            What::Unknown { intent } => Some(intent),
            _ => None,
        })
    }
}

/// Replaces the journal with lines that an auditor read from the ledger, unless it says the same. Yields whether it did not.
pub(super) fn replace(vault: &Path, lines: &[Noted], compare: bool) -> Result<bool, Fault> {
    let same = Journal::read(vault, Marked::Unknown).and_then(|journal| journal.is(lines)).unwrap_or(false);
    if same {
        return Ok(false);
    }
    if compare {
        return Err(JOURNAL
            .fault(format!("{} is not what the ledger says", vault.join(NAME).display()))
            .hint("without --compare, it is made anew"));
    }
    let text = lines.iter().map(Noted::to_line).collect::<Result<String, _>>()?;
    disk::replace(&vault.join(NAME), text.as_bytes())?;
    Ok(true)
}

/// The ledger began anew with this entry: whatever the journal knows still holds.
pub(super) fn resealed(vault: &Path, entry: u64, now: Instant) -> Result<(), Fault> {
    let mut journal = Journal::read(vault, Marked::Unknown)?;
    journal.write(&Noted::resealed(entry, now))
}
