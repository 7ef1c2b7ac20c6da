//! A folder that others read while it is renewed: files are written unseen, made durable together, and then take their
//! names one by one, each in one step. One sync for thousands of files, and at any moment each name is whole or absent.
//!
//! What an interrupted act wrote unseen stays there, for the next one to look at. It may be torn.

#![expect(clippy::disallowed_methods, reason = "this is one of the places that touch files")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::bytes::{Digest, hex};
use super::disk::{self, BUSY, Pending, create_folder, fault};
use super::fault::Fault;

/// What is not yet seen lies here.
const HIDDEN: &str = ".fedroot";

/// A folder that is being renewed. It is locked until this is dropped.
pub struct Staging {
    folder: PathBuf,
    hidden: PathBuf,
    lock: File,
    is_made: bool,
    /// Whether an interrupted act left something unseen.
    is_left: bool,
}

impl Staging {
    /// Takes a folder, which is made when it is not there.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let is_made = !disk::exists(folder);
        create_folder(folder)?;
        let lock = File::open(folder).map_err(|e| fault("lock", folder, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(BUSY
                    .fault(format!("{} is being renewed by another fedroot", folder.display()))
                    .hint("wait until it has ended, then run this again"));
            }
            Err(fs::TryLockError::Error(e)) => return Err(fault("lock", folder, &e)),
        }
        let hidden = folder.join(HIDDEN);
        create_folder(&hidden)?;
        let is_left = !disk::names(&hidden)?.is_empty();
        Ok(Self { folder: folder.to_owned(), hidden, lock, is_made, is_left })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes sure that there is room for so many bytes now. Where the file system cannot tell, nothing happens.
    pub fn check_room(&self, bytes: u64) -> Result<(), Fault> {
        Pending::beside(&self.hidden.join("room"))?.reserve(bytes)
    }

    /// Writes a file that shall be called `name`, unseen and not yet durable. Threads may write at once.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.unseen(name);
        let write = || {
            let options = &mut fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(bytes)
        };
        write().map_err(|e| fault("write", &self.folder.join(name), &e))
    }

    /// What an interrupted act wrote for this name.
    pub fn unpublished(&self, name: &str, bytes_max: u64) -> Option<Vec<u8>> {
        self.is_left.then(|| disk::read(&self.unseen(name), bytes_max).ok())?
    }

    /// Throws away what an interrupted act wrote for this name.
    pub fn discard(&self, name: &str) -> Result<(), Fault> {
        if self.is_left { remove(&self.unseen(name)) } else { Ok(()) }
    }

    /// Makes everything durable, by one call for the whole file system.
    pub fn settle(&self) -> Result<(), Fault> {
        rustix::fs::syncfs(&self.lock).map_err(|e| fault("make durable", &self.folder, &e.into()))
    }

    /// Gives a file its names, in the place of what stands there. The first one last: once it stands, all do.
    pub fn publish(&self, names: &[String]) -> Result<(), Fault> {
        let Some((first, others)) = names.split_first() else { return Ok(()) };
        let unseen = self.unseen(first);
        for other in others {
            self.link(&unseen, other)?;
        }
        self.rename(&unseen, first)
    }

    /// Mends the other names of a file that stands under its first. Yields whether one was missing or another file.
    pub fn mend(&self, names: &[String]) -> Result<bool, Fault> {
        let Some((first, others)) = names.split_first() else { return Ok(false) };
        let path = self.folder.join(first);
        let mut mended = false;
        for other in others {
            if !is_same(&path, &self.folder.join(other)) {
                self.link(&path, other)?;
                mended = true;
            }
        }
        Ok(mended)
    }

    /// Takes a published file away, and the folders that it leaves empty.
    pub fn remove(&self, name: &str) -> Result<(), Fault> {
        let path = self.folder.join(name);
        remove(&path)?;
        let above = path.ancestors().skip(1).take_while(|folder| *folder != self.folder);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Ends the renewal: what was not published is thrown away, all names are durable.
    pub fn close(self) -> Result<(), Fault> {
        for name in disk::names(&self.hidden)? {
            remove(&self.hidden.join(name))?;
        }
        self.settle()
    }

    /// Where the file lies until it is published: a short name, whatever the names are.
    fn unseen(&self, name: &str) -> PathBuf {
        self.hidden.join(hex(Digest::of(name.as_bytes()).as_bytes()))
    }

    /// Gives a file one more name. A hard link looks like a file to everybody; where there is none, it is a copy.
    fn link(&self, from: &Path, name: &str) -> Result<(), Fault> {
        // mostly nothing stands there
        if fs::hard_link(from, self.folder.join(name)).is_ok() {
            return Ok(());
        }
        let step = self.unseen(name);
        remove(&step)?;
        if let Err(error) = fs::hard_link(from, &step) {
            match error.kind() {
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::Unsupported
                | io::ErrorKind::TooManyLinks
                | io::ErrorKind::CrossesDevices => {
                    fs::copy(from, &step).map_err(|e| fault("write", &self.folder.join(name), &e))?;
                }
                _ => return Err(fault("write", &self.folder.join(name), &error)),
            }
        }
        self.rename(&step, name)
    }

    fn rename(&self, from: &Path, name: &str) -> Result<(), Fault> {
        let to = self.folder.join(name);
        let renamed = match (fs::rename(from, &to), to.parent()) {
            // mostly the folder is there
            (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
                create_folder(parent)?;
                fs::rename(from, &to)
            }
            (renamed, _) => renamed,
        };
        renamed.map_err(|e| fault("write", &to, &e))
    }
}

