//! The compact record of the document that a key line signed last: for each entity its name and the digests of its parts.
//! Written and read as a stream of lines; `docs/formats/vault.md` specifies them.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

use super::print::PARTS;
use super::{Fact, Facts, Print, RECORD};
use crate::base::bytes::hex_into;
use crate::base::disk::{Document, DocumentReader};
use crate::base::fault::Fault;

const HEAD: &str = "fedroot last signed v1";
/// Longer lines are not believed: an entityID has at most a megabyte, six bytes for each when escaped.
const LINE_BYTES_MAX: u64 = 8 << 20;
/// What is read for one line at first.
const LINE_BYTES_USUAL: usize = 512;
/// What is read at a time where lines follow one another: some twenty.
const LINES_BYTES: usize = 4 * 1024;
/// The line of an entity whose name is empty.
const ENTITY_BYTES_MIN: u64 = 144;

/// Writes the line of an entity, or of another item.
pub(super) fn line_into(line: &mut Vec<u8>, name: &str, print: &Print) {
    line.clear();
    line.extend_from_slice(b"entity ");
    hex_into(line, &print.content);
    for part in print.parts {
        line.push(b' ');
        hex_into(line, &part.to_be_bytes());
    }
    line.push(b' ');
    // neither does a text fail to be JSON, nor a vector to take it
    let _ = serde_json::to_writer(&mut *line, name);
    line.push(b'\n');
}

/// Writes a record while its document streams past.
pub(super) struct Recorder<'w> {
    to: BufWriter<&'w mut dyn Write>,
    count: u64,
    failed: Option<io::Error>,
}

impl<'w> Recorder<'w> {
    /// Begins a record of a document of this kind.
    pub(super) fn new(to: &'w mut dyn Write, kind: &str) -> Self {
        let mut to = BufWriter::new(to);
        let failed = writeln!(to, "{HEAD} {kind}").err();
        Self { to, count: 0, failed }
    }

    /// Takes the line of the next entity or other item.
    pub(super) fn item(&mut self, line: &[u8]) {
        self.put(line);
        self.count += 1;
    }

    /// Ends the record.
    pub(super) fn finish(mut self, facts: &Facts) -> io::Result<()> {
        let whole = facts.iter().filter(|fact| !fact.is_item());
        let kept: Vec<Fact> = whole.map(|fact| Fact { remark: None, ..fact.clone() }).collect();
        let facts = serde_json::to_string(&kept).unwrap_or_default();
        self.put(format!("facts {facts}\nend {}\n", self.count).as_bytes());
        self.failed.map_or_else(|| self.to.flush(), Err)
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.to.write_all(bytes).err();
        }
    }
}

/// What a key line signed last. Of each entity only its place in the record is in memory.
pub struct Last {
    record: Document,
    hash: RandomState,
    /// The hash of each name and where its line begins, sorted.
    entities: Vec<(u64, u64)>,
    facts: Facts,
}

/// What a line of a record says.
enum Line<'a> {
    Entity(Cow<'a, str>, Print),
    Facts(Facts),
    End(usize),
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (what, rest) = line.split_once(' ')?;
        match what {
            "entity" => {
                let (first, mut rest) = rest.split_at_checked(32)?;
                let (high, low) = first.split_at_checked(16)?;
                let content = u128::from(number(high)?) << 64 | u128::from(number(low)?);
                let mut parts = [0; PARTS.len()];
                for part in &mut parts {
                    let (hex, behind) = rest.strip_prefix(' ')?.split_at_checked(16)?;
                    (*part, rest) = (number(hex)?, behind);
                }
                let print = Print { content: content.to_be_bytes(), parts };
                Some(Self::Entity(text(rest.strip_prefix(' ')?)?, print))
            }
            "facts" => serde_json::from_str(rest).ok().map(Self::Facts),
            "end" => rest.parse().ok().map(Self::End),
            _ => None,
        }
    }
}

