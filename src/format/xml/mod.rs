//! XML as signatures need it: read strictly, canonicalised and digested in one pass over a stream.
//!
//! [`Reader`] yields events, [`Canonicalizer`] writes their exclusive canonical form, [`dsig`] builds and reads
//! enveloped signatures. Nothing here grows with the document, and nothing recurses.

mod c14n;
pub mod dsig;
mod envelope;
mod memo;
mod names;
mod reader;
mod scope;
mod signature;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod window;

pub use c14n::{Canonicalizer, Form, Sink};
pub use names::is_ncname;
pub use reader::{EndTag, Event, Ids, Position, Reader};
pub use scope::XML_NS;
pub use tag::{Attribute, StartTag};

use crate::base::fault::{Class, Code};

/// The document is not well-formed.
pub const MALFORMED: Code =
    Code::new("xml.malformed", Class::Usage, "the document is not well-formed XML 1.0");
/// The document has a document type declaration.
pub const DOCTYPE: Code =
    Code::new("xml.doctype", Class::Usage, "the document has a DOCTYPE, which signed XML must not have");
/// The document refers to an entity that only a DTD could declare.
pub const ENTITY: Code =
    Code::new("xml.entity", Class::Usage, "the document refers to an entity other than the five of XML");
/// The document is not UTF-8.
pub const ENCODING: Code = Code::new("xml.encoding", Class::Usage, "the document is not UTF-8");
/// The document breaks the rules of namespaces.
pub const NAMESPACE: Code =
    Code::new("xml.namespace", Class::Usage, "the document breaks the rules of XML namespaces");
/// The document passes one of [`Limits`].
pub const LIMIT: Code =
    Code::new("xml.limit", Class::Usage, "the document is larger or deeper than allowed in one of its parts");
/// The source failed.
pub const READ: Code = Code::new("xml.read", Class::Environment, "the document could not be read");

/// Every code of this room.
pub const CODES: &[&Code] = &[
    &MALFORMED,
    &DOCTYPE,
    &ENTITY,
    &ENCODING,
    &NAMESPACE,
    &LIMIT,
    &READ,
    &dsig::MISSING,
    &dsig::SEVERAL,
    &dsig::POSITION,
    &dsig::GRAMMAR,
    &dsig::REFERENCE,
    &dsig::TRANSFORM,
    &dsig::ALGORITHM,
    &dsig::BASE64,
    &dsig::ID,
];

/// What a document may have, at most. No part of a document beyond these is ever held in memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open elements.
    pub depth: usize,
    /// Attributes and namespace declarations of one element.
    pub attributes: usize,
    /// Namespace declarations in scope.
    pub namespaces: usize,
    /// Bytes of a name.
    pub name_bytes: usize,
    /// Bytes of one tag, comment or processing instruction.
    pub token_bytes: usize,
    /// Whether namespace names that are no absolute URIs are let through; canonicalizers do not agree on them.
    pub unsound_namespaces: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 256,
            attributes: 1000,
            namespaces: 1000,
            name_bytes: 1024,
            token_bytes: 1 << 20,
            unsound_namespaces: false,
        }
    }
}

/// A stretch of the text it was made from.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// A span only ever cuts the text it was made from, at ASCII delimiters.
    fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// A fault that knows its place in the window, not yet in the document.
struct Trouble {
    code: &'static Code,
    at: usize,
    message: String,
}

impl Trouble {
    fn new(code: &'static Code, at: usize, message: impl Into<String>) -> Self {
        Self { code, at, message: message.into() }
    }
}

/// What a look at the window yields: `None` when more of the document is needed.
type Scan<T> = Result<Option<T>, Trouble>;

/// Foreign text for a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}
