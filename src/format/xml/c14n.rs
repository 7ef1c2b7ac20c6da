//! Exclusive XML canonicalization 1.0, streaming.

use super::names::any;
use super::reader::{EndTag, Event};
use super::scope::{NONE, Scope};
use super::tag::StartTag;

/// Where canonical octets go.
pub trait Sink {
    /// Takes the next octets.
    fn write(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Which canonical form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Comments are kept (`#WithComments`).
    pub comments: bool,
    /// What stands outside the root is part of it: so it is for the whole document, not for an element of it.
    pub outside: bool,
    /// The `InclusiveNamespaces` PrefixList; `#default` stands for the default namespace.
    pub prefixes: Vec<String>,
}

/// Small writes are gathered up to this size.
const BUFFER: usize = 16 * 1024;

/// Writes the canonical form of the first element it is fed, in the context that element has, or of a document.
pub struct Canonicalizer<S> {
    sink: S,
    form: Form,
    buffer: Vec<u8>,
    rendered: Rendered,
    /// The element has ended.
    closed: bool,
}

impl<S: Sink> Canonicalizer<S> {
    /// A canonicalizer at the beginning of a document or an element.
    pub fn new(sink: S, form: Form) -> Self {
        Self { sink, form, buffer: Vec::new(), rendered: Rendered::new(), closed: false }
    }

    /// Takes the next event. What is not fed is left out: so a signature is muted.
    /// Text and elements before and behind the element are ignored.
    pub fn event(&mut self, event: &Event<'_>) {
        let inside = !self.rendered.frames.is_empty();
        match event {
            Event::Start(tag) if !self.closed => self.start(*tag),
            Event::End(tag) if inside => self.end(*tag),
            Event::Text { text, is_plain: true, .. } if inside => self.put(text),
            Event::Text { text, .. } if inside => self.text(text),
            Event::Comment(text) if self.form.comments => self.aside(&["<!--", text, "-->"]),
            Event::Instruction { target, data: "" } => self.aside(&["<?", target, "?>"]),
            Event::Instruction { target, data } => self.aside(&["<?", target, " ", data, "?>"]),
            Event::Start(_) | Event::End(_) | Event::Text { .. } | Event::Comment(_) => {}
        }
    }

    /// Hands the last octets on and gives the sink back.
    pub fn finish(mut self) -> S {
        self.sink.write(&self.buffer);
        self.sink
    }

    fn start(&mut self, tag: StartTag<'_>) {
        let scope = &tag.core.scope;
        self.rendered.enter();
        for binding in tag.used() {
            self.rendered.need(scope, binding);
        }
        if !self.form.prefixes.is_empty() {
            for prefix in &self.form.prefixes {
                let prefix = if prefix == "#default" { "" } else { prefix };
                if let Some(binding) = scope.find(prefix) {
                    self.rendered.need(scope, binding);
                }
            }
        }
        let raw = tag.raw();
        if !tag.core.tag().tidy || !self.rendered.fresh.is_empty() {
            self.rewrite(tag);
        } else if tag.is_empty() {
            self.put(raw.strip_suffix("/>").unwrap_or_default());
            self.put(">");
        } else {
            self.put(raw);
        }
    }

    /// Writes a start tag that does not stand in canonical form.
    fn rewrite(&mut self, tag: StartTag<'_>) {
        self.put("<");
        self.put(tag.name());
        let mut fresh = std::mem::take(&mut self.rendered.fresh);
        let scope = &tag.core.scope;
        fresh.sort_unstable_by_key(|binding| scope.get(*binding).0);
        for binding in &fresh {
            let (prefix, uri) = scope.get(*binding);
            self.put(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.put(prefix);
            self.value(uri);
        }
        self.rendered.fresh = fresh;
        for attribute in tag.ordered() {
            self.put(" ");
            self.put(attribute.name);
            self.value(attribute.value);
        }
        self.put(">");
    }

    fn value(&mut self, value: &str) {
        self.put("=\"");
        self.escape(value, *b"&<\"\t\n\r");
        self.put("\"");
    }

    fn text(&mut self, text: &str) {
        self.escape(text, *b"&<>\r");
    }

    /// Writes text with these characters as references.
    fn escape<const N: usize>(&mut self, text: &str, odd: [u8; N]) {
        if !any(text, odd) {
            return self.put(text);
        }
        let mut done = 0;
        for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| odd.contains(byte)) {
            self.put(text.get(done..at).unwrap_or_default());
            self.put(match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\t' => "&#x9;",
                b'\n' => "&#xA;",
                _ => "&#xD;",
            });
            done = at + 1;
        }
        self.put(text.get(done..).unwrap_or_default());
    }

    fn end(&mut self, tag: EndTag<'_>) {
        let (raw, name) = (tag.raw(), tag.name());
        if raw.len() == name.len() + "</>".len() {
            self.put(raw);
        } else {
            self.put("</");
            self.put(name);
            self.put(">");
        }
        self.closed = self.rendered.leave();
    }

    /// Writes a comment or an instruction; outside the root, a line feed parts it from the root.
    fn aside(&mut self, parts: &[&str]) {
        let outside = self.rendered.frames.is_empty();
        if outside && !self.form.outside {
            return;
        }
        if outside && self.closed {
            self.put("\n");
        }
        for part in parts {
            self.put(part);
        }
        if outside && !self.closed {
            self.put("\n");
        }
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER {
            self.sink.write(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// Which namespace declarations the output has where it now stands.
///
/// A binding that an open element's output already has cannot be hidden while it is in scope: whatever hid it would
/// be a nearer declaration of its prefix, and then that one were in scope. So one flag for each binding says all.
struct Rendered {
    known: Vec<bool>,
    /// The bindings whose flag is set, in the order of setting.
    bindings: Vec<usize>,
    /// How many of them there were when each open element began.
    frames: Vec<usize>,
    /// What the element at hand must declare.
    fresh: Vec<usize>,
}

impl Rendered {
    fn new() -> Self {
        let mut rendered =
            Self { known: Vec::new(), bindings: Vec::new(), frames: Vec::new(), fresh: Vec::new() };
        // what never needs a declaration: no namespace, and the prefix `xml`
        rendered.know(NONE);
        rendered.know(NONE + 1);
        rendered
    }

    fn enter(&mut self) {
        self.frames.push(self.bindings.len());
        self.fresh.clear();
    }

    /// Notes that the element at hand uses a binding.
    fn need(&mut self, scope: &Scope, binding: usize) {
        if self.known.get(binding) == Some(&true) {
            return;
        }
        let (prefix, uri) = scope.get(binding);
        let nearest = self.bindings.iter().rev().map(|b| scope.get(*b)).find(|(p, _)| *p == prefix);
        if nearest.map_or("", |(_, uri)| uri) != uri {
            self.fresh.push(binding);
        }
        self.know(binding);
    }

    fn know(&mut self, binding: usize) {
        if self.known.len() <= binding {
            self.known.resize(binding + 1, false);
        }
        if let Some(known) = self.known.get_mut(binding) {
            *known = true;
        }
        self.bindings.push(binding);
    }

    /// Ends the element at hand. Yields whether it was the outermost.
    fn leave(&mut self) -> bool {
        let keep = self.frames.pop().unwrap_or_default();
        for binding in self.bindings.drain(keep..) {
            if let Some(known) = self.known.get_mut(binding) {
                *known = false;
            }
        }
        self.frames.is_empty()
    }
}
