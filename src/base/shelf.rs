//! A nameless file for what there is too much of to stay in memory: several threads put things on it, and read them again.

use std::io::{BufReader, Read, Write};
use std::sync::{Mutex, PoisonError};

use super::disk::{self, Document, Pending};
use super::fault::Fault;

/// The lengths of a thing's parts stand before it, each in so many bytes.
const LENGTH: usize = 4;
/// What is read of a thing at first.
const BYTES_USUAL: usize = 512;
/// Longer parts are not put there.
const BYTES_MAX: u64 = 64 << 20;

/// The file. What is put there has so many parts, which are read one by one.
pub struct Shelf<const PARTS: usize = 1> {
    file: Mutex<(Pending, u64)>,
    document: Document,
}

impl<const PARTS: usize> Shelf<PARTS> {
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
    pub fn put(&self, thing: [&[u8]; PARTS]) -> Result<u64, Fault> {
        let mut whole = Vec::with_capacity(thing.iter().map(|part| LENGTH + part.len()).sum());
        for part in thing {
            let length = u32::try_from(part.len()).ok().filter(|length| u64::from(*length) <= BYTES_MAX);
            let length =
                length.ok_or_else(|| disk::TOO_LARGE.fault("one thing is too large to be put aside"))?;
            whole.extend(length.to_be_bytes());
        }
        for part in thing {
            whole.extend_from_slice(part);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (pending, end) = &mut *file;
        pending.write_all(&whole).map_err(|e| disk::fault("write", self.name().as_ref(), &e))?;
        let place = *end;
        *end += whole.len() as u64;
        Ok(place)
    }

    /// A part of what was put down at a place.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn get(&self, place: u64, part: usize) -> Result<Vec<u8>, Fault> {
        let failed = |e| disk::fault("read", self.name().as_ref(), &e);
        let mut heads = [[0; LENGTH]; PARTS];
        let mut from = BufReader::with_capacity(BYTES_USUAL, self.document.reader_at(place));
        from.read_exact(heads.as_flattened_mut()).map_err(failed)?;
        let lengths = heads.map(|length| u64::from(u32::from_be_bytes(length)).min(BYTES_MAX));
        let length = lengths.get(part).copied().unwrap_or_default();
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let before: u64 = lengths.iter().take(part).sum();
        let start = usize::try_from(before).unwrap_or(usize::MAX);
        if let Some(read) = from.buffer().get(start..).and_then(|read| read.get(..bytes.len())) {
            bytes.copy_from_slice(read);
        } else {
            let start = place + (PARTS * LENGTH) as u64 + before;
            self.document.reader_at(start).read_exact(&mut bytes).map_err(failed)?;
        }
        Ok(bytes)
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
        let shelf: Shelf<3> = Shelf::new(Pending::beside(&folder.path().join("x")).unwrap()).unwrap();
        let thing = |number: usize| [vec![0x5a; number * 7], vec![0xa5; number], vec![0x11; number % 3]];
        let put = |number| shelf.put(thing(number).each_ref().map(Vec::as_slice));
        let places = cores::each(500, &put).unwrap();
        for (number, place) in places.into_iter().enumerate() {
            for (part, bytes) in thing(number).into_iter().enumerate() {
                assert_eq!(shelf.get(place, part).unwrap(), bytes);
            }
        }
        assert!(shelf.get(1 << 40, 0).is_err());
        assert_eq!(disk::names(folder.path()).unwrap(), [""; 0], "it has no name");
    }
}
