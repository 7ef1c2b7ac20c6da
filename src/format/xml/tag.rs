//! Start tags: scanned in place, their namespaces resolved, their attributes put in canonical order.

use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Range;

use memchr::{memchr, memchr3};

use super::names::{Run, any, is_space};
use super::reader::Position;
use super::scope::{NONE, Scope, is_sound};
use super::tokens::reference;
use super::window::Core;
use super::{LIMIT, Limits, MALFORMED, NAMESPACE, Scan, Span, Trouble, short};

/// A start tag as scanned: spans of the raw tag, reused from tag to tag.
#[derive(Clone, Default)]
pub(super) struct Tag {
    /// Where the tag starts in the window: errors are told from here.
    base: usize,
    name: QName,
    pub(super) binding: usize,
    slots: Vec<Slot>,
    /// Indices of `slots` in canonical order.
    order: Vec<usize>,
    /// Attribute values that differ from what stands in the tag.
    scratch: String,
    pub(super) empty: bool,
    /// Written as Canonical XML would write it, namespaces apart.
    pub(super) tidy: bool,
    /// There are line breaks or tabs in it.
    broken: bool,
    /// What the caller noted of it; nothing yet when it is 0.
    note: Cell<u8>,
}

/// One attribute that is not a namespace declaration.
#[derive(Clone)]
pub(super) struct Slot {
    name: QName,
    pub(super) binding: usize,
    value: Span,
    normal: Option<Span>,
}

/// A qualified name within the raw tag.
#[derive(Clone, Copy, Default)]
pub(super) struct QName {
    whole: Span,
    colon: Option<usize>,
}

impl QName {
    /// Scans the name that starts at `at`; `base` is where `text` starts in the window.
    pub(super) fn scan(text: &str, at: usize, base: usize, limits: &Limits) -> Scan<Self> {
        let run = Run::new(text.as_bytes().get(at..).unwrap_or_default());
        if run.length > limits.name_bytes {
            return Err(Trouble::new(
                &LIMIT,
                base + at,
                format!("name longer than {} bytes", limits.name_bytes),
            ));
        }
        let whole = Span { start: at, end: at + run.length };
        if whole.end == text.len() {
            return Ok(None);
        }
        if run.is_qname(whole.of(text)) {
            return Ok(Some(Self { whole, colon: run.colon.map(|colon| at + colon) }));
        }
        let found =
            text.get(at..).unwrap_or_default().chars().take(run.length.clamp(1, 80)).collect::<String>();
        Err(Trouble::new(&MALFORMED, base + at, format!("'{found}' where a name was expected")))
    }

    pub(super) fn of(self, text: &str) -> &str {
        self.whole.of(text)
    }

    pub(super) fn end(self) -> usize {
        self.whole.end
    }

    fn length(self) -> usize {
        self.whole.end - self.whole.start
    }

    fn prefix(self, text: &str) -> &str {
        self.colon.map_or("", |colon| Span { start: self.whole.start, end: colon }.of(text))
    }

    fn local(self, text: &str) -> &str {
        Span { start: self.whole.end - self.local_length(), end: self.whole.end }.of(text)
    }

    fn local_length(self) -> usize {
        self.whole.end - self.colon.map_or(self.whole.start, |colon| colon + 1)
    }
}

impl Tag {
    /// Scans the start tag that `text` begins with and adds its declarations to `scope`. Yields its length.
    pub(super) fn scan(
        &mut self,
        text: &str,
        base: usize,
        scope: &mut Scope,
        limits: &Limits,
    ) -> Scan<usize> {
        let from = scope.len();
        self.base = base;
        self.slots.clear();
        self.scratch.clear();
        self.tidy = true;
        self.note.set(0);
        let end = match self.scan_parts(text, scope, from, limits) {
            Ok(Some(end)) => end,
            unfinished => {
                scope.truncate(from);
                return unfinished;
            }
        };
        self.broken = memchr3(b'\n', b'\t', b'\r', text.as_bytes().get(..end).unwrap_or_default()).is_some();
        self.binding = self.resolve(self.name, text, scope)?;
        for at in 0..self.slots.len() {
            let Some(&Slot { name, value, normal, .. }) = self.slots.get(at) else { break };
            // only elements have the default namespace
            let binding = if name.colon.is_some() { self.resolve(name, text, scope)? } else { NONE };
            let normal = if self.broken && normal.is_none() { self.normalise(value, text)? } else { normal };
            if let Some(slot) = self.slots.get_mut(at) {
                (slot.binding, slot.normal) = (binding, normal);
            }
        }
        self.sort(text, scope)?;
        Ok(Some(end))
    }

