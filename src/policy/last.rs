//! The compact record of the document that a key line signed last: for each entity its name and the digests of its parts.
//! Written and read as a stream of lines; `docs/formats/vault.md` specifies them.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use serde::{Serialize, Serializer};

use super::facts::BYTES_MAX as FACTS_BYTES_MAX;
use super::line::Line;
use super::{Fact, Facts, Print, RECORD, ROOM};
use crate::base::bytes::{Digest, Hashing};
use crate::base::disk::{self, Document, DocumentReader};
use crate::base::fault::Fault;
use crate::base::marks::{Short, long, short};

const HEAD: &str = "fedroot last signed v4";
/// Of SAML metadata, they tell entities by less: their digests compare with none of now.
const HEADS_BEFORE: [&str; 3] =
    ["fedroot last signed v1", "fedroot last signed v2", "fedroot last signed v3"];
/// Longer lines are neither written nor believed. The longest has all facts of a document, six bytes for each when escaped;
/// an entityID has at most a megabyte.
const LINE_BYTES_MAX: usize = 8 * FACTS_BYTES_MAX;
/// What is read at a time where lines follow one another: some twenty.
const LINES_BYTES: usize = 4 * 1024;
/// The line of an entity whose name is empty.
const ENTITY_BYTES_MIN: u64 = 49;
/// The last line is shorter.
const END_BYTES: u64 = 32;
/// Of so many lines, the place of one is kept.
const STRIDE: usize = 32;
/// So many bits say which entity of a record one is; the others of 48 are of the hash of its name.
const NUMBER_BITS: u32 = 28;

/// What a record keeps of a fact.
#[derive(Serialize)]
struct Kept<'a> {
    path: &'a str,
    value: &'a str,
}

/// Writes a record while its document streams past.
pub(super) struct Recorder<'w> {
    to: BufWriter<&'w mut dyn Write>,
    count: u64,
    failed: Option<Fault>,
}

impl<'w> Recorder<'w> {
    /// Begins a record of a document of this kind.
    pub(super) fn new(to: &'w mut dyn Write, kind: &str) -> Self {
        let mut to = BufWriter::new(to);
        let failed = writeln!(to, "{HEAD} {kind}").err().map(|error| unwritten(&error));
        Self { to, count: 0, failed }
    }

    /// Takes the line of the next entity or other item.
    pub(super) fn item(&mut self, line: &[u8]) {
        self.put(line);
        self.count += 1;
    }

    /// Ends the record.
    ///
    /// # Errors
    /// [`ROOM`] where no reader would take a line of it, and those of writing it.
    pub(super) fn finish<'f>(mut self, facts: impl Iterator<Item = &'f Fact>) -> Result<(), Fault> {
        let kept = facts.filter(|fact| !fact.is_item()).map(|Fact { path, value, .. }| Kept { path, value });
        let mut line = b"facts ".to_vec();
        // neither does a text fail to be JSON, nor a vector to take it
        let _ = serde_json::Serializer::new(&mut line).collect_seq(kept);
        line.push(b'\n');
        self.put(&line);
        self.put(format!("end {}\n", self.count).as_bytes());
        self.failed.map_or_else(|| self.to.flush().map_err(|error| unwritten(&error)), Err)
    }

    fn put(&mut self, line: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.failed = if line.len() > LINE_BYTES_MAX {
            let count = line.len();
            Some(ROOM.fault(format!(
                "the record for the next review would have a line of {count} bytes, and {LINE_BYTES_MAX} can be read again"
            )).hint("shorten the names and values that the document has most of"))
        } else {
            self.to.write_all(line).err().map(|error| unwritten(&error))
        };
    }
}

fn unwritten(error: &io::Error) -> Fault {
    disk::fault("write", "the record of what is signed".as_ref(), error)
}

/// What a key line signed last. Of each entity six bytes and a quarter are in memory, and no text.
pub struct Last {
    record: Document,
    hash: RandomState,
    /// The beginning of the hash of each name, and which entity has it, sorted.
    entities: Vec<Short>,
    /// Where the line of every thirty-second entity begins.
    places: Vec<u64>,
    facts: Facts,
    digest: Digest,
    /// Whether it is of the version of now, and whether what its digests tell of entities is the same as now.
    is_of_now: bool,
    compares: bool,
}