/// What hexadecimal digits say.
fn number(hex: &str) -> Option<u64> {
    hex.bytes().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

/// What a JSON string says; most say what stands between their quotes.
fn text(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain.filter(|text| !text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'))) {
        Some(text) => Some(Cow::Borrowed(text)),
        None => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

impl Last {
    /// Reads a record through.
    pub fn read(record: Document) -> Result<Self, Fault> {
        let room = usize::try_from(record.length()? / ENTITY_BYTES_MIN).unwrap_or_default();
        let mut entities = Vec::with_capacity(room);
        let (hash, mut facts) = (RandomState::new(), Facts::default());
        let mut from = BufReader::new(record.reader());
        let (mut line, mut at, mut ended) = (String::new(), 0, false);
        for number in 1_u64.. {
            line.clear();
            let count = io::Read::take(&mut from, LINE_BYTES_MAX).read_line(&mut line);
            let wrong = |why: &str| RECORD.fault(format!("line {number}: {why}"));
            let count = count.map_err(|error| wrong(&error.to_string()))?;
            match line.strip_suffix('\n') {
                None if count == 0 && ended => break,
                Some(text) if number == 1 && text.starts_with(HEAD) => {}
                Some(text) if number > 1 && !ended => match Line::parse(text) {
                    Some(Line::Entity(id, _)) => entities.push((hash.hash_one(&*id), at)),
                    Some(Line::Facts(found)) => facts = found,
                    Some(Line::End(count)) if count == entities.len() => ended = true,
                    _ => return Err(wrong("it is no line of a record")),
                },
                _ => return Err(wrong("the record does not end as it should")),
            }
            at += count as u64;
        }
        drop(from);
        entities.sort_unstable();
        Ok(Self { record, hash, entities, facts })
    }

    /// The number of entities.
    pub(super) fn len(&self) -> usize {
        self.entities.len()
    }

    /// What the document said as a whole.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The place of an entity in the record, and its digests.
    pub(super) fn find(&self, id: &str) -> Option<(usize, Print)> {
        self.places(id).find_map(|(place, _)| {
            let (name, print) = self.get(place)?;
            (name == id).then_some((place, print))
        })
    }

    /// The place of the entity whose line begins there.
    pub(super) fn place(&self, id: &str, stands_at: u64) -> Option<usize> {
        self.places(id).find(|(_, at)| *at == stands_at).map(|(place, _)| place)
    }

    /// The places of names with the same hash, and where their lines begin.
    fn places(&self, id: &str) -> impl Iterator<Item = (usize, u64)> {
        let hash = self.hash.hash_one(id);
        let first = self.entities.partition_point(|(own, _)| *own < hash);
        let same = self.entities.iter().skip(first).take_while(move |(own, _)| *own == hash);
        (first..).zip(same).map(|(place, (_, at))| (place, *at))
    }

    /// Where the entity at a place stands in the record, and so in the order of the document.
    pub(super) fn stands_at(&self, place: usize) -> Option<u64> {
        self.entities.get(place).map(|(_, at)| *at)
    }

    /// The entity at a place.
    pub(super) fn get(&self, place: usize) -> Option<(String, Print)> {
        let (_, at) = self.entities.get(place)?;
        let mut line = String::new();
        let from = BufReader::with_capacity(LINE_BYTES_USUAL, self.record.reader_at(*at));
        io::Read::take(from, LINE_BYTES_MAX).read_line(&mut line).ok()?;
        match Line::parse(line.trim_end_matches('\n'))? {
            Line::Entity(name, print) => Some((name.into_owned(), print)),
            _ => None,
        }
    }
}

/// Goes through the lines of a record in their order, which is mostly that of the next document.
pub(super) struct Lines<'a> {
    record: &'a Document,
    from: BufReader<DocumentReader<'a>>,
    line: Vec<u8>,
    /// Where that line begins.
    at: u64,
}

impl<'a> Lines<'a> {
    /// At the first line behind the head.
    pub(super) fn new(last: &'a Last) -> Self {
        let mut lines = Self::at(&last.record, 0);
        lines.go_on();
        lines
    }

    fn at(record: &'a Document, at: u64) -> Self {
        let from = BufReader::with_capacity(LINES_BYTES, record.reader_at(at));
        let mut lines = Self { record, from, line: Vec::new(), at };
        lines.read();
        lines
    }

    /// Where this line begins, when it is the line at hand.
    pub(super) fn is_at(&self, line: &[u8]) -> Option<u64> {
        (self.line == line).then_some(self.at)
    }

    /// The entity of the line at hand.
    pub(super) fn entity(&self) -> Option<(Cow<'_, str>, Print)> {
        match Line::parse(str::from_utf8(&self.line).ok()?.strip_suffix('\n')?)? {
            Line::Entity(name, print) => Some((name, print)),
            Line::Facts(_) | Line::End(_) => None,
        }
    }

    /// Goes on to the next line.
    pub(super) fn go_on(&mut self) {
        self.at += self.line.len() as u64;
        self.read();
    }

    /// Goes on to the line behind that which begins there.
    pub(super) fn go_behind(&mut self, at: u64) {
        if at != self.at {
            *self = Self::at(self.record, at);
        }
        self.go_on();
    }

    /// A line that cannot be read is no entity's.
    fn read(&mut self) {
        self.line.clear();
        if io::Read::take(&mut self.from, LINE_BYTES_MAX).read_until(b'\n', &mut self.line).is_err() {
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(names: &[&str]) -> Vec<u8> {
        let mut record = Vec::new();
        let mut recorder = Recorder::new(&mut record, "test");
        for name in names {
            let mut line = Vec::new();
            line_into(&mut line, name, &Print::of_item(name.as_bytes()));
            recorder.item(&line);
        }
        recorder.finish(&Facts::default()).unwrap();
        record
    }

    fn read(record: Vec<u8>) -> Result<Last, Fault> {
        Last::read(Document::from_bytes("record", record))
    }

    const NAMES: [&str; 4] = ["https://a.example", "quoted \"\\ name", "ü\n", ""];

    #[test]
    fn names_come_back_as_they_were_and_in_any_order() {
        let last = read(record(&NAMES)).unwrap();
        for name in NAMES.iter().rev() {
            let (place, print) = last.find(name).unwrap();
            assert_eq!(print, Print::of_item(name.as_bytes()));
            assert_eq!(last.get(place).unwrap().0, *name);
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
            let place = last.find(name).unwrap().0;
            let at = lines.is_at(&line);
            let next = lines.entity().filter(|(next, _)| next == name);
            let print = next.map(|(_, print)| print);
            assert_eq!(print, is_next.then(|| Print::of_item(name.as_bytes())), "{name}");
            assert_eq!(at.and_then(|at| last.place(name, at)), is_next.then_some(place), "{name}");
            lines.go_behind(last.stands_at(place).unwrap());
        }
        assert_eq!(lines.line.split(|byte| *byte == b' ').next(), Some(&b"facts"[..]));
        assert!(lines.entity().is_none());
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
            (" 0000000000000000 ", " 000000000000000g "),
            (" 0000000000000000 ", " +000000000000000 "),
            (" 0000000000000000 ", " 000000000000000 "),
            (" 0000000000000000 ", "  000000000000000 "),
            ("end 4", "end 3"),
        ] {
            assert_eq!(read(good.replacen(from, to, 1).into_bytes()).err().unwrap().code(), &RECORD, "{to}");
        }
    }
}
