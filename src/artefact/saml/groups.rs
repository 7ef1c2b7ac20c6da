//! What a document says outside its entities: attributes and extensions of its root and of its groups. It is told thing by
//! thing, so that it is compared with what was signed last; what it says of entities goes into each of them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::content::name_into;
use super::element::Element;
use super::entity::Assembler;
use super::inheritance::Inheritance;
use crate::base::bytes::hex;
use crate::format::xml::StartTag;
use crate::policy::Facts;

/// Under this path the facts tell of it.
const PATH: &str = "outside entities";
/// Things that are told one by one; of the others a digest is.
const LISTED_MAX: usize = 200;
/// Of each thing so much is told, and a digest of all of it.
const CHARS_MAX: usize = 300;
const NAME_CHARS_MAX: usize = 100;
/// Attributes of the root that have facts of their own, or are set anew with each signature.
const ROOT_SET: [&str; 4] = ["ID", "Name", "validUntil", "cacheDuration"];
/// What a publication says of itself in the root (mdrpi:PublicationInfo): these attributes have facts of their own.
pub(super) const PUBLICATION: [&str; 3] = ["publisher", "creationInstant", "publicationId"];

/// A group that is open.
struct Group {
    name: String,
    has_members: bool,
    /// Puts together what it says of its entities.
    says: Assembler,
    /// What groups around it told.
    outer: Vec<u8>,
    /// What it told; nothing of the root, which stands around all entities.
    told: Option<Sha256>,
    /// What its entities begin with, until it says more.
    handed: Option<Inheritance>,
}

impl Group {
    /// What tells the place of an entity in it: digests of what this group and those around it say, the root's aside.
    fn around(&self) -> Vec<u8> {
        let own = self.told.as_ref().map(|told| told.clone().finalize());
        self.outer.iter().copied().chain(own.into_iter().flatten()).collect()
    }

    /// What each entity in it begins with.
    fn hands_down(&mut self) -> &Inheritance {
        self.has_members = true;
        let handed = self.handed.take().unwrap_or_else(|| self.says.hand_down(&self.around()));
        self.handed.insert(handed)
    }
}

/// An element that is told of, or text that stands there by itself.
struct Thing {
    /// Nothing for text.
    depth: Option<usize>,
    name: String,
    hash: Sha256,
    said: String,
    /// Whether it says anything that is not told elsewhere.
    is_new: bool,
    /// Whether white space came last.
    is_spaced: bool,
    /// Keys of the group before it.
    keys: usize,
    is_in_certificate: bool,
}

impl Thing {
    fn new(depth: Option<usize>, name: &str, keys: usize) -> Self {
        Self {
            depth,
            name: cut(name, NAME_CHARS_MAX),
            hash: Sha256::new(),
            said: String::new(),
            is_new: true,
            is_spaced: false,
            keys,
            is_in_certificate: false,
        }
    }

    fn start(&mut self, tag: StartTag<'_>, element: Element, is_told: impl Fn(&str, &str) -> bool) {
        let mut said = Vec::new();
        name_into(&mut said, tag.namespace(), tag.local());
        if self.depth != Some(tag.depth()) {
            self.is_new = true;
            self.say(&format!(" {}", tag.local()));
        }
        for (namespace, name, value) in tag.said().filter(|(namespace, name, _)| !is_told(namespace, name)) {
            self.is_new = true;
            name_into(&mut said, namespace, name);
            said.extend_from_slice(value.as_bytes());
            said.push(0);
            self.say(&format!(" {name}={value}"));
        }
        said.push(1);
        self.hash.update(said);
        (self.is_spaced, self.is_in_certificate) = (true, element == Element::Certificate);
    }

    /// White space is told as one blank, and not at all where an element begins or ends.
    fn text(&mut self, text: &str) {
        for (place, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            self.is_spaced |= place > 0;
            if !word.is_empty() {
                let blank = if std::mem::take(&mut self.is_spaced) { " " } else { "" };
                self.is_new = true;
                self.hash.update(blank);
                self.hash.update(word);
                if !self.is_in_certificate {
                    self.say(blank);
                    self.say(word);
                }
            }
        }
    }

    fn end(&mut self) {
        self.hash.update([2]);
        (self.is_spaced, self.is_in_certificate) = (true, false);
    }

    fn say(&mut self, text: &str) {
        if self.said.len() <= 4 * CHARS_MAX {
            self.said.push_str(&cut(text, CHARS_MAX));
        }
    }
}

/// Collects what stands outside entities.
#[derive(Default)]
pub(super) struct Groups {
    open: Vec<Group>,
    thing: Option<Thing>,
    /// What is told, and how often it stands there.
    told: BTreeMap<String, u64>,
    /// Of what is not listed.
    others: Option<Sha256>,
    /// Whether a private key stands where a public one belongs.
    pub(super) has_private_key: bool,
}

