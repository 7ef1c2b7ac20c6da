//! Which keys documents carry, as the journal has it: time counts from there for the keys of every line.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::fault::Fault;
use crate::custody::{Carries, Catalogue, LINES_BYTES_MAX};
use crate::key::Line;
use crate::ledger::TOO_LARGE;
use crate::policy::{Carried, Examined};

/// The keys that something carries, by line and kind of channel; none, where only what was before did.
type Keys = BTreeMap<(String, String), BTreeSet<u32>>;

/// What a document, or a batch of them, carries and what those before did, by what they are about.
pub(super) struct Carrying {
    found: BTreeMap<String, Keys>,
    before: BTreeMap<String, BTreeSet<(Line, String)>>,
}

impl Carrying {
    /// What was found in documents of this kind that the line is about to sign.
    ///
    /// # Errors
    /// [`TOO_LARGE`]: keys of more lines than an entry of the ledger can name.
    pub(super) fn of(
        catalogue: &Catalogue,
        line: &Line,
        kind: &str,
        examined: &Examined,
    ) -> Result<Self, Fault> {
        let mut found: BTreeMap<String, Keys> = BTreeMap::new();
        for Carried { subject, key, channel } in &examined.carried {
            let keys = found.entry(subject.clone()).or_default();
            keys.entry((key.line.to_string(), (*channel).to_owned())).or_default().insert(key.version);
        }
        let before = catalogue.carried(line, kind)?;
        let now = found.values().flat_map(Keys::keys).map(|(line, _)| line.clone());
        let lines: BTreeSet<String> =
            now.chain(before.values().flatten().map(|(line, _)| line.to_string())).collect();
        check(&lines)?;
        Ok(Self { found, before })
    }

    /// What the whole document carries, which is about this.
    pub(super) fn whole(&self, subject: &str) -> Vec<Carries> {
        self.carries(subject, self.found.values())
    }

    /// What a document of a batch carries.
    pub(super) fn part(&self, subject: &str) -> Vec<Carries> {
        self.carries(subject, self.found.get(subject).into_iter())
    }

    fn carries<'a>(&self, subject: &str, found: impl Iterator<Item = &'a Keys>) -> Vec<Carries> {
        let mut keys = Keys::new();
        for (line, channel) in self.before.get(subject).into_iter().flatten() {
            keys.entry((line.to_string(), channel.clone())).or_default();
        }
        for (place, versions) in found.flatten() {
            keys.entry(place.clone()).or_default().extend(versions);
        }
        let carries = keys.into_iter().map(|((line, channel), keys)| Carries {
            line,
            channel,
            keys: keys.into_iter().collect(),
        });
        carries.collect()
    }
}

/// Refuses what no entry could put on record, before a key is touched.
fn check(lines: &BTreeSet<String>) -> Result<(), Fault> {
    let bytes: usize = lines.iter().map(String::len).sum();
    if bytes <= LINES_BYTES_MAX {
        return Ok(());
    }
    let count = lines.len();
    Err(TOO_LARGE
        .fault(format!(
            "it carries keys of {count} lines of the vault: their names have {bytes} bytes, and an entry of the ledger \
             takes {LINES_BYTES_MAX}"
        ))
        .hint("sign it in parts, as several documents"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_more_lines_than_an_entry_can_name_are_refused() {
        let lines = |count: usize| (0..count).map(|n| format!("example.org/sandbox/{n:04}")).collect();
        check(&lines(1_000)).unwrap();
        let fault = check(&lines(1_200)).unwrap_err();
        assert_eq!(fault.code(), &TOO_LARGE);
        assert!(fault.message().contains("keys of 1200 lines"), "{fault}");
    }
}
