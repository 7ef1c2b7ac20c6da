//! The only file that opens and changes files: bounded reads, private and durable writes, appends, locks.
//!
//! Nothing here overwrites: an object appears under its name complete and durable, or not at all. An error of `fsync` is
//! final and never retried.

#![expect(clippy::disallowed_methods, reason = "this is the one place that touches files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::fault::{Class, Code, Fault};

/// Reading or writing failed.
pub const IO: Code = Code::new("io", Class::Environment, "the operating system reported an error");
/// No space is left.
pub const FULL: Code = Code::new("io.full", Class::Environment, "the disk, quota or file size limit is full");
/// A file that should be there is not.
pub const MISSING: Code =
    Code::new("file.missing", Class::Environment, "a file is not there or may not be read");
/// A file that should not be there is.
pub const EXISTS: Code =
    Code::new("file.exists", Class::Environment, "a file is there already and is not overwritten");
/// A file is larger than its reader takes.
pub const TOO_LARGE: Code = Code::new("file.too-large", Class::Usage, "a file is larger than its limit");
/// Not a regular file.
pub const NOT_A_FILE: Code =
    Code::new("file.not-regular", Class::Usage, "a path names something other than a regular file");
/// Others could read or change a private file or folder.
pub const PERMISSIONS: Code =
    Code::new("file.permissions", Class::Environment, "a private file or folder is open to others");
/// Another process holds the lock.
pub const BUSY: Code = Code::new("file.busy", Class::Environment, "another process is using it");
/// A file changed while it was in use.
pub const CHANGED: Code = Code::new("file.changed", Class::Refused, "a file changed while it was in use");

/// The codes of this file.
pub const CODES: &[&Code] =
    &[&IO, &FULL, &MISSING, &EXISTS, &TOO_LARGE, &NOT_A_FILE, &PERMISSIONS, &BUSY, &CHANGED];

/// Turns an error of the operating system into a fault that names the act and the path.
pub fn fault(act: &str, path: &Path, error: &io::Error) -> Fault {
    let path = path.display();
    let code = match error.kind() {
        io::ErrorKind::NotFound => &MISSING,
        io::ErrorKind::AlreadyExists => &EXISTS,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => &FULL,
        io::ErrorKind::WouldBlock => &BUSY,
        _ => &IO,
    };
    let fault = code.fault(format!("cannot {act} {path}: {}", reason(error)));
    match error.kind() {
        io::ErrorKind::NotFound => fault.hint("check the path"),
        io::ErrorKind::AlreadyExists => fault.hint("name another path, or move the old file away first"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            fault.hint("make room, then run it again")
        }
        io::ErrorKind::PermissionDenied => fault.hint("check who owns it and its mode"),
        _ => fault,
    }
}

/// What the operating system says, in lower case and without its number, which the code tells to scripts.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::AlreadyExists => "it is there already".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::StorageFull => "no space left".into(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}

/// Opens a regular file to read: never a device, pipe or folder, and never by waiting for one.
fn open(path: &Path, follow_links: bool) -> Result<File, Fault> {
    let mut flags = rustix::fs::OFlags::NONBLOCK;
    if !follow_links {
        flags |= rustix::fs::OFlags::NOFOLLOW;
    }
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file =
        OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| fault("read", path, &e))?;
    if file.metadata().map_err(|e| fault("read", path, &e))?.is_file() {
        Ok(file)
    } else {
        Err(NOT_A_FILE.fault(format!("{} is not a regular file", path.display())))
    }
}

fn read_all(file: File, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let length = file.metadata().map_err(|e| fault("read", path, &e))?.len();
    // One allocation, so that no half-grown copy of a secret stays behind.
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(bytes_max)).unwrap_or_default() + 1);
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|e| fault("read", path, &e))?;
    if bytes.len() as u64 > bytes_max {
        return Err(TOO_LARGE.fault(format!("{} is larger than {bytes_max} bytes", path.display())));
    }
    Ok(bytes)
}

/// Reads a whole regular file of at most `bytes_max` bytes.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    read_all(open(path, true)?, path, bytes_max)
}

