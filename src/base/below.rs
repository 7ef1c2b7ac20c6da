//! A folder that we renew and others reach: everything below it is opened through its descriptor. No link is followed there
//! to read, to write or to remove, not even one that appears in between (`openat2` with `RESOLVE_BENEATH` and
//! `RESOLVE_NO_SYMLINKS`). Only the folder itself may be named through a link: who runs us named it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::disk::{self, MISSING, NOT_A_FILE, PERMISSIONS, fault};
use super::document::Document;
use super::fault::Fault;
use super::tree::UNLISTABLE;

/// Folders within each other that are entered.
const DEPTH_MAX: usize = 64;

/// The folder.
pub struct Below {
    root: File,
    path: PathBuf,
}

/// What stands in a folder and belongs to nothing.
#[derive(Debug, Default)]
pub struct Strays {
    /// How many files, links and empty folders.
    pub count: u64,
    /// The first of them that were met; foreign text.
    pub named: Vec<String>,
}

impl Strays {
    /// So many are named.
    const NAMED_MAX: usize = 20;

    fn add(&mut self, path: &str) {
        self.count += 1;
        if self.named.len() < Self::NAMED_MAX {
            self.named.push(path.to_owned());
        }
    }
}

impl Below {
    /// Opens a folder that is there.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|e| fault("read", path, &e.into()))?;
        Ok(Self { root: root.into(), path: path.to_owned() })
    }

    /// Opens a folder of our own in it, which is made when it is not there.
    ///
    /// # Errors
    /// [`UNLISTABLE`] where a link or a file stands there, [`PERMISSIONS`] where the folder is somebody else's.
    pub fn own_folder(&self, name: &str) -> Result<Self, Fault> {
        self.make_folder(name)?;
        let root = self.at(name, OFlags::DIRECTORY | OFlags::RDONLY)?;
        let (user, path) = (rustix::process::geteuid().as_raw(), self.path.join(name));
        let owner = rustix::fs::fstat(&root).map_err(|e| fault("read", &path, &e.into()))?.st_uid;
        if owner != user {
            return Err(PERMISSIONS
                .fault(format!("{} belongs to user {owner}, and you are user {user}", path.display()))
                .hint("take it away, or run fedroot as the owner"));
        }
        Ok(Self { root, path })
    }

    /// What it was opened as.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself.
    pub(super) fn as_file(&self) -> &File {
        &self.root
    }

    /// Opens a regular file below it.
    ///
    /// # Errors
    /// [`MISSING`]; [`UNLISTABLE`] for a link, a folder, and what lies behind a link; [`NOT_A_FILE`] for what is none.
    pub fn file(&self, name: &str) -> Result<File, Fault> {
        let file = self.at(name, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let stat = rustix::fs::fstat(&file).map_err(|e| self.failed("read", name, e))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(file),
            FileType::Directory => Err(self.refuse(name, "is a folder, and a file belongs there")),
            _ => Err(NOT_A_FILE.fault(format!("{} is not a regular file", self.path.join(name).display()))),
        }
    }

    /// Reads a regular file of at most `bytes_max` bytes below it. Errors are those of [`Self::file`], and `file.too-large`.
    pub fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        disk::read_all(self.file(name)?, &self.path.join(name), bytes_max)
    }

    /// Opens a document below it.
    pub fn document(&self, name: &str) -> Result<Document, Fault> {
        Ok(Document::of_file(&self.path.join(name).display().to_string(), self.file(name)?))
    }

    /// Refuses a name under which something stands that a file cannot take the place of, or should not: a folder, a link.
    pub fn check(&self, name: &str) -> Result<(), Fault> {
        match self.stat(name)?.map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Some(FileType::Symlink) => Err(self.refuse(name, "is a symbolic link")),
            Some(FileType::Directory) => Err(self.refuse(name, "is a folder, and a file belongs there")),
            _ => Ok(()),
        }
    }

    /// Whether something stands there, be it a link.
    pub fn exists(&self, name: &str) -> bool {
        self.stat(name).is_ok_and(|found| found.is_some())
    }

    /// The names directly in a folder below it, sorted; names that are not UTF-8 are passed over.
    pub fn names(&self, folder: &str) -> Result<Vec<String>, Fault> {
        let opened = self.at(folder, OFlags::DIRECTORY | OFlags::RDONLY)?;
        let failed = |e| self.failed("read", folder, e);
        let mut names = Vec::new();
        for entry in Dir::new(opened).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            names.extend(
                entry.file_name().to_str().ok().filter(|name| !matches!(*name, "." | "..")).map(String::from),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What stands below it and is not ours: files, links, and folders that are empty, cannot be read or lie too deep.
    /// Nothing is opened but folders.
    pub fn strays(&self, is_ours: &dyn Fn(&str) -> bool) -> Strays {
        let mut strays = Strays::default();
        let mut note = |path: &str| {
            if !is_ours(path) {
                strays.add(path);
            }
        };
        if self.walk("", 0, &mut note).is_err() {
            note(".");
        }
        strays
    }

    fn walk(&self, below: &str, depth: usize, note: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        let place = if below.is_empty() { "." } else { below };
        let folder = self.at(place, OFlags::DIRECTORY | OFlags::RDONLY)?;
        let failed = |e| self.failed("read", place, e);
        let mut is_empty = true;
        for entry in Dir::new(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy();
            if matches!(&*name, "." | "..") {
                continue;
            }
            is_empty = false;
            let path = if below.is_empty() { name.into_owned() } else { format!("{below}/{name}") };
            let kind = match entry.file_type() {
                FileType::Unknown => self.stat(&path)?.map(|stat| FileType::from_raw_mode(stat.st_mode)),
                kind => Some(kind),
            };
            let is_folder = kind == Some(FileType::Directory) && depth < DEPTH_MAX;
            if !is_folder || self.walk(&path, depth + 1, note).is_err() {
                note(&path);
            }
        }
        if is_empty && !below.is_empty() {
            note(below);
        }
        Ok(())
    }

    /// Starts a private file under a name that nothing has.
    pub(super) fn create(&self, name: &str) -> Result<File, Fault> {
        let (folder, last) = self.folder_of(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, last, flags, Mode::RUSR | Mode::WUSR);
        file.map(File::from).map_err(|e| self.failed("write", name, e))
    }

    /// Gives a file of ours a name below `to`, in the place of what stands there; its folders are made.
    pub(super) fn rename(&self, from: &str, to: &Self, name: &str) -> Result<(), Fault> {
        let (source, first) = self.folder_of(from)?;
        let (folder, last) = match to.folder_of(name) {
            // mostly the folder is there
            Err(fault) if fault.code() == &MISSING => {
                let folders = name.match_indices('/').filter_map(|(end, _)| name.get(..end));
                folders.into_iter().try_for_each(|folder| to.make_folder(folder))?;
                to.folder_of(name)?
            }
            found => found?,
        };
        rustix::fs::renameat(&source, first, &folder, last).map_err(|e| to.failed("write", name, e))
    }

    /// Gives a file one more name below `to`, where nothing stands. No fault is made of what the system says.
    pub(super) fn link(&self, from: &str, to: &Self, name: &str) -> Result<Result<(), Errno>, Fault> {
        let (source, first) = self.folder_of(from)?;
        let Ok((folder, last)) = to.folder_of(name) else { return Ok(Err(Errno::NOENT)) };
        Ok(rustix::fs::linkat(&source, first, &folder, last, AtFlags::empty()))
    }

    /// Whether two names stand for one file, or for two with the same bytes.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        let (Ok(Some(a)), Ok(Some(b))) = (self.stat(one), self.stat(other)) else { return false };
        let is_file = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let length = u64::try_from(a.st_size).unwrap_or_default();
        let read = |name| self.read(name, length).ok();
        (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
            || is_file(&a)
                && is_file(&b)
                && a.st_size == b.st_size
                && read(one).is_some_and(|it| Some(it) == read(other))
    }

    /// Takes a file away, where it stands.
    pub(super) fn remove(&self, name: &str) -> Result<(), Fault> {
        self.unlink(name, AtFlags::empty()).or_else(|e| if e.code() == &MISSING { Ok(()) } else { Err(e) })
    }

    /// Takes an empty folder away. Yields whether it did.
    pub(super) fn remove_folder(&self, name: &str) -> bool {
        self.unlink(name, AtFlags::REMOVEDIR).is_ok()
    }

    fn unlink(&self, name: &str, flags: AtFlags) -> Result<(), Fault> {
        let (folder, last) = self.folder_of(name)?;
        rustix::fs::unlinkat(&folder, last, flags).map_err(|e| self.failed("remove", name, e))
    }

    fn make_folder(&self, name: &str) -> Result<(), Fault> {
        let (folder, last) = self.folder_of(name)?;
        match rustix::fs::mkdirat(&folder, last, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(self.failed("create", name, error)),
        }
    }

    /// What stands under a name, be it a link.
    fn stat(&self, name: &str) -> Result<Option<Stat>, Fault> {
        let (folder, last) = match self.folder_of(name) {
            Err(fault) if fault.code() == &MISSING => return Ok(None),
            found => found?,
        };
        match rustix::fs::statat(&folder, last, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("read", name, error)),
        }
    }

    /// The folder in which a name stands, opened, and what the name is called there.
    fn folder_of<'n>(&self, name: &'n str) -> Result<(File, &'n str), Fault> {
        let (folder, last) = name.rsplit_once('/').unwrap_or((".", name));
        Ok((self.at(folder, OFlags::DIRECTORY | OFlags::PATH)?, last))
    }

    fn at(&self, name: &str, flags: OFlags) -> Result<File, Fault> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = rustix::fs::openat2(&self.root, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        opened.map(File::from).map_err(|e| self.failed("read", name, e))
    }

    fn failed(&self, act: &str, name: &str, error: Errno) -> Fault {
        match error {
            Errno::LOOP | Errno::XDEV => self.refuse(name, "is or lies behind a symbolic link"),
            Errno::NOTDIR => self.refuse(name, "lies below something that is no folder"),
            error => fault(act, &self.path.join(name), &error.into()),
        }
    }

    fn refuse(&self, name: &str, why: &str) -> Fault {
        UNLISTABLE
            .fault(format!("{}: {name} {why}", self.path.display()))
            .hint("nothing is written through links: take it away, or name another folder")
    }
}
