//! What metadata says: one streaming pass over its events, in memory that hardly grows with the document. Each entity is
//! put together, handed to the rules and to the record, and forgotten.

use std::collections::BTreeMap;

use memchr::memmem::Finder;

use super::element::Element;
use super::entity::Assembler;
use super::oddities::Oddities;
use super::{MD, check_root};
use crate::artefact::carried::Carrier;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::format::xml::{Event, StartTag};
use crate::policy::{Examined, Examiner, Facts};

/// Entities and registrars that are listed by name; the counts cover all of them.
const LISTED_MAX: usize = 200;
/// Longer names are cut where they are listed.
const NAME_CHARS_MAX: usize = 1_100;

/// Text that only a private key in PEM holds.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Collects facts from the events of one document.
pub(super) struct Collector<'a> {
    examiner: Option<Examiner<'a>>,
    carrier: Option<Carrier>,
    now: Option<Instant>,
    remarks: BTreeMap<&'static str, String>,
    root: Facts,
    entities: u64,
    roles: BTreeMap<&'static str, u64>,
    registrars: BTreeMap<String, u64>,
    certificates: u64,
    listed: Vec<String>,
    open: Option<Assembler>,
    buffer: Vec<u8>,
    oddities: Oddities,
    split_values: u64,
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

impl<'a> Collector<'a> {
    /// Collects facts, and nothing else.
    pub(super) fn new() -> Self {
        Self {
            examiner: None,
            carrier: None,
            now: None,
            remarks: BTreeMap::new(),
            root: Facts::default(),
            entities: 0,
            roles: BTreeMap::new(),
            registrars: BTreeMap::new(),
            certificates: 0,
            listed: Vec::new(),
            open: None,
            buffer: Vec::new(),
            oddities: Oddities::default(),
            split_values: 0,
            needle: Finder::new(PRIVATE_KEY),
            tail: Vec::new(),
        }
    }

    /// Hands every entity to the rules and to who notes keys of the vault, judges nested expiry by this time, and shows these
    /// remarks beside the root's attributes.
    pub(super) fn examining(
        mut self,
        (examiner, carrier): (Examiner<'a>, Carrier),
        now: Instant,
        remarks: BTreeMap<&'static str, String>,
    ) -> Self {
        (self.examiner, self.carrier) = (Some(examiner), Some(carrier));
        (self.now, self.remarks) = (Some(now), remarks);
        self
    }

    /// How many values have a comment inside: readers may cut them there, and the comment is not signed.
    pub(super) fn split_values(&self) -> u64 {
        self.split_values
    }

    /// Takes the next event in.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => self.start(*tag)?,
            Event::Text { text, .. } => {
                let is_blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
                self.oddities.text(is_blank);
                // only rules look at more of it
                if is_blank && text.len() > 1 {
                    self.tail.clear(); // no key has two blanks in a row
                } else if self.examiner.is_some() {
                    self.look_for_private_key(text);
                }
                if let Some(open) = &mut self.open {
                    open.text(text);
                }
            }
            Event::Comment(text) => {
                self.tail.clear();
                self.look_for_private_key(text);
                self.oddities.comment();
            }
            Event::End(tag) => {
                if let Some(what) = self.oddities.end(tag.name()) {
                    self.split_values += 1;
                    self.breach("saml.text.comment", what);
                }
                if let Some(open) = &mut self.open {
                    open.end(tag.depth(), tag.name());
                }
                if let Some(open) = self.open.take_if(|open| open.depth == tag.depth()) {
                    self.entity(open);
                }
            }
            Event::Instruction { .. } => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        if tag.depth() == 0 {
            check_root(tag)?;
            self.root(tag);
        } else if tag.namespace() == MD {
            self.nested_expiry(tag);
        }
        self.oddities.start();
        let (element, is_odd) = Element::of(tag);
        if self.examiner.is_some() {
            self.tail.clear();
            for (rule, what) in if is_odd { Oddities::tag(tag) } else { vec![] } {
                self.breach(rule, what);
            }
        }
        match element {
            Element::Entity => {
                self.entities += 1;
                if self.listed.len() < LISTED_MAX
                    && let Some(id) = tag.attribute("entityID").filter(|id| !id.trim().is_empty())
                {
                    self.listed.push(id.chars().take(NAME_CHARS_MAX).collect());
                }
                if let Some(examiner) = &self.examiner {
                    let buffer = std::mem::take(&mut self.buffer);
                    self.open = Some(Assembler::new(tag, examiner.compares(), buffer));
                }
            }
            Element::RegistrationInfo => {
                self.registered(tag.attribute("registrationAuthority").unwrap_or("(none)"));
            }
            Element::PublicationInfo if self.entities == 0 => {
                for name in ["publisher", "creationInstant"] {
                    if let Some(value) = tag.attribute(name).filter(|_| self.root.value(name).is_none()) {
                        self.root.add(name, value);
                    }
                }
            }
            Element::Certificate => self.certificates += 1,
            Element::Metadata => {
                if let Some((_, role)) = ROLES.iter().find(|(name, _)| *name == tag.local()) {
                    *self.roles.entry(role).or_default() += 1;
                }
            }
            _ => {}
        }
        if let Some(open) = &mut self.open {
            open.start(tag, element);
        }
        Ok(())
    }

