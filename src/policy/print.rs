//! The digests of one entity, or of another item of a document: of all of it, and of the parts that are told apart.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::{Endpoint, Entity, Text};

/// The parts of an entity that are told apart, the riskiest first.
pub(super) const PARTS: [&str; 8] =
    ["keys", "endpoints", "scopes", "registrar", "attributes", "roles", "certificates", "texts"];
/// So many of them are riskier than an entity that comes or goes.
pub(super) const RISKY: usize = 7;

/// What writes the texts of each part.
const WRITERS: [fn(&Entity, &mut Texts); PARTS.len()] =
    [keys, endpoints, scopes, registrar, attributes, roles, certificates, texts];

/// The parts of a document of a batch that are told apart, the riskiest first.
pub(super) const DOCUMENT_PARTS: [&str; 5] = ["keys", "policy", "constraints", "metadata", "marks"];

/// In which parts a document of a batch differs: the riskier they are, and the more, the greater.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Differs(u8);

impl Differs {
    /// Of one that is new: less than any part, and more than what is not told apart.
    pub const NEW: Self = Self(1);

    pub(super) fn of(past: &Print, now: &Print) -> Self {
        let parts = past.parts.iter().zip(&now.parts).take(DOCUMENT_PARTS.len());
        Self(parts.fold(0, |all, (past, now)| all << 1 | u8::from(past != now)) << 1)
    }

    /// Whether its keys do.
    pub const fn in_keys(self) -> bool {
        self.0 >> DOCUMENT_PARTS.len() != 0
    }
}

/// The digests of one entity, or of another item of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Print {
    pub(super) content: [u8; 16],
    pub(super) parts: [u128; PARTS.len()],
}

impl Print {
    pub(super) fn of(entity: &Entity, texts: &mut Texts) -> Self {
        let parts = WRITERS.map(|part| {
            texts.clear();
            part(entity, texts);
            texts.digest()
        });
        Self { content: entity.content, parts }
    }

    /// Of a document of a batch: what it says of keys, policy, constraints, metadata and trust marks, and what tells all of it.
    pub fn of_member(parts: [Vec<String>; DOCUMENT_PARTS.len()], content: &[u8]) -> Self {
        let mut print = Self::of_item(content);
        for (own, part) in print.parts.iter_mut().zip(parts) {
            let mut texts = Texts::default();
            for text in &part {
                texts.add([text.as_str()]);
            }
            *own = texts.digest();
        }
        print
    }

    /// The same, where a record of an earlier version has the first 8 bytes of each part: the others are those of now, where
    /// these are.
    pub(super) fn completed(self, now: &Self) -> Self {
        let mut parts = self.parts;
        for (past, now) in parts.iter_mut().zip(now.parts).filter(|(past, now)| **past >> 64 == now >> 64) {
            *past = now;
        }
        Self { parts, ..self }
    }

    /// An item is one whole: nothing of it is told apart.
    pub(super) fn of_item(content: &[u8]) -> Self {
        Self {
            content: Sha256::digest(content).first_chunk().copied().unwrap_or_default(),
            parts: [OF_NOTHING; PARTS.len()],
        }
    }
}

/// More texts are not tried one without the other.
const TRIED_MAX: usize = 12;

/// Which texts of a part were not there: those without which it has the digest of the past. Nothing, when neither all nor one
/// nor two of them are, or others are gone.
pub(super) fn new_in(entity: &Entity, part: &str, before: &Print) -> Option<Vec<bool>> {
    let place = PARTS.iter().position(|own| *own == part)?;
    let (write, digest) = (WRITERS.get(place)?, *before.parts.get(place)?);
    let mut texts = Texts::default();
    write(entity, &mut texts);
    let spans = texts.spans.clone();
    if digest == OF_NOTHING {
        return Some(vec![true; spans.len()]);
    }
    if spans.len() > TRIED_MAX {
        return None;
    }
    let pairs = (0..spans.len()).flat_map(|one| (one..spans.len()).map(move |other| (one, other)));
    // one alone before two
    let (alone, two): (Vec<_>, Vec<_>) = pairs.partition(|(one, other)| one == other);
    let found = alone.into_iter().chain(two).find(|(one, other)| {
        let rest = spans.iter().enumerate().filter(|(at, _)| at != one && at != other);
        texts.spans = rest.map(|(_, span)| span.clone()).collect();
        texts.digest() == digest
    });
    let (one, other) = found?;
    Some((0..spans.len()).map(|at| at == one || at == other).collect())
}

/// What stands for the digest of no text, as of most entities some part is.
pub(super) const OF_NOTHING: u128 = 0;

/// Texts, one behind the other: there are such for each part of each entity.
#[derive(Default)]
pub(super) struct Texts {
    all: Vec<u8>,
    spans: Vec<Span>,
    hashed: Vec<u8>,
}

/// Where a text stands, and how many bytes of it say which of the others it stands among.
#[derive(Clone)]
struct Span {
    range: Range<usize>,
    among: usize,
}

impl Texts {
    fn clear(&mut self) {
        self.all.clear();
        self.spans.clear();
    }

    /// Adds a text that is made of these. Where it stands among others does not matter.
    fn add<const N: usize>(&mut self, pieces: [&str; N]) {
        self.listed([], pieces, &[]);
    }

