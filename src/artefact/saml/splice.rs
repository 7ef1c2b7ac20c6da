//! A stream with some stretches exchanged: everything else passes through byte for byte.

use std::io::{self, Read};
use std::ops::Range;

/// Puts `text` where `range` stood; an empty range inserts.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) range: Range<u64>,
    pub(super) text: Vec<u8>,
}

impl Edit {
    /// The same edit with more text.
    pub(super) fn followed_by(&self, more: &[u8]) -> Self {
        Self { range: self.range.clone(), text: [&self.text, more].concat() }
    }
}

/// Reads a source with edits applied. The edits are sorted and do not overlap. The source is read to its end, the stretches
/// that are exchanged too, so that a hash around it sees every byte.
pub(super) struct Splice<R> {
    source: R,
    offset: u64,
    edits: std::collections::VecDeque<Edit>,
    inserting: io::Cursor<Vec<u8>>,
}

impl<R: Read> Splice<R> {
    pub(super) fn new(source: R, edits: Vec<Edit>) -> Self {
        Self { source, offset: 0, edits: edits.into(), inserting: io::Cursor::default() }
    }

    /// The source, once everything has been read, and how much that was.
    pub(super) fn finish(self) -> (R, u64) {
        (self.source, self.offset)
    }
}

impl<R: Read> Read for Splice<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let inserted = self.inserting.read(buffer)?;
            if inserted > 0 {
                return Ok(inserted);
            }
            let until_edit = self.edits.front().map_or(u64::MAX, |edit| edit.range.start - self.offset);
            if until_edit > 0 {
                let room = usize::try_from(until_edit).unwrap_or(usize::MAX).min(buffer.len());
                let count = self.source.read(buffer.get_mut(..room).unwrap_or_default())?;
                self.offset += count as u64;
                return Ok(count);
            }
            let Some(edit) = self.edits.pop_front() else { return Ok(0) };
            let length = edit.range.end - edit.range.start;
            if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.offset = edit.range.end;
            self.inserting = io::Cursor::new(edit.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(source: &[u8], edits: &[(Range<u64>, &str)]) -> io::Result<String> {
        let edits =
            edits.iter().map(|(range, text)| Edit { range: range.clone(), text: text.as_bytes().to_vec() });
        let mut text = String::new();
        Splice::new(source, edits.collect()).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn edits_replace_insert_and_remove() {
        assert_eq!(spliced(b"abcdef", &[]).unwrap(), "abcdef");
        assert_eq!(spliced(b"abcdef", &[(0..1, "X"), (2..2, "-"), (4..6, "")]).unwrap(), "Xb-cd");
        assert_eq!(spliced(b"abcdef", &[(1..3, ""), (3..3, "Y")]).unwrap(), "aYdef");
        assert_eq!(spliced(b"abc", &[(3..3, "end")]).unwrap(), "abcend");
    }

    #[test]
    fn a_source_that_shrank_is_an_error() {
        assert!(spliced(b"abc", &[(1..9, "X")]).is_err());
    }
}