/// How many entities the end of a record tells of: so many get room.
fn count(record: &Document) -> Result<usize, Fault> {
    let (length, mut end) = (record.length()?, Vec::new());
    // what cannot be read is told once the record is read through
    let _ = record.reader_at(length.saturating_sub(END_BYTES)).read_to_end(&mut end);
    let told: Option<usize> =
        str::from_utf8(&end).ok().and_then(|end| end.rsplit(' ').next()?.trim_end().parse().ok());
    Ok(told.unwrap_or_default().min(usize::try_from(length / ENTITY_BYTES_MIN).unwrap_or_default()))
}

impl Last {
    /// Whether a document of now compares with it: an earlier version tells the same things by other digests.
    pub const fn compares(&self) -> bool {
        self.compares
    }

    /// Reads a record through.
    pub fn read(record: Document) -> Result<Self, Fault> {
        let (hash, mut facts) = (RandomState::new(), Facts::default());
        let room = count(&record)?;
        let (mut entities, mut places) = (Vec::with_capacity(room), Vec::with_capacity(room / STRIDE));
        let mut from = BufReader::new(Hashing::new(record.reader()));
        let (mut line, mut at, mut ended) = (String::new(), 0, false);
        let (mut is_of_now, mut compares) = (true, true);
        for number in 1_u64.. {
            line.clear();
            let count = io::Read::take(&mut from, LINE_BYTES_MAX as u64).read_line(&mut line);
            let wrong = |why: &str| RECORD.fault(format!("line {number}: {why}"));
            let count = count.map_err(|error| wrong(&error.to_string()))?;
            match line.strip_suffix('\n') {
                None if count == 0 && ended => break,
                Some(text) if number == 1 && text.starts_with(HEAD) => {}
                Some(text) if number == 1 && HEADS_BEFORE.iter().any(|head| text.starts_with(head)) => {
                    (is_of_now, compares) = (false, !text.ends_with(" saml"));
                }
                Some(text) if number > 1 && !ended => match Line::parse(text, is_of_now) {
                    Some(Line::Entity(id, _)) => {
                        if entities.len() % STRIDE == 0 {
                            places.push(at);
                        }
                        let key = key(hash.hash_one(&*id), entities.len());
                        entities.push(key.ok_or_else(|| wrong("there are too many entities"))?);
                    }
                    Some(Line::Facts(found)) => facts = found,
                    Some(Line::End(count)) if count == entities.len() => ended = true,
                    _ => return Err(wrong("it is no line of a record")),
                },
                _ => return Err(wrong("the record does not end as it should")),
            }
            at += count as u64;
        }
        let digest = from.into_inner().finish().0;
        entities.sort_unstable();
        Ok(Self { record, hash, entities, places, facts, digest, is_of_now, compares })
    }

    /// Whether the digests of parts stand in it as long as they are now.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_of_now
    }

    /// The digest of the record as it stands.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The number of entities.
    pub(super) fn len(&self) -> usize {
        self.entities.len()
    }

    /// What the document said as a whole.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether an entity or another item of this name stands in the record.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Tells the names of all entities or other items, in their order.
    pub fn names(&self, tell: &mut dyn FnMut(&str)) {
        let mut lines = Lines::new(self);
        for _ in 0..self.len() {
            if let Some((name, _)) = lines.entity() {
                tell(&name);
            }
            lines.go_on();
        }
    }

    /// Which entity of the record has this name, and its digests.
    pub(super) fn find(&self, id: &str) -> Option<(usize, Print)> {
        let first = key(self.hash.hash_one(id), 0)?;
        let from = self.entities.partition_point(|own| *own < first);
        let same = self.entities.iter().skip(from).map(|own| number(*own));
        let mut same = same.take_while(|(hash, _)| *hash == number(first).0);
        same.find_map(|(_, number)| {
            let lines = Lines::at(self, number);
            let (name, print) = lines.entity()?;
            (name == id).then_some((number, print))
        })
    }
}

/// The beginning of a hash and the number of an entity; nothing when the number is too large.
fn key(hash: u64, number: usize) -> Option<Short> {
    let number = u64::try_from(number).ok().filter(|number| number >> NUMBER_BITS == 0)?;
    Some(short(hash >> 16 >> NUMBER_BITS << NUMBER_BITS | number))
}

