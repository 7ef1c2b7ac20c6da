//! Puts one entity together from the events of its element: plain data for the rules, a digest for the difference.

use sha2::{Digest as _, Sha256};

use super::element::Element;
use super::places::Places;
use super::{MD, certificate};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::format::xml::{Position, StartTag, dsig};
use crate::policy::{
    self, Certificate, Contact, Endpoint, Entity, Key, Organization, Registration, Role, Scope, Text,
};

pub(super) const MDRPI: &str = "urn:oasis:names:tc:SAML:metadata:rpi";
pub(super) const MDUI: &str = "urn:oasis:names:tc:SAML:metadata:ui";
pub(super) const MDATTR: &str = "urn:oasis:names:tc:SAML:metadata:attribute";
pub(super) const SHIBMD: &str = "urn:mace:shibboleth:metadata:1.0";
pub(super) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const IDPDISC: &str = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
pub(super) const INIT: &str = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
pub(super) const ALG: &str = "urn:oasis:names:tc:SAML:metadata:algsupport";
pub(super) const FED: &str = "http://docs.oasis-open.org/wsfed/federation/200706";
pub(super) const WSA: &str = "http://www.w3.org/2005/08/addressing";
const REMD: &str = "http://refeds.org/metadata";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What REFEDS calls the contact for incidents (Security Contact Metadata Extension Schema).
const SECURITY_CONTACT: &str = "http://refeds.org/metadata/contactType/security";
const NAME_FORMAT_URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

/// Parts of one kind that are looked at in one entity.
const PARTS_MAX: usize = 2_000;
/// Bytes of one text that are looked at.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Bytes that are digested at a time.
const PIECE_BYTES: usize = 4 * 1024;

/// What a text belongs to.
#[derive(Clone, Copy)]
enum Place {
    Address,
    Attribute,
    Certificate,
    Endpoint,
    GivenName,
    Logo,
    Organization,
    OtherKey,
    Scope,
    Ui,
}

/// An entity in the making.
pub(super) struct Assembler {
    entity: Entity,
    /// How deep its element is.
    pub(super) depth: usize,
    /// The digest of its content, where somebody compares.
    hash: Option<Sha256>,
    /// What the digest takes next: few large pieces cost less than many small ones.
    unhashed: Vec<u8>,
    taking: Option<(Place, usize)>,
    text: String,
    label: Text,
    is_regexp: bool,
    attribute: Option<String>,
    /// The endpoint of WS-Federation whose address is to come.
    federation: Option<(String, usize)>,
    places: Places,
    /// The certificate read last, and its text.
    certificate: Option<(String, Option<Certificate>)>,
    /// Scopes that stand before any role.
    scopes: Vec<Scope>,
}

/// Adds a part, unless there are too many.
fn push<T>(parts: &mut Vec<T>, part: T, is_cut: &mut bool) {
    if parts.len() < PARTS_MAX {
        parts.push(part);
    } else {
        *is_cut = true;
    }
}

fn owned(tag: StartTag<'_>, name: &str) -> Option<String> {
    tag.attribute(name).map(str::to_owned)
}

