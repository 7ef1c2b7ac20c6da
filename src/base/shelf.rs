//! A nameless file for what there is too much of to stay in memory: several threads put things on it, and read them again.

use std::io::{BufReader, Read, Write};
use std::sync::{Mutex, PoisonError};

use super::disk::{self, Document, Pending};
use super::fault::{Fault, INTERNAL};

/// The length of a thing stands before it, in so many bytes.
const HEAD: usize = 4;
/// What is read of a thing at first.
const BYTES_USUAL: usize = 512;
/// Longer things are not put there.
const BYTES_MAX: u64 = 64 << 20;

/// The file.
pub struct Shelf {
    file: Mutex<(Pending, u64)>,
    document: Document,
}

impl Shelf {
    /// Takes an empty file.
    pub fn new(file: Pending) -> Result<Self, Fault> {
        let document = file.document("what was put aside")?;
        Ok(Self { file: Mutex::new((file, 0)), document })
    }

    /// Puts something down. Yields its place.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn put(&self, thing: &[u8]) -> Result<u64, Fault> {
        let length = u32::try_from(thing.len()).ok().filter(|length| u64::from(*length) <= BYTES_MAX);
        let length = length.ok_or_else(|| disk::TOO_LARGE.fault("one thing is too large to be put aside"))?;
        let whole = [&length.to_be_bytes(), thing].concat();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (pending, end) = &mut *file;
        pending.write_all(&whole).map_err(|e| disk::fault("write", self.name().as_ref(), &e))?;
        let place = *end;
        *end += whole.len() as u64;
        Ok(place)
    }

    /// What was put down at a place.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn get(&self, place: u64) -> Result<Vec<u8>, Fault> {
        let failed = |e| disk::fault("read", self.name().as_ref(), &e);
        let mut head = [0; HEAD];
        let mut from = BufReader::with_capacity(BYTES_USUAL, self.document.reader_at(place));
        from.read_exact(&mut head).map_err(failed)?;
        let length = u64::from(u32::from_be_bytes(head));
        let mut thing = Vec::with_capacity(usize::try_from(length.min(BYTES_MAX)).unwrap_or_default());
        from.take(length.min(BYTES_MAX)).read_to_end(&mut thing).map_err(failed)?;
        if thing.len() as u64 == length {
            return Ok(thing);
        }
        Err(INTERNAL.fault(format!("{} is cut off", self.name())))
    }

    fn name(&self) -> &str {
        self.document.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cores;

    #[test]
    fn what_was_put_down_is_there_whoever_did_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(Pending::beside(&folder.path().join("x")).unwrap()).unwrap();
        let thing = |number: usize| vec![0x5a; number * 7];
        let places = cores::each(500, &|number| shelf.put(&thing(number))).unwrap();
        for (number, place) in places.into_iter().enumerate() {
            assert_eq!(shelf.get(place).unwrap(), thing(number));
        }
        assert!(shelf.get(1 << 40).is_err());
        assert_eq!(disk::names(folder.path()).unwrap(), [""; 0], "it has no name");
    }
}