impl Drop for Staging {
    /// Leaves nothing empty behind.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.hidden);
        if self.is_made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// Whether two names stand for one file, or for two with the same bytes.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::symlink_metadata(one), fs::symlink_metadata(other)) else { return false };
    let is_one = (a.dev(), a.ino()) == (b.dev(), b.ino());
    let read = |path| disk::read(path, a.len()).ok();
    is_one
        || a.is_file()
            && b.is_file()
            && a.len() == b.len()
            && read(one).is_some_and(|it| Some(it) == read(other))
}

fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault("remove", path, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_take_their_names_in_one_step_and_nothing_else_is_left() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path().join("out");
        let staging = Staging::open(&folder).unwrap();
        assert_eq!(Staging::open(&folder).err().unwrap().code(), &BUSY);
        staging.check_room(10).unwrap();
        assert_eq!(staging.check_room(1 << 60).unwrap_err().code(), &disk::FULL);
        staging.write("a/one", b"1").unwrap();
        staging.write("a/two", b"2").unwrap();
        assert!(!folder.join("a").exists());
        staging.settle().unwrap();
        staging.publish(&names(&["a/one", "a/uno"])).unwrap();
        assert_eq!(fs::read(folder.join("a/uno")).unwrap(), b"1");
        assert!(!staging.mend(&names(&["a/one", "a/uno"])).unwrap());
        fs::write(folder.join("a/copy"), "1").unwrap();
        assert!(!staging.mend(&names(&["a/one", "a/copy"])).unwrap(), "a copy will do");
        fs::write(folder.join("a/copy"), "7").unwrap();
        assert!(staging.mend(&names(&["a/one", "a/copy"])).unwrap());
        assert_eq!(fs::read(folder.join("a/copy")).unwrap(), b"1");
        staging.close().unwrap();
        assert_eq!(disk::names(&folder).unwrap(), ["a"]);
        assert_eq!(disk::names(&folder.join("a")).unwrap(), ["copy", "one", "uno"]);
    }

    #[test]
    fn what_was_written_unseen_survives_an_interruption_and_takes_the_place_of_the_old() {
        let room = tempfile::tempdir().unwrap();
        let staging = Staging::open(room.path()).unwrap();
        staging.write("x", b"old").unwrap();
        staging.publish(&names(&["x"])).unwrap();
        staging.write("x", b"new").unwrap();
        drop(staging);
        let staging = Staging::open(room.path()).unwrap();
        assert_eq!(staging.unpublished("x", 9).unwrap(), b"new");
        assert_eq!(fs::read(room.path().join("x")).unwrap(), b"old");
        staging.publish(&names(&["x"])).unwrap();
        assert_eq!(fs::read(room.path().join("x")).unwrap(), b"new");
    }
}
