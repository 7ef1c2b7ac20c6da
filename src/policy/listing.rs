//! The list of what changed, the riskiest first and within bounds: whatever a document makes of itself, what matters most
//! stays.

use std::collections::BTreeMap;

use super::EntityChange;
use super::said::{Said, Told};

/// What the listed changes may fill without their values: some twenty thousand.
const LISTED_BYTES_MAX: usize = 4 << 20;
/// What their values may fill: those of more than a thousand usual entities.
const VALUES_BYTES_MAX: usize = 2 << 20;
/// What a change takes beside its name: the tree needs room too.
const CHANGE_BYTES: usize = size_of::<EntityChange>() + 64;

/// How risky a change is, the lower the riskier, and how many came before it.
type Place = (usize, usize);

/// Changes in the making.
#[derive(Default)]
pub(super) struct Listing {
    changes: Bounded<EntityChange>,
    values: Bounded<Vec<Said>>,
    count: usize,
}

impl Listing {
    /// Takes in a change of this risk, and what its entity says now.
    pub(super) fn add(&mut self, rank: usize, change: EntityChange, told: Told) {
        let place = (rank, self.count);
        self.count += 1;
        let bytes = CHANGE_BYTES + change.entity.len() + size_of_val(change.parts.as_slice());
        let untold = told.untold + told.values.len();
        self.changes.put(place, bytes, EntityChange { untold, ..change }, LISTED_BYTES_MAX);
        if !told.values.is_empty() {
            let bytes = told.values.iter().map(Said::bytes).sum();
            self.values.put(place, bytes, told.values, VALUES_BYTES_MAX);
        }
    }

    /// The changes, the riskiest first, and how many are not among them.
    pub(super) fn finish(mut self) -> (Vec<EntityChange>, usize) {
        for (place, (_, values)) in self.values.kept {
            if let Some((_, change)) = self.changes.kept.get_mut(&place) {
                change.untold -= values.len();
                change.now = values;
            }
        }
        let listed: Vec<_> = self.changes.kept.into_values().map(|(_, change)| change).collect();
        let unlisted = self.count - listed.len();
        (listed, unlisted)
    }
}

/// Things in the order of their places; those behind go when there are too many.
struct Bounded<T> {
    kept: BTreeMap<Place, (usize, T)>,
    bytes: usize,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), bytes: 0 }
    }
}

impl<T> Bounded<T> {
    fn put(&mut self, place: Place, bytes: usize, thing: T, most: usize) {
        self.bytes += bytes;
        self.kept.insert(place, (bytes, thing));
        while self.bytes > most {
            let Some((_, (bytes, _))) = self.kept.pop_last() else { return };
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(listing: &mut Listing, rank: usize, name: &str, values: usize) {
        let change = EntityChange {
            entity: name.into(),
            what: "changed",
            parts: vec!["other"],
            now: vec![],
            untold: 0,
        };
        let value = Said { value: "x".repeat(1_000), ..Said::default() };
        listing.add(rank, change, Told { values: vec![value; values], untold: 1 });
    }

    #[test]
    fn the_riskiest_stay_in_their_order_and_what_goes_is_counted() {
        let mut listing = Listing::default();
        for number in 0..60_000 {
            add(&mut listing, 8, &format!("low {number}"), usize::from(number % 10 == 0));
        }
        for number in 0..3 {
            add(&mut listing, 2, &format!("high {number}"), 2);
        }
        let (changes, unlisted) = listing.finish();
        assert_eq!(changes.len() + unlisted, 60_003);
        assert!((10_000..40_000).contains(&changes.len()), "{}", changes.len());
        let names: Vec<_> = changes.iter().take(4).map(|change| change.entity.as_str()).collect();
        assert_eq!(names, ["high 0", "high 1", "high 2", "low 0"]);
        assert!(changes.iter().take(3).all(|change| change.now.len() == 2 && change.untold == 1));
        let told: usize = changes.iter().map(|change| change.now.len()).sum();
        assert!((1_000..2_500).contains(&told), "{told} values of a thousand bytes");
        let untold: usize = changes.iter().map(|change| change.untold).sum();
        let had = changes.len().div_ceil(10) - 1 + 6; // one of ten low ones
        assert!(
            (told + untold - changes.len()).abs_diff(had) <= 1,
            "{told} told, {untold} untold, {had} had"
        );
    }
}