impl Groups {
    /// Whether a tag at this depth stands in the root's own extensions.
    pub(super) fn is_in_root(&self, depth: usize) -> bool {
        self.open.len() == 1 && depth == 2
    }

    /// Whether a tag at this depth begins one of the extensions of the innermost group.
    pub(super) fn is_extension(&self, depth: usize) -> bool {
        let is_open = self.thing.as_ref().is_some_and(|thing| thing.depth.is_some());
        depth == self.open.len() + 1 && !is_open
    }

    /// A group begins.
    pub(super) fn group(&mut self, tag: StartTag<'_>) {
        self.end_text();
        let is_root = tag.depth() == 0;
        let name = match tag.attribute("Name") {
            _ if is_root => "the root".into(),
            Some(name) => format!("the group '{}'", cut(name, NAME_CHARS_MAX)),
            None => "a group without a name".into(),
        };
        let mut says = Assembler::group(tag, self.open.last().map(|outer| &outer.says));
        let around = self.open.last().map(Group::around).unwrap_or_default();
        if let Some(outer) = self.open.last_mut() {
            says.inherit(outer.hands_down());
        }
        says.stand_in(tag.attribute("Name").filter(|_| !is_root));
        let told = (!is_root).then(Sha256::new);
        self.open.push(Group { name, has_members: false, says, outer: around, told, handed: None });
        let is_set = |namespace: &str, name: &str| {
            let set = if is_root { &ROOT_SET[..] } else { &ROOT_SET[..1] };
            namespace.is_empty() && set.contains(&name)
        };
        self.attributes(tag, is_set);
    }

    /// Tells of the attributes of a group, or of its extensions as such.
    fn attributes(&mut self, tag: StartTag<'_>, is_set: impl Fn(&str, &str) -> bool) {
        for (namespace, name, value) in tag.said().filter(|(namespace, name, _)| !is_set(namespace, name)) {
            let mut thing = Thing::new(None, &format!("attribute {name} of {}", tag.local()), 0);
            thing.text(namespace);
            thing.hash.update([0]);
            thing.said.clear();
            thing.text(value);
            self.tell(thing);
        }
    }

    /// An entity begins, and takes over what it has from the group that it stands in.
    pub(super) fn member(&mut self, entity: &mut Assembler) {
        self.end_text();
        if let Some(group) = self.open.last_mut() {
            entity.inherit(group.hands_down());
        }
    }

    /// Takes the start of any other element in. Yields whether it says something of entities that were read before it.
    pub(super) fn start(&mut self, tag: StartTag<'_>, element: Element, is_publication: bool) -> bool {
        self.end_text();
        let is_child = tag.depth() == self.open.len();
        let Some(group) = self.open.last_mut() else { return false };
        let keys = group.says.authorities().len();
        group.says.start(tag, element, None);
        let is_told = |namespace: &str, name: &str| {
            is_publication && namespace.is_empty() && PUBLICATION.contains(&name)
        };
        let says_of_entities = matches!(element, Element::EntityAttributes | Element::KeyAuthority);
        let is_late = says_of_entities && group.has_members;
        if let Some(thing) = &mut self.thing {
            thing.start(tag, element, |_, _| false);
        } else if is_child && element == Element::Extensions {
            self.attributes(tag, |_, _| false);
        } else {
            let mut thing = Thing::new(Some(tag.depth()), tag.local(), keys);
            thing.is_new = !is_publication;
            thing.start(tag, element, is_told);
            self.thing = Some(thing);
        }
        is_late
    }

    /// Takes text outside entities in.
    pub(super) fn text(&mut self, text: &str) {
        let Some(group) = self.open.last_mut() else { return };
        group.says.text(text);
        if let Some(thing) = &mut self.thing {
            thing.text(text);
        } else if !text.trim_ascii().is_empty() {
            let mut thing = Thing::new(None, "text", 0);
            thing.text(text);
            self.thing = Some(thing);
        }
    }

    /// Takes a processing instruction outside entities in.
    pub(super) fn instruction(&mut self, target: &str, data: &str) {
        self.end_text();
        if self.open.is_empty() {
            return;
        }
        let thing = self.thing.get_or_insert_with(|| Thing::new(None, "instruction", 0));
        thing.hash.update([6]);
        thing.is_spaced = true;
        thing.text(target);
        thing.hash.update([0]);
        thing.is_spaced = true;
        thing.text(data);
        self.end_text();
    }

    /// Takes the end of an element in that is neither an entity nor a group.
    pub(super) fn end(&mut self, depth: usize) {
        self.end_text();
        let Some(group) = self.open.last_mut() else { return };
        group.says.end(depth);
        group.handed = None;
        if let Some(thing) = &mut self.thing {
            thing.end();
        }
        if let Some(mut thing) = self.thing.take_if(|thing| thing.depth == Some(depth)) {
            for key in group.says.authorities().get(thing.keys..).unwrap_or_default() {
                for readable in key.readable() {
                    thing.say(&format!(" key {}", readable.fingerprint));
                }
            }
            if thing.is_new {
                self.tell(thing);
            }
        }
    }

