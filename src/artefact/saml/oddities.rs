//! What is gone from the facts and matters all the same: what cuts values into pieces, line breaks in attributes, prefixes
//! that only content uses.

use super::element::{Element, XSI};
use super::private;
use crate::format::xml::StartTag;
use crate::policy::{code_point, first_invisible, is_script};

const INVISIBLE: &str = "saml.text.invisible";
const MIXED: &str = "saml.text.mixed";
const COMMENT: &str = "saml.text.comment";
const SCRIPT: &str = "saml.endpoint.script";

/// Of an address, so much is looked at: more than tells a script.
const ADDRESS_BYTES_MAX: usize = 128;

/// What stands in an element, as far as it was read.
#[derive(Clone, Copy, Default)]
struct Content {
    /// Whether nothing but text belongs there, and whether that is an address.
    is_value: bool,
    is_address: bool,
    /// Text outside CDATA sections.
    has_text: bool,
    /// How many CDATA sections, counted to two.
    sections: u8,
    /// What would cut a text into pieces, and the rule about that.
    cutter: Option<Cutter>,
    /// A character in its text that shows nothing.
    invisible: Option<char>,
}

type Cutter = (&'static str, &'static str);

const CHILD: Cutter = (MIXED, "an element");

impl Content {
    /// Whether CDATA sections cut its text, which no signature shows.
    const fn is_cut_by_sections(self) -> bool {
        self.sections > 1 || self.sections == 1 && self.has_text
    }

    /// What cuts a value into pieces: many readers take the first one for all of it.
    fn cut(self) -> Option<Cutter> {
        match (self.has_text, self.sections) {
            _ if self.is_value && self.cutter == Some(CHILD) => self.cutter,
            (false, 0) => None,
            _ if self.cutter.is_some() => self.cutter,
            (true, 1..) => Some((MIXED, "a CDATA section beside text")),
            (false, 2..) => Some((MIXED, "a second CDATA section")),
            _ => None,
        }
    }
}

/// Watches the elements that are open.
#[derive(Default)]
pub(super) struct Oddities {
    open: Vec<Content>,
    /// The beginning of the address at hand.
    address: String,
    /// How many values have a comment inside, and how many a CDATA section beside other text: readers may cut them there, and
    /// neither is signed.
    pub(super) comments: u64,
    pub(super) sections: u64,
}

impl Oddities {
    pub(super) fn start(&mut self, element: Element) {
        if let Some(parent) = self.open.last_mut() {
            parent.cutter = Some(CHILD);
        }
        let (is_value, is_address) = (element.is_value(), element.is_address());
        self.open.push(Content { is_value, is_address, ..Content::default() });
        self.address.clear();
    }

    /// Takes a piece of text in; of a CDATA section the first one is empty.
    pub(super) fn text(&mut self, text: &str, is_blank: bool, is_cdata: bool) {
        let Some(content) = self.open.last_mut() else { return };
        match (is_cdata, text.is_empty()) {
            (true, true) => content.sections = (content.sections + 1).min(2),
            (true, false) => {}
            (false, _) => content.has_text |= !is_blank,
        }
    }

    /// Looks for what people cannot see in a piece of text.
    pub(super) fn look(&mut self, text: &str) {
        if let Some(content) = self.open.last_mut() {
            content.invisible = content.invisible.or_else(|| first_invisible(text));
            if content.is_address && self.address.len() < ADDRESS_BYTES_MAX {
                let text = if self.address.is_empty() { text.trim_start() } else { text };
                self.address.extend(text.chars().take(ADDRESS_BYTES_MAX));
            }
        }
    }

    pub(super) fn instruction(&mut self) {
        if let Some(content) = self.open.last_mut() {
            content.cutter.get_or_insert((MIXED, "a processing instruction"));
        }
    }

    pub(super) fn comment(&mut self) {
        if let Some(content) = self.open.last_mut() {
            content.cutter.get_or_insert((COMMENT, "a comment"));
        }
    }

    /// Ends an element; tells what is odd about its text, and the rules about that.
    pub(super) fn end(&mut self, name: &str) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let content = self.open.pop().unwrap_or_default();
        self.comments += u64::from(content.cut().is_some_and(|(rule, _)| rule == COMMENT));
        self.sections += u64::from(content.is_cut_by_sections());
        let script = (content.is_address && is_script(&self.address))
            .then(|| (SCRIPT, format!("{name} at '{}'", std::mem::take(&mut self.address))));
        let cut =
            content.cut().map(|(rule, what)| (rule, format!("{what} stands inside the value of {name}")));
        let invisible = content.invisible.map(|c| (INVISIBLE, format!("{name} holds {}", code_point(c))));
        cut.into_iter().chain(invisible).chain(script)
    }

    /// What is odd about a start tag.
    pub(super) fn tag(tag: StartTag<'_>) -> Vec<(&'static str, String)> {
        let mut found = if tag.is_broken() { broken(tag) } else { Vec::new() };
        for (_, name, value) in tag.said() {
            if let Some(c) = first_invisible(value) {
                let (of, at) = (tag.name(), tag.position());
                found.push((INVISIBLE, format!("{name} of {of} holds {}, at {at}", code_point(c))));
            }
        }
        for name in private::in_attributes(tag) {
            let what = format!("in {name} of {}, at {}", tag.name(), tag.position());
            found.push(("saml.private-key", format!("a private key stands in the document, {what}")));
        }
        if let Some((prefix, _)) = tag.attribute_ns(XSI, "type").and_then(|value| value.split_once(':'))
            && !uses(tag, prefix)
        {
            let detail =
                format!("the prefix '{prefix}' in xsi:type of {}, at {}", tag.name(), tag.position());
            found.push(("saml.qname.content", detail));
        }
        found
    }
}

/// The attributes with line breaks and tabs.
fn broken(tag: StartTag<'_>) -> Vec<(&'static str, String)> {
    let raw = tag.raw();
    let is_broken = |range| raw.get(range).is_some_and(|value: &str| value.contains(['\n', '\t', '\r']));
    let broken = tag.attributes().filter(|attribute| is_broken(attribute.value_range.clone()));
    let told = broken.map(|attribute| {
        let what = format!("{} of {}, at {}", attribute.name, tag.name(), tag.position());
        ("saml.attribute.newline", format!("a line break or tab in {what}"))
    });
    told.collect()
}

/// Whether the element itself uses the prefix, so that its declaration is signed.
fn uses(tag: StartTag<'_>, prefix: &str) -> bool {
    tag.prefix() == prefix || tag.attributes().any(|attribute| attribute.prefix == prefix)
}
