//! A folder that others read while it is renewed: files are written unseen, made durable together, and then take their
//! names one by one, each in one step. One sync for thousands of files, and at any moment each name is whole or absent.
//!
//! What an interrupted act wrote unseen stays there, for the next one to look at. It may be torn.

use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::Path;

use rustix::io::Errno;

use super::below::Below;
use super::bytes::{Digest, hex};
use super::disk::{self, BUSY, Pending, create_folder, fault};
use super::fault::Fault;

/// What is not yet seen lies here.
const HIDDEN: &str = ".fedroot";

/// A folder that is being renewed. It is locked until this is dropped.
pub struct Staging {
    folder: Below,
    hidden: Below,
    is_made: bool,
    /// Whether an interrupted act left something unseen.
    is_left: bool,
}

impl Staging {
    /// Takes a folder, which is made when it is not there.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let is_made = !disk::exists(path);
        create_folder(path)?;
        let folder = Below::open(path)?;
        match folder.as_file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(BUSY
                    .fault(format!("{} is being renewed by another fedroot", path.display()))
                    .hint("wait until it has ended, then run this again"));
            }
            Err(TryLockError::Error(e)) => return Err(fault("lock", path, &e)),
        }
        let hidden = folder.own_folder(HIDDEN)?;
        let is_left = !hidden.names(".")?.is_empty();
        Ok(Self { folder, hidden, is_made, is_left })
    }

    /// The folder.
    pub fn folder(&self) -> &Below {
        &self.folder
    }

    /// Makes sure that there is room for so many bytes now. Where the file system cannot tell, nothing happens.
    pub fn check_room(&self, bytes: u64) -> Result<(), Fault> {
        Pending::beside(&self.folder.path().join("room"))?.reserve(bytes)
    }

    /// Writes a file that shall be called `name`, unseen and not yet durable. Threads may write at once.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let mut file = self.hidden.create(&unseen(name))?;
        file.write_all(bytes).map_err(|e| fault("write", &self.folder.path().join(name), &e))
    }

    /// What an interrupted act wrote for this name.
    pub fn unpublished(&self, name: &str, bytes_max: u64) -> Option<Vec<u8>> {
        self.is_left.then(|| self.hidden.read(&unseen(name), bytes_max).ok())?
    }

    /// Throws away what an interrupted act wrote for this name.
    pub fn discard(&self, name: &str) -> Result<(), Fault> {
        if self.is_left { self.hidden.remove(&unseen(name)) } else { Ok(()) }
    }

    /// Makes everything durable, by one call for the whole file system.
    pub fn settle(&self) -> Result<(), Fault> {
        let failed = |e: Errno| fault("make durable", self.folder.path(), &e.into());
        rustix::fs::syncfs(self.folder.as_file()).map_err(failed)
    }

    /// Gives a file its names, in the place of what stands there. The first one last: once it stands, all do.
    pub fn publish(&self, names: &[String]) -> Result<(), Fault> {
        let Some((first, others)) = names.split_first() else { return Ok(()) };
        let from = unseen(first);
        for other in others {
            self.link((&self.hidden, &from), other)?;
        }
        self.hidden.rename(&from, &self.folder, first)
    }

    /// Writes files that are at hand, and gives them their names: those that do not stand there already. Yields whether any
    /// did not.
    pub fn put(&self, files: &[(&str, &[u8])]) -> Result<bool, Fault> {
        let stands = |name: &str, bytes: &[u8]| {
            self.folder.read(name, bytes.len() as u64).is_ok_and(|found| found == bytes)
        };
        let news: Vec<_> = files.iter().filter(|(name, bytes)| !stands(name, bytes)).collect();
        if news.is_empty() {
            return Ok(false);
        }
        for (name, bytes) in &news {
            self.discard(name)?;
            self.write(name, bytes)?;
        }
        self.settle()?;
        news.iter().try_for_each(|(name, _)| self.publish(&[(*name).to_owned()]))?;
        Ok(true)
    }

    /// Mends the other names of a file that stands under its first. Yields whether one was missing or another file.
    pub fn mend(&self, names: &[String]) -> Result<bool, Fault> {
        let Some((first, others)) = names.split_first() else { return Ok(false) };
        let mut mended = false;
        for other in others {
            if !self.folder.is_same(first, other) {
                self.link((&self.folder, first), other)?;
                mended = true;
            }
        }
        Ok(mended)
    }

    /// Takes a published file away, and the folders that it leaves empty.
    pub fn remove(&self, name: &str) -> Result<(), Fault> {
        self.folder.remove(name)?;
        let above = name.rmatch_indices('/').filter_map(|(end, _)| name.get(..end));
        let _ = above.take_while(|folder| self.folder.remove_folder(folder)).count();
        Ok(())
    }

    /// Ends the renewal: what was not published is thrown away, all names are durable. What we did not write stays.
    pub fn close(self) -> Result<(), Fault> {
        for name in self.hidden.names(".")?.into_iter().filter(|name| is_unseen(name)) {
            self.hidden.remove(&name)?;
        }
        self.settle()
    }

    /// Gives a file one more name. A hard link looks like a file to everybody; where there is none, it is a copy.
    fn link(&self, (folder, from): (&Below, &str), name: &str) -> Result<(), Fault> {
        // mostly nothing stands there
        if folder.link(from, &self.folder, name)?.is_ok() {
            return Ok(());
        }
        let step = unseen(name);
        self.hidden.remove(&step)?;
        let failed = |e: io::Error| fault("write", &self.folder.path().join(name), &e);
        match folder.link(from, &self.hidden, &step)? {
            Ok(()) => {}
            Err(
                Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK | Errno::XDEV,
            ) => {
                io::copy(&mut folder.file(from)?, &mut self.hidden.create(&step)?).map_err(failed)?;
            }
            Err(error) => return Err(failed(error.into())),
        }
        self.hidden.rename(&step, &self.folder, name)
    }
}

impl Drop for Staging {
    /// Leaves nothing empty behind.
    fn drop(&mut self) {
        self.folder.remove_folder(HIDDEN);
        if self.is_made {
            let _ = rustix::fs::rmdir(self.folder.path());
        }
    }
}

/// What a file is called until it is published: a short name, whatever the names are.
fn unseen(name: &str) -> String {
    hex(Digest::of(name.as_bytes()).as_bytes())
}

/// Whether we call a file so that is not published.
fn is_unseen(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a path below a folder that is renewed is of the renewal itself.
pub fn is_of_renewal(path: &str) -> bool {
    path.strip_prefix(HIDDEN)
        .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/').is_some_and(is_unseen))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at what stands there")]
mod tests {
    use std::fs;

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
