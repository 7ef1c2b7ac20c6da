//! What was met before, in little room: of each thing a hash stays, and something small beside it.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, Hash};

/// Up to so many are kept in a usual table.
const FEW: usize = 1 << BUCKET_BITS;
/// So many bits of a hash tell the bucket.
const BUCKET_BITS: u32 = 12;
/// A number of 48 bits. It takes no more than its six bytes, beside whatever it stands.
pub type Short = [u16; 3];

/// The lowest 48 bits of a number.
pub fn short(number: u64) -> Short {
    let [_, _, a, b, c, d, e, f] = number.to_be_bytes();
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), u16::from_be_bytes([e, f])]
}

/// The number again.
pub fn long(short: Short) -> u64 {
    short.iter().fold(0, |number, part| number << 16 | u64::from(*part))
}

/// Things met, as hashes under a key that is drawn for each run: nobody can choose two that fall together.
///
/// A hash has 64 bits while things are few, and 60 once there are more than four thousand: that two of a million fall
/// together by chance happens once in some million runs. Many take 6 bytes each, what stands beside them, and a little:
/// a usual table takes twice as much, and three times when it grows.
pub struct Marks<T> {
    hash: RandomState,
    few: HashMap<u64, T>,
    /// By the first bits of their hashes, once they are many.
    many: Vec<Vec<(Short, T)>>,
}

impl<T> Default for Marks<T> {
    fn default() -> Self {
        Self { hash: RandomState::new(), few: HashMap::new(), many: Vec::new() }
    }
}

impl<T: Copy> Marks<T> {
    /// Takes in something. Yields what stands beside it when it was met before; otherwise `new` stands there from now on.
    pub fn meet(&mut self, what: impl Hash, new: T) -> Option<&mut T> {
        let hash = self.hash.hash_one(what);
        if self.many.is_empty() && self.few.len() < FEW {
            return match self.few.entry(hash) {
                Entry::Occupied(known) => Some(known.into_mut()),
                Entry::Vacant(place) => {
                    place.insert(new);
                    None
                }
            };
        }
        self.spread();
        self.meet_among_many(hash, new)
    }

    fn meet_among_many(&mut self, hash: u64, new: T) -> Option<&mut T> {
        let (bucket, short) = parts(hash);
        let bucket = self.many.get_mut(bucket)?;
        if let Some(at) = bucket.iter().position(|(own, _)| *own == short) {
            return bucket.get_mut(at).map(|(_, beside)| beside);
        }
        if bucket.len() == bucket.capacity() {
            bucket.reserve_exact(1 + bucket.len() / 64);
        }
        bucket.push((short, new));
        None
    }

    /// Puts few into the buckets of many.
    fn spread(&mut self) {
        if self.many.is_empty() {
            self.many.resize_with(1 << BUCKET_BITS, Vec::new);
        }
        for (hash, beside) in std::mem::take(&mut self.few) {
            self.meet_among_many(hash, beside);
        }
    }
}

/// The bucket of a hash, and what stays of it there.
fn parts(hash: u64) -> (usize, Short) {
    let bucket = usize::try_from(hash >> (u64::BITS - BUCKET_BITS)).unwrap_or_default();
    (bucket, short(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_however_many_there_are() {
        let mut marks = Marks::default();
        for round in 0_u32..3 {
            for number in 0_u32..3 * u32::try_from(FEW).unwrap() {
                let known = marks.meet(number, number);
                assert_eq!(
                    known.as_deref().copied(),
                    (round > 0).then_some(number + round.saturating_sub(1))
                );
                if let Some(beside) = known {
                    *beside += 1;
                }
            }
        }
        assert!(marks.few.is_empty());
        assert_eq!(marks.many.iter().map(Vec::len).sum::<usize>(), 3 * FEW);
    }

    #[test]
    fn all_of_a_hash_but_four_bits_counts() {
        let ignored = 0xF_u64 << 48;
        for bit in 0..u64::BITS {
            assert_eq!(parts(0) == parts(1 << bit), ignored >> bit & 1 == 1, "{bit}");
        }
    }

    #[test]
    fn a_mark_takes_little() {
        let mut marks = Marks::default();
        for number in 0..50_000 {
            marks.meet(number, short(number));
        }
        let room: usize = marks.many.iter().map(Vec::capacity).sum();
        assert!((50_000..52_000).contains(&room), "{room}");
        assert_eq!(size_of::<(Short, ())>(), 6);
        assert_eq!(size_of::<(Short, Short)>(), 12);
        for number in [0, 1, 0x0123_4567_89AB, (1 << 48) - 1] {
            assert_eq!(long(short(number)), number);
        }
    }
}
