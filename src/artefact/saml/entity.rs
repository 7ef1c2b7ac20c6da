//! Puts one entity together from the events of its element: plain data for the rules, a digest for the difference. What a
//! group says of its entities is put together so, too.

use std::sync::Arc;

use super::bare::{self, Bare, Number};
use super::content::Content;
use super::element::{Element, FED, XML};
use super::inheritance::Inheritance;
use super::key_info::KeyInfo;
use super::parts::{contact, endpoint, owned, registration, role};
use super::places::Places;
use super::room::Room;
use super::{certificate, private};
use crate::format::xml::{Position, StartTag};
use crate::policy::{self, Certificate, Endpoint, Entity, Key, Organization, Role, Scope, Text};

const NAME_FORMAT_URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

/// Bytes of one text that are looked at.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What a text belongs to.
#[derive(Clone, Copy)]
enum Place {
    Address,
    Attribute,
    Certificate,
    Endpoint,
    GivenName,
    Logo,
    Number(Number),
    Organization,
    Scope,
    Setting,
    Ui,
}

/// What one entity after the other is put together in: texts that do not stay need no room of their own.
#[derive(Default)]
pub(super) struct Buffers {
    content: Content,
    /// The text at hand.
    text: String,
    /// The text of the certificate read last, and what it says; no text says nothing.
    certificate: (String, Option<Certificate>),
}

/// An entity in the making.
pub(super) struct Assembler {
    entity: Entity,
    room: Room,
    /// How deep its element is.
    pub(super) depth: usize,
    /// The digest of what it says, where somebody compares.
    content: Option<Content>,
    taking: Option<(Place, usize)>,
    buffers: Buffers,
    label: Text,
    is_regexp: bool,
    /// The entity attribute at hand, and how deep their list is.
    attribute: Option<(usize, String)>,
    /// How deep the element is that names keys vouching for others.
    authority: Option<usize>,
    key_info: KeyInfo,
    /// A key without a certificate, and how deep it is.
    bare: Option<(usize, Bare)>,
    /// Whether a private key stands where a public one belongs.
    pub(super) has_private_key: bool,
    /// The endpoint of WS-Federation whose address is to come.
    federation: Option<(String, usize)>,
    places: Places,
    /// What stands before any role, and belongs to one: consumers that look for it anywhere find it.
    before: Role,
    /// Whether only its group says who registered it.
    is_registered_by_group: bool,
}

impl Assembler {
    /// Begins at the entity's start tag; its content is digested only where somebody compares, by way of these buffers.
    pub(super) fn new(tag: StartTag<'_>, is_digested: bool, mut buffers: Buffers) -> Self {
        let Position { line, column, .. } = tag.position();
        let entity = Entity {
            id: owned(tag, "entityID").unwrap_or_default(),
            place: policy::Place { line, column },
            cache_duration: owned(tag, "cacheDuration").filter(|_| tag.depth() > 0),
            ..Entity::default()
        };
        Self {
            entity,
            room: Room::ENTITY,
            depth: tag.depth(),
            content: is_digested.then(|| std::mem::take(&mut buffers.content)),
            taking: None,
            buffers,
            label: Text::default(),
            is_regexp: false,
            attribute: None,
            authority: None,
            key_info: KeyInfo::default(),
            bare: None,
            has_private_key: false,
            federation: None,
            places: Places::default(),
            before: Role::default(),
            is_registered_by_group: false,
        }
    }

    /// A group begins, inside this one: it says so much at most, together with those around it.
    pub(super) fn group(tag: StartTag<'_>, outer: Option<&Self>) -> Self {
        let room = outer.map_or(Room::GROUPS, |outer| outer.room);
        Self { room, ..Self::new(tag, false, Buffers::default()) }
    }

    /// Begins with what its group hands down.
    pub(super) fn inherit(&mut self, from: &Inheritance) {
        if let Some(content) = &mut self.content {
            content.begin(&from.content);
        }
        self.entity.inherited.clone_from(&from.given);
        self.entity.registrations.clone_from(&from.registrations);
        self.is_registered_by_group = !from.registrations.is_empty();
        self.room.is_cut |= from.is_cut;
    }

