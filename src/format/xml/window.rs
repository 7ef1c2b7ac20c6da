//! The sliding window: checked text, and the steps that take events off it.

use std::cell::Cell;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::memo::Tags;
use super::names::{Run, forbidden, has_controls, is_ncname, is_space};
use super::reader::Position;
use super::scope::Scope;
use super::tag::{QName, Tag, spaces};
use super::tokens::declaration;
use super::{DOCTYPE, ENCODING, LIMIT, Limits, MALFORMED, Scan, Span, Trouble, short};
use crate::base::fault::Fault;

/// What one look at the window came to: places, not borrows, so that the window can be refilled in between.
pub(super) enum Step {
    Start,
    End,
    Text(Cut),
    Comment(Cut),
    Instruction(Span, Cut),
    Done,
}

/// Text as it stands in the window, or as rewritten in the scratch.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    Window(Span),
    /// Nothing in it that canonical form writes otherwise.
    Plain(Span),
    Scratch,
}

/// An open element.
struct Open {
    name: Span,
    /// The first binding that is its own.
    binding: usize,
}

/// What the next step begins with.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum State {
    /// A byte order mark and the XML declaration, perhaps.
    Begin,
    /// Markup or text.
    Content,
    /// The rest of a CDATA section.
    Cdata,
    /// The end of the empty element whose start was reported.
    Hollow,
    /// Leaving the element whose end was reported.
    Leaving,
}

/// How the lines of a document end.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum LineEnds {
    /// With line feeds only: texts stand as they are read.
    Feeds,
    /// With carriage returns, too.
    Any,
}

/// Behind so many bytes, start tags are remembered.
const REMEMBER_FROM: u64 = 64 * 1024;

/// The reader without its source.
pub(super) struct Core {
    limits: Limits,
    /// Checked text; what lies before `at` is done with.
    pub(super) window: String,
    pub(super) at: usize,
    /// The raw form of the event last returned.
    pub(super) span: Span,
    /// Where the window begins in the source, in bytes, lines and columns.
    origin: Position,
    /// The place told last: from there on, lines are counted once.
    told: Cell<(usize, Position)>,
    /// How lines end, as far as the document was read.
    pub(super) line_ends: LineEnds,
    /// Nothing follows what is in the window.
    pub(super) ended: bool,
    /// The document says that it is US-ASCII.
    ascii: bool,
    /// There has been a root element.
    rooted: bool,
    pub(super) state: State,
    open: Vec<Open>,
    names: String,
    pub(super) scratch: String,
    pub(super) scope: Scope,
    tags: Tags,
}

impl Core {
    pub(super) fn new(limits: Limits) -> Self {
        let origin = Position { line: 1, column: 1, offset: 0 };
        Self {
            limits,
            window: String::new(),
            at: 0,
            span: Span::default(),
            origin,
            told: Cell::new((0, origin)),
            line_ends: LineEnds::Feeds,
            ended: false,
            ascii: false,
            rooted: false,
            state: State::Begin,
            open: Vec::new(),
            names: String::new(),
            scratch: String::new(),
            scope: Scope::new(),
            tags: Tags::default(),
        }
    }

    // - The window

    /// Lets go of what is done with.
    pub(super) fn slide(&mut self) -> Result<(), Trouble> {
        if self.ended {
            return Err(Trouble::new(&MALFORMED, self.window.len(), "the document ends inside markup"));
        }
        if self.waiting() > self.limits.token_bytes {
            return Err(self.too_long(self.at));
        }
        self.origin = self.locate(self.at);
        self.told.set((0, self.origin));
        if self.origin.offset > REMEMBER_FROM {
            self.tags.remember();
            self.scope.remember();
        }
        self.window.drain(..self.at);
        self.at = 0;
        self.span = Span::default();
        Ok(())
    }