    /// A group ends.
    pub(super) fn end_group(&mut self) {
        self.end_text();
        if let Some(group) = self.open.pop() {
            self.has_private_key |= group.says.has_private_key;
        }
    }

    fn end_text(&mut self) {
        if let Some(thing) = self.thing.take_if(|thing| thing.depth.is_none()) {
            self.tell(thing);
        }
    }

    fn tell(&mut self, thing: Thing) {
        let group = self.open.last().map_or("the root", |group| group.name.as_str());
        let digest: [u8; 32] = thing.hash.finalize().into();
        let digest = hex(digest.get(..16).unwrap_or_default());
        let said = cut(thing.said.trim(), CHARS_MAX);
        let told = format!("{} in {group}: {said} ({digest})", thing.name);
        if let Some(group) = self.open.last_mut() {
            group.handed = None;
            group.told.iter_mut().for_each(|all| all.update(&told));
        }
        if let Some(count) = self.told.get_mut(&told) {
            *count += 1;
        } else if self.told.len() < LISTED_MAX {
            self.told.insert(told, 1);
        } else {
            self.others.get_or_insert_default().update(told);
        }
    }

    /// Adds what was told.
    pub(super) fn finish(self, facts: &mut Facts) {
        for (told, count) in self.told {
            facts.add(PATH, if count > 1 { format!("{told}, {count} times") } else { told });
        }
        if let Some(others) = self.others {
            let digest: [u8; 32] = others.finalize().into();
            facts.add(PATH, format!("more than {LISTED_MAX} things ({})", hex(&digest)));
        }
    }
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::artefact::saml::entity::Buffers;
    use crate::format::xml::{Event, Limits, Reader};
    use crate::policy::Entity;

    /// The entities of a document, with what their groups give them.
    fn members(text: &str) -> Vec<Entity> {
        let mut reader = Reader::new(text.as_bytes(), Limits::default());
        let (mut groups, mut found) = (Groups::default(), Vec::new());
        let mut open = None;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::Start(tag) if tag.local() == "EntitiesDescriptor" => groups.group(tag),
                Event::Start(tag) if tag.local() == "EntityDescriptor" => {
                    let entity: &mut Assembler = open.insert(Assembler::new(tag, true, Buffers::default()));
                    groups.member(entity);
                }
                Event::Start(tag) => _ = groups.start(tag, Element::of(tag).0, false),
                Event::Text { text, .. } => groups.text(text),
                Event::End(tag) if tag.name() == "EntitiesDescriptor" => groups.end_group(),
                Event::End(tag) => match open.take() {
                    Some(entity) => found.push(entity.finish().0),
                    None => groups.end(tag.depth()),
                },
                _ => {}
            }
        }
        found
    }

    #[test]
    fn what_a_group_says_is_put_together_once_and_shared_until_it_says_more() {
        let says = |value: &str| {
            format!(
                "<a:EntityAttributes xmlns:a='urn:oasis:names:tc:SAML:metadata:attribute' xmlns:s='urn:oasis:names:tc:SAML:2.0:assertion'><s:Attribute Name='n'><s:AttributeValue>{value}</s:AttributeValue></s:Attribute></a:EntityAttributes>"
            )
        };
        let (one, two) = (
            "<EntityDescriptor entityID='a'/>",
            "<EntityDescriptor entityID='a'/>\n <EntityDescriptor entityID='a'/>",
        );
        let inner = format!("<EntitiesDescriptor Name='g'>{two}</EntitiesDescriptor>");
        let text = format!(
            "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata'>{}{two}{inner}{one}{}{one}</EntitiesDescriptor>",
            says("v"),
            says("w")
        );
        let found = members(&text);
        let [a, b, c, d, e, f] = found.as_slice() else { panic!("{found:?}") };
        let is_shared = |one: &Entity, other: &Entity| {
            Arc::ptr_eq(one.inherited.as_ref().unwrap(), other.inherited.as_ref().unwrap())
        };
        let values =
            |entity: &Entity| entity.attributes().map(|(_, value)| value.clone()).collect::<Vec<_>>();
        assert!(is_shared(a, b) && is_shared(b, e) && is_shared(c, d));
        assert!(!is_shared(a, c) && !is_shared(e, f));
        assert_eq!([a, c, f].map(values), [vec!["v"], vec!["v"], vec!["v", "w"]]);
        assert!(a.content == b.content && b.content == e.content && c.content == d.content);
        assert!(a.content != c.content && e.content != f.content);
    }
}