/// Reads a file of ours: not through a link, and only when nobody but the owner may touch it.
pub fn read_private(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let file = open(path, false)?;
    check_owner_only(path, &file.metadata().map_err(|e| fault("read", path, &e))?)?;
    read_all(file, path, bytes_max)
}

/// Reads what a file descriptor of this process delivers, to its end.
pub fn read_descriptor(number: u32, bytes_max: u64) -> Result<Vec<u8>, Fault> {
    let path = PathBuf::from(format!("/dev/fd/{number}"));
    let file = File::open(&path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => MISSING
            .fault(format!("file descriptor {number} is not open"))
            .hint(format!("open it where fedroot is started, as in {number}<FILE")),
        _ => fault("read", &path, &e),
    })?;
    read_all(file, &path, bytes_max)
}

/// Opens the terminal that controls this process, to ask and be answered.
pub fn open_terminal() -> Result<File, Fault> {
    let path = Path::new("/dev/tty");
    OpenOptions::new().read(true).write(true).open(path).map_err(|e| fault("open", path, &e))
}

/// Refuses a file or folder that others could read or change.
pub fn check_private(path: &Path) -> Result<(), Fault> {
    check_owner_only(path, &fs::symlink_metadata(path).map_err(|e| fault("read", path, &e))?)
}

fn check_owner_only(path: &Path, found: &fs::Metadata) -> Result<(), Fault> {
    let shown = path.display();
    if found.file_type().is_symlink() {
        return Err(PERMISSIONS
            .fault(format!("{shown} is a symbolic link"))
            .hint("put the file itself there"));
    }
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user {
        return Err(PERMISSIONS
            .fault(format!("{shown} belongs to user {}, and you are user {user}", found.uid()))
            .hint("run fedroot as the owner"));
    }
    let mode = found.mode() & 0o7777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    let right = if found.is_dir() { "0700" } else { "0600" };
    Err(PERMISSIONS
        .fault(format!("{shown} has mode {mode:04o}: others may read or change it"))
        .hint(format!("chmod {right} '{shown}'")))
}

/// Whether something stands under this name.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The names in a folder, sorted; names that are not UTF-8 are refused.
pub fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| fault("read", folder, &e))? {
        let name = entry.map_err(|e| fault("read", folder, &e))?.file_name();
        names.push(name.into_string().map_err(|name| {
            NOT_A_FILE.fault(format!(
                "{} holds a name that is not UTF-8: {}",
                folder.display(),
                name.display()
            ))
        })?);
    }
    names.sort();
    Ok(names)
}

/// Makes a folder that only the owner may enter, and its missing parents, durably.
pub fn create_folder(path: &Path) -> Result<(), Fault> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    create_folder(parent)?;
    fs::DirBuilder::new().mode(0o700).create(path).map_err(|e| fault("create", path, &e))?;
    sync_folder(parent)
}

/// Writes a new private file: complete and durable under its name, or not at all. Never overwrites.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let mut pending = Pending::beside(path)?;
    pending.write_all(bytes).map_err(|e| fault("write", path, &e))?;
    pending.publish()
}

/// Makes a private folder with these files: it appears whole and durable under its name, or not at all. Never overwrites.
pub fn create_folder_with(path: &Path, files: &[(&str, &[u8])]) -> Result<(), Fault> {
    let parent = parent(path);
    create_folder(parent)?;
    let pending = tempfile::Builder::new()
        .prefix(".fedroot-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(|e| fault("create", path, &io::Error::from(e.kind())))?;
    for (name, bytes) in files {
        create(&pending.path().join(name), bytes)?;
    }
    let flags = rustix::fs::RenameFlags::NOREPLACE;
    rustix::fs::renameat_with(rustix::fs::CWD, pending.path(), rustix::fs::CWD, path, flags)
        .map_err(|e| fault("create", path, &e.into()))?;
    // It has its name: there is nothing left to clean up.
    let _ = pending.keep();
    sync_folder(parent)
}

/// Replaces a private file of ours, or makes it: the old one stands until the new one is complete and durable.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let mut pending = Pending::beside(path)?;
    pending.write_all(bytes).map_err(|e| fault("write", path, &e))?;
    pending.settle(true)
}

