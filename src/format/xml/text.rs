//! Character data: runs of the window as they stand, line ends, references, CDATA sections.

use memchr::{memchr_iter, memchr2, memchr3};

use super::tokens::{brackets, reference};
use super::window::{Core, Cut, LineEnds, State};
use super::{MALFORMED, Scan, Trouble};

impl Core {
    /// Takes a piece of text: a run without anything special, one line end, or one reference.
    pub(super) fn text(&mut self) -> Scan<Cut> {
        let rest = self.rest(self.at);
        let bytes = rest.as_bytes();
        if self.line_ends == LineEnds::Feeds
            && let Some(length) = memchr3(b'<', b'&', b'>', bytes)
            && matches!((length, bytes.get(length)), (1.., Some(b'<' | b'&')))
        {
            self.take(length);
            return Ok(Some(Cut::Plain(self.span)));
        }
        match memchr3(b'<', b'&', b'\r', bytes) {
            Some(0) if bytes.first() == Some(&b'\r') => Ok(self.line_end()),
            Some(0) => {
                let Some((c, length)) = reference(rest, self.at)? else { return Ok(None) };
                self.scratch.clear();
                self.scratch.push(c);
                self.take(length);
                Ok(Some(Cut::Scratch))
            }
            Some(length) => self.run(length),
            None if self.ended => self.run(bytes.len()),
            None => self.run(bytes.len() - brackets(bytes)),
        }
    }

    /// Takes a run of plain text.
    fn run(&mut self, length: usize) -> Scan<Cut> {
        if length == 0 {
            return Ok(None);
        }
        let run = self.window.as_bytes().get(self.at..self.at + length).unwrap_or_default();
        if memchr_iter(b'>', run).any(|at| run.get(..at).is_some_and(|before| before.ends_with(b"]]"))) {
            return Err(Trouble::new(&MALFORMED, self.at, "']]>' in text"));
        }
        self.take(length);
        Ok(Some(Cut::Window(self.span)))
    }

    /// Takes a carriage return, with the line feed that may follow it, as one line feed.
    fn line_end(&mut self) -> Option<Cut> {
        let length = match self.window.as_bytes().get(self.at + 1) {
            None if !self.ended => return None,
            Some(b'\n') => 2,
            _ => 1,
        };
        self.take(length);
        self.scratch.clear();
        self.scratch.push('\n');
        Some(Cut::Scratch)
    }

    /// Takes a piece of a CDATA section, an empty one at its end.
    pub(super) fn cdata(&mut self) -> Option<Cut> {
        let bytes = self.rest(self.at).as_bytes();
        match memchr2(b'\r', b']', bytes) {
            None if bytes.is_empty() => None,
            None => Some(self.piece(bytes.len())),
            Some(0) => match bytes {
                [b']', b']', b'>', ..] => {
                    self.state = State::Content;
                    self.at += "]]>".len();
                    Some(self.piece(0))
                }
                [b']', _, _, ..] => Some(self.piece(1)),
                [b'\r', ..] => self.line_end(),
                _ => None,
            },
            Some(at) => Some(self.piece(at)),
        }
    }

    pub(super) fn piece(&mut self, length: usize) -> Cut {
        self.take(length);
        Cut::Window(self.span)
    }
}
