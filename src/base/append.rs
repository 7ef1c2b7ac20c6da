//! A file that only grows, and two slots written in turn: the durable ground of the ledger.
//!
//! An error of `fdatasync` is final and never retried: a second try may succeed with the data lost
//! (<https://wiki.postgresql.org/wiki/Fsync_Errors>).

#![expect(clippy::disallowed_methods, reason = "opens files to append to, and slots to write in turn")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FallocateFlags, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::disk::{CHANGED, Document, FULL, check_private, fault};
use super::fault::Fault;

const COPY_BYTES: usize = 1 << 16;

/// Opens a private file of ours for reading and writing, never through a link, and refuses one with a second name.
fn open(path: &Path, append: bool) -> Result<File, Fault> {
    check_private(path)?;
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .write(!append)
        .append(append)
        .custom_flags(flags)
        .open(path)
        .map_err(|e| fault("open", path, &e))?;
    check_identity(&file, path)?;
    Ok(file)
}

/// Refuses when the path names another file by now, or the file got a second name or lost its last.
fn check_identity(file: &File, path: &Path) -> Result<fs::Metadata, Fault> {
    let held = file.metadata().map_err(|e| fault("read", path, &e))?;
    let changed = |what: &str| Err(CHANGED.fault(format!("{} {what}", path.display())));
    match fs::symlink_metadata(path) {
        Ok(named) if (named.dev(), named.ino()) != (held.dev(), held.ino()) => {
            changed("was replaced by another file")
        }
        Ok(named) if !named.is_file() => changed("is not a regular file"),
        Ok(named) if named.nlink() != 1 => changed("is known under a second name"),
        Ok(_) => Ok(held),
        Err(error) if error.kind() == io::ErrorKind::NotFound => changed("was deleted"),
        Err(error) => Err(fault("read", path, &error)),
    }
}

fn read_exact(file: &File, path: &Path, offset: u64, count: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; count];
    file.read_exact_at(&mut bytes, offset).map_err(|e| fault("read", path, &e))?;
    Ok(bytes)
}

/// A private file that only grows; it may carry the append-only attribute (`chattr +a`).
pub struct Growing {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Growing {
    /// Opens an existing file of ours.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let file = open(path, true)?;
        let length = file.metadata().map_err(|e| fault("read", path, &e))?.len();
        Ok(Self { file, path: path.to_owned(), length })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads so many bytes from an offset; all of them, or a fault.
    pub fn read(&self, offset: u64, count: usize) -> Result<Vec<u8>, Fault> {
        read_exact(&self.file, &self.path, offset, count)
    }

    /// Sets room aside behind the end, so that so many bytes can be appended later even when the disk is full by then.
    /// Refuses when there is no room, and has then changed nothing. Where the file system cannot set aside, the room is
    /// only counted.
    pub fn reserve(&self, bytes: u64) -> Result<(), Fault> {
        let full = |error: Errno| fault("reserve room in", &self.path, &error.into());
        let end = self.length.saturating_add(bytes);
        // A write beyond this limit would be cut in the middle, and fallocate does not look at it.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| limit < end) {
            return Err(full(Errno::FBIG));
        }
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, self.length, bytes.max(1)) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                let room = rustix::fs::fstatvfs(&self.file).map_err(full)?;
                if room.f_bavail.saturating_mul(room.f_frsize) < bytes {
                    Err(full(Errno::NOSPC))
                } else {
                    Ok(())
                }
            }
            Err(error) => Err(full(error)),
        }
    }

    /// Appends, makes durable, and reads back from the medium. After an error the end of the file is unknown: the handle
    /// must not be used again.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if check_identity(&self.file, &self.path)?.len() != self.length {
            return Err(CHANGED.fault(format!("{} was changed by another program", self.path.display())));
        }
        self.file.write_all(bytes).map_err(|e| fault("write", &self.path, &e))?;
        let start = self.length;
        self.length += bytes.len() as u64;
        if self.settle(start, bytes.len())? == bytes {
            return Ok(());
        }
        Err(FULL
            .fault(format!("{} does not hold what was written to it", self.path.display()))
            .hint("the medium or its driver loses data: use another"))
    }

    /// Makes everything durable, then reads so many bytes from an offset: from the medium and not from memory, since after
    /// an error the kernel's memory may hold what the medium does not.
    pub fn settle(&self, offset: u64, count: usize) -> Result<Vec<u8>, Fault> {
        self.file.sync_data().map_err(|e| fault("make durable", &self.path, &e))?;
        // Only a request: where the kernel does not follow it, memory is compared.
        let _ = rustix::fs::fadvise(&self.file, offset & !0xfff, None, Advice::DontNeed);
        self.read(offset, count)
    }
}

/// Makes a copy as long as its source, whose beginning it must be, and makes that durable; a copy that is not there is
/// begun. Its medium may know neither owners nor modes. Gives the bytes that were added.
pub fn extend(path: &Path, source: &Document) -> Result<u64, Fault> {
    let failed = |e: io::Error| fault("write", path, &e);
    let file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
    let mut copy = io::BufReader::with_capacity(COPY_BYTES, &file);
    let mut source = io::BufReader::with_capacity(COPY_BYTES, source.reader());
    loop {
        let (here, there) = (copy.fill_buf().map_err(failed)?, source.fill_buf().map_err(failed)?);
        if here.is_empty() {
            break;
        }
        let count = here.len().min(there.len());
        if count == 0 || here.get(..count) != there.get(..count) {
            let why = if count == 0 {
                "is longer than what it should copy"
            } else {
                "is not a copy of it: it differs"
            };
            return Err(CHANGED.fault(format!("{} {why}", path.display())));
        }
        copy.consume(count);
        source.consume(count);
    }
    let added = io::copy(&mut source, &mut &file).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| fault("make durable", folder, &e))?;
    Ok(added)
}