    /// The name as written in `text`, the tag.
    pub(super) fn name<'a>(&self, text: &'a str) -> &'a str {
        self.name.of(text)
    }

    fn scan_parts(&mut self, text: &str, scope: &mut Scope, from: usize, limits: &Limits) -> Scan<usize> {
        let bytes = text.as_bytes();
        let Some(name) = QName::scan(text, 1, self.base, limits)? else { return Ok(None) };
        self.name = name;
        let mut at = name.end();
        loop {
            let gap = spaces(bytes, at);
            match (bytes.get(at + gap), bytes.get(at + gap + 1)) {
                (None, _) | (Some(b'/'), None) => return Ok(None),
                (Some(b'>'), _) => {
                    self.empty = false;
                    self.tidy &= gap == 0;
                    return Ok(Some(at + gap + 1));
                }
                (Some(b'/'), Some(b'>')) => {
                    self.empty = true;
                    self.tidy &= gap == 0;
                    return Ok(Some(at + gap + 2));
                }
                _ if gap == 0 => {
                    let found = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                    let message = format!("'{found}' in the tag <{}>", short(self.name.of(text)));
                    return Err(Trouble::new(&MALFORMED, self.base + at, message));
                }
                _ => {}
            }
            self.tidy &= gap == 1 && bytes.get(at) == Some(&b' ');
            if self.slots.len() + (scope.len() - from) >= limits.attributes {
                let message = format!("more than {} attributes", limits.attributes);
                return Err(Trouble::new(&LIMIT, self.base + at, message));
            }
            match self.attribute(text, at + gap, scope, from, limits)? {
                Some(end) => at = end,
                None => return Ok(None),
            }
        }
    }

    /// Scans `name="value"` and yields where it ends.
    fn attribute(
        &mut self,
        text: &str,
        at: usize,
        scope: &mut Scope,
        from: usize,
        limits: &Limits,
    ) -> Scan<usize> {
        let bytes = text.as_bytes();
        let Some(name) = QName::scan(text, at, self.base, limits)? else { return Ok(None) };
        let equals = name.end() + spaces(bytes, name.end());
        let open = equals + 1 + spaces(bytes, equals + 1);
        let quote = match (bytes.get(equals), bytes.get(open)) {
            (Some(b'='), Some(quote @ (b'"' | b'\''))) => *quote,
            (None, _) | (Some(b'='), None) => return Ok(None),
            _ => {
                let message = format!("attribute '{}' has no quoted value", short(name.of(text)));
                return Err(Trouble::new(&MALFORMED, self.base + name.end(), message));
            }
        };
        self.tidy &= open == name.end() + 1 && quote == b'"';
        let start = open + 1;
        let rest = bytes.get(start..).unwrap_or_default();
        let stop = memchr3(quote, b'<', b'&', rest);
        let is_plain = stop.is_some_and(|at| rest.get(at) == Some(&quote));
        let Some(length) = (if is_plain { stop } else { memchr(quote, rest) }) else { return Ok(None) };
        let value = Span { start, end: start + length };
        let prefix = match (name.prefix(text), name.local(text)) {
            ("", "xmlns") => "",
            ("xmlns", prefix) => prefix,
            _ => {
                let normal = if is_plain { None } else { self.normalise(value, text)? };
                self.slots.push(Slot { name, binding: NONE, value, normal });
                return Ok(Some(value.end + 1));
            }
        };
        let normal = self.normalise(value, text)?;
        let read = normal.map_or(value.of(text), |normal| normal.of(&self.scratch));
        if scope.len() >= limits.namespaces {
            let message = format!("more than {} namespace declarations in scope", limits.namespaces);
            return Err(Trouble::new(&LIMIT, self.base + at, message));
        }
        if !limits.unsound_namespaces && !scope.has_met(prefix, read) && !is_sound(read) {
            let message = format!("the namespace name '{}' is no absolute URI", short(read));
            return Err(Trouble::new(&NAMESPACE, self.base + at, message));
        }
        scope.declare(prefix, read, from, self.base + at)?;
        self.tidy = false;
        Ok(Some(value.end + 1))
    }

    /// Checks a value and, where it is not what it reads as, appends the normalised form to the scratch.
    fn normalise(&mut self, value: Span, text: &str) -> Result<Option<Span>, Trouble> {
        const ODD: [u8; 5] = *b"<&\t\n\r";
        let (mut rest, mut at) = (value.of(text), self.base + value.start);
        if !any(rest, ODD) {
            return Ok(None);
        }
        self.tidy = false;
        let span_start = self.scratch.len();
        while let Some(plain) = rest.bytes().position(|byte| ODD.contains(&byte)) {
            let (before, special) = rest.split_at(plain);
            self.scratch.push_str(before);
            at += plain;
            let length = match special.as_bytes() {
                [b'<', ..] => return Err(Trouble::new(&MALFORMED, at, "'<' in an attribute value")),
                [b'&', ..] => match reference(special, at)? {
                    Some((c, length)) => {
                        self.scratch.push(c);
                        length
                    }
                    None => return Err(Trouble::new(&MALFORMED, at, "'&' that begins no reference")),
                },
                [b'\r', b'\n', ..] => 2,
                _ => 1,
            };
            if !special.starts_with('&') {
                self.scratch.push(' ');
            }
            rest = special.get(length..).unwrap_or_default();
            at += length;
        }
        self.scratch.push_str(rest);
        Ok(Some(Span { start: span_start, end: self.scratch.len() }))
    }

    /// The binding of a name's prefix.
    fn resolve(&self, name: QName, text: &str, scope: &Scope) -> Result<usize, Trouble> {
        let prefix = name.prefix(text);
        scope.find(prefix).ok_or_else(|| {
            let message = format!("the prefix '{}' is not declared", short(prefix));
            Trouble::new(&NAMESPACE, self.base + name.whole.start, message)
        })
    }

    /// Sorts the attributes by namespace and local name, which brings duplicates together.
    fn sort(&mut self, text: &str, scope: &Scope) -> Result<(), Trouble> {
        let Self { slots, order, .. } = self;
        order.clear();
        order.extend(0..slots.len());
        let compare = |a: &usize, b: &usize| {
            let (Some(a), Some(b)) = (slots.get(*a), slots.get(*b)) else { return Ordering::Equal };
            let namespaces = if a.binding == b.binding {
                Ordering::Equal
            } else {
                scope.namespace(a.binding).cmp(scope.namespace(b.binding))
            };
            namespaces.then_with(|| a.name.local(text).cmp(b.name.local(text)))
        };
        if order.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            return Ok(());
        }
        self.tidy = false;
        order.sort_by(compare);
        for pair in order.windows(2) {
            if let [a, b] = pair
                && compare(a, b).is_eq()
                && let Some(slot) = slots.get(*b)
            {
                let message = format!("attribute '{}' given twice", short(slot.name.of(text)));
                return Err(Trouble::new(&MALFORMED, self.base + slot.name.whole.start, message));
            }
        }
        Ok(())
    }
}

