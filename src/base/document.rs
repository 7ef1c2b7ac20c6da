//! A document that somebody gave us: opened once, read as often as needed, never through its name again.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::bytes::{Digest, Hashing};
use super::disk::{check_owner_only, fault, open};
use super::fault::Fault;
use super::gzip::Expanding;

/// A document.
pub struct Document {
    name: String,
    path: Option<PathBuf>,
    source: Source,
    watch: Option<Box<dyn Fn(u64) + Send + Sync>>,
}

enum Source {
    File(File),
    Memory(Vec<u8>),
}

impl Document {
    /// Opens a regular file.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Ok(Self::at(path, Source::File(open(path, true)?)))
    }

    /// Opens a file of ours: not through a link, and only when nobody but the owner may touch it.
    pub fn open_private(path: &Path) -> Result<Self, Fault> {
        let file = open(path, false)?;
        check_owner_only(path, &file.metadata().map_err(|e| fault("read", path, &e))?)?;
        Ok(Self::at(path, Source::File(file)))
    }

    pub(super) fn of_file(name: &str, file: File) -> Self {
        Self { name: name.to_owned(), path: None, source: Source::File(file), watch: None }
    }

    /// Takes a document from memory; `name` is what messages call it.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), path: None, source: Source::Memory(bytes), watch: None }
    }

    /// Takes a document that was put together from what stands under this path.
    pub fn from_path(path: &Path, bytes: Vec<u8>) -> Self {
        Self::at(path, Source::Memory(bytes))
    }

    /// The same document as one that was put together from what stands under this path.
    #[must_use]
    pub fn from(self, path: &Path) -> Self {
        Self { name: path.display().to_string(), path: Some(path.to_owned()), ..self }
    }

    fn at(path: &Path, source: Source) -> Self {
        Self { name: path.display().to_string(), path: Some(path.to_owned()), source, watch: None }
    }

    /// Where it came from, unless it was a stream.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The same document; `watch` is told how many bytes each read took, whichever reader it was.
    #[must_use]
    pub fn watched(mut self, watch: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// What messages call the document; foreign text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of bytes it has now.
    pub fn length(&self) -> Result<u64, Fault> {
        match &self.source {
            Source::File(file) => file.metadata().map(|m| m.len()).map_err(|e| self.fault(&e)),
            Source::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// The digest of the document as it stands, compressed or not.
    pub fn digest(&self) -> Result<Digest, Fault> {
        let mut hashing = Hashing::new(self.reader());
        io::copy(&mut hashing, &mut io::sink()).map_err(|e| self.fault(&e))?;
        Ok(hashing.finish().0)
    }

    /// Reads the document as it stands, from its first byte.
    pub fn reader(&self) -> DocumentReader<'_> {
        self.reader_at(0)
    }

    /// Reads the document as it stands, from this byte on.
    pub fn reader_at(&self, offset: u64) -> DocumentReader<'_> {
        DocumentReader { document: self, offset }
    }

    /// Reads what the document says: expanded, where it is compressed.
    pub fn content(&self) -> Result<Expanding<DocumentReader<'_>>, Fault> {
        self.expanded(self.reader())
    }

    /// Reads what the document says through a reader of it that watches the bytes as they stand.
    pub fn expanded<R: Read>(&self, reader: R) -> Result<Expanding<R>, Fault> {
        Expanding::new(reader).map_err(|e| self.fault(&e))
    }

    fn fault(&self, error: &io::Error) -> Fault {
        fault("read", Path::new(&self.name), error)
    }
}

/// Reads a [`Document`]; several may read it at once.
pub struct DocumentReader<'a> {
    document: &'a Document,
    offset: u64,
}

impl Read for DocumentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &self.document.source {
            Source::File(file) => file.read_at(buffer, self.offset)?,
            Source::Memory(bytes) => {
                let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
        };
        self.offset += count as u64;
        if let Some(watch) = &self.document.watch {
            watch(count as u64);
        }
        Ok(count)
    }
}

/// Whether a standard stream was closed when the program began: the Rust runtime then opens the null device in its place, to
/// read and write, which no shell does for `>`.
pub fn is_closed(stream: impl AsFd) -> bool {
    let is_null = rustix::fs::fstat(&stream)
        .is_ok_and(|found| (rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev)) == (1, 3));
    is_null && rustix::fs::fcntl_getfl(&stream).is_ok_and(|flags| flags.contains(rustix::fs::OFlags::RDWR))
}
