//! What is gone from the facts and matters all the same: what cuts values into pieces, line breaks in attributes, prefixes
//! that only content uses.

use super::element::XSI;
use super::private;
use crate::format::xml::StartTag;
use crate::policy::{code_point, first_invisible};

const INVISIBLE: &str = "saml.text.invisible";
const MIXED: &str = "saml.text.mixed";
/// The rule about values with a comment inside, which is not signed.
pub(super) const COMMENT: &str = "saml.text.comment";

/// What stands in an element, as far as it was read.
#[derive(Clone, Copy, Default)]
struct Content {
    /// Whether nothing but text belongs there.
    is_value: bool,
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
}

impl Oddities {
    pub(super) fn start(&mut self, is_value: bool) {
        if let Some(parent) = self.open.last_mut() {
            parent.cutter = Some(CHILD);
        }
        self.open.push(Content { is_value, ..Content::default() });
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
        let cut =
            content.cut().map(|(rule, what)| (rule, format!("{what} stands inside the value of {name}")));
        let invisible = content.invisible.map(|c| (INVISIBLE, format!("{name} holds {}", code_point(c))));
        cut.into_iter().chain(invisible)
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