/// The size of one slot: one page, and no more than disks write at once or tear.
pub const SLOT: usize = 4096;

/// A private file of two slots of [`SLOT`] bytes that are written in turn: one of them is whole at any instant.
pub struct Slots {
    file: File,
    path: PathBuf,
}

impl Slots {
    /// Opens an existing file of two slots.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Ok(Self { file: open(path, false)?, path: path.to_owned() })
    }

    /// Both slots, the first one first, and what may wrongly stand behind them.
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; 2 * SLOT + 1];
        let mut count = 0;
        while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, count as u64).map_err(|e| fault("read", &self.path, &e))? {
                0 => break,
                more => count += more,
            }
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes one slot durably, then overwrites the other with zeros. Those are durable with the next call at the latest.
    pub fn turn(&self, second: bool, bytes: &[u8; SLOT]) -> Result<(), Fault> {
        check_identity(&self.file, &self.path)?;
        self.write(second, bytes)?;
        self.file.sync_data().map_err(|e| fault("make durable", &self.path, &e))?;
        self.erase(!second)
    }

    /// Overwrites one slot with zeros, durable with the next turn at the latest.
    pub fn erase(&self, second: bool) -> Result<(), Fault> {
        self.write(second, &[0; SLOT])
    }

    fn write(&self, second: bool, bytes: &[u8; SLOT]) -> Result<(), Fault> {
        let offset = if second { SLOT as u64 } else { 0 };
        self.file.write_all_at(bytes, offset).map_err(|e| fault("write", &self.path, &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, bytes: &[u8]) -> PathBuf {
        let path = folder.join("file");
        crate::base::disk::create(&path, bytes).unwrap();
        path
    }

    #[test]
    fn grows_and_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut growing = Growing::open(&file(folder.path(), b"one\n")).unwrap();
        growing.reserve(100).unwrap();
        growing.append(b"two\n").unwrap();
        assert_eq!(growing.length(), 8);
        assert_eq!(growing.read(4, 4).unwrap(), b"two\n");
        assert!(growing.read(5, 4).is_err());
    }

    #[test]
    fn another_file_under_the_name_is_found() {
        for harm in ["delete", "replace", "link", "append", "truncate"] {
            let folder = tempfile::tempdir().unwrap();
            let path = file(folder.path(), b"one\n");
            let mut growing = Growing::open(&path).unwrap();
            match harm {
                "delete" => fs::remove_file(&path).unwrap(),
                "replace" => {
                    fs::copy(&path, folder.path().join("copy")).unwrap();
                    fs::rename(folder.path().join("copy"), &path).unwrap();
                }
                "link" => fs::hard_link(&path, folder.path().join("second")).unwrap(),
                "append" => OpenOptions::new().append(true).open(&path).unwrap().write_all(b"x").unwrap(),
                _ => OpenOptions::new().write(true).open(&path).unwrap().set_len(2).unwrap(),
            }
            assert_eq!(growing.append(b"two\n").unwrap_err().code(), &CHANGED, "{harm}");
        }
    }

    #[test]
    fn links_and_open_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), b"one\n");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(Growing::open(&link).is_err());
        assert!(Growing::open(folder.path()).is_err());
        assert!(Growing::open(&folder.path().join("none")).is_err());
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        assert!(Growing::open(&path).is_err());
    }

    #[test]
    fn more_room_than_there_is_is_refused_and_nothing_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), b"one\n");
        let growing = Growing::open(&path).unwrap();
        assert_eq!(growing.reserve(1 << 60).unwrap_err().code(), &FULL);
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
    }

    #[test]
    fn a_copy_grows_with_its_source_and_only_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let source = |text: &str| Document::from_bytes("source", text.as_bytes().to_vec());
        for (text, added) in [("one\n", 4), ("one\ntwo\n", 4), ("one\ntwo\n", 0)] {
            assert_eq!(extend(&path, &source(text)).unwrap(), added);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        for wrong in ["", "one\n", "one\ntvo\nthree\n", "One\ntwo\n"] {
            assert_eq!(extend(&path, &source(wrong)).unwrap_err().code(), &CHANGED, "{wrong:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        let large = "x".repeat(300_000);
        assert_eq!(extend(&path, &source(&format!("one\ntwo\n{large}"))).unwrap(), 300_000);
    }

    #[test]
    fn slots_are_written_in_turn_and_the_old_one_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), &[7; 2 * SLOT]);
        let slots = Slots::open(&path).unwrap();
        slots.turn(true, &[1; SLOT]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [[0; SLOT], [1; SLOT]].concat());
        slots.turn(false, &[2; SLOT]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [[2; SLOT], [0; SLOT]].concat());
        assert_eq!(slots.read().unwrap(), fs::read(&path).unwrap());
        fs::write(&path, [1; 3 * SLOT]).unwrap();
        assert_eq!(slots.read().unwrap().len(), 2 * SLOT + 1);
    }
}