    /// Checks bytes and appends them to the window. Yields how many were taken: all but an unfinished character.
    pub(super) fn admit(&mut self, bytes: &[u8]) -> Result<usize, Trouble> {
        let (text, taken) = match str::from_utf8(bytes) {
            Ok(text) => (text, bytes.len()),
            Err(error) if error.error_len().is_none() && !self.ended => {
                let whole = bytes.get(..error.valid_up_to()).unwrap_or_default();
                (str::from_utf8(whole).unwrap_or_default(), whole.len())
            }
            Err(error) => {
                let at = self.window.len() + error.valid_up_to();
                return Err(Trouble::new(&ENCODING, at, "this is not UTF-8"));
            }
        };
        let start = self.window.len();
        self.window.push_str(text);
        if has_controls(text) {
            if memchr(b'\r', text.as_bytes()).is_some() {
                self.line_ends = LineEnds::Any;
            }
            if let Some(at) = forbidden(text) {
                return Err(Trouble::new(&MALFORMED, start + at, "a character that XML forbids"));
            }
        }
        if self.ascii {
            self.check_ascii(start)?;
        }
        Ok(taken)
    }

    fn check_ascii(&self, from: usize) -> Result<(), Trouble> {
        match self.rest(from).bytes().position(|b| !b.is_ascii()) {
            Some(at) => Err(Trouble::new(&ENCODING, from + at, "a character outside the declared US-ASCII")),
            None => Ok(()),
        }
    }

    /// How much of the window is not done with.
    pub(super) fn waiting(&self) -> usize {
        self.window.len() - self.at
    }

    pub(super) fn rest(&self, from: usize) -> &str {
        self.window.get(from..).unwrap_or_default()
    }

    fn too_long(&self, at: usize) -> Trouble {
        let message = format!("a tag, comment or instruction longer than {} bytes", self.limits.token_bytes);
        Trouble::new(&LIMIT, at, message)
    }

    // - Places

    pub(super) fn raw(&self) -> &str {
        self.span.of(&self.window)
    }

    pub(super) fn range(&self) -> Range<u64> {
        let place = |at: usize| self.origin.offset + at as u64;
        place(self.span.start)..place(self.span.end)
    }

    pub(super) fn position(&self) -> Position {
        self.locate(self.span.start)
    }

    /// The start tag scanned last.
    pub(super) fn tag(&self) -> &Tag {
        self.tags.current()
    }

    /// The name of the innermost open element.
    pub(super) fn innermost(&self) -> &str {
        self.open.last().map_or("", |open| open.name.of(&self.names))
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len().saturating_sub(1)
    }

    pub(super) fn first_binding(&self) -> usize {
        self.open.last().map_or(0, |open| open.binding)
    }

    /// The line and column of a place in the window.
    fn locate(&self, at: usize) -> Position {
        let told = self.told.get();
        let (from, start) = if told.0 <= at { told } else { (0, self.origin) };
        let window = self.window.as_bytes();
        let passed = window.get(from..at).or(window.get(from..)).unwrap_or_default();
        let lines = memchr_iter(b'\n', passed).count() as u64;
        let last = memrchr(b'\n', passed).map_or(passed, |end| passed.get(end + 1..).unwrap_or_default());
        let column = last.iter().filter(|b| **b & 0xC0 != 0x80).count() as u64;
        let place = Position {
            line: start.line + lines,
            column: if lines == 0 { start.column + column } else { column + 1 },
            offset: start.offset + passed.len() as u64,
        };
        self.told.set((from + passed.len(), place));
        place
    }

    pub(super) fn fault(&self, trouble: Trouble) -> Fault {
        trouble.code.fault(trouble.message).at(self.locate(trouble.at))
    }

    // - Steps

