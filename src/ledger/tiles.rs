//! The ledger as C2SP tlog-tiles: what transparency-log servers, their mirrors and their witnesses carry further. The
//! entries are the lines, so the root is the one of the checkpoint.

use crate::base::disk::{Document, PendingFolder};
use crate::base::fault::Fault;

use super::NO_ENTRY;
use super::evidence::check_against;
use super::note::Note;
use super::records::{Records, Seals};
use super::tree::{Hash, Tree};

/// The hashes of a full tile, and the entries of a full bundle.
const WIDTH: usize = 256;

/// Writes the tree of a checkpoint into a folder, as far as the checkpoint goes: `checkpoint`, `tile/L/N` and
/// `tile/entries/N`. The log is checked against the checkpoint first.
pub fn export(log: &Document, note: &Note, folder: &PendingFolder) -> Result<(), Fault> {
    check_against(log, std::slice::from_ref(note))?;
    let mut records = Records::with(log.reader(), Seals::Never);
    let mut save = |path: &str, bytes: &[u8]| folder.save(path, bytes);
    let mut tiles = Tiles::default();
    while tiles.size < note.checkpoint.size {
        let pushed = records.next(|line, tip| tiles.push(tip.leaf, line.whole, &mut save))?;
        pushed.ok_or_else(|| NO_ENTRY.fault("the log ended while it was read"))??;
    }
    tiles.finish(&mut save)?;
    // Last: a checkpoint promises that the tiles below it are there.
    folder.save("checkpoint", note.text().as_bytes())
}

type Save<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Fault> + 'a;

/// Tiles being filled: one at each level, and one bundle of entries.
#[derive(Default)]
struct Tiles {
    size: u64,
    bundle: Vec<u8>,
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    /// The tiles that are full.
    full: u64,
    /// The hashes of the next one.
    hashes: Vec<Hash>,
}

impl Tiles {
    /// Adds an entry; saves what it fills.
    fn push(&mut self, leaf: Hash, entry: &[u8], save: &mut Save<'_>) -> Result<(), Fault> {
        // Lines have at most 65,535 bytes, for this reason.
        self.bundle.extend(u16::try_from(entry.len()).unwrap_or_default().to_be_bytes());
        self.bundle.extend(entry);
        self.size += 1;
        if self.size.is_multiple_of(WIDTH as u64) {
            save(&path("entries", self.size / WIDTH as u64 - 1, 0), &self.bundle)?;
            self.bundle.clear();
        }
        let (mut hash, mut level) = (leaf, 0);
        loop {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let Some(tile) = self.levels.get_mut(level) else { return Ok(()) };
            tile.hashes.push(hash);
            if tile.hashes.len() < WIDTH {
                return Ok(());
            }
            save(&path(&level.to_string(), tile.full, 0), tile.hashes.as_flattened())?;
            tile.full += 1;
            hash = root(&tile.hashes);
            tile.hashes.clear();
            level += 1;
        }
    }

    /// Saves what is not full.
    fn finish(self, save: &mut Save<'_>) -> Result<(), Fault> {
        let width = self.size % WIDTH as u64;
        if width > 0 {
            save(&path("entries", self.size / WIDTH as u64, width), &self.bundle)?;
        }
        for (number, level) in self.levels.iter().enumerate().filter(|(_, level)| !level.hashes.is_empty()) {
            let width = level.hashes.len() as u64;
            save(&path(&number.to_string(), level.full, width), level.hashes.as_flattened())?;
        }
        Ok(())
    }
}

/// The root over the hashes of a full tile.
fn root(hashes: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    for hash in hashes {
        tree.push(*hash);
    }
    tree.root()
}

/// Where a tile stands: its number in groups of three digits, each but the last behind an `x`; a width when it is partial.
fn path(level: &str, number: u64, width: u64) -> String {
    let mut groups = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        groups = format!("x{:03}/{groups}", rest % 1000);
        rest /= 1000;
    }
    if width == 0 { format!("tile/{level}/{groups}") } else { format!("tile/{level}/{groups}.p/{width}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tree::leaf;
    use std::collections::BTreeMap;

    #[test]
    fn numbers_are_written_in_groups() {
        assert_eq!(path("0", 0, 0), "tile/0/000");
        assert_eq!(path("0", 1_234_067, 0), "tile/0/x001/x234/067");
        assert_eq!(path("entries", 1000, 7), "tile/entries/x001/000.p/7");
    }

    #[test]
    fn every_tile_follows_from_those_below_it() {
        for size in [1_u64, 255, 256, 257, 600, 65_535, 65_536, 65_537, 66_000] {
            let (mut saved, mut tiles, mut tree) = (BTreeMap::new(), Tiles::default(), Tree::default());
            let mut save = |path: &str, bytes: &[u8]| {
                assert!(saved.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} twice");
                Ok(())
            };
            for index in 0..size {
                let entry = index.to_string();
                tree.push(leaf(entry.as_bytes()));
                tiles.push(leaf(entry.as_bytes()), entry.as_bytes(), &mut save).unwrap();
            }
            tiles.finish(&mut save).unwrap();
            // What a client does: entries give level 0, full tiles give the level above, and the last tiles the root.
            let mut hashes: Vec<Hash> = (0..size).map(|index| leaf(index.to_string().as_bytes())).collect();
            let mut count = saved.keys().filter(|path| path.starts_with("tile/entries/")).count();
            assert_eq!(count as u64, size.div_ceil(WIDTH as u64));
            assert_eq!(root(&hashes), tree.root());
            for level in 0.. {
                for (number, share) in hashes.chunks(WIDTH).enumerate() {
                    let width = if share.len() == WIDTH { 0 } else { share.len() as u64 };
                    assert_eq!(saved[&path(&level.to_string(), number as u64, width)], share.as_flattened());
                    count += 1;
                }
                hashes = hashes.chunks_exact(WIDTH).map(root).collect();
                if hashes.is_empty() {
                    break;
                }
            }
            assert_eq!(count, saved.len(), "size {size}: files that nobody asked for");
        }
    }
}
