//! Start tags met before: a federation writes the same few hundred over and over, and each is scanned once.

use memchr::memchr;

use super::scope::Scope;
use super::tag::Tag;
use super::{Limits, Scan};

/// How many tags are remembered. A tag that falls on the place of another takes it.
const PLACES: usize = 1 << PLACES_LOG;
const PLACES_LOG: u32 = 11;
/// Longer tags are hardly ever written twice.
const RAW_BYTES_MAX: usize = 256;

/// The start tag at hand, and those that may come again.
#[derive(Default)]
pub(super) struct Tags {
    places: Vec<Known>,
    current: Option<usize>,
    /// The tag at hand when it is not remembered.
    other: Tag,
}

/// A tag that made no declarations, so that what it means depends on nothing but the bindings in scope.
#[derive(Clone, Default)]
struct Known {
    /// As it stands in the document; nothing when the place is free.
    raw: String,
    /// The bindings it was scanned with.
    state: u64,
    tag: Tag,
}

impl Tags {
    /// Remembers tags from here on: in a short document it would not pay.
    pub(super) fn remember(&mut self) {
        if self.places.is_empty() {
            self.places.resize(PLACES, Known::default());
        }
    }

    /// The tag at hand.
    pub(super) fn current(&self) -> &Tag {
        self.current.and_then(|place| self.places.get(place)).map_or(&self.other, |known| &known.tag)
    }

    /// Scans the start tag that `text` begins with, as [`Tag::scan`] does.
    pub(super) fn scan(
        &mut self,
        text: &str,
        base: usize,
        scope: &mut Scope,
        limits: &Limits,
    ) -> Scan<usize> {
        self.current = None;
        // up to the first '>', be it the end of the tag or not: what is remembered ended there
        let head = text.as_bytes().get(..RAW_BYTES_MAX).unwrap_or(text.as_bytes());
        let raw = memchr(b'>', head).and_then(|end| text.get(..=end)).unwrap_or_default();
        let state = scope.state();
        let place = place(raw.as_bytes(), state);
        let Some(known) = place.and_then(|place| self.places.get_mut(place)) else {
            return self.other.scan(text, base, scope, limits);
        };
        self.current = place;
        if known.raw == raw && known.state == state {
            return Ok(Some(raw.len()));
        }
        known.raw.clear();
        let length = known.tag.scan(text, base, scope, limits)?;
        if length == Some(raw.len()) && scope.state() == state {
            known.raw.push_str(raw);
            known.state = state;
        }
        Ok(length)
    }
}

/// Where a tag is remembered, by its length, its first and its last bytes, and the bindings. Bad luck costs time and nothing
/// else.
fn place(raw: &[u8], state: u64) -> Option<usize> {
    let (first, last) = (u64::from_le_bytes(*raw.first_chunk()?), u64::from_le_bytes(*raw.last_chunk()?));
    let mixed = first ^ last.rotate_left(23) ^ raw.len() as u64 ^ state.rotate_left(40);
    usize::try_from(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACES_LOG)).ok()
}