    /// Takes the next event off the window, or asks for more.
    pub(super) fn step(&mut self) -> Scan<Step> {
        match self.state {
            State::Content => {}
            State::Begin => {
                if !self.begin()? {
                    return Ok(None);
                }
            }
            State::Cdata => return Ok(self.cdata().map(Step::Text)),
            State::Hollow => {
                self.take(0);
                self.state = State::Leaving;
                return Ok(Some(Step::End));
            }
            State::Leaving => self.leave(),
        }
        if self.open.is_empty() {
            self.at += spaces(self.window.as_bytes(), self.at);
        }
        match self.window.as_bytes().get(self.at) {
            Some(b'<') => self.markup(),
            Some(_) if self.open.is_empty() => {
                Err(Trouble::new(&MALFORMED, self.at, "text outside the root element"))
            }
            Some(_) => Ok(self.text()?.map(Step::Text)),
            None if !self.ended => Ok(None),
            None => self.finish(),
        }
    }

    fn finish(&self) -> Scan<Step> {
        let message = match self.open.last() {
            Some(_) => format!("the document ends inside <{}>", short(self.innermost())),
            None if self.rooted => return Ok(Some(Step::Done)),
            None => "there is no root element".into(),
        };
        Err(Trouble::new(&MALFORMED, self.at, message))
    }

