//! Folders of others: the files below one, name by name. No link is followed, not even by one that appears in between:
//! the kernel refuses it (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

use super::disk::{CHANGED, fault};
use super::fault::{Class, Code, Fault};

/// Something in a folder that no list of files can name.
pub const UNLISTABLE: Code = Code::new(
    "file.unlistable",
    Class::Refused,
    "a folder holds a link, a special file, an empty folder or a name that a list of files cannot have",
);

/// The codes of this file.
pub const CODES: &[&Code] = &[&UNLISTABLE];

/// Folders within each other that are entered.
const DEPTH_MAX: usize = 64;
const BUFFER_BYTES: usize = 128 * 1024;

/// A folder whose files are listed and read.
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
}

impl Tree {
    /// Opens a folder.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|e| fault("read", path, &e.into()))?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// The paths of all files below it, with `/` between the names, sorted by their bytes; hidden ones too. Refuses links,
    /// special files, empty folders and names that `sha384sum` would have to escape.
    pub fn files(&self, files_max: u64) -> Result<Vec<String>, Fault> {
        let mut files = Vec::new();
        self.walk("", 0, files_max, &mut files)?;
        files.sort_unstable();
        Ok(files)
    }

    fn walk(&self, below: &str, depth: usize, files_max: u64, files: &mut Vec<String>) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(self.refuse(below, "lies too deep"));
        }
        let place = if below.is_empty() { "." } else { below };
        let folder = self.at(place, OFlags::DIRECTORY | OFlags::RDONLY)?;
        let failed = |e: Errno| fault("read", &self.path.join(below), &e.into());
        let mut is_empty = true;
        for entry in Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            is_empty = false;
            let Ok(name) = name.to_str() else {
                return Err(self.refuse(&format!("{below}/{}", name.to_string_lossy()), "is not UTF-8"));
            };
            let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            check_name(&path).map_err(|why| self.refuse(&path, why))?;
            match self.kind(&path)? {
                FileType::Directory => self.walk(&path, depth + 1, files_max, files)?,
                FileType::RegularFile if files.len() as u64 >= files_max => {
                    return Err(self.refuse(&path, &format!("is one file more than {files_max}")));
                }
                FileType::RegularFile => files.push(path),
                FileType::Symlink => return Err(self.refuse(&path, "is a symbolic link")),
                _ => return Err(self.refuse(&path, "is neither a file nor a folder")),
            }
        }
        if is_empty && !below.is_empty() {
            return Err(self.refuse(below, "is an empty folder: no list of files can name it"));
        }
        Ok(())
    }

    /// Reads a file to its end. Refuses one that changes meanwhile. Yields the number of its bytes.
    pub fn read(&self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<u64, Fault> {
        check_name(path).map_err(|why| self.refuse(path, why))?;
        let failed = |e: io::Error| fault("read", &self.path.join(path), &e);
        let mut file = File::from(self.at(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
        let before = fstat(&file).map_err(|e| failed(e.into()))?;
        if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
            return Err(self.refuse(path, "is no regular file"));
        }
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut length = 0;
        loop {
            let count = file.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            sink(buffer.get(..count).unwrap_or_default());
            length += count as u64;
        }
        let after = fstat(&file).map_err(|e| failed(e.into()))?;
        let state = |stat: &rustix::fs::Stat| {
            (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec)
        };
        if state(&before) != state(&after) || u64::try_from(after.st_size) != Ok(length) {
            return Err(CHANGED
                .fault(format!("{} changed while it was read", self.path.join(path).display()))
                .hint("wait until nobody writes to the folder"));
        }
        Ok(length)
    }

    fn kind(&self, path: &str) -> Result<FileType, Fault> {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(&self.root, path, flags);
        let stat = stat.map_err(|e| fault("read", &self.path.join(path), &e.into()))?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    fn at(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Fault> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve).map_err(|e| match e {
            Errno::LOOP | Errno::XDEV => self.refuse(path, "lies behind a symbolic link"),
            e => fault("read", &self.path.join(path), &e.into()),
        })
    }

    fn refuse(&self, path: &str, why: &str) -> Fault {
        UNLISTABLE
            .fault(format!("{}: {path} {why}", self.path.display()))
            .hint("a list names regular files only: take it out, or put the file itself there")
    }
}

/// Refuses a path that leads elsewhere, or that `sha384sum` would write with an escape (GNU coreutils, cksum invocation).
pub fn check_name(path: &str) -> Result<(), &'static str> {
    if path.contains(['\n', '\r', '\\', '\0']) {
        return Err("has a newline or a backslash in its name");
    }
    if path == "-" {
        return Err("is what `sha384sum` takes for its standard input");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is no path that leads straight down");
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make what is to be refused")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree(make: impl FnOnce(&Path)) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let tree = Tree::open(folder.path()).unwrap();
        (folder, tree)
    }

    #[test]
    fn files_are_listed_by_bytes_hidden_ones_too() {
        let (_folder, tree) = tree(|at| {
            std::fs::create_dir_all(at.join("b/c")).unwrap();
            for name in ["b/c/x", "b/-", "b-1", "Z", ".hidden", "é"] {
                std::fs::write(at.join(name), name).unwrap();
            }
        });
        assert_eq!(tree.files(10).unwrap(), [".hidden", "Z", "b-1", "b/-", "b/c/x", "é"]);
        assert!(tree.files(5).unwrap_err().message().contains("one file more than 5"));
        let mut bytes = Vec::new();
        assert_eq!(tree.read("b/c/x", &mut |part| bytes.extend_from_slice(part)).unwrap(), 5);
        assert_eq!(bytes, b"b/c/x");
    }

    #[test]
    fn what_no_list_can_name_is_refused() {
        type Make = fn(&Path);
        let makes: [(Make, &str); 6] = [
            (|at| std::fs::write(at.join("-"), "").unwrap(), "standard input"),
            (|at| symlink("/etc/passwd", at.join("l")).unwrap(), "symbolic link"),
            (|at| std::fs::create_dir(at.join("empty")).unwrap(), "empty folder"),
            (|at| std::fs::write(at.join("a\nb"), "").unwrap(), "newline"),
            (|at| std::fs::write(at.join("a\\b"), "").unwrap(), "backslash"),
            (
                |at| {
                    let (kind, mode) = (FileType::Fifo, Mode::RUSR);
                    rustix::fs::mknodat(rustix::fs::CWD, at.join("p"), kind, mode, 0).unwrap();
                },
                "neither a file nor a folder",
            ),
        ];
        for (make, why) in makes {
            let (_folder, tree) = tree(make);
            let fault = tree.files(10).unwrap_err();
            assert_eq!(fault.code(), &UNLISTABLE);
            assert!(fault.message().contains(why), "{fault}");
        }
    }

    #[test]
    fn nothing_is_read_outside_or_behind_a_link() {
        let (folder, tree) = tree(|at| {
            std::fs::create_dir(at.join("real")).unwrap();
            std::fs::write(at.join("real/x"), "x").unwrap();
            symlink("real", at.join("link")).unwrap();
            symlink("real/x", at.join("x")).unwrap();
        });
        for path in ["../x", "/etc/passwd", "link/x", "x", "real/../real/x", ""] {
            assert_eq!(tree.read(path, &mut |_| {}).unwrap_err().code(), &UNLISTABLE, "{path}");
        }
        assert!(tree.read("real/x", &mut |_| {}).is_ok());
        drop(folder);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let (folder, tree) = tree(|at| std::fs::write(at.join("x"), "before").unwrap());
        let grow = || {
            let mut file = std::fs::OpenOptions::new().append(true).open(folder.path().join("x")).unwrap();
            io::Write::write_all(&mut file, b"more").unwrap();
        };
        let mut is_first = true;
        let read = tree.read("x", &mut |_| {
            if std::mem::take(&mut is_first) {
                grow();
            }
        });
        assert_eq!(read.unwrap_err().code(), &CHANGED);
    }
}