    /// Adds a text that is made of these and of bytes. Where it stands among those that begin with the same pieces matters.
    fn listed<const M: usize, const N: usize>(&mut self, among: [&str; M], rest: [&str; N], bytes: &[u8]) {
        let start = self.all.len();
        for piece in among {
            self.all.extend_from_slice(piece.as_bytes());
        }
        let listed = self.all.len() - start;
        for piece in rest {
            self.all.extend_from_slice(piece.as_bytes());
        }
        self.all.extend_from_slice(bytes);
        let range = start..self.all.len();
        self.spans.push(Span { among: if M == 0 { range.len() } else { listed }, range });
    }

    /// The digest of all: their number matters, and their order only among those that are listed.
    fn digest(&mut self) -> u128 {
        let Self { all, spans, hashed } = self;
        if spans.is_empty() {
            return OF_NOTHING;
        }
        let text = |span: &Span| all.get(span.range.clone()).unwrap_or_default();
        let among = |span: &Span| text(span).get(..span.among).unwrap_or_default();
        spans.sort_by(|a, b| among(a).cmp(among(b)));
        hashed.clear();
        for text in spans.iter().map(text) {
            hashed.extend_from_slice(&(text.len() as u64).to_be_bytes());
            hashed.extend_from_slice(text);
        }
        Sha256::digest(hashed).first_chunk().map_or(OF_NOTHING, |short| u128::from_be_bytes(*short))
    }
}

/// Whoever encrypts takes the first key of a role that fits.
fn keys(entity: &Entity, texts: &mut Texts) {
    for role in &entity.roles {
        for key in &role.keys {
            let purpose = key.purpose.as_deref().unwrap_or_default();
            texts.listed([&role.name, "\0"], [purpose, "\0"], &key.told);
        }
    }
    for authority in entity.authorities() {
        texts.listed(["\0"], [], &authority.told);
    }
}

/// Where no endpoint of a service is the default, the first one is.
fn endpoints(entity: &Entity, texts: &mut Texts) {
    for role in &entity.roles {
        for Endpoint { service, binding, location, response, index, is_default } in &role.endpoints {
            let [response, index, is_default] =
                [response, index, is_default].map(|said| said.as_deref().unwrap_or_default());
            let end = "\0";
            texts.listed(
                [&role.name, end, service, end],
                [binding, end, location, end, response, end, index, end, is_default],
                &[],
            );
        }
    }
}

fn scopes(entity: &Entity, texts: &mut Texts) {
    for role in &entity.roles {
        for scope in &role.scopes {
            texts.add([&role.name, "\0", if scope.is_regexp { "true" } else { "false" }, "\0", &scope.value]);
        }
    }
}

fn registrar(entity: &Entity, texts: &mut Texts) {
    for one in &entity.registrations {
        texts.add([one.authority.as_deref().unwrap_or_default()]);
    }
}

fn attributes(entity: &Entity, texts: &mut Texts) {
    for group in entity.groups() {
        texts.add(["\0", group]);
    }
    for (name, value) in entity.attributes() {
        texts.add([name, "\0", value]);
    }
}

fn roles(entity: &Entity, texts: &mut Texts) {
    for role in &entity.roles {
        let [protocols, kind] = [&role.protocols, &role.kind].map(|said| said.as_deref().unwrap_or_default());
        texts.add([&role.name, "\0", protocols, "\0", kind]);
        for (name, value) in &role.settings {
            texts.listed(["\0", &role.name, "\0", name, "\0"], [value], &[]);
        }
        for name in &role.requested {
            texts.add(["\0", &role.name, "\0\0", name]);
        }
    }
    if let Some(duration) = &entity.cache_duration {
        texts.add(["\0\0", duration]);
    }
}

fn certificates(entity: &Entity, texts: &mut Texts) {
    for (place, key) in entity.all_keys() {
        for digest in key.readable().filter_map(|certificate| certificate.digest) {
            let purpose = key.purpose.as_deref().unwrap_or_default();
            texts.listed([place, "\0", purpose, "\0"], [], digest.as_bytes());
        }
    }
}

fn texts(entity: &Entity, texts: &mut Texts) {
    for Text { what, language, value } in entity.texts() {
        texts.add([what, "\0", language.as_deref().unwrap_or_default(), "\0", value]);
    }
    for logo in entity.roles.iter().flat_map(|role| &role.logos) {
        texts.add(["\0", logo]);
    }
    for contact in &entity.contacts {
        let security = if contact.is_security { "security" } else { "" };
        for address in &contact.addresses {
            texts.add(["\0", &contact.purpose, "\0", security, "\0", address]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Role, Scope};

    fn with_scopes(scopes: &[&str]) -> Entity {
        let scope = |value: &&str| Scope { is_regexp: false, value: (*value).into() };
        let role = Role { scopes: scopes.iter().map(scope).collect(), ..Role::default() };
        Entity { roles: vec![role], ..Entity::default() }
    }

    #[test]
    fn what_is_new_in_a_part_is_told_where_the_digest_can_tell() {
        let many: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (past, now, new) in [
            (&["a", "c"][..], &["a", "b", "c"][..], Some(vec![false, true, false])),
            (&["c"], &["a", "b", "c"], Some(vec![true, true, false])),
            (&[], &["a", "b", "c"], Some(vec![true; 3])),
            (&["a"], &["a", "b", "c", "d"], None), // three
            (&["a", "x"], &["a", "b"], None),      // one instead of another
            (&["a", "b"], &["a"], None),           // gone
            (&["a"], &[], None),
            (&many[1..], &many, None), // too many to be tried
        ] {
            let past = Print::of(&with_scopes(past), &mut Texts::default());
            assert_eq!(new_in(&with_scopes(now), "scopes", &past), new, "{now:?}");
        }
    }
}
