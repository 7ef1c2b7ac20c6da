//! What metadata says: one streaming pass over its events, in memory that hardly grows with the document.

use std::collections::BTreeMap;

use memchr::memmem::Finder;

use super::{MD, check_root};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::xml::{Event, Ids, StartTag};
use crate::policy::{Facts, clip};

const MDRPI: &str = "urn:oasis:names:tc:SAML:metadata:rpi";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Entities, and registrars, that are listed by name; the number of entities covers all of them.
const LISTED_MAX: usize = 200;
/// Breaches of one kind that are listed.
const BREACHES_MAX: usize = 20;

/// Text that only a private key in PEM holds.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Collects facts from the events of one document.
pub(super) struct Collector {
    now: Option<Instant>,
    remarks: BTreeMap<&'static str, String>,
    root: Facts,
    entities: u64,
    roles: BTreeMap<&'static str, u64>,
    registrars: BTreeMap<String, u64>,
    certificates: u64,
    entity_ids: Ids,
    listed: Vec<String>,
    breaches: BTreeMap<&'static str, Vec<String>>,
    needle: Finder<'static>,
    tail: Vec<u8>,
}

/// The roles of an entity (saml-metadata-2.0-os, section 2.4) and what they are called here.
const ROLES: [(&str, &str); 5] = [
    ("IDPSSODescriptor", "identity providers"),
    ("SPSSODescriptor", "service providers"),
    ("AttributeAuthorityDescriptor", "attribute authorities"),
    ("AuthnAuthorityDescriptor", "authentication authorities"),
    ("PDPDescriptor", "policy decision points"),
];

impl Collector {
    /// Judges nested expiry by this time where one is given, and shows these remarks beside the root's attributes.
    pub(super) fn new(now: Option<Instant>, remarks: BTreeMap<&'static str, String>) -> Self {
        Self {
            now,
            remarks,
            root: Facts::default(),
            entities: 0,
            roles: BTreeMap::new(),
            registrars: BTreeMap::new(),
            certificates: 0,
            entity_ids: Ids::default(),
            listed: Vec::new(),
            breaches: BTreeMap::new(),
            needle: Finder::new(PRIVATE_KEY),
            tail: Vec::new(),
        }
    }

    /// Takes the next event in.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => {
                self.tail.clear();
                self.start(*tag)
            }
            Event::Text(text) => {
                self.look_for_private_key(text);
                Ok(())
            }
            Event::Comment(text) => {
                self.tail.clear();
                self.look_for_private_key(text);
                Ok(())
            }
            Event::End(_) | Event::Instruction { .. } => Ok(()),
        }
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        if tag.depth() == 0 {
            check_root(tag)?;
            self.root(tag);
        } else if tag.namespace() == MD {
            self.nested_expiry(tag);
        }
        match (tag.namespace(), tag.local()) {
            (MD, "EntityDescriptor") => self.entity(tag),
            (MDRPI, "RegistrationInfo") => {
                let authority = tag.attribute("registrationAuthority").unwrap_or("(none)");
                if self.registrars.len() < LISTED_MAX || self.registrars.contains_key(&clip(authority)) {
                    *self.registrars.entry(clip(authority)).or_default() += 1;
                }
            }
            (DSIG, "X509Certificate") => self.certificates += 1,
            (MD, local) => {
                if let Some((_, role)) = ROLES.iter().find(|(name, _)| *name == local) {
                    *self.roles.entry(role).or_default() += 1;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn root(&mut self, tag: StartTag<'_>) {
        self.root.add("root", tag.local());
        for name in ["Name", "entityID", "ID", "validUntil", "cacheDuration"] {
            match (tag.attribute(name), self.remarks.remove(name)) {
                (Some(value), Some(remark)) => self.root.add_with(name, value, remark),
                (Some(value), None) => self.root.add(name, value),
                (None, _) => {}
            }
        }
    }

    fn entity(&mut self, tag: StartTag<'_>) {
        self.entities += 1;
        let Some(entity_id) = tag.attribute("entityID").filter(|id| !id.trim().is_empty()) else {
            return self
                .breach("nameless", &format!("{}: an EntityDescriptor without entityID", tag.position()));
        };
        if !self.entity_ids.insert(entity_id) {
            self.breach("duplicate", &format!("{}: {entity_id} stands here again", tag.position()));
        }
        if self.listed.len() < LISTED_MAX {
            self.listed.push(clip(entity_id));
        }
    }

    fn nested_expiry(&mut self, tag: StartTag<'_>) {
        let (Some(now), Some(text)) = (self.now, tag.attribute("validUntil")) else { return };
        match Instant::parse(text) {
            Ok(until) if until > now => {}
            Ok(until) => {
                self.breach(
                    "expired",
                    &format!("{}: {} was valid until {until}", tag.position(), tag.name()),
                );
            }
            Err(_) => self
                .breach("expired", &format!("{}: validUntil of {} is '{text}'", tag.position(), tag.name())),
        }
    }

    /// Text comes in pieces, so the end of the pieces before is looked at together with the next one.
    fn look_for_private_key(&mut self, text: &str) {
        let (text, needle) = (text.as_bytes(), PRIVATE_KEY.as_bytes());
        let head = text.get(..needle.len()).unwrap_or(text);
        self.tail.extend_from_slice(head);
        let across = self.tail.windows(needle.len()).any(|window| window == needle);
        if across || self.needle.find(text).is_some() {
            self.tail.clear();
            return self.breach("private key", "a private key in PEM stands in the document");
        }
        if text.len() > head.len() {
            self.tail.clear();
            self.tail.extend_from_slice(text.get(text.len() - needle.len() + 1..).unwrap_or_default());
        }
        let surplus = self.tail.len().saturating_sub(needle.len() - 1);
        self.tail.drain(..surplus);
    }

    fn breach(&mut self, what: &'static str, detail: &str) {
        let breaches = self.breaches.entry(what).or_default();
        if breaches.len() < BREACHES_MAX {
            breaches.push(clip(detail));
        }
    }

    /// All the facts.
    pub(super) fn finish(self) -> Facts {
        let mut facts = self.root;
        facts.add("entities", self.entities.to_string());
        for (_, role) in ROLES {
            if let Some(count) = self.roles.get(role) {
                facts.add(role, count.to_string());
            }
        }
        facts.add("certificates", self.certificates.to_string());
        for (registrar, count) in &self.registrars {
            facts.add("registrar", format!("{registrar} ({count})"));
        }
        for (what, breaches) in self.breaches {
            for breach in breaches {
                facts.add(what, breach);
            }
        }
        let unlisted = self.entities.saturating_sub(self.listed.len() as u64);
        for entity in self.listed {
            facts.add("entity", entity);
        }
        if unlisted > 0 {
            facts.add("entities not listed", unlisted.to_string());
        }
        facts
    }
}