    fn registered(&mut self, authority: &str) {
        if let Some(count) = self.registrars.get_mut(authority) {
            *count += 1;
            return;
        }
        let authority = if self.registrars.len() < LISTED_MAX { authority } else { "(others)" };
        *self.registrars.entry(authority.chars().take(NAME_CHARS_MAX).collect()).or_default() += 1;
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

    fn entity(&mut self, open: Assembler) {
        let (entity, buffer) = open.finish();
        self.buffer = buffer;
        if let Some(examiner) = &mut self.examiner {
            examiner.entity(&entity);
        }
        if let Some(carrier) = &mut self.carrier {
            carrier.entity(&entity);
        }
    }

    fn nested_expiry(&mut self, tag: StartTag<'_>) {
        let (Some(now), Some(text)) = (self.now, tag.attribute("validUntil")) else { return };
        let (name, place) = (tag.local(), tag.position());
        let id = tag.attribute("entityID").map(str::to_owned);
        match Instant::parse_xml(text) {
            Ok(until) if until > now => {
                let detail = format!("{name} says validUntil {until}, at {place}");
                self.breach_of(id, "saml.nested-valid-until.present", detail);
            }
            Ok(until) => {
                let detail = format!("{name} was valid until {until}, at {place}");
                self.breach_of(id, "saml.nested-valid-until.past", detail);
            }
            Err(_) => {
                let detail = format!("validUntil of {name} is '{text}', at {place}");
                self.breach_of(id, "saml.nested-valid-until.past", detail);
            }
        }
    }

    /// Text comes in pieces, so the end of the pieces before is looked at together with the next one.
    fn look_for_private_key(&mut self, text: &str) {
        let (text, needle) = (text.as_bytes(), PRIVATE_KEY.as_bytes());
        let head = text.get(..needle.len()).unwrap_or(text);
        let goes_on = !self.tail.is_empty();
        self.tail.extend_from_slice(head);
        let across = goes_on && self.tail.windows(needle.len()).any(|window| window == needle);
        if across || self.needle.find(text).is_some() {
            self.tail.clear();
            return self.breach("saml.private-key", "a private key in PEM stands in the document".into());
        }
        if text.len() > head.len() {
            self.tail.clear();
            self.tail.extend_from_slice(text.get(text.len() - needle.len() + 1..).unwrap_or_default());
        }
        let surplus = self.tail.len().saturating_sub(needle.len() - 1);
        self.tail.drain(..surplus);
    }

    fn breach(&mut self, rule: &'static str, detail: String) {
        let id = self.open.as_ref().map(|open| open.id().to_owned());
        self.breach_of(id, rule, detail);
    }

    fn breach_of(&mut self, id: Option<String>, rule: &'static str, detail: String) {
        let id = id.or_else(|| self.open.as_ref().map(|open| open.id().to_owned()));
        if let Some(examiner) = &mut self.examiner {
            examiner.breach(rule, &id.unwrap_or_default(), detail);
        }
    }

    /// All the facts, and what the examination found, where there was one.
    pub(super) fn finish(mut self) -> Result<(Facts, Examined), Fault> {
        let mut facts = std::mem::take(&mut self.root);
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
        let unlisted = self.entities.saturating_sub(self.listed.len() as u64);
        for entity in self.listed {
            facts.add("entity", entity);
        }
        if unlisted > 0 {
            facts.add("entities not listed", unlisted.to_string());
        }
        let Some((mut examiner, carrier)) = self.examiner.zip(self.carrier) else {
            return Ok((facts, Examined::default()));
        };
        carrier.judge(&mut examiner);
        let found = carrier.finish(examiner.finish(&facts)?);
        Ok((facts, found))
    }
}
