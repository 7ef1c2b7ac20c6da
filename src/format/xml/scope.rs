//! The namespace bindings in scope: a stack in one arena, truncated when an element ends.

use super::{MALFORMED, NAMESPACE, Span, Trouble, short};

/// The namespace of the `xml` prefix.
pub const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NS: &str = "http://www.w3.org/2000/xmlns/";

/// The binding that holds where nothing else does: no prefix, no namespace.
pub(super) const NONE: usize = 0;

/// The bindings of all open elements. An index names one declaration for as long as its element is open.
pub(super) struct Scope {
    arena: String,
    bindings: Vec<Binding>,
    /// Declarations met before, each with the state behind it: entities of a federation make the same ones, one after the
    /// other.
    met: Vec<Met>,
    states: u64,
}

/// How many declarations are remembered. One that falls on the place of another takes it.
const PLACES: u64 = 256;
/// Longer ones are not: hardly any is, and they would take memory.
const MET_BYTES_MAX: usize = 256;

/// A declaration, by the state that it was made in.
#[derive(Clone, Default)]
struct Met {
    before: u64,
    prefix: String,
    uri: String,
    /// Nothing when the place is free.
    state: u64,
}

impl Met {
    fn is(&self, before: u64, prefix: &str, uri: &str) -> bool {
        self.state != 0 && self.before == before && self.prefix == prefix && self.uri == uri
    }
}

struct Binding {
    /// Length and first bytes of the prefix: most comparisons end here.
    key: u64,
    prefix: Span,
    uri: Span,
    /// Stands for this declaration and all below it.
    state: u64,
}

impl Scope {
    pub(super) fn new() -> Self {
        let mut scope = Self { arena: String::new(), bindings: Vec::new(), met: Vec::new(), states: 0 };
        scope.push("", "");
        scope.push("xml", XML_NS);
        scope
    }

    /// Remembers declarations from here on: in a short document it would not pay.
    pub(super) fn remember(&mut self) {
        self.met.resize(usize::try_from(PLACES).unwrap_or_default(), Met::default());
    }

    /// How many bindings there are: the next declaration's index.
    pub(super) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// The same for the same bindings only: they are a stack, so the last one tells them all.
    pub(super) fn state(&self) -> u64 {
        self.bindings.last().map_or(0, |binding| binding.state)
    }

    /// Forgets the bindings from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(first) = self.bindings.get(len) {
            self.arena.truncate(first.prefix.start);
            self.bindings.truncate(len);
        }
    }

    /// The index of the declaration that binds `prefix` here (`""`: the default namespace).
    pub(super) fn find(&self, prefix: &str) -> Option<usize> {
        let key = key(prefix);
        self.bindings
            .iter()
            .rposition(|b| b.key == key && (prefix.len() < 8 || b.prefix.of(&self.arena) == prefix))
    }

    /// Prefix and namespace of a binding.
    pub(super) fn get(&self, binding: usize) -> (&str, &str) {
        self.bindings.get(binding).map_or(("", ""), |b| (b.prefix.of(&self.arena), b.uri.of(&self.arena)))
    }

    /// The namespace of a binding.
    pub(super) fn namespace(&self, binding: usize) -> &str {
        self.bindings.get(binding).map_or("", |b| b.uri.of(&self.arena))
    }

    /// Whether this declaration was made before, and under the same bindings.
    pub(super) fn has_met(&self, prefix: &str, uri: &str) -> bool {
        let before = self.state();
        self.met.get(place(before, prefix, uri)).is_some_and(|met| met.is(before, prefix, uri))
    }

    /// Adds a declaration of an element whose first declaration has the index `from`.
    pub(super) fn declare(&mut self, prefix: &str, uri: &str, from: usize, at: usize) -> Result<(), Trouble> {
        let wrong = |what: String| Err(Trouble::new(&NAMESPACE, at, what));
        if self.find(prefix).is_some_and(|earlier| earlier >= from) {
            return Err(Trouble::new(
                &MALFORMED,
                at,
                format!("namespace prefix '{}' declared twice", short(prefix)),
            ));
        }
        if prefix == "xmlns" {
            return wrong("the prefix xmlns cannot be declared".into());
        }
        if uri == XMLNS_NS || (prefix == "xml") != (uri == XML_NS) {
            return wrong(format!("prefix '{}' cannot be bound to '{}'", short(prefix), short(uri)));
        }
        if uri.is_empty() && !prefix.is_empty() {
            return wrong(format!("prefix '{}' is bound to nothing", short(prefix)));
        }
        self.push(prefix, uri);
        Ok(())
    }

    fn push(&mut self, prefix: &str, uri: &str) {
        let state = self.state_behind(prefix, uri);
        let prefix_span = self.append(prefix);
        let uri = self.append(uri);
        self.bindings.push(Binding { key: key(prefix), prefix: prefix_span, uri, state });
    }

    /// The state once this declaration is made.
    fn state_behind(&mut self, prefix: &str, uri: &str) -> u64 {
        let before = self.state();
        let known = self.met.get_mut(place(before, prefix, uri));
        if let Some(known) = known.as_ref().filter(|met| met.is(before, prefix, uri)) {
            return known.state;
        }
        self.states += 1;
        if let Some(known) = known.filter(|_| prefix.len() + uri.len() <= MET_BYTES_MAX) {
            *known = Met { before, prefix: prefix.to_owned(), uri: uri.to_owned(), state: self.states };
        }
        self.states
    }

    fn append(&mut self, text: &str) -> Span {
        let start = self.arena.len();
        self.arena.push_str(text);
        Span { start, end: self.arena.len() }
    }
}

/// Where a declaration is remembered. Bad luck costs time and nothing else.
fn place(before: u64, prefix: &str, uri: &str) -> usize {
    let mixed = (before.rotate_left(32) ^ key(prefix).rotate_left(8) ^ uri.len() as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from((mixed >> 32) % PLACES).unwrap_or_default()
}

/// Equal keys of prefixes shorter than eight bytes mean equal prefixes.
fn key(prefix: &str) -> u64 {
    let seed = u64::from(u8::try_from(prefix.len()).unwrap_or(u8::MAX));
    prefix.bytes().take(7).fold(seed, |key, byte| key << 8 | u64::from(byte))
}

/// Whether a namespace name is nothing or an absolute URI. Canonicalizers refuse other names; with `&`, which a URI may
/// have, they disagree.
///
/// RFC 3986, appendix A, without IP literals.
pub(super) fn is_sound(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return uri.is_empty() };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    let (host, port) = host.split_once(':').unwrap_or((host, "0"));
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && (1..=5).contains(&port.len())
        && port.bytes().all(|b| b.is_ascii_digit())
        && [(user, ":"), (host, ""), (path, ":@/"), (query, ":@/?"), (fragment, ":@/?")]
            .into_iter()
            .all(|(part, also)| is_made_of(part, also))
}

/// Whether a part of a URI has only letters, digits, what is allowed in every part, percent-encoded octets, and `also`.
fn is_made_of(part: &str, also: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$'()*+,;=".contains(c) || also.contains(c);
    let mut pieces = part.split('%');
    let encoded = |piece: &str| {
        piece.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    pieces.next().is_none_or(|first| first.chars().all(plain))
        && pieces.all(|piece| encoded(piece) && piece.chars().all(plain))
}