    fn leave(&mut self) {
        self.state = State::Content;
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.name.start);
            self.scope.truncate(open.binding);
        }
    }

    /// Takes a byte order mark and the XML declaration. Yields whether the document has begun.
    fn begin(&mut self) -> Result<bool, Trouble> {
        let text = self.window.strip_prefix('\u{FEFF}').unwrap_or(&self.window);
        let start = self.window.len() - text.len();
        let declared = text.strip_prefix("<?xml").filter(|rest| rest.bytes().next().is_some_and(is_space));
        match declared {
            None if text.len() < "<?xml ".len() && !self.ended => return Ok(false),
            None => self.at = start,
            Some(rest) => match rest.find("?>") {
                Some(length) => {
                    self.ascii = declaration(rest.get(..length).unwrap_or_default(), start)?;
                    self.at = start + "<?xml".len() + length + "?>".len();
                }
                None if self.ended => {
                    return Err(Trouble::new(&MALFORMED, start, "the XML declaration has no end"));
                }
                None => return Ok(false),
            },
        }
        self.state = State::Content;
        if self.ascii {
            self.check_ascii(0)?;
        }
        Ok(true)
    }

    fn markup(&mut self) -> Scan<Step> {
        let rest = self.rest(self.at);
        let step = match rest.as_bytes() {
            [_, b'/', ..] => self.end_tag(),
            [_, b'?', ..] => self.instruction(),
            [_, b'!', b'-', b'-', ..] => self.comment(),
            [_, b'!', ..] => return self.declared(),
            [_, _, ..] => self.start_tag(),
            _ => Ok(None),
        }?;
        match step {
            Some(_) if self.span.end - self.span.start > self.limits.token_bytes => {
                Err(self.too_long(self.span.start))
            }
            step => Ok(step),
        }
    }

    /// Takes what begins with `<!` and is no comment.
    fn declared(&mut self) -> Scan<Step> {
        let rest = self.rest(self.at);
        if rest.starts_with("<![CDATA[") && !self.open.is_empty() {
            self.state = State::Cdata;
            self.at += "<![CDATA[".len();
            return Ok(Some(Step::Text(self.piece(0))));
        }
        if rest.starts_with("<!DOCTYPE") {
            return Err(Trouble::new(&DOCTYPE, self.at, "the document has a DOCTYPE"));
        }
        if rest.len() < "<!DOCTYPE".len() && !self.ended {
            return Ok(None);
        }
        Err(Trouble::new(&MALFORMED, self.at, "'<!' that begins neither a comment nor character data"))
    }

    /// Marks what was just taken as the raw form of the event.
    pub(super) fn take(&mut self, length: usize) {
        self.span = Span { start: self.at, end: self.at + length };
        self.at += length;
    }

    fn start_tag(&mut self) -> Scan<Step> {
        let binding = self.scope.len();
        let text = self.window.get(self.at..).unwrap_or_default();
        let Some(length) = self.tags.scan(text, self.at, &mut self.scope, &self.limits)? else {
            return Ok(None);
        };
        if self.open.is_empty() && self.rooted {
            return Err(Trouble::new(&MALFORMED, self.at, "a second root element"));
        }
        if self.open.len() >= self.limits.depth {
            let message = format!("elements nested deeper than {}", self.limits.depth);
            return Err(Trouble::new(&LIMIT, self.at, message));
        }
        let start = self.names.len();
        self.names.push_str(self.tags.current().name(text));
        self.open.push(Open { name: Span { start, end: self.names.len() }, binding });
        self.rooted = true;
        self.state = if self.tags.current().empty { State::Hollow } else { State::Content };
        self.take(length);
        Ok(Some(Step::Start))
    }

    fn end_tag(&mut self) -> Scan<Step> {
        let rest = self.rest(self.at);
        let bytes = rest.as_bytes();
        let expected = self.innermost();
        let end = 2 + expected.len();
        let close = end + spaces(bytes, end);
        if bytes.get(2..end) == Some(expected.as_bytes())
            && bytes.get(close) == Some(&b'>')
            && !expected.is_empty()
        {
            self.state = State::Leaving;
            self.take(close + 1);
            return Ok(Some(Step::End));
        }
        let Run { length, .. } = Run::new(bytes.get(2..).unwrap_or_default());
        if 2 + length + spaces(bytes, 2 + length) == bytes.len() && length <= self.limits.name_bytes {
            return Ok(None);
        }
        let found = short(rest.get(2..2 + length).unwrap_or_default());
        let message = match expected {
            "" => format!("end tag </{found}> where nothing is open"),
            _ if found == expected => format!("end tag </{found}> with more than its name"),
            _ => format!("end tag </{found}> where </{}> was expected", short(expected)),
        };
        Err(Trouble::new(&MALFORMED, self.at, message))
    }

    fn comment(&mut self) -> Scan<Step> {
        let start = self.at + "<!--".len();
        let Some(length) = memmem::find(self.rest(start).as_bytes(), b"--") else { return Ok(None) };
        let end = start + length;
        match self.window.as_bytes().get(end + 2) {
            None => Ok(None),
            Some(b'>') => {
                let cut = self.lines(Span { start, end });
                self.take(end + 3 - self.at);
                Ok(Some(Step::Comment(cut)))
            }
            Some(_) => Err(Trouble::new(&MALFORMED, end, "'--' in a comment")),
        }
    }

    fn instruction(&mut self) -> Scan<Step> {
        let text = self.rest(self.at);
        let Some(target) = QName::scan(text, 2, self.at, &self.limits)? else { return Ok(None) };
        let name = target.of(text);
        if name.eq_ignore_ascii_case("xml") || !is_ncname(name) {
            let message = format!("a processing instruction cannot be named '{}'", short(name));
            return Err(Trouble::new(&MALFORMED, self.at, message));
        }
        let gap = spaces(text.as_bytes(), target.end());
        let data = target.end() + gap;
        let Some(length) = memmem::find(text.as_bytes().get(data..).unwrap_or_default(), b"?>") else {
            return Ok(None);
        };
        if gap == 0 && length > 0 {
            return Err(Trouble::new(&MALFORMED, self.at, "a processing instruction's target is not a name"));
        }
        let target = Span { start: self.at + 2, end: self.at + target.end() };
        let cut = self.lines(Span { start: self.at + data, end: self.at + data + length });
        self.take(data + length + 2);
        Ok(Some(Step::Instruction(target, cut)))
    }

    /// A stretch of the window with its line ends normalised.
    fn lines(&mut self, span: Span) -> Cut {
        let text = span.of(&self.window);
        if !text.contains('\r') {
            return Cut::Window(span);
        }
        self.scratch = text.replace("\r\n", "\n").replace('\r', "\n");
        Cut::Scratch
    }
}