/// The two of which such a key is made.
fn number(key: Short) -> (u64, usize) {
    let whole = long(key);
    let number = whole & ((1 << NUMBER_BITS) - 1);
    (whole >> NUMBER_BITS, usize::try_from(number).unwrap_or(usize::MAX))
}

/// Goes through the entities of a record in their order, which is mostly that of the next document.
pub(super) struct Lines<'a> {
    last: &'a Last,
    from: BufReader<DocumentReader<'a>>,
    line: Vec<u8>,
    /// Which entity's that line is.
    number: usize,
}

impl<'a> Lines<'a> {
    /// At the line of the first entity.
    pub(super) fn new(last: &'a Last) -> Self {
        Self::at(last, 0)
    }

    /// At the line of this entity.
    fn at(last: &'a Last, number: usize) -> Self {
        // behind the last one, there is nothing to be read
        let place = last.places.get(number / STRIDE).copied().unwrap_or(u64::MAX);
        let from = BufReader::with_capacity(LINES_BYTES, last.record.reader_at(place));
        let mut lines = Self { last, from, line: Vec::new(), number: number - number % STRIDE };
        lines.read();
        while lines.number < number {
            lines.go_on();
        }
        lines
    }

    /// Which entity's the line at hand is, when it is this line.
    pub(super) fn is_at(&self, line: &[u8]) -> Option<usize> {
        (self.line == line).then_some(self.number)
    }

    /// The line at hand.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// The entity of the line at hand.
    pub(super) fn entity(&self) -> Option<(Cow<'_, str>, Print)> {
        let line = str::from_utf8(&self.line).ok()?.strip_suffix('\n')?;
        match Line::parse(line, self.last.is_of_now)? {
            Line::Entity(name, print) => Some((name, print)),
            Line::Facts(_) | Line::End(_) => None,
        }
    }

    /// Goes on to the next line.
    pub(super) fn go_on(&mut self) {
        self.number += 1;
        self.read();
    }

    /// Goes on to the line behind that of this entity.
    pub(super) fn go_behind(&mut self, number: usize) {
        if number != self.number {
            *self = Self::at(self.last, number);
        }
        self.go_on();
    }

