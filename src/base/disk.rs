//! The only file that opens and changes files: bounded reads, private and durable writes, appends, locks.
//!
//! Nothing here overwrites: an object appears under its name complete and durable, or not at all. An error of `fsync` is
//! final and never retried.

#![expect(clippy::disallowed_methods, reason = "this is the one place that touches files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

pub use super::document::{Document, DocumentReader};

use super::fault::{Class, Code, Fault};

/// Longer names are refused by file systems.
pub const NAME_BYTES_MAX: usize = 255;

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
        io::ErrorKind::AlreadyExists => fault.hint("name another, or move the old one away"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            fault.hint("make room, then run it again")
        }
        io::ErrorKind::PermissionDenied => fault.hint("check who owns it and its mode"),
        io::ErrorKind::ReadOnlyFilesystem => fault.hint("mount it for writing, or name a place elsewhere"),
        _ => fault,
    }
}

/// What the operating system says, in lower case and without its number, which the code tells to scripts.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".into(),
        io::ErrorKind::AlreadyExists => "it exists already".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::StorageFull => "no space left".into(),
        _ => error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    }
}

/// Opens a regular file to read: never a device, pipe or folder, and never by waiting for one.
pub(super) fn open(path: &Path, follow_links: bool) -> Result<File, Fault> {
    let mut flags = rustix::fs::OFlags::NONBLOCK;
    if !follow_links {
        flags |= rustix::fs::OFlags::NOFOLLOW;
    }
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|e| {
        let is_link = !follow_links && e.raw_os_error() == Some(Errno::LOOP.raw_os_error());
        if is_link { linked(path) } else { fault("read", path, &e) }
    })?;
    if file.metadata().map_err(|e| fault("read", path, &e))?.is_file() {
        Ok(file)
    } else {
        Err(NOT_A_FILE
            .fault(format!("{} is not a regular file", path.display()))
            .hint("name a file, not a folder, pipe or device"))
    }
}

pub(super) fn read_all(file: File, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Fault> {
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

/// Opens the terminal that controls this process, to ask and be answered.
pub fn open_terminal() -> Result<File, Fault> {
    let path = Path::new("/dev/tty");
    OpenOptions::new().read(true).write(true).open(path).map_err(|e| fault("open", path, &e))
}

/// Refuses a file or folder that others could read or change.
pub fn check_private(path: &Path) -> Result<(), Fault> {
    check_owner_only(path, &fs::symlink_metadata(path).map_err(|e| fault("read", path, &e))?)
}

pub(super) fn check_owner_only(path: &Path, found: &fs::Metadata) -> Result<(), Fault> {
    let shown = path.display();
    if found.file_type().is_symlink() {
        return Err(linked(path));
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

fn linked(path: &Path) -> Fault {
    PERMISSIONS.fault(format!("{} is a symbolic link", path.display())).hint("put the file itself there")
}

/// Whether something stands under this name.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether a folder stands under this path.
pub fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_dir())
}

/// Whether a path is a folder or lies in it, whatever links lead there. What is not there yet will lie in the nearest folder
/// that is. In a folder that is not there lies nothing.
pub fn is_within(path: &Path, folder: &Path) -> bool {
    let (Ok(path), Ok(folder)) = (std::path::absolute(path), fs::canonicalize(folder)) else { return false };
    path.ancestors()
        .find_map(|path| fs::canonicalize(path).ok())
        .is_some_and(|place| place.starts_with(folder))
}

/// The nearest of such folders in which a path lies, or will lie, whatever links lead there.
pub fn around(path: &Path, is_such: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let place = path.ancestors().find_map(|path| fs::canonicalize(path).ok())?;
    place.ancestors().find(|folder| is_such(folder)).map(Path::to_owned)
}

/// Whether a path lies in a folder and not deeper, whatever links lead there.
pub fn is_in(path: &Path, folder: &Path) -> bool {
    matches!((fs::canonicalize(parent(path)), fs::canonicalize(folder)), (Ok(parent), Ok(folder)) if parent == folder)
}

/// Whether two paths, which need not exist, name one place.
pub fn is_same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        let folder = fs::canonicalize(parent(&path)).unwrap_or_else(|_| parent(&path).to_owned());
        Some(path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)))
    };
    place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
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
    match fs::DirBuilder::new().mode(0o700).create(path) {
        // Another thread was faster; whether it is durable yet is not known.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made.map_err(|e| fault("create", path, &e))?,
    }
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
    create_folder(parent(path))?;
    let pending = PendingFolder::beside(path)?;
    for (name, bytes) in files {
        pending.save(name, bytes)?;
    }
    pending.publish()
}

/// Replaces a private file of ours, or makes it: the old one stands until the new one is complete and durable.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let mut pending = Pending::in_place_of(path)?;
    pending.write_all(bytes).map_err(|e| fault("write", path, &e))?;
    pending.replace()
}

/// Takes away a file that a failed act made.
pub fn remove(path: &Path) -> Result<(), Fault> {
    fs::remove_file(path).map_err(|e| fault("remove", path, &e))?;
    sync_folder(parent(path))
}

/// Overwrites a private file of ours with zeros, durably, and removes it. Flash memory may keep what stood there.
pub fn destroy(path: &Path) -> Result<(), Fault> {
    check_private(path)?;
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let wiped = OpenOptions::new().write(true).custom_flags(flags).open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_all()
    });
    wiped.map_err(|e| fault("overwrite", path, &e))?;
    remove(path)
}

/// The folder of a path.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| fault("make durable", path, &e))
}

/// A file on its way to its name: it has none until it is complete and durable, so that nothing can pick it up, or be left
/// behind, before. Dropped, it is gone.
pub struct Pending {
    file: Unpublished,
    path: PathBuf,
}