    /// What a group hands down, which this tells.
    pub(super) fn hand_down(&self, around: &[u8]) -> Inheritance {
        Inheritance::of(&self.entity, self.room.is_cut, around)
    }

    /// It is a group of this name.
    pub(super) fn stand_in(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            let given = Arc::make_mut(self.entity.inherited.get_or_insert_default());
            self.room.push(&mut given.groups, name.to_owned());
        }
    }

    /// Its own keys that vouch for others, so far.
    pub(super) fn authorities(&self) -> &[Key] {
        &self.entity.authorities
    }

    pub(super) fn id(&self) -> &str {
        &self.entity.id
    }

    /// Takes in what there may be many of.
    fn listed(&mut self, tag: StartTag<'_>, element: Element) {
        let entity = &mut self.entity;
        let (role, room) = (entity.roles.last_mut(), &mut self.room);
        match (element, role) {
            (Element::KeyDescriptor, Some(role)) => {
                room.push(&mut role.keys, Key { purpose: owned(tag, "use"), ..Key::default() });
            }
            (Element::RequestedAttribute, Some(role)) => {
                room.push(&mut role.requested, owned(tag, "Name").unwrap_or_default());
            }
            (Element::ContactPerson, _) => room.push(&mut entity.contacts, contact(tag)),
            (Element::Algorithm, _) => {
                room.push(&mut entity.algorithms, owned(tag, "Algorithm").unwrap_or_default());
            }
            _ => {}
        }
    }

    /// Takes the start of an element in; in a role, that is so deep.
    pub(super) fn start(&mut self, tag: StartTag<'_>, element: Element, role: Option<usize>) {
        if let Some(content) = &mut self.content {
            content.start(tag);
        }
        if element == Element::KeyInfo && self.key().is_some() {
            self.key_info.begin(tag.depth());
        }
        self.key_info.start(tag);
        if self.taking.is_some() || tag.depth() == self.depth {
            return;
        }
        let is_child = tag.depth() == self.depth + 1;
        if let Some(what) = self.places.start(tag, element, (self.depth, role), &self.entity) {
            self.room.push(&mut self.entity.misplaced, what);
            if element == Element::RegistrationInfo {
                return;
            }
        }
        match element {
            Element::Role if role == Some(tag.depth()) => self.role(tag),
            Element::KeyDescriptor
            | Element::RequestedAttribute
            | Element::ContactPerson
            | Element::Algorithm => self.listed(tag, element),
            Element::GivenName => self.take(Place::GivenName, tag),
            Element::FederationEndpoint => self.federation = Some((tag.local().to_owned(), tag.depth())),
            Element::FederationAddress if self.federation.is_some() => self.take(Place::Endpoint, tag),
            Element::EmailAddress => self.take(Place::Address, tag),
            Element::Organization if is_child => self.entity.organization = Some(Organization::default()),
            Element::OrganizationText => self.labelled(Place::Organization, tag),
            Element::Organization | Element::Metadata | Element::Group | Element::Entity => {
                self.endpoint(tag);
            }
            Element::UiText => self.labelled(Place::Ui, tag),
            Element::Setting => self.labelled(Place::Setting, tag),
            Element::Logo => self.take(Place::Logo, tag),
            Element::Certificate | Element::StrayCertificate if self.key().is_some() => {
                self.take(Place::Certificate, tag);
            }
            Element::KeyAuthority if self.authority.is_none() => {
                self.room.push(&mut self.entity.authorities, Key::default());
                self.authority = Some(tag.depth());
            }
            Element::KeyValue => self.bare = Some((tag.depth(), Bare::default())),
            Element::KeyNumber(number) => self.number(number, tag),
            Element::RegistrationInfo | Element::RegistrationPolicy => self.registration(tag, element),
            Element::Scope => {
                self.is_regexp = matches!(tag.attribute("regexp").map(str::trim), Some("true" | "1"));
                self.take(Place::Scope, tag);
            }
            Element::EntityAttributes if self.attribute.is_none() => {
                self.attribute = Some((tag.depth(), String::new()));
            }
            Element::Attribute | Element::AttributeValue => self.entity_attribute(tag, element),
            _ => {}
        }
    }

    fn role(&mut self, tag: StartTag<'_>) {
        self.room.push(&mut self.entity.roles, role(tag));
    }

    fn endpoint(&mut self, tag: StartTag<'_>) {
        if let Some(endpoint) = endpoint(tag) {
            let role = self.entity.roles.last_mut().unwrap_or(&mut self.before);
            self.room.push(&mut role.endpoints, endpoint);
        }
    }

    fn registration(&mut self, tag: StartTag<'_>, element: Element) {
        match element {
            Element::RegistrationInfo => {
                // its own counts more than that of a group
                if std::mem::take(&mut self.is_registered_by_group) {
                    self.entity.registrations.clear();
                }
                self.room.push(&mut self.entity.registrations, registration(tag));
            }
            _ => {
                if let Some(registration) = self.entity.registrations.last_mut() {
                    registration.policies += 1;
                }
            }
        }
    }

    fn entity_attribute(&mut self, tag: StartTag<'_>, element: Element) {
        match (element, &mut self.attribute) {
            (Element::Attribute, Some((_, name))) => {
                *name = owned(tag, "Name").unwrap_or_default();
                if tag.attribute("NameFormat") != Some(NAME_FORMAT_URI) {
                    self.room.push(&mut self.entity.unformatted, name.clone());
                }
            }
            (Element::AttributeValue, Some(_)) => self.take(Place::Attribute, tag),
            _ => {}
        }
    }

    fn key(&mut self) -> Option<&mut Key> {
        match self.authority {
            Some(_) => self.entity.authorities.last_mut(),
            None => self.entity.roles.last_mut()?.keys.last_mut(),
        }
    }

    fn number(&mut self, number: Number, tag: StartTag<'_>) {
        match (number, &mut self.bare) {
            (Number::Curve, Some((_, bare))) => bare.take(number, tag.attribute("URI").unwrap_or_default()),
            _ => self.take(Place::Number(number), tag),
        }
    }

    fn labelled(&mut self, place: Place, tag: StartTag<'_>) {
        let language = tag.attribute_ns(XML, "lang").map(str::to_owned);
        self.label = Text { what: tag.local().to_owned(), language, value: String::new() };
        self.take(place, tag);
    }

    fn take(&mut self, place: Place, tag: StartTag<'_>) {
        self.taking = Some((place, tag.depth()));
        self.buffers.text.clear();
    }

    pub(super) fn text(&mut self, text: &str) {
        let fits = self.buffers.text.len() + text.len() <= TEXT_BYTES_MAX;
        // White space in a certificate does not count, so that comes later.
        if !(fits && matches!(self.taking, Some((Place::Certificate, _)))) {
            self.absorb(text.as_bytes());
            self.key_info.text(text);
        }
        if self.taking.is_none() {
            return;
        }
        if fits {
            self.buffers.text.push_str(text);
        } else if !matches!(self.taking, Some((Place::Logo, _))) {
            self.room.is_cut = true;
        } else {
            // how it begins and that it is too long is all that is asked of an image
            let room = TEXT_BYTES_MAX.saturating_sub(self.buffers.text.len());
            self.buffers.text.extend(text.chars().take(room));
        }
    }

    pub(super) fn instruction(&mut self, target: &str, data: &str) {
        for bytes in [&[6], target.as_bytes(), &[0], data.as_bytes(), &[0]] {
            self.absorb(bytes);
        }
    }

    pub(super) fn end(&mut self, depth: usize) {
        self.absorb(&[2]);
        self.attribute.take_if(|(started, _)| *started == depth);
        self.places.end(depth);
        self.federation.take_if(|(_, open)| *open == depth);
        if let Some((place, _)) = self.taking.take_if(|(_, started)| *started == depth) {
            self.put(place);
        }
        if let Some((_, bare)) = self.bare.take_if(|(started, _)| *started == depth) {
            self.bare_key(bare.read());
        }
        if let Some(told) = self.key_info.end(depth) {
            let mut room = self.room;
            if let Some(key) = self.key()
                && room.take(1, told.len())
            {
                key.told.extend_from_slice(&told);
            }
            self.room = room;
        }
        self.authority.take_if(|started| *started == depth);
    }

    fn bare_key(&mut self, bare: Option<Certificate>) {
        let mut room = self.room;
        if let Some(key) = self.key() {
            room.push(&mut key.others, bare);
        }
        self.room = room;
    }

    fn put(&mut self, place: Place) {
        let room = &mut self.room;
        let text = self.buffers.text.as_str();
        let role = self.entity.roles.last_mut().unwrap_or(&mut self.before);
        let mut labelled = || Text { value: text.to_owned(), ..std::mem::take(&mut self.label) };
        match place {
            Place::Address => {
                if let Some(contact) = self.entity.contacts.last_mut() {
                    room.push(&mut contact.addresses, text.to_owned());
                }
            }
            Place::Attribute => {
                let name = self.attribute.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
                room.push(&mut self.entity.attributes, (name, text.trim().to_owned()));
            }
            Place::Organization => {
                if let Some(organization) = &mut self.entity.organization {
                    room.push(&mut organization.texts, labelled());
                }
            }
            Place::Scope => {
                let scope = Scope { is_regexp: self.is_regexp, value: text.trim().to_owned() };
                room.push(&mut role.scopes, scope);
            }
            Place::Ui => room.push(&mut role.texts, labelled()),
            Place::Setting => {
                let Text { what, value, .. } = labelled();
                room.push(&mut role.settings, (what, value.trim().to_owned()));
            }
            Place::GivenName => {
                if let Some(contact) = self.entity.contacts.last_mut() {
                    contact.is_named |= !text.trim().is_empty();
                }
            }
            Place::Endpoint => {
                let service = self.federation.take().map_or_else(String::new, |(name, _)| name);
                let location = text.trim().to_owned();
                let endpoint = Endpoint { service, binding: FED.to_owned(), location, ..Endpoint::default() };
                room.push(&mut role.endpoints, endpoint);
            }
            Place::Logo => room.push(&mut role.logos, text.to_owned()),
            Place::Certificate => self.certificate(),
            Place::Number(Number::Der) => {
                let key = bare::read_der(text);
                self.has_private_key |= key.is_none() && private::is(text);
                self.bare_key(key);
            }
            Place::Number(number) => {
                if let Some((_, bare)) = &mut self.bare {
                    bare.take(number, text);
                }
            }
        }
    }

    fn certificate(&mut self) {
        let Buffers { text, certificate: (last, read), .. } = &mut self.buffers;
        let mut absorb = |bytes: &[u8]| self.content.iter_mut().for_each(|content| content.absorb(bytes));
        // one certificate for signing and for encryption is the rule
        if last != text {
            *read = certificate::read(text);
        }
        let certificate = read.clone();
        if let Some(certificate) = &certificate {
            absorb(certificate.digest.as_ref().map_or(&[], |digest| digest.as_bytes()));
            self.key_info.certificate(&certificate.fingerprint);
        } else {
            absorb(text.as_bytes());
            self.key_info.text(text);
            self.has_private_key |= private::is(text);
        }
        std::mem::swap(text, last);
        let mut room = self.room;
        if let Some(key) = self.key() {
            room.push(&mut key.certificates, certificate);
        }
        self.room = room;
    }

    fn absorb(&mut self, bytes: &[u8]) {
        if let Some(content) = &mut self.content {
            content.absorb(bytes);
        }
    }

    /// The whole entity, and the buffers for the next one.
    pub(super) fn finish(mut self) -> (Entity, Buffers) {
        if let Some(role) = self.entity.roles.first_mut() {
            let Role { endpoints, scopes, texts, logos, settings, .. } = &mut self.before;
            role.endpoints.append(endpoints);
            role.scopes.append(scopes);
            role.texts.append(texts);
            role.logos.append(logos);
            role.settings.append(settings);
        }
        if let Some(mut content) = self.content {
            self.entity.content = content.finish();
            self.buffers.content = content;
        }
        self.entity.is_cut = self.room.is_cut;
        (self.entity, self.buffers)
    }
}
