//! A strict pull reader over a sliding window: every byte is checked once, and none is kept longer than its event.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::ops::Range;

use super::tag::StartTag;
use super::window::{Core, Cut, State, Step};
use super::{Limits, READ};
use crate::base::fault::Fault;
use crate::base::marks::Marks;

/// How much is read at a time: enough to be fast, little enough to stay in the cache.
const CHUNK: usize = 64 * 1024;
/// How much is read at first: single entities are small, and there are many.
const CHUNK_FIRST: usize = 4 * 1024;

/// A place in the document, for people and for tools.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// Counted from 1.
    pub line: u64,
    /// In characters, counted from 1.
    pub column: u64,
    /// In bytes, counted from 0.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What the reader found.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// A start tag, or an empty element's tag.
    Start(StartTag<'a>),
    /// The end of an element.
    End(EndTag<'a>),
    /// Character data inside the root. One text may come in several pieces, some of them empty.
    Text {
        /// What it says: references and CDATA are resolved.
        text: &'a str,
        /// It stands so in the canonical form, too. Other pieces may, nobody looked.
        is_plain: bool,
        /// It stands in a CDATA section, whose first piece is empty.
        is_cdata: bool,
    },
    /// A comment.
    Comment(&'a str),
    /// A processing instruction.
    Instruction {
        /// Its first word.
        target: &'a str,
        /// What follows the white space behind the target.
        data: &'a str,
    },
}

/// The end of an element.
#[derive(Clone, Copy)]
pub struct EndTag<'a> {
    pub(super) core: &'a Core,
}

impl<'a> EndTag<'a> {
    /// The name as written.
    pub fn name(&self) -> &'a str {
        self.core.innermost()
    }

    /// The tag as it stands in the document; nothing when the element was written `<name/>`.
    pub fn raw(&self) -> &'a str {
        self.core.raw()
    }

    /// Where the tag stands in the source, in bytes.
    pub fn range(&self) -> Range<u64> {
        self.core.range()
    }

    /// How many elements this one is inside of: 0 for the root.
    pub fn depth(&self) -> usize {
        self.core.depth()
    }
}

/// Reads one XML document from a source.
pub struct Reader<R> {
    source: R,
    /// Bytes read and not yet in the window: at most one unfinished character stays here between reads.
    input: Vec<u8>,
    /// How large that buffer gets.
    chunk: usize,
    pending: usize,
    core: Core,
}

impl<R: Read> Reader<R> {
    /// A reader at the beginning of a document.
    pub fn new(source: R, limits: Limits) -> Self {
        Self::with_chunk(source, limits, CHUNK)
    }

    /// A reader that reads less at a time, for tests of what happens at the borders.
    pub(super) fn with_chunk(source: R, limits: Limits, chunk: usize) -> Self {
        Self { source, chunk, input: vec![0; chunk.min(CHUNK_FIRST)], pending: 0, core: Core::new(limits) }
    }

    /// The next event; none after the end of the document.
    #[expect(
        clippy::should_implement_trait,
        reason = "an event borrows the reader, which no Iterator can say"
    )]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Fault> {
        let step = loop {
            match self.core.step() {
                Ok(Some(step)) => break step,
                Ok(None) => self.fill()?,
                Err(trouble) => return Err(self.core.fault(trouble)),
            }
        };
        Ok(self.core.event(&step))
    }

    /// Where the event last returned begins.
    pub fn position(&self) -> Position {
        self.core.position()
    }

    /// Gives the source back. It has been read further than the last event.
    pub fn into_inner(self) -> R {
        self.source
    }

    /// The source.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Adds to the window at least as much as waits in it, so that an unfinished token is looked at few times.
    fn fill(&mut self) -> Result<(), Fault> {
        self.core.slide().map_err(|trouble| self.core.fault(trouble))?;
        let goal = self.core.waiting() + self.core.waiting().max(self.input.len());
        while !self.core.ended && self.core.waiting() < goal {
            match self.source.read(self.input.get_mut(self.pending..).unwrap_or_default()) {
                Ok(0) => self.core.ended = true,
                Ok(count) => self.pending += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(error
                        .downcast::<Fault>()
                        .unwrap_or_else(|error| READ.fault(error.to_string())));
                }
            }
            let bytes = self.input.get(..self.pending).unwrap_or_default();
            let taken = self.core.admit(bytes).map_err(|trouble| self.core.fault(trouble))?;
            let is_full = self.pending == self.input.len();
            self.input.copy_within(taken..self.pending, 0);
            self.pending -= taken;
            if is_full && self.input.len() < self.chunk {
                self.input.resize(self.chunk.min(4 * self.input.len()), 0);
            }
        }
        Ok(())
    }
}

impl Core {
    /// What a step found, as borrowed from the window.
    fn event(&self, step: &Step) -> Option<Event<'_>> {
        let text = |cut| match cut {
            Cut::Window(span) | Cut::Plain(span) => span.of(&self.window),
            Cut::Scratch => &self.scratch,
        };
        Some(match *step {
            Step::Start => Event::Start(StartTag { core: self, raw: self.raw() }),
            Step::End => Event::End(EndTag { core: self }),
            Step::Text(cut) => {
                let (text, is_plain) = (text(cut), matches!(cut, Cut::Plain(_)));
                Event::Text { text, is_plain, is_cdata: self.state == State::Cdata }
            }
            Step::Comment(cut) => Event::Comment(text(cut)),
            Step::Instruction(target, data) => {
                Event::Instruction { target: target.of(&self.window), data: text(data) }
            }
            Step::Done => return None,
        })
    }
}

/// The `ID` values seen so far, as hashes: if two fell together by chance, the document were refused.
#[derive(Default)]
pub struct Ids(Marks<()>);

impl Ids {
    /// Whether `id` is new.
    pub fn insert(&mut self, id: &str) -> bool {
        self.0.meet(id, ()).is_none()
    }
}
