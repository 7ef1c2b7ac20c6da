//! What metadata says: one streaming pass over its events, in memory that hardly grows with the document. Each entity is
//! put together, handed to the rules and to the record, and forgotten.

use std::collections::BTreeMap;

use super::element::Element;
use super::entity::{Assembler, Buffers};
use super::groups::{Groups, PUBLICATION};
use super::oddities::Oddities;
use super::private::{self, Numbers, Pieces};
use super::structure::{Stand, Structure};
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
    structure: Structure,
    misplaced: u64,
    is_split: bool,
    /// What stands outside the entities.
    outside: Groups,
    open: Option<Assembler>,
    buffers: Buffers,
    oddities: Oddities,
    pieces: Pieces,
    numbers: Numbers,
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
            structure: Structure::default(),
            misplaced: 0,
            is_split: false,
            outside: Groups::default(),
            open: None,
            buffers: Buffers::default(),
            oddities: Oddities::default(),
            pieces: Pieces::default(),
            numbers: Numbers::default(),
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

    /// Every entity will stand alone, without its groups.
    pub(super) fn splitting(self) -> Self {
        Self { is_split: true, ..self }
    }

    /// What readers may find otherwise than others do: values with a comment inside, or with a CDATA section beside other text,
    /// where some cut them and nothing is signed; and what is misplaced.
    pub(super) fn oddities(&self) -> [(&'static str, u64); 3] {
        let Oddities { comments, sections, .. } = self.oddities;
        [
            ("comments_in_values", comments),
            ("sections_in_values", sections),
            ("misplaced_entities", self.misplaced),
        ]
    }

    /// Takes the next event in.
    pub(super) fn event(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => self.start(*tag)?,
            Event::Text { text, is_cdata, .. } => {
                let is_blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
                self.oddities.text(text, is_blank, *is_cdata);
                if self.examiner.is_some() {
                    self.oddities.look(text);
                }
                // only rules look at more of it
                if is_blank && text.len() > 1 {
                    self.pieces.blank(text);
                } else if self.examiner.is_some() && self.pieces.holds_with(text) {
                    self.leaked("in PEM");
                }
                if let Some(open) = &mut self.open {
                    open.text(text);
                } else if !self.structure.is_in_entity() {
                    self.outside.text(text);
                }
            }
            Event::Comment(text) => {
                if self.examiner.is_some() && private::is_in_comment(text) {
                    self.leaked("in a comment");
                }
                self.oddities.comment();
            }
            Event::Instruction { target, data } => {
                if self.examiner.is_some() && (private::is_in(target) || private::is_in(data)) {
                    self.leaked("in a processing instruction");
                }
                self.oddities.instruction();
                if let Some(open) = &mut self.open {
                    open.instruction(target, data);
                } else if !self.structure.is_in_entity() {
                    self.outside.instruction(target, data);
                }
            }
            Event::End(tag) => {
                self.end_text();
                for (rule, what) in self.oddities.end(tag.name()) {
                    self.breach(rule, what);
                }
                self.numbers.end(tag.depth());
                self.end(tag.depth());
            }
        }
        Ok(())
    }

    fn end_text(&mut self) {
        if self.pieces.end() {
            self.leaked("in base64 or JSON");
        }
    }

    fn end(&mut self, depth: usize) {
        if let Some(open) = &mut self.open {
            open.end(depth);
        }
        let was_in_entity = self.structure.is_in_entity();
        match self.structure.end(depth) {
            Stand::Entity => {
                if let Some(open) = self.open.take() {
                    self.entity(open);
                }
            }
            Stand::Group => self.outside.end_group(),
            Stand::Misplaced | Stand::Part if !was_in_entity => self.outside.end(depth),
            Stand::Misplaced | Stand::Part => {}
        }
    }

    fn start(&mut self, tag: StartTag<'_>) -> Result<(), Fault> {
        if tag.depth() == 0 {
            check_root(tag)?;
            self.root(tag);
        } else if tag.namespace() == MD {
            self.nested_expiry(tag);
        }
        self.end_text();
        let (element, is_odd) = Element::of(tag);
        self.oddities.start(element);
        if self.examiner.is_some() {
            if self.numbers.start(tag) {
                self.leaked("in numbers");
            }
            for (rule, what) in if is_odd { Oddities::tag(tag) } else { vec![] } {
                self.breach(rule, what);
            }
        }
        match element {
            Element::RegistrationInfo => {
                self.registered(tag.attribute("registrationAuthority").unwrap_or("(none)"));
            }
            Element::Certificate => self.certificates += 1,
            Element::KeyReference => {
                let what = format!("{} stands in the place of a key, at {}", tag.name(), tag.position());
                self.breach("saml.key.reference", what);
            }
            Element::Role => {
                if let Some((_, role)) = ROLES.iter().find(|(name, _)| *name == tag.local()) {
                    *self.roles.entry(role).or_default() += 1;
                }
            }
            _ => {}
        }
        let was_in_entity = self.structure.is_in_entity();
        match self.structure.start(tag.depth(), element) {
            Stand::Entity => self.begin(tag),
            Stand::Group => {
                self.outside.group(tag);
                return Ok(());
            }
            Stand::Misplaced => self.astray(tag),
            // an endpoint of no role
            Stand::Part
                if element == Element::Metadata
                    && !self.structure.is_in_role(tag.depth())
                    && tag.namespace() == MD
                    && tag.attribute("Location").is_some() =>
            {
                self.astray(tag);
            }
            Stand::Part => {}
        }
        if let Some(open) = &mut self.open {
            open.start(tag, element, self.structure.role());
        } else if !was_in_entity && !self.structure.is_in_entity() {
            self.outside(tag, element);
        }
        Ok(())
    }

    /// Some consumers find it where it stands, and others do not.
    fn astray(&mut self, tag: StartTag<'_>) {
        self.misplaced += 1;
        let what = format!("{} stands inside {}, at {}", tag.name(), self.inside(), tag.position());
        self.breach("saml.entity.misplaced", what);
    }

    /// Where something misplaced stands.
    fn inside(&self) -> &'static str {
        if self.structure.is_in_entity() { "an entity" } else { "an element that is no group" }
    }

    /// An entity begins.
    fn begin(&mut self, tag: StartTag<'_>) {
        self.entities += 1;
        if self.listed.len() < LISTED_MAX
            && let Some(id) = tag.attribute("entityID").filter(|id| !id.trim().is_empty())
        {
            self.listed.push(id.chars().take(NAME_CHARS_MAX).collect());
        }
        if let Some(examiner) = &self.examiner {
            let mut open = Assembler::new(tag, examiner.compares(), std::mem::take(&mut self.buffers));
            self.outside.member(&mut open);
            self.open = Some(open);
        }
    }

    /// An element begins outside all entities.
    fn outside(&mut self, tag: StartTag<'_>, element: Element) {
        let is_publication = element == Element::PublicationInfo
            && self.outside.is_in_root(tag.depth())
            && PUBLICATION.iter().all(|name| self.root.value(name).is_none());
        if is_publication {
            for name in PUBLICATION {
                if let Some(value) = tag.attribute(name) {
                    self.root.add(name, value);
                }
            }
        }
        let is_extension = self.outside.is_extension(tag.depth());
        if self.outside.start(tag, element, is_publication) {
            let what = format!("{} stands behind entities that it is about", tag.name());
            self.breach("saml.entity.misplaced", format!("{what}, at {}", tag.position()));
        }
        let of_entities = [Element::EntityAttributes, Element::KeyAuthority, Element::RegistrationInfo];
        let lost = match element {
            _ if !self.is_split => return,
            _ if of_entities.contains(&element) => "saml.split.group",
            _ if is_extension => "saml.split.extension",
            _ => return,
        };
        let what = format!("{} of a group, at {}", tag.name(), tag.position());
        self.breach(lost, format!("{what}: no entity that stands alone has it"));
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
        if open.has_private_key {
            let id = Some(open.id().to_owned());
            self.breach_of(
                id,
                "saml.private-key",
                "a private key stands in the place of a public one".into(),
            );
        }
        let (entity, buffers) = open.finish();
        self.buffers = buffers;
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

    fn leaked(&mut self, place: &str) {
        self.breach("saml.private-key", format!("a private key {place} stands in the document"));
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
        if self.outside.has_private_key {
            let what = "a private key stands in the place of a public one, outside entities";
            self.breach("saml.private-key", what.into());
        }
        self.outside.finish(&mut facts);
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
