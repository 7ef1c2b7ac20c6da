//! Compressed documents (gzip, RFC 1952): expanded on their way in, compressed on their way out, in constant memory.

use std::io::{self, Chain, Cursor, ErrorKind, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::fault::{Class, Code};

/// A compressed document is damaged, cut short, or followed by something else; or it expands to more than is believed.
pub const GZIP: Code = Code::new(
    "gzip",
    Class::Usage,
    "a compressed document is damaged, cut short or followed by something else, or expands beyond belief",
);

/// What gzip begins with, and no text does: the second byte cannot begin a character of UTF-8.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Text as dense as metadata shrinks to a tenth, with many repetitions to a fiftieth; deflate ends at 1,032.
const RATIO_MAX: u64 = 200;
/// Below this size a document may expand as it likes.
const BYTES_UNDOUBTED: u64 = 64 << 20;

/// A stream that is expanded where it is gzip, of one member or several, and passes unchanged where it is not.
pub struct Expanding<R: Read>(Form<R>);

/// What was looked at, and the rest.
type Whole<R> = Chain<Cursor<Vec<u8>>, Counting<R>>;

enum Form<R: Read> {
    Plain(Whole<R>),
    Gzip { decoder: Box<MultiGzDecoder<Whole<R>>>, expanded: u64 },
}

impl<R: Read> Expanding<R> {
    /// Looks at the first bytes of a stream: they say what it is, whatever it is called.
    pub fn new(source: R) -> io::Result<Self> {
        let mut source = Counting { source, count: 0 };
        let mut head = Vec::with_capacity(MAGIC.len());
        source.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
        let is_gzip = head == MAGIC;
        let whole = Cursor::new(head).chain(source);
        Ok(Self(if is_gzip {
            Form::Gzip { decoder: Box::new(MultiGzDecoder::new(whole)), expanded: 0 }
        } else {
            Form::Plain(whole)
        }))
    }

    /// Whether the stream is compressed.
    pub const fn is_compressed(&self) -> bool {
        matches!(self.0, Form::Gzip { .. })
    }

    /// The stream itself.
    pub fn into_inner(self) -> R {
        let whole = match self.0 {
            Form::Plain(whole) => whole,
            Form::Gzip { decoder, .. } => decoder.into_inner(),
        };
        whole.into_inner().1.source
    }
}

impl<R: Read> Read for Expanding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (decoder, expanded) = match &mut self.0 {
            Form::Plain(whole) => return whole.read(buffer),
            Form::Gzip { decoder, expanded } => (decoder, expanded),
        };
        let count = decoder.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged("it is cut short, or followed by something else"),
            ErrorKind::InvalidInput | ErrorKind::InvalidData => damaged(&error.to_string()),
            _ => error,
        })?;
        *expanded += count as u64;
        let compressed = decoder.get_ref().get_ref().1.count;
        if *expanded > BYTES_UNDOUBTED && *expanded / RATIO_MAX > compressed {
            return Err(damaged(&format!("it expands to more than {RATIO_MAX} times its size")));
        }
        Ok(count)
    }
}

fn damaged(why: &str) -> io::Error {
    let hint = "compress the document again, or give it as it was before";
    io::Error::other(GZIP.fault(format!("the compressed document cannot be expanded: {why}")).hint(hint))
}

/// Counts what is read.
struct Counting<R> {
    source: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// Hands a stream to `write` that compresses into `to`: one member without name and time, so that one text gives one result.
pub fn compressed<E: From<io::Error>>(
    to: impl Write,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut encoder = GzEncoder::new(to, Compression::new(6));
    write(&mut encoder)?;
    encoder.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::Fault;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        compressed::<io::Error>(&mut bytes, |to| to.write_all(text)).unwrap();
        bytes
    }

    fn expanded(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut expanding = Expanding::new(bytes).unwrap();
        let mut text = Vec::new();
        match expanding.read_to_end(&mut text) {
            Ok(_) => {
                assert!(expanding.into_inner().is_empty(), "it was not read to its end");
                Ok(text)
            }
            Err(error) => Err(error.downcast::<Fault>().unwrap()),
        }
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes_and_all_else_passes() {
        for text in [&b""[..], b"<", b"<a/>", b"\x1f", b"\x1f<"] {
            assert_eq!(expanded(text).unwrap(), text);
            assert_eq!(expanded(&packed(text)).unwrap(), text);
        }
        assert_eq!(packed(b"<a/>"), packed(b"<a/>"));
        assert_eq!(packed(b"<a/>")[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn members_follow_one_another_and_nothing_else_does() {
        let two = [packed(b"<a>"), packed(b"</a>")].concat();
        assert_eq!(expanded(&two).unwrap(), b"<a></a>");
        for tail in [&b"x"[..], b"\0", b"\x1f\x8b", b"trailing garbage"] {
            let fault = expanded(&[&two, tail].concat()).unwrap_err();
            assert_eq!(fault.code(), &GZIP, "{tail:?}");
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_is_refused() {
        let whole = packed(&b"<a>metadata</a>".repeat(50));
        for length in 2..whole.len() {
            assert_eq!(expanded(&whole[..length]).unwrap_err().code(), &GZIP, "{length}");
        }
        for at in [whole.len() - 1, whole.len() - 5, whole.len() / 2] {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            assert_eq!(expanded(&changed).unwrap_err().code(), &GZIP, "{at}");
        }
    }

    #[test]
    fn what_expands_beyond_belief_is_refused() {
        let mut bomb = Vec::new();
        let blanks = vec![b' '; 1 << 20];
        compressed::<io::Error>(&mut bomb, |to| (0..80).try_for_each(|_| to.write_all(&blanks))).unwrap();
        let fault = io::copy(&mut Expanding::new(bomb.as_slice()).unwrap(), &mut io::sink()).unwrap_err();
        assert_eq!(fault.downcast::<Fault>().unwrap().code(), &GZIP);
    }
}
