//! The compact record of the document that a key line signed last: for each entity its name and the digests of its parts.
//! Written and read as a stream of lines; `docs/formats/vault.md` specifies them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, Write};

use sha2::{Digest as _, Sha256};

use super::{Entity, Facts, RECORD};
use crate::base::bytes::{from_hex, hex};
use crate::base::disk::Document;
use crate::base::fault::Fault;

/// The parts of an entity that are told apart, the riskiest first.
pub(super) const PARTS: [&str; 6] = ["keys", "endpoints", "scopes", "registrar", "attributes", "roles"];

/// The parts of a document of a batch that are told apart, the riskiest first.
pub(super) const DOCUMENT_PARTS: [&str; 5] = ["keys", "policy", "constraints", "metadata", "marks"];

const HEAD: &str = "fedroot last signed v1";
/// Longer lines are not believed: an entityID has at most a megabyte, six bytes for each when escaped.
const LINE_BYTES_MAX: u64 = 8 << 20;
/// What is read for one line at first.
const LINE_BYTES_USUAL: usize = 512;
/// The line of an entity whose name is empty.
const ENTITY_BYTES_MIN: u64 = 144;

/// The digests of one entity, or of another item of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Print {
    pub(super) content: [u8; 16],
    pub(super) parts: [u64; PARTS.len()],
}

impl Print {
    pub(super) fn of(entity: &Entity) -> Self {
        let parts = [
            keys(entity),
            endpoints(entity),
            scopes(entity),
            registrar(entity),
            attributes(entity),
            roles(entity),
        ];
        Self { content: entity.content, parts: parts.map(digest_of) }
    }

    /// Of a document of a batch: what it says of keys, policy, constraints, metadata and trust marks, and what tells all of it.
    pub fn of_member(parts: [Vec<String>; DOCUMENT_PARTS.len()], content: &[u8]) -> Self {
        let mut print = Self::of_item(content);
        for (own, part) in print.parts.iter_mut().zip(parts) {
            *own = if part.is_empty() { 0 } else { digest_of(part) };
        }
        print
    }

    /// An item is one whole: nothing of it is told apart.
    pub(super) fn of_item(content: &[u8]) -> Self {
        Self {
            content: Sha256::digest(content).first_chunk().copied().unwrap_or_default(),
            parts: [0; PARTS.len()],
        }
    }
}

/// The digest of a set of texts: their order does not matter, their number does.
fn digest_of(mut list: Vec<String>) -> u64 {
    list.sort_unstable();
    let mut hash = Sha256::new();
    for text in list {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().first_chunk().map_or(0, |short| u64::from_be_bytes(*short))
}

fn keys(entity: &Entity) -> Vec<String> {
    let mut list = Vec::new();
    for role in &entity.roles {
        for key in &role.keys {
            let fingerprints = key.certificates.iter().map(|certificate| {
                certificate
                    .as_ref()
                    .map_or("unreadable".into(), |certificate| certificate.fingerprint.to_string())
            });
            let others = key.others.iter().map(ToString::to_string);
            let purpose = key.purpose.as_deref().unwrap_or_default();
            list.extend(fingerprints.chain(others).map(|key| format!("{}\0{purpose}\0{key}", role.name)));
        }
    }
    list
}

fn endpoints(entity: &Entity) -> Vec<String> {
    let text = |endpoint: &super::Endpoint| {
        format!(
            "{}\0{}\0{}\0{}\0{}",
            endpoint.service,
            endpoint.binding,
            endpoint.location,
            endpoint.response.as_deref().unwrap_or_default(),
            endpoint.index.as_deref().unwrap_or_default()
        )
    };
    entity.endpoints().map(text).collect()
}

fn scopes(entity: &Entity) -> Vec<String> {
    let scopes = entity.roles.iter().flat_map(|role| &role.scopes);
    scopes.map(|scope| format!("{}\0{}", scope.is_regexp, scope.value)).collect()
}

fn registrar(entity: &Entity) -> Vec<String> {
    entity.registrations.iter().map(|one| one.authority.clone().unwrap_or_default()).collect()
}

fn attributes(entity: &Entity) -> Vec<String> {
    entity.attributes.iter().map(|(name, value)| format!("{name}\0{value}")).collect()
}

fn roles(entity: &Entity) -> Vec<String> {
    let text =
        |role: &super::Role| format!("{}\0{}", role.name, role.protocols.as_deref().unwrap_or_default());
    entity.roles.iter().map(text).collect()
}

/// Writes a record while its document streams past.
pub(super) struct Recorder<'w> {
    to: &'w mut dyn Write,
    count: u64,
    failed: Option<io::Error>,
}

impl<'w> Recorder<'w> {
    /// Begins a record of a document of this kind.
    pub(super) fn new(to: &'w mut dyn Write, kind: &str) -> Self {
        let failed = writeln!(to, "{HEAD} {kind}").err();
        Self { to, count: 0, failed }
    }

    /// Notes the next entity or other item.
    pub(super) fn item(&mut self, name: &str, print: &Print) {
        let parts: Vec<String> = print.parts.iter().map(|part| format!("{part:016x}")).collect();
        let id = serde_json::to_string(name).unwrap_or_default();
        self.put(&format!("entity {} {} {id}\n", hex(&print.content), parts.join(" ")));
        self.count += 1;
    }

    /// Ends the record.
    pub(super) fn finish(mut self, facts: &Facts) -> io::Result<()> {
        let mut kept = Facts::default();
        for fact in facts.iter().filter(|fact| !fact.is_item()) {
            kept.add(fact.path.clone(), fact.value.clone());
        }
        let facts = serde_json::to_string(&kept).unwrap_or_default();
        self.put(&format!("facts {facts}\nend {}\n", self.count));
        self.failed.map_or(Ok(()), Err)
    }

    fn put(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.to.write_all(text.as_bytes()).err();
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
enum Line {
    Entity(String, Print),
    Facts(Facts),
    End(usize),
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let (what, rest) = line.split_once(' ')?;
        match what {
            "entity" => {
                let mut fields = rest.splitn(PARTS.len() + 2, ' ');
                let content = from_hex(fields.next()?)?.first_chunk().copied()?;
                let mut parts = [0; PARTS.len()];
                for part in &mut parts {
                    *part = u64::from_str_radix(fields.next()?, 16).ok()?;
                }
                let id = serde_json::from_str(fields.next()?).ok()?;
                Some(Self::Entity(id, Print { content, parts }))
            }
            "facts" => serde_json::from_str(rest).ok().map(Self::Facts),
            "end" => rest.parse().ok().map(Self::End),
            _ => None,
        }
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
                    Some(Line::Entity(id, _)) => entities.push((hash.hash_one(id), at)),
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
        let hash = self.hash.hash_one(id);
        let first = self.entities.partition_point(|(own, _)| *own < hash);
        let same = self.entities.iter().skip(first).take_while(|(own, _)| *own == hash);
        (first..).zip(same).find_map(|(place, _)| {
            let (name, print) = self.get(place)?;
            (name == id).then_some((place, print))
        })
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
            Line::Entity(name, print) => Some((name, print)),
            _ => None,
        }
    }
}
