//! Which keys documents carry, as the journal has it: time counts from there for the keys of every line.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::fault::Fault;
use crate::custody::{Carries, Catalogue};
use crate::key::Line;
use crate::policy::{Carried, Examined};

/// What a document, or a batch of them, carries and what those before did.
pub(super) struct Carrying<'a> {
    found: &'a BTreeSet<Carried>,
    before: BTreeMap<String, BTreeSet<(Line, String)>>,
}

impl<'a> Carrying<'a> {
    /// What was found in documents of this kind that the line is about to sign.
    pub(super) fn of(
        catalogue: &Catalogue,
        line: &Line,
        kind: &str,
        examined: &'a Examined,
    ) -> Result<Self, Fault> {
        Ok(Self { found: &examined.carried, before: catalogue.carried(line, kind)? })
    }

    /// What the whole document carries, which is about this.
    pub(super) fn whole(&self, subject: &str) -> Vec<Carries> {
        self.carries(subject, |_| true)
    }

    /// What a document of a batch carries.
    pub(super) fn part(&self, subject: &str) -> Vec<Carries> {
        self.carries(subject, |carried| carried.subject == subject)
    }

    fn carries(&self, subject: &str, is_in: impl Fn(&Carried) -> bool) -> Vec<Carries> {
        let mut keys: BTreeMap<(String, String), BTreeSet<u32>> = BTreeMap::new();
        for (line, channel) in self.before.get(subject).into_iter().flatten() {
            keys.entry((line.to_string(), channel.clone())).or_default();
        }
        for Carried { key, channel, .. } in self.found.iter().filter(|carried| is_in(carried)) {
            let place = (key.line.to_string(), (*channel).to_owned());
            keys.entry(place).or_default().insert(key.version);
        }
        let carries = keys.into_iter().map(|((line, channel), keys)| Carries {
            line,
            channel,
            keys: keys.into_iter().collect(),
        });
        carries.collect()
    }
}
