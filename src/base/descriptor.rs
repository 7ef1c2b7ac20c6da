//! File descriptors that whoever starts the program hands over.
#![expect(clippy::disallowed_methods, reason = "opens what a descriptor of this process stands for")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{MISSING, fault, read_all};
use super::fault::Fault;

/// A file descriptor that was open when the program began. Taken later, its number may belong to a file that the program has
/// opened meanwhile.
#[derive(Clone, Debug)]
pub struct Descriptor {
    number: u32,
    held: Option<Arc<File>>,
}

impl Descriptor {
    /// Takes it, where it is open.
    pub fn take(number: u32) -> Self {
        Self { number, held: File::open(format!("/dev/fd/{number}")).ok().map(Arc::new) }
    }

    /// Its number.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Reads what it delivers, to its end; a file each time from its beginning.
    pub fn read(&self, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        let Self { number, held } = self;
        let held = held.as_ref().ok_or_else(|| {
            MISSING
                .fault(format!("file descriptor {number} is not open for reading"))
                .hint(format!("open it where fedroot is started, as in {number}<FILE"))
        })?;
        let path = PathBuf::from(format!("/dev/fd/{}", held.as_raw_fd()));
        let named = |e: io::Error| fault("read", Path::new(&format!("/dev/fd/{number}")), &e);
        read_all(File::open(&path).map_err(named)?, &path, bytes_max)
    }
}