/// Takes away a file that a failed act made.
pub fn remove(path: &Path) -> Result<(), Fault> {
    fs::remove_file(path).map_err(|e| fault("remove", path, &e))?;
    sync_folder(parent(path))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| fault("make durable", path, &e))
}

/// A file on its way to its name: written beside it, and visible only once it is complete and durable. Dropped, it is gone.
pub struct Pending {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Starts a file that shall be called `path`.
    pub fn beside(path: &Path) -> Result<Self, Fault> {
        let file = tempfile::Builder::new()
            .prefix(".fedroot-")
            .tempfile_in(parent(path))
            .map_err(|e| fault("write", path, &io::Error::from(e.kind())))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Sets room aside, so that a full disk is found before a key is touched. Where the file system cannot, nothing happens.
    pub fn reserve(&self, bytes: u64) -> Result<(), Fault> {
        match rustix::fs::fallocate(
            self.file.as_file(),
            rustix::fs::FallocateFlags::KEEP_SIZE,
            0,
            bytes.max(1),
        ) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(error) => Err(fault("reserve room for", &self.path, &error.into())),
        }
    }

    /// Reads back, from the start, what has been written.
    pub fn read_back(&mut self) -> Result<&mut File, Fault> {
        let path = &self.path;
        let file = self.file.as_file_mut();
        file.seek(SeekFrom::Start(0)).map_err(|e| fault("read back", path, &e))?;
        Ok(file)
    }

    /// Gives the file its name, durably. Refuses when something stands there already.
    pub fn publish(self) -> Result<(), Fault> {
        self.settle(false)
    }

    /// Gives the file its name, durably, in the place of what stands there.
    pub fn replace(self) -> Result<(), Fault> {
        self.settle(true)
    }

    fn settle(mut self, replace: bool) -> Result<(), Fault> {
        let path = self.path;
        self.file
            .flush()
            .and_then(|()| self.file.as_file().sync_all())
            .map_err(|e| fault("write", &path, &e))?;
        let settled = if replace { self.file.persist(&path) } else { self.file.persist_noclobber(&path) };
        settled.map_err(|e| fault("write", &path, &e.error))?;
        sync_folder(parent(&path))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A document that somebody gave us: opened once, read as often as needed, never through its name again.
pub struct Document {
    name: String,
    content: Content,
}

enum Content {
    File(File),
    Memory(Vec<u8>),
}

impl Document {
    /// Opens a regular file.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        Ok(Self { name: path.display().to_string(), content: Content::File(open(path, true)?) })
    }

    /// Opens a file of ours: not through a link, and only when nobody but the owner may touch it.
    pub fn open_private(path: &Path) -> Result<Self, Fault> {
        let file = open(path, false)?;
        check_owner_only(path, &file.metadata().map_err(|e| fault("read", path, &e))?)?;
        Ok(Self { name: path.display().to_string(), content: Content::File(file) })
    }

    /// Takes a document from memory, such as standard input; `name` is what messages call it.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), content: Content::Memory(bytes) }
    }

    /// What messages call the document; foreign text.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of bytes it has now.
    pub fn length(&self) -> Result<u64, Fault> {
        match &self.content {
            Content::File(file) => file.metadata().map(|m| m.len()).map_err(|e| self.fault(&e)),
            Content::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Reads the document from its first byte.
    pub fn reader(&self) -> DocumentReader<'_> {
        DocumentReader { document: self, offset: 0 }
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
        let count = match &self.document.content {
            Content::File(file) => file.read_at(buffer, self.offset)?,
            Content::Memory(bytes) => {
                let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
        };
        self.offset += count as u64;
        Ok(count)
    }
}

/// Holds an exclusive lock until it is dropped, or the process ends in any way.
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Takes the lock that this file stands for.
    pub fn take(path: &Path) -> Result<Self, Fault> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|e| fault("lock", path, &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(fs::TryLockError::WouldBlock) => Err(BUSY
                .fault(format!("{} is locked: another fedroot is at work", path.display()))
                .hint("wait until it has ended, then run this again")),
            Err(fs::TryLockError::Error(e)) => Err(fault("lock", path, &e)),
        }
    }
}