    /// A line that cannot be read is no entity's.
    fn read(&mut self) {
        self.line.clear();
        if io::Read::take(&mut self.from, LINE_BYTES_MAX as u64).read_until(b'\n', &mut self.line).is_err() {
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::line::{PARTS_BEFORE, line_into};

    fn record(names: &[&str]) -> Vec<u8> {
        let mut record = Vec::new();
        let mut recorder = Recorder::new(&mut record, "test");
        for name in names {
            let mut line = Vec::new();
            line_into(&mut line, name, &Print::of_item(name.as_bytes()));
            recorder.item(&line);
        }
        recorder.finish(Facts::default().iter()).unwrap();
        record
    }

    fn read(record: Vec<u8>) -> Result<Last, Fault> {
        Last::read(Document::from_bytes("record", record))
    }

    #[test]
    fn of_earlier_versions_the_names_and_the_digest_of_all_are_read() {
        let [whole, part] = ["0123456789abcdef0123456789abcdef", "fedcba9876543210"];
        let earlier = |version: &str, kind: &str, part: &str| {
            let parts = [part; PARTS_BEFORE].join(" ");
            format!("fedroot last signed {version} {kind}\nentity {whole} {parts} \"a\"\nfacts []\nend 1\n")
        };
        for version in ["v1", "v2", "v3"] {
            let last = read(earlier(version, "bundle", part).into()).unwrap();
            let (_, print) = last.find("a").unwrap();
            assert_eq!(print.content[..4], [0x01, 0x23, 0x45, 0x67]);
            assert_eq!(print.parts[PARTS_BEFORE - 1], 0xfedc_ba98_7654_3210 << 64);
            assert!(last.compares() && !read(earlier(version, "saml", part).into()).unwrap().compares());
        }
        for (version, part) in
            [("v3", "fedcba987654321"), ("v3", "FEDCBA9876543210"), ("v4", part), ("v5", part)]
        {
            assert!(read(earlier(version, "bundle", part).into()).is_err(), "{version} {part}");
        }
    }

    const NAMES: [&str; 4] = ["https://a.example", "quoted \"\\ name", "ü\n", ""];

    #[test]
    fn names_come_back_as_they_were_and_in_any_order() {
        let last = read(record(&NAMES)).unwrap();
        for name in NAMES.iter().rev() {
            let (number, print) = last.find(name).unwrap();
            assert_eq!(print, Print::of_item(name.as_bytes()));
            assert_eq!(NAMES[number], *name);
        }
        assert!(last.find("https://a.exampl").is_none());
    }

    #[test]
    fn lines_are_gone_through_in_order_and_from_wherever_one_is_found() {
        let last = read(record(&NAMES)).unwrap();
        let mut lines = Lines::new(&last);
        let mut line = Vec::new();
        for (name, is_next) in
            [(NAMES[0], true), (NAMES[1], true), (NAMES[3], false), (NAMES[2], false), (NAMES[3], true)]
        {
            line_into(&mut line, name, &Print::of_item(name.as_bytes()));
            let number = last.find(name).unwrap().0;
            let next = lines.entity().filter(|(next, _)| next == name);
            let print = next.map(|(_, print)| print);
            assert_eq!(print, is_next.then(|| Print::of_item(name.as_bytes())), "{name}");
            assert_eq!(lines.is_at(&line), is_next.then_some(number), "{name}");
            lines.go_behind(number);
        }
        assert_eq!(lines.line.split(|byte| *byte == b' ').next(), Some(&b"facts"[..]));
        assert!(lines.entity().is_none());
    }

    #[test]
    fn of_many_each_is_found_at_its_place() {
        let names: Vec<String> = (0..100).map(|number| format!("https://{number}.example")).collect();
        let last = read(record(&names.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
        for (at, name) in names.iter().enumerate() {
            let (number, print) = last.find(name).unwrap();
            assert_eq!((number, print), (at, Print::of_item(name.as_bytes())));
            let mut lines = Lines::new(&last);
            lines.go_behind(at);
            assert_eq!(lines.entity().map(|(name, _)| name.into_owned()), names.get(at + 1).cloned());
        }
        for (hash, own) in [(0, 0), (u64::MAX, (1 << NUMBER_BITS) - 1), (1 << 44, 5)] {
            assert_eq!(number(key(hash, own).unwrap()), (hash >> 44, own));
        }
        assert_eq!(key(0, 1 << NUMBER_BITS), None);
    }

    /// Whatever a document says: what is written can be read, and what nobody could read is not written.
    #[test]
    fn what_is_written_can_be_read_again() {
        let mut facts = Facts::default();
        while !facts.is_cut() {
            facts.add_whole("a\"\u{1}".repeat(1_000), "\u{1}".repeat(100_000));
        }
        let mut record = Vec::new();
        Recorder::new(&mut record, "test").finish(facts.iter()).unwrap();
        assert!(record.len() > 5 * FACTS_BYTES_MAX, "{}", record.len());
        assert_eq!(read(record).unwrap().facts().iter().count(), facts.iter().count());
        let mut refused = Vec::new();
        let mut recorder = Recorder::new(&mut refused, "test");
        recorder.item(&vec![b'a'; LINE_BYTES_MAX + 1]);
        let fault = recorder.finish(Facts::default().iter()).unwrap_err();
        assert_eq!(fault.code(), &ROOM, "{fault}");
        assert!(refused.len() < 1_024, "{}", refused.len());
    }

    #[test]
    fn what_is_no_line_is_refused() {
        let good = String::from_utf8(record(&NAMES)).unwrap();
        assert!(read(good.clone().into_bytes()).is_ok());
        for (from, to) in [
            ("entity ", "entity x"),
            ("\"https", "https"),
            ("example\"", "example"),
            ("https://a", "https://\u{1}"),
            ("https://a", "https://\"a"),
            ("https://a", "https://\\xa"),
            (" - ", " + "),
            (" - ", " "),
            (" - ", " - - "),
            (" - ", "  "),
            ("end 4", "end 3"),
        ] {
            assert_eq!(read(good.replacen(from, to, 1).into_bytes()).err().unwrap().code(), &RECORD, "{to}");
        }
    }
}