/// How many bytes of white space there are from `at` on.
pub(super) fn spaces(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|b| is_space(**b)).count()
}

/// A start tag, with its namespaces resolved.
#[derive(Clone, Copy)]
pub struct StartTag<'a> {
    pub(super) core: &'a Core,
    /// As it stands in the document.
    pub(super) raw: &'a str,
}

/// An attribute that is not a namespace declaration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute<'a> {
    /// The name as written.
    pub name: &'a str,
    /// The prefix, or nothing.
    pub prefix: &'a str,
    /// The name without its prefix.
    pub local: &'a str,
    /// The namespace, or nothing.
    pub namespace: &'a str,
    /// The value, references resolved and white space normalised.
    pub value: &'a str,
    /// Where `name="value"` stands in the raw tag.
    pub range: Range<usize>,
    /// Where the value stands in the raw tag, without its quotes.
    pub value_range: Range<usize>,
}

impl<'a> StartTag<'a> {
    /// The tag as it stands in the document, from `<` to `>`.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Where the tag stands in the source, in bytes.
    pub fn range(&self) -> Range<u64> {
        self.core.range()
    }

    /// Where the tag begins, for people.
    pub fn position(&self) -> Position {
        self.core.position()
    }

    /// The name as written.
    pub fn name(&self) -> &'a str {
        self.core.tag().name.of(self.raw())
    }

    /// The prefix of the name, or nothing.
    pub fn prefix(&self) -> &'a str {
        self.core.tag().name.prefix(self.raw())
    }

    /// The name without its prefix.
    pub fn local(&self) -> &'a str {
        self.core.tag().name.local(self.raw())
    }

    /// The namespace of the element, or nothing.
    pub fn namespace(&self) -> &'a str {
        self.core.scope.namespace(self.core.tag().binding)
    }

    /// Whether the element has this namespace and local name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// How many elements this one is inside of: 0 for the root.
    pub fn depth(&self) -> usize {
        self.core.depth()
    }

    /// Whether it was written `<name/>`; an end tag is reported all the same.
    pub fn is_empty(&self) -> bool {
        self.core.tag().empty
    }

    /// Whether there are line breaks or tabs in it, as it stands in the document.
    pub fn is_broken(&self) -> bool {
        self.core.tag().broken
    }

    /// What the caller found out about the tag: asked again only when it is not the same tag under the same bindings as
    /// one before. There is one such note for each tag, and it is not 0.
    pub fn noted(&self, find: impl FnOnce(Self) -> u8) -> u8 {
        let note = &self.core.tag().note;
        if note.get() == 0 {
            note.set(find(*self));
        }
        note.get()
    }

    /// The attributes whose local name is as long as `ID`, in the order of the document.
    pub(super) fn identifiers(self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let slots = self.core.tag().slots.iter().filter(|slot| slot.name.local_length() == "ID".len());
        slots.map(move |slot| self.attribute_in(slot))
    }

    /// The attributes in the order of the document.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let tag = *self;
        tag.core.tag().slots.iter().map(move |slot| tag.attribute_in(slot))
    }

    /// What the attributes say, in the order of the document: namespace, local name and value of each.
    pub fn said(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> + use<'a> {
        let tag = *self;
        let said = move |slot: &'a Slot| {
            (tag.core.scope.namespace(slot.binding), slot.name.local(tag.raw), tag.value_in(slot))
        };
        tag.core.tag().slots.iter().map(said)
    }

    /// The attributes in the order of Canonical XML.
    pub(super) fn ordered(self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let tag = self.core.tag();
        tag.order.iter().filter_map(|at| tag.slots.get(*at)).map(move |slot| self.attribute_in(slot))
    }

    /// The bindings of the element's and the attributes' prefixes.
    pub(super) fn used(self) -> impl Iterator<Item = usize> + use<'a> {
        let tag = self.core.tag();
        let attributes = tag.slots.iter().filter(|slot| slot.name.colon.is_some());
        std::iter::once(tag.binding).chain(attributes.map(|slot| slot.binding))
    }

    /// The value of the attribute without a namespace that has this name.
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let is_named = |slot: &&Slot| slot.name.length() == name.len() && slot.name.of(self.raw) == name;
        self.core.tag().slots.iter().find(is_named).map(|slot| self.value_in(slot))
    }

    /// The value of the attribute with this namespace and local name.
    pub fn attribute_ns(&self, namespace: &str, local: &str) -> Option<&'a str> {
        let is_named = |slot: &&Slot| {
            slot.name.local_length() == local.len()
                && slot.name.local(self.raw) == local
                && self.core.scope.namespace(slot.binding) == namespace
        };
        self.core.tag().slots.iter().find(is_named).map(|slot| self.value_in(slot))
    }

    /// The namespace declarations made here, as prefix and namespace.
    pub fn declarations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let core = self.core;
        (core.first_binding()..core.scope.len()).map(move |binding| core.scope.get(binding))
    }

    /// The namespace that `prefix` stands for here (`""`: the default namespace); none when it is not declared.
    pub fn in_scope(&self, prefix: &str) -> Option<&'a str> {
        self.core.scope.find(prefix).map(|binding| self.core.scope.get(binding).1)
    }
}

impl<'a> StartTag<'a> {
    fn attribute_in(self, slot: &'a Slot) -> Attribute<'a> {
        let raw = self.raw;
        Attribute {
            name: slot.name.of(raw),
            prefix: slot.name.prefix(raw),
            local: slot.name.local(raw),
            namespace: self.core.scope.namespace(slot.binding),
            value: self.value_in(slot),
            range: slot.name.whole.start..slot.value.end + 1,
            value_range: slot.value.start..slot.value.end,
        }
    }

    fn value_in(self, slot: &Slot) -> &'a str {
        slot.normal.map_or_else(|| slot.value.of(self.raw), |normal| normal.of(&self.core.tag().scratch))
    }
}