enum Unpublished {
    /// Without any name (`O_TMPFILE`).
    Nameless(File),
    /// Under a name of its own, where the file system knows no other way, or where it shall replace another.
    Named(tempfile::NamedTempFile),
}

impl Pending {
    /// Starts a file that shall be called `path`.
    pub fn beside(path: &Path) -> Result<Self, Fault> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::openat(rustix::fs::CWD, parent(path), flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Self { file: Unpublished::Nameless(file.into()), path: path.to_owned() }),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Self::named(path),
            Err(error) => Err(fault("write", path, &error.into())),
        }
    }

    fn named(path: &Path) -> Result<Self, Fault> {
        let file = tempfile::Builder::new()
            .prefix(".fedroot-")
            .tempfile_in(parent(path))
            .map_err(|e| fault("write", path, &io::Error::from(e.kind())))?;
        Ok(Self { file: Unpublished::Named(file), path: path.to_owned() })
    }

    fn as_file(&self) -> &File {
        match &self.file {
            Unpublished::Nameless(file) => file,
            Unpublished::Named(file) => file.as_file(),
        }
    }

    /// Sets room aside, so that a full disk is found before a key is touched. Where the file system cannot, nothing happens.
    pub fn reserve(&self, bytes: u64) -> Result<(), Fault> {
        let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(self.as_file(), flags, 0, bytes.max(1)) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(error) => Err(fault("reserve room for", &self.path, &error.into())),
        }
    }

    /// What was written so far, to be read.
    pub fn document(&self, name: &str) -> Result<Document, Fault> {
        let file = self.as_file().try_clone().map_err(|e| fault("read", &self.path, &e))?;
        Ok(Document::of_file(name, file))
    }

    /// Gives the file its name, durably. Refuses when something stands there already.
    pub fn publish(self) -> Result<(), Fault> {
        Self::publish_all(vec![self])
    }

    /// Gives several files their names, durably, one after the other. Where one cannot have its name, those before it lose
    /// theirs again.
    pub fn publish_all(files: Vec<Self>) -> Result<(), Fault> {
        let mut named: Vec<PathBuf> = Vec::new();
        let published = files.into_iter().try_for_each(|file| {
            let path = file.path.clone();
            file.name()?;
            named.push(path.clone());
            sync_folder(parent(&path))
        });
        // Only the first fault matters: what cannot be taken away stays, and the act is refused all the same.
        published.inspect_err(|_| named.iter().for_each(|path| drop(remove(path))))
    }

    fn name(self) -> Result<(), Fault> {
        let path = self.path.clone();
        self.sync()?;
        match self.file {
            Unpublished::Nameless(file) => {
                let source = format!("/proc/self/fd/{}", file.as_raw_fd());
                let (cwd, flags) = (rustix::fs::CWD, rustix::fs::AtFlags::SYMLINK_FOLLOW);
                rustix::fs::linkat(cwd, source, cwd, &path, flags)
                    .map_err(|e| fault("write", &path, &e.into()))?;
            }
            Unpublished::Named(file) => {
                file.persist_noclobber(&path).map_err(|e| fault("write", &path, &e.error))?;
            }
        }
        Ok(())
    }

    /// Starts a file that shall stand in the place of `path`, whatever stands there.
    pub fn in_place_of(path: &Path) -> Result<Self, Fault> {
        Self::named(path)
    }

    /// Gives the file its name, durably, in the place of what stands there; only for one that was started so.
    pub fn replace(self) -> Result<(), Fault> {
        self.sync()?;
        let path = self.path.clone();
        match self.file {
            Unpublished::Named(file) => {
                file.persist(&path).map_err(|e| fault("write", &path, &e.error))?;
                sync_folder(parent(&path))
            }
            // A nameless file cannot take a name that is taken.
            Unpublished::Nameless(_) => Err(EXISTS.fault(format!("{} exists already", path.display()))),
        }
    }

    /// Gives room back that was set aside and not needed, and makes the rest durable.
    fn sync(&self) -> Result<(), Fault> {
        let file = self.as_file();
        let trimmed = file.metadata().and_then(|found| file.set_len(found.len()));
        trimmed.and_then(|()| file.sync_all()).map_err(|e| fault("write", &self.path, &e))
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.as_file();
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut file = self.as_file();
        file.flush()
    }
}

/// A private folder on its way to its name: filled beside it, and visible only once it is complete and durable. Dropped, it
/// is gone.
pub struct PendingFolder {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl PendingFolder {
    /// Starts a folder that shall be called `path`, in a folder that is there.
    pub fn beside(path: &Path) -> Result<Self, Fault> {
        let folder = tempfile::Builder::new()
            .prefix(".fedroot-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent(path))
            .map_err(|e| fault("create", path, &io::Error::from(e.kind())))?;
        Ok(Self { folder, path: path.to_owned() })
    }

    /// Where it is until then.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a file in it, in folders of its own where the name asks for them; publish it before the folder.
    pub fn file(&self, name: &str) -> Result<Pending, Fault> {
        let path = self.folder.path().join(name);
        create_folder(parent(&path))?;
        Pending::beside(&path)
    }

    /// Writes a file in it.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let mut pending = self.file(name)?;
        pending.write_all(bytes).map_err(|e| fault("write", &self.path.join(name), &e))?;
        pending.publish()
    }

    /// Gives the folder its name, durably. Refuses when something stands there already.
    pub fn publish(self) -> Result<(), Fault> {
        let (cwd, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
        rustix::fs::renameat_with(cwd, self.folder.path(), cwd, &self.path, flags)
            .map_err(|e| fault("create", &self.path, &e.into()))?;
        // It has its name: there is nothing left to clean up.
        let _ = self.folder.keep();
        sync_folder(parent(&self.path))
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
            .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default())
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
