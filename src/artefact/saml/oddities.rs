//! What is gone from the facts and matters all the same: comments inside values, line breaks in attributes, prefixes that
//! only content uses.

use super::private;
use crate::format::xml::StartTag;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What stands in an element, as far as it was read.
#[derive(Clone, Copy, Default)]
struct Content {
    text: bool,
    comment: bool,
    child: bool,
}

/// Watches the elements that are open.
#[derive(Default)]
pub(super) struct Oddities {
    open: Vec<Content>,
}

impl Oddities {
    pub(super) fn start(&mut self) {
        if let Some(parent) = self.open.last_mut() {
            parent.child = true;
        }
        self.open.push(Content::default());
    }

    pub(super) fn text(&mut self, is_blank: bool) {
        if let Some(content) = self.open.last_mut().filter(|content| !content.child) {
            content.text |= !is_blank;
        }
    }

    pub(super) fn comment(&mut self) {
        if let Some(content) = self.open.last_mut() {
            content.comment = true;
        }
    }

    /// Ends an element; tells of a comment inside its value.
    pub(super) fn end(&mut self, name: &str) -> Option<String> {
        let content = self.open.pop()?;
        let is_odd = content.text && content.comment && !content.child;
        is_odd.then(|| format!("a comment stands inside the value of {name}"))
    }

    /// What is odd about a start tag.
    pub(super) fn tag(tag: StartTag<'_>) -> Vec<(&'static str, String)> {
        let mut found = if tag.is_broken() { broken(tag) } else { Vec::new() };
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
