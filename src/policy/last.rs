//! The compact record of the document that a key line signed last: for each entity its name and the digests of its parts.
//! Written and read as a stream of lines; `docs/formats/vault.md` specifies them.

use std::io::{self, BufRead, Write};

use sha2::{Digest as _, Sha256};

use super::{Entity, Facts, RECORD};
use crate::base::bytes::{from_hex, hex};
use crate::base::fault::Fault;

/// The parts of an entity that are told apart, the riskiest first.
pub(super) const PARTS: [&str; 6] = ["keys", "endpoints", "scopes", "registrar", "attributes", "roles"];

const HEAD: &str = "fedroot last signed v1";
/// Longer lines are not believed: an entityID has at most a megabyte, six bytes for each when escaped.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// The first eight bytes of a SHA-256 digest.
pub(super) fn short_hash(bytes: &[u8]) -> u64 {
    Sha256::digest(bytes).first_chunk().map_or(0, |short| u64::from_be_bytes(*short))
}

fn id_hash(id: &str) -> [u8; 16] {
    Sha256::digest(id.as_bytes()).first_chunk().copied().unwrap_or_default()
}

/// One item of a document whose parts are no entities, such as a file of a bundle.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name; foreign text.
    pub name: String,
    /// The digest of its content.
    pub content: Vec<u8>,
}

/// The digests of one entity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Print {
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

    /// An item is one whole: nothing of it is told apart.
    pub(super) fn of_item(item: &Item) -> Self {
        Self {
            content: Sha256::digest(&item.content).first_chunk().copied().unwrap_or_default(),
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
pub struct Recorder<'w> {
    to: &'w mut dyn Write,
    count: u64,
    failed: Option<io::Error>,
}

impl<'w> Recorder<'w> {
    /// Begins a record of a document of this kind.
    pub fn new(to: &'w mut dyn Write, kind: &str) -> Self {
        let failed = writeln!(to, "{HEAD} {kind}").err();
        Self { to, count: 0, failed }
    }

    /// Notes the next entity.
    pub fn entity(&mut self, entity: &Entity) {
        self.print(&entity.id, &Print::of(entity));
    }

    /// Notes the next item.
    pub fn item(&mut self, item: &Item) {
        self.print(&item.name, &Print::of_item(item));
    }

    fn print(&mut self, name: &str, print: &Print) {
        let parts: Vec<String> = print.parts.iter().map(|part| format!("{part:016x}")).collect();
        let id = serde_json::to_string(name).unwrap_or_default();
        self.put(&format!("entity {} {} {id}\n", hex(&print.content), parts.join(" ")));
        self.count += 1;
    }

    /// Ends the record.
    pub fn finish(mut self, facts: &Facts) -> io::Result<()> {
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

/// One entity of the record.
pub(super) struct Past {
    id: [u8; 16],
    name: u32,
    pub(super) print: Print,
}

/// What a key line signed last.
#[derive(Default)]
pub struct Last {
    entities: Vec<Past>,
    names: String,
    facts: Facts,
}

impl Last {
    /// Reads a record.
    pub fn read(mut from: impl BufRead) -> Result<Self, Fault> {
        let mut last = Self::default();
        let mut ended = false;
        let mut line = String::new();
        for number in 1_u64.. {
            line.clear();
            let count = io::Read::take(&mut from, LINE_BYTES_MAX).read_line(&mut line);
            let wrong = |why: &str| RECORD.fault(format!("line {number}: {why}"));
            let count = count.map_err(|error| wrong(&error.to_string()))?;
            match line.strip_suffix('\n') {
                None if count == 0 && ended => break,
                Some(text) if number == 1 && text.starts_with(HEAD) => {}
                Some(text) if number > 1 && !ended => {
                    ended = last.take(text).ok_or_else(|| wrong("it is no line of a record"))?;
                }
                _ => return Err(wrong("the record does not end as it should")),
            }
        }
        last.entities.sort_unstable_by_key(|past| past.id);
        last.entities.shrink_to_fit();
        Ok(last)
    }

    /// Takes a line in; yields whether it was the last.
    fn take(&mut self, line: &str) -> Option<bool> {
        let (what, rest) = line.split_once(' ')?;
        match what {
            "entity" => {
                let mut fields = rest.splitn(PARTS.len() + 2, ' ');
                let content = from_hex(fields.next()?)?.first_chunk().copied()?;
                let mut parts = [0; PARTS.len()];
                for part in &mut parts {
                    *part = u64::from_str_radix(fields.next()?, 16).ok()?;
                }
                let id: String = serde_json::from_str(fields.next()?).ok()?;
                let name = u32::try_from(self.names.len()).ok()?;
                self.names.push_str(&id);
                self.names.push('\0');
                self.entities.push(Past { id: id_hash(&id), name, print: Print { content, parts } });
            }
            "facts" => self.facts = serde_json::from_str(rest).ok()?,
            "end" => return (rest.parse() == Ok(self.entities.len())).then_some(true),
            _ => return None,
        }
        Some(false)
    }

    /// The number of entities.
    pub(super) fn len(&self) -> usize {
        self.entities.len()
    }

    /// What the document said as a whole.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The place of an entity in the record.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        let id = id_hash(id);
        self.entities.binary_search_by_key(&id, |past| past.id).ok()
    }

    /// The entity at a place.
    pub(super) fn get(&self, place: usize) -> Option<(&str, &Print)> {
        let past = self.entities.get(place)?;
        let name = self.names.get(past.name as usize..)?.split('\0').next()?;
        Some((name, &past.print))
    }
}