impl Assembler {
    /// Begins at the entity's start tag; its content is digested only where somebody compares, by way of this buffer.
    pub(super) fn new(tag: StartTag<'_>, is_digested: bool, buffer: Vec<u8>) -> Self {
        let Position { line, column, .. } = tag.position();
        let entity = Entity {
            id: owned(tag, "entityID").unwrap_or_default(),
            place: policy::Place { line, column },
            cache_duration: owned(tag, "cacheDuration").filter(|_| tag.depth() > 0),
            ..Entity::default()
        };
        Self {
            entity,
            depth: tag.depth(),
            hash: is_digested.then(Sha256::new),
            unhashed: buffer,
            taking: None,
            text: String::new(),
            label: Text::default(),
            is_regexp: false,
            attribute: None,
            federation: None,
            places: Places::default(),
            certificate: None,
            scopes: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.entity.id
    }

    pub(super) fn start(&mut self, tag: StartTag<'_>, element: Element) {
        self.absorb(tag);
        if self.taking.is_some() || tag.depth() == self.depth {
            return;
        }
        let is_child = tag.depth() == self.depth + 1;
        if let Some(what) = self.places.start(tag, element, self.depth, &self.entity) {
            push(&mut self.entity.misplaced, what, &mut self.entity.is_cut);
        }
        let is_metadata = tag.namespace() == MD;
        if is_child && is_metadata && tag.local().ends_with("Descriptor") {
            return self.role(tag);
        }
        let cut = &mut self.entity.is_cut;
        match element {
            Element::KeyDescriptor => {
                if let Some(role) = self.entity.roles.last_mut() {
                    push(&mut role.keys, Key { purpose: owned(tag, "use"), ..Key::default() }, cut);
                }
            }
            Element::RequestedAttribute => {
                if let Some(role) = self.entity.roles.last_mut() {
                    push(&mut role.requested, owned(tag, "Name").unwrap_or_default(), cut);
                }
            }
            Element::ContactPerson => {
                let purpose = owned(tag, "contactType").unwrap_or_default();
                let is_security = tag.attribute_ns(REMD, "contactType") == Some(SECURITY_CONTACT);
                push(&mut self.entity.contacts, Contact { purpose, is_security, ..Contact::default() }, cut);
            }
            Element::GivenName => self.take(Place::GivenName, tag),
            Element::Algorithm => {
                push(&mut self.entity.algorithms, owned(tag, "Algorithm").unwrap_or_default(), cut);
            }
            Element::FederationEndpoint => self.federation = Some((tag.local().to_owned(), tag.depth())),
            Element::FederationAddress if self.federation.is_some() => self.take(Place::Endpoint, tag),
            Element::EmailAddress => self.take(Place::Address, tag),
            Element::Organization if is_child => self.entity.organization = Some(Organization::default()),
            Element::OrganizationText => self.labelled(Place::Organization, tag),
            Element::Organization | Element::Metadata | Element::Entity => self.endpoint(tag),
            Element::UiText => self.labelled(Place::Ui, tag),
            Element::Logo => self.take(Place::Logo, tag),
            Element::Certificate | Element::StrayCertificate if self.key().is_some() => {
                self.take(Place::Certificate, tag);
            }
            Element::OtherKey if self.key().is_some() => self.take(Place::OtherKey, tag),
            Element::RegistrationInfo | Element::RegistrationPolicy => self.registration(tag, element),
            Element::Scope => {
                self.is_regexp = matches!(tag.attribute("regexp").map(str::trim), Some("true" | "1"));
                self.take(Place::Scope, tag);
            }
            Element::EntityAttributes => self.attribute = Some(String::new()),
            Element::Attribute | Element::AttributeValue => self.entity_attribute(tag, element),
            _ => {}
        }
    }

    fn role(&mut self, tag: StartTag<'_>) {
        let name = tag.local();
        let protocols = match name {
            "AffiliationDescriptor" => Some("urn:oasis:names:tc:SAML:2.0:protocol".to_owned()),
            _ => owned(tag, "protocolSupportEnumeration"),
        };
        let role = Role {
            name: name.to_owned(),
            protocols,
            error_url: owned(tag, "errorURL"),
            signs_requests: matches!(tag.attribute("AuthnRequestsSigned").map(str::trim), Some("true" | "1")),
            ..Role::default()
        };
        push(&mut self.entity.roles, role, &mut self.entity.is_cut);
    }

    fn endpoint(&mut self, tag: StartTag<'_>) {
        let Some(location) = owned(tag, "Location") else { return };
        let endpoint = Endpoint {
            service: tag.local().to_owned(),
            binding: owned(tag, "Binding").unwrap_or_default(),
            location,
            response: owned(tag, "ResponseLocation"),
            index: owned(tag, "index"),
        };
        if let Some(role) = self.entity.roles.last_mut() {
            push(&mut role.endpoints, endpoint, &mut self.entity.is_cut);
        }
    }

    fn registration(&mut self, tag: StartTag<'_>, element: Element) {
        match element {
            Element::RegistrationInfo => {
                let registration = Registration {
                    authority: owned(tag, "registrationAuthority"),
                    instant: owned(tag, "registrationInstant"),
                    policies: 0,
                };
                push(&mut self.entity.registrations, registration, &mut self.entity.is_cut);
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
            (Element::Attribute, Some(name)) => {
                *name = owned(tag, "Name").unwrap_or_default();
                if tag.attribute("NameFormat") != Some(NAME_FORMAT_URI) {
                    push(&mut self.entity.unformatted, name.clone(), &mut self.entity.is_cut);
                }
            }
            (Element::AttributeValue, Some(_)) => self.take(Place::Attribute, tag),
            _ => {}
        }
    }

    fn key(&mut self) -> Option<&mut Key> {
        self.entity.roles.last_mut()?.keys.last_mut()
    }

    fn labelled(&mut self, place: Place, tag: StartTag<'_>) {
        let language = tag.attribute_ns(XML, "lang").map(str::to_owned);
        self.label = Text { what: tag.local().to_owned(), language, value: String::new() };
        self.take(place, tag);
    }

    fn take(&mut self, place: Place, tag: StartTag<'_>) {
        self.taking = Some((place, tag.depth()));
        self.text.clear();
    }

    pub(super) fn text(&mut self, text: &str) {
        let fits = self.text.len() + text.len() <= TEXT_BYTES_MAX;
        // A certificate counts by what it says of its key: most bytes of most documents are digested only once.
        if !(fits && matches!(self.taking, Some((Place::Certificate, _)))) {
            self.absorb_bytes(text.as_bytes());
        }
        if self.taking.is_none() {
            return;
        }
        if fits {
            self.text.push_str(text);
        } else if !matches!(self.taking, Some((Place::Logo, _))) {
            self.entity.is_cut = true;
        } else if self.text.is_empty() {
            // how it begins and that it is too long is all that is asked of an image
            self.text.extend(text.chars().take(TEXT_BYTES_MAX));
        }
    }

    pub(super) fn end(&mut self, depth: usize, name: &str) {
        self.absorb_bytes(&[2]);
        if self.attribute.is_some() && name.rsplit(':').next() == Some("EntityAttributes") {
            self.attribute = None;
        }
        self.places.end(depth);
        self.federation.take_if(|(_, open)| *open == depth);
        if let Some((place, _)) = self.taking.take_if(|(_, started)| *started == depth) {
            self.put(place);
        }
    }

    fn put(&mut self, place: Place) {
        let cut = &mut self.entity.is_cut;
        let text = std::mem::take(&mut self.text);
        let role = self.entity.roles.last_mut();
        match (place, role) {
            (Place::Address, _) => {
                if let Some(contact) = self.entity.contacts.last_mut() {
                    push(&mut contact.addresses, text, cut);
                }
            }
            (Place::Attribute, _) => {
                let name = self.attribute.clone().unwrap_or_default();
                push(&mut self.entity.attributes, (name, text.trim().to_owned()), cut);
            }
            (Place::Organization, _) => {
                if let Some(organization) = &mut self.entity.organization {
                    push(
                        &mut organization.texts,
                        Text { value: text, ..std::mem::take(&mut self.label) },
                        cut,
                    );
                }
            }
            (Place::Scope, role) => {
                let scope = Scope { is_regexp: self.is_regexp, value: text.trim().to_owned() };
                push(role.map_or(&mut self.scopes, |role| &mut role.scopes), scope, cut);
            }
            (Place::Ui, Some(role)) => {
                push(&mut role.texts, Text { value: text, ..std::mem::take(&mut self.label) }, cut);
            }
            (Place::GivenName, _) => {
                if let Some(contact) = self.entity.contacts.last_mut() {
                    contact.is_named |= !text.trim().is_empty();
                }
            }
            (Place::Endpoint, role) => {
                let service = self.federation.take().map_or_else(String::new, |(name, _)| name);
                let location = text.trim().to_owned();
                let endpoint = Endpoint { service, binding: FED.to_owned(), location, ..Endpoint::default() };
                if let Some(role) = role {
                    push(&mut role.endpoints, endpoint, cut);
                }
            }
            (Place::Logo, Some(role)) => push(&mut role.logos, text, cut),
            (Place::Certificate | Place::OtherKey, Some(role)) => {
                let Some(key) = role.keys.last_mut() else { return };
                if matches!(place, Place::Certificate) {
                    // one certificate for signing and for encryption is the rule
                    let certificate = match &self.certificate {
                        Some((same, certificate)) if *same == text => certificate.clone(),
                        _ => certificate::read(&text),
                    };
                    push(&mut key.certificates, certificate.clone(), cut);
                    match &certificate {
                        Some(certificate) => {
                            self.absorb_bytes(certificate.fingerprint.as_bytes());
                            let end = certificate.expires.map_or(0, Instant::unix);
                            self.absorb_bytes(&end.to_be_bytes());
                        }
                        None => self.absorb_bytes(text.as_bytes()),
                    }
                    self.certificate = Some((text, certificate));
                } else {
                    push(&mut key.others, Digest::of(text.trim().as_bytes()), cut);
                }
            }
            (Place::Certificate, None) => self.absorb_bytes(text.as_bytes()),
            (Place::Ui | Place::Logo | Place::OtherKey, None) => {}
        }
    }

    /// Takes a start tag into the digest; what signing sets at the root is no change.
    fn absorb(&mut self, tag: StartTag<'_>) {
        if self.hash.is_none() {
            return;
        }
        name_into(&mut self.unhashed, tag.namespace(), tag.local());
        let is_set = |namespace: &str, name: &str| {
            tag.depth() == 0 && namespace.is_empty() && ["ID", "validUntil", "cacheDuration"].contains(&name)
        };
        for (namespace, name, value) in tag.said().filter(|(namespace, name, _)| !is_set(namespace, name)) {
            name_into(&mut self.unhashed, namespace, name);
            self.unhashed.extend_from_slice(value.as_bytes());
            self.unhashed.push(0);
        }
        self.absorb_bytes(&[1]);
    }

    fn absorb_bytes(&mut self, bytes: &[u8]) {
        let Some(hash) = &mut self.hash else { return };
        self.unhashed.extend_from_slice(bytes);
        if self.unhashed.len() >= PIECE_BYTES {
            hash.update(&self.unhashed);
            self.unhashed.clear();
        }
    }

    /// The whole entity, and the buffer for the next one.
    pub(super) fn finish(mut self) -> (Entity, Vec<u8>) {
        if let Some(role) = self.entity.roles.first_mut() {
            role.scopes.append(&mut self.scopes);
        }
        if let Some(hash) = self.hash {
            let digest = hash.chain_update(&self.unhashed).finalize();
            self.entity.content = digest.first_chunk().copied().unwrap_or_default();
        }
        self.unhashed.clear();
        (self.entity, self.unhashed)
    }
}

/// The namespaces that fill most of a document stand for one byte that no namespace begins with.
fn name_into(bytes: &mut Vec<u8>, namespace: &str, local: &str) {
    match namespace {
        "" => bytes.push(3),
        MD => bytes.push(4),
        dsig::NS => bytes.push(5),
        _ => bytes.extend_from_slice(namespace.as_bytes()),
    }
    bytes.push(0);
    bytes.extend_from_slice(local.as_bytes());
    bytes.push(0);
}
